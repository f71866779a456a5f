/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of lib/pdp share: one rig, opened for each test without AAA and without a stream,
 * and checked and closed behind it. */
#ifndef TANDEM_TEST_PDP_H
#define TANDEM_TEST_PDP_H

#include "pdp_rig.h"
#include "ut.h"

extern struct rig rig;

extern CU_TestInfo pdp_order_tests[], pdp_gate_tests[], pdp_own_tests[], pdp_aaa_tests[],
	pdp_room_tests[];

/* The request was answered with this cause; PDP_UNANSWERED: it was given up. */
static inline bool pdp_was(uint64_t id, enum pdp_cause cause)
{
	return rig.id[id].answered && rig.id[id].cause == cause;
}

static inline bool pdp_waits(uint64_t id)
{
	return rig.id[id].asked && !rig.id[id].answered;
}

static inline struct pdp_view pdp_now(void)
{
	struct pdp_view v;

	pdp_view(rig.pdp, &v);
	return v;
}

/* A session of that key, made and answered; its handle. */
static inline uint32_t pdp_session(unsigned int key)
{
	uint64_t id = rig_create(&rig, 0, key);

	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	CU_ASSERT_NOT_EQUAL(rig_find(&rig, key), 0);
	return rig_find(&rig, key);
}

#endif
