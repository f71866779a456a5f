/* SPDX-License-Identifier: BSD-3-Clause */
/* A table of peers from lists: prefixes in the order of their first addresses, the shorter first,
 * so that one sweep with a stack of the prefixes around finds where the answer changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "peers/peers.h"

enum { BUILD_BITS = 128 };

/* First and last address; an IPv4 address stands in the upper 32 bits. */
struct build_span {
	uint64_t first[2], last[2];
};

struct build_item {
	struct build_span at;
	uint8_t len;
	uint16_t nth;
};

/* A prefix that is around what comes next. */
struct build_around {
	uint32_t set;
	struct build_span at;
};

struct build {
	struct peers *p;
	const struct peers_prefix *prefix;
	unsigned int n_prefixes;
	uint32_t n_members;
	struct build_item *item; /* of one use and family at a time */
	struct peers_ranges *to;
	struct build_around around[BUILD_BITS + 1];
	unsigned int depth;
};

static int build_order(const uint64_t a[2], const uint64_t b[2])
{
	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return (a[1] > b[1]) - (a[1] < b[1]);
}

static int build_by_address(const void *a, const void *b)
{
	const struct build_item *one = a, *other = b;
	int d = build_order(one->at.first, other->at.first);

	if (d != 0)
		return d;
	if (one->len != other->len)
		return one->len < other->len ? -1 : 1;
	return (one->nth > other->nth) - (one->nth < other->nth);
}

static uint64_t build_host_bits(unsigned int len)
{
	return len == 0 ? UINT64_MAX : len >= 64 ? 0 : UINT64_MAX >> len;
}

static struct build_span build_span_of(const struct ip_prefix *x)
{
	struct build_span s = { { ip_addr_half(&x->addr, 0), ip_addr_half(&x->addr, 1) }, { 0 } };

	if (ip_addr_is_v4(&x->addr)) {
		s.first[0] = (uint64_t)ip_addr_to_v4(&x->addr) << 32;
		s.first[1] = 0;
	}
	s.last[0] = s.first[0] | build_host_bits(x->len);
	s.last[1] = s.first[1] | build_host_bits(x->len > 64 ? x->len - 64U : 0);
	return s;
}

/* From this address on it is that set. */
static void build_emit(struct build *b, const uint64_t at[2], uint32_t set)
{
	struct peers_ranges *r = b->to;
	uint32_t i = r->n;

	if (i > 0 && (r->start4 != NULL ? r->start4[i - 1] == (uint32_t)(at[0] >> 32)
					: build_order(r->start6[i - 1].half, at) == 0))
		i--;
	else
		r->n++;
	if (r->start4 != NULL)
		r->start4[i] = (uint32_t)(at[0] >> 32);
	else
		memcpy(r->start6[i].half, at, sizeof(r->start6[i].half));
	r->set[i] = set;
}

/* Leaves the prefix around: behind its last address it is what was around that, unless there is no
 * address behind it. */
static void build_pop(struct build *b)
{
	const uint64_t *last = b->around[--b->depth].at.last;
	uint64_t next[2] = { last[0] + (last[1] == UINT64_MAX), last[1] + 1 };

	if (next[0] != 0 || next[1] != 0)
		build_emit(b, next, b->depth > 0 ? b->around[b->depth - 1].set : 0);
}

/* A set for the items of one prefix, which stand behind each other. Returns how many they are, or
 * -EEXIST. */
static int build_set(struct build *b, const struct build_item *item, unsigned int n, bool alone)
{
	uint32_t at = b->p->n_sets++, parent = b->depth > 0 ? b->around[b->depth - 1].set : 0;
	struct peers_set *s = &b->p->set[at];
	unsigned int i;

	*s = (struct peers_set){
		.parent = parent, .first = b->n_members, .ports = b->p->set[parent].ports
	};
	for (i = 0; i < n && build_order(item[i].at.first, item->at.first) == 0 &&
		    item[i].len == item->len;
		i++) {
		if (i > 0 && item[i].nth == item[i - 1].nth)
			continue; /* written twice */
		if (alone && i > 0)
			return -EEXIST;
		b->p->member[b->n_members++] = item[i].nth;
		s->n++;
		s->ports |= b->p->entry[item[i].nth].ports;
	}
	if (item->len == 0)
		b->to->whole = at;
	b->around[b->depth].set = at;
	b->around[b->depth].at = item->at;
	b->depth++;
	build_emit(b, item->at.first, at);
	return (int)i;
}

static bool build_is_v4(unsigned int family)
{
	return family == 0;
}

/* The prefixes of one use and family; IPv4's spans end in ones, too, so that one sweep is good for
 * both. Whoever has no USER prefix has those of CONTROL. */
static unsigned int build_collect(struct build *b, enum peers_use use, unsigned int family)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < b->n_prefixes; i++) {
		const struct peers_prefix *x = &b->prefix[i];
		bool taken = x->use == use ||
			     (use == PEERS_USER && b->p->entry[x->nth].n_prefixes[PEERS_USER] == 0);

		if (!taken || ip_addr_is_v4(&x->prefix.addr) != build_is_v4(family))
			continue;
		b->item[n++] =
			(struct build_item){ build_span_of(&x->prefix), x->prefix.len, x->nth };
	}
	qsort(b->item, n, sizeof(b->item[0]), build_by_address);
	return n;
}

static int build_ranges(struct build *b, enum peers_use use, unsigned int family)
{
	static const uint64_t zero[2];
	unsigned int n = build_collect(b, use, family);
	struct peers_ranges *r = b->to = &b->p->ranges[use][family];

	r->set = calloc(2 * (size_t)n + 1, sizeof(r->set[0]));
	if (build_is_v4(family))
		r->start4 = calloc(2 * (size_t)n + 1, sizeof(r->start4[0]));
	else
		r->start6 = calloc(2 * (size_t)n + 1, sizeof(r->start6[0]));
	if (r->set == NULL || (r->start4 == NULL && r->start6 == NULL))
		return -ENOMEM;
	b->depth = 0;
	build_emit(b, zero, 0);
	for (unsigned int i = 0; i < n;) {
		int of_one;

		while (b->depth > 0 &&
			build_order(b->around[b->depth - 1].at.last, b->item[i].at.first) < 0)
			build_pop(b);
		of_one = build_set(b, &b->item[i], n - i, use == PEERS_CONTROL);
		if (of_one < 0)
			return of_one;
		i += (unsigned int)of_one;
	}
	while (b->depth > 0)
		build_pop(b);
	return 0;
}

static bool build_is_sound(const struct peers_entry *entry, unsigned int n,
	const struct peers_prefix *prefix, unsigned int n_prefixes)
{
	if (n > PEERS_MOST || n_prefixes > PEERS_PREFIXES)
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (memchr(entry[i].name, '\0', PEERS_NAME) == NULL ||
			memchr(entry[i].group, '\0', PEERS_NAME) == NULL)
			return false;
	for (unsigned int i = 0; i < n_prefixes; i++)
		if (prefix[i].nth >= n || prefix[i].use >= PEERS_USES ||
			!ip_prefix_valid(&prefix[i].prefix))
			return false;
	return true;
}

struct build_group {
	const char *name;
	uint16_t nth;
};

static int build_by_group(const void *a, const void *b)
{
	const struct build_group *one = a, *other = b;
	int d = strcmp(one->name, other->name);

	return d != 0 ? d : (one->nth > other->nth) - (one->nth < other->nth);
}

/* A group's number is the first place of one of it. */
static int build_groups(struct peers *p)
{
	struct build_group *g = calloc((size_t)p->n + 1, sizeof(*g));

	if (g == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < p->n; i++)
		g[i] = (struct build_group){ p->entry[i].group, (uint16_t)i };
	qsort(g, p->n, sizeof(*g), build_by_group);
	for (unsigned int i = 0; i < p->n; i++) {
		bool with_last =
			i > 0 && g[i].name[0] != '\0' && strcmp(g[i].name, g[i - 1].name) == 0;

		p->group[g[i].nth] = with_last ? p->group[g[i - 1].nth] : g[i].nth;
	}
	free(g);
	return 0;
}

/* The object, with room for all that a list of such a length can need. */
static struct peers *build_object(
	const struct peers_entry *entry, unsigned int n, unsigned int n_prefixes)
{
	size_t uses = PEERS_USES * (size_t)n_prefixes;
	struct peers *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->holders = 1;
	p->n = n;
	p->entry = calloc((size_t)n + 1, sizeof(p->entry[0]));
	p->group = calloc((size_t)n + 1, sizeof(p->group[0]));
	p->by_number = calloc((size_t)n + 1, sizeof(p->by_number[0]));
	p->set = calloc(uses + 1, sizeof(p->set[0]));
	p->member = calloc(uses + 1, sizeof(p->member[0]));
	if (p->entry == NULL || p->group == NULL || p->by_number == NULL || p->set == NULL ||
		p->member == NULL) {
		peers_drop(p);
		return NULL;
	}
	p->n_sets = 1;
	for (unsigned int i = 0; i < n; i++) {
		p->entry[i] = entry[i];
		memset(p->entry[i].n_prefixes, 0, sizeof(p->entry[i].n_prefixes));
		p->entry[i].number = 0;
		p->by_number[i] = (uint16_t)i;
	}
	return p;
}

int peers_build(struct peers **to, const struct peers_entry *entry, unsigned int n,
	const struct peers_prefix *prefix, unsigned int n_prefixes)
{
	struct build *b;
	int ret;

	*to = NULL;
	if (!build_is_sound(entry, n, prefix, n_prefixes))
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	b->prefix = prefix;
	b->n_prefixes = n_prefixes;
	b->p = build_object(entry, n, n_prefixes);
	b->item = calloc((size_t)n_prefixes + 1, sizeof(b->item[0]));
	ret = b->p == NULL || b->item == NULL ? -ENOMEM : build_groups(b->p);
	for (unsigned int i = 0; i < n_prefixes && ret == 0; i++)
		b->p->entry[prefix[i].nth].n_prefixes[prefix[i].use]++;
	for (unsigned int i = 0; i < PEERS_USES * PEERS_FAMILIES && ret == 0; i++)
		ret = build_ranges(b, (enum peers_use)(i / PEERS_FAMILIES), i % PEERS_FAMILIES);
	if (ret == 0)
		*to = b->p;
	else
		peers_drop(b->p);
	free(b->item);
	free(b);
	return ret;
}
