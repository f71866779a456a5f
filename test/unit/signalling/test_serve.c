/* SPDX-License-Identifier: BSD-3-Clause */
/* When the time to serve is over, or the peer may have taken over, nothing of what signalling says
 * leaves, whatever says it and whenever it was decided. The room with sockets that count. */
#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "base/sock.h"
#include "cores/from_worker.h"
#include "cores/to_worker.h"
#include "gtp/gtpu.h"
#include "pool/pool.h"
#include "signalling_priv.h"
#include "ut.h"
#include "ut_eal.h"
#include "ut_peers.h"

enum { NOW = 1000000, HANDLE = 0x100, COMMIT = 5, TIMEOUT_MS = 50, ECHO_S = 60, KEY = 5, TWIN = 9 };

static struct role role;
static struct session_table *table;
static struct pool_set *pools;
static struct signalling_env env;
static struct settings_board *board;
static struct to_worker_door worker;
static const uint8_t worker_of_shard[SESSION_SHARDS];
static struct signalling *s;
static const struct asked_request asked = {
	.peer = { { .b = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } }, GTPC_PORT },
	.type = GTPC_CREATE_REQUEST,
	.seq = 7
};
static const uint8_t message[] = { 0x32, GTPC_CREATE_RESPONSE, 0, 0 };

/* The same of GTP-C and of GTP-U. */
static const uint8_t echo_request[] = { 0x32, GTPC_ECHO_REQUEST, 0, 4, [11] = 0 };
_Static_assert((int)GTPC_ECHO_REQUEST == (int)GTPU_ECHO_REQUEST, "one for both");

/* ---- sockets ---- */

static unsigned int said, settled;
static unsigned int refusals;  /* messages that the kernel does not take */
static unsigned int datagrams; /* Echo Requests that wait in a socket */

/* G-PDUs that wait in front of them: from whom, and the TEID of the next one. */
static struct {
	unsigned int n;
	struct ip_addr from;
	uint32_t teid, step;
} user;

/* An event is over. */
static void serve_settled(void *ctx)
{
	settled++;
}

static int serve_socket(int family, int type, int protocol)
{
	return 1000;
}

static int serve_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	return 0;
}

static int serve_set_option(int fd, int level, int option, const void *value, socklen_t len)
{
	return 0;
}

static int serve_close(int fd)
{
	return 0;
}

static int serve_send_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	if (refusals > 0) {
		refusals--;
		errno = EAGAIN;
		return -1;
	}
	n = RTE_MIN(n, 2U); /* not all at once */
	said += n;
	return (int)n;
}

static ssize_t serve_send_to(
	int fd, const void *from, size_t n, int flags, const struct sockaddr *a, socklen_t len)
{
	said++;
	return (ssize_t)n;
}

static int serve_recv_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	int got = 0;

	for (; user.n > 0 && (unsigned int)got < n; user.n--, user.teid += user.step, got++) {
		const uint8_t g_pdu[] = { 0x30, GTPU_G_PDU, 0, 0, (uint8_t)(user.teid >> 24),
			(uint8_t)(user.teid >> 16), (uint8_t)(user.teid >> 8), (uint8_t)user.teid };

		sock_address(m[got].msg_hdr.msg_name, &user.from, GTPU_PORT);
		memcpy(m[got].msg_hdr.msg_iov->iov_base, g_pdu, sizeof(g_pdu));
		m[got].msg_len = sizeof(g_pdu);
		sock_set_interface(&m[got].msg_hdr, TWIN);
	}
	for (; datagrams > 0 && (unsigned int)got < n; datagrams--, got++) {
		sock_address(m[got].msg_hdr.msg_name, &asked.peer.addr, GTPC_PORT);
		memcpy(m[got].msg_hdr.msg_iov->iov_base, echo_request, sizeof(echo_request));
		m[got].msg_len = sizeof(echo_request);
		sock_set_interface(&m[got].msg_hdr, TWIN);
	}
	return got > 0 ? got : -1;
}

static const struct sock_ops serve_sock = { .socket = serve_socket,
	.bind = serve_bind,
	.set_option = serve_set_option,
	.close = serve_close,
	.send_to = serve_send_to,
	.recv_many = serve_recv_many,
	.send_many = serve_send_many };

/* ---- what is said ---- */

static void nothing(void) {}

/* A request waits for its worker: the cookie of the order. */
static uint64_t ask_worker_first(enum pdp_kind kind, uint32_t handle)
{
	const struct pdp_apn apn = { 0 };
	struct pdp_request q = { .id = asked_id(&s->asked, asked_add(&s->asked, &asked)),
		.kind = kind,
		.from = { .addr = asked.peer.addr, .protocol = SESSION_GTPV1, .seq = asked.seq },
		.handle = handle,
		.apn = &apn,
		.nsapi = 5,
		.rec = { .key = KEY,
			.pdp_type = 0x21,
			.peer_ctl = asked.peer.addr,
			.peer_usr = asked.peer.addr } };
	struct to_worker *order;
	uint64_t cookie;

	pdp_begin(s->pdp, &q, NOW);
	order = to_worker_take(&worker);
	CU_ASSERT_PTR_NOT_NULL_FATAL(order);
	cookie = order->create.q.cookie;
	msg_free(env.msgs, order);
	return cookie;
}

/* The answer to a request waits for the standby. */
static void wait_for_commit(void)
{
	struct from_worker_answer m = { .commit = COMMIT, .rec = { .handle = HANDLE } };

	signalling_stream(s, true, NOW);
	m.cookie = ask_worker_first(PDP_CREATE, 0);
	signalling_answered(s, &m, NOW);
}

static void commit(void)
{
	const struct msg_entries m = { .n = 1, .entry = { repl_entry(HANDLE, COMMIT, 0) } };

	signalling_committed(s, &m, NOW);
}

static void commit_late(void)
{
	signalling_turn(s, NOW + TIMEOUT_MS * USEC_PER_MSEC);
}

static void stream_ends(void)
{
	signalling_stream(s, false, NOW);
}

static void refuse(void)
{
	response_refuse(s, &asked, 1, GTPC_NO_RESOURCES, NOW);
}

static void know_path(void)
{
	pdp_peer_heard(s->pdp, &asked.peer.addr, 1, NOW);
	msg_free(env.msgs, to_worker_take(&worker)); /* a purge */
}

static void ask_path(void)
{
	signalling_turn(s, NOW + ECHO_S * USEC_PER_SEC);
}

static void ask(void)
{
	CU_ASSERT_TRUE(front_ask(&s->front, &asked.peer, gtpc_pending_seq(s->front.pending),
		message, sizeof(message), HANDLE, NOW));
}

static void ask_again(void)
{
	signalling_turn(s, NOW + GTPC_T3_US);
}

static void answer(void)
{
	front_answer(&s->front, &asked, message, sizeof(message), NOW);
}

static void answer_again(void)
{
	CU_ASSERT_TRUE(front_answer_again(&s->front, &asked, NOW));
}

static void answer_echo(void)
{
	datagrams = 1;
	signalling_gtpu_ready(s, NOW);
	CU_ASSERT_EQUAL(datagrams, 0);
}

static const struct {
	const char *what;
	void (*before)(void); /* in time, and what it says leaves at once */
	void (*say)(void);
} ways[] = {
	{ "an acknowledged answer", wait_for_commit, commit },
	{ "an answer that is not acknowledged in time", wait_for_commit, commit_late },
	{ "an answer whose stream ends", wait_for_commit, stream_ends },
	{ "a refusal", nothing, refuse },
	{ "an Echo Request", know_path, ask_path },
	{ "a request that nobody answered", ask, ask_again },
	{ "an answer to a repetition", answer, answer_again },
	{ "an Echo Response of GTP-U", nothing, answer_echo },
};

/* ---- tests ---- */

static void setup(void)
{
	static const struct signalling_port access = { .bit = 1, .twin_ifindex = TWIN };
	struct pool_conf pool = { .name = "p", .prefix = { ip_addr_v4(0x0a010000), 24 } };
	struct session_params p = { .capacity = 1000, .mem = &session_mem_libc };

	pools = pool_set_create(&pool, 1, &session_mem_libc);
	pool_hooks(pools, &p.hooks);
	table = session_table_create(&p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	role_init(&role);
	atomic_store(&role.answering, true);
	board = ut_peers_board(0x0a000000, 8, 1);
	env = (struct signalling_env){ .start = { .gtp = ip_addr_v4(0x0a0000fe),
					       .max_sessions = 1000,
					       .echo_us = ECHO_S * USEC_PER_SEC },
		.live = { .commit_timeout_us = TIMEOUT_MS * USEC_PER_MSEC },
		.ports = &access,
		.n_ports = 1,
		.settings = board,
		.table = table,
		.n_workers = 1,
		.to_worker = &worker,
		.worker_of_shard = worker_of_shard,
		.msgs = worker.door.pool,
		.role = &role,
		.settled = serve_settled };
	s = signalling_create(&env);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	said = 0;
}

static void teardown(void)
{
	signalling_destroy(s);
	settings_destroy(board);
	session_table_destroy(table);
	pool_set_destroy(pools);
}

static void in_time(void)
{
	atomic_store(&role.serve_until, ROLE_FOR_EVER);
	atomic_store(&role.must_not_answer, false);
}

static void lapsed(void)
{
	atomic_store(&role.serve_until, 1);
}

/* It stood still for so long that the peer may have taken over. */
static void must_not_answer(void)
{
	atomic_store(&role.must_not_answer, true);
}

/* What was said by ways[i] when the role was this. */
static unsigned int says(unsigned int i, void (*role_is)(void))
{
	unsigned int n;

	setup();
	ways[i].before();
	signalling_flush(s);
	said = 0;
	role_is();
	ways[i].say();
	signalling_flush(s);
	n = said;
	teardown();
	return n;
}

static void test_ways(void)
{
	for (unsigned int i = 0; i < RTE_DIM(ways); i++) {
		unsigned int now = says(i, in_time), late = says(i, lapsed),
			     doubtful = says(i, must_not_answer);

		if (now != 1 || late != 0 || doubtful != 0)
			printf("%s: said %u times in time, %u times later, %u times when the peer "
			       "may have taken over\n",
				ways[i].what, now, late, doubtful);
		CU_ASSERT_EQUAL(now, 1);
		CU_ASSERT_EQUAL(late, 0);
		CU_ASSERT_EQUAL(doubtful, 0);
	}
}

/* What a worker's error about the end of a session says to the SGSN; kind: of the request, a Create
 * has the one before ended. */
static unsigned int said_of(int error, enum pdp_kind kind)
{
	struct session_rec rec = { .key = KEY, .pdp_type = 0x21, .ue = ip_addr_v4(0x0a010001) };
	struct from_worker_event begun = { .kind = SESSION_BEGUN };
	struct from_worker_answer m = { .error = error, .request = TO_WORKER_DELETE };
	struct signalling_view v;
	unsigned int n;

	setup();
	session_own(table, session_shard_of(&rec.ue), 0);
	CU_ASSERT_EQUAL_FATAL(session_create(table, 0, &rec, 1), 0);
	begun.rec = rec;
	signalling_index_event(s, &begun);
	m.cookie = ask_worker_first(kind, rec.handle);
	signalling_answered(s, &m, NOW);
	signalling_flush(s);
	n = said;
	signalling_view(s, &v);
	CU_ASSERT_EQUAL(v.requests_in_progress, 0); /* a repetition is a new request */
	CU_ASSERT_FALSE(asked_in_progress(&s->asked, &asked));
	teardown();
	return n;
}

/* A session that could not end now has not ended: its SGSN is not answered, and asks again. Nor is
 * there a new one before the old one is gone. */
static void test_ends_later(void)
{
	CU_ASSERT_EQUAL(said_of(-ENOENT, PDP_DELETE), 1);
	CU_ASSERT_EQUAL(said_of(-EAGAIN, PDP_DELETE), 0);
	CU_ASSERT_EQUAL(said_of(-EAGAIN, PDP_CREATE), 0);
	CU_ASSERT_EQUAL(said_of(-EPERM, PDP_CREATE), 0);
}

/* The SGSN hears of what the gateway ended by itself, and of nothing that it knows. */
static void test_notices(void)
{
	unsigned int n = 0;

	for (unsigned int why = SESSION_WHY_NONE; why < SESSION_WHY_END; why++)
		for (unsigned int kind = SESSION_BEGUN; kind <= SESSION_ENDED; kind++) {
			bool notice = kind == SESSION_ENDED &&
				      (why == SESSION_WHY_IDLE_TIMEOUT ||
					      why == SESSION_WHY_SESSION_TIMEOUT);

			setup();
			signalling_notice(s,
				&(const struct from_worker_event){ .kind = (uint8_t)kind,
					.why = (uint8_t)why,
					.rec = { .handle = HANDLE,
						.key = 5,
						.peer_ctl = asked.peer.addr } },
				NOW);
			signalling_flush(s);
			CU_ASSERT_EQUAL(said, notice);
			n += said;
			teardown();
		}
	CU_ASSERT_EQUAL(n, 2);
}

/* What still waits in the queue of the socket does not leave either, then or later. */
static void check_queued(void (*role_is)(void))
{
	setup();
	answer();
	role_is();
	signalling_flush(s);
	in_time();
	signalling_flush(s);
	CU_ASSERT_EQUAL(said, 0);
	CU_ASSERT_EQUAL(s->front.count.tx, 0);
	CU_ASSERT_EQUAL(s->front.count.tx_dropped, 1);
	answer();
	signalling_flush(s);
	CU_ASSERT_EQUAL(said, 1);
	CU_ASSERT_EQUAL(s->front.count.tx, 1);
	teardown();
}

static void test_queued(void)
{
	check_queued(lapsed);
	check_queued(must_not_answer);
}

/* An answer that did not leave is lost on its way: who asks again gets it, once the peer is heard
 * and has not taken over. Who has taken over answers by itself. */
static void test_asked_again(void)
{
	setup();
	wait_for_commit();
	must_not_answer();
	commit();
	signalling_flush(s);
	CU_ASSERT_EQUAL(said, 0);
	in_time();
	answer_again();
	signalling_flush(s);
	CU_ASSERT_EQUAL(said, 1);
	signalling_deactivated(s);
	CU_ASSERT_FALSE(front_answer_again(&s->front, &asked, NOW));
	teardown();
}

/* What the kernel took is counted as sent, what it refused as dropped. */
static void test_refused(void)
{
	setup();
	for (unsigned int i = 0; i < 7; i++)
		answer();
	CU_ASSERT_EQUAL(s->front.count.tx, 0);
	refusals = 2;
	signalling_flush(s);
	CU_ASSERT_EQUAL(said, 5);
	CU_ASSERT_EQUAL(s->front.count.tx, 5);
	CU_ASSERT_EQUAL(s->front.count.tx_dropped, 2);
	must_not_answer();
	answer();
	CU_ASSERT_EQUAL(s->front.count.tx_dropped, 3);
	teardown();
}

/* Each datagram is an event of its own, however many a socket gives at once. */
static void test_settled(void)
{
	setup();
	datagrams = 100;
	settled = 0;
	signalling_gtpc_ready(s, NOW);
	CU_ASSERT_EQUAL(s->front.count.echo_responses, 100);
	CU_ASSERT_EQUAL(settled, 100);
	datagrams = 10;
	settled = 0;
	signalling_gtpu_ready(s, NOW);
	CU_ASSERT_EQUAL(settled, 10);
	teardown();
}

/* How many answers so many G-PDUs get, whose TEIDs no session has. */
static unsigned int unknown_tunnels(uint32_t from, unsigned int n, uint32_t teid, uint32_t step)
{
	user.n = n;
	user.from = ip_addr_v4(from);
	user.teid = teid;
	user.step = step;
	said = 0;
	while (user.n > 0)
		signalling_gtpu_ready(s, NOW);
	return said;
}

/* The kernel's way, as fragments take it: a stranger's packets get what is its own and what is
 * shared, and beside it an SGSN gets its own. Nobody is told of TEID 0. */
static void test_unknown_tunnels(void)
{
	enum { OWN = 10, AT_ONCE = 9, MANY = 99999 };
	struct signalling_view v;

	setup();
	CU_ASSERT_EQUAL(unknown_tunnels(0x0a090001, MANY, 0x10000000, 1), OWN + AT_ONCE);
	signalling_view(s, &v);
	CU_ASSERT_EQUAL(v.gtpu.error_indications_sent, OWN + AT_ONCE);
	CU_ASSERT_EQUAL(v.gtpu.error_indications_limited, MANY - OWN - AT_ONCE);
	CU_ASSERT_EQUAL(unknown_tunnels(0x0a090002, 40, 0x20000000, 1), OWN);
	CU_ASSERT_EQUAL(unknown_tunnels(0x0a090003, 40, 0x30000000, 0), 1);
	CU_ASSERT_EQUAL(unknown_tunnels(0x0a090004, 40, 0, 0), 0);
	signalling_view(s, &v);
	CU_ASSERT_EQUAL(v.gtpu.gtpu_slow_dropped, 40);
	teardown();
}

int main(void)
{
	CU_TestInfo tests[] = { { "by every way", test_ways }, { "ends later", test_ends_later },
		{ "notices", test_notices }, { "queued", test_queued },
		{ "refused by the kernel", test_refused }, { "asked again", test_asked_again },
		{ "each datagram is settled", test_settled },
		{ "unknown tunnels", test_unknown_tunnels }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "time to serve", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	sock_ops = &serve_sock;
	if (ut_eal("test_serve") < 0)
		return EXIT_FAILURE;
	worker.door.ring = rte_ring_create("worker", 64, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	worker.door.pool = rte_mempool_create(
		"msgs", 255, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	return worker.door.ring != NULL && worker.door.pool != NULL ? ut_run(suites) : EXIT_FAILURE;
}
