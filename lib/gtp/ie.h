/* SPDX-License-Identifier: BSD-3-Clause */
/* ie: information elements of GTPv1 (TS 29.060 7.7): finding those that we use in a message, and
 * writing them. Inside lib/gtp only. Pure; what is found points into the message. */
#ifndef TANDEM_GTP_IE_H
#define TANDEM_GTP_IE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/cursor.h"

enum ie_type { /* TS 29.060 table 37 */
	IE_CAUSE = 1,
	IE_IMSI = 2,
	IE_REORDERING = 8,
	IE_RECOVERY = 14,
	IE_SELECTION_MODE = 15,
	IE_TEID_DATA = 16,
	IE_TEID_CONTROL = 17,
	IE_TEARDOWN = 19,
	IE_NSAPI = 20,
	IE_CHARGING_CHARACTERISTICS = 26,
	IE_CHARGING_ID = 127,
	IE_END_USER_ADDRESS = 128,
	IE_APN = 131,
	IE_PCO = 132,
	IE_GSN_ADDRESS = 133,
	IE_MSISDN = 134,
	IE_QOS = 135,
	IE_EXTENSION_HEADER_LIST = 141,
	IE_DIRECT_TUNNEL_FLAGS = 182,
};

/* The same bits for GTP-C and GTP-U (TS 29.060 6, TS 29.281 5.1). */
enum {
	GTP_PN = 1 << 0,
	GTP_S = 1 << 1,
	GTP_E = 1 << 2,
	GTP_PT = 1 << 4,
	GTP_FIXED = 8,    /* octets that are always there */
	GTP_OPTIONAL = 4, /* sequence number, N-PDU number, next extension header type */
	GTP_EXT_MAX = 8,  /* extension headers in one message: more than any standard has */
};

struct ie {
	const uint8_t *p; /* NULL: not there */
	size_t len;
};

enum { IE_INSTANCES = 2 }; /* NSAPI and linked NSAPI; control and user address */

enum ie_slot {
	IES_NONE,
	IES_CAUSE,
	IES_IMSI,
	IES_RECOVERY,
	IES_SELECTION_MODE,
	IES_TEID_DATA,
	IES_TEID_CONTROL,
	IES_TEARDOWN,
	IES_NSAPI,
	IES_CHARGING_CHARACTERISTICS,
	IES_END_USER_ADDRESS,
	IES_APN,
	IES_PCO,
	IES_GSN_ADDRESS,
	IES_MSISDN,
	IES_QOS,
	IES_N,
};

struct ies {
	struct ie at[IES_N][IE_INSTANCES]; /* the first ones of each; later ones are ignored */
};

/* -EBADMSG when an element is cut, or is of a fixed-length type that we do not know the length of:
 * nothing behind it can be read then. What came before is in *to all the same. */
int ies_find(const uint8_t *p, size_t len, struct ies *to);

enum gtp_ext_verdict { GTP_EXT_OK, GTP_EXT_CUT, GTP_EXT_UNKNOWN };
/* Walks a chain of extension headers (TS 29.060 6.1, TS 29.281 5.2) that begins with one of type
 * `next`. known: bitmap by type of what may be skipped even if its comprehension is required. */
enum gtp_ext_verdict gtp_ext_skip(struct rd *r, uint8_t next, const uint8_t *known, size_t n_known);

/* Header with sequence number, of a message to be closed by gtp_end(). */
struct wr gtp_begin(uint8_t *buf, size_t room, uint8_t type, uint32_t teid, uint16_t seq);
/* Fills in the length; returns the message's length, 0 if it did not fit. */
size_t gtp_end(const struct wr *w, uint8_t *buf);
void ie_put_u8(struct wr *w, uint8_t type, uint8_t value);
void ie_put_u32(struct wr *w, uint8_t type, uint32_t value);
void ie_put_bytes(struct wr *w, uint8_t type, const void *value, size_t len); /* type >= 128 */
/* key: as session_rec.key, whose NSAPI is left out */
void ie_put_imsi(struct wr *w, uint64_t key);
void ie_put_address(struct wr *w, uint8_t type, const struct ip_addr *a);
/* 4 or 16 octets to an address; -EBADMSG for any other length. */
int ie_get_address(const struct ie *ie, struct ip_addr *a);

#endif
