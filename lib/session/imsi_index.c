/* SPDX-License-Identifier: BSD-3-Clause */
#include "session/imsi_index.h"

#include <errno.h>
#include <string.h>

#include <rte_common.h>

/* Entries are numbered from 1, so that memory of zeroes is an empty index: none of it is touched
 * before it is needed. */
struct imsi_entry {
	uint64_t key;
	uint32_t handle; /* 0: the entry is free */
	uint32_t next;   /* in its bucket, or free; 0: the last */
};

struct imsi_index {
	struct siphash_secret secret;
	struct session_mem mem;
	uint32_t entries, count;
	uint32_t free;    /* the first of those that were used and are free again, 0 none */
	uint32_t fresh;   /* entries up to this one were used once */
	uint32_t mask;    /* of the bucket's number */
	uint32_t *bucket; /* the first entry of each, 0 none */
	struct imsi_entry *entry;
};

_Static_assert(sizeof(struct imsi_entry) == 16, "the header says how large an entry is");

struct imsi_index *imsi_index_create(const struct imsi_index_params *p)
{
	size_t entries, buckets;
	struct imsi_index *x;

	if (p->entries == 0 || p->entries == UINT32_MAX || p->mem == NULL) {
		errno = EINVAL;
		return NULL;
	}
	x = p->mem->alloc(p->mem->ctx, sizeof(*x), _Alignof(struct imsi_index));
	if (x == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	buckets = rte_align32prevpow2(p->entries);
	*x = (struct imsi_index){ .secret = p->secret,
		.mem = *p->mem,
		.entries = p->entries,
		.mask = (uint32_t)buckets - 1 };
	entries = ((size_t)p->entries + 1) * sizeof(*x->entry);
	x->entry = x->mem.alloc(
		x->mem.ctx, entries + buckets * sizeof(*x->bucket), RTE_CACHE_LINE_SIZE);
	if (x->entry == NULL) {
		imsi_index_destroy(x);
		errno = ENOMEM;
		return NULL;
	}
	x->bucket = (uint32_t *)&x->entry[(size_t)p->entries + 1];
	return x;
}

void imsi_index_destroy(struct imsi_index *x)
{
	struct session_mem mem;

	if (x == NULL)
		return;
	mem = x->mem;
	explicit_bzero(&x->secret, sizeof(x->secret));
	if (x->entry != NULL)
		mem.free(mem.ctx, x->entry);
	mem.free(mem.ctx, x);
}

/* The link that names the key's entry, or the one at the end of its bucket, which is 0. */
static uint32_t *imsi_index_link(const struct imsi_index *x, uint64_t key)
{
	uint32_t *link = &x->bucket[siphash_word(&x->secret, key) & x->mask];

	while (*link != 0 && x->entry[*link].key != key)
		link = &x->entry[*link].next;
	return link;
}

uint32_t imsi_index_find(const struct imsi_index *x, uint64_t key)
{
	/* Entry 0 is nobody's, and its handle is 0. */
	return x->entry[*imsi_index_link(x, key)].handle;
}

int imsi_index_set(struct imsi_index *x, uint64_t key, uint32_t handle)
{
	uint32_t *link = imsi_index_link(x, key), i = *link;

	if (handle == 0)
		return -EINVAL;
	if (i == 0) {
		if (x->count == x->entries)
			return -ENOSPC;
		i = x->free != 0 ? x->free : ++x->fresh;
		if (i == x->free)
			x->free = x->entry[i].next;
		x->entry[i] = (struct imsi_entry){ .key = key };
		x->count++;
		*link = i;
	}
	x->entry[i].handle = handle;
	return 0;
}

bool imsi_index_remove(struct imsi_index *x, uint64_t key)
{
	uint32_t *link = imsi_index_link(x, key), i = *link;

	if (i == 0)
		return false;
	*link = x->entry[i].next;
	x->entry[i] = (struct imsi_entry){ .next = x->free };
	x->free = i;
	x->count--;
	return true;
}

bool imsi_index_next(
	const struct imsi_index *x, struct imsi_walk *w, uint64_t *key, uint32_t *handle)
{
	while (w->at < x->fresh && w->left > 0) {
		const struct imsi_entry *e = &x->entry[++w->at];

		w->left--;
		if (e->handle == 0)
			continue;
		*key = e->key;
		*handle = e->handle;
		return true;
	}
	return false;
}

uint32_t imsi_index_count(const struct imsi_index *x)
{
	return x->count;
}

unsigned int imsi_index_reads(const struct imsi_index *x, uint64_t key)
{
	uint32_t i = x->bucket[siphash_word(&x->secret, key) & x->mask];
	unsigned int n = 0;

	for (; i != 0; i = x->entry[i].key != key ? x->entry[i].next : 0)
		n++;
	return n;
}
