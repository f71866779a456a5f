/* SPDX-License-Identifier: BSD-3-Clause */
#include "repl_rig.h"

#define COUNT(g, name) (repl_count((g)->r)->name)

/* A USAGE counts as so many DELTAs; what the callback says of them is counted, and what it refuses
 * is acknowledged. */
static const struct {
	int ret;
	bool late;
	uint64_t deltas, applied, refused, again;
} usages[] = {
	{ 3, false, 3, 3, 0, 0 },
	{ 1, false, 3, 1, 2, 0 },
	{ -EBADMSG, false, 3, 0, 3, 0 },
	{ -EAGAIN, false, 3, 0, 0, 1 },
	{ 3, true, 3, 0, 3, 0 },
};

void test_usages(void)
{
	uint8_t body[3 * REPL_USAGE_BYTES] = { 0 };

	for (unsigned int i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
		struct rig g;
		struct repl_header h;

		rig_standby(&g);
		if (usages[i].late)
			repl_receive(g.r, REPL_RX_LATE, RIG_TERM + 2, RIG_TERM);
		g.state_ret = usages[i].ret;
		h = rig_header(&g, 1, REPL_F_ORDERED);
		rig_open(&g, &h);
		rig_rec(&g, REPL_USAGE, body, sizeof(body));
		rig_send(&g);
		CU_ASSERT_EQUAL(g.n_applied, !usages[i].late);
		CU_ASSERT_EQUAL(COUNT(&g, rx_deltas), usages[i].deltas);
		CU_ASSERT_EQUAL(COUNT(&g, rx_applied), usages[i].applied);
		CU_ASSERT_EQUAL(COUNT(&g, rx_refused), usages[i].refused);
		CU_ASSERT_EQUAL(COUNT(&g, rx_again), usages[i].again);
		rig_stop(&g);
	}
}
