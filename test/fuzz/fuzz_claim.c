/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a shared subnet, read while a chassis probes for its VIPs: what is read of one is read
 * of it with padding behind, too. */
#include <stdlib.h>
#include <string.h>

#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_claim c = { 0 }, padded = { 0 };
	/* Exactly as large as it is, so that a sanitizer sees a byte beyond. */
	uint8_t *exact = malloc(size > 0 ? size : 1), *more = calloc(1, size + 64);
	bool one, other;

	if (exact == NULL || more == NULL)
		abort();
	memcpy(exact, data, size);
	memcpy(more, data, size);
	one = net_claim_read(exact, size, &c);
	other = net_claim_read(more, size + 64, &padded);
	/* Padding behind a frame changes nothing; behind a cut one it may complete what was cut. */
	if (one && (!other || memcmp(&c, &padded, sizeof(c)) != 0))
		abort();
	free(exact);
	free(more);
	return 0;
}
