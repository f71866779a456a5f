/* SPDX-License-Identifier: BSD-3-Clause */
/* render: the daemon's data as text for people. Objects become aligned "Label: value" lines, arrays
 * of objects become tables, or a block for each row where a table is wider than the terminal; the
 * unit is taken from the end of a key ("age_ms": 5 is "Age: 5 ms"). Keys that are not there are not
 * missed. */
#ifndef TANDEMCTL_RENDER_H
#define TANDEMCTL_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

struct render {
	FILE *to;
	int width;        /* no line is wider, if words and labels allow; 0: there is no limit */
	bool all;         /* counters that are zero are shown as well */
	bool terse;       /* counters that are zero may be left out; a renderer sets it */
	json_t *counters; /* its keys name the counters, as the daemon said; NULL: there are none */
	unsigned int zero; /* how many of them were left out */
};

void render_any(json_t *data, struct render *r);
/* A view with counters: those that are zero are left out, and how many they are stands at the end.
 */
void render_counters(json_t *data, struct render *r);
/* Rows of the history, in which the phases of a switchover stand in words. */
void render_history(json_t *data, struct render *r);
/* The layout that operators know. */
void render_srp_info(json_t *data, struct render *r);
/* A page for each session: one field a line, in groups. */
void render_session(json_t *data, struct render *r);
/* data.text as it is, but clean. */
void render_text(json_t *data, struct render *r);
/* Names in an answer come from the network: what a terminal would obey becomes '?'. Line ends and
 * tabs are left. */
void render_clean(char *text);

#endif
