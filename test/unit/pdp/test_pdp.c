/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/pdp: one request at a time, whatever becomes of it. */
#include <errno.h>

#include <rte_common.h>

#include "test_pdp.h"

struct rig rig;

static void setup(void)
{
	rig_open(&rig, false, 1 << 20);
}

static void setup_aaa(void)
{
	rig_open(&rig, true, 1 << 20);
}

static void teardown(void)
{
	CU_ASSERT_STRING_EQUAL(rig.broken, "");
	rig_close(&rig);
}

/* ---- Create ---- */

static void test_create(void)
{
	uint64_t id = rig_create(&rig, 0, 0);
	const struct session_rec *rec;

	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	rec = &rig.order[0].rec;
	CU_ASSERT_EQUAL(rig.order[0].o.kind, PDP_CREATE);
	CU_ASSERT_EQUAL(rec->state, SESSION_LIVE);
	CU_ASSERT_EQUAL(rec->apn, 1);
	CU_ASSERT_EQUAL(rec->pool, 2);
	CU_ASSERT_EQUAL(rec->charging_id, (7 << 20 | 1) + 1);
	CU_ASSERT_EQUAL(rec->req_type, RIG_TYPE);
	CU_ASSERT_EQUAL(rec->req_seq, 1);
	CU_ASSERT_FALSE(rec->has_recovery);
	CU_ASSERT_TRUE(pdp_waits(id));
	rig_carry_out(&rig, 0);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	CU_ASSERT_EQUAL(rig.id[id].handle, rig_find(&rig, 0));
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
}

static struct pdp_request create_request(const struct pdp_apn *apn)
{
	static uint16_t seq = 1000;

	rig.id[rig.next_id].asked = true;
	return (struct pdp_request){ .id = rig.next_id++,
		.kind = PDP_CREATE,
		.from = { .addr = rig_peer(0),
			.port = 2123,
			.protocol = SESSION_GTPV1,
			.type = RIG_TYPE,
			.seq = seq++ },
		.verified = true,
		.apn = apn,
		.rec = { .key = rig_key(0),
			.pdp_type = 0x21,
			.peer_ctl_teid = 77,
			.peer_ctl = rig_peer(0),
			.peer_usr = rig_peer(0) } };
}

/* Until its owner has answered, a Create may give somebody a session of its APN, from its pool. */
static void test_names(void)
{
	CU_ASSERT_FALSE(pdp_names(rig.pdp, 1, 2));
	rig_create(&rig, 0, 0);
	CU_ASSERT_TRUE(pdp_names(rig.pdp, 1, 0) && pdp_names(rig.pdp, 0, 2));
	CU_ASSERT_FALSE(pdp_names(rig.pdp, 2, 1) || pdp_names(rig.pdp, 0, 0));
	rig_carry_out(&rig, 0);
	CU_ASSERT_FALSE(pdp_names(rig.pdp, 1, 2));
}

/* What a Create asks for that nobody gets, in the order in which it is looked at. */
static void test_create_refused(void)
{
	static const struct pdp_apn apn = { .verified_only = true };
	static const enum pdp_cause want[] = { PDP_NOT_SUPPORTED, PDP_UNKNOWN_TYPE, PDP_UNKNOWN_APN,
		PDP_NOT_SUPPORTED, PDP_NOT_SUPPORTED, PDP_NOT_SUPPORTED, PDP_NOT_AUTHENTICATED };

	for (unsigned int i = 0; i < RTE_DIM(want); i++) {
		struct pdp_request q = create_request(&apn);

		q.secondary = i == 0;
		q.rec.pdp_type = i <= 1 ? 0x57 : 0x21;
		q.apn = i <= 2 ? NULL : &apn;
		q.rec.ue = i == 3 ? ip_addr_v4(1) : (struct ip_addr){ 0 };
		q.rec.peer_usr.b[0] = i == 4;
		q.rec.peer_ctl.b[0] = i == 5;
		q.verified = i < 6;
		pdp_begin(rig.pdp, &q, rig.t.now);
		CU_ASSERT_TRUE(pdp_was(q.id, want[i]));
		CU_ASSERT_EQUAL(rig.id[q.id].peer_teid, 77);
	}
	CU_ASSERT_EQUAL(rig.n_orders, 0);
}

/* Owners are asked in turn, each until one has room; what the first said of no slot counts. */
static void test_create_no_room(void)
{
	uint64_t id = rig_create(&rig, 0, 0);
	uint8_t first = rig.order[0].o.owner;

	rig.full = RIG_SLOTS;
	rig_carry_out(&rig, 0);
	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	CU_ASSERT_NOT_EQUAL(rig.order[0].o.owner, first);
	CU_ASSERT_TRUE(pdp_waits(id));
	rig_carry_out(&rig, 0);
	CU_ASSERT_TRUE(pdp_was(id, PDP_NO_RESOURCES));
	CU_ASSERT_EQUAL(rig.n_orders, 0);
}

/* What brings more than annexes hold has no room at any owner. */
static void test_create_no_memory(void)
{
	uint64_t id = rig_create(&rig, 0, 0);
	struct rig_order x = rig_take_order(&rig, 0);
	const struct pdp_done d = {
		.cookie = x.o.cookie, .owner = x.o.owner, .error = -E2BIG, .rec = &x.rec
	};

	pdp_answered(rig.pdp, &d, &rig.t);
	CU_ASSERT_TRUE(pdp_was(id, PDP_NO_MEMORY));
	CU_ASSERT_EQUAL(rig.n_orders, 0);
}

/* An owner's error, in words. */
static void test_errors(void)
{
	static const struct {
		int error;
		enum pdp_cause cause;
	} rows[] = { { -EPERM, PDP_UNANSWERED }, { -EAGAIN, PDP_UNANSWERED },
		{ -EADDRNOTAVAIL, PDP_NO_ADDRESS }, { -ENOSPC, PDP_NO_RESOURCES },
		{ -E2BIG, PDP_NO_MEMORY }, { -ENOENT, PDP_NOT_FOUND }, { -ESTALE, PDP_NOT_FOUND },
		{ -EIO, PDP_FAILED } };
	uint32_t handle = pdp_session(0);

	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		uint64_t id = rig_update(&rig, 0, handle, 0);
		struct rig_order x = rig_take_order(&rig, 0);
		const struct pdp_done d = { .cookie = x.o.cookie,
			.owner = x.o.owner,
			.error = rows[i].error,
			.rec = &x.rec };

		pdp_answered(rig.pdp, &d, &rig.t);
		CU_ASSERT_TRUE(pdp_was(id, rows[i].cause));
	}
}

/* The subscriber has a session already: it ends first, then the new one is made. */
static void test_replace(void)
{
	uint32_t was = pdp_session(0);
	uint64_t id = rig_create(&rig, 1, 0);

	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	CU_ASSERT_EQUAL(rig.order[0].o.kind, PDP_DELETE);
	CU_ASSERT_EQUAL(rig.order[0].rec.handle, was);
	CU_ASSERT_EQUAL(rig.order[0].o.why, SESSION_WHY_REPLACED);
	rig_carry_out(&rig, 0);
	CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
	CU_ASSERT_EQUAL(rig.order[0].o.kind, PDP_CREATE);
	CU_ASSERT_EQUAL(rig.order[0].rec.handle, 0);
	rig_carry_out(&rig, 0);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 1);
	CU_ASSERT_NOT_EQUAL(rig_find(&rig, 0), was);
}

/* The old session has not ended: the peer asks again, and nothing is made beside it. */
static void test_replace_later(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t was = pdp_session(0);
		uint64_t id = rig_create(&rig, 1, 0);
		struct rig_order x = rig_take_order(&rig, 0);
		const struct pdp_done d = { .cookie = x.o.cookie,
			.owner = x.o.owner,
			.error = i == 0 ? -EPERM : -EAGAIN,
			.rec = &x.rec };

		pdp_answered(rig.pdp, &d, &rig.t);
		CU_ASSERT_TRUE(pdp_was(id, PDP_UNANSWERED));
		CU_ASSERT_EQUAL(rig.n_orders, 0);
		CU_ASSERT_EQUAL(rig_find(&rig, 0), was);
	}
}

/* ---- Update, Delete ---- */

/* What an Update does not bring stays as it is. */
static void test_update(void)
{
	uint32_t handle = pdp_session(0);
	struct session_rec *s = rig_slot(&rig, handle), was;

	s->direct_tunnel = 3;
	s->dn_action = SESSION_DROP;
	for (uint8_t has = 0; has < 16; has++) {
		uint64_t id;

		was = *s;
		id = rig_update(&rig, 1, handle, has);
		rig_settle(&rig);
		CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
		CU_ASSERT_NOT_EQUAL(s->peer_usr_teid, was.peer_usr_teid);
		CU_ASSERT_EQUAL(s->direct_tunnel, 3);
		CU_ASSERT_EQUAL(s->dn_action, SESSION_DROP);
		CU_ASSERT_EQUAL(
			s->peer_ctl_teid != was.peer_ctl_teid, (has & PDP_HAS_CTL_TEID) != 0);
		CU_ASSERT_EQUAL(s->qos[0] != was.qos[0], (has & PDP_HAS_QOS) != 0);
		if (has & PDP_HAS_CTL_ADDR)
			CU_ASSERT_TRUE(ip_addr_equal(&s->peer_ctl, &(struct ip_addr){ 0 }) ||
				       ip_addr_to_v4(&s->peer_ctl) == 0x0a080002);
	}
	CU_ASSERT_EQUAL(rig_find(&rig, 0), handle);
}

/* Who serves the session from now on says its Recovery, or nothing is known of it. */
static void test_update_recovery(void)
{
	uint32_t handle = pdp_session(0);
	struct ip_addr other = rig_peer(1);

	rig_update(&rig, 1, handle, PDP_HAS_RECOVERY);
	CU_ASSERT_TRUE(rig.order[0].rec.has_recovery);
	CU_ASSERT_EQUAL(rig.order[0].rec.recovery, 9);
	/* The session's peer is still the first one: that is who said it. */
	CU_ASSERT_EQUAL(rig.n_purges, 1);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&rig.purged), 0x0a080001);
	rig_settle(&rig);
	rig_update(&rig, 1, handle, PDP_HAS_CTL_ADDR);
	CU_ASSERT_FALSE(rig.order[0].rec.has_recovery);
	rig_settle(&rig);
	pdp_peer_heard(rig.pdp, &other, 33, rig.t.now);
	rig_update(&rig, 0, handle, PDP_HAS_CTL_ADDR);
	rig_settle(&rig);
	rig_update(&rig, 1, handle, PDP_HAS_CTL_ADDR);
	CU_ASSERT_TRUE(rig.order[0].rec.has_recovery);
	CU_ASSERT_EQUAL(rig.order[0].rec.recovery, 33);
	rig_settle(&rig);
}

static void test_delete(void)
{
	uint32_t handle = pdp_session(0);
	uint64_t id = rig_delete(&rig, 0, handle);

	CU_ASSERT_EQUAL(rig.order[0].o.why, SESSION_WHY_REQUEST);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	CU_ASSERT_EQUAL(rig_live(&rig, 0), 0);
	id = rig_delete(&rig, 0, handle);
	CU_ASSERT_TRUE(pdp_was(id, PDP_NOT_FOUND));
	CU_ASSERT_EQUAL(rig.id[id].peer_teid, 0);
	id = rig_update(&rig, 0, handle, 0);
	CU_ASSERT_TRUE(pdp_was(id, PDP_NOT_FOUND));
	id = rig_delete(&rig, 0, 0);
	CU_ASSERT_TRUE(pdp_was(id, PDP_NOT_FOUND));
}

/* By the TEID of one context another of the same subscriber is meant; one that there is not is
 * refused, with the peer's TEID of the first. */
static void test_nsapi(void)
{
	uint32_t handle = pdp_session(0);
	struct pdp_request q = create_request(&(struct pdp_apn){ .number = 1 });
	uint64_t id = q.id;

	q.rec.key = rig_key(0) + 1;
	pdp_begin(rig.pdp, &q, rig.t.now);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	q = (struct pdp_request){ .id = rig.next_id++,
		.kind = PDP_DELETE,
		.from = { .addr = rig_peer(0), .port = 2123, .type = RIG_TYPE + 4, .seq = 1 },
		.handle = handle,
		.nsapi = 7 };
	rig.id[q.id].kind = PDP_DELETE;
	pdp_begin(rig.pdp, &q, rig.t.now);
	CU_ASSERT_TRUE(pdp_was(q.id, PDP_NOT_FOUND));
	CU_ASSERT_EQUAL(rig.id[q.id].peer_teid, rig_slot(&rig, handle)->peer_ctl_teid);
	q.id = rig.next_id++;
	q.nsapi = 6;
	rig.id[q.id].kind = PDP_DELETE;
	pdp_begin(rig.pdp, &q, rig.t.now);
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(q.id, PDP_ACCEPTED));
	CU_ASSERT_EQUAL(rig.id[q.id].handle, rig.id[id].handle);
	CU_ASSERT_EQUAL(rig_find(&rig, 0), handle);
}

/* The record says that this very request was the last that was answered. */
static void test_again(void)
{
	uint64_t id[3];
	uint32_t handle;

	for (unsigned int i = 0; i < 2; i++) {
		rig.seq = 100;
		rig.digest = i;
		id[0] = rig_create(&rig, 0, 0);
		if (i == 1) {
			/* Its content is another's: a peer that counts from the beginning. */
			CU_ASSERT_EQUAL(rig.n_orders, 1);
			CU_ASSERT_EQUAL(rig.order[0].o.kind, PDP_DELETE);
		}
		rig_settle(&rig);
	}
	handle = rig_find(&rig, 0);
	for (unsigned int i = 0; i < 2; i++) {
		rig.seq = 200;
		id[1] = rig_update(&rig, 0, handle, 0);
		CU_ASSERT_EQUAL(rig.n_orders, 1 - i);
		rig_settle(&rig);
		CU_ASSERT_TRUE(pdp_was(id[1], PDP_ACCEPTED));
		CU_ASSERT_EQUAL(rig.id[id[1]].again, i == 1);
	}
	for (unsigned int i = 0; i < 2; i++) {
		rig.seq = 300;
		id[2] = rig_delete(&rig, 0, handle);
		rig_settle(&rig);
		CU_ASSERT_TRUE(pdp_was(id[2], PDP_ACCEPTED));
		CU_ASSERT_EQUAL(rig.id[id[2]].again, i == 1);
		CU_ASSERT_EQUAL(rig.id[id[2]].handle, handle);
	}
	/* Its end may wait to be acknowledged: it is over all the same. */
	rig_slot(&rig, handle)->state = SESSION_ENDING;
	rig.seq = 300;
	id[2] = rig_delete(&rig, 0, handle);
	CU_ASSERT_TRUE(pdp_was(id[2], PDP_ACCEPTED));
	CU_ASSERT_TRUE(rig.id[id[2]].again);
	rig_slot(&rig, handle)->state = SESSION_FREE;
	rig.seq = 300;
	CU_ASSERT_TRUE(pdp_was(rig_delete(&rig, 1, handle), PDP_NOT_FOUND));
}

/* The very same Create, once its session is there. */
static void test_create_again(void)
{
	static const struct pdp_apn apn = { .number = 1 };
	struct pdp_request q = create_request(&apn), other;

	pdp_begin(rig.pdp, &q, rig.t.now);
	rig_settle(&rig);
	other = q;
	q.id = rig.next_id++;
	pdp_begin(rig.pdp, &q, rig.t.now);
	CU_ASSERT_TRUE(pdp_was(q.id, PDP_ACCEPTED));
	CU_ASSERT_TRUE(rig.id[q.id].again);
	CU_ASSERT_EQUAL(rig.n_orders, 0);
	for (unsigned int i = 0; i < 6; i++) {
		other.id = rig.next_id++;
		other.from.seq += i == 0;
		other.from.port += i == 1;
		other.from.digest += i == 2;
		other.from.type += i == 3;
		other.from.protocol += i == 4;
		other.from.addr.b[15] += i == 5;
		pdp_begin(rig.pdp, &other, rig.t.now);
		CU_ASSERT_EQUAL(rig.n_orders, 1);
		rig_settle(&rig);
		CU_ASSERT_TRUE(pdp_was(other.id, PDP_ACCEPTED));
		CU_ASSERT_FALSE(rig.id[other.id].again);
	}
}

/* ---- losses ---- */

/* A door that is full: the peer asks again. */
static void test_door_full(void)
{
	uint32_t handle;

	rig.doors_full = true;
	CU_ASSERT_TRUE(pdp_was(rig_create(&rig, 0, 0), PDP_UNANSWERED));
	rig.doors_full = false;
	handle = pdp_session(0);
	rig.doors_full = true;
	CU_ASSERT_TRUE(pdp_was(rig_update(&rig, 0, handle, 0), PDP_UNANSWERED));
	CU_ASSERT_TRUE(pdp_was(rig_delete(&rig, 0, handle), PDP_UNANSWERED));
	CU_ASSERT_TRUE(pdp_was(rig_create(&rig, 0, 0), PDP_UNANSWERED));
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
}

/* However slow an owner is, nobody is answered before the commit of what it has written: neither
 * the request nor its repetition, which is left out because the request is still in progress. */
static void test_owner_slow(void)
{
	uint64_t id;
	uint32_t handle;

	rig_stream(&rig, true);
	for (unsigned int i = 0; i < 2; i++) {
		id = rig_create(&rig, 0, 0); /* the second one replaces, and so waits for two */
		while (pdp_now().for_commit == 0) {
			rig_pass(&rig, 10 * PDP_LINE_US);
			CU_ASSERT_TRUE(pdp_waits(id));
			CU_ASSERT_EQUAL(rig_repeat(&rig), 0);
			CU_ASSERT_EQUAL_FATAL(rig.n_orders, 1);
			rig_carry_out(&rig, 0);
		}
		CU_ASSERT_TRUE(pdp_waits(id));
		CU_ASSERT_EQUAL(rig_repeat(&rig), 0);
		handle = rig_find(&rig, 0);
		rig_ack(&rig, rig_slot_number(handle));
		CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	}
	id = rig_repeat(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED) && rig.id[id].again);
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
}

/* Nobody ran for a while: the turn of who waits in line is not late. */
static void test_stood_still(void)
{
	uint64_t id = rig_create(&rig, 0, 0), next = rig_create(&rig, 0, 0),
		 last = rig_create(&rig, 0, 0);

	rig.t.stood_still += 2 * PDP_LINE_US;
	rig_pass(&rig, 2 * PDP_LINE_US);
	rig_pass(&rig, PDP_LINE_US - 1);
	CU_ASSERT_TRUE(pdp_waits(id) && pdp_waits(next) && pdp_waits(last));
	rig_carry_out(&rig, 0);
	CU_ASSERT_TRUE(pdp_was(id, PDP_ACCEPTED));
	rig_pass(&rig, 1);
	CU_ASSERT_TRUE(pdp_waits(next)); /* it is with its owner */
	CU_ASSERT_TRUE(pdp_was(last, PDP_UNANSWERED));
	rig_settle(&rig);
	CU_ASSERT_TRUE(pdp_was(next, PDP_ACCEPTED));
}

/* An answer to a row that had this room before is none to this one, and one of another owner, or
 * that comes twice, is none at all. */
static void test_owner_late(void)
{
	uint64_t id = rig_create(&rig, 0, 0), second;
	struct rig_order x = rig.order[0];
	struct pdp_done d = { .cookie = x.o.cookie, .owner = x.o.owner, .rec = &x.rec };

	x.rec.handle = 0x101;
	rig_deactivate(&rig);
	CU_ASSERT_TRUE(pdp_was(id, PDP_UNANSWERED));
	second = rig_create(&rig, 0, 1);
	pdp_answered(rig.pdp, &d, &rig.t);
	CU_ASSERT_TRUE(pdp_waits(second));
	d.cookie = rig.order[1].o.cookie;
	d.owner = (uint8_t)(rig.order[1].o.owner + 1);
	pdp_answered(rig.pdp, &d, &rig.t);
	CU_ASSERT_TRUE(pdp_waits(second));
	for (uint64_t cookie = 0; cookie < 3; cookie++) {
		d.cookie = cookie << 32 | UINT32_MAX >> cookie;
		pdp_answered(rig.pdp, &d, &rig.t);
	}
	CU_ASSERT_TRUE(pdp_waits(second));
	d.cookie = rig.order[1].o.cookie;
	d.owner = rig.order[1].o.owner;
	rig_carry_out(&rig, 1);
	CU_ASSERT_TRUE(pdp_was(second, PDP_ACCEPTED));
	pdp_answered(rig.pdp, &d, &rig.t);
	CU_ASSERT_EQUAL(pdp_now().requests, 0);
}

/* As many sessions as the configuration allows. Who replaces one takes no more. */
static void test_table_full(void)
{
	rig_close(&rig);
	rig_open(&rig, false, 2);
	pdp_session(0);
	pdp_session(1);
	CU_ASSERT_TRUE(pdp_was(rig_create(&rig, 0, 2), PDP_NO_RESOURCES));
	pdp_session(1);
	rig_delete(&rig, 0, rig_find(&rig, 0));
	rig_settle(&rig);
	pdp_session(2);
}

static void test_network_identifier(void)
{
	CU_ASSERT_EQUAL(pdp_network_identifier("internet"), 8);
	CU_ASSERT_EQUAL(pdp_network_identifier("internet.mnc001.mcc262.gprs"), 8);
	CU_ASSERT_EQUAL(pdp_network_identifier("internet.mnc01x.mcc262.gprs"), 27);
	CU_ASSERT_EQUAL(pdp_network_identifier(".mnc001.mcc262.gprs"), 19);
	CU_ASSERT_EQUAL(pdp_network_identifier(""), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "Create", test_create }, { "names", test_names },
		{ "Create refused", test_create_refused }, { "no room", test_create_no_room },
		{ "create, no memory", test_create_no_memory }, { "errors", test_errors },
		{ "Create replaces", test_replace },
		{ "Create cannot replace", test_replace_later }, { "Update", test_update },
		{ "Recovery", test_update_recovery }, { "Delete", test_delete },
		{ "NSAPI", test_nsapi }, { "again", test_again },
		{ "Create again", test_create_again }, { "door full", test_door_full },
		{ "owner slow", test_owner_slow }, { "stood still", test_stood_still },
		{ "owner late", test_owner_late }, { "table full", test_table_full },
		{ "network identifier", test_network_identifier }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "pdp", NULL, NULL, setup, teardown, tests },
		{ "pdp, AAA", NULL, NULL, setup_aaa, teardown, pdp_aaa_tests },
		{ "pdp, room", NULL, NULL, setup, teardown, pdp_room_tests },
		{ "pdp, order", NULL, NULL, setup, teardown, pdp_order_tests },
		{ "pdp, gate", NULL, NULL, setup, teardown, pdp_gate_tests },
		{ "pdp, own", NULL, NULL, setup, teardown, pdp_own_tests }, CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
