/* SPDX-License-Identifier: BSD-3-Clause */
/* What the next release may speak: one version more, in which records have charging
 * characteristics. Linked in front of the libraries, this makes the test build of that release:
 * tandem-next and sim_next. */
#include "common/wire.h"

const struct wire_versions wire_spoken = {
	.version_min = 1,
	.version_max = 2,
	.groups = 1,
	.group = { { .id = WIRE_NEXT,
		.version = 2,
		.at = 0,
		.size = 2,
		.name = "charging_characteristics" } },
};
