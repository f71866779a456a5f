/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_create: what a Create costs the control core in signalling, from the datagram to the
 * response in the socket: decoding, index, order to a worker, its answer, the commit gate,
 * encoding. Worker, standby and kernel are stubs, so that what callgrind collects in four functions
 * is signalling alone: valgrind --tool=callgrind --toggle-collect=signalling_gtpc_ready
 *     --toggle-collect=signalling_answered --toggle-collect=signalling_committed
 *     --toggle-collect=signalling_turn build/test/bench/bench_create [CREATES] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "base/sock.h"
#include "config/items.h"
#include "cores/from_worker.h"
#include "cores/msg.h"
#include "cores/role.h"
#include "cores/to_worker.h"
#include "gtp/gtpc.h"
#include "pool/pool.h"
#include "signalling/signalling.h"
#include "ut_eal.h"
#include "ut_peers.h"

enum { BURST = 32, SESSIONS = 65536 };

static struct signalling *s;
static struct to_worker_door worker;
static const uint8_t worker_of_shard[SESSION_SHARDS];
static uint8_t datagram[BURST][GTPC_MSG_MAX];
static size_t length[BURST];
static unsigned int waiting, sent;

static int create_socket(int family, int type, int protocol)
{
	return 1000;
}

static int create_bind(int fd, const struct sockaddr *a, socklen_t len)
{
	return 0;
}

static int create_set_option(int fd, int level, int option, const void *value, socklen_t len)
{
	return 0;
}

static int create_close(int fd)
{
	return 0;
}

static int create_send_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	sent += n;
	return (int)n;
}

static int create_recv_many(int fd, struct mmsghdr *m, unsigned int n, int flags)
{
	const struct ip_addr from = ip_addr_v4(0x0a080001);
	unsigned int got = RTE_MIN(n, waiting);

	for (unsigned int i = 0; i < got; i++) {
		sock_address(m[i].msg_hdr.msg_name, &from, GTPC_PORT);
		memcpy(m[i].msg_hdr.msg_iov->iov_base, datagram[i], length[i]);
		m[i].msg_len = (unsigned int)length[i];
		sock_set_interface(&m[i].msg_hdr, 1);
	}
	waiting -= got;
	return got > 0 ? (int)got : -1;
}

static const struct sock_ops create_sock = { .socket = create_socket,
	.bind = create_bind,
	.set_option = create_set_option,
	.close = create_close,
	.recv_many = create_recv_many,
	.send_many = create_send_many };

static void create_settled(void *ctx) {}

static int create_event(void *ctx, const struct session_event *e)
{
	return 0;
}

/* The last eight digits of an IMSI. */
static uint64_t create_bcd(uint64_t number)
{
	uint64_t bcd = 0;

	for (unsigned int i = 0; i < 8; i++, number /= 10)
		bcd |= number % 10 << 4 * i;
	return bcd;
}

static void create_ask(uint64_t number)
{
	static const uint8_t qos[] = { 2, 0x0b, 0x92, 0x1f };
	const struct gtpc_ask ask = { .seq = (uint16_t)number,
		.key = UINT64_C(0x2400200000000005) | create_bcd(number) << 4,
		.has_recovery = true,
		.recovery = 7,
		.ctl_teid = (uint32_t)number,
		.usr_teid = (uint32_t)number,
		.ctl = ip_addr_v4(0x0a080001),
		.usr = ip_addr_v4(0x0a080001),
		.apn = "internet",
		.qos_len = sizeof(qos),
		.qos = qos };

	length[waiting] = gtpc_encode_create_request(datagram[waiting], &ask);
	waiting++;
}

/* The worker's answers, and then the standby's acknowledgement of all. */
static void create_answer(usec_t now)
{
	static struct msg_entries acked;
	static uint32_t handle;
	struct to_worker *order;

	acked.n = 0;
	while ((order = to_worker_take(&worker)) != NULL) {
		struct from_worker_answer m = { .commit = 5, .request = order->head.type };

		if (order->head.type == TO_WORKER_CREATE) {
			m.cookie = order->create.q.cookie;
			m.rec = order->create.q.rec;
			m.rec.handle = handle += 0x101;
			m.rec.ue = ip_addr_v4(0x0a010000 + handle % 65536);
			acked.entry[acked.n++] = repl_entry(m.rec.handle, m.commit, 0);
			signalling_answered(s, &m, now);
		}
		msg_free(worker.door.pool, order);
	}
	signalling_committed(s, &acked, now);
}

static int create_open(void)
{
	static struct role role;
	static const struct signalling_port access = { .bit = 1, .twin_ifindex = 1 };
	static const struct config_placed placed = { .n_apns = 1,
		.apn = { { PLACED_USED, { .name = "internet" } } } };
	struct pool_conf pool = { .name = "p", .prefix = { ip_addr_v4(0x0a010000), 16 } };
	struct session_params p = { .capacity = SESSIONS, .mem = &session_mem_libc };
	struct signalling_env env = { .start = { .gtp = ip_addr_v4(0x0a0000fe),
					      .max_sessions = UINT32_MAX,
					      .placed = &placed },
		.live = { .commit_timeout_us = 50000 },
		.secret = { { 1, 2, 3 } },
		.ports = &access,
		.n_ports = 1,
		.settings = ut_peers_board(0x0a080000, 24, 1),
		.n_workers = 1,
		.to_worker = &worker,
		.worker_of_shard = worker_of_shard,
		.role = &role,
		.settled = create_settled };

	pool_hooks(pool_set_create(&pool, 1, &session_mem_libc), &p.hooks);
	p.hooks.event = create_event;
	env.table = session_table_create(&p);
	role_init(&role);
	atomic_store(&role.answering, true);
	worker.door.ring = rte_ring_create("worker", 256, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	worker.door.pool = env.msgs = rte_mempool_create(
		"msgs", 511, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	s = signalling_create(&env);
	return s != NULL && env.msgs != NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
	unsigned int creates = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 3200,
		     asked = 0;
	usec_t now = 1000000;

	sock_ops = &create_sock;
	if (ut_eal("bench_create") < 0 || create_open() < 0)
		return EXIT_FAILURE;
	signalling_activated(s, 3, true, now);
	signalling_stream(s, true, now);
	while (asked < creates) {
		while (waiting < BURST)
			create_ask(asked++);
		now += 1000;
		signalling_gtpc_ready(s, now);
		create_answer(now);
		signalling_turn(s, now);
	}
	fprintf(stderr, "%u Creates, %u responses\n", asked, sent);
	return sent == asked ? EXIT_SUCCESS : EXIT_FAILURE;
}
