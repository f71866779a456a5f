/* SPDX-License-Identifier: BSD-3-Clause */
/* GTPv1-C as an SGSN speaks it: for tandem-load, and for tests of a GGSN. */
#include <errno.h>

#include "gtp/gtpc.h"
#include "ie.h"

/* International number, ISDN plan: the last ten digits of the IMSI behind a country code of none
 * (TS 29.002 17.7.8). */
static void gtpc_sgsn_put_msisdn(struct wr *w, uint64_t key)
{
	uint8_t bcd[6] = { 0x91 };

	for (unsigned int i = 0; i < 5; i++)
		bcd[1 + i] =
			(uint8_t)((key >> (40 - 8 * i) & 0xf) | (key >> (36 - 8 * i) & 0xf) << 4);
	ie_put_bytes(w, IE_MSISDN, bcd, sizeof(bcd));
}

static void gtpc_sgsn_put_apn(struct wr *w, const char *apn)
{
	uint8_t out[GTPC_APN_MAX];
	size_t n = 0, label = 0, len = strlen(apn);

	if (len == 0 || len > GTPC_APN_MAX - 2) {
		w->bad = true;
		return;
	}
	for (size_t i = 0; i <= len; i++) {
		if (apn[i] != '.' && apn[i] != '\0')
			continue;
		if (i == label || i - label > 63) {
			w->bad = true;
			return;
		}
		out[n++] = (uint8_t)(i - label);
		memcpy(out + n, apn + label, i - label);
		n += i - label;
		label = i + 1;
	}
	ie_put_bytes(w, IE_APN, out, n);
}

static void gtpc_sgsn_put_own(struct wr *w, const struct gtpc_ask *a)
{
	ie_put_u32(w, IE_TEID_DATA, a->usr_teid);
	ie_put_u32(w, IE_TEID_CONTROL, a->ctl_teid);
	ie_put_u8(w, IE_NSAPI, a->key & 0xf);
}

size_t gtpc_encode_create_request(uint8_t *buf, const struct gtpc_ask *a)
{
	static const uint8_t dynamic_v4[] = { 0xf1, 0x21 }, charging[] = { 0x08, 0x00 };
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_CREATE_REQUEST, a->teid, a->seq);

	ie_put_imsi(&w, a->key);
	if (a->has_recovery)
		ie_put_u8(&w, IE_RECOVERY, a->recovery);
	ie_put_u8(&w, IE_SELECTION_MODE, 0xfc); /* verified */
	gtpc_sgsn_put_own(&w, a);
	wr_u8(&w, IE_CHARGING_CHARACTERISTICS);
	wr_bytes(&w, charging, sizeof(charging));
	ie_put_bytes(&w, IE_END_USER_ADDRESS, dynamic_v4, sizeof(dynamic_v4));
	gtpc_sgsn_put_apn(&w, a->apn);
	ie_put_address(&w, IE_GSN_ADDRESS, &a->ctl);
	ie_put_address(&w, IE_GSN_ADDRESS, &a->usr);
	gtpc_sgsn_put_msisdn(&w, a->key);
	ie_put_bytes(&w, IE_QOS, a->qos, a->qos_len);
	return gtp_end(&w, buf);
}

size_t gtpc_encode_update_request(uint8_t *buf, const struct gtpc_ask *a)
{
	struct wr w = gtp_begin(buf, GTPC_MSG_MAX, GTPC_UPDATE_REQUEST, a->teid, a->seq);

	if (a->has_recovery)
		ie_put_u8(&w, IE_RECOVERY, a->recovery);
	gtpc_sgsn_put_own(&w, a);
	ie_put_address(&w, IE_GSN_ADDRESS, &a->ctl);
	ie_put_address(&w, IE_GSN_ADDRESS, &a->usr);
	ie_put_bytes(&w, IE_QOS, a->qos, a->qos_len);
	return gtp_end(&w, buf);
}

static uint32_t gtpc_sgsn_number(const struct ie *ie)
{
	struct rd r = rd_init(ie->p, ie->len);

	return ie->p != NULL ? (uint32_t)rd_be(&r, (unsigned int)r.left) : 0;
}

int gtpc_decode_reply(const struct gtpc_header *h, struct gtpc_reply *t)
{
	const struct ie *eua, *ctl, *usr;
	struct ies s;

	memset(t, 0, sizeof(*t));
	if (ies_find(h->ies, h->ies_len, &s) < 0 || s.at[IES_CAUSE][0].p == NULL)
		return -EBADMSG;
	t->cause = (uint8_t)gtpc_sgsn_number(&s.at[IES_CAUSE][0]);
	t->has_recovery = s.at[IES_RECOVERY][0].p != NULL;
	t->recovery = (uint8_t)gtpc_sgsn_number(&s.at[IES_RECOVERY][0]);
	t->ctl_teid = gtpc_sgsn_number(&s.at[IES_TEID_CONTROL][0]);
	t->usr_teid = gtpc_sgsn_number(&s.at[IES_TEID_DATA][0]);
	eua = &s.at[IES_END_USER_ADDRESS][0];
	ctl = &s.at[IES_GSN_ADDRESS][0];
	usr = &s.at[IES_GSN_ADDRESS][1];
	if (eua->p != NULL && eua->len == 6 && (eua->p[0] & 0xf) == 1 && eua->p[1] == 0x21)
		t->ue = ip_addr_v4(gtpc_sgsn_number(&(struct ie){ eua->p + 2, 4 }));
	if ((ctl->p != NULL && ie_get_address(ctl, &t->ctl) < 0) ||
		(usr->p != NULL && ie_get_address(usr, &t->usr) < 0))
		return -EBADMSG;
	if (h->type != GTPC_CREATE_RESPONSE || t->cause != GTPC_REQUEST_ACCEPTED)
		return 0;
	return t->ctl_teid != 0 && t->usr_teid != 0 && ctl->p != NULL && usr->p != NULL &&
			       ip_addr_to_v4(&t->ue) != 0
		       ? 0
		       : -EBADMSG;
}
