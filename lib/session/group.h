/* SPDX-License-Identifier: BSD-3-Clause */
/* group: a group of fields.h, written and read: one function for all, of which nothing but that
 * group's rows is left where the group is a constant. Room and length are the caller's to check,
 * once for a whole body. Private to lib/session. */
#ifndef TANDEM_SESSION_GROUP_H
#define TANDEM_SESSION_GROUP_H

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "session/session.h"

/* Numbers of 1, 2, 4 and 8 bytes, in network order. */
static inline void group_put1(uint8_t *p, uint8_t v)
{
	*p = v;
}
static inline void group_put2(uint8_t *p, uint16_t v)
{
	v = rte_cpu_to_be_16(v);
	memcpy(p, &v, sizeof(v));
}
static inline void group_put4(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_be_32(v);
	memcpy(p, &v, sizeof(v));
}
static inline void group_put8(uint8_t *p, uint64_t v)
{
	v = rte_cpu_to_be_64(v);
	memcpy(p, &v, sizeof(v));
}
static inline uint8_t group_get1(const uint8_t *p)
{
	return *p;
}
static inline uint16_t group_get2(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_16(v);
}
static inline uint32_t group_get4(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_32(v);
}
static inline uint64_t group_get8(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_64(v);
}

/* Whether an address takes 16 octets: not IPv4, and not none. 0.0.0.0 in four is none. */
static inline bool group_is_long(const uint8_t a[16])
{
	uint64_t high, low;

	memcpy(&high, a, sizeof(high));
	memcpy(&low, a + 8, sizeof(low));
	if (likely(high == 0 && (uint32_t)low == rte_cpu_to_be_32(0xffff) && low >> 32 != 0))
		return false;
	return (high | low) != 0;
}

/* An address of four octets, written as the one word as which it is read: from smaller stores a
 * load of 16 octets has to wait for all of them. */
static inline struct ip_addr group_short(uint32_t v4)
{
	typedef uint64_t word_t __attribute__((vector_size(16)));
	const word_t w = { 0, v4 != 0 ? rte_cpu_to_be_64(UINT64_C(0xffff) << 32 | v4) : 0 };
	struct ip_addr a;

	memcpy(a.b, &w, sizeof(a.b));
	return a;
}

/* Bytes of a row of type and size with addresses in their short form. */
#define GROUP_BYTES_DEC(bytes)    (bytes)
#define GROUP_BYTES_HEX(bytes)    (bytes)
#define GROUP_BYTES_OCTETS(bytes) (bytes)
#define GROUP_BYTES_HEAD(bytes)   (bytes)
#define GROUP_BYTES_NIBBLE(bytes) (bytes)
#define GROUP_BYTES_FLAG(bytes)   0
#define GROUP_BYTES_ADDR(bytes)   4
#define GROUP_BYTES_UE(bytes)     4
#define GROUP_BYTES_MS(bytes)     (bytes)
#define GROUP_BYTES_TAIL(bytes)   (bytes)
enum { GROUP_LONGER = 12 }; /* an address of 16 octets */

#define GROUP_PUT_DEC(name, bytes)                                                                 \
	group_put##bytes(p, s->name);                                                              \
	p += (bytes);
#define GROUP_PUT_HEX(name, bytes) GROUP_PUT_DEC(name, bytes)
#define GROUP_PUT_OCTETS(name, bytes)                                                              \
	memcpy(p, s->name, bytes);                                                                 \
	p += (bytes);
#define GROUP_PUT_HEAD(name, bytes)   *p++ = s->name & SESSION_HEAD_VALUE;
#define GROUP_PUT_NIBBLE(name, bytes) *p++ = s->name;
#define GROUP_PUT_FLAG(name, bytes)                                                                \
	if (s->flags & SESSION_FLAG_##name)                                                        \
		*head |= SESSION_HEAD_FLAG;
#define GROUP_PUT_ADDR(name, bytes)                                                                \
	if (!plain && group_is_long(s->name)) {                                                    \
		*head |= family;                                                                   \
		memcpy(p, s->name, 16);                                                            \
		p += 16;                                                                           \
	} else {                                                                                   \
		memcpy(p, s->name + IP_V4_AT, 4);                                                  \
		p += 4;                                                                            \
	}                                                                                          \
	family >>= 1;
#define GROUP_PUT_UE(name, bytes) GROUP_PUT_DEC(ue4, 4)
#define GROUP_PUT_MS(name, bytes)                                                                  \
	group_put8(p, s->created_s *UINT64_C(1000));                                               \
	p += 8;

#define GROUP_PUT_ROW(name, type, bytes, group, set, end, line, view)                              \
	if (SESSION_NO_##group == no) {                                                            \
		GROUP_PUT_##type(name, bytes)                                                      \
	}

/* Writes a group (SESSION_NO_...) of the slot, and returns what follows. plain: it has no address
 * of 16 octets. */
static __rte_always_inline uint8_t *group_put(
	uint8_t *p, const struct session_slot *s, const unsigned int no, const bool plain)
{
	uint8_t *head = p, family = SESSION_HEAD_LONG;

	SESSION_FIELDS(GROUP_PUT_ROW)
	(void)head;
	(void)family;
	return p;
}

#define GROUP_GET_DEC(name, bytes)                                                                 \
	r->name = group_get##bytes(p);                                                             \
	p += (bytes);
#define GROUP_GET_HEX(name, bytes) GROUP_GET_DEC(name, bytes)
#define GROUP_GET_OCTETS(name, bytes)                                                              \
	memcpy(r->name, p, bytes);                                                                 \
	p += (bytes);
#define GROUP_GET_HEAD(name, bytes)                                                                \
	head = *p++;                                                                               \
	r->name = head & SESSION_HEAD_VALUE;                                                       \
	head &= (uint8_t)~SESSION_HEAD_VALUE;
#define GROUP_GET_NIBBLE(name, bytes) GROUP_GET_HEAD(name, bytes)
#define GROUP_GET_FLAG(name, bytes)                                                                \
	r->name = (head & SESSION_HEAD_FLAG) != 0;                                                 \
	head &= (uint8_t)~SESSION_HEAD_FLAG;
#define GROUP_GET_ADDR(name, bytes)                                                                \
	if (!plain && head & family) {                                                             \
		memcpy(r->name.b, p, 16);                                                          \
		p += 16;                                                                           \
		*bad |= !group_is_long(r->name.b);                                                 \
		head &= (uint8_t)~family;                                                          \
	} else {                                                                                   \
		r->name = group_short(group_get4(p));                                              \
		p += 4;                                                                            \
	}                                                                                          \
	family >>= 1;
#define GROUP_GET_UE(name, bytes) GROUP_GET_ADDR(name, bytes)
#define GROUP_GET_MS(name, bytes) GROUP_GET_DEC(name, 8)

#define GROUP_GET_ROW(name, type, bytes, group, set, end, line, view)                              \
	if (SESSION_NO_##group == no) {                                                            \
		GROUP_GET_##type(name, bytes)                                                      \
	}

/* Reads a group into the record, and returns what follows; *bad: it says what no version means.
 * plain: of an address of 16 octets nobody says that it is one. */
static __rte_always_inline const uint8_t *group_get(
	const uint8_t *p, struct session_rec *r, const unsigned int no, const bool plain, bool *bad)
{
	uint8_t head = 0, family = SESSION_HEAD_LONG;

	SESSION_FIELDS(GROUP_GET_ROW)
	(void)family;
	*bad |= head != 0;
	return p;
}

/* ---- the same of the annex, whose parts have lists of their own ---- */

#define GROUP_PUT_TAIL(name, bytes)                                                                \
	memcpy(p, s->name, RTE_MIN(s->name##_len, (bytes)));                                       \
	p += RTE_MIN(s->name##_len, (bytes));
/* The caller has looked at the length. */
#define GROUP_GET_TAIL(name, bytes)                                                                \
	memcpy(r->name, p, RTE_MIN(r->name##_len, (bytes)));                                       \
	p += RTE_MIN(r->name##_len, (bytes));

#define GROUP_OF_ANNEX(part, type, FIELDS)                                                         \
	static __rte_always_inline uint8_t *group_put_##part(                                      \
		uint8_t *p, const type *s, const unsigned int no)                                  \
	{                                                                                          \
		FIELDS(GROUP_PUT_ROW)                                                              \
		return p;                                                                          \
	}                                                                                          \
	static __rte_always_inline void group_get_##part(                                          \
		const uint8_t *p, type *r, const unsigned int no)                                  \
	{                                                                                          \
		FIELDS(GROUP_GET_ROW)                                                              \
		(void)p;                                                                           \
	}
GROUP_OF_ANNEX(common, struct session_annex, SESSION_COMMON_FIELDS)
GROUP_OF_ANNEX(bearer, struct session_bearer, SESSION_BEARER_FIELDS)
GROUP_OF_ANNEX(pfcp, struct session_pfcp, SESSION_PFCP_FIELDS)

#endif
