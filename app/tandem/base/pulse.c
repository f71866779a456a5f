/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_pause.h>

#include "base/log.h"
#include "base/pulse.h"

enum { DIGITS = 21, PULSE_PATH = 64, PULSE_TEXT = 96 };

/* Sleeps for a time that grows with the number of idle turns. */
static void pulse_nap(unsigned int idle)
{
	unsigned int us = SLEEP_US * (idle - SLEEP_AFTER_TURNS);
	const struct timespec nap = { 0, 1000L * RTE_MIN(us, (unsigned int)SLEEP_MOST_US) };

	nanosleep(&nap, NULL);
}

void pulse_rest(struct core_pulse *p, bool busy, unsigned int *idle)
{
	if (busy) {
		*idle = 0;
		atomic_store_explicit(&p->busy,
			atomic_load_explicit(&p->busy, memory_order_relaxed) + 1,
			memory_order_relaxed);
		return;
	}
	if (!p->may_sleep) {
		rte_pause();
		return;
	}
	if (*idle < SLEEP_AFTER_TURNS + SLEEP_MOST_US / SLEEP_US)
		++*idle;
	if (*idle > SLEEP_AFTER_TURNS)
		pulse_nap(*idle);
	else
		rte_pause();
}

/* Writes a number in decimal, without stdio; the text is at the end of `to`. */
static const char *pulse_number(uint64_t n, char to[DIGITS])
{
	char *at = to + DIGITS - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	return at;
}

/* Reads the beginning of a file that /proc has of a thread; "" when there is none. */
static void pulse_proc(pid_t thread, const char *file, char to[PULSE_TEXT])
{
	char path[PULSE_PATH], number[DIGITS];
	const char *part[] = { "/proc/self/task/", pulse_number((uint64_t)thread, number), file };
	size_t used = 0;
	ssize_t n = -1;
	int fd;

	for (unsigned int i = 0; i < RTE_DIM(part); i++)
		for (const char *c = part[i]; *c != '\0' && used < sizeof(path) - 1; c++)
			path[used++] = *c;
	path[used] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, to, PULSE_TEXT - 1);
		close(fd);
	}
	to[n > 0 ? n : 0] = '\0';
}

/* Where a thread stands, as "it sleeps in ", "do_futex"; `in` has room for the second. */
static const char *pulse_where(pid_t thread, char in[PULSE_TEXT])
{
	char stat[PULSE_TEXT];
	const char *name; /* "PID (NAME) STATE ..." */

	pulse_proc(thread, "/stat", stat);
	pulse_proc(thread, "/wchan", in);
	name = strrchr(stat, ')');
	if (name == NULL || name[1] == '\0')
		return "where it stands is not known";
	if (name[2] == 'R') {
		in[0] = '\0';
		return "it runs or waits for a CPU";
	}
	if (name[2] == 'T' || name[2] == 't') {
		in[0] = '\0';
		return "it was stopped by a signal or a debugger";
	}
	/* A kernel that does not say where has "0" there. */
	if (in[0] == '\0' || in[0] == '0')
		memcpy(in, "code", sizeof("code"));
	return name[2] == 'D' ? "it is blocked in the kernel's " : "it sleeps in the kernel's ";
}

void pulse_watch(struct pulse_seen *s, const struct core_pulse *own, const struct core_pulse *p,
	const char *core, usec_t patience, usec_t now)
{
	usec_t tick = atomic_load_explicit(&p->tick, memory_order_relaxed);
	usec_t stalled = atomic_load_explicit(&own->stalled_us, memory_order_relaxed);
	char ms[DIGITS], in[PULSE_TEXT];
	const char *where;

	if (tick != s->tick) {
		*s = (struct pulse_seen){ tick, stalled };
		return;
	}
	if (tick == 0 || now < tick || now - tick < patience + (stalled - s->stalled))
		return;
	where = pulse_where(atomic_load_explicit(&p->thread, memory_order_relaxed), in);
	log_last((const char *const[]){ "base: the ", core, " core has not turned for too long, ",
			 where, in, ": this process ends, so that the peer takes over core=", core,
			 " silent_ms=", pulse_number((now - tick) / USEC_PER_MSEC, ms) },
		9);
	abort();
}
