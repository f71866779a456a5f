/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of APNs and pools: who is given which, what becomes of those that are removed, whose list
 * counts, and the list as text. */
#include <errno.h>
#include <string.h>

#include "numbers/numbers.h"
#include "ut.h"

enum { QUARANTINE = 10, TERM_A = 7 << 1, TERM_B = 8 << 1 | 1, MOST = 6, ROUNDS = 20000 };

static struct numbers list, other;
static struct numbers_items items;
static char why[NUMBERS_WHY], text[NUMBERS_BYTES];

static void item(enum places_kind kind, const char *name, unsigned int id)
{
	items.of[kind][items.n[kind]++] = (struct numbers_item){ .name = name, .id = (uint8_t)id };
}

static void item_apns(const char *const *names, unsigned int n)
{
	items = (struct numbers_items){ 0 };
	for (unsigned int i = 0; i < n; i++)
		item(PLACES_APN, names[i], 0);
}

#define ITEMS(...)                                                                                 \
	item_apns((const char *const[]){ __VA_ARGS__ },                                            \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static unsigned int assign(struct numbers *n, unsigned int seat, uint64_t term, uint64_t now_s)
{
	const struct numbers_order o = { &items, seat, term, now_s, QUARANTINE };

	return numbers_assign(n, &o, why);
}

static void begin(void)
{
	memset(&list, 0, sizeof(list));
	memset(&other, 0, sizeof(other));
}

static uint8_t apn(const struct numbers *n, const char *name)
{
	return numbers_of(n, PLACES_APN, name);
}

static void test_by_name(void)
{
	begin();
	ITEMS("internet", "wap");
	item(PLACES_POOL, "one", 0);
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 100), 0);
	CU_ASSERT_EQUAL(apn(&list, "internet"), 1);
	CU_ASSERT_EQUAL(apn(&list, "wap"), 3);
	CU_ASSERT_EQUAL(numbers_of(&list, PLACES_POOL, "one"), 1);
	CU_ASSERT_EQUAL(apn(&list, "one"), NUMBERS_NONE);
	CU_ASSERT_EQUAL(list.term, TERM_A);
	CU_ASSERT_EQUAL(list.revision, 1);
	CU_ASSERT_EQUAL(assign(&other, 1, TERM_B, 100), 0);
	CU_ASSERT_EQUAL(apn(&other, "internet"), 2);
	CU_ASSERT_EQUAL(apn(&other, "wap"), 4);
}

/* One that sorts before all others moves none of them, whoever is Active then. */
static void test_never_moves(void)
{
	begin();
	ITEMS("internet", "wap");
	assign(&list, 0, TERM_A, 100);
	ITEMS("aaa", "internet", "wap");
	CU_ASSERT_EQUAL(assign(&list, 1, TERM_B, 100), 0);
	CU_ASSERT_EQUAL(apn(&list, "internet"), 1);
	CU_ASSERT_EQUAL(apn(&list, "wap"), 3);
	CU_ASSERT_EQUAL(apn(&list, "aaa"), 2);
	CU_ASSERT_EQUAL(list.term, TERM_B);
	CU_ASSERT_EQUAL(list.revision, 1);
	/* Nothing new: it is the same list, and the peer has it. */
	assign(&list, 0, TERM_B + 1, 200);
	CU_ASSERT_EQUAL(list.term, TERM_B);
	ITEMS("aaa", "bbb", "internet", "wap");
	assign(&list, 1, TERM_B, 200);
	CU_ASSERT_EQUAL(list.revision, 2);
	CU_ASSERT_EQUAL(apn(&list, "bbb"), 4);
}

static void test_removed(void)
{
	begin();
	ITEMS("internet", "wap");
	assign(&list, 0, TERM_A, 100);
	ITEMS("internet");
	assign(&list, 0, TERM_A, 200);
	CU_ASSERT_EQUAL(apn(&list, "wap"), NUMBERS_NONE);
	CU_ASSERT_EQUAL(list.of[PLACES_APN][3].state, NUMBERS_GONE);
	ITEMS("internet", "other");
	assign(&list, 0, TERM_A, 200);
	CU_ASSERT_EQUAL(apn(&list, "other"), 5);
	/* It comes back, after whatever time, as what it was. */
	ITEMS("internet", "other", "wap");
	assign(&list, 1, TERM_A, 100000);
	CU_ASSERT_EQUAL(apn(&list, "wap"), 3);
}

/* Every odd number was somebody's: the one that is gone for longest is given again, once its
 * quarantine is over. */
static void test_used_up(void)
{
	char name[8];

	begin();
	for (unsigned int i = 0; i < 127; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		ITEMS(name);
		CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 1000 + i), 0);
		CU_ASSERT_EQUAL(apn(&list, name), 2 * i + 1);
	}
	ITEMS("new");
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 1001 + QUARANTINE - 1), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "no number is left for apns[new]"));
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 1001 + QUARANTINE), 0);
	CU_ASSERT_EQUAL(apn(&list, "new"), 1);
	/* A clock that was set back ends no quarantine. */
	ITEMS("new", "newer");
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 5), 1);
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 5000), 0);
	CU_ASSERT_EQUAL(apn(&list, "newer"), 3);
}

static void test_ids(void)
{
	begin();
	ITEMS("aaa", "internet");
	items.of[PLACES_APN][1].id = 1;
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 100), 0);
	CU_ASSERT_EQUAL(apn(&list, "internet"), 1);
	CU_ASSERT_EQUAL(apn(&list, "aaa"), 3);
	/* An id that is another's number moves nobody. */
	ITEMS("aaa", "bbb", "internet");
	items.of[PLACES_APN][1].id = 3;
	items.of[PLACES_APN][2].id = 1;
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 100), 1);
	CU_ASSERT_STRING_EQUAL(
		why, "apns[bbb].id is 3, which is the number of aaa: give it another id");
	CU_ASSERT_EQUAL(apn(&list, "aaa"), 3);
	CU_ASSERT_EQUAL(apn(&list, "bbb"), NUMBERS_NONE);
	/* The operator may name another number, and that is it. */
	items.of[PLACES_APN][1].id = 254;
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 100), 0);
	CU_ASSERT_EQUAL(apn(&list, "bbb"), 254);
	items.of[PLACES_APN][1].id = 200;
	CU_ASSERT_EQUAL(assign(&list, 0, TERM_A, 100), 0);
	CU_ASSERT_EQUAL(apn(&list, "bbb"), 200);
	CU_ASSERT_EQUAL(list.of[PLACES_APN][254].state, NUMBERS_GONE);
}

static void test_yield(void)
{
	begin();
	ITEMS("internet");
	CU_ASSERT_FALSE(numbers_yield(&list, &other, true));
	assign(&list, 0, TERM_A, 100);
	CU_ASSERT_FALSE(numbers_yield(&list, &other, true));
	CU_ASSERT_TRUE(numbers_yield(&other, &list, false));
	assign(&other, 1, TERM_B, 100);
	CU_ASSERT_TRUE(numbers_yield(&list, &other, false));
	CU_ASSERT_FALSE(numbers_yield(&other, &list, false));
	CU_ASSERT_TRUE(numbers_yield(&other, &list, true));
	other = list;
	CU_ASSERT_FALSE(numbers_yield(&other, &list, true));
	other.revision++;
	CU_ASSERT_FALSE(numbers_yield(&other, &list, false));
	CU_ASSERT_TRUE(numbers_yield(&list, &other, false));
}

/* Both were Active apart. The loser takes the winner's list, still knows what its own numbers
 * were, and gives them to the same names if it is Active again at once. */
static void test_split(void)
{
	struct places p;

	begin();
	places_init(&p);
	ITEMS("internet");
	assign(&list, 0, TERM_A, 100);
	other = list;
	ITEMS("internet", "left");
	assign(&list, 0, TERM_A, 200);
	ITEMS("internet", "right");
	assign(&other, 1, TERM_B, 200);
	CU_ASSERT_EQUAL(apn(&list, "left"), 3);
	CU_ASSERT_EQUAL(apn(&other, "right"), 2);
	CU_ASSERT_TRUE(numbers_yield(&other, &list, true));
	CU_ASSERT_EQUAL(numbers_take(&other, &list), 0);
	CU_ASSERT_EQUAL(apn(&other, "left"), 3);
	CU_ASSERT_EQUAL(apn(&other, "right"), NUMBERS_NONE);
	CU_ASSERT_EQUAL(numbers_print(&other, text, sizeof(text)),
		numbers_print(&list, text, sizeof(text)));
	numbers_release(&other);
	numbers_places(&other, &items, &p);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_APN, 1), 0);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_APN, 2), 1);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_APN, 3), PLACES_NONE);
	CU_ASSERT_EQUAL(places_number(&p, PLACES_APN, 0), 1);
	CU_ASSERT_EQUAL(places_number(&p, PLACES_APN, 1), NUMBERS_NONE);
	assign(&other, 1, TERM_B + 2, 300);
	CU_ASSERT_EQUAL(apn(&other, "right"), 2);
	/* Of somebody else it is gone by then: the peer hears that it was somebody's. */
	ITEMS("internet", "right");
	assign(&list, 1, TERM_A + 4, 300);
	list.of[PLACES_APN][2].state = NUMBERS_KNOWN;
	ITEMS("internet");
	assign(&list, 0, TERM_A + 6, 400);
	CU_ASSERT_EQUAL(list.of[PLACES_APN][2].state, NUMBERS_GONE);
	CU_ASSERT_EQUAL(list.term, TERM_A + 6);
}

/* Nothing is remembered once the copy is whole. A list that gives a number to another name, which
 * no chassis does that has a list, is told of. */
static void test_forget(void)
{
	begin();
	ITEMS("internet", "wap");
	assign(&list, 0, TERM_A, 100);
	ITEMS("internet");
	assign(&other, 0, TERM_B, 100);
	CU_ASSERT_EQUAL(numbers_take(&list, &other), 0);
	CU_ASSERT_EQUAL(list.of[PLACES_APN][3].state, NUMBERS_KNOWN);
	numbers_forget(&list);
	CU_ASSERT_EQUAL(numbers_print(&list, text, sizeof(text)),
		numbers_print(&other, text, sizeof(text)));
	CU_ASSERT_EQUAL(list.of[PLACES_APN][3].state, NUMBERS_FREE);
	begin();
	ITEMS("internet", "wap");
	assign(&list, 0, TERM_A, 100);
	ITEMS("aaa", "internet", "wap");
	assign(&other, 0, TERM_B, 100);
	CU_ASSERT_EQUAL(numbers_take(&list, &other), 2);
	CU_ASSERT_EQUAL(apn(&list, "wap"), 5);
}

static void test_places(void)
{
	struct places p;

	begin();
	places_init(&p);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_POOL, 255), PLACES_NONE);
	ITEMS("internet");
	assign(&list, 0, TERM_A, 100);
	ITEMS("aaa", "internet");
	item(PLACES_POOL, "one", 0);
	assign(&list, 0, TERM_A, 100);
	/* Each has its place at once, and what is new is nobody's number before it is released. */
	CU_ASSERT_EQUAL(numbers_waiting(&list), 3);
	numbers_release(&list);
	item(PLACES_APN, "zzz", 0);
	assign(&list, 0, TERM_A, 100);
	CU_ASSERT_EQUAL(numbers_waiting(&list), 1);
	numbers_places(&list, &items, &p);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_APN, 5), 2);
	CU_ASSERT_EQUAL(places_number(&p, PLACES_APN, 2), NUMBERS_NONE);
	numbers_release(&list);
	numbers_places(&list, &items, &p);
	CU_ASSERT_EQUAL(places_number(&p, PLACES_APN, 2), 5);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_APN, 1), 1);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_APN, 3), 0);
	CU_ASSERT_EQUAL(places_of(&p, PLACES_APN, 0), PLACES_NONE);
	CU_ASSERT_EQUAL(places_number(&p, PLACES_APN, 0), 3);
	CU_ASSERT_EQUAL(places_number(&p, PLACES_APN, 1), 1);
	CU_ASSERT_EQUAL(places_number(&p, PLACES_POOL, 0), 1);
	CU_ASSERT_EQUAL(places_of(NULL, PLACES_APN, 5), 5);
	CU_ASSERT_EQUAL(places_number(NULL, PLACES_APN, 5), 5);
}

static void test_text(void)
{
	static const char want[] = "tandem-numbers 1 14 2\n"
				   "apn 1 0 internet\n"
				   "apn 3 200 wap\n"
				   "pool 1 0 one\n";

	begin();
	CU_ASSERT_EQUAL(numbers_print(&list, text, sizeof(text)), 0);
	ITEMS("internet", "wap");
	item(PLACES_POOL, "one", 0);
	assign(&list, 0, TERM_A, 100);
	ITEMS("internet");
	item(PLACES_POOL, "one", 0);
	assign(&list, 0, TERM_A, 200);
	CU_ASSERT_EQUAL(numbers_print(&list, text, sizeof(text)), strlen(want));
	CU_ASSERT_STRING_EQUAL(text, want);
	CU_ASSERT_EQUAL(numbers_read(&other, want, strlen(want)), 0);
	numbers_release(&list);
	CU_ASSERT_EQUAL(memcmp(&other, &list, sizeof(list)), 0);
	CU_ASSERT_EQUAL(numbers_print(&list, text, strlen(want)), 0);
	CU_ASSERT_NOT_EQUAL(
		numbers_digest(want, strlen(want)), numbers_digest(want, strlen(want) - 1));
	CU_ASSERT_EQUAL(numbers_digest(NULL, 0), 0);
}

/* The longest list fits: as many in use as there are places, all others gone. */
static void test_text_longest(void)
{
	size_t len;

	begin();
	list.term = UINT64_MAX;
	list.revision = UINT32_MAX;
	for (enum places_kind k = 0; k < PLACES_KINDS; k++)
		for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
			struct numbers_entry *e = &list.of[k][i];

			memset(e->name, 'x', NUMBERS_NAME - 1);
			snprintf(e->name, 4, "%03u", i);
			e->name[3] = 'x';
			e->state = i <= PLACES_MOST ? NUMBERS_USED : NUMBERS_GONE;
			if (e->state == NUMBERS_GONE)
				e->gone_s = UINT64_MAX;
			else
				memset(e->what, 'w', NUMBERS_WHAT - 1);
		}
	len = numbers_print(&list, text, sizeof(text));
	CU_ASSERT_TRUE(len > 0);
	CU_ASSERT_EQUAL(numbers_read(&other, text, len), 0);
	CU_ASSERT_EQUAL(memcmp(&other, &list, sizeof(list)), 0);
	/* One more in use, and nobody has a place for it. */
	list.of[PLACES_POOL][PLACES_MOST + 1].state = NUMBERS_USED;
	list.of[PLACES_POOL][PLACES_MOST + 1].gone_s = 0;
	len = numbers_print(&list, text, sizeof(text));
	CU_ASSERT_EQUAL(numbers_read(&other, text, len), -EBADMSG);
}

static void test_text_refused(void)
{
#define FIRST "tandem-numbers 1 14 2\n"
	static const char *const bad[] = { "", "tandem-numbers 1 14 2", "tandem-numbers 2 14 2\n",
		"tandem-numbers 1 0 2\n", "tandem-numbers 1 14 0\n", "tandem-numbers 1 014 2\n",
		"tandem-numbers 1 14 4294967296\n", "tandem-numbers 1 18446744073709551616 1\n",
		FIRST "apn 0 0 a\n", FIRST "apn 255 0 a\n", FIRST "apn 01 0 a\n",
		FIRST "apn 1 0 \n", FIRST "apn 1 0 a", FIRST "apn 1 7 a b\n", FIRST "apn 1 a\n",
		FIRST "apn 1 0 a \n", FIRST "apn 1 0 a b\x7f\n", FIRST "apn 1 0 a b",
		FIRST "apn 1 -1 a\n", FIRST "apn 1 0 a\n\n", FIRST "vip 1 0 a\n",
		FIRST "apn 1 0 a\napn 1 5 b\n", FIRST "apn 2 0 a\napn 1 0 b\n",
		FIRST "pool 1 0 a\napn 2 0 b\n", FIRST "apn 1 0 a\napn 2 0 a\n",
		FIRST "apn 1 0 a\x7f\n",
		FIRST "apn 1 0 0123456789012345678901234567890123456789012345678901234567890"
		      "1234567890123456789012345678901234567890\n" };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&list, 1, sizeof(list));
		CU_ASSERT_EQUAL(numbers_read(&list, bad[i], strlen(bad[i])), -EBADMSG);
		CU_ASSERT_EQUAL(list.term, 0);
		CU_ASSERT_EQUAL(apn(&list, "a"), NUMBERS_NONE);
	}
	CU_ASSERT_EQUAL(numbers_read(&list, FIRST "apn 1 0 a\npool 1 0 a\n",
				strlen(FIRST "apn 1 0 a\npool 1 0 a\n")),
		0);
}

/* ---- a pair that is restarted with other configurations, loses disks, and falls apart ---- */

static const char *const model_names[MOST] = { "a", "b", "c", "d", "e", "f" };

struct model {
	struct numbers list[2];
	unsigned int config[2]; /* which names each has, a bit each */
	int active;             /* -1: both are, apart */
	uint64_t term, random;
};

static void model_items(unsigned int config)
{
	items = (struct numbers_items){ 0 };
	for (unsigned int i = 0; i < MOST; i++)
		if (config >> i & 1)
			item(PLACES_APN, model_names[i], 0);
}

static void model_active(struct model *m, int who)
{
	model_items(m->config[who]);
	CU_ASSERT_EQUAL(
		assign(&m->list[who], (unsigned int)who, ++m->term << 1 | (unsigned int)who, 100),
		0);
	for (unsigned int i = 0; i < items.n[PLACES_APN]; i++)
		CU_ASSERT_NOT_EQUAL(apn(&m->list[who], items.of[PLACES_APN][i].name), 0);
}

/* A number stands for one name on both, in use or not: nothing that was made under one list means
 * something else under the other. */
static bool model_agrees(const struct model *m)
{
	for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
		const struct numbers_entry *e[2] = { &m->list[0].of[PLACES_APN][i],
			&m->list[1].of[PLACES_APN][i] };

		if (e[0]->state != NUMBERS_FREE && e[1]->state != NUMBERS_FREE &&
			strcmp(e[0]->name, e[1]->name) != 0)
			return false;
	}
	return true;
}

static void model_meet(struct model *m)
{
	if (m->active < 0)
		m->active = (int)(ut_random(&m->random) % 2);
	if (numbers_yield(&m->list[!m->active], &m->list[m->active], true))
		CU_ASSERT_EQUAL(numbers_take(&m->list[!m->active], &m->list[m->active]), 0);
	if (ut_random(&m->random) % 2 == 0)
		numbers_forget(&m->list[!m->active]);
	CU_ASSERT_EQUAL(m->list[0].term, m->list[1].term);
	CU_ASSERT_EQUAL(m->list[0].revision, m->list[1].revision);
}

/* Of who is not Active: another configuration, and perhaps no disk. */
static void model_restart(struct model *m)
{
	int who = !m->active;

	m->config[who] = 1 + (unsigned int)(ut_random(&m->random) % ((1 << MOST) - 1));
	if (ut_random(&m->random) % 4 == 0)
		memset(&m->list[who], 0, sizeof(m->list[who]));
	else if (numbers_read(&other, text, numbers_print(&m->list[who], text, sizeof(text))) == 0)
		m->list[who] = other;
	model_meet(m);
}

static void test_model(void)
{
	static struct model m;
	unsigned int had = 0;

	m.random = ut_seed(13);
	m.config[0] = m.config[1] = 1;
	model_active(&m, 0);
	model_meet(&m);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint8_t before[MOST];
		unsigned int what = (unsigned int)(ut_random(&m.random) % 4);

		for (unsigned int k = 0; k < MOST && m.active >= 0; k++)
			before[k] = apn(&m.list[m.active], model_names[k]);
		if (m.active < 0 || what == 0) {
			model_meet(&m);
		} else if (what == 1) {
			model_restart(&m);
		} else if (what == 2) {
			m.active = !m.active;
			model_active(&m, m.active);
			for (unsigned int k = 0; k < MOST; k++) {
				uint8_t now = apn(&m.list[m.active], model_names[k]);

				had += before[k] != 0 && now != 0;
				CU_ASSERT_TRUE(before[k] == 0 || now == 0 || before[k] == now);
			}
			model_meet(&m); /* nobody takes over who has not joined */
		} else {
			model_active(&m, !m.active);
			m.active = -1;
		}
		CU_ASSERT_TRUE_FATAL(model_agrees(&m));
	}
	CU_ASSERT_TRUE(had > ROUNDS / 10);
}

int main(void)
{
	CU_TestInfo tests[] = { { "by_name", test_by_name }, { "never_moves", test_never_moves },
		{ "removed", test_removed }, { "used_up", test_used_up }, { "ids", test_ids },
		{ "yield", test_yield }, { "split", test_split }, { "forget", test_forget },
		{ "places", test_places }, { "text", test_text },
		{ "text_longest", test_text_longest }, { "text_refused", test_text_refused },
		{ "model", test_model }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { .pName = "numbers", .pTests = tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
