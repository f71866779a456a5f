/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor: what the control core waits for. A room gives it a source (a file descriptor and a
 * handler); the owner of the loop waits once a turn and then lets the handlers of all sources run
 * that have something. Between two events (one call of a handler, one message, one timer) the owner
 * of the loop has one thing done: whatever these caused and only recorded.
 *
 * Called by the control core alone. Only reactor_wait() and work_close() may block: nothing that
 * a handler does may sleep. What does (files, name servers) is given to a thread with work_begin(),
 * and its end is an event like any other. */
#ifndef TANDEM_REACTOR_H
#define TANDEM_REACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "common/usec.h"

struct reactor;
struct source;

/* events: of epoll; 0 when the handler itself asked to be called again. */
typedef void reactor_ready(void *ctx, struct source *s, uint32_t events);

/* A file descriptor that is waited for. It stands in the struct of whoever owns the descriptor.
 * Before reactor_watch(): fd is -1, all else 0. */
struct source {
	int fd;
	bool again;
	reactor_ready *ready; /* NULL: not watched */
	void *ctx;
	TAILQ_ENTRY(source) next; /* of those that are called again */
};

/* settled is called after each event with ctx: it carries out what the event caused. It may watch
 * and unwatch sources. NULL + errno. */
struct reactor *reactor_create(void (*settled)(void *ctx), void *ctx);
/* The sources must not be used any more; their descriptors are not closed. NULL is allowed. */
void reactor_destroy(struct reactor *r);

/* From now on `ready` is called when one of `events` is there. 0, or -errno: fd is still the
 * caller's. */
int reactor_watch(struct reactor *r, struct source *s, int fd, uint32_t events,
	reactor_ready *ready, void *ctx);
/* Other events from now on; 0: none but an error or a hang-up. */
void reactor_change(struct reactor *r, struct source *s, uint32_t events);
/* Closes the descriptor; the handler is not called any more, not even for what is already there.
 * Nothing happens to a source that is not watched. */
void reactor_unwatch(struct reactor *r, struct source *s);
/* A handler that does one thing a call (one message) asks for another call, because it has more
 * that no event will announce. At most REACTOR_AGAIN of these in one turn, the rest in the next,
 * which does not wait. */
void reactor_again(struct reactor *r, struct source *s);
enum { REACTOR_AGAIN = 64 };

/* Waits until a source has something, for so many nanoseconds at most. */
void reactor_wait(struct reactor *r, long ns);
/* Calls the handlers of the sources that had something when reactor_wait() returned. */
void reactor_dispatch(struct reactor *r);
/* An event of another kind (a message, a timer) is over: what it caused is carried out. */
void reactor_settle(struct reactor *r);

/* ---- what blocks ---- */

/* One piece of work for a thread of its own, which ends with it. Stands in a struct of the owner
 * that holds all that the work needs and what it finds: that struct is the thread's from
 * work_begin() until `ended` is called, by the control core. All 0 before work_begin(). */
struct work {
	void (*run)(struct work *w);              /* in the thread */
	void (*ended)(void *ctx, struct work *w); /* in the control core; w may be freed here */
	void *ctx;
	struct source end;
};

/* name: of the thread. 0, or -errno: nothing was begun. */
int work_begin(struct reactor *r, struct work *w, const char *name);
/* Waits until the work is done; `ended` is not called. For the process' end. */
void work_close(struct reactor *r, struct work *w);

#endif
