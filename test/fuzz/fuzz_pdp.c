/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequences of requests, answers, losses and time for lib/pdp: what must be true of them is
 * checked by test/unit/pdp/pdp_rig.h. The first octet says whether AAA is asked. */
#include <stdio.h>
#include <stdlib.h>

#include "pdp/pdp_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig r;

	if (size == 0)
		return 0;
	rig_open(&r, data[0] & 1, 1 << 20);
	if (!rig_run(&r, data + 1, size - 1)) {
		fprintf(stderr, "%s\n", r.broken);
		abort();
	}
	rig_close(&r);
	return 0;
}
