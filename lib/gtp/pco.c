/* SPDX-License-Identifier: BSD-3-Clause */
/* Protocol Configuration Options (TS 24.008 10.5.6.3): a first octet, then units of protocol or
 * container (2 octets), length (1) and contents; a protocol's contents are a PPP packet: code,
 * identifier, length (2), data (RFC 1661 5). */
#include "gtp/gtpc.h"

enum {
	PCO_PPP = 0x80, /* extension bit, configuration protocol 0 */
	PCO_IPCP = 0x8021,
	PCO_PAP = 0xc023,
	PCO_CHAP = 0xc223,
	PCO_DNS6 = 0x0003,
	PCO_DNS4 = 0x000d,
	PPP_HEADER = 4,
	CONFIGURE_REQUEST = 1, /* RFC 1661 */
	CONFIGURE_ACK = 2,
	CONFIGURE_NAK = 3,
	CONFIGURE_REJECT = 4,
	PAP_REQUEST = 1, /* RFC 1334 */
	PAP_ACK = 2,
	CHAP_RESPONSE = 2, /* RFC 1994 */
	CHAP_SUCCESS = 3,
	OPTION_PRIMARY_DNS = 129, /* RFC 1877 */
	OPTION_SECONDARY_DNS = 131,
	OPTION_DNS = 6, /* octets */
};

struct answer {
	const struct ip_addr *dns;
	bool dns4_done, dns6_done;
};

/* A unit begun in w; closed by pco_unit_end(), which takes it back if it did not fit. */
static struct wr pco_unit_begin(const struct wr *w, uint16_t id)
{
	struct wr u = *w;

	wr_u16(&u, id);
	wr_u8(&u, 0);
	return u;
}

static void pco_unit_end(struct wr *w, const struct wr *u)
{
	size_t len = (size_t)(u->p - w->p) - 3;

	if (u->bad || len > 255)
		return;
	w->p[2] = (uint8_t)len;
	*w = *u;
}

static uint32_t pco_dns4(const struct answer *a, uint8_t option)
{
	uint32_t first = ip_addr_to_v4(&a->dns[0]), second = ip_addr_to_v4(&a->dns[1]);

	/* One server is offered in both places: to reject the second would hide the first, for
	 * there is one round. */
	if (option == OPTION_PRIMARY_DNS)
		return first != 0 ? first : second;
	return second != 0 ? second : first;
}

/* Whether this option belongs into an answer of this code; with Nak, *value is ours. -1:
 * malformed. */
static int pco_option_wanted(const struct answer *a, uint8_t code, uint8_t type,
	const uint8_t *data, size_t len, uint32_t *value)
{
	struct rd r = rd_init(data, len);
	bool known = type == OPTION_PRIMARY_DNS || type == OPTION_SECONDARY_DNS;

	*value = known ? pco_dns4(a, type) : 0;
	if (known && len != OPTION_DNS - 2)
		return -1;
	if (*value == 0) /* not known, or we have none */
		return code == CONFIGURE_REJECT;
	if (code == CONFIGURE_NAK)
		return rd_u32(&r) != *value;
	return code == CONFIGURE_ACK;
}

/* Writes the options that an answer of this code has; how many, or -1 if the request is
 * malformed. */
static int pco_ipcp_options(const struct answer *a, struct rd options, uint8_t code, struct wr *w)
{
	int n = 0;

	while (options.left > 0) {
		uint8_t type = rd_u8(&options), len = rd_u8(&options);
		const uint8_t *data = len >= 2 ? rd_bytes(&options, len - 2u) : NULL;
		uint32_t value;
		int wanted;

		if (data == NULL)
			return -1;
		wanted = pco_option_wanted(a, code, type, data, len - 2u, &value);
		if (wanted < 0)
			return -1;
		if (wanted == 0)
			continue;
		wr_u8(w, type);
		wr_u8(w, len);
		if (code == CONFIGURE_NAK)
			wr_u32(w, value);
		else
			wr_bytes(w, data, len - 2u);
		n++;
	}
	return n;
}

/* Reject goes before Nak, Nak before Ack (RFC 1661 5.2-5.4). */
static void pco_answer_ipcp(const struct answer *a, uint8_t id, struct rd options, struct wr *w)
{
	static const uint8_t codes[] = { CONFIGURE_REJECT, CONFIGURE_NAK, CONFIGURE_ACK };

	for (unsigned int i = 0; i < sizeof(codes); i++) {
		struct wr u = pco_unit_begin(w, PCO_IPCP);
		uint8_t *header = wr_room(&u, PPP_HEADER);
		int n = pco_ipcp_options(a, options, codes[i], &u);

		if (n < 0 || u.bad)
			return;
		if (n == 0 && codes[i] != CONFIGURE_ACK)
			continue;
		size_t len = (size_t)(u.p - header);

		header[0] = codes[i];
		header[1] = id;
		header[2] = (uint8_t)(len >> 8);
		header[3] = (uint8_t)len;
		pco_unit_end(w, &u);
		return;
	}
}

static void pco_answer_pap(uint8_t id, struct wr *w)
{
	struct wr u = pco_unit_begin(w, PCO_PAP);

	wr_u8(&u, PAP_ACK);
	wr_u8(&u, id);
	wr_u16(&u, PPP_HEADER + 1);
	wr_u8(&u, 0); /* no message */
	pco_unit_end(w, &u);
}

static void pco_answer_chap(uint8_t id, struct wr *w)
{
	struct wr u = pco_unit_begin(w, PCO_CHAP);

	wr_u8(&u, CHAP_SUCCESS);
	wr_u8(&u, id);
	wr_u16(&u, PPP_HEADER);
	pco_unit_end(w, &u);
}

static void pco_answer_ppp(const struct answer *a, uint16_t protocol, struct rd unit, struct wr *w)
{
	uint8_t code = rd_u8(&unit), id = rd_u8(&unit);
	size_t len = rd_u16(&unit);

	if (unit.bad || len < PPP_HEADER || len - PPP_HEADER > unit.left)
		return;
	unit.left = len - PPP_HEADER; /* the rest is padding */
	if (protocol == PCO_IPCP && code == CONFIGURE_REQUEST)
		pco_answer_ipcp(a, id, unit, w);
	else if (protocol == PCO_PAP && code == PAP_REQUEST)
		pco_answer_pap(id, w);
	else if (protocol == PCO_CHAP && code == CHAP_RESPONSE)
		pco_answer_chap(id, w);
}

static void pco_answer_container(const struct answer *a, bool v4, struct wr *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct ip_addr *d = &a->dns[i];
		struct wr u = pco_unit_begin(w, v4 ? PCO_DNS4 : PCO_DNS6);

		if (ip_addr_is_v4(d) != v4 || ip_addr_is_any(d))
			continue;
		wr_bytes(&u, ip_addr_bytes(d), ip_addr_size(d));
		pco_unit_end(w, &u);
	}
}

size_t gtpc_pco_answer(
	const uint8_t *req, size_t req_len, const struct ip_addr dns[2], uint8_t *out, size_t room)
{
	struct rd r = rd_init(req, req_len);
	struct wr w = wr_init(out, room);
	struct answer a = { dns, false, false };

	if ((rd_u8(&r) & 0x87) != PCO_PPP)
		return 0;
	wr_u8(&w, PCO_PPP);
	if (w.bad)
		return 0;
	while (r.left > 0) {
		uint16_t id = rd_u16(&r);
		struct rd unit = rd_sub(&r, rd_u8(&r));

		if (r.bad)
			break;
		switch (id) {
		case PCO_IPCP:
		case PCO_PAP:
		case PCO_CHAP:
			pco_answer_ppp(&a, id, unit, &w);
			break;
		case PCO_DNS4:
			if (!a.dns4_done)
				pco_answer_container(&a, true, &w);
			a.dns4_done = true;
			break;
		case PCO_DNS6:
			if (!a.dns6_done)
				pco_answer_container(&a, false, &w);
			a.dns6_done = true;
			break;
		default:
			break;
		}
	}
	return w.p - out > 1 ? (size_t)(w.p - out) : 0;
}
