/* SPDX-License-Identifier: BSD-3-Clause */
/* render: the daemon's data as text for people. Objects become aligned "Label: value" lines, arrays
 * of objects become tables; the unit is taken from the end of a key ("age_ms": 5 is "Age: 5 ms").
 * Keys that are not there are not missed. */
#ifndef TANDEMCTL_RENDER_H
#define TANDEMCTL_RENDER_H

#include <stdio.h>

#include <jansson.h>

void render_any(json_t *data, FILE *to);
/* Objects by name, of which there may be none. */
void render_named(json_t *data, FILE *to);
/* Rows of what was: where the time of a switchover went is told in words. */
void render_history(json_t *data, FILE *to);
/* The layout that operators know. */
void render_srp_info(json_t *data, FILE *to);
/* data.text as it is, but clean. */
void render_text(json_t *data, FILE *to);
/* Names in an answer come from the network: what a terminal would obey becomes '?'. Line ends and
 * tabs are left. */
void render_clean(char *text);

#endif
