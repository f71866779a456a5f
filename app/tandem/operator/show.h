/* SPDX-License-Identifier: BSD-3-Clause */
/* show: the handlers of the rows of telemetry/commands.h. A view returns its data as JSON, whose
 * members are in the units that their names say; a command that operates returns a whole answer,
 * and may leave it to ctl_answer(). Control core. */
#ifndef TANDEM_SHOW_H
#define TANDEM_SHOW_H

#include "process/control.h"

/* ---- show.c ---- */

/* Adds n counters (named by `names`) that are not registered to an object. */
void show_counters(json_t *to, const void *counters, const char *const *names, unsigned int n);
json_t *show_pools(struct control *c, json_t *args, usec_t now);
json_t *show_ports(struct control *c, json_t *args, usec_t now);
json_t *show_workers(struct control *c, json_t *args, usec_t now);
/* Whether answers to SGSNs wait for the standby: "protected" or "unprotected". */
const char *show_answers(const struct signalling_view *v);
json_t *show_gtp(struct control *c, json_t *args, usec_t now);

/* ---- show_srp.c ---- */

json_t *show_srp_info(struct control *c, json_t *args, usec_t now);
json_t *show_srp_statistics(struct control *c, json_t *args, usec_t now);
json_t *show_srp_checkpoint(struct control *c, json_t *args, usec_t now);
json_t *show_srp_audit(struct control *c, json_t *args, usec_t now);

/* ---- show_session.c ---- */

json_t *show_sessions(struct control *c, json_t *args, usec_t now);
json_t *show_session(struct control *c, json_t *args, usec_t now);

/* ---- show_past.c ---- */

/* A time of the wall clock as text, UTC to the microsecond; null if there is none. */
json_t *show_time(int64_t wall_us);
/* A term as "number.side". */
json_t *show_term(srp_term_t term);
/* When a time of the own clock was, by the wall clock; 0 if it was never. */
int64_t show_wall_of(usec_t at, usec_t now);
json_t *show_last_switchover(struct control *c);
/* Adds switchovers by cause and transitions by the state they led to, since start. */
void show_transitions(const struct control *c, json_t *to);
json_t *show_srp_history(struct control *c, json_t *args, usec_t now);
json_t *show_call_loss(struct control *c, json_t *args, usec_t now);
json_t *show_alarms(struct control *c, json_t *args, usec_t now);

/* ---- audit.c ---- */

/* How far the comparison of the tables is. */
json_t *show_resync(struct control *c, usec_t now);
json_t *act_resync(struct control *c, json_t *args, usec_t now);

/* ---- command.c ---- */

json_t *act_switchover(struct control *c, json_t *args, usec_t now);
json_t *act_validate_switchover(struct control *c, json_t *args, usec_t now);

/* ---- reload.c ---- */

json_t *show_configuration(struct control *c, json_t *args, usec_t now);
json_t *act_save(struct control *c, json_t *args, usec_t now);
json_t *act_reload(struct control *c, json_t *args, usec_t now);

/* ---- show_agree.c ---- */

json_t *show_difference(struct control *c, json_t *args, usec_t now);
json_t *show_license(struct control *c, json_t *args, usec_t now);
json_t *act_validate_configuration(struct control *c, json_t *args, usec_t now);
/* "Complete", "Mismatch" or "unknown": of what must agree with the peer. */
static inline const char *show_validation(const struct srp_info *i)
{
	if (!i->peer.known || i->peer.hello_at == USEC_NEVER)
		return "unknown";
	return i->agreed ? "Complete" : "Mismatch";
}

/* ---- monitors ---- */

json_t *show_srp_monitor(struct control *c, json_t *args, usec_t now);
json_t *act_reset_auth(struct control *c, json_t *args, usec_t now);
json_t *show_radius(struct control *c, json_t *args, usec_t now);

#endif
