/* SPDX-License-Identifier: BSD-3-Clause */
/* alarms: the registry of all alarms of a chassis. A room registers those that it may raise, with
 * what they mean and what an operator should do, and raises and clears them by name; views walk
 * the registry, and one reader (the journal) is called when an alarm is over. Control core only;
 * nothing here blocks. */
#ifndef TANDEM_BASE_ALARMS_H
#define TANDEM_BASE_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/usec.h"

enum { ALARM_TEXT = 512 };

/* What an alarm says of itself that has no meaning or no action of its own, so that no reader has
 * to ask; golden_alarms finds such a one. */
#define ALARM_NO_MEANING "This release does not explain the alarm; its text says what is the case."
#define ALARM_NO_ACTION  "Go by the alarm's text, and report that it is not explained."

struct alarm_info {
	const char *name;    /* lower case words with '-' between them */
	const char *meaning; /* a whole sentence: what is the case while it is raised */
	const char *action;  /* a whole sentence: what the operator should do */
	bool log_changes;    /* while it is raised, another text is worth a line in the log */
};

/* An alarm as a reader sees it. */
struct alarm {
	const struct alarm_info *info;
	bool raised;
	usec_t since;          /* own clock: of the last change */
	int64_t wall_us;       /* the same, time of day */
	char text[ALARM_TEXT]; /* of the last raise, kept when it is cleared */
};

struct alarms;

/* Makes a registry without alarms. NULL: there is no memory. */
struct alarms *alarms_create(void);
/* Frees the registry; NULL is nothing. */
void alarms_destroy(struct alarms *a);
/* Adds n alarms, none of them raised; `info` is copied, its texts must stay where they are, and
 * of those that are NULL it gets ALARM_NO_MEANING and ALARM_NO_ACTION. 0; -EINVAL: a name is NULL;
 * -EEXIST: one of the names is there already; -ENOMEM. After an error none of them is there. */
int alarms_register(struct alarms *a, const struct alarm_info *info, unsigned int n);

/* Called when an alarm is cleared, with the alarm as it was while raised. */
typedef void alarms_over_fn(void *ctx, const struct alarm *was, int64_t cleared_us);
/* There is one such reader; NULL: none any more. */
void alarms_reader(struct alarms *a, alarms_over_fn *over, void *ctx);

/* Raises or clears an alarm, or gives it another text; the edges are logged. To repeat what is the
 * case already costs nothing. A name that nobody registered is logged as an error. */
void alarms_set(struct alarms *a, const char *name, bool raised, const char *text, usec_t now);
/* Raises an alarm, as alarms_set() does. */
void alarms_raise(struct alarms *a, const char *name, const char *text, usec_t now);
/* Clears an alarm, as alarms_set() does. */
void alarms_clear(struct alarms *a, const char *name, usec_t now);
/* Whether the alarm is raised now; false for a name that nobody registered. */
bool alarms_is_raised(const struct alarms *a, const char *name);

/* The k-th alarm in the order of registration, raised or not; NULL: there are no more. */
const struct alarm *alarms_get(const struct alarms *a, unsigned int k);

#endif
