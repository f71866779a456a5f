/* SPDX-License-Identifier: BSD-3-Clause */
#include "reactor/reactor.h"

#include <errno.h>

#include "base/memory.h"
#include "base/sock.h"

enum { REACTOR_EVENTS = 32 };

struct reactor {
	int ep;
	void (*settled)(void *ctx);
	void *ctx;
	TAILQ_HEAD(, source) again;
	/* What the last wait found and dispatch has not handed out yet. */
	struct epoll_event event[REACTOR_EVENTS];
	int n_events;
};

struct reactor *reactor_create(void (*settled)(void *ctx), void *ctx)
{
	struct reactor *r = memory_take("reactor", sizeof(*r), 0);

	if (r == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	r->settled = settled;
	r->ctx = ctx;
	TAILQ_INIT(&r->again);
	r->ep = sock_ops->epoll_create(EPOLL_CLOEXEC);
	if (r->ep < 0) {
		memory_give(r);
		return NULL;
	}
	return r;
}

void reactor_destroy(struct reactor *r)
{
	if (r == NULL)
		return;
	sock_ops->close(r->ep);
	memory_give(r);
}

int reactor_watch(struct reactor *r, struct source *s, int fd, uint32_t events,
	reactor_ready *ready, void *ctx)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	if (sock_ops->epoll_ctl(r->ep, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	*s = (struct source){ .fd = fd, .ready = ready, .ctx = ctx };
	return 0;
}

void reactor_change(struct reactor *r, struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	sock_ops->epoll_ctl(r->ep, EPOLL_CTL_MOD, s->fd, &e);
}

/* What waits for its handler is not handed to whoever uses the source next. */
static void reactor_forget(struct reactor *r, struct source *s)
{
	if (s->again)
		TAILQ_REMOVE(&r->again, s, next);
	s->again = false;
	for (int i = 0; i < r->n_events; i++)
		if (r->event[i].data.ptr == s)
			r->event[i].data.ptr = NULL;
}

void reactor_unwatch(struct reactor *r, struct source *s)
{
	if (s->fd < 0 || s->ready == NULL)
		return;
	reactor_forget(r, s);
	sock_ops->epoll_ctl(r->ep, EPOLL_CTL_DEL, s->fd, NULL);
	sock_ops->close(s->fd);
	s->fd = -1;
	s->ready = NULL;
}

void reactor_again(struct reactor *r, struct source *s)
{
	if (!s->again)
		TAILQ_INSERT_TAIL(&r->again, s, next);
	s->again = true;
}

void reactor_wait(struct reactor *r, long ns)
{
	r->n_events = sock_ops->epoll_wait(
		r->ep, r->event, REACTOR_EVENTS, TAILQ_EMPTY(&r->again) ? ns : 0);
}

static void reactor_call(struct reactor *r, struct source *s, uint32_t events)
{
	s->ready(s->ctx, s, events);
	reactor_settle(r);
}

void reactor_dispatch(struct reactor *r)
{
	for (int i = 0; i < r->n_events; i++)
		if (r->event[i].data.ptr != NULL)
			reactor_call(r, r->event[i].data.ptr, r->event[i].events);
	r->n_events = 0;
	for (unsigned int n = 0; n < REACTOR_AGAIN && !TAILQ_EMPTY(&r->again); n++) {
		struct source *s = TAILQ_FIRST(&r->again);

		TAILQ_REMOVE(&r->again, s, next);
		s->again = false;
		reactor_call(r, s, 0);
	}
}

void reactor_settle(struct reactor *r)
{
	r->settled(r->ctx);
}
