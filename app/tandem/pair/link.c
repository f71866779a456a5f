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
#include "base/log.h"
#include "cores/from_replicator.h"
#include "cores/to_replicator.h"
#include "link.h"

enum { HANDSHAKE_US = 2000000 };

static struct link_conn *link_conn_of(struct source *s)
{
	return (struct link_conn *)s;
}

static void link_events(struct link *link, struct link_conn *l, uint32_t set)
{
	reactor_change(link->with.reactor, &l->src, set);
}

static void link_up(struct link *link, struct link_conn *l, usec_t now)
{
	if (link->up != NULL) /* the peer would not have made another if that were alive */
		link_lost(link, link->up, false, now);
	link_events(link, l, EPOLLIN);
	l->state = LINK_UP;
	link->up = l;
	srp_connected(link->pair.srp, now);
	reactor_again(
		link->with.reactor, &l->src); /* something may wait in it, or in TLS, already */
}

/* The replication core must be able to open what the peer will seal, before our hello lets it. */
static void link_hand_keys(struct link *link, struct link_conn *l, usec_t now)
{
	struct to_replicator *m = to_replicator_key(link->with.msgs, l->serial);

	if (m == NULL ||
		tls_ops->secrets(l->tls, m->key.tx_secret, m->key.rx_secret, &m->key.key_id) < 0) {
		if (m != NULL)
			msg_free(link->with.msgs, m);
		link_lost(link, l, false, now);
		return;
	}
	l->key_id = m->key.key_id;
	if (to_replicator_send(link->with.to_replicator, m) < 0) {
		link_lost(link, l, false, now);
		return;
	}
	l->state = LINK_KEY;
	link_events(link, l, 0);
}

void link_keyed(struct link *link, const struct from_replicator_keyed *m, usec_t now)
{
	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &link->conn[i];

		if (l->state != LINK_KEY || l->serial != m->cookie)
			continue;
		if (m->ok)
			link_up(link, l, now);
		else /* its id is that of a key that lives: the next connection has another */
			link_lost(link, l, false, now);
		return;
	}
}

/* With a certificate, side 1 has finished before side 0 has looked at what it showed: the first
 * byte proves that it liked it. */
static void link_prove(struct link *link, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];
	ssize_t n = link_bytes_in(l, l->in, 1, why);

	if (n < 0)
		link_refuse(link, l,
			why[0] != '\0'
				? why
				: "the peer closed the connection after the handshake: see its log",
			now);
	if (n <= 0)
		return;
	l->in_len = 1;
	link_hand_keys(link, l, now);
}

static void link_handshake(struct link *link, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];

	switch (tls_ops->handshake(l->tls, why)) {
	case TLS_AGAIN:
		link_events(link, l, tls_ops->wants_write(l->tls) ? EPOLLIN | EPOLLOUT : EPOLLIN);
		break;
	case TLS_FAILED:
		link_refuse(link, l, why, now);
		break;
	case TLS_DONE:
		if (link->pair.seat == 0) {
			link_hand_keys(link, l, now);
			break;
		}
		l->state = LINK_PROVE;
		link_events(link, l, EPOLLIN);
		link_prove(link, l, now);
		break;
	}
}

/* Whoever puts new files in place has them used from the next connection on. */
static void link_renew(struct link *link)
{
	struct tls *t;
	char why[TLS_WHY];

	if (!tls_ops->changed(link->tls, &link->pair.live->files))
		return;
	t = tls_ops->create(&link->pair.live->files, why);
	if (t == NULL) {
		LOG(ERR,
			"the new certificates or keys cannot be used: new connections go on with "
			"the certificates and keys as they were reason=%s",
			LOG_TEXT(why));
		return;
	}
	tls_ops->destroy(link->tls);
	link->tls = t;
	/* srp.peer-name is live; of a peer that was put in place of the configuration's it says
	 * nothing. */
	if (ip_addr_equal(&link->pair.peer->address, &link->pair.start->peer))
		snprintf(link->pair.peer->name, sizeof(link->pair.peer->name), "%s",
			link->pair.live->files.peer_name);
	LOG(NOTICE, "SRP: the files of certificates and keys have changed and were read again");
}

void link_established(struct link *link, struct link_conn *l, usec_t now)
{
	int one = 1;

	sock_ops->set_option(l->src.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (link->tls == NULL) {
		link_up(link, l, now);
		return;
	}
	link_renew(link);
	l->tls = tls_ops->open(link->tls, l->src.fd, link->pair.seat, link->pair.peer->name);
	if (l->tls == NULL) {
		link_lost(link, l, false, now);
		return;
	}
	l->state = LINK_TLS;
	l->by = now + RTE_MIN(srp_proof_us(link->pair.live->dead_us), (usec_t)HANDSHAKE_US);
	srp_connecting(link->pair.srp, true, now);
	link_handshake(link, l, now);
}

static void link_ready(void *ctx, struct source *s, uint32_t set)
{
	struct link *link = ctx;
	struct link_conn *l = link_conn_of(s);
	usec_t now = link->now;
	int error = 0;
	socklen_t len = sizeof(error);

	switch (l->state) {
	case LINK_TCP:
		if (!(set & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			break;
		sock_ops->get_option(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error != 0)
			link_lost(link, l, error == ECONNREFUSED, now);
		else
			link_established(link, l, now);
		break;
	case LINK_TLS:
		link_handshake(link, l, now);
		break;
	case LINK_PROVE:
		link_prove(link, l, now);
		break;
	case LINK_UP:
		link_receive(link, l, now);
		break;
	case LINK_KEY: /* what there is is read when its key is there */
	case LINK_FREE:
		break;
	}
}

/* One that is free; the oldest that has not proven itself yet makes room. */
static struct link_conn *link_free_one(struct link *link)
{
	struct link_conn *oldest = NULL;

	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &link->conn[i];

		if (l->state == LINK_FREE)
			return l;
		if (l->state != LINK_UP && (oldest == NULL || l->serial < oldest->serial))
			oldest = l;
	}
	link_free(link, oldest);
	return oldest;
}

struct link_conn *link_take(struct link *link, int fd, uint32_t set)
{
	struct link_conn *l = link_free_one(link);

	if (reactor_watch(link->with.reactor, &l->src, fd, set, link_ready, link) < 0) {
		sock_ops->close(fd);
		l->src.fd = -1;
		return NULL;
	}
	l->serial = ++link->serials;
	l->state = LINK_TCP;
	return l;
}

/* What is in the making: nothing, a connection, or one whose other end is proving who it is. */
enum link_making { MAKING_NONE, MAKING_TCP, MAKING_PROOF };

static enum link_making link_making(struct link *link, usec_t now)
{
	enum link_making most = MAKING_NONE;

	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &link->conn[i];

		if (l->state == LINK_FREE || l->state == LINK_UP)
			continue;
		if (now < l->by)
			most = RTE_MAX(most, l->state == LINK_TCP ? MAKING_TCP : MAKING_PROOF);
		else if (l->state == LINK_TCP)
			link_lost(link, l, false, now);
		else
			link_refuse(link, l,
				"the peer did not finish the handshake in time: is insecure = true "
				"set there?",
				now);
	}
	return most;
}

/* Who has said goodbye has nothing more to say and hears nothing: the kernel refuses whoever comes,
 * who else would wait in vain. The stream goes on with the keys that it has. */
void link_leave(struct link *link, usec_t now)
{
	reactor_unwatch(link->with.reactor, &link->listen);
	link_flush(link, link->up, now);
	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &link->conn[i];

		if (l->state != LINK_FREE && (l->state != LINK_UP || l->out_len == 0))
			link_lost(link, l, false, now);
	}
}

void link_woke(struct link *link, usec_t now)
{
	link->now = now;
}

void link_turn(struct link *link, usec_t now)
{
	enum link_making what = link_making(link, now);

	srp_connecting(link->pair.srp, what == MAKING_PROOF, now);
	link_flush(link, link->up, now);
	if (link->pair.seat != 0 && link->up == NULL && what == MAKING_NONE &&
		now >= link->retry_at)
		link_connect(link, now);
}
