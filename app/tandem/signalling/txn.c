/* SPDX-License-Identifier: BSD-3-Clause */
#include "txn.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

static struct txn_list *txn_bucket(struct txn_table *t, const struct txn_request *q)
{
	uint64_t hash = gtpc_request_hash(&t->secret, &q->peer, q->type, q->seq, q->digest);

	return &t->by_request[hash % TXN_HASH];
}

int txn_table_init(struct txn_table *t, const struct siphash_secret *secret)
{
	*t = (struct txn_table){ .secret = *secret,
		.places = memory_take("txns", TXN_MAX * sizeof(*t->places), 0) };
	TAILQ_INIT(&t->free);
	TAILQ_INIT(&t->for_worker);
	for (unsigned int i = 0; i < TXN_HASH; i++)
		TAILQ_INIT(&t->by_request[i]);
	return t->places != NULL ? 0 : -ENOMEM;
}

void txn_table_fini(struct txn_table *t)
{
	memory_give(t->places);
}

struct signalling_txn *txn_new(struct txn_table *t, const struct txn_request *q, usec_t now)
{
	struct signalling_txn *x = TAILQ_FIRST(&t->free);
	uint32_t serial;

	if (x != NULL) {
		TAILQ_REMOVE(&t->free, x, next);
	} else if (t->n_touched < TXN_MAX) {
		/* The places are megabytes, of which few are ever used at once. */
		x = &t->places[t->n_touched++];
	} else {
		t->full++;
		return NULL;
	}
	serial = x->serial + 1;
	/* Neither a response nor an annex is there as yet. */
	memset(x, 0, offsetof(struct signalling_txn, rec.annex));
	x->serial = serial;
	x->used = true;
	x->request = *q;
	x->deadline = now + TXN_WORKER_US;
	TAILQ_INSERT_TAIL(txn_bucket(t, q), x, asked);
	TAILQ_INSERT_TAIL(&t->for_worker, x, due);
	t->n++;
	return x;
}

void txn_free(struct txn_table *t, struct signalling_txn *x)
{
	if (!x->waits_commit)
		TAILQ_REMOVE(&t->for_worker, x, due);
	TAILQ_REMOVE(txn_bucket(t, &x->request), x, asked);
	x->used = x->waits_commit = false;
	t->n--;
	TAILQ_INSERT_HEAD(&t->free, x, next);
}

static bool txn_same_request(const struct txn_request *a, const struct txn_request *b)
{
	return a->type == b->type && a->seq == b->seq && a->digest == b->digest &&
	       a->peer.port == b->peer.port && ip_addr_equal(&a->peer.addr, &b->peer.addr);
}

struct signalling_txn *txn_in_progress(struct txn_table *t, const struct txn_request *q)
{
	struct signalling_txn *x;

	TAILQ_FOREACH (x, txn_bucket(t, q), asked)
		if (txn_same_request(&x->request, q))
			return x;
	return NULL;
}

uint64_t txn_cookie(const struct txn_table *t, const struct signalling_txn *x)
{
	return (uint64_t)x->serial << 32 | ((uint64_t)(x - t->places) + 1);
}

struct signalling_txn *txn_by_cookie(struct txn_table *t, uint64_t cookie)
{
	uint32_t n = (uint32_t)cookie;
	struct signalling_txn *x = n >= 1 && n <= TXN_MAX ? &t->places[n - 1] : NULL;

	return x != NULL && x->used && x->serial == cookie >> 32 ? x : NULL;
}

void txn_wait_commit(struct txn_table *t, struct signalling_txn *x)
{
	TAILQ_REMOVE(&t->for_worker, x, due);
	x->waits_commit = true;
}

void txn_turn(struct txn_table *t, usec_t now)
{
	struct signalling_txn *x;

	while ((x = TAILQ_FIRST(&t->for_worker)) != NULL && now >= x->deadline)
		txn_free(t, x);
}

void txn_drop_all(struct txn_table *t)
{
	struct signalling_txn *x;

	while ((x = TAILQ_FIRST(&t->for_worker)) != NULL)
		txn_free(t, x);
}
