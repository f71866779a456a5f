/* SPDX-License-Identifier: BSD-3-Clause */
/* The history of transitions: what a damaged file costs, and what the files hold when the disk, or
 * a crash, says otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history_file.h"
#include "journal/state.h"
#include "ut.h"
#include "ut_eal.h"

static struct history made, got;
static char dir[64], file[96], older[96];

static int setup_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_history.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/srp.history", dir);
	snprintf(older, sizeof(older), "%s/srp.history.1", dir);
	return 0;
}

static void setup(void)
{
	memset(&made, 0, sizeof(made));
	memset(&got, 0, sizeof(got));
	CU_ASSERT_EQUAL_FATAL(setup_dir(), 0);
}

static void teardown(void)
{
	char reserve[96];

	snprintf(reserve, sizeof(reserve), "%s/srp.state", dir);
	unlink(file);
	unlink(older);
	unlink(reserve);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

/* Different in every field from one to the next. */
static struct history_entry *add(struct history *h)
{
	struct history_entry *e = history_add(h);
	uint64_t n = e->number;

	e->at = USEC_NEVER;
	e->wall_us = 1700000000000000 + (int64_t)n;
	e->from = (enum srp_state)(n % 5);
	e->to = (enum srp_state)((n + 1) % 5);
	e->cause = n % 2 ? SRP_CAUSE_DEAD_TIMER : SRP_CAUSE_DUAL_ACTIVE;
	e->term = n * 3;
	e->planned = n % 3 == 0;
	e->timed = n % 2 == 0;
	e->died = n % 5 == 0;
	e->took_us = n * 7;
	e->outage_us = n * 11;
	e->stood_still = n * 13;
	e->n_phases = n % (HISTORY_PHASES + 1);
	for (unsigned int i = 0; i < e->n_phases; i++) {
		snprintf(e->phase[i].name, HISTORY_NAME, "%s",
			srp_step_name((enum srp_step)(i % 11)));
		e->phase[i].us = n * i;
	}
	e->loss = (enum history_loss)(n % 3);
	e->known = n * 17;
	e->vouched = n * 19;
	e->freed = n * 23;
	e->unsaved = false;
	return e;
}

static bool same(const struct history_entry *a, const struct history_entry *b)
{
	char x[HISTORY_LINE], y[HISTORY_LINE];

	return history_print(a, x) == history_print(b, y) && strcmp(x, y) == 0 && a->at == b->at &&
	       a->unsaved == b->unsaved;
}

/* n entries as text, to be freed. */
static char *text_of(struct history *h, unsigned int n, size_t *len)
{
	char *text = malloc((size_t)n * HISTORY_LINE);

	*len = 0;
	for (unsigned int i = 0; i < n; i++)
		*len += history_print(add(h), text + *len);
	return text;
}

/* Whatever was read is what was written, and how much of it. */
static unsigned int equal_entries(void)
{
	unsigned int n = 0;

	for (uint64_t i = history_first(&got); i < got.next; i++) {
		struct history_entry *e = history_get(&got, i), *was = history_get(&made, i);

		if (e == NULL)
			continue;
		CU_ASSERT_PTR_NOT_NULL(was);
		CU_ASSERT_TRUE(was != NULL && same(e, was));
		n++;
	}
	return n;
}

static void test_round_trip(void)
{
	size_t len;
	char *text = text_of(&made, 100, &len);

	history_read(&got, text, len);
	CU_ASSERT_EQUAL(got.skipped, 0);
	CU_ASSERT_EQUAL(got.next, 101);
	CU_ASSERT_EQUAL(equal_entries(), 100);
	CU_ASSERT_EQUAL(history_get(&got, 12)->n_phases, 12);
	CU_ASSERT_STRING_EQUAL(history_get(&got, 12)->phase[11].name, "none");
	CU_ASSERT_PTR_NULL(history_get(&got, 0));
	CU_ASSERT_PTR_NULL(history_get(&got, 101));
	free(text);
}

static void test_longest_line(void)
{
	struct history_entry e = { .number = UINT64_MAX / 2 - 1,
		.wall_us = INT64_MAX,
		.from = SRP_PENDING_STANDBY,
		.to = SRP_PENDING_STANDBY,
		.cause = SRP_CAUSE_DEAD_TIMER,
		.term = UINT64_MAX,
		.took_us = UINT64_MAX,
		.outage_us = UINT64_MAX,
		.stood_still = UINT64_MAX,
		.n_phases = HISTORY_PHASES,
		.known = UINT64_MAX,
		.vouched = UINT64_MAX,
		.freed = UINT64_MAX,
		.at = USEC_NEVER };
	char line[HISTORY_LINE];
	size_t len;

	for (unsigned int i = 0; i < HISTORY_PHASES; i++) {
		memset(e.phase[i].name, 'x', HISTORY_NAME - 1);
		e.phase[i].us = 999999999999;
	}
	len = history_print(&e, line);
	CU_ASSERT_TRUE_FATAL(len < HISTORY_LINE);
	history_read(&got, line, len);
	CU_ASSERT_EQUAL(got.skipped, 0);
	CU_ASSERT_TRUE(same(history_get(&got, e.number), &e));
}

static void test_bounded(void)
{
	for (unsigned int i = 0; i < 2500; i++)
		add(&made);
	CU_ASSERT_EQUAL(history_first(&made), 1501);
	CU_ASSERT_PTR_NULL(history_get(&made, 1500));
	CU_ASSERT_PTR_NOT_NULL(history_get(&made, 1501));
	CU_ASSERT_PTR_NOT_NULL(history_get(&made, 2500));
}

/* Cut anywhere: the entries whose lines are whole are there, and no other. */
static void test_truncated(void)
{
	size_t len;
	char *text = text_of(&made, 6, &len);

	for (size_t cut = 0; cut <= len; cut++) {
		unsigned int whole = 0;

		for (size_t i = 0; i < cut; i++)
			whole += text[i] == '\n';
		memset(&got, 0, sizeof(got));
		history_read(&got, text, cut);
		CU_ASSERT_EQUAL(equal_entries(), whole);
		CU_ASSERT_EQUAL(got.skipped, cut > 0 && text[cut - 1] != '\n');
	}
	free(text);
}

/* Every byte flipped, each bit: two entries are lost at most (an end of line joins them), and none
 * is told otherwise. */
static void test_flipped(void)
{
	size_t len;
	char *text = text_of(&made, 3, &len);

	for (size_t i = 0; i < len; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			unsigned int n;

			text[i] ^= (char)(1 << bit);
			memset(&got, 0, sizeof(got));
			history_read(&got, text, len);
			n = equal_entries();
			CU_ASSERT_TRUE(n >= 1 && n <= 2 && got.skipped >= 1);
			text[i] ^= (char)(1 << bit);
		}
	free(text);
}

static void test_later_line_counts(void)
{
	char line[HISTORY_LINE];
	struct history_entry *e = add(&made);

	history_read(&got, line, history_print(e, line));
	e->freed = 4711;
	history_read(&got, line, history_print(e, line));
	CU_ASSERT_EQUAL(got.next, 2);
	CU_ASSERT_EQUAL(history_get(&got, 1)->freed, 4711);
}

static void test_file(void)
{
	size_t len;
	char *text = text_of(&made, 5, &len);

	CU_ASSERT_EQUAL(history_file_read(dir, &got), 0);
	CU_ASSERT_EQUAL(got.next, 0);
	CU_ASSERT_EQUAL(history_file_add(dir, text, len), 0);
	CU_ASSERT_EQUAL(history_file_read(dir, &got), 0);
	CU_ASSERT_EQUAL(equal_entries(), 5);
	free(text);
}

/* A crash tore the last line: it is skipped, and what is added afterwards is not torn with it. */
static void test_torn_file(void)
{
	size_t len, more;
	char *text = text_of(&made, 3, &len), *next = text_of(&made, 1, &more);
	struct stat st;

	CU_ASSERT_EQUAL(history_file_add(dir, text, len), 0);
	CU_ASSERT_EQUAL(stat(file, &st), 0);
	CU_ASSERT_EQUAL(truncate(file, st.st_size - 20), 0);
	CU_ASSERT_EQUAL(history_file_add(dir, next, more), 0);
	CU_ASSERT_EQUAL(history_file_read(dir, &got), 0);
	CU_ASSERT_EQUAL(got.skipped, 1);
	CU_ASSERT_PTR_NULL(history_get(&got, 3));
	CU_ASSERT_EQUAL(equal_entries(), 3);
	free(text);
	free(next);
}

/* Two files, bounded, with the last thousand in them. */
static void test_rotation(void)
{
	struct stat now, before;

	for (unsigned int i = 0; i < 60; i++) {
		size_t len;
		char *text = text_of(&made, 100, &len);

		CU_ASSERT_EQUAL_FATAL(history_file_add(dir, text, len), 0);
		free(text);
	}
	CU_ASSERT_EQUAL(stat(older, &before), 0);
	CU_ASSERT_TRUE(stat(file, &now) < 0 || now.st_size < HISTORY_FILE_BYTES);
	CU_ASSERT_TRUE(before.st_size < HISTORY_FILE_BYTES + 100 * HISTORY_LINE);
	CU_ASSERT_EQUAL(history_file_read(dir, &got), 0);
	CU_ASSERT_EQUAL(got.skipped, 0);
	CU_ASSERT_EQUAL(got.next, 6001);
	CU_ASSERT_EQUAL(equal_entries(), HISTORY_MOST);
}

static int ended(struct state *s)
{
	int error = 1;

	for (unsigned int i = 0; i < 10000 && !state_added(s, &error); i++)
		poll(NULL, 0, 1);
	return error;
}

/* A disk that is full, as the kernel's own full device is: the error is told; the same lines go
 * once there is room. */
static void test_full(void)
{
	struct srp_saved saved;
	struct state *s = state_open(dir, &saved);
	size_t len;
	int error;
	char *text = text_of(&made, 2, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_FALSE(state_added(s, &error));
	CU_ASSERT_EQUAL(symlink("/dev/full", file), 0);
	state_add(s, text, len);
	CU_ASSERT_EQUAL(ended(s), -ENOSPC);
	CU_ASSERT_FALSE(state_added(s, &error)); /* once */
	CU_ASSERT_EQUAL(unlink(file), 0);
	memset(&made, 0, sizeof(made));
	text = text_of(&made, 2, &len);
	state_add(s, text, len);
	CU_ASSERT_EQUAL(ended(s), 0);
	for (unsigned int i = 0; i < 3;
		i++) { /* what waits is not lost to what comes after it, nor to the end */
		text = text_of(&made, 1, &len);
		state_add(s, text, len);
	}
	state_close(s);
	CU_ASSERT_EQUAL(history_file_read(dir, &got), 0);
	CU_ASSERT_EQUAL(equal_entries(), 5);
	CU_ASSERT_EQUAL(got.skipped, 0);
}

/* Full in the middle of a line, by a limit of the process on its files: nothing of it stays, and
 * the next one is whole. */
static void test_full_midway(void)
{
	size_t len, more;
	char *text = text_of(&made, 2, &len), *next = text_of(&made, 1, &more);
	struct rlimit was, limit;
	struct stat st;

	CU_ASSERT_EQUAL(history_file_add(dir, text, len), 0);
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &was), 0);
	for (size_t room = 0; room < more; room++) {
		limit = (struct rlimit){ .rlim_cur = len + room, .rlim_max = was.rlim_max };
		CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
		CU_ASSERT_EQUAL(history_file_add(dir, next, more), -EFBIG);
		CU_ASSERT_EQUAL(stat(file, &st), 0);
		CU_ASSERT_EQUAL(st.st_size, (off_t)len);
	}
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &was), 0);
	CU_ASSERT_EQUAL(history_file_add(dir, next, more), 0);
	CU_ASSERT_EQUAL(history_file_read(dir, &got), 0);
	CU_ASSERT_EQUAL(equal_entries(), 3);
	free(text);
	free(next);
}

static void test_no_directory(void)
{
	CU_ASSERT_EQUAL(history_file_add("/nonexistent", "x\n", 2), -ENOENT);
	CU_ASSERT_EQUAL(mkdir(file, 0700), 0);
	CU_ASSERT_EQUAL(history_file_add(dir, "x\n", 2), -EISDIR);
	CU_ASSERT_TRUE(history_file_read(dir, &got) < 0);
	CU_ASSERT_EQUAL(rmdir(file), 0);
}

static void test_switchovers(void)
{
	static const struct {
		enum srp_state from, to;
		enum srp_cause cause;
		bool want;
	} rows[] = { { SRP_PENDING_ACTIVE, SRP_ACTIVE, SRP_CAUSE_DEAD_TIMER, true },
		{ SRP_PENDING_ACTIVE, SRP_ACTIVE, SRP_CAUSE_STARTUP, false },
		{ SRP_PENDING_STANDBY, SRP_ACTIVE, SRP_CAUSE_ABORTED, false },
		{ SRP_PENDING_STANDBY, SRP_STANDBY, SRP_CAUSE_DUAL_ACTIVE, true },
		{ SRP_STANDBY, SRP_PENDING_ACTIVE, SRP_CAUSE_DEAD_TIMER, false },
		{ SRP_INIT, SRP_STANDBY, SRP_CAUSE_STARTUP, false } };

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history_entry e = {
			.from = rows[i].from, .to = rows[i].to, .cause = rows[i].cause
		};

		CU_ASSERT_EQUAL(history_is_switchover(&e), rows[i].want);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = { { "round trip", test_round_trip },
		{ "longest line", test_longest_line }, { "bounded", test_bounded },
		{ "every truncation", test_truncated }, { "every bit", test_flipped },
		{ "a later line counts", test_later_line_counts }, { "file", test_file },
		{ "torn file", test_torn_file }, { "rotation", test_rotation },
		{ "full disk", test_full }, { "full midway", test_full_midway },
		{ "no directory", test_no_directory }, { "switchovers", test_switchovers },
		CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "history", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_eal("test_history") == 0 ? ut_run(suites) : EXIT_FAILURE;
}
