/* SPDX-License-Identifier: BSD-3-Clause */
/* What became of every record: both sides' accounts, through losses, late ACKs, restarts and
 * refusals of every kind. */
#include "repl_rig.h"

#define COUNT(g, name) (repl_count((g)->r)->name)

static uint64_t sum(const struct repl_sent_records *s)
{
	return s->acked + s->superseded + s->in_flight + s->abandoned;
}

/* sent, acked, superseded, in flight, abandoned: of the present stream. */
static void is(const struct rig *g, const uint64_t want[5])
{
	struct repl_sent_records s;

	repl_sent_records(g->r, &s);
	CU_ASSERT_EQUAL(s.sent, want[0]);
	CU_ASSERT_EQUAL(s.acked, want[1]);
	CU_ASSERT_EQUAL(s.superseded, want[2]);
	CU_ASSERT_EQUAL(s.in_flight, want[3]);
	CU_ASSERT_EQUAL(s.abandoned, want[4]);
	CU_ASSERT_EQUAL(sum(&s), s.sent);
	CU_ASSERT_EQUAL(COUNT(g, tx_entries), COUNT(g, records_acknowledged) +
						      COUNT(g, records_superseded) +
						      COUNT(g, records_abandoned) + s.in_flight);
}
#define IS(g, ...) is(g, (const uint64_t[]){ __VA_ARGS__ })

/* A packet of `n` records; its number. */
static uint64_t seal(struct rig *g, unsigned int n)
{
	static const repl_entry_t e[REPL_ENTRIES];
	uint8_t out[REPL_HEADER] = { 0 };

	CU_ASSERT_EQUAL_FATAL(repl_seal(g->r, out, sizeof(out), 0, e, n, g->now), REPL_HEADER);
	return repl_last_number(g->r);
}

static void account(struct rig *g, uint64_t number, const struct repl_received *a)
{
	struct repl_header h = rig_header(g, number, 0);
	struct wr w = wr_init(g->pkt + REPL_HEADER, 600);

	rig_open(g, &h);
	repl_account_write(&w, a);
	g->len = (size_t)(w.p - g->pkt);
	rig_send(g);
}

static void test_sent(void)
{
	struct rig g;
	uint64_t n[8];

	rig_active(&g);
	n[0] = seal(&g, 1);
	n[1] = seal(&g, 0); /* digests alone */
	n[2] = seal(&g, 5);
	IS(&g, 6, 0, 0, 6, 0);
	rig_ack(&g, 2, 1, n[0], n[1]);
	IS(&g, 6, 1, 0, 5, 0);
	for (unsigned int i = 3; i < 8; i++)
		n[i] = seal(&g, 10 + i);
	g.now += 10000;
	rig_ack(&g, 3, 1, n[7], n[7]);
	IS(&g, 81, 18, 5 + 13 + 14, 15 + 16, 0);
	rig_ack(&g, 4, 1, n[2], n[3]); /* they had arrived */
	IS(&g, 81, 18 + 5 + 13, 14, 15 + 16, 0);
	rig_ack(&g, 5, 1, n[2], n[3]);
	IS(&g, 81, 18 + 5 + 13, 14, 15 + 16, 0);
	repl_stream_stop(g.r);
	IS(&g, 81, 18 + 5 + 13, 14, 0, 15 + 16);
	repl_stream_start(g.r, RIG_TERM + 2, g.now);
	IS(&g, 0, 0, 0, 0, 0);
	seal(&g, 3);
	repl_stream_start(
		/* handed back to be told again, and not known to have arrived */
		g.r, RIG_TERM + 4, g.now);
	IS(&g, 0, 0, 0, 0, 0);
	CU_ASSERT_EQUAL(COUNT(&g, records_abandoned), 15 + 16 + 3);
	CU_ASSERT_EQUAL(g.n_lost, 3 + 5 + 13 + 14);
	rig_stop(&g);
}

/* All ACKs of a packet were lost: the account tells. */
static void test_acked_by_account(void)
{
	struct rig g;
	struct repl_sent_records s;
	struct repl_received a = { .stream = 1 };
	uint64_t n[6];

	rig_active(&g);
	for (unsigned int i = 0; i < 6; i++)
		n[i] = seal(&g, 1 + i);
	g.now += 10000;
	rig_ack(&g, 2, 1, n[3], n[5]);
	g.now += 100000;
	repl_tick(g.r, g.now);
	IS(&g, 21, 15, 6, 0, 0);
	a.next = n[5]; /* it had not come to the end */
	a.applied = 17;
	account(&g, 3, &a);
	IS(&g, 21, 15, 6, 0, 0);
	a.next = n[5] + 1;
	a.stream = 2;
	account(&g, 4, &a);
	CU_ASSERT_EQUAL(COUNT(&g, rx_wrong_stream), 1);
	a.stream = 1;
	a.applied = 14;
	a.refused[REPL_REFUSED_STALE] = 3;
	account(&g, 5, &a);
	IS(&g, 21, 17, 4, 0, 0);
	CU_ASSERT_EQUAL(COUNT(&g, records_acknowledged_by_account), 2);
	rig_ack(&g, 6, 1, n[0], n[1]); /* too late now to count once more */
	IS(&g, 21, 17, 4, 0, 0);
	a.applied = 99;
	account(&g, 4, &a); /* overtaken */
	repl_sent_records(g.r, &s);
	CU_ASSERT_EQUAL(s.peer.applied, 14);
	CU_ASSERT_FALSE(s.account_wrong);
	rig_stop(&g);
}

/* A receiver that tells of fewer records than it acknowledged, or of more than there were. */
static void test_account_wrong(void)
{
	for (uint64_t told = 5; told <= 11; told++) {
		struct rig g;
		struct repl_sent_records s;
		uint64_t n[5] = { 0 };

		rig_active(&g);
		for (unsigned int i = 0; i < 5; i++)
			n[i] = seal(&g, 2);
		g.now += 10000;
		rig_ack(&g, 2, 1, n[2], n[4]);
		account(&g, 3,
			&(struct repl_received){ .stream = 1, .next = n[4] + 1, .applied = told });
		repl_sent_records(g.r, &s);
		CU_ASSERT_EQUAL(s.account_wrong, told < 6 || told > 10);
		CU_ASSERT_EQUAL(sum(&s), s.sent);
		rig_stop(&g);
	}
}

static void test_received(void)
{
	static const int why[] = { 0, -ESTALE, -ENOENT, -EBADMSG, -EPERM, -EDOM };
	const struct repl_received *a;
	struct repl_header h;
	struct rig g;

	rig_standby(&g);
	a = repl_received(g.r);
	for (unsigned int i = 0; i < 6; i++) {
		h = rig_header(&g, 1 + i, REPL_F_ORDERED);
		g.state_ret = why[i];
		rig_open(&g, &h);
		for (unsigned int k = 0; k <= i; k++)
			rig_rec(&g, k % 2 ? REPL_SLOT : REPL_DELTA, "abcd", 4);
		rig_rec(&g, REPL_DIGEST, "abcd", 4); /* no record of a slot */
		rig_send(&g);
	}
	CU_ASSERT_EQUAL(a->stream, 5);
	CU_ASSERT_EQUAL(a->applied, 1);
	for (unsigned int i = 0; i < REPL_REFUSED_REASONS; i++)
		CU_ASSERT_EQUAL(a->refused[i], 2 + i);
	CU_ASSERT_EQUAL(COUNT(&g, rx_refused), 2 + 3 + 4 + 5 + 6);
	CU_ASSERT_EQUAL(COUNT(&g, rx_refused_stale), 2);
	CU_ASSERT_EQUAL(COUNT(&g, rx_refused_other), 6);
	g.state_ret = -EAGAIN; /* not taken: it comes again, in another packet */
	rig_state_packet(&g, 7);
	g.state_ret = 0;
	rig_state_packet(&g, 6); /* a duplicate */
	CU_ASSERT_EQUAL(a->applied, 1);
	repl_receive(g.r, REPL_RX_NONE, 0, 0);
	rig_state_packet(&g, 8);
	repl_receive(g.r, REPL_RX_APPLY, RIG_TERM, 0);
	rig_state_packet(&g, 9); /* the same stream goes on, and so does its account */
	CU_ASSERT_EQUAL(a->applied, 2);
	h = rig_header(&g, 10, REPL_F_ORDERED);
	h.stream = 6;
	h.offset = 0;
	rig_delta(&g, &h, 1);
	CU_ASSERT_EQUAL(a->stream, 6);
	CU_ASSERT_EQUAL(a->applied, 1);
	CU_ASSERT_EQUAL(a->refused[REPL_REFUSED_STALE], 0);
	CU_ASSERT_EQUAL(COUNT(&g, rx_applied), 3);
	rig_stop(&g);
}

/* Said regularly, and soon when it changed; not before a stream began, nor when none is received
 * any more. */
static void test_told(void)
{
	struct repl_ack ack;
	struct rig g;

	rig_standby(&g);
	CU_ASSERT_FALSE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	rig_state_packet(&g, 1);
	CU_ASSERT_TRUE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	CU_ASSERT_FALSE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	rig_state_packet(&g, 2);
	g.now += 4999;
	CU_ASSERT_FALSE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	g.now += 1;
	CU_ASSERT_TRUE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	g.now += 49999;
	CU_ASSERT_FALSE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	g.now += 1;
	CU_ASSERT_TRUE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	repl_receive_stop(g.r, g.now);
	g.now += 50000;
	CU_ASSERT_FALSE(rig_poll(&g, &ack) >> REPL_ACCOUNT & 1);
	rig_stop(&g);
}

/* All packets of a stream are of its version; what is too new is not taken at all. */
static void test_versions(void)
{
	struct repl_ops ops;
	struct repl_params p;
	struct repl_header h;
	uint8_t out[REPL_HEADER] = { 0 };
	struct rig g = { .now = 1000000 };

	ops = rig_ops(&g);
	p = rig_params(&ops);
	p.version_max = 3;
	g.r = repl_create(&p, g.now);
	repl_receive(g.r, REPL_RX_APPLY, RIG_TERM, 0);
	h = rig_header(&g, 1, REPL_F_ORDERED);
	h.version = 2;
	rig_delta(&g, &h, 1);
	CU_ASSERT_EQUAL(g.n_applied, 1);
	CU_ASSERT_EQUAL(repl_rx_version(g.r), 2);
	h = rig_header(&g, 2, REPL_F_ORDERED);
	h.version = 1;
	rig_delta(&g, &h, 1);
	CU_ASSERT_EQUAL(COUNT(&g, rx_wrong_stream), 1);
	for (unsigned int v = 0; v < 6; v += 4) {
		h.version = (uint8_t)v;
		h.number = 3;
		rig_delta(&g, &h, 1);
	}
	CU_ASSERT_EQUAL(COUNT(&g, rx_version), 2);
	CU_ASSERT_EQUAL(g.n_applied, 1);
	h = rig_header(&g, 4, REPL_F_ORDERED);
	h.version = 3;
	h.stream = 6;
	h.offset = 0;
	rig_delta(&g, &h, 1);
	CU_ASSERT_EQUAL(g.n_applied, 2);
	CU_ASSERT_EQUAL(repl_rx_version(g.r), 3);
	repl_version(g.r, 2);
	repl_stream_start(g.r, RIG_TERM, g.now);
	repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now);
	CU_ASSERT_EQUAL(out[0], 2);
	rig_stop(&g);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "sent", test_sent },
		{ "acked by account", test_acked_by_account },
		{ "account wrong", test_account_wrong },
		{ "received", test_received },
		{ "told", test_told },
		{ "versions", test_versions },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "repl_account", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
