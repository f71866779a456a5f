/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/bmp.h"
#include "bmp_text.h"
#include "common/cursor.h"

enum {
	BGP_MARKER = 16,
	BGP_HEADER = 19,
	BGP_MAX = 4096,
	BGP_OPEN = 1,
	BGP_NOTIFICATION = 3,
	PEER_LOCAL = 2,
	FLAG_V = 0x80
};
enum { TLV_TERMINATION_REASON = 1, TLV_SYS_NAME = 2 };

struct bmp {
	bmp_fact_fn fn;
	void *ctx;
	bool begun;    /* the Initiation was there */
	int error;     /* 0 until it ended */
	uint32_t have; /* octets of the message in `buf` */
	uint32_t len;  /* of the message, once the common header is there */
	uint32_t skip; /* octets to go of one that is skipped */
	struct bmp_counters count;
	char reason[BMP_TEXT];
	uint8_t buf[BMP_KEPT_MAX];
};

struct bmp *bmp_create(bmp_fact_fn fn, void *ctx)
{
	struct bmp *b = calloc(1, sizeof(*b));

	if (b != NULL)
		b->fn = fn, b->ctx = ctx;
	return b;
}

void bmp_destroy(struct bmp *b)
{
	free(b);
}

const char *bmp_reason(const struct bmp *b)
{
	return b->reason;
}

const struct bmp_counters *bmp_count(const struct bmp *b)
{
	return &b->count;
}

static int bmp_malformed(struct bmp *b, const char *what, unsigned int number)
{
	b->count.malformed++;
	snprintf(b->reason, sizeof(b->reason), "%s: %u", what, number);
	return -EBADMSG;
}

/* A BGP message of that type in full (RFC 4271 4.1), or NULL and bad. *body: behind its header. */
static void bmp_bgp_message(struct rd *r, uint8_t type, struct rd *body)
{
	const uint8_t *marker = rd_bytes(r, BGP_MARKER);
	uint16_t len = rd_u16(r);
	uint8_t is = rd_u8(r);

	for (unsigned int i = 0; marker != NULL && i < BGP_MARKER; i++)
		r->bad = r->bad || marker[i] != 0xff;
	if (len < BGP_HEADER || len > BGP_MAX || is != type)
		r->bad = true;
	*body = rd_sub(r, r->bad ? 0 : len - BGP_HEADER);
}

/* One TLV (4.4); false: there is none left, or what is left is none (bad). */
static bool bmp_tlv_next(struct rd *r, uint16_t *type, struct rd *value)
{
	if (r->bad || r->left == 0)
		return false;
	*type = rd_u16(r);
	*value = rd_sub(r, rd_u16(r));
	return !r->bad;
}

static int bmp_initiation(struct bmp *b, struct rd *r)
{
	struct bmp_fact f = { .type = BMP_INITIATION };
	struct rd value;
	uint16_t type;

	while (bmp_tlv_next(r, &type, &value))
		if (type == TLV_SYS_NAME)
			bmp_text_take(f.text, value.p, value.left);
	if (r->bad)
		return bmp_malformed(b, "an Initiation whose parts do not fit, octets", b->len);
	b->begun = true;
	b->fn(b->ctx, &f);
	return 0;
}

static int bmp_termination(struct bmp *b, struct rd *r)
{
	struct bmp_fact f = { .type = BMP_TERMINATION, .reason = UINT8_MAX };
	struct rd value;
	uint16_t type;

	while (bmp_tlv_next(r, &type, &value))
		if (type == TLV_TERMINATION_REASON && value.left == 2)
			f.reason = (uint8_t)rd_u16(&value);
	if (r->bad)
		return bmp_malformed(b, "a Termination whose parts do not fit, octets", b->len);
	bmp_text_end(f.text, f.reason);
	memcpy(b->reason, f.text, BMP_TEXT);
	b->fn(b->ctx, &f);
	return -ESHUTDOWN;
}

static void bmp_per_peer(struct rd *r, struct bmp_fact *f)
{
	uint8_t addr[16];

	f->peer_type = rd_u8(r);
	f->flags = rd_u8(r);
	f->distinguisher = rd_u64(r);
	rd_copy(r, addr, sizeof(addr));
	f->as = rd_u32(r);
	f->bgp_id = rd_u32(r);
	rd_bytes(r, 8); /* when; the router's clock is not ours */
	if ((f->flags & FLAG_V) != 0)
		ip_addr_from_bytes(&f->addr, addr, 16);
	else
		ip_addr_from_bytes(&f->addr, addr + 12, 4); /* RFC 7854 4.2: at the end */
}

static int bmp_peer_up(struct bmp *b, struct rd *r, struct bmp_fact *f)
{
	struct rd body;
	uint16_t type;

	rd_bytes(r, 16 + 2 + 2); /* local address and both ports */
	bmp_bgp_message(
		r, BGP_OPEN, &body); /* sent; FRR invents one without a body if it has none */
	bmp_bgp_message(r, BGP_OPEN, &body); /* received */
	while (bmp_tlv_next(r, &type, &body))
		;
	if (r->bad)
		return bmp_malformed(b, "a Peer Up whose parts do not fit, octets", b->len);
	b->count.peer_ups++;
	b->fn(b->ctx, f);
	return 0;
}

static int bmp_peer_down(struct bmp *b, struct rd *r, struct bmp_fact *f)
{
	struct rd body;

	f->reason = rd_u8(r);
	if (r->bad)
		return bmp_malformed(b, "a Peer Down without a reason, octets", b->len);
	if (f->reason == BMP_DOWN_LOCAL_NOTIFICATION || f->reason == BMP_DOWN_REMOTE_NOTIFICATION) {
		bmp_bgp_message(r, BGP_NOTIFICATION, &body);
		f->code = rd_u8(&body);
		f->subcode = rd_u8(&body);
	} else if (f->reason == BMP_DOWN_LOCAL_EVENT) {
		f->event = rd_u16(r);
	}
	bmp_text_down(f->text, f);
	b->count.peer_downs++;
	b->fn(b->ctx, f);
	return 0;
}

/* The message in `buf` is whole. */
static int bmp_message(struct bmp *b)
{
	struct rd r = rd_init(b->buf + BMP_COMMON, b->len - BMP_COMMON);
	struct bmp_fact f = { .type = (enum bmp_type)b->buf[BMP_COMMON - 1] };

	if (f.type == BMP_INITIATION)
		return bmp_initiation(b, &r);
	if (f.type == BMP_TERMINATION)
		return bmp_termination(b, &r);
	bmp_per_peer(&r, &f);
	if (f.peer_type > PEER_LOCAL) {
		b->count.not_peers++;
		return 0;
	}
	return f.type == BMP_PEER_UP ? bmp_peer_up(b, &r, &f) : bmp_peer_down(b, &r, &f);
}

/* The common header is there: keep the message, or skip it. */
static int bmp_header(struct bmp *b)
{
	struct rd r = rd_init(b->buf, BMP_COMMON);
	uint8_t version = rd_u8(&r), type;
	bool keep, of_peer;

	b->len = rd_u32(&r);
	type = rd_u8(&r);
	keep = type >= BMP_PEER_DOWN && type <= BMP_TERMINATION;
	of_peer = type <= BMP_PEER_UP || type == BMP_ROUTE_MIRRORING;
	if (version != BMP_VERSION)
		return bmp_malformed(b, "a version that is not BMP 3", version);
	if (!b->begun && type != BMP_INITIATION)
		return bmp_malformed(b, "no Initiation before a message of type", type);
	if (b->len < BMP_COMMON + (of_peer ? (unsigned int)BMP_PER_PEER : 0))
		return bmp_malformed(b, "a message that is too short, octets", b->len);
	if (b->len > (keep ? (uint32_t)BMP_KEPT_MAX : (uint32_t)BMP_SKIPPED_MAX))
		return bmp_malformed(b, "a message that is too long, octets", b->len);
	b->count.messages++;
	if (keep)
		return 0;
	b->count.skipped++;
	b->count.skipped_octets += b->len;
	b->skip = b->len - BMP_COMMON;
	b->have = 0;
	return 0;
}

int bmp_input(struct bmp *b, const void *octets, size_t len)
{
	const uint8_t *p = octets;

	while (b->error == 0 && len > 0) {
		size_t want = b->skip > 0            ? b->skip
			      : b->have < BMP_COMMON ? BMP_COMMON - b->have
						     : b->len - b->have;
		size_t n = want < len ? want : len;

		if (b->skip > 0) {
			b->skip -= (uint32_t)n;
		} else {
			memcpy(b->buf + b->have, p, n);
			b->have += (uint32_t)n;
			if (n == want && b->have == BMP_COMMON)
				b->error = bmp_header(b);
			if (b->error == 0 && b->have >= BMP_COMMON && b->have == b->len) {
				b->error = bmp_message(b);
				b->have = 0;
			}
		}
		p += n;
		len -= n;
	}
	return b->error;
}
