/* SPDX-License-Identifier: BSD-3-Clause */
/* The slow path of GTP-U (TS 29.281): what workers leave to the kernel arrives on the VIP's UDP
 * port 2152: Echo, Error Indication, G-PDUs without a session, and G-PDUs that the kernel
 * reassembled from fragments. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "process/control.h"
#include "base/sock.h"

enum { DATAGRAMS = 64, OUTER = 42 };

static void reply(struct control *c, const struct gtpc_peer *to, const uint8_t *buf, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t n = sock_address(&ss, &to->addr, to->port);

	(void)sendto(c->gtp.u.fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ss, n);
}

static uint16_t access_port(void)
{
	for (unsigned int i = 0; i < T.n_ports; i++)
		if (T.port[i].conf->roles & CONFIG_ACCESS)
			return T.port[i].id;
	return 0;
}

/* A datagram that the kernel put together again goes to its owner as if it had come in one
 * piece. */
static void reinject(struct control *c, const struct gtpc_peer *from, uint32_t teid,
	const uint8_t *p, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(T.mbufs);
	struct rte_ether_hdr *eth;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;

	if (m == NULL || len + OUTER > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		c->frames_dropped++;
		return;
	}
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, (uint16_t)(OUTER + len));
	ip = (struct rte_ipv4_hdr *)(eth + 1);
	udp = (struct rte_udp_hdr *)(ip + 1);
	memset(eth, 0, OUTER);
	m->port = access_port();
	eth->dst_addr = T.fib->mac[m->port]; /* another station's frame is the kernel's to ignore */
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + len));
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = rte_cpu_to_be_32(ip_addr_to_v4(&from->addr));
	ip->dst_addr = rte_cpu_to_be_32(T.shared.gtp4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = rte_cpu_to_be_16(from->port);
	udp->dst_port = RTE_BE16(GTPU_PORT);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + len));
	memcpy(udp + 1, p, len);
	if (rte_ring_enqueue(T.handover[T.shared.worker_of_shard[session_handle_shard(teid)]], m) <
		0) {
		rte_pktmbuf_free(m);
		c->frames_dropped++;
		return;
	}
	c->gtp.reinjected++;
}

static void error_indication(
	struct control *c, const struct gtpc_peer *to, uint32_t teid, usec_t now)
{
	struct gtpc_peer port = { to->addr, GTPU_PORT };
	uint8_t buf[GTPU_MSG_MAX];

	if (now <
		/* not right after an unplanned promotion: an SGSN gives the context up on one */
		c->gtp.ei_from) {
		c->gtp.ei_suppressed++;
		return;
	}
	c->gtp.ei_sent++;
	reply(c, &port, buf, gtpu_encode_error_indication(buf, teid, &config_gtp(T.conf)->address));
}

static void obey(struct control *c, const uint8_t *body, size_t len)
{
	struct msg m = { .type = MSG_PEER_GONE };

	c->gtp.ei_received++;
	if (gtpu_decode_error_indication(body, len, &m.teid, &m.addr) == 0)
		control_to_workers(&m);
}

static void datagram(
	struct control *c, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now)
{
	uint8_t buf[GTPU_MSG_MAX];
	struct gtpu g = { 0 };
	enum gtpu_verdict v = gtpu_parse_slow(p, len, &g);

	if (!pair_answers(c->pair) || srp_info(c->srp)->mute)
		return;
	if (v == GTPU_UNKNOWN_EXTENSION) {
		reply(c, from, buf, gtpu_encode_supported_extension_headers(buf, g.seq));
		return;
	}
	if (v != GTPU_OK) {
		c->gtp.unknown_u++;
		return;
	}
	switch (g.type) {
	case GTPU_ECHO_REQUEST:
		c->gtp.echo_u++;
		reply(c, from, buf, gtpu_encode_echo_response(buf, g.seq));
		break;
	case GTPU_ERROR_INDICATION:
		obey(c, p + g.offset, g.len);
		break;
	case GTPU_G_PDU:
		if (session_find(T.table, g.teid) != NULL)
			reinject(c, from, g.teid, p, len);
		else
			error_indication(c, from, g.teid, now);
		break;
	default:
		c->gtp.unknown_u++;
		break;
	}
}

static void on_gtpu(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;
	usec_t now = clock_us();

	(void)events;
	for (unsigned int i = 0; i < DATAGRAMS; i++) {
		static uint8_t buf[65536];
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		ssize_t n = recvfrom(s->fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);
		struct gtpc_peer from;

		if (n < 0)
			return;
		sock_from(&ss, &from.addr, &from.port);
		datagram(c, &from, buf, (size_t)n, now);
	}
}

int gtpu_open(struct control *c)
{
	int fd = sock_bound(&config_gtp(T.conf)->address, GTPU_PORT, SOCK_DGRAM);

	return fd < 0 ? fd : reactor_watch(c->reactor, &c->gtp.u, fd, EPOLLIN, on_gtpu, c);
}
