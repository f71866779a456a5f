/* SPDX-License-Identifier: BSD-3-Clause */
/* show: what the families of handlers share. Control core. */
#ifndef TANDEM_OPERATOR_SHOW_H
#define TANDEM_OPERATOR_SHOW_H

#include "operator/operator.h"

struct signalling_view;

/* ---- show.c ---- */

/* Says that a member of a view's object is a counter: tandemctl leaves it out while it is zero, and
 * shows its rate. All else is a level. */
void show_mark_counter(json_t *o, const char *name);
/* The same of n members. */
void show_mark_counters(json_t *o, const char *const *names, unsigned int n);
/* Groups of figures that one object of a view shows, ended by a row without a room; group NULL: all
 * of the room. Two of them must not have a figure of one name, as an object has one member of it:
 * unit_figures compares them. */
struct show_groups {
	const char *room, *group;
};
enum show_object {
	SHOW_PORT,
	SHOW_ROUTING,
	SHOW_PORTS,
	SHOW_CORE,
	SHOW_WORKER,
	SHOW_GTP,
	SHOW_RADIUS,
	SHOW_SRP,
	SHOW_CHECKPOINT,
	SHOW_KEYS,
	SHOW_AUDIT,
	SHOW_OBJECTS
};
enum { SHOW_GROUPS = 8 };
extern const struct show_groups show_objects[SHOW_OBJECTS][SHOW_GROUPS];
/* Adds the figures of groups (base/metrics.h) to an object, by their names, and marks the counters.
 * instance: of each group that one alone; NULL: those of all instances, summed up. */
void show_metrics(
	struct metrics *m, json_t *to, const struct show_groups *groups, const char *instance);
/* Whether answers to SGSNs wait for the standby: "protected" or "unprotected"; "none": this chassis
 * answers nobody now, as every Standby. */
const char *show_answers(const struct signalling_view *v);

/* ---- show_pair.c ---- */

void show_pair(const struct operator_pair *pair, struct operator_pair_view *v, usec_t now);
/* "Complete", "Mismatch" or "unknown": of what must agree with the peer. */
const char *show_validation(const struct srp_info *i);

/* ---- show_history.c ---- */

/* A time of the wall clock as text, UTC to the microsecond; null if there is none. */
json_t *show_time(int64_t wall_us);
/* A term as "number.side". */
json_t *show_term(srp_term_t term);
/* When a time of the own clock was, by the wall clock; 0 if it was never. */
int64_t show_wall_of(usec_t at, usec_t now);
/* The newest switchover in the history; null if there is none. */
json_t *show_last_switchover(struct journal *j);
/* Adds switchovers by cause and transitions by the state they led to, since start. */
void show_transitions(const struct journal *j, json_t *to);

/* ---- audit.c ---- */

/* How far the pass of the audit is that runs or ran last. */
json_t *show_audit(const struct replicator *r, bool active, usec_t now);

#endif
