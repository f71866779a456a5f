/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "mirror.h"

static const uint32_t NIL = UINT32_MAX;

enum { ASK_AGAIN_MS = 1000, ASK_IDLE_MS = 5000, SCAN = 256, ASKS = 16, WANT_AGAIN_MS = 1000 };

/* In one bucket. There is one on average at most: so many never meet by chance. */
enum { ADJ_CHAIN = 16 };

/* By number, for headers older than Linux 5.16. */
enum { ATTR_NDA_FLAGS_EXT = 15, FLAG_EXT_MANAGED = 1 };

static uint32_t *adj_bucket(struct net_mirror *m, uint8_t twin, const struct ip_addr *nh)
{
	return &m->adj_bucket[(siphash_addr(&m->c.secret, nh) + twin) % FIB_ADJ_MAX];
}

/* Whether one more has room in the bucket. */
static bool adj_fits(const struct net_mirror *m, uint32_t head)
{
	unsigned int n = 0;

	for (uint32_t i = head; i != NIL; i = m->adj[i].next)
		n++;
	return n < ADJ_CHAIN;
}

void adj_init(struct net_mirror *m)
{
	for (uint32_t i = 0; i < FIB_ADJ_MAX; i++) {
		m->adj_bucket[i] = NIL;
		m->adj[i].next = i + 1 < FIB_ADJ_MAX ? i + 1 : NIL;
	}
	m->adj_free = 0;
	m->adj_free_tail = FIB_ADJ_MAX - 1;
}

uint32_t adj_find(
	const struct net_mirror *m, uint16_t instance, uint8_t twin, const struct ip_addr *nh)
{
	uint32_t i = *adj_bucket((struct net_mirror *)m, twin, nh);

	while (i != NIL && (m->adj[i].twin != twin || m->adj[i].instance != instance ||
				   !ip_addr_equal(&m->adj[i].nh, nh)))
		i = m->adj[i].next;
	return i == NIL ? FIB_NONE : i;
}

static void adj_word_set(struct net_mirror *m, uint32_t i, uint64_t word)
{
	struct fib *f = m->c.fib;

	if (atomic_load_explicit(&f->adj[i].word, memory_order_relaxed) == word)
		return;
	atomic_store_explicit(&f->adj[i].word, word, memory_order_relaxed);
	/* After the word: who sees the new number finds the new address. */
	atomic_fetch_add_explicit(&f->gen, 1, memory_order_release);
}

static uint64_t adj_word_unresolved(const struct net_mirror *m, uint8_t twin)
{
	return (uint64_t)m->twin[twin].port << 8 | FIB_ADJ_USED;
}

uint32_t adj_get(struct net_mirror *m, uint16_t instance, uint8_t twin, const struct ip_addr *nh)
{
	uint32_t i = adj_find(m, instance, twin, nh), *head = adj_bucket(m, twin, nh);

	if (i != FIB_NONE)
		return i;
	i = m->adj_free;
	if (i == NIL || !adj_fits(m, *head)) {
		m->count.adjacencies_full += i == NIL;
		m->count.adjacencies_collided += i != NIL;
		m->left_out = true;
		return FIB_NONE;
	}
	m->adj_free = m->adj[i].next;
	m->adj[i] = (struct adj){
		.next = *head, .nh = *nh, .instance = instance, .twin = twin, .used = true
	};
	*head = i;
	atomic_store_explicit(&m->c.fib->adj[i].wanted, 0, memory_order_relaxed);
	adj_word_set(m, i, adj_word_unresolved(m, twin));
	return i;
}

static bool adj_needed(const struct net_mirror *m, uint32_t i)
{
	return m->adj[i].refs > 0 || m->adj[i].kept;
}

void adj_put(struct net_mirror *m, uint32_t i)
{
	struct adj *a = &m->adj[i];
	uint32_t *at;

	/* A managed one stays until net_mirror_resolve has made the kernel give it up. */
	if (!a->used || adj_needed(m, i) || a->neighbour || a->managed || a->held > 0)
		return;
	at = adj_bucket(m, a->twin, &a->nh);
	while (*at != i)
		at = &m->adj[*at].next;
	*at = a->next;
	adj_word_set(m, i, 0);
	*a = (struct adj){ .next = NIL };
	if (m->adj_free == NIL)
		m->adj_free = i;
	else
		m->adj[m->adj_free_tail].next = i;
	m->adj_free_tail = i;
}

void adj_refer(struct net_mirror *m, uint32_t i, int by)
{
	m->adj[i].refs += (uint32_t)by;
	if (by < 0)
		adj_put(m, i);
}

void adj_hold(struct net_mirror *m, uint32_t i, int by)
{
	m->adj[i].held += (uint32_t)by;
	if (by < 0)
		adj_put(m, i);
}

static void adj_host_set(struct net_mirror *m, uint32_t i, bool on)
{
	struct adj *a = &m->adj[i];

	if (a->host == on)
		return;
	if (mirror_left_out(m, routes_host(m->routes, a->instance, &a->nh, on ? i : FIB_NONE)))
		return;
	a->host = on;
}

static bool adj_host_due(const struct net_mirror *m, uint32_t i)
{
	const struct adj *a = &m->adj[i];

	return a->used && a->neighbour &&
	       routes_cover(m->routes, a->instance, &a->nh) ==
		       (FIB_GLEAN | (uint32_t)m->twin[a->twin].port);
}

/* First those that end, then those that begin: two twins may know the same address. */
void adj_hosts(struct net_mirror *m)
{
	m->routes_seen = routes_version(m->routes);
	for (uint32_t i = 0; i < FIB_ADJ_MAX; i++)
		if (m->adj[i].host && !adj_host_due(m, i))
			adj_host_set(m, i, false);
	for (uint32_t i = 0; i < FIB_ADJ_MAX; i++)
		if (!m->adj[i].host && adj_host_due(m, i))
			adj_host_set(m, i, true);
}

static void adj_neighbour_gone(struct net_mirror *m, uint32_t i)
{
	struct adj *a = &m->adj[i];

	if (a->neighbour)
		m->count.neighbours_removed++;
	adj_host_set(m, i, false); /* before the word: a packet to it is then punted, not lost */
	a->neighbour = a->fixed = a->stale = false;
	adj_word_set(m, i, adj_word_unresolved(m, a->twin));
	adj_put(m, i);
}

void adj_neighbour(struct net_mirror *m, uint8_t twin, const struct rtmsg_neigh *n)
{
	uint16_t instance = m->twin[twin].instance;
	uint32_t i = n->usable ? adj_get(m, instance, twin, &n->dst)
			       : adj_find(m, instance, twin, &n->dst);
	uint64_t mac = 0;
	struct adj *a;

	if (i == FIB_NONE)
		return;
	a = &m->adj[i];
	if (!n->usable) {
		a->managed = a->managed && !n->gone; /* gone: and with it what we asked for */
		adj_neighbour_gone(m, i);
		return;
	}
	for (int b = 0; b < (int)sizeof(n->mac.octet); b++)
		mac = mac << 8 | n->mac.octet[b];
	if (!a->neighbour)
		m->count.neighbours_added++;
	a->neighbour = true;
	a->stamp = m->stamp;
	a->fixed = (n->state & (NUD_PERMANENT | NUD_NOARP)) != 0;
	a->stale = (n->state & NUD_STALE) != 0;
	adj_word_set(m, i, mac << 16 | adj_word_unresolved(m, twin) | FIB_ADJ_VALID);
	if (adj_host_due(m, i))
		adj_host_set(m, i, true);
}

void adj_sweep(struct net_mirror *m, uint8_t twin, bool all)
{
	for (uint32_t i = 0; i < FIB_ADJ_MAX; i++) {
		struct adj *a = &m->adj[i];

		if (!a->used || a->twin != twin)
			continue;
		if (all)
			a->managed = false;
		if (all || (a->neighbour && a->stamp != m->stamp))
			adj_neighbour_gone(m, i);
	}
}

void adj_forget(struct net_mirror *m)
{
	for (uint32_t i = 0; i < FIB_ADJ_MAX; i++) {
		adj_host_set(m, i, false);
		m->adj[i].refs = 0;
		adj_word_set(m, i, 0);
	}
}

/* ---- asking the kernel ---- */

static int adj_request(struct net_mirror *m, uint8_t twin, const struct ip_addr *dst, bool managed)
{
	union net_request r;
	struct ndmsg *nd = net_request_init(&r, RTM_NEWNEIGH, NLM_F_CREATE, sizeof(*nd));

	nd->ndm_family = net_request_family(dst);
	nd->ndm_ifindex = (int)m->twin[twin].ifindex;
	nd->ndm_flags = NTF_USE;
	net_request_put_addr(&r, NDA_DST, dst);
	if (managed)
		mnl_attr_put_u32(&r.nlh, ATTR_NDA_FLAGS_EXT, FLAG_EXT_MANAGED);
	m->count.resolves++;
	return net_request_ask(m->k, &r);
}

/* Managed if it is needed, else like a packet to it: so an unneeded one is released again. */
static void adj_ask(struct net_mirror *m, uint32_t i, uint64_t now)
{
	struct adj *a = &m->adj[i];
	bool managed = adj_needed(m, i) && !m->no_managed;
	int ret = adj_request(m, a->twin, &a->nh, managed);

	if (managed && (ret == -EOPNOTSUPP || ret == -EINVAL)) {
		managed = false;
		ret = adj_request(m, a->twin, &a->nh, false);
		m->no_managed = ret == 0;
	}
	a->asked_ms = now;
	a->stale = false;
	a->managed = ret == 0 && managed;
}

static bool adj_ask_due(struct net_mirror *m, uint32_t i, uint64_t now)
{
	struct adj *a = &m->adj[i];
	bool needed = adj_needed(m, i);
	bool wanted = atomic_load_explicit(&m->c.fib->adj[i].wanted, memory_order_relaxed) != 0;
	uint64_t since = now - a->asked_ms;

	if (a->neighbour && wanted) /* resolved meanwhile */
		atomic_store_explicit(&m->c.fib->adj[i].wanted, 0, memory_order_relaxed);
	if (a->fixed || (a->asked_ms != 0 && since < ASK_AGAIN_MS))
		return false;
	if (a->managed && !needed)
		return true;
	if (needed && !a->managed && !m->no_managed)
		return true;
	if (!a->neighbour)
		return wanted || (needed && (a->asked_ms == 0 || since >= ASK_IDLE_MS));
	return a->stale && !a->managed;
}

/* Workers' packets refresh nothing in the kernel. Gateways are managed; any other neighbour that
 * goes stale is probed as if it had traffic: it stays, or fails and is gone. */
void adj_resolve(struct net_mirror *m, uint64_t now)
{
	unsigned int asks = 0;

	for (unsigned int n = 0; n < SCAN && asks < ASKS; n++) {
		uint32_t i = m->cursor;

		m->cursor = (m->cursor + 1) % FIB_ADJ_MAX;
		if (!m->adj[i].used || !m->twin[m->adj[i].twin].up || !adj_ask_due(m, i, now))
			continue;
		atomic_store_explicit(&m->c.fib->adj[i].wanted, 0, memory_order_relaxed);
		adj_ask(m, i, now);
		asks++;
		adj_put(m, i);
	}
}

static uint8_t adj_twin_of_port(const struct net_mirror *m, uint16_t port)
{
	uint8_t t = 0;

	while (t < m->c.n_twins && m->twin[t].port != port)
		t++;
	return t;
}

uint16_t net_mirror_keep(struct net_mirror *m, uint16_t port, const struct ip_addr *addr)
{
	uint8_t t = adj_twin_of_port(m, port);
	uint32_t i;

	if (t == m->c.n_twins || !mirror_follows(addr))
		return FIB_NONE;
	i = adj_get(m, m->twin[t].instance, t, addr);
	if (i == FIB_NONE)
		return FIB_NONE;
	m->adj[i].kept = true;
	if (!m->adj[i].fixed && !m->adj[i].managed && m->twin[t].up)
		adj_ask(m, i, mirror_now_ms());
	return (uint16_t)i;
}

/* Each address once a second, and so many in all: whoever scans the subnet through us makes
 * MIRROR_WANTS requests a second, and does not know which addresses meet another in a bucket. */
static bool adj_may_ask(struct net_mirror *m, const struct ip_addr *dst, uint64_t now)
{
	uint32_t first = siphash_addr(&m->c.secret, dst) % (MIRROR_WANTS / MIRROR_WANT_WAYS) *
			 MIRROR_WANT_WAYS;
	int free = -1;

	for (uint32_t i = first; i < first + MIRROR_WANT_WAYS; i++) {
		if (m->want[i].ms == 0 || now - m->want[i].ms >= WANT_AGAIN_MS)
			free = (int)i;
		else if (ip_addr_equal(&m->want[i].addr, dst))
			return false;
	}
	if (free < 0)
		return false;
	m->want[free].addr = *dst;
	m->want[free].ms = now;
	return true;
}

void net_mirror_want(struct net_mirror *m, uint16_t port, const struct ip_addr *dst)
{
	uint8_t t = adj_twin_of_port(m, port);
	uint64_t now = mirror_now_ms();

	if (t == m->c.n_twins || !m->twin[t].up || m->n_own == MIRROR_OWN || m->dump != DUMP_NONE ||
		routes_cover(m->routes, m->twin[t].instance, dst) != (FIB_GLEAN | (uint32_t)port))
		return;
	for (unsigned int o = 0; o < m->n_own; o++)
		if (ip_addr_equal(&m->own[o],
			    dst)) /* asking for it would make a neighbour of ourselves */
			return;
	if (adj_may_ask(m, dst, now))
		adj_request(m, t, dst, false);
}
