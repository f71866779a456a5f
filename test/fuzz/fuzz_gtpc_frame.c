/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame by the direct way; what is taken lies within it, and is what it would be after a trip
 * back. */
#include <stdlib.h>
#include <string.h>

#include "gtpc_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mac_addr mac = { { 2, 0, 0, 0, 0, 1 } },
				     other = { { 2, 0, 0, 0, 0, 2 } };
	enum { VIP = 0x0a080064 };
	static uint8_t back[GTPC_FRAME_HEAD + UINT16_MAX] __attribute__((aligned(4)));
	struct gtpc_datagram d, e;

	if (gtpc_frame_read(data, size, &mac, VIP, &d) != GTPC_FRAME_OURS)
		return 0;
	if (d.p < data || d.len > size || d.p + d.len > data + size)
		abort();
	if (d.len > 0)
		memcpy(back + GTPC_FRAME_HEAD, d.p, d.len);
	/* To a gateway that has the sender's address: it must take it, from us. */
	gtpc_frame_write(back, d.len, &other, &mac, VIP, d.from4, 2123, 1);
	if (gtpc_frame_read(back, GTPC_FRAME_HEAD + d.len, &mac, d.from4, &e) != GTPC_FRAME_OURS ||
		e.len != d.len || e.from4 != VIP || e.from_port != 2123 ||
		memcmp(e.p, d.p, d.len) != 0)
		abort();
	return 0;
}
