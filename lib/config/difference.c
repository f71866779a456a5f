/* SPDX-License-Identifier: BSD-3-Clause */
/* Two texts of config_lines(), compared. One of them comes from the peer: whatever it holds, the
 * work is bounded by CONFIG_LINES and CONFIG_LINE, and nothing of it reaches a log or a terminal
 * that does not print. */
#include <errno.h>
#include <stdlib.h>

#include "knob.h"

struct part {
	const char *at;
	size_t len;
};

struct line {
	/* item: "pools[one]" of "pools[one].prefix"; nothing if it is none */
	struct part key, value, item;
};

struct text {
	struct line line[CONFIG_LINES]; /* as they came */
	const struct line *sorted[CONFIG_LINES];
	unsigned int n;
	bool more; /* than there is room for */
};

struct difference {
	FILE *to;
	int n;
};

static int part_order(const struct part *a, const struct part *b)
{
	int d = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);

	return d != 0 ? d : (a->len > b->len) - (a->len < b->len);
}

static int by_key(const void *a, const void *b)
{
	const struct line *const *one = a, *const *other = b;

	return part_order(&(*one)->key, &(*other)->key);
}

static struct line difference_line_of(const char *at, size_t len)
{
	static const char sign[] = " = ";
	const char *value = memmem(at, len, sign, strlen(sign)), *end;
	struct line l = { .key = { at, value != NULL ? (size_t)(value - at) : len },
		.value = { at, 0 },
		.item = { at, 0 } };

	if (value != NULL)
		l.value = (struct part){ value + strlen(sign), len - l.key.len - strlen(sign) };
	end = memmem(l.key.at, l.key.len, "].", 2);
	if (end != NULL)
		l.item.len = (size_t)(end - at) + 1;
	return l;
}

static struct text *difference_text_read(const char *at, size_t len)
{
	struct text *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	while (len > 0) {
		const char *end = memchr(at, '\n', len);
		size_t n = end != NULL ? (size_t)(end - at) : len;

		t->more = t->n == CONFIG_LINES;
		if (t->more)
			break;
		t->line[t->n] = difference_line_of(at, n < CONFIG_LINE ? n : CONFIG_LINE);
		t->sorted[t->n] = &t->line[t->n];
		t->n++;
		n += end != NULL;
		at += n;
		len -= n;
	}
	qsort(t->sorted, t->n, sizeof(t->sorted[0]), by_key);
	return t;
}

/* The first line whose key is not below. */
static unsigned int difference_text_find(const struct text *t, const struct part *key)
{
	unsigned int low = 0, high = t->n;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (part_order(&t->sorted[mid]->key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct line *difference_text_line(const struct text *t, const struct part *key)
{
	unsigned int i = difference_text_find(t, key);

	return i < t->n && part_order(&t->sorted[i]->key, key) == 0 ? t->sorted[i] : NULL;
}

static bool difference_text_has_item(const struct text *t, const struct part *item)
{
	unsigned int i = difference_text_find(t, item);

	return i < t->n && part_order(&t->sorted[i]->item, item) == 0;
}

static void part_print(const struct part *p, FILE *to)
{
	for (size_t i = 0; i < p->len; i++)
		fputc(p->at[i] >= ' ' && p->at[i] <= '~' ? p->at[i] : '?', to);
}

/* What one side has and the other does not. An item's lines stand behind each other. */
static void difference_absent(struct difference *d, const struct text *other, const struct line *l,
	const struct line *before, bool here)
{
	bool whole = l->item.len > 0 && !difference_text_has_item(other, &l->item);

	if (whole && before != NULL && part_order(&before->item, &l->item) == 0)
		return;
	part_print(whole ? &l->item : &l->key, d->to);
	fputs(here ? ": " : ": absent here, ", d->to);
	if (whole)
		fputs("present", d->to);
	else
		part_print(&l->value, d->to);
	fputs(here ? " here, absent there\n" : " there\n", d->to);
	d->n++;
}

static void difference_changed(struct difference *d, const struct line *a, const struct line *b)
{
	if (part_order(&a->value, &b->value) == 0)
		return;
	part_print(&a->key, d->to);
	fputs(": ", d->to);
	part_print(&a->value, d->to);
	fputs(" here, ", d->to);
	part_print(&b->value, d->to);
	fputs(" there\n", d->to);
	d->n++;
}

static void difference_compare(struct difference *d, const struct text *a, const struct text *b)
{
	for (unsigned int i = 0; i < a->n; i++) {
		const struct line *l = &a->line[i], *other = difference_text_line(b, &l->key);

		if (other != NULL)
			difference_changed(d, l, other);
		else
			difference_absent(d, b, l, i > 0 ? l - 1 : NULL, true);
	}
	for (unsigned int i = 0; i < b->n; i++)
		if (difference_text_line(a, &b->line[i].key) == NULL)
			difference_absent(d, a, &b->line[i], i > 0 ? &b->line[i - 1] : NULL, false);
	if (b->more) {
		fprintf(d->to, "lines: %u at most here, more there\n", CONFIG_LINES);
		d->n++;
	}
}

int config_lines_difference(
	const char *here, size_t here_len, const char *there, size_t there_len, FILE *to)
{
	struct difference d = { to, 0 };
	struct text *a = difference_text_read(here, here_len),
		    *b = difference_text_read(there, there_len);

	if (a != NULL && b != NULL)
		difference_compare(&d, a, b);
	else
		d.n = -ENOMEM;
	free(a);
	free(b);
	return d.n;
}
