/* SPDX-License-Identifier: BSD-3-Clause */
/* The key schedule, case by case. */
#include "keys_rig.h"

static void test_none(void)
{
	struct side s;
	struct sealed p = { .id = 3, .number = 1 };

	init(&s, true, 0);
	CU_ASSERT_EQUAL(s.k.p.limit, 1 << 23);
	CU_ASSERT_EQUAL(seal(&s, &p), -ENOKEY);
	CU_ASSERT_EQUAL(take(&s, &p, 0), -ENOKEY);
	CU_ASSERT_EQUAL(keys_due(&s.k), USEC_NEVER);
	CU_ASSERT_EQUAL(join(&s, true, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL(
		keys_init(&s.k, &(struct keys_params){ .limit = 5, .expand = toy }), -EINVAL);
	CU_ASSERT_EQUAL(keys_init(&s.k, &(struct keys_params){ .limit = LIMIT }), -EINVAL);
}

/* A key opens at once, seals only when a hello came, and each direction has its own. */
static void test_first(void)
{
	struct side x, y;
	struct sealed p, q;

	init(&x, true, 0);
	init(&y, false, 0);
	CU_ASSERT_EQUAL(join(&x, true, 7, 0), 0);
	CU_ASSERT_EQUAL(join(&y, false, 7, 0), 0);
	CU_ASSERT_EQUAL(seal(&x, &p), -ENOKEY);
	keys_hello(&x.k, 7, false, 10);
	CU_ASSERT_FATAL(seal(&x, &p) >= 0);
	CU_ASSERT_EQUAL(seal(&y, &q), -ENOKEY);
	CU_ASSERT_EQUAL(take(&y, &p, 20), 0);
	CU_ASSERT_EQUAL(take(&x, &p, 20), 1); /* reflected: the other direction's key */
	CU_ASSERT_EQUAL(x.k.count.rx_bad_tag, 1);
	keys_hello(&y.k, 7, false, 30);
	CU_ASSERT_FATAL(seal(&y, &q) >= 0);
	CU_ASSERT_EQUAL(take(&x, &q, 30), 0);
	CU_ASSERT_EQUAL(keys_tx_id(&x.k, NULL), 7);
	keys_hello(&x.k, 8, false, 40); /* nobody's */
	CU_ASSERT_EQUAL(keys_tx_id(&x.k, NULL), 7);
}

/* The old key opens until the new one was seen, and a second longer; it seals until a hello came
 * over the new one. */
static void test_change(void)
{
	struct side x, y;
	struct sealed old, last, new;
	usec_t now = 100;

	init(&x, true, 0);
	init(&y, false, 0);
	joined(&x, &y, 7, 0);
	CU_ASSERT_FATAL(seal(&x, &old) >= 0);
	CU_ASSERT_EQUAL(take(&y, &old, now), 0);
	CU_ASSERT_EQUAL(join(&x, true, 9, now), 0);
	CU_ASSERT_EQUAL(join(&y, false, 9, now), 0);
	CU_ASSERT_FATAL(seal(&x, &last) >= 0);
	CU_ASSERT_EQUAL(last.id, 7);
	now += 3600 * USEC_PER_SEC; /* an hour without a hello: both are still good */
	keys_tick(&y.k, now);
	CU_ASSERT_EQUAL(keys_live(&y.k, now), 2);
	CU_ASSERT_EQUAL(take(&y, &last, now), 0);
	keys_hello(&x.k, 9, false, now);
	CU_ASSERT_FATAL(seal(&x, &new) >= 0);
	CU_ASSERT_EQUAL(new.id, 9);
	CU_ASSERT_EQUAL(take(&y, &new, now), 0);
	CU_ASSERT_EQUAL(keys_due(&y.k), USEC_NEVER); /* it seals with the old one still */
	CU_ASSERT_EQUAL(keys_tx_id(&y.k, NULL), 7);
	keys_tick(&y.k, now + KEYS_GRACE_US - 1);
	CU_ASSERT_EQUAL(take(&y, &last, now + KEYS_GRACE_US - 1), 0);
	CU_ASSERT_EQUAL(y.k.count.rx_opened_old_key, 1);
	CU_ASSERT_EQUAL(take(&y, &last, now + KEYS_GRACE_US), -EKEYEXPIRED);
	keys_tick(&y.k, now + KEYS_GRACE_US);
	CU_ASSERT_EQUAL(keys_tx_id(&y.k, NULL), 7); /* no hello came over the new one */
	CU_ASSERT_FATAL(seal(&y, &old) >= 0);
	CU_ASSERT_EQUAL(take(&x, &old, now + KEYS_GRACE_US), 0);
	keys_hello(&y.k, 9, false, now + KEYS_GRACE_US);
	CU_ASSERT_TRUE(keys_tick(&y.k, now + KEYS_GRACE_US));
	CU_ASSERT_EQUAL(y.k.count.expired, 1);
	CU_ASSERT_EQUAL(
		/* known to be gone, not unknown */
		take(&y, &last, now + KEYS_GRACE_US), -EKEYEXPIRED);
	CU_ASSERT_EQUAL(y.k.count.rx_expired_key, 2);
	CU_ASSERT_EQUAL(y.k.count.rx_unknown_key, 0);
	/* a late hello of the old connection does not take us back */
	keys_hello(&x.k, 7, false, now);
	CU_ASSERT_EQUAL(keys_tx_id(&x.k, NULL), 9);
}

/* Another process of the peer: what the one before it sealed is the past at once. */
static void test_restarted(void)
{
	struct side x, y, z;
	struct sealed p;

	init(&x, true, 0);
	init(&y, false, 0);
	init(&z, false, 0);
	joined(&x, &y, 7, 0);
	CU_ASSERT_FATAL(seal(&y, &p) >= 0);
	CU_ASSERT_EQUAL(join(&x, true, 9, 10), 0);
	CU_ASSERT_EQUAL(join(&z, false, 9, 10), 0);
	CU_ASSERT_EQUAL(take(&x, &p, 20), 0);
	keys_hello(&x.k, 9, true, 30);
	CU_ASSERT_EQUAL(take(&x, &p, 30), -EKEYEXPIRED);
	keys_tick(&x.k, 30);
	CU_ASSERT_EQUAL(keys_live(&x.k, 30), 1);
}

static void test_collision(void)
{
	struct side x;

	init(&x, true, 0);
	CU_ASSERT_EQUAL(join(&x, true, 7, 0), 0);
	CU_ASSERT_EQUAL(join(&x, true, 7, 0), -EEXIST);
	CU_ASSERT_EQUAL(x.k.count.collisions, 1);
	CU_ASSERT_EQUAL(keys_live(&x.k, 0), 1);
}

/* A storm of connections without a hello: the key that is in use survives it, memory is what it is,
 * the newest is there. */
static void test_storm(void)
{
	struct side x, y;
	struct sealed p;

	init(&x, true, 0);
	init(&y, false, 0);
	joined(&x, &y, 1, 0);
	CU_ASSERT_FATAL(seal(&x, &p) >= 0);
	CU_ASSERT_EQUAL(take(&y, &p, 0), 0);
	/* y uses this one, x the first: each keeps both */
	CU_ASSERT_EQUAL(join(&x, true, 2, 1), 0);
	CU_ASSERT_EQUAL(join(&y, false, 2, 1), 0);
	keys_hello(&y.k, 2, false, 1);
	for (uint16_t id = 3; id < 1000; id++) {
		CU_ASSERT_EQUAL(join(&x, true, id, id), 0);
		CU_ASSERT_EQUAL(join(&y, false, id, id), 0);
		CU_ASSERT_TRUE(keys_live(&x.k, id) <= KEYS_CONNECTIONS);
		CU_ASSERT_FATAL(seal(&x, &p) >= 0);
		CU_ASSERT_EQUAL(p.id, 1);
		CU_ASSERT_EQUAL(take(&y, &p, id), 0);
		CU_ASSERT_FATAL(seal(&y, &p) >= 0);
		CU_ASSERT_EQUAL(p.id, 2);
		CU_ASSERT_EQUAL(take(&x, &p, id), 0);
	}
	keys_hello(&x.k, 999, false, 2000);
	CU_ASSERT_FATAL(seal(&x, &p) >= 0);
	CU_ASSERT_EQUAL(take(&y, &p, 2000), 0);
	CU_ASSERT_EQUAL(p.id, 999);
	CU_ASSERT_EQUAL(y.k.count.evicted, 999 - KEYS_CONNECTIONS);
}

/* No number is sealed twice with a key, whatever the caller says. */
static void test_once(void)
{
	struct side x;
	uint16_t id;
	uint8_t phase;

	init(&x, true, 0);
	CU_ASSERT_EQUAL(join(&x, true, 7, 0), 0);
	keys_hello(&x.k, 7, false, 0);
	CU_ASSERT_TRUE(keys_seal(&x.k, 5, &id, &phase) >= 0);
	CU_ASSERT_EQUAL(keys_seal(&x.k, 5, &id, &phase), -EINVAL);
	CU_ASSERT_EQUAL(keys_seal(&x.k, 4, &id, &phase), -EINVAL);
	CU_ASSERT_TRUE(keys_seal(&x.k, 6, &id, &phase) >= 0);
}

/* Phases go on only while the other side follows; alone, the leader stops at twice the limit. */
static void test_alone(void)
{
	struct side x, y;
	struct sealed p;
	unsigned int n = 0;

	init(&x, true, LIMIT);
	init(&y, false, LIMIT);
	joined(&x, &y, 7, 0);
	while (seal(&x, &p) >= 0 && n < 1000) {
		CU_ASSERT_EQUAL(p.phase, n >= LIMIT);
		keys_tick(&x.k, 0);
		n++;
	}
	CU_ASSERT_EQUAL(
		/* phase 0: the two agree on that; then phase 1, which nobody confirmed */
		n, 3 * LIMIT);
	CU_ASSERT_EQUAL(seal(&x, &p), -EKEYEXPIRED);
	for (n = 0; seal(&y, &p) >= 0 && n < 1000; n++)
		CU_ASSERT_EQUAL(p.phase, 0); /* the follower begins none */
	CU_ASSERT_EQUAL(n, 2 * LIMIT);
	CU_ASSERT_EQUAL(y.k.count.tx_exhausted, 1);
}

/* Slots do not change while packets are between the decision and the cipher: only keys_tick moves
 * them on. */
static void test_burst(void)
{
	struct side x, y;
	struct sealed p[3 * LIMIT / 2], back;
	unsigned int n = sizeof(p) / sizeof(p[0]);
	int slot[3 * LIMIT / 2];

	init(&x, true, LIMIT);
	init(&y, false, LIMIT);
	joined(&x, &y, 7, 0);
	for (unsigned int i = 0; i < n; i++) {
		slot[i] = seal(&x, &p[i]);
		CU_ASSERT_FATAL(slot[i] >= 0);
	}
	for (unsigned int i = 0; i < n; i++)
		CU_ASSERT_EQUAL(x.k.slot[slot[i]].serial, p[i].with.serial);
	for (unsigned int i = 0; i < n; i++) {
		slot[i] = keys_open(&y.k, p[i].id, p[i].phase, p[i].number, 0);
		CU_ASSERT_FATAL(slot[i] >= 0);
		CU_ASSERT_EQUAL(memcmp(y.k.slot[slot[i]].key, p[i].with.key, KEYS_KEY), 0);
	}
	for (unsigned int i = n;
		i-- > 0;) /* the newest first: the phase has turned when the older ones come */
		keys_opened(&y.k, slot[i], p[i].number, 0);
	CU_ASSERT_EQUAL(y.k.conn[0].rx_phase, 1);
	CU_ASSERT_EQUAL(y.k.count.rx_opened_old_phase, LIMIT);
	CU_ASSERT_EQUAL(keys_due(&y.k), 0);
	CU_ASSERT_TRUE(keys_tick(&y.k, 1));
	CU_ASSERT_FATAL(seal(&y, &back) >= 0);
	CU_ASSERT_EQUAL(back.phase, 1); /* it follows */
	CU_ASSERT_EQUAL(take(&x, &back, 1), 0);
	/* the phase before is forgotten after its grace */
	CU_ASSERT_EQUAL(take(&y, &p[3], 1), 0);
	CU_ASSERT_TRUE(keys_tick(&y.k, KEYS_GRACE_US + 1));
	CU_ASSERT_EQUAL(take(&y, &p[3], KEYS_GRACE_US + 1), -EKEYEXPIRED);
	CU_ASSERT_EQUAL(take(&y, &p[n - 1], KEYS_GRACE_US + 1), 0);
}

/* Nothing that was not opened moves anything but counters. */
static void test_forged(void)
{
	struct side x, y;
	struct keys before;
	uint64_t seed = ut_seed(11);

	init(&x, true, LIMIT);
	init(&y, false, LIMIT);
	joined(&x, &y, 7, 0);
	keys_tick(&y.k, 0);
	before = y.k;
	for (unsigned int i = 0; i < 100000; i++) {
		uint8_t pkt[REPL_HEADER + 40];
		size_t len = ut_random(&seed) % sizeof(pkt);
		int slot;

		for (size_t b = 0; b < sizeof(pkt); b++)
			pkt[b] = (uint8_t)ut_random(&seed);
		pkt[0] = i % 16 != 0;
		pkt[2] = 0;
		pkt[3] = (uint8_t)(i % 3 == 0 ? 7 : i % 3);
		slot = keys_packet(&y.k, pkt, len, 0x1111, i);
		CU_ASSERT_TRUE(slot < KEYS_SLOTS);
		if (slot >= 0)
			keys_forged(&y.k);
	}
	CU_ASSERT_EQUAL(y.k.count.rx_opened, 0);
	CU_ASSERT_TRUE(y.k.count.rx_bad_tag > 1000 && y.k.count.rx_length > 1000 &&
		       y.k.count.rx_version > 1000 && y.k.count.rx_unknown_key > 1000);
	before.count = y.k.count;
	CU_ASSERT_EQUAL(memcmp(&before, &y.k, sizeof(before)), 0);
}

static void test_reasons(void)
{
	struct side x;
	uint8_t pkt[REPL_HEADER + REPL_TAG];
	struct repl_header h = {
		.version = wire_spoken.version_min, .key = 7, .number = 1, .sender = 0x2222
	};

	init(&x, true, 0);
	CU_ASSERT_EQUAL(join(&x, true, 7, 0), 0);
#define OPEN(l) (repl_header_write(pkt, &h), keys_packet(&x.k, pkt, l, 0x1111, 0))
	CU_ASSERT_TRUE(OPEN(sizeof(pkt)) >= 0);
	CU_ASSERT_EQUAL(OPEN(sizeof(pkt) - 1), -EBADMSG);
	CU_ASSERT_EQUAL(OPEN(REPL_HEADER - 1), -EBADMSG);
	CU_ASSERT_EQUAL(x.k.count.rx_length, 2);
	h.sender = 0x1111;
	CU_ASSERT_EQUAL(OPEN(sizeof(pkt)), -ELOOP);
	CU_ASSERT_EQUAL(x.k.count.rx_reflected, 1);
	h.key = 0;
	CU_ASSERT_EQUAL(OPEN(sizeof(pkt)), -EPERM);
	CU_ASSERT_EQUAL(x.k.count.rx_plaintext, 1);
	h.version = 9;
	CU_ASSERT_EQUAL(OPEN(sizeof(pkt)), -EBADMSG);
	CU_ASSERT_EQUAL(x.k.count.rx_version, 1);
	h = (struct repl_header){
		.version = wire_spoken.version_min, .key = 8, .number = 1, .sender = 0x2222
	};
	CU_ASSERT_EQUAL(OPEN(sizeof(pkt)), -ENOKEY);
	CU_ASSERT_EQUAL(x.k.count.rx_unknown_key, 1);
#undef OPEN
}

int main(void)
{
	CU_TestInfo keys[] = { { "none", test_none }, { "first", test_first },
		{ "change", test_change }, { "restarted", test_restarted },
		{ "collision", test_collision }, { "storm", test_storm }, { "once", test_once },
		{ "alone", test_alone }, { "burst", test_burst }, { "forged", test_forged },
		{ "reasons", test_reasons }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "keys", NULL, NULL, NULL, NULL, keys }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
