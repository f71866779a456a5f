/* SPDX-License-Identifier: BSD-3-Clause */
/* The commit gate of lib/pdp: when answers leave. */
#include <string.h>

#include "pdp_priv.h"
#include "test_pdp.h"

/* A Create of its own subscriber whose owner answers with that handle and commit. */
static uint64_t gate_answer(unsigned int key, uint32_t handle, uint32_t commit)
{
	uint64_t id = rig_create(&rig, 0, key);

	rig_answer_as(&rig, handle, commit);
	return id;
}

static void gate_ack(uint32_t handle, uint32_t commit)
{
	rig.is_protected = true;
	pdp_committed(rig.pdp, handle, commit, rig.t.now);
}

/* An answer leaves for the acknowledgement of its own session and commit, and for no other. */
static void test_gate_waits(void)
{
	uint64_t id;

	rig_stream(&rig, true);
	CU_ASSERT_TRUE(pdp_now().is_protected);
	id = gate_answer(0, 0x100, 5);
	CU_ASSERT_EQUAL(pdp_now().for_commit, 1);
	CU_ASSERT_NOT_EQUAL(pdp_now().oldest, 0);
	gate_ack(0x100, 4);
	gate_ack(0x101, 5);
	gate_ack(0x1101, 5); /* in the same bucket as 0x100 */
	CU_ASSERT_TRUE(pdp_waits(id));
	gate_ack(0x100, 5);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
	CU_ASSERT_EQUAL(pdp_now().gate.gated_answers, 1);
	CU_ASSERT_EQUAL(pdp_now().gate.protected_answers, 1);
	CU_ASSERT_EQUAL(pdp_now().gate.unprotected_answers, 0);
}

/* A later commit covers the earlier ones, over the end of the numbers too. */
static void test_gate_later(void)
{
	uint64_t id[3];

	rig_stream(&rig, true);
	id[0] = gate_answer(0, 0x100, 0xfffffe);
	id[1] = gate_answer(1, 0x100, 2);
	id[2] = gate_answer(2, 0x100, 4);
	gate_ack(0x100, 0xfffffd);
	CU_ASSERT_TRUE(pdp_waits(id[0]));
	gate_ack(0x100, 3);
	CU_ASSERT_TRUE(pdp_was(id[0], PDP_ACCEPTED) && pdp_was(id[1], PDP_ACCEPTED));
	CU_ASSERT_TRUE(pdp_waits(id[2]));
	gate_ack(0x100, 4);
	CU_ASSERT_TRUE(pdp_was(id[2], PDP_ACCEPTED));
}

/* Without protection, and with nothing to commit, an answer does not wait. */
static void test_gate_unprotected(void)
{
	CU_ASSERT_TRUE(pdp_was(gate_answer(0, 0x100, 5), PDP_ACCEPTED));
	pdp_stream(rig.pdp, true, rig.t.now);
	CU_ASSERT_TRUE(pdp_was(gate_answer(1, 0x100, 0), PDP_ACCEPTED));
	CU_ASSERT_EQUAL(pdp_now().gate.unprotected_answers, 2);
	CU_ASSERT_EQUAL(pdp_now().gate.gated_answers, 0);
}

/* The stream ends: all leave, and the next does not wait. The next acknowledgement protects. */
static void test_gate_stream_ends(void)
{
	uint64_t id[3];

	rig_stream(&rig, true);
	for (unsigned int i = 0; i < 3; i++)
		id[i] = gate_answer(i, 0x100 + i, 5);
	CU_ASSERT_TRUE(pdp_waits(id[0]) && pdp_waits(id[1]) && pdp_waits(id[2]));
	rig_stream(&rig, false);
	CU_ASSERT_FALSE(pdp_now().is_protected);
	for (unsigned int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(pdp_was(id[i], PDP_ACCEPTED));
	CU_ASSERT_EQUAL(pdp_now().gate.unprotected_answers, 3);
	CU_ASSERT_EQUAL(pdp_now().gate.protection_ended_stream, 1);
	CU_ASSERT_TRUE(pdp_was(gate_answer(0, 0x100, 7), PDP_ACCEPTED));
	gate_ack(0x400, 1);
	CU_ASSERT_TRUE(pdp_now().is_protected);
	CU_ASSERT_EQUAL(pdp_now().gate.protection_began, 1);
	CU_ASSERT_TRUE(pdp_waits(gate_answer(0, 0x100, 8)));
	rig_stream(&rig, false);
	rig_stream(&rig, false);
	CU_ASSERT_EQUAL(pdp_now().gate.protection_ended_stream, 2);
}

/* One that waited for too long ends the protection for all. The time in which nobody listened to
 * the standby does not count. */
static void test_gate_timeout(void)
{
	uint64_t first, second;

	rig_stream(&rig, true);
	first = gate_answer(0, 0x100, 5);
	rig_pass(&rig, RIG_TIMEOUT_US - 1);
	second = gate_answer(1, 0x200, 5);
	CU_ASSERT_TRUE(pdp_waits(first));
	rig.t.stood_still += 700;
	rig_pass(&rig, 700);
	CU_ASSERT_TRUE(pdp_waits(first) && pdp_now().is_protected);
	rig_pass(&rig, 1);
	CU_ASSERT_TRUE(pdp_was(first, PDP_ACCEPTED) && pdp_was(second, PDP_ACCEPTED));
	CU_ASSERT_FALSE(pdp_now().is_protected);
	CU_ASSERT_EQUAL(pdp_now().gate.protection_ended_timeout, 1);
	CU_ASSERT_EQUAL(rig.n_timeouts, 1);
	/* What is acknowledged late leaves once, and answers wait again. */
	gate_ack(0x100, 5);
	CU_ASSERT_TRUE(pdp_now().is_protected);
	CU_ASSERT_TRUE(pdp_waits(gate_answer(2, 0x300, 9)));
	pdp_configure(rig.pdp, 10);
	CU_ASSERT_TRUE(pdp_waits(gate_answer(3, 0x400, 9)));
	rig_stream(&rig, false);
}

/* Deletes are answered behind their commit, too; and who waits for it holds up nobody. */
static void test_gate_delete(void)
{
	uint64_t create, update, gone;

	rig_stream(&rig, true);
	create = rig_create(&rig, 0, 0);
	rig_carry_out(&rig, 0);
	update = rig_update(&rig, 0, rig_find(&rig, 0), 0);
	rig_carry_out(&rig, 0);
	gone = rig_delete(&rig, 0, rig_find(&rig, 0));
	rig_carry_out(&rig, 0);
	CU_ASSERT_TRUE(pdp_waits(create) && pdp_waits(update) && pdp_waits(gone));
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(create, PDP_ACCEPTED) && pdp_was(update, PDP_ACCEPTED) &&
		       pdp_was(gone, PDP_ACCEPTED));
}

/* The chassis is no longer Active: nothing is answered, and what comes late means nobody. */
static void test_gate_deactivated(void)
{
	uint64_t id[3];
	struct rig_order x;

	rig_stream(&rig, true);
	id[0] = gate_answer(0, 0x100, 5);
	id[1] = rig_create(&rig, 0, 1);
	id[2] = rig_create(&rig, 1, 1);
	x = rig.order[0];
	rig_deactivate(&rig);
	for (unsigned int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(pdp_was(id[i], PDP_UNANSWERED));
	CU_ASSERT_FALSE(pdp_now().is_protected);
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
	pdp_answered(rig.pdp,
		&(struct pdp_done){ .cookie = x.o.cookie, .owner = x.o.owner, .rec = &x.rec },
		&rig.t);
	gate_ack(0x100, 5);
}

/* A switchover is on its way: what an owner or the standby works on is waited for. */
static void test_gate_hold(void)
{
	uint64_t committing, working, waiting;

	rig_stream(&rig, true);
	committing = gate_answer(0, 0x100, 5);
	working = rig_create(&rig, 0, 1);
	waiting = rig_create(&rig, 1, 1);
	CU_ASSERT_EQUAL(pdp_now().in_line, 1);
	pdp_hold(rig.pdp, rig.t.now);
	CU_ASSERT_TRUE(pdp_was(waiting, PDP_UNANSWERED));
	CU_ASSERT_TRUE(pdp_waits(committing) && pdp_waits(working));
	CU_ASSERT_EQUAL(pdp_now().working, 2);
	gate_ack(0x100, 5);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(committing, PDP_ACCEPTED) && pdp_was(working, PDP_ACCEPTED));
	CU_ASSERT_EQUAL(pdp_now().working, 0);
}

/* Handles that all met in one bucket of a hash without a secret are spread. */
static void test_gate_chosen(void)
{
	static uint8_t n[PDP_HASH];
	unsigned int worst = 0;

	memset(n, 0, sizeof(n));
	for (uint32_t i = 0; i < PDP_HASH; i++) {
		uint32_t low = i % 16, handle = i / 16 << 24 | low << 12 | low;
		size_t bucket = (size_t)(row_gate(rig.pdp, handle) - rig.pdp->gate);

		CU_ASSERT_EQUAL((handle ^ handle >> 12) % PDP_HASH, 0);
		CU_ASSERT_TRUE_FATAL(bucket < PDP_HASH);
		worst = ++n[bucket] > worst ? n[bucket] : worst;
	}
	CU_ASSERT_TRUE(worst <= 10);
}

CU_TestInfo pdp_gate_tests[] = { { "an answer waits for its commit", test_gate_waits },
	{ "a later commit", test_gate_later }, { "not protected", test_gate_unprotected },
	{ "the stream ends", test_gate_stream_ends }, { "timeout", test_gate_timeout },
	{ "of Deletes, too", test_gate_delete }, { "no longer Active", test_gate_deactivated },
	{ "hold", test_gate_hold }, { "chosen handles", test_gate_chosen }, CU_TEST_INFO_NULL };
