/* SPDX-License-Identifier: BSD-3-Clause */
/* repl_priv: what the library's files share. Sender (repl_send.c), receiver (repl_recv.c),
 * judgement of freshness (repl_life.c), and the door with its timers (repl.c). */
#ifndef TANDEM_REPL_PRIV_H
#define TANDEM_REPL_PRIV_H

#include "repl/keys.h"
#include "repl_wire.h"

enum {
	/* numbers remembered below the highest: above any span the window can have */
	REPL_SEEN = 16384,
	REPL_HELD = 16,    /* packets held behind a gap at most */
	REPL_PREVIOUS = 8, /* previous incarnations of the peer that are remembered */
	REPL_MAX_ACK_DELAY = 2000,
	REPL_GRANULARITY = 1000,
	REPL_INITIAL_RTT = 10000, /* a direct link; one sample replaces it */
	/* a PING is cheap, and what a dead link held is repaired from the next one */
	REPL_PTO_MAX = 100000,
	/* packets declared lost by one detection, so that their owners' rings hold */
	REPL_LOST_A_TURN = 128,
	REPL_STATUS_US = 50000,
	REPL_STATUS_MIN_US = 5000,
	REPL_ACCOUNT_US = 50000, /* how often the account is sent, changed or not */
	REPL_ACCOUNT_MIN_US = 5000,
	REPL_WANT_US = 5000,       /* how often the audit is asked at least */
	REPL_SILENCE_US = 1000000, /* after that the memory of previous incarnations yields */
	REPL_DELAY_SPAN_US = 10000000,
};

enum repl_sent_state { REPL_SENT, REPL_ACKED, REPL_LOST };

struct repl_sent {
	uint64_t number;
	usec_t at;
	uint8_t owner, n, state;
};

struct repl_tx {
	uint8_t version;
	uint64_t number; /* last one used, of any packet */
	uint32_t stream; /* id of the last one started */
	bool streaming;
	repl_term_t term;
	uint64_t first, last_state;
	/* Ring by index & (REPL_WINDOW - 1): [keep, tail) decided, kept to recognise a late ACK;
	 * [tail, head) may be open. */
	uint64_t head, tail, keep;
	unsigned int unacked;
	unsigned int window, threshold,
		/* congestion window; slow start below threshold; acknowledged towards 1 more */
		grown;
	usec_t halved;          /* when the window was last halved */
	uint64_t largest_acked; /* 0: none in this stream */
	usec_t loss_at, last_elicit;
	unsigned int backoff;
	bool ping_due;
	uint64_t ping; /* number of the last PING that is not acknowledged, 0 none */
	usec_t ping_at;
	usec_t srtt, rttvar, latest, min_rtt; /* srtt 0: no sample */
	struct repl_sent_records records;     /* in_flight is kept up to date */
	uint64_t account;                     /* number of the packet that brought the last one */
	struct repl_sent sent[REPL_WINDOW];
	repl_entry_t entry[REPL_WINDOW][REPL_ENTRIES];
};

struct repl_held {
	uint64_t number; /* 0: free */
	usec_t arrived;
	size_t len;
	uint8_t records[REPL_PACKET_MAX];
};

struct repl_rx {
	enum repl_receive mode;
	repl_term_t floor, late_term;
	uint8_t version; /* of the stream's packets */
	struct repl_received received;
	uint32_t stream; /* the highest id heard of this incarnation */
	bool begun;      /* being applied in this mode */
	repl_term_t term;
	uint64_t first;   /* of the stream */
	uint64_t next;    /* never goes back: what is below is applied, or will not be */
	uint64_t applied; /* highest ordered number of the stream */
	uint64_t highest; /* of all numbers */
	usec_t gap_since;
	bool ack_due;
	uint64_t ack_largest; /* highest ack-eliciting number taken; 0 none */
	usec_t ack_arrived;
	uint64_t seen[REPL_SEEN / 64], taken[REPL_SEEN / 64]; /* taken: may be acknowledged */
	unsigned int n_held;
	struct repl_held held[REPL_HELD];
};

/* Delay of packets relative to the quickest of the last 10 to 20 seconds. Clocks of the two chassis
 * share no origin. */
struct repl_life {
	bool known, exact;       /* exact: all 64 bits, from a heartbeat */
	int64_t quickest, newer; /* now - sent: least of the previous and of the current span */
	usec_t span_at;
	uint64_t hb_number, status_number;
};

struct repl {
	struct repl_params p;
	struct repl_ops ops;
	struct keys *keys; /* NULL: plain text */
	int slot;          /* that seals the last packet made; -1 none */
	struct repl_counters count;
	struct repl_tx tx;
	struct repl_rx rx;
	struct repl_life life;
	uint32_t peer;
	uint32_t previous[REPL_PREVIOUS];
	unsigned int previous_at;
	usec_t heard;
	bool hears_us;
	struct repl_status peer_status;
	/* heartbeats and reports */
	repl_term_t hb_term;
	uint8_t hb_body[REPL_HEARTBEAT_MAX];
	size_t hb_len;
	bool hb_set, hb_now;
	usec_t hb_at;
	int64_t pair_offset;
	struct repl_status status; /* as sent last */
	usec_t status_at, want_at, account_at;
	struct repl_received account; /* as sent last */
};

static inline size_t repl_tag(const struct repl *r)
{
	return r->keys != NULL ? REPL_TAG : 0;
}

static inline bool repl_has_key(const struct repl *r)
{
	return r->keys == NULL || keys_tx_id(r->keys, NULL) != 0;
}

/* repl_send.c */
void repl_tx_init(struct repl *r);
void repl_tx_ack(struct repl *r, const struct repl_ack *a, usec_t now);
void repl_tx_tick(struct repl *r, usec_t now);
usec_t repl_tx_due(const struct repl *r);
/* Fills the header of the next number in. < 0: no key to seal with; no number was used. */
int repl_tx_header(struct repl *r, uint8_t *pkt, repl_term_t term, uint8_t flags, usec_t now);
size_t repl_tx_ping(struct repl *r, uint8_t *pkt, usec_t now);

/* repl_recv.c */
enum repl_seen { REPL_SEEN_NEW, REPL_SEEN_BEFORE, REPL_SEEN_TOO_OLD };
void repl_rx_reset(struct repl *r);
enum repl_seen repl_rx_mark(struct repl *r, uint64_t number);
void repl_rx_duplicate(struct repl *r, const struct repl_header *h, bool eliciting, usec_t now);
void repl_rx_ordered(struct repl *r, const struct repl_header *h, const uint8_t *records,
	size_t len, usec_t now);
void repl_rx_control(struct repl *r, const struct repl_header *h, bool ping, usec_t now);
void repl_rx_tick(struct repl *r, usec_t now);
usec_t repl_rx_due(const struct repl *r);
void repl_rx_ack(struct repl *r, struct repl_ack *a, usec_t now);

/* repl_account.c: what became of every state record, on both sides */
/* on the records of one packet, until it is known whether the packet is taken */
struct repl_verdict {
	unsigned int applied, refused[REPL_REFUSED_REASONS];
};
void repl_account_refuse(struct repl_verdict *v, int error, unsigned int n);
void repl_account_taken(struct repl *r, const struct repl_verdict *v);
void repl_account_begin(struct repl *r, uint32_t stream); /* of the peer's streams */
void repl_account_end(
	struct repl *r, uint32_t next); /* of our own stream; next: the one that begins, 0 none */
bool repl_account_due(const struct repl *r, usec_t now);
void repl_account_put(struct repl *r, struct wr *w, usec_t now);
void repl_account_heard(struct repl *r, uint64_t number, struct rd *body);

/* repl_life.c */
/* Takes or refuses the sender's incarnation. */
bool repl_life_peer(struct repl *r, const struct repl_header *h, usec_t now);
/* Whether a packet of the current peer is fresh; *excess: its delay above the quickest. */
bool repl_life_fresh(struct repl *r, const struct repl_header *h, const struct repl_walk *walk,
	int64_t *excess, usec_t now);

#endif
