/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams from outside, in sequence, against one probe: as they are, and as the attributes of
 * replies that whoever knows the secret made. Input: `configuration u8`, then a chain of `what u8 |
 * length u8 | bytes`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "radius/radius_probe.h"
#include "radius_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TIMEOUT = 100000, TRIES = 3 };

/* What was sent last. */
struct sent {
	uint8_t b[RADIUS_REQUEST_MAX];
	size_t len;
};

static enum radius_check input(struct radius_probe *p, const uint8_t *bytes, size_t len, usec_t now)
{
	/* exactly as long: a sanitizer sees a read behind it */
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum radius_check check;

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, bytes, len);
	check = radius_probe_input(p, copy, len, now);
	free(copy);
	if (check == RADIUS_CHECK_valid && radius_probe_state(p) != RADIUS_UP)
		abort();
	return check;
}

/* Bytes of outside as they are, with the identifier of the last request if `match`: they cannot be
 * proven. */
static void raw(
	struct radius_probe *p, const struct sent *q, struct rd body, bool match, usec_t now)
{
	uint8_t bytes[256];
	enum radius_state before = radius_probe_state(p);

	if (body.left > 0)
		memcpy(bytes, body.p, body.left);
	if (match && body.left > 1)
		bytes[1] = q->b[1];
	if (input(p, bytes, body.left, now) == RADIUS_CHECK_valid ||
		radius_probe_state(p) != before)
		abort();
}

/* A reply with these attributes that is the server's own: its first byte is the code. */
static void genuine(
	struct radius_probe *p, const struct sent *q, struct rd body, bool sign, usec_t now)
{
	static uint8_t reply[RADIUS_PACKET_MAX];
	struct radius_secret s;
	uint8_t code = rd_u8(&body);
	enum radius_check check;
	size_t len;

	if (body.bad || radius_secret_set(&s, "secret", 6) < 0)
		return;
	len = rig_reply(reply, code, q->b[1], q->b + 4, &s, sign, body.p, body.left);
	check = input(p, reply, len, now);
	if (check == RADIUS_CHECK_bad_authenticator || check == RADIUS_CHECK_bad_length ||
		check == RADIUS_CHECK_no_digest)
		abort();
	if (check == RADIUS_CHECK_valid && input(p, reply, len, now) == RADIUS_CHECK_valid)
		abort(); /* one request vouches once */
}

static usec_t tick(struct radius_probe *p, struct sent *q, unsigned int what, usec_t now)
{
	uint8_t fresh[RADIUS_AUTHENTICATOR], out[RADIUS_REQUEST_MAX];
	usec_t due = radius_probe_due(p);
	size_t len;

	if (due != USEC_NEVER && due > now && what & 8)
		now = due;
	memset(fresh, (int)(now >> 8), sizeof(fresh));
	memcpy(fresh, &now, sizeof(now));
	len = radius_probe_tick(p, now, fresh, out);
	if (len > RADIUS_REQUEST_MAX ||
		(len > 0 && (now < due || radius_probe_due(p) != now + TIMEOUT)))
		abort();
	if (len == 0)
		return now;
	memcpy(q->b, out, len);
	q->len = len;
	return now;
}

static void consistent(const struct radius_probe *p)
{
	struct radius_probe_info i;

	radius_probe_info(p, &i);
	if ((i.state == RADIUS_DOWN) != (i.reason != RADIUS_REASON_NONE) || i.tries > TRIES ||
		(i.state == RADIUS_UP && i.checks.valid == 0) || i.count.went_up > i.checks.valid ||
		i.count.went_down > i.count.rounds_failed)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	unsigned int what = rd_u8(&in);
	struct radius_probe_conf c = { .method = what % 2,
		.require = what / 2 % 3,
		.user = "user",
		.password = "password",
		.nas_id = "nas",
		.period = (1 + (what >> 4)) * (usec_t)TIMEOUT,
		.timeout = TIMEOUT,
		.max_retries = TRIES };
	struct radius_probe *p;
	struct sent q = { .len = 0 };
	usec_t now = 0;

	if (radius_secret_set(&c.secret, "secret", 6) < 0 || (p = radius_probe_create(&c)) == NULL)
		abort();
	radius_probe_start(p, now);
	now = tick(p, &q, 0, now);
	while (in.left > 0 && !in.bad) {
		unsigned int len;
		struct rd body;

		what = rd_u8(&in);
		len = rd_u8(&in);
		body = rd_sub(&in, len < in.left ? len : in.left);
		now += (what >> 4) * (usec_t)(TIMEOUT / 4);
		switch (what & 7) {
		case 0:
		case 1:
			raw(p, &q, body, what & 8, now);
			break;
		case 2:
			radius_probe_failed(p, ECONNREFUSED);
			break;
		case 3:
			if (what & 8)
				radius_probe_start(p, now);
			else
				radius_probe_stop(p, now);
			break;
		case 4:
		case 5:
			now = tick(p, &q, what, now);
			break;
		default:
			genuine(p, &q, body, what & 8, now);
			break;
		}
		consistent(p);
	}
	radius_probe_destroy(p);
	return 0;
}
