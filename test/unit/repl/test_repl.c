/* SPDX-License-Identifier: BSD-3-Clause */
#include "repl_rig.h"

#define COUNT(g, name) (repl_count((g)->r)->name)

static void set_version(struct repl_header *h)
{
	h->version = 2;
}
static void set_key(struct repl_header *h)
{
	h->key = 1;
}
static void set_phase(struct repl_header *h)
{
	h->flags |= REPL_F_PHASE;
}
static void set_own(struct repl_header *h)
{
	h->sender = RIG_ME;
}
static void set_nobody(struct repl_header *h)
{
	h->sender = 0;
}
static void set_zero(struct repl_header *h)
{
	h->number = 0;
}
static void set_offset(struct repl_header *h)
{
	h->offset = (uint32_t)h->number;
}
static void set_other(struct repl_header *h)
{
	h->receiver = 0x3333;
}
static void set_deaf(struct repl_header *h)
{
	h->receiver = 0;
}
static void set_old_term(struct repl_header *h)
{
	h->term = RIG_TERM - 1;
}
static void set_no_stream(struct repl_header *h)
{
	h->stream = 0;
}
static void set_old_stream(struct repl_header *h)
{
	h->stream = 4;
}
static void set_new_term(struct repl_header *h)
{
	h->term = RIG_TERM + 1;
}
static void set_fine(struct repl_header *h) {}

/* Each mismatch is counted by its own reason, and nothing is applied. */
static const struct {
	const char *what;
	void (*set)(struct repl_header *h);
	size_t counter; /* in struct repl_counters */
} headers[] = {
#define AT(name) offsetof(struct repl_counters, name)
	{ "other version", set_version, AT(rx_version) },
	{ "unknown key", set_key, AT(rx_bad_key) },
	{ "key phase without key", set_phase, AT(rx_bad_key) },
	{ "our own packet", set_own, AT(rx_own) },
	{ "sender 0", set_nobody, AT(rx_malformed) },
	{ "number 0", set_zero, AT(rx_malformed) },
	{ "offset not below number", set_offset, AT(rx_malformed) },
	{ "meant for another", set_other, AT(rx_wrong_incarnation) },
	{ "does not know us", set_deaf, AT(rx_wrong_incarnation) },
	{ "term below floor", set_old_term, AT(rx_old_term) },
	{ "no stream", set_no_stream, AT(rx_wrong_stream) },
	{ "older stream", set_old_stream, AT(rx_wrong_stream) },
	{ "another term in the stream", set_new_term, AT(rx_wrong_stream) },
	{ "fine", set_fine, AT(rx_applied) },
};

static void test_headers(void)
{
	for (unsigned int i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct rig g;
		struct repl_header h;
		uint64_t before, after;

		rig_standby(&g);
		rig_state_packet(&g, 1);
		before = *(const uint64_t *)((const char *)repl_count(g.r) + headers[i].counter);
		h = rig_header(&g, 2, REPL_F_ORDERED);
		headers[i].set(&h);
		rig_delta(&g, &h, 2);
		after = *(const uint64_t *)((const char *)repl_count(g.r) + headers[i].counter);
		CU_ASSERT_EQUAL(after, before + 1);
		CU_ASSERT_EQUAL(g.n_applied, headers[i].set == set_fine ? 2 : 1);
		if (after != before + 1)
			fprintf(stderr, "%s\n", headers[i].what);
		rig_stop(&g);
	}
}

static const struct {
	const char *what;
	uint8_t flags, bytes[40];
	size_t len;
	uint64_t malformed, applied, unknown;
} records[] = {
	{ "none", REPL_F_ORDERED, { 0 }, 0, 0, 0, 0 },
	{ "cut header", REPL_F_ORDERED, { REPL_DELTA, 0 }, 2, 1, 0, 0 },
	{ "cut body", REPL_F_ORDERED, { REPL_DELTA, 0, 5, 1, 2, 3, 4 }, 7, 1, 0, 0 },
	{ "good, then cut: nothing of it", REPL_F_ORDERED,
		{ REPL_DELTA, 0, 1, 7, REPL_DELTA, 0, 9 }, 7, 1, 0, 0 },
	{ "two", REPL_F_ORDERED, { REPL_DELTA, 0, 1, 7, REPL_SLOT, 0, 1, 8 }, 8, 0, 2, 0 },
	{ "unknown between", REPL_F_ORDERED, { 99, 0, 1, 7, REPL_SLOT, 0, 1, 8 }, 8, 0, 1, 1 },
	{ "kind 0 is unknown", 0, { 0, 0, 0 }, 3, 0, 0, 1 },
	{ "ACK in an ordered packet", REPL_F_ORDERED, { REPL_PING, 0, 0 }, 3, 1, 0, 0 },
	{ "state in a control packet", 0, { REPL_SLOT, 0, 1, 8 }, 4, 1, 0, 0 },
	{ "short usage", REPL_F_ORDERED, { REPL_USAGE, 0, 3, 1, 2, 3 }, 6, 1, 0, 0 },
	{ "short heartbeat", 0, { REPL_HEARTBEAT, 0, 2, 1, 2 }, 5, 1, 0, 0 },
	{ "short status", 0, { REPL_STATUS, 0, 2, 1, 2 }, 5, 1, 0, 0 },
	{ "short ACK", 0, { REPL_ACK, 0, 2, 1, 2 }, 5, 1, 0, 0 },
	{ "ACK with no range", 0, { REPL_ACK, 0, 25 }, 28, 1, 0, 0 },
};

static void test_records(void)
{
	for (unsigned int i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct rig g;
		struct repl_header h;

		rig_standby(&g);
		h = rig_header(&g, 1, records[i].flags);
		rig_open(&g, &h);
		memcpy(g.pkt + g.len, records[i].bytes, records[i].len);
		g.len += records[i].len;
		rig_send(&g);
		CU_ASSERT_EQUAL(COUNT(&g, rx_malformed), records[i].malformed);
		CU_ASSERT_EQUAL(COUNT(&g, rx_applied), records[i].applied);
		CU_ASSERT_EQUAL(COUNT(&g, rx_unknown_kind), records[i].unknown);
		if (COUNT(&g, rx_malformed) != records[i].malformed)
			fprintf(stderr, "%s\n", records[i].what);
		rig_stop(&g);
	}
}

/* Numbers in order of arrival (0: 2 ms pass; -n: a control packet of number n), values in order of
 * application. */
static const struct {
	const char *what;
	int in[12];
	uint32_t want[12];
	uint64_t gaps, late, ack_low; /* ack_low: lowest number of the ACK's first range */
} orders[] = {
	{ "in order", { 1, 2, 3 }, { 1, 2, 3 }, 0, 0, 1 },
	{ "two swapped", { 1, 3, 2, 4 }, { 1, 2, 3, 4 }, 0, 0, 1 },
	{ "gap skipped at three higher", { 1, 3, 4, 5 }, { 1, 3, 4, 5 }, 1, 0, 3 },
	{ "not at two", { 1, 3, 4 }, { 1 }, 0, 0, 1 },
	{ "gap skipped by time", { 1, 3, 0 }, { 1, 3 }, 1, 0, 3 },
	{ "late after the skip", { 1, 3, 4, 5, 2 }, { 1, 3, 4, 5 }, 1, 1, 3 },
	{ "the first is missing", { 2, 3, 4, 5 }, { 2, 3, 4, 5 }, 1, 0, 2 },
	{ "the first comes second", { 2, 1 }, { 1, 2 }, 0, 0, 1 },
	{ "control packets fill numbers", { 1, -2, 3, -4, 5 }, { 1, 3, 5 }, 0, 0, 1 },
	{ "control packets overtake", { 1, -3, 2, 4 }, { 1, 2, 4 }, 0, 0, 1 },
	{ "control packets count as higher", { 1, -3, -4, -5, 2, 6 }, { 1, 6 }, 1, 1, 3 },
	{ "two gaps", { 1, 3, 5, 6, 0, 0 }, { 1, 3, 5, 6 }, 2, 0, 5 },
	{ "reversed", { 4, 3, 2, 1 }, { 2, 3, 4 }, 1, 1, 2 },
	{ "duplicates", { 1, 1, 3, 3, 2, 2, 3 }, { 1, 2, 3 }, 0, 0, 1 },
};

static void test_orders(void)
{
	for (unsigned int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct rig g;
		struct repl_ack ack;
		unsigned int n = 0;

		rig_standby(&g);
		for (unsigned int k = 0, quiet = 0; k < 12 && quiet < 3; k++) {
			int in = orders[i].in[k];
			struct repl_header h = rig_header(&g, (uint64_t)(in < 0 ? -in : in), 0);

			quiet = in == 0 ? quiet + 1 : 0;
			if (in > 0)
				rig_state_packet(&g, (uint64_t)in);
			else if (in < 0)
				rig_heartbeat_packet(&g, &h, g.now, 0);
			else if (quiet == 1 && k + 1 < 12 && orders[i].gaps == 0)
				break;
			else
				repl_tick(g.r, g.now += 2000);
		}
		while (n < 12 && orders[i].want[n] != 0)
			n++;
		CU_ASSERT_EQUAL(g.n_applied, n);
		CU_ASSERT_EQUAL(memcmp(g.applied, orders[i].want, n * sizeof(g.applied[0])), 0);
		CU_ASSERT_EQUAL(COUNT(&g, rx_gaps), orders[i].gaps);
		CU_ASSERT_EQUAL(COUNT(&g, rx_late_packets), orders[i].late);
		rig_poll(&g, &ack);
		CU_ASSERT_EQUAL(ack.n > 0 ? ack.range[0].lo : 0, orders[i].ack_low);
		if (g.n_applied != n || COUNT(&g, rx_gaps) != orders[i].gaps)
			fprintf(stderr, "%s\n", orders[i].what);
		rig_stop(&g);
	}
}

static void test_duplicate_acks_again(void)
{
	struct rig g;
	struct repl_ack ack;

	rig_standby(&g);
	rig_state_packet(&g, 1);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 1);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 0);
	rig_state_packet(&g, 1);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 1);
	CU_ASSERT_EQUAL(g.n_applied, 1);
	CU_ASSERT_EQUAL(COUNT(&g, rx_duplicates), 1);
	rig_stop(&g);
}

static void test_again_and_refused(void)
{
	struct rig g;
	struct repl_ack ack;

	rig_standby(&g);
	g.state_ret = -EAGAIN;
	rig_state_packet(&g, 1);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 0);
	CU_ASSERT_EQUAL(COUNT(&g, rx_again), 1);
	rig_state_packet(&g, 1); /* a duplicate does not make it applied */
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 0);
	g.state_ret = -ESTALE;
	rig_state_packet(&g, 2);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 1);
	CU_ASSERT_EQUAL(ack.range[0].lo, 2);
	CU_ASSERT_EQUAL(COUNT(&g, rx_refused), 1);
	rig_stop(&g);
}

static void test_modes(void)
{
	struct rig g;
	struct repl_ack ack;

	rig_start(&g);
	rig_state_packet(&g, 1); /* REPL_RX_NONE */
	CU_ASSERT_EQUAL(COUNT(&g, rx_not_receiving), 1);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.n, 0);
	repl_receive(g.r, REPL_RX_APPLY, RIG_TERM, 0);
	rig_state_packet(&g, 2);
	CU_ASSERT_EQUAL(g.n_streams, 1);
	CU_ASSERT_EQUAL(repl_rx_stream(g.r), 5);
	rig_state_packet(&g, 4);
	rig_state_packet(&g, 6);
	/* what is held is applied, gaps skipped */
	CU_ASSERT_EQUAL(repl_receive_stop(g.r, g.now), 6);
	CU_ASSERT_EQUAL(g.n_applied, 3);
	CU_ASSERT_EQUAL(repl_rx_stream(g.r), 0);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.largest, 6);
	CU_ASSERT_EQUAL(ack.n, 3);
	rig_state_packet(&g, 7);
	repl_receive(g.r, REPL_RX_APPLY, RIG_TERM, 0);
	rig_state_packet(&g, 5); /* never back, whatever mode came between */
	rig_state_packet(&g, 8);
	CU_ASSERT_EQUAL(g.n_applied, 4);
	CU_ASSERT_EQUAL(g.applied[3], 8);
	rig_stop(&g);
}

static void test_late_mode(void)
{
	struct rig g;
	struct repl_header h;
	struct repl_ack ack;

	rig_start(&g);
	repl_receive(g.r, REPL_RX_LATE, RIG_TERM + 2, RIG_TERM);
	rig_state_packet(&g, 3);
	rig_state_packet(&g, 1); /* order is free */
	CU_ASSERT_EQUAL(g.n_applied, 2);
	CU_ASSERT_TRUE(g.late[0] && g.late[1]);
	h = rig_header(&g, 4, REPL_F_ORDERED);
	rig_open(&g, &h);
	rig_rec(&g, REPL_SLOT, "abcd", 4);
	rig_rec(&g, REPL_DIGEST, "abcd", 4);
	rig_send(&g);
	CU_ASSERT_EQUAL(g.n_applied, 2);
	CU_ASSERT_EQUAL(g.n_digests, 0);
	CU_ASSERT_EQUAL(COUNT(&g, rx_refused), 0);
	CU_ASSERT_EQUAL(COUNT(&g, rx_not_receiving), 2);
	CU_ASSERT_EQUAL(g.n_streams, 0);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.largest,
		3); /* of one that does not know that it was relieved: it must not think 4 safe */
	CU_ASSERT_EQUAL(ack.n, 2);
	h = rig_header(&g, 5, REPL_F_ORDERED);
	h.term = RIG_TERM + 2; /* our own */
	rig_delta(&g, &h, 5);
	CU_ASSERT_EQUAL(g.n_applied, 2);
	CU_ASSERT_EQUAL(COUNT(&g, rx_not_receiving), 3);
	h = rig_header(&g, 6, REPL_F_ORDERED); /* in which term it counted nobody had to tell */
	h.term = RIG_TERM - 2;
	h.stream++;
	rig_delta(&g, &h, 6);
	CU_ASSERT_EQUAL(g.n_applied, 3);
	CU_ASSERT_TRUE(g.late[2]);
	rig_stop(&g);
}

static void test_stream_change(void)
{
	struct rig g;
	struct repl_header h;
	struct repl_ack ack;

	rig_standby(&g);
	rig_state_packet(&g, 1);
	rig_state_packet(&g, 3); /* held, and dropped by the next stream */
	h = rig_header(&g, 10, REPL_F_ORDERED);
	h.stream = 6;
	h.offset = 0;
	rig_delta(&g, &h, 10);
	CU_ASSERT_EQUAL(g.n_streams, 2);
	CU_ASSERT_EQUAL(g.n_applied, 2);
	rig_state_packet(&g, 4);
	CU_ASSERT_EQUAL(COUNT(&g, rx_wrong_stream), 1);
	rig_poll(&g, &ack);
	CU_ASSERT_EQUAL(ack.stream, 6);
	CU_ASSERT_EQUAL(ack.n, 1);
	CU_ASSERT_EQUAL(ack.range[0].lo, 10);
	/* a gap in the new stream does not bring the old back */
	for (uint64_t n = 12; n <= 14; n++) {
		h = rig_header(&g, n, REPL_F_ORDERED);
		h.stream = 6;
		h.offset = (uint32_t)(n - 10);
		rig_delta(&g, &h, (uint32_t)n);
	}
	CU_ASSERT_EQUAL(g.n_applied, 5);
	CU_ASSERT_EQUAL(g.applied[2], 12);
	CU_ASSERT_EQUAL(repl_applied(g.r), 14);
	rig_stop(&g);
}

/* A packet is held, and the numbers jump so far that the maps know nothing of it any more. */
static void test_far_jump(void)
{
	static const uint64_t numbers[] = { 1, 3, 1000000, 1000001, 999999, 5 };
	static const uint32_t want[] = { 1, 3, 999999, 1000000, 1000001 };
	struct rig g;

	rig_standby(&g);
	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		rig_state_packet(&g, numbers[i]);
	repl_tick(g.r, g.now += 2000);
	repl_tick(g.r, g.now += 2000);
	CU_ASSERT_EQUAL(g.n_applied, 5);
	CU_ASSERT_EQUAL(memcmp(g.applied, want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(COUNT(&g, rx_late_packets), 1);
	rig_stop(&g);
}

static void test_new_incarnation(void)
{
	struct rig g;
	struct repl_header h;

	rig_active(&g);
	CU_ASSERT_EQUAL(g.n_new, 1);
	CU_ASSERT_NOT_EQUAL(rig_seal(&g, 77), 0);
	h = rig_header(&g, 1, 0);
	h.sender = 0x4444;
	h.receiver = 0x9999; /* heard neither us nor nobody: a late packet of long ago */
	rig_heartbeat_packet(&g, &h, g.now, 0);
	CU_ASSERT_EQUAL(g.n_new, 1);
	h.receiver = 0;
	rig_heartbeat_packet(&g, &h, g.now, 0);
	CU_ASSERT_EQUAL(g.n_new, 2);
	CU_ASSERT_EQUAL(g.incarnation, 0x4444);
	CU_ASSERT_EQUAL(g.n_lost, 1);
	CU_ASSERT_EQUAL(repl_entry_handle(g.lost[0]), 77);
	CU_ASSERT_EQUAL(repl_unacked(g.r), 0);
	CU_ASSERT_FALSE(repl_hears_us(g.r));
	h = rig_header(&g, 50, 0); /* late, of the dead one */
	rig_heartbeat_packet(&g, &h, g.now, 0);
	CU_ASSERT_EQUAL(g.n_new, 2);
	CU_ASSERT_EQUAL(COUNT(&g, rx_wrong_incarnation), 2);
	g.now += 1500000; /* but nobody is locked out for ever */
	rig_heartbeat_packet(&g, &h, g.now, 0);
	CU_ASSERT_EQUAL(g.incarnation, RIG_PEER);
	CU_ASSERT_TRUE(repl_hears_us(g.r));
	rig_stop(&g);
}

/* Another interval: the next heartbeat comes within it, whatever was planned. */
static void test_times(void)
{
	uint8_t buf[REPL_PACKET_MAX];
	struct rig g;
	usec_t end;

	rig_active(&g);
	repl_heartbeat(g.r, RIG_TERM, (const uint8_t *)"body", 4);
	for (unsigned int slow = 0; slow < 2; slow++) {
		unsigned int n = 0;

		repl_times(g.r, slow == 0 ? 1000 : 50000, 20000, g.now);
		while (repl_poll(g.r, buf, sizeof(buf), g.now) != 0)
			;
		for (end = g.now + 100000; g.now < end; g.now += 500) {
			uint64_t was = COUNT(&g, tx_heartbeats);

			while (repl_poll(g.r, buf, sizeof(buf), g.now) != 0)
				;
			n += (unsigned int)(COUNT(&g, tx_heartbeats) - was);
		}
		CU_ASSERT_TRUE(slow == 0 ? n >= 98 && n <= 101 : n >= 1 && n <= 3);
	}
	repl_heartbeat_now(g.r); /* the next is due in 50 ms */
	while (repl_poll(g.r, buf, sizeof(buf), g.now) != 0)
		;
	repl_times(g.r, 2000, 20000, g.now);
	end = COUNT(&g, tx_heartbeats);
	g.now += 2000;
	while (repl_poll(g.r, buf, sizeof(buf), g.now) != 0)
		;
	CU_ASSERT_TRUE(COUNT(&g, tx_heartbeats) > end);
	rig_stop(&g);
}

/* Delay in ms above the quickest, step of time in ms before it; whether it is life. */
static const struct {
	const char *what;
	uint64_t number;
	int64_t wait_ms, delay_ms;
	bool fresh;
} lives[] = {
	{ "first", 1, 0, 5, true },
	{ "next", 2, 10, 5, true },
	{ "a little late", 3, 10, 19, true },
	{ "too late", 4, 10, 21, false },
	{ "quicker than ever", 5, 10, 1, true },
	{ "now this is too late", 6, 10, 17, false },
	{ "number below", 3, 1, 1, false },
	{ "burst of a dead link: oldest", 7, 5000, 5000, false },
	{ "burst of a dead link: newest", 8, 0, 500, false },
	{ "back", 9, 10, 1, true },
	{ "dead for 40 minutes", 10, 2400000, 2400000, false },
	{ "back again", 11, 10, 1, true },
	{ "the path got longer", 12, 5000, 30, false },
	{ "and stays so", 13, 10000, 30, false },
	{ "which is normal then", 14, 10000, 30, true },
};

static void test_freshness(void)
{
	struct rig g;

	rig_standby(&g);
	g.now += 10000000000;
	for (unsigned int i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		unsigned int before = g.n_fresh;
		struct repl_header h = rig_header(&g, lives[i].number, 0);

		g.now += (usec_t)lives[i].wait_ms * 1000;
		/* Their clock is another one. */
		rig_heartbeat_packet(
			&g, &h, g.now - (usec_t)lives[i].delay_ms * 1000 - 123456789012, 0);
		CU_ASSERT_EQUAL(g.n_fresh - before, lives[i].fresh);
		CU_ASSERT_EQUAL(repl_heard(g.r) == g.now, lives[i].fresh);
		if (g.n_fresh - before != lives[i].fresh)
			fprintf(stderr, "%s\n", lives[i].what);
	}
	rig_stop(&g);
}

/* The same for packets that have only 32 bits of time, before and after a heartbeat has told the
 * rest. */
static void test_freshness_of_state(void)
{
	struct rig g;
	struct repl_header h;

	rig_standby(&g);
	rig_state_packet(&g, 1);
	CU_ASSERT_EQUAL(repl_heard(g.r), g.now);
	h = rig_header(&g, 2, 0);
	rig_heartbeat_packet(&g, &h, g.now + 0x500000000, 77);
	CU_ASSERT_EQUAL(g.n_fresh, 1);
	CU_ASSERT_EQUAL(repl_pair_ms(g.r, g.now), 77);
	g.now += 10000;
	rig_state_packet(&g, 3);
	CU_ASSERT_EQUAL(repl_heard(g.r), g.now);
	h = rig_header(&g, 4, REPL_F_ORDERED);
	g.now += 20000;
	rig_delta(&g, &h, 4);
	CU_ASSERT_EQUAL(repl_heard(g.r), g.now - 20000);
	h = rig_header(&g, 5, REPL_F_ORDERED);
	/* 32 bits have gone round more than half: late, not early */
	g.now += UINT64_C(50) * 60 * 1000000;
	rig_delta(&g, &h, 5);
	CU_ASSERT_NOT_EQUAL(repl_heard(g.r), g.now);
	/* no sign of life, but applied all the same */
	CU_ASSERT_EQUAL(g.applied[g.n_applied - 1], 5);
	rig_stop(&g);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "headers", test_headers },
		{ "records", test_records },
		{ "usages", test_usages },
		{ "orders", test_orders },
		{ "duplicate_acks_again", test_duplicate_acks_again },
		{ "again_and_refused", test_again_and_refused },
		{ "modes", test_modes },
		{ "late_mode", test_late_mode },
		{ "stream_change", test_stream_change },
		{ "far_jump", test_far_jump },
		{ "new_incarnation", test_new_incarnation },
		{ "times", test_times },
		{ "freshness", test_freshness },
		{ "freshness_of_state", test_freshness_of_state },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "repl_receive", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
