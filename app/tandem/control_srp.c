/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "sock.h"

enum { RETRY_US = 200000, CONNECT_US = 1000000 };

static void lost(struct control *c, bool refused, usec_t now)
{
	struct link_srp *l = &c->link;
	bool was = l->connected;

	control_unwatch(c, &l->conn);
	l->connected = l->connecting = false;
	l->in_len = l->out_len = 0;
	l->retry_at = now + RETRY_US;
	if (was || refused)
		srp_disconnected(c->srp, refused, now);
}

static bool is_peer(struct control *c, const struct ip_addr *from, usec_t now)
{
	char text[IP_ADDR_TEXT];

	if (ip_addr_equal(from, &T.conf->srp.peer))
		return true;
	if (c->link.strangers++ == 0 ||
		now >= c->link.stranger_log) { /* a flood of them must not become one of logs */
		LOG(WARNING, "SRP: a connection from %s, which is not srp.peer: refused (%lu so far)",
			ip_addr_print(from, text), (unsigned long)c->link.strangers);
		c->link.stranger_log = now + 10 * USEC_PER_SEC;
	}
	return false;
}

static void up(struct control *c, usec_t now)
{
	int one = 1;

	setsockopt(c->link.conn.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->link.connected = true;
	c->link.connecting = false;
	c->link.in_len = c->link.out_len = 0;
	srp_connected(c->srp, now);
}

/* Messages are `length u16 | message`. */
static void receive(struct control *c, usec_t now)
{
	struct link_srp *l = &c->link;

	for (unsigned int i = 0; i < 64 && l->connected; i++) {
		size_t want = l->in_len < 2 ? 2 : 2 + ((size_t)l->in[0] << 8 | l->in[1]);
		ssize_t n;

		if (want > sizeof(l->in)) {
			LOG(WARNING, "SRP: a message of %zu bytes: closing", want - 2);
			lost(c, false, now);
			return;
		}
		if (l->in_len >= 2 && l->in_len == want) {
			l->in_len = 0;
			srp_message(c->srp, l->in + 2, want - 2, now);
			srp_actions(c, now); /* may close the connection */
			continue;
		}
		n = recv(l->conn.fd, l->in + l->in_len, want - l->in_len, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			lost(c, false, now);
			return;
		}
		l->in_len += (size_t)n;
	}
}

static void flush(struct control *c, usec_t now)
{
	struct link_srp *l = &c->link;
	ssize_t n;

	if (!l->connected || l->out_len == 0)
		return;
	n = send(l->conn.fd, l->out, l->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		lost(c, false, now);
		return;
	}
	if (n > 0) {
		l->out_len -= (size_t)n;
		memmove(l->out, l->out + n, l->out_len);
	}
}

static void on_conn(struct control *c, struct source *s, uint32_t events)
{
	usec_t now = clock_us();

	if (c->link.connecting) {
		int error = 0;
		socklen_t len = sizeof(error);

		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error != 0) {
			lost(c, error == ECONNREFUSED, now);
			return;
		}
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

		epoll_ctl(c->ep, EPOLL_CTL_MOD, s->fd, &e);
		up(c, now);
		return;
	}
	receive(c, now);
}

static void on_listen(struct control *c, struct source *s, uint32_t events)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	struct ip_addr addr;
	uint16_t port;
	int fd = accept4(s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	usec_t now = clock_us();

	(void)events;
	if (fd < 0)
		return;
	sock_from(&from, &addr, &port);
	if (!is_peer(c, &addr, now)) {
		close(fd);
		return;
	}
	if (c->link.conn.fd >= 0) /* the peer would not connect again if the old one were alive */
		lost(c, false, now);
	if (control_watch(c, &c->link.conn, fd, EPOLLIN, on_conn) < 0) {
		close(fd);
		c->link.conn.fd = -1;
		return;
	}
	up(c, now);
}

static void connect_peer(struct control *c, usec_t now)
{
	struct sockaddr_storage to;
	socklen_t len = sock_address(&to, &T.conf->srp.peer, (uint16_t)T.conf->srp.port);
	int fd = sock_bound(&T.conf->srp.bind, 0, SOCK_STREAM);

	c->link.retry_at = now + RETRY_US;
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) {
		bool refused = errno == ECONNREFUSED;

		close(fd);
		if (refused)
			srp_disconnected(c->srp, true, now);
		return;
	}
	if (control_watch(c, &c->link.conn, fd, EPOLLIN | EPOLLOUT, on_conn) < 0) {
		close(fd);
		c->link.conn.fd = -1;
		return;
	}
	c->link.connecting = true;
	c->link.retry_at = now + CONNECT_US;
}

int link_open(struct control *c)
{
	int fd, ret;

	if (T.side != 0)
		return 0; /* side 1 connects */
	fd = sock_bound(&T.conf->srp.bind, (uint16_t)T.conf->srp.port, SOCK_STREAM);
	if (fd < 0)
		return fd;
	if (listen(fd, 8) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return control_watch(c, &c->link.listen, fd, EPOLLIN, on_listen);
}

void link_close(struct control *c)
{
	control_unwatch(c, &c->link.listen);
	control_unwatch(c, &c->link.conn);
}

void link_turn(struct control *c, usec_t now)
{
	flush(c, now);
	if (T.side == 0 || c->link.connected || now < c->link.retry_at)
		return;
	if (c->link.connecting)
		lost(c, false, now);
	else
		connect_peer(c, now);
}

/* ---- what srp is told of the stream ---- */

void srp_feed(struct control *c, usec_t now)
{
	const struct replicator_view *v = replicator_view(T.repl);
	const struct srp_info *i = srp_info(c->srp);
	uint64_t pair = worker_pair_ms(now), since = atomic_load(&v->in_sync_since_ms);
	usec_t status = atomic_load(&v->status_heard);
	uint32_t live = 0;
	struct srp_stream s = { .heard = atomic_load(&v->heard),
		.hears_us = atomic_load(&v->hears_us),
		.unacked = atomic_load(&v->unacked),
		.last_number = atomic_load(&v->last_number),
		.applied = atomic_load(&v->applied),
		.joined = atomic_load(&v->joined),
		.in_sync_since_ms = since };

	if (since != 0 && pair >= since)
		s.in_sync_age_ms = (uint32_t)RTE_MIN(pair - since, (uint64_t)UINT32_MAX);
	s.in_sync = since != 0 && atomic_load(&v->peer_unmatched) == 0 &&
		    now - RTE_MIN(status, now) < USEC_PER_SEC &&
		    s.in_sync_age_ms <= 2 * T.conf->srp.audit_interval_s * 1000 + 1000;
	for (unsigned int k = 0; k < SESSION_SHARDS; k++)
		live += T.table->shard[k].n_live;
	s.table_empty = live == 0;
	srp_stream(c->srp, &s, now);
	audit_alarm(c, now);
	replicator_peer_version(T.repl, i->stream_version);
	replicator_peer_applies(T.repl, i->peer.known && i->agreed && i->peer.state == SRP_STANDBY);
}

/* ---- what srp wants ---- */

static void role(struct control *c, const struct srp_action *a, usec_t now)
{
	struct history *h = &c->history[c->n_history++ % HISTORY];

	*h = (struct history){ .at = now,
		.wall_s = (int64_t)time(NULL),
		.from = a->from,
		.to = a->to,
		.cause = a->cause,
		.term = a->term,
		.planned = a->planned };
	LOG(NOTICE, "%s -> %s, cause %s, term %lu.%lu", srp_state_name(a->from), srp_state_name(a->to),
		srp_cause_name(a->cause), (unsigned long)(a->term >> 1), (unsigned long)(a->term & 1));
}

static void alarm_edge(struct control *c, const struct srp_action *a, usec_t now)
{
	c->alarm[a->alarm].on = a->raised;
	c->alarm[a->alarm].since = now;
	snprintf(c->alarm[a->alarm].text, sizeof(c->alarm[a->alarm].text), "%s", a->text);
	if (a->raised)
		LOG(WARNING, "alarm %s raised: %s", srp_alarm_name(a->alarm), a->text);
	else
		LOG(NOTICE, "alarm %s cleared", srp_alarm_name(a->alarm));
}

static void send_message(struct control *c, const struct srp_action *a, usec_t now)
{
	struct link_srp *l = &c->link;

	if (!l->connected)
		return;
	if (l->out_len + 2 + a->len >
		sizeof(l->out)) { /* the peer does not read: that is a lost connection */
		lost(c, false, now);
		return;
	}
	l->out[l->out_len++] = (uint8_t)(a->len >> 8);
	l->out[l->out_len++] = (uint8_t)a->len;
	memcpy(l->out + l->out_len, a->msg, a->len);
	l->out_len += a->len;
	flush(c, now);
}

static void heartbeat(const struct srp_action *a)
{
	struct msg *m = msg_new(T.msgs, MSG_HEARTBEAT);

	if (m == NULL)
		return;
	m->term = a->term;
	m->fresh = a->now;
	m->len = a->len;
	memcpy(m->body, a->msg, RTE_MIN((size_t)a->len, sizeof(m->body)));
	door_send(&T.to_repl, m);
}

void srp_actions(struct control *c, usec_t now)
{
	struct srp_action a;

	while (srp_next(c->srp, &a)) {
		switch (a.kind) {
		case SRP_ACT_SEND:
			send_message(c, &a, now);
			break;
		case SRP_ACT_CLOSE:
			if (c->link.conn.fd >= 0)
				lost(c, false, now);
			break;
		case SRP_ACT_HEARTBEAT:
			heartbeat(&a);
			break;
		case SRP_ACT_STEP:
			step_begin(c, &a, now);
			break;
		case SRP_ACT_RESERVE:
			state_save(c->state, a.number, a.restart_counter);
			break;
		case SRP_ACT_ROLE:
			role(c, &a, now);
			break;
		case SRP_ACT_METRIC:
			control_metric(c, a.rm);
			break;
		case SRP_ACT_ALARM:
			alarm_edge(c, &a, now);
			break;
		case SRP_ACT_GOODBYE:
			c->goodbye = true;
			break;
		case SRP_ACT_ABORT:
			LOG(CRIT, "%s: aborting, the peer is the remedy", a.text);
			abort();
		}
	}
}
