/* SPDX-License-Identifier: BSD-3-Clause */
/* The list as text: on disk, and in SRP's messages. Writer and reader side by side. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "numbers/numbers.h"

#define TEXT_FIRST "tandem-numbers 1 "

static const char *const text_kinds[PLACES_KINDS] = { "apn ", "pool " };

size_t numbers_print(const struct numbers *n, char *to, size_t room)
{
	size_t used;

	if (n->term == 0)
		return 0;
	used = (size_t)snprintf(
		to, room, TEXT_FIRST "%" PRIu64 " %" PRIu32 "\n", n->term, n->revision);
	for (enum places_kind kind = 0; kind < PLACES_KINDS; kind++)
		for (unsigned int i = 1; i <= NUMBERS_LAST && used < room; i++) {
			const struct numbers_entry *e = &n->of[kind][i];

			if (e->state == NUMBERS_USED || e->state == NUMBERS_GONE)
				used += (size_t)snprintf(to + used, room - used,
					"%s%u %" PRIu64 " %s%s%s\n", text_kinds[kind], i, e->gone_s,
					e->name, e->what[0] != '\0' ? " " : "", e->what);
		}
	return used < room ? used : 0;
}

struct text_rest {
	const char *p;
	size_t left;
};

static bool text_take(struct text_rest *r, const char *word)
{
	size_t n = strlen(word);

	if (r->left < n || memcmp(r->p, word, n) != 0)
		return false;
	r->p += n;
	r->left -= n;
	return true;
}

/* As printf() writes it: no sign, and no zero in front of others. */
static bool text_number(struct text_rest *r, uint64_t most, uint64_t *v)
{
	size_t digits = 0;

	*v = 0;
	for (; r->left > 0 && *r->p >= '0' && *r->p <= '9'; r->p++, r->left--, digits++) {
		uint64_t digit = (uint64_t)(*r->p - '0');

		if ((digits > 0 && *v == 0) || *v > (most - digit) / 10)
			return false;
		*v = *v * 10 + digit;
	}
	return digits > 0;
}

/* Characters from `least` on, as far as they can be printed: they end up in logs and on terminals.
 */
static bool text_word(struct text_rest *r, char least, char *to, size_t room)
{
	size_t n = 0;

	while (n < r->left && r->p[n] >= least && r->p[n] <= '~')
		n++;
	if (n == 0 || n >= room)
		return false;
	memcpy(to, r->p, n);
	to[n] = '\0';
	r->p += n;
	r->left -= n;
	return true;
}

/* A name, what is said of it, and the line's end. */
static bool text_name(struct text_rest *r, struct numbers_entry *e)
{
	if (!text_word(r, ' ' + 1, e->name, sizeof(e->name)))
		return false;
	if (e->gone_s == 0 && text_take(r, " ") && !text_word(r, ' ', e->what, sizeof(e->what)))
		return false;
	return text_take(r, "\n");
}

/* A name has one number in use, and no chassis has places for more than so many. */
static bool text_has_room(const struct numbers *n, enum places_kind kind, const char *name)
{
	unsigned int used = 0;

	for (unsigned int i = 1; i <= NUMBERS_LAST; i++)
		used += n->of[kind][i].state == NUMBERS_USED;
	return used < PLACES_MOST && numbers_of(n, kind, name) == NUMBERS_NONE;
}

/* A line behind the one of `last`, which is kind << 8 | number. */
static bool text_line(struct text_rest *r, struct numbers *n, unsigned int *last)
{
	struct numbers_entry e = { .state = NUMBERS_USED };
	enum places_kind kind = PLACES_APN;
	uint64_t number;

	if (!text_take(r, text_kinds[kind]) && !text_take(r, text_kinds[kind = PLACES_POOL]))
		return false;
	if (!text_number(r, NUMBERS_LAST, &number) || number == 0 || !text_take(r, " ") ||
		((unsigned int)kind << 8 | number) <= *last ||
		!text_number(r, UINT64_MAX, &e.gone_s) || !text_take(r, " ") || !text_name(r, &e))
		return false;
	if (e.gone_s != 0)
		e.state = NUMBERS_GONE;
	else if (!text_has_room(n, kind, e.name))
		return false;
	*last = (unsigned int)kind << 8 | (unsigned int)number;
	n->of[kind][number] = e;
	return true;
}

int numbers_read(struct numbers *n, const char *text, size_t len)
{
	struct text_rest r = { text, len };
	unsigned int last = 0;
	uint64_t revision;
	bool good;

	memset(n, 0, sizeof(*n));
	good = len <= NUMBERS_BYTES && text_take(&r, TEXT_FIRST) &&
	       text_number(&r, UINT64_MAX, &n->term) && n->term != 0 && text_take(&r, " ") &&
	       text_number(&r, UINT32_MAX, &revision) && revision != 0 && text_take(&r, "\n");
	while (good && r.left > 0)
		good = text_line(&r, n, &last);
	if (!good) {
		memset(n, 0, sizeof(*n));
		return -EBADMSG;
	}
	n->revision = (uint32_t)revision;
	return 0;
}

uint64_t numbers_digest(const char *text, size_t len)
{
	/* FNV-1a: a difference is an accident, not an attack */
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	return len > 0 ? h : 0;
}
