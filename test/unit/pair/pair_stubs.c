/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair_stubs.h"

#include <errno.h>
#include <string.h>

#include "journal/journal.h"
#include "replicator/replicator.h"

static uint32_t stub_comparison_left(void *ctx, usec_t now)
{
	return 0;
}

static void stub_became(void *ctx, bool active, enum monitor_type by, usec_t now) {}

static void stub_listen_for_claims(void *ctx, bool on)
{
	pair_stubs.listens = on;
}

static bool stub_probe(void *ctx)
{
	pair_stubs.probes++;
	return true;
}

static int stub_drain(void *ctx, enum places_kind kind, const char *name, const char *what)
{
	int at = pair_stubs.placed != NULL ? placed_drain(pair_stubs.placed, kind, name, what)
					   : -ENOTSUP;

	return at < 0 ? at : 0;
}

const struct pair_ops pair_stubs_ops = { stub_comparison_left, stub_became, stub_listen_for_claims,
	stub_probe, stub_drain };

struct pair_stubs pair_stubs;

/* ---- replicator ---- */

const struct replicator_view *replicator_view(const struct replicator *r)
{
	static struct replicator_view view = { .heard = USEC_NEVER, .in_sync_since = USEC_NEVER };

	return &view;
}

void replicator_peer_version(struct replicator *r, uint8_t version) {}
void replicator_peer_differs(struct replicator *r, bool differs) {}
void replicator_peer_times(
	struct replicator *r, usec_t present_us, usec_t life_us, usec_t heartbeat_us)
{
	pair_stubs.life_us = life_us;
}
usec_t replicator_audit_interval(const struct replicator *r, usec_t now)
{
	return USEC_PER_SEC;
}
void replicator_peer_applies(struct replicator *r, bool applies) {}

/* ---- journal ---- */

void journal_reserve(struct journal *j, uint64_t reserve, uint8_t restart_counter)
{
	pair_stubs.reserve = reserve;
}

int journal_numbers(struct journal *j, char *to, size_t room, size_t *len)
{
	*len = pair_stubs.numbers != NULL ? strlen(pair_stubs.numbers) : 0;
	if (*len > room)
		return -EFBIG;
	memcpy(to, pair_stubs.numbers != NULL ? pair_stubs.numbers : "", *len);
	return 0;
}

void journal_save_numbers(struct journal *j, const char *text, size_t len) {}

void journal_role(struct journal *j, const struct srp_action *a, usec_t now) {}

struct history_entry *journal_last(struct journal *j)
{
	static struct history_entry entry;

	return &entry;
}
