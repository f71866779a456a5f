/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room share: the monitors, and one part a kind of source. */
#ifndef TANDEM_MONITORS_PRIV_H
#define TANDEM_MONITORS_PRIV_H

#include "monitors/monitors.h"

enum { MONITORS_ADDRESS = 64, MONITORS_RAISED = MONITOR_OBJECTS * MONITOR_ALARMS };

/* An alarm of one group. */
struct monitors_raised {
	bool on;
	enum monitor_alarm alarm;
	enum monitor_type type;
	char group[MONITOR_NAME], text[MONITOR_TEXT];
};

struct monitors {
	struct monitors_settings set;
	struct monitor *monitor;
	struct aaa *aaa;         /* NULL: no server is probed */
	struct routers *routers; /* NULL: no BGP peers are monitored */
	struct local *local;
	usec_t turn_at;
	char address[MONITOR_OBJECTS][MONITORS_ADDRESS];
	struct monitors_raised raised[MONITORS_RAISED];
};

/* watched.c. The number of what is monitored, or -errno as monitor_add. address: in logs and views
 * beside the name; "": none. */
int monitors_add(struct monitors *m, enum monitor_type type, const char *name, const char *address,
	const char *group, usec_t now);

/* aaa.c. 0 or -errno; logs which server it is. Nothing is probed yet. */
int aaa_open(struct monitors *m, usec_t now);
void aaa_close(struct monitors *m);
/* Probing begins anew, in Init, or ends. */
void aaa_probe(struct monitors *m, bool on, usec_t now);
/* Sends what is due, and reports every server. */
void aaa_turn(struct monitors *m, usec_t now);

/* routers.c. Listens for routers, if there are bgp-peers: 0 or -errno, logged. */
int routers_open(struct monitors *m, usec_t now);
void routers_close(struct monitors *m);
/* Does what is due by time. */
void routers_turn(struct monitors *m, usec_t now);

/* local.c: own devices, carriers of ports, routes of the kernel. 0 or -errno. */
int local_open(struct monitors *m, usec_t now);
void local_close(struct monitors *m);
/* Reports each. */
void local_turn(struct monitors *m, usec_t now);

#endif
