/* SPDX-License-Identifier: BSD-3-Clause */
#include "repl_rig.h"

#define COUNT(g, name) (repl_count((g)->r)->name)

static void test_seal_refuses(void)
{
	struct rig g;
	uint8_t out[REPL_HEADER] = { 0 };
	struct repl_header h;

	rig_start(&g);
	CU_ASSERT_EQUAL(repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now), -ENOTCONN);
	repl_stream_start(g.r, RIG_TERM, g.now);
	CU_ASSERT_EQUAL(repl_room(g.r), 0); /* nobody is there yet */
	CU_ASSERT_EQUAL(repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now), -ENOTCONN);
	h = rig_header(&g, 1, 0);
	rig_heartbeat_packet(&g, &h, g.now, 0);
	CU_ASSERT_EQUAL(repl_room(g.r), REPL_WINDOW);
	for (unsigned int i = 0; i < REPL_WINDOW; i++)
		CU_ASSERT_EQUAL(repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now), REPL_HEADER);
	CU_ASSERT_EQUAL(repl_room(g.r), 0);
	CU_ASSERT_EQUAL(repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now), -ENOBUFS);
	CU_ASSERT_EQUAL(COUNT(&g, window_full), 1);
	CU_ASSERT_EQUAL(repl_seal(g.r, out, REPL_HEADER - 1, 0, NULL, 0, g.now), -EINVAL);
	repl_stream_stop(g.r);
	CU_ASSERT_EQUAL(repl_unacked(g.r), 0);
	CU_ASSERT_EQUAL(g.n_lost, 0); /* forgotten, not lost */
	CU_ASSERT_EQUAL(repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now), -ENOTCONN);
	rig_stop(&g);
}

static void test_header_written(void)
{
	struct rig g;
	uint8_t out[REPL_HEADER] = { 0 };
	struct repl_header h;

	rig_active(&g);
	repl_stream_late(g.r, RIG_TERM - 2, g.now);
	CU_ASSERT_EQUAL(repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now), REPL_HEADER);
	CU_ASSERT_EQUAL(repl_seal(g.r, out, sizeof(out), 0, NULL, 0, g.now), REPL_HEADER);
	repl_header_read(out, &h);
	CU_ASSERT_EQUAL(h.version, wire_spoken.version_min);
	CU_ASSERT_EQUAL(h.flags, REPL_F_ORDERED);
	CU_ASSERT_EQUAL(h.key, 0);
	CU_ASSERT_EQUAL(h.number, 2);
	CU_ASSERT_EQUAL(h.offset, 1);
	CU_ASSERT_EQUAL(h.sender, RIG_ME);
	CU_ASSERT_EQUAL(h.receiver, RIG_PEER);
	CU_ASSERT_EQUAL(h.term, RIG_TERM - 2);
	CU_ASSERT_EQUAL(h.stream, 2);
	CU_ASSERT_EQUAL(h.sent, (uint32_t)g.now);
	rig_stop(&g);
}

static void test_ack_takes(void)
{
	struct rig g;
	uint64_t n[4];

	rig_active(&g);
	for (unsigned int i = 0; i < 4; i++)
		n[i] = rig_seal(&g, 100 + i);
	g.now += 3000;
	CU_ASSERT_EQUAL(repl_oldest_unacked(g.r), g.now - 3000);
	rig_ack(&g, 2, 1, n[0], n[1]);
	CU_ASSERT_EQUAL(g.n_acked, 2);
	CU_ASSERT_EQUAL(repl_entry_handle(g.acked[1]), 101);
	CU_ASSERT_EQUAL(repl_unacked(g.r), 2);
	CU_ASSERT_EQUAL(repl_srtt(g.r), 3000);
	rig_ack(&g, 3, 1, n[0], n[1]); /* again: nothing new */
	CU_ASSERT_EQUAL(g.n_acked, 2);
	rig_ack(&g, 4, 7, n[2], n[3]); /* another stream */
	CU_ASSERT_EQUAL(COUNT(&g, rx_wrong_stream), 1);
	rig_ack(&g, 5, 1, n[3], n[3] + 1000); /* never sent */
	CU_ASSERT_EQUAL(COUNT(&g, rx_malformed), 1);
	CU_ASSERT_EQUAL(repl_unacked(g.r), 2);
	rig_stop(&g);
}

/* How many packets are sent, which one is acknowledged, how long after sending (srtt is 10 ms); how
 * many are lost at once, and how many after the time threshold too. */
static const struct {
	unsigned int sent, acked, after_us, lost, lost_later;
} losses[] = {
	{ 1, 1, 10000, 0, 0 },
	{ 2, 2, 10000, 0, 1 },
	{ 3, 3, 10000, 0, 2 },
	{ 4, 4, 10000, 1, 3 },
	{ 10, 10, 10000, 7, 9 },
	{ 10, 5, 10000, 2, 4 },
	{ 3, 3, 12000, 0, 2 },
	{ 300, 300, 10000, 128, 299 },
};

static void test_loss(void)
{
	for (unsigned int i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		struct rig g;
		uint64_t first = 0, n;

		rig_active(&g);
		n = rig_seal(&g, 1);
		g.now += 10000;
		rig_ack(&g, 2, 1, n, n);
		for (unsigned int k = 0; k < losses[i].sent; k++) {
			n = rig_seal(&g, k);
			first = first == 0 ? n : first;
		}
		n = first + losses[i].acked - 1;
		g.now += losses[i].after_us;
		rig_ack(&g, 3, 1, n, n);
		CU_ASSERT_EQUAL(g.n_lost, losses[i].lost);
		for (unsigned int k = 0; k < 4; k++)
			repl_tick(g.r, g.now += 1000);
		CU_ASSERT_EQUAL(g.n_lost, losses[i].lost_later);
		for (unsigned int k = 0; k < g.n_lost; k++)
			CU_ASSERT_EQUAL(repl_entry_handle(g.lost[k]), k);
		CU_ASSERT_EQUAL(repl_unacked(g.r), losses[i].sent - 1 - losses[i].lost_later);
		rig_stop(&g);
	}
}

static void test_spurious(void)
{
	struct rig g;
	uint64_t n[5];

	rig_active(&g);
	for (unsigned int i = 0; i < 5; i++)
		n[i] = rig_seal(&g, i);
	g.now += 1000;
	rig_ack(&g, 2, 1, n[4], n[4]);
	CU_ASSERT_EQUAL(COUNT(&g, lost_packets), 2);
	rig_ack(&g, 3, 1, n[0], n[4]);
	CU_ASSERT_EQUAL(COUNT(&g, spurious_losses), 2);
	CU_ASSERT_EQUAL(COUNT(&g, packets_acknowledged), 3);
	CU_ASSERT_EQUAL(repl_unacked(g.r), 0);
	CU_ASSERT_EQUAL(repl_room(g.r), REPL_WINDOW / 2);
	rig_stop(&g);
}

/* Sends all that the window takes; the first `lost` of it are lost, the others acknowledged. */
static void round_trip(struct rig *g, uint64_t number, unsigned int lost)
{
	unsigned int room = repl_room(g->r);
	uint64_t first = 0, last = 0;

	for (unsigned int i = 0; i < room; i++) {
		last = rig_seal(g, i);
		first = i == 0 ? last : first;
	}
	CU_ASSERT_EQUAL(repl_room(g->r), 0);
	g->now += 1000;
	rig_ack(g, number, 1, first + lost, last);
	for (unsigned int i = 0; i < 4; i++)
		repl_tick(g->r, g->now += 1000);
	CU_ASSERT_EQUAL(repl_unacked(g->r), 0);
}

static void test_window(void)
{
	struct rig g;
	uint64_t n = 2;

	rig_active(&g);
	CU_ASSERT_EQUAL(repl_window(g.r), REPL_WINDOW);
	for (unsigned int half = REPL_WINDOW / 2; half > REPL_WINDOW_LEAST; half /= 2) {
		round_trip(&g, n++, 100); /* many are lost at once: one halving */
		CU_ASSERT_EQUAL(repl_window(g.r), half);
	}
	round_trip(&g, n++, 3);
	round_trip(&g, n++, 3);
	CU_ASSERT_EQUAL(repl_window(g.r), REPL_WINDOW_LEAST);
	round_trip(&g, n++, 0); /* one more a round trip; half of it was in use while they came */
	CU_ASSERT_TRUE(repl_window(g.r) <= REPL_WINDOW_LEAST + 1);
	for (unsigned int i = 0; i < 8; i++)
		round_trip(&g, n++, 0);
	CU_ASSERT_TRUE(repl_window(g.r) >= REPL_WINDOW_LEAST + 2);
	CU_ASSERT_TRUE(repl_window(g.r) <= REPL_WINDOW_LEAST + 9);
	repl_stream_start(g.r, RIG_TERM, g.now);
	CU_ASSERT_EQUAL(repl_window(g.r), REPL_WINDOW);
	rig_stop(&g);
}

static void test_probe(void)
{
	struct rig g;
	struct repl_ack ack;
	usec_t pto, sent;
	unsigned int pings = 0;
	uint64_t n;

	rig_active(&g);
	n = rig_seal(&g, 1);
	sent = g.now;
	pto = repl_pto(g.r);
	CU_ASSERT_EQUAL(repl_due(g.r), sent + pto);
	repl_tick(g.r, g.now = sent + pto - 1);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 0);
	repl_tick(g.r, g.now = sent + pto);
	CU_ASSERT_EQUAL(repl_due(g.r), 0);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 1U << REPL_PING);
	repl_tick(g.r, g.now += pto); /* backoff */
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 0);
	for (unsigned int ms = 0; ms < 5000; ms++) {
		repl_tick(g.r, g.now += 1000);
		pings += rig_poll(&g, &ack) != 0;
	}
	CU_ASSERT_TRUE(pings >= 45 && pings <= 51);
	CU_ASSERT_EQUAL(g.n_lost, 0); /* silence is no loss */
	/* The answer to a PING is what shows the loss. */
	n += COUNT(&g, tx_pings);
	g.now += 1000;
	rig_ack(&g, 2, 1, n, n);
	CU_ASSERT_EQUAL(g.n_lost, 1);
	CU_ASSERT_EQUAL(repl_unacked(g.r), 0);
	repl_tick(g.r, g.now += 1000000);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 0); /* nothing to probe for */
	rig_stop(&g);
}

static void test_ping_is_answered(void)
{
	struct rig g;
	struct repl_header h;
	struct repl_ack ack;

	rig_standby(&g);
	h = rig_header(&g, 3, 0);
	rig_open(&g, &h);
	rig_rec(&g, REPL_PING, NULL, 0);
	rig_send(&g);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 1);
	CU_ASSERT_EQUAL(ack.largest, 3);
	CU_ASSERT_EQUAL(ack.stream, 5);
	rig_stop(&g);
}

static void test_stream_start_loses_all(void)
{
	struct rig g;
	uint64_t last;

	rig_active(&g);
	last = rig_seal(&g, 1);
	rig_seal(&g, 2);
	repl_stream_start(g.r, RIG_TERM + 2, g.now);
	CU_ASSERT_EQUAL(g.n_lost, 2);
	CU_ASSERT_EQUAL(repl_last_number(g.r), 0);
	CU_ASSERT_EQUAL(rig_seal(&g, 3), last + 2); /* numbers go on */
	rig_ack(&g, 2, 1, last, last);              /* of the old stream */
	CU_ASSERT_EQUAL(COUNT(&g, rx_wrong_stream), 1);
	CU_ASSERT_EQUAL(COUNT(&g, spurious_losses), 0);
	rig_stop(&g);
}

static void test_ranges_round_trip(void)
{
	uint64_t seed = ut_seed(7);

	for (unsigned int round = 0; round < 2000; round++) {
		uint8_t buf[REPL_RECORD + REPL_ACK_HEAD + REPL_RANGES * REPL_ACK_RANGE];
		struct repl_ack in = { .stream = 3, .delay = 9 }, out;
		uint64_t at = 100000 + ut_random(&seed) % 1000;
		struct wr w = wr_init(buf, sizeof(buf));
		struct rd r, body;
		uint8_t kind;

		in.largest = at;
		in.n = 1 + (unsigned int)(ut_random(&seed) % REPL_RANGES);
		for (unsigned int i = 0; i < in.n; i++) {
			in.range[i].hi = at;
			in.range[i].lo = at - ut_random(&seed) % 100;
			at = in.range[i].lo - 2 - ut_random(&seed) % 100;
		}
		repl_ack_write(&w, &in);
		r = rd_init(buf, (size_t)(w.p - buf));
		CU_ASSERT_FALSE(w.bad);
		CU_ASSERT_TRUE(repl_record_next(&r, &kind, &body));
		CU_ASSERT_EQUAL(repl_ack_read(&body, &out), 0);
		CU_ASSERT_EQUAL(body.left, 0);
		CU_ASSERT_EQUAL(out.largest, in.largest);
		CU_ASSERT_EQUAL(out.n, in.n);
		CU_ASSERT_EQUAL(memcmp(out.range, in.range, in.n * sizeof(in.range[0])), 0);
		/* Any prefix is refused; so is a flipped bit, or it is another well-formed ACK. */
		r = rd_init(buf + REPL_RECORD, (size_t)(w.p - buf) - REPL_RECORD - 1);
		CU_ASSERT_EQUAL(repl_ack_read(&r, &out), -EBADMSG);
		buf[REPL_RECORD + ut_random(&seed) % (REPL_ACK_HEAD + in.n * REPL_ACK_RANGE)] ^=
			0x80;
		r = rd_init(buf + REPL_RECORD, (size_t)(w.p - buf) - REPL_RECORD);
		if (repl_ack_read(&r, &out) == 0)
			for (unsigned int i = 0; i < out.n; i++)
				CU_ASSERT_TRUE(
					out.range[i].lo > 0 && out.range[i].lo <= out.range[i].hi);
	}
}

static void test_heartbeat_and_reports(void)
{
	struct rig g;
	struct repl_ack ack;

	rig_standby(&g);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 0); /* nothing to say, nobody to say it to */
	repl_heartbeat(g.r, RIG_TERM, (const uint8_t *)"body", 4);
	CU_ASSERT_EQUAL(repl_due(g.r), g.now);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 1U << REPL_HEARTBEAT);
	CU_ASSERT_EQUAL(repl_due(g.r), g.now + 10000);
	g.now += 5000;
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 0);
	repl_heartbeat_now(g.r);
	CU_ASSERT_EQUAL(repl_due(g.r), 0);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 1U << REPL_HEARTBEAT);
	CU_ASSERT_EQUAL(repl_due(g.r),
		g.now + 10000); /* a forced one leaves no longer gap behind it than any other */
	g.now += 35000;         /* late: one, not a burst */
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 1U << REPL_HEARTBEAT);
	CU_ASSERT_EQUAL(COUNT(&g, tx_heartbeats), 3);

	struct repl_header h = rig_header(&g, 1, 0);

	rig_heartbeat_packet(&g, &h, g.now, 0);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 1U << REPL_STATUS);
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 0);
	g.status.in_sync_since_ms = 5; /* the verdict turns: at once */
	g.now += 1;
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 1U << REPL_STATUS);
	g.status.in_sync_since_ms = 6;
	g.now += 1;
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 0);
	g.want_bytes = 15;
	g.now += 5000;
	CU_ASSERT_EQUAL(rig_poll(&g, &ack), 1U << REPL_STATUS | 1U << REPL_WANT);
	CU_ASSERT_EQUAL(COUNT(&g, tx_wants), 1);
	rig_stop(&g);
}

static void send_status(struct rig *g, uint64_t number, uint32_t stream, uint64_t since)
{
	struct repl_header h = rig_header(g, number, 0);
	uint8_t body[REPL_STATUS_BYTES];
	struct wr w = wr_init(body, sizeof(body));

	wr_u32(&w, stream);
	wr_u64(&w, since);
	wr_u32(&w, 10);
	wr_u32(&w, 3);
	wr_u32(&w, 2);
	wr_u32(&w, 7);
	rig_open(g, &h);
	rig_rec(g, REPL_STATUS, body, sizeof(body));
	rig_send(g);
}

static void test_status_taken(void)
{
	struct rig g;

	rig_active(&g);
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->heard, USEC_NEVER);
	send_status(&g, 5, 1, 1000);
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->in_sync_since_ms, 1000);
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->unmatched, 3);
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->differing, 2);
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->left, 7);
	send_status(&g, 4, 1, 900); /* overtaken */
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->in_sync_since_ms, 1000);
	repl_stream_start(g.r, RIG_TERM, g.now);
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->in_sync_since_ms, 0);
	send_status(&g, 6, 1, 1000); /* speaks of the old stream */
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->in_sync_since_ms, 0);
	CU_ASSERT_EQUAL(COUNT(&g, rx_wrong_stream), 1);
	send_status(&g, 7, 0, 1000); /* has not begun with this one */
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->in_sync_since_ms, 0);
	CU_ASSERT_EQUAL(repl_peer_status(g.r)->heard, g.now);
	rig_stop(&g);
}

static void *no_alloc(void *ctx, size_t size)
{
	return NULL;
}

static void test_create_refuses(void)
{
	struct rig g = { 0 };
	struct repl_ops ops = rig_ops(&g);
	struct repl_params p = rig_params(&ops);

	p.incarnation = 0;
	CU_ASSERT_PTR_NULL(repl_create(&p, 0));
	p = rig_params(&ops);
	p.alloc = no_alloc;
	CU_ASSERT_PTR_NULL(repl_create(&p, 0));
	CU_ASSERT_EQUAL(errno, ENOMEM);
	p = rig_params(&ops);
	ops.want = NULL;
	CU_ASSERT_PTR_NULL(repl_create(&p, 0));
	repl_destroy(NULL);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "seal_refuses", test_seal_refuses },
		{ "header_written", test_header_written },
		{ "ack_takes", test_ack_takes },
		{ "loss", test_loss },
		{ "spurious", test_spurious },
		{ "window", test_window },
		{ "probe", test_probe },
		{ "ping_is_answered", test_ping_is_answered },
		{ "stream_start_loses_all", test_stream_start_loses_all },
		{ "ranges_round_trip", test_ranges_round_trip },
		{ "heartbeat_and_reports", test_heartbeat_and_reports },
		{ "status_taken", test_status_taken },
		{ "create_refuses", test_create_refuses },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "repl_send", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
