/* SPDX-License-Identifier: BSD-3-Clause */
/* options: the command line of tandem-load. Each option is a row of one table, from which parsing,
 * range checks and --help are made. Read once at the start; constant afterwards. */
#ifndef TANDEM_LOAD_OPTIONS_H
#define TANDEM_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LOAD_SGSNS = 64,
	LOAD_SESSIONS = 1 << 20,
	LOAD_HEADERS = 28, /* of a user packet: IPv4 and UDP */
	LOAD_STAMP = 28,   /* what tandem-load writes behind them */
	LOAD_SIZE_MIN = LOAD_HEADERS + LOAD_STAMP,
	LOAD_SIZE_MAX = 8000
};

/* A DPDK port, and the hardware address behind it where that was given. */
struct options_port {
	uint32_t port_id;
	uint8_t mac[6];
	bool has_mac;
};

struct options {
	bool kernel; /* kernel sockets; else DPDK ports */
	uint32_t ggsn4, core4, access_gw4, core_gw4;
	uint32_t local4[LOAD_SGSNS];
	uint32_t n_local;
	uint32_t core_port;
	const char *access_netns, *core_netns, *apn, *imsi, *output, *per_session;
	uint64_t key; /* the first one's IMSI BCD << 4 | NSAPI */
	uint64_t imsi_number;
	unsigned int imsi_digits;
	uint32_t sessions, active, rate, window, t3_ms, n3, recovery;
	uint32_t up, down, size, duration_s, update_rate, verify_rate, delete_rate, drain_ms;
	struct options_port access, core;
	bool keep, quiet, interim;
};

enum { OPTIONS_RUN = -1 };

/* OPTIONS_RUN: go on; else the process' exit code: 0 after --help and --version, 2 when something
 * is wrong (it was said what to do). kernel: no EAL arguments were given. */
int options_parse(struct options *o, int argc, char **argv, bool kernel);

/* IMSI of session i as gtpc_ask.key: the first one's plus i. */
uint64_t options_key(const struct options *o, uint32_t i);

#endif
