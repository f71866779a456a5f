/* SPDX-License-Identifier: BSD-3-Clause */
/* What the golden files cannot show: values in the struct, digest and difference, and random
 * configurations. */
#include <errno.h>
#include <unistd.h>

#include "config/config.h"
#include "knob.h"
#include "ut.h"

static struct config a, b;
static struct config_report report;

static const char base[] =
	"chassis = { name = \"a\"; mode = \"primary\"; tie-breaker = \"02:00:00:00:00:0a\"; };\n"
	"ports = (\n"
	" { name = \"acc\"; device = \"d0\"; roles = [\"access\", \"core\"]; twin = \"t0\"; "
	"address = \"10.8.0.11/24\"; },\n"
	" { name = \"repl\"; device = \"d1\"; roles = [\"replication\"]; twin = \"t1\"; "
	"address = \"10.7.0.11/24\"; mtu = 9000; }\n"
	");\n"
	"gtp-peers = ( { name = \"sgsns\"; control = [\"10.8.0.0/24\"]; } );\n"
	"loopbacks = ( { name = \"gtp\"; address = \"10.8.0.100\"; port = \"acc\"; "
	"srp-activate = true; } );\n"
	"pools = (\n"
	" { name = \"z\"; prefix = \"172.20.0.0/16\"; srp-activate = true; quarantine = 7; },\n"
	" { name = \"b\"; prefix = \"172.21.0.0/29\"; srp-activate = true; }\n"
	");\n"
	"apns = ( { name = \"Internet\"; pool = \"z\"; dns = [\"10.9.0.1\", \"10.9.0.2\"]; } );\n"
	"srp = { bind = \"10.6.0.11\"; peer = \"10.6.0.12\"; stream-peer = \"10.7.0.12\"; insecure "
	"= true; };\n";

/* base with the first `from` replaced by `to`; into a static buffer. */
static const char *edited(const char *from, const char *to)
{
	static char text[8192];
	const char *at = strstr(base, from);

	CU_ASSERT_PTR_NOT_NULL(at);
	if (at == NULL)
		return base;
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - base), base, to, at + strlen(from));
	return text;
}

static int load(const char *text, struct config *c)
{
	int ret = config_load_text("t", text, c, &report);

	if (ret < 0 && report.text != NULL)
		printf("%s", report.text);
	config_report_free(&report);
	return ret;
}

static void test_values(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x0a };

	CU_ASSERT_EQUAL(load(base, &a), 0);
	CU_ASSERT_STRING_EQUAL(a.file, "t");
	CU_ASSERT_TRUE(a.chassis.primary);
	CU_ASSERT_EQUAL(a.chassis.priority, 125);
	CU_ASSERT_EQUAL(memcmp(a.chassis.tie_breaker, mac, sizeof(mac)), 0);
	CU_ASSERT_EQUAL(a.n_ports, 2);
	CU_ASSERT_EQUAL(a.ports[0].roles, CONFIG_ACCESS | CONFIG_CORE);
	CU_ASSERT_EQUAL(a.ports[0].mtu, 1500);
	CU_ASSERT_EQUAL(a.ports[1].mtu, 9000);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&a.ports[0].address.addr), 0x0a08000b);
	CU_ASSERT_EQUAL(a.ports[0].address.len, 24);
	CU_ASSERT_STRING_EQUAL(a.gtp_loopback, "gtp");
	CU_ASSERT_PTR_EQUAL(config_gtp(&a), &a.loopbacks[0]);
	CU_ASSERT_PTR_EQUAL(config_port_by_name(&a, "repl"), &a.ports[1]);
	CU_ASSERT_PTR_NULL(config_port_by_name(&a, "none"));
	CU_ASSERT_STRING_EQUAL(a.pools[0].name, "b");
	CU_ASSERT_EQUAL(a.pools[0].quarantine_s, 10);
	CU_ASSERT_EQUAL(a.pools[1].quarantine_s, 7);
	CU_ASSERT_STRING_EQUAL(a.apns[0].name, "internet");
	CU_ASSERT_EQUAL(a.apns[0].pool_index, 1);
	CU_ASSERT_EQUAL(a.apns[0].n_dns, 2);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&a.apns[0].dns[1]), 0x0a090002);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&a.srp.stream_bind), 0x0a07000b);
	CU_ASSERT_TRUE(a.srp.l2);
	CU_ASSERT_EQUAL(a.srp.heartbeat_interval_ms, 10);
	CU_ASSERT_EQUAL(a.lcores.control, -1);
	CU_ASSERT_EQUAL(a.lcores.n_workers, 0);
	CU_ASSERT_FALSE(a.idle_sleep);
	CU_ASSERT_STRING_EQUAL(a.log.level, "info");
	CU_ASSERT_TRUE(a.telemetry.enabled);
}

static const struct {
	const char *from, *to;
	int differences; /* lines; 0: need not agree */
} agreements[] = {
	{ "name = \"a\"", "name = \"other\"", 0 },
	{ "mode = \"primary\"", "mode = \"backup\"; priority = 3", 0 },
	{ "0:0a", "0:0b", 0 },
	{ "d0", "d7", 0 },
	{ "mtu = 9000", "mtu = 1500", 0 },
	{ "bind = \"10.6.0.11\"", "bind = \"10.6.0.13\"", 0 },
	{ "insecure = true;", "insecure = true; realtime = true;", 0 },
	{ "10.8.0.100", "10.8.0.101", 1 },
	{ "quarantine = 7", "quarantine = 8", 1 },
	{ "172.21.0.0/29", "172.21.0.0/28", 1 },
	{ "\"b\"; prefix", "\"c\"; prefix", 2 },
	{ "pool = \"z\"", "pool = \"b\"", 1 },
	{ "\"Internet\"", "\"INTERNET\"", 0 },
	{ ", \"10.9.0.2\"", "", 1 },
	{ "insecure = true;", "insecure = true; commit-timeout = 60; port = 1;", 2 },
	{ "srp-activate = true; quarantine", "srp-activate = false; quarantine", 1 },
	{ "srp = {",
		"aaa-servers = ({ name = \"r\"; address = \"192.0.2.1\"; secret-file = \"s\"; user "
		"= \"u\"; });\nsrp = {",
		1 },
};

static void test_agreement(void)
{
	FILE *nowhere = fopen("/dev/null", "w");

	CU_ASSERT_EQUAL(load(base, &a), 0);
	for (unsigned int i = 0; i < sizeof(agreements) / sizeof(agreements[0]); i++) {
		CU_ASSERT_EQUAL(load(edited(agreements[i].from, agreements[i].to), &b), 0);
		CU_ASSERT_EQUAL(config_difference(&a, &b, nowhere), agreements[i].differences);
		CU_ASSERT_EQUAL(config_difference(&b, &a, nowhere), agreements[i].differences);
		CU_ASSERT_EQUAL(
			config_digest(&a) == config_digest(&b), agreements[i].differences == 0);
	}
	fclose(nowhere);
}

static void test_order_does_not_matter(void)
{
	static const char first
		[] = "{ name = \"gtp\"; address = \"10.8.0.100\"; port = \"acc\"; srp-activate = "
		     "true; }",
	   second[] = "{ name = \"x\"; address = \"10.8.0.101\"; port = \"acc\"; srp-activate = "
		      "true; }";
	char both[512];

	snprintf(both, sizeof(both), "services = { gtp = \"x\"; };\nloopbacks = ( %s, %s", first,
		second);
	CU_ASSERT_EQUAL(
		load(edited("loopbacks = ( { name = \"gtp\"; address = \"10.8.0.100\"; port = "
			    "\"acc\"; srp-activate = true; }",
			     both),
			&a),
		0);
	snprintf(both, sizeof(both), "services = { gtp = \"x\"; };\nloopbacks = ( %s, %s", second,
		first);
	CU_ASSERT_EQUAL(
		load(edited("loopbacks = ( { name = \"gtp\"; address = \"10.8.0.100\"; port = "
			    "\"acc\"; srp-activate = true; }",
			     both),
			&b),
		0);
	CU_ASSERT_STRING_EQUAL(b.loopbacks[0].name, "x");
	CU_ASSERT_EQUAL(config_digest(&a), config_digest(&b));
}

static char *difference_of(const char *here, const char *there, size_t there_len, int want)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT_EQUAL(config_lines_difference(here, strlen(here), there, there_len, to), want);
	fclose(to);
	return text;
}

static char *lines_of(const struct config *c)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	config_lines(c, to);
	fclose(to);
	return text;
}

/* The lines tell what the two structs would, without secrets and whatever belongs to one
 * chassis. */
static void test_lines(void)
{
	char *here, *there, *text;

	CU_ASSERT_EQUAL(load(base, &a), 0);
	CU_ASSERT_EQUAL(load(edited("quarantine = 7", "quarantine = 8"), &b), 0);
	here = lines_of(&a);
	there = lines_of(&b);
	CU_ASSERT_PTR_NOT_NULL(strstr(here, "\npools[z].quarantine = 7\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(here, "\nsrp.audit-interval = 60\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(here, "\napns[internet].dns = [\"10.9.0.1\", \"10.9.0.2\"]\n"));
	CU_ASSERT_PTR_NULL(strstr(here, "psk-file"));
	CU_ASSERT_PTR_NULL(strstr(here, "chassis"));
	text = difference_of(here, there, strlen(there), 1);
	CU_ASSERT_STRING_EQUAL(text, "pools[z].quarantine: 7 here, 8 there\n");
	free(text);
	free(difference_of(here, here, strlen(here), 0));
	free(here);
	free(there);
}

static void test_lines_compared(void)
{
	static const struct {
		const char *here, *there;
		int n;
		const char *want;
	} cases[] = {
		{ "", "", 0, "" },
		{ "a = 1\nb = 2\n", "b = 2\na = 1", 0, "" },
		{ "a = 1\n", "a = 2\n", 1, "a: 1 here, 2 there\n" },
		{ "a = 1\nb = 2\n", "b = 2\n", 1, "a: 1 here, absent there\n" },
		{ "b = 2\n", "new = x = y\nb = 2\n", 1, "new: absent here, x = y there\n" },
		{ "p[x].a = 1\np[x].b = 1\np[y].a = 1\n", "p[y].a = 1\n", 1,
			"p[x]: present here, absent there\n" },
		{ "p[y].a = 1\n", "p[x].a = 1\np[x].b = 1\np[y].a = 2\n", 2,
			"p[y].a: 1 here, 2 there\np[x]: absent here, present there\n" },
		{ "p[x].a = 1\n", "p[x].a = 1\np[x].b = 3\n", 1, "p[x].b: absent here, 3 there\n" },
		{ "a = 1\n", "a = 1\n\x1b[31m\xff\n", 1, "?[31m?: absent here,  there\n" },
		{ "a = 1\n", "\n", 2, "a: 1 here, absent there\n: absent here,  there\n" },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = difference_of(
			cases[i].here, cases[i].there, strlen(cases[i].there), cases[i].n);

		CU_ASSERT_STRING_EQUAL(text, cases[i].want);
		free(text);
	}
}

/* What no chassis says: as many lines as can be sent, lines without an end, zeroes. */
static void test_lines_hostile(void)
{
	enum { SIZE = 256 << 10 };
	char *there = malloc(SIZE), *text;

	memset(there, '\n', SIZE);
	text = difference_of("a = 1\n", there, SIZE, CONFIG_LINES + 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "lines: 4096 at most here, more there\n"));
	free(text);
	memset(there, 'x', SIZE);
	text = difference_of("", there, SIZE, 1);
	CU_ASSERT_EQUAL(strspn(text, "x"), CONFIG_LINE);
	free(text);
	memset(there, 0, SIZE);
	text = difference_of("", there, SIZE, 1);
	CU_ASSERT_EQUAL(strspn(text, "?"), CONFIG_LINE);
	free(text);
	free(there);
}

static void test_files(void)
{
	char name[] = "/tmp/test_config_XXXXXX";
	int fd = mkstemp(name);

	CU_ASSERT_EQUAL(config_load("/nonexistent/tandem.conf", &a, &report), -ENOENT);
	CU_ASSERT_STRING_EQUAL(
		report.text, "/nonexistent/tandem.conf: file: No such file or directory\n");
	config_report_free(&report);
	CU_ASSERT_EQUAL(config_load("/", &a, &report), -EINVAL);
	CU_ASSERT_EQUAL(report.errors, 1);
	config_report_free(&report);
	CU_ASSERT_EQUAL(write(fd, "a\0b", 3), 3);
	CU_ASSERT_EQUAL(config_load(name, &a, &report), -EINVAL);
	config_report_free(&report);
	CU_ASSERT_EQUAL(ftruncate(fd, 2 << 20), 0);
	CU_ASSERT_EQUAL(config_load(name, &a, &report), -EINVAL);
	config_report_free(&report);
	CU_ASSERT_EQUAL(ftruncate(fd, 0), 0);
	CU_ASSERT_EQUAL(pwrite(fd, base, sizeof(base) - 1, 0), (ssize_t)sizeof(base) - 1);
	CU_ASSERT_EQUAL(config_load(name, &a, &report), 0);
	CU_ASSERT_PTR_NULL(report.text);
	close(fd);
	unlink(name);
}

/* Keys from the canonical text get random integers: the load says yes exactly when the table's
 * range does. */
static void test_random_integers(void)
{
	static const struct {
		const char *key;
		int64_t min, max;
	} keys[] = {
		{ "commit-timeout", 10, 200 },
		{ "pending-timeout", 1, 60 },
		{ "dead-multiplier", 3, 50 },
		{ "micro-checkpoint-interval", 10, 10000 },
		{ "port", 1, 65535 },
	};
	uint64_t seed = ut_seed(2);

	for (unsigned int i = 0; i < 3000; i++) {
		unsigned int k =
			(unsigned int)(ut_random(&seed) % (sizeof(keys) / sizeof(keys[0])));
		int64_t v = (int64_t)ut_random(&seed) >> (ut_random(&seed) % 64);
		char to[96];
		int want = v >= keys[k].min && v <= keys[k].max ? 0 : -EINVAL;

		snprintf(to, sizeof(to), "insecure = true; %s = %lld;", keys[k].key, (long long)v);
		CU_ASSERT_EQUAL(
			config_load_text("t", edited("insecure = true;", to), &a, &report), want);
		config_report_free(&report);
	}
}

/* Random lists of prefixes against pairwise comparison bit by bit. */
static void test_random_overlaps(void)
{
	uint64_t seed = ut_seed(3);

	for (unsigned int i = 0; i < 2000; i++) {
		uint32_t addr[3];
		unsigned int len[3], said = 0;
		char pools[512];
		bool clash = false;

		for (unsigned int j = 0; j < 3; j++) {
			len[j] = 12 + (unsigned int)(ut_random(&seed) % 10);
			addr[j] = 0xac000000 | ((uint32_t)ut_random(&seed) & 0x00ff0000 &
						       ~(UINT32_MAX >> len[j]));
			said += (unsigned int)snprintf(pools + said, sizeof(pools) - said,
				"%s{ name = \"p%u\"; prefix = \"%u.%u.%u.%u/%u\"; }",
				j > 0 ? ", " : "", j, addr[j] >> 24, addr[j] >> 16 & 255,
				addr[j] >> 8 & 255, addr[j] & 255, len[j]);
			for (unsigned int k = 0; k < j; k++) {
				unsigned int same = 0;

				while (same < 32 && (addr[j] >> (31 - same) & 1) ==
							    (addr[k] >> (31 - same) & 1))
					same++;
				clash = clash || same >= len[j] || same >= len[k];
			}
		}
		char text[4096];
		const char *from = strstr(base, "pools = ("), *to = strstr(base, "apns = ");

		snprintf(text, sizeof(text),
			"%.*spools = ( %s );\napns = ( { name = \"x\"; pool = \"p0\"; } );\n%s",
			(int)(from - base), base, pools, strstr(to, "srp = "));
		CU_ASSERT_EQUAL(config_load_text("t", text, &a, &report), clash ? -EINVAL : 0);
		config_report_free(&report);
	}
}

static char *printed(const struct config *c)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	config_print(c, to);
	fclose(to);
	return text;
}

static void test_print_loads_to_the_same(void)
{
	char *text;

	CU_ASSERT_EQUAL(load(base, &a), 0);
	text = printed(&a);
	CU_ASSERT_EQUAL(load(text, &b), 0);
	CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
	free(text);
}

static void note(void *ctx, const struct config_change *ch)
{
	FILE *to = ctx;

	fprintf(to, "%s%s: %s -> %s\n", ch->live ? "" : "restart: ", ch->key, ch->from, ch->to);
}

/* What loading `next` instead of `now` would change, as lines. */
static char *changed(const struct config *now, const struct config *next)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	unsigned int n = config_changes(now, next, note, to), lines = 0;

	fclose(to);
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	CU_ASSERT_EQUAL(n, lines);
	return text;
}

#define GTP                                                                                        \
	"loopbacks = ( { name = \"gtp\"; address = \"10.8.0.100\"; port = \"acc\"; srp-activate "  \
	"= true; } "                                                                               \
	");\n"
#define ZPOOL                                                                                      \
	" { name = \"z\"; prefix = \"172.20.0.0/16\"; srp-activate = true; quarantine = 7; },\n"

static const struct {
	const char *from, *to, *want;
} reloads[] = {
	{ "chassis", "chassis", "" },
	{ "insecure = true;",
		"insecure = true; replication-rate = 70; };\nlog = { level = \"debug\";",
		"srp.replication-rate: 0 -> 70\nlog.level: \"info\" -> \"debug\"\n" },
	{ "insecure = true;", "insecure = true; };\nservices = { gtp-direct = false;",
		"services.gtp-direct: true -> false\n" },
	{ "insecure = true;", "insecure = true; };\nidle = \"sleep\"; log = { syslog = true;",
		"restart: idle: \"poll\" -> \"sleep\"\nrestart: log.syslog: false -> true\n" },
	{ "name = \"a\"; mode = \"primary\";", "name = \"a\";",
		"restart: chassis.mode: \"primary\" -> \"backup\"\n" },
	{ "insecure = true;", "insecure = true; commit-timeout = 60;",
		"srp.commit-timeout: 50 -> 60\n" },
	{ "insecure = true;", "insecure = true; audit-interval = 61; delay-interval = 5001;",
		"restart: srp.delay-interval: 5000 -> 5001\nsrp.audit-interval: 60 -> 61\n" },
	{ "[\"10.9.0.1\", \"10.9.0.2\"]", "[\"10.9.0.1\"]",
		"apns[internet].dns: [\"10.9.0.1\", \"10.9.0.2\"] -> [\"10.9.0.1\"]\n" },
	{ "dns = [\"10.9.0.1\", \"10.9.0.2\"];", "",
		"apns[internet].dns: [\"10.9.0.1\", \"10.9.0.2\"] -> none\n" },
	{ "name = \"b\"; prefix", "name = \"c\"; prefix",
		"pools[b]: present -> absent\npools[c]: absent -> present\n" },
	{ GTP, GTP, "" },
	{ ZPOOL, ZPOOL " { name = \"a\"; prefix = \"172.22.0.0/24\"; srp-activate = true; },\n",
		"pools[a]: absent -> present\n" },
	{ "pool = \"z\"", "pool = \"b\"", "apns[internet].pool: \"z\" -> \"b\"\n" },
	{ "{ name = \"Internet\"", "{ name = \"ims\"; pool = \"b\"; }, { name = \"Internet\"",
		"apns[ims]: absent -> present\n" },
	{ "quarantine = 7", "quarantine = 8", "restart: pools[z].quarantine: 7 -> 8\n" },
};

static void test_changes(void)
{
	CU_ASSERT_EQUAL(load(base, &a), 0);
	for (unsigned int i = 0; i < sizeof(reloads) / sizeof(reloads[0]); i++) {
		char *text;

		CU_ASSERT_EQUAL(load(edited(reloads[i].from, reloads[i].to), &b), 0);
		text = changed(&a, &b);
		CU_ASSERT_STRING_EQUAL(text, reloads[i].want);
		if (strcmp(text, reloads[i].want) != 0)
			fprintf(stderr, "%s:\n%s", reloads[i].to, text);
		free(text);
	}
}

/* Two ports change places: nothing else differs, but the first one's MAC address counts. */
static void test_changed_order(void)
{
	struct config_port p;
	char *text;

	CU_ASSERT_EQUAL(load(base, &a), 0);
	b = a;
	p = b.ports[0];
	b.ports[0] = b.ports[1];
	b.ports[1] = p;
	text = changed(&a, &b);
	CU_ASSERT_STRING_EQUAL(text, "restart: ports[0]: acc -> repl\n");
	free(text);
}

/* After taking what can change at run time nothing of that is left to change, and all the rest is
 * as it was. */
static void test_take_live(void)
{
	static struct config was;
	char *text;

	CU_ASSERT_EQUAL(load(base, &a), 0);
	was = a;
	CU_ASSERT_EQUAL(
		load(edited("insecure = true;",
			     "insecure = true; replication-rate = 70; delay-interval = 500; };\n"
			     "services = { gtp-direct = false; }; log = { level = \"debug\";"),
			&b),
		0);
	config_take_live(&a, &b);
	CU_ASSERT_EQUAL(a.srp.replication_rate_mbps, 70);
	CU_ASSERT_FALSE(a.gtp_direct);
	CU_ASSERT_STRING_EQUAL(a.log.level, "debug");
	text = changed(&a, &b);
	CU_ASSERT_STRING_EQUAL(text, "restart: srp.delay-interval: 5000 -> 500\n");
	free(text);
	config_take_live(&a, &was);
	CU_ASSERT_EQUAL(memcmp(&a, &was, sizeof(a)), 0);
}

/* Items of APNs and pools come, go and change; those that stay may stand elsewhere. */
static void test_take_lists(void)
{
	char *text;

	CU_ASSERT_EQUAL(load(base, &a), 0);
	CU_ASSERT_EQUAL(
		load(edited(ZPOOL, ZPOOL " { name = \"a\"; prefix = \"172.22.0.0/24\"; },\n"), &b),
		0);
	b.apns[0].n_dns = 0;
	config_take_live(&a, &b);
	CU_ASSERT_EQUAL(a.n_pools, 3);
	CU_ASSERT_STRING_EQUAL(a.pools[0].name, "a");
	CU_ASSERT_EQUAL(a.apns[0].pool_index, 2);
	CU_ASSERT_EQUAL(memcmp(a.pools, b.pools, sizeof(a.pools)), 0);
	CU_ASSERT_EQUAL(memcmp(a.apns, b.apns, sizeof(a.apns)), 0);
	CU_ASSERT_EQUAL(config_digest(&a), config_digest(&b));
	text = changed(&a, &b);
	CU_ASSERT_STRING_EQUAL(text, "");
	free(text);
}

/* What a row must be like to change at run time (knob.h). */
static void test_live_rows(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < SECTIONS; i++)
		for (unsigned int j = 0; j < config_sections[i].n_knobs; j++) {
			const struct knob *k = &config_sections[i].knobs[j];

			if ((k->flags & KNOB_LIVE) == 0)
				continue;
			CU_ASSERT_TRUE(
				config_sections[i].item_size == 0 || config_sections[i].lives);
			CU_ASSERT_TRUE(k->type != KNOB_LCORES);
			n++;
		}
	CU_ASSERT_TRUE(n > 0);
}

/* Each row of a section has a bit of load.good. */
static void test_sections_fit(void)
{
	for (unsigned int i = 0; i < SECTIONS; i++)
		CU_ASSERT_TRUE(config_sections[i].n_knobs > 0 &&
			       config_sections[i].n_knobs <= SECTION_KNOBS);
}

static void test_knob_table_has_no_holes(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	config_print_knobs(to);
	fclose(to);
	CU_ASSERT_PTR_NOT_NULL(strstr(
		text, "| `srp.hello-interval` | an integer, 10 to 60000 ms | 1000 | yes | yes |"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "| `pools[].prefix` |"));
	CU_ASSERT_PTR_NULL(strstr(text, "(null)"));
	CU_ASSERT_PTR_NULL(strstr(text, "|  |\n"));
	free(text);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "values", test_values },
		{ "agreement", test_agreement },
		{ "order_does_not_matter", test_order_does_not_matter },
		{ "lines", test_lines },
		{ "lines compared", test_lines_compared },
		{ "hostile lines", test_lines_hostile },
		{ "files", test_files },
		{ "random_integers", test_random_integers },
		{ "random_overlaps", test_random_overlaps },
		{ "print_loads_to_the_same", test_print_loads_to_the_same },
		{ "changes", test_changes },
		{ "changed_order", test_changed_order },
		{ "take_live", test_take_live },
		{ "take_lists", test_take_lists },
		{ "live_rows", test_live_rows },
		{ "sections_fit", test_sections_fit },
		{ "knob_table_has_no_holes", test_knob_table_has_no_holes },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "config", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
