/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames between the other cores and the kernel's twins. */
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "kernel_priv.h"

enum { FRAMES = 64, FRAME_ROUNDS = 4 };

static void frames_one(struct kernel *k, struct rte_mbuf *m, usec_t now)
{
	struct kernel_port *p = kernel_port_of(k, m->port);

	if (p == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	if (k->probing)
		probe_frame(k, p, m);
	if (k->s.ops.frame(k->s.ctx, m, now))
		return;
	if (net_ops->twin_to(&p->twin, &m, 1) == 1)
		k->twin_in++;
	else
		k->punts_dropped++;
}

/* Each is an event of its own: what it causes is carried out before the next. */
static unsigned int frames_to_kernel(struct kernel *k, usec_t now)
{
	struct rte_mbuf *m[FRAMES];
	unsigned int n = rte_ring_dequeue_burst(k->s.punt, (void **)m, FRAMES, NULL);

	for (unsigned int i = 0; i < n; i++) {
		frames_one(k, m[i], now);
		reactor_settle(k->s.reactor);
	}
	return n;
}

static unsigned int frames_from_kernel(struct kernel *k)
{
	unsigned int most = 0;

	for (unsigned int i = 0; i < k->s.n_ports; i++) {
		struct rte_mbuf *m[FRAMES];
		struct kernel_port *p = &k->s.port[i];
		uint16_t n = net_ops->twin_from(&p->twin, m, FRAMES);

		for (uint16_t j = 0; j < n; j++) {
			m[j]->port = p->id;
			if (rte_ring_enqueue(p->out, m[j]) == 0) {
				k->twin_out++;
			} else {
				k->frames_dropped++;
				rte_pktmbuf_free(m[j]);
			}
		}
		most = RTE_MAX(most, n);
	}
	return most;
}

/* As long as there is more, within bounds: answers to many requests leave the kernel together. */
bool kernel_frames(struct kernel *k, usec_t now)
{
	unsigned int round, n = FRAMES, total = 0;

	for (round = 0; round < FRAME_ROUNDS && n == FRAMES; round++)
		total += n = frames_to_kernel(k, now);
	for (round = 0, n = FRAMES; round < FRAME_ROUNDS && n == FRAMES; round++)
		total += n = frames_from_kernel(k);
	return total > 0;
}

/* As the workers' drop_stale(): what the kernel wanted to send or was to be given before we stood
 * still. */
void kernel_drop_stale(struct kernel *k)
{
	struct rte_mbuf *m[FRAMES];

	for (unsigned int i = 0, n = 1; i < FRAMES && n > 0; i++) {
		n = rte_ring_dequeue_burst(k->s.punt, (void **)m, FRAMES, NULL);
		rte_pktmbuf_free_bulk(m, n);
		k->frames_dropped += n;
	}
	for (unsigned int i = 0; i < k->s.n_ports; i++)
		for (unsigned int j = 0, n = 1; j < FRAMES && n > 0; j++) {
			n = net_ops->twin_from(&k->s.port[i].twin, m, FRAMES);
			rte_pktmbuf_free_bulk(m, n);
			k->frames_dropped += n;
		}
}
