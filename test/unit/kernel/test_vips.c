/* SPDX-License-Identifier: BSD-3-Clause */
/* vips: what a chassis has in its kernel, and that nothing is announced for what is not there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel_priv.h"
#include "ut.h"

enum { VIPS = 2, S = 1000000 };

static struct config_loopback loopbacks[VIPS];
static struct config_placed placed;
static struct config_port access_port;
static struct kernel_port port;
static _Atomic bool up;
static struct vips *v;

/* ---- the kernel ---- */

static bool address[VIPS], refuse_address[VIPS], refuse_routes;
static uint32_t metric, metric_more; /* of the pool's route, and of that of one that comes */
static unsigned int asked, announced[VIPS];

static unsigned int vip_of(const struct ip_addr *a)
{
	return ip_addr_equal(a, &loopbacks[1].address);
}

static int vip_add(struct net_kernel *k, const struct ip_addr *vip, unsigned int where)
{
	asked++;
	if (refuse_address[vip_of(vip)])
		return -EACCES;
	address[vip_of(vip)] = true;
	return 0;
}

static int vip_del(struct net_kernel *k, const struct ip_addr *vip, unsigned int where)
{
	address[vip_of(vip)] = false;
	return 0;
}

static int pool_route_set(struct net_kernel *k, const struct ip_prefix *to, uint32_t m)
{
	if (refuse_routes)
		return -EACCES;
	if (to->len == 24)
		metric = m;
	if (to->len == 20)
		metric_more = m;
	return 0;
}

static int pool_route_del(struct net_kernel *k, const struct ip_prefix *to)
{
	if (to->len == 24)
		metric = 0;
	if (to->len == 20)
		metric_more = 0;
	return 0;
}

static const struct net_ops net_here = { .vip_add = vip_add,
	.vip_del = vip_del,
	.pool_route_set = pool_route_set,
	.pool_route_del = pool_route_del };

const struct net_ops *net_ops = &net_here;

struct rte_mbuf *net_announce(
	struct rte_mempool *pool, const struct mac_addr *mac, const struct ip_addr *addr)
{
	announced[vip_of(addr)]++;
	return NULL;
}

/* ---- memory, without the EAL ---- */

static void *take(const char *name, size_t size, size_t align)
{
	return calloc(1, size);
}

static const struct memory_ops memory_libc = { take, free };

const struct memory_ops *memory_ops = &memory_libc;

/* ---- the tests ---- */

static void setup(void)
{
	for (unsigned int i = 0; i < VIPS; i++) {
		struct config_loopback *l = &loopbacks[i];

		snprintf(l->name, sizeof(l->name), "vip%u", i);
		snprintf(l->port, sizeof(l->port), "access");
		l->address = ip_addr_v4(0x0a000001 + i);
		l->srp_activate = true;
		address[i] = refuse_address[i] = false;
		announced[i] = 0;
	}
	snprintf(access_port.name, sizeof(access_port.name), "access");
	placed = (struct config_placed){ .n_pools = 1,
		.pool = { { .state = PLACED_USED,
			.conf = { .prefix = { ip_addr_v4(0x0a010000), 24 },
				.srp_activate = true } } } };
	port = (struct kernel_port){ .conf = &access_port, .up = &up };
	atomic_store(&up, true);
	refuse_routes = false;
	metric = asked = 0;
	v = vips_create(&(struct vips_settings){
		.start = { .loopbacks = loopbacks, .placed = &placed, .n_loopbacks = VIPS },
		.ports = &port,
		.n_ports = 1 });
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
}

static void teardown(void)
{
	vips_destroy(v);
	CU_ASSERT_FALSE(address[0] || address[1]);
	CU_ASSERT_EQUAL(metric, 0);
}

static void announce(usec_t now)
{
	vips_announce_anew(v, now);
	vips_announce(v, now);
}

static void test_life(void)
{
	announce(S);
	CU_ASSERT_EQUAL(announced[0], 0);
	CU_ASSERT_EQUAL(vips_ahead(v, 2), 0);
	CU_ASSERT_EQUAL(vips_state(v), VIPS_AHEAD);
	CU_ASSERT_EQUAL(metric, 2);
	CU_ASSERT_FALSE(address[0] || address[1]);
	/* What an Active would advertise is no matter of a standby's routes, nor of what is said of
	 * them. */
	CU_ASSERT_EQUAL(vips_set_metric(v, 9), 0);
	CU_ASSERT_TRUE(metric == 2 && vips_metric(v) == 2);
	CU_ASSERT_EQUAL(vips_up(v, 1, S), 0);
	CU_ASSERT_EQUAL(vips_state(v), VIPS_UP);
	CU_ASSERT_TRUE(address[0] && address[1] && metric == 1);
	announce(S);
	CU_ASSERT_TRUE(announced[0] == 1 && announced[1] == 1);
	CU_ASSERT_EQUAL(vips_set_metric(v, 3), 0);
	CU_ASSERT_EQUAL(metric, 3);
	vips_linger(v, 4);
	CU_ASSERT_EQUAL(vips_state(v), VIPS_LINGERING);
	CU_ASSERT_TRUE(!address[0] && !address[1] && metric == 4);
	CU_ASSERT_FALSE(vips_confirmed(v, &loopbacks[0].address));
	announce(2 * S);
	CU_ASSERT_TRUE(announced[0] == 1 && announced[1] == 1);
	vips_withdraw(v);
	CU_ASSERT_EQUAL(vips_state(v), VIPS_DOWN);
	CU_ASSERT_EQUAL(metric, 0);
}

/* Nothing is said of an address that the kernel has not confirmed. */
static void test_refused(void)
{
	refuse_address[1] = true;
	CU_ASSERT_EQUAL(vips_up(v, 1, S), -EACCES);
	CU_ASSERT_TRUE(vips_confirmed(v, &loopbacks[0].address));
	CU_ASSERT_FALSE(vips_confirmed(v, &loopbacks[1].address));
	announce(S);
	CU_ASSERT_TRUE(announced[0] == 1 && announced[1] == 0);
	asked = 0;
	CU_ASSERT_FALSE(vips_turn(v, 2 * S - 1));
	CU_ASSERT_EQUAL(asked, 0);
	CU_ASSERT_FALSE(vips_turn(v, 2 * S)); /* still refused; the other is not asked for again */
	CU_ASSERT_EQUAL(asked, 1);
	refuse_address[1] = false;
	CU_ASSERT_FALSE(vips_turn(v, 3 * S - 1));
	CU_ASSERT_TRUE(vips_turn(v, 3 * S));
	CU_ASSERT_TRUE(vips_confirmed(v, &loopbacks[1].address));
	vips_announce(v, 3 * S);
	CU_ASSERT_TRUE(announced[0] == 2 && announced[1] == 1);
	CU_ASSERT_FALSE(vips_turn(v, 9 * S));
}

/* What is not known to be the longer path does not stay. */
static void test_routes_refused(void)
{
	CU_ASSERT_EQUAL(vips_up(v, 1, S), 0);
	refuse_routes = true;
	vips_linger(v, 2);
	CU_ASSERT_EQUAL(vips_state(v), VIPS_DOWN);
	CU_ASSERT_EQUAL(metric, 0);
	CU_ASSERT_EQUAL(vips_ahead(v, 2), -EACCES);
	CU_ASSERT_EQUAL(vips_state(v), VIPS_DOWN);
	CU_ASSERT_EQUAL(vips_up(v, 1, S), -EACCES);
	refuse_routes = false;
	CU_ASSERT_TRUE(vips_turn(v, 2 * S));
	CU_ASSERT_EQUAL(metric, 1);
}

static void pool_comes(enum placed_state state)
{
	placed.n_pools = 3;
	placed.pool[2] = (struct placed_pool){ .state = state,
		.conf = { .prefix = { ip_addr_v4(0x0a020000), 20 }, .srp_activate = true } };
}

/* A pool that comes has the routes of the others, one that drains keeps it, and one that leaves has
 * none; at a free place there is nothing. */
static void test_pools(void)
{
	metric_more = 0;
	pool_comes(PLACED_USED);
	vips_pool(v, 2, true);
	CU_ASSERT_EQUAL(metric_more, 0); /* nobody advertises anything */
	CU_ASSERT_EQUAL(vips_up(v, 3, S), 0);
	CU_ASSERT_TRUE(metric == 3 && metric_more == 3);
	vips_pool(v, 2, false);
	placed.pool[2].state = PLACED_FREE;
	CU_ASSERT_TRUE(metric == 3 && metric_more == 0);
	CU_ASSERT_EQUAL(vips_set_metric(v, 4), 0);
	CU_ASSERT_TRUE(metric == 4 && metric_more == 0);
	refuse_routes = true;
	pool_comes(PLACED_USED);
	vips_pool(v, 2, true);
	CU_ASSERT_EQUAL(metric_more, 0);
	refuse_routes = false;
	CU_ASSERT_TRUE(vips_turn(v, 2 * S));
	CU_ASSERT_EQUAL(metric_more, 4);
	pool_comes(PLACED_DRAINING);
	CU_ASSERT_EQUAL(vips_ahead(v, 5), 0);
	CU_ASSERT_TRUE(metric == 5 && metric_more == 5);
	vips_withdraw(v);
	CU_ASSERT_TRUE(metric == 0 && metric_more == 0);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "life", test_life }, { "refused", test_refused },
		{ "routes refused", test_routes_refused }, { "pools", test_pools },
		CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "vips", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
