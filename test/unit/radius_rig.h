/* SPDX-License-Identifier: BSD-3-Clause */
/* radius_rig: a RADIUS server as small as can be, for tests and the fuzz target: it answers what it
 * is shown. */
#ifndef TANDEM_RADIUS_RIG_H
#define TANDEM_RADIUS_RIG_H

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "radius/radius.h"

/* A reply to the request with this identifier and authenticator: header, Message-Authenticator if
 * `sign`, the attributes given. Returns its length in `to` (RADIUS_PACKET_MAX bytes). */
static inline size_t rig_reply(uint8_t *to, uint8_t code, uint8_t id,
	const uint8_t request[RADIUS_AUTHENTICATOR], const struct radius_secret *s, bool sign,
	const uint8_t *attributes, size_t attributes_len)
{
	uint8_t copy[RADIUS_PACKET_MAX + RADIUS_SECRET_MAX];
	size_t signature = sign ? 18 : 0, len = RADIUS_HEADER + signature + attributes_len;

	memset(to, 0, RADIUS_HEADER + signature);
	to[0] = code;
	to[1] = id;
	to[2] = (uint8_t)(len >> 8);
	to[3] = (uint8_t)len;
	memcpy(to + 4, request, RADIUS_AUTHENTICATOR);
	if (attributes_len > 0)
		memcpy(to + RADIUS_HEADER + signature, attributes, attributes_len);
	if (sign) {
		to[RADIUS_HEADER] = RADIUS_MESSAGE_AUTHENTICATOR;
		to[RADIUS_HEADER + 1] = 18;
		memcpy(copy, to, len);
		HMAC(EVP_md5(), s->b, (int)s->len, copy, len, to + RADIUS_HEADER + 2, NULL);
	}
	memcpy(copy, to, len);
	memcpy(copy + len, s->b, s->len);
	EVP_Digest(copy, len + s->len, to + 4, NULL, EVP_md5(), NULL);
	return len;
}

#endif
