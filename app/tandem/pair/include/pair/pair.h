/* SPDX-License-Identifier: BSD-3-Clause */
/* pair: which of the two chassis is Active, and what that means here: the connection to the peer,
 * the steps of a change of roles, and the role as other rooms may ask for it. This room alone
 * decides when slots change hands, when VIPs and routes come and go, and when signalling is
 * answered. The control core alone calls these; none blocks. */
#ifndef TANDEM_PAIR_H
#define TANDEM_PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/usec.h"
#include "repl/repl.h"

struct control;
struct from_replicator_done;
struct from_replicator_late_drained;
struct from_worker_done;
struct from_worker_late_end;
struct msg;
struct pair;
struct srp_action;

/* NULL: no memory. */
struct pair *pair_create(void);
void pair_destroy(struct pair *p);

/* ---- the role ---- */

/* The workers may write the slots: they are this chassis'. */
bool pair_owns(const struct pair *p);
/* The term in which they own them, or did last. */
repl_term_t pair_own_term(const struct pair *p);
/* Signalling is answered. */
bool pair_answers(const struct pair *p);
/* Answers are given to what is in progress, but nothing new is begun: a hand-over is near. */
bool pair_holds(const struct pair *p);
/* Usage that was counted here after the peer took over is not yet acknowledged by it. */
bool pair_late_usage(const struct pair *p);

/* ---- steps of a change of roles ---- */

/* Begins what lib/srp asks for. */
void step_begin(struct control *c, const struct srp_action *a, usec_t now);
/* Another core's answer. */
void step_worker_done(struct control *c, const struct from_worker_done *m, usec_t now);
void step_repl_done(struct control *c, const struct from_replicator_done *m, usec_t now);
void step_late_ended(struct control *c, const struct from_worker_late_end *m, usec_t now);
void step_late_drained(struct control *c, const struct from_replicator_late_drained *m);
/* Gives lib/srp the answer to a step that was carried out; false: there is none. */
bool step_deliver(struct control *c, usec_t now);
/* At each turn: steps that wait for a condition, late usage, a Standby's routes. */
void pair_turn(struct control *c, usec_t now);
/* At each turn: says where the VIPs are, if that is due. */
void pair_announce(struct control *c, usec_t now);
/* Where and as what the routes are up, for `show srp info`: "advertised, metric 2, as standby" */
void pair_routes_text(const struct control *c, char *text, size_t len, usec_t now);

#endif
