/* SPDX-License-Identifier: BSD-3-Clause */
/* gtpc_frame: GTP-C's UDP datagrams as Ethernet frames, for the direct way between a port and
 * control (direct.c). Pure functions over the caller's bytes; any core. A decoder of
 * outside bytes: fuzzed (test/fuzz/fuzz_gtpc_frame.c). */
#ifndef TANDEM_GTPC_FRAME_H
#define TANDEM_GTPC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/mac.h"

enum { GTPC_FRAME_HEAD = 42 }; /* Ethernet, IPv4 without options, UDP */

enum gtpc_frame {
	GTPC_FRAME_OURS,  /* a whole datagram to vip4:2123 */
	GTPC_FRAME_OTHER, /* the kernel's to judge */
	GTPC_FRAME_BAD,   /* of ours, and damaged: nobody would take it */
};

struct gtpc_datagram { /* addresses in host order */
	uint32_t from4;
	uint16_t from_port, len;
	const uint8_t *p; /* into the frame */
};

/* Judges a frame that came in on a port whose MAC address is `mac`. Ours: to that address, IPv4
 * without options and not a fragment (RFC 791 3.1), UDP (RFC 768) to vip4:2123 from a unicast
 * address and a port that can be answered; both checksums are verified, but for a UDP checksum of
 * zero: none was made. */
enum gtpc_frame gtpc_frame_read(const uint8_t *frame, size_t len, const struct mac_addr *mac,
	uint32_t vip4, struct gtpc_datagram *d);

/* Writes the GTPC_FRAME_HEAD bytes in front of a datagram of `len` bytes that stands behind them,
 * from vip4:2123. It may be fragmented on its way (no DF): nobody here would learn of a smaller
 * MTU. */
void gtpc_frame_write(uint8_t *frame, uint16_t len, const struct mac_addr *src,
	const struct mac_addr *dst, uint32_t vip4, uint32_t to4, uint16_t to_port, uint16_t ip_id);

#endif
