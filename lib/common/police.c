/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "common/police.h"

#define POLICE_HZ_MIN UINT64_C(1000000)
#define POLICE_SECOND (UINT64_C(1) << (POLICE_SECOND_BITS - 1)) /* units, at least */

/* 1 kbit/s is 125 octets a second. */
_Static_assert((POLICE_SECOND * 2 << POLICE_FRACTION) / 125 <= UINT64_MAX / UINT16_MAX,
	"the longest packet at the lowest rate does not overflow");
_Static_assert(POLICE_SECOND * 64 / (POLICE_KBPS_MAX * UINT64_C(125)) >= 100,
	"rounding is less than 1 % of a packet of 64 octets at the highest rate");

int police_rate_set(struct police_rate *r, uint32_t kbps, uint64_t hz)
{
	uint64_t rate = kbps * UINT64_C(125), burst = rate * POLICE_BURST_MS / 1000;

	*r = (struct police_rate){ 0 };
	if (kbps == 0)
		return 0;
	if (kbps > POLICE_KBPS_MAX || hz < POLICE_HZ_MIN || hz >= POLICE_SECOND)
		return -ERANGE;
	while (hz << r->shift < POLICE_SECOND)
		r->shift++;
	r->per_octet = ((hz << r->shift << POLICE_FRACTION) + rate / 2) / rate;
	if (burst < POLICE_BURST_MIN)
		burst = POLICE_BURST_MIN;
	r->burst = burst * r->per_octet >> POLICE_FRACTION;
	return 0;
}
