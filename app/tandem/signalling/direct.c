/* SPDX-License-Identifier: BSD-3-Clause */
#include "direct.h"

#include <stdatomic.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "cores/role.h"
#include "net/fib_lookup.h"

/* False: there is no direct way now. Whoever answers has the VIP. */
static bool direct_is_open(const struct direct *t)
{
	return t->env->live.direct && atomic_load(&t->env->role->answering);
}

static const struct signalling_port *direct_port(const struct direct *t, uint16_t id)
{
	for (unsigned int i = 0; i < t->env->n_ports; i++)
		if (t->env->ports[i].id == id)
			return &t->env->ports[i];
	return NULL;
}

enum gtpc_frame direct_read(struct direct *t, struct rte_mbuf *m, struct gtpc_datagram *d,
	const struct signalling_port **in)
{
	enum gtpc_frame is;

	*in = direct_port(t, m->port);
	if (*in == NULL || m->nb_segs != 1 || !direct_is_open(t) || !role_answers(t->env->role))
		return GTPC_FRAME_OTHER;
	is = gtpc_frame_read(
		rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, &(*in)->mac, t->env->vip4, d);
	if (is == GTPC_FRAME_BAD)
		t->count.rx_damaged++;
	else if (is == GTPC_FRAME_OURS)
		t->count.rx_direct++;
	return is;
}

/* The access port that leads to an address, and the MAC address of the next hop there; NULL: only
 * the kernel knows. */
static const struct signalling_port *direct_way(
	const struct direct *t, const struct ip_addr *to, size_t len, struct mac_addr *hop)
{
	uint32_t nh = fib_lookup(t->env->fib, INSTANCE_MAIN, to);
	const struct signalling_port *p;
	uint16_t id;

	if (nh >= FIB_ADJ_MAX || !fib_adj_get(t->env->fib, (uint16_t)nh, hop, &id))
		return NULL;
	p = direct_port(t, id);
	if (p == NULL || !atomic_load(p->up) || len + GTPC_FRAME_HEAD - RTE_ETHER_HDR_LEN > p->mtu)
		return NULL;
	return p;
}

bool direct_send(struct direct *t, const struct gtpc_peer *to, const uint8_t *msg, size_t len)
{
	const struct signalling_port *out;
	struct mac_addr hop;
	struct rte_mbuf *m;

	if (!ip_addr_is_v4(&to->addr) || !direct_is_open(t))
		return false;
	out = direct_way(t, &to->addr, len, &hop);
	m = out != NULL ? rte_pktmbuf_alloc(t->env->mbufs) : NULL;
	if (m == NULL || len + GTPC_FRAME_HEAD > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return false;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)(GTPC_FRAME_HEAD + len)) + GTPC_FRAME_HEAD, msg,
		len);
	gtpc_frame_write(rte_pktmbuf_mtod(m, uint8_t *), (uint16_t)len, &out->mac, &hop,
		t->env->vip4, ip_addr_to_v4(&to->addr), to->port, t->ip_id++);
	m->port = out->id;
	if (rte_ring_enqueue(t->env->transmit, m) < 0) {
		rte_pktmbuf_free(m);
		return false;
	}
	t->count.tx_direct++;
	return true;
}
