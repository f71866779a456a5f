/* SPDX-License-Identifier: BSD-3-Clause */
/* Both digests of a packet are over the packet with some bytes changed, so they are made over a
 * copy of it. The copy that ends in the secret is wiped. */
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/cursor.h"
#include "radius/radius.h"

enum {
	LENGTH_AT = 2,
	AUTHENTICATOR_AT = 4,
	DIGEST = RADIUS_AUTHENTICATOR, /* MD5 */
	ATTRIBUTE_HEADER = 2,
};

static bool radius_md5(const uint8_t *p, size_t len, uint8_t out[DIGEST])
{
	return EVP_Digest(p, len, out, NULL, EVP_md5(), NULL) == 1;
}

static bool hmac_md5(
	const struct radius_secret *s, const uint8_t *p, size_t len, uint8_t out[DIGEST])
{
	return HMAC(EVP_md5(), s->b, (int)s->len, p, len, out, NULL) != NULL;
}

int radius_secret_set(struct radius_secret *s, const void *bytes, size_t len)
{
	if (len == 0 || len > sizeof(s->b))
		return -EINVAL;
	memcpy(s->b, bytes, len);
	s->len = len;
	return 0;
}

static void radius_put(struct wr *w, enum radius_attribute type, const void *value, size_t len)
{
	wr_u8(w, (uint8_t)type);
	wr_u8(w, (uint8_t)(ATTRIBUTE_HEADER + len));
	wr_bytes(w, value, len);
}

/* User-Password (RFC 2865 5.2): blocks of 16, each xored with the MD5 of the secret and the block
 * before. */
static bool radius_put_password(
	struct wr *w, const struct radius_request *q, const struct radius_secret *s)
{
	uint8_t hidden[RADIUS_PASSWORD_MAX] = { 0 }, seed[RADIUS_SECRET_MAX + DIGEST], pad[DIGEST];
	size_t len = strlen(q->password), blocks = len == 0 ? 1 : (len + DIGEST - 1) / DIGEST;
	const uint8_t *before = q->authenticator;
	bool ok = true;

	memcpy(hidden, q->password, len);
	memcpy(seed, s->b, s->len);
	for (size_t i = 0; i < blocks && ok; i++) {
		uint8_t *block = hidden + i * DIGEST;

		memcpy(seed + s->len, before, DIGEST);
		ok = radius_md5(seed, s->len + DIGEST, pad);
		for (size_t b = 0; b < DIGEST && ok; b++)
			block[b] ^= pad[b];
		before = block;
	}
	if (ok)
		radius_put(w, RADIUS_USER_PASSWORD, hidden, blocks * DIGEST);
	explicit_bzero(hidden, sizeof(hidden));
	explicit_bzero(seed, sizeof(seed));
	explicit_bzero(pad, sizeof(pad));
	return ok;
}

static bool text_fits(const char *text, size_t min, size_t max)
{
	size_t len = text != NULL ? strnlen(text, max + 1) : 0;

	return text != NULL && len >= min && len <= max;
}

static bool has_address(const struct radius_request *q)
{
	return !ip_addr_is_none(&q->nas);
}

static bool has_id(const struct radius_request *q)
{
	return q->nas_id != NULL && q->nas_id[0] != '\0';
}

static bool radius_makes_sense(const struct radius_request *q, const struct radius_secret *s)
{
	if (s->len == 0 || s->len > sizeof(s->b) ||
		(has_id(q) && !text_fits(q->nas_id, 1, RADIUS_VALUE_MAX)))
		return false;
	if (q->code == RADIUS_STATUS_SERVER)
		return true;
	return q->code == RADIUS_ACCESS_REQUEST && text_fits(q->user, 1, RADIUS_VALUE_MAX) &&
	       text_fits(q->password, 0, RADIUS_PASSWORD_MAX) && (has_address(q) || has_id(q));
}

static void radius_put_nas(struct wr *w, const struct radius_request *q)
{
	if (has_address(q))
		radius_put(w,
			ip_addr_is_v4(&q->nas) ? RADIUS_NAS_IP_ADDRESS : RADIUS_NAS_IPV6_ADDRESS,
			ip_addr_bytes(&q->nas), ip_addr_size(&q->nas));
	if (has_id(q))
		radius_put(w, RADIUS_NAS_IDENTIFIER, q->nas_id, strlen(q->nas_id));
}

int radius_encode(uint8_t buf[RADIUS_REQUEST_MAX], const struct radius_request *q,
	const struct radius_secret *s)
{
	static const uint8_t zero[DIGEST];
	struct wr w = wr_init(buf, RADIUS_REQUEST_MAX), length = wr_init(buf + LENGTH_AT, 2);
	uint8_t *signature;
	size_t len;

	if (!radius_makes_sense(q, s))
		return -EINVAL;
	wr_u8(&w, (uint8_t)q->code);
	wr_u8(&w, q->id);
	wr_u16(&w, 0);
	wr_bytes(&w, q->authenticator, sizeof(q->authenticator));
	radius_put(&w, RADIUS_MESSAGE_AUTHENTICATOR, zero, sizeof(zero));
	signature = w.p - DIGEST;
	if (q->code == RADIUS_ACCESS_REQUEST) {
		radius_put(&w, RADIUS_USER_NAME, q->user, strlen(q->user));
		if (!radius_put_password(&w, q, s))
			return -ENOTSUP;
		if (q->service_type != 0) {
			wr_u8(&w, RADIUS_SERVICE_TYPE);
			wr_u8(&w, ATTRIBUTE_HEADER + 4);
			wr_u32(&w, q->service_type);
		}
	}
	radius_put_nas(&w, q);
	if (w.bad)
		return -EINVAL;
	len = RADIUS_REQUEST_MAX - w.left;
	wr_u16(&length, (uint16_t)len);
	return hmac_md5(s, buf, len, signature) ? (int)len : -ENOTSUP;
}

static bool is_reply(uint8_t code)
{
	return code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCESS_REJECT ||
	       code == RADIUS_ACCESS_CHALLENGE || code == RADIUS_ACCOUNTING_RESPONSE;
}

enum radius_check radius_parse(const uint8_t *p, size_t len, struct radius_reply *r)
{
	struct rd in = rd_init(p, len), attributes;

	*r = (struct radius_reply){ .p = p };
	r->code = rd_u8(&in);
	r->id = rd_u8(&in);
	r->len = rd_u16(&in);
	rd_bytes(&in, RADIUS_AUTHENTICATOR);
	if (in.bad || r->len < RADIUS_HEADER || r->len > RADIUS_PACKET_MAX || r->len > len)
		return RADIUS_CHECK_bad_length;
	if (!is_reply(r->code))
		return RADIUS_CHECK_bad_code;
	attributes = rd_sub(&in, r->len - RADIUS_HEADER);
	while (attributes.left > 0 && !attributes.bad) {
		uint8_t type = rd_u8(&attributes), n = rd_u8(&attributes);
		const uint8_t *value;

		if (n < ATTRIBUTE_HEADER)
			return RADIUS_CHECK_bad_attribute;
		value = rd_bytes(&attributes, n - ATTRIBUTE_HEADER);
		if (type != RADIUS_MESSAGE_AUTHENTICATOR)
			continue;
		/* Exactly one of exactly this size (RFC 3579 3.2), or it is not clear which of them
		 * signs. */
		if (n != ATTRIBUTE_HEADER + DIGEST || r->message_authenticator != NULL)
			return RADIUS_CHECK_bad_attribute;
		r->message_authenticator = value;
	}
	return attributes.bad ? RADIUS_CHECK_bad_attribute : RADIUS_CHECK_valid;
}

enum radius_check radius_prove(const struct radius_reply *r,
	const uint8_t request[RADIUS_AUTHENTICATOR], const struct radius_secret *s, bool required)
{
	uint8_t copy[RADIUS_PACKET_MAX + RADIUS_SECRET_MAX], digest[DIGEST];
	bool made;

	memcpy(copy, r->p, r->len);
	memcpy(copy + AUTHENTICATOR_AT, request, RADIUS_AUTHENTICATOR);
	memcpy(copy + r->len, s->b, s->len);
	made = radius_md5(copy, r->len + s->len, digest);
	explicit_bzero(copy + r->len, s->len);
	if (!made)
		return RADIUS_CHECK_no_digest;
	if (CRYPTO_memcmp(digest, r->p + AUTHENTICATOR_AT, DIGEST) != 0)
		return RADIUS_CHECK_bad_authenticator;
	if (r->message_authenticator == NULL)
		return required ? RADIUS_CHECK_no_message_authenticator : RADIUS_CHECK_valid;
	memset(copy + (r->message_authenticator - r->p), 0, DIGEST);
	if (!hmac_md5(s, copy, r->len, digest))
		return RADIUS_CHECK_no_digest;
	return CRYPTO_memcmp(digest, r->message_authenticator, DIGEST) == 0
		       ? RADIUS_CHECK_valid
		       : RADIUS_CHECK_bad_message_authenticator;
}

const char *radius_code_name(uint8_t code)
{
	switch (code) {
	case RADIUS_ACCESS_REQUEST:
		return "Access-Request";
	case RADIUS_ACCESS_ACCEPT:
		return "Access-Accept";
	case RADIUS_ACCESS_REJECT:
		return "Access-Reject";
	case RADIUS_ACCOUNTING_RESPONSE:
		return "Accounting-Response";
	case RADIUS_ACCESS_CHALLENGE:
		return "Access-Challenge";
	case RADIUS_STATUS_SERVER:
		return "Status-Server";
	default:
		return "unknown";
	}
}
