/* SPDX-License-Identifier: BSD-3-Clause */
/* items: the elements of the configuration's lists, for whoever is given some of them and not the
 * whole. Strings live in the structs. The control core alone reads them while cores run: a reload
 * changes APNs and pools, which have their places in config/placed.h; the others stay. */
#ifndef TANDEM_CONFIG_ITEMS_H
#define TANDEM_CONFIG_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

enum {
	CONFIG_NAME = 32,
	CONFIG_PATH = 256,
	CONFIG_PORTS = 8,
	CONFIG_LOOPBACKS = 8,
	CONFIG_POOLS = 64,
	CONFIG_APNS = 64,
	CONFIG_APN_NAME = 101,
	CONFIG_CHANGE_KEY = CONFIG_APN_NAME + 64,
	CONFIG_AAA = 16,
	CONFIG_BGP_PEERS = 32,
	CONFIG_ROUTES = 16,
	CONFIG_USER = 64,
	/* the least MTU of a replication port: a heartbeat of REPL_ROOM_LEAST, with UDP and IPv4 */
	CONFIG_REPLICATION_MTU = 1228,
};

enum config_role { CONFIG_ACCESS = 1, CONFIG_CORE = 2, CONFIG_REPLICATION = 4 };

struct config_port {
	char name[CONFIG_NAME];
	char device
		/* DPDK device: PCI address, or a vdev's name with arguments
		 * ("net_af_packet0,iface=l-acc") */
		[CONFIG_PATH];
	uint8_t roles;            /* set of enum config_role; replication is alone */
	char twin[16];            /* kernel interface */
	struct ip_prefix address; /* of the twin; len 0: none is set (someone else does) */
	uint32_t mtu;
	bool monitor;                    /* carrier lost: the Active hands over (link-failure) */
	char monitor_group[CONFIG_NAME]; /* "": by itself */
};

struct config_loopback { /* VIP */
	char name[CONFIG_NAME];
	struct ip_addr address;
	char port[CONFIG_NAME]; /* whose subnet it is announced in */
	bool srp_activate;
};

struct config_pool {
	char name[CONFIG_NAME];
	struct ip_prefix prefix;
	bool srp_activate;
	uint32_t quarantine_s;
	uint32_t id; /* its number in slots and on the wire, 1..254; 0: the pair gives one */
};

struct config_apn {
	char name[CONFIG_APN_NAME]; /* lower case */
	char pool[CONFIG_NAME];
	uint8_t pool_index; /* into pools[] */
	struct ip_addr dns[2];
	unsigned int n_dns;
	/* selection-mode = "verified": others are refused */
	bool verified_only;
	uint32_t session_timeout_s, idle_timeout_s; /* 0: none */
	uint32_t ambr_up_kbps, ambr_down_kbps;      /* 0: not policed */
	uint32_t id;                                /* as of a pool */
};

struct config_aaa { /* a RADIUS server that is probed while Active (lib/srp/README.md section 3) */
	char name[CONFIG_NAME];
	struct ip_addr address; /* either family */
	uint32_t port;
	char secret_file[CONFIG_PATH]; /* what is in it is never kept here, printed nor compared */
	bool status_server;            /* probe = "status-server" | "auth" */
	char user[CONFIG_USER];        /* of probe = "auth" */
	uint32_t timeout_s, max_retries, period_s;
	char group[CONFIG_NAME];               /* "": all servers without one are one group */
	char require_message_authenticator[8]; /* "auto", "yes", "no" */
	struct ip_addr source;                 /* all zero: the kernel chooses */
};

struct config_bgp_peer { /* of a router that reports to us by BMP (lib/srp/README.md section 3) */
	char name[CONFIG_NAME];
	struct ip_addr address; /* the peer's; either family */
	/* Where that router's BMP connection comes from; all zero: any that reports the peer. */
	struct ip_addr router;
	char group[CONFIG_NAME]; /* "": all peers without one are one group */
};

struct config_route { /* to be in the kernel's table */
	char name[CONFIG_NAME];
	struct ip_prefix prefix;
	char group[CONFIG_NAME]; /* "": all without one are one group */
};

#endif
