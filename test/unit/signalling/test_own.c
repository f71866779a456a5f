/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of the gateway's own over GTPv1-C: what leaves, again after T3 and N3 times in all, and
 * what becomes of each answer. The room with a socket that keeps what was sent. */
#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "base/sock.h"
#include "cores/from_worker.h"
#include "cores/to_worker.h"
#include "pool/pool.h"
#include "signalling_priv.h"
#include "ut.h"
#include "ut_eal.h"

enum { NOW = 1000000, SENT = 16 };

static struct role role;
static struct session_table *table;
static struct pool_set *pools;
static struct signalling_env env;
static struct to_worker_door worker;
static const uint8_t worker_of_shard[SESSION_SHARDS];
static struct signalling *s;
static struct session_rec rec; /* the session */
static const struct gtpc_peer sgsn = { { .b = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } },
	GTPC_PORT };

/* ---- the socket ---- */

static unsigned int sent;
static uint8_t bytes[SENT][GTPC_MSG_MAX];
static size_t length[SENT];

static int own_socket(int family, int type, int protocol)
{
	return 1000;
}

static int own_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	return 0;
}

static int own_set_option(int fd, int level, int option, const void *value, socklen_t len)
{
	return 0;
}

static int own_close(int fd)
{
	return 0;
}

static int own_send_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	for (unsigned int i = 0; i < n; i++, sent++) {
		const struct iovec *v = m[i].msg_hdr.msg_iov;
		struct gtpc_peer to;

		CU_ASSERT_FATAL(sent < SENT);
		sock_from(m[i].msg_hdr.msg_name, &to.addr, &to.port);
		CU_ASSERT_TRUE(ip_addr_equal(&to.addr, &sgsn.addr) && to.port == sgsn.port);
		length[sent] = v->iov_len;
		memcpy(bytes[sent], v->iov_base, v->iov_len);
	}
	return (int)n;
}

static const struct sock_ops own_sock = { .socket = own_socket,
	.bind = own_bind,
	.set_option = own_set_option,
	.close = own_close,
	.send_many = own_send_many };

static void settled(void *ctx) {}

static void setup(void)
{
	static const struct signalling_port none;
	struct pool_conf pool = { .name = "p", .prefix = { ip_addr_v4(0x0a010000), 24 } };
	struct session_params p = { .capacity = 1000, .mem = &session_mem_libc };

	pools = pool_set_create(&pool, 1, &session_mem_libc);
	pool_hooks(pools, &p.hooks);
	table = session_table_create(&p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	role_init(&role);
	atomic_store(&role.answering, true);
	env = (struct signalling_env){ .start = { .gtp = ip_addr_v4(0x0a0000fe),
					       .max_sessions = 1000 },
		.ports = &none,
		.table = table,
		.n_workers = 1,
		.to_worker = &worker,
		.worker_of_shard = worker_of_shard,
		.msgs = worker.door.pool,
		.role = &role,
		.settled = settled };
	s = signalling_create(&env);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	sent = 0;
	rec = (struct session_rec){ .key = UINT64_C(0x2400101234567895),
		.pdp_type = 0x21,
		.ue = ip_addr_v4(0x0a010001),
		.peer_ctl = sgsn.addr,
		.peer_usr = sgsn.addr,
		.peer_ctl_teid = 0x11,
		.peer_usr_teid = 0x21,
		.qos_len = 4,
		.qos = { 1, 2, 3, 4 } };
	session_own(table, session_shard_of(&rec.ue), 0);
	CU_ASSERT_EQUAL_FATAL(session_create(table, 0, &rec, 1), 0);
}

static void teardown(void)
{
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker.door.pool), 0);
	signalling_destroy(s);
	session_table_destroy(table);
	pool_set_destroy(pools);
}

/* ---- what happens ---- */

static unsigned int in_progress(void)
{
	struct pdp_view v;

	pdp_view(s->pdp, &v);
	return v.own;
}

/* An Update with an indication begins, and has left. */
static void refresh(void)
{
	CU_ASSERT_TRUE(pdp_refresh(s->pdp, rec.handle, GTPC_DIRECT_TUNNEL_EI, NOW));
	signalling_flush(s);
	CU_ASSERT_EQUAL(sent, 1);
	CU_ASSERT_EQUAL(in_progress(), 1);
}

/* The response to what was sent last: elements behind its header. */
static void respond(const struct gtpc_peer *from, const uint8_t *ies, size_t n)
{
	uint8_t msg[64] = { 0x32, GTPC_UPDATE_RESPONSE, 0, (uint8_t)(4 + n) };

	memcpy(msg + 4, &rec.handle, 4);
	memcpy(msg + 8, bytes[sent - 1] + 8, 2); /* the sequence number */
	memcpy(msg + 12, ies, n);
	gtpc_message(s, from, msg, 12 + n, NOW);
}

static const uint8_t accepted[] = { 1, GTPC_REQUEST_ACCEPTED, 16, 0, 0, 0, 0x99, 133, 0, 4, 10, 0,
	0, 7 };
static const uint8_t accepted_empty[] = { 1, GTPC_REQUEST_ACCEPTED };
static const uint8_t unknown[] = { 1, GTPC_NON_EXISTENT };
static const uint8_t not_now[] = { 1, GTPC_NO_RESOURCES };
static const uint8_t bad[] = { 1, GTPC_REQUEST_ACCEPTED, 16, 0, 0, 0, 0 };

/* The worker answers that order as it is. */
static void worker_answers(struct to_worker *m)
{
	struct from_worker_answer a = { .cookie = m->update.q.cookie };

	session_rec_copy(&a.rec, &m->update.q.rec);
	msg_free(worker.door.pool, m);
	signalling_answered(s, &a, NOW);
}

/* ---- tests ---- */

/* It names the session by the SGSN's TEID, IMSI and NSAPI, and says why it comes. */
static void test_update_bytes(void)
{
	static const uint8_t want[] = { 2, 0x42, 0, 1, 0x21, 0x43, 0x65, 0x87, 0xf9, 20, 5, 182, 0,
		1, 4 };
	struct gtpc_header h;

	refresh();
	CU_ASSERT_EQUAL(gtpc_decode_header(bytes[0], length[0], &h), GTPC_OK);
	CU_ASSERT_EQUAL(h.type, GTPC_UPDATE_REQUEST);
	CU_ASSERT_EQUAL(h.teid, 0x11);
	CU_ASSERT_EQUAL_FATAL(h.ies_len, sizeof(want));
	CU_ASSERT_EQUAL(memcmp(h.ies, want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(s->front.count.own_requests, 1);
}

/* The same leaves after each T3, N3 times in all; then the session stays as it is. */
static void test_update_unanswered(void)
{
	refresh();
	for (unsigned int i = 1; i <= GTPC_N3; i++) {
		signalling_turn(s, NOW + i * GTPC_T3_US - 1);
		CU_ASSERT_EQUAL(sent, i);
		CU_ASSERT_EQUAL(in_progress(), 1);
		signalling_turn(s, NOW + i * GTPC_T3_US);
	}
	CU_ASSERT_EQUAL(sent, GTPC_N3);
	for (unsigned int i = 1; i < sent; i++)
		CU_ASSERT_TRUE(
			length[i] == length[0] && memcmp(bytes[i], bytes[0], length[0]) == 0);
	CU_ASSERT_EQUAL(s->front.count.own_unanswered, 1);
	CU_ASSERT_EQUAL(in_progress(), 0);
	CU_ASSERT_PTR_NULL(to_worker_take(&worker));
}

/* What the answer brings is the worker's to write, and what it leaves out stays; the record's last
 * request is not touched. An answer that comes again is none. */
static void test_update_accepted(void)
{
	struct to_worker *m;
	const struct session_rec *got;

	refresh();
	respond(&sgsn, accepted, sizeof(accepted));
	m = to_worker_take(&worker);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->head.type, TO_WORKER_UPDATE);
	got = &m->update.q.rec;
	CU_ASSERT_EQUAL(got->handle, rec.handle);
	CU_ASSERT_EQUAL(got->peer_usr_teid, 0x99);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&got->peer_usr), 0x0a000007);
	CU_ASSERT_TRUE(ip_addr_equal(&got->peer_ctl, &sgsn.addr) && got->peer_ctl_teid == 0x11);
	CU_ASSERT_TRUE(got->qos_len == 4 && memcmp(got->qos, rec.qos, 4) == 0);
	CU_ASSERT_TRUE(got->req_type == rec.req_type && got->req_seq == rec.req_seq);
	worker_answers(m);
	CU_ASSERT_EQUAL(in_progress(), 0);
	respond(&sgsn, accepted, sizeof(accepted));
	CU_ASSERT_EQUAL(s->front.count.drop_response_unmatched, 1);
	CU_ASSERT_PTR_NULL(to_worker_take(&worker));
	signalling_turn(s, NOW + GTPC_T3_US);
	CU_ASSERT_EQUAL(sent, 1);
}

/* One of the two alone. */
static void test_update_part(void)
{
	static const uint8_t teid[] = { 1, GTPC_REQUEST_ACCEPTED, 16, 0, 0, 0, 0x99 };
	static const uint8_t addr[] = { 1, GTPC_REQUEST_ACCEPTED, 133, 0, 4, 10, 0, 0, 7 };
	struct to_worker *m;

	refresh();
	respond(&sgsn, teid, sizeof(teid));
	m = to_worker_take(&worker);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->update.q.rec.peer_usr_teid, 0x99);
	CU_ASSERT_TRUE(ip_addr_equal(&m->update.q.rec.peer_usr, &sgsn.addr));
	worker_answers(m);
	sent = 0;
	refresh();
	respond(&sgsn, addr, sizeof(addr));
	m = to_worker_take(&worker);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->update.q.rec.peer_usr_teid, 0x21);
	CU_ASSERT_EQUAL(ip_addr_to_v4(&m->update.q.rec.peer_usr), 0x0a000007);
	worker_answers(m);
}

/* A session that the SGSN does not know ends. */
static void test_update_unknown(void)
{
	struct to_worker *m;

	refresh();
	respond(&sgsn, unknown, sizeof(unknown));
	m = to_worker_take(&worker);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(m->head.type, TO_WORKER_DELETE);
	CU_ASSERT_EQUAL(m->delete.q.rec.handle, rec.handle);
	CU_ASSERT_EQUAL(m->delete.why, SESSION_WHY_ERROR_INDICATION);
	worker_answers(m);
	CU_ASSERT_EQUAL(in_progress(), 0);
	signalling_flush(s);
	CU_ASSERT_EQUAL(sent, 1); /* it is told nothing more */
}

/* Nothing to write: another refusal, and an answer that changes nothing. */
static void test_update_nothing(void)
{
	refresh();
	respond(&sgsn, not_now, sizeof(not_now));
	CU_ASSERT_EQUAL(in_progress(), 0);
	sent = 0;
	refresh();
	respond(&sgsn, accepted_empty, sizeof(accepted_empty));
	CU_ASSERT_EQUAL(in_progress(), 0);
	CU_ASSERT_PTR_NULL(to_worker_take(&worker));
}

/* No answer: what somebody else says, and what cannot be meant. */
static void test_update_not_answered(void)
{
	struct gtpc_peer other = sgsn;

	other.addr.b[15]++;
	refresh();
	respond(&other, accepted, sizeof(accepted));
	respond(&sgsn, bad, sizeof(bad));
	CU_ASSERT_EQUAL(s->front.count.drop_response_unmatched, 2);
	CU_ASSERT_EQUAL(in_progress(), 1);
	CU_ASSERT_PTR_NULL(to_worker_take(&worker));
	signalling_turn(s, NOW + GTPC_T3_US);
	CU_ASSERT_EQUAL(sent, 2);
}

/* It is forgotten with the role. */
static void test_update_deactivated(void)
{
	refresh();
	signalling_deactivated(s);
	CU_ASSERT_EQUAL(in_progress(), 0);
	signalling_turn(s, NOW + GTPC_T3_US);
	CU_ASSERT_EQUAL(sent, 1);
	respond(&sgsn, accepted, sizeof(accepted));
	CU_ASSERT_PTR_NULL(to_worker_take(&worker));
}

int main(void)
{
	CU_TestInfo tests[] = { { "bytes", test_update_bytes },
		{ "unanswered", test_update_unanswered }, { "accepted", test_update_accepted },
		{ "accepted, a part", test_update_part }, { "unknown", test_update_unknown },
		{ "nothing to write", test_update_nothing },
		{ "not answered", test_update_not_answered },
		{ "deactivated", test_update_deactivated }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "Update of our own", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	sock_ops = &own_sock;
	if (ut_eal("test_own") < 0)
		return EXIT_FAILURE;
	worker.door.ring = rte_ring_create("worker", 64, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	worker.door.pool = rte_mempool_create(
		"msgs", 255, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	return worker.door.ring != NULL && worker.door.pool != NULL ? ut_run(suites) : EXIT_FAILURE;
}
