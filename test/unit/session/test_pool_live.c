/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools that come and go, while other cores look addresses up. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "session_fixture.h"

static struct pool_conf conf_of(const char *prefix, uint8_t len)
{
	struct pool_conf c;

	fix_pool_conf(&c, prefix, len);
	return c;
}

static struct pool_made *made(const char *prefix, uint8_t len)
{
	struct pool_conf c = conf_of(prefix, len);

	return pool_make(&c, &session_mem_libc);
}

static bool is_found(const struct pool_set *ps, uint32_t ue4)
{
	return pool_entry4(ps, INSTANCE_MAIN, ue4) != NULL;
}

static void test_make(void)
{
	struct pool_conf c = conf_of("10.0.0.1", 24);

	errno = 0;
	CU_ASSERT_PTR_NULL(pool_make(&c, &session_mem_libc));
	CU_ASSERT_EQUAL(errno, EINVAL);
	c = conf_of("10.0.0.0", 24);
	c.instance = INSTANCES;
	CU_ASSERT_PTR_NULL(pool_make(&c, &session_mem_libc));
	pool_unmake(made("10.0.0.0", 24)); /* never put */
	pool_unmake(NULL);
}

static void test_put(void)
{
	struct pool_conf c = conf_of("10.0.0.0", 24);
	struct pool_set *ps = pool_set_create(&c, 1, &session_mem_libc);
	struct pool_made *m = made("10.1.0.0", 16), *over = made("10.1.7.0", 24);
	uint64_t bytes = ps->bytes;
	struct session_hooks h;
	struct ip_addr ue;

	pool_hooks(ps, &h);
	CU_ASSERT_PTR_NULL(pool_at(ps, 5));
	CU_ASSERT_EQUAL(pool_pick(ps, 5, 1, &ue), -ENOSPC);
	CU_ASSERT_EQUAL(pool_put(ps, POOL_MAX, m), -EINVAL);
	CU_ASSERT_EQUAL(pool_put(ps, 0, m), -EEXIST);
	CU_ASSERT_EQUAL(pool_put(ps, 5, m), 0);
	CU_ASSERT_EQUAL(pool_put(ps, 6, m), -EINVAL); /* it stands at 5 */
	CU_ASSERT_EQUAL(pool_put(ps, 6, over), -EEXIST);
	CU_ASSERT_TRUE(ps->bytes >= bytes + 4 * 65536);
	CU_ASSERT_PTR_EQUAL(pool_at(ps, 5), &ps->p[5]);
	CU_ASSERT_PTR_NULL(pool_at(ps, 4));
	CU_ASSERT_PTR_NULL(pool_at(ps, POOL_MAX));
	CU_ASSERT_TRUE(is_found(ps, 0x0a01ffff));
	CU_ASSERT_TRUE(is_found(ps, 0x0a0000ff));
	CU_ASSERT_FALSE(is_found(ps, 0x0a020000));
	CU_ASSERT_EQUAL_FATAL(pool_pick(ps, 5, 1, &ue), 0);
	CU_ASSERT_EQUAL(h.bind(h.ctx, 5, &ue, 9), 0);
	CU_ASSERT_EQUAL(h.bind(h.ctx, 4, &ue, 9), -ENOENT);
	CU_ASSERT_EQUAL(*pool_entry4(ps, INSTANCE_MAIN, ip_addr_to_v4(&ue)), 9);
	pool_unmake(over);
	pool_set_destroy(ps);
}

static void test_take(void)
{
	struct pool_conf c[2] = { conf_of("10.0.0.0", 24), conf_of("10.1.0.0", 16) };
	struct pool_set *ps = pool_set_create(c, 2, &session_mem_libc);
	struct pool_made *m = NULL, *anew = made("10.1.0.0", 24);
	struct ip_addr ue = ip_addr_v4(0x0a010001);
	uint64_t bytes = ps->bytes;
	struct session_hooks h;

	pool_hooks(ps, &h);
	CU_ASSERT_EQUAL(pool_take(ps, 2, &m), -EINVAL);
	CU_ASSERT_EQUAL(pool_take(ps, POOL_MAX, &m), -EINVAL);
	CU_ASSERT_EQUAL(h.bind(h.ctx, 1, &ue, 9), 0);
	CU_ASSERT_EQUAL(pool_take(ps, 1, &m), -EBUSY);
	CU_ASSERT_TRUE(is_found(ps, 0x0a010001));
	h.unbind(h.ctx, 1, &ue, 9);
	CU_ASSERT_EQUAL_FATAL(pool_take(ps, 1, &m), 0);
	CU_ASSERT_FALSE(is_found(ps, 0x0a010001));
	CU_ASSERT_PTR_NULL(pool_at(ps, 1));
	CU_ASSERT_EQUAL(h.bind(h.ctx, 1, &ue, 9), -ENOENT);
	CU_ASSERT_EQUAL(h.named(h.ctx, 1, &ue), 0);
	CU_ASSERT_EQUAL(pool_pick(ps, 1, 1, &ue), -ENOSPC);
	/* until it has gone, neither its place nor its addresses are another's */
	CU_ASSERT_EQUAL(pool_put(ps, 1, anew), -EEXIST);
	CU_ASSERT_EQUAL(pool_put(ps, 2, anew), -EEXIST);
	CU_ASSERT_EQUAL(pool_take(ps, 1, &m), -EINVAL);
	CU_ASSERT_EQUAL(pool_gone(ps, m), 0);
	CU_ASSERT_EQUAL(ps->n, 1);
	CU_ASSERT_TRUE(ps->bytes < bytes - 4 * 65536);
	pool_unmake(m);
	CU_ASSERT_EQUAL(pool_put(ps, 1, anew), 0);
	CU_ASSERT_TRUE(is_found(ps, 0x0a010001));
	CU_ASSERT_FALSE(is_found(ps, 0x0a010101));
	CU_ASSERT_EQUAL(pool_take(ps, 0, &m), 0);
	CU_ASSERT_EQUAL(pool_gone(ps, m), 0);
	CU_ASSERT_EQUAL(ps->n, 2); /* a place below may be free */
	CU_ASSERT_FALSE(is_found(ps, 0x0a000001));
	CU_ASSERT_TRUE(is_found(ps, 0x0a010001));
	pool_unmake(m);
	pool_set_destroy(ps);
}

/* A core that found the pool before it was taken gives an address of it away behind the look
 * whether anybody has one. */
static void test_taken_too_early(void)
{
	struct pool_conf c = conf_of("10.0.0.0", 24);
	struct pool_set *ps = pool_set_create(&c, 1, &session_mem_libc);
	struct ip_addr ue = ip_addr_v4(0x0a000001), same = ip_addr_v4(0x0a000041),
		       other = ip_addr_v4(0x0a000002);
	struct pool_made *m = NULL;
	struct session_hooks h;

	pool_hooks(ps, &h);
	CU_ASSERT_EQUAL_FATAL(pool_take(ps, 0, &m), 0);
	ps->p[0].handle[1] = 9;
	rte_bitmap_clear(ps->p[0].free_map[1], 0);
	ps->p[0].used[1] = 1;
	CU_ASSERT_EQUAL(h.named(h.ctx, 0, &ue), 9);
	CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &same, 10), 0); /* its shard's writer has the pool yet */
	CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &other, 11), -ENOENT);
	h.unbind(h.ctx, 0, &same, 10);
	CU_ASSERT_EQUAL(pool_gone(ps, m), -EBUSY);
	CU_ASSERT_TRUE(is_found(ps, 0x0a000001));
	CU_ASSERT_EQUAL(h.bind(h.ctx, 0, &other, 11), 0);
	h.unbind(h.ctx, 0, &other, 11);
	CU_ASSERT_EQUAL_FATAL(pool_take(ps, 0, &m), -EBUSY);
	h.unbind(h.ctx, 0, &ue, 9);
	CU_ASSERT_EQUAL(pool_used(&ps->p[0]), 0);
	CU_ASSERT_EQUAL_FATAL(pool_take(ps, 0, &m), 0);
	CU_ASSERT_EQUAL(pool_gone(ps, m), 0);
	pool_unmake(m);
	pool_set_destroy(ps);
}

/* What stands at the first places in turn, of one base and of very different sizes, so that the key
 * of one with the mask or the handles of another finds what it must not. Addresses of 10.1.0.0/16
 * are in no pool ever, the one of 10.2.0.0/24 is always in the last. */
static const struct {
	const char *prefix;
	uint8_t len, at;
} changing[] = { { "10.0.0.0", 16, 0 }, { "10.0.0.0", 28, 0 }, { "10.0.0.0", 22, 1 },
	{ "10.0.0.0", 30, 0 }, { "10.0.128.0", 17, 1 }, { "10.0.128.0", 24, 0 },
	{ "10.0.0.0", 17, 1 }, { "10.0.0.0", 29, 1 } };

enum { CHANGES = 400, READERS = 2, LOOKS = 256, STEADY = 7, MARK = 0x5a5a5a5a };

static struct {
	struct pool_set *ps;
	_Atomic bool quit;
	_Atomic uint64_t turns[READERS], found, wrong;
} look;

/* An address whose entry a reader has found in this turn, and reads again at its end. */
struct held {
	const _Atomic uint32_t *entry;
	uint32_t ue4;
};

static uint32_t look_at(const struct held *h)
{
	uint32_t handle = atomic_load_explicit(h->entry, memory_order_acquire);

	if (handle != 0 && handle != (h->ue4 ^ MARK))
		atomic_fetch_add(&look.wrong, 1);
	return handle;
}

static struct held look_up(uint32_t ue4, bool may)
{
	struct held h = { pool_entry4(look.ps, INSTANCE_MAIN, ue4), ue4 };

	if (h.entry != NULL && !may)
		atomic_fetch_add(&look.wrong, 1);
	return h;
}

static void look_turn(uint64_t *seed)
{
	struct held held[LOOKS];
	unsigned int n = 0;

	for (unsigned int k = 0; k < LOOKS; k++) {
		uint32_t ue4 = 0x0a000000 | (uint32_t)(ut_random(seed) >> 40) % 0x20000;
		struct held h;

		ue4 &= k % 2 ? UINT32_MAX : 0x0a01801f; /* more often where sessions are */
		h = look_up(ue4, ue4 < 0x0a010000);
		if (h.entry != NULL) {
			atomic_fetch_add(&look.found, look_at(&h) != 0);
			held[n++] = h;
		}
		h = look_up(0x0a020005, true);
		if (h.entry == NULL || look_at(&h) == 0)
			atomic_fetch_add(&look.wrong, 1);
	}
	sched_yield(); /* there may be fewer CPUs than threads, and others change pools meanwhile */
	while (n > 0)
		look_at(&held[--n]);
}

static void *look_on(void *arg)
{
	uint64_t i = (uint64_t)(uintptr_t)arg, seed = ut_seed(60 + i);

	while (!atomic_load(&look.quit)) {
		look_turn(&seed);
		atomic_fetch_add(&look.turns[i], 1);
		sched_yield();
	}
	return NULL;
}

/* Until none holds what it found before. */
static void all_turn(void)
{
	uint64_t from[READERS];

	for (unsigned int i = 0; i < READERS; i++)
		from[i] = atomic_load(&look.turns[i]);
	for (unsigned int i = 0; i < READERS; i++)
		while (atomic_load(&look.turns[i]) < from[i] + 2)
			sched_yield();
}

/* Sessions of a changing pool begin, or end, named by their addresses. */
static void fill(const struct session_hooks *h, uint8_t at, bool on)
{
	const struct pool *p = &look.ps->p[at];

	for (uint32_t i = 1; i < RTE_MIN(p->size - 1, 32U); i++) {
		struct ip_addr ue = ip_addr_v4(p->base4 + i);

		if (on) {
			CU_ASSERT_EQUAL(h->bind(h->ctx, at, &ue, (p->base4 + i) ^ MARK), 0);
		} else {
			h->unbind(h->ctx, at, &ue, (p->base4 + i) ^ MARK);
		}
	}
}

static void change_once(const struct session_hooks *h, unsigned int i)
{
	unsigned int k = i % RTE_DIM(changing);
	struct pool_made *m = made(changing[k].prefix, changing[k].len);

	CU_ASSERT_EQUAL_FATAL(pool_put(look.ps, changing[k].at, m), 0);
	fill(h, changing[k].at, true);
	if (i % 4 == 0) /* else it may go before anybody has seen it */
		all_turn();
	fill(h, changing[k].at, false);
	CU_ASSERT_EQUAL_FATAL(pool_take(look.ps, changing[k].at, &m), 0);
	all_turn();
	CU_ASSERT_EQUAL_FATAL(pool_gone(look.ps, m), 0);
	pool_unmake(m);
}

static void test_readers(void)
{
	struct ip_addr steady = ip_addr_v4(0x0a020005);
	pthread_t thread[READERS];
	struct session_hooks h;

	look.ps = pool_set_create(NULL, 0, &session_mem_libc);
	pool_hooks(look.ps, &h);
	CU_ASSERT_EQUAL_FATAL(pool_put(look.ps, STEADY, made("10.2.0.0", 24)), 0);
	CU_ASSERT_EQUAL_FATAL(h.bind(h.ctx, STEADY, &steady, 0x0a020005 ^ MARK), 0);
	for (uintptr_t i = 0; i < READERS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, look_on, (void *)i), 0);
	all_turn();
	for (unsigned int i = 0; i < CHANGES; i++)
		change_once(&h, i);
	atomic_store(&look.quit, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	CU_ASSERT_EQUAL(atomic_load(&look.wrong), 0);
	CU_ASSERT_TRUE(atomic_load(&look.found) > 0); /* else nothing was tried */
	pool_set_destroy(look.ps);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "make", test_make },
		{ "put", test_put },
		{ "take", test_take },
		{ "taken too early", test_taken_too_early },
		{ "readers", test_readers },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "pools that come and go", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
