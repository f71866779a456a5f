/* SPDX-License-Identifier: BSD-3-Clause */
/* request: a line of the control socket, decoded: {"command":..., "args":{...}}, or the arguments
 * beside the command. Pure; trusts nothing in it. Any core. */
#ifndef TANDEM_REQUEST_H
#define TANDEM_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/addr.h"

struct request {
	json_t *whole;
	const char *command; /* in whole */
	json_t *args;        /* in whole */
};

/* 0, or -EBADMSG: no command in it. request_free in either case. */
int request_parse(const char *line, size_t len, struct request *r);
void request_free(struct request *r);

bool request_force(const json_t *args);
/* How many sessions to list: 1 to 1000, 100 if it is not said. */
unsigned int request_limit(const json_t *args);

enum request_by { REQUEST_BY_NOTHING, REQUEST_BY_UE, REQUEST_BY_TEID, REQUEST_BY_IMSI };
/* Which session is meant: by address, TEID ("0x...", or "kind": "teid"), or IMSI (6 to 15 digits).
 * key: as in the index, NSAPI 0. */
enum request_by request_session(
	const json_t *args, struct ip_addr *ue, uint32_t *teid, uint64_t *key);

#endif
