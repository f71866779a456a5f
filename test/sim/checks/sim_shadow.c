/* SPDX-License-Identifier: BSD-3-Clause */
/* What the slots should be: a copy of each, taken where the door wrote it, to which each packet
 * that leaves is added. A slot that is something else was written by somebody who is not its
 * writer, or by nobody's leave. */
#include "sim.h"

static struct session_slot *slot(const struct node *n, uint32_t pos)
{
	return &n->t.table->shard[pos / sim.per_shard].slots[pos % sim.per_shard];
}

void shadow_begin(struct node *n)
{
	for (unsigned int i = 0; i < n->n_used; i++) {
		memset(&n->shadow[n->used[i]], 0, sizeof(n->shadow[0]));
		n->is_used[n->used[i]] = false;
	}
	n->n_used = 0;
}

/* An address is one session's. */
static void check_alone(const struct node *n, uint32_t pos)
{
	static uint32_t *lives[2]; /* by address: where it was written last, + 1 */
	const struct pool *p = node_pool(n);
	const struct session_slot *s = slot(n, pos), *other;
	uint32_t *at;

	if (lives[n->id] == NULL)
		lives[n->id] = calloc(p->size, sizeof(uint32_t));
	if (lives[n->id] == NULL)
		exit(2);
	if (s->teid == 0 || s->ue4 - p->base4 >= p->size || sim.flip.set)
		return;
	at = &lives[n->id][s->ue4 - p->base4];
	other = *at != 0 ? slot(n, *at - 1) : NULL;
	if (other != NULL && other != s && other->teid != 0 && other->ue4 == s->ue4)
		broken(6, "chassis %c: slots %u and %u have one address", 'A' + n->id, *at - 1,
			pos);
	*at = pos + 1;
}

/* count: its own usage too. A worker's request to change a session leaves that alone, though
 * packets of the same turn may already be counted and not yet have left. */
void shadow_wrote(struct node *n, uint32_t pos, bool count)
{
	struct session_slot *mine = &n->shadow[pos];
	const struct session_slot was = *mine;

	n->changed[pos] = sim.now;
	check_alone(n, pos);
	*mine = *slot(n, pos);
	if (!count) {
		mine->up_pkts = was.up_pkts;
		mine->up_bytes = was.up_bytes;
		mine->dn_pkts = was.dn_pkts;
		mine->dn_bytes = was.dn_bytes;
	}
	if (!n->is_used[pos]) {
		n->is_used[pos] = true;
		n->used[n->n_used++] = pos;
	}
}

/* A record takes an address away from whoever has it: another slot of its shard. */
void shadow_evicted(struct node *n, uint32_t shard)
{
	for (uint32_t pos = shard * sim.per_shard; pos < (shard + 1) * sim.per_shard; pos++)
		if (n->is_used[pos])
			shadow_wrote(n, pos, true);
}

void shadow_forwarded(struct node *n, uint32_t handle, bool down, uint64_t packets)
{
	uint32_t pos = pos_of(n, handle);
	struct session_slot *mine = &n->shadow[pos];

	if (n->t.shared.worker_of_shard[pos / sim.per_shard] != n->running - WORKER)
		broken(1, "chassis %c: core %d forwards for %08x, which is another worker's",
			'A' + n->id, n->running, handle);
	if (mine->teid != handle)
		return;
	n->changed[pos] = sim.now;
	if (down) {
		mine->dn_pkts += packets;
		mine->dn_bytes += packets * INNER;
	} else {
		mine->up_pkts += packets;
		mine->up_bytes += packets * INNER;
	}
}

#define OTHER_ROW(name, type, bytes, group, set, end, line, view)                                  \
	differ |= sizeof(#type) == sizeof("FLAG") && strcmp(#type, "FLAG") == 0                    \
			  ? ((a->flags ^ b->flags) & SESSION_F_RECOVERY) != 0                      \
			  : memcmp((const uint8_t *)a + SESSION_ROW_AT(name, type),                \
				    (const uint8_t *)b + SESSION_ROW_AT(name, type),               \
				    SESSION_ROW_SIZE(name, type)) != 0;

/* What is replicated of a slot but the own usage. */
static bool differs(const struct session_slot *a, const struct session_slot *b)
{
	bool differ = a->teid != b->teid || a->gen != b->gen ||
		      memcmp(&a->other, &b->other, sizeof(a->other)) != 0 ||
		      memcmp(a->later, b->later, sizeof(a->later)) != 0;

	SESSION_FIELDS(OTHER_ROW)
	return differ;
}

void shadow_check(const struct node *n, uint32_t pos)
{
	const struct session_slot *s = slot(n, pos), *mine = &n->shadow[pos];

	if (differs(s, mine))
		broken(1, "chassis %c: slot %u (%08x) was written by another way than the door",
			'A' + n->id, pos, s->teid);
	if ((s->teid != 0 || s->state == SESSION_ENDING) &&
		(s->up_pkts != mine->up_pkts || s->dn_pkts != mine->dn_pkts ||
			s->up_bytes != mine->up_bytes || s->dn_bytes != mine->dn_bytes))
		broken(1,
			"chassis %c: slot %u (%08x) counts %llu up and %llu down, and should count "
			"%llu and %llu",
			'A' + n->id, pos, s->teid, (unsigned long long)s->up_pkts,
			(unsigned long long)s->dn_pkts, (unsigned long long)mine->up_pkts,
			(unsigned long long)mine->dn_pkts);
}

/* Slots that no door ever wrote are as they were made. */
void shadow_check_unused(const struct node *n)
{
	static const struct session_slot none;

	for (uint32_t pos = 0; pos < sim.slots; pos++)
		if (!n->is_used[pos] && differs(slot(n, pos), &none))
			broken(1, "chassis %c: slot %u was written and never given to anybody",
				'A' + n->id, pos);
}
