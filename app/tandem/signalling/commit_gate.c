/* SPDX-License-Identifier: BSD-3-Clause */
#include "commit_gate.h"

#include "base/log.h"

static struct txn_list *commit_gate_bucket(struct commit_gate *g, uint32_t handle)
{
	return &g->by_handle[(handle ^ handle >> 12) % TXN_HASH];
}

void commit_gate_init(struct commit_gate *g, struct txn_table *txns,
	void (*release)(void *ctx, const struct signalling_txn *x, usec_t now), void *ctx)
{
	*g = (struct commit_gate){ .txns = txns, .release = release, .ctx = ctx };
	TAILQ_INIT(&g->for_commit);
	for (unsigned int i = 0; i < TXN_HASH; i++)
		TAILQ_INIT(&g->by_handle[i]);
}

/* It waits no more: what is next is up to the caller. */
static void commit_gate_remove(struct commit_gate *g, struct signalling_txn *x)
{
	TAILQ_REMOVE(commit_gate_bucket(g, x->handle), x, next);
	TAILQ_REMOVE(&g->for_commit, x, due);
}

static void commit_gate_release(
	struct commit_gate *g, struct signalling_txn *x, bool is_protected, usec_t now)
{
	if (is_protected)
		g->count.protected_answers++;
	else
		g->count.unprotected_answers++;
	if (x->len > 0)
		g->release(g->ctx, x, now);
	if (x->waits_commit)
		commit_gate_remove(g, x);
	txn_free(g->txns, x);
}

void commit_gate_answer(
	struct commit_gate *g, struct signalling_txn *x, const struct commit_gate_time *t)
{
	if (x->commit == 0 || !g->is_protected) {
		commit_gate_release(g, x, false, t->now);
		return;
	}
	g->count.gated_answers++;
	x->deadline = t->now + t->timeout;
	x->stood_still = t->stood_still;
	txn_wait_commit(g->txns, x);
	TAILQ_INSERT_TAIL(&g->for_commit, x, due);
	TAILQ_INSERT_TAIL(commit_gate_bucket(g, x->handle), x, next);
}

/* Commit numbers count modulo 2^24: b is a or later. */
static bool commit_gate_reached(uint32_t a, uint32_t b)
{
	return ((b - a) & 0xffffff) < 0x800000;
}

void commit_gate_committed(struct commit_gate *g, const repl_entry_t *e, unsigned int n, usec_t now)
{
	if (!g->is_protected) {
		g->is_protected = true;
		g->count.protection_began++;
	}
	for (unsigned int i = 0; i < n; i++) {
		uint32_t handle = repl_entry_handle(e[i]), commit = repl_entry_commit(e[i]);
		struct signalling_txn *x = TAILQ_FIRST(commit_gate_bucket(g, handle)), *next;

		for (; x != NULL; x = next) {
			next = TAILQ_NEXT(x, next);
			if (x->handle == handle && commit_gate_reached(x->commit, commit))
				commit_gate_release(g, x, true, now);
		}
	}
}

void commit_gate_release_all(struct commit_gate *g, usec_t now)
{
	struct signalling_txn *x;

	g->is_protected = false;
	while ((x = TAILQ_FIRST(&g->for_commit)) != NULL)
		commit_gate_release(g, x, false, now);
}

void commit_gate_drop_all(struct commit_gate *g)
{
	struct signalling_txn *x;

	g->is_protected = false;
	while ((x = TAILQ_FIRST(&g->for_commit)) != NULL) {
		commit_gate_remove(g, x);
		txn_free(g->txns, x);
	}
}

void commit_gate_stream(struct commit_gate *g, bool on, usec_t now)
{
	if (on) {
		g->is_protected = true;
		return;
	}
	if (g->is_protected)
		g->count.protection_ended_stream++;
	commit_gate_release_all(g, now);
}

void commit_gate_turn(struct commit_gate *g, const struct commit_gate_time *t)
{
	const struct signalling_txn *x = TAILQ_FIRST(&g->for_commit);

	/* As every deadline, this one moves by the time in which we did not run: the
	 * acknowledgement may wait in a ring. */
	if (x == NULL || t->now < x->deadline + (t->stood_still - x->stood_still))
		return;
	g->count.protection_ended_timeout++;
	LOG(WARNING,
		"the standby did not acknowledge in time: answers to SGSNs leave unprotected until "
		"it does, see the replication path timeout_ms=%llu",
		(unsigned long long)(t->timeout / USEC_PER_MSEC));
	commit_gate_release_all(g, t->now);
}
