/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests are remembered by their identifier, all 256 of them: so a late reply is proven against
 * its own request, and an identifier in use is seen without a search. Identifiers go round, so the
 * next one is the one unused for longest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "radius/radius_probe.h"

enum { IDENTIFIERS = 256 };

struct sent {
	uint8_t authenticator[RADIUS_AUTHENTICATOR];
	unsigned int times; /* 0: never */
	usec_t last;
	bool answered;
};

struct radius_probe {
	struct radius_probe_conf conf;
	bool running, signs; /* signs: a proven reply of this server had a Message-Authenticator */
	enum radius_state state;
	enum radius_reason reason, seen; /* of the state; the most telling of this round */
	usec_t since, began, due;        /* began: this round */
	uint8_t id;                      /* of this round's request, or the last one's */
	unsigned int tries;              /* of this round, 0: none is under way */
	bool try_failed;
	int error, round_error; /* of the round that made it Down; of this round */
	uint8_t last_reply;
	usec_t last_reply_at, rtt;
	struct radius_probe_counters count;
	struct radius_checks checks;
	struct sent sent[IDENTIFIERS];
};

static void radius_probe_request_of(const struct radius_probe *p, struct radius_request *q)
{
	bool auth = p->conf.method == RADIUS_METHOD_AUTH;

	*q = (struct radius_request){ .code = auth ? RADIUS_ACCESS_REQUEST : RADIUS_STATUS_SERVER,
		.id = p->id,
		.user = p->conf.user,
		.password = p->conf.password,
		.nas = p->conf.nas,
		.nas_id = p->conf.nas_id,
		.service_type = RADIUS_AUTHENTICATE_ONLY };
	memcpy(q->authenticator, p->sent[p->id].authenticator, sizeof(q->authenticator));
}

struct radius_probe *radius_probe_create(const struct radius_probe_conf *c)
{
	uint8_t tried[RADIUS_REQUEST_MAX];
	struct radius_probe *p;
	struct radius_request q;
	int ret = -EINVAL;

	if (c->period == 0 || c->timeout == 0 || c->max_retries == 0) {
		errno = EINVAL;
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->conf = *c;
	p->due = p->last_reply_at = p->rtt = USEC_NEVER;
	radius_probe_request_of(p, &q);
	ret = radius_encode(tried, &q, &p->conf.secret);
	if (ret < 0) {
		radius_probe_destroy(p);
		errno = -ret;
		return NULL;
	}
	return p;
}

void radius_probe_destroy(struct radius_probe *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, sizeof(*p));
	free(p);
}

/* The only writer of the state. */
static void radius_probe_move(
	struct radius_probe *p, enum radius_state to, enum radius_reason reason, usec_t now)
{
	p->reason = reason;
	if (to == p->state)
		return;
	p->state = to;
	p->since = now;
	if (to == RADIUS_UP)
		p->count.went_up++;
	else if (to == RADIUS_DOWN)
		p->count.went_down++;
}

void radius_probe_start(struct radius_probe *p, usec_t now)
{
	if (p->running)
		return;
	p->running = true;
	p->tries = 0;
	p->seen = RADIUS_REASON_NONE;
	p->since = p->due = now;
}

void radius_probe_stop(struct radius_probe *p, usec_t now)
{
	if (!p->running)
		return;
	p->running = false;
	p->error = 0;
	p->tries = 0;
	p->due = USEC_NEVER;
	radius_probe_move(p, RADIUS_INIT, RADIUS_REASON_NONE, now);
}

usec_t radius_probe_due(const struct radius_probe *p)
{
	return p->due;
}

/* A reason counts from then on, and at once for a server that is Down with no round under way. */
static void radius_probe_note(struct radius_probe *p, enum radius_reason reason)
{
	if (reason > p->seen)
		p->seen = reason;
	if (p->state == RADIUS_DOWN && p->tries == 0)
		p->reason = p->seen;
}

/* Made anew each time, and the same each time: identifier and authenticator are. */
static size_t radius_probe_send_it(struct radius_probe *p, usec_t now, uint8_t *out)
{
	struct sent *s = &p->sent[p->id];
	struct radius_request q;
	int len;

	radius_probe_request_of(p, &q);
	len = radius_encode(out, &q, &p->conf.secret);
	p->tries++;
	p->try_failed = false;
	p->due = now + p->conf.timeout;
	s->times++;
	s->last = now;
	if (len < 0) {
		radius_probe_note(p, RADIUS_REASON_NO_DIGEST);
		radius_probe_failed(p, -len);
		return 0;
	}
	if (p->tries == 1)
		p->count.requests++;
	else
		p->count.retransmissions++;
	return (size_t)len;
}

static bool radius_probe_answerable(const struct sent *s, usec_t now)
{
	return s->times > 0 && now - s->last < RADIUS_REPLY_LIFE_US;
}

static size_t radius_probe_begin(
	struct radius_probe *p, usec_t now, const uint8_t fresh[RADIUS_AUTHENTICATOR], uint8_t *out)
{
	/* The first one is anyone's guess: the process before this one may have left requests
	 * unanswered. */
	uint8_t id = p->count.rounds == 0 ? fresh[0] : (uint8_t)(p->id + 1);
	struct sent *s = &p->sent[id];

	if (radius_probe_answerable(s, now)) {
		p->count.identifiers_awaited++;
		p->due = s->last + RADIUS_REPLY_LIFE_US;
		return 0;
	}
	*s = (struct sent){ .times = 0 };
	memcpy(s->authenticator, fresh, sizeof(s->authenticator));
	p->id = id;
	p->began = now;
	p->seen = RADIUS_REASON_NONE;
	p->round_error = 0;
	p->count.rounds++;
	return radius_probe_send_it(p, now, out);
}

/* The next round begins a period after this one did; at once if it took longer. */
static void radius_probe_end_round(struct radius_probe *p, usec_t now)
{
	usec_t next = p->began + p->conf.period;

	p->tries = 0;
	p->due = next > now ? next : now;
}

size_t radius_probe_tick(struct radius_probe *p, usec_t now,
	const uint8_t fresh[RADIUS_AUTHENTICATOR], uint8_t out[RADIUS_REQUEST_MAX])
{
	if (!p->running || now < p->due)
		return 0;
	if (p->tries == 0)
		return radius_probe_begin(p, now, fresh, out);
	if (!p->try_failed) {
		p->count.timeouts++;
		radius_probe_note(p, RADIUS_REASON_TIMEOUT);
	}
	if (p->tries < p->conf.max_retries)
		return radius_probe_send_it(p, now, out);
	p->count.rounds_failed++;
	p->error = p->round_error;
	radius_probe_end_round(p, now);
	radius_probe_move(p, RADIUS_DOWN, p->seen, now);
	return now < p->due ? 0 : radius_probe_begin(p, now, fresh, out);
}

void radius_probe_failed(struct radius_probe *p, int error)
{
	p->count.errors++;
	if (p->tries == 0)
		return;
	p->round_error = error;
	p->try_failed = true;
	radius_probe_note(p, RADIUS_REASON_UNREACHABLE);
}

/* Status-Server: an Accept, or an Accounting-Response on that port (RFC 5997 section 3); but a
 * server that refuses and proves it answers as well. */
static bool radius_probe_answers(const struct radius_probe *p, uint8_t code)
{
	return code != RADIUS_ACCOUNTING_RESPONSE || p->conf.method == RADIUS_METHOD_STATUS_SERVER;
}

static bool must_sign(const struct radius_probe *p)
{
	return p->conf.require == RADIUS_REQUIRE_YES ||
	       (p->conf.require == RADIUS_REQUIRE_AUTO && p->signs);
}

static enum radius_check radius_probe_judge(const struct radius_probe *p, const uint8_t *bytes,
	size_t len, struct radius_reply *r, usec_t now)
{
	enum radius_check check = radius_parse(bytes, len, r);
	const struct sent *s;

	if (!p->running)
		return RADIUS_CHECK_stopped;
	if (check != RADIUS_CHECK_valid)
		return check;
	s = &p->sent[r->id];
	if (!radius_probe_answerable(s, now))
		return RADIUS_CHECK_unmatched;
	check = radius_prove(r, s->authenticator, &p->conf.secret, must_sign(p));
	if (check != RADIUS_CHECK_valid)
		return check;
	if (!radius_probe_answers(p, r->code))
		return RADIUS_CHECK_bad_code;
	return s->answered ? RADIUS_CHECK_duplicate : RADIUS_CHECK_valid;
}

static void radius_probe_count_reply(struct radius_probe *p, const struct radius_reply *r)
{
	if (r->code == RADIUS_ACCESS_ACCEPT)
		p->count.accepts++;
	else if (r->code == RADIUS_ACCESS_REJECT)
		p->count.rejects++;
	else if (r->code == RADIUS_ACCESS_CHALLENGE)
		p->count.challenges++;
	else
		p->count.accounting_responses++;
	if (p->tries == 0 || r->id != p->id)
		p->count.late++;
}

static void radius_probe_answered(struct radius_probe *p, const struct radius_reply *r, usec_t now)
{
	struct sent *s = &p->sent[r->id];

	radius_probe_count_reply(p, r);
	s->answered = true;
	if (s->times == 1) /* else it is not known which one is answered (Karn) */
		p->rtt = now - s->last;
	if (r->message_authenticator != NULL)
		p->signs = true;
	p->last_reply = r->code;
	p->last_reply_at = now;
	p->error = 0;
	p->seen = RADIUS_REASON_NONE;
	if (p->tries > 0) /* a reply to an earlier round's request does as well */
		radius_probe_end_round(p, now);
	radius_probe_move(p, RADIUS_UP, RADIUS_REASON_NONE, now);
}

enum radius_check radius_probe_input(
	struct radius_probe *p, const uint8_t *bytes, size_t len, usec_t now)
{
	static const enum radius_reason reasons[radius_checks_n] = {
		[RADIUS_CHECK_bad_length] = RADIUS_REASON_MALFORMED,
		[RADIUS_CHECK_bad_code] = RADIUS_REASON_MALFORMED,
		[RADIUS_CHECK_bad_attribute] = RADIUS_REASON_MALFORMED,
		[RADIUS_CHECK_bad_authenticator] = RADIUS_REASON_BAD_AUTHENTICATOR,
		[RADIUS_CHECK_bad_message_authenticator] = RADIUS_REASON_BAD_MESSAGE_AUTHENTICATOR,
		[RADIUS_CHECK_no_message_authenticator] = RADIUS_REASON_NO_MESSAGE_AUTHENTICATOR,
		[RADIUS_CHECK_no_digest] = RADIUS_REASON_NO_DIGEST,
	};
	struct radius_reply r;
	enum radius_check check = radius_probe_judge(p, bytes, len, &r, now);

	((uint64_t *)&p->checks)[check]++;
	if (check == RADIUS_CHECK_valid)
		radius_probe_answered(p, &r, now);
	else
		radius_probe_note(p, reasons[check]);
	return check;
}

enum radius_state radius_probe_state(const struct radius_probe *p)
{
	return p->state;
}

void radius_probe_info(const struct radius_probe *p, struct radius_probe_info *info)
{
	*info = (struct radius_probe_info){ .state = p->state,
		.since = p->since,
		.reason = p->reason,
		.error = p->error,
		.last_reply = p->last_reply,
		.last_reply_at = p->last_reply_at,
		.rtt = p->rtt,
		.message_authenticator = must_sign(p),
		.tries = p->tries,
		.due = p->due,
		.count = p->count,
		.checks = p->checks };
}

const char *radius_state_name(enum radius_state s)
{
	static const char *const names[] = {
		[RADIUS_INIT] = "init", [RADIUS_UP] = "up", [RADIUS_DOWN] = "down"
	};

	return names[s];
}

const char *radius_reason_text(enum radius_reason r)
{
	static const char *const texts[RADIUS_REASON_MAX] = {
		[RADIUS_REASON_NONE] = "",
		[RADIUS_REASON_TIMEOUT] =
			"timeout: no answer; the server is down, or does not know this client, or "
			"the secret differs",
		[RADIUS_REASON_UNREACHABLE] =
			"unreachable: nobody listens there, or there is no way to it",
		[RADIUS_REASON_MALFORMED] = "malformed: what answers is no RADIUS server",
		[RADIUS_REASON_NO_DIGEST] =
			"no-digest: libcrypto has no MD5, which RADIUS needs; FIPS mode?",
		[RADIUS_REASON_NO_MESSAGE_AUTHENTICATOR] =
			"no-message-authenticator: replies are not signed, but "
			"require-message-authenticator says that they must, or they were before",
		[RADIUS_REASON_BAD_MESSAGE_AUTHENTICATOR] =
			"bad-message-authenticator: a reply was forged",
		[RADIUS_REASON_BAD_AUTHENTICATOR] = "bad-authenticator: secret differs?",
	};

	return r < RADIUS_REASON_MAX ? texts[r] : "";
}
