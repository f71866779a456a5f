/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of a chassis while items come and go: when it is revised, when a new number is used,
 * when the peer's list is taken, and when an item may leave. */
#include <string.h>

#include "numbers/roll.h"
#include "ut.h"

enum { S = 1000000, TERM = 7 << 1 };

static struct roll roll, peer;
static struct roll_sight lead, follow;
static char text[NUMBERS_BYTES];

static void has(struct roll *r, enum places_kind kind, unsigned int at, const char *name)
{
	r->items.of[kind][at] = (struct numbers_item){ .name = name, .what = "what" };
	if (at >= r->items.n[kind])
		r->items.n[kind] = at + 1;
	roll_moved(r);
}

static void begin(void)
{
	memset(&roll, 0, sizeof(roll));
	memset(&peer, 0, sizeof(peer));
	roll.quarantine_s = peer.quarantine_s = 10;
	peer.seat = 1;
	lead = (struct roll_sight){
		.role = ROLL_LEADS, .term = TERM, .wall_s = 1000, .table_empty = true
	};
	follow = (struct roll_sight){ .role = ROLL_FOLLOWS,
		.wall_s = 1000,
		.table_empty = true,
		.matched_since = USEC_NEVER };
	has(&roll, PLACES_APN, 0, "internet");
	has(&roll, PLACES_POOL, 0, "one");
	roll_started(&roll);
	roll_started(&peer);
}

/* The list of `from` comes to `to`. */
static void offer(struct roll *to, const struct roll *from, usec_t now)
{
	size_t len = numbers_print(&from->list, text, sizeof(text));

	CU_ASSERT_TRUE_FATAL(len > 0);
	CU_ASSERT_TRUE(roll_offer(to, text, len, true, now));
}

static bool same(void)
{
	return roll.list.term == peer.list.term && roll.list.revision == peer.list.revision;
}

/* A number is used once the peer has it, or takes no records. */
static void test_waits(void)
{
	begin();
	/* Whoever takes over goes by all of them. */
	CU_ASSERT_EQUAL(roll_own(&roll, &lead, 0), ROLL_LIST | ROLL_USE | ROLL_PLACES);
	CU_ASSERT_EQUAL(numbers_waiting(&roll.list), 0);
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), 0);
	lead.may_use = true;
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), 0);
	/* What may_use says was asked before the list was another. */
	has(&roll, PLACES_APN, 1, "wap");
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), ROLL_LIST | ROLL_PLACES);
	CU_ASSERT_EQUAL(numbers_waiting(&roll.list), 1);
	lead.may_use = false;
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), 0);
	lead.may_use = true;
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), ROLL_USE | ROLL_PLACES);
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), 0);
	lead.may_use = false;
	/* Between roles nothing moves. */
	lead.role = ROLL_CHANGES;
	has(&roll, PLACES_APN, 2, "mms");
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), ROLL_PLACES);
	CU_ASSERT_EQUAL(numbers_of(&roll.list, PLACES_APN, "mms"), NUMBERS_NONE);
	lead.role = ROLL_LEADS;
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), ROLL_LIST | ROLL_PLACES);
	CU_ASSERT_NOT_EQUAL(numbers_of(&roll.list, PLACES_APN, "mms"), NUMBERS_NONE);
	/* The same items once more are the same list. */
	roll_moved(&roll);
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, 0), ROLL_PLACES);
}

/* Whoever joins makes what it has not, pools first, before it takes the list. */
static void test_makes(void)
{
	const struct numbers_entry *e;
	enum places_kind kind;

	begin();
	roll_own(&roll, &lead, 0);
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &follow, &kind, 0));
	offer(&peer, &roll, 0);
	e = roll_wants(&peer, &follow, &kind, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	CU_ASSERT_STRING_EQUAL(e->name, "one");
	CU_ASSERT_STRING_EQUAL(e->what, "what");
	CU_ASSERT_EQUAL(kind, PLACES_POOL);
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, 0), 0);
	CU_ASSERT_EQUAL(peer.list.term, 0);
	/* It cannot be made: it is tried again later, and nothing is taken meanwhile. */
	roll_not_made(&peer, 0);
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &follow, &kind, ROLL_AGAIN_US - 1));
	CU_ASSERT_PTR_NOT_NULL(roll_wants(&peer, &follow, &kind, ROLL_AGAIN_US));
	has(&peer, PLACES_POOL, 3, "one");
	e = roll_wants(&peer, &follow, &kind, ROLL_AGAIN_US);
	CU_ASSERT_TRUE_FATAL(e != NULL && kind == PLACES_APN);
	has(&peer, PLACES_APN, 5, "internet");
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &follow, &kind, ROLL_AGAIN_US));
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, ROLL_AGAIN_US), ROLL_LIST | ROLL_PLACES);
	CU_ASSERT_TRUE(same());
	CU_ASSERT_EQUAL(numbers_waiting(&peer.list), 0);
	/* What an Active is offered it neither makes nor takes. */
	has(&roll, PLACES_APN, 1, "wap");
	roll_turn(&roll, &lead, 0);
	offer(&peer, &roll, 0);
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &lead, &kind, 0));
	CU_ASSERT_PTR_NOT_NULL(roll_wants(&peer, &follow, &kind, 0));
	roll_offer_void(&peer);
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &follow, &kind, 0));
}

/* What is on disk is said to the peer only with a place for each. */
static void test_at_start(void)
{
	enum places_kind kind;

	begin();
	roll_own(&roll, &lead, 0);
	peer.list = roll.list;
	CU_ASSERT_PTR_NOT_NULL(roll_wants_at_start(&peer, &kind));
	CU_ASSERT_EQUAL(kind, PLACES_POOL);
	CU_ASSERT_PTR_NULL(roll_wants_at_start(&roll, &kind));
}

/* In the middle of a stream the own reload is awaited, and not for ever. */
static void test_awaits_reload(void)
{
	enum places_kind kind;

	begin();
	roll_own(&roll, &lead, 0);
	offer(&peer, &roll, 0);
	has(&peer, PLACES_APN, 0, "internet");
	has(&peer, PLACES_POOL, 0, "one");
	roll_turn(&peer, &follow, 0);
	has(&roll, PLACES_APN, 1, "wap");
	roll_turn(&roll, &lead, S);
	follow.stream = follow.next_waits = true;
	offer(&peer, &roll, S);
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &follow, &kind, S));
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, S), 0);
	CU_ASSERT_FALSE(same());
	/* It comes. */
	has(&peer, PLACES_APN, 1, "wap");
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, S), ROLL_LIST | ROLL_PLACES);
	CU_ASSERT_TRUE(same());
	/* It does not; or it is not awaited; or there is no stream. */
	has(&roll, PLACES_APN, 2, "mms");
	roll_turn(&roll, &lead, 2 * S);
	offer(&peer, &roll, 2 * S);
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &follow, &kind, 2 * S + ROLL_AWAIT_US - 1));
	CU_ASSERT_PTR_NOT_NULL(roll_wants(&peer, &follow, &kind, 2 * S + ROLL_AWAIT_US));
	follow.next_waits = false;
	CU_ASSERT_PTR_NOT_NULL(roll_wants(&peer, &follow, &kind, 2 * S));
	follow.next_waits = true;
	follow.stream = false;
	CU_ASSERT_PTR_NOT_NULL(roll_wants(&peer, &follow, &kind, 2 * S));
}

/* What drains keeps its number until the Active lets it go, and its place for what is on its way.
 */
static void test_leaves(void)
{
	usec_t t = 100 * S;
	enum places_kind kind;

	begin();
	has(&roll, PLACES_APN, 1, "wap");
	roll_own(&roll, &lead, 0);
	for (unsigned int i = 0; i < 2; i++)
		has(&peer, PLACES_APN, i, roll.items.of[PLACES_APN][i].name);
	has(&peer, PLACES_POOL, 0, "one");
	offer(&peer, &roll, 0);
	roll_turn(&peer, &follow, 0);
	CU_ASSERT_TRUE(roll_may_leave(&roll, &lead, PLACES_APN, 1, t));
	CU_ASSERT_FALSE(roll_may_leave(&peer, &follow, PLACES_APN, 1, t));
	lead.role = ROLL_CHANGES;
	CU_ASSERT_FALSE(roll_may_leave(&roll, &lead, PLACES_APN, 1, t));
	lead.role = ROLL_LEADS;
	roll.items.of[PLACES_APN][1].name = NULL;
	roll_moved(&roll);
	CU_ASSERT_EQUAL(roll_turn(&roll, &lead, t), ROLL_LIST | ROLL_PLACES);
	offer(&peer, &roll, t);
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, t), ROLL_LIST | ROLL_PLACES);
	CU_ASSERT_FALSE(roll_may_leave(&peer, &follow, PLACES_APN, 1, t));
	CU_ASSERT_FALSE(roll_may_leave(&peer, &follow, PLACES_APN, 1, t + ROLL_LEAVE_US - 1));
	CU_ASSERT_TRUE(roll_may_leave(&peer, &follow, PLACES_APN, 1, t + ROLL_LEAVE_US));
	/* What left all the same, and is in use by the list, is made again. */
	peer.items.of[PLACES_APN][0].name = NULL;
	roll_moved(&peer);
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &lead, &kind, t));
	CU_ASSERT_PTR_NOT_NULL_FATAL(roll_wants(&peer, &follow, &kind, t));
	roll_turn(&peer, &follow, t);
	CU_ASSERT_STRING_EQUAL(roll_wants(&peer, &follow, &kind, t)->name, "internet");
	has(&peer, PLACES_APN, 0, "internet");
	CU_ASSERT_PTR_NULL(roll_wants(&peer, &follow, &kind, t));
	/* It is about to be in use again. */
	has(&roll, PLACES_APN, 1, "wap");
	roll_turn(&roll, &lead, t);
	follow.stream = true;
	offer(&peer, &roll, t + 5 * S);
	CU_ASSERT_FALSE(roll_may_leave(&peer, &follow, PLACES_APN, 1, t + 5 * S));
}

/* A number that is gone is another's after its quarantine; whoever holds its sessions yet begins
 * anew. */
static void test_given_again(void)
{
	begin();
	has(&peer, PLACES_APN, 0, "internet");
	has(&peer, PLACES_POOL, 0, "one");
	roll_own(&roll, &lead, 0);
	offer(&peer, &roll, 0);
	roll_turn(&peer, &follow, 0);
	peer.list.of[PLACES_APN][5] =
		(struct numbers_entry){ .state = NUMBERS_GONE, .gone_s = 5, .name = "old" };
	snprintf(roll.list.of[PLACES_APN][1].name, NUMBERS_NAME, "new");
	roll.list.of[PLACES_APN][5] = roll.list.of[PLACES_APN][1];
	snprintf(roll.list.of[PLACES_APN][1].name, NUMBERS_NAME, "internet");
	roll.list.revision++;
	has(&peer, PLACES_APN, 1, "new");
	follow.table_empty = false;
	offer(&peer, &roll, 0);
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, 0), ROLL_LIST | ROLL_PLACES);
	peer.list.of[PLACES_APN][5] =
		(struct numbers_entry){ .state = NUMBERS_GONE, .gone_s = 5, .name = "old" };
	has(&peer, PLACES_APN, 2, "old");
	roll.list.revision++;
	offer(&peer, &roll, 0);
	CU_ASSERT_TRUE((roll_turn(&peer, &follow, 0) & ROLL_CONTRADICTED) != 0);
}

/* What only the own table may have is known until a pass has matched. */
static void test_remembers(void)
{
	begin();
	has(&peer, PLACES_APN, 0, "internet");
	has(&peer, PLACES_APN, 1, "right");
	has(&peer, PLACES_POOL, 0, "one");
	roll_own(&roll, &lead, 0);
	lead.term++;
	roll_own(&peer, &lead, 0);
	follow.table_empty = false;
	roll.list.of[PLACES_APN][1].state = NUMBERS_FREE;
	roll.list.of[PLACES_POOL][1].state = NUMBERS_FREE;
	lead.term++;
	roll.items.n[PLACES_APN] = roll.items.n[PLACES_POOL] = 0;
	roll_own(&roll, &lead, 0);
	roll.list.revision++;
	roll.list.term = lead.term;
	offer(&peer, &roll, 0);
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, 0), ROLL_LIST | ROLL_PLACES);
	CU_ASSERT_EQUAL(peer.list.of[PLACES_APN][4].state, NUMBERS_KNOWN);
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, 0), 0);
	/* A pass of before proves nothing. */
	follow.matched_since = 0;
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, 0), 0);
	follow.matched_since = 1;
	CU_ASSERT_EQUAL(roll_turn(&peer, &follow, 2), ROLL_PLACES);
	CU_ASSERT_EQUAL(peer.list.of[PLACES_APN][4].state, NUMBERS_FREE);
	/* What is not understood is not offered. */
	CU_ASSERT_FALSE(roll_offer(&peer, "nonsense", 8, true, 0));
	CU_ASSERT_FALSE(peer.offered);
}

/* What an item is goes with its number in use, and a change of it is another list. */
static void test_what(void)
{
	static const char want[] = "tandem-numbers 1 14 3\n"
				   "apn 1 0 internet pool=one timeout=5\n"
				   "apn 3 0 wap\n"
				   "pool 1 1000 one\n";
	struct numbers read;

	begin();
	roll.items.of[PLACES_APN][0].what = "pool=one";
	roll.items.of[PLACES_POOL][0].what = "10.0.0.0/8";
	has(&roll, PLACES_APN, 2, "wap");
	roll.items.of[PLACES_APN][2].what = NULL;
	roll_own(&roll, &lead, 0);
	CU_ASSERT_STRING_EQUAL(roll.list.of[PLACES_POOL][1].what, "10.0.0.0/8");
	numbers_release(&roll.list);
	roll.items.of[PLACES_APN][0].what = "pool=one timeout=5";
	CU_ASSERT_EQUAL(roll_own(&roll, &lead, 0), ROLL_LIST | ROLL_USE | ROLL_PLACES);
	CU_ASSERT_EQUAL(numbers_waiting(&roll.list), 0);
	roll.items.n[PLACES_POOL] = 0;
	roll_own(&roll, &lead, 0);
	CU_ASSERT_STRING_EQUAL(roll.list.of[PLACES_POOL][1].what, "");
	CU_ASSERT_EQUAL(numbers_print(&roll.list, text, sizeof(text)), strlen(want));
	CU_ASSERT_STRING_EQUAL(text, want);
	CU_ASSERT_EQUAL(numbers_read(&read, want, strlen(want)), 0);
	CU_ASSERT_EQUAL(memcmp(&read, &roll.list, sizeof(read)), 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "waits", test_waits }, { "makes", test_makes },
		{ "at_start", test_at_start }, { "awaits_reload", test_awaits_reload },
		{ "leaves", test_leaves }, { "given_again", test_given_again },
		{ "remembers", test_remembers }, { "what", test_what }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { .pName = "roll", .pTests = tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
