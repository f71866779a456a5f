/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "rates.h"

enum { KEY = 128, DEPTH = 16 };

static bool rates_is_time(const char *key)
{
	static const char *const ends[] = { "_ms", "_us", "_ns", "_s" };
	size_t n = strlen(key);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (n > strlen(ends[i]) && strcmp(key + n - strlen(ends[i]), ends[i]) == 0)
			return true;
	return false;
}

/* Rows are the same if their first members are: they name them. */
static bool rates_same_row(json_t *a, json_t *b)
{
	void *first = json_object_iter(a);

	return first == NULL || json_equal(json_object_iter_value(first),
					json_object_get(b, json_object_iter_key(first)));
}

/* What stays the same on the way through an answer. */
struct rates {
	json_t *counters;
	double seconds;
};

static void rates_walk(json_t *now, json_t *before, const struct rates *r, unsigned int depth);

static void rates_object(json_t *now, json_t *before, const struct rates *r, unsigned int depth)
{
	json_t *found = json_object(), *v;
	const char *key;

	json_object_foreach (now, key, v) {
		json_t *old = json_object_get(before, key);
		char name[KEY + 8];

		if (json_is_integer(v) && json_is_integer(old) && strlen(key) < KEY &&
			json_object_get(r->counters, key) != NULL && !rates_is_time(key) &&
			json_integer_value(v) > json_integer_value(old)) {
			snprintf(name, sizeof(name), "%s_per_s", key);
			json_object_set_new(found, name,
				json_real(
					(double)(json_integer_value(v) - json_integer_value(old)) /
					r->seconds));
		} else {
			rates_walk(v, old, r, depth + 1);
		}
	}
	json_object_update(now, found);
	json_decref(found);
}

static void rates_walk(json_t *now, json_t *before, const struct rates *r, unsigned int depth)
{
	json_t *v;
	size_t i;

	if (depth > DEPTH)
		return;
	if (json_is_object(now) && json_is_object(before))
		rates_object(now, before, r, depth);
	json_array_foreach (now, i, v) {
		json_t *old = json_array_get(before, i);

		if (json_is_object(v) && json_is_object(old) && rates_same_row(v, old))
			rates_object(v, old, r, depth + 1);
	}
}

json_t *rates_add(json_t *now, json_t *before, json_t *counters, double seconds)
{
	const struct rates r = { .counters = counters, .seconds = seconds };
	json_t *copy = json_deep_copy(now);

	if (copy != NULL && seconds > 0)
		rates_walk(copy, before, &r, 0);
	return copy;
}
