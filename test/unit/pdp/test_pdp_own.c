/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/pdp: what the gateway begins itself, its peers, and the lists of sessions that end. */
#include <errno.h>
#include <string.h>

#include "test_pdp.h"

/* A session ended by itself: the peer is told, and nobody waits for its answer for ever. */
static void test_notice(void)
{
	uint32_t handle = pdp_session(0);

	rig_owner_ends(&rig, (handle >> 8) - 1);
	CU_ASSERT_EQUAL_FATAL(rig.n_own, 1);
	CU_ASSERT_EQUAL(rig.own[0].kind, PDP_OWN_DELETE);
	CU_ASSERT_EQUAL(pdp_now().own, 1);
	CU_ASSERT_EQUAL(pdp_now().working, 0);
	rig_own(&rig, 0, PDP_ACCEPTED);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
	rig.own_refused = true;
	CU_ASSERT_FALSE(pdp_session_ended(rig.pdp, rig_slot(&rig, handle), rig.t.now));
	CU_ASSERT_EQUAL(pdp_now().own, 0);
	rig.own_refused = false;
	CU_ASSERT_TRUE(pdp_session_ended(rig.pdp, rig_slot(&rig, handle), rig.t.now));
	rig_pass(&rig, PDP_PEER_US);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
}

/* They have room of their own, and take none from requests. */
static void test_notices(void)
{
	struct session_rec rec = { .key = rig_key(0), .peer_ctl = rig_peer(0) };

	for (unsigned int i = 0; i < PDP_OWN; i++) {
		CU_ASSERT_TRUE_FATAL(pdp_session_ended(rig.pdp, &rec, rig.t.now));
		rig.n_own = 0;
	}
	CU_ASSERT_FALSE(pdp_session_ended(rig.pdp, &rec, rig.t.now));
	CU_ASSERT_EQUAL(pdp_now().own, PDP_OWN);
	pdp_session(0);
	rig_pass(&rig, PDP_PEER_US);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
}

static void test_end(void)
{
	uint32_t handle = pdp_session(0);

	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	CU_ASSERT_EQUAL(rig.n_own, 0);
	CU_ASSERT_EQUAL(rig.order[0].o.why, SESSION_WHY_SESSION_TIMEOUT);
	rig_carry_out(&rig, 0);
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 0);
	CU_ASSERT_EQUAL_FATAL(rig.n_own, 1);
	CU_ASSERT_EQUAL(rig.own[0].kind, PDP_OWN_DELETE);
	rig_own(&rig, 0, PDP_UNANSWERED);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
	CU_ASSERT_FALSE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	CU_ASSERT_FALSE(pdp_end(rig.pdp, 0, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	/* It was gone when its turn came, or cannot be asked for: nothing is said. */
	handle = pdp_session(1);
	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	rig_slot(&rig, handle)->state = SESSION_FREE;
	rig_carry_out(&rig, 0);
	CU_ASSERT_EQUAL(rig.n_own + pdp_now().own, 0);
}

/* An end that was accepted comes to pass, whatever is in its way for a while. */
static void test_end_again(void)
{
	uint32_t handle = pdp_session(0);

	rig.doors_full = true;
	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	CU_ASSERT_EQUAL(pdp_now().own, 1);
	CU_ASSERT_EQUAL(pdp_now().working, 0);
	rig.doors_full = false;
	rig_pass(&rig, PDP_AGAIN_US - 1);
	CU_ASSERT_EQUAL(rig.n_orders, 0);
	rig_pass(&rig, 1);
	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	rig_refuse(&rig, 0);
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 1);
	/* Who waits for that holds up nobody. */
	rig_update(&rig, 0, handle, 0);
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	rig_settle(&rig);
	rig_pass(&rig, PDP_AGAIN_US);
	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	/* The owner ends it at last, but is late to say so: it is not asked twice. */
	rig_pass(&rig, 10 * PDP_LINE_US);
	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	CU_ASSERT_EQUAL(rig.order[0].o.why, SESSION_WHY_SESSION_TIMEOUT);
	rig_carry_out(&rig, 0);
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 0);
	CU_ASSERT_EQUAL_FATAL(rig.n_own, 1);
	rig_own(&rig, 0, PDP_ACCEPTED);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
	/* Not for ever. */
	handle = pdp_session(1);
	rig.doors_full = true;
	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	for (usec_t t = 0; t <= PDP_AGAIN_FOR_US; t += PDP_AGAIN_US)
		rig_pass(&rig, PDP_AGAIN_US);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
}

/* A switchover that does not come takes no end away, and none begins while it is on its way. */
static void test_end_held(void)
{
	uint32_t handle = pdp_session(0);

	rig_update(&rig, 0, handle, 0);
	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	CU_ASSERT_EQUAL(pdp_now().in_line, 1);
	pdp_hold(rig.pdp, rig.t.now);
	rig_settle(&rig);
	for (unsigned int i = 0; i < 5; i++) {
		pdp_hold(rig.pdp, rig.t.now);
		rig_pass(&rig, PDP_AGAIN_US - 1);
	}
	CU_ASSERT_EQUAL(rig.n_orders, 0);
	CU_ASSERT_EQUAL(pdp_now().working, 0);
	rig_pass(&rig, 1);
	rig_settle(&rig);
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 0);
	/* What begins meanwhile, or is answered by the peer, waits as well. */
	handle = pdp_session(2);
	CU_ASSERT_TRUE(pdp_refresh(rig.pdp, handle, 0, rig.t.now));
	pdp_hold(rig.pdp, rig.t.now);
	rig_own(&rig, rig.n_own - 1, PDP_ACCEPTED);
	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	CU_ASSERT_EQUAL(rig.n_orders + pdp_now().working, 0);
	rig_pass(&rig, PDP_AGAIN_US);
	rig_settle(&rig);
	CU_ASSERT_EQUAL(rig_live(&rig, 2), 0);
	/* One that comes does: who is Active then decides anew. */
	handle = pdp_session(1);
	rig.doors_full = true;
	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	pdp_hold(rig.pdp, rig.t.now);
	rig_deactivate(&rig);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
}

/* The peer's answer is given to the owner; the request that was answered last stays what it is. */
static void test_refresh(void)
{
	uint32_t handle = pdp_session(0);
	struct session_rec *s = rig_slot(&rig, handle), was = *s;

	CU_ASSERT_TRUE(pdp_refresh(rig.pdp, handle, 3, rig.t.now));
	CU_ASSERT_EQUAL_FATAL(rig.n_own, 1);
	CU_ASSERT_EQUAL(rig.own[0].kind, PDP_OWN_UPDATE);
	CU_ASSERT_EQUAL(rig.own[0].indication, 3);
	CU_ASSERT_EQUAL(rig.n_orders, 0);
	/* A request that comes meanwhile does not wait for the peer. */
	rig_update(&rig, 0, handle, PDP_HAS_QOS);
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	rig_own(&rig, 0, PDP_ACCEPTED);
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	rig_settle(&rig);
	CU_ASSERT_EQUAL(s->peer_usr_teid, 0x5000 + rig.seq);
	CU_ASSERT_EQUAL(s->peer_ctl_teid, was.peer_ctl_teid);
	CU_ASSERT_EQUAL(s->qos[0], 0x80 | rig.seq);
	CU_ASSERT_EQUAL(s->req_type, RIG_TYPE + 2);
	CU_ASSERT_EQUAL(s->req_seq, rig.seq);
	CU_ASSERT_EQUAL(pdp_now().own, 0);
}

/* A peer that does not know the session ends it; one that is silent or refuses does not. */
static void test_refresh_refused(void)
{
	uint32_t handle = pdp_session(0);

	for (enum pdp_cause cause = PDP_UNANSWERED; cause <= PDP_FAILED; cause++) {
		if (cause == PDP_ACCEPTED || cause == PDP_NOT_FOUND)
			continue;
		pdp_refresh(rig.pdp, handle, 0, rig.t.now);
		rig_own(&rig, 0, cause);
		CU_ASSERT_EQUAL(rig.n_orders + pdp_now().own, 0);
	}
	pdp_refresh(rig.pdp, handle, 0, rig.t.now);
	rig_own(&rig, 0, PDP_NOT_FOUND);
	CU_ASSERT_EQUAL(rig.order[0].o.why, SESSION_WHY_ERROR_INDICATION);
	rig_settle(&rig);
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 0);
	CU_ASSERT_EQUAL(rig.n_own + pdp_now().own, 0);
	CU_ASSERT_FALSE(pdp_refresh(rig.pdp, handle, 0, rig.t.now));
}

/* ---- peers ---- */

static void test_restart(void)
{
	struct ip_addr peer = rig_peer(1);

	pdp_peer_heard(rig.pdp, &peer, 4, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_purges, 1); /* sessions of before may carry another */
	pdp_peer_heard(rig.pdp, &peer, 4, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_purges, 1);
	CU_ASSERT_EQUAL(rig.n_restarts, 0);
	pdp_peer_heard(rig.pdp, &peer, 5, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_purges, 2);
	CU_ASSERT_EQUAL(rig.n_restarts, 1);
	CU_ASSERT_TRUE(ip_addr_equal(&rig.purged, &peer));
	/* Slots may have changed hands: they are compared once more. */
	pdp_activated(rig.pdp, 9);
	pdp_peer_heard(rig.pdp, &peer, 5, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_purges, 3);
	CU_ASSERT_EQUAL(rig.n_restarts, 1);
}

/* Owners whose doors were full are asked again. */
static void test_restart_unheard(void)
{
	struct ip_addr peer = rig_peer(1);

	pdp_peer_heard(rig.pdp, &peer, 4, rig.t.now);
	rig.doors_full = true;
	for (unsigned int i = 0; i < 2; i++)
		pdp_peer_heard(rig.pdp, &peer, 5, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_purges, 3);
	rig.doors_full = false;
	for (unsigned int i = 0; i < 2; i++)
		pdp_peer_heard(rig.pdp, &peer, 5, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_purges, 4);
	CU_ASSERT_EQUAL(rig.n_restarts, 1);
}

static void test_echo(void)
{
	struct ip_addr peer = rig_peer(1), stranger = rig_peer(7);

	pdp_peer_heard(rig.pdp, &peer, 4, rig.t.now);
	rig_pass(&rig, 60 * USEC_PER_SEC - 1);
	CU_ASSERT_EQUAL(rig.n_echoes, 0);
	rig.t.now++;
	pdp_turn(rig.pdp, &rig.t, false);
	CU_ASSERT_EQUAL(rig.n_echoes, 0);
	pdp_turn(rig.pdp, &rig.t, true);
	CU_ASSERT_EQUAL(rig.n_echoes, 1);
	pdp_peer_result(rig.pdp, &peer, true, rig.t.now);
	pdp_peer_result(rig.pdp, &stranger, false, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_back + rig.n_silent, 0);
	for (unsigned int i = 0; i < 2; i++)
		pdp_peer_result(rig.pdp, &peer, false, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_silent, 1);
	pdp_peer_result(rig.pdp, &peer, true, rig.t.now);
	CU_ASSERT_EQUAL(rig.n_back, 1);
	/* Who is silent for long is not asked any more. */
	rig_pass(&rig, 601 * USEC_PER_SEC);
	CU_ASSERT_EQUAL(rig.n_echoes, 1);
}

/* More peers than are known at a time: the one that was silent longest is forgotten. */
static void test_peers(void)
{
	struct ip_addr peer;

	for (unsigned int i = 0; i < 1025; i++) {
		peer = rig_peer(i);
		pdp_peer_heard(rig.pdp, &peer, 1, rig.t.now++);
	}
	CU_ASSERT_EQUAL(rig.n_purges, 1025);
	CU_ASSERT_EQUAL(pdp_now().rows.peers_full, 1);
	CU_ASSERT_EQUAL(pdp_now().rows.peers_collided, 0);
	pdp_peer_heard(rig.pdp, &peer, 1, rig.t.now++);
	CU_ASSERT_EQUAL(rig.n_purges, 1025);
	peer = rig_peer(0);
	pdp_peer_heard(rig.pdp, &peer, 1, rig.t.now++);
	CU_ASSERT_EQUAL(rig.n_purges, 1026);
}

/* ---- lists ---- */

static void test_purge(void)
{
	static struct pdp_purge l;
	struct ip_addr a = rig_peer(1), b = rig_peer(2);

	memset(&l, 0, sizeof(l));
	CU_ASSERT_TRUE(pdp_purge_add(&l, &a, 3));
	CU_ASSERT_FALSE(pdp_purge_hits(&l, a.b, 2)); /* from the next pass on */
	pdp_purge_pass(&l);
	CU_ASSERT_TRUE(pdp_purge_hits(&l, a.b, 2));
	CU_ASSERT_FALSE(pdp_purge_hits(&l, a.b, 3));
	CU_ASSERT_FALSE(pdp_purge_hits(&l, b.b, 2));
	CU_ASSERT_TRUE(pdp_purge_add(&l, &a, 4));
	CU_ASSERT_TRUE(pdp_purge_add(&l, &a, 5));
	CU_ASSERT_EQUAL(l.n_asked, 1);
	pdp_purge_pass(&l);
	CU_ASSERT_FALSE(pdp_purge_hits(&l, a.b, 5));
	CU_ASSERT_TRUE(pdp_purge_hits(&l, a.b, 4));
	pdp_purge_pass(&l);
	CU_ASSERT_FALSE(pdp_purge_hits(&l, a.b, 4));
	for (unsigned int i = 0; i < PDP_PURGES; i++) {
		a = rig_peer(i);
		CU_ASSERT_TRUE(pdp_purge_add(&l, &a, 1));
	}
	a = rig_peer(PDP_PURGES);
	CU_ASSERT_FALSE(pdp_purge_add(&l, &a, 1));
	/* All of them, and nobody else. */
	pdp_purge_pass(&l);
	for (unsigned int i = 0; i <= PDP_PURGES; i++) {
		a = rig_peer(i);
		CU_ASSERT_EQUAL(pdp_purge_hits(&l, a.b, 2), i < PDP_PURGES);
		CU_ASSERT_FALSE(pdp_purge_hits(&l, a.b, 1));
	}
	a = ip_addr_v4(0x0a070001);
	CU_ASSERT_FALSE(pdp_purge_hits(&l, a.b, 2));
}

/* ---- addresses and keys that a stranger chose for a secret that it had learnt ---- */

enum { CHOSEN = 64 };
static const struct siphash_secret learnt = { { 1 } }, not_learnt = { { 2 } };

/* Those whose hash by `learnt` is 77 in so many buckets. */
static void own_chosen(struct ip_addr a[CHOSEN], unsigned int buckets)
{
	unsigned int n = 0;

	for (uint32_t v4 = 0x0b000000; n < CHOSEN; v4++) {
		a[n] = ip_addr_v4(v4);
		n += siphash_addr(&learnt, &a[n]) % buckets == 77;
	}
}

/* In one bucket there are so many and no more: the others wait for the passes that follow, and none
 * is forgotten. For any other secret all are in the first one. */
static void test_purge_chosen(void)
{
	static struct pdp_purge l;
	struct ip_addr a[CHOSEN];
	unsigned int hits = 0, waits = CHOSEN;

	own_chosen(a, PDP_PURGES);
	memset(&l, 0, sizeof(l));
	l.secret = learnt;
	for (unsigned int i = 0; i < CHOSEN; i++)
		CU_ASSERT_TRUE(pdp_purge_add(&l, &a[i], 1));
	for (unsigned int pass = 0; waits > 0 && pass < CHOSEN; pass++) {
		waits -= PDP_PURGE_CHAIN;
		CU_ASSERT_EQUAL(pdp_purge_pass(&l), waits);
		for (unsigned int i = 0; i < CHOSEN; i++)
			hits += pdp_purge_hits(&l, a[i].b, 2);
		CU_ASSERT_EQUAL(hits, CHOSEN - waits);
	}
	CU_ASSERT_EQUAL(pdp_purge_pass(&l), 0);
	l.secret = not_learnt;
	for (unsigned int i = 0; i < CHOSEN; i++)
		CU_ASSERT_TRUE(pdp_purge_add(&l, &a[i], 1));
	CU_ASSERT_EQUAL(pdp_purge_pass(&l), 0);
	for (unsigned int i = 0; i < CHOSEN; i++)
		CU_ASSERT_TRUE(pdp_purge_hits(&l, a[i].b, 2));
}

static void own_secret(const struct siphash_secret *s, bool with_aaa)
{
	rig_close(&rig);
	rig_secret = *s;
	rig_open(&rig, with_aaa, 1 << 20);
	rig_secret = learnt;
}

static void test_peers_chosen(void)
{
	enum { KEPT = 16, BUCKETS = 2048 };
	struct ip_addr a[CHOSEN], other = rig_peer(0);

	own_chosen(a, BUCKETS);
	own_secret(&learnt, false);
	pdp_peer_heard(rig.pdp, &other, 1, rig.t.now++);
	for (unsigned int i = 0; i < CHOSEN; i++)
		pdp_peer_heard(rig.pdp, &a[i], 1, rig.t.now++);
	CU_ASSERT_EQUAL(pdp_now().rows.peers_collided, CHOSEN - KEPT);
	CU_ASSERT_EQUAL(pdp_now().rows.peers_full, 0);
	CU_ASSERT_EQUAL(rig.n_purges, 1 + CHOSEN);
	/* Those that were heard last, and those of other buckets, are known. */
	pdp_peer_heard(rig.pdp, &other, 1, rig.t.now++);
	for (unsigned int i = CHOSEN - KEPT; i < CHOSEN; i++)
		pdp_peer_heard(rig.pdp, &a[i], 1, rig.t.now++);
	CU_ASSERT_EQUAL(rig.n_purges, 1 + CHOSEN);
	own_secret(&not_learnt, false);
	for (unsigned int i = 0; i < 2 * CHOSEN; i++)
		pdp_peer_heard(rig.pdp, &a[i % CHOSEN], 1, rig.t.now++);
	CU_ASSERT_EQUAL(pdp_now().rows.peers_collided, 0);
	CU_ASSERT_EQUAL(rig.n_purges, CHOSEN);
}

/* Sessions that meet in one bucket are refused there, and nobody else is. */
static void test_rows_chosen(void)
{
	enum { MANY = 100, KEPT = 80, BUCKETS = 4096 };
	unsigned int key[MANY], n = 0;

	for (unsigned int k = 0; n < MANY; k++) {
		key[n] = k;
		n += siphash_word(&learnt, rig_key(k)) % BUCKETS == 77;
	}
	own_secret(&learnt, true);
	for (unsigned int i = 0; i < MANY; i++) {
		uint64_t id = rig_create(&rig, 0, key[i]);

		CU_ASSERT_TRUE(i < KEPT ? pdp_waits(id) : pdp_was(id, PDP_NO_RESOURCES));
	}
	CU_ASSERT_EQUAL(pdp_now().rows.requests_collided, MANY - KEPT);
	CU_ASSERT_EQUAL(pdp_now().rows.requests_full, 0);
	CU_ASSERT_TRUE(pdp_waits(rig_create(&rig, 0, key[0] + 1)));
	own_secret(&not_learnt, true);
	for (unsigned int i = 0; i < MANY; i++)
		CU_ASSERT_TRUE(pdp_waits(rig_create(&rig, 0, key[i])));
	CU_ASSERT_EQUAL(pdp_now().rows.requests_collided + pdp_now().rows.requests_full, 0);
}

static unsigned int n_ended;
static uint32_t own_newest;

static uint32_t own_find(void *ctx, uint64_t key)
{
	return key == 1 ? own_newest : 0;
}

static bool own_lives(void *ctx, uint32_t handle, uint64_t key)
{
	return handle != 0x20;
}

static void own_end(void *ctx, uint32_t superseded, uint32_t by)
{
	CU_ASSERT_EQUAL(superseded, 0x10);
	CU_ASSERT_EQUAL(by, own_newest);
	n_ended++;
}

static void test_superseded(void)
{
	static struct pdp_superseded l;
	struct pdp_superseded_ops ops = { .find = own_find, .lives = own_lives };

	memset(&l, 0, sizeof(l));
	n_ended = 0;
	own_newest = 0x30;
	pdp_superseded_add(&l, 1, 0x10);
	pdp_superseded_add(&l, 1, 0x20); /* gone */
	pdp_superseded_add(&l, 1, 0x30); /* the newest again */
	pdp_superseded_add(&l, 1, 0x20);
	pdp_superseded_add(&l, 2, 0x40); /* the newest ended, and the index has not heard of it */
	CU_ASSERT_EQUAL(pdp_superseded_before(&l, 1, &ops), 0x30);
	pdp_superseded_walk(&l, &ops);
	CU_ASSERT_EQUAL(l.n, 2);
	ops.end = own_end;
	pdp_superseded_walk(&l, &ops);
	pdp_superseded_walk(&l, &ops);
	CU_ASSERT_EQUAL(n_ended, 2);
	CU_ASSERT_EQUAL(l.n, 2);
	CU_ASSERT_EQUAL(pdp_superseded_before(&l, 1, &ops), 0x10);
	CU_ASSERT_EQUAL(pdp_superseded_before(&l, 2, &ops), 0x40);
	CU_ASSERT_EQUAL(pdp_superseded_before(&l, 3, &ops), 0);
	/* One that is heard of again takes no more room. */
	CU_ASSERT_TRUE(pdp_superseded_add(&l, 1, 0x10));
	CU_ASSERT_EQUAL(l.n, 2);
	for (uint32_t handle = 0x50; l.n < PDP_SUPERSEDED; handle++)
		CU_ASSERT_TRUE_FATAL(pdp_superseded_add(&l, 1, handle));
	CU_ASSERT_FALSE(pdp_superseded_add(&l, 1, 0x11));
	CU_ASSERT_TRUE(pdp_superseded_add(&l, 1, 0x10));
}

CU_TestInfo pdp_own_tests[] = { { "a session ended", test_notice }, { "many ended", test_notices },
	{ "end by the gateway", test_end }, { "end, again", test_end_again },
	{ "end, held", test_end_held }, { "refresh", test_refresh },
	{ "refresh refused", test_refresh_refused }, { "restart of a peer", test_restart },
	{ "restart, unheard", test_restart_unheard }, { "Echo", test_echo },
	{ "many peers", test_peers }, { "purge", test_purge },
	{ "chosen, purge", test_purge_chosen }, { "chosen, peers", test_peers_chosen },
	{ "chosen, requests", test_rows_chosen }, { "superseded", test_superseded },
	CU_TEST_INFO_NULL };
