/* SPDX-License-Identifier: BSD-3-Clause */
/* history: the last transitions of a chassis (lib/srp/README.md section 9), in memory and as lines
 * of a file. An entry is one line of text that ends in the CRC-32 of what is before it: a torn or
 * damaged line is recognised and costs that entry alone. A later line of the same number replaces
 * an earlier one. Pure: nothing here blocks. The control core alone calls it, and owns the memory.
 */
#ifndef TANDEM_HISTORY_H
#define TANDEM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "srp/srp.h"

enum { HISTORY_MOST = 1000, HISTORY_LINE = 768, HISTORY_PHASES = 12, HISTORY_NAME = 16 };

/* What is known of the sessions: nothing; known and vouched for; the Active's table is being
 * compared with ours. */
enum history_loss { HISTORY_LOSS_NONE, HISTORY_LOSS_KNOWN, HISTORY_LOSS_COMPARING };

struct history_entry {
	uint64_t number; /* from 1 on, over restarts; 0: no entry */
	usec_t at;       /* own clock; USEC_NEVER: of an earlier process */
	int64_t wall_us; /* since 1970, UTC */
	enum srp_state from, to;
	enum srp_cause cause;
	srp_term_t term;
	bool planned, unsaved;
	/* Of a switchover, once it is over: */
	bool timed, died; /* phases were taken; the peer died */
	/* us. outage: until VIPs and routes were up, 0 planned */
	uint64_t took_us, outage_us, stood_still;
	unsigned int n_phases;
	struct {
		char name[HISTORY_NAME];
		uint64_t us;
	} phase[HISTORY_PHASES];
	enum history_loss loss;
	/* sessions; freed: ended here by the audit afterwards */
	uint64_t known, vouched, freed;
};

struct history {
	/* number of the next entry, 0 before the first: as 1 */
	uint64_t next;
	uint64_t skipped;                         /* lines that could not be read */
	struct history_entry entry[HISTORY_MOST]; /* by number modulo HISTORY_MOST */
};

/* Adds an entry, which is not saved yet; the oldest makes room. */
struct history_entry *history_add(struct history *h);
/* Gives the entry of a number; NULL: it is too old, or was never read. */
struct history_entry *history_get(struct history *h, uint64_t number);
/* The lowest number that may be there; entries are in first .. next - 1. */
uint64_t history_first(const struct history *h);
/* Writes a line to `to` (HISTORY_LINE bytes); returns its length, the line's end included. */
size_t history_print(const struct history_entry *e, char to[HISTORY_LINE]);
/* Takes the lines of a file, oldest file first. Those that are not whole are counted in
 * `skipped`. */
void history_read(struct history *h, const char *text, size_t len);
/* Whether the entry is the end of a switchover: what call-loss statistics list. */
bool history_is_switchover(const struct history_entry *e);

#endif
