/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers: look-ups beside a list that is gone through from end to end, over random prefixes of both
 * families; groups, ports, numbers; what is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peers/peer_numbers.h"
#include "peers/peers.h"
#include "ut.h"

enum { ENTRIES = 24, PREFIXES = 160, ROUNDS = 60, LOOKS = 1500, PORTS = 4 };

static struct peers_entry entry[PEERS_MOST + 1];
static struct peers_prefix prefix[PEERS_PREFIXES + 1];
static unsigned int n_entries, n_prefixes;
static uint64_t drawn;

static uint32_t draw(void)
{
	drawn = drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(drawn >> 33);
}

static void begin(void)
{
	memset(entry, 0, sizeof(entry));
	n_entries = n_prefixes = 0;
}

static uint16_t add_entry(const char *name, const char *group, uint8_t ports)
{
	struct peers_entry *e = &entry[n_entries];

	snprintf(e->name, sizeof(e->name), "%s", name);
	snprintf(e->group, sizeof(e->group), "%s", group);
	e->ports = ports;
	return (uint16_t)n_entries++;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	CU_ASSERT_EQUAL_FATAL(ip_addr_parse(text, &a), 0);
	return a;
}

static void add_prefix(uint16_t nth, enum peers_use use, const char *text, uint8_t len)
{
	prefix[n_prefixes++] = (struct peers_prefix){ { addr(text), len }, nth, (uint8_t)use };
}

static int build(struct peers **p)
{
	return peers_build(p, entry, n_entries, prefix, n_prefixes);
}

static struct peers *built(void)
{
	struct peer_numbers *numbers = peer_numbers_create();
	struct peers *p = NULL;

	CU_ASSERT_EQUAL_FATAL(build(&p), 0);
	CU_ASSERT_EQUAL(peer_numbers_give(numbers, p, NULL, NULL), 0);
	peer_numbers_destroy(numbers);
	return p;
}

/* ---- the list, gone through from end to end ---- */

static bool list_user(const struct peers_prefix *x)
{
	if (x->use == PEERS_USER)
		return true;
	for (unsigned int i = 0; i < n_prefixes; i++)
		if (prefix[i].nth == x->nth && prefix[i].use == PEERS_USER)
			return false;
	return true;
}

static bool list_user_of(unsigned int nth, const struct ip_addr *a)
{
	for (unsigned int i = 0; i < n_prefixes; i++)
		if (prefix[i].nth == nth && list_user(&prefix[i]) &&
			ip_prefix_covers(&prefix[i].prefix, a))
			return true;
	return false;
}

/* n_entries: nobody. */
static unsigned int list_control(const struct ip_addr *a)
{
	const struct peers_prefix *best = NULL;

	for (unsigned int i = 0; i < n_prefixes; i++)
		if (prefix[i].use == PEERS_CONTROL && ip_prefix_covers(&prefix[i].prefix, a) &&
			(best == NULL || prefix[i].prefix.len > best->prefix.len))
			best = &prefix[i];
	return best != NULL ? best->nth : n_entries;
}

static bool list_control_has(const struct ip_prefix *x)
{
	for (unsigned int i = 0; i < n_prefixes; i++)
		if (prefix[i].use == PEERS_CONTROL && ip_prefix_equal(&prefix[i].prefix, x))
			return true;
	return false;
}

/* Returns how many addresses were looked up wrongly. */
static unsigned int compare(const struct peers *p, const struct ip_addr *a)
{
	const struct peers_entry *c = peers_control(p, a);
	uint32_t set = peers_set_of(p, PEERS_USER, a);
	unsigned int wrong = 0;
	uint8_t ports = 0;

	wrong += (c == NULL ? n_entries : (unsigned int)(c - p->entry)) != list_control(a);
	for (unsigned int i = 0; i < n_entries; i++) {
		bool has = list_user_of(i, a);

		ports |= has ? entry[i].ports : 0;
		for (unsigned int port = 0; port < PORTS; port++)
			wrong += peers_set_has(p, set, p->entry[i].number, (uint8_t)(1U << port)) !=
				 (has && (entry[i].ports & 1U << port) != 0);
	}
	wrong += peers_ports(p, set) != ports;
	if (ip_addr_is_v4(a))
		wrong += peers_user4(p, ip_addr_to_v4(a)) != set;
	return wrong;
}

/* Few different bits, so that prefixes meet and addresses hit them. */
static struct ip_addr draw_addr(void)
{
	struct ip_addr a = { { 0x20, 0x01 } };

	if (draw() % 2 == 0)
		return ip_addr_v4((draw() % 3 == 0 ? 0 : 0x0a000000) | (draw() & 0x0003c3f1) |
				  (draw() % 8 == 0 ? 0xfffffffe : 0));
	a.b[7] = (uint8_t)(draw() & 0x83);
	a.b[8] = (uint8_t)(draw() & 0xc1);
	a.b[15] = (uint8_t)draw();
	if (draw() % 16 == 0)
		memset(&a, 0xff, sizeof(a));
	return a;
}

static void draw_prefixes(void)
{
	static const uint8_t of4[] = { 0, 8, 14, 17, 18, 24, 28, 31, 32 },
			     of6[] = { 0, 16, 57, 63, 64, 65, 66, 120, 127, 128 };

	begin();
	for (unsigned int i = 0; i < 1 + draw() % ENTRIES; i++)
		add_entry((char[]){ 'a', (char)('a' + i), '\0' }, "", (uint8_t)(draw() % 16));
	for (unsigned int i = 0; i < PREFIXES; i++) {
		struct ip_addr a = draw_addr();
		uint8_t len =
			ip_addr_is_v4(&a) ? of4[draw() % sizeof(of4)] : of6[draw() % sizeof(of6)];
		struct peers_prefix x = { ip_prefix_around(&a, len), (uint16_t)(draw() % n_entries),
			(uint8_t)(draw() % PEERS_USES) };

		if (!ip_prefix_valid(&x.prefix) ||
			(x.use == PEERS_CONTROL && list_control_has(&x.prefix)))
			continue;
		prefix[n_prefixes++] = x;
	}
}

static void test_model(void)
{
	unsigned int wrong = 0;

	for (unsigned int round = 1; round <= ROUNDS; round++) {
		struct peers *p;

		drawn = round;
		draw_prefixes();
		p = built();
		for (unsigned int i = 0; i < LOOKS; i++) {
			struct ip_addr a = draw_addr();

			wrong += compare(p, &a);
		}
		for (unsigned int i = 0; i < n_prefixes; i++)
			wrong += compare(p, &prefix[i].prefix.addr);
		peers_drop(p);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- single rules ---- */

static void test_nobody(void)
{
	struct ip_addr a = addr("10.0.0.1"), b = addr("2001:db8::1");
	struct peers *p;

	begin();
	p = built();
	CU_ASSERT_PTR_NULL(peers_control(p, &a));
	CU_ASSERT_EQUAL(peers_user4(p, 0x0a000001), 0);
	CU_ASSERT_EQUAL(peers_set_of(p, PEERS_USER, &b), 0);
	CU_ASSERT_EQUAL(peers_ports(p, 0), 0);
	CU_ASSERT_PTR_NULL(peers_by_number(p, 0));
	peers_drop(p);
	peers_drop(NULL);
}

/* What stands inside of another entry's network is its own; user prefixes are both's. */
static void test_inside(void)
{
	struct ip_addr in = addr("10.1.2.3"), out = addr("10.2.0.1");
	uint16_t wide, narrow;
	struct peers *p;

	begin();
	wide = add_entry("wide", "", 1);
	narrow = add_entry("narrow", "", 2);
	add_prefix(wide, PEERS_CONTROL, "10.0.0.0", 8);
	add_prefix(narrow, PEERS_CONTROL, "10.1.0.0", 16);
	p = built();
	CU_ASSERT_STRING_EQUAL(peers_control(p, &in)->name, "narrow");
	CU_ASSERT_STRING_EQUAL(peers_control(p, &out)->name, "wide");
	CU_ASSERT_EQUAL(peers_ports(p, peers_set_of(p, PEERS_USER, &in)), 3);
	CU_ASSERT_EQUAL(peers_ports(p, peers_set_of(p, PEERS_USER, &out)), 1);
	CU_ASSERT_FALSE(peers_everybody(p, wide));
	peers_drop(p);
}

static void test_everybody(void)
{
	struct ip_addr last = addr("255.255.255.255"), first = addr("0.0.0.0"), six = addr("::1");
	uint16_t one, other;
	struct peers *p;

	begin();
	one = add_entry("one", "", 1);
	other = add_entry("other", "", 1);
	add_prefix(one, PEERS_CONTROL, "192.0.2.0", 24);
	add_prefix(other, PEERS_USER, "0.0.0.0", 0);
	p = built();
	CU_ASSERT_FALSE(peers_everybody(p, one));
	CU_ASSERT_TRUE(peers_everybody(p, other));
	CU_ASSERT_NOT_EQUAL(peers_set_of(p, PEERS_USER, &last), 0);
	CU_ASSERT_NOT_EQUAL(peers_set_of(p, PEERS_USER, &first), 0);
	CU_ASSERT_EQUAL(peers_set_of(p, PEERS_USER, &six), 0);
	peers_drop(p);
	add_prefix(one, PEERS_CONTROL, "::", 0);
	p = built();
	CU_ASSERT_TRUE(peers_everybody(p, one));
	CU_ASSERT_STRING_EQUAL(peers_control(p, &six)->name, "one");
	peers_drop(p);
}

static void test_groups(void)
{
	static const char *const group[] = { "", "home", "", "away", "home" };
	struct peers *p;

	begin();
	for (unsigned int i = 0; i < 5; i++)
		add_entry((char[]){ (char)('a' + i), '\0' }, group[i], 1);
	p = built();
	for (uint16_t i = 1; i <= 5; i++)
		for (uint16_t j = 1; j <= 5; j++)
			CU_ASSERT_EQUAL(peers_same_group(p, i, j),
				i == j || (i == 2 && j == 5) || (i == 5 && j == 2));
	CU_ASSERT_FALSE(peers_same_group(p, 0, 0));
	CU_ASSERT_FALSE(peers_same_group(p, 6, 6));
	peers_drop(p);
}

static void test_refused(void)
{
	struct peers *p;
	uint16_t a, b;

	begin();
	a = add_entry("a", "", 1);
	b = add_entry("b", "", 1);
	add_prefix(a, PEERS_CONTROL, "10.0.0.0", 8);
	add_prefix(b, PEERS_USER, "10.0.0.0", 8);
	add_prefix(a, PEERS_USER, "10.0.0.0", 8);
	add_prefix(a, PEERS_CONTROL, "10.0.0.0", 8); /* twice the same is once */
	CU_ASSERT_EQUAL(build(&p), 0);
	CU_ASSERT_EQUAL(peers_ports(p, peers_user4(p, 0x0a000000)), 1);
	peers_drop(p);
	add_prefix(b, PEERS_CONTROL, "10.0.0.0", 8);
	CU_ASSERT_EQUAL(build(&p), -EEXIST);
	CU_ASSERT_PTR_NULL(p);
	n_prefixes--;
	add_prefix(2, PEERS_CONTROL, "11.0.0.0", 8);
	CU_ASSERT_EQUAL(build(&p), -EINVAL);
	n_prefixes--;
	add_prefix(b, PEERS_CONTROL, "11.0.0.1", 8);
	CU_ASSERT_EQUAL(build(&p), -EINVAL);
	n_prefixes--;
	add_prefix(b, PEERS_USES, "11.0.0.0", 8);
	CU_ASSERT_EQUAL(build(&p), -EINVAL);
	n_prefixes--;
	CU_ASSERT_EQUAL(peers_build(&p, entry, PEERS_MOST + 1, prefix, 0), -EINVAL);
	CU_ASSERT_EQUAL(peers_build(&p, entry, 2, prefix, PEERS_PREFIXES + 1), -EINVAL);
	memset(entry[0].name, 'a', sizeof(entry[0].name));
	CU_ASSERT_EQUAL(build(&p), -EINVAL);
}

/* ---- numbers ---- */

static bool used_eighth(void *ctx, uint16_t number)
{
	++*(unsigned int *)ctx;
	return number % 8 == 0;
}

static bool used_all(void *ctx, uint16_t number)
{
	return true;
}

static int numbered(struct peer_numbers *n, struct peers **p,
	bool (*used)(void *ctx, uint16_t number), void *ctx)
{
	CU_ASSERT_EQUAL_FATAL(build(p), 0);
	return peer_numbers_give(n, *p, used, ctx);
}

static void test_number_stays(void)
{
	struct peer_numbers *n = peer_numbers_create();
	struct peers *p;
	uint16_t b;

	begin();
	add_entry("b", "", 1);
	add_entry("d", "", 1);
	numbered(n, &p, NULL, NULL);
	b = p->entry[0].number;
	CU_ASSERT_NOT_EQUAL(b, 0);
	CU_ASSERT_NOT_EQUAL(p->entry[1].number, b);
	peers_drop(p);
	/* one is removed, one sorts before all, then it is back */
	begin();
	add_entry("a", "", 1);
	add_entry("d", "", 1);
	numbered(n, &p, NULL, NULL);
	CU_ASSERT_NOT_EQUAL(p->entry[0].number, b);
	CU_ASSERT_PTR_NULL(peers_by_number(p, b));
	CU_ASSERT_PTR_EQUAL(peers_by_number(p, p->entry[0].number), &p->entry[0]);
	CU_ASSERT_PTR_EQUAL(peers_by_number(p, p->entry[1].number), &p->entry[1]);
	peers_drop(p);
	begin();
	add_entry("b", "", 1);
	numbered(n, &p, NULL, NULL);
	CU_ASSERT_EQUAL(p->entry[0].number, b);
	peers_drop(p);
	peer_numbers_destroy(n);
}

static void fill(unsigned int round)
{
	begin();
	for (unsigned int i = 0; i < PEERS_MOST; i++) {
		char name[PEERS_NAME];

		snprintf(name, sizeof(name), "p%u-%u", round, i);
		add_entry(name, "", 1);
	}
}

/* Each round has other names. A number that a slot has is never another name's. */
static void test_number_again(void)
{
	enum { FULL = PEER_NUMBERS_KNOWN / PEERS_MOST };
	static uint8_t given[PEER_NUMBERS_LAST + 1];
	struct peer_numbers *n = peer_numbers_create();
	unsigned int asked = 0, wrong = 0;
	struct peers *p;

	for (unsigned int round = 0; round < FULL; round++) {
		fill(round);
		CU_ASSERT_EQUAL(numbered(n, &p, NULL, NULL), 0);
		for (unsigned int i = 0; i < p->n; i++)
			wrong += given[p->entry[i].number]++ != 0;
		peers_drop(p);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	fill(FULL);
	CU_ASSERT_EQUAL(numbered(n, &p, NULL, NULL), -ENOSPC);
	peers_drop(p);
	fill(FULL);
	CU_ASSERT_EQUAL(numbered(n, &p, used_all, NULL), -ENOSPC);
	CU_ASSERT_EQUAL(p->entry[0].number, 0);
	peers_drop(p);
	for (unsigned int round = FULL; round < 3 * FULL; round++) {
		fill(round);
		CU_ASSERT_EQUAL(numbered(n, &p, used_eighth, &asked), 0);
		for (unsigned int i = 0; i < p->n; i++)
			wrong += given[p->entry[i].number]++ != 0 && p->entry[i].number % 8 == 0;
		peers_drop(p);
	}
	CU_ASSERT_TRUE(asked > 0);
	CU_ASSERT_EQUAL(wrong, 0);
	peer_numbers_destroy(n);
}

/* ---- the largest ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void show_cost(const struct peers *p, const char *what)
{
	enum { TIMES = 2000000 };
	double from = seconds();
	uint32_t sum = 0;

	for (unsigned int i = 0; i < TIMES; i++)
		sum += peers_user4(p, draw() + (sum & 1));
	printf("\n    %s: %.1f ns a look-up (%u)", what, (seconds() - from) / TIMES * 1e9, sum & 1);
}

static void test_largest(void)
{
	struct peers *p;
	double from;

	begin();
	for (unsigned int i = 0; i < PEERS_MOST; i++)
		add_entry((char[]){ (char)('a' + i % 26), (char)('a' + i / 26 % 26),
				  (char)('a' + i / 676), '\0' },
			"", 1);
	drawn = 7;
	while (n_prefixes < PEERS_PREFIXES) {
		struct ip_addr a = ip_addr_v4(draw() << 1);

		prefix[n_prefixes] = (struct peers_prefix){ ip_prefix_around(&a, 28),
			(uint16_t)(n_prefixes % n_entries), PEERS_USER };
		n_prefixes++;
	}
	from = seconds();
	p = built();
	printf("\n    %u prefixes: built in %.1f ms", n_prefixes, (seconds() - from) * 1e3);
	for (unsigned int i = 0; i < n_prefixes; i += 97)
		CU_ASSERT_NOT_EQUAL(peers_user4(p, ip_addr_to_v4(&prefix[i].prefix.addr)), 0);
	show_cost(p, "65,536 prefixes");
	peers_drop(p);
	n_prefixes = n_entries = 8;
	p = built();
	show_cost(p, "8 prefixes");
	peers_drop(p);
	printf("\n");
}

int main(void)
{
	CU_TestInfo tests[] = { { "model", test_model }, { "nobody", test_nobody },
		{ "inside", test_inside }, { "everybody", test_everybody },
		{ "groups", test_groups }, { "refused", test_refused },
		{ "number stays", test_number_stays }, { "number again", test_number_again },
		{ "largest", test_largest }, CU_TEST_INFO_NULL };

	CU_SuiteInfo suites[] = { { .pName = "peers", .pTests = tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
