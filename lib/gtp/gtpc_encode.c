/* SPDX-License-Identifier: BSD-3-Clause */
/* Elements go in the order of their types, as the tables of TS 29.060 7.2 and 7.3 have them. */
#include "gtp/gtpc.h"
#include "ie.h"

enum {
	SPARE_NO = 0xfe, /* one-bit elements: seven spare ones, then the bit */
	SPARE_YES = 0xff,
};

static const uint8_t known_ext[] = { 0xc0, 0xc1, 0xc2 };

size_t gtpc_encode_echo_request(uint8_t *buf, uint16_t seq)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_ECHO_REQUEST, 0, seq);

	return gtp_end(&w, buf);
}

size_t gtpc_encode_echo_response(uint8_t *buf, uint16_t seq, uint8_t recovery)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_ECHO_RESPONSE, 0, seq);

	ie_put_u8(&w, IE_RECOVERY, recovery);
	return gtp_end(&w, buf);
}

size_t gtpc_encode_version_not_supported(uint8_t *buf, uint16_t seq)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_VERSION_NOT_SUPPORTED, 0, seq);

	return gtp_end(&w, buf);
}

size_t gtpc_encode_supported_extension_headers(uint8_t *buf, uint16_t seq)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_SUPPORTED_EXTENSION_HEADERS, 0, seq);

	wr_u8(&w, IE_EXTENSION_HEADER_LIST);
	wr_u8(&w, sizeof(known_ext));
	wr_bytes(&w, known_ext, sizeof(known_ext));
	return gtp_end(&w, buf);
}

static void gtpc_encode_put_addresses(struct wr *w, const struct gtpc_accept *a)
{
	ie_put_address(w, IE_GSN_ADDRESS, &a->ctl);
	ie_put_address(w, IE_GSN_ADDRESS, &a->usr);
}

static void gtpc_encode_put_teids(struct wr *w, const struct gtpc_accept *a)
{
	if (a->usr_teid != 0)
		ie_put_u32(w, IE_TEID_DATA, a->usr_teid);
	if (a->ctl_teid != 0)
		ie_put_u32(w, IE_TEID_CONTROL, a->ctl_teid);
}

static void gtpc_encode_put_end_user_address(struct wr *w, const struct ip_addr *ue)
{
	bool v4 = ip_addr_is_v4(ue);

	wr_u8(w, IE_END_USER_ADDRESS);
	wr_u16(w, v4 ? 6 : 18);
	wr_u8(w, 0xf1); /* spare ones, IETF */
	wr_u8(w, v4 ? 0x21 : 0x57);
	wr_bytes(w, ip_addr_bytes(ue), ip_addr_size(ue));
}

static void gtpc_encode_put_pco(struct wr *w, const struct gtpc_accept *a)
{
	uint8_t pco[GTPC_PCO_MAX];
	size_t len =
		a->pco != NULL ? gtpc_pco_answer(a->pco, a->pco_len, a->dns, pco, sizeof(pco)) : 0;

	if (len > 0)
		ie_put_bytes(w, IE_PCO, pco, len);
}

size_t gtpc_encode_create_response(uint8_t *buf, const struct gtpc_accept *a)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_CREATE_RESPONSE, a->peer_ctl_teid, a->seq);

	ie_put_u8(&w, IE_CAUSE, GTPC_REQUEST_ACCEPTED);
	ie_put_u8(&w, IE_REORDERING, SPARE_NO);
	ie_put_u8(&w, IE_RECOVERY, a->recovery);
	gtpc_encode_put_teids(&w, a);
	ie_put_u8(&w, IE_NSAPI, a->nsapi & 0xf);
	ie_put_u32(&w, IE_CHARGING_ID, a->charging_id);
	gtpc_encode_put_end_user_address(&w, &a->ue);
	gtpc_encode_put_pco(&w, a);
	gtpc_encode_put_addresses(&w, a);
	ie_put_bytes(&w, IE_QOS, a->qos, a->qos_len);
	return gtp_end(&w, buf);
}

size_t gtpc_encode_update_response(uint8_t *buf, const struct gtpc_accept *a)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_UPDATE_RESPONSE, a->peer_ctl_teid, a->seq);

	ie_put_u8(&w, IE_CAUSE, GTPC_REQUEST_ACCEPTED);
	ie_put_u8(&w, IE_RECOVERY, a->recovery);
	gtpc_encode_put_teids(&w, a);
	ie_put_u32(&w, IE_CHARGING_ID, a->charging_id);
	gtpc_encode_put_pco(&w, a);
	gtpc_encode_put_addresses(&w, a);
	ie_put_bytes(&w, IE_QOS, a->qos, a->qos_len);
	return gtp_end(&w, buf);
}

size_t gtpc_encode_cause_response(uint8_t *buf, enum gtpc_type type, uint32_t peer_ctl_teid,
	uint16_t seq, enum gtpc_cause cause, uint8_t recovery, bool with_recovery)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, (uint8_t)type, peer_ctl_teid, seq);

	ie_put_u8(&w, IE_CAUSE, (uint8_t)cause);
	if (with_recovery)
		ie_put_u8(&w, IE_RECOVERY, recovery);
	return gtp_end(&w, buf);
}

size_t gtpc_encode_own_update(
	uint8_t *buf, uint32_t peer_ctl_teid, uint16_t seq, uint64_t key, uint8_t direct_tunnel)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_UPDATE_REQUEST, peer_ctl_teid, seq);

	ie_put_imsi(&w, key);
	ie_put_u8(&w, IE_NSAPI, key & 0xf);
	if (direct_tunnel != 0)
		ie_put_bytes(&w, IE_DIRECT_TUNNEL_FLAGS, &direct_tunnel, 1);
	return gtp_end(&w, buf);
}

size_t gtpc_encode_delete_request(
	uint8_t *buf, uint32_t peer_ctl_teid, uint16_t seq, uint8_t nsapi, bool teardown)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_DELETE_REQUEST, peer_ctl_teid, seq);

	ie_put_u8(&w, IE_TEARDOWN, teardown ? SPARE_YES : SPARE_NO);
	ie_put_u8(&w, IE_NSAPI, nsapi & 0xf);
	return gtp_end(&w, buf);
}
