/* SPDX-License-Identifier: BSD-3-Clause */
/* sim_srp --seeds A..B | --seed N [-v]: runs of two chassis from seeds; exit status 1 and the seed
 * if one breaks a rule. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutant.h"
#include "sim_srp.h"

enum { BEGIN = 3000 * MS, FAULTS = 15000 * MS, SETTLE = 9000 * MS };

void fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	printf("seed %llu at %llu ms: ", (unsigned long long)w->seed,
		(unsigned long long)(w->now / MS));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void trace(struct world *w, int node, const char *fmt, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	printf("%9.3f ms %c ", (double)w->now / MS, 'A' + node);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static void setup(struct world *w, uint64_t seed, bool lists, bool verbose)
{
	*w = (struct world){
		.seed = seed, .rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1, .verbose = verbose
	};
	for (int i = 0; i < 8; i++)
		rnd(w, 2);
	w->lists = lists;
	if (lists)
		lists_begin();
	w->profile = lists ? (unsigned int)PROFILE_LISTS : (unsigned int)(seed % PROFILES);
	w->quiet = w->profile == PROFILE_QUIET;
	w->withheld = w->profile == PROFILE_WITHHELD;
	w->calm_at = BEGIN + FAULTS;
	bool l2 = rnd(w, 2) == 0;

	for (int i = 0; i < 2; i++) {
		w->n[i].conf = (struct srp_conf){ .side = (uint8_t)i,
			.mode = rnd(w, 2) ? SRP_PRIMARY : SRP_BACKUP,
			.priority = (uint8_t)(100 + rnd(w, 3)),
			.mac = { 2, 0, 0, 0, 0, (uint8_t)(1 + i) },
			.l2 = l2,
			.capacity = 1000,
			.hello_us = 100 * MS,
			.dead_us = 400 * MS,
			.delay_us = 500 * MS,
			.heartbeat_us = 20 * MS,
			.pending_us = 1500 * MS,
			.dead_multiplier = 3 };
		push(w, EV_BOOT, i, rnd(w, 600 * MS));
	}
	push(w, EV_CONNECT, 1, 10 * MS);
	for (usec_t t = BEGIN; t < w->calm_at; t += w->profile == PROFILE_RELOAD || lists
							    ? 20 * MS + rnd(w, 400 * MS)
							    : 200 * MS + rnd(w, 1500 * MS))
		push(w, EV_FAULT, 0, t);
}

static void stall(struct world *w, int i)
{
	struct node *n = &w->n[i];

	if (n->s == NULL || w->now < n->stalled_until)
		return;
	n->stalled_at = w->now;
	n->stalled_until = w->now + 3 * MS + rnd(w, rnd(w, 2) ? 900 * MS : 60 * MS);
	n->stalled_all = rnd(w, 2) == 0;
	trace(w, i, "stalls for %llu ms%s", (unsigned long long)(n->stalled_until - w->now) / MS,
		n->stalled_all ? ", all cores" : "");
	/* Before anything else that waits for control. */
	push(w, EV_RESUME, i, n->stalled_until);
}

static void switch_over(struct world *w)
{
	char why[SRP_REASON_MAX];

	for (int i = 0; i < 2; i++)
		if (w->n[i].s != NULL && w->now >= w->n[i].stalled_until) {
			uint64_t how = w->quiet ? 3 : rnd(w, 4);
			int ret = 0;

			/* By a monitor, which wishes until it is heard; an operator's word comes
			 * with an end to that. */
			srp_request_switchover(
				w->n[i].s, how == 1 ? SRP_CAUSE_AAA : SRP_CAUSE_NONE, w->now);
			drain(w, i);
			if (how != 1)
				ret = srp_switchover(w->n[i].s, how == 0, why, w->now);
			trace(w, i, "switchover: %d %s", ret, how == 1 ? "wished for" : why);
			drain(w, i);
		}
}

static void toggle(struct world *w, struct path *p)
{
	unsigned int sides = 1 + (unsigned int)rnd(w, 3);
	bool on = !p->cut[0] && !p->cut[1];

	for (int i = 0; i < 2; i++)
		cut(w, p, i, on && (sides & 1u << i) != 0);
	trace(w, 0, "%s %s%s", p == &w->stream ? "stream" : "srp", on ? "cut " : "healed",
		!on          ? ""
		: sides == 3 ? "both ways"
		: sides == 1 ? "towards A"
			     : "towards B");
}

static void loss(struct world *w)
{
	struct path *p = rnd(w, 2) ? &w->stream : &w->tcp;

	p->percent = (unsigned int)rnd(w, 6);
	p->good_since = w->now;
}

static void fault(struct world *w)
{
	/* Chances in percent: crash, stream, srp, both, stall, loss, disk, shutdown, withhold,
	 * reload; else a switchover. */
	static const unsigned int odds[PROFILES + 1][10] = {
		[PROFILE_QUIET] = { 0 },
		[PROFILE_MIXED] = { 10, 12, 12, 5, 15, 10, 5, 5, 0 },
		[PROFILE_PARTITION] = { 2, 25, 25, 25, 5, 5, 0, 0, 0 },
		[PROFILE_CRASH] = { 40, 5, 5, 0, 5, 5, 5, 10, 0 },
		[PROFILE_WITHHELD] = { 10, 5, 5, 5, 5, 5, 5, 5, 25, 0 },
		[PROFILE_RELOAD] = { 2, 6, 6, 2, 6, 4, 1, 1, 0, 65 },
		[PROFILE_LISTS] = { 4, 6, 6, 10, 4, 4, 1, 2, 0, 55 },
	};
	unsigned int dice = (unsigned int)rnd(w, 100), what = 0;
	int i = (int)rnd(w, 2);

	while (what < 10 && dice >= odds[w->profile][what])
		dice -= odds[w->profile][what++];
	switch (what) {
	case 0:
		kill_node(w, i, rnd(w, 2), 30 * MS + rnd(w, 3000 * MS));
		break;
	case 1:
		toggle(w, &w->stream);
		break;
	case 2:
		toggle(w, &w->tcp);
		break;
	case 3:
		toggle(w, &w->stream);
		toggle(w, &w->tcp);
		break;
	case 4:
		stall(w, i);
		break;
	case 5:
		loss(w);
		break;
	case 6:
		w->n[i].disk_full = !w->n[i].disk_full;
		trace(w, i, "disk %s", w->n[i].disk_full ? "full" : "free");
		break;
	case 7:
		if (w->n[i].s != NULL && w->now >= w->n[i].stalled_until) {
			trace(w, i, "shutdown");
			srp_shutdown(w->n[i].s, w->now);
			drain(w, i);
		}
		break;
	case 8:
		w->n[i].withhold = (enum srp_step)(1 + rnd(w, SRP_STEPS - 1));
		trace(w, i, "withholds %s", srp_step_name(w->n[i].withhold));
		break;
	case 9:
		reload_fault(w, i);
		break;
	default:
		switch_over(w);
	}
}

static void calm(struct world *w)
{
	trace(w, 0, "all is well from here");
	for (int i = 0; i < 2; i++) {
		cut(w, &w->stream, i, false);
		cut(w, &w->tcp, i, false);
		w->n[i].disk_full = false;
		w->n[i].withhold = SRP_STEP_NONE;
		reload_file(w, i, 0);
	}
	w->stream.percent = w->tcp.percent = 0;
}

static struct ev pop(struct world *w)
{
	struct ev top = w->heap[0], last = w->heap[--w->n_heap];
	unsigned int i = 0, c;

	for (; (c = 2 * i + 1) < w->n_heap; i = c) {
		if (c + 1 < w->n_heap && (w->heap[c + 1].at != w->heap[c].at
							 ? w->heap[c + 1].at < w->heap[c].at
							 : w->heap[c + 1].order < w->heap[c].order))
			c++;
		if (last.at != w->heap[c].at ? last.at < w->heap[c].at
					     : last.order < w->heap[c].order)
			break;
		w->heap[i] = w->heap[c];
	}
	w->heap[i] = last;
	return top;
}

static void run(struct world *w)
{
	usec_t end = w->calm_at + SETTLE;
	bool calmed = false;

	while (w->now < end && !w->failed) {
		usec_t next = w->n_heap > 0 ? w->heap[0].at : end;

		for (int i = 0; i < 2; i++)
			if (w->n[i].s != NULL && w->now >= w->n[i].stalled_until &&
				srp_due(w->n[i].s) < next)
				next = srp_due(w->n[i].s);
		w->now = next > w->now ? next : w->now;
		if (!calmed && w->now >= w->calm_at) {
			calmed = true;
			calm(w);
		}
		if (w->n_heap > 0 && w->heap[0].at <= w->now) {
			struct ev e = pop(w);

			if (e.kind == EV_FAULT)
				fault(w);
			else
				handle(w, &e);
		}
		/* Input first, timers then. */
		if (w->n_heap == 0 || w->heap[0].at > w->now)
			for (int i = 0; i < 2; i++)
				tick(w, i);
	}
	if (!w->failed)
		check_end(w);
}

static bool run_seed(uint64_t seed, bool lists, bool verbose, struct world *total)
{
	static struct world w;

	setup(&w, seed, lists, verbose);
	run(&w);
	for (int i = 0; i < 2; i++)
		srp_destroy(w.n[i].s);
	total->promotions += w.promotions;
	total->planned += w.planned;
	total->aborts += w.aborts;
	total->reloads += w.reloads;
	return !w.failed;
}

int main(int argc, char **argv)
{
	unsigned long long from = 1, to = 100;
	unsigned int failed = 0;
	bool verbose = false, planted = false, lists = false;
	static struct world total;

	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (strcmp(argv[i], "-v") == 0) {
			verbose = true;
		} else if (strcmp(argv[i], "--lists") == 0) {
			lists = true;
		} else if (strcmp(argv[i], "--seed") == 0 && more &&
			   sscanf(argv[i + 1], "%llu", &from) == 1) {
			to = from;
			i++;
		} else if (strcmp(argv[i], "--seeds") == 0 && more &&
			   sscanf(argv[i + 1], "%llu..%llu", &from, &to) == 2) {
			i++;
		} else if (strcmp(argv[i], "--mutant") == 0 && more && mutant_set(argv[i + 1])) {
			planted = true;
			i++;
		} else {
			fprintf(stderr,
				"usage: %s [--lists] [--seed N | --seeds A..B] [-v] "
				"[--mutant NAME]\n",
				argv[0]);
			return 2;
		}
	}
	for (unsigned long long s = from; s <= to && !(planted && failed > 0); s++)
		failed += !run_seed(s, lists, verbose, &total);
	printf("%llu seeds, %u failed; %u promotions, %u planned, %u aborts, %u reloads\n",
		to - from + 1, failed, total.promotions, total.planned, total.aborts,
		total.reloads);
	if (lists)
		lists_say();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
