/* SPDX-License-Identifier: BSD-3-Clause */
/* save: a text becomes a file, whole or not at all. Blocks on the disk: not for a core that must
 * turn. */
#ifndef TANDEM_SAVE_H
#define TANDEM_SAVE_H

#include <stddef.h>

enum { SAVE_WHY = 512 };

/* Writes `len` bytes to the absolute path: to a temporary file beside it, fsync, rename, fsync of
 * the folder. Mode and owner are those of the file that was there, else 0600. 0, or -errno and
 * `why`, with what to do: the path is relative or too long, something is there that is no regular
 * file (symbolic links are not followed), the disk refused. What was there is as it was, unless
 * `why` says that only the folder's fsync failed. Any thread. */
int save_text(const char *path, const char *text, size_t len, char why[SAVE_WHY]);

#endif
