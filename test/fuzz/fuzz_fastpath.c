/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from the networks into two workers: whatever comes, no buffer is lost and nothing leaves
 * that a port cannot carry. The input is a chain of `how u8 | at u8 | length u16 | bytes`; `how`
 * says whether the bytes are the frame or are laid over one that is good. */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "fastpath_bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RAW,
	UP,
	DOWN,
	UP_TO_UE,
	MODE_SHIFT = 2,
	WORKER = 1 << 4,
	SUMS = 1 << 5,
	LONG = 1 << 6,
	DARK = 1 << 7
};

/* Where the bytes are laid over; `how` of RAW names the port in its upper bits. */
static void base(struct frame *f, unsigned int how)
{
	unsigned int ue = 1 + (how >> 4) % BED_SESSIONS;
	uint16_t total = how & LONG ? 1900 : 100;
	bool far = (how >> MODE_SHIFT & 3) == 3;
	uint32_t host = how & DARK ? (far ? IP4(10, 66, 0, 1) : IP4(10, 70, 0, 1))
			: far      ? IP4(10, 68, 0, 5)
				   : BED_HOST;

	switch (how & 3) {
	case UP:
		frame_up(f, bed.teid[ue], BED_UE(ue), host, 64, total, 0);
		break;
	case UP_TO_UE:
		frame_up(f, bed.teid[ue], BED_UE(ue), BED_UE(1 + ue % BED_SESSIONS), 64, total, 0);
		break;
	case DOWN:
		frame_down(f, host, BED_UE(ue), 64, total, 0);
		break;
	default:
		f->port = (uint16_t)(how >> 5) % BED_PORTS;
		break;
	}
}

/* Checksums made good, so that what the bytes changed is reached. */
static void sums(struct frame *f, unsigned int how)
{
	unsigned int outer = (f->b[14] & 15u) * 4, inner = 14 + outer + 16;

	if (outer >= 20)
		sum_ip(f->b + 14);
	if ((how & 3) != DOWN && (f->b[inner] & 15u) >= 5)
		sum_ip(f->b + inner);
}

static void check_sent(void)
{
	struct frame f;

	for (unsigned int w = 0; w < 2; w++) {
		for (uint16_t p = 0; p < BED_PORTS; p++)
			while (bed_sent(w, p, &f))
				if (f.len > bed.sh.port[p].mtu + 14u ||
					bed.w[w].mode == FASTPATH_IDLE)
					abort();
		while (bed_take(bed.punt[w], &f))
			continue;
	}
}

static void one(unsigned int how, unsigned int at, struct rd *bytes)
{
	struct frame f;
	unsigned int w = (how & WORKER) != 0;

	memset(&f, 0, sizeof(f));
	base(&f, how);
	if ((how & 3) == RAW)
		at = 0;
	if (at + bytes->left > sizeof(f.b))
		return;
	memcpy(f.b + at, bytes->p, bytes->left);
	if ((how & 3) == RAW)
		f.len = (uint16_t)bytes->left;
	else if (how & SUMS)
		sums(&f, how);
	bed.w[w].mode = bed.w[!w].mode = (how >> MODE_SHIFT & 3) == 3
						 ? FASTPATH_OWN
						 : (enum fastpath_mode)(how >> MODE_SHIFT & 3);
	bed.w[w].answers_unknown = bed.w[!w].answers_unknown = true;
	bed.w[w].held_not_before = 0;
	bed.w[w].now_tsc += UINT64_C(1) << (at % 32);
	if (f.len > 0)
		bed_rx(w, &f);
	fastpath_flush(&bed.w[w]);
	bed_handed(!w);
	bed_handed(w);
	check_sent();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);

	if (bed_open() < 0)
		abort();
	while (in.left > 4) {
		unsigned int how = rd_u8(&in), at = rd_u8(&in);
		uint16_t len = rd_u16(&in);
		struct rd bytes = rd_sub(&in, len < in.left ? len : in.left);

		one(how, at, &bytes);
	}
	bed_reset();
	if (bed_close() < 0)
		abort();
	return 0;
}
