/* SPDX-License-Identifier: BSD-3-Clause */
/* gtpu: GTP-U headers (3GPP TS 29.281) for the fast path: bounds-checked parse, 8-byte G-PDU
 * header, signalling messages. Pure; inline where a packet passes; any core. */
#ifndef TANDEM_GTPU_H
#define TANDEM_GTPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/cursor.h"

enum { GTPU_PORT = 2152, GTPU_HEADER = 8, GTPU_EXT_MAX = 8, GTPU_MSG_MAX = 64 };

enum gtpu_type { /* TS 29.281 table 6.1-1 */
	GTPU_ECHO_REQUEST = 1,
	GTPU_ECHO_RESPONSE = 2,
	GTPU_ERROR_INDICATION = 26,
	GTPU_SUPPORTED_EXTENSION_HEADERS = 31,
	GTPU_END_MARKER = 254,
	GTPU_G_PDU = 255,
};

enum gtpu_verdict {
	GTPU_OK,
	GTPU_BAD_VERSION,   /* not version 1, or not GTP (PT 0) */
	GTPU_BAD_LENGTH,    /* the length field does not fit the datagram, or a header is cut */
	GTPU_BAD_EXTENSION, /* chain is cut, zero length, or longer than GTPU_EXT_MAX */
	/* comprehension required: answer Supported Extension Headers Notification */
	GTPU_UNKNOWN_EXTENSION,
};

/* How many Error Indications leave in a second (common/budget.h): to one SGSN, about one TEID, and
 * what all SGSNs share beyond the first. An SGSN gives a context up on one, and asks no more. */
#define GTPU_ERROR_RATES                                                                           \
	{                                                                                          \
		.source = 10, .subject = 1, .shared = 90                                           \
	}

struct gtpu {
	uint8_t type;
	bool has_seq;
	uint16_t seq;
	uint32_t teid;
	uint16_t offset; /* of what follows all headers, from the GTP-U header's first byte */
	uint16_t len;    /* of what follows */
};

/* The whole parse: sequence number, N-PDU number and extension headers are tolerated and skipped.
 * p: UDP payload. */
enum gtpu_verdict gtpu_parse_slow(const uint8_t *p, size_t len, struct gtpu *g);

/* Fast form first: version 1, PT, no optional fields. */
static inline enum gtpu_verdict gtpu_parse(const uint8_t *p, size_t len, struct gtpu *g)
{
	uint16_t n;

	if (len < GTPU_HEADER || p[0] != 0x30)
		return gtpu_parse_slow(p, len, g);
	n = (uint16_t)(p[2] << 8 | p[3]);
	if ((size_t)n + GTPU_HEADER > len)
		return GTPU_BAD_LENGTH;
	g->type = p[1];
	g->has_seq = false;
	g->seq = 0;
	g->teid = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
	g->offset = GTPU_HEADER;
	g->len = n;
	return GTPU_OK;
}

/* A G-PDU header without optional fields in front of len bytes of T-PDU. */
static inline void gtpu_header(uint8_t h[GTPU_HEADER], uint32_t teid, uint16_t len)
{
	h[0] = 0x30;
	h[1] = GTPU_G_PDU;
	h[2] = (uint8_t)(len >> 8);
	h[3] = (uint8_t)len;
	h[4] = (uint8_t)(teid >> 24);
	h[5] = (uint8_t)(teid >> 16);
	h[6] = (uint8_t)(teid >> 8);
	h[7] = (uint8_t)teid;
}

/* Length written (<= GTPU_MSG_MAX). Recovery in the Echo Response is 0 (TS 29.281 7.2.2). */
size_t gtpu_encode_echo_response(uint8_t *buf, uint16_t seq);
/* teid, addr: of the G-PDU that found no context: its TEID and its destination address (7.3.1). */
size_t gtpu_encode_error_indication(uint8_t *buf, uint32_t teid, const struct ip_addr *addr);
size_t gtpu_encode_supported_extension_headers(uint8_t *buf, uint16_t seq);
/* body: what follows the headers. TEID and peer address of an Error Indication; -EBADMSG. */
int gtpu_decode_error_indication(
	const uint8_t *body, size_t len, uint32_t *teid, struct ip_addr *addr);

#endif
