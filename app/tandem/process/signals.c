/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGTERM and SIGINT: the peer takes over first, and the second one ends the process at once.
 * SIGHUP: the configuration is read again. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "base/sock.h"
#include "operator/reload.h"
#include "process/control.h"
#include "process.h"

enum { SIGNALS_STOP_US = 20000000 };

static void signals_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void signals_block(void)
{
	sigset_t set;

	signals_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void signals_ready(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;
	struct signalfd_siginfo info;

	(void)events;
	while (sock_ops->read(s->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			reload_hangup(c->reload);
			continue;
		}
		if (c->stopping) {
			LOG(NOTICE, "a second signal came: this chassis is going down at once, "
				    "without a hand-over");
			control_stop(c);
			return;
		}
		LOG(NOTICE,
			"a signal came: this chassis hands over if it is Active, and is going down "
			"signal=%s",
			LOG_TEXT(strsignal((int)info.ssi_signo)));
		c->stopping = true;
		c->stop_by = c->now + SIGNALS_STOP_US;
		pair_shutdown(c->pair, c->now);
	}
}

int signals_open(struct control *c)
{
	sigset_t set;
	int fd;

	signals_set(&set);
	/* blocked in all threads since main() */
	fd = sock_ops->signals(&set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? -errno
		      : reactor_watch(c->reactor, &c->signals, fd, EPOLLIN, signals_ready, c);
}
