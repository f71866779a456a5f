/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of two sides over a wire that loses, delays and doubles, and in the stream's packets. */
#include "keys_rig.h"

enum { WIRE = 64, TRIED = 1 << 16 };

struct wire {
	struct sealed p[WIRE];
	unsigned int n;
};

static unsigned int phases_late(const struct side *s, const struct sealed *p)
{
	for (unsigned int i = 0; i < KEYS_CONNECTIONS; i++)
		if (s->k.conn[i].id == p->id)
			return s->k.conn[i].tx_phase - p->with.phase;
	return 0;
}

/* Hellos come late, connections change every few hundred packets, phases of 64 packets, a wire that
 * loses up to half: every packet that arrives within the grace is opened by the key it was sealed
 * with, and none by another. */
static void run(uint64_t seed, unsigned int loss)
{
	struct side s[2];
	struct wire w[2] = { 0 };
	usec_t now = 0;
	uint16_t id = 0;
	unsigned int refused = 0, bad = 0, opened = 0, hello[2] = { 0 };

	init(&s[0], true, LIMIT);
	init(&s[1], false, LIMIT);
	for (unsigned int i = 0; i < TRIED; i++, now += 50 + ut_random(&seed) % 100) {
		unsigned int from = ut_random(&seed) % 2;
		struct wire *to = &w[1 - from];

		if (i % 700 == 0) {
			id++;
			/* both have it before either says hello */
			CU_ASSERT_EQUAL(join(&s[0], true, id, now), 0);
			CU_ASSERT_EQUAL(join(&s[1], false, id, now), 0);
			hello[0] = i + ut_random(&seed) % 300;
			hello[1] = i + ut_random(&seed) % 300;
		}
		for (unsigned int n = 0; n < 2; n++)
			if (hello[n] == i)
				keys_hello(&s[n].k, id, false, now);
		if (to->n < WIRE && seal(&s[from], &to->p[to->n]) >= 0) {
			to->p[to->n].at = now;
			if (ut_random(&seed) % 100 >= loss)
				to->n++;
		}
		/* any of them: reordered; now and then again */
		if (to->n > ut_random(&seed) % WIRE / 2) {
			unsigned int at = ut_random(&seed) % to->n;
			int ret = phases_late(&s[from], &to->p[at]) > 1
					  ? 0 /* nobody need hold that key any more */
					  : take(&s[1 - from], &to->p[at], now);

			bad += ret == 1;
			opened += ret == 0;
			refused += ret < 0;
			if (ut_random(&seed) % 8 != 0)
				to->p[at] = to->p[--to->n];
		}
		keys_tick(&s[0].k, now);
		keys_tick(&s[1].k, now);
	}
	CU_ASSERT_EQUAL(refused, 0);
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_TRUE(opened > TRIED / 3);
	CU_ASSERT_TRUE(s[0].k.count.phases_begun > 50);
	CU_ASSERT_TRUE(s[1].k.count.phases_followed > 50);
}

static void test_wire(void)
{
	uint64_t seed = ut_seed(4);

	for (unsigned int i = 0; i < 20; i++)
		run(ut_random(&seed) | 1, i * 5 % 55);
}

/* ---- in the stream ---- */

static void test_stream(void)
{
	struct rig g;
	struct side x;
	uint8_t out[REPL_PACKET_MAX];
	struct repl_header h;
	int len;

	rig_start(&g);
	init(&x, false, LIMIT);
	h = rig_header(&g, 1, 0);
	rig_heartbeat_packet(&g, &h, g.now, 0);
	repl_keys(g.r, &x.k);
	repl_stream_start(g.r, RIG_TERM, g.now);
	CU_ASSERT_EQUAL(repl_room(g.r), 0);
	CU_ASSERT_EQUAL(repl_seal(g.r, out, REPL_HEADER + 10, 0, NULL, 0, g.now), -ENOBUFS);
	repl_heartbeat(g.r, RIG_TERM, out, 10);
	CU_ASSERT_EQUAL(repl_poll(g.r, out, sizeof(out), g.now + 1000000), 0);
	CU_ASSERT_TRUE(repl_due(g.r) > g.now);
	CU_ASSERT_EQUAL(join(&x, true, 0x1234, g.now), 0);
	keys_hello(&x.k, 0x1234, false, g.now);
	len = repl_seal(g.r, out, REPL_HEADER + 10, 0, NULL, 0, g.now);
	CU_ASSERT_EQUAL(len, REPL_HEADER + 10 + REPL_TAG);
	repl_header_read(out, &h);
	CU_ASSERT_EQUAL(h.key, 0x1234);
	CU_ASSERT_EQUAL(h.number, 1); /* what could not be sealed used no number */
	CU_ASSERT_TRUE(repl_slot(g.r) >= 0 && x.k.slot[repl_slot(g.r)].seals);
	CU_ASSERT_TRUE(repl_poll(g.r, out, sizeof(out), g.now + 1000000) > REPL_HEADER + REPL_TAG);
	repl_header_read(out, &h);
	CU_ASSERT_EQUAL(h.key, 0x1234);
	CU_ASSERT_EQUAL(h.number, 2);
	CU_ASSERT_EQUAL(
		repl_seal(g.r, out, REPL_PACKET_MAX - REPL_TAG + 1, 0, NULL, 0, g.now), -EINVAL);
	rig_stop(&g);
}

/* What was opened is applied once, and plain text not at all. */
static void test_replayed(void)
{
	struct rig g;
	struct side x;
	struct repl_header h;

	rig_start(&g);
	init(&x, false, LIMIT);
	repl_keys(g.r, &x.k);
	repl_receive(g.r, REPL_RX_APPLY, RIG_TERM, 0);
	rig_state_packet(&g, 1);
	CU_ASSERT_EQUAL(repl_count(g.r)->rx_bad_key, 1);
	CU_ASSERT_EQUAL(g.n_applied + g.n_new, 0);
	CU_ASSERT_EQUAL(join(&x, true, 7, g.now), 0);
	h = rig_header(&g, 1, REPL_F_ORDERED | REPL_F_PHASE);
	h.key = 7;
	for (unsigned int i = 0; i < 3; i++)
		rig_delta(&g, &h, 5);
	CU_ASSERT_EQUAL(g.n_applied, 1);
	CU_ASSERT_EQUAL(repl_count(g.r)->rx_duplicates, 2);
	rig_stop(&g);
}

int main(void)
{
	CU_TestInfo keys[] = { { "wire", test_wire }, { "stream", test_stream },
		{ "replayed", test_replayed }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "keys_wire", NULL, NULL, NULL, NULL, keys },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
