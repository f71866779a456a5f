/* SPDX-License-Identifier: BSD-3-Clause */
/* log: a line is formatted into a ring, and a thread of its own writes it where rte_log() writes.
 * Any core and thread may log, but workers do not: whoever logs never waits. When the ring is full
 * a line is dropped and counted; lines of one kind (one LOG in the source) are limited. Before
 * log_start() and after log_stop() lines are written at once, by the caller.
 *
 * A line reads "room: sentence key=value ..."; the room is the folder of the source file. Each room
 * has a log type of the EAL, so that `--log-level tandem.pair:debug` sets the level of one room.
 *
 * The sentence is for whoever reads the log: what happened, and what to do. What a log collector
 * may filter or plot stands behind it in pairs (logfmt), written out in the format; the sentence
 * has neither '=' nor a quotation mark. A key is one of config/guide/log.md, which says what it
 * means and how to add one. A text that is not a word of ours goes through LOG_TEXT(), as it must
 * not forge a pair. */
#ifndef TANDEM_BASE_LOG_H
#define TANDEM_BASE_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_log.h>

#include "common/counters.h"
#include "common/usec.h"

/* One place in the source that logs. Its lines are limited together. */
struct log_site {
	const char *file, *format;
	_Atomic int room;            /* its log type's index + 1, 0: not looked up yet */
	_Atomic usec_t since;        /* when this interval began */
	_Atomic uint32_t said, more; /* lines in it that were logged; that were not */
	struct log_site *next;       /* of those that have lines which were not logged */
};

#define LOG_AT(level, fmt, ...)                                                                    \
	do {                                                                                       \
		static struct log_site log_site_ = { .file = __FILE__, .format = fmt };            \
		log_line(&log_site_, level, fmt, ##__VA_ARGS__);                                   \
	} while (0)
/* LOG(WARNING, "a file cannot be read path=%s", LOG_TEXT(path)): no newline, no room's name. */
#define LOG(level, fmt, ...) LOG_AT(RTE_LOG_##level, fmt, ##__VA_ARGS__)

enum { LOG_VALUE = 768 /* bytes of a value with its quotes; what is longer ends in "..." */ };

/* A value of a pair: the text itself, or between quotes with escapes where it is empty, or has
 * a space, '=', a quotation mark, a backslash, a control character, or what is no UTF-8. NULL is an
 * empty text. Any thread. Returns `to`. */
const char *log_quote(char to[LOG_VALUE], const char *text);
/* The same in a buffer that lives as long as the block around it: for an argument of LOG(). */
#define LOG_TEXT(text) log_quote((char[LOG_VALUE]){ 0 }, text)

void log_line(struct log_site *site, uint32_t level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Registers the log types and sets the level of all rooms, where the EAL's options say nothing
 * else. After rte_eal_init(). */
void log_init(uint32_t level);
/* Gives the level of rte_log that a word of log.level means; any other word means info. */
uint32_t log_level(const char *name);
/* Sets the level of all rooms. */
void log_level_set(uint32_t level);

enum { LOG_LINE = 2048 /* bytes; what is longer is cut */ };

/* Writes one line that ends with a newline; it may block. The log's thread calls it, or whoever
 * logs while there is no such thread. */
typedef void log_write_fn(void *ctx, uint32_t level, const char *line, size_t len);

struct log_settings {
	unsigned int lines;  /* in the ring: a power of 2 */
	unsigned int burst;  /* lines of one kind in an interval */
	usec_t interval;     /* for one kind */
	log_write_fn *write; /* NULL: rte_log() */
	void *ctx;
	/* Makes the thread; NULL: pthread_create(). As it may run on no core that polls, the
	 * daemon's is a control thread of the EAL. */
	int (*spawn)(pthread_t *thread, void *(*run)(void *), void *arg);
};

extern const struct log_settings log_defaults;

// clang-format off
#define LOG_COUNTERS(X) \
	X(written, COUNTER, "lines", \
		"Lines of the log were written.") \
	X(dropped, COUNTER, "lines", \
		"Lines of the log were dropped because the output took no more.") \
	X(limited, COUNTER, "lines", \
		"Lines of the log were left out because there were too many of one kind.")
// clang-format on
COUNTERS_DEFINE(log_counters, LOG_COUNTERS);

/* From now on lines go through the ring. 0 or -errno. */
int log_start(const struct log_settings *s);
/* Writes what the ring has and ends the thread. If the output takes nothing for 2 s, what is left
 * is given up. Nobody else may log meanwhile, but those who log afterwards may. */
void log_stop(void);
/* What was counted since log_start(). */
void log_count(struct log_counters *c);

/* The last line of a process that is about to abort: what the ring has, and then the parts one
 * behind the other, are written to stderr by system calls that do not wait. */
void log_last(const char *const *part, unsigned int n);

#endif
