/* SPDX-License-Identifier: BSD-3-Clause */
/* stream: the replication stream as the pair uses it. The replication core runs it; here stand what
 * it hears of the peer, by that core's snapshot, what goes to the peer by it, the time in which
 * nobody listened to it, and pair time, which it brings. */
#ifndef TANDEM_PAIR_STREAM_H
#define TANDEM_PAIR_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "pair/settings.h"
#include "srp/srp.h"

struct from_replicator_heartbeat;

/* Time in which this chassis' own cores did not run. */
struct stalls {
	usec_t sum;           /* of what was reported to srp: in it nobody listened to the peer */
	usec_t ended;         /* the last one */
	usec_t reported;      /* of the replication core's, what srp knows already */
	usec_t stream_sum;    /* of what was reported, the replication core's alone */
	unsigned int dropped; /* how many were so long that cores drop what waited meanwhile */
};

struct stream {
	struct pair_stream with;
	struct stalls stalls;
};

/* NULL: no memory. `with` is copied. */
struct stream *stream_create(const struct pair_stream *with);
/* NULL is allowed. */
void stream_destroy(struct stream *s);

/* When the peer was last heard in it; USEC_NEVER: it was not. */
usec_t stream_heard(const struct stream *s);
/* Whether no session lives in the own table. */
bool stream_table_empty(const struct stream *s);
/* What lib/srp is to know of it; i: what lib/srp knows. */
struct srp_stream stream_read(const struct stream *s, const struct srp_info *i, usec_t now);
/* What lib/srp knows of the peer goes to the replication core. */
void stream_report_peer(const struct stream *s, const struct srp_info *i);
/* A heartbeat that lib/srp orders. */
void stream_heartbeat(const struct stream *s, const struct srp_action *a);
/* The peer's pair time is counted on from here. */
void stream_keep_time(const struct stream *s, const struct from_replicator_heartbeat *m);

/* The loop has stood still for `stall` us, 0: it had not. Returns for how long the replication core
 * has, as far as that was not returned before, and keeps count of both. */
usec_t stream_woke(struct stream *s, usec_t stall, usec_t now);

/* The incarnation of who is there, as the stream has it. */
uint32_t stream_incarnation(const struct stream *s);
/* That process is gone, or another is there; who is silent for `dead` us is gone. */
bool stream_peer_gone(const struct stream *s, uint32_t incarnation, usec_t dead, usec_t now);

#endif
