/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator's room as its users see it: lines into the control socket, objects out of it, with a
 * pair that says what the test wants. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "operator/operator.h"
#include "reactor/reactor.h"
#include "show.h"
#include "ut.h"

enum { CLIENTS = 16 /* that are served at once */, LINE = 8192 };

static struct reactor *reactor;
static struct operator_room *room;
static char dir[] = "/tmp/test_operator_XXXXXX", path[64];
static struct srp_info srp;
static bool licensed, forced;
static int verdict;

static void say_pair(void *ctx, struct operator_pair_view *v, usec_t now)
{
	CU_ASSERT_PTR_EQUAL(ctx, &srp);
	(void)now;
	*v = (struct operator_pair_view){ .srp = &srp, .refused = "", .licensed = licensed };
}

static int say_switchover(void *ctx, bool force, char reason[SRP_REASON_MAX], usec_t now)
{
	CU_ASSERT_PTR_EQUAL(ctx, &srp);
	(void)now;
	forced = force;
	snprintf(reason, SRP_REASON_MAX, "no peer");
	return verdict;
}

static struct operator_pair pair = { .view = say_pair, .switchover = say_switchover, .ctx = &srp };

static json_t *say_later(void *family, json_t *args, usec_t now)
{
	(void)family;
	(void)args;
	(void)now;
	return json_null();
}

/* A view of the registry's figures: a counter and a level, of two workers and of both together. */
static const struct metric figures[] = {
	{ "packets", "packets", "Packets came.", METRIC_COUNTER },
	{ "waiting", "packets", "Packets wait.", METRIC_GAUGE },
};
static const struct metrics_table figures_tables[] = { METRICS_TABLE("path", "worker", figures) };
static const struct metrics_room figures_room = METRICS_ROOM("toy", figures_tables);
static const struct metrics_room *const figures_of[] = { &figures_room };

static void read_figures(void *ctx, uint64_t *value, unsigned int n)
{
	(void)n;
	value[0] = *(const unsigned int *)ctx;
	value[1] = 2;
}

static json_t *say_figures(void *family, json_t *args, usec_t now)
{
	static const struct show_groups groups[] = { { "toy", "path" }, { NULL, NULL } };
	unsigned int first = 3, second = 4;
	struct metrics *m = metrics_create(figures_of, RTE_DIM(figures_of));
	json_t *o = json_pack("{s:i,s:[{}]}", "downs", 7, "workers");

	(void)family;
	(void)args;
	(void)now;
	CU_ASSERT_EQUAL(metrics_register(m, &figures_tables[0], "0", read_figures, &first), 0);
	CU_ASSERT_EQUAL(metrics_register(m, &figures_tables[0], "1", read_figures, &second), 0);
	show_mark_counter(o, "downs");
	show_metrics(m, o, groups, NULL);
	show_metrics(m, json_array_get(json_object_get(o, "workers"), 0), groups, "1");
	metrics_destroy(m);
	return o;
}

static const struct operator_command commands[] = {
	{ "show workers", COMMAND_VIEW, say_figures, NULL },
	{ "show license information", COMMAND_VIEW, show_license, &pair },
	{ "srp initiate-switchover", COMMAND_OPERATE, act_switchover, &pair },
	{ "reload configuration", COMMAND_OPERATE, say_later, NULL },
};

static void settled(void *ctx)
{
	(void)ctx;
}

static struct operator_room *make(const char *at)
{
	return operator_create(&(struct operator_settings){ .reactor = reactor,
		.socket_path = at,
		.commands = commands,
		.n_commands = RTE_DIM(commands) });
}

static void setup(void)
{
	srp = (struct srp_info){ .state = SRP_ACTIVE };
	licensed = true;
	forced = false;
	verdict = 0;
	reactor = reactor_create(settled, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reactor);
	room = make(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(room);
}

static void teardown(void)
{
	operator_destroy(room);
	reactor_destroy(reactor);
}

/* Long enough for whatever the other end of a socket did before. */
static void turns(void)
{
	for (int i = 0; i < 8; i++) {
		reactor_wait(reactor, 0);
		reactor_dispatch(reactor);
	}
}

static int client(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	turns();
	return fd;
}

static void say(int fd, const char *line)
{
	CU_ASSERT_EQUAL(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	turns();
}

/* What has come; NULL: nothing, or not one whole object. */
static json_t *heard(int fd)
{
	char in[4096];
	ssize_t n = recv(fd, in, sizeof(in), 0);

	return n > 0 && in[n - 1] == '\n' ? json_loadb(in, (size_t)n, 0, NULL) : NULL;
}

/* The connection was ended by the other side, after all that it said. */
static bool ended(int fd)
{
	char in[4];

	return recv(fd, in, sizeof(in), 0) == 0;
}

static json_t *ask(const char *line)
{
	int fd = client();
	json_t *answer;

	say(fd, line);
	answer = heard(fd);
	CU_ASSERT_TRUE(ended(fd));
	close(fd);
	return answer;
}

static const char *text_of(json_t *answer, const char *in, const char *member)
{
	json_t *o = in != NULL ? json_object_get(answer, in) : answer;
	const char *text = json_string_value(json_object_get(o, member));

	return text != NULL ? text : "";
}

static void test_view(void)
{
	json_t *r = ask("{\"command\": \"show license information\"}\n");

	CU_ASSERT_TRUE(json_is_true(json_object_get(r, "ok")));
	CU_ASSERT_STRING_EQUAL(text_of(r, "data", "this_chassis"), "Enabled");
	CU_ASSERT_STRING_EQUAL(text_of(r, "data", "peer"), "unknown");
	json_decref(r);
	licensed = false;
	r = ask("{\"command\": \"show license information\", \"args\": {}}\n");
	CU_ASSERT_STRING_EQUAL(text_of(r, "data", "this_chassis"), "Disabled");
	json_decref(r);
}

/* The data of a view are figures alone; which of them are counters stands beside the data. */
static void test_figures(void)
{
	json_t *answer = ask("{\"command\": \"show workers\"}\n"),
	       *want = json_pack("{s:b,s:{s:i,s:[{s:i,s:i}],s:i,s:i},s:[s,s]}", "ok", 1, "data",
		       "downs", 7, "workers", "packets", 4, "waiting", 2, "packets", 7, "waiting",
		       4, "counters", "downs", "packets");

	CU_ASSERT_PTR_NOT_NULL(want);
	CU_ASSERT_TRUE(json_equal(answer, want));
	json_decref(answer);
	json_decref(want);
}

static void test_operate(void)
{
	json_t *r = ask("{\"command\": \"srp initiate-switchover\", \"force\": true}\n");

	CU_ASSERT_TRUE(forced);
	CU_ASSERT_STRING_EQUAL(text_of(r, "data", "result"), "switchover started");
	json_decref(r);
	verdict = -ENOTCONN;
	r = ask("{\"command\": \"srp initiate-switchover\"}\n");
	CU_ASSERT_FALSE(forced);
	CU_ASSERT_TRUE(json_is_false(json_object_get(r, "ok")));
	CU_ASSERT_STRING_EQUAL(text_of(r, NULL, "error"), "no peer");
	json_decref(r);
}

static void test_refused(void)
{
	json_t *r = ask("{\"command\": \"show nothing\"}\n");

	CU_ASSERT_PTR_NOT_NULL(strstr(text_of(r, NULL, "error"), "unknown command"));
	json_decref(r);
	r = ask("show srp info\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(text_of(r, NULL, "error"), "not a command"));
	json_decref(r);
}

static void test_too_long(void)
{
	char line[LINE + 1];
	int fd = client();

	memset(line, 'x', LINE - 1);
	line[LINE - 1] = '\0';
	say(fd, line);
	CU_ASSERT_FALSE(ended(fd));
	say(fd, "x");
	CU_ASSERT_TRUE(ended(fd));
	close(fd);
}

/* One waits for its answer, and others are served meanwhile. */
static void test_later(void)
{
	int fd = client();
	json_t *r;

	say(fd, "{\"command\": \"reload configuration\"}\n");
	r = ask("{\"command\": \"show license information\"}\n");
	CU_ASSERT_TRUE(json_is_true(json_object_get(r, "ok")));
	json_decref(r);
	CU_ASSERT_PTR_NULL(heard(fd));
	operator_answer(room, json_pack("{s:b}", "ok", 1));
	r = heard(fd);
	CU_ASSERT_TRUE(json_is_true(json_object_get(r, "ok")));
	json_decref(r);
	close(fd);
	turns();
	/* Nobody is there any more. */
	fd = client();
	say(fd, "{\"command\": \"reload configuration\"}\n");
	close(fd);
	turns();
	operator_answer(room, json_pack("{s:b}", "ok", 1));
}

/* Those that never say anything do not keep others out. */
static void test_silent(void)
{
	int silent[CLIENTS];
	json_t *r;

	for (int i = 0; i < CLIENTS; i++)
		silent[i] = client();
	r = ask("{\"command\": \"show license information\"}\n");
	CU_ASSERT_TRUE(json_is_true(json_object_get(r, "ok")));
	json_decref(r);
	CU_ASSERT_TRUE(ended(silent[0]));
	CU_ASSERT_FALSE(ended(silent[1]));
	for (int i = 0; i < CLIENTS; i++)
		close(silent[i]);
}

static void test_socket(void)
{
	char far[200];
	struct stat st;

	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	operator_destroy(room);
	CU_ASSERT_EQUAL(stat(path, &st), -1);
	room = NULL;
	memset(far, 'x', sizeof(far) - 1);
	far[0] = '/';
	far[sizeof(far) - 1] = '\0';
	CU_ASSERT_PTR_NULL(make(far));
	CU_ASSERT_EQUAL(errno, ENAMETOOLONG);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "view", test_view }, { "figures", test_figures },
		{ "operate", test_operate }, { "refused", test_refused },
		{ "too long", test_too_long }, { "later", test_later }, { "silent", test_silent },
		{ "socket", test_socket }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "operator", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	char prefix[32];
	char *argv[] = { "test_operator", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "64", "-l", "0", "--file-prefix", prefix };
	int ret;

	snprintf(prefix, sizeof(prefix), "test_operator_%d", (int)getpid());
	if (mkdtemp(dir) == NULL || rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/ctl", dir);
	clock_init(&clock_tsc);
	ret = ut_run(suites);
	rmdir(dir);
	rte_eal_cleanup();
	return ret;
}
