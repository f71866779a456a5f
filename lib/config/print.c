/* SPDX-License-Identifier: BSD-3-Clause */
#include "knob.h"

static void print_item(const struct section *s, const void *base, const char *indent, FILE *to)
{
	for (unsigned int j = 0; j < s->n_knobs; j++) {
		const struct knob *k = &s->knobs[j];

		if (!knob_is_set(k, base))
			continue;
		fprintf(to, "%s%s = ", indent, k->key);
		knob_print(k, base, to);
		fputc(';', to);
		if (k->unit != NULL && k->type == KNOB_U32)
			fprintf(to, " # %s", k->unit);
		fputc('\n', to);
	}
}

static void print_list(const struct section *s, const struct config *c, FILE *to)
{
	unsigned int n = section_items(s, c);

	if (n == 0)
		return;
	fprintf(to, "%s = (\n", s->name);
	for (unsigned int i = 0; i < n; i++) {
		fputs("\t{\n", to);
		print_item(s, section_item_const(s, c, i), "\t\t", to);
		fputs(i + 1 < n ? "\t},\n" : "\t}\n", to);
	}
	fputs(");\n", to);
}

void config_print(const struct config *c, FILE *to)
{
	for (unsigned int i = 0; i < SECTIONS; i++) {
		const struct section *s = &config_sections[i];

		if (s->item_size > 0) {
			print_list(s, c, to);
		} else if (s->name == NULL) {
			print_item(s, c, "", to);
		} else {
			fprintf(to, "%s = {\n", s->name);
			print_item(s, c, "\t", to);
			fputs("};\n", to);
		}
	}
}
