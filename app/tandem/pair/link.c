/* SPDX-License-Identifier: BSD-3-Clause */
/* The SRP connection: side 0 listens, side 1 connects; TLS unless srp.insecure; a connection
 * replaces the one that is up only when its peer has proven who it is and the replication core has
 * its keys. Who merely connects changes nothing. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "pair/alarms.h"
#include "process/control.h"

enum {
	LEAST_US = 10000,
	RETRY_US = 200000,
	REFUSED_US = 1000000,
	HANDSHAKE_US = 2000000,
	LOG_US = 10000000
};

/* A quarter of dead-interval, within bounds: two chassis that start must find each other before
 * either counts as alone. */
usec_t link_soon(usec_t most)
{
	return RTE_MIN(
		RTE_MAX(T.conf->srp.dead_interval_ms * USEC_PER_MSEC / 4, (usec_t)LEAST_US), most);
}

static struct link_conn *conn_of(struct source *s)
{
	return (struct link_conn *)s;
}

static void events(struct control *c, struct link_conn *l, uint32_t set)
{
	reactor_change(c->reactor, &l->src, set);
}

void link_free(struct control *c, struct link_conn *l)
{
	tls_close(l->tls);
	reactor_unwatch(c->reactor, &l->src);
	*l = (struct link_conn){ .src.fd = -1 };
}

static void lost(struct control *c, struct link_conn *l, bool refused, usec_t now)
{
	bool was = c->link.up == l;

	link_free(c, l);
	if (was)
		c->link.up = NULL;
	c->link.retry_at = now + link_soon(RETRY_US);
	if (was || refused)
		srp_disconnected(c->srp, refused, now);
}

void link_drop(struct control *c, usec_t now)
{
	if (c->link.up != NULL)
		lost(c, c->link.up, false, now);
}

/* The peer is not who it must be, or is not set up as we are: told once, then now and then while it
 * lasts. */
static void refuse(struct control *c, struct link_conn *l, const char *why, usec_t now)
{
	struct link_srp *s = &c->link;

	s->handshakes_failed++;
	if (strcmp(s->refused, why) != 0 || now >= s->refused_log) {
		snprintf(s->refused, sizeof(s->refused), "%s", why);
		s->refused_log = now + LOG_US;
		LOG(WARNING, "SRP: %s (%lu refused so far)", why,
			(unsigned long)s->handshakes_failed);
	}
	if (s->up == NULL)
		alarms_raise(c->alarms, PAIR_ALARM_REFUSED, why, now);
	lost(c, l, false, now);
	s->retry_at = now + link_soon(REFUSED_US);
}

static ssize_t bytes_in(struct link_conn *l, uint8_t *to, size_t n, char why[TLS_WHY])
{
	ssize_t got;

	why[0] = '\0';
	if (l->tls != NULL)
		return tls_recv(l->tls, to, n, why);
	got = recv(l->src.fd, to, n, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return got > 0 ? got : -1;
}

static ssize_t bytes_out(struct link_conn *l, const uint8_t *from, size_t n)
{
	ssize_t sent;

	if (l->tls != NULL)
		return tls_send(l->tls, from, n);
	sent = send(l->src.fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

/* ---- messages: `length u16 | message` ---- */

/* A hello over this connection is the peer's word that it opens what this connection's key
 * seals. */
static void hello_heard(struct control *c, struct link_conn *l, usec_t now)
{
	uint32_t peer = srp_info(c->srp)->peer.incarnation;
	bool restarted = c->link.peer != 0 && c->link.peer != peer;

	if (!l->heard) {
		l->heard = true;
		c->link.refused[0] = '\0';
		alarms_clear(c->alarms, PAIR_ALARM_REFUSED, now);
	}
	if (l->used || l->tls == NULL)
		return;
	/* without room the next hello does it */
	l->used = to_replicator_send(
			  &T.to_repl, to_replicator_key_use(T.msgs, l->key_id, restarted)) == 0;
	if (l->used)
		c->link.peer = peer;
}

static void message(struct control *c, struct link_conn *l, usec_t now)
{
	uint64_t hellos = srp_info(c->srp)->count.hellos_received;
	size_t len = l->in_len - SRP_FRAME_HEAD;

	l->in_len = 0;
	srp_message(c->srp, l->in + SRP_FRAME_HEAD, len, now);
	if (srp_info(c->srp)->count.hellos_received != hellos)
		hello_heard(c, l, now);
}

/* What the first bytes of a peer say that speaks TLS to us in plain text. */
static bool is_tls(const struct link_conn *l)
{
	return l->tls == NULL && (l->in[0] == 0x16 || l->in[0] == 0x15) && l->in[1] == 0x03;
}

/* In plain text everybody is up who connects, until he says something that the peer does not
 * say. */
static void not_peer(struct control *c, struct link_conn *l, const char *why, usec_t now)
{
	c->link.up = NULL;
	srp_disconnected(c->srp, false, now);
	refuse(c, l, why, now);
}

/* One message: what it causes may close the connection, and comes before the next. */
static void receive(struct control *c, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];

	for (;;) {
		int want = srp_frame_wanted(l->in, l->in_len);
		ssize_t n;

		if (want < 0) {
			if (is_tls(l))
				snprintf(why, sizeof(why),
					"the peer speaks TLS, here insecure = true is set: both "
					"must say the same");
			else
				snprintf(why, sizeof(why), "a message of %zu bytes: closing",
					srp_frame_length(l->in));
			c->link.up = NULL; /* it was none */
			srp_disconnected(c->srp, false, now);
			refuse(c, l, why, now);
			return;
		}
		if (want == 0) {
			message(c, l, now);
			reactor_again(c->reactor, &l->src);
			return;
		}
		n = bytes_in(l, l->in + l->in_len, (size_t)want, why);
		if (n < 0) {
			if (why[0] != '\0')
				LOG(WARNING, "SRP: %s", why);
			if (l->tls == NULL && !l->heard)
				not_peer(c, l,
					"the peer closed the connection without a hello: if it "
					"wants TLS, insecure = true must go here; see its log",
					now);
			else
				lost(c, l, false, now);
		}
		if (n <= 0)
			return;
		l->in_len += (size_t)n;
	}
}

static void flush(struct control *c, struct link_conn *l, usec_t now)
{
	ssize_t n;

	if (l == NULL || l->out_len == 0)
		return;
	n = bytes_out(l, l->out, l->out_len);
	if (n < 0) {
		lost(c, l, false, now);
		return;
	}
	l->out_len -= (size_t)n;
	memmove(l->out, l->out + n, l->out_len);
}

void link_send(struct control *c, const uint8_t *msg, size_t len, usec_t now)
{
	struct link_conn *l = c->link.up;

	if (l == NULL)
		return;
	/* the peer does not read: that is a lost connection */
	if (l->out_len + 2 + len > sizeof(l->out)) {
		lost(c, l, false, now);
		return;
	}
	l->out[l->out_len++] = (uint8_t)(len >> 8);
	l->out[l->out_len++] = (uint8_t)len;
	memcpy(l->out + l->out_len, msg, len);
	l->out_len += len;
	flush(c, l, now);
}

/* ---- from a socket to a connection that is up ---- */

static void up(struct control *c, struct link_conn *l, usec_t now)
{
	if (c->link.up != NULL) /* the peer would not have made another if that were alive */
		lost(c, c->link.up, false, now);
	events(c, l, EPOLLIN);
	l->state = LINK_UP;
	c->link.up = l;
	srp_connected(c->srp, now);
	reactor_again(c->reactor, &l->src); /* something may wait in it, or in TLS, already */
}

/* The replication core must be able to open what the peer will seal, before our hello lets it. */
static void hand_keys(struct control *c, struct link_conn *l, usec_t now)
{
	struct to_replicator *m = to_replicator_key(T.msgs, l->serial);

	if (m == NULL ||
		tls_secrets(l->tls, m->key.tx_secret, m->key.rx_secret, &m->key.key_id) < 0) {
		if (m != NULL)
			msg_free(T.msgs, m);
		lost(c, l, false, now);
		return;
	}
	l->key_id = m->key.key_id;
	if (to_replicator_send(&T.to_repl, m) < 0) {
		lost(c, l, false, now);
		return;
	}
	l->state = LINK_KEY;
	events(c, l, 0);
}

void link_keyed(struct control *c, const struct from_replicator_keyed *m, usec_t now)
{
	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &c->link.conn[i];

		if (l->state != LINK_KEY || l->serial != m->cookie)
			continue;
		if (m->ok)
			up(c, l, now);
		else /* its id is that of a key that lives: the next connection has another */
			lost(c, l, false, now);
		return;
	}
}

/* With a certificate, side 1 has finished before side 0 has looked at what it showed: the first
 * byte proves that it liked it. */
static void prove(struct control *c, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];
	ssize_t n = bytes_in(l, l->in, 1, why);

	if (n < 0)
		refuse(c, l,
			why[0] != '\0'
				? why
				: "the peer closed the connection after the handshake: see its log",
			now);
	if (n <= 0)
		return;
	l->in_len = 1;
	hand_keys(c, l, now);
}

static void handshake(struct control *c, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];

	switch (tls_handshake(l->tls, why)) {
	case TLS_AGAIN:
		events(c, l, tls_wants_write(l->tls) ? EPOLLIN | EPOLLOUT : EPOLLIN);
		break;
	case TLS_FAILED:
		refuse(c, l, why, now);
		break;
	case TLS_DONE:
		if (T.side == 0) {
			hand_keys(c, l, now);
			break;
		}
		l->state = LINK_PROVE;
		events(c, l, EPOLLIN);
		prove(c, l, now);
		break;
	}
}

/* Whoever puts new files in place has them used from the next connection on. */
static void renew(struct control *c)
{
	struct tls *t;
	char why[TLS_WHY];

	if (!tls_changed(c->link.tls, T.conf))
		return;
	t = tls_create(T.conf, why);
	if (t == NULL) {
		LOG(ERR, "%s; going on with the keys as they were", why);
		return;
	}
	tls_destroy(c->link.tls);
	c->link.tls = t;
	LOG(NOTICE, "SRP: the files of keys have changed: read anew");
}

void link_established(struct control *c, struct link_conn *l, usec_t now)
{
	int one = 1;

	setsockopt(l->src.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (c->link.tls == NULL) {
		up(c, l, now);
		return;
	}
	renew(c);
	l->tls = tls_open(c->link.tls, l->src.fd, T.side);
	if (l->tls == NULL) {
		lost(c, l, false, now);
		return;
	}
	l->state = LINK_TLS;
	l->by = now + RTE_MIN(srp_proof_us(T.conf->srp.dead_interval_ms * USEC_PER_MSEC),
			      (usec_t)HANDSHAKE_US);
	srp_connecting(c->srp, true, now);
	handshake(c, l, now);
}

static void on_conn(void *ctx, struct source *s, uint32_t set)
{
	struct control *c = ctx;
	struct link_conn *l = conn_of(s);
	usec_t now = c->now;
	int error = 0;
	socklen_t len = sizeof(error);

	switch (l->state) {
	case LINK_TCP:
		if (!(set & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			break;
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error != 0)
			lost(c, l, error == ECONNREFUSED, now);
		else
			link_established(c, l, now);
		break;
	case LINK_TLS:
		handshake(c, l, now);
		break;
	case LINK_PROVE:
		prove(c, l, now);
		break;
	case LINK_UP:
		receive(c, l, now);
		break;
	case LINK_KEY: /* what there is is read when its key is there */
	case LINK_FREE:
		break;
	}
}

/* A place; the oldest that has not proven itself yet makes room. */
static struct link_conn *place(struct control *c)
{
	struct link_conn *oldest = NULL;

	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &c->link.conn[i];

		if (l->state == LINK_FREE)
			return l;
		if (l->state != LINK_UP && (oldest == NULL || l->serial < oldest->serial))
			oldest = l;
	}
	link_free(c, oldest);
	return oldest;
}

struct link_conn *link_take(struct control *c, int fd, uint32_t set)
{
	struct link_conn *l = place(c);

	if (reactor_watch(c->reactor, &l->src, fd, set, on_conn, c) < 0) {
		close(fd);
		l->src.fd = -1;
		return NULL;
	}
	l->serial = ++c->link.serials;
	l->state = LINK_TCP;
	return l;
}

/* What is in the making: nothing, a connection, or one whose other end is proving who it is. */
enum making { MAKING_NONE, MAKING_TCP, MAKING_PROOF };

static enum making making(struct control *c, usec_t now)
{
	enum making most = MAKING_NONE;

	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &c->link.conn[i];

		if (l->state == LINK_FREE || l->state == LINK_UP)
			continue;
		if (now < l->by)
			most = RTE_MAX(most, l->state == LINK_TCP ? MAKING_TCP : MAKING_PROOF);
		else if (l->state == LINK_TCP)
			lost(c, l, false, now);
		else
			refuse(c, l,
				"the peer did not finish the handshake in time: is insecure = true "
				"set there?",
				now);
	}
	return most;
}

/* Who has said goodbye has nothing more to say and hears nothing: the kernel refuses whoever comes,
 * who else would wait in vain. The stream goes on with the keys that it has. */
static void leave(struct control *c, usec_t now)
{
	reactor_unwatch(c->reactor, &c->link.listen);
	flush(c, c->link.up, now);
	for (unsigned int i = 0; i < LINK_CONNS; i++) {
		struct link_conn *l = &c->link.conn[i];

		if (l->state != LINK_FREE && (l->state != LINK_UP || l->out_len == 0))
			lost(c, l, false, now);
	}
}

void link_turn(struct control *c, usec_t now)
{
	enum making what;

	if (c->goodbye) {
		leave(c, now);
		return;
	}
	what = making(c, now);
	srp_connecting(c->srp, what == MAKING_PROOF, now);
	flush(c, c->link.up, now);
	if (T.side != 0 && c->link.up == NULL && what == MAKING_NONE && now >= c->link.retry_at)
		link_connect(c, now);
}
