/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "pdp_priv.h"

struct pdp *pdp_open(const struct pdp_env *env)
{
	struct pdp *p;

	if (env->n_owners == 0) {
		errno = EINVAL;
		return NULL;
	}
	p = env->mem.alloc(env->mem.ctx, sizeof(*p), 64);
	if (p == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	p->env = *env;
	p->row = env->mem.alloc(env->mem.ctx, PDP_ROWS * sizeof(*p->row), 64);
	if (p->row == NULL) {
		pdp_close(p);
		errno = ENOMEM;
		return NULL;
	}
	TAILQ_INIT(&p->free);
	for (unsigned int i = 0; i < STEPS; i++)
		TAILQ_INIT(&p->at[i]);
	for (unsigned int i = 0; i < PDP_HASH; i++) {
		TAILQ_INIT(&p->line[i]);
		TAILQ_INIT(&p->gate[i]);
	}
	TAILQ_INIT(&p->silent);
	p->live_most = env->max_sessions; /* not known: they are counted */
	return p;
}

void pdp_close(struct pdp *p)
{
	if (p == NULL)
		return;
	if (p->row != NULL)
		p->env.mem.free(p->env.mem.ctx, p->row);
	p->env.mem.free(p->env.mem.ctx, p);
}

void pdp_configure(struct pdp *p, usec_t commit_timeout_us)
{
	p->env.commit_timeout_us = commit_timeout_us;
}

void pdp_begin(struct pdp *p, const struct pdp_request *q, usec_t now)
{
	procedure_request(p, q, now);
}

void pdp_answered(struct pdp *p, const struct pdp_done *d, const struct pdp_time *t)
{
	struct pdp_row *x = row_by_cookie(p, d->cookie);
	struct pdp_line l;

	/* Else it was given up with the role. */
	if (x == NULL || x->owner != d->owner || (x->step != STEP_END && x->step != STEP_OWNER))
		return;
	p->stood_still = t->stood_still;
	l = row_line(x);
	if (x->kind > PDP_DELETE)
		own_answered(p, x, d, t->now);
	else
		procedure_answered(p, x, d, t);
	procedure_next(p, &l, t->now);
}

void pdp_aaa_answered(struct pdp *p, uint64_t cookie, bool accepted, usec_t now)
{
	struct pdp_row *x = row_by_cookie(p, cookie);

	if (x == NULL || x->step != STEP_AAA)
		return;
	if (!accepted) {
		row_finish(p, x, PDP_NOT_AUTHENTICATED, now);
		return;
	}
	row_rejoin(p, x);
	procedure_line(p, x, now);
}

/* The first of a step whose time is over, or NULL. */
static struct pdp_row *pdp_due(struct pdp *p, enum pdp_step step, usec_t now)
{
	struct pdp_row *x = TAILQ_FIRST(&p->at[step]);

	return x != NULL && row_is_due(p, x, now) ? x : NULL;
}

static void pdp_turn_again(struct pdp *p, usec_t now)
{
	struct pdp_row *x;

	if (now < p->held_until)
		return;
	while ((x = pdp_due(p, STEP_AGAIN, now)) != NULL) {
		row_rejoin(p, x);
		procedure_line(p, x, now);
	}
}

void pdp_turn(struct pdp *p, const struct pdp_time *t, bool ask_peers)
{
	struct pdp_row *x;

	p->stood_still = t->stood_still;
	if (ask_peers)
		peers_turn(p, t->now);
	gate_turn(p, t);
	while ((x = pdp_due(p, STEP_AAA, t->now)) != NULL)
		row_finish(p, x, PDP_NOT_AUTHENTICATED, t->now);
	while ((x = pdp_due(p, STEP_LINE, t->now)) != NULL)
		row_later(p, x, t->now);
	while ((x = pdp_due(p, STEP_PEER, t->now)) != NULL)
		row_give(p, x);
	pdp_turn_again(p, t->now);
}

void pdp_activated(struct pdp *p, uint64_t term)
{
	p->live_most = p->env.max_sessions;
	p->next_charging = (uint32_t)(term << 20) | 1;
	for (unsigned int i = 0; i < p->n_peers; i++)
		p->peer[i].checked = false;
}

static void pdp_give_up(struct pdp *p, enum pdp_step step, usec_t now)
{
	struct pdp_row *x;

	while ((x = TAILQ_FIRST(&p->at[step])) != NULL)
		row_finish(p, x, PDP_UNANSWERED, now);
}

void pdp_hold(struct pdp *p, usec_t now)
{
	struct pdp_row *x;

	p->held_until = now + PDP_AGAIN_US;
	pdp_give_up(p, STEP_AAA, now);
	while ((x = TAILQ_FIRST(&p->at[STEP_LINE])) != NULL)
		row_later(p, x, now);
}

void pdp_deactivated(struct pdp *p, usec_t now)
{
	p->is_protected = false;
	for (unsigned int i = STEP_AAA; i < STEPS; i++)
		pdp_give_up(p, (enum pdp_step)i, now);
}

void pdp_view(const struct pdp *p, struct pdp_view *v)
{
	const struct pdp_row *x = TAILQ_FIRST(&p->at[STEP_COMMIT]);

	*v = (struct pdp_view){ .gate = p->count,
		.is_protected = p->is_protected,
		.working = p->n_at[STEP_END] + p->n_at[STEP_OWNER] + p->n_at[STEP_COMMIT],
		.requests = p->n_requests,
		.for_aaa = p->n_at[STEP_AAA],
		.in_line = p->n_at[STEP_LINE],
		.for_commit = p->n_at[STEP_COMMIT],
		.own = p->n_own,
		.rows = p->count_rows,
		.oldest = x != NULL ? row_cookie(p, x) : 0 };
}

bool pdp_is_idle(const struct pdp *p)
{
	return p->n_requests == 0 && p->n_at[STEP_END] == 0 && p->n_at[STEP_OWNER] == 0;
}

bool pdp_names(const struct pdp *p, uint8_t apn, uint8_t pool)
{
	for (unsigned int i = 0; i < PDP_ROWS; i++) {
		const struct pdp_row *x = &p->row[i];

		if (x->step == STEP_FREE)
			continue;
		if ((apn != 0 && x->rec.apn == apn) || (pool != 0 && x->rec.pool == pool))
			return true;
	}
	return false;
}

size_t pdp_network_identifier(const char *apn)
{
	size_t len = strlen(apn);
	const char *op = apn + len - 19;

	if (len > 19 && strncmp(op, ".mnc", 4) == 0 && strspn(op + 4, "0123456789") == 3 &&
		strncmp(op + 7, ".mcc", 4) == 0 && strspn(op + 11, "0123456789") == 3 &&
		strcmp(op + 14, ".gprs") == 0)
		return len - 19;
	return len;
}
