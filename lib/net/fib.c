/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_errno.h>
#include <rte_lpm.h>
#include <rte_malloc.h>

#include "net/fib.h"

/* rte_lpm is used without its RCU: the readers would have to report quiescence for the sake of a
 * race that does no harm. A lookup that runs at the very moment in which a /24 loses its last
 * longer prefix and another one gains its first may read the next hop of that other one, or none.
 * Either is an adjacency that is valid or says that it is not, so one packet goes astray during a
 * route change, as it would in any router; nothing out of bounds is read, because tbl8 is one array
 * that lives as long as the table, and a cached answer is looked up again since `gen` moves after
 * the change. */
int fib_instance_open(struct fib *f, uint16_t instance, const char *name)
{
	/* Beside the routes: a host route for each adjacency, and the two halves that stand for
	 * 0.0.0.0/0. */
	struct rte_lpm_config conf = { .max_rules = FIB_ROUTES + FIB_ADJ_MAX + 2,
		.number_tbl8s = FIB_TBL8 };

	if (instance >= INSTANCES)
		return -EINVAL;
	if (f->lpm[instance] == NULL)
		f->lpm[instance] = rte_lpm_create(name, f->socket_id, &conf);
	return f->lpm[instance] != NULL ? 0 : -rte_errno;
}

struct fib *fib_create(const char *name, int socket_id)
{
	struct fib *f = rte_zmalloc_socket("fib", sizeof(*f), RTE_CACHE_LINE_SIZE, socket_id);
	int ret;

	if (f == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	f->socket_id = socket_id;
	f->adj = rte_zmalloc_socket(
		"fib_adj", FIB_ADJ_MAX * sizeof(*f->adj), RTE_CACHE_LINE_SIZE, socket_id);
	ret = f->adj == NULL ? -ENOMEM : fib_instance_open(f, INSTANCE_MAIN, name);
	if (ret < 0) {
		fib_destroy(f);
		rte_errno = -ret;
		return NULL;
	}
	return f;
}

void fib_destroy(struct fib *f)
{
	if (f == NULL)
		return;
	for (unsigned int i = 0; i < INSTANCES; i++)
		rte_lpm_free(f->lpm[i]);
	rte_free(f->adj);
	rte_free(f);
}

/* After the change: who sees the new number finds the new route. */
static void fib_changed(struct fib *f)
{
	atomic_fetch_add_explicit(&f->gen, 1, memory_order_release);
}

int fib_put(struct fib *f, uint16_t instance, const struct ip_prefix *to, uint32_t nh)
{
	int ret;

	if (!fib_has(f, instance, &to->addr))
		return -ENOENT;
	ret = rte_lpm_add(f->lpm[instance], ip_addr_to_v4(&to->addr), to->len, nh);
	fib_changed(f);
	return ret;
}

int fib_remove(struct fib *f, uint16_t instance, const struct ip_prefix *to)
{
	int ret;

	if (!fib_has(f, instance, &to->addr))
		return -ENOENT;
	ret = rte_lpm_delete(f->lpm[instance], ip_addr_to_v4(&to->addr), to->len);
	fib_changed(f);
	return ret;
}
