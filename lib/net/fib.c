/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_errno.h>
#include <rte_malloc.h>

#include "net/fib.h"

/* rte_lpm is used without its RCU: the readers would have to report quiescence for the sake of a
 * race that does no harm. A lookup that runs at the very moment in which a /24 loses its last
 * longer prefix and another one gains its first may read the next hop of that other one, or none.
 * Either is an adjacency that is valid or says that it is not, so one packet goes astray during a
 * route change, as it would in any router; nothing out of bounds is read, because tbl8 is one array
 * that lives as long as the table, and a cached answer is looked up again since `gen` moves after
 * the change. */
struct fib *fib_create(const char *name, int socket_id)
{
	/* Beside the routes: a host route for each adjacency, and the two halves that stand for
	 * 0.0.0.0/0. */
	struct rte_lpm_config conf = { .max_rules = FIB_ROUTES + FIB_ADJ_MAX + 2,
		.number_tbl8s = FIB_TBL8 };
	struct fib *f = rte_zmalloc_socket("fib", sizeof(*f), RTE_CACHE_LINE_SIZE, socket_id);

	if (f == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	f->adj = rte_zmalloc_socket(
		"fib_adj", FIB_ADJ_MAX * sizeof(*f->adj), RTE_CACHE_LINE_SIZE, socket_id);
	if (f->adj == NULL) {
		rte_free(f);
		rte_errno = ENOMEM;
		return NULL;
	}
	f->lpm = rte_lpm_create(name, socket_id, &conf);
	if (f->lpm == NULL) {
		int err = rte_errno;

		fib_destroy(f);
		rte_errno = err;
		return NULL;
	}
	return f;
}

void fib_destroy(struct fib *f)
{
	if (f == NULL)
		return;
	rte_lpm_free(f->lpm);
	rte_free(f->adj);
	rte_free(f);
}
