/* SPDX-License-Identifier: BSD-3-Clause */
/* state: what must survive the process: the term reserve and GTP's restart counter, in
 * state-dir/srp.state, and the pair's numbers of APNs and pools, in numbers.state. Written by a
 * thread of its own (fsync blocks): write, fsync, rename, fsync of the directory. The control core
 * alone calls these functions; state_open(), state_history(), state_numbers() and state_close()
 * wait for the disk, the others do not. One request at a time is in work, the newest waits. The
 * same thread adds to the history of transitions (history_file.h), after the reserve: a chassis
 * without a history can become Active, one without a reserve cannot. */
#ifndef TANDEM_STATE_H
#define TANDEM_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/history.h"

struct state;

/* Makes the directory if it is missing and reads what is there (zero when nothing is). NULL +
 * errno; EBADMSG: the file is there but not ours to read. */
struct state *state_open(const char *dir, struct srp_saved *saved);
/* Waits for the write that is under way, and ends the thread. */
void state_close(struct state *s);
/* A file descriptor that is readable when a write has ended. */
int state_fd(const struct state *s);
/* Gives both to the thread that writes them; state_saved() has the outcome. */
void state_save(struct state *s, uint64_t reserve, uint8_t restart_counter);
/* A write that has ended: true once each. */
bool state_saved(struct state *s, uint64_t *reserve, int *error);

/* Reads what earlier processes saved: 0 or -errno; the history has what could be read in either
 * case. */
int state_history(struct state *s, struct history *h);
/* Adds lines to the history, behind those that still wait; `text` (malloc'ed) is the state's from
 * now on. */
void state_add(struct state *s, char *text, size_t len);
/* Additions have ended, true once; error: 0 or -errno, then nothing of the last is in the file.
 * Nobody is woken: ask. */
bool state_added(struct state *s, int *error);

/* Reads the saved list of numbers into `to`; len 0: there is none. 0 or -errno, -EFBIG: there is
 * not enough room. */
int state_numbers(struct state *s, char *to, size_t room, size_t *len);
/* Gives the list to the thread that writes it, in place of one that still waits; `text` (malloc'ed)
 * is the state's from now on. */
void state_save_numbers(struct state *s, char *text, size_t len);
/* Writes of it have ended, true once; error: of the last, 0 or -errno. Nobody is woken: ask. */
bool state_numbers_saved(struct state *s, int *error);

/* The disk as the journal uses it: each member as the function of that name above. */
struct disk_ops {
	struct state *(*open)(const char *dir, struct srp_saved *saved);
	void (*close)(struct state *s);
	int (*fd)(const struct state *s);
	void (*save)(struct state *s, uint64_t reserve, uint8_t restart_counter);
	bool (*saved)(struct state *s, uint64_t *reserve, int *error);
	int (*history)(struct state *s, struct history *h);
	void (*add)(struct state *s, char *text, size_t len);
	bool (*added)(struct state *s, int *error);
	int (*numbers)(struct state *s, char *to, size_t room, size_t *len);
	void (*save_numbers)(struct state *s, char *text, size_t len);
	bool (*numbers_saved)(struct state *s, int *error);
};

extern const struct disk_ops disk_files;

/* This is disk_files, unless the process chooses another before journal_open(). */
extern const struct disk_ops *disk_ops;

#endif
