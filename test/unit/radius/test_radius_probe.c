/* SPDX-License-Identifier: BSD-3-Clause */
/* A probe against a server that the test plays, in a time that the test makes. */
#include <errno.h>

#include "radius/radius_probe.h"
#include "radius_rig.h"
#include "ut.h"

enum { MS = 1000, T0 = 5000000, PERIOD = 10000 * MS, TIMEOUT = 1000 * MS, TRIES = 3 };

/* A probe, what it sent last, and the server's secret. */
struct bed {
	struct radius_probe *p;
	struct radius_secret secret;
	uint8_t fresh, sent[RADIUS_REQUEST_MAX];
	size_t len;
};

static struct radius_probe_conf conf_of(enum radius_method method, enum radius_require require)
{
	struct radius_probe_conf c = { .method = method,
		.require = require,
		.user = "probe",
		.password = "probe",
		.nas_id = "left",
		.period = PERIOD,
		.timeout = TIMEOUT,
		.max_retries = TRIES };

	CU_ASSERT_EQUAL(radius_secret_set(&c.secret, "testing123", 10), 0);
	return c;
}

static struct bed bed_of(enum radius_method method, enum radius_require require)
{
	struct radius_probe_conf c = conf_of(method, require);
	struct bed b = { .p = radius_probe_create(&c), .secret = c.secret };

	CU_ASSERT_FATAL(b.p != NULL);
	CU_ASSERT_EQUAL(radius_probe_due(b.p), USEC_NEVER);
	radius_probe_start(b.p, T0);
	CU_ASSERT_EQUAL(radius_probe_due(b.p), T0);
	return b;
}

/* True if something is sent; it is the bed's from then on. */
static bool tick(struct bed *b, usec_t now)
{
	uint8_t out[RADIUS_REQUEST_MAX], fresh[RADIUS_AUTHENTICATOR];
	size_t len;

	memset(fresh, ++b->fresh, sizeof(fresh));
	len = radius_probe_tick(b->p, now, fresh, out);
	if (len > 0) {
		memcpy(b->sent, out, len);
		b->len = len;
	}
	return len > 0;
}

/* Runs the round that begins at `now` to its end, unanswered; when it is over. */
static usec_t run_round(struct bed *b, usec_t now)
{
	for (unsigned int i = 0; i < TRIES; i++, now += TIMEOUT)
		CU_ASSERT_TRUE(tick(b, now));
	CU_ASSERT_FALSE(tick(b, now));
	return now;
}

static size_t reply_to(
	const struct bed *b, const uint8_t *request, uint8_t code, bool sign, uint8_t *reply)
{
	static const uint8_t message[] = { 18, 5, 'h', 'e', 'y' };

	return rig_reply(
		reply, code, request[1], request + 4, &b->secret, sign, message, sizeof(message));
}

static enum radius_check answer_to(
	const struct bed *b, const uint8_t *request, uint8_t code, bool sign, usec_t now)
{
	uint8_t reply[RADIUS_PACKET_MAX];
	size_t len = reply_to(b, request, code, sign, reply);

	return radius_probe_input(b->p, reply, len, now);
}

static enum radius_check answer(const struct bed *b, usec_t now)
{
	return answer_to(b, b->sent, RADIUS_ACCESS_ACCEPT, false, now);
}

static struct radius_probe_info info_of(const struct bed *b)
{
	struct radius_probe_info i;

	radius_probe_info(b->p, &i);
	return i;
}

static void test_create(void)
{
	const struct radius_probe_conf good = conf_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	struct radius_probe_conf bad[6];

	for (unsigned int i = 0; i < 6; i++)
		bad[i] = good;
	bad[0].period = 0;
	bad[1].timeout = 0;
	bad[2].max_retries = 0;
	bad[3].secret.len = 0;
	bad[4].user[0] = '\0';
	bad[5].nas_id[0] = '\0';
	for (unsigned int i = 0; i < 6; i++) {
		errno = 0;
		CU_ASSERT_PTR_NULL(radius_probe_create(&bad[i]));
		CU_ASSERT_EQUAL(errno, EINVAL);
	}
	bad[4].method = RADIUS_METHOD_STATUS_SERVER; /* which names no user */
	radius_probe_destroy(radius_probe_create(&bad[4]));
	radius_probe_destroy(NULL);
}

/* Nobody answers: the same bytes TRIES times, a timeout apart, then Down; and another request a
 * period later. */
static void test_silence(void)
{
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	uint8_t first[RADIUS_REQUEST_MAX];
	usec_t now = T0;
	size_t len;

	CU_ASSERT_FALSE(tick(&b, T0 - 1));
	CU_ASSERT_TRUE(tick(&b, now));
	len = b.len;
	memcpy(first, b.sent, len);
	CU_ASSERT_EQUAL(first[0], RADIUS_ACCESS_REQUEST);
	CU_ASSERT_EQUAL(first[RADIUS_HEADER], RADIUS_MESSAGE_AUTHENTICATOR);
	for (unsigned int i = 1; i < TRIES; i++) {
		now += TIMEOUT;
		CU_ASSERT_EQUAL(radius_probe_due(b.p), now);
		CU_ASSERT_FALSE(tick(&b, now - 1));
		CU_ASSERT_TRUE(tick(&b, now));
		CU_ASSERT_EQUAL(b.len, len);
		CU_ASSERT_EQUAL(memcmp(b.sent, first, len), 0);
	}
	now += TIMEOUT;
	CU_ASSERT_FALSE(tick(&b, now - 1));
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_INIT);
	CU_ASSERT_FALSE(tick(&b, now));
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_DOWN);
	CU_ASSERT_EQUAL(info_of(&b).since, now);
	CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_TIMEOUT);
	CU_ASSERT_EQUAL(info_of(&b).count.timeouts, TRIES);
	CU_ASSERT_EQUAL(info_of(&b).count.retransmissions, TRIES - 1);
	CU_ASSERT_EQUAL(info_of(&b).last_reply_at, USEC_NEVER);
	CU_ASSERT_EQUAL(radius_probe_due(b.p), T0 + PERIOD);
	CU_ASSERT_TRUE(tick(&b, T0 + PERIOD));
	/* identifier and authenticator are new */
	CU_ASSERT_EQUAL(b.sent[1], (uint8_t)(first[1] + 1));
	CU_ASSERT_NOT_EQUAL(memcmp(b.sent + 4, first + 4, RADIUS_AUTHENTICATOR), 0);
	CU_ASSERT_EQUAL(info_of(&b).since, now); /* Down since then, not anew */
	radius_probe_destroy(b.p);
}

static const struct {
	enum radius_method method;
	uint8_t code;
	enum radius_check want;
} kinds[] = {
	{ RADIUS_METHOD_AUTH, RADIUS_ACCESS_ACCEPT, RADIUS_CHECK_valid },
	{ RADIUS_METHOD_AUTH, RADIUS_ACCESS_REJECT, RADIUS_CHECK_valid },
	{ RADIUS_METHOD_AUTH, RADIUS_ACCESS_CHALLENGE, RADIUS_CHECK_valid },
	{ RADIUS_METHOD_AUTH, RADIUS_ACCOUNTING_RESPONSE, RADIUS_CHECK_bad_code },
	{ RADIUS_METHOD_AUTH, RADIUS_ACCESS_REQUEST, RADIUS_CHECK_bad_code },
	{ RADIUS_METHOD_STATUS_SERVER, RADIUS_ACCESS_ACCEPT, RADIUS_CHECK_valid },
	{ RADIUS_METHOD_STATUS_SERVER, RADIUS_ACCESS_REJECT, RADIUS_CHECK_valid },
	{ RADIUS_METHOD_STATUS_SERVER, RADIUS_ACCOUNTING_RESPONSE, RADIUS_CHECK_valid },
	{ RADIUS_METHOD_STATUS_SERVER, RADIUS_STATUS_SERVER, RADIUS_CHECK_bad_code },
};

static void test_kinds(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct bed b = bed_of(kinds[i].method, RADIUS_REQUIRE_AUTO);
		bool up = kinds[i].want == RADIUS_CHECK_valid;
		struct radius_probe_info in;

		CU_ASSERT_TRUE(tick(&b, T0));
		CU_ASSERT_EQUAL(b.sent[0], kinds[i].method == RADIUS_METHOD_AUTH
						   ? RADIUS_ACCESS_REQUEST
						   : RADIUS_STATUS_SERVER);
		CU_ASSERT_EQUAL(answer_to(&b, b.sent, kinds[i].code, false, T0 + 7), kinds[i].want);
		in = info_of(&b);
		CU_ASSERT_EQUAL(in.state, up ? RADIUS_UP : RADIUS_INIT);
		CU_ASSERT_EQUAL(in.last_reply, up ? kinds[i].code : 0);
		CU_ASSERT_EQUAL(in.rtt, up ? 7 : USEC_NEVER);
		CU_ASSERT_EQUAL(in.since, up ? T0 + 7 : T0);
		CU_ASSERT_EQUAL(in.due, up ? T0 + PERIOD : T0 + TIMEOUT);
		CU_ASSERT_EQUAL(in.count.accepts + in.count.rejects + in.count.challenges +
					in.count.accounting_responses,
			up);
		CU_ASSERT_EQUAL(in.count.late, 0);
		if (!up) {
			for (unsigned int n = 1; n <= TRIES; n++)
				tick(&b, T0 + n * (usec_t)TIMEOUT);
			CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_MALFORMED);
		}
		radius_probe_destroy(b.p);
	}
}

/* Another secret than ours: not believed, but it is told. The next good reply clears it. */
static void test_secret(void)
{
	struct bed b = bed_of(RADIUS_METHOD_STATUS_SERVER, RADIUS_REQUIRE_AUTO);

	b.secret.b[0] ^= 1;
	CU_ASSERT_TRUE(tick(&b, T0));
	CU_ASSERT_EQUAL(answer(&b, T0 + 1), RADIUS_CHECK_bad_authenticator);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_INIT);
	for (unsigned int n = 1; n <= TRIES; n++)
		CU_ASSERT_EQUAL(tick(&b, T0 + n * (usec_t)TIMEOUT), n < TRIES);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_DOWN);
	CU_ASSERT_STRING_EQUAL(
		radius_reason_text(info_of(&b).reason), "bad-authenticator: secret differs?");
	CU_ASSERT_EQUAL(info_of(&b).checks.bad_authenticator, 1);
	b.secret.b[0] ^= 1;
	CU_ASSERT_EQUAL(answer(&b, T0 + TRIES * TIMEOUT + 1), RADIUS_CHECK_valid);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_UP);
	CU_ASSERT_STRING_EQUAL(radius_reason_text(info_of(&b).reason), "");
	/* Of a round that no one answers any more, the next reason is its own. */
	run_round(&b, T0 + PERIOD);
	CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_TIMEOUT);
	radius_probe_destroy(b.p);
}

/* What anyone can send ends no round, and pulls no server down. */
static void test_unproven(void)
{
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	uint8_t reply[RADIUS_PACKET_MAX];
	size_t len;

	CU_ASSERT_TRUE(tick(&b, T0));
	len = reply_to(&b, b.sent, RADIUS_ACCESS_ACCEPT, true, reply);
	for (size_t cut = 0; cut < len; cut++)
		CU_ASSERT_EQUAL(
			radius_probe_input(b.p, reply, cut, T0 + 1), RADIUS_CHECK_bad_length);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		reply[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_NOT_EQUAL(
			radius_probe_input(b.p, reply, len, T0 + 1), RADIUS_CHECK_valid);
		reply[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_INIT);
	CU_ASSERT_EQUAL(info_of(&b).tries, 1);
	CU_ASSERT_EQUAL(info_of(&b).due, T0 + TIMEOUT);
	CU_ASSERT_EQUAL(radius_probe_input(b.p, reply, len, T0 + 1), RADIUS_CHECK_valid);
	CU_ASSERT_TRUE(info_of(&b).message_authenticator);
	reply[9] ^= 1;
	CU_ASSERT_EQUAL(
		radius_probe_input(b.p, reply, len, T0 + 2), RADIUS_CHECK_bad_authenticator);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_UP);
	CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_NONE);
	radius_probe_destroy(b.p);
}

/* A reply to an earlier try counts, after Down and in a later round too, as long as its request
 * lives; and once. */
static void test_late(void)
{
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	uint8_t old[RADIUS_REQUEST_MAX], older[RADIUS_REQUEST_MAX];
	usec_t down = run_round(&b, T0), again = T0 + 2 * PERIOD, end;

	memcpy(older, b.sent, b.len);
	CU_ASSERT_EQUAL(answer(&b, down + 1), RADIUS_CHECK_valid);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_UP);
	CU_ASSERT_EQUAL(info_of(&b).count.late, 1);
	CU_ASSERT_EQUAL(info_of(&b).rtt, USEC_NEVER); /* which of the three was answered? */
	CU_ASSERT_EQUAL(radius_probe_due(b.p), T0 + PERIOD);
	CU_ASSERT_EQUAL(answer(&b, down + 2), RADIUS_CHECK_duplicate);
	run_round(&b, T0 + PERIOD);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_DOWN);
	memcpy(old, b.sent, b.len);
	CU_ASSERT_TRUE(tick(&b, again));
	CU_ASSERT_EQUAL(answer_to(&b, older, RADIUS_ACCESS_ACCEPT, false, again + 1),
		RADIUS_CHECK_duplicate);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_DOWN); /* replayed, it proves nothing */
	CU_ASSERT_EQUAL(
		answer_to(&b, old, RADIUS_ACCESS_REJECT, false, again + 2), RADIUS_CHECK_valid);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_UP);
	CU_ASSERT_EQUAL(info_of(&b).count.late, 2);
	CU_ASSERT_EQUAL(info_of(&b).tries, 0);
	CU_ASSERT_EQUAL(radius_probe_due(b.p), again + PERIOD);
	CU_ASSERT_EQUAL(answer(&b, again + 3), RADIUS_CHECK_valid); /* this round's own */
	end = run_round(&b, again + PERIOD) - TIMEOUT + RADIUS_REPLY_LIFE_US;
	CU_ASSERT_EQUAL(answer(&b, end), RADIUS_CHECK_unmatched);
	CU_ASSERT_EQUAL(answer(&b, end - 1), RADIUS_CHECK_valid);
	radius_probe_destroy(b.p);
}

static void test_unmatched(void)
{
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);

	CU_ASSERT_TRUE(tick(&b, T0));
	b.sent[1]++;
	CU_ASSERT_EQUAL(answer(&b, T0), RADIUS_CHECK_unmatched);
	b.sent[1]--;
	for (unsigned int n = 1; n <= TRIES; n++)
		tick(&b, T0 + n * (usec_t)TIMEOUT);
	CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_TIMEOUT); /* it is no reason */
	radius_probe_destroy(b.p);
}

static const struct {
	enum radius_require require;
	const char *replies, *want; /* s signed, u unsigned, one a round; U or D behind it */
} signing[] = {
	{ RADIUS_REQUIRE_AUTO, "uuu", "UUU" },
	{ RADIUS_REQUIRE_AUTO, "usus", "UUDU" },
	{ RADIUS_REQUIRE_YES, "suus", "UDDU" },
	{ RADIUS_REQUIRE_NO, "sus", "UUU" },
};

static void test_signing(void)
{
	for (size_t i = 0; i < sizeof(signing) / sizeof(signing[0]); i++) {
		struct bed b = bed_of(RADIUS_METHOD_AUTH, signing[i].require);

		for (unsigned int n = 0; signing[i].replies[n] != '\0'; n++) {
			usec_t now = T0 + n * (usec_t)PERIOD;
			bool sign = signing[i].replies[n] == 's', up = signing[i].want[n] == 'U';

			CU_ASSERT_TRUE(tick(&b, now));
			CU_ASSERT_EQUAL(answer_to(&b, b.sent, RADIUS_ACCESS_ACCEPT, sign, now + 1),
				up ? RADIUS_CHECK_valid : RADIUS_CHECK_no_message_authenticator);
			for (unsigned int t = 1; t <= TRIES; t++)
				CU_ASSERT_EQUAL(
					tick(&b, now + t * (usec_t)TIMEOUT), !up && t < TRIES);
			CU_ASSERT_STRING_EQUAL(
				radius_state_name(radius_probe_state(b.p)), up ? "up" : "down");
			CU_ASSERT_EQUAL(info_of(&b).reason,
				up ? RADIUS_REASON_NONE : RADIUS_REASON_NO_MESSAGE_AUTHENTICATOR);
		}
		radius_probe_destroy(b.p);
	}
}

/* A try that could not be made is one that failed: the next comes at its time, not at once. */
static void test_unreachable(void)
{
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	usec_t now = T0;

	for (unsigned int i = 0; i < TRIES; i++, now += TIMEOUT) {
		CU_ASSERT_TRUE(tick(&b, now));
		radius_probe_failed(b.p, ECONNREFUSED);
		CU_ASSERT_EQUAL(radius_probe_due(b.p), now + TIMEOUT);
		CU_ASSERT_FALSE(tick(&b, now + TIMEOUT - 1));
		CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_INIT);
	}
	CU_ASSERT_FALSE(tick(&b, now));
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_DOWN);
	CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_UNREACHABLE);
	CU_ASSERT_EQUAL(info_of(&b).error, ECONNREFUSED);
	CU_ASSERT_EQUAL(info_of(&b).count.errors, TRIES);
	CU_ASSERT_EQUAL(info_of(&b).count.timeouts, 0);
	/* silence after that is silence; until then it is still why */
	CU_ASSERT_TRUE(tick(&b, T0 + PERIOD));
	CU_ASSERT_EQUAL(info_of(&b).error, ECONNREFUSED);
	for (unsigned int n = 1; n <= TRIES; n++)
		CU_ASSERT_EQUAL(tick(&b, T0 + PERIOD + n * (usec_t)TIMEOUT), n < TRIES);
	CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_TIMEOUT);
	CU_ASSERT_EQUAL(info_of(&b).error, 0);
	CU_ASSERT_EQUAL(info_of(&b).count.timeouts, TRIES);
	/* One refusal, one silence, then an answer: the server is Up, and nothing is left of it. */
	now = T0 + 2 * PERIOD;
	CU_ASSERT_TRUE(tick(&b, now));
	radius_probe_failed(b.p, EHOSTUNREACH);
	CU_ASSERT_TRUE(tick(&b, now + TIMEOUT));
	CU_ASSERT_TRUE(tick(&b, now + 2 * TIMEOUT));
	CU_ASSERT_EQUAL(info_of(&b).count.timeouts, TRIES + 1);
	CU_ASSERT_EQUAL(answer(&b, now + 2 * TIMEOUT + 1), RADIUS_CHECK_valid);
	CU_ASSERT_EQUAL(info_of(&b).error, 0);
	radius_probe_failed(b.p, ECONNREFUSED); /* of a copy of the request, and too late */
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_UP);
	CU_ASSERT_EQUAL(info_of(&b).error, 0);
	radius_probe_destroy(b.p);
}

/* Rounds so fast that all identifiers are in use: it waits for the oldest to be done with. */
static void test_identifiers(void)
{
	struct radius_probe_conf c = conf_of(RADIUS_METHOD_STATUS_SERVER, RADIUS_REQUIRE_AUTO);
	struct bed b = { .secret = c.secret };
	usec_t now = T0;
	uint8_t first = 0;

	c.period = MS;
	b.p = radius_probe_create(&c);
	CU_ASSERT_FATAL(b.p != NULL);
	radius_probe_start(b.p, now);
	for (unsigned int i = 0; i < 256; i++, now += MS) {
		CU_ASSERT_TRUE(tick(&b, now));
		if (i == 0)
			first = b.sent[1];
		CU_ASSERT_EQUAL(b.sent[1], (uint8_t)(first + i));
		CU_ASSERT_EQUAL(answer(&b, now), RADIUS_CHECK_valid);
	}
	CU_ASSERT_FALSE(tick(&b, now));
	CU_ASSERT_EQUAL(radius_probe_due(b.p), T0 + RADIUS_REPLY_LIFE_US);
	CU_ASSERT_EQUAL(info_of(&b).count.identifiers_awaited, 1);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_UP);
	CU_ASSERT_FALSE(tick(&b, T0 + RADIUS_REPLY_LIFE_US - 1));
	CU_ASSERT_TRUE(tick(&b, T0 + RADIUS_REPLY_LIFE_US));
	CU_ASSERT_EQUAL(b.sent[1], first);
	CU_ASSERT_EQUAL(answer(&b, T0 + RADIUS_REPLY_LIFE_US), RADIUS_CHECK_valid);
	radius_probe_destroy(b.p);
}

/* Only the Active probes. What it knew of the server's signing outlives the pause; its verdict does
 * not. */
static void test_pause(void)
{
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	usec_t now = T0 + 100 * MS;
	uint8_t before;

	CU_ASSERT_TRUE(tick(&b, T0));
	before = b.sent[1];
	radius_probe_start(b.p, T0 + 1); /* it runs: no round is lost */
	CU_ASSERT_EQUAL(info_of(&b).tries, 1);
	CU_ASSERT_EQUAL(
		answer_to(&b, b.sent, RADIUS_ACCESS_ACCEPT, true, T0 + 2), RADIUS_CHECK_valid);
	radius_probe_stop(b.p, now);
	radius_probe_stop(b.p, now + 1);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_INIT);
	CU_ASSERT_EQUAL(info_of(&b).since, now);
	CU_ASSERT_EQUAL(radius_probe_due(b.p), USEC_NEVER);
	CU_ASSERT_FALSE(tick(&b, now + 10 * (usec_t)PERIOD));
	CU_ASSERT_EQUAL(answer(&b, now + 1), RADIUS_CHECK_stopped);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_INIT);
	radius_probe_start(b.p, now + 2);
	CU_ASSERT_TRUE(tick(&b, now + 2));
	CU_ASSERT_EQUAL(b.sent[1], (uint8_t)(before + 1));
	CU_ASSERT_EQUAL(answer(&b, now + 3), RADIUS_CHECK_no_message_authenticator);
	CU_ASSERT_EQUAL(
		answer_to(&b, b.sent, RADIUS_ACCESS_REJECT, true, now + 3), RADIUS_CHECK_valid);
	radius_probe_destroy(b.p);
}

/* A loop that did not run for an hour makes up for nothing: one packet a call, and a timeout
 * between two. */
static void test_stall(void)
{
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	usec_t now = T0 + 3600 * USEC_PER_SEC;

	CU_ASSERT_TRUE(tick(&b, now));
	CU_ASSERT_FALSE(tick(&b, now));
	now += 3600 * USEC_PER_SEC;
	CU_ASSERT_TRUE(tick(&b, now));
	CU_ASSERT_FALSE(tick(&b, now));
	CU_ASSERT_EQUAL(info_of(&b).tries, 2);
	CU_ASSERT_EQUAL(radius_probe_due(b.p), now + TIMEOUT);
	/* The last try runs out when its period is long over: Down, and the next round begins at
	 * once. */
	now += TIMEOUT;
	CU_ASSERT_TRUE(tick(&b, now));
	now += 3600 * USEC_PER_SEC;
	CU_ASSERT_TRUE(tick(&b, now));
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_DOWN);
	CU_ASSERT_EQUAL(info_of(&b).tries, 1);
	CU_ASSERT_EQUAL(info_of(&b).count.rounds, 2);
	radius_probe_destroy(b.p);
}

static void test_no_digest(void)
{
	const struct radius_probe_conf c = conf_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);
	struct bed b = bed_of(RADIUS_METHOD_AUTH, RADIUS_REQUIRE_AUTO);

	CU_ASSERT_EQUAL(EVP_set_default_properties(NULL, "fips=yes"), 1);
	errno = 0;
	CU_ASSERT_PTR_NULL(radius_probe_create(&c));
	CU_ASSERT_EQUAL(errno, ENOTSUP);
	for (unsigned int i = 0; i <= TRIES; i++)
		CU_ASSERT_FALSE(tick(&b, T0 + i * (usec_t)TIMEOUT));
	CU_ASSERT_EQUAL(EVP_set_default_properties(NULL, ""), 1);
	CU_ASSERT_EQUAL(radius_probe_state(b.p), RADIUS_DOWN);
	CU_ASSERT_EQUAL(info_of(&b).reason, RADIUS_REASON_NO_DIGEST);
	radius_probe_destroy(b.p);
}

static CU_TestInfo tests[] = {
	{ "create", test_create },
	{ "silence", test_silence },
	{ "kinds", test_kinds },
	{ "secret", test_secret },
	{ "unproven", test_unproven },
	{ "late", test_late },
	{ "unmatched", test_unmatched },
	{ "signing", test_signing },
	{ "unreachable", test_unreachable },
	{ "identifiers", test_identifiers },
	{ "pause", test_pause },
	{ "stall", test_stall },
	{ "no_digest", test_no_digest },
	CU_TEST_INFO_NULL,
};

int main(void)
{
	CU_SuiteInfo suites[] = { { "radius_probe", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
