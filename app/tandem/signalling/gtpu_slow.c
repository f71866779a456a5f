/* SPDX-License-Identifier: BSD-3-Clause */
#include "gtpu_slow.h"

#include <string.h>
#include <sys/socket.h>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "ask.h"
#include "base/sock.h"
#include "common/ether.h"
#include "cores/role.h"
#include "gtp/gtpu.h"
#include "net/fib.h"

enum { GTPU_DATAGRAMS = 64, GTPU_OUTER = 42 /* Ethernet, IPv4 without options, UDP */ };

int gtpu_slow_open(struct gtpu_slow *u, const struct signalling_env *env, struct heard *heard)
{
	static const struct budget_rates rates = GTPU_ERROR_RATES;

	u->env = env;
	budget_init(&u->errors, &env->secret, &rates, USEC_PER_SEC);
	u->heard = heard;
	u->fd = sock_bound(&env->start.gtp, GTPU_PORT, SOCK_DGRAM);
	return u->fd < 0 ? u->fd : sock_want_interface(u->fd);
}

void gtpu_slow_close(struct gtpu_slow *u)
{
	if (u->fd >= 0)
		sock_ops->close(u->fd);
}

static void gtpu_slow_reply(
	struct gtpu_slow *u, const struct gtpc_peer *to, const uint8_t *buf, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t n = sock_address(&ss, &to->addr, to->port);

	if (role_must_not_send(u->env->role))
		return;
	(void)sock_ops->send_to(
		u->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ss, n);
}

static void gtpu_slow_write_head(const struct gtpu_slow *u, struct rte_ether_hdr *eth,
	uint16_t port, const struct gtpc_peer *from, size_t len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	memset(eth, 0, GTPU_OUTER);
	/* A frame to another station would be the kernel's to ignore. */
	eth->dst_addr = *ether_of(&u->env->fib->mac[port]);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + len));
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = rte_cpu_to_be_32(ip_addr_to_v4(&from->addr));
	ip->dst_addr = rte_cpu_to_be_32(u->env->vip4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = rte_cpu_to_be_16(from->port);
	udp->dst_port = RTE_BE16(GTPU_PORT);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + len));
}

/* What came in on the socket. */
struct gtpu_slow_datagram {
	struct gtpc_peer from;
	const struct signalling_port *port; /* that it came in by */
	const uint8_t *p;
	size_t len;
};

/* A datagram that the kernel put together again goes to its owner as if it had come in one piece,
 * by the port that its fragments came by. */
static void gtpu_slow_reinject(
	struct gtpu_slow *u, const struct gtpu_slow_datagram *d, uint32_t teid)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(u->env->mbufs);
	char *frame;

	if (m == NULL || d->len + GTPU_OUTER > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		u->frames_dropped++;
		return;
	}
	frame = rte_pktmbuf_append(m, (uint16_t)(GTPU_OUTER + d->len));
	m->port = d->port->id;
	gtpu_slow_write_head(u, (struct rte_ether_hdr *)frame, m->port, &d->from, d->len);
	memcpy(frame + GTPU_OUTER, d->p, d->len);
	if (rte_ring_enqueue(u->env->handover[ask_owner(u->env, teid)], m) < 0) {
		rte_pktmbuf_free(m);
		u->frames_dropped++;
		return;
	}
	u->count.gtpu_reassembled++;
}

static void gtpu_slow_send_error(
	struct gtpu_slow *u, const struct gtpc_peer *to, uint32_t teid, usec_t now)
{
	struct gtpc_peer port = { to->addr, GTPU_PORT };
	uint8_t buf[GTPU_MSG_MAX];

	if (now < u->error_from) {
		u->count.error_indications_suppressed++;
		return;
	}
	if (!budget_take(&u->errors, siphash_addr(&u->errors.secret, &to->addr), teid, now)) {
		u->count.error_indications_limited++;
		return;
	}
	u->count.error_indications_sent++;
	gtpu_slow_reply(u, &port, buf, gtpu_encode_error_indication(buf, teid, &u->env->start.gtp));
}

/* The peer knows no such tunnel: its session ends. */
static void gtpu_slow_heard_error(struct gtpu_slow *u, const uint8_t *body, size_t len)
{
	struct ip_addr peer;
	uint32_t teid;

	u->count.error_indications_received++;
	if (gtpu_decode_error_indication(body, len, &teid, &peer) == 0)
		ask_peer_gone(u->env, &peer, teid);
}

static void gtpu_slow_serve(struct gtpu_slow *u, const struct gtpu_slow_datagram *d, usec_t now)
{
	uint8_t buf[GTPU_MSG_MAX];
	struct gtpu g = { 0 };
	enum gtpu_verdict v = gtpu_parse_slow(d->p, d->len, &g);

	if (!role_answers(u->env->role))
		return;
	if (v == GTPU_UNKNOWN_EXTENSION) {
		gtpu_slow_reply(
			u, &d->from, buf, gtpu_encode_supported_extension_headers(buf, g.seq));
		return;
	}
	if (v != GTPU_OK) {
		u->count.gtpu_slow_dropped++;
		return;
	}
	switch (g.type) {
	case GTPU_ECHO_REQUEST:
		u->count.gtpu_echo_requests++;
		gtpu_slow_reply(u, &d->from, buf, gtpu_encode_echo_response(buf, g.seq));
		break;
	case GTPU_ERROR_INDICATION:
		gtpu_slow_heard_error(u, d->p + g.offset, g.len);
		break;
	case GTPU_G_PDU:
		if (session_find(u->env->table, g.teid) != NULL)
			gtpu_slow_reinject(u, d, g.teid);
		else if (g.teid == 0) /* nobody's, and no answer is owed */
			u->count.gtpu_slow_dropped++;
		else
			gtpu_slow_send_error(u, &d->from, g.teid, now);
		break;
	default:
		u->count.gtpu_slow_dropped++;
		break;
	}
}

void gtpu_slow_receive(struct gtpu_slow *u, usec_t now)
{
	for (unsigned int i = 0; i < GTPU_DATAGRAMS; i++) {
		struct gtpu_slow_datagram d = { .p = u->in };
		struct iovec iov = { u->in, sizeof(u->in) };
		struct sockaddr_storage ss;
		struct sock_beside beside;
		struct mmsghdr m = { .msg_hdr = { .msg_name = &ss,
					     .msg_namelen = sizeof(ss),
					     .msg_iov = &iov,
					     .msg_iovlen = 1,
					     .msg_control = &beside,
					     .msg_controllen = sizeof(beside) } };

		if (sock_ops->recv_many(u->fd, &m, 1, MSG_DONTWAIT) < 1)
			return;
		d.len = m.msg_len;
		sock_from(&ss, &d.from.addr, &d.from.port);
		d.port = heard_port(u->heard, sock_interface(&m.msg_hdr));
		if (heard_user(u->heard, d.port, &d.from.addr))
			gtpu_slow_serve(u, &d, now);
		u->env->settled(u->env->ctx);
	}
}
