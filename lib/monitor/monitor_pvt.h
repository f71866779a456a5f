/* SPDX-License-Identifier: BSD-3-Clause */
/* monitor_pvt: what the files of lib/monitor's engine share. */
#ifndef TANDEM_MONITOR_PVT_H
#define TANDEM_MONITOR_PVT_H

#include "monitor/monitor.h"

/* There are at most as many groups as objects. A group without members is free once the alarms that
 * were reported of it are cleared. */
struct group {
	enum monitor_type type;
	char name[MONITOR_NAME];
	unsigned int members, up, down, unknown;
	usec_t since; /* of the failure, while it has failed */
	bool failed;
	uint8_t reported; /* alarms, as last drained */
};

struct object {
	struct monitor_object shown;
	bool used;
	unsigned int group;
	enum monitor_state reported;
};

struct monitor {
	struct monitor_conf conf;
	struct object object[MONITOR_OBJECTS];
	struct group group[MONITOR_OBJECTS];
	unsigned int n; /* one past the highest place of an object or a group that was ever taken */
	bool active;
	uint8_t held; /* types for which this chassis was made Active and that are not revertible */
	usec_t began; /* of the guard: start, or the last change of role */
};

/* Types that only an Active asks. */
enum { MONITOR_ASKED_BY_ACTIVE = 1 << MONITOR_AAA };

#endif
