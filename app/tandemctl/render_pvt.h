/* SPDX-License-Identifier: BSD-3-Clause */
/* What the layouts have in common. */
#ifndef TANDEMCTL_RENDER_PVT_H
#define TANDEMCTL_RENDER_PVT_H

#include <stdbool.h>
#include <stddef.h>

#include "render.h"

enum { RENDER_LABEL = 64, RENDER_INDENT = 2 };

/* The unit that the end of a key names (" ms"), "" if there is none; *len: the key without it. */
const char *render_unit(const char *key, size_t *len);
/* "peer_route_modifier" becomes "Peer Route Modifier"; the unit is left to the value. */
void render_label(const char *key, char to[RENDER_LABEL]);
/* A value as one line of text, to be freed; NULL only without memory. */
char *render_value(json_t *v, const char *unit);
/* The member of an object as render_value() writes it, and its rate if there is one. */
char *render_member_text(json_t *object, const char *key, const char *unit);
/* The characters of a text; its bytes may be more. */
int render_width(const char *text);
/* Cuts off what is left of a character in a text that was cut. */
void render_whole_characters(char *text);
/* "Label:  text"; the text begins `width` characters behind the label's begin, and is broken to
 * fit. */
void render_line(
	const struct render *r, const char *label, int width, const char *text, int indent);
/* Prints a text from column `at` on, where the cursor is, and breaks it to fit. */
void render_wrapped(const struct render *r, const char *text, int at);
/* The widest label among the members that have one line each. */
int render_labels_width(json_t *object, const struct render *r);
void render_member(json_t *object, const char *key, int width, int indent, struct render *r);
void render_object(json_t *object, int indent, struct render *r);
/* Rows as a table, or as blocks if the table is too wide. */
void render_table(json_t *rows, int indent, struct render *r);
/* True for a counter that is zero where such are left out. */
bool render_is_left_out(const char *key, json_t *v, const struct render *r);
/* True for the rate of another member, which stands beside that one. */
bool render_is_rate(json_t *object, const char *key);

#endif
