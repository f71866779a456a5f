/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "render.h"

enum { WORDS = 512 };

/* [{"phase": "silence", "took_ms": 80.1}, ...] as "silence 80.1, ...". */
static void render_phases(json_t *phases, char text[WORDS])
{
	size_t used = 0, i;
	json_t *p;

	text[0] = '\0';
	json_array_foreach (phases, i, p) {
		const char *name = json_string_value(json_object_get(p, "phase"));

		if (used < WORDS)
			used += (size_t)snprintf(text + used, WORDS - used, "%s%s %.1f",
				i > 0 ? ", " : "", name != NULL ? name : "?",
				json_number_value(json_object_get(p, "took_ms")));
	}
}

void render_history(json_t *data, struct render *r)
{
	json_t *copy = json_deep_copy(data), *rows, *row;
	char text[WORDS];
	const char *key;
	size_t i;

	json_object_foreach (copy, key, rows)
		json_array_foreach (rows, i, row) {
			json_t *phases = json_object_get(row, "phases");

			if (!json_is_array(phases))
				continue;
			render_phases(phases, text);
			json_object_set_new(row, "phases", json_string(text));
		}
	render_any(copy, r);
	json_decref(copy);
}
