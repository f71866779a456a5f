/* SPDX-License-Identifier: BSD-3-Clause */
/* What a promotion must keep: what had arrived is applied; as planned, both tables are equal; and
 * no address is leased again within its quarantine, which a promotion begins anew. */
#include "sim.h"
#include "wire.h"

enum { ARRIVED = 32, NUMBER_AT = 4, SENDER_AT = 12, TERM_AT = 20 };

static uint64_t be(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* ---- what had arrived ---- */

/* Packets of records that a chassis took in, applied at once or held behind a gap. */
static struct came {
	uint32_t sender, stream;
	uint64_t number;
	unsigned int histories; /* of the author */
	size_t len;
	uint8_t records[1500];
} arrived[2][ARRIVED];
static unsigned int n_arrived[2];

/* All reasons for which a packet of records is not taken. */
static uint64_t turned_away(const struct repl_counters *c)
{
	return c->rx_late_packets + c->rx_again + c->rx_duplicates + c->rx_wrong_stream +
	       c->rx_wrong_incarnation + c->rx_old_term + c->rx_not_receiving;
}

void promotion_arrived(struct node *n, struct repl *r, const uint8_t *pkt, size_t len, usec_t now)
{
	const struct repl_counters *c = repl_count(r);
	uint64_t state = c->rx_state_packets, away = turned_away(c);
	struct came *a;

	__real_repl_input(r, pkt, len, now);
	if (c->rx_state_packets == state || turned_away(c) != away || len < REPL_HEADER)
		return;
	if (n->t.repl->active && be(pkt + TERM_AT, 8) >= n->t.repl->term)
		broken(5,
			"chassis %c: a late record that is none: of term %llu, and it is Active in "
			"term %llu",
			'A' + n->id, (unsigned long long)be(pkt + TERM_AT, 8),
			(unsigned long long)n->t.repl->term);
	a = &arrived[n->id][n_arrived[n->id]++ % ARRIVED];
	a->sender = (uint32_t)be(pkt + SENDER_AT, 4);
	a->number = be(pkt + NUMBER_AT, 8);
	a->stream = repl_rx_stream(r);
	a->histories = sim.node[!n->id].histories;
	a->len = RTE_MIN(len - REPL_HEADER, sizeof(a->records));
	memcpy(a->records, pkt + REPL_HEADER, a->len);
}

/* What a record brought is in the slot, or what came after it. */
static void check_record(const struct node *n, struct rd *body)
{
	static const uint8_t bits[GROUPS] = { SESSION_G_IDENTITY, SESSION_G_TUNNEL, SESSION_G_QOS,
		SESSION_G_REQUEST };
	const struct node *author = &sim.node[!n->id];
	struct wire_body b;
	struct session_rec r;
	uint32_t pos;

	if (wire_decode(body, &b) < 0)
		return;
	pos = pos_of(n, b.rec.handle);
	session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
	for (unsigned int g = 0; g < GROUPS; g++) {
		const struct states *h = &author->history[pos][g];
		uint64_t state = group_hash(&b.rec, g);
		uint32_t at = 0;

		while (at < h->n && h->state[at] != state)
			at++;
		if ((b.groups & bits[g]) && at < h->n && !(sim.flip.set && sim.flip.pos == pos) &&
			!history_has(author, pos, g, at, group_hash(&r, g)))
			broken(2, "chassis %c: slot %u: what had arrived was dropped", 'A' + n->id,
				pos);
	}
}

static void check_arrived(const struct node *n, const struct came *a)
{
	struct rd in = rd_init(a->records, a->len);

	while (in.left > REPL_RECORD_HEAD) {
		uint8_t kind = rd_u8(&in);
		size_t len = rd_u16(&in);
		const uint8_t *p = rd_bytes(&in, len);
		struct rd body = rd_init(p, p != NULL ? len : 0);

		if (kind == REPL_SLOT || kind == REPL_DELTA)
			check_record(n, &body);
	}
}

uint64_t __wrap_repl_receive_stop(struct repl *r, usec_t now)
{
	struct node *n = me();
	uint32_t stream = repl_rx_stream(r), peer = repl_peer_incarnation(r);
	uint64_t before = repl_applied(r), applied = __real_repl_receive_stop(r, now);

	for (unsigned int i = 0; i < ARRIVED && stream != 0 && sim.again == 0; i++) {
		const struct came *a = &arrived[n->id][i];

		if (a->number > before && a->sender == peer && a->stream == stream &&
			a->histories == sim.node[!n->id].histories)
			check_arrived(n, a);
	}
	return applied;
}

/* ---- planned ---- */

static bool all_of(const struct session_usage *u, const struct session_usage *of)
{
	return u->up_pkts >= of->up_pkts && u->up_bytes >= of->up_bytes &&
	       u->dn_pkts >= of->dn_pkts && u->dn_bytes >= of->dn_bytes;
}

/* Who handed over counts on in its own set, which the other has not been told of; and so did the
 * other, if its late usage of the last time was not through yet. */
static void check_equal(const struct node *n, const struct node *old)
{
	for (uint32_t pos = 0; pos < sim.slots; pos++) {
		struct session_rec a, b;
		bool same;

		session_read_at(old->t.table, pos / sim.per_shard, pos % sim.per_shard, &a);
		session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &b);
		memset(&a.usage[old->id], 0, sizeof(a.usage[0]));
		memset(&b.usage[old->id], 0, sizeof(b.usage[0]));
		same = a.handle == b.handle &&
		       (n->late ? all_of(&b.usage[n->id], &a.usage[n->id])
				: memcmp(a.usage, b.usage, sizeof(a.usage)) == 0);
		for (unsigned int g = 0; g < GROUPS; g++)
			same &= group_hash(&a, g) == group_hash(&b, g);
		if (same || (sim.flip.set && sim.flip.pos == pos))
			continue;
		story_slot(old, pos);
		story_slot(n, pos);
		broken(9, "chassis %c: slot %u is not handed over", 'A' + n->id, pos);
	}
}

/* ---- quarantine ---- */

/* By the address' place in the pool. */
static struct lease {
	usec_t freed, waits; /* waits: a promotion began its quarantine anew then */
	uint32_t handle, commit;
	bool told; /* the standby has it that it is free */
} * leases;
static struct {
	int node;
	unsigned int life;
} leaser = { .node = -1 }; /* the last that was promoted */

static struct lease *lease_of(const struct node *n, uint32_t ue4)
{
	const struct pool *p = node_pool(n);

	if (leases == NULL)
		leases = calloc(p->size, sizeof(*leases));
	if (leases == NULL)
		exit(2);
	return &leases[(ue4 - p->base4) % p->size];
}

static bool leases_out(const struct node *n)
{
	return leaser.node == n->id && leaser.life == n->life;
}

void lease_freed(const struct node *n, uint32_t handle, uint32_t ue4)
{
	if (leases_out(n))
		*lease_of(n, ue4) = (struct lease){ .freed = sim.now, .handle = handle };
}

uint32_t __wrap_sync_commit(struct sync *s, uint32_t handle, usec_t now)
{
	struct node *n = node_of(s->table);
	const struct session_slot *slot = session_slot_of(s->table, handle);
	uint32_t commit = __real_sync_commit(s, handle, now);
	struct lease *l = slot->teid == 0 ? lease_of(n, slot->ue4) : NULL;

	if (l != NULL && leases_out(n) && l->handle == handle)
		l->commit = commit;
	return commit;
}

void lease_acked(const struct node *n, const struct msg_entries *m, bool there)
{
	for (unsigned int i = 0; i < m->n && there && leases_out(n); i++) {
		uint32_t handle = repl_entry_handle(m->entry[i]),
			 commit = repl_entry_commit(m->entry[i]);
		const struct session_slot *s = session_slot_of(n->t.table, handle);
		struct lease *l = s->teid == 0 ? lease_of(n, s->ue4) : NULL;

		if (l != NULL && l->handle == handle && l->commit != 0 &&
			((commit - l->commit) & 0xffffff) < 0x800000)
			l->told = true;
	}
}

/* What it keeps is what was told. Addresses in its quarantine wait anew; others that nobody was
 * told of are free. */
static void lease_promoted(const struct node *n, bool joined)
{
	const struct pool *p = node_pool(n);

	for (uint32_t i = 0; i < p->size; i++) {
		struct lease *l = lease_of(n, p->base4 + i);

		l->waits = 0;
		if (!l->told || !joined)
			l->freed = 0;
	}
	for (uint32_t pos = 0; pos < sim.slots; pos++) {
		const struct session_slot *s =
			&n->t.table->shard[pos / sim.per_shard].slots[pos % sim.per_shard];
		uint32_t handle = session_handle_make(
			n->t.table, pos / sim.per_shard, pos % sim.per_shard, s->gen);

		if (s->teid != 0 || !(s->flags & SESSION_F_QUARANTINE))
			continue;
		/* What another session had since is that one's to keep; and where two slots wait
		 * with one address, it is the second's. */
		if (p->handle[(s->ue4 - p->base4) % p->size] == handle)
			lease_of(n, s->ue4)->waits = sim.now;
	}
	leaser.node = n->id;
	leaser.life = n->life;
}

/* It ends with a second of the chassis' clock: up to a second is missing. */
void lease_check(const struct node *n, const struct session_rec *r)
{
	const struct lease *l = lease_of(n, ip_addr_to_v4(&r->ue));
	usec_t since = RTE_MAX(l->freed, l->waits),
	       wait = (n->conf.pools[0].quarantine_s - 1) * USEC_PER_SEC;

	if (leases_out(n) && since != 0 && sim.now - since + 1 * MS < wait)
		broken(16, "chassis %c: address %08x leased again %llu us after it was freed",
			'A' + n->id, ip_addr_to_v4(&r->ue), (unsigned long long)(sim.now - since));
	if ((session_slot_of(n->t.table, r->handle)->gen & 1) != n->id)
		broken(16, "chassis %c gives out TEID %08x, which is the other side's to give",
			'A' + n->id, r->handle);
}

/* ---- both ---- */

void promotion_check(struct node *n, bool planned, bool joined)
{
	const struct node *old = &sim.node[!n->id];

	if (planned && old->up)
		check_equal(n, old);
	lease_promoted(n, joined);
}
