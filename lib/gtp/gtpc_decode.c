/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "gtp/gtpc.h"
#include "ie.h"

/* Extension headers of GTP-C that an endpoint must know (TS 29.060 figure 3): PDCP PDU number, and
 * the two of suspend, which say nothing to a GGSN. */
static const uint8_t known_ext[] = { 0xc0, 0xc1, 0xc2 };

static bool gtpc_decode_is_request(uint8_t type)
{
	return type == GTPC_CREATE_REQUEST || type == GTPC_UPDATE_REQUEST ||
	       type == GTPC_DELETE_REQUEST;
}

static bool gtpc_decode_is_known(uint8_t type)
{
	return (type >= GTPC_ECHO_REQUEST && type <= GTPC_VERSION_NOT_SUPPORTED) ||
	       (type >= GTPC_CREATE_REQUEST && type <= GTPC_DELETE_RESPONSE) ||
	       type == GTPC_SUPPORTED_EXTENSION_HEADERS;
}

/* Of other versions only a request may be answered, else two nodes could go on answering each
 * other for ever. */
static bool gtpc_decode_is_foreign_request(uint8_t version, uint8_t type)
{
	if (type == GTPC_ECHO_REQUEST)
		return true;
	switch (version) {
	case 0: /* GSM 09.60: requests are even */
		return type >= 4 && type < 48 && type % 2 == 0;
	case 2: /* TS 29.274 table 6.1-1: even from 32, odd from 95 */
		return (type >= 32 && type < 64 && type % 2 == 0) ||
		       (type >= 95 && type < 103 && type % 2 == 1);
	default:
		return false;
	}
}

static enum gtpc_verdict gtpc_decode_foreign(const uint8_t *p, size_t len, struct gtpc_header *h)
{
	size_t n = (size_t)p[2] << 8 | p[3];
	bool teid = (p[0] & 0x08) != 0; /* version 2 */
	size_t min = h->version == 0 ? 20 : h->version == 2 && teid ? 12 : GTP_FIXED;

	/* The length counts from behind 20 octets in version 0 and 4 in version 2; later ones
	 * nobody knows. */
	if (len < min)
		return GTPC_DROP_SHORT;
	if ((h->version == 0 && n + 20 > len) || (h->version == 2 && n + 4 > len))
		return GTPC_DROP_LENGTH;
	if (!gtpc_decode_is_foreign_request(h->version, h->type))
		return GTPC_DROP_NOT_GTP;
	if (h->version == 0)
		h->seq = (uint16_t)(p[4] << 8 | p[5]);
	else if (h->version == 2) /* three octets; ours has two */
		h->seq = teid ? (uint16_t)(p[9] << 8 | p[10]) : (uint16_t)(p[5] << 8 | p[6]);
	return GTPC_ANSWER_VERSION;
}

static enum gtpc_verdict gtpc_decode_options(struct rd *r, struct gtpc_header *h)
{
	uint8_t next;

	if (h->has_seq || h->has_npdu || h->has_ext) {
		h->seq = rd_u16(r);
		rd_u8(r);
		next = rd_u8(r);
		if (r->bad)
			return GTPC_DROP_SHORT;
		if (!h->has_seq)
			h->seq = 0;
		if (h->has_ext) {
			switch (gtp_ext_skip(r, next, known_ext, sizeof(known_ext))) {
			case GTP_EXT_OK:
				break;
			case GTP_EXT_CUT:
				return GTPC_DROP_LENGTH;
			case GTP_EXT_UNKNOWN:
				return GTPC_ANSWER_EXTENSION;
			}
		}
	}
	/* In GTP-C the sequence number is mandatory: without it nothing can be answered or
	 * matched. */
	return h->has_seq || h->type == GTPC_SUPPORTED_EXTENSION_HEADERS ||
			       h->type == GTPC_VERSION_NOT_SUPPORTED
		       ? GTPC_OK
		       : GTPC_DROP_SHORT;
}

enum gtpc_verdict gtpc_decode_header(const uint8_t *p, size_t len, struct gtpc_header *h)
{
	struct rd r = rd_init(p, len);
	enum gtpc_verdict verdict;
	uint8_t flags = rd_u8(&r);
	size_t n;

	memset(h, 0, sizeof(*h));
	h->version = flags >> 5;
	h->protocol_type = (flags & GTP_PT) != 0;
	h->type = rd_u8(&r);
	n = rd_u16(&r);
	h->teid = rd_u32(&r);
	if (r.bad)
		return GTPC_DROP_SHORT;
	if (h->version != 1)
		return gtpc_decode_foreign(p, len, h);
	if (!h->protocol_type)
		return GTPC_DROP_NOT_GTP;
	h->has_seq = (flags & GTP_S) != 0;
	h->has_npdu = (flags & GTP_PN) != 0;
	h->has_ext = (flags & GTP_E) != 0;
	h->bad_length = n != r.left;
	if (n < r.left)
		r.left = n;
	if (!gtpc_decode_is_known(h->type))
		return h->bad_length ? GTPC_DROP_LENGTH : GTPC_DROP_UNKNOWN_TYPE;
	/* Of a wrong length only a request with a cause in its response is answered
	 * (TS 29.060 11.1.2). */
	if (h->bad_length && !gtpc_decode_is_request(h->type))
		return GTPC_DROP_LENGTH;
	verdict = gtpc_decode_options(&r, h);
	if (verdict == GTPC_ANSWER_EXTENSION && h->type == GTPC_SUPPORTED_EXTENSION_HEADERS)
		return GTPC_DROP_NOT_GTP;
	h->ies = r.p;
	h->ies_len = r.left;
	return verdict;
}

/* ---- elements ---- */

static const struct ie *ie_at(const struct ies *s, enum ie_slot slot, unsigned int instance)
{
	return &s->at[slot][instance];
}

static bool gtpc_decode_has(const struct ies *s, enum ie_slot slot)
{
	return s->at[slot][0].p != NULL;
}

static uint32_t ie_u(const struct ies *s, enum ie_slot slot, unsigned int instance)
{
	struct rd r = rd_init(s->at[slot][instance].p, s->at[slot][instance].len);

	return r.p != NULL ? (uint32_t)rd_be(&r, (unsigned int)r.left) : 0;
}

/* TBCD, low nibble first, to 15 digits in the high 60 bits; -EBADMSG unless it is 6 (MCC, MNC, one
 * more) to 15 decimal digits filled up with 0xf, and not all of them 0: nobody's (TS 23.003 2.2),
 * and with NSAPI 0 the key of no session. */
static int gtpc_decode_get_imsi(const struct ie *ie, uint64_t *key)
{
	uint64_t imsi = 0;
	unsigned int digits = 0;
	bool ended = false;

	for (unsigned int i = 0; i < 16; i++) {
		uint8_t d = i % 2 == 0 ? ie->p[i / 2] & 0xf : ie->p[i / 2] >> 4;

		if (d == 0xf)
			ended = true;
		else if (ended || d > 9)
			return -EBADMSG;
		else
			digits++;
		if (i < 15)
			imsi = imsi << 4 | d;
	}
	*key = imsi << 4;
	return digits >= 6 && digits <= 15 && imsi != 0 ? 0 : -EBADMSG;
}

/* Where a node can be reached: neither nobody, nor ourselves, nor many. */
static int gtpc_decode_get_gsn_address(const struct ie *ie, struct ip_addr *a)
{
	static const uint8_t none[15];
	int ret = ie_get_address(ie, a);

	if (ret < 0)
		return ret;
	if (ie->len == 4)
		return ip4_is_unicast(ip_addr_to_v4(a)) ? 0 : -EBADMSG;
	if (ip_addr_is_v4(a) || a->b[0] == 0xff)
		return -EBADMSG;
	return memcmp(a->b, none, sizeof(none)) == 0 && a->b[15] <= 1 ? -EBADMSG : 0;
}

static int gtpc_decode_get_gsn_addresses(
	const struct ies *s, struct ip_addr *control, struct ip_addr *user)
{
	int ret = gtpc_decode_get_gsn_address(ie_at(s, IES_GSN_ADDRESS, 0), control);

	return ret < 0 ? ret : gtpc_decode_get_gsn_address(ie_at(s, IES_GSN_ADDRESS, 1), user);
}

static bool gtpc_decode_has_gsn_addresses(const struct ies *s)
{
	return ie_at(s, IES_GSN_ADDRESS, 1)->p != NULL;
}

/* The shortest profile is of TS 24.008 before release 99: three octets behind the ARP. */
static int gtpc_decode_get_qos(const struct ie *ie, uint8_t *len, uint8_t qos[GTPC_QOS_MAX])
{
	if (ie->len < 4 || ie->len > 255)
		return -EBADMSG;
	*len = (uint8_t)(ie->len < GTPC_QOS_MAX ? ie->len : GTPC_QOS_MAX);
	memcpy(qos, ie->p, *len);
	return 0;
}

/* TS 29.060 7.7.27. Of types that we do not know (answered with 220 by who knows the APN) nothing
 * is checked. */
static int gtpc_decode_get_end_user_address(const struct ie *ie, struct gtpc_create *out)
{
	static const uint8_t zero[16];
	struct rd r = rd_init(ie->p, ie->len);

	out->pdp_type_org = rd_u8(&r) & 0xf;
	out->pdp_type = rd_u8(&r);
	if (r.bad)
		return -EBADMSG;
	if (r.left == 0 || out->pdp_type_org != 1)
		return 0;
	switch (out->pdp_type) {
	case 0x21:
		if (r.left != 4)
			return -EBADMSG;
		if (memcmp(r.p, zero, 4) != 0)
			out->ue = ip_addr_v4(rd_u32(&r));
		return 0;
	case 0x57:
		if (r.left != 16)
			return -EBADMSG;
		rd_copy(&r, out->ue.b, 16);
		return 0;
	case 0x8d: /* of both, IPv4 comes first, and is what is kept */
		if (r.left != 4 && r.left != 16 && r.left != 20)
			return -EBADMSG;
		if (r.left == 16)
			rd_copy(&r, out->ue.b, 16);
		else if (memcmp(r.p, zero, 4) != 0)
			out->ue = ip_addr_v4(rd_u32(&r));
		return 0;
	default:
		return 0;
	}
}

static bool gtpc_decode_apn_char(uint8_t c, char *to)
{
	if (c >= 'A' && c <= 'Z')
		c = (uint8_t)(c - 'A' + 'a');
	*to = (char)c;
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Labels with a length octet each (TS 23.003 9.1), together at most 100 octets. */
static int gtpc_decode_get_apn(const struct ie *ie, char apn[GTPC_APN_MAX])
{
	struct rd r = rd_init(ie->p, ie->len);
	size_t at = 0;

	if (ie->len < 2 || ie->len > GTPC_APN_MAX - 1)
		return -EBADMSG;
	while (r.left > 0) {
		size_t n = rd_u8(&r);
		const uint8_t *label = rd_bytes(&r, n);

		if (label == NULL || n == 0 || n > 63)
			return -EBADMSG;
		if (at > 0)
			apn[at++] = '.';
		for (size_t i = 0; i < n; i++)
			if (!gtpc_decode_apn_char(label[i], &apn[at++]))
				return -EBADMSG;
	}
	apn[at] = '\0';
	return 0;
}

/* Optional elements of a wrong length are taken as absent (TS 29.060 11.1.8). */
static void gtpc_decode_get_optional(const struct ies *s, struct gtpc_create *out)
{
	const struct ie *pco = ie_at(s, IES_PCO, 0), *msisdn = ie_at(s, IES_MSISDN, 0);

	out->selection_mode = ie_u(s, IES_SELECTION_MODE, 0) & 3;
	out->charging_characteristics = (uint16_t)ie_u(s, IES_CHARGING_CHARACTERISTICS, 0);
	if (pco->p != NULL && pco->len <= GTPC_PCO_MAX) {
		memcpy(out->pco, pco->p, pco->len);
		out->pco_len = (uint8_t)pco->len;
	}
	memset(out->msisdn, 0xff, sizeof(out->msisdn));
	if (msisdn->p != NULL && msisdn->len > 1 && msisdn->len <= 1 + sizeof(out->msisdn))
		/* behind nature of address and plan */
		memcpy(out->msisdn, msisdn->p + 1, msisdn->len - 1);
}

static bool gtpc_decode_create_complete(const struct ies *s, bool secondary)
{
	if (!gtpc_decode_has(s, IES_TEID_DATA) || !gtpc_decode_has(s, IES_NSAPI) ||
		!gtpc_decode_has_gsn_addresses(s) || !gtpc_decode_has(s, IES_QOS))
		return false;
	return secondary ||
	       (gtpc_decode_has(s, IES_IMSI) && gtpc_decode_has(s, IES_TEID_CONTROL) &&
		       gtpc_decode_has(s, IES_END_USER_ADDRESS) && gtpc_decode_has(s, IES_APN));
}

static int gtpc_decode_create_values(const struct ies *s, struct gtpc_create *out)
{
	int ret = 0;

	if (gtpc_decode_has(s, IES_IMSI))
		ret = gtpc_decode_get_imsi(ie_at(s, IES_IMSI, 0), &out->key);
	out->key |= out->nsapi;
	if (ret < 0 || out->peer_usr_teid == 0 ||
		(gtpc_decode_has(s, IES_TEID_CONTROL) && out->peer_ctl_teid == 0))
		return -EBADMSG;
	if (gtpc_decode_has(s, IES_END_USER_ADDRESS))
		ret = gtpc_decode_get_end_user_address(ie_at(s, IES_END_USER_ADDRESS, 0), out);
	if (ret == 0 && gtpc_decode_has(s, IES_APN))
		ret = gtpc_decode_get_apn(ie_at(s, IES_APN, 0), out->apn);
	if (ret == 0)
		ret = gtpc_decode_get_gsn_addresses(s, &out->peer_ctl, &out->peer_usr);
	return ret == 0 ? gtpc_decode_get_qos(ie_at(s, IES_QOS, 0), &out->qos_len, out->qos) : ret;
}

/* Reads the elements; the cause if the message as a whole cannot be understood. */
static enum gtpc_cause gtpc_decode_find(const struct gtpc_header *h, struct ies *s)
{
	int ret = ies_find(h->ies, h->ies_len, s);

	return ret < 0 || h->bad_length ? GTPC_INVALID_MESSAGE_FORMAT : 0;
}

enum gtpc_cause gtpc_decode_create(const struct gtpc_header *h, struct gtpc_create *out)
{
	struct ies s;
	enum gtpc_cause cause = gtpc_decode_find(h, &s);
	bool secondary = ie_at(&s, IES_NSAPI, 1)->p != NULL;

	memset(out, 0, sizeof(*out));
	out->key = ~UINT64_C(0xf);
	out->peer_ctl_teid = ie_u(&s, IES_TEID_CONTROL, 0);
	out->peer_usr_teid = ie_u(&s, IES_TEID_DATA, 0);
	out->nsapi = ie_u(&s, IES_NSAPI, 0) & 0xf;
	out->linked_nsapi = secondary ? ie_u(&s, IES_NSAPI, 1) & 0xf : 0xff;
	out->has_recovery = gtpc_decode_has(&s, IES_RECOVERY);
	out->recovery = (uint8_t)ie_u(&s, IES_RECOVERY, 0);
	if (cause != 0)
		return cause;
	if (!gtpc_decode_create_complete(&s, secondary))
		return GTPC_MANDATORY_IE_MISSING;
	if (gtpc_decode_create_values(&s, out) < 0)
		return GTPC_MANDATORY_IE_INCORRECT;
	gtpc_decode_get_optional(&s, out);
	return 0;
}

enum gtpc_cause gtpc_decode_update(const struct gtpc_header *h, struct gtpc_update *out)
{
	struct ies s;
	enum gtpc_cause cause = gtpc_decode_find(h, &s);
	int ret = 0;

	memset(out, 0, sizeof(*out));
	out->has_imsi = gtpc_decode_has(&s, IES_IMSI);
	out->has_recovery = gtpc_decode_has(&s, IES_RECOVERY);
	out->has_qos = gtpc_decode_has(&s, IES_QOS);
	out->has_ctl_teid = gtpc_decode_has(&s, IES_TEID_CONTROL);
	out->has_ctl_addr = gtpc_decode_has(&s, IES_GSN_ADDRESS);
	out->nsapi = ie_u(&s, IES_NSAPI, 0) & 0xf;
	out->recovery = (uint8_t)ie_u(&s, IES_RECOVERY, 0);
	out->peer_usr_teid = ie_u(&s, IES_TEID_DATA, 0);
	out->peer_ctl_teid = ie_u(&s, IES_TEID_CONTROL, 0);
	if (cause != 0)
		return cause;
	if (!gtpc_decode_has(&s, IES_TEID_DATA) || !gtpc_decode_has(&s, IES_NSAPI) ||
		!gtpc_decode_has_gsn_addresses(&s) || !out->has_qos)
		return GTPC_MANDATORY_IE_MISSING;
	if (out->has_imsi) {
		ret = gtpc_decode_get_imsi(ie_at(&s, IES_IMSI, 0), &out->key);
		out->key |= out->nsapi;
	}
	if (ret < 0 || out->peer_usr_teid == 0 || (out->has_ctl_teid && out->peer_ctl_teid == 0) ||
		gtpc_decode_get_gsn_addresses(&s, &out->peer_ctl, &out->peer_usr) < 0 ||
		gtpc_decode_get_qos(ie_at(&s, IES_QOS, 0), &out->qos_len, out->qos) < 0)
		return GTPC_MANDATORY_IE_INCORRECT;
	return 0;
}

enum gtpc_cause gtpc_decode_delete(const struct gtpc_header *h, struct gtpc_delete *out)
{
	struct ies s;
	enum gtpc_cause cause = gtpc_decode_find(h, &s);

	out->nsapi = ie_u(&s, IES_NSAPI, 0) & 0xf;
	out->teardown = ie_u(&s, IES_TEARDOWN, 0) & 1;
	if (cause != 0)
		return cause;
	return gtpc_decode_has(&s, IES_NSAPI) ? 0 : GTPC_MANDATORY_IE_MISSING;
}

int gtpc_decode_updated(const struct gtpc_header *h, struct gtpc_updated *out)
{
	const struct ie *usr;
	struct ies s;

	memset(out, 0, sizeof(*out));
	if (ies_find(h->ies, h->ies_len, &s) < 0 || !gtpc_decode_has(&s, IES_CAUSE))
		return -EBADMSG;
	usr = ie_at(&s, IES_GSN_ADDRESS, 0);
	out->cause = (uint8_t)ie_u(&s, IES_CAUSE, 0);
	out->has_recovery = gtpc_decode_has(&s, IES_RECOVERY);
	out->recovery = (uint8_t)ie_u(&s, IES_RECOVERY, 0);
	out->has_usr_teid = gtpc_decode_has(&s, IES_TEID_DATA);
	out->peer_usr_teid = ie_u(&s, IES_TEID_DATA, 0);
	out->has_usr_addr = usr->p != NULL;
	out->has_qos = gtpc_decode_has(&s, IES_QOS);
	if ((out->has_usr_teid && out->peer_usr_teid == 0) ||
		(out->has_usr_addr && gtpc_decode_get_gsn_address(usr, &out->peer_usr) < 0))
		return -EBADMSG;
	return out->has_qos ? gtpc_decode_get_qos(ie_at(&s, IES_QOS, 0), &out->qos_len, out->qos)
			    : 0;
}

int gtpc_decode_response(
	const struct gtpc_header *h, uint8_t *cause, bool *has_recovery, uint8_t *recovery)
{
	struct ies s;
	int ret = ies_find(h->ies, h->ies_len, &s);

	*cause = (uint8_t)ie_u(&s, IES_CAUSE, 0);
	*has_recovery = gtpc_decode_has(&s, IES_RECOVERY);
	*recovery = (uint8_t)ie_u(&s, IES_RECOVERY, 0);
	return ret;
}
