/* SPDX-License-Identifier: BSD-3-Clause */
/* radius_probe: does one RADIUS server answer (config/guide/monitors.md, "AAA servers")? Bytes and
 * time in, bytes and a verdict out. Opaque, owns its memory; one caller (control core), which has a
 * connected socket of its own for each server.
 *
 * Every `period` a round begins: a request is sent, and sent again unchanged (RFC 2865 section 3,
 * RFC 5080 2.2.1: a server knows it by that) each `timeout` until a reply is proven, at most
 * `max_retries` times in all. Any proven reply is Up, a Reject too; a round without one is Down,
 * and says the most telling thing that came instead of it.
 *
 * An unproven datagram changes no verdict, or whoever can send one could force a switchover; it
 * only gives the reason once the server is Down. A request vouches for its server once, so a reply
 * that is replayed proves nothing. Retransmission has no jitter and no backoff: a pair has a
 * handful of probes, and when it is Down is the operator's. */
#ifndef TANDEM_RADIUS_PROBE_H
#define TANDEM_RADIUS_PROBE_H

#include "radius/radius.h"
#include "common/usec.h"

/* How long after it was last sent a request may be answered: until then its identifier is no
 * other's, and a late reply counts. Servers give up after 30 s (FreeRADIUS' max_request_time; RFC
 * 5080 2.2.2: they remember replies as long). */
#define RADIUS_REPLY_LIFE_US (60 * USEC_PER_SEC)

enum radius_method { RADIUS_METHOD_AUTH, RADIUS_METHOD_STATUS_SERVER };

/* Must a reply be signed? auto: once one of this server was. FreeRADIUS before 3.2.5 signs none by
 * itself. */
enum radius_require { RADIUS_REQUIRE_AUTO, RADIUS_REQUIRE_YES, RADIUS_REQUIRE_NO };

enum radius_state { RADIUS_INIT, RADIUS_UP, RADIUS_DOWN };

enum radius_reason { /* why Down; of several in a round the last of this list */
	RADIUS_REASON_NONE,
	RADIUS_REASON_TIMEOUT,
	RADIUS_REASON_UNREACHABLE,
	RADIUS_REASON_MALFORMED,
	RADIUS_REASON_NO_DIGEST,
	RADIUS_REASON_NO_MESSAGE_AUTHENTICATOR,
	RADIUS_REASON_BAD_MESSAGE_AUTHENTICATOR,
	RADIUS_REASON_BAD_AUTHENTICATOR,
	RADIUS_REASON_MAX
};

// clang-format off
#define RADIUS_PROBE_COUNTERS(X) \
	X(rounds, COUNTER, "probes", \
		"Probes of the AAA server were begun.") \
	X(rounds_failed, COUNTER, "probes", \
		"Probes of the AAA server ended without a valid reply.") \
	X(requests, COUNTER, "messages", \
		"Requests were made for the AAA server, without repetitions.") \
	X(retransmissions, COUNTER, "messages", \
		"Requests to the AAA server were repeated.") \
	X(timeouts, COUNTER, "timeouts", \
		"Requests had no valid reply of the AAA server in time.") \
	X(errors, COUNTER, "errors", \
		"Requests to the AAA server could not be made or sent, or the network said that " \
		"it is not reached.") \
	X(accepts, COUNTER, "messages", \
		"Valid replies of the AAA server were an Access-Accept.") \
	X(rejects, COUNTER, "messages", \
		"Valid replies of the AAA server were an Access-Reject.") \
	X(challenges, COUNTER, "messages", \
		"Valid replies of the AAA server were an Access-Challenge.") \
	X(accounting_responses, COUNTER, "messages", \
		"Valid replies of the AAA server were an Accounting-Response.") \
	X(late, COUNTER, "messages", \
		"Valid replies of the AAA server came when their probe was over.") \
	X(went_up, COUNTER, "changes", \
		"The AAA server was found to be up.") \
	X(went_down, COUNTER, "changes", \
		"The AAA server was found to be down.") \
	X(identifiers_awaited, COUNTER, "probes", \
		"Probes were put off because their identifier may still be answered for an " \
		"earlier one.")
// clang-format on
COUNTERS_DEFINE(radius_probe_counters, RADIUS_PROBE_COUNTERS);

struct radius_probe_conf {
	enum radius_method method;
	enum radius_require require;
	struct radius_secret secret;
	/* of RADIUS_METHOD_AUTH */
	char user[RADIUS_VALUE_MAX + 1], password[RADIUS_PASSWORD_MAX + 1];
	struct ip_addr nas;                /* our address towards the server; all zero: not sent */
	char nas_id[RADIUS_VALUE_MAX + 1]; /* "": not sent */
	usec_t period, timeout;
	unsigned int max_retries; /* times that a request is sent; 1: no retransmission */
};

struct radius_probe_info {
	enum radius_state state;
	usec_t since;              /* of that state */
	enum radius_reason reason; /* RADIUS_REASON_NONE unless Down */
	/* Down: errno reported last in the round that failed, 0: none was; else 0 */
	int error;
	uint8_t last_reply;   /* code, 0: none yet */
	usec_t last_reply_at; /* USEC_NEVER: none yet */
	usec_t rtt; /* of the last reply to a request that was sent once; USEC_NEVER: none yet */
	bool message_authenticator; /* replies must be signed */
	unsigned int tries;         /* requests sent in this round; 0: none is under way */
	usec_t due;                 /* as radius_probe_due */
	struct radius_probe_counters count;
	struct radius_checks checks; /* every datagram, by what became of it */
};

struct radius_probe;

/* Stopped, in Init. The configuration is copied. NULL + errno: EINVAL (a time or number of 0, or no
 * request can be made of it, see radius_encode), ENOTSUP (libcrypto has no MD5), ENOMEM. */
struct radius_probe *radius_probe_create(const struct radius_probe_conf *c);
/* Wipes the secrets. NULL is fine. */
void radius_probe_destroy(struct radius_probe *p);

/* Probes run on the Active only. Started: Init, and a first round at `now`. Stopped: Init, and
 * nothing is sent; what this server was seen to do (signing, identifiers in use) is remembered.
 * Started twice or stopped twice is once. */
void radius_probe_start(struct radius_probe *p, usec_t now);
void radius_probe_stop(struct radius_probe *p, usec_t now);

/* When radius_probe_tick has something to do; USEC_NEVER: never, it is stopped. */
usec_t radius_probe_due(const struct radius_probe *p);
/* What is to be sent now: its length in bytes, written to `out`; 0: nothing. At most one packet a
 * call, and none before radius_probe_due, however late the call is. Read the socket empty first:
 * time ran out only for what did not arrive. `fresh`: random bytes, new ones each time that it is
 * due (RFC 2865 section 3: unpredictable, never repeated). */
size_t radius_probe_tick(struct radius_probe *p, usec_t now,
	const uint8_t fresh[RADIUS_AUTHENTICATOR], uint8_t out[RADIUS_REQUEST_MAX]);
/* A datagram came from the server's address and port. What became of it; RADIUS_CHECK_valid: it is
 * Up. */
enum radius_check radius_probe_input(
	struct radius_probe *p, const uint8_t *bytes, size_t len, usec_t now);
/* The packet could not be sent, or ICMP said that it did not arrive: errno `error` of the socket.
 * This try failed; the next one is made at its time. */
void radius_probe_failed(struct radius_probe *p, int error);

enum radius_state radius_probe_state(const struct radius_probe *p);
void radius_probe_info(const struct radius_probe *p, struct radius_probe_info *info);

/* "init", "up" or "down", as `show srp monitor` has it. */
const char *radius_state_name(enum radius_state s);
/* What is wrong and where to look; "" if nothing is. */
const char *radius_reason_text(enum radius_reason r);

#endif
