/* SPDX-License-Identifier: BSD-3-Clause */
/* bmp_make: BMP messages as a router would write them (RFC 7854), for tests. */
#ifndef TANDEM_BMP_MAKE_H
#define TANDEM_BMP_MAKE_H

#include <stdlib.h>

#include "monitor/bmp.h"
#include "common/cursor.h"

struct bmp_make {
	struct wr w;
	uint8_t *began; /* of the message */
};

static inline void make_begin(struct bmp_make *m, uint8_t type)
{
	m->began = m->w.p;
	wr_u8(&m->w, BMP_VERSION);
	wr_u32(&m->w, 0);
	wr_u8(&m->w, type);
}

static inline void make_end(struct bmp_make *m)
{
	struct wr len = wr_init(m->began + 1, 4);

	if (m->w.bad)
		abort();
	wr_u32(&len, (uint32_t)(m->w.p - m->began));
}

static inline void make_per_peer(
	struct bmp_make *m, uint8_t type, uint8_t flags, uint64_t rd, const struct ip_addr *a)
{
	static const uint8_t none[12];

	wr_u8(&m->w, type);
	wr_u8(&m->w, flags | (ip_addr_is_v4(a) ? 0 : 0x80));
	wr_u64(&m->w, rd);
	if (ip_addr_is_v4(a))
		wr_bytes(&m->w, none, 12), wr_bytes(&m->w, a->b + 12, 4);
	else
		wr_bytes(&m->w, a->b, 16);
	wr_u32(&m->w, 65000);
	wr_u32(&m->w, 0x0a090001);
	wr_u64(&m->w, 0x1122334455667788);
}

static inline void make_bgp(struct bmp_make *m, uint8_t type, const void *body, uint16_t len)
{
	static const uint8_t marker[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	wr_bytes(&m->w, marker, sizeof(marker));
	wr_u16(&m->w, (uint16_t)(19 + len));
	wr_u8(&m->w, type);
	wr_bytes(&m->w, body, len);
}

static inline void make_tlv(struct bmp_make *m, uint16_t type, const void *value, uint16_t len)
{
	wr_u16(&m->w, type);
	wr_u16(&m->w, len);
	wr_bytes(&m->w, value, len);
}

static inline void make_initiation(struct bmp_make *m)
{
	make_begin(m, BMP_INITIATION);
	make_tlv(m, 1, "a router", 8);
	make_tlv(m, 2, "far", 3);
	make_end(m);
}

static inline void make_up(
	struct bmp_make *m, uint8_t type, uint8_t flags, uint64_t rd, const struct ip_addr *a)
{
	static const uint8_t open[10] = { 4, 0xfd, 0xe8, 0, 3, 10, 9, 0, 1, 0 }, local[20];

	make_begin(m, BMP_PEER_UP);
	make_per_peer(m, type, flags, rd, a);
	wr_bytes(&m->w, local, 20);
	make_bgp(m, 1, open, 10);
	make_bgp(m, 1, open, 10);
	make_tlv(m, 0, "a peer", 6);
	make_end(m);
}

/* code, subcode: of the notification of reasons 1 and 3, or the event of reason 2. */
static inline void make_down(struct bmp_make *m, uint8_t type, uint8_t flags, uint64_t rd,
	const struct ip_addr *a, uint8_t reason, uint8_t code, uint8_t subcode)
{
	const uint8_t body[2] = { code, subcode };

	make_begin(m, BMP_PEER_DOWN);
	make_per_peer(m, type, flags, rd, a);
	wr_u8(&m->w, reason);
	if (reason == BMP_DOWN_LOCAL_NOTIFICATION || reason == BMP_DOWN_REMOTE_NOTIFICATION)
		make_bgp(m, 3, body, 2);
	else if (reason == BMP_DOWN_LOCAL_EVENT)
		wr_bytes(&m->w, body, 2);
	make_end(m);
}

static inline void make_termination(struct bmp_make *m, uint16_t reason)
{
	const uint8_t value[2] = { (uint8_t)(reason >> 8), (uint8_t)reason };

	make_begin(m, BMP_TERMINATION);
	make_tlv(m, 0, "bye", 3);
	make_tlv(m, 1, value, 2);
	make_end(m);
}

/* Route Monitoring, Statistics, Mirroring, or what is not known: `len` octets behind the per-peer
 * header. */
static inline void make_other(struct bmp_make *m, uint8_t type, const struct ip_addr *a, size_t len)
{
	uint8_t *room;

	make_begin(m, type);
	make_per_peer(m, 0, 0x40, 0, a);
	room = wr_room(&m->w, len);
	if (room != NULL)
		memset(room, 0x03, len);
	make_end(m);
}

#endif
