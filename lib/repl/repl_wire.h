/* SPDX-License-Identifier: BSD-3-Clause */
/* repl_wire: the bytes of lib/repl's packets (WIRE.md). Stateless; internal to the library. */
#ifndef TANDEM_REPL_WIRE_H
#define TANDEM_REPL_WIRE_H

#include "repl/repl.h"

enum {
	REPL_F_PHASE = 1 << 0,   /* key phase */
	REPL_F_ORDERED = 1 << 1, /* state records; else control records */
	REPL_RANGES = 32,        /* ranges of an ACK at most */
	REPL_RECORD = REPL_RECORD_HEAD,
	REPL_ACK_HEAD = 17, /* stream u32 | largest u64 | delay u32 | n u8 */
	REPL_ACK_RANGE = 8, /* skip u32 | run u32 */
	REPL_HEARTBEAT_HEAD = 16,
	REPL_HEARTBEAT_MAX = 128,
	REPL_STATUS_BYTES = 28,
	REPL_ACCOUNT_BYTES = 4 + 8 * (2 + REPL_REFUSED_REASONS),
};

struct repl_header {
	uint8_t version, flags;
	uint16_t key;
	uint64_t number;
	uint32_t sender, receiver; /* incarnations; receiver 0: not known yet */
	repl_term_t term;
	uint32_t stream;
	uint32_t offset; /* from the stream's first number, saturating */
	uint32_t sent;   /* low 32 bits of the sender's clock, us */
};

void repl_header_write(uint8_t pkt[REPL_HEADER], const struct repl_header *h);
/* The caller has seen to it that REPL_HEADER bytes are there. */
void repl_header_read(const uint8_t pkt[REPL_HEADER], struct repl_header *h);

/* The next record; false at the end. Bad framing sets r->bad. */
bool repl_record_next(struct rd *r, uint8_t *kind, struct rd *body);

struct repl_walk {
	uint32_t kinds; /* bit set of known kinds seen */
	unsigned int unknown;
	uint64_t hb_sent; /* of the heartbeat, if there is one */
};

/* Checks the framing and fixed parts of all records against the packet's class before anything is
 * used. -EBADMSG. */
int repl_walk(const uint8_t *records, size_t len, bool ordered, struct repl_walk *walk);

struct repl_range {
	uint64_t lo, hi; /* both acknowledged */
};

struct repl_ack {
	uint32_t stream;
	uint64_t largest;
	uint32_t delay;
	unsigned int n;
	struct repl_range range[REPL_RANGES]; /* descending */
};

void repl_account_write(struct wr *w, const struct repl_received *a);
/* -EBADMSG. */
int repl_account_read(struct rd *body, struct repl_received *a);
void repl_ack_write(struct wr *w, const struct repl_ack *a);
int repl_ack_read(struct rd *body, struct repl_ack *a);

#endif
