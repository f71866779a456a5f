/* SPDX-License-Identifier: BSD-3-Clause */
/* Work that blocks: a thread a piece, and an event when it has ended. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/dpdk.h"
#include "reactor/reactor.h"

/* The work is the control core's again as soon as its end is written: nothing of it is touched
 * behind that, and nobody waits for what the thread takes to be gone. */
static void *work_thread(void *arg)
{
	struct work *w = arg;
	uint64_t one = 1;

	w->run(w);
	if (write(w->end.fd, &one, sizeof(one)) < 0)
		abort(); /* a new eventfd takes it */
	return NULL;
}

void work_close(struct reactor *r, struct work *w)
{
	struct pollfd end = { .fd = w->end.fd, .events = POLLIN };

	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	reactor_unwatch(r, &w->end);
}

static void work_ended(void *ctx, struct source *s, uint32_t events)
{
	struct work *w = (struct work *)((char *)s - offsetof(struct work, end));

	(void)events;
	reactor_unwatch(ctx, &w->end);
	w->ended(w->ctx, w);
}

int work_begin(struct reactor *r, struct work *w, const char *name)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), ret;
	pthread_t thread;

	if (fd < 0)
		return -errno;
	ret = reactor_watch(r, &w->end, fd, EPOLLIN, work_ended, r);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	/* The EAL puts it on a CPU that no lcore polls, where there is one. */
	ret = dpdk_control_thread(&thread, name, work_thread, w);
	if (ret == 0)
		pthread_detach(thread);
	else
		reactor_unwatch(r, &w->end);
	return -abs(ret);
}
