/* SPDX-License-Identifier: BSD-3-Clause */
/* telemetry: the daemon's views as commands of DPDK's telemetry socket (/tandem/...). A callback
 * runs on the telemetry thread, asks the control socket as any operator does, and turns the JSON
 * answer into telemetry data; so both show the same. Arrays become dicts keyed by position; replies
 * are paged to what 16 KB hold. */
#ifndef TANDEM_TELEMETRY_H
#define TANDEM_TELEMETRY_H

/* Registers all commands. control_socket: path of the daemon's control socket, copied. 0 /
 * -errno. */
int telemetry_register(const char *control_socket);

#endif
