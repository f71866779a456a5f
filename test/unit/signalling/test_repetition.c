/* SPDX-License-Identifier: BSD-3-Clause */
/* Which request is a repetition, from the datagram on: the same source, sequence number, type and
 * content, whether this process has answered it or the session's record alone knows. */
#include <string.h>

#include <rte_common.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "base/sock.h"
#include "config/items.h"
#include "cores/from_worker.h"
#include "cores/to_worker.h"
#include "pool/pool.h"
#include "signalling_priv.h"
#include "ut.h"
#include "ut_eal.h"

enum { NOW = 1000000, SEQ = 700 };

/* What differs from the request that was answered. */
enum differs { NOTHING, CONTENT, SEQUENCE, PORT, ADDRESS, DIFFERENCES };

static struct role role;
static struct session_table *table;
static struct pool_set *pools;
static struct to_worker_door worker;
static const uint8_t worker_of_shard[SESSION_SHARDS];
static struct signalling *s;
static uint32_t handle; /* of the session */

static int repetition_socket(int family, int type, int protocol)
{
	return 1000;
}

static int repetition_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	return 0;
}

static int repetition_set_option(int fd, int level, int option, const void *value, socklen_t len)
{
	return 0;
}

static int repetition_close(int fd)
{
	return 0;
}

static int repetition_send_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	return (int)n;
}

static const struct sock_ops repetition_sock = { .socket = repetition_socket,
	.bind = repetition_bind,
	.set_option = repetition_set_option,
	.close = repetition_close,
	.send_many = repetition_send_many };

static void repetition_settled(void *ctx) {}

static void setup(void)
{
	static const struct signalling_port none;
	static const struct config_placed placed = { .n_apns = 1,
		.apn = { { PLACED_USED, { .name = "internet" } } } };
	struct pool_conf pool = { .name = "p", .prefix = { ip_addr_v4(0x0a010000), 24 } };
	struct session_params p = { .capacity = 1000, .mem = &session_mem_libc };
	struct signalling_env env = {
		.start = { .gtp = ip_addr_v4(0x0a0000fe), .max_sessions = 1000, .placed = &placed },
		.ports = &none,
		.n_workers = 1,
		.to_worker = &worker,
		.worker_of_shard = worker_of_shard,
		.msgs = worker.door.pool,
		.role = &role,
		.settled = repetition_settled
	};

	pools = pool_set_create(&pool, 1, &session_mem_libc);
	pool_hooks(pools, &p.hooks);
	env.table = table = session_table_create(&p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(table, i, 0);
	role_init(&role);
	atomic_store(&role.answering, true);
	atomic_store(&role.serve_until, ROLE_FOR_EVER);
	s = signalling_create(&env);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
}

static void teardown(void)
{
	signalling_destroy(s);
	session_table_destroy(table);
	pool_set_destroy(pools);
}

/* The SGSN asks; the order to the worker that comes of it, NULL none. */
static struct to_worker *repetition_ask(enum pdp_kind kind, enum differs differs)
{
	static const uint8_t qos[] = { 2, 0x0b, 0x92, 0x1f };
	struct gtpc_peer from = { ip_addr_v4(0x0a080001 + (differs == ADDRESS)),
		GTPC_PORT + (differs == PORT) };
	const struct gtpc_ask ask = { .teid = kind == PDP_CREATE ? 0 : handle,
		.seq = (uint16_t)(SEQ + kind + (differs == SEQUENCE ? 10 : 0)),
		.key = UINT64_C(0x2400200000000015),
		.ctl_teid = 1,
		.usr_teid = 2 + (differs == CONTENT),
		.ctl = ip_addr_v4(0x0a080001),
		.usr = ip_addr_v4(0x0a080001),
		.apn = "internet",
		.qos_len = sizeof(qos),
		.qos = qos };
	uint8_t buf[GTPC_MSG_MAX];
	size_t len;

	if (kind == PDP_CREATE)
		len = gtpc_encode_create_request(buf, &ask);
	else if (kind == PDP_UPDATE)
		len = gtpc_encode_update_request(buf, &ask);
	else
		len = gtpc_encode_delete_request(buf, handle, ask.seq, 5, differs != CONTENT);
	CU_ASSERT_NOT_EQUAL_FATAL(len, 0);
	gtpc_message(s, &from, buf, len, NOW);
	return to_worker_take(&worker);
}

/* The worker does what it is asked, and answers. */
static void repetition_serve(struct to_worker *order)
{
	struct from_worker_answer m = { .cookie = order->create.q.cookie };
	struct session_end end = { .why = SESSION_WHY_REQUEST, .now_s = 1 };
	struct from_worker_event begun = { .kind = SESSION_BEGUN };

	session_rec_copy(&m.rec, &order->create.q.rec);
	if (order->head.type == TO_WORKER_CREATE) {
		m.rec.ue = ip_addr_v4(0x0a010001);
		CU_ASSERT_EQUAL_FATAL(session_create(table, 0, &m.rec, 1), 0);
		handle = m.rec.handle;
		session_rec_copy(&begun.rec, &m.rec);
		signalling_index_event(s, &begun);
	} else if (order->head.type == TO_WORKER_UPDATE) {
		CU_ASSERT_EQUAL(session_update(table, 0, &m.rec, order->update.groups), 0);
	} else {
		end.request = &order->delete.q.rec;
		CU_ASSERT_EQUAL(session_free(table, 0, handle, &end), 0);
	}
	msg_free(worker.door.pool, order);
	signalling_answered(s, &m, NOW);
}

static void repetition_answer(enum pdp_kind kind)
{
	struct to_worker *order = repetition_ask(kind, NOTHING);

	CU_ASSERT_PTR_NOT_NULL_FATAL(order);
	CU_ASSERT_EQUAL(order->create.q.rec.protocol, SESSION_GTPV1);
	repetition_serve(order);
}

/* The session is there, and a request of that kind was answered last. */
static void repetition_begin(enum pdp_kind kind)
{
	setup();
	repetition_answer(PDP_CREATE);
	if (kind != PDP_CREATE)
		repetition_answer(kind);
}

/* One that is asked again with that difference is a repetition, or not: a new one begins, or is
 * refused as a Delete of what is gone. after: what this process answered was forgotten. */
static void repetition_check(enum pdp_kind kind, enum differs differs, bool after)
{
	bool again;
	struct to_worker *order;

	repetition_begin(kind);
	if (after)
		signalling_deactivated(s);
	order = repetition_ask(kind, differs);
	again = s->front.count.retransmissions == 1;
	CU_ASSERT_EQUAL(again, differs == NOTHING);
	CU_ASSERT_EQUAL(order != NULL, differs != NOTHING && kind != PDP_DELETE);
	CU_ASSERT_EQUAL(
		s->front.count.rejected_not_found, differs != NOTHING && kind == PDP_DELETE);
	if (again != (differs == NOTHING))
		printf("kind %d, difference %d, %s a switchover\n", kind, differs,
			after ? "after" : "without");
	if (order != NULL)
		msg_free(worker.door.pool, order);
	teardown();
}

static void test_repetitions(void)
{
	for (enum pdp_kind kind = PDP_CREATE; kind <= PDP_DELETE; kind++)
		for (enum differs differs = NOTHING; differs < DIFFERENCES; differs++) {
			repetition_check(kind, differs, false);
			repetition_check(kind, differs, true);
		}
}

int main(void)
{
	CU_TestInfo tests[] = { { "what is a repetition", test_repetitions }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "repetitions", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	sock_ops = &repetition_sock;
	if (ut_eal("test_repetition") < 0)
		return EXIT_FAILURE;
	worker.door.ring = rte_ring_create("worker", 64, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	worker.door.pool = rte_mempool_create(
		"msgs", 255, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	return worker.door.ring != NULL && worker.door.pool != NULL ? ut_run(suites) : EXIT_FAILURE;
}
