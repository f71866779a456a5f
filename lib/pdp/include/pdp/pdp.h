/* SPDX-License-Identifier: BSD-3-Clause */
/* pdp: the procedures of PDP contexts, once for all access types: create, update, delete, the end
 * by the gateway, the restart of a peer. Requests, owners' and AAA's answers, commits and time come
 * in; orders, questions and answers go out by the functions of struct pdp_ops. Pure: no bytes of a
 * protocol, no socket, no clock. One caller (the control core); nothing blocks.
 *
 * A protocol's front end owns what is of its wire: headers, sequence numbers, repetitions, T3 and
 * N3, Echo, encoding. It gives each request once, with an id of its own, and gets each id that it
 * gave back once, in pdp_ops.answer, encodes that answer and sends it.
 *
 * A request passes steps: AAA (where somebody is asked), the end of the session that a Create
 * replaces, the owner's work, the commit. From the second step on, requests for one session
 * (subscriber and NSAPI) are one after the other, and each reads the session when its turn comes:
 * it starts from what the one before left. Those that wait for their commit hold nobody up.
 *
 * An owner is waited for however long it takes, until the role ends: what it has written may be
 * answered only behind the commit, and whoever forgot that a commit is due would answer a
 * repetition at once. */
#ifndef TANDEM_PDP_H
#define TANDEM_PDP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/counters.h"
#include "common/siphash.h"
#include "common/usec.h"
#include "session/event.h"
#include "session/session.h"

enum {
	PDP_REQUESTS = 4096,   /* in progress at most, */
	PDP_FOR_DELETES = 512, /* of which the last are given to Deletes alone, */
	PDP_FOR_AAA = 2048,    /* and as many wait for AAA at most */
	PDP_OWN = 4096,        /* what the gateway began itself, at most */
	PDP_SAME = 16,         /* in progress for one session, at most, */
	PDP_SAME_ENDS = 4,     /* and so many more of those that end it */
	PDP_LINE_US = 2000000, /* one's turn is waited for */
	PDP_AAA_US = 10000000,
	PDP_AGAIN_US = 250000,       /* what the gateway began is tried again after that, */
	PDP_AGAIN_FOR_US = 20000000, /* for so long */
	PDP_PEER_US = 60000000,      /* longer than any front end's T3 and N3 */
};

struct pdp;

enum pdp_kind { PDP_CREATE, PDP_UPDATE, PDP_DELETE };

/* Why a request is refused; a front end has a value of its protocol for each. */
enum pdp_cause {
	PDP_UNANSWERED, /* no answer leaves: the peer asks again */
	PDP_ACCEPTED,
	PDP_NOT_SUPPORTED, /* secondary contexts, static addresses, tunnels over IPv6 */
	PDP_UNKNOWN_TYPE,
	PDP_UNKNOWN_APN,
	PDP_NOT_AUTHENTICATED,
	PDP_NO_RESOURCES,
	PDP_NO_ADDRESS,
	PDP_NO_MEMORY, /* no annex has room for what it brings */
	PDP_NOT_FOUND,
	PDP_FAILED,
};

/* What tells a request from others for longer than this process lives: the session's record keeps
 * it of the last one that was answered. */
struct pdp_origin {
	struct ip_addr addr;
	uint16_t port;
	uint8_t protocol; /* enum session_protocol */
	uint8_t type;     /* of that protocol */
	uint32_t seq;
	/* Of what it says: a peer that restarted counts from the beginning again. */
	uint32_t digest;
};

/* What the configuration says of the APN that a Create asks for. */
struct pdp_apn {
	uint8_t number, pool; /* by which records name the APN and its pool */
	bool verified_only;   /* only subscribers whose subscription the network verified */
};

/* What of pdp_request.rec an Update brings. */
enum {
	PDP_HAS_CTL_TEID = 1 << 0,
	PDP_HAS_CTL_ADDR = 1 << 1,
	PDP_HAS_QOS = 1 << 2,
	PDP_HAS_RECOVERY = 1 << 3, /* of a Create, too */
	PDP_HAS_USR_TEID = 1 << 4,
	PDP_HAS_USR_ADDR = 1 << 5,
};

struct pdp_request {
	uint64_t id; /* the front end's, given back with the answer; 0 is none */
	enum pdp_kind kind;
	struct pdp_origin from;
	/* Update, Delete: a live session of the subscriber, and which of the subscriber's it is. */
	uint32_t handle;
	uint8_t nsapi;
	uint8_t has; /* PDP_HAS_* */
	/* Create: */
	bool secondary, verified;  /* no context of its own; the subscription was verified */
	const struct pdp_apn *apn; /* NULL: not configured; read during the call alone */
	/* The values. Of a Create key, msisdn, ue (all zero: dynamic), pdp_type (as session_rec
	 * has it, 0: none of these), peer_*, qos*, recovery, extra; of an Update peer_*, qos*,
	 * recovery. */
	struct session_rec rec;
};

/* What an owner is to do. Its answer always comes, by pdp_answered() with the cookie; 0: none is
 * waited for. */
struct pdp_order {
	enum pdp_kind kind;
	uint8_t groups;       /* of an Update: SESSION_G_* */
	enum session_why why; /* of a Delete */
	uint8_t owner;
	uint64_t cookie;
	const struct session_rec *rec; /* of a Delete handle and the group of the request count */
};

struct pdp_done {
	uint64_t cookie;
	uint8_t owner; /* who answers */
	/* 0, or as the session's door has it (session.h), negative. -EPERM: the role changed
	 * meanwhile; -EAGAIN: the end cannot be reported now, and so the session has not ended. */
	int error;
	uint32_t commit; /* what the standby acknowledges; 0: there is nothing to wait for */
	const struct session_rec *rec; /* as it is now; of a Delete as it was */
};

/* An answer whose time has come. What it points at is valid during the call. */
struct pdp_answer {
	uint64_t id;
	enum pdp_kind kind;
	enum pdp_cause cause;
	bool again;                    /* the record says that this very request was answered */
	uint32_t peer_teid;            /* refused: the peer's control TEID, 0 not known */
	const struct session_rec *rec; /* accepted: of a Delete as it was */
};

/* What the gateway asks a peer. */
enum pdp_own_kind { PDP_OWN_DELETE, PDP_OWN_UPDATE };
struct pdp_own {
	enum pdp_own_kind kind;
	uint8_t indication;            /* of an Update: the front end's, as it came; 0: none */
	uint64_t cookie;               /* its end comes by pdp_own_ended() with it */
	const struct session_rec *rec; /* the session, or as it was */
};

enum pdp_news {
	PDP_PEER_RESTARTED,    /* recovery: what it says; was: what it said */
	PDP_PEER_SILENT,       /* it does not answer Echo Requests */
	PDP_PEER_BACK,         /* it does again */
	PDP_PROTECTION_TIMEOUT /* the standby did not acknowledge in time; addr is NULL */
};

/* What goes out. Each is called within a call of the functions below, on the same core, and calls
 * none of them but pdp_view(). */
struct pdp_ops {
	/* To an owner. False: it cannot be asked now. */
	bool (*order)(void *ctx, const struct pdp_order *o);
	/* To all owners: the sessions of this peer that carry another Recovery end. False: not all
	 * could be asked, and the peer's next message asks again. */
	bool (*purge)(void *ctx, const struct ip_addr *peer, uint8_t recovery);
	/* Of AAA: pdp_aaa_answered() brings what it says. False: it cannot be asked now. NULL:
	 * nobody is asked. */
	bool (*ask_aaa)(void *ctx, uint64_t cookie, uint64_t id, const struct session_rec *rec);
	/* Of a peer: an Echo, whose result comes by pdp_peer_result(). */
	void (*ask_peer)(void *ctx, const struct ip_addr *peer, usec_t now);
	/* A request of the gateway's own. False: it cannot be sent. */
	bool (*own)(void *ctx, const struct pdp_own *o, usec_t now);
	/* The answer to a request, or PDP_UNANSWERED: exactly once for each id. */
	void (*answer)(void *ctx, const struct pdp_answer *a, usec_t now);
	/* For the log. */
	void (*news)(void *ctx, enum pdp_news what, const struct ip_addr *addr, uint8_t recovery,
		uint8_t was);
	/* The live session of a key (session_rec.key): its handle, 0 none. */
	uint32_t (*find)(void *ctx, uint64_t key);
	/* The record of the slot that a handle names, whoever has it and if it is free, too. */
	void (*read)(void *ctx, uint32_t handle, struct session_rec *rec);
	uint8_t (*owner_of)(void *ctx, uint32_t handle);
	/* How many sessions there are. It is asked only when there may be too many. */
	uint64_t (*count)(void *ctx);
	void *ctx;
};

struct pdp_env {
	struct pdp_ops ops;
	struct session_mem mem;
	struct siphash_secret secret; /* of hashes whose keys subscribers choose */
	uint32_t max_sessions;
	uint8_t n_owners;
	usec_t echo_us;           /* between Echo Requests to each peer; 0: none are sent */
	usec_t commit_timeout_us; /* longest time that an answer waits for the standby */
};

/* When it is, and what the role says of the time in which the chassis stood still: deadlines move
 * by it, because acknowledgements and owners' answers may wait in a ring. */
struct pdp_time {
	usec_t now, stood_still;
};

/* Makes the object; env is copied. NULL + errno (ENOMEM, EINVAL). */
struct pdp *pdp_open(const struct pdp_env *env);
/* Frees it; what is in progress is not answered. NULL is a no-op. */
void pdp_close(struct pdp *p);
/* From now on answers wait so long for the standby. */
void pdp_configure(struct pdp *p, usec_t commit_timeout_us);

/* ---- in ---- */

/* A request, once: what repeats one in progress is the front end's to leave out. q is copied. */
void pdp_begin(struct pdp *p, const struct pdp_request *q, usec_t now);
/* An owner has carried out an order, or refused: each order that it took gets one answer. What
 * nobody waits for any more, as the role ended meanwhile, is ignored. */
void pdp_answered(struct pdp *p, const struct pdp_done *d, const struct pdp_time *t);
/* What AAA says. */
void pdp_aaa_answered(struct pdp *p, uint64_t cookie, bool accepted, usec_t now);
/* The standby acknowledged that commit of that session, and all before it. */
void pdp_committed(struct pdp *p, uint32_t handle, uint32_t commit, usec_t now);
/* A stream began (on), or ended, and with it the standby's protection. */
void pdp_stream(struct pdp *p, bool on, usec_t now);
/* Once in a turn: deadlines, and the Echo Requests that are due if `ask_peers`. */
void pdp_turn(struct pdp *p, const struct pdp_time *t, bool ask_peers);

/* An owner ended a session for a reason of its own: its peer is told by a Delete. False: there is
 * no room for what the gateway begins, and the peer learns of it when it uses the session. */
bool pdp_session_ended(struct pdp *p, const struct session_rec *rec, usec_t now);
/* The gateway ends a session: the owner does, then the peer is told. An owner that cannot be asked
 * or says -EAGAIN is asked again, for PDP_AGAIN_FOR_US. False: no such session, or no room. */
bool pdp_end(struct pdp *p, uint32_t handle, enum session_why why, usec_t now);
/* The gateway asks the peer for an Update, with an indication of the protocol (of GTPv1 the Direct
 * Tunnel Flags). What it answers is given to the owner; a peer that does not know the session ends
 * it. False as above.
 *
 * Nobody asks for one yet. What will is the Error Indication of an RNC whose tunnel is direct
 * (TS 23.007, TS 29.060 7.3.3), for which the record needs the flags of the SGSN's Update first. A
 * reload that changes an APN's `ambr` is no reason: that rate is policed here, for all sessions of
 * the APN, and no SGSN was ever told it; an APN-AMBR element (7.7.98) is due when one was
 * negotiated. */
bool pdp_refresh(struct pdp *p, uint32_t handle, uint8_t indication, usec_t now);
/* The end of a request of the gateway's own: the peer's cause, PDP_UNANSWERED after N3; of an
 * Update `got` has its values as a request has them, or is NULL. */
void pdp_own_ended(struct pdp *p, uint64_t cookie, enum pdp_cause cause,
	const struct pdp_request *got, usec_t now);

/* A peer said its Recovery: if it is another than before its sessions end. */
void pdp_peer_heard(struct pdp *p, const struct ip_addr *addr, uint8_t recovery, usec_t now);
/* It answered an Echo Request, or N3 of them not. */
void pdp_peer_result(struct pdp *p, const struct ip_addr *addr, bool answered, usec_t now);

/* ---- the role ---- */

/* The chassis became Active in that term; charging ids are counted from there. */
void pdp_activated(struct pdp *p, uint64_t term);
/* A switchover is on its way, in each turn: what waits for AAA or for its turn is given up. What an
 * owner works on, or waits for its commit, is waited for. What the gateway began waits, too, and
 * goes on if the switchover does not come. */
void pdp_hold(struct pdp *p, usec_t now);
/* It is no longer Active: all is given up, and answers are not protected any more. */
void pdp_deactivated(struct pdp *p, usec_t now);

/* ---- for views ---- */

// clang-format off
#define PDP_GATE_COUNTERS(X) \
	X(gated_answers, COUNTER, "answers", \
		"Answers to SGSNs began to wait for the standby's acknowledgement.") \
	X(protected_answers, COUNTER, "answers", \
		"Answers to SGSNs left after the standby had acknowledged what they promise.") \
	X(unprotected_answers, COUNTER, "answers", \
		"Answers to SGSNs left without an acknowledgement of the standby.") \
	X(protection_ended_timeout, COUNTER, "events", \
		"The standby did not acknowledge in time, and answers began to leave without " \
		"it.") \
	X(protection_ended_stream, COUNTER, "events", \
		"The replication stream ended, and answers began to leave without the standby.") \
	X(protection_began, COUNTER, "events", \
		"The standby acknowledged again, after answers had left without it.")
// clang-format on
COUNTERS_DEFINE(pdp_gate_counters, PDP_GATE_COUNTERS);

// clang-format off
#define PDP_ROW_COUNTERS(X) \
	X(requests_full, COUNTER, "requests", \
		"Requests, or what the gateway began itself, found no room because too many were " \
		"in progress.") \
	X(requests_collided, COUNTER, "requests", \
		"Requests, or what the gateway began itself, found no room because too many met " \
		"in one bucket.") \
	X(peers_full, COUNTER, "peers", \
		"SGSNs that were silent for the longest time were forgotten to make room for " \
		"others.") \
	X(peers_collided, COUNTER, "peers", \
		"SGSNs were forgotten because too many met in one bucket of their table.")
// clang-format on
COUNTERS_DEFINE(pdp_row_counters, PDP_ROW_COUNTERS);

struct pdp_view {
	struct pdp_gate_counters gate;
	bool is_protected;    /* answers wait for the standby */
	unsigned int working; /* an owner or the standby is waited for; a hold waits for these */
	unsigned int requests, for_aaa, in_line, for_commit, own; /* in progress */
	struct pdp_row_counters rows;
	/* The cookie of the answer that waits for the standby for the longest time, 0 none. */
	uint64_t oldest;
};

void pdp_view(const struct pdp *p, struct pdp_view *v);
/* No request is in progress, and no owner works on what the gateway began. */
bool pdp_is_idle(const struct pdp *p);
/* Whether a procedure in progress may give somebody a session of that APN or of that pool, by their
 * numbers; 0: of none. Looks at every place. */
bool pdp_names(const struct pdp *p, uint8_t apn, uint8_t pool);

/* ---- of names ---- */

/* Length of the network identifier: what stands before ".mnc<3>.mcc<3>.gprs" (TS 23.003 9.1). */
size_t pdp_network_identifier(const char *apn);

#endif
