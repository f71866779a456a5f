/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages and heartbeats from outside, in sequence, against one state machine. Input: records of
 * `kind u8 | length u8 | bytes`; the rest of a kind byte advances the clock. The first byte of a
 * tick is the digest of a configuration that is loaded. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "srp/srp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lines(struct srp *s, usec_t now)
{
	size_t len;
	const char *text = srp_peer_lines(s, &len);

	if (text == NULL || len == 0 || len > SRP_LINES_MAX)
		abort();
	srp_compared(s, (uint8_t)text[len - 1], "first", now); /* the last byte is there */
}

/* Taken if its first byte is even. */
static void numbers(struct srp *s, usec_t now)
{
	static char own[SRP_NUMBERS_MAX];
	size_t len;
	const char *text = srp_peer_numbers(s, &len);

	if (text == NULL || len == 0 || len > SRP_NUMBERS_MAX)
		abort();
	memcpy(own, text, len);
	if (own[0] % 2 == 0)
		srp_numbers(s, own, len, (uint8_t)own[len - 1], now);
}

static void drain(struct srp *s, usec_t now)
{
	struct srp_action a;

	while (srp_next(s, &a)) {
		if (a.kind == SRP_ACT_RESERVE)
			srp_saved_reserve(s, a.number, true, now);
		else if (a.kind == SRP_ACT_STEP)
			srp_done(s, a.step, a.term, true, 1000, NULL, now);
		else if (a.kind == SRP_ACT_LINES)
			lines(s, now);
		else if (a.kind == SRP_ACT_NUMBERS)
			numbers(s, now);
		else if (a.kind == SRP_ACT_SEND && (a.len == 0 || a.len > SRP_MSG_MAX))
			abort();
	}
}

/* Loads a configuration of that digest, and runs what waits if it may. */
static void reload(struct srp *s, const struct srp_conf *of, uint8_t digest, usec_t now)
{
	struct srp_conf c = *of;
	enum srp_reload found = srp_reload(s, digest);

	c.config_digest = digest;
	c.heartbeat_us += digest * 1000;
	if (found == SRP_RELOAD_NOW)
		srp_reconfigure(s, &c, now);
	else if (found == SRP_RELOAD_WAIT && srp_prepare(s, &c, now) != 0)
		abort();
	drain(s, now);
	if (!srp_next_is_due(s))
		return;
	c.config_digest = srp_info(s)->next_digest;
	if (srp_reconfigure(s, &c, now) != 0 || srp_next_is_due(s))
		abort(); /* what is due may be taken, and then is not any more */
	drain(s, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srp_conf c = { .priority = 125,
		.incarnation = 1,
		.hello_us = 100000,
		.dead_us = 300000,
		.heartbeat_us = 10000,
		.pending_us = 1000000,
		.dead_multiplier = 3,
		.lines = "key = 17\n",
		.lines_len = 9,
		.configuration_us = 60000000 };
	struct srp_stream st = { .heard = 1, .joined = true, .in_sync = true };
	struct srp *s = srp_create(&c, &(struct srp_saved){ 0 }, 0);
	usec_t now = 1;

	if (s == NULL)
		return 0;
	srp_numbers(s, "apn 1\n", 6, 17, now);
	srp_connected(s, now);
	drain(s, now);
	while (size >= 2) {
		uint8_t kind = data[0];
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		now += (usec_t)(kind >> 2) * 1000;
		if ((kind & 3) == 0) {
			srp_message(s, data + 2, len, now);
		} else if ((kind & 3) == 1) {
			srp_heartbeat(s, data + 2, len, true, now);
		} else if ((kind & 3) == 2) {
			st.heard = now;
			srp_stream(s, &st, now);
		} else {
			if (len > 0)
				reload(s, &c, data[2], now);
			srp_tick(s, now);
		}
		drain(s, now);
		data += 2 + len;
		size -= 2 + len;
	}
	srp_destroy(s);
	return 0;
}
