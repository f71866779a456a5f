/* SPDX-License-Identifier: BSD-3-Clause */
/* addr: the one type of an IP address, of either family, and of a prefix. Sixteen bytes as they
 * stand on the wire; IPv4 is kept v4-mapped (RFC 4291 2.5.5.2), so that the bytes name the family,
 * and two addresses are equal when their bytes are. Where every packet passes, an IPv4 address is
 * its 32-bit word in host order (names end in 4); `ip_addr_v4()` and `ip_addr_to_v4()` lie between
 * the two, and what is stored in tables, in messages and in configuration is a struct ip_addr.
 * Value types; any core. */
#ifndef TANDEM_COMMON_ADDR_H
#define TANDEM_COMMON_ADDR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ip_addr {
	uint8_t b[16];
};

/* A prefix of a route, a pool or an interface. len: in bits of the address's own family. */
struct ip_prefix {
	struct ip_addr addr;
	uint8_t len;
};

enum {
	IP_ADDR_TEXT = 46, /* bytes, terminating zero included */
	IP_PREFIX_TEXT = IP_ADDR_TEXT + 4,
	IP_V4_AT = 12 /* where the four bytes of an IPv4 address begin */
};

/* An address means something only within a routing instance (a VRF): tables, pools and adjacencies
 * take its number, and what stands in one instance is never found in another. INSTANCE_MAIN is that
 * of the kernel's main table, and the only one that is configured today. */
enum { INSTANCE_MAIN = 0, INSTANCES = 16 };

/* Makes an address of an IPv4 address in host order. */
static inline struct ip_addr ip_addr_v4(uint32_t v4)
{
	return (struct ip_addr){ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)(v4 >> 24),
		(uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8), (uint8_t)v4 } };
}

/* Returns half of the address in host order: the first eight bytes for i = 0, else the others. */
static inline uint64_t ip_addr_half(const struct ip_addr *a, unsigned int i)
{
	uint64_t w;

	memcpy(&w, a->b + 8 * i, sizeof(w));
	return be64toh(w);
}

static inline bool ip_addr_is_v4(const struct ip_addr *a)
{
	return ip_addr_half(a, 0) == 0 && ip_addr_half(a, 1) >> 32 == 0xffff;
}

/* Returns the IPv4 address in host order; 0 if it is not IPv4. */
static inline uint32_t ip_addr_to_v4(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? (uint32_t)ip_addr_half(a, 1) : 0;
}

static inline bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Whether no address was given: all bytes are zero. */
static inline bool ip_addr_is_none(const struct ip_addr *a)
{
	return (ip_addr_half(a, 0) | ip_addr_half(a, 1)) == 0;
}

/* Whether it is the unspecified address of either family, which names nobody. */
static inline bool ip_addr_is_any(const struct ip_addr *a)
{
	return ip_addr_is_none(a) || (ip_addr_is_v4(a) && ip_addr_to_v4(a) == 0);
}

/* How many bytes the address has as its family writes it. */
static inline size_t ip_addr_size(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? 4 : 16;
}

/* Where these bytes are. */
static inline const uint8_t *ip_addr_bytes(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? a->b + IP_V4_AT : a->b;
}

/* Makes an address of such bytes. size: 4 or 16; anything else: false, and *a is all zero. */
bool ip_addr_from_bytes(struct ip_addr *a, const void *p, size_t size);

/* Returns the length of the prefix that holds this address alone: 32 or 128. */
static inline uint8_t ip_addr_bits(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? 32 : 128;
}

/* Spreads addresses over the buckets of a table; the upper bits are the better ones. */
static inline uint32_t ip_addr_hash(const struct ip_addr *a)
{
	uint64_t h = ip_addr_half(a, 0) * UINT64_C(0xff51afd7ed558ccd) ^ ip_addr_half(a, 1);

	return (uint32_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* Returns the mask of a length (0 to 32) in host order. */
static inline uint32_t ip4_mask(uint8_t len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

/* Can be the address of one node beyond the own host (RFC 1812 5.3.7): neither in 0/8 or 127/8, nor
 * a group's, nor reserved. Host order. */
static inline bool ip4_is_unicast(uint32_t v4)
{
	return v4 >= 0x01000000 && v4 < 0xe0000000 && v4 >> 24 != 127;
}

/* Makes the prefix of that length around the address, without host bits; len <= ip_addr_bits(). */
struct ip_prefix ip_prefix_around(const struct ip_addr *a, uint8_t len);
/* Whether the length is possible and no host bit is set. */
bool ip_prefix_valid(const struct ip_prefix *p);
/* Whether a is of the prefix's family and begins with its bits. The prefix may have host bits. */
bool ip_prefix_covers(const struct ip_prefix *p, const struct ip_addr *a);

static inline bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_addr_equal(&a->addr, &b->addr);
}

/* Reads an address from a text; -EINVAL if it is neither family's. */
int ip_addr_parse(const char *text, struct ip_addr *a);
/* Writes an address as text to `to` (IP_ADDR_TEXT bytes); returns `to`. */
char *ip_addr_print(const struct ip_addr *a, char to[IP_ADDR_TEXT]);
/* Writes a prefix as "address/length". */
char *ip_prefix_print(const struct ip_prefix *p, char to[IP_PREFIX_TEXT]);

#endif
