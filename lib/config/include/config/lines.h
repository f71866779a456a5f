/* SPDX-License-Identifier: BSD-3-Clause */
/* lines: what must agree between the two chassis as text, one line a key, as config_lines() of
 * config/config.h writes it: compared without the configurations themselves. Control core. */
#ifndef TANDEM_CONFIG_LINES_H
#define TANDEM_CONFIG_LINES_H

#include <stddef.h>
#include <stdio.h>

enum { CONFIG_LINES = 4096, CONFIG_LINE = 512 };
/* Compares such texts, of which `there` may be anything that a peer sent: lines beyond CONFIG_LINES
 * and bytes of a line beyond CONFIG_LINE are left out and noted, what does not print becomes '?'.
 * Lines "KEY: A here, B there", in the order of `here`, then what is only there; an item that is
 * absent as a whole is one line. Returns how many, or -ENOMEM. */
int config_lines_difference(
	const char *here, size_t here_len, const char *there, size_t there_len, FILE *to);

#endif
