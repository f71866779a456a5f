/* SPDX-License-Identifier: BSD-3-Clause */
/* telemetry: the daemon's views as commands of DPDK's telemetry socket (/tandem/...). A callback
 * runs on the telemetry thread, asks the control socket as any operator does, and turns the JSON
 * answer into telemetry data; so both show the same. Arrays become dicts keyed by position; replies
 * are paged to what 16 KB hold. */
#ifndef TANDEM_TELEMETRY_H
#define TANDEM_TELEMETRY_H

enum { TELEMETRY_CHASSIS = 8 };

/* Registers all commands of a chassis, as /tandem/... of chassis 0 of the process, and as
 * /tandem/N/... of chassis N < TELEMETRY_CHASSIS. control_socket: path of its control socket,
 * copied. Main thread, once a chassis; does not block. 0 or -errno; -ERANGE: there are too many
 * chassis. */
int telemetry_register(unsigned int chassis, const char *control_socket);

#endif
