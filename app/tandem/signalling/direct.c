/* SPDX-License-Identifier: BSD-3-Clause */
#include "direct.h"

#include <string.h>

#include "gtp.h"
#include "gtpc_frame.h"

bool direct_take(struct control *c, const struct port *in, struct rte_mbuf *m)
{
	struct gtpc_datagram d;
	struct gtpc_peer from;

	if (!T.conf->gtp_direct || !c->up || !c->answering || srp_info(c->srp)->mute ||
		!(in->conf->roles & CONFIG_ACCESS) || m->nb_segs != 1)
		return false;
	switch (gtpc_frame_read(
		rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &in->mac, T.shared.gtp4, &d)) {
	case GTPC_FRAME_OTHER:
		return false;
	case GTPC_FRAME_BAD:
		c->gtp.direct.rx_damaged++;
		break;
	case GTPC_FRAME_OURS:
		c->gtp.direct.rx_direct++;
		from = (struct gtpc_peer){ ip_addr_v4(d.from4), d.from_port };
		gtp_datagram(c, &from, d.p, d.len, c->now);
		break;
	}
	rte_pktmbuf_free(m);
	return true;
}

/* The access port that leads to an address, and the MAC address of the next hop there; NULL: ask
 * the kernel. */
static const struct port *way(uint32_t to4, size_t len, struct rte_ether_addr *hop)
{
	uint32_t nh = fib_lookup(T.fib, to4);
	uint16_t id;

	if (nh >= FIB_ADJ_MAX || !fib_adj_get(T.fib, (uint16_t)nh, hop, &id))
		return NULL;
	for (unsigned int i = 0; i < T.n_ports; i++) {
		const struct port *p = &T.port[i];

		if (p->id == id && (p->conf->roles & CONFIG_ACCESS) &&
			atomic_load(&T.shared.port[id].up) &&
			len + GTPC_FRAME_HEAD - RTE_ETHER_HDR_LEN <= p->conf->mtu)
			return p;
	}
	return NULL;
}

bool direct_send(struct control *c, const struct gtpc_peer *to, const uint8_t *msg, size_t len)
{
	struct rte_ether_addr hop;
	const struct port *out;
	struct rte_mbuf *m;
	uint32_t to4;

	if (!T.conf->gtp_direct || !c->up || !c->answering || !ip_addr_is_v4(&to->addr))
		return false;
	to4 = ip_addr_to_v4(&to->addr);
	out = way(to4, len, &hop);
	m = out != NULL ? rte_pktmbuf_alloc(T.mbufs) : NULL;
	if (m == NULL || len + GTPC_FRAME_HEAD > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return false;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)(GTPC_FRAME_HEAD + len)) + GTPC_FRAME_HEAD, msg,
		len);
	gtpc_frame_write(rte_pktmbuf_mtod(m, uint8_t *), (uint16_t)len, &out->mac, &hop,
		T.shared.gtp4, to4, to->port, c->gtp.ip_id++);
	m->port = out->id;
	if (rte_ring_enqueue(T.kernel_out[0], m) < 0) {
		rte_pktmbuf_free(m);
		return false;
	}
	c->gtp.direct.tx_direct++;
	return true;
}
