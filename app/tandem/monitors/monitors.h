/* SPDX-License-Identifier: BSD-3-Clause */
/* control_monitor: what is monitored, and what follows from it for srp; the engine is lib/monitor.
 * A part of it that has nothing to monitor does nothing. Control core. */
#ifndef TANDEM_CONTROL_MONITOR_H
#define TANDEM_CONTROL_MONITOR_H

#include "process/control.h"
#include "monitor/monitor.h"
#include "base/secret.h"

enum { MONITORS_ADDRESS = 64 };

/* 0 or -errno. Once, before any is raised. */
int monitors_alarms_register(struct alarms *a);

/* The number of what is monitored, or -errno as monitor_add. address: in logs and views beside the
 * name; "": none. */
int monitors_add(struct control *c, enum monitor_type type, const char *name, const char *address,
	const char *group, usec_t now);

/* aaa.c. Can the servers' secrets be had? False: `why` says what to do. */
bool aaa_check(const struct config *f, char why[SECRET_WHY]);
/* 0 or -errno; logs which server it is. Nothing is probed yet. */
int aaa_open(struct control *c, usec_t now);
void aaa_close(struct control *c);
/* Probing begins anew, in Init, or ends. */
void aaa_probe(struct control *c, bool on, usec_t now);
/* Sends what is due, and reports every server to the monitors. */
void aaa_turn(struct control *c, usec_t now);

/* routers.c: listens for routers, if there are bgp-peers; what is due by time. 0 or -errno,
 * logged. */
int routers_open(struct control *c, usec_t now);
void routers_close(struct control *c);
void routers_turn(struct control *c, usec_t now);

/* local.c: own devices, carriers of ports, routes of the kernel; 0 or -errno; reports
 * each. */
int local_open(struct control *c, usec_t now);
void local_close(struct control *c);
void local_turn(struct control *c, usec_t now);

#endif
