/* SPDX-License-Identifier: BSD-3-Clause */
/* What is monitored: each kind of source adds its own. */
#include <stdio.h>

#include "monitors_priv.h"

int monitors_add(struct monitors *m, enum monitor_type type, const char *name, const char *address,
	const char *group, usec_t now)
{
	int object = monitor_add(m->monitor, type, name, m->set.start.chassis, group, now);

	if (object >= 0)
		snprintf(m->address[object], MONITORS_ADDRESS, "%s", address);
	return object;
}
