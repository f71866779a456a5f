/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_udp.h>

#include "replicator.h"
#include "sync.h"

enum {
	OUTER = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
	BURST = 32,
	OUTSTANDING = 256,
	POLLS = 8,
	VIEW_US = 1000,
	QUIET_US = 100000,
	WATCHDOG_US = 1000000,
	RECEIVE_US = 20000, /* a turn that compares a large table must still end soon enough to be heard */
	REALTIME_PRIORITY = 10,
};

struct replicator {
	struct repl *stream;
	struct audit *audit;
	const struct port *port;
	uint32_t local4, peer4; /* host order */
	uint16_t udp_port, ip_id;
	_Atomic uint16_t adjacency; /* w: control */
	/* role */
	repl_term_t term, old_term; /* own; the peer's of which late usage is welcome */
	bool active, late;          /* late: standby that still sends its own late usage (of late_term) */
	bool writing;               /* the slots are ours to write (standby) */
	repl_term_t late_term;
	bool on;                 /* the stream runs */
	bool told;               /* workers and control were told that it does */
	unsigned int wants_left; /* buckets that this WANT may still ask for */
	uint64_t drain_cookie;
	repl_term_t drain_term;
	bool draining;
	usec_t lost_at;
	int64_t pair_offset_us;
	usec_t present_us;                /* the peer is there when heard within this */
	struct msg *committed;            /* being filled */
	struct msg *want[TANDEM_WORKERS]; /* being filled while a WANT is decoded */
	usec_t next_view, now;
	uint32_t quarantine_shard; /* the next whose quarantine is looked at, as standby */
	struct replicator_view view;
	struct replicator_counters count; /* r: telemetry */
};

const struct replicator_view *replicator_view(const struct replicator *r)
{
	return &r->view;
}
const struct repl_counters *replicator_stream_count(const struct replicator *r)
{
	return repl_count(r->stream);
}
const struct audit_counters *replicator_audit_count(const struct replicator *r)
{
	return audit_count(r->audit);
}
const struct replicator_counters *replicator_count(const struct replicator *r)
{
	return &r->count;
}
void replicator_peer(struct replicator *r, uint16_t adjacency)
{
	atomic_store(&r->adjacency, adjacency);
}

/* ---- what the stream calls ---- */

static int on_state(void *ctx, enum repl_kind kind, struct rd *body, bool late)
{
	struct replicator *r = ctx;
	uint32_t now_s = (uint32_t)(r->now / USEC_PER_SEC);

	if (late) { /* we are active: the owner of the slot writes it */
		struct session_usage u;
		uint32_t handle;
		struct msg *m;

		if (session_decode_late(body, &handle, &u) < 0)
			return -EBADMSG;
		m = msg_new(T.msgs, MSG_LATE_USAGE);
		if (m == NULL)
			return -EAGAIN;
		m->late_handle = handle;
		m->usage = u;
		r->count.late_deltas++;
		return door_send(&T.repl_to_worker[T.shared.worker_of_shard[session_handle_shard(handle)]],
			       m) < 0
			       ? -EAGAIN
			       : 0;
	}
	if (kind == REPL_SLOT)
		return session_apply_slot(T.table, SESSION_BY_REPL, body, now_s);
	return session_apply_delta(T.table, SESSION_BY_REPL, body);
}

static void on_digest(void *ctx, struct rd *body, usec_t now)
{
	struct replicator *r = ctx;

	audit_digest(r->audit, body, now);
}

/* Wants go to the workers that own the buckets, a few in a message. */
static void want_send(struct replicator *r, unsigned int w)
{
	if (r->want[w] != NULL && door_send(&T.repl_to_worker[w], r->want[w]) < 0)
		r->count.msg_no_room++; /* the standby wants it again */
	r->want[w] = NULL;
}

static void want_one(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg)
{
	struct replicator *r = ctx;
	uint32_t n = how == AUDIT_WANT_WHOLE ? (uint32_t)RTE_MIN(arg, (uint64_t)OUTSTANDING) : 1;

	/* A range of whole buckets may cross shards: hand each bucket to its owner. */
	for (uint32_t i = 0; i < n && bucket + i < SESSION_SHARDS * T.table->buckets && r->wants_left > 0;
		i++, r->wants_left--) {
		unsigned int w = T.shared.worker_of_shard[(bucket + i) / T.table->buckets];
		struct msg *m = r->want[w];

		if (m == NULL)
			m = r->want[w] = msg_new(T.msgs, MSG_WANT);
		if (m == NULL) {
			r->count.msg_no_room++;
			return;
		}
		m->want[m->n_wants].how = (uint8_t)how;
		m->want[m->n_wants].bucket = bucket + i;
		m->want[m->n_wants].arg = how == AUDIT_WANT_WHOLE ? 1 : arg;
		if (++m->n_wants == MSG_WANTS)
			want_send(r, w);
	}
}

static void on_want(void *ctx, struct rd *body, usec_t now)
{
	struct replicator *r = ctx;

	(void)now;
	if (!r->active)
		return;
	r->wants_left = OUTSTANDING; /* a standby has no more open at once */
	audit_want_decode(body, want_one, r);
	for (unsigned int w = 0; w < T.n_workers; w++)
		want_send(r, w);
}

static void on_heartbeat(void *ctx, struct rd *body, bool fresh, uint64_t peer_pair_ms, usec_t now)
{
	struct replicator *r = ctx;
	struct msg *m;

	if (body->left > sizeof(m->body))
		return;
	if (!r->active && fresh && peer_pair_ms > 0) {
		r->pair_offset_us = (int64_t)(peer_pair_ms * 1000) - (int64_t)now;
		repl_pair_time(r->stream, r->pair_offset_us);
	}
	m = msg_new(T.msgs, MSG_HEARTBEAT);
	if (m == NULL) {
		r->count.msg_no_room++;
		return;
	}
	m->fresh = fresh;
	m->pair_ms = peer_pair_ms;
	m->len = (uint16_t)body->left;
	rd_copy(body, m->body, body->left);
	if (door_send(&T.from_repl, m) < 0)
		r->count.msg_no_room++;
}

static void committed_send(struct replicator *r)
{
	if (r->committed != NULL && door_send(&T.from_repl, r->committed) < 0)
		r->count.msg_no_room++; /* the commit timeout opens the gate, the next one closes it */
	r->committed = NULL;
}

static void on_acked(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct replicator *r = ctx;

	(void)owner;
	for (unsigned int i = 0; i < n; i++) {
		if (repl_entry_commit(e[i]) == 0)
			continue;
		if (r->committed == NULL)
			r->committed = msg_new(T.msgs, MSG_COMMITTED);
		if (r->committed == NULL) {
			r->count.msg_no_room++;
			return;
		}
		r->committed->entry[r->committed->n++] = e[i];
		if (r->committed->n == MSG_ENTRIES)
			committed_send(r);
	}
}

static void on_lost(void *ctx, uint8_t owner, const repl_entry_t *e, unsigned int n)
{
	struct replicator *r = ctx;

	r->lost_at = r->now;
	if (owner >= T.n_workers)
		return;
	while (n > 0) {
		struct msg *m = msg_new(T.msgs, MSG_LOST);
		unsigned int k = RTE_MIN(n, (unsigned int)MSG_ENTRIES);

		if (m == NULL) {
			r->count.resyncs_forced++;
			r->on = false; /* it could not be told: the stream begins anew, and the audit finds the slots */
			return;
		}
		m->n = (uint16_t)k;
		memcpy(m->entry, e, k * sizeof(*e));
		if (door_send(&T.repl_to_worker[owner], m) < 0) {
			r->count.resyncs_forced++;
			r->on = false;
			return;
		}
		e += k;
		n -= k;
	}
}

static void on_peer_new(void *ctx, uint32_t incarnation)
{
	struct replicator *r = ctx;

	(void)incarnation;
	r->on = false; /* another process is there: everything is compared again */
}

static void on_stream_new(void *ctx, uint32_t stream, usec_t now)
{
	struct replicator *r = ctx;

	(void)stream;
	audit_restart(r->audit, now);
}

static void on_want_fill(void *ctx, struct wr *w, usec_t pto, usec_t now)
{
	struct replicator *r = ctx;

	if (!r->active && repl_rx_stream(r->stream) != 0)
		audit_want(r->audit, w, pto, now);
}

static void on_status(void *ctx, struct repl_status *st)
{
	struct replicator *r = ctx;
	usec_t since = audit_in_sync_since(r->audit);

	st->in_sync_since_ms =
		since == USEC_NEVER ? 0 : (uint64_t)((int64_t)since + r->pair_offset_us) / 1000;
	st->buckets = SESSION_SHARDS * T.table->buckets;
	st->unmatched = audit_unmatched(r->audit);
}

static uint64_t hash_bucket(void *ctx, uint32_t bucket)
{
	(void)ctx;
	return session_hash_bucket(T.table, bucket / T.table->buckets, bucket % T.table->buckets);
}

static uint64_t hash_slot(void *ctx, uint32_t bucket, unsigned int slot)
{
	(void)ctx;
	return session_hash_slot(
		T.table, bucket / T.table->buckets, bucket % T.table->buckets * SESSION_BUCKET + slot);
}

static bool bucket_empty(void *ctx, uint32_t bucket)
{
	const struct session_slot *s =
		&T.table->shard[bucket / T.table->buckets].slots[bucket % T.table->buckets * SESSION_BUCKET];

	(void)ctx;
	for (unsigned int i = 0; i < SESSION_BUCKET; i++)
		if (s[i].teid != 0 || s[i].gen != 0)
			return false;
	return true;
}

static void *mem_take(void *ctx, size_t size)
{
	(void)ctx;
	return rte_zmalloc("repl", size, RTE_CACHE_LINE_SIZE);
}

static void mem_give(void *ctx, void *p)
{
	(void)ctx;
	rte_free(p);
}

struct replicator *replicator_create(void)
{
	struct replicator *r = rte_zmalloc("replicator", sizeof(*r), RTE_CACHE_LINE_SIZE);
	const struct repl_ops ops = { .state = on_state,
		.digest = on_digest,
		.want = on_want,
		.heartbeat = on_heartbeat,
		.acked = on_acked,
		.lost = on_lost,
		.peer_new = on_peer_new,
		.stream_new = on_stream_new,
		.want_fill = on_want_fill,
		.status = on_status,
		.ctx = r };
	const struct audit_hash hash = { hash_bucket, hash_slot, bucket_empty, r };
	usec_t beat = T.conf->srp.heartbeat_interval_ms * USEC_PER_MSEC;
	const struct repl_params p = { .incarnation = T.incarnation,
		.heartbeat_us = beat,
		.life_us = beat * T.conf->srp.dead_multiplier / 2,
		.gap_us = 1000,
		.gap_packets = 3,
		.ops = &ops,

		.alloc = mem_take,
		.free = mem_give };

	if (r == NULL)
		return NULL;
	for (unsigned int i = 0; i < T.n_ports; i++)
		if (T.port[i].conf->roles & CONFIG_REPLICATION)
			r->port = &T.port[i];
	r->local4 = ip_addr_to_v4(&T.conf->srp.stream_bind);
	r->peer4 = ip_addr_to_v4(&T.conf->srp.stream_peer);
	r->udp_port = (uint16_t)T.conf->srp.stream_port;
	r->adjacency = FIB_NONE;
	r->present_us =
		RTE_MAX(beat * T.conf->srp.dead_multiplier, T.conf->srp.dead_interval_ms * USEC_PER_MSEC);
	r->view.heard = USEC_NEVER;
	r->view.oldest_unacked = USEC_NEVER;
	r->view.in_sync_since = USEC_NEVER;
	r->stream = repl_create(&p, clock_us());
	r->audit = audit_create(SESSION_SHARDS * T.table->buckets, OUTSTANDING, &hash);
	if (r->stream == NULL || r->audit == NULL) {
		replicator_destroy(r);
		return NULL;
	}
	return r;
}

void replicator_destroy(struct replicator *r)
{
	if (r == NULL)
		return;
	repl_destroy(r->stream);
	audit_destroy(r->audit);
	rte_free(r);
}

/* ---- frames ---- */

/* One frame in; false: not the stream's (it goes to the kernel). */
static bool stream_frame(struct replicator *r, struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	uint16_t len;

	if (m->nb_segs != 1 || m->data_len < OUTER || eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
		ip->version_ihl != 0x45 || ip->next_proto_id != IPPROTO_UDP ||
		udp->dst_port != rte_cpu_to_be_16(r->udp_port) ||
		ip->dst_addr != rte_cpu_to_be_32(r->local4) || (ip->fragment_offset & RTE_BE16(0x3fff)) != 0)
		return false;
	if (ip->src_addr != rte_cpu_to_be_32(r->peer4)) {
		r->count.drop_not_peer++;
		return true;
	}
	len = rte_be_to_cpu_16(udp->dgram_len);
	if (len < sizeof(*udp) || len > m->data_len - sizeof(*eth) - sizeof(*ip) ||
		rte_be_to_cpu_16(ip->total_length) < len + sizeof(*ip) || rte_ipv4_cksum(ip) != 0 ||
		udp->dgram_cksum == 0 || rte_ipv4_udptcp_cksum_verify(ip, udp) != 0) {
		r->count.drop_checksum++;
		return true;
	}
	repl_input(r->stream, (const uint8_t *)(udp + 1), len - sizeof(*udp), r->now);
	return true;
}

static bool receive(struct replicator *r)
{
	struct rte_mbuf *m[BURST];
	bool busy = false;

	/* Drained before any timer may fire; bounded, so that a flood cannot hold the timers for ever. */
	for (unsigned int round = 0; round < 8; round++) {
		uint16_t n = rte_eth_rx_burst(r->port->id, 0, m, BURST);

		for (uint16_t i = 0; i < n; i++) {
			r->count.rx_frames++;
			if (stream_frame(r, m[i]))
				rte_pktmbuf_free(m[i]);
			else if (rte_ring_enqueue(T.punt, m[i]) == 0)
				r->count.punted++;
			else {
				r->count.punt_full++;
				rte_pktmbuf_free(m[i]);
			}
		}
		busy |= n > 0;
		if (n < BURST || clock_us() - r->now > RECEIVE_US)
			break;
	}
	return busy;
}

/* Ethernet, IPv4 and UDP in front of the payload. With a UDP checksum: in plain text it is all that guards the bytes. */
static void transmit(struct replicator *r, struct rte_mbuf *m)
{
	uint16_t len = m->data_len, port;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_prepend(m, OUTER);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	uint16_t adj = atomic_load_explicit(&r->adjacency, memory_order_relaxed);

	if (adj == FIB_NONE || !fib_adj_get(T.fib, adj, &eth->dst_addr, &port)) {
		r->count.tx_unresolved++;
		rte_pktmbuf_free(m);
		return;
	}
	eth->src_addr = r->port->mac;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
		.type_of_service = 0xc0 /* CS6 */,
		.total_length = rte_cpu_to_be_16((uint16_t)(len + OUTER - sizeof(*eth))),
		.packet_id = rte_cpu_to_be_16(r->ip_id++),
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(r->local4),
		.dst_addr = rte_cpu_to_be_32(r->peer4) };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){ .src_port = rte_cpu_to_be_16(r->udp_port),
		.dst_port = rte_cpu_to_be_16(r->udp_port),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(len + sizeof(*udp))) };
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	if (rte_eth_tx_burst(r->port->id, 0, &m, 1) == 1) {
		r->count.tx_frames++;
	} else {
		r->count.tx_failed++;
		rte_pktmbuf_free(m);
	}
}

/* Packets of the workers: numbered and sent in the order in which each worker finished them. */
static bool send_state(struct replicator *r)
{
	bool busy = false;

	for (unsigned int w = 0; w < T.n_workers; w++) {
		struct rte_mbuf *m[BURST];
		unsigned int n = RTE_MIN(repl_room(r->stream), (unsigned int)BURST);

		if (!r->on) /* no stream: what was finished before it ended is found by the next audit */
			n = BURST;
		n = rte_ring_dequeue_burst(T.stream_out[w], (void **)m, n, NULL);
		for (unsigned int i = 0; i < n; i++) {
			struct stream_meta *meta = rte_mbuf_to_priv(m[i]);
			int len = r->on ? repl_seal(r->stream, rte_pktmbuf_mtod(m[i], uint8_t *),
						  m[i]->data_len, meta->owner, meta->entry, meta->n, r->now)
					: -ENOTCONN;

			if (len > 0) {
				m[i]->data_len = (uint16_t)len;
				m[i]->pkt_len = (uint32_t)len;
				transmit(r, m[i]);
			} else {
				on_lost(r, meta->owner, meta->entry, meta->n);
				r->count.discarded++;
				rte_pktmbuf_free(m[i]);
			}
		}
		busy |= n > 0;
	}
	return busy;
}

static bool send_control(struct replicator *r)
{
	for (unsigned int i = 0; i < POLLS; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(T.stream_mbufs);
		size_t len;

		if (m == NULL) {
			r->count.no_mbuf++;
			return false;
		}
		len = repl_poll(r->stream, rte_pktmbuf_mtod(m, uint8_t *),
			RTE_MIN((size_t)r->port->conf->mtu - 28, (size_t)rte_pktmbuf_tailroom(m)), r->now);
		if (len == 0) {
			rte_pktmbuf_free(m);
			return i > 0;
		}
		m->data_len = (uint16_t)len;
		m->pkt_len = (uint32_t)len;
		transmit(r, m);
	}
	return true;
}

static bool from_kernel(struct replicator *r)
{
	struct rte_mbuf *m[BURST];
	unsigned int n = rte_ring_dequeue_burst(T.kernel_repl, (void **)m, BURST, NULL), sent;

	if (n == 0)
		return false;
	sent = rte_eth_tx_burst(r->port->id, 0, m, (uint16_t)n);
	for (; sent < n; sent++)
		rte_pktmbuf_free(m[sent]);
	return true;
}

/* ---- roles ---- */

static void done(struct replicator *r, const struct msg *q, bool ok, uint64_t number)
{
	struct msg *m = msg_new(T.msgs, MSG_DONE);

	if (m == NULL) {
		r->count.msg_no_room++;
		return;
	}
	m->by = SESSION_BY_REPL;
	m->what = q->type;
	m->term = q->term;
	m->cookie = q->cookie;
	m->ok = ok;
	m->number = number;
	if (door_send(&T.from_repl, m) < 0)
		r->count.msg_no_room++;
}

static bool workers_stream(struct replicator *r, bool on, bool late)
{
	bool ok = true;

	for (unsigned int w = 0; w < T.n_workers; w++) {
		struct msg *m = msg_new(T.msgs, MSG_STREAM);

		if (m == NULL) {
			r->count.msg_no_room++;
			ok = r->on = false; /* tried again at the next turn */
			continue;
		}
		m->on = on;
		m->what = late;
		m->term = r->term;
		m->old_term = r->late_term;
		if (door_send(&T.repl_to_worker[w], m) < 0) {
			r->count.msg_no_room++;
			ok = r->on = false;
		}
	}
	return ok;
}

static void control_stream(struct replicator *r, bool on)
{
	struct msg *m = msg_new(T.msgs, MSG_STREAM_STATE);

	if (m == NULL)
		return;
	m->on = on;
	m->term = r->term;
	door_send(&T.from_repl, m);
}

/* Finished packets belong to the stream that was: they must not go out in another, where they mean something else. */
static void discard(struct replicator *r)
{
	for (unsigned int w = 0; w < T.n_workers; w++) {
		void *m;

		while (rte_ring_dequeue(T.stream_out[w], &m) == 0) {
			struct stream_meta *meta = rte_mbuf_to_priv(m);

			on_lost(r, meta->owner, meta->entry, meta->n);
			r->count.discarded++;
			rte_pktmbuf_free(m);
		}
	}
}

static void late_start(struct replicator *r)
{
	discard(r);
	repl_stream_late(r->stream, r->late_term, r->now);
	r->on = true;
	workers_stream(r, true, true);
}

static void late_stop(struct replicator *r)
{
	if (!r->late)
		return;
	r->late = r->on = r->draining = false;
	repl_stream_stop(r->stream);
}

static void take(struct replicator *r, const struct msg *m)
{
	switch (m->type) {
	case MSG_STOP:
		late_stop(r); /* what it did not bring stays in our own set */
		discard(r);
		done(r, m, true, repl_receive_stop(r->stream, r->now));
		r->writing = false;
		break;
	case MSG_WRITE: /* standby in the peer's term; with old_term: our own usage of that term still goes out */
		r->active = false;
		r->term = m->term;
		r->on = false;
		audit_restart(r->audit, r->now);
		repl_receive(r->stream, REPL_RX_APPLY, m->term, 0);
		r->late = m->old_term != 0;
		r->late_term = m->old_term;
		r->draining = r->told = false;
		r->writing = true;
		if (r->late) {
			late_start(r);
		} else {
			discard(r);
			repl_stream_stop(r->stream);
			workers_stream(r, false, false);
		}
		done(r, m, true, 0);
		break;
	case MSG_START:
		r->active = true;
		r->late = r->writing = false;
		r->term = m->term;
		r->old_term = m->old_term;
		r->on = false; /* begins when the peer is there */
		r->pair_offset_us = atomic_load(&T.pair_offset_ms) * 1000;
		repl_pair_time(r->stream, r->pair_offset_us);
		repl_receive(r->stream, m->old_term != 0 ? REPL_RX_LATE : REPL_RX_NONE, m->term, m->old_term);
		done(r, m, true, 0);
		break;
	case MSG_DRAIN:
		r->draining = true;
		r->drain_cookie = m->cookie;
		r->drain_term = m->term;
		break;
	case MSG_LATE_STREAM_OFF:
		if (r->late) {
			late_stop(r);
			workers_stream(r, false, false);
		}
		break;
	case MSG_HEARTBEAT:
		repl_heartbeat(r->stream, m->term, m->body, m->len);
		if (m->fresh)
			repl_heartbeat_now(r->stream);
		break;
	default:
		break;
	}
}

static bool messages(struct replicator *r)
{
	struct msg *m;
	bool busy = false;

	for (unsigned int i = 0; i < 16 && (m = door_take(&T.to_repl)) != NULL; i++) {
		take(r, m);
		msg_free(T.msgs, m);
		busy = true;
	}
	return busy;
}

/* The stream runs while we are active and the peer is there and hears us. */
static void presence(struct replicator *r)
{
	usec_t heard = repl_heard(r->stream);
	bool there = heard != USEC_NEVER && r->now - RTE_MIN(heard, r->now) < r->present_us &&
		     repl_hears_us(r->stream);

	if (!r->active) {
		if (r->late && !r->on && there) /* it broke off: from the beginning */
			late_start(r);
		return;
	}
	if (there && !r->on) {
		repl_stream_start(r->stream, r->term, r->now);
		r->on = r->told = true;
		r->count.streams++;
		workers_stream(r, true, false);
		control_stream(r, true);
	} else if (!there && (r->on || r->told)) { /* told: another process may be there, or another term */
		r->on = false;
		repl_stream_stop(r->stream);
		r->told = !workers_stream(r, false, false);
		control_stream(r, false);
	}
}

static void drained(struct replicator *r)
{
	struct msg q = { .type = MSG_DRAIN, .term = r->drain_term, .cookie = r->drain_cookie };

	if (!r->draining || repl_unacked(r->stream) > 0)
		return;
	for (unsigned int w = 0; w < T.n_workers; w++)
		if (!rte_ring_empty(T.stream_out[w]) || !rte_ring_empty(T.repl_to_worker[w].ring))
			return;
	if (r->lost_at != 0 &&
		r->now - r->lost_at < QUIET_US) /* what was lost is on its way through a worker */
		return;
	r->draining = false;
	done(r, &q, true, repl_last_number(r->stream));
}

static void publish(struct replicator *r)
{
	const struct repl_status *st = repl_peer_status(r->stream);
	struct replicator_view *v = &r->view;
	usec_t since;

	/* Every turn: what the election decides by. */
	atomic_store_explicit(&v->heard, repl_heard(r->stream), memory_order_relaxed);
	atomic_store_explicit(&v->hears_us, repl_hears_us(r->stream), memory_order_relaxed);
	atomic_store_explicit(&v->unacked, repl_unacked(r->stream), memory_order_relaxed);
	if (r->now < r->next_view)
		return;
	r->next_view = r->now + VIEW_US;
	if (r->writing) { /* else all that was ever freed would still be in quarantine at a promotion */
		session_quarantine_expire(
			T.table, SESSION_BY_REPL, r->quarantine_shard, (uint32_t)(r->now / USEC_PER_SEC), 64);
		r->quarantine_shard = (r->quarantine_shard + 1) % SESSION_SHARDS;
	}
	audit_scan(r->audit);
	since = r->active ? USEC_NEVER : audit_in_sync_since(r->audit);
	atomic_store(&v->stream_on, r->active && r->on);
	atomic_store(&v->in_sync_since, since);
	atomic_store(&v->joined, since != USEC_NEVER);
	atomic_store(&v->buckets, SESSION_SHARDS * T.table->buckets);
	atomic_store(&v->unmatched, audit_unmatched(r->audit));
	atomic_store(&v->in_sync_since_ms, r->active ? (r->on ? st->in_sync_since_ms : 0)
					   : since == USEC_NEVER
						   ? 0
						   : (uint64_t)((int64_t)since + r->pair_offset_us) / 1000);
	atomic_store(&v->status_heard, st->heard);
	atomic_store(&v->peer_buckets, st->buckets);
	atomic_store(&v->peer_unmatched, st->unmatched);
	atomic_store(&v->last_number, repl_last_number(r->stream));
	atomic_store(&v->applied, repl_applied(r->stream));
	atomic_store(&v->peer_incarnation, repl_peer_incarnation(r->stream));
	atomic_store(&v->srtt, repl_srtt(r->stream));
	atomic_store(&v->oldest_unacked, repl_oldest_unacked(r->stream));
}

/* On shared CPUs the core that hears the peer goes before the others. */
static void realtime(void)
{
	const struct sched_param p = { .sched_priority = REALTIME_PRIORITY };

	if (T.conf->srp.realtime && pthread_setschedparam(pthread_self(), SCHED_FIFO, &p) != 0)
		LOG(WARNING,
			"srp.realtime: no right to SCHED_FIFO (CAP_SYS_NICE, LimitRTPRIO): going on without");
}

int replicator_run(void *arg)
{
	struct replicator *r = arg;
	unsigned int idle = 0;
	usec_t grace = 0;

	realtime();
	while (!atomic_load_explicit(&T.quit, memory_order_relaxed)) {
		usec_t stall;
		bool busy;

		r->now = clock_us();
		stall = pulse_turn(&T.pulse_repl, r->now);
		busy = receive(r);
		busy |= messages(r);
		presence(r);
		repl_tick(r->stream, r->now);
		busy |= send_state(r);
		committed_send(r);
		busy |= send_control(r);
		busy |= from_kernel(r);
		drained(r);
		publish(r);
		if (stall > 0) /* others may have stood still with us: they get their second anew */
			grace = r->now + WATCHDOG_US;
		if (r->now >= grace)
			watchdog_others(r->now);
		pulse_rest(&T.pulse_repl, busy, &idle);
	}
	return 0;
}
