/* SPDX-License-Identifier: BSD-3-Clause */
/* history_file: the history's two files, DIR/srp.history and, older, DIR/srp.history.1. Blocks
 * (fsync): the state's thread, and control at boot. */
#ifndef TANDEM_HISTORY_FILE_H
#define TANDEM_HISTORY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "journal/history.h"

/* A file of this size becomes the older one: it has more than HISTORY_MOST lines even if all are as
 * long as can be. */
enum { HISTORY_FILE_BYTES = HISTORY_LINE * (HISTORY_MOST + 200) };

/* Adds lines, durably, or nothing at all: 0 or -errno. What a crash tears is the end of what was
 * being added; the next line begins anew. */
int history_file_add(const char *dir, const char *text, size_t len);
/* Reads what there is: 0 (no file is no error) or -errno. */
int history_file_read(const char *dir, struct history *h);

#endif
