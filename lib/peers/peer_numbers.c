/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "peers/peer_numbers.h"

struct peer_numbers_known {
	char name[PEERS_NAME];
	uint16_t number;
	bool live; /* in the table that was numbered last */
};

struct peer_numbers {
	struct peer_numbers_known known[PEER_NUMBERS_KNOWN]; /* in the order of names */
	unsigned int n;
	uint16_t last;                     /* that was given */
	bool taken[PEER_NUMBERS_LAST + 1]; /* by one of `known` */
};

struct peer_numbers *peer_numbers_create(void)
{
	return calloc(1, sizeof(struct peer_numbers));
}

void peer_numbers_destroy(struct peer_numbers *n)
{
	free(n);
}

/* Where the name is, or belongs. */
static unsigned int peer_numbers_at(const struct peer_numbers *n, const char *name)
{
	unsigned int low = 0, high = n->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (strcmp(n->known[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct peer_numbers_known *peer_numbers_find(struct peer_numbers *n, const char *name)
{
	unsigned int at = peer_numbers_at(n, name);

	return at < n->n && strcmp(n->known[at].name, name) == 0 ? &n->known[at] : NULL;
}

/* Forgets removed names whose numbers nobody has. */
static void peer_numbers_forget(
	struct peer_numbers *n, bool (*used)(void *ctx, uint16_t number), void *ctx)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < n->n; i++) {
		const struct peer_numbers_known *k = &n->known[i];

		if (k->live || used == NULL || used(ctx, k->number))
			n->known[kept++] = *k;
		else
			n->taken[k->number] = false;
	}
	n->n = kept;
}

/* Numbers go round, so that one that was free a moment ago is not given at once. */
static void peer_numbers_add(struct peer_numbers *n, const char *name)
{
	unsigned int at = peer_numbers_at(n, name);

	do
		n->last = n->last == PEER_NUMBERS_LAST ? 1 : (uint16_t)(n->last + 1);
	while (n->taken[n->last]);
	n->taken[n->last] = true;
	memmove(&n->known[at + 1], &n->known[at], (n->n - at) * sizeof(n->known[0]));
	n->n++;
	memset(&n->known[at], 0, sizeof(n->known[at]));
	memcpy(n->known[at].name, name, strlen(name));
	n->known[at].number = n->last;
	n->known[at].live = true;
}

static void peer_numbers_sort(struct peers *p)
{
	/* by insertion: as a rule they are in order but for the new ones */
	for (unsigned int i = 1; i < p->n; i++) {
		uint16_t nth = p->by_number[i];
		unsigned int j = i;

		for (; j > 0 && p->entry[p->by_number[j - 1]].number > p->entry[nth].number; j--)
			p->by_number[j] = p->by_number[j - 1];
		p->by_number[j] = nth;
	}
}

int peer_numbers_give(struct peer_numbers *n, struct peers *p,
	bool (*used)(void *ctx, uint16_t number), void *ctx)
{
	unsigned int missing = 0;

	for (unsigned int i = 0; i < n->n; i++)
		n->known[i].live = false;
	for (unsigned int i = 0; i < p->n; i++) {
		struct peer_numbers_known *k = peer_numbers_find(n, p->entry[i].name);

		if (k != NULL)
			k->live = true;
		else
			missing++;
	}
	if (n->n + missing > PEER_NUMBERS_KNOWN)
		peer_numbers_forget(n, used, ctx);
	if (n->n + missing > PEER_NUMBERS_KNOWN)
		return -ENOSPC;
	for (unsigned int i = 0; i < p->n; i++) {
		if (peer_numbers_find(n, p->entry[i].name) == NULL)
			peer_numbers_add(n, p->entry[i].name);
		p->entry[i].number = peer_numbers_find(n, p->entry[i].name)->number;
	}
	peer_numbers_sort(p);
	return 0;
}
