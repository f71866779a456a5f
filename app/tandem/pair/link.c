/* SPDX-License-Identifier: BSD-3-Clause */
/* From a socket to a connection that is up: link.h says how. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <rte_common.h>

#include "base/sock.h"
#include "cores/from_replicator.h"
#include "pair_priv.h"

enum { HANDSHAKE_US = 2000000 };

static struct link_conn *link_conn_of(struct source *s)
{
	return (struct link_conn *)s;
}

static void link_events(struct pair *p, struct link_conn *l, uint32_t set)
{
	reactor_change(p->reactor, &l->src, set);
}

static void link_up(struct pair *p, struct link_conn *l, usec_t now)
{
	if (p->link.up != NULL) /* the peer would not have made another if that were alive */
		link_lost(p, p->link.up, false, now);
	link_events(p, l, EPOLLIN);
	l->state = LINK_UP;
	p->link.up = l;
	srp_connected(p->srp, now);
	reactor_again(p->reactor, &l->src); /* something may wait in it, or in TLS, already */
}

/* The replication core must be able to open what the peer will seal, before our hello lets it. */
static void link_hand_keys(struct pair *p, struct link_conn *l, usec_t now)
{
	struct to_replicator *m = to_replicator_key(p->cores.msgs, l->serial);

	if (m == NULL ||
		tls_ops->secrets(l->tls, m->key.tx_secret, m->key.rx_secret, &m->key.key_id) < 0) {
		if (m != NULL)
			msg_free(p->cores.msgs, m);
		link_lost(p, l, false, now);
		return;
	}
	l->key_id = m->key.key_id;
	if (to_replicator_send(p->cores.to_replicator, m) < 0) {
		link_lost(p, l, false, now);
		return;
	}
	l->state = LINK_KEY;
	link_events(p, l, 0);
}

void pair_keyed(struct pair *p, const struct from_replicator_keyed *m, usec_t now)
{
	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &p->link.conn[i];

		if (l->state != LINK_KEY || l->serial != m->cookie)
			continue;
		if (m->ok)
			link_up(p, l, now);
		else /* its id is that of a key that lives: the next connection has another */
			link_lost(p, l, false, now);
		return;
	}
}

/* With a certificate, side 1 has finished before side 0 has looked at what it showed: the first
 * byte proves that it liked it. */
static void link_prove(struct pair *p, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];
	ssize_t n = link_bytes_in(l, l->in, 1, why);

	if (n < 0)
		link_refuse(p, l,
			why[0] != '\0'
				? why
				: "the peer closed the connection after the handshake: see its log",
			now);
	if (n <= 0)
		return;
	l->in_len = 1;
	link_hand_keys(p, l, now);
}

static void link_handshake(struct pair *p, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];

	switch (tls_ops->handshake(l->tls, why)) {
	case TLS_AGAIN:
		link_events(p, l, tls_ops->wants_write(l->tls) ? EPOLLIN | EPOLLOUT : EPOLLIN);
		break;
	case TLS_FAILED:
		link_refuse(p, l, why, now);
		break;
	case TLS_DONE:
		if (p->seat == 0) {
			link_hand_keys(p, l, now);
			break;
		}
		l->state = LINK_PROVE;
		link_events(p, l, EPOLLIN);
		link_prove(p, l, now);
		break;
	}
}

/* Whoever puts new files in place has them used from the next connection on. */
static void link_renew(struct pair *p)
{
	struct tls *t;
	char why[TLS_WHY];

	if (!tls_ops->changed(p->link.tls, &p->live.files))
		return;
	t = tls_ops->create(&p->live.files, why);
	if (t == NULL) {
		LOG(ERR,
			"the new certificates or keys cannot be used: new connections go on with "
			"the certificates and keys as they were reason=%s",
			LOG_TEXT(why));
		return;
	}
	tls_ops->destroy(p->link.tls);
	p->link.tls = t;
	/* srp.peer-name is live; of a peer that was put in place of the configuration's it says
	 * nothing. */
	if (ip_addr_equal(&p->peer.address, &p->start.peer))
		snprintf(p->peer.name, sizeof(p->peer.name), "%s", p->live.files.peer_name);
	LOG(NOTICE, "SRP: the files of certificates and keys have changed and were read again");
}

void link_established(struct pair *p, struct link_conn *l, usec_t now)
{
	int one = 1;

	sock_ops->set_option(l->src.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (p->link.tls == NULL) {
		link_up(p, l, now);
		return;
	}
	link_renew(p);
	l->tls = tls_ops->open(p->link.tls, l->src.fd, p->seat, p->peer.name);
	if (l->tls == NULL) {
		link_lost(p, l, false, now);
		return;
	}
	l->state = LINK_TLS;
	l->by = now + RTE_MIN(srp_proof_us(p->start.dead_us), (usec_t)HANDSHAKE_US);
	srp_connecting(p->srp, true, now);
	link_handshake(p, l, now);
}

static void link_ready(void *ctx, struct source *s, uint32_t set)
{
	struct pair *p = ctx;
	struct link_conn *l = link_conn_of(s);
	usec_t now = p->now;
	int error = 0;
	socklen_t len = sizeof(error);

	switch (l->state) {
	case LINK_TCP:
		if (!(set & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			break;
		sock_ops->get_option(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error != 0)
			link_lost(p, l, error == ECONNREFUSED, now);
		else
			link_established(p, l, now);
		break;
	case LINK_TLS:
		link_handshake(p, l, now);
		break;
	case LINK_PROVE:
		link_prove(p, l, now);
		break;
	case LINK_UP:
		link_receive(p, l, now);
		break;
	case LINK_KEY: /* what there is is read when its key is there */
	case LINK_FREE:
		break;
	}
}

/* One that is free; the oldest that has not proven itself yet makes room. */
static struct link_conn *link_free_one(struct pair *p)
{
	struct link_conn *oldest = NULL;

	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &p->link.conn[i];

		if (l->state == LINK_FREE)
			return l;
		if (l->state != LINK_UP && (oldest == NULL || l->serial < oldest->serial))
			oldest = l;
	}
	link_free(p, oldest);
	return oldest;
}

struct link_conn *link_take(struct pair *p, int fd, uint32_t set)
{
	struct link_conn *l = link_free_one(p);

	if (reactor_watch(p->reactor, &l->src, fd, set, link_ready, p) < 0) {
		sock_ops->close(fd);
		l->src.fd = -1;
		return NULL;
	}
	l->serial = ++p->link.serials;
	l->state = LINK_TCP;
	return l;
}

/* What is in the making: nothing, a connection, or one whose other end is proving who it is. */
enum link_making { MAKING_NONE, MAKING_TCP, MAKING_PROOF };

static enum link_making link_making(struct pair *p, usec_t now)
{
	enum link_making most = MAKING_NONE;

	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &p->link.conn[i];

		if (l->state == LINK_FREE || l->state == LINK_UP)
			continue;
		if (now < l->by)
			most = RTE_MAX(most, l->state == LINK_TCP ? MAKING_TCP : MAKING_PROOF);
		else if (l->state == LINK_TCP)
			link_lost(p, l, false, now);
		else
			link_refuse(p, l,
				"the peer did not finish the handshake in time: is insecure = true "
				"set there?",
				now);
	}
	return most;
}

/* Who has said goodbye has nothing more to say and hears nothing: the kernel refuses whoever comes,
 * who else would wait in vain. The stream goes on with the keys that it has. */
static void link_leave(struct pair *p, usec_t now)
{
	reactor_unwatch(p->reactor, &p->link.listen);
	link_flush(p, p->link.up, now);
	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &p->link.conn[i];

		if (l->state != LINK_FREE && (l->state != LINK_UP || l->out_len == 0))
			link_lost(p, l, false, now);
	}
}

void link_turn(struct pair *p, usec_t now)
{
	enum link_making what;

	if (p->goodbye) {
		link_leave(p, now);
		return;
	}
	what = link_making(p, now);
	srp_connecting(p->srp, what == MAKING_PROOF, now);
	link_flush(p, p->link.up, now);
	if (p->seat != 0 && p->link.up == NULL && what == MAKING_NONE && now >= p->link.retry_at)
		link_connect(p, now);
}
