/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: lines keep their order, and whoever logs never waits for whoever reads. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "ut.h"

enum { LINES = 16, ALWAYS = 1000000, OUT = 1 << 20 };

/* What the thread wrote; ours after log_stop(). */
static char out[OUT];
static size_t out_len;
/* `wrote` is posted after each line; while `hold`, the thread waits before each line for `go`. */
static sem_t wrote, go, at_gate;
static atomic_bool hold;

static void collect(void *ctx, uint32_t level, const char *line, size_t len)
{
	(void)ctx;
	(void)level;
	if (atomic_load(&hold)) {
		sem_post(&at_gate);
		sem_wait(&go);
	}
	if (out_len + len < sizeof(out)) {
		memcpy(out + out_len, line, len);
		out_len += len;
		out[out_len] = '\0';
	}
	sem_post(&wrote);
}

static struct log_settings settings = {
	.lines = LINES, .burst = ALWAYS, .interval = 3600 * USEC_PER_SEC, .write = collect
};

static void setup(void)
{
	out[0] = '\0';
	out_len = 0;
	sem_init(&wrote, 0, 0);
	sem_init(&go, 0, 0);
	sem_init(&at_gate, 0, 0);
	atomic_store(&hold, false);
	settings.lines = LINES;
	settings.burst = ALWAYS;
	settings.interval = 3600 * USEC_PER_SEC;
	settings.write = collect;
	settings.ctx = NULL;
}

static void teardown(void)
{
	log_stop();
}

static unsigned int count(const char *what)
{
	unsigned int n = 0;

	for (const char *p = out; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void test_order_and_flush(void)
{
	char want[64], *at = out;

	settings.lines = 1024;
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	for (unsigned int i = 0; i < 1000; i++)
		LOG(NOTICE, "line %u.", i);
	log_stop(); /* what it has not written yet, it writes now */
	for (unsigned int i = 0; i < 1000 && at != NULL; i++) {
		snprintf(want, sizeof(want), "base: line %u.\n", i);
		CU_ASSERT_EQUAL_FATAL(strncmp(at, want, strlen(want)), 0);
		at += strlen(want);
	}
	CU_ASSERT_STRING_EQUAL(at, "");
}

/* The thread is held at its first line: the ring takes as many as it has cells, and the others are
 * dropped at once. */
static void test_full_ring_drops_and_counts(void)
{
	struct log_counters c;

	atomic_store(&hold, true);
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	LOG(NOTICE, "first");
	sem_wait(&at_gate); /* it still has the first line's cell */
	for (unsigned int i = 0; i < LINES + 4; i++)
		LOG(NOTICE, "line %u.", i);
	log_count(&c);
	CU_ASSERT_EQUAL(c.dropped, 5);
	atomic_store(&hold, false);
	sem_post(&go);
	for (unsigned int i = 0; i < 1 + LINES; i++) /* first, 0 to 14, and what was dropped */
		sem_wait(&wrote);
	LOG(NOTICE, "after it");
	log_stop();
	CU_ASSERT_EQUAL(count("line 14.\n"), 1);
	CU_ASSERT_EQUAL(count("line 15.\n"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out,
		"line 14.\nbase: lines of the log were dropped, as its output took no more "
		"count=5\nbase: after it\n"));
}

static void to_fd(void *ctx, uint32_t level, const char *line, size_t len)
{
	(void)level;
	if (write(*(const int *)ctx, line, len) < 0)
		exit(EXIT_FAILURE);
}

static void fill(int fd)
{
	char junk[4096] = { 0 };

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (write(fd, junk, sizeof(junk)) > 0 || write(fd, junk, 1) > 0)
		;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

static size_t drain(int fd, char *to, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 && (n = read(fd, to + used, size - 1 - used)) > 0)
		used += (size_t)n;
	to[used] = '\0';
	return used;
}

static void *read_all(void *arg)
{
	out_len = drain(*(int *)arg, out, sizeof(out));
	return NULL;
}

/* Nobody reads the pipe: if a logger waited for it, this test would never end. */
static void test_blocked_reader(void)
{
	struct log_counters c;
	pthread_t reader;
	int p[2];

	CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
	fill(p[1]);
	settings.write = to_fd;
	settings.ctx = &p[1];
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	for (unsigned int i = 0; i < 10 * LINES; i++)
		LOG(NOTICE, "line %u.", i);
	log_count(&c);
	CU_ASSERT_EQUAL(c.written, 0);
	CU_ASSERT_EQUAL(c.dropped, 9 * LINES);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&reader, NULL, read_all, &p[0]), 0);
	log_stop();
	close(p[1]);
	pthread_join(reader, NULL);
	close(p[0]);
	for (size_t i = 0; i < out_len; i++) /* the filling of the pipe */
		if (out[i] == '\0')
			out[i] = ' ';
	CU_ASSERT_EQUAL(count("base: line "), LINES);
	CU_ASSERT_EQUAL(count("base: lines of the log were dropped, as its output took no more "
			      "count=144\n"),
		1);
}

/* The output never takes anything: the end comes all the same. */
static void test_stop_gives_up(void)
{
	int p[2], status;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
	fill(p[1]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		settings.write = to_fd;
		settings.ctx = &p[1];
		alarm(30);
		if (log_start(&settings) < 0)
			_exit(1);
		LOG(NOTICE, "nobody reads this");
		log_stop();
		LOG(NOTICE, "nor this"); /* and nobody waits for it */
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(p[0]);
	close(p[1]);
}

static void flood(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		LOG(WARNING, "flood %u", i);
}

static void test_limit_per_kind(void)
{
	struct log_counters c;

	settings.burst = 3;
	settings.lines = 64;
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	flood(10);
	LOG(NOTICE, "another kind");
	log_count(&c);
	CU_ASSERT_EQUAL(c.limited, 7);
	log_stop();
	CU_ASSERT_STRING_EQUAL(out, "base: flood 0\nbase: flood 1\nbase: flood 2\n"
				    "base: another kind\n"
				    "base: more lines of one kind came than are logged, which were "
				    "left out count=7 room=base format=\"flood %u\"\n");
}

static void ebb(unsigned int i)
{
	LOG(WARNING, "ebb %u", i);
}

/* When the interval is over, the thread tells of what there was more, unasked, and the kind may
 * speak again. */
static void test_limit_ends(void)
{
	settings.burst = 1;
	settings.interval = 500 * USEC_PER_MSEC;
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	ebb(0);
	ebb(1);
	ebb(2);
	sem_wait(&wrote);
	sem_wait(&wrote);
	ebb(3);
	sem_wait(&wrote);
	log_stop();
	CU_ASSERT_STRING_EQUAL(out,
		"base: ebb 0\nbase: more lines of one kind came than are logged, "
		"which were left out count=2 room=base format=\"ebb %u\"\n"
		"base: ebb 3\n");
}

enum { THREADS = 4, EACH = 2000 };

static void *log_many(void *arg)
{
	for (unsigned int i = 0; i < EACH; i++)
		LOG(NOTICE, "thread %u has %u.", *(unsigned int *)arg, i);
	return NULL;
}

/* Each thread's lines are in its order, whole, and those that are missing were counted. */
static void test_many_threads(void)
{
	unsigned int number[THREADS], next[THREADS] = { 0 }, lines = 0;
	struct log_counters c;
	pthread_t t[THREADS];
	char *save = NULL;

	settings.lines = 256;
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		number[i] = i;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, log_many, &number[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	log_count(&c);
	log_stop();
	for (char *p = strtok_r(out, "\n", &save); p != NULL; p = strtok_r(NULL, "\n", &save)) {
		unsigned int who, i;
		int used = 0;

		if (strstr(p, " were dropped") != NULL)
			continue;
		lines++;
		CU_ASSERT_EQUAL_FATAL(sscanf(p, "base: thread %u has %u.%n", &who, &i, &used), 2);
		CU_ASSERT_TRUE_FATAL((size_t)used == strlen(p) && who < THREADS && i >= next[who]);
		next[who] = i + 1;
	}
	CU_ASSERT_EQUAL(lines + c.dropped, THREADS * EACH);
	CU_ASSERT_TRUE(lines > 0);
}

static void test_long_line_is_cut(void)
{
	char text[2 * LOG_LINE];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	LOG(NOTICE, "%s", text);
	LOG(NOTICE, "next");
	log_stop();
	CU_ASSERT_EQUAL(out_len, LOG_LINE - 1 + strlen("base: next\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "xxx [...]\nbase: next\n"));
}

/* What is quoted, and how; nothing in a value ends it, its line or the terminal's peace. */
static void test_quotes(void)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{ "left", "left" },
		{ "0000:99:00.0", "0000:99:00.0" },
		{ "b\xc3\xa4r", "b\xc3\xa4r" },
		{ "", "\"\"" },
		{ NULL, "\"\"" },
		{ "No such file", "\"No such file\"" },
		{ "x state=cleared", "\"x state=cleared\"" },
		{ "x=", "\"x=\"" },
		{ "\" alarm=none a=\"", "\"\\\" alarm=none a=\\\"\"" },
		{ "\\", "\"\\\\\"" },
		{ "\\\" a=b", "\"\\\\\\\" a=b\"" },
		{ "a\nbase: b", "\"a\\nbase: b\"" },
		{ "a\r\x1b[2J\x7f", "\"a\\u000d\\u001b[2J\\u007f\"" },
		{ "\xc2\x9b", "\"\\u009b\"" },                        /* C1 */
		{ "\xe2\x80\xa8\xe2\x80\xae", "\"\\u2028\\u202e\"" }, /* a line's end, a turn */
		{ "\xe2\x81\xa6", "\"\\u2066\"" },                    /* another turn */
		{ "a\xff", "\"a\\ufffd\"" },                          /* never in UTF-8 */
		{ "\x80", "\"\\ufffd\"" },                            /* no beginning */
		{ "\xc3", "\"\\ufffd\"" },                            /* no end */
		{ "\xc3\"", "\"\\ufffd\\\"\"" },                 /* nor does it take the quote */
		{ "\xc0\xa2", "\"\\ufffd\\ufffd\"" },            /* a quote, too long */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* half a surrogate */
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* past Unicode */
		{ "\xf0\x9f\x98\x80 ", "\"\xf0\x9f\x98\x80 \"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(LOG_TEXT(cases[i].text), cases[i].value);
}

/* A long text keeps its closing quote and no half escape, wherever the cut falls. */
static void test_long_value_is_cut(void)
{
	char to[LOG_VALUE + 1], text[2 * LOG_VALUE];

	for (size_t lead = 0; lead < 8; lead++) {
		memset(text, 'x', lead);
		for (size_t i = lead; i < sizeof(text) - 1; i++)
			text[i] = i % 2 ? '"' : '\x01';
		text[sizeof(text) - 1] = '\0';
		to[LOG_VALUE] = '~';
		CU_ASSERT_PTR_EQUAL(log_quote(to, text), to);
		CU_ASSERT_EQUAL(to[LOG_VALUE], '~');
		CU_ASSERT_TRUE(strlen(to) < LOG_VALUE && strlen(to) > LOG_VALUE - 12);
		CU_ASSERT_PTR_NOT_NULL(strstr(to, "\\u0001\\\""));
		CU_ASSERT_TRUE(strcmp(strchr(to, '\0') - 10, "\\u0001...\"") == 0 ||
			       strcmp(strchr(to, '\0') - 6, "\\\"...\"") == 0);
	}
	memset(text, 'x', LOG_VALUE);
	text[LOG_VALUE - 1] = '\0';
	CU_ASSERT_STRING_EQUAL(log_quote(to, text), text); /* the longest that stands as it is */
	memset(text, 'x', LOG_VALUE);
	text[LOG_VALUE] = '\0';
	CU_ASSERT_EQUAL(strlen(log_quote(to, text)), LOG_VALUE - 1);
}

/* Whoever forgets LOG_TEXT() still writes one line, of UTF-8. */
static void test_one_line(void)
{
	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	LOG(NOTICE, "a %s", "b\npair: c\x1b[m\xc2\x9b\xff\xe2\x80\xa8\xc3\xa4");
	log_stop();
	CU_ASSERT_STRING_EQUAL(out, "base: a b?pair: c?[m?\?\?\?\?\?\xc3\xa4\n");
}

static void test_room(void)
{
	struct log_site s = { .file = "../app/tandem/pair/link.c", .format = "a" };
	struct log_site inner = { .file = "../app/tandem/process/rooms/views.c", .format = "a" };
	struct log_site other = { .file = "elsewhere/pairs/link.c", .format = "a" };
	struct log_site top = { .file = "/link.c", .format = "a" };

	CU_ASSERT_EQUAL_FATAL(log_start(&settings), 0);
	log_line(&s, RTE_LOG_NOTICE, "a %d", 1);
	log_line(&other, RTE_LOG_NOTICE, "a %d", 2);
	log_line(&s, RTE_LOG_DEBUG, "a %d", 3);
	log_line(&inner, RTE_LOG_NOTICE, "a %d", 4);
	log_line(&top, RTE_LOG_NOTICE, "a %d", 5);
	log_stop();
	CU_ASSERT_STRING_EQUAL(out, "pair: a 1\ntandem: a 2\nprocess: a 4\ntandem: a 5\n");
}

/* In a child whose stderr is `fd`: a line that the thread cannot write, and the last words. It ends
 * with 0, or is killed by its alarm. */
static int last_words(int fd)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fd, STDERR_FILENO);
		alarm(30);
		atomic_store(&hold, true);
		if (log_start(&settings) < 0)
			_exit(1);
		LOG(NOTICE, "held by the thread");
		sem_wait(&at_gate);
		log_last((const char *const[]){ "base: ", "the end" }, 2);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_last_words(void)
{
	int p[2], s[2];
	char got[256];

	CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
	CU_ASSERT_EQUAL(last_words(p[1]), 0);
	close(p[1]);
	drain(p[0], got, sizeof(got));
	close(p[0]);
	CU_ASSERT_STRING_EQUAL(got, "base: the end\n");

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	CU_ASSERT_EQUAL(last_words(s[1]), 0);
	close(s[1]);
	drain(s[0], got, sizeof(got));
	close(s[0]);
	CU_ASSERT_STRING_EQUAL(got, "base: the end\n");
}

/* Nobody reads stderr: an abort must not wait for whoever should. */
static void test_last_words_do_not_wait(void)
{
	int p[2], s[2];

	CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
	fill(p[1]);
	CU_ASSERT_EQUAL(last_words(p[1]), 0);
	close(p[0]);
	close(p[1]);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	fill(s[1]);
	CU_ASSERT_EQUAL(last_words(s[1]), 0);
	close(s[0]);
	close(s[1]);
}

int main(void)
{
	CU_TestInfo tests[] = { { "order is kept, the end flushes", test_order_and_flush },
		{ "a full ring drops and counts", test_full_ring_drops_and_counts },
		{ "a blocked reader blocks nobody", test_blocked_reader },
		{ "an output that is stuck does not hold up the end", test_stop_gives_up },
		{ "a limit per kind", test_limit_per_kind },
		{ "the limit ends with its interval", test_limit_ends },
		{ "many threads", test_many_threads },
		{ "a long line is cut", test_long_line_is_cut }, { "quotes", test_quotes },
		{ "a long value is cut", test_long_value_is_cut },
		{ "a line is one line", test_one_line }, { "rooms", test_room },
		{ "last words", test_last_words },
		{ "last words do not wait", test_last_words_do_not_wait }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "log", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	signal(SIGPIPE, SIG_IGN);
	return ut_run(suites);
}
