/* SPDX-License-Identifier: BSD-3-Clause */
/* The course of a run: create, traffic, verify, delete, report. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>

#include "load.h"

enum { PROGRESS_US = 200000, WAIT_US = 1000 };

static atomic_uint asked_to_stop, asked_to_report, asked_to_go_on;

static void main_on_signal(int number)
{
	if (number == SIGUSR1)
		atomic_fetch_add(&asked_to_report, 1);
	else if (number == SIGUSR2)
		atomic_store(&asked_to_go_on, 1);
	else
		atomic_fetch_add(&asked_to_stop, 1);
}

static void main_heard(void *ctx, const struct link_in *in)
{
	struct load *l = ctx;
	usec_t now = l->last_turn;

	if (in->endpoint == LINK_CORE)
		traffic_heard_core(l, in, now);
	else if (in->endpoint % 2 == 0)
		sgsn_heard(l, in, now);
	else
		traffic_heard_gtpu(l, in, now);
}

static void main_enter(struct load *l, enum phase p, usec_t now)
{
	if (l->phase == PHASE_TRAFFIC)
		l->traffic_us += now - l->phase_since;
	if (l->o->interim && p != l->phase)
		report_write(l, false, now);
	l->phase = p;
	l->phase_since = now;
	if (p == PHASE_TRAFFIC)
		traffic_begin(l, now);
	else if (p == PHASE_VERIFY)
		verify_begin(l, now);
	else if (p == PHASE_DELETE)
		pace_start(&l->pace.delete, l->o->delete_rate, now);
}

static bool main_all_created(const struct load *l)
{
	const struct procedure *c = &l->procedure.create;

	return l->next_create == l->o->sessions &&
	       c->accepted + c->refused + c->unanswered == c->sent;
}

static void main_turn_traffic(struct load *l, bool stop, usec_t now)
{
	usec_t most = l->o->duration_s * USEC_PER_SEC, spent = now - l->phase_since;
	bool over = stop || atomic_load(&asked_to_go_on) != 0 || l->up_now == 0 ||
		    l->o->up + l->o->down + l->o->update_rate == 0 || (most > 0 && spent >= most);

	if (!over && !l->draining) {
		traffic_turn(l, now);
		sgsn_update_turn(l, now);
		return;
	}
	if (!l->draining) {
		l->draining = true;
		l->drain_by = now + l->o->drain_ms * USEC_PER_MSEC;
	}
	if (now >= l->drain_by || (l->flow[UP].received == l->flow[UP].sent &&
					  l->flow[DOWN].received == l->flow[DOWN].sent))
		main_enter(l,
			l->o->verify_rate > 0 && !stop ? PHASE_VERIFY
			: l->o->keep                   ? PHASE_END
						       : PHASE_DELETE,
			now);
}

static void main_turn(struct load *l, usec_t now)
{
	unsigned int stops = atomic_load(&asked_to_stop);

	if (stops > 1 && l->phase != PHASE_END)
		main_enter(l, PHASE_END, now);
	sgsn_turn(l, now);
	switch (l->phase) {
	case PHASE_CREATE:
		if (stops == 0)
			sgsn_create_turn(l, now);
		if (main_all_created(l))
			main_enter(l, PHASE_TRAFFIC, now);
		else if (stops > 0)
			main_enter(l, l->o->keep ? PHASE_END : PHASE_DELETE, now);
		break;
	case PHASE_TRAFFIC:
		main_turn_traffic(l, stops > 0, now);
		break;
	case PHASE_VERIFY:
		verify_turn(l, now);
		if (l->verify.done || stops > 0)
			main_enter(l, l->o->keep ? PHASE_END : PHASE_DELETE, now);
		break;
	case PHASE_DELETE:
		sgsn_delete_turn(l, now);
		if (l->next_delete == l->o->sessions && l->waiting == 0)
			main_enter(l, PHASE_END, now);
		break;
	case PHASE_END:
		break;
	}
}

/* A loop that did not run cannot tell a silent GGSN from its own sleep. */
static void main_stalls(struct load *l, usec_t now)
{
	usec_t gap = now - l->last_turn;

	if (l->last_turn != 0 && gap > STALL_US + WAIT_US) {
		l->stalls++;
		l->stalled += gap;
		l->longest_stall = gap > l->longest_stall ? gap : l->longest_stall;
	}
	l->last_turn = now;
}

static void main_run(struct load *l)
{
	bool tty = isatty(STDERR_FILENO) && !l->o->quiet;
	usec_t progress_at = 0, now = load_clock();
	unsigned int reports = 0;

	l->began = now;
	pace_start(&l->pace.create, l->o->rate, now);
	while (l->phase != PHASE_END) {
		unsigned int got;

		now = load_clock();
		main_stalls(l, now);
		got = l->link->ops->poll(l->link, main_heard, l, now);
		main_turn(l, now);
		l->link->ops->flush(l->link, now);
		if (tty && now >= progress_at) {
			report_progress(l, now);
			progress_at = now + PROGRESS_US;
		}
		if (atomic_load(&asked_to_report) != reports) {
			reports = atomic_load(&asked_to_report);
			report_write(l, false, now);
		}
		if (got == 0)
			l->link->ops->wait(l->link, WAIT_US / 4);
	}
	if (tty)
		report_progress(l, now);
}

static int load_run(const struct options *o, struct link *link)
{
	struct load *l = calloc(1, sizeof(*l));
	struct timespec t;
	int ret = 1;

	if (l == NULL)
		return 1;
	clock_gettime(CLOCK_REALTIME, &t);
	l->o = o;
	l->link = link;
	l->run = (uint32_t)t.tv_nsec ^ (uint32_t)getpid() << 16;
	l->recovery = o->recovery <= 255 ? (uint8_t)o->recovery : (uint8_t)t.tv_sec;
	l->out = o->output != NULL ? fopen(o->output, "w") : stdout;
	l->session = calloc(o->sessions, sizeof(*l->session));
	if (l->out == NULL)
		fprintf(stderr, "tandem-load: %s: %s\n", o->output, strerror(errno));
	else if (l->session == NULL || sgsn_open(l) < 0)
		fprintf(stderr, "tandem-load: no memory for %u sessions\n", o->sessions);
	else
		ret = 0;
	if (ret == 0) {
		main_run(l);
		report_write(l, true, load_clock());
		if (o->per_session != NULL)
			ret = report_sessions(l) < 0;
		if (l->procedure.create.accepted < o->sessions ||
			(l->verify.done && l->verify.dead > 0))
			ret = 3;
	}
	sgsn_close(l);
	if (l->out != NULL && l->out != stdout)
		fclose(l->out);
	free(l->session);
	free(l);
	return ret;
}

/* Signals before EAL's threads begin, so that all have them. */
static void main_signals(void)
{
	struct sigaction a = { .sa_handler = main_on_signal };

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

static bool main_has_separator(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	bool kernel = !main_has_separator(argc, argv);
	struct options o;
	struct link *link;
	int ret;

	main_signals();
	if (!kernel) {
		int used = rte_eal_init(argc, argv);

		if (used < 0) {
			fprintf(stderr,
				"tandem-load: the EAL refused its arguments (those before --)\n");
			return 2;
		}
		argv[used] = argv[0];
		argc -= used;
		argv += used;
	}
	ret = options_parse(&o, argc, argv, kernel);
	if (ret != OPTIONS_RUN)
		return ret;
	link = kernel ? link_kernel_open(&o) : link_dpdk_open(&o);
	if (link == NULL)
		return 1;
	ret = load_run(&o, link);
	link->ops->close(link);
	if (!kernel)
		rte_eal_cleanup();
	return ret;
}
