/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's sockets as far as the control core uses them: one TCP connection between the
 * chassis, UDP on the VIPs, signals, the state file's completions; epoll over all of them. */
#include "sim.h"

enum { FD = 100, DGRAMS = 512, RTO = 60 * MS, SOON = 1 * MS };

static struct sock *at(int fd)
{
	struct node *n = me();

	return fd >= FD && fd < FD + SOCKS && n->sock[fd - FD].kind != SOCK_NONE ? &n->sock[fd - FD]
										 : NULL;
}

int sock_make(int kind)
{
	struct node *n = me();

	for (int i = 0; i < SOCKS; i++)
		if (n->sock[i].kind == SOCK_NONE) {
			struct sock *s = &n->sock[i];

			s->kind = kind;
			s->events = s->port = 0;
			s->conn = s->backlog = -1;
			s->opening = s->eof = false;
			s->error = 0;
			s->n_in = s->n_dgrams = 0;
			s->first = NULL;
			s->last = &s->first;
			return FD + i;
		}
	errno = EMFILE;
	return -1;
}

/* ---- TCP ---- */

/* In order, whatever the path does: what is lost comes later. */
static void tcp_send(int conn, int to, void (*run)(struct ev *), const void *p, size_t len)
{
	struct wire *w = &sim.wire[PATH_SRP][to];
	struct conn *c = &sim.conn[conn];
	usec_t when = sim.now + w->delay + rnd(w->jitter / 4 + 1);
	struct ev *e;

	while (chance(w->loss))
		when += RTO;
	when = RTE_MAX(when, c->last[to]);
	c->last[to] = when;
	e = ev_at(when, to, run);
	e->a = (uint32_t)conn;
	e->len = len;
	e->bytes = len > 0 ? malloc(len) : NULL;
	if (len > 0)
		memcpy(e->bytes, p, len);
}

/* Whether the kernel took the connection and the process, which is slow or stands still, has not
 * accepted it yet. */
static bool waits(uint32_t conn, const struct node *n)
{
	for (int i = 0; i < SOCKS; i++)
		if (n->sock[i].kind == SOCK_LISTEN && n->sock[i].backlog == (int)conn)
			return true;
	return false;
}

/* A cut path holds what TCP carries back; both directions are needed to get anything through. What
 * arrives before its connection is accepted waits for that. */
static bool held(struct ev *e)
{
	struct conn *c = &sim.conn[e->a];
	bool cut = sim.wire[PATH_SRP][0].cut || sim.wire[PATH_SRP][1].cut;
	struct ev *again;

	if (!cut && !waits(e->a, &sim.node[e->node]))
		return false;
	again = ev_at(sim.now + (cut ? RTO : SOON), e->node, e->run);
	again->a = e->a;
	again->len = e->len;
	again->bytes = e->bytes;
	e->bytes = NULL;
	c->last[e->node] = RTE_MAX(c->last[e->node], again->at);
	return true;
}

static struct sock *end_of(const struct conn *c, int node)
{
	struct node *n = &sim.node[node];

	return c->sock[node] >= 0 && c->life[node] == n->life ? &n->sock[c->sock[node]] : NULL;
}

static void tcp_ended(struct ev *e)
{
	struct sock *s;

	if (held(e))
		return;
	s = end_of(&sim.conn[e->a], e->node);
	if (s == NULL)
		return;
	story(e->node, "connection %u is ended by the other", e->a);
	s->eof = true;
	if (s->opening)
		s->error = ECONNREFUSED;
	node_wake(e->node, CONTROL, 50);
}

static void tcp_data(struct ev *e)
{
	struct conn *c = &sim.conn[e->a];
	struct sock *s;

	if (held(e))
		return;
	s = end_of(c, e->node);
	/* nobody has this connection any more; a machine that is off says nothing */
	if (s == NULL) {
		if (sim.node[e->node].up)
			tcp_send((int)e->a, !e->node, tcp_ended, NULL, 0);
		return;
	}
	if (s->n_in + e->len > sizeof(s->in)) {
		broken(13, "more SRP than a reader that runs can leave unread");
		return;
	}
	memcpy(s->in + s->n_in, e->bytes, e->len);
	s->n_in += e->len;
	node_wake(e->node, CONTROL, 50);
}

static void tcp_opened(struct ev *e)
{
	struct sock *s;

	if (held(e))
		return;
	s = end_of(&sim.conn[e->a], e->node);
	if (s == NULL || !s->opening)
		return;
	story(e->node, "connection %u is open", e->a);
	s->opening = false;
	s->events |= EPOLLOUT;
	node_wake(e->node, CONTROL, 50);
}

/* A connection request arrives at side 0. */
static void tcp_asked(struct ev *e)
{
	struct node *n = &sim.node[e->node];

	if (sim.wire[PATH_SRP][0].cut || sim.wire[PATH_SRP][1].cut ||
		end_of(&sim.conn[e->a], !e->node) == NULL)
		return; /* lost: the one who asked gives up after a while */
	for (int i = 0; n->up && i < SOCKS; i++)
		if (n->sock[i].kind == SOCK_LISTEN) {
			n->sock[i].backlog = (int)e->a;
			tcp_send((int)e->a, !e->node, tcp_opened, NULL, 0);
			node_wake(e->node, CONTROL, 50);
			return;
		}
	if (n->up || n->died != 0) /* the machine is there, nobody listens */
		tcp_send((int)e->a, !e->node, tcp_ended, NULL, 0);
}

/* Somebody between the two resets what there is. */
void tcp_reset(void)
{
	for (unsigned int i = 0; i < sim.n_conns; i++)
		for (int k = 0; k < 2; k++) {
			struct sock *s = end_of(&sim.conn[i], k);

			if (s != NULL)
				s->eof = true;
		}
	node_wake(0, CONTROL, 50);
	node_wake(1, CONTROL, 50);
}

static int sock_sim_socket(int family, int type, int proto)
{
	return sock_make((type & 0xf) == SOCK_DGRAM ? SOCK_UDP : SOCK_NEW);
}

static int sock_sim_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	at(fd)->port = ntohs(((const struct sockaddr_in *)a)->sin_port);
	return 0;
}

static int sock_sim_listen(int fd, int backlog)
{
	at(fd)->kind = SOCK_LISTEN;
	return 0;
}

static int sock_sim_connect(int fd, const struct sockaddr *a, socklen_t len)
{
	struct node *n = me();
	struct conn *c = &sim.conn[sim.n_conns];
	struct sock *s = at(fd);

	if (sim.n_conns == CONNS) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	s->kind = SOCK_CONN;
	s->opening = true;
	s->conn = (int)sim.n_conns++;
	c->sock[n->id] = fd - FD;
	c->sock[!n->id] = -1;
	c->life[n->id] = n->life;
	ev_at(sim.now + sim.wire[PATH_SRP][!n->id].delay, !n->id, tcp_asked)->a = (uint32_t)s->conn;
	story(n->id, "connection %d is asked for", s->conn);
	errno = EINPROGRESS;
	return -1;
}

static int sock_sim_accept(int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	struct node *n = me();
	struct sock *l = at(fd), *s;
	struct sockaddr_in from = { .sin_family = AF_INET };
	int conn = l->backlog, made;

	l->backlog = -1;
	made = conn >= 0 ? sock_make(SOCK_CONN) : -1;
	if (made < 0) {
		errno = EAGAIN;
		return -1;
	}
	s = at(made);
	s->conn = conn;
	sim.conn[conn].sock[n->id] = made - FD;
	sim.conn[conn].life[n->id] = n->life;
	from.sin_addr.s_addr = htonl(ip_addr_to_v4(&n->conf.srp.peer));
	memcpy(a, &from, sizeof(from));
	return made;
}

ssize_t sock_sim_send(int fd, const void *from, size_t size, int flags)
{
	struct sock *s = at(fd);
	bool ends;

	if (s == NULL || s->eof || s->opening) {
		errno = s != NULL && s->opening ? EAGAIN : EPIPE;
		return -1;
	}
	digest(size);
	ends = me()->srp_left > 0 && --me()->srp_left == 0;
	if (!ends || me()->srp_sent)
		tcp_send(s->conn, !me()->id, tcp_data, from, size);
	if (ends)
		longjmp(me()->out, 2);
	return (ssize_t)size;
}

ssize_t sock_sim_recv(int fd, void *to, size_t size, int flags)
{
	struct sock *s = at(fd);

	if (s == NULL || s->n_in == 0) {
		if (s == NULL || s->eof)
			return 0;
		errno = EAGAIN;
		return -1;
	}
	size = RTE_MIN(size, s->n_in);
	memcpy(to, s->in, size);
	s->n_in -= size;
	memmove(s->in, s->in + size, s->n_in);
	return (ssize_t)size;
}

static int sock_sim_set_option(int fd, int level, int option, const void *value, socklen_t len)
{
	return 0;
}

/* The daemon asks for SO_ERROR alone. */
static int sock_sim_get_option(int fd, int level, int option, void *value, socklen_t *len)
{
	*(int *)value = at(fd)->error;
	return 0;
}

static void shut(struct node *n, struct sock *s)
{
	struct dgram *d;

	if (s->kind == SOCK_CONN && s->conn >= 0) {
		story(n->id, "connection %d is closed", s->conn);
		sim.conn[s->conn].sock[n->id] = -1;
		tcp_send(s->conn, !n->id, tcp_ended, NULL, 0);
	}
	while ((d = s->first) != NULL) {
		s->first = d->next;
		free(d);
	}
	s->kind = SOCK_NONE;
}

static int sock_sim_close(int fd)
{
	struct sock *s = at(fd);

	if (s != NULL)
		shut(me(), s);
	return 0;
}

void sock_reset(struct node *n)
{
	memset(n->sock, 0, sizeof(n->sock));
}

/* machine: nobody is left to close anything. */
void sock_died(struct node *n, bool machine)
{
	for (int i = 0; i < SOCKS; i++) {
		if (machine && n->sock[i].kind == SOCK_CONN)
			n->sock[i].conn = -1;
		if (n->sock[i].kind != SOCK_NONE)
			shut(n, &n->sock[i]);
	}
}

/* ---- UDP ---- */

void sock_deliver(
	struct node *n, uint32_t from, uint16_t port, uint16_t to, const uint8_t *p, size_t len)
{
	for (int i = 0; i < SOCKS; i++) {
		struct sock *s = &n->sock[i];
		struct dgram *d;

		if (s->kind != SOCK_UDP || s->port != to || s->n_dgrams == DGRAMS)
			continue;
		d = malloc(sizeof(*d) + len);
		if (d == NULL)
			exit(2);
		*d = (struct dgram){ .from = from, .port = port, .len = (uint16_t)len };
		memcpy(d->bytes, p, len);
		*s->last = d;
		s->last = &d->next;
		s->n_dgrams++;
		return;
	}
}

/* All of it comes by the access port. */
static ssize_t sock_sim_recv_one(int fd, struct msghdr *m)
{
	struct sock *s = at(fd);
	struct dgram *d = s->first;
	struct sockaddr_in from = { .sin_family = AF_INET };
	ssize_t n;

	if (d == NULL) {
		errno = EAGAIN;
		return -1;
	}
	s->first = d->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->n_dgrams--;
	n = (ssize_t)RTE_MIN(m->msg_iov->iov_len, (size_t)d->len);
	memcpy(m->msg_iov->iov_base, d->bytes, (size_t)n);
	from.sin_port = htons(d->port);
	from.sin_addr.s_addr = htonl(d->from);
	memcpy(m->msg_name, &from, sizeof(from));
	sock_set_interface(m, me()->t.port[ACCESS].twin.ifindex);
	free(d);
	return n;
}

static int sock_sim_send_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct iovec *v = m[i].msg_hdr.msg_iov;

		port_sim_send_to(fd, v->iov_base, v->iov_len, flags, m[i].msg_hdr.msg_name,
			m[i].msg_hdr.msg_namelen);
	}
	return (int)n;
}

static int sock_sim_recv_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	unsigned int i = 0;

	for (; i < n; i++) {
		ssize_t got = sock_sim_recv_one(fd, &m[i].msg_hdr);

		if (got < 0)
			break;
		m[i].msg_len = (unsigned int)got;
	}
	return i > 0 ? (int)i : -1;
}

/* ---- the rest ---- */

static int sock_sim_signals(const sigset_t *set, int flags)
{
	return sock_make(SOCK_SIGNAL);
}

static ssize_t sock_sim_read(int fd, void *to, size_t size)
{
	struct node *n = me();
	struct signalfd_siginfo info = { .ssi_signo = SIGTERM };

	if (at(fd) == NULL || at(fd)->kind != SOCK_SIGNAL || !n->term_signal) {
		errno = EAGAIN;
		return -1;
	}
	n->term_signal = false;
	memcpy(to, &info, sizeof(info));
	return sizeof(info);
}

static int sock_sim_epoll_create(int flags)
{
	return 1;
}

static int sock_sim_epoll_ctl(int ep, int op, int fd, struct epoll_event *e)
{
	struct sock *s = at(fd);

	if (op == EPOLL_CTL_DEL || s == NULL)
		return 0;
	s->events = e->events;
	s->ptr = e->data.ptr;
	return 0;
}

static uint32_t ready(const struct node *n, const struct sock *s)
{
	switch (s->kind) {
	case SOCK_LISTEN:
		return s->backlog >= 0 ? EPOLLIN : 0;
	case SOCK_CONN:
		if (s->error != 0)
			return EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLOUT;
		return (s->n_in > 0 || s->eof ? EPOLLIN : 0) | (s->opening ? 0 : EPOLLOUT);
	case SOCK_UDP:
		return s->first != NULL ? EPOLLIN : 0;
	case SOCK_SIGNAL:
		return n->term_signal ? EPOLLIN : 0;
	case SOCK_STATE:
		return n->saved != 0 ? EPOLLIN : 0;
	default:
		return 0;
	}
}

/* Time goes on between turns only: nobody waits in one. */
static int sock_sim_epoll_wait(int ep, struct epoll_event *e, int most, long ns)
{
	struct node *n = me();
	int found = 0;

	for (int i = 0; i < SOCKS && found < most; i++) {
		uint32_t what =
			n->sock[i].ptr == NULL
				? 0
				: ready(n, &n->sock[i]) & (n->sock[i].events | EPOLLERR | EPOLLHUP);

		if (what == 0)
			continue;
		e[found].events = what;
		e[found++].data.ptr = n->sock[i].ptr;
	}
	return found;
}

const struct sock_ops sock_sim = { .socket = sock_sim_socket,
	.bind = sock_sim_bind,
	.listen = sock_sim_listen,
	.accept = sock_sim_accept,
	.connect = sock_sim_connect,
	.set_option = sock_sim_set_option,
	.get_option = sock_sim_get_option,
	.send = sock_sim_send,
	.recv = sock_sim_recv,
	.send_to = port_sim_send_to,
	.send_many = sock_sim_send_many,
	.recv_many = sock_sim_recv_many,
	.signals = sock_sim_signals,
	.read = sock_sim_read,
	.close = sock_sim_close,
	.epoll_create = sock_sim_epoll_create,
	.epoll_ctl = sock_sim_epoll_ctl,
	.epoll_wait = sock_sim_epoll_wait };
