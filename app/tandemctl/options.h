/* SPDX-License-Identifier: BSD-3-Clause */
/* options: what may stand before, between and behind the words of a command, as a table: getopt's
 * lists, the help and the completion follow from it. */
#ifndef TANDEMCTL_OPTIONS_H
#define TANDEMCTL_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct options {
	char socket[256];
	unsigned int timeout_s;
	bool json, help, next, force;
	bool all;       /* zero counters too */
	double every_s; /* 0: once */
	long limit;     /* -1: it was not given */
};

/* Reads the options; what is not one stands from argv[optind] on. 0; -EINVAL: it was reported. */
int options_read(int argc, char **argv, struct options *o);
/* One line for each option. */
void options_help(FILE *to);
/* What can stand in place of the last word of a command line (which may be empty, or begun), one
 * word a line; "<file>" stands for any file, "<name>" for the name of a daemon. The array is
 * used up. */
void options_complete(char **words, int n, FILE *to);
/* The number in `text`, if it is one and not out of range. */
bool options_number(const char *text, long min, long max, long *to);

#endif
