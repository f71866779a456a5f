/* SPDX-License-Identifier: BSD-3-Clause */
/* show: the views of the control socket, as JSON; fields in the units that their names say. Control
 * core. */
#ifndef TANDEM_SHOW_H
#define TANDEM_SHOW_H

#include "process/control.h"

/* Adds n counters (named by `names`) to an object. */
void show_counters(json_t *to, const void *counters, const char *const *names, unsigned int n);
/* Whether answers to SGSNs wait for the standby: "protected" or "unprotected". */
const char *show_answers(const struct signalling_view *v);
json_t *show_srp_info(struct control *c, json_t *args, usec_t now);
json_t *show_srp_statistics(struct control *c, json_t *args, usec_t now);
json_t *show_srp_checkpoint(struct control *c, json_t *args, usec_t now);
json_t *show_srp_audit(struct control *c, json_t *args, usec_t now);
/* control_audit.c: how far the comparison is; and the command that begins one (a whole answer). */
json_t *show_resync(struct control *c, usec_t now);
json_t *act_resync(struct control *c, json_t *args, usec_t now);
/* command.c; a whole answer each. */
json_t *act_switchover(struct control *c, json_t *args, usec_t now);
json_t *act_validate_switchover(struct control *c, json_t *args, usec_t now);
/* control_config.c */
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
/* control_monitor.c, control_aaa.c; act: a whole answer */
json_t *show_srp_monitor(struct control *c, json_t *args, usec_t now);
json_t *act_reset_auth(struct control *c, json_t *args, usec_t now);
json_t *show_radius(struct control *c, json_t *args, usec_t now);
/* show_past.c. Times are text, UTC to the microsecond; null: none. show_wall_of: when a time of the
 * own clock was, 0 none. */
json_t *show_time(int64_t wall_us);
int64_t show_wall_of(usec_t at, usec_t now);
json_t *show_last_switchover(struct control *c);
/* Adds switchovers by cause and transitions by the state they led to, since start. */
void show_transitions(const struct control *c, json_t *to);
json_t *show_srp_history(struct control *c, json_t *args, usec_t now);
json_t *show_call_loss(struct control *c, json_t *args, usec_t now);
json_t *show_alarms(struct control *c, json_t *args, usec_t now);
json_t *show_sessions(struct control *c, json_t *args, usec_t now);
json_t *show_session(struct control *c, json_t *args, usec_t now);
json_t *show_pools(struct control *c, json_t *args, usec_t now);
json_t *show_ports(struct control *c, json_t *args, usec_t now);
json_t *show_workers(struct control *c, json_t *args, usec_t now);
json_t *show_gtp(struct control *c, json_t *args, usec_t now);
/* control_reload.c. act_: a whole answer, or null: ctl_answer() gives it when the disk is
 * through. */
json_t *show_configuration(struct control *c, json_t *args, usec_t now);
json_t *act_save(struct control *c, json_t *args, usec_t now);
json_t *act_reload(struct control *c, json_t *args, usec_t now);

#endif
