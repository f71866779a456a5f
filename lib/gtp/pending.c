/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers of what waits are all different, so the number alone finds the entry. All wait
 * equally long, so a list in the order of sending is a list in the order of due times. Both need no
 * search. */
#include <errno.h>
#include <stdlib.h>

#include "gtp/gtpc.h"

enum { PENDING_MSG = 128, NONE = 0xffff };

struct pending_entry {
	struct gtpc_peer to;
	uint16_t seq, len, tries; /* tries: times sent */
	/* of the waiting (a ring through entry GTPC_PENDING_MAX), or next free */
	uint16_t prev, next;
	usec_t due;
	uint64_t cookie;
	uint8_t msg[PENDING_MSG];
};

struct gtpc_pending {
	struct pending_entry e[GTPC_PENDING_MAX + 1]; /* the last one is the ring's head */
	uint16_t by_seq[UINT16_MAX + 1];              /* entry, or NONE */
	uint16_t free;  /* the first of those that were used and are free again, or NONE */
	uint16_t fresh; /* entries from here on were never used, and nothing is in them yet */
	uint16_t next_seq;
	usec_t t3;
	unsigned int n3;
};

static void pending_list_append(struct gtpc_pending *p, uint16_t i)
{
	struct pending_entry *head = &p->e[GTPC_PENDING_MAX];

	p->e[i].prev = head->prev;
	p->e[i].next = GTPC_PENDING_MAX;
	p->e[head->prev].next = i;
	head->prev = i;
}

static void pending_list_remove(struct gtpc_pending *p, uint16_t i)
{
	p->e[p->e[i].prev].next = p->e[i].next;
	p->e[p->e[i].next].prev = p->e[i].prev;
}

static void pending_forget(struct gtpc_pending *p, uint16_t i)
{
	pending_list_remove(p, i);
	p->by_seq[p->e[i].seq] = NONE;
	p->e[i].next = p->free;
	p->free = i;
}

void gtpc_pending_clear(struct gtpc_pending *p)
{
	struct pending_entry *head = &p->e[GTPC_PENDING_MAX];

	memset(p->by_seq, 0xff, sizeof(p->by_seq));
	p->free = NONE;
	p->fresh = 0;
	head->prev = head->next = GTPC_PENDING_MAX;
}

struct gtpc_pending *gtpc_pending_create(void)
{
	struct gtpc_pending *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	gtpc_pending_times(p, GTPC_T3_US, GTPC_N3);
	gtpc_pending_clear(p);
	return p;
}

void gtpc_pending_times(struct gtpc_pending *p, usec_t t3, unsigned int n3)
{
	p->t3 = t3;
	p->n3 = n3;
}

void gtpc_pending_destroy(struct gtpc_pending *p)
{
	free(p);
}

uint16_t gtpc_pending_seq(struct gtpc_pending *p)
{
	/* Ends: fewer wait than there are numbers. */
	while (p->by_seq[p->next_seq] != NONE)
		p->next_seq++;
	return p->next_seq++;
}

int gtpc_pending_add(struct gtpc_pending *p, const struct gtpc_peer *to, uint16_t seq,
	const uint8_t *msg, size_t len, uint64_t cookie, usec_t now)
{
	uint16_t i = p->free != NONE ? p->free : p->fresh;
	struct pending_entry *e;

	if (len > PENDING_MSG)
		return -EMSGSIZE;
	if (i == GTPC_PENDING_MAX)
		return -ENOSPC;
	if (p->by_seq[seq] != NONE)
		return -EEXIST;
	e = &p->e[i];
	if (p->free != NONE)
		p->free = e->next;
	else
		p->fresh++;
	e->to = *to;
	e->seq = seq;
	e->len = (uint16_t)len;
	e->tries = 1;
	e->due = now + p->t3;
	e->cookie = cookie;
	memcpy(e->msg, msg, len);
	p->by_seq[seq] = i;
	pending_list_append(p, i);
	return 0;
}

bool gtpc_pending_answered(
	struct gtpc_pending *p, const struct gtpc_peer *from, uint16_t seq, uint64_t *cookie)
{
	uint16_t i = p->by_seq[seq];

	if (i == NONE || p->e[i].to.port != from->port ||
		!ip_addr_equal(&p->e[i].to.addr, &from->addr))
		return false;
	*cookie = p->e[i].cookie;
	pending_forget(p, i);
	return true;
}

bool gtpc_pending_due(struct gtpc_pending *p, usec_t now, struct gtpc_peer *to, const uint8_t **msg,
	size_t *len, uint64_t *cookie)
{
	uint16_t i = p->e[GTPC_PENDING_MAX].next;
	struct pending_entry *e = &p->e[i];

	if (i == GTPC_PENDING_MAX || e->due > now)
		return false;
	*to = e->to;
	*cookie = e->cookie;
	if (e->tries >= p->n3) {
		*msg = NULL;
		*len = 0;
		pending_forget(p, i);
		return true;
	}
	e->tries++;
	e->due = now + p->t3;
	pending_list_remove(p, i);
	pending_list_append(p, i);
	*msg = e->msg;
	*len = e->len;
	return true;
}
