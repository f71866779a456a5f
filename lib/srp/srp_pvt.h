/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside lib/srp: the object, and what its files owe each other. Every decision is level-triggered:
 * each event records a fact, then srp_settle() applies the rules to all facts. A deadline is only
 * ever looked at through srp_reached(), which also notes when it falls due. */
#ifndef TANDEM_SRP_PVT_H
#define TANDEM_SRP_PVT_H

#include "common/cursor.h"
#include "srp/srp.h"

enum {
	SRP_VERSION = 1,
	SRP_BODY = 57,   /* bytes of a heartbeat's body */
	SRP_RETIRED = 4, /* incarnations of the peer that are known to be gone */
	SRP_QUEUE = 48,  /* actions that one event may cause, with room to spare */
	SRP_RM_MAX = 255,
	SRP_RECENT = 16,     /* lists of numbers that the peer may have while the stream runs */
	SRP_PIECE = 448,     /* bytes of a configuration's lines a message */
	SRP_ACKED_MS = 1000, /* a planned switchover needs everything acknowledged within this */
};

/* Numbers above it are nobody's: they would overflow when they are counted on. */
#define SRP_NUMBER_MAX (UINT64_C(1) << 62)

enum srp_type {
	SRP_MSG_HELLO = 1,
	SRP_MSG_ASK,
	SRP_MSG_ANSWER,
	SRP_MSG_OFFER,
	SRP_MSG_REFUSE,
	SRP_MSG_CONFIRM,
	SRP_MSG_GOODBYE,
	SRP_MSG_WANT_LINES,
	SRP_MSG_LINES,
	SRP_MSG_WANT_NUMBERS,
	SRP_MSG_NUMBERS,
	SRP_MSG_LAST = SRP_MSG_NUMBERS,
};

/* What a chassis says of itself, on both paths. */
struct srp_body {
	uint8_t side, state, mode, priority, rm, restart_counter, mac[6];
	srp_term_t term, highest;
	uint64_t floor; /* numbers up to it may have been used before the last start */
	uint32_t incarnation, hears, serial;
	uint64_t capabilities; /* beside the version: what else the sender can do, a bit each */
};

struct srp_msg {
	enum srp_type type;
	uint32_t incarnation;
	srp_term_t term;
	struct srp_body body;     /* HELLO */
	uint32_t capacity;        /* HELLO */
	uint64_t config_digest;   /* HELLO: of what runs */
	uint64_t next_digest;     /* HELLO: of what is next; 0: nothing waits */
	uint32_t next_number;     /* HELLO: counts what was next */
	uint32_t promise;         /* HELLO: number of the peer's next that the sender goes on to */
	struct srp_wire wire;     /* HELLO */
	bool unlicensed;          /* HELLO: no licence of session recovery there */
	bool tells_lines;         /* HELLO: answers WANT_LINES */
	struct srp_health health; /* HELLO */
	/* WANT_LINES, LINES: of the configuration that is asked for; WANT_NUMBERS, NUMBERS: of the
	 * list, 0 in WANT_NUMBERS: of any */
	uint64_t digest;
	uint32_t offset, total; /* WANT_* (offset), LINES, NUMBERS: in bytes of the whole text */
	const uint8_t *piece;   /* LINES, NUMBERS: in bytes that were read, or are to be written */
	uint16_t piece_len;     /* LINES, NUMBERS */
	uint32_t id;            /* ASK, ANSWER */
	srp_term_t offered;     /* OFFER, REFUSE, CONFIRM */
	uint64_t number;        /* OFFER: the last packet to be applied, 0: any */
	uint32_t to;            /* OFFER: incarnation that may accept */
	uint8_t cause;          /* OFFER */
	bool forced;            /* OFFER */
	uint8_t rm;             /* CONFIRM */
	bool was_active;        /* GOODBYE */
	char text[SRP_REASON_MAX]; /* HELLO: a hint, empty in this release; REFUSE: why */
};

/* Sequences of steps. Each has a deadline and a defined end. */
enum srp_plan_kind {
	PLAN_NONE,
	PLAN_JOIN,    /* Standby: begin to write */
	PLAN_PROMOTE, /* Pending-Active */
	PLAN_RAISE,   /* Active: stream on in a higher term */
	PLAN_OFFER,   /* Pending-Standby: hold, flush, offer, wait for the peer */
	PLAN_RESUME,  /* Pending-Standby: the offer came to nothing */
	PLAN_YIELD,   /* Pending-Standby: the peer took over */
	PLAN_DEMOTE,  /* Pending-Standby: not ours any more */
	PLAN_LEAVE,   /* Pending-Standby: shutdown with nobody to take over */
	PLAN_MAX,
};

struct srp_plan {
	enum srp_plan_kind kind;
	unsigned int at; /* index of the step that is awaited */
	srp_term_t term, old_term;
	enum srp_cause cause;
	bool planned, alone, forced;
	bool begun; /* the first step was asked for */
	/* PLAN_PROMOTE: what this chassis was, and is again when its claim comes to nothing */
	enum srp_state from;
	bool joining;     /* PLAN_PROMOTE: it took the place of a PLAN_JOIN that had not ended */
	bool offered;     /* PLAN_OFFER: the offer is out */
	bool given_up;    /* PLAN_OFFER: it came to nothing, and waits for a term to resume in */
	srp_term_t offer; /* PLAN_OFFER */
	uint64_t number;  /* last packet: offered, or to be applied before owning */
	uint32_t to;      /* PLAN_OFFER: incarnation of the peer that was offered to */
	usec_t due, acked_due;
};

/* What was heard of the peer and when. Times in the past move when the own loop did not run. */
struct srp_life {
	usec_t stream_given; /* as the stream reported it last */
	usec_t stream, srp;  /* last sign of life, USEC_NEVER: never */
	bool asking;         /* the stream is silent: asks are going out */
	usec_t ask_first, ask_last, answered;
	uint32_t ask_id, ask_id_first;
	bool path_down; /* an answer came although the stream was silent for too long */
	bool refused, left, dead;
	usec_t dead_at;
	usec_t heard_at; /* when the peer last spoke of itself; stalls do not move it */
	usec_t first;    /* first sign of life of any kind */
	/* as standby: the end of a sleep in which the peer may have begun another life; USEC_NEVER:
	 * none */
	usec_t slept_at;
};

/* What may still move the end of a boot. */
struct srp_boot {
	usec_t stalls;         /* time of stalls up to the window */
	unsigned int again;    /* longer stalls */
	unsigned int meetings; /* how often somebody began to prove who it is, or connected */
};

/* Whether an address is answered by somebody else, before a boot alone. */
enum srp_probe_state { PROBE_IDLE, PROBE_OUT, PROBE_FREE, PROBE_TAKEN };
struct srp_probe {
	enum srp_probe_state state;
	usec_t due;   /* OUT: counts as FREE. FREE: no longer true. TAKEN: to be asked again */
	char who[96]; /* TAKEN: as the alarm has it */
};

/* The peer's configuration: what was fetched, and what came of its comparison. */
struct srp_lines {
	bool met, told; /* a hello came over this connection; its sender answers WANT_LINES */
	bool asking;
	uint64_t digest; /* of what is fetched, or was last */
	char *text;
	size_t have, total, room;
	usec_t asked_at, due;
	/* By the last comparison of this life and this digest of the peer's. */
	uint32_t of;
	uint64_t compared_digest;
	bool compared;
	unsigned int n; /* keys that differ */
	char first[SRP_REASON_MAX];
};

/* What both chassis judge each other by. */
struct srp_times {
	usec_t hello_us, dead_us, heartbeat_us;
	usec_t window_us; /* heartbeat x multiplier */
};

/* A configuration that was loaded and does not run yet, and the one that ran before, for as long as
 * the peer may still be timed by it. */
struct srp_next {
	bool on;         /* something waits */
	uint32_t number; /* grows with each that waits, or does not wait any more */
	/* seat 1: number of seat 0's that is the same; that may run it, so that it cannot be taken
	 * back here; 0: none */
	uint32_t promise;
	uint64_t digest;
	usec_t since;
	struct srp_times times;
	bool eased;         /* `was` counts, too */
	usec_t eased_until; /* eased: USEC_NEVER: the peer does not run the same yet */
	/* the longest and the shortest that ran since both ran the same */
	struct srp_times was, least;
	/* What follows: the largest of all that count, by which the peer is judged. */
	struct srp_times judge;
};

/* The lists of numbers, the own and the peer's. */
struct srp_numbers {
	bool on; /* the caller has lists at all */
	const char *own;
	size_t own_len;
	uint64_t own_digest;
	/* Lists that followed the one that both had, oldest first, the own at the end: the peer may
	 * have any of them while the stream runs. */
	uint64_t recent[SRP_RECENT];
	unsigned int n_recent;
	bool kept;     /* both had the same in this life of the peer, and one of these since */
	bool met;      /* the peer's was whole, or none, over this connection */
	bool fetching; /* it is asked for */
	bool whole;    /* all of the peer's is here, of this life of it */
	bool doubted;  /* it may be another since: to be asked for */
	uint64_t digest;
	char *text;
	size_t have, total, room;
	usec_t asked_at;
	usec_t awaited_since; /* a boot waits for it; USEC_NEVER: none did */
	/* for which lists and roles the caller was asked last */
	uint64_t offered, offered_to;
	bool offered_held;
};

struct srp {
	struct srp_conf conf;
	struct srp_info info;
	struct srp_stream stream;
	struct srp_plan plan;
	struct srp_life life;
	struct srp_probe probe;
	struct srp_boot boot;

	uint64_t floor, peer_floor; /* term numbers that may have been used before the last start */
	srp_term_t own_last;        /* the last term of our own */
	srp_term_t late_term;       /* of the peer: its late usage is accepted */
	uint64_t reserve_asked;
	bool reserve_out, reserve_failed;
	usec_t reserve_retry;
	uint8_t counter_asked, counter_saved;
	bool counter_raised;

	struct srp_lines lines;
	struct srp_next next;
	struct srp_numbers numbers;
	/* as Standby: the copy may be as old as a mismatch, by which the stream stops */
	bool copy_outdated;
	usec_t stream_allowed_since; /* since when it does not any more; USEC_NEVER: it does */
	uint32_t peer_serial, retired[SRP_RETIRED];
	unsigned int n_retired;

	usec_t boot_due, hello_due, peer_state_since, one_way_since, connection_since;
	usec_t connected_at;  /* when the connection came up last; USEC_NEVER: never */
	usec_t connecting_at; /* since when one is being proven; USEC_NEVER: none is */
	usec_t same_side_at; /* when another chassis of our own side was heard; USEC_NEVER: never */
	/* a stall changed rm: it is advertised if nothing else resolves it until then */
	usec_t metric_due;
	uint8_t rm_announced;
	usec_t silent_since; /* USEC_NEVER: not */

	bool shutting, shut_tried, gone;
	struct srp_health health; /* as the own monitors say */

	/* No promotion of our own before: the last claim came to nothing, and no other chassis
	 * has had its turn since; 0: not so. */
	usec_t claim_due;

	enum srp_cause request;            /* of a monitor, while Active; SRP_CAUSE_NONE: none */
	usec_t request_due;                /* not before: the last try came to nothing */
	char request_text[SRP_REASON_MAX]; /* as the alarm has it; "": none */

	uint32_t serial;
	struct srp_body said; /* what heartbeats carry now */

	usec_t due; /* earliest deadline found by the last srp_settle */
	unsigned int head, n;
	struct srp_action queue[SRP_QUEUE];
};

/* ---- srp.c ---- */
struct srp_action *srp_emit(struct srp *s, enum srp_action_kind kind);
void srp_send(struct srp *s, struct srp_msg *m);
void srp_move(struct srp *s, enum srp_state to, enum srp_cause cause, usec_t now);
void srp_settle(struct srp *s, usec_t now);
/* What heartbeats say from now on, until the process ends: that nobody need wait for it. */
void srp_last_word(struct srp *s);
/* Has the deadline passed? If not it is noted as due. */
bool srp_reached(struct srp *s, usec_t deadline, usec_t now);
void srp_alarm(struct srp *s, enum srp_alarm alarm, bool raised, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void srp_alarm_clear(struct srp *s, enum srp_alarm alarm);
static inline usec_t srp_after(usec_t t, usec_t us)
{
	return t == USEC_NEVER ? USEC_NEVER : t + us;
}
/* The later of two times of which each may be USEC_NEVER for never. */
static inline usec_t srp_latest(usec_t a, usec_t b)
{
	if (a == USEC_NEVER || b == USEC_NEVER)
		return a == USEC_NEVER ? b : a;
	return a > b ? a : b;
}

/* ---- agree.c ---- */
/* The times follow from the configuration that runs; after srp_create() took it. */
void srp_next_begin(struct srp *s);
/* What the peer's hello says of its configurations, adopted by srp_compare(). */
void srp_next_hello(struct srp *s, usec_t now);
/* The peer is another process, or gone: what was promised to it is void. */
void srp_next_peer_new(struct srp *s);
void srp_next_turn(struct srp *s, usec_t now);
/* What ran is about to be replaced by `c`; nothing waits any more. */
void srp_next_take(struct srp *s, const struct srp_conf *c);
/* What runs on one of the two chassis is what runs, or is next, on the other. */
bool srp_next_agrees(const struct srp *s);

/* Draws the conclusions of what must be equal or fit. */
void srp_judge(struct srp *s, usec_t now);
/* What the hello says of what must be equal or fit. */
void srp_compare(struct srp *s, const struct srp_msg *m, usec_t now);

/* ---- message.c ---- */
int srp_msg_read(const uint8_t *p, size_t len, struct srp_msg *m);
size_t srp_msg_write(const struct srp_msg *m, uint8_t *to, size_t room);
int srp_body_read(struct rd *r, struct srp_body *b);
void srp_body_write(struct wr *w, const struct srp_body *b);

/* ---- peer.c ---- */
/* Takes over what the peer says of itself. -ESTALE: from a life that is over; -EBADMSG: cannot be
 * the peer's. */
int srp_peer_said(struct srp *s, const struct srp_body *b, usec_t now);
/* Whether the sender is the peer as we know it. */
/* Whether what its hello said forbids a stream between the two; `why` is written only then, and
 * says what to do. */
bool srp_peer_differs(const struct srp *s, char why[SRP_REASON_MAX]);
bool srp_peer_is(const struct srp *s, uint32_t incarnation);

/* ---- lines.c ---- */
void srp_lines_connected(struct srp *s);
void srp_lines_hello(struct srp *s, const struct srp_msg *m, usec_t now);
void srp_lines_turn(struct srp *s, usec_t now);
int srp_on_want_lines(struct srp *s, const struct srp_msg *m);
int srp_on_lines(struct srp *s, const struct srp_msg *m, usec_t now);
/* Whether the two configurations differ, by digest or by key; `why` is written only then. */
bool srp_lines_differ(const struct srp *s, char why[SRP_REASON_MAX]);

/* ---- numbers.c ---- */
void srp_numbers_connected(struct srp *s);
void srp_numbers_hello(struct srp *s, usec_t now);
void srp_numbers_turn(struct srp *s, usec_t now);
/* Asks for the peer's list from its beginning. */
void srp_numbers_fetch(struct srp *s, usec_t now);
int srp_on_want_numbers(struct srp *s, const struct srp_msg *m);
int srp_on_numbers(struct srp *s, const struct srp_msg *m, usec_t now);
/* In Init, about to become Active: the peer's list is about to come, and may count. */
bool srp_numbers_awaited(struct srp *s, usec_t now);

/* ---- revision.c ---- */
/* What was fetched is of a process that is gone. */
void srp_numbers_new_life(struct srp *s);
/* The peer's list may be another before it says so: it is asked again before a stream goes to it.
 */
void srp_numbers_doubt(struct srp *s, usec_t now);
/* Once in each settling: that is so of who is taken for dead, or is Active beside this chassis. */
void srp_numbers_look(struct srp *s, usec_t now);
/* The own list is another now. */
void srp_numbers_revised(struct srp *s);
/* One of the two lists is another now, and so may be what a stream may do. */
void srp_numbers_judge(struct srp *s, usec_t now);
/* Whether both have the same list; of who has no lists at all: yes. */
bool srp_numbers_same(const struct srp *s);
/* Whether the lists allow a stream: they are the same, or were, and the Active has revised its own
 * since, which the other is about to take. */
bool srp_numbers_agree(struct srp *s);

/* ---- liveness.c ---- */
void srp_life_update(struct srp *s, usec_t now);
void srp_life_answer(struct srp *s, uint32_t id, usec_t now);
/* others: by how much what no listener counts moves. */
void srp_life_stall(struct srp *s, usec_t us, usec_t stream_us, usec_t others, usec_t now);
/* Known, and neither dead nor gone. */
bool srp_peer_alive(const struct srp *s);
/* The silence of the stream after which it is dead. */
static inline usec_t srp_window(const struct srp *s)
{
	return s->next.judge.window_us;
}
/* After so long a stall of its own a chassis may have been replaced. */
static inline usec_t srp_patience(const struct srp *s)
{
	return s->info.patience_us;
}

/* ---- term.c ---- */
/* The next term of our own, or 0: the reserve is empty. */
srp_term_t srp_term_take(struct srp *s);
bool srp_term_can_offer(const struct srp *s);
/* The next term of the peer's. */
srp_term_t srp_term_offer(struct srp *s);
bool srp_term_usable(const struct srp *s, srp_term_t t);
uint64_t srp_term_left(const struct srp *s);
void srp_term_seen(struct srp *s, srp_term_t t);
void srp_reserve_check(struct srp *s, usec_t now);
/* Raises the pair's restart counter if every session is lost with this start; false until that is
 * durable. */
bool srp_counter_ready(struct srp *s);
void srp_counter_learn(struct srp *s, const struct srp_body *b);

/* ---- election.c ---- */
/* > 0: this chassis wins, < 0: the peer, 0: nothing tells them apart. */
int srp_order_startup(const struct srp *s);
int srp_order_dual(const struct srp *s);
/* Active, or on the way to that or from it. */
bool srp_peer_holds(const struct srp *s);
uint8_t srp_rm_start(const struct srp *s);
uint8_t srp_rm_behind_peer(const struct srp *s);
/* A Standby becomes Active: the alarm says whether it had all. */
void srp_unvouched(struct srp *s);
void srp_rules(struct srp *s, usec_t now);
bool srp_promote(struct srp *s, enum srp_cause cause, bool alone, usec_t now);
/* Pending-Active, and the claim came to nothing: as it was before the promotion. */
void srp_promote_undo(struct srp *s, usec_t now);

/* ---- boot.c ---- */
void srp_boot_begin(struct srp *s, usec_t now);
/* Nobody listened for so long: by how much deadlines move. In Init that is bounded. */
usec_t srp_boot_stalled(struct srp *s, usec_t us);
/* When nobody will come any more, as far as is known now; that may change at
 * srp_boot_heard_until(): USEC_NEVER, or when what is heard and not understood counts as silent. */
usec_t srp_boot_alone_due(const struct srp *s, usec_t now);
usec_t srp_boot_heard_until(const struct srp *s);
/* When somebody who should have become Active did not for so long that waiting for it serves
 * nobody. */
usec_t srp_boot_peer_due(const struct srp *s);
/* Alone, and about to become Active: true if nobody answers for a VIP, as far as is known. Asks if
 * it is not known. */
bool srp_probe_free(struct srp *s, usec_t now);
/* Not alone, or not any more in want of an answer. */
void srp_probe_forget(struct srp *s);

/* ---- plan.c ---- */
void srp_plan_start(
	struct srp *s, enum srp_plan_kind kind, srp_term_t term, enum srp_cause cause, usec_t now);
void srp_plan_check(struct srp *s, usec_t now);
void srp_plan_done(struct srp *s, enum srp_step step, srp_term_t term, bool ok, uint64_t number,
	const char *why, usec_t now);
void srp_plan_skip(struct srp *s, usec_t now);
/* In a pending state: which step is awaited, and what follows from its deadline. */
void srp_plan_waits_for(const struct srp *s, char text[SRP_REASON_MAX], usec_t now);
void srp_demote(struct srp *s, enum srp_cause cause, usec_t now);
void srp_abort(struct srp *s, const char *why);

/* ---- switchover.c ---- */
/* Would a planned switchover be refused, and why; `reason` is "ok" if not. 0 or -errno. */
int srp_check(const struct srp *s, bool force, char reason[SRP_REASON_MAX]);
void srp_offer_begin(struct srp *s, enum srp_cause cause, bool forced, usec_t now);
void srp_offer_send(struct srp *s);
void srp_offer_give_up(struct srp *s, const char *why, usec_t now);
void srp_offer_taken(struct srp *s, usec_t now);
void srp_offer_check(struct srp *s, usec_t now);
void srp_refuse(struct srp *s, srp_term_t offered, const char *why);
/* Pending-Active by an offer, which is void: back to Standby. */
void srp_offer_back_out(struct srp *s, usec_t now);
void srp_on_offer(struct srp *s, const struct srp_msg *m, usec_t now);
void srp_on_refuse(struct srp *s, const struct srp_msg *m, usec_t now);
void srp_on_confirm(struct srp *s, const struct srp_msg *m, usec_t now);
void srp_on_goodbye(struct srp *s, const struct srp_msg *m, usec_t now);
void srp_shutdown_check(struct srp *s, usec_t now);
void srp_goodbye(struct srp *s, bool was_active);

/* ---- request.c ---- */
void srp_request_check(struct srp *s, usec_t now);
/* Not Active any more: what was asked for is over. */
void srp_request_forget(struct srp *s);

#endif
