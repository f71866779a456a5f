/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_request.h"

enum { LIMIT = 100, LIMIT_MAX = 1000, IMSI_MIN = 6, IMSI_MAX = 15 };

int request_parse(const char *line, size_t len, struct request *r)
{
	json_t *args;

	r->whole = json_loadb(line, len, 0, NULL);
	r->command = json_string_value(json_object_get(r->whole, "command"));
	args = json_object_get(r->whole, "args");
	r->args = args != NULL ? args : r->whole;
	return r->command != NULL ? 0 : -EBADMSG;
}

void request_free(struct request *r)
{
	json_decref(r->whole);
	r->whole = NULL;
}

bool request_force(const json_t *args)
{
	return json_is_true(json_object_get(args, "force"));
}

unsigned int request_limit(const json_t *args)
{
	const json_t *limit = json_object_get(args, "limit");
	json_int_t n = json_is_integer(limit) ? json_integer_value(limit) : LIMIT;

	return (unsigned int)(n < 1 ? 1 : n < LIMIT_MAX ? n : LIMIT_MAX);
}

/* 15 digits of 4 bits, filled up with 0xf; then the NSAPI. */
static uint64_t request_imsi_key(const char *text, size_t len)
{
	uint64_t key = 0;

	for (size_t i = 0; i < IMSI_MAX; i++)
		key = key << 4 | (i < len ? (uint64_t)(text[i] - '0') : 0xf);
	return key << 4;
}

static bool request_teid(const char *text, uint32_t *teid)
{
	unsigned long long v;
	char *end;

	if (text[0] < '0' || text[0] > '9') /* neither sign nor blank */
		return false;
	errno = 0;
	v = strtoull(text, &end, 0);
	*teid = (uint32_t)v;
	return errno == 0 && *end == '\0' && v <= UINT32_MAX;
}

enum request_by request_session(
	const json_t *args, struct ip_addr *ue, uint32_t *teid, uint64_t *key)
{
	const json_t *id = json_object_get(args, "id");
	const char *text = json_string_value(id != NULL ? id : json_object_get(args, "session"));
	const char *kind = json_string_value(json_object_get(args, "kind"));
	size_t len = text != NULL ? strlen(text) : 0;

	if (text == NULL)
		return REQUEST_BY_NOTHING;
	if (ip_addr_parse(text, ue) == 0)
		return REQUEST_BY_UE;
	if (strncmp(text, "0x", 2) == 0 || (kind != NULL && strcmp(kind, "teid") == 0))
		return request_teid(text, teid) ? REQUEST_BY_TEID : REQUEST_BY_NOTHING;
	if (strspn(text, "0123456789") != len || len < IMSI_MIN || len > IMSI_MAX)
		return REQUEST_BY_NOTHING;
	*key = request_imsi_key(text, len);
	return REQUEST_BY_IMSI;
}
