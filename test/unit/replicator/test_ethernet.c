/* SPDX-License-Identifier: BSD-3-Clause */
/* ethernet, twin_frames: two ends of a wire that share their ports with the kernel: packets of the
 * stream cross it, and what is of anybody else is the kernel's, dropped or counted. */
#include <string.h>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "base/port.h"
#include "common/ether.h"
#include "net/fib.h"
#include "repl/flow.h"
#include "replicator/ethernet.h"
#include "replicator/twin_frames.h"
#include "ut.h"
#include "ut_eal.h"

enum {
	N = 2,
	PORT_MTU = 1500,
	OUTER = 42,
	WIRE = 64,
	RATE_MBPS = 8,
	FIFO = 256,
	LEN = 100,
	ADJACENCIES = 4,
	ADJACENCY = 3
};

struct end {
	struct transport *t;
	struct twin_frames *twin;
	struct rte_ring *punt, *out, *wire; /* wire: frames that came to its port */
	struct fib fib;                     /* of adjacencies alone */
	struct fib_adj adj[ADJACENCIES];
};

static struct end ends[N];
static struct rte_mempool *pool;
static uint16_t port_takes; /* frames that a port takes of a burst */

static uint16_t wire_rx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	(void)queue;
	return (uint16_t)rte_ring_dequeue_burst(ends[port].wire, (void **)m, n, NULL);
}

static uint16_t wire_tx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	(void)queue;
	return (uint16_t)rte_ring_enqueue_burst(
		ends[!port].wire, (void **)m, RTE_MIN(n, port_takes), NULL);
}

static const struct port_ops wire = { wire_rx, wire_tx };

static struct rte_ring *ring(const char *what, unsigned int k)
{
	char name[16];
	struct rte_ring *r;

	snprintf(name, sizeof(name), "%s_%u", what, k);
	r = rte_ring_create(name, WIRE, SOCKET_ID_ANY, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	return r;
}

static void end_open(unsigned int k, bool checksum)
{
	struct end *e = &ends[k];
	struct ethernet_settings s = { .start = { .local4 = 0x0a070001 + k,
					       .peer4 = 0x0a070002 - k,
					       .udp_port = 8485,
					       .checksum = checksum },
		.port = (uint16_t)k,
		.port_mtu = PORT_MTU,
		.mac = { { 2, 0, 0, 0, 0, (uint8_t)k } } };

	*e = (struct end){
		.punt = ring("punt", k), .out = ring("out", k), .wire = ring("wire", k)
	};
	e->adj[ADJACENCY].word = UINT64_C(0x020000000000) << 16 | (uint64_t)k << 8 | FIB_ADJ_VALID;
	e->fib.adj = e->adj;
	s.fib = &e->fib;
	s.twin = e->twin = twin_frames_create(s.port, e->punt, e->out);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e->twin);
	e->t = ethernet_create(&s);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e->t);
	e->t->ops->peer(e->t, ADJACENCY);
}

static void end_close(struct end *e)
{
	e->t->ops->destroy(e->t);
	twin_frames_destroy(e->twin);
	rte_ring_free(e->punt);
	rte_ring_free(e->out);
	rte_ring_free(e->wire);
}

static void ends_open(bool checksum)
{
	port_takes = WIRE;
	for (unsigned int k = 0; k < N; k++)
		end_open(k, checksum);
}

static void ends_close(void)
{
	for (unsigned int k = 0; k < N; k++)
		end_close(&ends[k]);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static struct rte_mbuf *packet(uint16_t len, int fill)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	memset(rte_pktmbuf_append(m, len), fill, len);
	return m;
}

static void send_one(struct end *e, uint16_t len)
{
	struct rte_mbuf *m = packet(len, 7);

	e->t->ops->tx(e->t, &m, 1);
}

/* What came to the other end of it: how many packets, of n frames. */
static unsigned int take(struct end *e, unsigned int n)
{
	struct arrived a[TRANSPORT_BURST];
	unsigned int brought, k = e->t->ops->rx(e->t, a, &brought);

	CU_ASSERT_EQUAL(brought, n);
	for (unsigned int i = 0; i < k; i++)
		rte_pktmbuf_free(a[i].m);
	return k;
}

static void test_packets(void)
{
	struct arrived a[TRANSPORT_BURST];
	struct rte_mbuf *m[TRANSPORT_BURST];
	unsigned int brought;

	for (int checksum = 0; checksum < 2; checksum++) {
		ends_open(checksum);
		CU_ASSERT_EQUAL(ends[0].t->mtu, PORT_MTU - 28);
		CU_ASSERT_EQUAL(ends[0].t->around, OUTER);
		for (unsigned int i = 0; i < TRANSPORT_BURST; i++)
			m[i] = packet((uint16_t)(i == 0 ? ends[0].t->mtu : LEN + i), (int)i);
		ends[0].t->ops->tx(ends[0].t, m, TRANSPORT_BURST);
		CU_ASSERT_EQUAL(ends[1].t->ops->rx(ends[1].t, a, &brought), TRANSPORT_BURST);
		CU_ASSERT_EQUAL(brought, TRANSPORT_BURST);
		for (unsigned int i = 0; i < TRANSPORT_BURST; i++) {
			CU_ASSERT_EQUAL(a[i].len, i == 0 ? ends[0].t->mtu : LEN + i);
			CU_ASSERT_EQUAL(a[i].m->pkt_len, a[i].len + ends[0].t->around);
			CU_ASSERT_EQUAL(*rte_pktmbuf_mtod_offset(a[i].m, uint8_t *, a[i].at), i);
			rte_pktmbuf_free(a[i].m);
		}
		CU_ASSERT_EQUAL(ends[0].t->count.tx_frames, TRANSPORT_BURST);
		CU_ASSERT_EQUAL(ends[1].t->count.rx_frames, TRANSPORT_BURST);
		CU_ASSERT_EQUAL(take(&ends[1], 0), 0);
		ends_close();
	}
}

static void test_link(void)
{
	struct transport *t;

	ends_open(false);
	t = ends[0].t;
	CU_ASSERT_TRUE(t->ops->link(t));
	t->ops->peer(t, FIB_NONE);
	CU_ASSERT_FALSE(t->ops->link(t));
	send_one(&ends[0], LEN); /* it was there when `link` was asked */
	CU_ASSERT_EQUAL(t->count.tx_failed, 1);
	t->ops->peer(t, ADJACENCY);
	CU_ASSERT_TRUE(t->ops->link(t));
	port_takes = 0;
	send_one(&ends[0], LEN);
	CU_ASSERT_EQUAL(t->count.tx_failed, 2);
	CU_ASSERT_EQUAL(t->count.tx_frames, 0);
	CU_ASSERT_EQUAL(take(&ends[1], 0), 0);
	ends_close();
}

/* The frame that is next in the wire of an end. */
static struct rte_mbuf *spoilt(struct end *e)
{
	void *m = NULL;

	CU_ASSERT_EQUAL_FATAL(rte_ring_dequeue(e->wire, &m), 0);
	return m;
}

static void test_strangers(void)
{
	struct rte_mbuf *m;
	struct rte_ipv4_hdr *ip;

	ends_open(true);
	for (unsigned int what = 0; what < 4; what++) {
		send_one(&ends[0], LEN);
		m = spoilt(&ends[1]);
		ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
		switch (what) {
		case 0: /* of a stranger */
			ip->src_addr ^= RTE_BE32(1);
			break;
		case 1: /* a byte that changed on the way */
			*rte_pktmbuf_mtod_offset(m, uint8_t *, OUTER + LEN / 2) ^= 1;
			break;
		case 2: /* longer than its frame */
			((struct rte_udp_hdr *)(ip + 1))->dgram_len = RTE_BE16(LEN + 9);
			break;
		case 3: /* to another address of the host */
			ip->dst_addr ^= RTE_BE32(0x100);
			break;
		}
		CU_ASSERT_EQUAL_FATAL(rte_ring_enqueue(ends[1].wire, m), 0);
		CU_ASSERT_EQUAL(take(&ends[1], 1), 0);
	}
	CU_ASSERT_EQUAL(ends[1].t->count.rx_frames, 4);
	CU_ASSERT_EQUAL(ends[1].t->count.drop_not_peer, 1);
	CU_ASSERT_EQUAL(ends[1].t->count.drop_checksum, 2);
	CU_ASSERT_EQUAL(twin_frames_count(ends[1].twin)->punted, 1);
	rte_pktmbuf_free(spoilt(&(struct end){ .wire = ends[1].punt }));
	ends_close();
}

/* The kernel's frames: the transport reads the port, and the twin's own turn does not. */
static void test_kernel(void)
{
	struct flow flow;
	struct rte_mbuf *m;
	unsigned int free_before;

	flow_init(&flow, RATE_MBPS, PORT_MTU + RTE_ETHER_HDR_LEN, 1, FIFO, 0);
	ends_open(false);
	CU_ASSERT_FALSE(twin_frames_turn(ends[0].twin, &flow));
	free_before = flow_packets(&flow);
	for (unsigned int i = 0; i < 8; i++)
		rte_ring_enqueue(ends[0].out, packet(PORT_MTU, 0xff));
	CU_ASSERT_TRUE(twin_frames_turn(ends[0].twin, &flow));
	CU_ASSERT_TRUE(free_before > 0);
	CU_ASSERT_EQUAL(flow_packets(&flow), 0); /* what may wait pays for it */
	CU_ASSERT_FALSE(twin_frames_turn(ends[1].twin, &flow));
	CU_ASSERT_EQUAL(take(&ends[1], 8), 0);
	CU_ASSERT_EQUAL(twin_frames_count(ends[1].twin)->punted, 8);
	CU_ASSERT_EQUAL(rte_ring_count(ends[1].punt), 8);
	while (rte_ring_dequeue(ends[1].punt, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	for (unsigned int i = 0; i < WIRE - 1; i++)
		rte_ring_enqueue(ends[1].punt, packet(1, 0));
	twin_frames_punt(ends[1].twin, packet(1, 0));
	CU_ASSERT_EQUAL(twin_frames_count(ends[1].twin)->punt_full, 1);
	while (rte_ring_dequeue(ends[1].punt, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	port_takes = 0;
	rte_ring_enqueue(ends[0].out, packet(LEN, 0xff));
	CU_ASSERT_TRUE(twin_frames_turn(ends[0].twin, &flow)); /* lost, as by a device */
	ends_close();
}

int main(void)
{
	static CU_TestInfo tests[] = { { "packets", test_packets }, { "link", test_link },
		{ "strangers", test_strangers }, { "the kernel's frames", test_kernel },
		CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "ethernet", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	if (ut_eal("test_ethernet") < 0)
		return EXIT_FAILURE;
	port_ops = &wire;
	pool = rte_pktmbuf_pool_create("packets", 255, 0, 0, 2048, SOCKET_ID_ANY);
	return pool != NULL ? ut_run(suites) : EXIT_FAILURE;
}
