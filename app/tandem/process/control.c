/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_common.h>

#include "base/memory.h"
#include "process/control.h"
#include "process.h"

/* An event of whatever kind is over. */
static void control_settled(void *ctx)
{
	struct control *c = ctx;

	pair_drain(c->pair, c->now);
}

/* ---- events ---- */

static void control_on_journal(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;
	uint64_t reserve;
	int error;

	(void)s;
	(void)events;
	if (!journal_reserved(c->journal, &reserve, &error))
		return;
	pair_reserved(c->pair, reserve, error == 0, c->now);
}

/* ---- life ---- */

static int control_pair_open(struct control *c)
{
	return start_pair(c, &c->saved);
}

static const struct {
	const char *what;
	int (*open)(struct control *c);
} parts[] = {
	{ "signals", signals_open },
	{ "kernel addresses and routes", start_kernel },
	{ "signalling", start_signalling },
	{ "switchover", start_switchover },
	{ "pair", control_pair_open },
	{ "monitors", watch_open },
};

struct control *control_create(struct tandem *t)
{
	struct control *c = memory_take("control", sizeof(*c), 0);
	int ret = 0;

	if (c == NULL)
		return NULL;
	c->t = t;
	placed_begin(&c->lists.placed, t->conf);
	c->signals.fd = c->journal_src.fd = c->signalling_src.gtpc.fd = c->signalling_src.gtpu.fd =
		-1;
	c->repl_adjacency = FIB_NONE;
	control_doors(c);
	c->started = c->now = clock_us();
	c->reactor = reactor_create(control_settled, c);
	if (c->reactor == NULL) {
		LOG(ERR,
			"the control core cannot start, as epoll or its timers are refused "
			"error=%s",
			LOG_TEXT(strerror(errno)));
		memory_give(c);
		return NULL;
	}
	if (records_open(c, &c->saved) < 0) {
		control_destroy(c);
		return NULL;
	}
	reactor_watch(c->reactor, &c->journal_src, journal_fd(c->journal), EPOLLIN,
		control_on_journal, c);
	for (unsigned int i = 0; i < RTE_DIM(parts) && ret == 0; i++) {
		ret = parts[i].open(c);
		if (ret < 0)
			LOG(ERR, "a part of the control core cannot start part=%s error=%s",
				LOG_TEXT(parts[i].what), LOG_TEXT(strerror(-ret)));
	}
	if (ret == 0)
		ret = start_operator(c);
	if (ret < 0) {
		control_destroy(c);
		return NULL;
	}
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	return c;
}

void control_destroy(struct control *c)
{
	if (c == NULL)
		return;
	if (c->vips != NULL) /* before anything that answers for them ends */
		vips_withdraw(c->vips);
	doors_fini(&c->doors);
	start_operator_end(c);
	lists_memory_end(c);
	pair_destroy(c->pair);
	c->pair = NULL;
	switchover_destroy(c->switchover);
	c->switchover = NULL;
	monitors_destroy(c->monitors);
	c->monitors = NULL;
	signalling_destroy(c->signalling);
	c->signalling_src.gtpc.fd = c->signalling_src.gtpu.fd = -1;
	c->journal_src.fd = -1;
	kernel_destroy(c->kernel);
	records_close(c);
	reactor_unwatch(c->reactor, &c->signals);
	reactor_destroy(c->reactor);
	memory_give(c);
}

void control_stop(struct control *c)
{
	atomic_store(&c->t->quit, true);
}
