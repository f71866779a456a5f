/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "pdp_priv.h"

static bool row_is_own(const struct pdp_row *x)
{
	return x->kind > PDP_DELETE;
}

/* Deletes, and what the gateway begins, find room when requests that take more have none. */
static bool row_has_room(const struct pdp *p, uint8_t kind)
{
	if (kind > PDP_DELETE)
		return p->n_own < PDP_OWN;
	return p->n_requests < (kind == PDP_DELETE ? PDP_REQUESTS : PDP_REQUESTS - PDP_FOR_DELETES);
}

struct pdp_row *row_take(struct pdp *p, uint8_t kind)
{
	struct pdp_row *x = TAILQ_FIRST(&p->free);
	uint32_t serial;

	if (!row_has_room(p, kind)) {
		p->count_rows.requests_full++;
		return NULL;
	}
	if (x != NULL)
		TAILQ_REMOVE(&p->free, x, next);
	else /* The rows are megabytes, of which few are ever used at once. */
		x = &p->row[p->n_touched++];
	serial = x->serial + 1;
	memset(x, 0, offsetof(struct pdp_row, rec));
	x->serial = serial;
	x->kind = kind;
	if (row_is_own(x))
		p->n_own++;
	else
		p->n_requests++;
	return x;
}

static void row_leave_step(struct pdp *p, struct pdp_row *x)
{
	if (x->step == STEP_FREE)
		return;
	if (x->step == STEP_COMMIT)
		TAILQ_REMOVE(row_gate(p, x->handle), x, next);
	TAILQ_REMOVE(&p->at[x->step], x, due);
	p->n_at[x->step]--;
	x->step = STEP_FREE;
}

void row_give(struct pdp *p, struct pdp_row *x)
{
	row_leave_step(p, x);
	if (x->keyed)
		TAILQ_REMOVE(&p->line[x->bucket], x, line);
	if (row_is_own(x))
		p->n_own--;
	else
		p->n_requests--;
	TAILQ_INSERT_HEAD(&p->free, x, next);
}

void row_finish(struct pdp *p, struct pdp_row *x, enum pdp_cause cause, usec_t now)
{
	const struct pdp_answer a = { .id = x->id,
		.kind = x->kind,
		.cause = cause,
		.peer_teid = x->rec.peer_ctl_teid,
		.rec = cause == PDP_ACCEPTED ? &x->rec : NULL };

	if (x->kind <= PDP_DELETE)
		p->env.ops.answer(p->env.ops.ctx, &a, now);
	row_give(p, x);
}

void row_later(struct pdp *p, struct pdp_row *x, usec_t now)
{
	if (x->until == 0)
		x->until = now + PDP_AGAIN_FOR_US;
	if (row_is_own(x) && now < x->until)
		row_wait(p, x, STEP_AGAIN, now + PDP_AGAIN_US);
	else
		row_finish(p, x, PDP_UNANSWERED, now);
}

uint64_t row_cookie(const struct pdp *p, const struct pdp_row *x)
{
	return (uint64_t)x->serial << 32 | ((uint64_t)(x - p->row) + 1);
}

struct pdp_row *row_by_cookie(struct pdp *p, uint64_t cookie)
{
	uint32_t n = (uint32_t)cookie;
	struct pdp_row *x = n >= 1 && n <= PDP_ROWS ? &p->row[n - 1] : NULL;

	return x != NULL && x->step != STEP_FREE && x->serial == cookie >> 32 ? x : NULL;
}

void row_wait(struct pdp *p, struct pdp_row *x, enum pdp_step step, usec_t until)
{
	row_leave_step(p, x);
	x->step = (uint8_t)step;
	x->deadline = until;
	x->stood_still = p->stood_still;
	TAILQ_INSERT_TAIL(&p->at[step], x, due);
	p->n_at[step]++;
}

/* Who asks without end for a session does not keep it from ending. */
static unsigned int row_same(const struct pdp_row *x)
{
	bool ends = x->kind == PDP_DELETE || x->kind == ROW_END;

	return ends ? PDP_SAME + PDP_SAME_ENDS : PDP_SAME;
}

bool row_join(struct pdp *p, struct pdp_row *x, uint64_t key)
{
	uint16_t bucket = (uint16_t)(siphash_word(&p->env.secret, key) % PDP_HASH);
	const struct pdp_row *y;
	unsigned int n = 0, others = 0;

	TAILQ_FOREACH (y, &p->line[bucket], line) {
		n += y->key == key;
		others += y->key != key;
	}
	if (n >= row_same(x)) {
		p->count_rows.requests_full++;
		return false;
	}
	if (others >= PDP_CHAIN) {
		p->count_rows.requests_collided++;
		return false;
	}
	x->key = key;
	x->bucket = bucket;
	x->keyed = true;
	TAILQ_INSERT_TAIL(&p->line[bucket], x, line);
	return true;
}

void row_rejoin(struct pdp *p, struct pdp_row *x)
{
	TAILQ_REMOVE(&p->line[x->bucket], x, line);
	TAILQ_INSERT_TAIL(&p->line[x->bucket], x, line);
}

struct pdp_row *row_whose_turn(struct pdp *p, const struct pdp_line *l)
{
	struct pdp_row *y, *first = NULL;

	TAILQ_FOREACH (y, &p->line[l->bucket], line) {
		if (y->key != l->key)
			continue;
		if (y->step == STEP_END || y->step == STEP_OWNER)
			return NULL;
		if (y->step == STEP_LINE && first == NULL)
			first = y;
	}
	return first;
}

struct pdp_row *row_at_aaa(struct pdp *p, const struct pdp_row *x)
{
	struct pdp_row *y;

	TAILQ_FOREACH (y, &p->line[x->bucket], line)
		if (y->key == x->key && y->step == STEP_AAA)
			return y;
	return NULL;
}

uint32_t row_left(struct pdp *p, const struct pdp_row *x)
{
	const struct pdp_row *y;
	uint32_t left = 0;

	TAILQ_FOREACH (y, &p->line[x->bucket], line)
		if (y->key == x->key && y->step == STEP_COMMIT)
			left = y->kind == PDP_DELETE ? 0 : y->handle;
	return left;
}
