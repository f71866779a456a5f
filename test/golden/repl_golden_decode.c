/* SPDX-License-Identifier: BSD-3-Clause */
/* What today's decoders make of golden vectors, as the names and values that the dissector
 * (scripts/tandem.lua) gives them. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "repl/audit.h"
#include "repl_golden.h"
#include "repl_wire.h"
#include "session/session.h"
#include "srp_pvt.h"
#include "wire.h"

static void u(const char *name, uint64_t v)
{
	printf("  %s %" PRIu64 "\n", name, v);
}
static void x(const char *name, uint64_t v, int digits)
{
	printf("  %s 0x%0*" PRIx64 "\n", name, digits, v);
}
static void bytes(const char *name, const uint8_t *b, size_t n)
{
	printf("  %s ", name);
	for (size_t i = 0; i < n; i++)
		printf(i > 0 ? ":%02x" : "%02x", b[i]);
	putchar('\n');
}
static void addr(const char *name, const struct ip_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	printf("  %s %s\n", name, inet_ntop(AF_INET6, a->b, text, sizeof(text)));
}
static void term(const char *name, uint64_t t)
{
	char full[64];

	snprintf(full, sizeof(full), "%s.number", name);
	u(full, t >> 1);
	snprintf(full, sizeof(full), "%s.side", name);
	u(full, t & 1);
}
static void usage(const char *set, const struct session_usage *s)
{
	const uint64_t v[] = { s->up_pkts, s->up_bytes, s->dn_pkts, s->dn_bytes };
	static const char *const names[] = { "up_packets", "up_bytes", "down_packets",
		"down_bytes" };
	char full[64];

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(full, sizeof(full), "%s.%s", set, names[i]);
		u(full, v[i]);
	}
}

#define PRINT_DEC(name, bytes)    u("session." #name, r->name);
#define PRINT_HEX(name, bytes)    x("session." #name, r->name, 2 * (bytes));
#define PRINT_OCTETS(name, n)     bytes("session." #name, r->name, n);
#define PRINT_HEAD(name, bytes)   u("session." #name, r->name);
#define PRINT_NIBBLE(name, bytes) u("session." #name, r->name);
#define PRINT_FLAG(name, bytes)   u("session." #name, r->name);
#define PRINT_ADDR(name, bytes)   addr("session." #name, &r->name);
#define PRINT_UE(name, bytes)     addr("session." #name, &r->name);
#define PRINT_MS(name, bytes)     u("session." #name, r->name);
#define PRINT_ROW(name, type, bytes, group, set, end, line, view)                                  \
	if (SESSION_NO_##group == no) {                                                            \
		PRINT_##type(name, bytes)                                                          \
	}

static void print_group(const struct session_rec *r, unsigned int no){ SESSION_FIELDS(PRINT_ROW) }

/* Names stand in their macros, and the values in `r`. */
#define PRINT_TAIL(name, n)                                                                        \
	if (r->name##_len > 0)                                                                     \
		bytes("session." #name, r->name, r->name##_len);

#define PRINT_OF(part, type, FIELDS)                                                               \
	static void print_##part(const type *r, unsigned int no)                                   \
	{                                                                                          \
		FIELDS(PRINT_ROW)                                                                  \
	}
PRINT_OF(common, struct session_annex, SESSION_COMMON_FIELDS)
	PRINT_OF(bearer, struct session_bearer, SESSION_BEARER_FIELDS)
		PRINT_OF(pfcp, struct session_pfcp, SESSION_PFCP_FIELDS)

			static void print_usage(const struct wire_body *b)
{
	struct session_usage low = { b->low[0], b->low[1], b->low[2], b->low[3] };

	if (b->groups & SESSION_G_USAGE32)
		usage("usage32", &low);
	if (b->groups & SESSION_G_USAGE64)
		usage("usage64", &b->sender);
	if (b->groups & SESSION_G_OTHER64)
		usage("other64", &b->other);
}

/* What follows the other groups, which have so many bytes. */
static void print_extra(struct rd all, const struct session_rec *r)
{
	while (all.left > 0) {
		uint8_t id = rd_u8(&all), n = rd_u8(&all);
		const uint8_t *value = rd_bytes(&all, n);

		u("extra.id", id);
		u("extra.length", n);
		if (id == SESSION_X_ADDR6)
			print_group(r, SESSION_NO_ADDR6);
		else if (id == SESSION_X_BEARER)
			print_bearer(&r->annex.bearer, SESSION_NO_BEARER);
		else if (id == SESSION_X_PFCP)
			print_pfcp(&r->annex.pfcp, SESSION_NO_PFCP);
		else if (id < SESSION_X_PFCP && id != SESSION_X_CLASS && id != SESSION_X_USER_NAME)
			print_common(&r->annex, SESSION_IN_EXTRA + id);
		else if (n > 0)
			bytes("extra.value", value, n);
	}
}

static void decode_session(struct rd *body)
{
	static const unsigned int first[] = { SESSION_NO_IDENTITY, SESSION_NO_TUNNEL,
		SESSION_NO_QOS, SESSION_NO_REQUEST };
	struct rd all = *body;
	struct wire_body b = { 0 };

	if (wire_decode(body, &b) < 0) {
		puts("  malformed");
		return;
	}
	x("handle", b.rec.handle, 8);
	x("groups", b.groups, 2);
	for (unsigned int i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (b.groups & first[i])
			print_group(&b.rec, first[i]);
	print_usage(&b);
	if (b.groups & SESSION_G_EXTRA) {
		rd_bytes(&all, wire_extra_at(&all));
		print_extra(all, &b.rec);
	}
}

static void decode_usage(struct rd *body)
{
	while (body->left >= SESSION_USAGE_BYTES) {
		struct session_usage low;

		x("handle", rd_u32(body), 8);
		low.up_pkts = rd_u32(body);
		low.up_bytes = rd_u32(body);
		low.dn_pkts = rd_u32(body);
		low.dn_bytes = rd_u32(body);
		usage("usage32", &low);
	}
}

static void decode_digest(struct rd *body)
{
	uint8_t level = rd_u8(body);

	u("digest.level", level);
	u("digest.bucket", rd_u32(body));
	if (level == AUDIT_LEVEL_BUCKETS)
		u("digest.n", rd_u16(body));
	while (body->left > 0)
		if (level == AUDIT_LEVEL_BUCKETS)
			x("digest.hash", rd_u64(body), 16);
		else
			x("digest.hash16", rd_u16(body), 4);
}

static void decode_ack(struct rd *body)
{
	struct rd raw = *body;
	struct repl_ack a;

	if (repl_ack_read(body, &a) < 0) {
		puts("  malformed");
		return;
	}
	u("ack.stream", a.stream);
	u("ack.largest", a.largest);
	u("ack.delay", a.delay);
	u("ack.n", a.n);
	rd_bytes(&raw, REPL_ACK_HEAD);
	for (unsigned int i = 0; i < a.n; i++) {
		u("ack.skip", rd_u32(&raw));
		u("ack.run", rd_u32(&raw));
		u("ack.high", a.range[i].hi);
		u("ack.low", a.range[i].lo);
	}
}

static void print_want(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	u("want.how", how);
	u("want.bucket", bucket);
	x("want.arg", arg, 16);
}

static void decode_status(struct rd *body)
{
	static const char *const names[] = { "status.buckets", "status.unmatched",
		"status.differing", "status.left" };

	u("status.stream", rd_u32(body));
	u("status.in_sync_since_ms", rd_u64(body));
	for (unsigned int i = 0; i < 4; i++)
		u(names[i], rd_u32(body));
}

static void decode_account(struct rd *body)
{
	static const char *const names[] = { "account.refused_stale", "account.refused_absent",
		"account.refused_malformed", "account.refused_not_owner", "account.refused_other" };
	struct repl_received a;

	if (repl_account_read(body, &a) < 0)
		return;
	u("account.stream", a.stream);
	u("account.next", a.next);
	u("account.applied", a.applied);
	for (unsigned int i = 0; i < REPL_REFUSED_REASONS; i++)
		u(names[i], a.refused[i]);
}

static void decode_heartbeat(struct rd *body)
{
	struct srp_body b;

	u("heartbeat.sent", rd_u64(body));
	u("heartbeat.pair_ms", rd_u64(body));
	if (srp_body_read(body, &b) < 0) {
		puts("  malformed");
		return;
	}
	u("srp.version", 1);
	u("srp.side", b.side);
	u("srp.state", b.state);
	u("srp.mode", b.mode);
	u("srp.priority", b.priority);
	u("srp.route_modifier", b.rm);
	u("srp.restart_counter", b.restart_counter);
	bytes("srp.tie_breaker", b.mac, sizeof(b.mac));
	term("srp.term", b.term);
	term("srp.highest", b.highest);
	u("srp.floor", b.floor);
	x("srp.incarnation", b.incarnation, 8);
	x("srp.hears", b.hears, 8);
	u("srp.serial", b.serial);
	x("srp.capabilities", b.capabilities, 16);
	if (body->left > 0)
		bytes("srp.more", body->p, body->left);
}

static void decode_record(uint8_t kind, struct rd *body)
{
	u("record.kind", kind);
	u("record.length", body->left);
	switch (kind) {
	case REPL_SLOT:
	case REPL_DELTA:
		decode_session(body);
		break;
	case REPL_USAGE:
		decode_usage(body);
		break;
	case REPL_DIGEST:
		decode_digest(body);
		break;
	case REPL_ACK:
		decode_ack(body);
		break;
	case REPL_WANT:
		u("want.n", (uint64_t)body->p[0] << 8 | body->p[1]);
		audit_want_decode(body, print_want, NULL);
		break;
	case REPL_STATUS:
		decode_status(body);
		break;
	case REPL_ACCOUNT:
		decode_account(body);
		break;
	case REPL_HEARTBEAT:
		decode_heartbeat(body);
		break;
	case REPL_PING:
		break;
	default:
		bytes("record.unknown", body->p, body->left);
		break;
	}
}

static void decode_packet(const uint8_t *pkt, size_t len)
{
	struct rd in = rd_init(pkt + REPL_HEADER, len - REPL_HEADER), body;
	struct repl_header h;
	struct repl_walk walk;
	uint8_t kind;

	repl_header_read(pkt, &h);
	u("version", h.version);
	u("flags.phase", h.flags & REPL_F_PHASE);
	u("flags.ordered", (h.flags & REPL_F_ORDERED) != 0);
	u("key", h.key);
	u("number", h.number);
	x("sender", h.sender, 8);
	x("receiver", h.receiver, 8);
	term("term", h.term);
	u("stream", h.stream);
	u("offset", h.offset);
	u("sent", h.sent);
	if (repl_walk(in.p, in.left, h.flags & REPL_F_ORDERED, &walk) < 0) {
		puts("  malformed");
		return;
	}
	while (repl_record_next(&in, &kind, &body))
		decode_record(kind, &body);
}

int golden_decode(void)
{
	static char line[64 + 2 * REPL_PACKET_MAX];
	static uint8_t pkt[REPL_PACKET_MAX];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *hex = strchr(line, ' ');
		size_t n = 0;
		unsigned int byte;

		if (line[0] == '#' || hex == NULL)
			continue;
		*hex++ = '\0';
		while (n < sizeof(pkt) && sscanf(hex + 2 * n, "%2x", &byte) == 1)
			pkt[n++] = (uint8_t)byte;
		if (n < REPL_HEADER)
			return 1;
		puts(line);
		decode_packet(pkt, n);
	}
	return 0;
}
