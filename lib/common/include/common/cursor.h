/* SPDX-License-Identifier: BSD-3-Clause */
/* cursor: bounds-checked reading and writing of bytes, network order. The error sticks: chain
 * freely, check once (`bad`), and check that nothing is left where nothing may be. Owns no memory;
 * any core. */
#ifndef TANDEM_COMMON_CURSOR_H
#define TANDEM_COMMON_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p;
	size_t left; /* bytes */
	bool bad;
};

struct wr {
	uint8_t *p;
	size_t left; /* bytes */
	bool bad;
};

static inline struct rd rd_init(const void *p, size_t len)
{
	return (struct rd){ (const uint8_t *)p, len, false };
}

static inline struct wr wr_init(void *p, size_t len)
{
	return (struct wr){ (uint8_t *)p, len, false };
}

/* Gives the next n bytes in place, or NULL (and bad) if there are fewer. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

/* Reads n (0..8) bytes as an unsigned number, most significant first; 0 when bad. */
static inline uint64_t rd_be(struct rd *r, unsigned int n)
{
	const uint8_t *p = rd_bytes(r, n);
	uint64_t v = 0;

	if (p != NULL)
		while (n-- > 0)
			v = v << 8 | *p++;
	return v;
}

/* The following read numbers of a size that is known when compiling, likewise. */
static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p != NULL ? *p : 0;
}
static inline uint16_t rd_u16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, sizeof(uint16_t));
	uint16_t v = 0;

	if (p != NULL)
		memcpy(&v, p, sizeof(v));
	return be16toh(v);
}
static inline uint32_t rd_u32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, sizeof(uint32_t));
	uint32_t v = 0;

	if (p != NULL)
		memcpy(&v, p, sizeof(v));
	return be32toh(v);
}
static inline uint64_t rd_u64(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, sizeof(uint64_t));
	uint64_t v = 0;

	if (p != NULL)
		memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* Copies n bytes to `to`; when bad, `to` is zeroed. */
static inline void rd_copy(struct rd *r, void *to, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);

	if (p != NULL)
		memcpy(to, p, n);
	else
		memset(to, 0, n);
}

/* Makes a cursor over the next n bytes, which this one skips. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);

	return (struct rd){ p, p != NULL ? n : 0, p == NULL };
}

/* Gives room for n bytes, which the caller fills, or NULL (and bad). */
static inline uint8_t *wr_room(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (w->bad || w->left < n) {
		w->bad = true;
		return NULL;
	}
	w->p += n;
	w->left -= n;
	return p;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_room(w, 1);

	if (p != NULL)
		*p = v;
}
static inline void wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_room(w, sizeof(v));

	v = htobe16(v);
	if (p != NULL)
		memcpy(p, &v, sizeof(v));
}
static inline void wr_u32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_room(w, sizeof(v));

	v = htobe32(v);
	if (p != NULL)
		memcpy(p, &v, sizeof(v));
}
static inline void wr_u64(struct wr *w, uint64_t v)
{
	uint8_t *p = wr_room(w, sizeof(v));

	v = htobe64(v);
	if (p != NULL)
		memcpy(p, &v, sizeof(v));
}

static inline void wr_bytes(struct wr *w, const void *from, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p != NULL && n > 0)
		memcpy(p, from, n);
}

#endif
