/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring of the last answers, oldest overwritten first, and a hash with chains through it. */
#include <stdlib.h>

#include "gtp/gtpc.h"

enum {
	ANSWERED_MSG = 512, /* longer answers are not kept: the request is then worked off again */
	ANSWERED_BUCKETS = 2 * GTPC_ANSWERED_MAX,
	/* Of a chain. One of half an answer on average is never so long by chance. */
	ANSWERED_CHAIN = 16,
	NONE = 0xffff,
};

struct answer_entry {
	struct gtpc_peer to;
	uint16_t seq, len; /* len 0: unused */
	uint16_t next;     /* in the chain */
	uint16_t bucket;   /* that holds the chain */
	uint8_t type;
	uint32_t digest;
	usec_t at;
	uint8_t msg[ANSWERED_MSG];
};

struct gtpc_answered {
	usec_t ttl;
	struct siphash_secret secret;
	uint16_t head; /* where the next one goes */
	bool round;    /* it was at the end before: no entry is untouched */
	struct gtpc_answered_counters count;
	uint16_t bucket[ANSWERED_BUCKETS];
	struct answer_entry e[GTPC_ANSWERED_MAX];
};

uint64_t gtpc_request_hash(const struct siphash_secret *secret, const struct gtpc_peer *from,
	uint8_t type, uint16_t seq, uint32_t digest)
{
	const uint64_t words[] = { ip_addr_half(&from->addr, 0), ip_addr_half(&from->addr, 1),
		(uint64_t)digest << 32 | (uint32_t)from->port << 16 | seq, type };

	return siphash(secret, words, sizeof(words));
}

static uint16_t answered_bucket_of(const struct gtpc_answered *a, const struct gtpc_peer *to,
	uint8_t type, uint16_t seq, uint32_t digest)
{
	return (uint16_t)(gtpc_request_hash(&a->secret, to, type, seq, digest) % ANSWERED_BUCKETS);
}

static bool answered_same(const struct answer_entry *e, const struct gtpc_peer *to, uint8_t type,
	uint16_t seq, uint32_t digest)
{
	return e->seq == seq && e->digest == digest && e->type == type && e->to.port == to->port &&
	       ip_addr_equal(&e->to.addr, &to->addr);
}

/* The link that names the entry in its bucket; *link is NONE if there is none. */
static uint16_t *answered_find(struct gtpc_answered *a, uint16_t bucket, const struct gtpc_peer *to,
	uint8_t type, uint16_t seq, uint32_t digest)
{
	uint16_t *link = &a->bucket[bucket];

	while (*link != NONE && !answered_same(&a->e[*link], to, type, seq, digest))
		link = &a->e[*link].next;
	return link;
}

static void answered_forget(struct gtpc_answered *a, struct answer_entry *e)
{
	uint16_t *link = answered_find(a, e->bucket, &e->to, e->type, e->seq, e->digest);

	*link = e->next;
	e->len = 0;
}

/* A chain that is as long as it may be loses its last one, which is its oldest. */
static void answered_shorten(struct gtpc_answered *a, uint16_t bucket)
{
	uint16_t *link = &a->bucket[bucket], *last = link;
	unsigned int n = 0;

	for (; *link != NONE; link = &a->e[*link].next) {
		last = link;
		n++;
	}
	if (n < ANSWERED_CHAIN)
		return;
	a->e[*last].len = 0;
	*last = NONE;
	a->count.answers_collided++;
}

struct gtpc_answered *gtpc_answered_create(usec_t ttl, const struct siphash_secret *secret)
{
	struct gtpc_answered *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->ttl = ttl;
	a->secret = *secret;
	gtpc_answered_clear(a);
	return a;
}

void gtpc_answered_clear(struct gtpc_answered *a)
{
	memset(a->bucket, 0xff, sizeof(a->bucket));
	for (unsigned int i = 0; i < (a->round ? GTPC_ANSWERED_MAX : a->head); i++)
		a->e[i].len = 0;
	a->head = 0;
	a->round = false;
}

void gtpc_answered_destroy(struct gtpc_answered *a)
{
	free(a);
}

void gtpc_answered_put(struct gtpc_answered *a, const struct gtpc_peer *to, uint8_t type,
	uint16_t seq, uint32_t digest, const uint8_t *msg, size_t len, usec_t now)
{
	struct answer_entry *e = &a->e[a->head];
	uint16_t bucket = answered_bucket_of(a, to, type, seq, digest);
	uint16_t *link = answered_find(a, bucket, to, type, seq, digest);

	if (*link != NONE)
		answered_forget(a, &a->e[*link]);
	if (len == 0 || len > ANSWERED_MSG)
		return;
	if (e->len != 0) {
		a->count.answers_full += now < e->at || now - e->at < a->ttl;
		answered_forget(a, e);
	}
	answered_shorten(a, bucket);
	e->to = *to;
	e->type = type;
	e->seq = seq;
	e->digest = digest;
	e->len = (uint16_t)len;
	e->at = now;
	memcpy(e->msg, msg, len);
	e->bucket = bucket;
	e->next = a->bucket[bucket];
	a->bucket[bucket] = a->head;
	a->head = (uint16_t)((a->head + 1) % GTPC_ANSWERED_MAX);
	a->round |= a->head == 0;
}

const uint8_t *gtpc_answered_get(struct gtpc_answered *a, const struct gtpc_peer *from,
	uint8_t type, uint16_t seq, uint32_t digest, size_t *len, usec_t now)
{
	uint16_t *link = answered_find(
		a, answered_bucket_of(a, from, type, seq, digest), from, type, seq, digest);
	struct answer_entry *e;

	if (*link == NONE)
		return NULL;
	e = &a->e[*link];
	if (now > e->at && now - e->at >= a->ttl) {
		answered_forget(a, e);
		return NULL;
	}
	*len = e->len;
	return e->msg;
}

const struct gtpc_answered_counters *gtpc_answered_count(const struct gtpc_answered *a)
{
	return &a->count;
}
