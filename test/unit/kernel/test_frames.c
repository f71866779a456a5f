/* SPDX-License-Identifier: BSD-3-Clause */
/* frames: each that another core leaves to the control core is an event of its own. */
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "kernel_priv.h"
#include "ut.h"
#include "ut_eal.h"

enum { FRAMES_PUT = 100 };

static struct kernel k;
static unsigned int handled, settled, unsettled, to_twin;

static void frames_settled(void *ctx)
{
	settled++;
}

/* Every second one is nobody's but the kernel's. */
static bool frames_frame(void *ctx, struct rte_mbuf *m, usec_t now)
{
	unsettled += settled != handled;
	if (handled++ % 2 == 1)
		return false;
	rte_pktmbuf_free(m);
	return true;
}

static uint16_t frames_twin_to(struct net_twin *t, struct rte_mbuf **m, uint16_t n)
{
	to_twin += n;
	rte_pktmbuf_free_bulk(m, n);
	return n;
}

static uint16_t frames_twin_from(struct net_twin *t, struct rte_mbuf **m, uint16_t n)
{
	return 0;
}

static const struct net_ops frames_net = { .twin_to = frames_twin_to,
	.twin_from = frames_twin_from };

static void test_settled(void)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create("frames", 255, 0, 0, 256, SOCKET_ID_ANY);

	net_ops = &frames_net;
	k = (struct kernel){ .s = { .n_ports = 1, .ops = { .frame = frames_frame } } };
	k.s.reactor = reactor_create(frames_settled, NULL);
	k.s.punt = rte_ring_create("punt", 256, SOCKET_ID_ANY, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k.s.reactor);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k.s.punt);
	for (unsigned int i = 0; i < FRAMES_PUT; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		m->port = 0;
		CU_ASSERT_EQUAL_FATAL(rte_ring_enqueue(k.s.punt, m), 0);
	}
	CU_ASSERT_TRUE(kernel_frames(&k, 0));
	CU_ASSERT_EQUAL(handled, FRAMES_PUT);
	CU_ASSERT_EQUAL(settled, FRAMES_PUT);
	CU_ASSERT_EQUAL(unsettled, 0);
	CU_ASSERT_EQUAL(to_twin, FRAMES_PUT / 2);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
	CU_ASSERT_FALSE(kernel_frames(&k, 0));
	rte_ring_free(k.s.punt);
	reactor_destroy(k.s.reactor);
	rte_mempool_free(pool);
}

int main(void)
{
	CU_TestInfo tests[] = { { "each frame is settled", test_settled }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "frames", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return ut_eal("test_frames") == 0 ? ut_run(suites) : EXIT_FAILURE;
}
