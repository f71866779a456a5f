/* SPDX-License-Identifier: BSD-3-Clause */
/* Golden vectors of the replication stream. `repl_golden encode`: packets of every record kind,
 * with edge values, as "name hex" lines, written by today's encoders. `repl_golden decode`: reads
 * such lines, and prints what today's decoders make of them, as the names and values that the
 * dissector (scripts/tandem.lua) gives them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repl/audit.h"
#include "repl_golden.h"
#include "repl_wire.h"
#include "session/generation.h"
#include "session/session.h"
#include "srp_pvt.h"
#include "wire.h"

enum { SHARD = 7 };

struct packet {
	uint8_t b[REPL_PACKET_MAX];
	struct wr w;
};

static void open_packet(struct packet *p, uint8_t flags, uint64_t number, uint32_t offset)
{
	repl_header_write(p->b, &(struct repl_header){ .version = 1,
					.flags = flags,
					.number = number,
					.sender = 0x11223344,
					.receiver = 0x55667788,
					.term = 42 << 1 | 1,
					.stream = 3,
					.offset = offset,
					.sent = 0xfffffff0 });
	p->w = wr_init(p->b + REPL_HEADER, sizeof(p->b) - REPL_HEADER);
}

static void print_packet(const char *name, const struct packet *p)
{
	printf("%s ", name);
	for (const uint8_t *b = p->b; b < p->w.p; b++)
		printf("%02x", *b);
	putchar('\n');
}

static uint8_t *open_record(struct packet *p, uint8_t kind)
{
	uint8_t *head = p->w.p;

	wr_u8(&p->w, kind);
	wr_u16(&p->w, 0);
	return head;
}

static void close_record(struct packet *p, uint8_t *head)
{
	size_t n = (size_t)(p->w.p - head) - REPL_RECORD;

	head[1] = (uint8_t)(n >> 8);
	head[2] = (uint8_t)n;
}

static uint32_t nobody(void *ctx, uint8_t pool, const struct ip_addr *ue)
{
	return 0;
}
static int anybody(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle)
{
	return 0;
}
static void forget(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle) {}

static struct session_table *table(void)
{
	struct session_params p = { .capacity = 4096,
		.side = 1,
		.annex = SESSION_ANNEX_MAX,
		.quarantine_s = 10,
		.mem = &session_mem_libc,
		.hooks = { .named = nobody, .bind = anybody, .unbind = forget } };
	struct session_table *t = session_table_create(&p);

	if (t == NULL)
		exit(1);
	session_own(t, SHARD, 0);
	return t;
}

/* Each octet of a field is another one, or all are 0xff. */
static void fill(void *to, size_t n, bool edge)
{
	static uint8_t next;

	for (uint8_t *p = to; n > 0; n--)
		*p++ = edge ? 0xff : ++next;
}

#define FILL_DEC(name)    fill(&r.name, sizeof(r.name), edge);
#define FILL_HEX(name)    fill(&r.name, sizeof(r.name), edge);
#define FILL_OCTETS(name) fill(r.name, sizeof(r.name), edge);
#define FILL_HEAD(name)   r.name = edge ? 15 : 3;
#define FILL_NIBBLE(name) r.name = edge ? 15 : 1;
#define FILL_FLAG(name)   r.name = true;
#define FILL_ADDR(name)                                                                            \
	r.name = ip_addr_v4(edge ? UINT32_MAX : 0x0a080001);                                       \
	if (v6)                                                                                    \
		fill(r.name.b, sizeof(r.name.b), edge);
#define FILL_UE(name)
#define FILL_MS(name) r.name = edge ? UINT32_MAX * UINT64_C(1000) : 1234567000;

#define FILL_ROW(name, type, bytes, group, set, end, line, view) FILL_##type(name)

static struct session_rec record(bool edge, bool v6)
{
	struct session_rec r = { 0 };

	SESSION_FIELDS(FILL_ROW)
	r.ue = ip_addr_v4(0xac140007);
	r.qos_len = edge ? SESSION_QOS_MAX : 4;
	memset(r.qos + r.qos_len, 0, sizeof(r.qos) - r.qos_len);
	if (!v6) {
		memset(r.ue6, 0, sizeof(r.ue6));
		r.pool6 = 0;
	}
	return r;
}

#define ANNEX_DEC(name)    fill(&a->name, sizeof(a->name), edge);
#define ANNEX_HEX(name)    fill(&a->name, sizeof(a->name), edge);
#define ANNEX_OCTETS(name) fill(a->name, sizeof(a->name), edge);
#define ANNEX_TAIL(name)   fill(a->name, sizeof(a->name), edge);

#define ANNEX_ROW(name, type, bytes, group, set, end, line, view) ANNEX_##type(name)

/* Of a GTPv2 session with short strings, or of one with PFCP and the longest. */
static void annex(struct session_rec *r, bool edge)
{
	struct session_annex *a = session_rec_annex(r);

	SESSION_COMMON_FIELDS(ANNEX_ROW)
	a->uli_len = edge ? sizeof(a->uli) : 8;
	a->class_len = edge ? 200 : 3;
	a->name_len = edge ? SESSION_STRINGS_MAX - 200 : 4;
	if (edge) {
		fill(&a->pfcp, sizeof(a->pfcp), edge);
		r->annex_use |= SESSION_A_PFCP;
	} else {
		fill(&a->bearer, sizeof(a->bearer), edge);
	}
	fill(a->strings, a->class_len + a->name_len, edge);
}

static void put_body(struct packet *p, const struct session_table *t, uint32_t slot, uint8_t kind,
	uint8_t groups)
{
	uint8_t *head = open_record(p, kind);

	session_encode(t, SHARD, slot, groups, &p->w);
	close_record(p, head);
}

/* A session that is over and keeps all that it had, the annex too; then its free slot. */
static void encode_ending(struct packet *p, struct session_table *t, struct session_rec *r)
{
	const struct session_end end = { .why = SESSION_WHY_REQUEST, .now_s = 400 };

	open_packet(p, REPL_F_ORDERED, 16, 15);
	session_end(t, 0, r->handle, &end);
	put_body(p, t, 1, REPL_SLOT, SESSION_G_SLOT);
	session_free(t, 0, r->handle, &end);
	put_body(p, t, 1, REPL_SLOT, SESSION_G_SLOT);
	print_packet("slot-ending-and-free", p);
}

/* The slot's next generation is 3: the vectors are of records, and not of the order of TEIDs. */
static void begin_at_3(struct session_table *t, uint32_t slot)
{
	struct session_shard *sh = &t->shard[SHARD];
	uint16_t before = 0;

	while (generation_next(&sh->gen_key, slot, t->gen_width, before, t->side) != 3)
		before++;
	sh->slots[slot].gen = before;
}

/* SLOT, DELTA, USAGE */
static void encode_sessions(struct packet *p)
{
	struct session_table *t = table();
	struct session_slot *s;
	struct session_rec r = record(false, false);
	uint8_t *head;

	open_packet(p, REPL_F_ORDERED, 1, 0);
	put_body(p, t, 9, REPL_SLOT, SESSION_G_SLOT);
	print_packet("slot-never-used", p);
	begin_at_3(t, 0);
	session_create(t, 0, &r, 100);
	s = session_slot_of(t, r.handle);
	open_packet(p, REPL_F_ORDERED, 2, 1);
	put_body(p, t, 0, REPL_SLOT, SESSION_G_SLOT);
	print_packet("slot-new", p);
	open_packet(p, REPL_F_ORDERED, 3, 2);
	for (unsigned int g = 0; g < 8; g++)
		put_body(p, t, 0, REPL_DELTA, (uint8_t)(1 << g));
	print_packet("delta-each-group", p);
	s->up_pkts = UINT32_MAX;
	s->up_bytes = UINT64_C(0x123456789abcdef0);
	s->dn_pkts = 1;
	s->dn_bytes = UINT64_MAX;
	s->other = (struct session_usage){ 1, 2, 3, UINT64_MAX };
	open_packet(p, REPL_F_ORDERED, 4, 3);
	put_body(p, t, 0, REPL_DELTA, SESSION_G_USAGE32); /* a counter passed a multiple of 2^30 */
	put_body(p, t, 0, REPL_DELTA, SESSION_G_USAGE32 | SESSION_G_TUNNEL | SESSION_G_OTHER64);
	print_packet("delta-usage", p);
	open_packet(p, REPL_F_ORDERED, 5, 4);
	head = open_record(p, REPL_USAGE);
	session_put_usage(s, wr_room(&p->w, SESSION_USAGE_BYTES));
	s->up_pkts--;
	session_put_usage(s, wr_room(&p->w, SESSION_USAGE_BYTES));
	close_record(p, head);
	print_packet("usage", p);
	session_free(
		t, 0, r.handle, &(struct session_end){ .why = SESSION_WHY_REQUEST, .now_s = 200 });
	open_packet(p, REPL_F_ORDERED, UINT64_MAX - 1, UINT32_MAX);
	put_body(p, t, 0, REPL_SLOT, SESSION_G_SLOT);
	r = record(true, true);
	begin_at_3(t, 1);
	session_create(t, 0, &r, 300);
	put_body(p, t, 1, REPL_SLOT, SESSION_G_SLOT);
	print_packet("slot-free-and-edge", p);
	open_packet(p, REPL_F_ORDERED, 6, 5);
	annex(&r, true);
	session_update(t, 0, &r, SESSION_G_EXTRA);
	put_body(p, t, 1, REPL_SLOT, SESSION_G_SLOT);
	r.annex_use = 0;
	annex(&r, false);
	session_update(t, 0, &r, SESSION_G_EXTRA);
	put_body(p, t, 1, REPL_DELTA, SESSION_G_EXTRA);
	print_packet("annex", p);
	open_packet(p, REPL_F_ORDERED, 7, 6); /* a later version's groups, and its kinds */
	head = open_record(p, REPL_DELTA);
	session_encode(t, SHARD, 1, SESSION_G_QOS, &p->w);
	head[7] |= SESSION_G_EXTRA;
	wr_bytes(&p->w,
		"\x7f\x03"
		"abc"
		"\xff\x00",
		7);
	close_record(p, head);
	head = open_record(p, 200);
	wr_bytes(&p->w, "later", 5);
	close_record(p, head);
	print_packet("later-groups-and-kinds", p);
	encode_ending(p, t, &r);
	session_table_destroy(t);
}

static void encode_digests(struct packet *p)
{
	uint8_t *head;

	open_packet(p, REPL_F_ORDERED, 8, 7);
	head = open_record(p, REPL_DIGEST);
	audit_digest_begin(&p->w, 0x1234, 3);
	for (uint64_t i = 0; i < 3; i++)
		wr_u64(&p->w, UINT64_C(0x0123456789abcdef) * i);
	close_record(p, head);
	head = open_record(p, REPL_DIGEST);
	audit_digest_slots(&p->w, UINT32_MAX);
	for (unsigned int i = 0; i < 64; i++)
		wr_u16(&p->w, (uint16_t)(i * 1021));
	close_record(p, head);
	print_packet("digest", p);
}

static void encode_ack(struct packet *p)
{
	struct repl_ack a = {
		.stream = 3, .largest = 100, .delay = 250, .n = 1, .range = { { 90, 100 } }
	};

	open_packet(p, 0, 9, 8);
	repl_ack_write(&p->w, &a);
	print_packet("ack", p);
	a = (struct repl_ack){ .stream = UINT32_MAX,
		.largest = UINT64_MAX - 1,
		.delay = UINT32_MAX,
		.n = REPL_RANGES };
	for (unsigned int i = 0; i < REPL_RANGES; i++) {
		a.range[i].hi = UINT64_MAX - 1 - 3 * i;
		a.range[i].lo = a.range[i].hi - (uint32_t)(i < 31 ? i % 2 : UINT32_MAX - 1);
	}
	open_packet(p, 0, 10, 9);
	repl_ack_write(&p->w, &a);
	print_packet("ack-32-ranges", p);
}

static void encode_reports(struct packet *p)
{
	static const struct {
		uint8_t how;
		uint32_t bucket;
		uint64_t arg;
	} wants[] = { { AUDIT_WANT_SLOTS, 5, UINT64_C(0x8000000000000001) },
		{ AUDIT_WANT_LEVEL2, 6, 0 }, { AUDIT_WANT_WHOLE, 7, 256 },
		{ AUDIT_WANT_PASS, 1, 0 } };
	struct repl_received a = { 3, UINT64_MAX, UINT64_C(0x0102030405060708),
		{ 1, 2, 3, 4, UINT64_MAX } };
	uint8_t *head;

	open_packet(p, 0, 11, 10);
	head = open_record(p, REPL_WANT);
	wr_u16(&p->w, 4);
	for (unsigned int i = 0; i < 4; i++) {
		wr_u8(&p->w, wants[i].how);
		wr_u32(&p->w, wants[i].bucket);
		wr_u64(&p->w, wants[i].arg);
	}
	close_record(p, head);
	head = open_record(p, REPL_STATUS);
	wr_u32(&p->w, 3);
	wr_u64(&p->w, 1234567);
	for (uint32_t i = 0; i < 4; i++)
		wr_u32(&p->w, i < 3 ? UINT32_C(1024) >> i : UINT32_MAX);
	close_record(p, head);
	repl_account_write(&p->w, &a);
	print_packet("want-status-account", p);
	open_packet(p, 0, 12, 11);
	head = open_record(p, REPL_PING);
	close_record(p, head);
	print_packet("ping", p);
}

static void encode_heartbeat(struct packet *p)
{
	struct srp_body b = { .side = 1,
		.state = SRP_ACTIVE,
		.mode = SRP_PRIMARY,
		.priority = 255,
		.rm = 1,
		.restart_counter = 9,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.term = 42 << 1 | 1,
		.highest = (UINT64_C(1) << 63) | 1,
		.floor = 41,
		.incarnation = 0x11223344,
		.hears = 0x55667788,
		.serial = UINT32_MAX,
		.capabilities = UINT64_C(1) << 63 | 1 };
	uint8_t *head;

	open_packet(p, 0, 13, 12);
	head = open_record(p, REPL_HEARTBEAT);
	wr_u64(&p->w, UINT64_C(0x1fffffff0));
	wr_u64(&p->w, 99000);
	srp_body_write(&p->w, &b);
	close_record(p, head);
	print_packet("heartbeat", p);
	open_packet(p, 0, 14, 13); /* with what a later release may add */
	head = open_record(p, REPL_HEARTBEAT);
	wr_u64(&p->w, UINT64_C(0xfffffff0));
	wr_u64(&p->w, 0);
	b.state = SRP_INIT;
	b.hears = 0;
	srp_body_write(&p->w, &b);
	wr_bytes(&p->w, "more", 4);
	close_record(p, head);
	print_packet("heartbeat-longer", p);
}

static int encode(void)
{
	static struct packet p;

	encode_sessions(&p);
	encode_digests(&p);
	encode_ack(&p);
	encode_reports(&p);
	encode_heartbeat(&p);
	return 0;
}

/* The SRP connection: every message, with its length before it. */
static int encode_srp(void)
{
	static const char *const names[] = { "hello", "ask", "answer", "offer", "refuse", "confirm",
		"goodbye", "want-lines", "lines", "want-numbers", "numbers" };

	for (unsigned int type = SRP_MSG_HELLO; type <= SRP_MSG_LAST; type++) {
		struct srp_msg m = { .type = (enum srp_type)type,
			.incarnation = 0x11223344,
			.term = 42 << 1 | 1,
			.body = { 1, 1, 0, 255, 1, 9, { 2, 0, 0, 0, 0, 1 }, 84, 86, 41, 0x11223344,
				0, 5 },
			.capacity = 1 << 20,
			.config_digest = UINT64_MAX,
			.next_digest = UINT64_MAX - 1,
			.next_number = 3,
			.promise = 2,
			.wire = { 1, 1, 9000 },
			.id = 77,
			.offered = 43 << 1,
			.number = 99,
			.to = 0x55667788,
			.cause = SRP_CAUSE_MANUAL,
			.forced = true,
			.rm = 2,
			.was_active = true,
			.tells_lines = true,
			.digest = UINT64_MAX,
			.offset = 448,
			.total = 457,
			.piece = (const uint8_t *)"key = 17\n",
			.piece_len = 9,
			.text = "why" };
		uint8_t b[SRP_MSG_MAX];
		size_t n = srp_msg_write(&m, b, sizeof(b));

		printf("%s %04zx", names[type - SRP_MSG_HELLO], n);
		for (size_t i = 0; i < n; i++)
			printf("%02x", b[i]);
		putchar('\n');
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "encode") == 0)
		return encode();
	if (argc == 2 && strcmp(argv[1], "decode") == 0)
		return golden_decode();
	if (argc == 2 && strcmp(argv[1], "srp") == 0)
		return encode_srp();
	if (argc == 3 && strcmp(argv[1], "fields") == 0)
		return golden_fields(argv[2]);
	fputs("usage: repl_golden encode|decode|srp|fields lua|fields markdown\n", stderr);
	return 2;
}
