/* SPDX-License-Identifier: BSD-3-Clause */
/* monitor: what the monitors of AAA servers, BGP peers, BFD sessions, routes, links and own devices
 * say, and what follows from it (lib/srp/README.md section 3): facts and time in, verdicts out.
 * Pure; owns its memory; one caller (control core, or a test), who drains monitor_next() after each
 * call. It decides nothing: lib/srp does, which knows whether the peer is ready.
 *
 * Facts are levels and may be repeated. A probe client reports servers, the BMP station (station.h)
 * peers, the mirror of the kernel's routes whether a prefix is present, a port whether it has
 * carrier: each by monitor_report(). After a stall of the own loop, what waited meanwhile (sockets,
 * netlink) is reported before a verdict is asked for.
 *
 * A group fails when all its members are down; those of a type that name no group are one. What is
 * not known fails nothing: it raises an alarm. Within `guard` after a start or a change of role a
 * failure that begins (or is there already) acts only once it lasted for `damping`; one that begins
 * later acts at once.
 *
 * A type that is not revertible: a chassis that its peer made Active for that failure stays Active
 * whatever becomes of it here, until it is not Active any more (a manual switchover, another
 * failure) or monitor_reset(). Revertible means that it may hand back for the same failure, not
 * that anything fails back by itself.
 *
 * Causes are lib/srp's and libraries do not include each other: what is said here is the type. The
 * caller's one table makes it SRP_CAUSE_AAA (1), _BGP (2), _BFD (3), _ROUTE (13), _LINK (14),
 * _LOCAL_FAULT (15). A diameter monitor would be a row more, not revertible; there is none. */
#ifndef TANDEM_MONITOR_H
#define TANDEM_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/usec.h"

/* Those that come first are named as the cause when several act: what is nearest to us explains the
 * others. The numbers are bits of a hello (struct monitor_health): a new one goes behind. */
enum monitor_type {
	MONITOR_FAULT, /* a port or crypto device of ours */
	MONITOR_LINK,  /* carrier of a port */
	MONITOR_BFD,
	MONITOR_BGP,
	MONITOR_ROUTE, /* a prefix in the kernel's table */
	MONITOR_AAA,   /* probed by the Active alone */
	MONITOR_TYPES,
	MONITOR_NONE = MONITOR_TYPES,
};

enum monitor_state {
	/* nothing was reported yet, or it is not asked here (AAA on a Standby): nothing amiss */
	MONITOR_INIT,
	MONITOR_UP, /* it answers, is established, present, has carrier */
	MONITOR_DOWN,
	MONITOR_UNKNOWN, /* whoever would report it does not (a BMP session that was lost) */
};

enum { MONITOR_OBJECTS = 128, MONITOR_NAME = 64, MONITOR_WHY = 160, MONITOR_TEXT = 512 };

struct monitor_conf {
	struct monitor_rule {
		bool revertible;
		usec_t guard, damping; /* us; 0: failures act at once */
	} type[MONITOR_TYPES];
};

/* Revertible but for AAA; 60 s each. */
void monitor_conf_default(struct monitor_conf *c);

/* One monitored thing, as shown. Texts end with zero. */
struct monitor_object {
	enum monitor_type type;
	enum monitor_state state;
	char name[MONITOR_NAME];                         /* address, prefix or port */
	char context[MONITOR_NAME], group[MONITOR_NAME]; /* "": none */
	char why[MONITOR_WHY];                           /* what was said with the last report */
	usec_t changed; /* of the state; USEC_NEVER: not since it was added */
	uint32_t downs; /* how often it went down */
};

/* The own view, as a hello may carry it; bits 1 << enum monitor_type. A type is failed when one of
 * its groups is, without regard to guard and damping; known when each of its groups has failed or
 * has a member that is up. */
struct monitor_health {
	uint8_t known, failed;
};

struct monitor_verdict {
	struct monitor_health health;
	/* failures that want a switchover now; none on a chassis that is not Active */
	uint8_t acting;
	uint8_t damped; /* failures that would, but have not lasted long enough */
	uint8_t held;   /* failures that would, but are not revertible */
	/* when a damped one begins to act; USEC_NEVER: no verdict changes by time alone */
	usec_t due;
};

enum monitor_alarm {
	MONITOR_ALARM_FAILED,   /* a group failed */
	MONITOR_ALARM_DEGRADED, /* of a group that did not fail a member is down */
	MONITOR_ALARM_UNKNOWN,  /* of a member it is not known */
	MONITOR_ALARM_HELD,     /* a group failed, and this chassis stays Active all the same */
	MONITOR_ALARMS,
};

struct monitor_event {
	enum monitor_type type;
	int object; /* which changed its state; -1: it is an alarm's edge */
	enum monitor_state from, to;
	enum monitor_alarm alarm;
	bool raised;
	char group[MONITOR_NAME];
	char text[MONITOR_TEXT]; /* one line */
};

struct monitor;

/* Makes the monitors of a chassis that starts and is not Active; the guard begins. NULL + errno. */
struct monitor *monitor_create(const struct monitor_conf *c, usec_t now);
void monitor_destroy(struct monitor *m);
/* Gives it new rules, which hold from the next verdict on. */
void monitor_configure(struct monitor *m, const struct monitor_conf *c);

/* Its number, 0 .. MONITOR_OBJECTS - 1; -EEXIST (same type, context and name), -EINVAL (no name, or
 * a text that is too long), -ENOSPC. group, context: NULL or "": none. */
int monitor_add(struct monitor *m, enum monitor_type type, const char *name, const char *context,
	const char *group, usec_t now);
/* Removes an object. The numbers of others stay, this one may be given again. 0 or -ENOENT. */
int monitor_remove(struct monitor *m, int object, usec_t now);
/* Gives an object, until it is removed. NULL: no such number is in use. */
const struct monitor_object *monitor_object(const struct monitor *m, int object);

/* A fact. why: a few words for whoever looks ("wrong secret"), or NULL. Of what only an Active
 * asks, nothing is taken on a chassis that is not. -ENOENT. */
int monitor_report(
	struct monitor *m, int object, enum monitor_state state, const char *why, usec_t now);

/* This chassis became Active or ceased to be. by: the peer's failure that made it Active;
 * MONITOR_NONE for any other cause. The same role again changes nothing. Guard begins. */
void monitor_role(struct monitor *m, bool active, enum monitor_type by, usec_t now);
/* Operator (`srp reset-auth-probe-fail`): the type may cause a switchover again; what is down must
 * be found down anew, so that an old failure does not act at once. Says whether anything was held.
 */
bool monitor_reset(struct monitor *m, enum monitor_type type, usec_t now);

void monitor_verdict(const struct monitor *m, usec_t now, struct monitor_verdict *v);
/* The failure for which to hand over to a peer that says so of itself (NULL: it said nothing), or
 * MONITOR_NONE. lib/srp/README.md section 3 forbids a peer that is known to be worse; one that
 * fails in the same way is no better, and two that hand over to each other for what both have would
 * go on for ever: so not to that one either. AAA is excepted. */
enum monitor_type monitor_request(
	const struct monitor_verdict *v, const struct monitor_health *peer);
/* Which groups of a type failed, in words. */
void monitor_text(const struct monitor *m, enum monitor_type type, char text[MONITOR_TEXT]);

/* The next edge that was not reported yet; false: none. A level that came and went between two
 * drains is not reported. */
bool monitor_next(struct monitor *m, struct monitor_event *e);

/* The words of logs, views and telemetry: "auth-probe", "bgp", ...; "none" of MONITOR_NONE. */
const char *monitor_type_name(enum monitor_type t);
/* "init", "up", "down" or "unknown". */
const char *monitor_state_name(enum monitor_state s);
/* "monitor-failed" and so on: the name under which base/alarms.h has the alarm. */
const char *monitor_alarm_name(enum monitor_alarm a);

#endif
