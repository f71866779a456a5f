/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "routes.h"

static const uint32_t NIL = UINT32_MAX;

enum {
	BUCKETS = 1 << 16,
	NODES = FIB_ROUTES + FIB_ADJ_MAX,
	/* Of a bucket, which has little more than one on average at most: so many never meet by
	 * chance. */
	CHAIN = 24,
};

/* One prefix of one instance. */
struct node {
	uint32_t next;   /* of the bucket, or free */
	uint32_t routes; /* head: ascending metric */
	uint32_t host;   /* adjacency of the neighbour itself (a host's prefix only), FIB_NONE */
	uint32_t nh;     /* what the fib says now, FIB_NONE: nothing */
	uint16_t instance;
	struct ip_prefix to;
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
	unsigned int n, n_len[2][129]; /* routes in all, and by family (v4: 1) and length */
	uint32_t version;
	uint64_t refused;
	/* The fib knows no length 0: what its two halves say, FIB_NONE. By family as above. */
	uint32_t half[INSTANCES][2][2];
	uint32_t walk; /* of routes_work: the bucket to go on with; BUCKETS: nothing is due */
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
	for (unsigned int i = 0; i < INSTANCES * 4; i++)
		t->half[i / 4][i / 2 % 2][i % 2] = FIB_NONE;
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

static uint32_t *routes_bucket_of(struct routes *t, uint16_t instance, const struct ip_prefix *to)
{
	const uint64_t words[] = { ip_addr_half(&to->addr, 0), ip_addr_half(&to->addr, 1),
		(uint64_t)instance << 8 | to->len };

	return &t->bucket[siphash(&t->c.secret, words, sizeof(words)) % BUCKETS];
}

static struct node *routes_node_find(
	const struct routes *t, uint16_t instance, const struct ip_prefix *to)
{
	uint32_t i = *routes_bucket_of((struct routes *)t, instance, to);

	for (; i != NIL; i = t->node[i].next)
		if (t->node[i].instance == instance && ip_prefix_equal(&t->node[i].to, to))
			return (struct node *)&t->node[i];
	return NULL;
}

/* 0; -ENOSPC, -ENOBUFS: there is no such node, and no room in the table or in the bucket. */
static int routes_node_get(
	struct routes *t, uint16_t instance, const struct ip_prefix *to, struct node **n)
{
	uint32_t *head = routes_bucket_of(t, instance, to), i = t->free_node;
	unsigned int chain = 0;

	*n = routes_node_find(t, instance, to);
	if (*n != NULL)
		return 0;
	if (i == NIL)
		return -ENOSPC;
	for (uint32_t at = *head; at != NIL; at = t->node[at].next)
		chain++;
	if (chain >= CHAIN)
		return -ENOBUFS;
	*n = &t->node[i];
	t->free_node = t->node[i].next;
	t->node[i] = (struct node){ *head, NIL, FIB_NONE, FIB_NONE, instance, *to };
	*head = i;
	return 0;
}

static void routes_node_put(struct routes *t, struct node *n)
{
	uint32_t *at = routes_bucket_of(t, n->instance, &n->to);
	uint32_t self = (uint32_t)(n - t->node);

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

static void routes_fib_put(
	struct routes *t, uint16_t instance, const struct ip_prefix *to, uint32_t *now, uint32_t nh)
{
	struct fib *f = t->c.fib;
	uint32_t old = *now;

	if (old == nh || !fib_has(f, instance, &to->addr))
		return;
	t->writes++;
	if (nh == FIB_NONE) {
		fib_remove(f, instance, to);
	} else if (fib_put(f, instance, to, nh) < 0) {
		/* No room. An older next hop may stand there still, and may be wrong: rather
		 * none. */
		t->refused++;
		if (old != FIB_NONE)
			fib_remove(f, instance, to);
		nh = FIB_NONE;
	}
	*now = nh;
	if (nh != FIB_NONE)
		t->c.hold(t->c.ctx, nh, 1);
	if (old != FIB_NONE)
		t->c.hold(t->c.ctx, old, -1);
}

/* The halves are the /1 routes, and for want of one the default route. */
static void routes_halves_choose(struct routes *t, uint16_t instance, bool v4)
{
	struct ip_prefix to = { v4 ? ip_addr_v4(0) : (struct ip_addr){ { 0 } }, 0 };
	uint32_t all = routes_node_best(t, routes_node_find(t, instance, &to));

	to.len = 1;
	for (unsigned int h = 0; h < 2; h++) {
		uint32_t nh;

		to.addr.b[v4 ? IP_V4_AT : 0] = (uint8_t)(h << 7);
		nh = routes_node_best(t, routes_node_find(t, instance, &to));
		routes_fib_put(
			t, instance, &to, &t->half[instance][v4][h], nh != FIB_NONE ? nh : all);
	}
}

static void routes_node_choose(struct routes *t, struct node *n)
{
	uint32_t nh = routes_node_best(t, n);

	if (n->to.len <= 1) {
		routes_halves_choose(t, n->instance, ip_addr_is_v4(&n->to.addr));
		return;
	}
	if (n->host != FIB_NONE && (nh == FIB_NONE || nh & FIB_GLEAN))
		nh = n->host;
	routes_fib_put(t, n->instance, &n->to, &n->nh, nh);
}

static unsigned int *routes_of_length(struct routes *t, const struct ip_prefix *to)
{
	return &t->n_len[ip_addr_is_v4(&to->addr)][to->len];
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
	(*routes_of_length(t, &n->to))++;
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
	(*routes_of_length(t, &n->to))--;
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

int routes_set(struct routes *t, uint16_t instance, const struct ip_prefix *to, uint32_t metric,
	uint32_t nh, bool replace, uint32_t stamp)
{
	struct node *n;
	struct route *r;
	uint32_t *at, old;
	int ret = 0;

	if (instance >= INSTANCES || to->len > ip_addr_bits(&to->addr))
		return -EINVAL;
	ret = routes_node_get(t, instance, to, &n);
	if (ret < 0)
		return ret;
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

int routes_del(struct routes *t, uint16_t instance, const struct ip_prefix *to, uint32_t metric)
{
	struct node *n = routes_node_find(t, instance, to);
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

uint32_t routes_get(
	const struct routes *t, uint16_t instance, const struct ip_prefix *to, uint32_t metric)
{
	const struct node *n = routes_node_find(t, instance, to);
	uint32_t i = n == NULL ? NIL : n->routes;

	while (i != NIL && t->route[i].metric != metric)
		i = t->route[i].next;
	return i == NIL ? FIB_NONE : t->route[i].nh;
}

uint32_t routes_cover(const struct routes *t, uint16_t instance, const struct ip_addr *dst)
{
	const unsigned int *n_len = t->n_len[ip_addr_is_v4(dst)];

	for (int len = ip_addr_bits(dst); len >= 0; len--) {
		struct ip_prefix to;
		uint32_t nh;

		if (n_len[len] == 0)
			continue;
		to = ip_prefix_around(dst, (uint8_t)len);
		nh = routes_node_best(t, routes_node_find(t, instance, &to));
		if (nh != FIB_NONE)
			return nh;
	}
	return FIB_NONE;
}

int routes_host(struct routes *t, uint16_t instance, const struct ip_addr *dst, uint32_t adj)
{
	struct ip_prefix to = { *dst, ip_addr_bits(dst) };
	struct node *n = NULL;
	int ret = 0;

	if (adj == FIB_NONE)
		n = routes_node_find(t, instance, &to);
	else
		ret = routes_node_get(t, instance, &to, &n);
	if (n == NULL)
		return ret;
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
	for (uint16_t i = 0; t->walk == 0 && i < INSTANCES; i++) {
		routes_halves_choose(t, i, true);
		routes_halves_choose(t, i, false);
	}
	for (t->writes = 0; t->walk < BUCKETS && t->writes < budget; t->walk++)
		for (uint32_t i = t->bucket[t->walk], next; i != NIL; i = next) {
			next = t->node[i].next;
			if (t->node[i].to.len > 1)
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
