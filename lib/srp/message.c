/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages and heartbeat bodies: WIRE.md. Each writer stands beside its reader, fields in the same
 * order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "srp_pvt.h"

void srp_body_write(struct wr *w, const struct srp_body *b)
{
	wr_u8(w, SRP_VERSION);
	wr_u8(w, b->side);
	wr_u8(w, b->state);
	wr_u8(w, b->mode);
	wr_u8(w, b->priority);
	wr_u8(w, b->rm);
	wr_u8(w, b->restart_counter);
	wr_bytes(w, b->mac, sizeof(b->mac));
	wr_u64(w, b->term);
	wr_u64(w, b->highest);
	wr_u64(w, b->floor);
	wr_u32(w, b->incarnation);
	wr_u32(w, b->hears);
	wr_u32(w, b->serial);
	wr_u64(w, b->capabilities);
}

int srp_body_read(struct rd *r, struct srp_body *b)
{
	uint8_t version = rd_u8(r);

	b->side = rd_u8(r);
	b->state = rd_u8(r);
	b->mode = rd_u8(r);
	b->priority = rd_u8(r);
	b->rm = rd_u8(r);
	b->restart_counter = rd_u8(r);
	rd_copy(r, b->mac, sizeof(b->mac));
	b->term = rd_u64(r);
	b->highest = rd_u64(r);
	b->floor = rd_u64(r);
	b->incarnation = rd_u32(r);
	b->hears = rd_u32(r);
	b->serial = rd_u32(r);
	b->capabilities = rd_u64(r);
	if (r->bad || version != SRP_VERSION || b->side > 1 || b->state > SRP_PENDING_STANDBY ||
		b->mode > SRP_PRIMARY || b->priority == 0 || b->rm == 0 || b->incarnation == 0 ||
		b->term >> 1 > SRP_NUMBER_MAX || b->highest >> 1 > SRP_NUMBER_MAX ||
		b->floor > SRP_NUMBER_MAX)
		return -EBADMSG;
	return 0;
}

static void message_text_write(struct wr *w, const char *text)
{
	size_t n = strnlen(text, SRP_REASON_MAX - 1);

	wr_u8(w, (uint8_t)n);
	wr_bytes(w, text, n);
}

/* It ends up in logs and on terminals. */
static void message_text_read(struct rd *r, char to[SRP_REASON_MAX])
{
	struct rd t;
	size_t n = rd_u8(r);

	t = rd_sub(r, n);
	if (n >= SRP_REASON_MAX)
		r->bad = true;
	if (r->bad)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = rd_u8(&t);

		to[i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	to[n] = '\0';
}

static void message_wire_write(struct wr *w, const struct srp_wire *s)
{
	wr_u8(w, s->version_min);
	wr_u8(w, s->version_max);
	wr_u16(w, s->mtu);
}

/* Who says nothing of it speaks version 1 alone. */
static void message_wire_read(struct rd *r, struct srp_wire *s)
{
	*s = (struct srp_wire){ .version_min = 1, .version_max = 1 };
	if (r->left == 0)
		return;
	s->version_min = rd_u8(r);
	s->version_max = rd_u8(r);
	s->mtu = rd_u16(r);
	if (s->version_min == 0 || s->version_min > s->version_max)
		r->bad = true;
}

enum { HELLO_UNLICENSED = 1, HELLO_TELLS_LINES = 2 };

static void message_hello_write(struct wr *w, const struct srp_msg *m)
{
	srp_body_write(w, &m->body);
	wr_u32(w, m->capacity);
	wr_u64(w, m->config_digest);
	message_text_write(w, m->text);
	message_wire_write(w, &m->wire);
	wr_u8(w, (m->unlicensed ? HELLO_UNLICENSED : 0) | (m->tells_lines ? HELLO_TELLS_LINES : 0));
	wr_u32(w, m->health.known);
	wr_u32(w, m->health.failed);
	wr_u64(w, m->next_digest);
	wr_u32(w, m->next_number);
	wr_u32(w, m->promise);
}

static void message_hello_read(struct rd *r, struct srp_msg *m)
{
	if (srp_body_read(r, &m->body) < 0 || m->body.incarnation != m->incarnation)
		r->bad = true;
	m->capacity = rd_u32(r);
	m->config_digest = rd_u64(r);
	message_text_read(r, m->text);
	message_wire_read(r, &m->wire);
	/* An earlier release ends here: licensed, and it would take WANT_LINES for malformed. */
	if (r->left > 0) {
		uint8_t flags = rd_u8(r);

		m->unlicensed = (flags & HELLO_UNLICENSED) != 0;
		m->tells_lines = (flags & HELLO_TELLS_LINES) != 0;
	}
	if (r->left > 0) { /* an earlier one's monitors say nothing */
		m->health.known = rd_u32(r);
		m->health.failed = rd_u32(r);
	}
	/* In an earlier one nothing waits. */
	m->next_digest = 0;
	if (r->left > 0) {
		m->next_digest = rd_u64(r);
		m->next_number = rd_u32(r);
		m->promise = rd_u32(r);
	}
	/* A later release may add fields behind. */
	if (!r->bad)
		r->left = 0;
}

static void id_write(struct wr *w, const struct srp_msg *m)
{
	wr_u32(w, m->id);
}

static void id_read(struct rd *r, struct srp_msg *m)
{
	m->id = rd_u32(r);
}

static void message_offer_write(struct wr *w, const struct srp_msg *m)
{
	wr_u64(w, m->offered);
	wr_u64(w, m->number);
	wr_u32(w, m->to);
	wr_u8(w, m->cause);
	wr_u8(w, m->forced);
}

static void message_offer_read(struct rd *r, struct srp_msg *m)
{
	m->offered = rd_u64(r);
	m->number = rd_u64(r);
	m->to = rd_u32(r);
	m->cause = rd_u8(r);
	m->forced = (rd_u8(r) & 1) != 0;
}

static void refuse_write(struct wr *w, const struct srp_msg *m)
{
	wr_u64(w, m->offered);
	message_text_write(w, m->text);
}

static void refuse_read(struct rd *r, struct srp_msg *m)
{
	m->offered = rd_u64(r);
	message_text_read(r, m->text);
}

static void message_confirm_write(struct wr *w, const struct srp_msg *m)
{
	wr_u64(w, m->offered);
	wr_u8(w, m->rm);
}

static void message_confirm_read(struct rd *r, struct srp_msg *m)
{
	m->offered = rd_u64(r);
	m->rm = rd_u8(r);
	if (m->rm == 0)
		r->bad = true;
}

static void goodbye_write(struct wr *w, const struct srp_msg *m)
{
	wr_u8(w, m->was_active);
}

static void goodbye_read(struct rd *r, struct srp_msg *m)
{
	m->was_active = (rd_u8(r) & 1) != 0;
}

static void want_lines_write(struct wr *w, const struct srp_msg *m)
{
	wr_u64(w, m->digest);
	wr_u32(w, m->offset);
}

static void want_lines_read(struct rd *r, struct srp_msg *m)
{
	m->digest = rd_u64(r);
	m->offset = rd_u32(r);
}

static void message_lines_write(struct wr *w, const struct srp_msg *m)
{
	wr_u64(w, m->digest);
	wr_u32(w, m->offset);
	wr_u32(w, m->total);
	wr_u16(w, m->piece_len);
	wr_bytes(w, m->piece, m->piece_len);
}

static void message_lines_read(struct rd *r, struct srp_msg *m)
{
	m->digest = rd_u64(r);
	m->offset = rd_u32(r);
	m->total = rd_u32(r);
	m->piece_len = rd_u16(r);
	m->piece = rd_bytes(r, m->piece_len);
}

static const struct {
	void (*write)(struct wr *w, const struct srp_msg *m);
	void (*read)(struct rd *r, struct srp_msg *m);
} codecs[] = {
	[SRP_MSG_HELLO] = { message_hello_write, message_hello_read },
	[SRP_MSG_ASK] = { id_write, id_read },
	[SRP_MSG_ANSWER] = { id_write, id_read },
	[SRP_MSG_OFFER] = { message_offer_write, message_offer_read },
	[SRP_MSG_REFUSE] = { refuse_write, refuse_read },
	[SRP_MSG_CONFIRM] = { message_confirm_write, message_confirm_read },
	[SRP_MSG_GOODBYE] = { goodbye_write, goodbye_read },
	[SRP_MSG_WANT_LINES] = { want_lines_write, want_lines_read },
	[SRP_MSG_LINES] = { message_lines_write, message_lines_read },
	[SRP_MSG_WANT_NUMBERS] = { want_lines_write, want_lines_read },
	[SRP_MSG_NUMBERS] = { message_lines_write, message_lines_read },
};

int srp_msg_read(const uint8_t *p, size_t len, struct srp_msg *m)
{
	struct rd r = rd_init(p, len);
	uint8_t version = rd_u8(&r), type = rd_u8(&r);

	*m = (struct srp_msg){ 0 };
	m->type = (enum srp_type)type;
	m->incarnation = rd_u32(&r);
	m->term = rd_u64(&r);
	if (r.bad || version != SRP_VERSION || type < SRP_MSG_HELLO || type > SRP_MSG_LAST ||
		m->incarnation == 0 || m->term >> 1 > SRP_NUMBER_MAX)
		return -EBADMSG;
	codecs[type].read(&r, m);
	if (r.bad || r.left > 0 || m->offered >> 1 > SRP_NUMBER_MAX)
		return -EBADMSG;
	return 0;
}

size_t srp_msg_write(const struct srp_msg *m, uint8_t *to, size_t room)
{
	struct wr w = wr_init(to, room);

	wr_u8(&w, SRP_VERSION);
	wr_u8(&w, (uint8_t)m->type);
	wr_u32(&w, m->incarnation);
	wr_u64(&w, m->term);
	codecs[m->type].write(&w, m);
	return w.bad ? 0 : room - w.left;
}
