/* SPDX-License-Identifier: BSD-3-Clause */
/* radius: the packets that a RADIUS client sends and gets (RFC 2865, 2866, 3162, 3579, 5997):
 * requests are built and signed, replies are validated whole and then proven. Pure: libcrypto's MD5
 * and nothing else of the world; owns nothing; any core.
 *
 * A Message-Authenticator (RFC 3579 3.2) is in every request, as its first attribute: MD5
 * collisions forge a response authenticator from what is slipped into an unsigned request
 * (CVE-2024-3596); a server that wants all requests signed drops that, and a reply that is signed
 * cannot be forged so. Of replies it is checked wherever it stands. */
#ifndef TANDEM_RADIUS_H
#define TANDEM_RADIUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/counters.h"

enum {
	RADIUS_AUTH_PORT = 1812,
	RADIUS_ACCT_PORT = 1813,
	RADIUS_HEADER = 20,
	RADIUS_AUTHENTICATOR = 16, /* bytes, of requests and of replies */
	RADIUS_PACKET_MAX = 4096,
	RADIUS_VALUE_MAX = 253, /* bytes of an attribute's value */
	RADIUS_PASSWORD_MAX = 128,
	RADIUS_SECRET_MAX = 255,
	/* Message-Authenticator, User-Name, User-Password, NAS-IPv6-Address, NAS-Identifier,
	   Service-Type */
	RADIUS_REQUEST_MAX = RADIUS_HEADER + 18 + 255 + 130 + 18 + 255 + 6,
};

enum radius_code { /* RFC 2865 section 3, RFC 2866, RFC 5997 */
	RADIUS_ACCESS_REQUEST = 1,
	RADIUS_ACCESS_ACCEPT = 2,
	RADIUS_ACCESS_REJECT = 3,
	RADIUS_ACCOUNTING_RESPONSE = 5,
	RADIUS_ACCESS_CHALLENGE = 11,
	RADIUS_STATUS_SERVER = 12,
};

enum radius_attribute { /* RFC 2865 section 5, RFC 3162, RFC 3579 */
	RADIUS_USER_NAME = 1,
	RADIUS_USER_PASSWORD = 2,
	RADIUS_NAS_IP_ADDRESS = 4,
	RADIUS_SERVICE_TYPE = 6,
	RADIUS_NAS_IDENTIFIER = 32,
	RADIUS_MESSAGE_AUTHENTICATOR = 80,
	RADIUS_NAS_IPV6_ADDRESS = 95,
};

enum { RADIUS_AUTHENTICATE_ONLY = 8 }; /* Service-Type: no session is to follow (RFC 2865 5.6) */

/* What became of a datagram; counted by these names. The last three are said by radius_probe
 * alone. */
// clang-format off
#define RADIUS_CHECKS(X) \
	X(valid, COUNTER, "datagrams", \
		"Datagrams at the probe's socket were valid replies.") \
	X(bad_length, COUNTER, "datagrams", \
		"Datagrams were refused because they are too short, too long, or not as long as " \
		"they say.") \
	X(bad_code, COUNTER, "datagrams", \
		"Datagrams were refused because their code is no reply to what was asked.") \
	X(bad_attribute, COUNTER, "datagrams", \
		"Datagrams were refused because their attributes or their signature are " \
		"damaged.") \
	X(bad_authenticator, COUNTER, "datagrams", \
		"Datagrams were refused because their authenticator is of another secret or " \
		"another request.") \
	X(bad_message_authenticator, COUNTER, "datagrams", \
		"Datagrams were refused because their Message-Authenticator is wrong.") \
	X(no_message_authenticator, COUNTER, "datagrams", \
		"Datagrams were refused because they have no Message-Authenticator and must " \
		"have one.") \
	X(no_digest, COUNTER, "datagrams", \
		"Datagrams could not be checked because libcrypto has no MD5.") \
	X(unmatched, COUNTER, "datagrams", \
		"Datagrams were refused because no request with their identifier can still be " \
		"answered.") \
	X(duplicate, COUNTER, "datagrams", \
		"Datagrams were ignored because their request was answered before.") \
	X(stopped, COUNTER, "datagrams", \
		"Datagrams were ignored because the probe asks for nothing now.")
// clang-format on
#define RADIUS_CHECK_ENUM(name, kind, unit, help) RADIUS_CHECK_##name,
enum radius_check { RADIUS_CHECKS(RADIUS_CHECK_ENUM) };
COUNTERS_DEFINE(radius_checks, RADIUS_CHECKS); /* field and name of check c: the c-th */

struct radius_secret {
	size_t len;
	uint8_t b[RADIUS_SECRET_MAX];
};

/* An Access-Request or a Status-Server. Texts end in a zero and are the caller's. */
struct radius_request {
	enum radius_code code;
	uint8_t id;
	/* random, never the same twice (RFC 2865 section 3) */
	uint8_t authenticator[RADIUS_AUTHENTICATOR];
	/* Access-Request: 1 to 253 and 0 to 128 bytes */
	const char *user, *password;
	/* our address, either family; all zero: none */
	struct ip_addr nas;
	const char *nas_id;    /* 1 to 253 bytes; NULL or "": none */
	uint32_t service_type; /* 0: none */
};

/* A reply that radius_parse found whole; points into the datagram. */
struct radius_reply {
	uint8_t code, id;
	const uint8_t *p;
	/* by its header: what the datagram has behind that is padding (RFC 2865 section 3) */
	size_t len;
	const uint8_t *message_authenticator; /* value; NULL: none */
};

/* 0, or -EINVAL: no bytes, or more than RADIUS_SECRET_MAX. */
int radius_secret_set(struct radius_secret *s, const void *bytes, size_t len);

/* Writes a request and returns its length in bytes. -EINVAL: what is given makes none (a text too
 * long; an Access-Request without user, or with neither address nor identifier of the NAS, RFC
 * 2865 4.1; another code). -ENOTSUP: libcrypto has no MD5, as in FIPS mode. A Status-Server says
 * who asks and nothing of a user (RFC 5997 section 3). */
int radius_encode(uint8_t buf[RADIUS_REQUEST_MAX], const struct radius_request *q,
	const struct radius_secret *s);

/* Is this a whole reply? Header, length, code, and every attribute to the last byte. valid,
 * bad_length, bad_code or bad_attribute; *r is for radius_prove if it is valid. Says nothing of who
 * sent it. */
enum radius_check radius_parse(const uint8_t *p, size_t len, struct radius_reply *r);

/* Does it come from who knows the secret, as the answer to the request with this authenticator?
 * Response authenticator (RFC 2865 section 3), and Message-Authenticator where there is one or
 * `required`. In constant time. valid, bad_authenticator, bad_message_authenticator,
 * no_message_authenticator or no_digest. */
enum radius_check radius_prove(const struct radius_reply *r,
	const uint8_t request[RADIUS_AUTHENTICATOR], const struct radius_secret *s, bool required);

/* "Access-Accept", ...; "unknown". */
const char *radius_code_name(uint8_t code);

#endif
