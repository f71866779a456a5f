/* SPDX-License-Identifier: BSD-3-Clause */
/* peers: who may speak GTP with this gateway: entries of configured peers, found by the address
 * that a packet came from. A table is built once, of both families, and never changes after that:
 * it is published as a whole, and any core reads it without a lock. Pure; errors as -errno. */
#ifndef TANDEM_PEERS_H
#define TANDEM_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

enum {
	PEERS_MOST = 1024,      /* entries */
	PEERS_PREFIXES = 65536, /* of all entries and both uses together */
	PEERS_NAME = 32,        /* its end included */
	PEERS_FAMILIES = 2
};

/* What an entry's prefix is for. CONTROL: GTP-C comes from there, and the prefix belongs to that
 * entry alone. USER: GTP-U does, and several entries may have the same. */
enum peers_use { PEERS_CONTROL, PEERS_USER, PEERS_USES };

/* A peer: one node, or one network. */
struct peers_entry {
	char name[PEERS_NAME];
	char group[PEERS_NAME]; /* of hand-overs; "": the entry is a group by itself */
	uint8_t ports;          /* bit i: it is heard on port i of the configuration */
	/* Set by peers_build(): how many prefixes it has of each use. */
	uint32_t n_prefixes[PEERS_USES];
	/* Set by peers_numbers_give(): its name in slots, 1 and up; 0: not given yet. */
	uint16_t number;
};

/* A prefix of the entry that stands at `nth` in the list of entries. */
struct peers_prefix {
	struct ip_prefix prefix;
	uint16_t nth;
	uint8_t use; /* enum peers_use */
};

/* Who has a prefix: some entries, and by `parent` those of the prefix around it. */
struct peers_set {
	uint32_t parent; /* 0: none is around it */
	uint32_t first;  /* in peers.member */
	uint16_t n;
	uint8_t ports; /* of these entries, and of all parents' */
};

/* Where the answer changes, of one use and family: from start[i] to before start[i + 1] it is
 * set[i]. start[0] is address 0. There is at least one. */
struct peers_ranges {
	uint32_t n;
	uint32_t *start4; /* host order; of IPv4 */
	struct peers_start6 {
		uint64_t half[2]; /* of ip_addr_half() */
	} * start6;
	uint32_t *set;  /* in peers.set; 0: nobody */
	uint32_t whole; /* the set of the prefix of no bits; 0: nobody has it */
};

struct peers {
	unsigned int n;
	struct peers_entry *entry; /* in the order of the list that it was built of */
	uint16_t *group;           /* by place: equal in one group of hand-overs */
	uint16_t *by_number;       /* places, in the order of numbers, once they are given */
	uint32_t n_sets;           /* [0] is that of nobody */
	struct peers_set *set;
	uint16_t *member;                                       /* places */
	struct peers_ranges ranges[PEERS_USES][PEERS_FAMILIES]; /* family: 0 IPv4, 1 IPv6 */
	unsigned int holders; /* of peers_hold(); the control core's */
};

/* Builds the table: in O(n log n), so not on the control core when there are many prefixes. Copies
 * what it is given. An entry without a USER prefix has its CONTROL prefixes as such, too. 0 and
 * *to, which the caller holds; -EINVAL: too many, a place that is none, or host bits in a prefix;
 * -EEXIST: a CONTROL prefix stands in two entries; -ENOMEM. */
int peers_build(struct peers **to, const struct peers_entry *entry, unsigned int n,
	const struct peers_prefix *prefix, unsigned int n_prefixes);
/* One more holder, and one less: the last one frees it. NULL is nothing. Both by one core at a
 * time: as a rule the control core. */
struct peers *peers_hold(struct peers *p);
void peers_drop(struct peers *p);

/* ---- whose address it is; any core; at most 18 steps ---- */

/* The range in which an IPv4 address is; host order. */
static inline uint32_t peers_range4(const struct peers_ranges *r, uint32_t a4)
{
	uint32_t at = 0;

	for (uint32_t n = r->n; n > 1; n -= n / 2)
		at += r->start4[at + n / 2] <= a4 ? n / 2 : 0;
	return at;
}

/* The set of entries whose USER prefixes hold an IPv4 address, host order; 0: nobody's do. */
static inline uint32_t peers_user4(const struct peers *p, uint32_t a4)
{
	const struct peers_ranges *r = &p->ranges[PEERS_USER][0];

	return r->set[peers_range4(r, a4)];
}

/* The ports at which somebody of that set is heard, as bits; set 0: none. */
static inline uint8_t peers_ports(const struct peers *p, uint32_t set)
{
	return p->set[set].ports;
}

/* The set of entries with such a prefix around the address, of either family; 0: none. */
uint32_t peers_set_of(const struct peers *p, enum peers_use use, const struct ip_addr *a);
/* Whether the entry of that number is in the set and is heard at one of `ports` (bits). */
bool peers_set_has(const struct peers *p, uint32_t set, uint16_t number, uint8_t ports);
/* The entry that has the longest CONTROL prefix around the address; NULL: nobody has one. */
const struct peers_entry *peers_control(const struct peers *p, const struct ip_addr *a);

/* The entry of that number; NULL: there is none. Numbers must have been given. */
const struct peers_entry *peers_by_number(const struct peers *p, uint16_t number);
/* Whether both numbers are of entries of one group of hand-overs. */
bool peers_same_group(const struct peers *p, uint16_t a, uint16_t b);
/* Whether the entry has a prefix of no bits, so that everybody of a family is its peer. */
bool peers_everybody(const struct peers *p, unsigned int nth);

#endif
