/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/wire.h"

/* Alone in its file, so that a program that brings its own is not given this one. */
const struct wire_versions wire_spoken = { .version_min = 1, .version_max = 1 };
