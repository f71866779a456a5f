/* SPDX-License-Identifier: BSD-3-Clause */
/* gtp_peers: the list of configured GTP peers: who may speak GTP with this gateway, by the address
 * that it comes from. Strings and prefixes live in struct config, as of every list; lib/peers makes
 * of them what cores look up. */
#ifndef TANDEM_CONFIG_GTP_PEERS_H
#define TANDEM_CONFIG_GTP_PEERS_H

#include <stdint.h>

#include "common/addr.h"
#include "config/items.h"

enum { CONFIG_GTP_PEERS = 1024, CONFIG_GTP_PREFIXES = 32768 };

/* What a prefix is for, a set. */
enum config_gtp_use { CONFIG_GTP_CONTROL = 1, CONFIG_GTP_USER = 2 };

struct config_gtp_prefix {
	struct ip_prefix prefix;
	uint8_t use; /* set of enum config_gtp_use, as it was written */
};

/* Some prefixes that stand behind each other in config.gtp_prefixes. */
struct config_gtp_range {
	uint32_t at, n;
};

struct config_gtp_peer {
	char name[CONFIG_NAME];
	char group[CONFIG_NAME];         /* of hand-overs; "": by itself */
	char prefixes_file[CONFIG_PATH]; /* "": none */
	/* As written, in the file of the configuration or in prefixes_file. Of an entry without a
	 * prefix for USER, those for CONTROL are for USER, too. */
	struct config_gtp_range control, user, file;
	/* What both chassis must have: how many there are of each, those written twice once, and a
	 * digest of them that does not know their order. */
	uint32_t n_control, n_user;
	uint64_t digest;
	uint16_t nth;  /* of the entry, in config.gtp_peers */
	uint8_t ports; /* bit i: config.ports[i]; 0: every port with the role "access" */
};

#endif
