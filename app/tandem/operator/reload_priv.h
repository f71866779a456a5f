/* SPDX-License-Identifier: BSD-3-Clause */
/* What reload.c (the thread, the commands) and reload_apply.c (what becomes of what was read)
 * share. Control core, but for what reload.c says of the thread. */
#ifndef TANDEM_OPERATOR_RELOAD_PRIV_H
#define TANDEM_OPERATOR_RELOAD_PRIV_H

#include <limits.h>

#include "operator/reload.h"
#include "reactor/reactor.h"
#include "save.h"

_Static_assert((int)RELOAD_WHY >= (int)SAVE_WHY, "why takes what either says");

struct disk_work {
	struct work work; /* first: reload_work_of() */
	bool reload;
	bool hangup; /* for SIGHUP: nobody waits who could try again */
	bool (*keys_good)(const struct config *next, char why[RELOAD_WHY]);
	int (*make)(struct reload_made *m, const struct config *next);
	struct reload_made *made; /* of a reload; NULL: somebody has it */
	char path[PATH_MAX];
	char *text; /* to be saved */
	size_t len;
	/* w: the thread, r: control after the event */
	int ret;
	const char *failed; /* what `why` is about */
	char why[RELOAD_WHY];
	struct config next;
	struct config_report report;
};

struct operator_reload {
	struct operator_reload_settings s;
	struct disk_work *disk; /* a save or reload that a thread works on, NULL: none */
	bool ended;             /* its thread has, and what it read is still to be taken */
	bool hangup;            /* SIGHUP came, and the file is not being read for it yet, */
	bool put_off;           /* or was, and must be once more: not before hangup_from */
	usec_t hangup_from;
	/* It was loaded, and waits for the peer, with what was made for it; NULL: none does. */
	struct config *next;
	struct reload_made *next_made;
	bool hindered; /* it is to run and cannot, which was logged */
};

/* ---- reload_apply.c ---- */

/* Replaces what neither JSON nor a log takes: a path was chosen by somebody, and may have been cut
 * within a character. */
void reload_plain(char *text);
/* The answer of a command that is refused. */
json_t *reload_refuse(const char *reason);
/* Carries out what the thread has read, or lets it wait for the peer; the answer. */
json_t *reload_answer(struct operator_reload *r, struct disk_work *w);
/* What waited is to run: both have it. What hinders it now does not at the next turn. */
void reload_run_next(struct operator_reload *r);
/* Nothing waits any more. */
void reload_forget_next(struct operator_reload *r);

#endif
