/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequences of events for lib/pdp, drawn by a fuzzer or a seed. */
#include <stdio.h>

#include "pdp_rig.h"

static void run_broken(struct rig *r, const char *what)
{
	if (r->broken[0] == '\0')
		snprintf(r->broken, sizeof(r->broken), "%s", what);
}

static void run_create(struct rig *r, uint8_t arg)
{
	rig_create(r, arg % RIG_PEERS, arg / RIG_PEERS % RIG_KEYS);
}

static void run_update(struct rig *r, uint8_t arg)
{
	rig_update(r, arg % RIG_PEERS, rig_find(r, arg / 2 % RIG_KEYS), arg >> 4);
}

static void run_delete(struct rig *r, uint8_t arg)
{
	rig_delete(r, arg % RIG_PEERS, rig_find(r, arg / 2 % RIG_KEYS));
}

/* By a handle that may be another's, or nobody's. */
static void run_stray(struct rig *r, uint8_t arg)
{
	const struct session_rec *s = &r->slot[arg % RIG_SLOTS];

	if (arg & 0x80)
		rig_delete(r, 0, s->handle);
	else
		rig_update(r, 0, s->handle, 0);
}

static void run_carry_out(struct rig *r, uint8_t arg)
{
	if (r->n_orders > 0)
		rig_carry_out(r, arg % r->n_orders);
}

/* An owner is slow. */
static void run_slow(struct rig *r, uint8_t arg)
{
	rig_pass(r, PDP_LINE_US);
	run_carry_out(r, arg);
}

static void run_repeat(struct rig *r, uint8_t arg)
{
	rig_repeat(r);
}

static void run_ack(struct rig *r, uint8_t arg)
{
	rig_ack(r, arg % RIG_SLOTS);
}

static void run_stream(struct rig *r, uint8_t arg)
{
	rig_stream(r, arg % 4 != 0);
}

static void run_aaa(struct rig *r, uint8_t arg)
{
	if (r->n_aaa > 0)
		rig_aaa(r, arg / 4 % r->n_aaa, arg % 4 != 0);
}

static void run_own(struct rig *r, uint8_t arg)
{
	static const enum pdp_cause cause[] = { PDP_ACCEPTED, PDP_NOT_FOUND, PDP_UNANSWERED,
		PDP_FAILED };

	if (r->n_own > 0)
		rig_own(r, arg / 4 % r->n_own, cause[arg % 4]);
}

static void run_pass(struct rig *r, uint8_t arg)
{
	static const usec_t us[] = { 1000, 10000, RIG_TIMEOUT_US, 1000000, PDP_LINE_US,
		PDP_AAA_US };

	if (arg & 0x80)
		r->t.stood_still += us[arg % 6];
	rig_pass(r, us[arg % 6]);
}

static void run_owner_ends(struct rig *r, uint8_t arg)
{
	rig_owner_ends(r, arg % RIG_SLOTS);
}

static void run_gateway(struct rig *r, uint8_t arg)
{
	uint32_t handle = rig_find(r, arg / 2 % RIG_KEYS);

	if (arg % 2 == 0)
		pdp_end(r->pdp, handle, SESSION_WHY_SESSION_TIMEOUT, r->t.now);
	else
		pdp_refresh(r->pdp, handle, arg, r->t.now);
}

static void run_role(struct rig *r, uint8_t arg)
{
	if (arg % 8 == 0)
		rig_deactivate(r);
	else
		pdp_hold(r->pdp, r->t.now);
}

static void run_trouble(struct rig *r, uint8_t arg)
{
	r->doors_full = arg & 1;
	r->own_refused = arg & 2;
	r->no_aaa = arg & 4;
	r->full = arg & 8 ? RIG_SLOTS - 2 : 0;
}

static void run_peer(struct rig *r, uint8_t arg)
{
	struct ip_addr addr = rig_peer(arg % RIG_PEERS);

	if (arg & 0x80)
		pdp_peer_heard(r->pdp, &addr, arg >> 2 & 3, r->t.now);
	else
		pdp_peer_result(r->pdp, &addr, arg & 2, r->t.now);
}

/* More Creates than may wait for AAA, each of a subscriber of its own; a Delete must still find
 * room. */
static void run_crowd(struct rig *r, uint8_t arg)
{
	uint32_t handle = rig_find(r, arg % RIG_KEYS);
	struct pdp_view v;
	uint64_t id;

	if (r->next_id + PDP_REQUESTS + 200 > RIG_IDS || handle == 0 || arg >= 32)
		return;
	for (unsigned int i = 0; i < PDP_REQUESTS + 100; i++)
		rig_create(r, 0, RIG_KEYS + i);
	pdp_view(r->pdp, &v);
	if (r->n_orders == RIG_ORDERS || r->doors_full ||
		v.working + v.in_line + v.own + 1 >= PDP_SAME)
		return;
	id = rig_delete(r, 0, handle);
	if (r->id[id].answered)
		run_broken(r, "a Delete found no room");
	if (v.for_aaa > PDP_REQUESTS / 2)
		run_broken(r, "AAA has more than half of the room");
}

static void (*const runs[])(struct rig *r, uint8_t arg) = { run_create, run_create, run_update,
	run_delete, run_stray, run_carry_out, run_carry_out, run_carry_out, run_slow, run_repeat,
	run_ack, run_ack, run_stream, run_aaa, run_aaa, run_own, run_pass, run_owner_ends,
	run_gateway, run_role, run_trouble, run_peer, run_crowd };

static void run_end_superseded(void *ctx, uint32_t superseded, uint32_t by)
{
	struct rig *r = ctx;

	rig_slot(r, superseded)->state = SESSION_FREE;
}

static uint32_t run_find(void *ctx, uint64_t key)
{
	uint32_t handle = 0;

	for (unsigned int i = 0; i < RIG_KEYS; i++)
		if (rig_key(i) == key)
			handle = rig_find(ctx, i);
	return handle;
}

static bool run_lives(void *ctx, uint32_t handle, uint64_t key)
{
	const struct session_rec *s = rig_slot(ctx, handle);

	return s->state == SESSION_LIVE && s->handle == handle && s->key == key;
}

/* No peer answers any more, and all is over in its time: owners carry out what they were given. */
static void run_to_the_end(struct rig *r)
{
	const struct pdp_superseded_ops ops = { .find = run_find,
		.lives = run_lives,
		.ctx = r,
		.end = run_end_superseded,
		.end_ctx = r };
	struct pdp_view v;

	run_trouble(r, 0);
	for (unsigned int i = 0; i < 50; i++) {
		while (r->n_orders > 0)
			rig_carry_out(r, 0);
		rig_pass(r, PDP_LINE_US);
	}
	pdp_view(r->pdp, &v);
	if (v.requests > 0 || v.own > 0)
		run_broken(r, "something lives for ever");
	if (pdp_names(r->pdp, RIG_APN, RIG_POOL))
		run_broken(r, "an APN or pool is kept for a procedure that has ended");
	for (uint64_t id = 1; id < r->next_id; id++)
		if (!r->id[id % RIG_IDS].answered)
			run_broken(r, "a request was never given back");
	pdp_superseded_walk(&r->superseded, &ops);
	for (unsigned int i = 0; i < RIG_KEYS; i++)
		if (rig_live(r, i) > 1)
			run_broken(r, "a subscriber has two sessions at the end");
}

bool rig_run(struct rig *r, const uint8_t *data, size_t size)
{
	rig_stream(r, true);
	for (size_t i = 0; i + 1 < size && r->next_id + 2 < RIG_IDS && r->broken[0] == '\0'; i += 2)
		runs[data[i] % (sizeof(runs) / sizeof(runs[0]))](r, data[i + 1]);
	if (r->broken[0] == '\0')
		run_to_the_end(r);
	return r->broken[0] == '\0';
}
