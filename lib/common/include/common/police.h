/* SPDX-License-Identifier: BSD-3-Clause */
/* police: holds packets to a rate by one number, the theoretical arrival time (the GCRA of ITU-T
 * I.371): when the bucket is full again if no more packets come. No clock: ticks are given. Any
 * core may ask; each theoretical arrival time has one writer. */
#ifndef TANDEM_COMMON_POLICE_H
#define TANDEM_COMMON_POLICE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	POLICE_KBPS_MAX = 100000000,
	POLICE_BURST_MIN = 15000, /* octets: ten full packets */
	POLICE_BURST_MS = 100,    /* else the burst is what the rate gives in that time */
	POLICE_SECOND_BITS = 36,  /* binary digits of a second in units, see below */
	POLICE_FRACTION = 16,     /* binary digits of struct police_rate's fraction */
};

/* What a rate is for a clock. Times are counted in units of 1/2^shift ticks, of which a second has
 * 2^35 or more and less than 2^36. So 64 octets at the highest rate take 176 units, of which
 * rounding down loses less than one, and two times that are less than four years apart compare,
 * also where the clock or its units wrap. */
struct police_rate {
	/* units that an octet takes, times 2^POLICE_FRACTION; 0: there is no limit */
	uint64_t per_octet;
	uint64_t burst; /* units that a full bucket takes */
	uint8_t shift;
};

/* The rate of `kbps` kbit/s for a clock of `hz` ticks a second, 0: no limit. 0; -ERANGE: the rate
 * is above POLICE_KBPS_MAX, or the clock is slower than 1 MHz or not slower than 2^35 Hz; there is
 * no limit then. */
int police_rate_set(struct police_rate *r, uint32_t kbps, uint64_t hz);

/* A packet of `octets` (at most 65,535) comes at `now`, ticks. It passes if and only if its whole
 * length is in the bucket, and leaves it then. `tat` is local to this clock, in units; 0 is a full
 * bucket. It is stored for a packet that does not pass, too: else the debt from before the rate was
 * changed would last longer than a bucket of the new rate needs to be full. If the clock goes back,
 * or is another one, the bucket is empty at worst. */
static inline bool police_pass(
	uint64_t *tat, const struct police_rate *r, uint64_t now, uint32_t octets)
{
	uint64_t debt, take;
	bool pass;

	if (r->per_octet == 0)
		return true;
	now <<= r->shift;
	take = octets * r->per_octet >> POLICE_FRACTION;
	debt = *tat - now;
	if (*tat == 0 || (int64_t)debt < 0)
		debt = 0;
	if (debt > r->burst)
		debt = r->burst;
	pass = debt + take <= r->burst;
	*tat = now + debt + (pass ? take : 0);
	return pass;
}

#endif
