/* SPDX-License-Identifier: BSD-3-Clause */
/* Commit before answer: an answer to an SGSN leaves when the standby has acknowledged what it
 * promises. The gate is the stream: closed (answers wait) while commits are acknowledged in time;
 * opened for all that wait by one that ran out or by the stream's end; closed again by the next
 * acknowledgement (DESIGN.md section 4). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/control.h"
#include "common/mutant.h"

enum { WORKER_ANSWER_US = 2000000 };

uint64_t txn_cookie(const struct control *c, const struct txn *t)
{
	return (uint64_t)t->serial << 32 | ((uint64_t)(t - c->gtp.txns) + 1);
}

struct txn *txn_by_cookie(struct control *c, uint64_t cookie)
{
	uint32_t n = (uint32_t)cookie;
	struct txn *t = n >= 1 && n <= GATE_MAX ? &c->gtp.txns[n - 1] : NULL;

	return t != NULL && t->used && t->serial == cookie >> 32 ? t : NULL;
}

static struct txn_list *by_request(struct control *c, const struct gtpc_peer *from, uint16_t seq)
{
	uint32_t addr;

	memcpy(&addr, from->addr.b + 12, sizeof(addr));
	return &c->gtp.by_request[(addr * 2654435761u >> 16 ^ from->port ^ seq) % GATE_HASH];
}

struct txn *txn_new(struct control *c, const struct gtpc_peer *from, uint8_t type, uint16_t seq,
	uint32_t digest, usec_t now)
{
	struct txn *t = TAILQ_FIRST(&c->gtp.free);
	uint32_t serial;

	if (t != NULL) {
		TAILQ_REMOVE(&c->gtp.free, t, next);
	} else if (c->gtp.n_touched <
		   GATE_MAX) { /* megabytes, of which few are ever used at once */
		t = &c->gtp.txns[c->gtp.n_touched++];
	} else {
		c->gtp.gate.txn_full++;
		return NULL;
	}
	serial = t->serial + 1;
	memset(t, 0, offsetof(struct txn, msg));
	t->serial = serial;
	t->used = true;
	t->type = type;
	t->seq = seq;
	t->digest = digest;
	t->peer = *from;
	t->deadline = now + WORKER_ANSWER_US;
	TAILQ_INSERT_TAIL(by_request(c, from, seq), t, asked);
	TAILQ_INSERT_TAIL(&c->gtp.for_worker, t, due);
	c->gtp.n_txns++;
	return t;
}

static struct txn_list *by_handle(struct control *c, uint32_t handle)
{
	return &c->gtp.by_handle[(handle ^ handle >> 12) % GATE_HASH];
}

void txn_free(struct control *c, struct txn *t)
{
	if (t->waiting_commit)
		TAILQ_REMOVE(by_handle(c, t->handle), t, next);
	TAILQ_REMOVE(t->waiting_commit ? &c->gtp.for_commit : &c->gtp.for_worker, t, due);
	TAILQ_REMOVE(by_request(c, &t->peer, t->seq), t, asked);
	t->used = t->waiting_commit = false;
	c->gtp.n_txns--;
	TAILQ_INSERT_HEAD(&c->gtp.free, t, next);
}

struct txn *txn_in_progress(struct control *c, const struct gtpc_peer *from, uint8_t type,
	uint16_t seq, uint32_t digest)
{
	struct txn *t;

	TAILQ_FOREACH (t, by_request(c, from, seq), asked) {
		if (t->type == type && t->seq == seq && t->digest == digest &&
			t->peer.port == from->port && ip_addr_equal(&t->peer.addr, &from->addr))
			return t;
	}
	return NULL;
}

static void answer_now(struct control *c, struct txn *t, bool is_protected, usec_t now)
{
	if (is_protected)
		c->gtp.gate.protected_answers++;
	else
		c->gtp.gate.unprotected_answers++;
	if (t->len > 0) {
		gtp_send(c, &t->peer, t->msg, t->len);
		gtpc_answered_put(
			c->gtp.answered, &t->peer, t->type, t->seq, t->digest, t->msg, t->len, now);
	}
	txn_free(c, t);
}

void gate_answer(struct control *c, struct txn *t, usec_t now)
{
	if (MUTANT(answer_before_commit) && c->gtp.gate_closed) {
		answer_now(c, t, true, now);
		return;
	}
	if (t->commit == 0 || !c->gtp.gate_closed) {
		answer_now(c, t, false, now);
		return;
	}
	c->gtp.gate.commits++;
	t->deadline = now + T.conf->srp.commit_timeout_ms * USEC_PER_MSEC;
	t->stood_still = c->stood_still;
	TAILQ_REMOVE(&c->gtp.for_worker, t, due);
	TAILQ_INSERT_TAIL(&c->gtp.for_commit, t, due);
	t->waiting_commit = true;
	TAILQ_INSERT_TAIL(by_handle(c, t->handle), t, next);
}

/* Commit numbers count modulo 2^24: b is a or later. */
static bool reached(uint32_t a, uint32_t b)
{
	return ((b - a) & 0xffffff) < 0x800000 || MUTANT(commit_unordered);
}

void gate_committed(struct control *c, const struct msg *m, usec_t now)
{
	if (!c->gtp.gate_closed && !MUTANT(gate_never_closes)) {
		c->gtp.gate_closed = true;
		c->gtp.gate.closed++;
	}
	for (unsigned int i = 0; i < m->n; i++) {
		uint32_t handle = repl_entry_handle(m->entry[i]),
			 commit = repl_entry_commit(m->entry[i]);
		struct txn *t = TAILQ_FIRST(by_handle(c, handle)), *next;

		for (; t != NULL; t = next) {
			next = TAILQ_NEXT(t, next);
			if (t->handle == handle && reached(t->commit, commit))
				answer_now(c, t, true, now);
		}
	}
}

static void open_gate(struct control *c, usec_t now)
{
	struct txn *t;

	c->gtp.gate_closed = false;
	while ((t = TAILQ_FIRST(&c->gtp.for_commit)) != NULL)
		answer_now(c, t, false, now);
}

void gate_stream(struct control *c, bool on, usec_t now)
{
	if (on) {
		c->gtp.gate_closed = true;
		return;
	}
	if (MUTANT(gate_never_opens))
		return;
	if (c->gtp.gate_closed)
		c->gtp.gate.opened_stream++;
	open_gate(c, now);
}

void gate_turn(struct control *c, usec_t now)
{
	struct txn *t = TAILQ_FIRST(&c->gtp.for_commit);

	/* As every deadline, it moves by the time in which we did not run: the answer may wait in a
	 * ring. */
	if (MUTANT(gate_never_opens))
		t = NULL;
	if (t != NULL && now >= t->deadline + (c->stood_still - t->stood_still)) {
		c->gtp.gate.opened_timeout++;
		LOG(WARNING,
			"the standby did not acknowledge within %u ms: answers go out unprotected "
			"until it does",
			T.conf->srp.commit_timeout_ms);
		open_gate(c, now);
	}
	/* A worker did not answer: the SGSN asks again. */
	while ((t = TAILQ_FIRST(&c->gtp.for_worker)) != NULL && now >= t->deadline)
		txn_free(c, t);
}

void gate_open(struct gtp *g)
{
	TAILQ_INIT(&g->free);
	TAILQ_INIT(&g->for_worker);
	TAILQ_INIT(&g->for_commit);
	for (unsigned int i = 0; i < GATE_HASH; i++) {
		TAILQ_INIT(&g->by_handle[i]);
		TAILQ_INIT(&g->by_request[i]);
	}
}

bool gate_empty(const struct control *c)
{
	return c->gtp.n_txns == 0;
}
