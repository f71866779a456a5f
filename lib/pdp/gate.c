/* SPDX-License-Identifier: BSD-3-Clause */
/* The commit gate: commit before answer. An answer waits here until the standby has acknowledged
 * what it promises. While acknowledgements come in time, answers are protected. One that does not
 * come in time, or the end of the stream, ends the protection: all that wait leave, and the answers
 * that follow do not wait, until the next acknowledgement comes. */
#include "pdp_priv.h"

static void gate_release(struct pdp *p, struct pdp_row *x, bool is_protected, usec_t now)
{
	if (is_protected)
		p->count.protected_answers++;
	else
		p->count.unprotected_answers++;
	row_finish(p, x, PDP_ACCEPTED, now);
}

void gate_enter(struct pdp *p, struct pdp_row *x, const struct pdp_time *t)
{
	if (x->commit == 0 || !p->is_protected) {
		gate_release(p, x, false, t->now);
		return;
	}
	p->count.gated_answers++;
	row_wait(p, x, STEP_COMMIT, t->now + p->env.commit_timeout_us);
	TAILQ_INSERT_TAIL(row_gate(p, x->handle), x, next);
}

/* Commit numbers count modulo 2^24: b is a or later. */
static bool gate_reached(uint32_t a, uint32_t b)
{
	return ((b - a) & 0xffffff) < 0x800000;
}

void pdp_committed(struct pdp *p, uint32_t handle, uint32_t commit, usec_t now)
{
	struct pdp_row *x, *next;

	if (!p->is_protected) {
		p->is_protected = true;
		p->count.protection_began++;
	}
	for (x = TAILQ_FIRST(row_gate(p, handle)); x != NULL; x = next) {
		next = TAILQ_NEXT(x, next);
		if (x->handle == handle && gate_reached(x->commit, commit))
			gate_release(p, x, true, now);
	}
}

static void gate_release_all(struct pdp *p, usec_t now)
{
	struct pdp_row *x;

	p->is_protected = false;
	while ((x = TAILQ_FIRST(&p->at[STEP_COMMIT])) != NULL)
		gate_release(p, x, false, now);
}

void pdp_stream(struct pdp *p, bool on, usec_t now)
{
	if (on) {
		p->is_protected = true;
		return;
	}
	if (p->is_protected)
		p->count.protection_ended_stream++;
	gate_release_all(p, now);
}

void gate_turn(struct pdp *p, const struct pdp_time *t)
{
	const struct pdp_row *x = TAILQ_FIRST(&p->at[STEP_COMMIT]);

	if (x == NULL || !row_is_due(p, x, t->now))
		return;
	p->count.protection_ended_timeout++;
	p->env.ops.news(p->env.ops.ctx, PDP_PROTECTION_TIMEOUT, NULL, 0, 0);
	gate_release_all(p, t->now);
}
