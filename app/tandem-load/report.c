/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

static const char *const phase_names[] = { "create", "traffic", "verify", "delete", "end" };

static json_t *report_hist_json(const struct hist *h, double unit)
{
	return json_pack("{s:I,s:f,s:f,s:f,s:f,s:f,s:f}", "n", (json_int_t)h->n, "min",
		(double)h->min / unit, "p50", (double)hist_percentile(h, 50) / unit, "p90",
		(double)hist_percentile(h, 90) / unit, "p99", (double)hist_percentile(h, 99) / unit,
		"p999", (double)hist_percentile(h, 99.9) / unit, "max", (double)h->max / unit);
}

static double per_second(uint64_t n, usec_t us)
{
	return us > 0 ? (double)n * 1e6 / (double)us : 0;
}

static json_t *report_procedure_json(const struct procedure *p)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:f,s:o}", "sent", (json_int_t)p->sent, "retries",
		(json_int_t)p->retries, "accepted", (json_int_t)p->accepted, "refused",
		(json_int_t)p->refused, "unanswered", (json_int_t)p->unanswered, "per_s",
		p->last > p->first ? per_second(p->accepted, p->last - p->first) : 0.0,
		"latency_us", report_hist_json(&p->latency, 1));
}

/* The monotonic time as seconds since 1970. */
static double report_wall(usec_t at, usec_t now)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return at == 0 ? 0 : (double)t.tv_sec + (double)t.tv_nsec / 1e9 - (double)(now - at) / 1e6;
}

static json_t *silence_json(const struct silence *q, usec_t now)
{
	return json_pack("{s:f,s:f,s:f}", "ms", (double)q->longest / 1e3, "own_ms",
		(double)q->own / 1e3, "at", report_wall(q->from, now));
}

static json_t *report_flow_json(
	const struct load *l, enum direction d, bool whole, usec_t traffic_us, usec_t now)
{
	const struct flow *f = &l->flow[d];
	struct hist *gaps =
		/* a pass over all sessions takes its time */
		whole ? calloc(1, sizeof(*gaps)) : NULL;
	json_t *j = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:o}", "sent",
		(json_int_t)f->sent, "received", (json_int_t)f->received, "lost",
		(json_int_t)(f->sent - f->received), "duplicates", (json_int_t)f->duplicates,
		"reordered", (json_int_t)f->reordered, "stale", (json_int_t)f->stale, "bytes_sent",
		(json_int_t)(f->sent * l->o->size), "bytes_received",
		(json_int_t)(f->received * l->o->size), "per_s",
		per_second(f->received, traffic_us), "delay_us", report_hist_json(&f->delay, 1));

	for (uint32_t i = 0; gaps != NULL && i < l->o->sessions; i++)
		if (l->session[i].track[d].received > 1)
			hist_add(gaps, l->session[i].track[d].gap_us);
	json_object_set_new(j, "gap", silence_json(&f->silence, now));
	json_object_set_new(j, "interval_gap", silence_json(&f->interval, now));
	if (gaps != NULL)
		json_object_set_new(j, "session_gap_ms", report_hist_json(gaps, 1e3));
	free(gaps);
	return j;
}

static json_t *report_sessions_json(const struct load *l)
{
	json_t *dead = l->verify.done ? json_integer(l->verify.dead) : json_null();

	return json_pack("{s:I,s:I,s:I,s:I,s:o}", "asked", (json_int_t)l->o->sessions, "up",
		(json_int_t)l->up_now, "failed", (json_int_t)l->failed, "ended_by_ggsn",
		(json_int_t)l->ended_by_ggsn, "dead", dead);
}

static json_t *report_other_json(const struct load *l)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "foreign", (json_int_t)l->foreign, "not_sent",
		(json_int_t)l->link->not_sent, "unexpected", (json_int_t)l->unexpected,
		"old_tunnel", (json_int_t)l->old_tunnel, "error_indications",
		(json_int_t)l->error_indications);
}

void report_write(struct load *l, bool final, usec_t now)
{
	usec_t traffic_us = l->traffic_us + (l->phase == PHASE_TRAFFIC ? now - l->phase_since : 0);
	json_t *j = json_object(), *refused = json_object();
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	json_object_set_new(j, "report", json_string(final ? "final" : "interim"));
	json_object_set_new(j, "phase", json_string(phase_names[l->phase]));
	json_object_set_new(j, "sessions", report_sessions_json(l));
	json_object_set_new(j, "create", report_procedure_json(&l->procedure.create));
	json_object_set_new(j, "update", report_procedure_json(&l->procedure.update));
	json_object_set_new(j, "delete", report_procedure_json(&l->procedure.delete));
	for (unsigned int i = 0; i < 256; i++) {
		char cause[8];

		snprintf(cause, sizeof(cause), "%u", i);
		if (l->refused_by_cause[i] > 0)
			json_object_set_new(
				refused, cause, json_integer((json_int_t)l->refused_by_cause[i]));
	}
	json_object_set_new(j, "refused", refused);
	json_object_set_new(j, "up", report_flow_json(l, UP, final, traffic_us, now));
	json_object_set_new(j, "down", report_flow_json(l, DOWN, final, traffic_us, now));
	json_object_set_new(j, "stalls",
		json_pack("{s:I,s:f,s:f}", "n", (json_int_t)l->stalls, "longest_ms",
			(double)l->longest_stall / 1e3, "total_ms", (double)l->stalled / 1e3));
	json_object_set_new(j, "other", report_other_json(l));
	json_object_set_new(j, "seconds", json_real((double)(now - l->began) / 1e6));
	json_object_set_new(j, "traffic_seconds", json_real((double)traffic_us / 1e6));
	json_object_set_new(j, "memory_mb", json_real((double)usage.ru_maxrss / 1024));
	json_dumpf(j, l->out, JSON_COMPACT | JSON_REAL_PRECISION(15));
	fputc('\n', l->out);
	fflush(l->out);
	json_decref(j);
	for (unsigned int d = 0; d < DIRECTIONS; d++)
		l->flow[d].interval = (struct silence){ 0 };
}

static const char *const state_names[] = { "idle", "creating", "up", "updating", "deleting",
	"deleted", "failed", "ended" };

int report_sessions(const struct load *l)
{
	FILE *f = fopen(l->o->per_session, "w");

	if (f == NULL) {
		fprintf(stderr, "tandem-load: %s: %s\n", l->o->per_session, strerror(errno));
		return -1;
	}
	for (uint32_t i = 0; i < l->o->sessions; i++) {
		const struct session *s = &l->session[i];
		uint32_t sent[DIRECTIONS] = { s->sent[UP], s->sent[DOWN] };

		fprintf(f,
			"{\"imsi\":\"%015llu\",\"state\":\"%s\",\"ue\":\"%u.%u.%u.%u\",\"teid\":%u",
			(unsigned long long)(l->o->imsi_number + i), state_names[s->state],
			s->ue4 >> 24, s->ue4 >> 16 & 0xff, s->ue4 >> 8 & 0xff, s->ue4 & 0xff,
			s->usr_teid);
		for (unsigned int d = 0; d < DIRECTIONS; d++)
			fprintf(f,
				",\"%s\":{\"sent\":%u,\"received\":%u,\"bytes_sent\":%llu,"
				"\"bytes_received\":%llu,"
				"\"gap_ms\":%.3f}",
				d == UP ? "up" : "down", sent[d], s->track[d].received,
				(unsigned long long)sent[d] * l->o->size,
				(unsigned long long)s->track[d].received * l->o->size,
				s->track[d].gap_us / 1e3);
		fputs("}\n", f);
	}
	return fclose(f) == 0 ? 0 : -1;
}

void report_progress(struct load *l, usec_t now)
{
	const struct flow *up = &l->flow[UP], *down = &l->flow[DOWN];
	const struct procedure *c = &l->procedure.create;

	fprintf(stderr,
		"\r%-8s %u of %u up, %.1f k/s, %llu failed | up %llu, lost %lld | down %llu, lost "
		"%lld | %.0f s\033[K",
		phase_names[l->phase], l->up_now, l->o->sessions,
		c->last > c->first ? per_second(c->accepted, c->last - c->first) / 1e3 : 0.0,
		(unsigned long long)(c->refused + c->unanswered), (unsigned long long)up->received,
		(long long)(up->sent - up->received), (unsigned long long)down->received,
		(long long)(down->sent - down->received), (double)(now - l->began) / 1e6);
	if (l->phase == PHASE_END)
		fputc('\n', stderr);
	fflush(stderr);
}
