/* SPDX-License-Identifier: BSD-3-Clause */
/* pair: which of the two chassis is Active: the SRP connection to the peer, what the replication
 * stream says of it, and lib/srp, which judges by both. What a change of roles means on this
 * chassis is carried out by the room `switchover`, step by step, as this room orders it. What calls
 * of it cause is only recorded; pair_drain() carries it out.
 *
 * The control core alone calls these functions. None blocks but pair_create(), which reads the
 * files of keys, the handshake of a connection after such a file was replaced, and pair_drain(), as
 * far as the steps of `switchover` do. Times are us of the own clock. */
#ifndef TANDEM_PAIR_H
#define TANDEM_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/places.h"
#include "monitor/monitor.h"
#include "pair/settings.h"
#include "repl/repl.h"
#include "srp/srp.h"

struct alarms;
struct from_replicator_heartbeat;
struct from_replicator_keyed;
struct metrics;
struct net_claim;
struct pair;

/* 0 or -errno. Once, before pair_create(): the alarms of lib/srp and those of the connection. */
int pair_alarms_register(struct alarms *a);
/* NULL + errno, and the reason is logged. */
struct pair *pair_create(const struct pair_settings *s, const struct pair_connection *connection,
	const struct pair_stream *stream);
/* Closes the connection. NULL is allowed. */
void pair_destroy(struct pair *p);

/* ---- the loop ---- */

/* The loop has looked at its clock: first of all at the beginning of a turn, and after its wait. It
 * had stood still for `stall` us, 0: it had not. lib/srp hears of time in which nobody listened to
 * the peer. */
void pair_woke(struct pair *p, usec_t stall, usec_t now);
/* Carries out what lib/srp asked for until there is nothing more: after each event, and never from
 * within another call of this room. */
void pair_drain(struct pair *p, usec_t now);
/* The rows of a turn, in their order, each an event of its own. */
void pair_feed(struct pair *p, usec_t now);    /* what the stream says, before lib/srp judges */
void pair_judge(struct pair *p, usec_t now);   /* what lib/srp makes of it */
void pair_probe(struct pair *p, usec_t now);   /* whether somebody answers for the VIPs */
void pair_connect(struct pair *p, usec_t now); /* the connection to the peer */
/* When lib/srp must judge next. */
usec_t pair_due(const struct pair *p);
/* A role changes now: turns should follow each other fast. */
bool pair_is_brisk(const struct pair *p, usec_t now);

/* ---- events ---- */

/* Messages of the replication core. Those that answer steps are for `switchover`. */
void pair_keyed(struct pair *p, const struct from_replicator_keyed *m, usec_t now);
void pair_heartbeat(struct pair *p, const struct from_replicator_heartbeat *m, usec_t now);
/* The key of the stream is used up: the connection, which made it, is made again. */
void pair_key_exhausted(struct pair *p, usec_t now);
/* The term reserve is on disk up to `reserve`, or the write failed. */
void pair_reserved(struct pair *p, uint64_t reserve, bool ok, usec_t now);
/* What the monitors say. */
void pair_verdict(struct pair *p, const struct monitor_verdict *v, usec_t now);
/* Another station has a VIP that is probed, or probes for it and goes first. */
void pair_claimed(struct pair *p, const struct net_claim *claim);

/* ---- commands ---- */

/* As srp_switchover(), srp_validate() and srp_validate_configuration(): 0, or -errno and why. */
int pair_switchover(struct pair *p, bool force, char reason[SRP_REASON_MAX], usec_t now);
int pair_validate(struct pair *p, char reason[SRP_REASON_MAX], usec_t now);
int pair_validate_configuration(struct pair *p, char reason[SRP_REASON_MAX], usec_t now);
/* A reload: what holds from now on. 0; -EBUSY: a role is changing; -ENOMEM; after an error nothing
 * was taken. */
int pair_reconfigure(struct pair *p, const struct pair_live *live, usec_t now);
/* As srp_reload(), srp_prepare() and srp_next_is_due(): what becomes of a configuration of that
 * digest; it waits for the peer (nothing of `live` is kept but its digest and times); and it is to
 * run now, by pair_reconfigure(), which may be asked each turn. */
enum srp_reload pair_reload(const struct pair *p, uint64_t digest);
int pair_prepare(struct pair *p, const struct pair_live *live, usec_t now);
bool pair_next_is_due(const struct pair *p);
/* What `start` says of APNs and pools has changed: an item came, went, or is another. As Active the
 * list of numbers is revised, and a new item is given to sessions once the peer can hold them. */
void pair_lists(struct pair *p, usec_t now);
/* Whether the item at that place, which drains and which no session here has any more, may leave
 * it: no record can come under its number. Then the process takes it out, and calls pair_lists().
 * To be asked every now and then. */
bool pair_may_leave(const struct pair *p, enum places_kind kind, unsigned int at, usec_t now);
/* The process is to end: the peer takes over first, if there is one. */
void pair_shutdown(struct pair *p, usec_t now);
enum pair_leaving {
	PAIR_WAITS_FOR_PEER,  /* it has not taken over yet */
	PAIR_WAITS_FOR_USAGE, /* it has not yet acknowledged usage that was counted here late */
	PAIR_LEAVES_USAGE,    /* nobody is there any more who would */
	PAIR_LEAVES,
};
enum pair_leaving pair_leaving(const struct pair *p, usec_t now);

/* The other chassis of the pair. */
struct pair_peer {
	struct ip_addr address; /* of its end of the SRP connection */
	char name[CONFIG_NAME]; /* that its certificate must have */
	uint32_t incarnation;   /* of its process, by its last hello that counted; 0: none did */
};
/* Another chassis is the peer from now on: connections to the one before are closed, and only the
 * new one can connect. Address and name are copied; the incarnation is not known yet. */
void pair_replace_peer(struct pair *p, const struct pair_peer *peer, usec_t now);

/* ---- for views ---- */

/* As lib/srp has it; stays where it is for as long as the object lives. */
const struct srp_info *pair_srp(const struct pair *p);
/* What the peer says of its monitors. */
struct monitor_health pair_peer_health(const struct pair *p);

struct pair_view {
	struct pair_peer peer;
	uint8_t seat, tie_breaker[6];
	uint16_t replication_mtu;  /* of the own port */
	bool licensed, pre_shared; /* pre_shared: a key proves who is who; else certificates */
	uint64_t strangers, handshakes_failed; /* connections from elsewhere; of impostors */
	const char *refused;     /* why the last of these was, "" if the peer was heard since */
	const char *differences; /* lines, by the last comparison of the configurations */
	char waits_for[SRP_REASON_MAX]; /* as srp_waits_for() has it */
};
/* Its texts hold until the next call of this room. */
void pair_view(const struct pair *p, struct pair_view *v, usec_t now);
/* The room's figures go into the registry. 0 or -errno. */
int pair_metrics_register(struct metrics *m, struct pair *p);
extern const struct metrics_room pair_metrics; /* all of them */

#endif
