/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of a reload that cannot be now: who asked by a command is told so, and a SIGHUP is
 * carried out later, in which nobody but the log takes part. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "base/clock.h"
#include "command.h"
#include "config/config.h"
#include "cores/settings.h"
#include "operator/operator.h"
#include "operator/reload.h"
#include "reactor/reactor.h"
#include "ut.h"
#include "ut_eal.h"

enum { TURNS = 20000, TURN_MS = 20, AGAIN_MS = 250 };

static const char text[] =
	"chassis = { name = \"left\"; };\n"
	"ports = ({ name = \"access\"; device = \"a\"; roles = [\"access\"]; twin = \"ta\"; },\n"
	"{ name = \"core\"; device = \"b\"; roles = [\"core\"]; twin = \"tb\"; },\n"
	"{ name = \"repl\"; device = \"c\"; roles = [\"replication\"]; twin = \"tc\"; address = "
	"\"10.7.0.11/24\"; });\n"
	"loopbacks = ({ name = \"gtp\"; address = \"10.8.0.100\"; port = \"access\"; "
	"srp-activate = true; });\n"
	"pools = ({ name = \"pool\"; prefix = \"10.10.0.0/20\"; srp-activate = true; });\n"
	"apns = ({ name = \"internet\"; pool = \"pool\"; });\n"
	"gtp-peers = ({ name = \"sgsns\"; control = [\"10.8.0.0/24\"]; });\n"
	"srp = { bind = \"10.6.0.11\"; peer = \"10.6.0.12\"; stream-peer = \"10.7.0.12\"; "
	"insecure = true; replication-rate = %u; };\n";

static struct reactor *reactor;
static struct settings_board *board;
static struct operator_reload *reload;
static struct config conf;
static char path[] = "/tmp/test_reload.XXXXXX";
static unsigned int asked, busy, ran, refused; /* how often; busy: for so many times */
static unsigned int begun;                     /* and not ended */
static struct reload_made *const made = (struct reload_made *)&begun;
static enum srp_reload verdict;

/* Time goes on with turns alone. */
static uint64_t now_ms;

static uint64_t reload_ticks(void)
{
	return now_ms;
}

static uint64_t reload_hz(void)
{
	return 1000;
}

static int64_t reload_wall_us(void)
{
	return 0;
}

static const struct clock_ops reload_clock = { reload_ticks, reload_hz, reload_wall_us };

static void settled(void *ctx) {}

static bool say_keys_good(const struct config *next, char why[RELOAD_WHY])
{
	return true;
}

static enum srp_reload say_asks(void *ctx, const struct config *next)
{
	asked++;
	return busy > 0 ? verdict : SRP_RELOAD_NOW;
}

static int say_prepare(void *ctx, const struct config *next, usec_t now)
{
	busy--;
	return -EBUSY;
}

static bool say_is_due(void *ctx)
{
	return false;
}

/* The role is changing, for so many times. */
static int say_agree(void *ctx, const struct config *next, usec_t now)
{
	if (busy == 0)
		return 0;
	busy--;
	return -EBUSY;
}

static int say_ready(
	void *ctx, const struct config *next, const struct reload_made *m, char why[RELOAD_WHY])
{
	return settings_ready(board, settings_newest(board));
}

static void say_run(void *ctx, const struct config *next, struct reload_made *m, usec_t now)
{
	CU_ASSERT_PTR_EQUAL(m, made);
	settings_publish(board);
	ran++;
}

/* What is made for a file is ended, whatever becomes of that. */
static struct reload_made *say_begin(void *ctx)
{
	begun++;
	return made;
}

static int say_make(struct reload_made *m, const struct config *next)
{
	return 0;
}

static void say_end(void *ctx, struct reload_made *m)
{
	begun -= m != NULL;
}

static int say_fits(void *ctx, const struct config *next, char why[RELOAD_WHY])
{
	return 0;
}

static void say_answer(void *ctx, json_t *answer)
{
	refused += !json_is_true(json_object_get(answer, "ok"));
	if (busy > 0 && verdict == SRP_RELOAD_BUSY)
		busy--;
	json_decref(answer);
}

static void put(unsigned int rate)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fprintf(f, text, rate);
	CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
}

static void setup(void)
{
	struct config_report report = { 0 };
	struct settings first = { 0 };

	asked = busy = ran = refused = 0;
	put(100);
	CU_ASSERT_EQUAL_FATAL(config_load(path, &conf, &report), 0);
	config_report_free(&report);
	put(200);
	reactor = reactor_create(settled, NULL);
	board = settings_create(&first, NULL, 0);
	CU_ASSERT_TRUE_FATAL(reactor != NULL && board != NULL);
	reload = reload_create(&(struct operator_reload_settings){ .conf = &conf,
		.file = path,
		.settings = board,
		.reactor = reactor,
		.keys_good = say_keys_good,
		.asks = say_asks,
		.prepare = say_prepare,
		.is_due = say_is_due,
		.agree = say_agree,
		.ready = say_ready,
		.run = say_run,
		.begin = say_begin,
		.make = say_make,
		.end = say_end,
		.fits = say_fits,
		.answer = say_answer });
	CU_ASSERT_PTR_NOT_NULL_FATAL(reload);
}

static void teardown(void)
{
	reload_destroy(reload);
	CU_ASSERT_EQUAL(begun, 0);
	settings_destroy(board);
	reactor_destroy(reactor);
}

static void turn(long ns)
{
	now_ms += TURN_MS;
	reactor_wait(reactor, ns);
	reactor_dispatch(reactor);
	reload_turn(reload);
}

/* Control's loop, until so many were asked for and have an answer. */
static bool turn_until_answered(unsigned int n)
{
	for (unsigned int i = 0; i < TURNS && ran + refused < n; i++)
		turn(1000000);
	return ran + refused == n;
}

/* Minutes in which nothing more may happen. */
static void turn_on(void)
{
	for (unsigned int i = 0; i < TURNS; i++)
		turn(0);
}

/* While a role changes: the command is refused, and that is the end of it. */
static void test_command_busy(void)
{
	busy = 1;
	json_decref(act_reload(reload, NULL, 0));
	CU_ASSERT_TRUE(turn_until_answered(1));
	CU_ASSERT_TRUE(refused == 1 && busy == 0);
	turn_on();
	CU_ASSERT_EQUAL(asked, 1);
	CU_ASSERT_EQUAL(conf.srp.replication_rate_mbps, 100);
}

/* A SIGHUP is carried out when it can be, by the file as it is then, and once. */
static void test_hangup_waits(void)
{
	static const enum srp_reload rows[] = { SRP_RELOAD_NOW, SRP_RELOAD_WAIT, SRP_RELOAD_BUSY };
	uint64_t began;

	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		verdict = rows[i];
		asked = ran = refused = 0;
		busy = 2;
		put(300 + i);
		reload_hangup(reload);
		CU_ASSERT_TRUE(turn_until_answered(1));
		began = now_ms;
		put(200 + i);
		CU_ASSERT_TRUE(turn_until_answered(3));
		CU_ASSERT_TRUE(asked == 3 && refused == 2 && ran == 1);
		CU_ASSERT_TRUE(now_ms - began >= 2 * AGAIN_MS); /* not all the time */
		CU_ASSERT_EQUAL(conf.srp.replication_rate_mbps, 200 + i);
		turn_on();
		json_decref(act_reload(reload, NULL, 0));
		CU_ASSERT_TRUE(turn_until_answered(4));
		CU_ASSERT_TRUE(asked == 4 && ran == 2);
	}
}

/* What is wrong with the file is wrong later, too: it is not read again. */
static void test_hangup_refused(void)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs("nothing", f);
	fclose(f);
	reload_hangup(reload);
	CU_ASSERT_TRUE(turn_until_answered(1));
	CU_ASSERT_TRUE(refused == 1 && asked == 0);
	put(200);
	json_decref(act_reload(reload, NULL, 0));
	CU_ASSERT_TRUE(turn_until_answered(2));
	CU_ASSERT_TRUE(ran == 1 && asked == 1);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "command", test_command_busy },
		{ "SIGHUP waits", test_hangup_waits },
		{ "SIGHUP, a bad file", test_hangup_refused }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "reload", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };
	int ret, fd = mkstemp(path);

	if (fd < 0 || ut_eal("test_reload") < 0)
		return EXIT_FAILURE;
	close(fd);
	clock_init(&reload_clock);
	ret = ut_run(suites);
	unlink(path);
	return ret;
}
