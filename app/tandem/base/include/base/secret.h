/* SPDX-License-Identifier: BSD-3-Clause */
/* secret: files of secrets, which nobody but their owner may reach; what they hold is never
 * printed. The control core calls it at start and when such a file was replaced, and `--check`
 * does: it reads files, and may wait for the disk. */
#ifndef TANDEM_SECRET_H
#define TANDEM_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_WHY = 640 };

/* A file that is there, and that no group and nobody else can reach. key: of the configuration, for
 * `why`, which says what to do and is written only if not. */
bool secret_file(const char *key, const char *path, char why[SECRET_WHY]);
/* The same, and its first two lines without their ends, at most size - 1 bytes each; an empty first
 * one is an error. Both are the caller's to wipe. */
bool secret_lines(const char *key, const char *path, char *first, size_t first_size, char *second,
	size_t second_size, char why[SECRET_WHY]);

#endif
