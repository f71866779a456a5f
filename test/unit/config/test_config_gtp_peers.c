/* SPDX-License-Identifier: BSD-3-Clause */
/* The list gtp-peers: its prefixes and files, what both chassis must have, and what a reload
 * takes. */
#include <errno.h>
#include <unistd.h>

#include "config/config.h"
#include "ut.h"

static struct config a, b;
static struct config_report report;
static char dir[] = "/tmp/test_gtp_peers_XXXXXX";

enum { TEXT = 1 << 19 };

static const char base[] =
	"chassis = { name = \"a\"; };\n"
	"ports = (\n"
	" { name = \"acc\"; device = \"d0\"; roles = [\"access\", \"core\"]; twin = \"t0\"; },\n"
	" { name = \"repl\"; device = \"d1\"; roles = [\"replication\"]; twin = \"t1\"; "
	"address = \"10.7.0.11/24\"; },\n"
	" { name = \"roam\"; device = \"d2\"; roles = [\"access\"]; twin = \"t2\"; }\n"
	");\n"
	"loopbacks = ( { name = \"gtp\"; address = \"10.8.0.100\"; port = \"acc\"; "
	"srp-activate = true; } );\n"
	"pools = ( { name = \"z\"; prefix = \"172.20.0.0/16\"; srp-activate = true; } );\n"
	"apns = ( { name = \"internet\"; pool = \"z\"; } );\n"
	"srp = { bind = \"10.6.0.11\"; peer = \"10.6.0.12\"; stream-peer = \"10.7.0.12\"; insecure "
	"= true; };\n"
	"gtp-peers = (%s);\n";

static int load(const char *peers, struct config *c)
{
	static char text[TEXT + sizeof(base)];

	config_report_free(&report);
	snprintf(text, sizeof(text), base, peers);
	return config_load_text("t", text, c, &report);
}

static void loads(const char *peers, struct config *c)
{
	int ret = load(peers, c);

	CU_ASSERT_EQUAL(ret, 0);
	if (ret < 0)
		fprintf(stderr, "%s", report.text);
}

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *to = fopen(path_of(name), "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	fputs(text, to);
	fclose(to);
}

static char *entry_with_file(const char *rest, const char *name)
{
	static char text[256];

	snprintf(text, sizeof(text), "{ name = \"f\"; %s prefixes-file = \"%s\"; }", rest,
		path_of(name));
	return text;
}

static const char two[] = "{ name = \"south\"; control = [\"192.0.2.0/24\"]; },"
			  "{ name = \"north\"; control = [\"10.1.0.1\", \"2001:db8::/32\"]; "
			  "user = [\"10.1.0.0/16\"]; ports = [\"roam\"]; group = \"home\"; }";

static void test_values(void)
{
	const struct config_gtp_peer *e = a.gtp_peers;

	loads(two, &a);
	CU_ASSERT_EQUAL(a.n_gtp_peers, 2);
	CU_ASSERT_EQUAL(a.n_gtp_prefixes, 4);
	CU_ASSERT_STRING_EQUAL(e[0].name, "north");
	CU_ASSERT_STRING_EQUAL(e[0].group, "home");
	CU_ASSERT_EQUAL(e[0].ports, 1 << 2);
	CU_ASSERT_EQUAL(e[0].control.at, 0);
	CU_ASSERT_EQUAL(e[0].control.n, 2);
	CU_ASSERT_EQUAL(a.gtp_prefixes[0].prefix.len, 32);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&a.gtp_prefixes[0].prefix.addr), 0x0a010001);
	CU_ASSERT_EQUAL(a.gtp_prefixes[0].use, CONFIG_GTP_CONTROL);
	CU_ASSERT_EQUAL(a.gtp_prefixes[1].prefix.len, 32);
	CU_ASSERT_FALSE(ip_addr_is_v4(&a.gtp_prefixes[1].prefix.addr));
	CU_ASSERT_EQUAL(e[0].user.at, 2);
	CU_ASSERT_EQUAL(a.gtp_prefixes[2].use, CONFIG_GTP_USER);
	CU_ASSERT_EQUAL(e[0].n_user, 1);
	CU_ASSERT_STRING_EQUAL(e[1].name, "south");
	CU_ASSERT_EQUAL(e[1].nth, 1);
	CU_ASSERT_EQUAL(e[1].ports, 0);
	CU_ASSERT_EQUAL(e[1].control.at, 3);
	CU_ASSERT_EQUAL(e[1].user.n, 0);
	CU_ASSERT_EQUAL(e[1].n_user, 1);
}

static void test_file(void)
{
	write_file("good", "# comment\n\ncontrol 10.1.0.1\n user\t10.2.0.0/16 # RNCs\n"
			   "10.3.0.0/16\n10.3.0.0/16\nuser 2001:db8::/48");
	loads(entry_with_file("", "good"), &a);
	CU_ASSERT_EQUAL(a.gtp_peers[0].file.n, 5);
	CU_ASSERT_EQUAL(a.gtp_peers[0].n_control, 2);
	CU_ASSERT_EQUAL(a.gtp_peers[0].n_user, 3);
	/* the same, in the file of the configuration and in another order */
	loads("{ name = \"f\"; control = [\"10.3.0.0/16\", \"10.1.0.1/32\"]; "
	      "user = [\"2001:db8::/48\", \"10.3.0.0/16\", \"10.2.0.0/16\"]; }",
		&b);
	CU_ASSERT_EQUAL(config_digest(&a), config_digest(&b));
	CU_ASSERT_EQUAL(config_difference(&a, &b, stderr), 0);
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

/* What a file of prefixes has stays there, and entries' prefixes stand in their order. */
static void test_print_loads_to_the_same(void)
{
	char text[1024], *again;

	write_file("again", "control 10.9.1.1\nuser 10.9.2.0/24\n");
	snprintf(text, sizeof(text), "%s, %s", two, entry_with_file("ports = [\"acc\"];", "again"));
	loads(text, &a);
	again = printed(&a);
	CU_ASSERT_PTR_NULL(strstr(again, "10.9.1.1"));
	config_report_free(&report);
	CU_ASSERT_EQUAL(config_load_text("t", again, &b, &report), 0);
	CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
	free(again);
}

static const struct {
	const char *peers, *want;
} refused[] = {
	{ "{ control = [\"10.0.0.0/8\"]; }", "gtp-peers[0].name: missing" },
	{ "{ name = \"x\"; }", "gtp-peers[0].control: missing: expected at least one" },
	{ "{ name = \"x\"; user = [\"10.0.0.0/8\"]; }", "gtp-peers[0].control: missing" },
	{ "{ name = \"x\"; control = [\"10.0.0.1/8\"]; }",
		"gtp-peers[0].control: expected \"10.0.0.0/8\": \"10.0.0.1/8\" has host bits" },
	{ "{ name = \"x\"; control = [\"10.0.0.0/33\"]; }", "element 0 is \"10.0.0.0/33\"" },
	{ "{ name = \"x\"; control = (\"10.0.0.0/8\", 7); }", "element 1 is 7" },
	{ "{ name = \"x\"; control = [\"10.0.0.0/\"]; }", "element 0 is" },
	{ "{ name = \"x\"; control = [\"\"]; }", "element 0 is" },
	{ "{ name = \"x\"; control = \"10.0.0.0/8\"; }", "expected a list of IPv4 or IPv6" },
	{ "{ name = \"x\"; control = [\"10.0.0.0/8\"]; ports = [\"repl\"]; }",
		"gtp-peers[0].ports: expected a list of ports with the role \"access\"" },
	{ "{ name = \"x\"; control = [\"10.0.0.0/8\"]; ports = []; }", "gtp-peers[0].ports" },
	{ "{ name = \"x\"; control = [\"10.0.0.0/8\"]; }, "
	  "{ name = \"x\"; control = [\"11.0.0.0/8\"]; }",
		"gtp-peers[1].name: duplicate" },
	{ "{ name = \"x\"; control = [\"10.0.0.0/8\"]; }, "
	  "{ name = \"y\"; control = [\"11.0.0.0/8\", \"10.0.0.0/8\"]; }",
		"gtp-peers[1].control: expected a control prefix of its own: gtp-peers[0] has "
		"10.0.0.0/8, too" },
	{ "{ name = \"x\"; prefixes-file = \"/nonexistent\"; }",
		"gtp-peers[0].prefixes-file: /nonexistent: No such file" },
	{ "{ name = \"x\"; prefixes-file = \"/dev/zero\"; }", "expected a file of at most" },
};

static void test_refused(void)
{
	for (unsigned int i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		CU_ASSERT_EQUAL(load(refused[i].peers, &a), -EINVAL);
		CU_ASSERT_EQUAL(report.errors, 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(report.text, refused[i].want));
		if (strstr(report.text, refused[i].want) == NULL)
			fprintf(stderr, "%s:\n%s", refused[i].peers, report.text);
	}
	loads("{ name = \"x\"; control = [\"10.0.0.0/8\"]; user = [\"10.0.0.0/8\"]; }, "
	      "{ name = \"y\"; control = [\"10.0.0.0/9\"]; user = [\"10.0.0.0/8\"]; }",
		&a);
}

static void test_file_refused(void)
{
	char text[4096] = "";

	write_file("bad", "10.0.0.0/8\ncontrol\n10.0.0.1/8\nuser 10.0.0.0/8 x\n\x1b[31m\n");
	CU_ASSERT_EQUAL(load(entry_with_file("", "bad"), &a), -EINVAL);
	CU_ASSERT_EQUAL(report.errors, 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "/bad:2: expected a prefix, or"));
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "/bad:3: expected \"10.0.0.0/8\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "/bad:4: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "/bad:5: "));
	CU_ASSERT_PTR_NULL(strchr(report.text, '\x1b'));
	for (unsigned int i = 0; i < 200; i++)
		strncat(text, "what\n", sizeof(text) - strlen(text) - 1);
	write_file("bad", text);
	CU_ASSERT_EQUAL(load(entry_with_file("", "bad"), &a), -EINVAL);
	CU_ASSERT_EQUAL(report.errors, 20);
	memset(text, ' ', sizeof(text));
	memcpy(text + 1000, "\n", 2);
	write_file("bad", text);
	CU_ASSERT_EQUAL(load(entry_with_file("", "bad"), &a), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "/bad:1: expected a line of at most"));
}

/* Everybody is possible, and is said. */
static void test_everybody(void)
{
	loads("{ name = \"all\"; control = [\"0.0.0.0/0\"]; }", &a);
	CU_ASSERT_EQUAL(report.warnings, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "every host that reaches the port"));
	loads("{ name = \"all\"; control = [\"10.0.0.0/8\"]; user = [\"::/0\"]; }", &a);
	CU_ASSERT_EQUAL(report.warnings, 1);
	loads(two, &a);
	CU_ASSERT_EQUAL(report.warnings, 0);
}

/* As many as there may be, and one more of each. */
static void test_most(void)
{
	static char text[TEXT];
	FILE *to = fopen(path_of("most"), "w");
	size_t used = 0;

	for (unsigned int i = 0; i < CONFIG_GTP_PREFIXES; i++)
		fprintf(to, "control 10.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
	fclose(to);
	loads(entry_with_file("", "most"), &a);
	CU_ASSERT_EQUAL(a.n_gtp_prefixes, CONFIG_GTP_PREFIXES);
	CU_ASSERT_EQUAL(a.gtp_peers[0].n_control, CONFIG_GTP_PREFIXES);
	CU_ASSERT_EQUAL(load(entry_with_file("control = [\"11.0.0.0/8\"];", "most"), &a), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "/most:32768: expected at most 32768 prefixes"));
	for (unsigned int i = 0; i < CONFIG_GTP_PEERS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
			"%s{ name = \"p%u\"; control = [\"10.0.%u.%u\"]; }", i > 0 ? ", " : "", i,
			i >> 8, i & 255);
	loads(text, &a);
	CU_ASSERT_EQUAL(a.n_gtp_peers, CONFIG_GTP_PEERS);
	snprintf(text + used, sizeof(text) - used, ", { name = \"p\"; control = [\"11.0.0.1\"]; }");
	CU_ASSERT_EQUAL(load(text, &a), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(report.text, "expected at most 1024 entries"));
}

/* ---- two chassis, two files ---- */

static const struct {
	const char *peers;
	const char *difference, *change; /* beside `two`; NULL: none */
} others[] = {
	{ two, NULL, NULL },
	{ "{ name = \"north\"; control = [\"2001:db8::/32\", \"10.1.0.1/32\"]; "
	  "user = [\"10.1.0.0/16\"]; group = \"home\"; ports = [\"roam\"]; },"
	  "{ name = \"south\"; control = [\"192.0.2.0/24\"]; user = [\"192.0.2.0/24\"]; }",
		NULL, NULL },
	{ "{ name = \"north\"; control = [\"2001:db8::/32\", \"10.1.0.1\"]; "
	  "user = [\"10.1.0.0/16\"]; group = \"home\"; },"
	  "{ name = \"south\"; control = [\"192.0.2.0/24\"]; }",
		NULL, "gtp-peers[north].entry: group \"home\", 2 control, 1 user, digest" },
	{ "{ name = \"north\"; control = [\"2001:db8::/32\", \"10.1.0.2\"]; "
	  "user = [\"10.1.0.0/16\"]; group = \"home\"; ports = [\"roam\"]; },"
	  "{ name = \"south\"; control = [\"192.0.2.0/24\"]; }",
		"gtp-peers[north].entry: group \"home\", 2 control, 1 user, digest",
		"gtp-peers[north].entry: group \"home\", 2 control, 1 user, digest" },
	{ "{ name = \"north\"; control = [\"10.1.0.1\", \"2001:db8::/32\"]; "
	  "user = [\"10.1.0.0/16\"]; ports = [\"roam\"]; group = \"home\"; }",
		"gtp-peers[south]: present here, absent there\n",
		"gtp-peers[south]: present -> absent\n" },
	{ "{ name = \"south\"; control = [\"192.0.2.0/24\"]; },"
	  "{ name = \"east\"; control = [\"192.0.3.0/24\"]; },"
	  "{ name = \"north\"; control = [\"10.1.0.1\", \"2001:db8::/32\"]; "
	  "user = [\"10.1.0.0/16\"]; ports = [\"roam\"]; group = \"home\"; }",
		"gtp-peers[east]: absent here, present there\n",
		"gtp-peers[east]: absent -> present\n" },
};

static void note(void *ctx, const struct config_change *ch)
{
	CU_ASSERT_TRUE(ch->live);
	fprintf(ctx, "%s: %s -> %s\n", ch->key, ch->from, ch->to);
}

/* One line, which begins like that; NULL: none. */
static void told(const char *text, const char *want)
{
	bool right = want == NULL ? text[0] == '\0'
				  : strncmp(text, want, strlen(want)) == 0 &&
					    strchr(text, '\n') == text + strlen(text) - 1;

	CU_ASSERT_TRUE(right);
	if (!right)
		fprintf(stderr, "expected %s, not %s", want != NULL ? want : "nothing", text);
}

static void test_others(void)
{
	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char *text = NULL;
		size_t size;
		FILE *to;

		loads(two, &a);
		loads(others[i].peers, &b);
		to = open_memstream(&text, &size);
		config_difference(&a, &b, to);
		fclose(to);
		told(text, others[i].difference);
		CU_ASSERT_EQUAL(
			config_digest(&a) == config_digest(&b), others[i].difference == NULL);
		free(text);
		to = open_memstream(&text, &size);
		CU_ASSERT_EQUAL(config_changes(&a, &b, note, to), others[i].change != NULL);
		fclose(to);
		told(text, others[i].change);
		free(text);
		config_take_live(&a, &b);
		CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "values", test_values }, { "file", test_file },
		{ "print_loads_to_the_same", test_print_loads_to_the_same },
		{ "refused", test_refused }, { "file_refused", test_file_refused },
		{ "everybody", test_everybody }, { "most", test_most }, { "others", test_others },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "config_gtp_peers", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };
	static const char *const names[] = { "good", "again", "bad", "most" };
	int ret;

	if (mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	ret = ut_run(suites);
	config_report_free(&report);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	rmdir(dir);
	return ret;
}
