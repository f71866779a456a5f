/* SPDX-License-Identifier: BSD-3-Clause */
/* journal: what outlives a change of role or the process: the term reserve and GTP's restart
 * counter, the pair's numbers of APNs and pools, the history of transitions with what each
 * switchover cost, and the alarms that are over (these in memory only). Files are written by a
 * thread of the journal's own: nothing here waits for the disk but journal_open(),
 * journal_numbers() and journal_close(). Control core only. */
#ifndef TANDEM_JOURNAL_H
#define TANDEM_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alarms.h"
#include "journal/history.h"
#include "session/event.h"
#include "srp/srp.h"

struct journal;
struct metrics;

/* What the journal asks of other rooms at a switchover. */
struct journal_ops {
	uint64_t (*live)(void *ctx);          /* sessions in the table */
	uint64_t (*ended_by_peer)(void *ctx); /* sessions that records of the peer ended, ever */
	bool (*joined)(void *ctx);            /* our copy of the peer's table is whole */
	/* A pass of the audit that began at `since` or later has ended. */
	bool (*audited_since)(void *ctx, usec_t since);
};

struct journal_settings {
	const char *state_dir;
	struct alarms *alarms; /* journal_alarms_register() was called for it */
	struct journal_ops ops;
	void *ctx;
};

/* An alarm that is over; times of day. */
struct journal_alarm {
	const struct alarm_info *info;
	int64_t raised_us, cleared_us;
	char text[ALARM_TEXT];
};

enum { JOURNAL_ALARMS = 32 /* that are kept */ };

/* Registers the alarms of the room, once, before journal_open(). 0 or -errno. */
int journal_alarms_register(struct alarms *a);

/* Makes the directory if it is missing and reads what is there. NULL + errno; EBADMSG: the reserve
 * is there but not ours to read. A history that cannot be read is logged, and goes on empty. The
 * journal is the alarms' reader from now on. */
struct journal *journal_open(const struct journal_settings *s, struct srp_saved *saved);
/* Writes what is not on disk yet, and ends. NULL is allowed. */
void journal_close(struct journal *j);

/* The term reserve and the restart counter are to be written; the newest request counts. */
void journal_reserve(struct journal *j, uint64_t reserve, uint8_t restart_counter);
/* Gives a file descriptor that is readable when such a write has ended. */
int journal_fd(const struct journal *j);
/* A write that has ended: true once each; error: 0 or -errno, logged when it changes. */
bool journal_reserved(struct journal *j, uint64_t *reserve, int *error);

/* Reads the list of numbers that an earlier process saved, at the start: 0, and len 0 if there is
 * none; or -errno, which is logged. */
int journal_numbers(struct journal *j, char *to, size_t room, size_t *len);
/* The list is another now: it is copied, and written soon; tried again each second, with an alarm,
 * where the disk does not take it. */
void journal_save_numbers(struct journal *j, const char *text, size_t len);

/* Records a transition (SRP_ACT_ROLE). */
void journal_role(struct journal *j, const struct srp_action *a, usec_t now);
/* The last transition, to be completed in place before the next journal_turn(); NULL: none yet. */
struct history_entry *journal_last(struct journal *j);
/* The entry that journal_last() gave was changed. */
void journal_changed(struct journal *j, struct history_entry *e);
/* A reader of session events: a session ended here while this chassis owned it. */
void journal_ended(struct journal *j, enum session_why why);
/* Now and then: hands unsaved entries to the thread. */
void journal_turn(struct journal *j, usec_t now);

/* ---- for views ---- */

struct history *journal_history(struct journal *j);
/* How many switchovers had that cause since the start of this process. */
uint64_t journal_switchovers(const struct journal *j, enum srp_cause cause);
/* How often this chassis came into that state since the start of this process. */
uint64_t journal_transitions(const struct journal *j, enum srp_state to);
/* How many sessions ended here for that reason since the start of this process. */
uint64_t journal_ends(const struct journal *j, enum session_why why);
/* Registers all three as counters; they must be unregistered before journal_close(). 0 or -errno.
 */
int journal_metrics_register(struct metrics *m, struct journal *j);
extern const struct metrics_room journal_metrics; /* all of them */
/* Alarms that are over, oldest first; NULL: there are no more. */
const struct journal_alarm *journal_alarm(const struct journal *j, unsigned int k);

#endif
