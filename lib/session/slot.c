/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_pause.h>

#include "slot.h"

void slot_copy(const struct session_slot *s, struct session_slot *copy)
{
	uint32_t before, after;

	for (;;) {
		before = atomic_load_explicit(&s->seq, memory_order_acquire); /* R0, with W1 */
		if (before & 1) {
			rte_pause();
			continue;
		}
		memcpy((void *)copy, (const void *)s, sizeof(*copy));
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

void slot_record(const struct session_table *t, uint32_t shard, uint32_t slot,
	const struct session_slot *copy, struct session_rec *rec)
{
	bool live = copy->teid != 0;
	uint32_t ue4 = live ? copy->ue4 : copy->last_ue4;

	rec->handle = live ? copy->teid : session_handle_make(t, shard, slot, copy->gen);
	rec->state = live ? SESSION_LIVE : SESSION_FREE;
	rec->apn = copy->apn;
	rec->pool = ue4 != 0 ? copy->pool : SESSION_NO_POOL;
	rec->pdp_type = copy->pdp_type;
	rec->key = copy->key;
	memcpy(rec->msisdn, copy->msisdn, sizeof(rec->msisdn));
	rec->ue = slot_address(ue4);
	rec->created_ms = copy->created_s * UINT64_C(1000);
	rec->charging_id = copy->charging_id;
	rec->peer_ctl_teid = copy->peer_ctl_teid;
	rec->peer_usr_teid = copy->peer_usr_teid;
	memcpy(rec->peer_ctl.b, copy->peer_ctl, sizeof(rec->peer_ctl.b));
	memcpy(rec->peer_usr.b, copy->peer_usr, sizeof(rec->peer_usr.b));
	rec->qos_len = copy->qos_len;
	memcpy(rec->qos, copy->qos, sizeof(rec->qos));
	rec->has_recovery = (copy->flags & SESSION_F_RECOVERY) != 0;
	rec->recovery = copy->recovery;
	rec->req_type = copy->req_type;
	rec->req_seq = copy->req_seq;
	rec->req_port = copy->req_port;
	rec->req_src = slot_address(copy->req_src4);
	rec->usage[t->side] = (struct session_usage){ copy->up_pkts, copy->up_bytes, copy->dn_pkts,
		copy->dn_bytes };
	rec->usage[!t->side] = copy->other;
	memcpy(rec->extra, copy->extra, sizeof(rec->extra));
}

void session_read_at(
	const struct session_table *t, uint32_t shard, uint32_t slot, struct session_rec *rec)
{
	struct session_slot copy;

	slot_copy(&t->shard[shard].slots[slot], &copy);
	slot_record(t, shard, slot, &copy, rec);
}

void session_read(
	const struct session_table *t, const struct session_slot *s, struct session_rec *rec)
{
	size_t at = (size_t)(s - t->slots);

	session_read_at(t, (uint32_t)(at / t->n_slots), (uint32_t)(at % t->n_slots), rec);
}

static void slot_store_tunnel(struct session_slot *s, const struct session_rec *rec)
{
	uint32_t usr4 = ip_addr_to_v4(&rec->peer_usr);

	if (s->peer_usr4 != usr4)
		s->nh_gen = 0; /* another next hop perhaps: resolved again on first use */
	s->peer_usr4 = usr4;
	s->peer_usr_teid = rec->peer_usr_teid;
	s->peer_ctl_teid = rec->peer_ctl_teid;
	memcpy(s->peer_ctl, rec->peer_ctl.b, sizeof(s->peer_ctl));
	memcpy(s->peer_usr, rec->peer_usr.b, sizeof(s->peer_usr));
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
	if (rec->has_recovery)
		s->flags |= SESSION_F_RECOVERY;
	else
		s->flags &= (uint8_t)~SESSION_F_RECOVERY;
	s->recovery = rec->has_recovery ? rec->recovery : 0;
	s->req_type = rec->req_type;
	s->req_seq = rec->req_seq;
	s->req_port = rec->req_port;
	s->req_src4 = ip_addr_to_v4(&rec->req_src);
}

void slot_store(struct session_slot *s, const struct session_rec *rec, uint8_t groups)
{
	if (groups & SESSION_G_IDENTITY) {
		s->charging_id = rec->charging_id;
		memcpy(s->msisdn, rec->msisdn, sizeof(s->msisdn));
	}
	if (groups & SESSION_G_TUNNEL)
		slot_store_tunnel(s, rec);
	if (groups & SESSION_G_QOS)
		slot_store_qos(s, rec);
	if (groups & SESSION_G_REQUEST)
		slot_store_request(s, rec);
	if (groups & SESSION_G_EXTRA)
		memcpy(s->extra, rec->extra, sizeof(s->extra));
}

void slot_store_live(
	struct session_slot *s, const struct session_rec *rec, uint32_t gen_mask, uint32_t now_s)
{
	if (s->teid != rec->handle) {
		s->up_tat = 0;
		s->dn_tat = 0;
		s->nh_gen = 0;
		s->usage_hi = 0;
		s->active_s = now_s;
		s->freed_s = 0;
	}
	s->gen = (uint16_t)(rec->handle & gen_mask);
	s->ue4 = ip_addr_to_v4(&rec->ue);
	s->last_ue4 = 0;
	s->apn = rec->apn;
	s->pool = rec->pool;
	s->pdp_type = rec->pdp_type;
	s->key = rec->key;
	s->created_s = (uint32_t)(rec->created_ms / 1000);
	slot_store(s, rec, SLOT_G_STORED);
	s->teid = rec->handle;
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

void slot_store_free(struct session_slot *s, uint16_t gen, uint8_t pool, uint32_t last_ue4)
{
	static const struct session_usage none;

	s->teid = 0;
	s->gen = gen;
	s->ue4 = 0;
	s->last_ue4 = last_ue4;
	s->pool = last_ue4 != 0 ? pool : 0;
	s->apn = 0;
	s->pdp_type = 0;
	s->key = 0;
	memset(s->msisdn, 0, sizeof(s->msisdn));
	s->created_s = 0;
	s->charging_id = 0;
	s->qos_len = 0;
	memset(s->qos, 0, sizeof(s->qos));
	memset(s->extra, 0, sizeof(s->extra));
	slot_store_usage(s, &none, &none);
}
