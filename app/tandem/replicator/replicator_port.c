/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of the stream between the transport, the workers and the stream: sealed, sent and taken
 * in. */
#include <errno.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "replicator_priv.h"

enum {
	POLLS = 8,
	RECEIVE_ROUNDS = 8,
	/* a turn that compares a large table must still end soon enough to be heard */
	RECEIVE_US = 20000,
};

_Static_assert((int)REPLICATOR_BURST == (int)TRANSPORT_BURST, "a burst goes through both");

bool replicator_receive(struct replicator *r)
{
	struct transport *t = r->env.transport;
	bool busy = false;

	/* Drained before any timer may fire; bounded, so that a flood cannot hold the timers for
	 * ever. */
	for (unsigned int round = 0; round < RECEIVE_ROUNDS; round++) {
		struct arrived a[TRANSPORT_BURST];
		unsigned int brought, n = t->ops->rx(t, a, &brought);

		replicator_take(r, a, n);
		for (unsigned int i = 0; i < n; i++)
			rte_pktmbuf_free(a[i].m);
		busy |= brought > 0;
		if (brought < TRANSPORT_BURST || clock_us() - r->now > RECEIVE_US)
			break;
	}
	return busy;
}

/* A burst of packets that repl_seal or repl_poll made, with the slots that seal them. */
static void replicator_transmit(
	struct replicator *r, struct rte_mbuf **m, const int *slot, unsigned int n)
{
	struct transport *t = r->env.transport;

	if (n == 0)
		return;
	if (!t->ops->link(t)) {
		r->count.tx_unresolved += n;
		rte_pktmbuf_free_bulk(m, n);
		return;
	}
	n = replicator_seal(r, m, slot, n);
	for (unsigned int i = 0; i < n; i++)
		flow_sent(&r->flow, m[i]->pkt_len + t->around);
	if (n > 0)
		t->ops->tx(t, m, n);
}

static void replicator_sized(struct rte_mbuf *m, size_t len)
{
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
}

/* Packets of the workers: numbered and sent in the order in which each worker finished them. A turn
 * begins behind the worker that was served last: where the rate is scarce they have it in turn. */
bool replicator_send_state(struct replicator *r)
{
	unsigned int first = r->next_worker;
	bool busy = false;

	for (unsigned int i = 0; i < r->env.n_workers; i++) {
		struct rte_mbuf *m[REPLICATOR_BURST];
		unsigned int w = (first + i) % r->env.n_workers, sealed = 0;
		int slot[REPLICATOR_BURST];
		unsigned int n = RTE_MIN(repl_room(r->stream), (unsigned int)REPLICATOR_BURST);

		n = RTE_MIN(n, flow_packets(&r->flow));
		/* no stream: what was finished before it ended is found by the next audit */
		if (!r->on)
			n = REPLICATOR_BURST;
		n = rte_ring_dequeue_burst(r->env.stream_out[w], (void **)m, n, NULL);
		if (n > 0)
			r->next_worker = w + 1;
		for (unsigned int k = 0; k < n; k++) {
			struct stream_meta *meta = rte_mbuf_to_priv(m[k]);
			int len = r->on && meta->version == r->version
					  ? repl_seal(r->stream, rte_pktmbuf_mtod(m[k], uint8_t *),
						    m[k]->data_len, meta->owner, meta->entry,
						    meta->n, r->now)
					  : -ENOTCONN;

			if (len > 0) {
				replicator_sized(m[k], (size_t)len);
				slot[sealed] = repl_slot(r->stream);
				m[sealed++] = m[k];
			} else {
				replicator_lost(r, meta->owner, meta->entry, meta->n);
				r->count.discarded++;
				r->count.discarded_records += meta->n;
				rte_pktmbuf_free(m[k]);
			}
		}
		replicator_transmit(r, m, slot, sealed);
		busy |= n > 0;
	}
	return busy;
}

void replicator_rate(struct replicator *r, uint32_t mbits, usec_t now)
{
	const struct transport *t = r->env.transport;

	flow_init(&r->flow, mbits, t->mtu + t->around, r->env.n_workers, STREAM_FIFO, now);
	atomic_store(&r->view.rate_mbps, mbits);
}

void replicator_limits(struct replicator *r)
{
	usec_t oldest = repl_oldest_unacked(r->stream);
	const struct flow_path p = { .room = repl_room(r->stream),
		.window = repl_window(r->stream),
		.unacked = repl_unacked(r->stream),
		.oldest_age = oldest < r->now ? r->now - oldest : 0,
		.min_rtt = repl_min_rtt(r->stream) };

	flow_limit(&r->flow, &p, r->env.flow);
}

bool replicator_send_control(struct replicator *r)
{
	struct rte_mbuf *m[POLLS];
	int slot[POLLS];
	unsigned int n = 0;

	while (n < POLLS) {
		size_t len;

		m[n] = rte_pktmbuf_alloc(r->env.stream_mbufs);
		if (m[n] == NULL) {
			r->count.tx_no_mbuf++;
			break;
		}
		len = repl_poll(r->stream, rte_pktmbuf_mtod(m[n], uint8_t *),
			RTE_MIN((size_t)r->env.transport->mtu, (size_t)rte_pktmbuf_tailroom(m[n])),
			r->now);
		if (len == 0) {
			rte_pktmbuf_free(m[n]);
			break;
		}
		replicator_sized(m[n], len);
		slot[n++] = repl_slot(r->stream);
	}
	replicator_transmit(r, m, slot, n);
	return n > 0;
}
