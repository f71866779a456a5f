/* SPDX-License-Identifier: BSD-3-Clause */
#include "replicator/twin_frames.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/memory.h"
#include "base/port.h"
#include "repl/flow.h"

enum { TWIN_FRAMES_BURST = 32 };

struct twin_frames {
	uint16_t port;
	bool shared; /* whoever shares the port reads it */
	struct rte_ring *punt, *out;
	struct replicator_port_counters count; /* r: telemetry */
};

struct twin_frames *twin_frames_create(uint16_t port, struct rte_ring *punt, struct rte_ring *out)
{
	struct twin_frames *f = memory_take("twin_frames", sizeof(*f), RTE_CACHE_LINE_SIZE);

	if (f == NULL)
		return NULL;
	f->port = port;
	f->punt = punt;
	f->out = out;
	return f;
}

void twin_frames_destroy(struct twin_frames *f)
{
	memory_give(f);
}

void twin_frames_share(struct twin_frames *f)
{
	f->shared = true;
}

void twin_frames_punt(struct twin_frames *f, struct rte_mbuf *m)
{
	if (rte_ring_enqueue(f->punt, m) == 0) {
		f->count.punted++;
		return;
	}
	f->count.punt_full++;
	rte_pktmbuf_free(m);
}

static bool twin_frames_in(struct twin_frames *f)
{
	struct rte_mbuf *m[TWIN_FRAMES_BURST];
	uint16_t n = port_ops->rx(f->port, 0, m, TWIN_FRAMES_BURST);

	for (uint16_t i = 0; i < n; i++)
		twin_frames_punt(f, m[i]);
	f->count.rx_frames += n;
	return n > 0;
}

static bool twin_frames_out(struct twin_frames *f, struct flow *flow)
{
	struct rte_mbuf *m[TWIN_FRAMES_BURST];
	unsigned int n = rte_ring_dequeue_burst(f->out, (void **)m, TWIN_FRAMES_BURST, NULL), sent;

	if (n == 0)
		return false;
	for (unsigned int i = 0; i < n; i++)
		flow_sent(flow, m[i]->pkt_len);
	sent = port_ops->tx(f->port, 0, m, (uint16_t)n);
	for (; sent < n; sent++)
		rte_pktmbuf_free(m[sent]);
	return true;
}

bool twin_frames_turn(struct twin_frames *f, struct flow *flow)
{
	bool busy = !f->shared && twin_frames_in(f);

	return twin_frames_out(f, flow) || busy;
}

const struct replicator_port_counters *twin_frames_count(const struct twin_frames *f)
{
	return &f->count;
}
