/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "common/addr.h"

bool ip_addr_from_bytes(struct ip_addr *a, const void *p, size_t size)
{
	uint32_t v4;

	memset(a, 0, sizeof(*a));
	if (size == sizeof(v4)) {
		memcpy(&v4, p, sizeof(v4));
		*a = ip_addr_v4(ntohl(v4));
		return true;
	}
	if (size == sizeof(a->b))
		memcpy(a->b, p, sizeof(a->b));
	return size == sizeof(a->b);
}

/* Bits of the sixteen bytes that a prefix of `a`'s family and of that length fixes. */
static unsigned int addr_fixed_bits(const struct ip_addr *a, uint8_t len)
{
	return len + 128U - ip_addr_bits(a);
}

/* The first `bits` of 64, 64 or more: all of them. */
static uint64_t addr_mask(unsigned int bits)
{
	if (bits == 0)
		return 0;
	return bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
}

struct ip_prefix ip_prefix_around(const struct ip_addr *a, uint8_t len)
{
	unsigned int bits = addr_fixed_bits(a, len);
	uint64_t half[2] = { htobe64(ip_addr_half(a, 0) & addr_mask(bits)),
		htobe64(ip_addr_half(a, 1) & addr_mask(bits > 64 ? bits - 64 : 0)) };
	struct ip_prefix p = { .len = len };

	memcpy(p.addr.b, half, sizeof(p.addr.b));
	return p;
}

bool ip_prefix_valid(const struct ip_prefix *p)
{
	struct ip_prefix cut;

	if (p->len > ip_addr_bits(&p->addr))
		return false;
	cut = ip_prefix_around(&p->addr, p->len);
	return ip_prefix_equal(p, &cut);
}

bool ip_prefix_covers(const struct ip_prefix *p, const struct ip_addr *a)
{
	struct ip_prefix of_p, of_a;

	if (ip_addr_is_v4(&p->addr) != ip_addr_is_v4(a))
		return false;
	of_p = ip_prefix_around(&p->addr, p->len);
	of_a = ip_prefix_around(a, p->len);
	return ip_addr_equal(&of_p.addr, &of_a.addr);
}

int ip_addr_parse(const char *text, struct ip_addr *a)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, text, b) == 1)
		return ip_addr_from_bytes(a, b, 4) ? 0 : -EINVAL;
	return inet_pton(AF_INET6, text, a->b) == 1 ? 0 : -EINVAL;
}

char *ip_addr_print(const struct ip_addr *a, char to[IP_ADDR_TEXT])
{
	if (inet_ntop(ip_addr_is_v4(a) ? AF_INET : AF_INET6, ip_addr_bytes(a), to, IP_ADDR_TEXT) ==
		NULL)
		to[0] = '\0';
	return to;
}

char *ip_prefix_print(const struct ip_prefix *p, char to[IP_PREFIX_TEXT])
{
	size_t at = strlen(ip_addr_print(&p->addr, to));

	snprintf(to + at, IP_PREFIX_TEXT - at, "/%u", p->len);
	return to;
}
