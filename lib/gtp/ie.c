/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "ie.h"

/* Octets behind the type of the fixed-length (TV) elements, TS 29.060 table 37; 0: not assigned
 * there. */
static const uint8_t fixed_len[128] = {
	[1] = 1,   /* Cause */
	[2] = 8,   /* IMSI */
	[3] = 6,   /* Routeing Area Identity */
	[4] = 4,   /* Temporary Logical Link Identity */
	[5] = 4,   /* Packet TMSI */
	[8] = 1,   /* Reordering Required */
	[9] = 28,  /* Authentication Triplet */
	[11] = 1,  /* MAP Cause */
	[12] = 3,  /* P-TMSI Signature */
	[13] = 1,  /* MS Validated */
	[14] = 1,  /* Recovery */
	[15] = 1,  /* Selection Mode */
	[16] = 4,  /* TEID Data I */
	[17] = 4,  /* TEID Control Plane */
	[18] = 5,  /* TEID Data II */
	[19] = 1,  /* Teardown Ind */
	[20] = 1,  /* NSAPI */
	[21] = 1,  /* RANAP Cause */
	[22] = 9,  /* RAB Context */
	[23] = 1,  /* Radio Priority SMS */
	[24] = 1,  /* Radio Priority */
	[25] = 2,  /* Packet Flow Id */
	[26] = 2,  /* Charging Characteristics */
	[27] = 2,  /* Trace Reference */
	[28] = 2,  /* Trace Type */
	[29] = 1,  /* MS Not Reachable Reason */
	[127] = 4, /* Charging ID */
};

static const uint8_t slot_of[256] = {
	[IE_CAUSE] = IES_CAUSE,
	[IE_IMSI] = IES_IMSI,
	[IE_RECOVERY] = IES_RECOVERY,
	[IE_SELECTION_MODE] = IES_SELECTION_MODE,
	[IE_TEID_DATA] = IES_TEID_DATA,
	[IE_TEID_CONTROL] = IES_TEID_CONTROL,
	[IE_TEARDOWN] = IES_TEARDOWN,
	[IE_NSAPI] = IES_NSAPI,
	[IE_CHARGING_CHARACTERISTICS] = IES_CHARGING_CHARACTERISTICS,
	[IE_END_USER_ADDRESS] = IES_END_USER_ADDRESS,
	[IE_APN] = IES_APN,
	[IE_PCO] = IES_PCO,
	[IE_GSN_ADDRESS] = IES_GSN_ADDRESS,
	[IE_MSISDN] = IES_MSISDN,
	[IE_QOS] = IES_QOS,
};

static size_t ie_length(struct rd *r, uint8_t type)
{
	if (type < 128) {
		r->bad = r->bad || fixed_len[type] == 0;
		return fixed_len[type];
	}
	/* The one element whose length is one octet (TS 29.060 7.7.40). */
	return type == IE_EXTENSION_HEADER_LIST ? rd_u8(r) : rd_u16(r);
}

int ies_find(const uint8_t *p, size_t len, struct ies *to)
{
	struct rd r = rd_init(p, len);

	memset(to, 0, sizeof(*to));
	while (r.left > 0) {
		uint8_t type = rd_u8(&r);
		size_t n = ie_length(&r, type);
		const uint8_t *value = rd_bytes(&r, n);
		struct ie *ie = to->at[slot_of[type]];

		if (r.bad)
			return -EBADMSG;
		for (unsigned int i = 0; i < IE_INSTANCES; i++) {
			if (ie[i].p == NULL) {
				ie[i] = (struct ie){ value, n };
				break;
			}
		}
	}
	return 0;
}

enum gtp_ext_verdict gtp_ext_skip(struct rd *r, uint8_t next, const uint8_t *known, size_t n_known)
{
	bool unknown = false;

	for (unsigned int i = 0; next != 0; i++) {
		size_t words = rd_u8(r);

		if (words == 0 || i == GTP_EXT_MAX)
			return GTP_EXT_CUT;
		/* Bit 8 of the type: an endpoint must understand it. */
		if ((next & 0x80) != 0 && memchr(known, next, n_known) == NULL)
			unknown = true;
		rd_bytes(r, words * 4 - 2);
		next = rd_u8(r);
		if (r->bad)
			return GTP_EXT_CUT;
	}
	return unknown ? GTP_EXT_UNKNOWN : GTP_EXT_OK;
}

struct wr gtp_begin(uint8_t *buf, size_t room, uint8_t type, uint32_t teid, uint16_t seq)
{
	struct wr w = wr_init(buf, room);

	wr_u8(&w, 1 << 5 | GTP_PT | GTP_S);
	wr_u8(&w, type);
	wr_u16(&w, 0);
	wr_u32(&w, teid);
	wr_u16(&w, seq);
	wr_u16(&w, 0); /* N-PDU number, next extension header type */
	return w;
}

size_t gtp_end(const struct wr *w, uint8_t *buf)
{
	size_t len = (size_t)(w->p - buf);

	if (w->bad)
		return 0;
	buf[2] = (uint8_t)((len - GTP_FIXED) >> 8);
	buf[3] = (uint8_t)(len - GTP_FIXED);
	return len;
}

void ie_put_u8(struct wr *w, uint8_t type, uint8_t value)
{
	wr_u8(w, type);
	wr_u8(w, value);
}

void ie_put_u32(struct wr *w, uint8_t type, uint32_t value)
{
	wr_u8(w, type);
	wr_u32(w, value);
}

void ie_put_bytes(struct wr *w, uint8_t type, const void *value, size_t len)
{
	wr_u8(w, type);
	wr_u16(w, (uint16_t)len);
	wr_bytes(w, value, len);
}

/* 15 digits, low nibble first, the sixteenth is filler (TS 29.060 7.7.2). */
void ie_put_imsi(struct wr *w, uint64_t key)
{
	wr_u8(w, IE_IMSI);
	for (unsigned int i = 0; i < 8; i++) {
		uint8_t low = (uint8_t)(key >> (60 - 8 * i) & 0xf);
		uint8_t high = i < 7 ? (uint8_t)(key >> (56 - 8 * i) & 0xf) : 0xf;

		wr_u8(w, (uint8_t)(high << 4 | low));
	}
}

void ie_put_address(struct wr *w, uint8_t type, const struct ip_addr *a)
{
	ie_put_bytes(w, type, ip_addr_bytes(a), ip_addr_size(a));
}

int ie_get_address(const struct ie *ie, struct ip_addr *a)
{
	return ip_addr_from_bytes(a, ie->p, ie->len) ? 0 : -EBADMSG;
}
