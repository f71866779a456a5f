/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring is bounded, for many producers and one consumer: a cell's `turn` says whose it is, so
 * that a producer claims it by one compare-and-swap and publishes it by one store (D. Vyukov's
 * bounded queue). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "log_text.h"

enum { STOP_S = 2, LAST = 512, POLL_MOST_MS = 60000 };

struct log_cell {
	_Atomic uint64_t turn; /* position: to be filled; + 1: to be written */
	uint32_t level, len;
	char text[LOG_LINE];
};

struct log {
	struct log_settings set;
	pthread_t thread;
	struct log_cell *cell;
	int event, last_fd;
	_Atomic uint64_t tail, dropped, limited, written;
	uint64_t head;
	atomic_flag reading; /* held by whoever takes from the ring: the thread, or log_last() */
	atomic_bool asleep, quit;
	uint64_t dropped_reported; /* of `dropped` */
	uint64_t dropped_at;       /* position at which to report the others; 0: none is due */
	_Atomic(struct log_site *) limited_new; /* sites with lines that were not logged */
	struct log_site *limited_known;         /* the same, of the thread alone */
};

const struct log_settings log_defaults = {
	.lines = 512, .burst = 100, .interval = 10 * USEC_PER_SEC
};

static struct log *_Atomic log_running;
static atomic_bool log_given_up; /* the output took nothing at log_stop() */
static int log_output; /* the type that lines are written as: never filtered a second time */

/* ---- rooms ---- */

static const char *const log_rooms[] = { "tandem", "base", "cores", "reactor", "journal", "kernel",
	"worker", "replicator", "signalling", "monitors", "switchover", "pair", "operator",
	"process" };
enum { LOG_ROOMS = sizeof(log_rooms) / sizeof(log_rooms[0]) };
static int log_types[LOG_ROOMS];

void log_init(uint32_t level)
{
	char name[64];
	int type = rte_log_register_type_and_pick_level(log_rooms[0], level);

	log_types[0] = type < 0 ? 0 : type;
	if (type >= 0)
		level = (uint32_t)rte_log_get_level((uint32_t)type);
	for (unsigned int i = 1; i < LOG_ROOMS; i++) {
		snprintf(name, sizeof(name), "tandem.%s", log_rooms[i]);
		type = rte_log_register_type_and_pick_level(name, level);
		log_types[i] = type < 0 ? log_types[0] : type;
	}
	type = rte_log_register("tandem-log");
	log_output = type < 0 ? log_types[0] : type;
	rte_log_set_level((uint32_t)log_output, RTE_LOG_DEBUG);
}

uint32_t log_level(const char *name)
{
	static const struct {
		const char *name;
		uint32_t level;
	} levels[] = { { "debug", RTE_LOG_DEBUG }, { "info", RTE_LOG_INFO },
		{ "notice", RTE_LOG_NOTICE }, { "warning", RTE_LOG_WARNING },
		{ "error", RTE_LOG_ERR } };

	for (unsigned int i = 0; i < RTE_DIM(levels); i++)
		if (strcmp(name, levels[i].name) == 0)
			return levels[i].level;
	return RTE_LOG_INFO;
}

void log_level_set(uint32_t level)
{
	for (unsigned int i = 0; i < LOG_ROOMS; i++)
		rte_log_set_level((uint32_t)log_types[i], level);
}

/* The number of the room that a source file is in: the innermost folder that is a room. Files of no
 * room are the program's. */
static int log_room_of(const char *file)
{
	const char *from;

	for (const char *end = strrchr(file, '/'); end != NULL && end > file; end = from - 1) {
		for (from = end; from > file && from[-1] != '/'; from--)
			;
		for (unsigned int i = 1; i < LOG_ROOMS; i++)
			if (strncmp(log_rooms[i], from, (size_t)(end - from)) == 0 &&
				log_rooms[i][end - from] == '\0')
				return (int)i;
		if (from == file)
			break;
	}
	return 0;
}

static int log_room(struct log_site *s)
{
	int room = atomic_load_explicit(&s->room, memory_order_relaxed);

	if (room == 0) {
		room = log_room_of(s->file) + 1;
		atomic_store_explicit(&s->room, room, memory_order_relaxed);
	}
	return room - 1;
}

/* ---- those who log ---- */

static usec_t log_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	/* + 1: 0 is "never" */
	return (usec_t)t.tv_sec * USEC_PER_SEC + (usec_t)t.tv_nsec / 1000 + 1;
}

static void log_wake(struct log *l)
{
	uint64_t one = 1;

	if (atomic_exchange(&l->asleep, false) && write(l->event, &one, sizeof(one)) < 0)
		return; /* the counter is at its maximum: it is readable all the same */
}

/* Whether this kind may log one more line; if not, the line is counted and reported later. */
static bool log_allowed(struct log *l, struct log_site *s)
{
	usec_t now = log_now(), since = atomic_load(&s->since);
	struct log_site *first;

	if ((since == 0 || now - since >= l->set.interval) &&
		atomic_compare_exchange_strong(&s->since, &since, now))
		atomic_store(&s->said, 0);
	if (atomic_fetch_add(&s->said, 1) < l->set.burst)
		return true;
	atomic_fetch_add_explicit(&l->limited, 1, memory_order_relaxed);
	if (atomic_fetch_add(&s->more, 1) == 0) {
		first = atomic_load(&l->limited_new);
		do
			s->next = first;
		while (!atomic_compare_exchange_weak(&l->limited_new, &first, s));
		log_wake(l);
	}
	return false;
}

/* Takes a free cell of the ring, and its position; NULL: the ring is full. */
static struct log_cell *log_claim(struct log *l, uint64_t *at)
{
	uint64_t pos = atomic_load_explicit(&l->tail, memory_order_relaxed);

	for (;;) {
		struct log_cell *c = &l->cell[pos & (l->set.lines - 1)];
		uint64_t turn = atomic_load_explicit(&c->turn, memory_order_acquire);

		if (turn < pos)
			return NULL;
		if (turn > pos) {
			pos = atomic_load_explicit(&l->tail, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak(&l->tail, &pos, pos + 1)) {
			*at = pos;
			return c;
		}
	}
}

/* "room: sentence key=value\n"; the number of bytes. */
static size_t log_format(char to[LOG_LINE], const char *room, const char *format, va_list args)
{
	static const char cut[] = " [...]\n";
	size_t used = (size_t)snprintf(to, LOG_LINE, "%s: ", room);
	int n = vsnprintf(to + used, LOG_LINE - used, format, args);

	used += n > 0 ? (size_t)n : 0;
	if (used + 1 >= LOG_LINE) {
		to[LOG_LINE - sizeof(cut)] = '\0';
		log_text_clean(to);
		memcpy(to + LOG_LINE - sizeof(cut), cut, sizeof(cut));
		return LOG_LINE - 1;
	}
	log_text_clean(to);
	to[used] = '\n';
	to[used + 1] = '\0';
	return used + 1;
}

static void log_rte(void *ctx, uint32_t level, const char *line, size_t len)
{
	(void)ctx;
	rte_log(level, (uint32_t)log_output, "%.*s", (int)len, line);
}

void log_line(struct log_site *site, uint32_t level, const char *format, ...)
{
	int room = log_room(site);
	struct log *l;
	struct log_cell *c;
	char text[LOG_LINE];
	uint64_t at;
	va_list args;

	if (!rte_log_can_log((uint32_t)log_types[room], level) || atomic_load(&log_given_up))
		return;
	l = atomic_load(&log_running);
	va_start(args, format);
	if (l == NULL) {
		log_rte(NULL, level, text, log_format(text, log_rooms[room], format, args));
	} else if (log_allowed(l, site)) {
		c = log_claim(l, &at);
		if (c != NULL) {
			c->level = level;
			c->len = (uint32_t)log_format(c->text, log_rooms[room], format, args);
			atomic_store(&c->turn, at + 1);
		} else {
			atomic_fetch_add(&l->dropped, 1);
		}
		log_wake(l);
	}
	va_end(args);
}

/* ---- the thread ---- */

/* The next line that is whole, NULL: there is none. */
static struct log_cell *log_next(struct log *l)
{
	struct log_cell *c = &l->cell[l->head & (l->set.lines - 1)];

	return atomic_load(&c->turn) == l->head + 1 ? c : NULL;
}

static void log_done(struct log *l, struct log_cell *c)
{
	atomic_store_explicit(&c->turn, l->head + l->set.lines, memory_order_release);
	l->head++;
}

static void log_say(struct log *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void log_say(struct log *l, const char *format, ...)
{
	char text[LOG_LINE];
	va_list args;
	size_t len;

	va_start(args, format);
	len = log_format(text, "base", format, args);
	va_end(args);
	l->set.write(l->set.ctx, RTE_LOG_WARNING, text, len);
}

/* Reports that lines were dropped, where they are missing: behind those that were in the ring by
 * then. */
static void log_report_dropped(struct log *l, bool at_once)
{
	uint64_t dropped = atomic_load(&l->dropped);

	if (dropped == l->dropped_reported)
		return;
	if (l->dropped_at == 0)
		l->dropped_at = atomic_load(&l->tail);
	if (l->head < l->dropped_at && !at_once)
		return;
	log_say(l, "lines of the log were dropped, as its output took no more count=%lu",
		(unsigned long)(dropped - l->dropped_reported));
	l->dropped_reported = dropped;
	l->dropped_at = 0;
}

static void log_write_all(struct log *l)
{
	struct log_cell *c;

	while ((c = log_next(l)) != NULL) {
		if (atomic_flag_test_and_set(&l->reading))
			return; /* the process aborts */
		l->set.write(l->set.ctx, c->level, c->text, c->len);
		log_done(l, c);
		atomic_flag_clear(&l->reading);
		atomic_fetch_add_explicit(&l->written, 1, memory_order_relaxed);
		log_report_dropped(l, false);
	}
}

/* Reports the kinds whose interval is over. When the next one is: milliseconds, -1 never. */
static int log_report_limited(struct log *l, bool all)
{
	struct log_site *s = atomic_exchange(&l->limited_new, NULL), *next, *keep = NULL;
	usec_t now = log_now(), due, first = USEC_NEVER;

	for (; s != NULL; s = next) {
		next = s->next;
		s->next = l->limited_known;
		l->limited_known = s;
	}
	for (s = l->limited_known; s != NULL; s = next) {
		next = s->next;
		due = atomic_load(&s->since) + l->set.interval;
		if (all || now >= due) {
			/* From here on it may be put into the other list again. */
			log_say(l,
				"more lines of one kind came than are logged, which were left out "
				"count=%u room=%s format=%s",
				atomic_exchange(&s->more, 0), log_rooms[log_room(s)],
				LOG_TEXT(s->format));
			continue;
		}
		s->next = keep;
		keep = s;
		first = due < first ? due : first;
	}
	l->limited_known = keep;
	if (keep == NULL)
		return -1;
	return (int)((first - now) / USEC_PER_MSEC < POLL_MOST_MS ? (first - now) / USEC_PER_MSEC
								  : POLL_MOST_MS) +
	       1;
}

static void log_sleep(struct log *l, int ms)
{
	struct pollfd p = { .fd = l->event, .events = POLLIN };
	uint64_t drain;

	atomic_store(&l->asleep, true);
	/* Whoever logged before that woke nobody. */
	if (log_next(l) == NULL && atomic_load(&l->limited_new) == NULL &&
		atomic_load(&l->dropped) == l->dropped_reported && !atomic_load(&l->quit))
		poll(&p, 1, ms);
	atomic_store(&l->asleep, false);
	if (read(l->event, &drain, sizeof(drain)) < 0)
		return; /* nobody woke us */
}

static void *log_run(void *arg)
{
	struct log *l = arg;
	bool quit;
	int ms;

	do {
		quit = atomic_load(&l->quit);
		log_write_all(l);
		log_report_dropped(l, quit);
		ms = log_report_limited(l, quit);
		if (!quit)
			log_sleep(l, ms);
	} while (!quit);
	return NULL;
}

/* ---- life ---- */

static void log_free(struct log *l)
{
	if (l == NULL)
		return;
	if (l->event >= 0)
		close(l->event);
	if (l->last_fd >= 0)
		close(l->last_fd);
	free(l->cell);
	free(l);
}

static int log_pthread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	return -pthread_create(thread, NULL, run, arg);
}

int log_start(const struct log_settings *s)
{
	struct log *l = calloc(1, sizeof(*l));
	int ret;

	if (l == NULL)
		return -ENOMEM;
	l->set = *s;
	if (l->set.write == NULL)
		l->set.write = log_rte;
	atomic_flag_clear(&l->reading);
	l->cell = calloc(s->lines, sizeof(*l->cell));
	l->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	/* A description of its own, so that log_last() does not wait; a socket has none. */
	l->last_fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
	ret = l->cell == NULL || l->event < 0 ? -ENOMEM : 0;
	for (unsigned int i = 0; i < s->lines && ret == 0; i++)
		atomic_store(&l->cell[i].turn, i);
	if (ret == 0)
		ret = (s->spawn != NULL ? s->spawn : log_pthread)(&l->thread, log_run, l);
	if (ret < 0) {
		log_free(l);
		return ret;
	}
	atomic_store(&log_running, l);
	return 0;
}

void log_stop(void)
{
	struct log *l = atomic_exchange(&log_running, NULL);
	struct timespec until;

	if (l == NULL)
		return;
	atomic_store(&l->quit, true);
	log_wake(l);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_S;
	if (pthread_timedjoin_np(l->thread, NULL, &until) == 0) {
		log_free(l);
		return;
	}
	pthread_detach(l->thread); /* it waits for the output, and the ring is its own */
	atomic_store(&log_given_up, true);
}

void log_count(struct log_counters *c)
{
	const struct log *l = atomic_load(&log_running);

	*c = (struct log_counters){ 0 };
	if (l == NULL)
		return;
	c->written = atomic_load_explicit(&l->written, memory_order_relaxed);
	c->dropped = atomic_load_explicit(&l->dropped, memory_order_relaxed);
	c->limited = atomic_load_explicit(&l->limited, memory_order_relaxed);
}

/* ---- the end ---- */

/* Does not wait, whatever stderr is; false: nothing was taken. */
static bool log_write_now(int own, const char *text, size_t len)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (own >= 0)
		return write(own, text, len) > 0;
	if (send(STDERR_FILENO, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		return true;
	return errno == ENOTSOCK && poll(&p, 1, 0) == 1 && write(STDERR_FILENO, text, len) > 0;
}

void log_last(const char *const *part, unsigned int n)
{
	struct log *l = atomic_load(&log_running);
	int own = l != NULL ? l->last_fd : -1;
	char text[LAST];
	size_t used = 0;
	struct log_cell *c;

	/* If the thread is writing just now, the line that it writes and those behind it are not
	 * ours to take. */
	if (l != NULL && !atomic_flag_test_and_set(&l->reading))
		while ((c = log_next(l)) != NULL && log_write_now(own, c->text, c->len))
			log_done(l, c);
	for (unsigned int i = 0; i < n; i++)
		for (const char *p = part[i]; *p != '\0' && used < sizeof(text) - 1; p++)
			text[used++] = *p;
	text[used++] = '\n';
	log_write_now(own, text, used);
}
