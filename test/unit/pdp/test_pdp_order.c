/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/pdp: requests for one session that meet, in each order, and with each delay. */
#include "test_pdp.h"

enum what { CREATE, UPDATE, DELETE, END, REFRESH, KINDS };

/* The first one's owner answers at once, so late that the second one's turn does not come, or that
 * it refuses, as the session cannot be changed now. */
enum loss { NONE, SLOW, REFUSED, LOSSES };

/* It begins; the id of a request, 0 of the gateway's own. */
static uint64_t order_begin(enum what what, unsigned int peer, uint32_t handle)
{
	switch (what) {
	case CREATE:
		return rig_create(&rig, peer, 0);
	case UPDATE:
		return rig_update(&rig, peer, handle, PDP_HAS_QOS);
	case DELETE:
		return rig_delete(&rig, peer, handle);
	case END:
		pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now);
		return 0;
	default:
		pdp_refresh(rig.pdp, handle, 1, rig.t.now);
		if (rig.n_own > 0)
			rig_own(&rig, rig.n_own - 1, PDP_ACCEPTED);
		return 0;
	}
}

/* What becomes of the second one, once the first is done: the session lives, and the cause. */
static enum pdp_cause order_second(enum what first, enum what second)
{
	bool lives = first != DELETE && first != END;

	if (second == CREATE)
		return PDP_ACCEPTED;
	/* It names the session that the first one's Create has ended. */
	return lives && first != CREATE ? PDP_ACCEPTED : PDP_NOT_FOUND;
}

static void order_check_pair(enum what first, enum what second, enum loss loss)
{
	uint32_t handle = pdp_session(0);
	uint64_t id[2];

	id[0] = order_begin(first, 0, handle);
	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	id[1] = order_begin(second, 1, handle);
	/* The second one's owner is not asked before the first one's has answered. */
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	CU_ASSERT_EQUAL(pdp_now().in_line, 1);
	if (loss == NONE) {
		rig_settle(&rig);
		CU_ASSERT_TRUE(id[0] == 0 || pdp_was(id[0], PDP_ACCEPTED));
		CU_ASSERT_TRUE(id[1] == 0 || pdp_was(id[1], order_second(first, second)));
		if (second == UPDATE && order_second(first, second) == PDP_ACCEPTED)
			CU_ASSERT_EQUAL(rig_slot(&rig, handle)->qos[0], 0x80 | rig.seq);
	} else {
		if (loss == SLOW)
			rig_pass(&rig, PDP_LINE_US);
		else
			rig_refuse(&rig, 0);
		rig_settle(&rig);
		CU_ASSERT_TRUE(
			id[0] == 0 || pdp_was(id[0], loss == SLOW ? PDP_ACCEPTED : PDP_UNANSWERED));
		CU_ASSERT_TRUE(id[1] == 0 || rig.id[id[1]].answered);
		rig_pass(&rig, PDP_AGAIN_US); /* what the gateway began */
		rig_settle(&rig);
		CU_ASSERT_TRUE(first != END || second == CREATE || rig_live(&rig, 0) == 0);
	}
	CU_ASSERT_EQUAL(rig_live(&rig, 0) > 1, false);
	rig_pass(&rig, PDP_PEER_US);
	CU_ASSERT_EQUAL(pdp_now().requests + pdp_now().own, 0);
}

static void test_pairs(void)
{
	for (enum what first = CREATE; first < KINDS; first++)
		for (enum what second = CREATE; second < KINDS; second++)
			for (enum loss loss = NONE; loss < LOSSES; loss++) {
				rig_close(&rig);
				rig_open(&rig, false, 100);
				order_check_pair(first, second, loss);
				if (rig.broken[0] != '\0')
					printf("%d %d %d: %s\n", first, second, loss, rig.broken);
				CU_ASSERT_STRING_EQUAL(rig.broken, "");
			}
}

/* The second Update does not undo what the first one brought, whichever came first. */
static void test_updates(void)
{
	uint32_t handle = pdp_session(0);
	struct session_rec *s = rig_slot(&rig, handle);
	uint64_t id[2];
	uint8_t qos;

	id[0] = rig_update(&rig, 0, handle, PDP_HAS_QOS);
	qos = (uint8_t)(0x80 | rig.seq);
	id[1] = rig_update(&rig, 0, handle, PDP_HAS_CTL_TEID);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id[0], PDP_ACCEPTED) && pdp_was(id[1], PDP_ACCEPTED));
	CU_ASSERT_EQUAL(s->qos[0], qos);
	CU_ASSERT_EQUAL(s->peer_ctl_teid, 0x3000 + id[1]);
	id[0] = rig_update(&rig, 0, handle, PDP_HAS_CTL_TEID);
	id[1] = rig_update(&rig, 0, handle, PDP_HAS_QOS);
	rig_settle(&rig);
	CU_ASSERT_EQUAL(s->qos[0], (uint8_t)(0x80 | rig.seq));
	CU_ASSERT_EQUAL(s->peer_ctl_teid, 0x3000 + id[0]);
}

/* ---- Create, Create, Delete, by two SGSNs ---- */

/* Orders are carried out, late or not, or refused by the ternary digits of `lose`, until none is
 * left. */
static void order_play(unsigned int lose)
{
	for (unsigned int i = 0; i < 20; i++) {
		if (rig.n_orders == 0) {
			rig_pass(&rig, PDP_LINE_US);
			continue;
		}
		if (lose % 3 == SLOW)
			rig_pass(&rig, PDP_LINE_US);
		if (lose % 3 == REFUSED)
			rig_refuse(&rig, 0);
		else
			rig_carry_out(&rig, 0);
		lose /= 3;
		for (unsigned int slot = 0; slot < RIG_SLOTS; slot++)
			rig_ack(&rig, slot);
	}
}

/* The Delete comes at place `at` of three; the Creates are those of two SGSNs. With each of the
 * orders late or refused nobody is left behind, and one session at most. */
static void order_check_three(unsigned int at, unsigned int lose)
{
	uint32_t handle = pdp_session(0);
	uint64_t id[3];

	rig_stream(&rig, true);
	for (unsigned int i = 0, creates = 0; i < 3; i++)
		id[i] = i == at ? rig_delete(&rig, 0, handle) : rig_create(&rig, creates++, 0);
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	order_play(lose);
	for (unsigned int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(rig.id[id[i]].answered);
	CU_ASSERT_TRUE(rig_live(&rig, 0) <= 1);
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
	if (lose != 0)
		return;
	/* The Delete names the first session, which it finds only when it came first. */
	CU_ASSERT_TRUE(pdp_was(id[at], at == 0 ? PDP_ACCEPTED : PDP_NOT_FOUND));
	for (unsigned int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(i == at || pdp_was(id[i], PDP_ACCEPTED));
	/* What lives is the last Create's. */
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 1);
	CU_ASSERT_EQUAL(rig_find(&rig, 0), rig.id[id[at == 2 ? 1 : 2]].handle);
}

static void test_three(void)
{
	for (unsigned int at = 0; at < 3; at++)
		for (unsigned int lose = 0; lose < 243; lose++) { /* of the first five orders */
			rig_close(&rig);
			rig_open(&rig, false, 100);
			order_check_three(at, lose);
			if (rig.broken[0] != '\0')
				printf("Delete at %u, delays %u: %s\n", at, lose, rig.broken);
			CU_ASSERT_STRING_EQUAL(rig.broken, "");
		}
}

/* The index has not heard of a session whose Create still waits for its commit: the next Create
 * replaces it all the same. */
static void test_index_behind(void)
{
	uint64_t id[2];

	rig_stream(&rig, true);
	id[0] = rig_create(&rig, 0, 0);
	id[1] = rig_create(&rig, 1, 0);
	rig.index_behind = true;
	rig_carry_out(&rig, 0);
	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	CU_ASSERT_EQUAL(rig.order[0].o.kind, PDP_DELETE);
	rig_carry_out(&rig, 0);
	rig.index_behind = false;
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id[0], PDP_ACCEPTED) && pdp_was(id[1], PDP_ACCEPTED));
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 1);
}

/* Sessions do not hold each other up, and one has so many requests and no more. */
static void test_many(void)
{
	uint32_t handle = pdp_session(0);
	uint64_t id[PDP_SAME + 1];

	for (unsigned int i = 0; i <= PDP_SAME; i++)
		id[i] = rig_update(&rig, 0, handle, 0);
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	CU_ASSERT_EQUAL(pdp_now().in_line, PDP_SAME - 1);
	CU_ASSERT_TRUE(pdp_was(id[PDP_SAME], PDP_UNANSWERED));
	CU_ASSERT_TRUE(pdp_waits(rig_create(&rig, 0, 1)));
	CU_ASSERT_EQUAL(rig.n_orders, 2);
	/* None waits for its turn without end; who has it waits for the owner. */
	rig_pass(&rig, PDP_LINE_US);
	CU_ASSERT_TRUE(pdp_waits(id[0]));
	for (unsigned int i = 1; i <= PDP_SAME; i++)
		CU_ASSERT_TRUE(pdp_was(id[i], PDP_UNANSWERED));
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id[0], PDP_ACCEPTED));
}

/* However many requests wait for a session, one that ends it finds room. */
static void test_many_end(void)
{
	uint32_t handle = pdp_session(0);
	uint64_t id;

	for (unsigned int i = 0; i < 2 * PDP_SAME; i++)
		rig_create(&rig, 0, 0);
	id = rig_delete(&rig, 0, handle);
	CU_ASSERT_TRUE(pdp_waits(id));
	CU_ASSERT_TRUE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	for (unsigned int i = 2; i < PDP_SAME_ENDS; i++)
		CU_ASSERT_TRUE(pdp_waits(rig_delete(&rig, 0, handle)));
	CU_ASSERT_TRUE(pdp_was(rig_delete(&rig, 0, handle), PDP_UNANSWERED));
	CU_ASSERT_FALSE(pdp_end(rig.pdp, handle, SESSION_WHY_SESSION_TIMEOUT, rig.t.now));
	rig_settle(&rig);
	CU_ASSERT_TRUE(rig.id[id].answered);
}

/* The index still names the session before the newest, whose Create waits for its commit. */
static void test_index_stale(void)
{
	uint64_t id[2];

	rig.index_stale = pdp_session(0);
	rig_stream(&rig, true);
	id[0] = rig_create(&rig, 0, 0);
	rig_carry_out(&rig, 0);
	rig_carry_out(&rig, 0);
	id[1] = rig_create(&rig, 1, 0);
	rig_settle(&rig);
	rig.index_stale = 0;
	CU_ASSERT_TRUE(pdp_was(id[0], PDP_ACCEPTED) && pdp_was(id[1], PDP_ACCEPTED));
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 1);
}

CU_TestInfo pdp_order_tests[] = { { "each two", test_pairs }, { "two Updates", test_updates },
	{ "Create, Create, Delete", test_three }, { "the index is behind", test_index_behind },
	{ "the index names the one before", test_index_stale }, { "many", test_many },
	{ "many, and an end", test_many_end }, CU_TEST_INFO_NULL };
