/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "gtp/gtpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gtpu g, slow;
	struct ip_addr a;
	uint32_t teid;
	enum gtpu_verdict v = gtpu_parse(data, size, &g);

	if (v != gtpu_parse_slow(data, size, &slow))
		abort();
	if (v != GTPU_OK)
		return 0;
	if (g.offset != slow.offset || g.len != slow.len || (size_t)g.offset + g.len > size)
		abort();
	gtpu_decode_error_indication(data + g.offset, g.len, &teid, &a);
	return 0;
}
