/* SPDX-License-Identifier: BSD-3-Clause */
/* role: what this chassis may do now, as `switchover` publishes it. Only the control core writes,
 * by switchover_publish(); any core reads, each field by itself. Nothing here blocks. */
#ifndef TANDEM_CORES_ROLE_H
#define TANDEM_CORES_ROLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "base/clock.h"
#include "common/usec.h"

#define ROLE_FOR_EVER UINT64_MAX

struct role {
	/* In ticks of the TSC: whoever serves stops by then, whatever else the role says. Workers
	 * compare it once a burst. ROLE_FOR_EVER, today always: no lease limits the role. */
	_Atomic uint64_t serve_until;
	/* In a line of its own, which control writes at each turn and workers do not read: the term
	 * in which workers own the slots, or did last; and whether they do. */
	_Atomic uint64_t term __rte_cache_aligned;
	_Atomic bool owned;
	_Atomic bool answering;          /* signalling is answered here */
	_Atomic bool held;               /* a planned switchover: new requests wait for its end */
	_Atomic bool must_not_answer;    /* the peer may have taken over: nothing is answered */
	_Atomic uint8_t restart_counter; /* the pair's, as GTP's Recovery */
	/* the sum of the times in which nobody listened to the peer */
	_Atomic usec_t stood_still;
} __rte_cache_aligned;

/* Begins with a chassis that may do nothing, before any core runs. */
static inline void role_init(struct role *r)
{
	*r = (struct role){ .serve_until = ROLE_FOR_EVER };
}

/* Whether the time to serve is over at `tsc`. Any core. */
static inline bool role_lapsed(const struct role *r, uint64_t tsc)
{
	return tsc >= atomic_load_explicit(&r->serve_until, memory_order_relaxed);
}

/* Whether nothing of signalling may leave now, whenever it was decided: the time to serve is over,
 * or the peer may have taken over. Any core. */
static inline bool role_must_not_send(const struct role *r)
{
	return atomic_load_explicit(&r->must_not_answer, memory_order_relaxed) ||
	       role_lapsed(r, clock_ticks());
}

/* Whether a peer is answered now. Any core. */
static inline bool role_answers(const struct role *r)
{
	return atomic_load_explicit(&r->answering, memory_order_relaxed) && !role_must_not_send(r);
}

#endif
