/* SPDX-License-Identifier: BSD-3-Clause */
/* alarms: what the control core watches of the replication core, to raise alarms: it compares what
 * that core publishes. Control core only; nothing here blocks. */
#ifndef TANDEM_REPLICATOR_ALARMS_H
#define TANDEM_REPLICATOR_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alarms.h"

struct replicator;

/* Zero at first. */
struct replicator_watch {
	usec_t at; /* when it is looked at next */
	uint64_t refused, exhausted;
	unsigned int refused_s, quiet_s; /* seconds in which packets were, and were not refused */
};

/* 0 or -errno. Once, before the first turn. */
int replicator_alarms_register(struct alarms *a);
/* Once a turn, where the stream is encrypted; looks once a second. True: the key of the stream is
 * used up, and the caller must drop the SRP connection, so that a new one makes another key. */
bool replicator_alarms_turn(
	struct replicator_watch *w, const struct replicator *r, struct alarms *a, usec_t now);

#endif
