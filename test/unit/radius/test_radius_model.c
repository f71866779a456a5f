/* SPDX-License-Identifier: BSD-3-Clause */
/* Random histories of a probe and a server that is dead, slow, refused, of another secret, signing
 * or not, over a network that loses, repeats, delays and damages; beside them a model too stupid to
 * be wrong: it keeps every packet and looks through all of them. */
#include <errno.h>

#include "radius/radius_probe.h"
#include "radius_rig.h"
#include "ut.h"

enum { HISTORIES = 150, STEPS = 400, SENT_MAX = STEPS, FLYING_MAX = 64, MS = 1000 };

struct packet {
	uint8_t b[RADIUS_REQUEST_MAX];
	size_t len;
	usec_t at;
};

struct reply {
	usec_t at;
	unsigned int of; /* which packet it answers */
	bool good, signs;
	size_t len;
	uint8_t b[RADIUS_HEADER + 64];
};

struct model {
	struct packet sent[SENT_MAX];
	bool answered[SENT_MAX];
	unsigned int n_sent, n_flying, round; /* round: sent in it so far */
	struct reply flying[FLYING_MAX];
	enum radius_state state;
	bool seen_signed;
	usec_t began, next;
};

static struct model m;
static struct radius_probe_conf conf;
static uint64_t seed;

static bool chance(unsigned int percent)
{
	return ut_random(&seed) % 100 < percent;
}

static bool same_request(const struct packet *a, const struct packet *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

/* Is a reply to packet `of` worth something now? The last packet of its request has to be young,
 * and no other request may have got its identifier since. */
static bool lives(unsigned int of, usec_t now)
{
	unsigned int last = of;

	for (unsigned int i = of; i < m.n_sent; i++) {
		if (same_request(&m.sent[i], &m.sent[of]))
			last = i;
		else if (m.sent[i].b[1] == m.sent[of].b[1])
			return false;
	}
	return now - m.sent[last].at < RADIUS_REPLY_LIFE_US;
}

static bool was_answered(unsigned int of)
{
	for (unsigned int i = 0; i < m.n_sent; i++)
		if (m.answered[i] && same_request(&m.sent[i], &m.sent[of]))
			return true;
	return false;
}

static void fly(usec_t now)
{
	static const uint8_t codes[] = { RADIUS_ACCESS_ACCEPT, RADIUS_ACCESS_REJECT,
		RADIUS_ACCESS_CHALLENGE };
	struct radius_secret secret = conf.secret;
	const struct packet *q = &m.sent[m.n_sent - 1];
	struct reply *r = &m.flying[m.n_flying];
	bool damaged = chance(5), other_secret = chance(10), slow = chance(5), more = chance(50);
	uint8_t code = codes[ut_random(&seed) % 3];

	if (m.n_flying == FLYING_MAX)
		return;
	secret.b[0] ^= other_secret;
	r->of = m.n_sent - 1;
	r->signs = chance(60);
	r->good = !damaged && !other_secret;
	r->at = now + ut_random(&seed) % (slow ? 90 * USEC_PER_SEC : 2 * conf.timeout);
	r->len = rig_reply(r->b, code, q->b[1], q->b + 4, &secret, r->signs,
		(const uint8_t[]){ 18, 3, 'x' }, more ? 3 : 0);
	if (damaged) {
		size_t at = 2 + ut_random(&seed) % (r->len - 2);

		r->b[at] ^= (uint8_t)(1 << ut_random(&seed) % 8);
	}
	m.n_flying++;
}

/* The earliest reply in flight, taken out if it has arrived by `now`. */
static bool arrived(usec_t now, struct reply *r)
{
	unsigned int first = m.n_flying;

	for (unsigned int i = 0; i < m.n_flying; i++)
		if (m.flying[i].at <= now &&
			(first == m.n_flying || m.flying[i].at < m.flying[first].at))
			first = i;
	if (first == m.n_flying)
		return false;
	*r = m.flying[first];
	m.flying[first] = m.flying[--m.n_flying];
	return true;
}

static void round_over(usec_t now)
{
	m.round = 0;
	m.next = m.began + conf.period > now ? m.began + conf.period : now;
}

static void receive(struct radius_probe *p, const struct reply *r, usec_t now)
{
	bool required = conf.require == RADIUS_REQUIRE_YES ||
			(conf.require == RADIUS_REQUIRE_AUTO && m.seen_signed);
	bool want = r->good && lives(r->of, now) && !was_answered(r->of) && (r->signs || !required);

	CU_ASSERT_EQUAL(radius_probe_input(p, r->b, r->len, now) == RADIUS_CHECK_valid, want);
	if (!want)
		return;
	m.answered[r->of] = true;
	m.seen_signed |= r->signs;
	m.state = RADIUS_UP;
	if (m.round > 0)
		round_over(now);
}

/* What the model says must be sent now: 0 nothing, 1 the last packet again, 2 a new request. */
static unsigned int model_tick(usec_t now)
{
	bool free = true;

	if (m.round > 0 && now < m.sent[m.n_sent - 1].at + conf.timeout)
		return 0;
	if (m.round > 0 && m.round < conf.max_retries)
		return 1;
	if (m.round > 0) {
		m.state = RADIUS_DOWN;
		round_over(now);
	}
	for (unsigned int i = 0; i < m.n_sent; i++)
		if (m.sent[i].b[1] == (uint8_t)(m.sent[m.n_sent - 1].b[1] + 1) && lives(i, now))
			free = false;
	return now >= m.next && free ? 2 : 0;
}

static void tick(struct radius_probe *p, usec_t now)
{
	struct packet *q = &m.sent[m.n_sent];
	uint8_t fresh[RADIUS_AUTHENTICATOR];
	unsigned int want = model_tick(now);

	for (unsigned int i = 0; i < sizeof(fresh); i++)
		fresh[i] = (uint8_t)ut_random(&seed);
	q->len = radius_probe_tick(p, now, fresh, q->b);
	q->at = now;
	CU_ASSERT_EQUAL(q->len > 0, want > 0);
	if (q->len == 0)
		return;
	if (m.n_sent > 0)
		CU_ASSERT_EQUAL(same_request(q, q - 1), want == 1);
	if (want == 2)
		m.began = now;
	m.round++;
	m.n_sent++;
	if (chance(10))
		radius_probe_failed(p, ECONNREFUSED);
	if (chance(50))
		fly(now);
	if (chance(10))
		fly(now);
}

static void history(void)
{
	struct radius_probe *p;
	usec_t now = 1000;

	/* One by one: a compiler may draw an initializer's numbers in any order, and a seed is one
	 * history. */
	conf = (struct radius_probe_conf){ .user = "u", .password = "p", .nas_id = "n" };
	conf.method = ut_random(&seed) % 2;
	conf.require = ut_random(&seed) % 3;
	conf.period = (1 + ut_random(&seed) % 3000) * MS;
	conf.timeout = (1 + ut_random(&seed) % 500) * MS;
	conf.max_retries = 1 + ut_random(&seed) % 5;
	CU_ASSERT_EQUAL(radius_secret_set(&conf.secret, &seed, sizeof(seed)), 0);
	memset(&m, 0, sizeof(m));
	m.next = now;
	p = radius_probe_create(&conf);
	CU_ASSERT_FATAL(p != NULL);
	radius_probe_start(p, now);
	for (unsigned int step = 0; step < STEPS; step++) {
		struct reply r;
		usec_t due = radius_probe_due(p);

		for (unsigned int i = 0; i < m.n_flying; i++)
			if (m.flying[i].at < due)
				due = m.flying[i].at;
		now = due > now ? due : now;
		now += chance(20) ? ut_random(&seed) % (100 * MS) : 0;
		while (arrived(now, &r))
			receive(p, &r, now);
		tick(p, now);
		CU_ASSERT_EQUAL(radius_probe_state(p), m.state);
	}
	radius_probe_destroy(p);
}

static void test_histories(void)
{
	uint64_t first = ut_seed(20261127);
	unsigned int failures;

	for (unsigned int i = 0; i < HISTORIES; i++) {
		seed = first + i * UINT64_C(0x9e3779b97f4a7c15);
		seed += seed == 0;
		failures = CU_get_number_of_failures();
		history();
		if (CU_get_number_of_failures() > failures) {
			fprintf(stderr, "history %u of seed %llu\n", i, (unsigned long long)first);
			return;
		}
	}
}

static CU_TestInfo tests[] = {
	{ "histories", test_histories },
	CU_TEST_INFO_NULL,
};

int main(void)
{
	CU_SuiteInfo suites[] = { { "radius_model", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
