/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TANDEM_REPL_GOLDEN_H
#define TANDEM_REPL_GOLDEN_H

/* Lines "name hex" from standard input, each a packet; prints what is in it. 0, or 1: not a
 * packet. */
int golden_decode(void);
/* Prints the list of fields: form "lua" or "markdown". 0. */
int golden_fields(const char *form);

#endif
