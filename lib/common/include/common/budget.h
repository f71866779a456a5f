/* SPDX-License-Identifier: BSD-3-Clause */
/* budget: how many messages strangers may cause. Each cause has a source, to which the message
 * goes, and a subject, as a session or a TEID. Each subject has a rate of its own; each source has
 * one that nobody can take from it; what goes beyond comes out of one that all share. So one source
 * alone gets that, too, and beside a flood from another one it still gets its own. Which source or
 * subject has which counter is a hash with a secret. No clock: ticks are given. One core calls. */
#ifndef TANDEM_COMMON_BUDGET_H
#define TANDEM_COMMON_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/siphash.h"

enum { BUDGET_COUNTERS = 1024 };

struct budget_rates {
	uint32_t source, subject, shared; /* messages a second, at least 1 */
};

/* Who was the subject of the last message that this counter paid for. Another one begins anew, so
 * that many subjects cost nobody his own; a source has its counter with all that meet it there, so
 * that many sources do not get more than there are counters. */
struct budget_subject {
	uint64_t who, at;
};

/* As theoretical arrival times: when nothing is owed any more. */
struct budget {
	struct siphash_secret secret;
	struct budget_rates rates;
	uint64_t hz; /* ticks a second */
	uint64_t shared;
	uint64_t source[BUDGET_COUNTERS];
	struct budget_subject subject[BUDGET_COUNTERS];
};

/* Everybody has a second's worth at first, and of what is shared there is a tenth of it. */
void budget_init(struct budget *b, const struct siphash_secret *secret,
	const struct budget_rates *rates, uint64_t hz);
/* Whether one more message may be made now, which then is spent. A clock that went back gives
 * nobody more than that. */
bool budget_take(struct budget *b, uint64_t source, uint64_t subject, uint64_t now);

#endif
