/* SPDX-License-Identifier: BSD-3-Clause */
/* The byte stream of the SRP connection, as it comes in pieces: first byte how large they are. The
 * same messages come out of it as out of the whole stream at once, and a state machine takes them.
 */
#include <stdlib.h>
#include <string.h>

#include "srp/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(struct srp *s)
{
	struct srp_action a;

	while (srp_next(s, &a))
		if (a.kind == SRP_ACT_RESERVE)
			srp_saved_reserve(s, a.number, true, 1);
}

/* Bytes taken, as far as whole messages go; a stream that cannot go on ends. */
static size_t stream(struct srp *s, const uint8_t *data, size_t size, size_t piece)
{
	uint8_t *in = malloc(SRP_FRAME_MAX);
	size_t have = 0, at = 0, taken = 0;
	int want;

	if (in == NULL)
		abort();
	while ((want = srp_frame_wanted(in, have)) >= 0) {
		size_t n = piece;

		if (want == 0) {
			srp_message(s, in + SRP_FRAME_HEAD, have - SRP_FRAME_HEAD, 1);
			drain(s);
			have = 0;
			taken = at;
			continue;
		}
		n = n < (size_t)want ? n : (size_t)want;
		n = n < size - at ? n : size - at;
		if (n == 0)
			break;
		memcpy(in + have, data + at, n);
		have += n;
		at += n;
	}
	free(in);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srp_conf c = { .priority = 125,
		.incarnation = 1,
		.hello_us = 100000,
		.dead_us = 300000,
		.heartbeat_us = 10000,
		.pending_us = 1000000,
		.dead_multiplier = 3 };
	struct srp *s[2] = { srp_create(&c, &(struct srp_saved){ 0 }, 0),
		srp_create(&c, &(struct srp_saved){ 0 }, 0) };
	size_t taken[2];

	if (s[0] == NULL || s[1] == NULL)
		abort();
	for (unsigned int i = 0; i < 2; i++) {
		srp_connected(s[i], 0);
		drain(s[i]);
		taken[i] = size > 1 ? stream(s[i], data + 1, size - 1,
					      i == 0 ? 1 + data[0] % 16U : SRP_FRAME_MAX)
				    : 0;
	}
	if (taken[0] != taken[1] || memcmp(&srp_info(s[0])->count, &srp_info(s[1])->count,
					    sizeof(srp_info(s[0])->count)) != 0)
		abort();
	srp_destroy(s[0]);
	srp_destroy(s[1]);
	return 0;
}
