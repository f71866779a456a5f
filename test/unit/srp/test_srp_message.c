/* SPDX-License-Identifier: BSD-3-Clause */
/* The codec, and what is not to be believed. */
#include <errno.h>
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_message_tests[];

static void test_stale_and_malformed(void)
{
	struct rig r;
	uint8_t buf[SRP_MSG_MAX] = { 9 };
	uint64_t stale;

	rig_standby(&r, true);
	for (size_t len = 0; len < 20; len++) {
		r.n = 0;
		srp_message(r.s, buf, len, r.now);
		rig_drain(&r);
		CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_CLOSE));
	}
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_malformed, 20);
	/* Ourselves, or our own side: a looped cable or a copied configuration. */
	r.n = 0;
	r.body.incarnation = SELF;
	rig_hello(&r);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_CLOSE));
	r.body.incarnation = PEER;
	r.body.side = 0;
	rig_hello(&r);
	r.body.side = 1;
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_malformed, 22);

	stale = srp_info(r.s)->count.messages_stale;
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_GOODBYE, .incarnation = 77 });
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_GOODBYE, .term = r.body.term - 1 });
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_CONFIRM, .offered = 50, .rm = 1 });
	rig_send(&r, (struct srp_msg){ .type = SRP_MSG_REFUSE, .offered = 50 });
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_stale, stale + 4);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	/* An older body overtaken on the other path. */
	r.body.state = SRP_INIT;
	r.body.serial -= 1;
	rig_hello(&r);
	CU_ASSERT_EQUAL(srp_info(r.s)->peer.state, SRP_ACTIVE);
	CU_ASSERT_EQUAL(srp_info(r.s)->peer.capabilities, 0);
	r.body.capabilities =
		UINT64_C(1) << 63 | 5; /* bits that nobody knows are kept as they are */
	r.body.state = SRP_ACTIVE;
	r.body.serial += 2;
	rig_hello(&r);
	CU_ASSERT_EQUAL(srp_info(r.s)->peer.capabilities, UINT64_C(1) << 63 | 5);
	rig_stop(&r);
}

static void random_body(uint64_t *seed, struct srp_body *b)
{
	*b = (struct srp_body){ .side = ut_random(seed) & 1,
		.state = ut_random(seed) % 5,
		.mode = ut_random(seed) & 1,
		.priority = (uint8_t)(1 + ut_random(seed) % 255),
		.rm = (uint8_t)(1 + ut_random(seed) % 255),
		.restart_counter = (uint8_t)ut_random(seed),
		.term = ut_random(seed) >> 2,
		.highest = ut_random(seed) >> 2,
		.floor = ut_random(seed) >> 2,
		.incarnation = (uint32_t)ut_random(seed) | 1,
		.hears = (uint32_t)ut_random(seed),
		.serial = (uint32_t)ut_random(seed),
		.capabilities = ut_random(seed) };
	for (int i = 0; i < 6; i++)
		b->mac[i] = (uint8_t)ut_random(seed);
}

/* Every message comes back as it was; cut short it is refused, never read past. */
static void test_codec_round_trip(void)
{
	static const uint8_t piece[SRP_PIECE] = "anything";
	uint64_t seed = ut_seed(11);

	for (int i = 0; i < 5000; i++) {
		uint8_t buf[SRP_MSG_MAX], again[SRP_MSG_MAX];
		struct srp_msg m = { .type = (enum srp_type)(1 + ut_random(&seed) % SRP_MSG_LAST) },
			       n;
		size_t len, cut;

		random_body(&seed, &m.body);
		m.incarnation = m.body.incarnation;
		m.term = ut_random(&seed) >> 2;
		m.offered = ut_random(&seed) >> 2;
		m.number = ut_random(&seed);
		m.id = m.to = m.capacity = (uint32_t)ut_random(&seed);
		m.config_digest = ut_random(&seed);
		m.next_digest = ut_random(&seed);
		m.next_number = (uint32_t)ut_random(&seed);
		m.promise = (uint32_t)ut_random(&seed);
		m.wire.version_min = (uint8_t)(1 + ut_random(&seed) % 255);
		m.wire.version_max = (uint8_t)(m.wire.version_min +
					       ut_random(&seed) % (256u - m.wire.version_min));
		m.wire.mtu = (uint16_t)ut_random(&seed);
		m.cause = (uint8_t)ut_random(&seed);
		m.rm = (uint8_t)(1 + ut_random(&seed) % 255);
		m.forced = m.was_active = ut_random(&seed) & 1;
		m.unlicensed = ut_random(&seed) & 1;
		m.tells_lines = ut_random(&seed) & 1;
		m.health.known = (uint32_t)ut_random(&seed);
		m.health.failed = (uint32_t)ut_random(&seed);
		m.digest = ut_random(&seed);
		m.offset = (uint32_t)ut_random(&seed);
		m.total = (uint32_t)ut_random(&seed);
		m.piece = piece;
		m.piece_len = (uint16_t)(ut_random(&seed) % (sizeof(piece) + 1));
		memset(m.text, 'a', ut_random(&seed) % (SRP_REASON_MAX - 1));
		len = srp_msg_write(&m, buf, sizeof(buf));
		CU_ASSERT_TRUE_FATAL(len > 14);
		CU_ASSERT_EQUAL_FATAL(srp_msg_read(buf, len, &n), 0);
		CU_ASSERT_EQUAL(srp_msg_write(&n, again, sizeof(again)), len);
		CU_ASSERT_EQUAL(memcmp(buf, again, len), 0);
		cut = ut_random(&seed) % len;
		/* as from one that has nothing that waits */
		if (m.type == SRP_MSG_HELLO && cut == len - 16) {
			CU_ASSERT_EQUAL(srp_msg_read(buf, cut, &n), 0);
			CU_ASSERT_TRUE(n.next_digest == 0 && n.next_number == 0 && n.promise == 0 &&
				       n.health.failed == m.health.failed);
			continue;
		}
		/* as from one whose monitors say nothing */
		if (m.type == SRP_MSG_HELLO && cut == len - 24) {
			CU_ASSERT_EQUAL(srp_msg_read(buf, cut, &n), 0);
			CU_ASSERT_TRUE(n.health.known == 0 && n.health.failed == 0 &&
				       n.unlicensed == m.unlicensed);
			continue;
		}
		/* as from a release that had no flags */
		if (m.type == SRP_MSG_HELLO && cut == len - 25) {
			CU_ASSERT_EQUAL(srp_msg_read(buf, cut, &n), 0);
			CU_ASSERT_TRUE(!n.unlicensed && !n.tells_lines && n.wire.mtu == m.wire.mtu);
			continue;
		}
		if (m.type == SRP_MSG_HELLO &&
			cut == len - 29) { /* as from a release that knew no versions */
			CU_ASSERT_EQUAL(srp_msg_read(buf, cut, &n), 0);
			CU_ASSERT_TRUE(n.wire.version_min == 1 && n.wire.version_max == 1 &&
				       n.wire.mtu == 0);
			continue;
		}
		CU_ASSERT_EQUAL(srp_msg_read(buf, cut, &n), -EBADMSG);
	}
}

/* Versions that cannot be close the connection; what a later release adds behind is skipped. */
static void test_codec_wire(void)
{
	static const struct srp_wire bad[] = { { 0, 1, 0 }, { 2, 1, 0 }, { 0, 0, 1500 },
		{ 255, 254, 0 } };
	uint64_t seed = ut_seed(12);
	uint8_t buf[SRP_MSG_MAX];
	struct srp_msg m = { .type = SRP_MSG_HELLO, .text = "hint" }, n;
	size_t len;

	random_body(&seed, &m.body);
	m.incarnation = m.body.incarnation;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m.wire = bad[i];
		len = srp_msg_write(&m, buf, sizeof(buf));
		CU_ASSERT_EQUAL(srp_msg_read(buf, len, &n), -EBADMSG);
	}
	m.wire = (struct srp_wire){ 1, 9, 9000 };
	len = srp_msg_write(&m, buf, sizeof(buf));
	buf[len] = buf[len + 1] = 0xff;
	CU_ASSERT_EQUAL(srp_msg_read(buf, len + 2, &n), 0);
	CU_ASSERT_TRUE(n.wire.version_min == 1 && n.wire.version_max == 9 && n.wire.mtu == 9000);
}

static void test_codec_text(void)
{
	uint8_t buf[SRP_MSG_MAX];
	struct srp_msg m = { .type = SRP_MSG_REFUSE, .incarnation = 1, .text = "a\n\033[31mb" }, n;
	size_t len = srp_msg_write(&m, buf, sizeof(buf));

	CU_ASSERT_EQUAL(srp_msg_read(buf, len, &n), 0);
	CU_ASSERT_STRING_EQUAL(n.text, "a??[31mb");
}

CU_TestInfo srp_message_tests[] = {
	{ "stale and malformed", test_stale_and_malformed },
	{ "round trip", test_codec_round_trip },
	{ "wire of the stream", test_codec_wire },
	{ "text", test_codec_text },
	CU_TEST_INFO_NULL,
};
