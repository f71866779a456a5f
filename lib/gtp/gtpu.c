/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "gtp/gtpu.h"
#include "ie.h"

/* Extension headers that are for others on the way (radio network, 5G core) and say nothing to a
 * GGSN: skipped. TS 29.281 figure 5.2.1-3: Service Class Indicator, UDP Port, RAN Container, Long
 * PDCP PDU Number, Xw RAN Container, NR RAN Container, PDU Session Container, PDCP PDU Number. */
static const uint8_t known_ext[] = { 0x20, 0x40, 0x81, 0x82, 0x83, 0x84, 0x85, 0xc0 };

_Static_assert((int)GTPU_EXT_MAX == (int)GTP_EXT_MAX, "one bound for both planes");

enum gtpu_verdict gtpu_parse_slow(const uint8_t *p, size_t len, struct gtpu *g)
{
	struct rd r = rd_init(p, len);
	uint8_t flags = rd_u8(&r), next;
	enum gtp_ext_verdict ext = GTP_EXT_OK;
	size_t n;

	memset(g, 0, sizeof(*g));
	if (!r.bad && (flags >> 5 != 1 || (flags & GTP_PT) == 0))
		return GTPU_BAD_VERSION;
	g->type = rd_u8(&r);
	n = rd_u16(&r);
	g->teid = rd_u32(&r);
	if (r.bad || n > r.left)
		return GTPU_BAD_LENGTH;
	r.left = n;
	if ((flags & (GTP_S | GTP_PN | GTP_E)) != 0) {
		uint16_t seq = rd_u16(&r);

		rd_u8(&r);
		next = rd_u8(&r);
		if (r.bad)
			return GTPU_BAD_LENGTH;
		g->has_seq = (flags & GTP_S) != 0;
		g->seq = g->has_seq ? seq : 0;
		if ((flags & GTP_E) != 0)
			ext = gtp_ext_skip(&r, next, known_ext, sizeof(known_ext));
	}
	g->offset = (uint16_t)(r.p - p);
	g->len = (uint16_t)r.left;
	if (ext == GTP_EXT_CUT)
		return GTPU_BAD_EXTENSION;
	return ext == GTP_EXT_UNKNOWN ? GTPU_UNKNOWN_EXTENSION : GTPU_OK;
}

size_t gtpu_encode_echo_response(uint8_t *buf, uint16_t seq)
{
	struct wr w = gtp_begin(buf, GTPU_MSG_MAX, GTPU_ECHO_RESPONSE, 0, seq);

	ie_put_u8(&w, IE_RECOVERY, 0);
	return gtp_end(&w, buf);
}

size_t gtpu_encode_error_indication(uint8_t *buf, uint32_t teid, const struct ip_addr *addr)
{
	struct wr w = gtp_begin(buf, GTPU_MSG_MAX, GTPU_ERROR_INDICATION, 0, 0);

	ie_put_u32(&w, IE_TEID_DATA, teid);
	ie_put_address(&w, IE_GSN_ADDRESS, addr); /* the same type is GTP-U Peer Address here */
	return gtp_end(&w, buf);
}

size_t gtpu_encode_supported_extension_headers(uint8_t *buf, uint16_t seq)
{
	struct wr w = gtp_begin(buf, GTPU_MSG_MAX, GTPU_SUPPORTED_EXTENSION_HEADERS, 0, seq);

	wr_u8(&w, IE_EXTENSION_HEADER_LIST);
	wr_u8(&w, sizeof(known_ext));
	wr_bytes(&w, known_ext, sizeof(known_ext));
	return gtp_end(&w, buf);
}

int gtpu_decode_error_indication(
	const uint8_t *body, size_t len, uint32_t *teid, struct ip_addr *addr)
{
	struct ies s;
	int ret = ies_find(body, len, &s);
	struct ie *id = &s.at[IES_TEID_DATA][0], *peer = &s.at[IES_GSN_ADDRESS][0];
	struct rd r = rd_init(id->p, id->len);

	/* A private extension that we cannot read past does not make the two before it worse. */
	if (id->p == NULL || peer->p == NULL)
		return ret < 0 ? ret : -EBADMSG;
	*teid = rd_u32(&r);
	return ie_get_address(peer, addr);
}
