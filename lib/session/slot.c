/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_pause.h>

#include "annex.h"
#include "slot.h"

void slot_copy(const struct session_table *t, const struct session_slot *s,
	struct session_slot *copy, struct session_annex *annex)
{
	const struct session_annex *a;
	uint32_t before, after;

	for (;;) {
		before = atomic_load_explicit(&s->seq, memory_order_acquire); /* R0, with W1 */
		if (before & 1) {
			rte_pause();
			continue;
		}
		memcpy((void *)copy, (const void *)s, sizeof(*copy));
		a = copy->flags2 & SESSION_A_USED ? annex_of(t, s) : NULL;
		if (a != NULL)
			memcpy((void *)annex, (const void *)a, t->annex_bytes);
		atomic_thread_fence(memory_order_acquire); /* R1, with W0 */
		after = atomic_load_explicit(&s->seq, memory_order_relaxed);
		if (before == after)
			break;
	}
	/* The worker counts without the sequence count: a memcpy may have torn these. */
	copy->up_pkts = usage_get(&s->up_pkts);
	copy->up_bytes = usage_get(&s->up_bytes);
	copy->dn_pkts = usage_get(&s->dn_pkts);
	copy->dn_bytes = usage_get(&s->dn_bytes);
}

/* Of one writer: no sum of all shards is kept, to which each would add by a locked instruction. */
static void slot_count_one(_Atomic uint32_t *n, int more)
{
	uint32_t was = atomic_load_explicit(n, memory_order_relaxed);

	atomic_store_explicit(n, was + (uint32_t)more, memory_order_relaxed);
}

void slot_count(struct session_table *t, struct session_slot *s)
{
	struct session_shard *sh = &t->shard[(size_t)(s - t->slots) >> t->slot_bits];

	if (s->flags & SESSION_F_COUNTED)
		slot_count_one(&sh->of_apn[s->counted_apn], -1);
	s->flags &= (uint8_t)~SESSION_F_COUNTED;
	if (!slot_is_whole(s))
		return;
	s->flags |= SESSION_F_COUNTED;
	s->counted_apn = s->apn;
	slot_count_one(&sh->of_apn[s->apn], 1);
}

uint32_t session_count_of_apn(const struct session_table *t, uint8_t number)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		n += atomic_load_explicit(&t->shard[i].of_apn[number], memory_order_relaxed);
	return n;
}

#define SLOT_RECORD_DEC(name)    rec->name = copy->name;
#define SLOT_RECORD_HEX(name)    rec->name = copy->name;
#define SLOT_RECORD_OCTETS(name) memcpy(rec->name, copy->name, sizeof(rec->name));
#define SLOT_RECORD_HEAD(name)   rec->name = copy->name;
#define SLOT_RECORD_NIBBLE(name) rec->name = copy->name;
#define SLOT_RECORD_FLAG(name)   rec->name = (copy->flags & SESSION_FLAG_##name) != 0;
#define SLOT_RECORD_ADDR(name)   memcpy(rec->name.b, copy->name, sizeof(rec->name.b));
#define SLOT_RECORD_UE(name)     rec->name = slot_address(copy->ue4);
#define SLOT_RECORD_MS(name)     rec->name = copy->created_s * UINT64_C(1000);

#define SLOT_RECORD_ROW(name, type, bytes, group, set, end, line, view) SLOT_RECORD_##type(name)

void slot_record(const struct session_table *t, uint32_t shard, uint32_t slot,
	const struct session_slot *copy, struct session_rec *rec)
{
	rec->handle = copy->teid != 0 ? copy->teid : session_handle_make(t, shard, slot, copy->gen);
	SESSION_FIELDS(SLOT_RECORD_ROW)
	rec->usage[t->side] = (struct session_usage){ copy->up_pkts, copy->up_bytes, copy->dn_pkts,
		copy->dn_bytes };
	rec->usage[!t->side] = copy->other;
	memcpy(rec->later, copy->later, sizeof(rec->later));
	/* Whoever reads a record takes its lengths as they are: a flipped bit must not be one. */
	rec->qos_len = RTE_MIN(rec->qos_len, SESSION_QOS_MAX);
	rec->annex_use = annex_read(t, &rec->annex, copy->flags2);
}

void session_read_at(
	const struct session_table *t, uint32_t shard, uint32_t slot, struct session_rec *rec)
{
	struct session_slot copy;

	slot_copy(t, &t->shard[shard].slots[slot], &copy, &rec->annex);
	slot_record(t, shard, slot, &copy, rec);
}

void session_read(
	const struct session_table *t, const struct session_slot *s, struct session_rec *rec)
{
	size_t at = (size_t)(s - t->slots);

	session_read_at(t, (uint32_t)(at / t->n_slots), (uint32_t)(at % t->n_slots), rec);
}

#define SLOT_STORE_DEC(name)    s->name = rec->name;
#define SLOT_STORE_HEX(name)    s->name = rec->name;
#define SLOT_STORE_OCTETS(name) memcpy(s->name, rec->name, sizeof(s->name));
#define SLOT_STORE_HEAD(name)   s->name = rec->name & SESSION_HEAD_VALUE;
#define SLOT_STORE_NIBBLE(name) s->name = rec->name & SESSION_HEAD_VALUE;
#define SLOT_STORE_FLAG(name)                                                                      \
	s->flags = (uint8_t)((s->flags & ~SESSION_FLAG_##name) |                                   \
			     (rec->name ? SESSION_FLAG_##name : 0));
#define SLOT_STORE_ADDR(name) memcpy(s->name, rec->name.b, sizeof(s->name));
#define SLOT_STORE_UE(name)   s->ue4 = ip_addr_to_v4(&rec->name);
#define SLOT_STORE_MS(name)   s->created_s = (uint32_t)(rec->name / 1000);
#define SLOT_BEGINS_ONCE      begins
#define SLOT_BEGINS_ANY       true

#define SLOT_STORE_ROW(name, type, bytes, group, set, end, line, view)                             \
	if (SESSION_BIT_##group == bit && SLOT_BEGINS_##set) {                                     \
		SLOT_STORE_##type(name)                                                            \
	}

/* The groups of one bit; `begins`: with what stays the same for a session's life. */
static __rte_always_inline void slot_store_bit(struct session_slot *s,
	const struct session_rec *rec, const unsigned int bit, const bool begins)
{
	SESSION_FIELDS(SLOT_STORE_ROW)
}

void slot_canonical(struct session_table *t, struct session_slot *s)
{
	/* A free slot has neither, and no session is without: two against a state of one bit. */
	if (s->teid == 0)
		s->state = s->key != 0 && s->pdp_type != 0 ? SESSION_ENDING : SESSION_FREE;
	else
		s->state = SESSION_LIVE;
	annex_mend(t, s);
	s->direct_tunnel &= SESSION_HEAD_VALUE;
	if (s->qos_len > SESSION_QOS_MAX)
		s->qos_len = SESSION_QOS_MAX;
	memset(s->qos + s->qos_len, 0, sizeof(s->qos) - s->qos_len);
	if (!(s->flags & SESSION_F_RECOVERY))
		s->recovery = 0;
	if (s->teid == 0 && s->ue4 == 0)
		s->pool = 0;
}

/* Who the peer of the control plane is, by this chassis' own configuration. A writer asks about few
 * peers again and again. */
static uint16_t slot_peer_entry(
	struct session_table *t, const struct session_slot *s, const struct ip_addr *ctl)
{
	size_t at = (size_t)(s - t->slots);
	/* with session_peers_changed(): what the hook reads was written before */
	uint32_t peers = atomic_load_explicit(&t->peers, memory_order_acquire);
	struct session_peer *known;

	if (t->hooks.peer_entry == NULL)
		return 0;
	known = &t->shard[at >> t->slot_bits].peer[ip_addr_hash(ctl) % SESSION_PEERS];
	if (known->asked != peers || !ip_addr_equal(&known->ctl, ctl)) {
		known->asked = peers;
		known->ctl = *ctl;
		known->entry = t->hooks.peer_entry(t->hooks.peer_ctx, ctl);
	}
	return known->entry;
}

void session_peers_changed(struct session_table *t)
{
	uint32_t next = atomic_load_explicit(&t->peers, memory_order_relaxed) + 1;

	atomic_store_explicit(&t->peers, next != 0 ? next : 1, memory_order_release);
}

bool session_peer_again(struct session_table *t, uint8_t by, uint32_t shard, uint32_t slot)
{
	struct session_slot *s = &t->shard[shard].slots[slot];
	struct ip_addr ctl;
	uint16_t entry;

	if (!shard_writable(t, shard, by) || s->teid == 0)
		return false;
	memcpy(ctl.b, s->peer_ctl, sizeof(ctl.b));
	entry = slot_peer_entry(t, s, &ctl);
	if (entry == s->peer_entry)
		return true;
	slot_write_begin(s);
	s->peer_entry = entry;
	slot_write_end(t, s);
	return true;
}

static void slot_store_tunnel(
	struct session_table *t, struct session_slot *s, const struct session_rec *rec, bool begins)
{
	if (memcmp(s->peer_usr, rec->peer_usr.b, sizeof(s->peer_usr)) != 0)
		s->nh_gen = 0; /* another next hop perhaps: resolved again on first use */
	if (begins || memcmp(s->peer_ctl, rec->peer_ctl.b, sizeof(s->peer_ctl)) != 0)
		s->peer_entry = slot_peer_entry(t, s, &rec->peer_ctl);
	slot_store_bit(s, rec, SESSION_G_TUNNEL, true);
}

/* Octets behind qos_len are zero in every slot, so that equal sessions hash equally. */
static void slot_store_qos(struct session_slot *s, const struct session_rec *rec)
{
	s->qos_len = rec->qos_len < SESSION_QOS_MAX ? rec->qos_len : SESSION_QOS_MAX;
	memset(s->qos, 0, sizeof(s->qos));
	memcpy(s->qos, rec->qos, s->qos_len);
}

static void slot_store_request(struct session_slot *s, const struct session_rec *rec)
{
	slot_store_bit(s, rec, SESSION_G_REQUEST, true);
	if (!rec->has_recovery)
		s->recovery = 0;
}

static __rte_always_inline void slot_store_groups(struct session_table *t, struct session_slot *s,
	const struct session_rec *rec, uint8_t groups, const bool begins)
{
	if (groups & SESSION_G_IDENTITY)
		slot_store_bit(s, rec, SESSION_G_IDENTITY, begins);
	if (groups & SESSION_G_TUNNEL)
		slot_store_tunnel(t, s, rec, begins);
	if (groups & SESSION_G_QOS)
		slot_store_qos(s, rec);
	if (groups & SESSION_G_REQUEST)
		slot_store_request(s, rec);
	if (groups & SESSION_G_EXTRA) {
		slot_store_bit(s, rec, SESSION_G_EXTRA, true);
		memcpy(s->later, rec->later, sizeof(s->later));
		if ((rec->annex_use | s->flags2) != 0)
			annex_store(t, s, rec);
	}
}

void slot_store(struct session_table *t, struct session_slot *s, const struct session_rec *rec,
	uint8_t groups)
{
	slot_store_groups(t, s, rec, groups, false);
}

void slot_store_live(struct session_table *t, struct session_slot *s, const struct session_rec *rec,
	uint32_t now_s)
{
	if (s->teid != rec->handle) {
		s->up_tat = 0;
		s->dn_tat = 0;
		s->nh_gen = 0;
		s->usage_hi = 0;
		s->active_s = now_s;
		s->freed_s = 0;
	}
	s->gen = (uint16_t)(rec->handle & t->gen_mask);
	slot_store_groups(t, s, rec, SLOT_G_STORED, true);
	s->teid = rec->handle;
}

void slot_store_ending(
	struct session_table *t, struct session_slot *s, const struct session_rec *rec)
{
	s->teid = 0;
	s->gen = (uint16_t)(rec->handle & t->gen_mask);
	s->usage_hi = 0;
	slot_store_groups(t, s, rec, SLOT_G_STORED, true);
}

void slot_store_usage(
	struct session_slot *s, const struct session_usage *own, const struct session_usage *other)
{
	usage_set(&s->up_pkts, own->up_pkts);
	usage_set(&s->up_bytes, own->up_bytes);
	usage_set(&s->dn_pkts, own->dn_pkts);
	usage_set(&s->dn_bytes, own->dn_bytes);
	s->other = *other;
}

#define SLOT_CLEAR_DEC(name)      s->name = 0;
#define SLOT_CLEAR_HEX(name)      s->name = 0;
#define SLOT_CLEAR_OCTETS(name)   memset(s->name, 0, sizeof(s->name));
#define SLOT_CLEAR_MS(name)       s->created_s = 0;
#define SLOT_END_GONE(name, type) SLOT_CLEAR_##type(name)
#define SLOT_END_KEPT(name, type)

#define SLOT_END_ROW(name, type, bytes, group, set, end, line, view) SLOT_END_##end(name, type)

void slot_store_free(struct session_table *t, struct session_slot *s, uint16_t gen, uint8_t pool,
	uint32_t last_ue4)
{
	static const struct session_usage none;

	s->teid = 0;
	s->state = SESSION_FREE;
	s->gen = gen;
	s->ue4 = last_ue4;
	s->pool = last_ue4 != 0 ? pool : 0;
	SESSION_FIELDS(SLOT_END_ROW)
	memset(s->later, 0, sizeof(s->later));
	if (s->flags2 != 0)
		annex_clear(t, s);
	slot_store_usage(s, &none, &none);
}
