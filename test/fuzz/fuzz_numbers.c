/* SPDX-License-Identifier: BSD-3-Clause */
/* A list of numbers, as a peer or a disk may have it: it is refused, or it is what the writer would
 * write, in which no name has two numbers. Then a chassis takes it and gives numbers of its own. */
#include <stdlib.h>
#include <string.h>

#include "numbers/numbers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct numbers theirs, own;

static void fuzz_check(const struct numbers *n)
{
	for (enum places_kind k = 0; k < PLACES_KINDS; k++) {
		unsigned int used = 0;

		for (unsigned int i = 1; i <= NUMBERS_LAST; i++) {
			const struct numbers_entry *e = &n->of[k][i];

			if (memchr(e->name, '\0', sizeof(e->name)) == NULL ||
				memchr(e->what, '\0', sizeof(e->what)) == NULL)
				abort();
			used += e->state == NUMBERS_USED;
			if (e->state == NUMBERS_GONE && (e->what[0] != '\0' || e->waits))
				abort();
			if (e->state == NUMBERS_USED && numbers_of(n, k, e->name) != i)
				abort();
			if ((e->state == NUMBERS_GONE) !=
				(e->gone_s != 0 && e->state != NUMBERS_KNOWN))
				abort();
		}
		if (used > PLACES_MOST)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct numbers_items items = { .n = { 2, 1 },
		.of = { { { .name = "internet", .what = "pool=one" }, { .name = "wap", .id = 7 } },
			{ { .name = "one" } } } };
	static char text[NUMBERS_BYTES], why[NUMBERS_WHY];
	struct numbers_order o = { .items = &items, .term = 5, .now_s = 1000, .quarantine_s = 10 };
	struct places p;
	size_t len;

	if (numbers_read(&theirs, (const char *)data, size) < 0) {
		if (theirs.term != 0)
			abort();
		return 0;
	}
	fuzz_check(&theirs);
	len = numbers_print(&theirs, text, sizeof(text));
	if (len != size || memcmp(text, data, len) != 0)
		abort();
	memset(&own, 0, sizeof(own));
	numbers_assign(&own, &o, why);
	if (!numbers_yield(&own, &theirs, theirs.term <= 5) && theirs.term != 5)
		abort();
	numbers_take(&own, &theirs);
	if (numbers_print(&own, text, sizeof(text)) != len || memcmp(text, data, len) != 0)
		abort(); /* it says what it took, and nothing of its own */
	fuzz_check(&own);
	numbers_assign(&own, &o, why);
	fuzz_check(&own);
	places_init(&p);
	numbers_places(&own, &items, &p);
	for (unsigned int i = 1; i <= NUMBERS_LAST; i++)
		if (places_of(&p, PLACES_APN, (uint8_t)i) > PLACES_NONE)
			abort();
	return 0;
}
