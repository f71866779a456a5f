/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <rte_lpm.h>

#include "routes.h"

static const uint32_t NIL = UINT32_MAX;

enum { BUCKETS = 1 << 16, NODES = FIB_ROUTES + FIB_ADJ_MAX };

/* One prefix. */
struct node {
	uint32_t next; /* of the bucket, or free */
	uint32_t prefix;
	uint32_t routes; /* head: ascending metric */
	uint32_t host;   /* adjacency of the neighbour itself (32 bits only), FIB_NONE */
	uint32_t nh;     /* what rte_lpm says now, FIB_NONE: nothing */
	uint8_t len;
};

struct route {
	uint32_t next; /* of the node, or free */
	uint32_t metric;
	uint32_t nh;
	uint32_t stamp;
	bool twice; /* the kernel has another one with this key */
};

struct routes {
	struct routes_conf c;
	uint32_t free_node, free_route;
	unsigned int n, n_len[33]; /* routes in all, and by length */
	uint32_t version;
	uint64_t refused;
	uint32_t half[2]; /* rte_lpm knows no length 0: what its two halves say, FIB_NONE */
	uint32_t walk;    /* of routes_work: the bucket to go on with; BUCKETS: nothing is due */
	unsigned int writes;
	uint32_t bucket[BUCKETS];
	struct node node[NODES];
	struct route route[FIB_ROUTES];
};

struct routes *routes_create(const struct routes_conf *c)
{
	struct routes *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->c = *c;
	t->half[0] = t->half[1] = FIB_NONE;
	t->walk = BUCKETS;
	for (uint32_t i = 0; i < BUCKETS; i++)
		t->bucket[i] = NIL;
	for (uint32_t i = 0; i < NODES; i++)
		t->node[i].next = i + 1 < NODES ? i + 1 : NIL;
	for (uint32_t i = 0; i < FIB_ROUTES; i++)
		t->route[i].next = i + 1 < FIB_ROUTES ? i + 1 : NIL;
	return t;
}

void routes_destroy(struct routes *t)
{
	free(t);
}

static uint32_t *routes_bucket_of(struct routes *t, uint32_t prefix, uint8_t len)
{
	uint32_t h = (prefix ^ (uint32_t)len << 3) * UINT32_C(0x9e3779b1);

	return &t->bucket[h >> 16];
}

static struct node *routes_node_find(const struct routes *t, uint32_t prefix, uint8_t len)
{
	uint32_t i = *routes_bucket_of((struct routes *)t, prefix, len);

	for (; i != NIL; i = t->node[i].next)
		if (t->node[i].prefix == prefix && t->node[i].len == len)
			return (struct node *)&t->node[i];
	return NULL;
}

static struct node *routes_node_get(struct routes *t, uint32_t prefix, uint8_t len)
{
	uint32_t *head = routes_bucket_of(t, prefix, len), i = t->free_node;
	struct node *n = routes_node_find(t, prefix, len);

	if (n != NULL || i == NIL)
		return n;
	n = &t->node[i];
	t->free_node = n->next;
	*n = (struct node){ *head, prefix, NIL, FIB_NONE, FIB_NONE, len };
	*head = i;
	return n;
}

static void routes_node_put(struct routes *t, struct node *n)
{
	uint32_t *at = routes_bucket_of(t, n->prefix, n->len), self = (uint32_t)(n - t->node);

	if (n->routes != NIL || n->host != FIB_NONE || n->nh != FIB_NONE)
		return;
	while (*at != self)
		at = &t->node[*at].next;
	*at = n->next;
	n->next = t->free_node;
	t->free_node = self;
}

/* The lowest metric whose link is up; if none is, the lowest. */
static uint32_t routes_node_best(const struct routes *t, const struct node *n)
{
	if (n == NULL || n->routes == NIL)
		return FIB_NONE;
	for (uint32_t i = n->routes; i != NIL; i = t->route[i].next)
		if (t->c.usable(t->c.ctx, t->route[i].nh))
			return t->route[i].nh;
	return t->route[n->routes].nh;
}

static void routes_lpm_put(
	struct routes *t, uint32_t prefix, uint8_t len, uint32_t *now, uint32_t nh)
{
	struct fib *f = t->c.fib;
	uint32_t old = *now;

	if (old == nh)
		return;
	t->writes++;
	if (nh == FIB_NONE) {
		rte_lpm_delete(f->lpm, prefix, len);
	} else if (rte_lpm_add(f->lpm, prefix, len, nh) < 0) {
		/* No room. An older next hop may stand there still, and may be wrong: rather
		 * none. */
		t->refused++;
		if (old != FIB_NONE)
			rte_lpm_delete(f->lpm, prefix, len);
		nh = FIB_NONE;
	}
	*now = nh;
	/* After the change: who sees the new number finds the new route. */
	atomic_fetch_add_explicit(&f->gen, 1, memory_order_release);
	if (nh != FIB_NONE)
		t->c.hold(t->c.ctx, nh, 1);
	if (old != FIB_NONE)
		t->c.hold(t->c.ctx, old, -1);
}

/* The halves are the /1 routes, and for want of one the default route. */
static void routes_halves_choose(struct routes *t)
{
	uint32_t all = routes_node_best(t, routes_node_find(t, 0, 0));

	for (uint32_t h = 0; h < 2; h++) {
		uint32_t nh = routes_node_best(t, routes_node_find(t, h << 31, 1));

		routes_lpm_put(t, h << 31, 1, &t->half[h], nh != FIB_NONE ? nh : all);
	}
}

static void routes_node_choose(struct routes *t, struct node *n)
{
	uint32_t nh = routes_node_best(t, n);

	if (n->len <= 1) {
		routes_halves_choose(t);
		return;
	}
	if (n->host != FIB_NONE && (nh == FIB_NONE || nh & FIB_GLEAN))
		nh = n->host;
	routes_lpm_put(t, n->prefix, n->len, &n->nh, nh);
}

static int routes_route_insert(struct routes *t, struct node *n, uint32_t *at, struct route new)
{
	uint32_t i = t->free_route;

	if (i == NIL)
		return -ENOSPC;
	t->free_route = t->route[i].next;
	new.next = *at;
	t->route[i] = new;
	*at = i;
	t->n++;
	t->n_len[n->len]++;
	t->version++;
	t->c.refer(t->c.ctx, new.nh, 1);
	return 1;
}

static void routes_route_remove(struct routes *t, struct node *n, uint32_t *at)
{
	uint32_t i = *at;

	*at = t->route[i].next;
	t->route[i].next = t->free_route;
	t->free_route = i;
	t->n--;
	t->n_len[n->len]--;
	t->version++;
}

/* The place of a metric in the list, or where it belongs. */
static uint32_t *routes_route_at(struct routes *t, struct node *n, uint32_t metric)
{
	uint32_t *at = &n->routes;

	while (*at != NIL && t->route[*at].metric < metric)
		at = &t->route[*at].next;
	return at;
}

int routes_set(struct routes *t, uint32_t prefix, uint8_t len, uint32_t metric, uint32_t nh,
	bool replace, uint32_t stamp)
{
	struct node *n = routes_node_get(t, prefix, len);
	struct route *r;
	uint32_t *at, old;
	int ret = 0;

	if (n == NULL)
		return -ENOSPC;
	at = routes_route_at(t, n, metric);
	if (*at == NIL || t->route[*at].metric != metric) {
		ret = routes_route_insert(
			t, n, at, (struct route){ NIL, metric, nh, stamp, false });
	} else {
		r = &t->route[*at];
		if (r->nh == nh) {
			r->twice = r->twice && r->stamp == stamp;
			r->stamp = stamp;
		} else if (replace || r->stamp != stamp) {
			old = r->nh;
			r->nh = nh;
			r->twice = false;
			r->stamp = stamp;
			t->version++;
			t->c.refer(t->c.ctx, nh, 1);
			routes_node_choose(t, n);
			t->c.refer(t->c.ctx, old, -1);
			return 0;
		} else {
			r->twice = true;
			return -EEXIST;
		}
	}
	if (ret < 0)
		routes_node_put(t, n);
	else
		routes_node_choose(t, n);
	return ret;
}

int routes_del(struct routes *t, uint32_t prefix, uint8_t len, uint32_t metric)
{
	struct node *n = routes_node_find(t, prefix, len);
	uint32_t *at, nh;
	bool twice;

	if (n == NULL)
		return 0;
	at = routes_route_at(t, n, metric);
	if (*at == NIL || t->route[*at].metric != metric)
		return 0;
	nh = t->route[*at].nh;
	twice = t->route[*at].twice;
	routes_route_remove(t, n, at);
	routes_node_choose(t, n);
	t->c.refer(t->c.ctx, nh, -1); /* only now: the workers may have used it until here */
	routes_node_put(t, n);
	return twice ? -EAGAIN : 1;
}

static unsigned int routes_node_sweep(struct routes *t, struct node *n,
	bool (*gone)(const void *ctx, uint32_t nh, uint32_t stamp), const void *ctx)
{
	unsigned int removed = 0;

	for (uint32_t *at = &n->routes; *at != NIL;) {
		uint32_t nh = t->route[*at].nh;

		if (!gone(ctx, nh, t->route[*at].stamp)) {
			at = &t->route[*at].next;
			continue;
		}
		routes_route_remove(t, n, at);
		t->c.refer(t->c.ctx, nh, -1);
		removed++;
	}
	return removed;
}

unsigned int routes_sweep(struct routes *t,
	bool (*gone)(const void *ctx, uint32_t nh, uint32_t stamp), const void *ctx)
{
	unsigned int removed = 0;

	for (unsigned int b = 0; b < BUCKETS; b++)
		for (uint32_t i = t->bucket[b], next; i != NIL; i = next) {
			next = t->node[i].next;
			removed += routes_node_sweep(t, &t->node[i], gone, ctx);
			routes_node_put(t, &t->node[i]);
		}
	if (removed > 0)
		routes_choose(t);
	return removed;
}

uint32_t routes_get(const struct routes *t, uint32_t prefix, uint8_t len, uint32_t metric)
{
	const struct node *n = routes_node_find(t, prefix, len);
	uint32_t i = n == NULL ? NIL : n->routes;

	while (i != NIL && t->route[i].metric != metric)
		i = t->route[i].next;
	return i == NIL ? FIB_NONE : t->route[i].nh;
}

uint32_t routes_cover(const struct routes *t, uint32_t dst)
{
	for (int len = 32; len >= 0; len--) {
		uint32_t nh;

		if (t->n_len[len] == 0)
			continue;
		nh = routes_node_best(
			t, routes_node_find(
				   t, len == 0 ? 0 : dst & UINT32_MAX << (32 - len), (uint8_t)len));
		if (nh != FIB_NONE)
			return nh;
	}
	return FIB_NONE;
}

int routes_host(struct routes *t, uint32_t dst, uint32_t adj)
{
	struct node *n =
		adj == FIB_NONE ? routes_node_find(t, dst, 32) : routes_node_get(t, dst, 32);

	if (n == NULL)
		return adj == FIB_NONE ? 0 : -ENOSPC;
	n->host = adj;
	routes_node_choose(t, n);
	routes_node_put(t, n);
	return 0;
}

void routes_choose(struct routes *t)
{
	t->walk = 0;
}

bool routes_work(struct routes *t, unsigned int budget)
{
	if (t->walk == 0)
		routes_halves_choose(t);
	for (t->writes = 0; t->walk < BUCKETS && t->writes < budget; t->walk++)
		for (uint32_t i = t->bucket[t->walk], next; i != NIL; i = next) {
			next = t->node[i].next;
			if (t->node[i].len > 1)
				routes_node_choose(t, &t->node[i]);
			routes_node_put(t, &t->node[i]);
		}
	return t->walk == BUCKETS;
}

unsigned int routes_count(const struct routes *t)
{
	return t->n;
}

uint32_t routes_version(const struct routes *t)
{
	return t->version;
}

uint64_t routes_refused(const struct routes *t)
{
	return t->refused;
}
