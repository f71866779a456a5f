/* SPDX-License-Identifier: BSD-3-Clause */
#include "asked.h"

#include <errno.h>

#include "base/memory.h"

uint16_t asked_bucket(const struct asked_table *t, const struct asked_request *q)
{
	return (uint16_t)(gtpc_request_hash(&t->secret, &q->peer, q->type, q->seq, q->digest) %
			  ASKED_HASH);
}

int asked_init(struct asked_table *t, const struct siphash_secret *secret)
{
	*t = (struct asked_table){ .secret = *secret,
		.asked = memory_take("asked", ASKED_MAX * sizeof(*t->asked), 0) };
	TAILQ_INIT(&t->free);
	for (unsigned int i = 0; i < ASKED_HASH; i++)
		TAILQ_INIT(&t->bucket[i]);
	return t->asked != NULL ? 0 : -ENOMEM;
}

void asked_fini(struct asked_table *t)
{
	memory_give(t->asked);
}

struct asked_message *asked_add(struct asked_table *t, const struct asked_request *q)
{
	struct asked_message *a = TAILQ_FIRST(&t->free);

	if (t->n_in[q->bucket] == ASKED_CHAIN) {
		t->collided++;
		return NULL;
	}
	if (a != NULL) {
		TAILQ_REMOVE(&t->free, a, next);
	} else if (t->n_touched < ASKED_MAX) {
		a = &t->asked[t->n_touched++];
	} else {
		t->full++;
		return NULL;
	}
	t->n_in[q->bucket]++;
	a->used = true;
	a->serial++;
	a->request = *q;
	a->pco_len = 0;
	TAILQ_INSERT_TAIL(&t->bucket[q->bucket], a, next);
	return a;
}

void asked_forget(struct asked_table *t, struct asked_message *a)
{
	TAILQ_REMOVE(&t->bucket[a->request.bucket], a, next);
	t->n_in[a->request.bucket]--;
	a->used = false;
	TAILQ_INSERT_HEAD(&t->free, a, next);
}

static bool asked_same(const struct asked_request *a, const struct asked_request *b)
{
	return a->type == b->type && a->seq == b->seq && a->digest == b->digest &&
	       a->peer.port == b->peer.port && ip_addr_equal(&a->peer.addr, &b->peer.addr);
}

bool asked_in_progress(struct asked_table *t, const struct asked_request *q)
{
	const struct asked_message *a;

	TAILQ_FOREACH (a, &t->bucket[q->bucket], next)
		if (asked_same(&a->request, q))
			return true;
	return false;
}

uint64_t asked_id(const struct asked_table *t, const struct asked_message *a)
{
	return (uint64_t)a->serial << 32 | ((uint64_t)(a - t->asked) + 1);
}

struct asked_message *asked_by_id(struct asked_table *t, uint64_t id)
{
	uint32_t n = (uint32_t)id;
	struct asked_message *a = n >= 1 && n <= ASKED_MAX ? &t->asked[n - 1] : NULL;

	return a != NULL && a->used && a->serial == id >> 32 ? a : NULL;
}
