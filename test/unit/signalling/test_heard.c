/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose GTP control hears, by socket and past the kernel: the source and the port that a datagram
 * came in by decide together, and what the kernel put together goes on by that same port. */
#include <errno.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "base/sock.h"
#include "cores/to_worker.h"
#include "gtp/gtpu.h"
#include "net/fib.h"
#include "pool/pool.h"
#include "signalling_priv.h"
#include "ut.h"
#include "ut_eal.h"
#include "ut_peers.h"

enum { NOW = 1000000, NEAR = 3, FAR = 7, NEAR_TWIN = 21, FAR_TWIN = 22, CORE_TWIN = 23 };
#define VIP      UINT32_C(0x0a0000fe)
#define HOME     UINT32_C(0x0a080001) /* heard at port NEAR alone */
#define RNC      UINT32_C(0x0a080101) /* its other GTP-U address */
#define ROAMER   UINT32_C(0xc0000201) /* heard at port FAR alone */
#define STRANGER UINT32_C(0x0a090001)

static struct settings_board *board;
static struct session_table *table;
static struct pool_set *pools;
static struct role role;
static struct to_worker_door worker;
static struct fib fib = {
	.mac = { [NEAR] = { { 2, 0, 0, 0, 0, NEAR } }, [FAR] = { { 2, 0, 0, 0, 0, FAR } } }
};
static const uint8_t worker_of_shard[SESSION_SHARDS];
static struct rte_ring *handover[1];
static struct rte_mempool *mbufs;
static struct signalling *s;
static uint32_t teid;

/* What waits in a socket. */
static struct {
	uint32_t from4;
	unsigned int ifindex;
	uint8_t p[64];
	size_t len;
	bool waits;
} datagram;

static int heard_test_socket(int family, int type, int protocol)
{
	return 1000;
}

static int heard_test_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	return 0;
}

static int heard_test_set_option(int fd, int level, int option, const void *value, socklen_t len)
{
	return 0;
}

static int heard_test_close(int fd)
{
	return 0;
}

static int heard_test_send_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	return (int)n;
}

static ssize_t heard_test_send_to(
	int fd, const void *from, size_t n, int flags, const struct sockaddr *a, socklen_t len)
{
	return (ssize_t)n;
}

static int heard_test_recv_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	struct ip_addr from = ip_addr_v4(datagram.from4);

	if (!datagram.waits) {
		errno = EAGAIN;
		return -1;
	}
	datagram.waits = false;
	sock_address(m->msg_hdr.msg_name, &from, 2000);
	memcpy(m->msg_hdr.msg_iov->iov_base, datagram.p, datagram.len);
	m->msg_len = (unsigned int)datagram.len;
	if (datagram.ifindex != 0)
		sock_set_interface(&m->msg_hdr, datagram.ifindex);
	else
		m->msg_hdr.msg_controllen = 0;
	return 1;
}

static const struct sock_ops heard_test_sock = { .socket = heard_test_socket,
	.bind = heard_test_bind,
	.set_option = heard_test_set_option,
	.close = heard_test_close,
	.send_to = heard_test_send_to,
	.recv_many = heard_test_recv_many,
	.send_many = heard_test_send_many };

static void heard_test_settled(void *ctx) {}

static struct peers *two_peers(void)
{
	static const struct peers_entry entry[] = { { .name = "home", .ports = 1 << 0 },
		{ .name = "roamer", .ports = 1 << 4 } };
	const struct peers_prefix prefix[] = { { { ip_addr_v4(HOME), 32 }, 0, PEERS_CONTROL },
		{ { ip_addr_v4(RNC), 32 }, 0, PEERS_USER },
		{ { ip_addr_v4(HOME), 32 }, 0, PEERS_USER },
		{ { ip_addr_v4(ROAMER & 0xffffff00), 24 }, 1, PEERS_CONTROL } };
	struct peer_numbers *numbers = peer_numbers_create();
	struct peers *p;

	CU_ASSERT_EQUAL_FATAL(peers_build(&p, entry, 2, prefix, 4), 0);
	CU_ASSERT_EQUAL(peer_numbers_give(numbers, p, NULL, NULL), 0);
	peer_numbers_destroy(numbers);
	return p;
}

static void make_session(void)
{
	struct pool_conf pool = { .name = "p", .prefix = { ip_addr_v4(0x0a010000), 24 } };
	struct session_params p = { .capacity = 1000, .mem = &session_mem_libc };
	struct session_rec rec = { .state = SESSION_LIVE,
		.pdp_type = 0x21,
		.key = 0x24001,
		.ue = ip_addr_v4(0x0a010005),
		.peer_ctl = ip_addr_v4(HOME),
		.peer_usr = ip_addr_v4(HOME) };

	pools = pool_set_create(&pool, 1, &session_mem_libc);
	pool_hooks(pools, &p.hooks);
	table = session_table_create(&p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(table, i, 0);
	CU_ASSERT_EQUAL_FATAL(session_create(table, 0, &rec, 1), 0);
	teid = rec.handle;
}

static void setup(void)
{
	static _Atomic bool up = true;
	const struct signalling_port port[] = { { .id = NEAR,
							.bit = 1 << 0,
							.mac = fib.mac[NEAR],
							.twin_ifindex = NEAR_TWIN,
							.up = &up },
		{ .id = FAR,
			.bit = 1 << 4,
			.mac = fib.mac[FAR],
			.twin_ifindex = FAR_TWIN,
			.up = &up } };
	struct settings first = { .peers = two_peers() };
	struct signalling_env env = { .start = { .gtp = ip_addr_v4(VIP), .max_sessions = 1000 },
		.live = { .direct = true },
		.vip4 = VIP,
		.ports = port,
		.n_ports = 2,
		.fib = &fib,
		.n_workers = 1,
		.to_worker = &worker,
		.worker_of_shard = worker_of_shard,
		.msgs = worker.door.pool,
		.mbufs = mbufs,
		.handover = handover,
		.role = &role,
		.settled = heard_test_settled };

	make_session();
	board = settings_create(&first, NULL, 0);
	peers_drop(first.peers);
	env.settings = board;
	env.table = table;
	role_init(&role);
	atomic_store(&role.answering, true);
	atomic_store(&role.serve_until, ROLE_FOR_EVER);
	s = signalling_create(&env);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
}

static void teardown(void)
{
	signalling_destroy(s);
	settings_destroy(board);
	session_table_destroy(table);
	pool_set_destroy(pools);
}

static const uint8_t gtpc_echo[] = { 0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0 };
static const uint8_t gtpu_echo[] = { 0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0 };

static void comes(uint32_t from4, unsigned int ifindex, const uint8_t *p, size_t len)
{
	datagram.from4 = from4;
	datagram.ifindex = ifindex;
	datagram.len = len;
	datagram.waits = true;
	memcpy(datagram.p, p, len);
}

static uint64_t refused(void)
{
	const struct signalling_peer_counters *c = &s->front.heard.count;

	return c->gtpc_no_peer + c->gtpc_wrong_port + c->gtpu_no_peer + c->gtp_no_access_port;
}

/* Whether one more is answered by GTP-C, then by GTP-U; else each is refused for one reason. */
static void check(uint32_t from4, unsigned int ifindex, bool control, bool user)
{
	uint64_t had = refused(), gtpc = s->front.count.echo_requests,
		 gtpu = s->gtpu.count.gtpu_echo_requests;

	comes(from4, ifindex, gtpc_echo, sizeof(gtpc_echo));
	signalling_gtpc_ready(s, NOW);
	CU_ASSERT_EQUAL(s->front.count.echo_requests - gtpc, control);
	CU_ASSERT_EQUAL(refused() - had, !control);
	had = refused();
	comes(from4, ifindex, gtpu_echo, sizeof(gtpu_echo));
	signalling_gtpu_ready(s, NOW);
	CU_ASSERT_EQUAL(s->gtpu.count.gtpu_echo_requests - gtpu, user);
	CU_ASSERT_EQUAL(refused() - had, !user);
}

static void test_sockets(void)
{
	check(HOME, NEAR_TWIN, true, true);
	check(HOME, FAR_TWIN, false, false);
	check(HOME, CORE_TWIN, false, false);
	check(HOME, 0, false, false);
	check(RNC, NEAR_TWIN, false, true);
	check(ROAMER, FAR_TWIN, true, true);
	check(ROAMER, NEAR_TWIN, false, false);
	check(STRANGER, NEAR_TWIN, false, false);
	check(STRANGER, FAR_TWIN, false, false);
	CU_ASSERT_EQUAL(s->front.heard.count.gtpc_wrong_port, 2);
	CU_ASSERT_EQUAL(s->front.heard.count.gtpc_no_peer, 3);
	CU_ASSERT_EQUAL(s->front.heard.count.gtpu_no_peer, 4);
	CU_ASSERT_EQUAL(s->front.heard.count.gtp_no_access_port, 4);
	CU_ASSERT_EQUAL(signalling_peer(s, 1).messages, 1);
	CU_ASSERT_EQUAL(signalling_peer(s, 1).wrong_port, 1);
	CU_ASSERT_EQUAL(signalling_peer(s, 2).messages, 1);
	CU_ASSERT_EQUAL(signalling_peer(s, UINT16_MAX).messages, 0);
}

/* A reload takes the word of whoever is no peer any more. */
static void test_reload(void)
{
	struct settings next = { .peers = ut_peers(STRANGER, 32, 1 << 0) };

	CU_ASSERT_EQUAL_FATAL(settings_ready(board, &next), 0);
	peers_drop(next.peers);
	check(HOME, NEAR_TWIN, true, true);
	settings_publish(board);
	check(HOME, NEAR_TWIN, false, false);
	check(STRANGER, NEAR_TWIN, true, true);
	next.peers = NULL;
	CU_ASSERT_EQUAL_FATAL(settings_ready(board, &next), 0);
	settings_publish(board);
	check(STRANGER, NEAR_TWIN, false, false);
}

/* Returns whether it was served. */
static bool frame(uint16_t port, uint32_t from4)
{
	uint64_t had = s->front.count.echo_requests;
	struct rte_mbuf *m = rte_pktmbuf_alloc(mbufs);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, GTPC_FRAME_HEAD + sizeof(gtpc_echo));

	m->port = port;
	memcpy(p + GTPC_FRAME_HEAD, gtpc_echo, sizeof(gtpc_echo));
	gtpc_frame_write(p, sizeof(gtpc_echo), &fib.mac[NEAR], &fib.mac[port], from4, VIP, 2123, 1);
	CU_ASSERT_TRUE(signalling_frame(s, m, NOW));
	return s->front.count.echo_requests > had;
}

static void test_direct(void)
{
	CU_ASSERT_TRUE(frame(NEAR, HOME));
	CU_ASSERT_FALSE(frame(FAR, HOME));
	CU_ASSERT_TRUE(frame(FAR, ROAMER));
	CU_ASSERT_FALSE(frame(NEAR, ROAMER));
	CU_ASSERT_FALSE(frame(NEAR, RNC));
	CU_ASSERT_FALSE(frame(NEAR, STRANGER));
	CU_ASSERT_EQUAL(s->front.heard.count.gtpc_wrong_port, 2);
	CU_ASSERT_EQUAL(s->front.heard.count.gtpc_no_peer, 2);
}

/* The port that the G-PDU goes on by; NEAR + FAR: it does not. */
static unsigned int reassembled(uint32_t from4, unsigned int ifindex)
{
	uint8_t p[28] = { 0x30, 255, 0, 20, (uint8_t)(teid >> 24), (uint8_t)(teid >> 16),
		(uint8_t)(teid >> 8), (uint8_t)teid, 0x45 };
	unsigned int port = NEAR + FAR;
	struct rte_mbuf *m;

	comes(from4, ifindex, p, sizeof(p));
	signalling_gtpu_ready(s, NOW);
	if (rte_ring_dequeue(handover[0], (void **)&m) < 0)
		return port;
	port = m->port;
	CU_ASSERT_EQUAL(memcmp(rte_pktmbuf_mtod(m, void *), &fib.mac[port], 6), 0);
	rte_pktmbuf_free(m);
	return port;
}

static void test_reassembled(void)
{
	CU_ASSERT_EQUAL(reassembled(HOME, NEAR_TWIN), NEAR);
	CU_ASSERT_EQUAL(reassembled(ROAMER, FAR_TWIN), FAR);
	CU_ASSERT_EQUAL(reassembled(HOME, FAR_TWIN), NEAR + FAR);
	CU_ASSERT_EQUAL(reassembled(STRANGER, NEAR_TWIN), NEAR + FAR);
	CU_ASSERT_EQUAL(reassembled(HOME, CORE_TWIN), NEAR + FAR);
	CU_ASSERT_EQUAL(s->gtpu.count.gtpu_reassembled, 2);
	CU_ASSERT_EQUAL(s->gtpu.count.error_indications_sent, 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "sockets", test_sockets }, { "reload", test_reload },
		{ "direct", test_direct }, { "reassembled", test_reassembled }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "heard", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	sock_ops = &heard_test_sock;
	if (ut_eal("test_heard") < 0)
		return EXIT_FAILURE;
	worker.door.ring = rte_ring_create("worker", 64, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	worker.door.pool = rte_mempool_create(
		"msgs", 63, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	handover[0] = rte_ring_create("handover", 64, 0, 0);
	mbufs = rte_pktmbuf_pool_create("mbufs", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	fib.adj = calloc(FIB_ADJ_MAX, sizeof(*fib.adj));
	if (worker.door.ring == NULL || worker.door.pool == NULL || handover[0] == NULL ||
		mbufs == NULL || fib.adj == NULL)
		return EXIT_FAILURE;
	return ut_run(suites);
}
