/* SPDX-License-Identifier: BSD-3-Clause */
/* settings_rooms: what a reload may change is in no room's `start`, and reaches a `live` or the
 * cores' snapshot: each live row of the table of keys is changed by itself. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "knob.h"
#include "peers/peers.h"
#include "process/settings_rooms.h"
#include "ut.h"

static const char text[] =
	"chassis = { name = \"left\"; };\n"
	"ports = ({ name = \"access\"; device = \"a\"; roles = [\"access\"]; twin = \"ta\"; },\n"
	"{ name = \"core\"; device = \"b\"; roles = [\"core\"]; twin = \"tb\"; },\n"
	"{ name = \"repl\"; device = \"c\"; roles = [\"replication\"]; twin = \"tc\"; address = "
	"\"10.7.0.11/24\"; });\n"
	"loopbacks = ({ name = \"gtp\"; address = \"10.8.0.100\"; port = \"access\"; "
	"srp-activate = true; });\n"
	"gtp-peers = ({ name = \"sgsns\"; control = [\"10.8.0.0/24\"]; });\n"
	"pools = ({ name = \"pool\"; prefix = \"10.10.0.0/20\"; srp-activate = true; });\n"
	"apns = ({ name = \"internet\"; pool = \"pool\"; });\n"
	"srp = { bind = \"10.6.0.11\"; peer = \"10.6.0.12\"; stream-peer = \"10.7.0.12\"; "
	"insecure = true; };\n";

/* All that rooms are given. Bytes between the members may hold anything: see alike(). */
struct starts {
	struct ethernet_start ethernet;
	struct replicator_start replicator;
	struct kernel_start kernel;
	struct signalling_start signalling;
	struct monitors_start monitors;
	struct switchover_start switchover;
	struct pair_start pair;
	struct operator_start operator_room;
};

struct lives {
	struct settings cores;
	struct replicator_live replicator;
	struct signalling_live signalling;
	struct monitors_live monitors;
	struct switchover_live switchover;
	struct pair_live pair;
};

/* Pointers into it are the same before and after a reload. */
static struct config conf, was;
static struct config_placed placed;
static struct starts starts[3];
static struct lives lives[3];

/* What the next call finds where its variables will be. */
static __attribute__((noinline)) void leave(int byte)
{
	volatile uint8_t stack[32768];

	for (unsigned int i = 0; i < sizeof(stack); i++)
		stack[i] = (uint8_t)byte;
}

static __attribute__((noinline)) void take_starts(struct starts *s)
{
	settings_ethernet_start(&conf, &s->ethernet);
	settings_replicator_start(&conf, &s->replicator);
	settings_kernel_start(&conf, &placed, &s->kernel);
	settings_signalling_start(&conf, &placed, &s->signalling);
	settings_monitors_start(&conf, &s->monitors);
	settings_switchover_start(&conf, &s->switchover);
	settings_pair_start(&conf, &placed, &s->pair);
	settings_operator_start(&conf, &placed, &s->operator_room);
}

/* Without what all keys that must agree are in: the lines and their digest. */
static __attribute__((noinline)) void take_lives(struct lives *l)
{
	placed_begin(&placed, &conf);
	CU_ASSERT_EQUAL_FATAL(settings_of(&conf, &placed, &l->cores), 0);
	settings_replicator_live(&conf, &l->replicator);
	settings_signalling_live(&conf, &placed, &l->signalling);
	settings_monitors_live(&conf, &l->monitors);
	settings_switchover_live(&conf, &l->switchover);
	CU_ASSERT_EQUAL_FATAL(settings_pair_live(&conf, &l->pair), 0);
	settings_pair_live_end(&l->pair);
	l->pair.digest = 0;
	l->pair.lines_len = 0;
}

/* Two objects of the same settings, made where other bytes had been, say which bytes count. */
static bool alike(const void *one, const void *same, const void *other, size_t size)
{
	const uint8_t *a = one, *b = same, *c = other;

	for (size_t i = 0; i < size; i++)
		if (a[i] == b[i] && a[i] != c[i])
			return false;
	return true;
}

static void setup(void)
{
	struct config_report r = { 0 };

	clock_hz = UINT64_C(2345678901); /* rates are for the clock */
	CU_ASSERT_EQUAL_FATAL(config_load_text("test", text, &conf, &r), 0);
	config_report_free(&r);
	for (int i = 0; i < 2; i++) {
		memset(&starts[i], 255 * i, sizeof(starts[i]));
		memset(&lives[i], 255 * i, sizeof(lives[i]));
		leave(255 * i);
		take_starts(&starts[i]);
		leave(255 * i);
		take_lives(&lives[i]);
	}
}

/* Another value, not by way of a file: what it may be with others does not matter here. */
static void change(const struct section *s, const struct knob *k)
{
	char *at = (char *)(s->item_size > 0 ? section_item(s, &conf, 0) : &conf) + k->at;
	uint32_t number;

	switch (k->type) {
	case KNOB_BOOL:
	case KNOB_CHOICE:
		*at = !*at;
		break;
	case KNOB_ADDRS:
		*at = (char)(*at + 1);
		break;
	case KNOB_U32:
		memcpy(&number, at, sizeof(number));
		number++;
		memcpy(at, &number, sizeof(number));
		break;
	default:
		CU_ASSERT_TRUE_FATAL(
			k->type == KNOB_TEXT || k->type == KNOB_NAME || k->type == KNOB_WORD);
		*at = *at == 'x' ? 'y' : 'x';
	}
}

/* The operator's own: reload_apply(); and which pool an APN has, which signalling reads at its
 * place. */
static bool is_elsewhere(const struct section *s, const struct knob *k)
{
	return (s == &config_sections[SECTION_LOG] && strcmp(k->key, "level") == 0) ||
	       (s == &config_sections[SECTION_APNS] && strcmp(k->key, "pool") == 0);
}

static bool is_taken(void)
{
	leave(0);
	memset(&lives[2], 0, sizeof(lives[2]));
	take_lives(&lives[2]);
	return !alike(&lives[0], &lives[1], &lives[2], sizeof(lives[0]));
}

static bool starts_anew(void)
{
	leave(0);
	memset(&starts[2], 0, sizeof(starts[2]));
	take_starts(&starts[2]);
	return !alike(&starts[0], &starts[1], &starts[2], sizeof(starts[0]));
}

static void test_live(void)
{
	unsigned int n = 0;

	CU_ASSERT_FALSE(is_taken());
	CU_ASSERT_FALSE(starts_anew());
	for (unsigned int id = 0; id < SECTIONS; id++)
		for (unsigned int j = 0; j < config_sections[id].n_knobs; j++) {
			const struct section *s = &config_sections[id];
			const struct knob *k = &s->knobs[j];
			bool taken, anew;

			/* settings_peers() reads that list: test_peers() */
			if (!(k->flags & KNOB_LIVE) || id == SECTION_GTP_PEERS)
				continue;
			was = conf;
			change(s, k);
			taken = is_taken();
			anew = starts_anew();
			CU_ASSERT_NOT_EQUAL(taken, is_elsewhere(s, k));
			CU_ASSERT_FALSE(anew);
			if (taken == is_elsewhere(s, k) || anew)
				printf("\n%s: %s\n", k->key,
					anew ? "it is in a start" : "nobody takes it");
			conf = was;
			n++;
		}
	CU_ASSERT_TRUE(n > 15);
}

/* The comparison sees a key that a restart alone changes. */
static void test_restart(void)
{
	conf.srp.delay_interval_ms++;
	CU_ASSERT_TRUE(starts_anew());
	CU_ASSERT_FALSE(is_taken());
}

/* What settings_peers() makes of a list: ports that are not named are all access ports. */
static void test_peers(void)
{
	static const char list[] =
		"gtp-peers = ({ name = \"b\"; control = [\"10.8.0.0/24\"]; group = \"home\"; }, "
		"{ name = \"a\"; control = [\"10.8.1.0/24\"]; user = [\"10.8.2.0/24\"]; "
		"ports = [\"access\"]; }, "
		"{ name = \"c\"; control = [\"2001:db8::/32\"]; group = \"home\"; });\n";
	const struct ip_addr in = ip_addr_v4(0x0a080001), v6 = { { 0x20, 1, 0x0d, 0xb8 } };
	char with[sizeof(text) + sizeof(list)];
	struct config_report r = { 0 };
	struct peers *p;

	snprintf(with, sizeof(with), "%.*s%s%s", (int)(strstr(text, "gtp-peers") - text), text,
		list, strchr(strstr(text, "gtp-peers"), '\n') + 1);
	was = conf;
	CU_ASSERT_EQUAL_FATAL(config_load_text("test", with, &conf, &r), 0);
	config_report_free(&r);
	CU_ASSERT_EQUAL_FATAL(settings_peers(&conf, &p), 0);
	CU_ASSERT_EQUAL(p->n, 3);
	CU_ASSERT_STRING_EQUAL(peers_control(p, &in)->name, "b");
	CU_ASSERT_EQUAL(peers_control(p, &in)->ports, 1);
	CU_ASSERT_EQUAL(p->group[1], p->group[2]);
	CU_ASSERT_NOT_EQUAL(p->group[0], p->group[1]);
	CU_ASSERT_EQUAL(peers_ports(p, peers_user4(p, 0x0a080001)), 1);
	CU_ASSERT_EQUAL(peers_ports(p, peers_user4(p, 0x0a080101)), 0);
	CU_ASSERT_EQUAL(peers_ports(p, peers_user4(p, 0x0a080201)), 1);
	CU_ASSERT_STRING_EQUAL(peers_control(p, &v6)->name, "c");
	peers_drop(p);
	conf = was;
}

/* Rates are for the clock that counts the ticks of the fast path. */
static void test_rates(void)
{
	const uint64_t hz = clock_hz;
	struct police_rate up, down;
	struct settings s;

	clock_hz = UINT64_C(2345678901);
	CU_ASSERT_EQUAL(police_rate_set(&up, 100000000, clock_hz), 0); /* the highest of the key */
	CU_ASSERT_EQUAL(police_rate_set(&down, 1, clock_hz), 0);
	conf.apns[0].ambr_up_kbps = 100000000;
	conf.apns[0].ambr_down_kbps = 1;
	placed_begin(&placed, &conf);
	CU_ASSERT_EQUAL(settings_of(&conf, &placed, &s), 0);
	CU_ASSERT_TRUE(s.apn[0].up.per_octet == up.per_octet && s.apn[0].up.burst == up.burst);
	CU_ASSERT_TRUE(s.apn[0].down.per_octet == down.per_octet);
	CU_ASSERT_TRUE(s.apn[0].down.burst == down.burst && s.apn[0].down.shift == up.shift);
	clock_hz = 1; /* nobody has measured it */
	CU_ASSERT_EQUAL(settings_of(&conf, &placed, &s), -ERANGE);
	clock_hz = hz;
}

int main(void)
{
	CU_TestInfo tests[] = { { "a live key is in no start, and somebody takes it", test_live },
		{ "another key is in a start", test_restart },
		{ "rates are for the clock", test_rates }, { "peers", test_peers },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "settings of rooms", NULL, NULL, setup, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
