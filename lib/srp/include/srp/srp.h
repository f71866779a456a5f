/* SPDX-License-Identifier: BSD-3-Clause */
/* srp: who is active (lib/srp/README.md sections 1 to 6). A pure state machine: hellos,
 * heartbeats, link events, answers of the other cores, operator commands and time in; role,
 * messages and actions out. One caller (control core, or the simulator). Owns its memory; the
 * caller drains srp_next() after every call. */
#ifndef TANDEM_SRP_H
#define TANDEM_SRP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/counters.h"
#include "common/usec.h"

/* number << 1 | side: integers compare as terms do. 0: none. */
typedef uint64_t srp_term_t;

enum srp_state { SRP_INIT, SRP_STANDBY, SRP_PENDING_ACTIVE, SRP_ACTIVE, SRP_PENDING_STANDBY };
enum srp_mode { SRP_BACKUP, SRP_PRIMARY };

/* lib/srp/README.md section 3; 0: none. */
enum srp_cause {
	SRP_CAUSE_NONE = 0,
	SRP_CAUSE_AAA = 1,
	SRP_CAUSE_BGP = 2,
	SRP_CAUSE_BFD = 3,
	SRP_CAUSE_DIAMETER = 4,
	SRP_CAUSE_DUAL_ACTIVE = 7,
	SRP_CAUSE_DUAL_STANDBY = 8,
	SRP_CAUSE_DEAD_TIMER = 9,
	SRP_CAUSE_FORCED = 10,
	SRP_CAUSE_MANUAL = 11,
	SRP_CAUSE_ROUTE = 13,
	SRP_CAUSE_LINK = 14,
	SRP_CAUSE_LOCAL_FAULT = 15,
	SRP_CAUSE_STARTUP = 20,  /* first election after a start */
	SRP_CAUSE_SHUTDOWN = 21, /* SIGTERM here, or the peer's goodbye */
	/* a planned switchover that did not complete, Active again; or a claim that came to
	 * nothing, Standby or Init again */
	SRP_CAUSE_ABORTED = 22,
};

enum {
	SRP_RM_THRESHOLD = 16,
	SRP_RESERVE = 1000,
	SRP_MSG_MAX = 512,
	SRP_REASON_MAX = 160,
	SRP_LINES_MAX = 256 << 10,
	SRP_NUMBERS_MAX = 80 << 10, /* bytes of a list of numbers */
	/* a boot waits for the list of a peer that is connected for so long, and for a connection
	 * for dead_us at most */
	SRP_NUMBERS_US = 1000000
};

/* What a chassis' replication stream can be like (lib/repl/WIRE.md). */
struct srp_wire {
	uint8_t version_min, version_max; /* of its packets' format */
	uint16_t mtu;                     /* of the replication port; 0: not known */
};

struct srp_conf {
	uint8_t side; /* 0: lower bind address */
	enum srp_mode mode;
	uint8_t priority; /* 1..255, higher wins */
	uint8_t mac[6];   /* tie-breaker */
	/* Shared subnets: dual active is decided by the higher term, and whoever would become
	 * Active for being alone probes its VIPs first: SRP_ACT_PROBE. */
	bool l2;
	uint32_t incarnation;
	uint32_t capacity;      /* sessions; unequal capacities refuse a join */
	uint64_t config_digest; /* of what must agree; 0 is compared like any other */
	/* The same as text, for the peer to compare: the caller's, as long as the machine lives.
	 * Carried here and not beside this library, because who the peer is, whether a word of it
	 * is stale and when a connection begins anew are known here; what the lines mean is not.
	 * NULL: neither sent nor asked for. At most SRP_LINES_MAX bytes. */
	const char *lines;
	size_t lines_len;
	/* between comparisons while connected; 0: at connect and by command only */
	usec_t configuration_us;
	bool unlicensed;      /* no licence of session recovery: nobody joins */
	struct srp_wire wire; /* versions of 0: 1 to 1 */
	/* What this release can do beside the versions, a bit each (lib/srp/WIRE.md): sent in
	 * hellos and in the stream's heartbeats. What is done is what both can do. */
	uint64_t capabilities;
	/* name of the replication port, for the text that says what to do */
	char mtu_port[32];
	usec_t hello_us, dead_us, delay_us, heartbeat_us, pending_us;
	unsigned int dead_multiplier;
};

/* What was on disk. */
struct srp_saved {
	uint64_t reserve;        /* term numbers up to this may have been used */
	uint8_t restart_counter; /* GTP, the pair's */
};

/* What the stream reports; given whenever it changes, at least every few ms. */
struct srp_stream {
	usec_t heard; /* last sign of life of the peer in the stream; USEC_NEVER: never */
	bool hears_us;
	uint32_t unacked;     /* as active */
	uint64_t last_number; /* as active: of the last state packet */
	uint64_t applied;     /* as standby: of the last one applied */
	bool joined;          /* as standby: a whole pass matched since the join */
	/* as standby: the oldest of all buckets' last matches; USEC_NEVER: not joined */
	usec_t matched_since;
	/* as active: what the standby said last, pair time; 0: not in sync */
	uint64_t in_sync_since_ms;
	uint32_t in_sync_age_ms; /* as active: age of the worst bucket's match by that report */
	bool in_sync;            /* as active: age within two audit intervals */
	/* as active: how long the pass of the audit that runs may take yet; 0: not known */
	uint32_t sync_left_s;
	bool table_empty; /* no session lives in the table */
};

/* Steps that other cores carry out; each is answered by srp_done with the same step and term. */
enum srp_step {
	SRP_STEP_NONE,
	/* may this chassis become Active in `term`? Every promotion begins with it, whatever it was
	 * caused by, and nothing of the promotion happens before its answer. Refused, or late: the
	 * chassis is what it was before, and may ask again later, in a higher term. Two chassis
	 * without a witness answer it themselves, at once */
	SRP_STEP_CLAIM,
	/* replication core: apply all held, then stop applying. done: number = last applied */
	SRP_STEP_STOP,
	/* workers own their shards; quarantines and idle timers restart; Error Indications wait */
	SRP_STEP_OWN,
	/* VIPs, pool routes with metric = route modifier; once the kernel has confirmed them,
	 * announcements; then answer signalling */
	SRP_STEP_ACTIVATE,
	SRP_STEP_STREAM, /* start the stream in `term` towards the peer */
	SRP_STEP_HOLD,   /* leave new signalling unanswered; done when no commit waits */
	/* workers encode all that is dirty, then late mode; done (number = last packet) once all is
	 * acked */
	SRP_STEP_LATE,
	SRP_STEP_RESUME,     /* undo HOLD and LATE, stream on in a new `term` */
	SRP_STEP_DEACTIVATE, /* answer no signalling any more, then withdraw VIPs and routes */
	SRP_STEP_RELEASE,    /* workers let go (unplanned demotion) */
	/* replication core writes the slots from now on; own usage of `old_term` is sent as late
	 * usage */
	SRP_STEP_WRITE,
	SRP_STEPS,
};

enum srp_action_kind {
	/* `msg` to the peer over the SRP connection (drop if it is not connected) */
	SRP_ACT_SEND,
	SRP_ACT_CLOSE, /* close the SRP connection (protocol error); it will be made again */
	/* `msg`: body of heartbeats from now on, packets' term = `term`; `now`: one at once */
	SRP_ACT_HEARTBEAT,
	SRP_ACT_STEP, /* carry out `step` */
	/* make `number` durable as reserve and `restart_counter` with it, then srp_saved_reserve()
	 * */
	SRP_ACT_RESERVE,
	SRP_ACT_ROLE, /* state changed: from, to, cause, term (log, history) */
	/* the route modifier changed while routes are up: re-install them with `rm` */
	SRP_ACT_METRIC,
	/* `alarm` raised or cleared, with `text` that says what to do; raised again: other words */
	SRP_ACT_ALARM,
	SRP_ACT_PROBE, /* does anybody answer for a VIP? then srp_probed(). See there */
	/* the peer's lines are here: compare srp_peer_lines() with the own, then srp_compared() */
	SRP_ACT_LINES,
	/* the peer's list of numbers is here, and another than the own: take srp_peer_numbers() and
	 * call srp_numbers(), or do not; `held`: the peer is Active or about to be */
	SRP_ACT_NUMBERS,
	SRP_ACT_GOODBYE, /* shutdown may go on: the peer took over or there is none */
	/* a pending state ran out: abort the process, the peer is the remedy; `text` why */
	SRP_ACT_ABORT,
};

enum srp_alarm {
	SRP_ALARM_PEER_LOST,
	SRP_ALARM_CONNECTION,
	SRP_ALARM_REPLICATION_PATH,
	SRP_ALARM_CONFIG_MISMATCH,
	SRP_ALARM_TIEBREAK,
	SRP_ALARM_RESERVE,
	SRP_ALARM_DUAL_ACTIVE,
	SRP_ALARM_ONE_WAY,
	SRP_ALARM_UNVOUCHED,
	SRP_ALARM_REQUEST_REFUSED, /* a monitor asks for a switchover, and it is refused */
	/* not raised by srp, which does not know of the audit: the caller's */
	SRP_ALARM_AUDIT,
	SRP_ALARM_VIP_ANSWERED, /* alone, and not Active: somebody answers for a VIP */
	SRP_ALARM_EQUAL_SEATS,  /* another chassis of our own side is heard */
	SRP_ALARM_NEXT_WAITS,   /* what was loaded does not run: the peer has not got it */
	SRP_ALARM_MAX
};

struct srp_action {
	enum srp_action_kind kind;
	enum srp_step step;
	enum srp_state from, to;
	enum srp_cause cause;
	srp_term_t term, old_term;
	uint64_t number;
	uint8_t rm, restart_counter;
	bool planned, raised, now, held;
	bool alone; /* OWN/ACTIVATE: became active for being alone */
	enum srp_alarm alarm;
	uint16_t len;
	uint8_t msg[SRP_MSG_MAX];
	char text[SRP_REASON_MAX];
};

/* What the monitors of a chassis say of it, whatever its role: bits 1 << enum srp_cause. known:
 * what it judges. The probes of AAA servers are no part of it: only the Active sends them. */
struct srp_health {
	uint32_t known, failed;
};

/* What the peer said of itself. */
struct srp_peer {
	bool known;
	enum srp_state state;
	enum srp_mode mode;
	uint8_t priority, rm, mac[6], restart_counter;
	srp_term_t term, highest_term;
	uint32_t incarnation, capacity;
	uint64_t config_digest;
	uint64_t next_digest; /* of what it runs next; 0: nothing waits there */
	/* which of its is next, counted; and which of ours it goes on to with us, 0: none */
	uint32_t next_number, promise;
	struct srp_wire wire;
	bool unlicensed;
	struct srp_health health;      /* nothing known of a release that does not say */
	usec_t hello_at, heartbeat_at; /* USEC_NEVER: none in this life of it */
	bool hears_us;
	uint64_t capabilities; /* as its last word says; unknown bits are kept */
};

// clang-format off
#define SRP_COUNTERS(X) \
	X(hellos_sent, COUNTER, "messages", \
		"Hellos were sent over the SRP connection.") \
	X(hellos_received, COUNTER, "messages", \
		"Hellos of the peer were received over the SRP connection.") \
	X(heartbeats_received, COUNTER, "heartbeats", \
		"Heartbeats of the peer were received on the replication path.") \
	X(asks_sent, COUNTER, "messages", \
		"Questions whether the peer lives were sent over the SRP connection.") \
	X(asks_received, COUNTER, "messages", \
		"Questions of the peer whether this chassis lives were received over the SRP " \
		"connection.") \
	X(answers_received, COUNTER, "messages", \
		"Answers to the question whether the peer lives were received.") \
	X(messages_malformed, COUNTER, "messages", \
		"Messages or heartbeats of the peer were refused because they are malformed.") \
	X(messages_stale, COUNTER, "messages", \
		"Messages or heartbeats of the peer were out of date: overtaken, or of or for " \
		"another process.") \
	X(connections, COUNTER, "connections", \
		"SRP connections to the peer were made.") \
	X(connection_losses, COUNTER, "connections", \
		"SRP connections to the peer were lost, or closed because nothing came over " \
		"them.") \
	X(switchovers_planned, COUNTER, "switchovers", \
		"Planned switchovers of this chassis ended with its new role, as Active or as " \
		"Standby.") \
	X(switchovers_planned_aborted, COUNTER, "switchovers", \
		"Planned switchovers from this chassis were given up.") \
	X(switchovers_dead_timer, COUNTER, "switchovers", \
		"This chassis became Active because the peer was silent for dead-interval.") \
	X(switchovers_dual_active, COUNTER, "switchovers", \
		"This chassis gave the Active role up because both were Active.") \
	X(switchovers_dual_standby, COUNTER, "switchovers", \
		"This chassis became Active because both were Standby.") \
	X(transitions, COUNTER, "transitions", \
		"This chassis changed its state.") \
	X(offers_refused, COUNTER, "offers", \
		"Offers of the peer to hand over to this chassis were refused.") \
	X(validations, COUNTER, "validations", \
		"Checks whether a switchover would be refused were made because an operator " \
		"asked for it.") \
	X(validations_failed, COUNTER, "validations", \
		"Checks whether a switchover would be refused said that it would be.") \
	X(stalls, COUNTER, "stalls", \
		"The control core or the stream's receiver stood still, and deadlines moved by " \
		"that time.") \
	X(switchovers_monitor, COUNTER, "switchovers", \
		"Switchovers were begun because a monitored object had failed.") \
	X(monitor_requests_refused, COUNTER, "requests", \
		"Switchovers that a failed monitored object asks for were refused, counted once " \
		"for each reason.") \
	X(probes, COUNTER, "probes", \
		"Rounds of probes were begun that ask whether another station has one of the " \
		"VIPs.") \
	X(probes_answered, COUNTER, "probes", \
		"Rounds of probes found that another station has one of the VIPs.")
// clang-format on
COUNTERS_DEFINE(srp_counters, SRP_COUNTERS);

struct srp_info {
	enum srp_state state;
	srp_term_t term, highest_term;
	uint64_t reserve;
	uint8_t rm, restart_counter;
	/* the highest that both speak; before the peer's hello the least of our own */
	uint8_t stream_version;
	/* the peer's hello was heard, nothing in it forbids a stream between the two, and both have
	 * the same list of numbers, or had when the Active revised it */
	bool agreed;
	/* the peer's hello was heard, and something forbids a stream: no join, and a running one
	 * stops */
	bool differs;
	bool connected, stream_alive, dual_path; /* dual_path: both ways to the peer answer */
	struct srp_peer peer;
	enum srp_cause last_cause;
	usec_t last_change, last_switchover;
	/* validate_status: what the last check, the last switchover that was given up, or the last
	 * claim that came to nothing said */
	char config_error[SRP_REASON_MAX], validate_status[SRP_REASON_MAX];
	char config_event_text[64]; /* what the last comparison of the configurations said */
	usec_t config_event;        /* when */
	uint32_t alarms;            /* bit set of enum srp_alarm */
	/* as active, or handing over: late by more than the peer's patience, answer no signalling
	 * until it is heard again */
	bool must_not_answer;
	/* A configuration that waits for the peer: since when, USEC_NEVER: none does. */
	usec_t next_since;
	uint64_t next_digest; /* of it */
	/* Silence after which the peer is dead, in the stream and on both paths, as it is judged
	 * now; and the least after which the peer may take this chassis for dead. They are those of
	 * the configuration that runs, unless that has changed a moment ago or is about to. */
	usec_t window_us, dead_us, patience_us;
	/* How often heartbeats are to be sent, and hellos are: for as long as the shortest of these
	 * counts too. */
	usec_t heartbeat_us, hello_us;
	struct srp_counters count;
};

struct srp;

/* NULL + errno. Begins in Init; the delay interval starts now. */
struct srp *srp_create(const struct srp_conf *c, const struct srp_saved *saved, usec_t now);
void srp_destroy(struct srp *s);

/* ---- events ---- */
/* on: somebody at the peer's address is proving who it is (TLS): a boot waits for that, and for its
 * first word. */
void srp_connecting(struct srp *s, bool on, usec_t now);
/* For so long: dead-interval, but time enough for segments that are lost and come again (after 200
 * ms with Linux). */
static inline usec_t srp_proof_us(usec_t dead_us)
{
	return dead_us > 500000 ? dead_us : 500000;
}
void srp_connected(struct srp *s, usec_t now);
/* refused: a reconnect was refused (nobody listens there), as opposed to lost or timed out. */
void srp_disconnected(struct srp *s, bool refused, usec_t now);
/* One message of the SRP connection, without the length prefix. */
void srp_message(struct srp *s, const uint8_t *msg, size_t len, usec_t now);
/* Body of a heartbeat of the stream. fresh: judged a sign of life by the stream. */
void srp_heartbeat(struct srp *s, const uint8_t *body, size_t len, bool fresh, usec_t now);
void srp_stream(struct srp *s, const struct srp_stream *st, usec_t now);
/* The own loop did not run for `us`, the core that hears the stream not for `stream_us` (0: it
 * did): nothing that the one or the other would have heard is held against the peer, and every
 * other deadline moves by the longer of the two. The silence of a path does not grow by the other
 * listener's stall: where one of them ran, the machine did. st: what the stream reports now, which
 * may be news of the time in which we did not look. Call it before anything else that waited
 * meanwhile is handed in. */
void srp_stalled(
	struct srp *s, usec_t us, usec_t stream_us, const struct srp_stream *st, usec_t now);
/* A step was carried out. ok: or why not (text). number as the step says. A term that is not
 * current is ignored. */
void srp_done(struct srp *s, enum srp_step step, srp_term_t term, bool ok, uint64_t number,
	const char *why, usec_t now);
/* The reserve is durable up to `reserve` (or the write failed). */
void srp_saved_reserve(struct srp *s, uint64_t reserve, bool ok, usec_t now);
/* Operator: starts a planned switchover. 0, or -EPERM/-EAGAIN/-EINPROGRESS (not in sync)/... and
 * `reason` says which check failed, what to do and, where it is known, how long that takes. */
int srp_switchover(struct srp *s, bool force, char reason[SRP_REASON_MAX], usec_t now);
/* The checks alone; the result is kept and shown. */
int srp_validate(struct srp *s, char reason[SRP_REASON_MAX], usec_t now);
/* Operator: asks for the peer's lines now. 0: SRP_ACT_LINES follows; else -ENOTCONN, -ENOTSUP, and
 * `reason` what to do. */
int srp_validate_configuration(struct srp *s, char reason[SRP_REASON_MAX], usec_t now);
/* What the peer sent, until the next is asked for; NULL: nothing, or not all of it. Not terminated;
 * anything may be in it. */
const char *srp_peer_lines(const struct srp *s, size_t *len);
/* What the pair must agree on is another from now on, by a reload: of `c` the digest, the lines
 * (the caller's, as before; the old ones are not read any more), hello_us, dead_us, heartbeat_us,
 * dead_multiplier, configuration_us and pending_us are taken, the rest is as at srp_create. What
 * waited (srp_prepare) waits no more. The peer is notified at once, and what differs is fetched and
 * compared anew (lib/srp/README.md section 8). 0; -EBUSY: the digest is another while a role is
 * changing, and nothing was taken: ask again when it has. Whoever owns the machine. */
int srp_reconfigure(struct srp *s, const struct srp_conf *c, usec_t now);

/* ---- a configuration that is next: lib/srp/README.md section 8 ---- */
enum srp_reload {
	SRP_RELOAD_NOW,  /* nothing would differ by it that does not already: srp_reconfigure() */
	SRP_RELOAD_WAIT, /* the peer must have it too: srp_prepare() */
	/* both have the one before, and it is about to run: ask again when it does */
	SRP_RELOAD_BUSY,
};
/* What becomes of a configuration of that digest that was loaded just now. Pure. */
enum srp_reload srp_reload(const struct srp *s, uint64_t digest);
/* A configuration was loaded, and runs when the peer has it too: of `c` the digest and the timers
 * are copied. It replaces what waited before; NULL: nothing waits any more. Call it only if
 * srp_reload() said so; -EBUSY else, and nothing was changed. The peer is notified at once. */
int srp_prepare(struct srp *s, const struct srp_conf *c, usec_t now);
/* What waits is to run now: srp_reconfigure() with it. It stays true until that is done. Pure. */
bool srp_next_is_due(const struct srp *s);
/* Since a configuration waits for longer than this there is SRP_ALARM_NEXT_WAITS. */
enum { SRP_NEXT_US = 60000000 };
/* The own list of the numbers of APNs and pools, as text that means nothing here (lib/numbers); the
 * caller's, until the next call. digest: of it. len 0 with digest 0: there is none. From the first
 * call on the list is given to the peer, at each change and whenever it asks, the peer's is
 * fetched, and nobody joins nor streams before both are the same; without a call none of this is
 * so. What an Active changes then ends no stream: the peer has it in a moment, and until
 * srp_numbers_use() no record goes by what is new in it. Whoever owns the machine. */
void srp_numbers(struct srp *s, const char *list, size_t len, uint64_t digest, usec_t now);
/* Whether records may go by what is new in the own list: the peer has the same, or takes no records
 * before it has. Pure; the control core. */
bool srp_numbers_may_use(const struct srp *s);
/* They do from now on: a peer that has an earlier list gets no stream. */
void srp_numbers_use(struct srp *s, usec_t now);
/* The peer's; NULL: it has none, or not all of it is here. Not terminated; anything may be in it.
 */
const char *srp_peer_numbers(const struct srp *s, size_t *len);
/* This process cannot go on as it is, and the peer is the remedy: SRP_ACT_ABORT with `why`. */
void srp_give_up(struct srp *s, const char *why);
/* n keys differ between those lines and the own; first: "KEY: A here, B there" of one of them, ""
 * if none. */
void srp_compared(struct srp *s, unsigned int n, const char *first, usec_t now);
/* The answer to SRP_ACT_PROBE (conf.l2, lib/srp/README.md section 1): whether somebody else answers
 * for a VIP, and `who`: "VIP is answered by MAC" (answered only). It is asked of a chassis in Init,
 * when the boot rule would make it Active for being alone; never of a Standby, which knows its peer
 * and takes over at once. Answered: Init goes on with SRP_ALARM_VIP_ANSWERED, and the question
 * comes again after dead-interval, for as long as it takes: two that answer for one address serve
 * nobody, and only an operator can tell a chassis behind two cut links from a dead one whose kernel
 * kept the address (SIGKILL). Not answered: Active, if the boot rule still says so within
 * SRP_PROBE_US. No answer to the question itself within that time counts as "nobody". A chassis
 * that hears its peer meanwhile goes by that. Not asked for: ignored. */
enum { SRP_PROBE_US = 1000000 };
void srp_probed(struct srp *s, bool answered, const char *who, usec_t now);
/* The question of SRP_ACT_PROBE is asked again, as nobody could have heard an answer: there are
 * SRP_PROBE_US for it from now on. Not asked for: ignored. */
void srp_probing(struct srp *s, usec_t now);
/* What a monitor's verdict asks for: SRP_CAUSE_AAA, _BGP, _BFD, _DIAMETER, _ROUTE, _LINK or
 * _LOCAL_FAULT; SRP_CAUSE_NONE: nothing. A level, which may be repeated; of a chassis that is not
 * Active nothing is taken, and it is forgotten when that ceases to be Active. A planned switchover
 * of that cause begins once srp_validate's checks pass, and the offer carries the cause to the
 * peer; until then the chassis stays Active and SRP_ALARM_REQUEST_REFUSED says why. One that was
 * begun and came to nothing is tried again after pending_us. What is not revertible is not known
 * here: lib/monitor asks for it or not. */
void srp_request_switchover(struct srp *s, enum srp_cause cause, usec_t now);
/* What the own monitors say, reported to the peer at each change. A switchover that is not forced
 * goes to no peer whose monitors see a failure that is not here too, and what a monitor asks for to
 * none that has the same one (lib/srp/README.md section 3). */
void srp_health(struct srp *s, const struct srp_health *h, usec_t now);
/* SIGTERM: planned switchover first when a ready standby is there, else a goodbye; ends in
 * SRP_ACT_GOODBYE. */
void srp_shutdown(struct srp *s, usec_t now);
/* Timers. */
void srp_tick(struct srp *s, usec_t now);
/* When srp_tick is due at the latest. */
usec_t srp_due(const struct srp *s);

/* What a chassis in Init or in a pending state waits for, and until when, for an operator: "the
 * peer's first hello; without one this chassis counts as alone in 4 s". "": it waits for nothing,
 * as in every other state. Pure; whoever owns the machine. */
void srp_waits_for(const struct srp *s, char text[SRP_REASON_MAX], usec_t now);
/* Whether it has been in Init for longer than a boot takes by its timers, stalls of its own
 * included: delay-interval, three times dead-interval, and a probe. Pure. */
bool srp_waits_long(const struct srp *s, usec_t now);

/* The route modifier with which a chassis that is not Active may have its routes up, so that
 * routers know the longer path before they need it (lib/srp/README.md section 2,
 * advertise-in-standby): Standby for hold_off_us, and longer than the Active's by what that said
 * last. have: with which they are up already, 0: they are not. It never falls while Standby: when
 * both renumber, a router may hear ours before the Active's, and the old one is only longer than
 * need be. Without an Active nothing begins, and what is up stays; as in Pending-Active, where
 * ACTIVATE takes it over or a new time as Standby begins. 0: none, withdraw what is up. Pure;
 * whoever owns the machine. */
uint8_t srp_standby_rm(const struct srp_info *i, usec_t hold_off_us, uint8_t have, usec_t now);

/* The next action, oldest first; false when there is none. */
bool srp_next(struct srp *s, struct srp_action *a);
const struct srp_info *srp_info(const struct srp *s);

const char *srp_state_name(enum srp_state st); /* "Active", "Pending-Standby", ... */
const char *srp_cause_name(enum srp_cause c);  /* "dead-timer-expiry", ... */
const char *srp_alarm_name(enum srp_alarm a);
const char *srp_step_name(enum srp_step s);

#endif
