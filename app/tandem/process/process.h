/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share. */
#ifndef TANDEM_PROCESS_H
#define TANDEM_PROCESS_H

#include <stdbool.h>
#include <stdio.h>

struct config;
struct control;
struct tandem;

enum { PROCESS_EXIT_CONFIG = 1, PROCESS_EXIT_USAGE = 2, PROCESS_EXIT_START = 3 };

/* options.c: what stands behind "--". Points into argv. */
struct options {
	const char *config, *peer;
	bool check, print;
};

/* -EINVAL: the usage was printed. Ends the process for --help, --knobs, --alarms and
 * --counters. */
int options_parse(int argc, char **argv, struct options *o);
/* Reads the configuration; what is wrong with it goes to stderr. 0 or -errno. */
int options_load(const char *file, struct config *c);
/* --check: the process' exit code. */
int options_check(const struct options *o);

/* records.c: the rows of the table of all alarms, as the guide has them. 0 or -ENOMEM. */
int records_print_alarms(FILE *to);

/* signals.c: blocks the signals that the control core takes, in every thread that is made from now
 * on. */
void signals_block(void);
/* Opens the file descriptor by which the control core takes them. 0 or -errno. */
int signals_open(struct control *c);

/* start.c: the start-up table forward, the control core until a signal ends it, and the table
 * backward. The process' exit code. */
int start_run(struct tandem *t);

#endif
