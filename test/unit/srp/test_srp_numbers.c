/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of numbers: fetched in pieces, offered to the caller, waited for by a boot, and the same
 * on both before anybody joins or streams. */
#include <errno.h>
#include <string.h>

#include "srp_rig.h"

extern CU_TestInfo srp_numbers_tests[];

enum { LEN = 2 * SRP_PIECE + 5, OWN = 5, THEIRS = 9 };

static char theirs[LEN];
static const char own[] = "apn 1\n";

static void begin(struct rig *r, const char *list)
{
	memset(theirs, 'x', sizeof(theirs));
	theirs[LEN - 1] = 'y';
	rig_start(r, NULL);
	srp_numbers(r->s, list, list != NULL ? strlen(list) : 0, list != NULL ? OWN : 0, r->now);
}

static void give(struct rig *r, const char *list, size_t len, uint64_t digest, size_t offset)
{
	size_t n = len - offset < SRP_PIECE ? len - offset : SRP_PIECE;

	rig_send(r, (struct srp_msg){ .type = SRP_MSG_NUMBERS,
			    .digest = digest,
			    .offset = (uint32_t)offset,
			    .total = (uint32_t)len,
			    .piece = (const uint8_t *)(list != NULL ? list : "") + offset,
			    .piece_len = (uint16_t)n });
}

/* The first piece, and what is asked for behind it. Returns how many were. */
static unsigned int give_all(struct rig *r, const char *list, size_t len, uint64_t digest)
{
	unsigned int asked = 0;
	struct srp_msg m;
	size_t at = 0;

	r->n = 0;
	give(r, list, len, digest, 0);
	while (rig_sent(r, SRP_MSG_WANT_NUMBERS, &m) != NULL && m.offset > at) {
		CU_ASSERT_EQUAL(m.digest, digest);
		asked++;
		at = m.offset;
		give(r, list, len, digest, at);
	}
	return asked;
}

static void meet(struct rig *r, const char *list, enum srp_state state)
{
	begin(r, list);
	rig_up(r, true, true);
	rig_say(r, state, state == SRP_ACTIVE ? 30 << 1 | 1 : 0);
}

static unsigned int count(const struct rig *r, enum srp_action_kind kind)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < r->n; i++)
		n += r->log[i].kind == kind;
	return n;
}

/* Whoever joins has the Active's list first. */
static void test_joins_with_it(void)
{
	struct srp_msg m;
	const char *got;
	struct rig r;
	size_t len;

	meet(&r, own, SRP_ACTIVE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_WANT_NUMBERS, &m));
	CU_ASSERT_TRUE(m.digest == 0 && m.offset == 0);
	rig_run(&r, 300 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_CONFIG_MISMATCH));
	CU_ASSERT_PTR_NULL(srp_peer_numbers(r.s, &len));
	CU_ASSERT_EQUAL(give_all(&r, theirs, LEN, THEIRS), 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_NUMBERS));
	CU_ASSERT_TRUE(rig_find(&r, SRP_ACT_NUMBERS)->held);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	got = srp_peer_numbers(r.s, &len);
	CU_ASSERT_EQUAL_FATAL(len, LEN);
	CU_ASSERT_EQUAL(memcmp(got, theirs, LEN), 0);
	r.n = 0;
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	rig_drain(&r);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	/* The peer hears that it is the same now. */
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_NUMBERS, &m));
	CU_ASSERT_TRUE(m.digest == THEIRS && m.offset == 0 && m.total == LEN);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_NUMBERS));
	rig_stop(&r);
}

/* What the caller does not take it is asked once, and again when the peer is another. */
static void test_offered_once(void)
{
	struct rig r;

	meet(&r, own, SRP_STANDBY);
	r.n = 0;
	give_all(&r, theirs, LEN, THEIRS);
	rig_run(&r, 100 * MS);
	CU_ASSERT_EQUAL(count(&r, SRP_ACT_NUMBERS), 1);
	CU_ASSERT_FALSE(rig_find(&r, SRP_ACT_NUMBERS)->held);
	r.n = 0;
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_EQUAL(count(&r, SRP_ACT_NUMBERS), 0);
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	CU_ASSERT_EQUAL(count(&r, SRP_ACT_NUMBERS), 1);
	rig_stop(&r);
}

/* No peer whose list is about to come is overtaken, and none is waited for for ever. */
static void test_boot_waits(void)
{
	char text[SRP_REASON_MAX];
	struct rig r;
	usec_t began;

	begin(&r, NULL);
	r.body.priority = 1; /* this chassis wins */
	rig_up(&r, true, true);
	rig_say(&r, SRP_INIT, 0);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	srp_waits_for(r.s, text, r.now);
	CU_ASSERT_STRING_EQUAL(text, "the peer's numbers of APNs and pools");
	began = r.now;
	while (rig_state(&r) == SRP_INIT && r.now < began + 2 * SRP_NUMBERS_US)
		rig_run(&r, MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_TRUE(r.now - began >= SRP_NUMBERS_US - 10 * MS);
	CU_ASSERT_TRUE(r.now - began <= SRP_NUMBERS_US + 10 * MS);
	rig_stop(&r);
}

static void test_boot_goes_on(void)
{
	struct rig r;

	begin(&r, NULL);
	r.body.priority = 1;
	rig_up(&r, true, true);
	rig_say(&r, SRP_INIT, 0);
	give(&r, NULL, 0, 0, 0); /* it has none */
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_EQUAL(count(&r, SRP_ACT_NUMBERS), 0);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	rig_stop(&r);
	/* It has one: the caller is asked before the role is taken. */
	begin(&r, NULL);
	r.body.priority = 1;
	rig_up(&r, true, true);
	rig_say(&r, SRP_INIT, 0);
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_NUMBERS));
	CU_ASSERT_TRUE(rig_find(&r, SRP_ACT_NUMBERS) < rig_step(&r, SRP_STEP_OWN));
	rig_stop(&r);
	/* The connection does not come. */
	begin(&r, NULL);
	r.body.priority = 1;
	rig_up(&r, true, false);
	rig_say(&r, SRP_INIT, 0);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_INIT);
	rig_run(&r, SRP_NUMBERS_US + 10 * MS);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_ACTIVE);
	rig_stop(&r);
}

/* As Active: nothing is agreed before the peer has this list, and each change is given to it. */
static void test_active(void)
{
	char reason[SRP_REASON_MAX];
	struct srp_msg m;
	struct rig r;

	rig_active(&r);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	r.n = 0;
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	rig_drain(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_NUMBERS, &m));
	CU_ASSERT_TRUE(m.digest == THEIRS && m.piece_len == SRP_PIECE);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	CU_ASSERT_EQUAL(srp_validate(r.s, reason, r.now), -EAGAIN);
	CU_ASSERT_PTR_NOT_NULL(strstr(reason, "numbers"));
	give_all(&r, own, sizeof(own) - 1, OWN);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	CU_ASSERT_PTR_NULL(rig_find(&r, SRP_ACT_NUMBERS)); /* an Active takes nothing */
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	CU_ASSERT_EQUAL(srp_validate(r.s, reason, r.now), 0);
	/* A connection that is lost changes nothing; another process has to say it again. */
	rig_down(&r, false);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	r.body.incarnation = PEER + 1;
	rig_up(&r, true, true);
	rig_hello(&r);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	rig_stop(&r);
}

/* As Active that both agree with: a revision of the list ends no stream, whatever of the list
 * before and of this one the peer says meanwhile, and is used when the peer has it. */
static void test_revised(void)
{
	static const char revised[] = "apn 1\napn 3\n", again[] = "apn 1\napn 5\n";
	char reason[SRP_REASON_MAX];
	struct rig r;

	rig_active(&r);
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	rig_drain(&r);
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	CU_ASSERT_TRUE(srp_numbers_may_use(r.s));
	srp_numbers(r.s, revised, sizeof(revised) - 1, OWN, r.now);
	rig_drain(&r);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	CU_ASSERT_FALSE(srp_numbers_may_use(r.s));
	CU_ASSERT_EQUAL(srp_validate(r.s, reason, r.now), -EAGAIN);
	srp_numbers(r.s, again, sizeof(again) - 1, OWN + 1, r.now);
	/* Each of them is heard of piece by piece. */
	give(&r, theirs, LEN, THEIRS, 0);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	give_all(&r, theirs, LEN, THEIRS);
	give_all(&r, revised, sizeof(revised) - 1, OWN);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	CU_ASSERT_FALSE(srp_numbers_may_use(r.s));
	give_all(&r, again, sizeof(again) - 1, OWN + 1);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	CU_ASSERT_TRUE(srp_numbers_may_use(r.s));
	srp_numbers_use(r.s, r.now);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	/* One that was before they are used is none any more, nor is one of another chassis. */
	give_all(&r, revised, sizeof(revised) - 1, OWN);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	CU_ASSERT_TRUE(srp_numbers_may_use(r.s));
	give_all(&r, again, sizeof(again) - 1, OWN + 1);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	give_all(&r, revised, sizeof(revised) - 1, OWN + 9);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	rig_stop(&r);
}

/* What is used although the peer has not got it ends the stream; so does another process. */
static void test_used_at_once(void)
{
	static const char revised[] = "apn 1\napn 3\n";
	struct rig r;

	rig_active(&r);
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	give_all(&r, theirs, LEN, THEIRS);
	srp_numbers(r.s, revised, sizeof(revised) - 1, OWN, r.now);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	srp_numbers_use(r.s, r.now);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	rig_stop(&r);
	rig_active(&r);
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	give_all(&r, theirs, LEN, THEIRS);
	srp_numbers(r.s, revised, sizeof(revised) - 1, OWN, r.now);
	r.body.incarnation = PEER + 1;
	rig_up(&r, true, true);
	rig_hello(&r);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	give_all(&r, revised, sizeof(revised) - 1, OWN);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	rig_stop(&r);
}

/* A Standby stays agreed while it takes what the Active has revised. */
static void test_standby_revised(void)
{
	static const char revised[] = "apn 1\napn 3\n";
	struct rig r;

	meet(&r, own, SRP_ACTIVE);
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	rig_drain(&r);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	r.n = 0;
	give_all(&r, revised, sizeof(revised) - 1, OWN);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_NUMBERS));
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	rig_run(&r, 100 * MS);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	srp_numbers(r.s, revised, sizeof(revised) - 1, OWN, r.now);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	rig_stop(&r);
}

/* Who was dead may have been Active apart: its list is asked for before anything is sent to it. */
static void test_doubted(void)
{
	struct srp_msg m;
	struct rig r;

	rig_active(&r);
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	r.stream = r.srp = r.answers = false;
	rig_run(&r, 500 * MS);
	CU_ASSERT_TRUE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
	CU_ASSERT_TRUE(srp_info(r.s)->connected);
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	CU_ASSERT_TRUE(srp_numbers_may_use(r.s));
	r.stream = r.srp = r.answers = true;
	r.n = 0;
	rig_run(&r, 100 * MS);
	CU_ASSERT_FALSE(rig_alarm(&r, SRP_ALARM_PEER_LOST));
	CU_ASSERT_FALSE(srp_info(r.s)->agreed);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_WANT_NUMBERS, &m));
	CU_ASSERT_TRUE(m.digest == 0 && m.offset == 0);
	give_all(&r, theirs, LEN, THEIRS);
	CU_ASSERT_TRUE(srp_info(r.s)->agreed);
	rig_stop(&r);
}

static void want(struct rig *r, uint64_t digest, uint32_t offset)
{
	r->n = 0;
	rig_send(r, (struct srp_msg){
			    .type = SRP_MSG_WANT_NUMBERS, .digest = digest, .offset = offset });
}

static void test_served(void)
{
	struct srp_msg m;
	struct rig r;

	meet(&r, NULL, SRP_STANDBY);
	want(&r, 0, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_NUMBERS, &m));
	CU_ASSERT_TRUE(m.digest == 0 && m.total == 0 && m.piece_len == 0);
	srp_numbers(r.s, theirs, LEN, THEIRS, r.now);
	want(&r, THEIRS, 2 * SRP_PIECE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_sent(&r, SRP_MSG_NUMBERS, &m));
	CU_ASSERT_TRUE(m.offset == 2 * SRP_PIECE && m.piece_len == 5 && m.piece[4] == 'y');
	want(&r, THEIRS + 1, SRP_PIECE);
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_NUMBERS, &m));
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_stale, 1);
	want(&r, THEIRS, LEN);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_CLOSE));
	rig_stop(&r);
}

static void test_refused(void)
{
	struct srp_msg m = { .type = SRP_MSG_NUMBERS,
		.digest = THEIRS,
		.piece = (const uint8_t *)theirs,
		.total = LEN,
		.piece_len = SRP_PIECE };
	struct rig r;

	meet(&r, own, SRP_ACTIVE);
	m.total = SRP_NUMBERS_MAX + 1;
	rig_send(&r, m);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_malformed, 1);
	m.total = LEN;
	m.offset = LEN + 1;
	rig_send(&r, m);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_malformed, 2);
	m.offset = LEN - 1;
	rig_send(&r, m);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_malformed, 3);
	m.offset = 0;
	m.piece_len = 0;
	rig_send(&r, m);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_malformed, 4);
	/* A piece that was not asked for. */
	m.piece_len = SRP_PIECE;
	m.offset = SRP_PIECE;
	rig_send(&r, m);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_stale, 1);
	/* The list changed between two pieces: it begins anew. */
	give(&r, theirs, LEN, THEIRS, 0);
	give(&r, theirs, LEN, THEIRS + 1, SRP_PIECE);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_stale, 2);
	CU_ASSERT_EQUAL(give_all(&r, theirs, LEN, THEIRS + 1), 2);
	CU_ASSERT_PTR_NOT_NULL(rig_find(&r, SRP_ACT_NUMBERS));
	rig_stop(&r);
	/* Who has no lists at all takes none. */
	rig_start(&r, NULL);
	rig_up(&r, true, true);
	rig_say(&r, SRP_ACTIVE, 30 << 1 | 1);
	give(&r, theirs, LEN, THEIRS, 0);
	CU_ASSERT_EQUAL(srp_info(r.s)->count.messages_stale, 1);
	CU_ASSERT_EQUAL(rig_state(&r), SRP_STANDBY);
	rig_stop(&r);
}

/* No answer: it is asked again, each second. */
static void test_asked_again(void)
{
	struct srp_msg m;
	struct rig r;

	meet(&r, own, SRP_ACTIVE);
	r.n = 0;
	rig_run(&r, 900 * MS);
	CU_ASSERT_PTR_NULL(rig_sent(&r, SRP_MSG_WANT_NUMBERS, &m));
	rig_run(&r, 200 * MS);
	CU_ASSERT_PTR_NOT_NULL(rig_sent(&r, SRP_MSG_WANT_NUMBERS, &m));
	rig_stop(&r);
}

static void test_give_up(void)
{
	struct rig r;

	meet(&r, own, SRP_ACTIVE);
	srp_give_up(r.s, "because");
	rig_drain(&r);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig_find(&r, SRP_ACT_ABORT));
	CU_ASSERT_STRING_EQUAL(rig_find(&r, SRP_ACT_ABORT)->text, "because");
	rig_stop(&r);
}

CU_TestInfo srp_numbers_tests[] = { { "joins_with_it", test_joins_with_it },
	{ "offered_once", test_offered_once }, { "boot_waits", test_boot_waits },
	{ "boot_goes_on", test_boot_goes_on }, { "active", test_active },
	{ "revised", test_revised }, { "used_at_once", test_used_at_once },
	{ "standby_revised", test_standby_revised }, { "doubted", test_doubted },
	{ "served", test_served }, { "refused", test_refused }, { "asked_again", test_asked_again },
	{ "give_up", test_give_up }, CU_TEST_INFO_NULL };
