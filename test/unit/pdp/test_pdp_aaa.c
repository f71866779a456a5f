/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/pdp: AAA, and who finds room. */
#include "test_pdp.h"

static void test_aaa(void)
{
	uint64_t id = rig_create(&rig, 0, 0);

	CU_ASSERT_EQUAL(rig.n_orders, 0);
	CU_ASSERT_EQUAL_FATAL(rig.n_aaa, 1);
	rig_aaa(&rig, 0, true);
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	id = rig_create(&rig, 0, 1);
	rig_aaa(&rig, 0, false);
	CU_ASSERT_TRUE(pdp_was(id, PDP_NOT_AUTHENTICATED));
	id = rig_create(&rig, 0, 1);
	rig_pass(&rig, PDP_AAA_US - 1);
	CU_ASSERT_TRUE(pdp_waits(id));
	rig_pass(&rig, 1);
	CU_ASSERT_TRUE(pdp_was(id, PDP_NOT_AUTHENTICATED));
	rig_aaa(&rig, 0, true); /* too late */
	CU_ASSERT_EQUAL(rig.n_orders, 0);
	rig.no_aaa = true;
	CU_ASSERT_TRUE(pdp_was(rig_create(&rig, 0, 1), PDP_UNANSWERED));
}

/* Who waits for AAA holds up nobody, and a newer Create of the same subscriber counts. */
static void test_aaa_older(void)
{
	uint64_t first = rig_create(&rig, 0, 0), second = rig_create(&rig, 1, 0);

	CU_ASSERT_TRUE(pdp_was(first, PDP_UNANSWERED));
	CU_ASSERT_EQUAL_FATAL(rig.n_aaa, 2);
	rig_aaa(&rig, 0, true);
	CU_ASSERT_EQUAL(rig.n_orders, 0);
	rig_aaa(&rig, 0, true);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(second, PDP_ACCEPTED));
	first = rig_create(&rig, 0, 0);
	second = rig_delete(&rig, 1, rig_find(&rig, 0));
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(second, PDP_ACCEPTED));
	CU_ASSERT_TRUE(pdp_waits(first));
	rig_aaa(&rig, 0, true);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(first, PDP_ACCEPTED));
}

/* A peer that restarts while its Create waits does not know of it any more: its sessions were told
 * to end before this one began, which would stay for ever. Another peer's is not touched. */
static void test_aaa_restart(void)
{
	struct ip_addr peer = rig_peer(0), other = rig_peer(1);
	uint64_t id[3];

	pdp_peer_heard(rig.pdp, &peer, 4, rig.t.now);
	pdp_peer_heard(rig.pdp, &other, 4, rig.t.now);
	id[0] = rig_create(&rig, 0, 0);
	id[1] = rig_create(&rig, 1, 1);
	pdp_peer_heard(rig.pdp, &peer, 5, rig.t.now);
	id[2] = rig_create(&rig, 0, 2);
	for (unsigned int i = 0; i < 3; i++) {
		pdp_aaa_answered(rig.pdp, rig.aaa[i], true, rig.t.now);
		CU_ASSERT_EQUAL(rig.n_orders, i);
	}
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id[0], PDP_UNANSWERED));
	CU_ASSERT_TRUE(pdp_was(id[1], PDP_ACCEPTED));
	CU_ASSERT_TRUE(pdp_was(id[2], PDP_ACCEPTED));
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 0);
	rig.n_aaa = 0;
}

/* At most half of the room is AAA's, and a Delete finds some when all else is taken. */
static void test_room(void)
{
	uint64_t id = rig_create(&rig, 0, 0);
	uint32_t handle;

	rig_aaa(&rig, 0, true);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	handle = rig_find(&rig, 0);
	for (unsigned int i = 0; i < PDP_FOR_AAA; i++)
		CU_ASSERT_TRUE(pdp_waits(rig_create(&rig, 0, 10 + i)));
	CU_ASSERT_TRUE(pdp_was(rig_create(&rig, 0, 9), PDP_NO_RESOURCES));
	CU_ASSERT_EQUAL(pdp_now().for_aaa, PDP_FOR_AAA);
	CU_ASSERT_EQUAL(pdp_now().rows.requests_full, 1);
	id = rig_delete(&rig, 0, handle);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
}

/* Without AAA, too: what waits for the standby takes all that it may. */
static void test_room_deletes(void)
{
	uint32_t handle = pdp_session(0);
	unsigned int n = 0;

	rig_stream(&rig, true);
	while (pdp_now().rows.requests_full == 0) {
		rig_create(&rig, 0, 10 + n++);
		if (rig.n_orders > 0)
			rig_answer_as(&rig, 0x10000 + n, 1);
	}
	CU_ASSERT_EQUAL(pdp_now().requests, PDP_REQUESTS - PDP_FOR_DELETES);
	CU_ASSERT_TRUE(pdp_waits(rig_delete(&rig, 0, handle)));
	CU_ASSERT_EQUAL(rig.n_orders, 1);
	rig_carry_out(&rig, 0);
	CU_ASSERT_EQUAL(pdp_now().requests, PDP_REQUESTS - PDP_FOR_DELETES + 1);
	rig_stream(&rig, false);
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
}

CU_TestInfo pdp_aaa_tests[] = { { "AAA", test_aaa }, { "AAA, older", test_aaa_older },
	{ "restart of a peer", test_aaa_restart }, { "AAA, room", test_room }, CU_TEST_INFO_NULL };
CU_TestInfo pdp_room_tests[] = { { "room for Deletes", test_room_deletes }, CU_TEST_INFO_NULL };
