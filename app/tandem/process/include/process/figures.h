/* SPDX-License-Identifier: BSD-3-Clause */
/* figures: all counters and gauges of a chassis: the tables of all rooms, and the registry that is
 * made of them. */
#ifndef TANDEM_PROCESS_FIGURES_H
#define TANDEM_PROCESS_FIGURES_H

#include <stdio.h>

struct control;
struct metrics;
struct metrics_room;

/* The rooms that have figures, in the order in which they are registered. Any core; nothing need
 * run. */
const struct metrics_room *const *figures_rooms(unsigned int *n);
/* The tables of all figures, as the operator's guide has them (Markdown). */
void figures_print(FILE *to);
/* Registers the figures of all rooms, once they are there; control core. NULL: it was logged why
 * not. */
struct metrics *figures_create(struct control *c);

#endif
