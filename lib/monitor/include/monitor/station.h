/* SPDX-License-Identifier: BSD-3-Clause */
/* station: BGP peers that are monitored, as the routers that report to us (bmp.h) know them:
 * connections of routers and time in, the state of each peer out by a callback, which the caller
 * hands to monitor_report(). Pure; owns its memory; one caller.
 *
 * A router reports the peers that are established when a session begins (RFC 7854 3.3), and
 * changes from then on. So a peer of which nothing was heard `settle` after the Initiation is down.
 * Until then nothing is known: some routers (FRR) begin with a Peer Down for each peer that is not
 * up *yet*, which after their own restart means nothing.
 *
 * A session that is lost makes its peers unknown, and no router at all the same after `settle`. A
 * connection that hangs must be found out by TCP (keepalive): until then its last word stands. */
#ifndef TANDEM_STATION_H
#define TANDEM_STATION_H

#include "monitor/bmp.h"
#include "monitor/monitor.h"
#include "common/usec.h"

enum { STATION_PEERS = MONITOR_OBJECTS, STATION_SESSIONS = 8 };

struct station_peer {
	struct ip_addr addr;
	/* distinguisher counts; else a peer of that address in any VRF, the last one reported */
	bool of_vrf;
	uint64_t distinguisher; /* FRR 8.4 reports 0 for all */
	/* router counts: needed where several report, else the silence of one of them is taken for
	 * that of all */
	bool of_router;
	struct ip_addr router; /* whence its BMP connection comes */
};

/* state: UP, DOWN or UNKNOWN; why: in words. Runs within the calls below, for each change and each
 * new reason. */
typedef void (*station_fn)(void *ctx, int peer, enum monitor_state state, const char *why);

struct station;

/* Makes a station. settle: us, a few seconds. NULL + errno. */
struct station *station_create(usec_t settle, station_fn fn, void *ctx);
void station_destroy(struct station *s);

/* Its number, 0 .. STATION_PEERS - 1; -EEXIST, -ENOSPC. What a session reported before is not known
 * of it: close those that are open, the routers come again and report. */
int station_add(struct station *s, const struct station_peer *p, usec_t now);
/* Removes a peer. 0, or -ENOENT: there is none of that number. */
int station_remove(struct station *s, int peer);

/* A router connected: opens a session, and returns its number, -ENOSPC or -ENOMEM. */
int station_open(struct station *s, const struct ip_addr *from, usec_t now);
/* What it sent. 0; < 0 as bmp_input says, or -ENOENT: the session is closed here, its peers are
 * unknown, `why` (BMP_TEXT, or NULL) says why: close the connection. */
int station_input(
	struct station *s, int session, const void *octets, size_t len, char *why, usec_t now);
/* The connection of a session was lost. 0, or -ENOENT: there is no such session. */
int station_close(struct station *s, int session);

/* Time passes. What waits in sockets is handed in before. */
void station_tick(struct station *s, usec_t now);
/* When station_tick() is to be called at the latest; USEC_NEVER: nothing waits. */
usec_t station_due(const struct station *s);

/* NULL: no such session. */
const struct bmp_counters *station_count(const struct station *s, int session);

#endif
