/* SPDX-License-Identifier: BSD-3-Clause */
/* A router's connection into the station, in pieces of the length that the first octet says. The
 * decoder must say the same of it in one piece; the station must be able to go on after whatever
 * came. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/station.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	uint64_t facts, hash;
};

static void mix(uint64_t *h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*h = (*h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
}

static void on_fact(void *ctx, const struct bmp_fact *f)
{
	struct sum *s = ctx;

	if (memchr(f->text, 0, BMP_TEXT) == NULL)
		abort();
	s->facts++;
	mix(&s->hash, &f->type, sizeof(f->type));
	mix(&s->hash, &f->addr, sizeof(f->addr));
	mix(&s->hash, &f->distinguisher, sizeof(f->distinguisher));
	mix(&s->hash, &f->reason, sizeof(f->reason));
	mix(&s->hash, f->text, strlen(f->text));
}

static void on_peer(void *ctx, int peer, enum monitor_state state, const char *why)
{
	if (peer < 0 || peer > 1 || strlen(why) >= BMP_TEXT || state == MONITOR_INIT)
		abort();
	((enum monitor_state *)ctx)[peer] = state;
}

static int in_pieces(const uint8_t *p, size_t size, size_t piece, struct sum *s)
{
	struct bmp *b = bmp_create(on_fact, s);
	int ret = 0;

	if (b == NULL)
		return -ENOMEM;
	for (size_t at = 0; at < size; at += piece)
		ret = bmp_input(b, p + at, piece < size - at ? piece : size - at);
	if ((ret < 0) != (bmp_reason(b)[0] != '\0'))
		abort();
	bmp_destroy(b);
	return ret;
}

/* 10.9.0.1 in any VRF, and whoever is in the input at the place of the first per-peer header's
 * address. */
static void into_station(const uint8_t *p, size_t size, size_t piece)
{
	struct station_peer any = { .addr = ip_addr_v4(0x0a090001) }, named = { .of_vrf = true };
	enum monitor_state state[2] = { MONITOR_INIT, MONITOR_INIT };
	struct station *s = station_create(1000, on_peer, state);
	usec_t now = 0;
	int n, ret = 0;

	if (s == NULL)
		return;
	if (size >= 32)
		memcpy(named.addr.b, p + 16, 16);
	station_add(s, &any, now);
	station_add(s, &named, now);
	n = station_open(s, &any.addr, now);
	for (size_t at = 0; at < size && ret == 0; at += piece, now += 100) {
		ret = station_input(s, n, p + at, piece < size - at ? piece : size - at, NULL, now);
		station_tick(s, now);
	}
	if ((station_count(s, n) == NULL) != (ret < 0))
		abort();
	station_close(s, n);
	station_tick(s, now + 1000);
	if (state[0] != MONITOR_UNKNOWN || state[1] != MONITOR_UNKNOWN ||
		station_due(s) != USEC_NEVER)
		abort();
	station_destroy(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole = { 0, 0 }, parts = { 0, 0 };
	size_t piece;

	if (size < 2)
		return 0;
	piece = (size_t)data[0] + 1;
	if (in_pieces(data + 1, size - 1, size, &whole) !=
			in_pieces(data + 1, size - 1, piece, &parts) ||
		whole.facts != parts.facts || whole.hash != parts.hash)
		abort();
	into_station(data + 1, size - 1, piece);
	return 0;
}
