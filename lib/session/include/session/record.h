/* SPDX-License-Identifier: BSD-3-Clause */
/* record: one session, as its slot holds it and as control, workers and the wire exchange it. The
 * members come from the list of fields.h; what is local to a chassis stands here alone. Who writes
 * a slot, and who reads it how, says session.h. */
#ifndef TANDEM_SESSION_RECORD_H
#define TANDEM_SESSION_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/wire.h"
#include "session/fields.h"

enum {
	/* octets of Quality of Service Profile kept: ARP + 24.008 octets 3..22 */
	SESSION_QOS_MAX = 21,
	SESSION_MSISDN_MAX = 8, /* octets, BCD */
	SESSION_NO_POOL = 0xff,
};

/* NIBBLE `state`. */
enum session_state { SESSION_FREE = 0, SESSION_LIVE = 1 };

/* NIBBLE `protocol`: of the last answered request. */
enum session_protocol { SESSION_GTPV1 = 1 };

/* `dn_action`: what becomes of a packet to the subscriber. */
enum session_action { SESSION_FORWARD = 0, SESSION_DROP = 1 };

/* Field groups: what a DELTA can carry, lowest bit first on the wire. */
enum session_group {
	/* state, APN, pool, PDP type, IMSI+NSAPI, MSISDN, UE address, time of creation, charging id
	 */
	SESSION_G_IDENTITY = 1 << 0,
	SESSION_G_TUNNEL = 1 << 1, /* the SGSN's TEIDs and addresses, and what is done downlink */
	SESSION_G_QOS = 1 << 2,    /* negotiated QoS */
	/* the SGSN's Recovery; type, sequence, source and digest of the last answered request */
	SESSION_G_REQUEST = 1 << 3,
	SESSION_G_USAGE32 = 1 << 4, /* low 32 bits of the sender's own usage set */
	SESSION_G_USAGE64 = 1 << 5, /* the sender's own usage set, whole */
	SESSION_G_OTHER64 = 1 << 6, /* the other side's usage set as the sender has it, whole */
	SESSION_G_EXTRA = 1 << 7, /* all groups with an id (enum session_extra_id, common/wire.h) */
	/* whole record (macro checkpoint) */
	SESSION_G_SLOT = 0xff & ~SESSION_G_USAGE32,
};

/* Groups of EXTRA: `id u8 | length u8 | value` each. Ids are given once, never to another group,
 * and are not 0. */
enum session_extra_id {
	SESSION_X_ADDR6 = 2, /* the subscriber's IPv6 prefix; of a free slot the last one */
};

struct session_usage {
	uint64_t up_pkts, up_bytes, dn_pkts, dn_bytes; /* bytes of inner IP packets */
};

/* One session, decoded: what control and worker exchange and what a SLOT record carries. Host
 * order.
 *
 * state, protocol, dn_action: the enums above. apn, pool, pool6: numbers of the configuration's
 * APNs and pools; pool SESSION_NO_POOL: static address. pdp_type: 0x21 IPv4 (TS 29.060 7.7.27).
 * key: IMSI, 15 BCD digits in the high 60 bits (unused digits 0xf), NSAPI in the low 4. msisdn:
 * digits of an ISDN-AddressString (TS 29.002), 0xff padded; all 0xff: none. ue: of a free slot the
 * last one. ue6: the first 64 bits of the IPv6 address, zero: none. created_ms: pair time.
 * direct_tunnel: flags of TS 29.060 7.7.81. recovery: of the SGSN, as last heard. req_*: the last
 * answered request: its message type (0 none), UDP source port, digest (of its TEID and all
 * elements). */
struct session_rec {
	uint32_t handle; /* live: the local TEID. free: the last one (names slot and generation) */
	SESSION_FIELDS(SESSION_REC_MEMBER)
	struct session_usage usage[2];   /* by side */
	uint8_t later[WIRE_LATER_BYTES]; /* values of later versions' groups; the rest is 0 */
};

/* One slot, 256 bytes: two hot lines (uplink, downlink), two cold. Host order. w: the shard's
 * owner; in late mode the worker writes its own usage, `active_s` and nothing else
 * (lib/session/README.md section 3). r: anyone under `seq`. A packet of the uplink needs the first
 * line alone, one of the downlink both hot ones. */
struct session_slot {
	/* uplink line */
	uint32_t teid;              /* the handle while live, 0 else: one compare finds a session */
	uint32_t ue4;               /* 0 none. free: the last one, whose quarantine is the slot's */
	uint64_t up_pkts, up_bytes; /* this chassis' own set */
	uint64_t up_tat;            /* local: theoretical arrival time (common/police.h) */
	uint8_t ue6[8];
	/* local: second of the last user packet; written when it changes */
	uint32_t active_s;
	uint32_t ring_pos;   /* local: of nobody as yet */
	uint16_t rate;       /* local: of nobody as yet */
	uint16_t peer_entry; /* local: what session_hooks.peer_entry says of peer_ctl; 0 none */
	/* local: sum of (counter >> 30) at the last encoding: a change sends 64 bits */
	uint16_t usage_hi;
	uint8_t flags;  /* SESSION_F_* */
	uint8_t flags2; /* of nobody as yet */
	uint8_t dirty;  /* local: groups still to be encoded */
	/* local: dirty lists that name this slot, DIRTY_* of dirty.h */
	uint8_t listed;
	union {
		uint8_t kind; /* both */
		struct {
			uint8_t protocol : 4, state : 4;
		};
	};
	SESSION_FIELDS(SESSION_UP_MEMBER)
	/* downlink line */
	uint64_t dn_pkts __attribute__((aligned(64)));
	uint64_t dn_bytes;    /* own set */
	uint64_t dn_tat;      /* local */
	uint32_t nh_gen;      /* local */
	_Atomic uint32_t seq; /* local: odd while the record is being written */
	uint32_t freed_s;     /* local: second at which it was freed */
	/* local: adjacency index, valid while nh_gen is the FIB's */
	uint16_t nh;
	uint16_t gen; /* generation of `teid`, or of the last one */
	SESSION_FIELDS(SESSION_DOWN_MEMBER)
	/* cold */
	struct session_usage other __attribute__((aligned(64))); /* the other side's set */
	SESSION_FIELDS(SESSION_COLD_MEMBER)
	uint8_t later[WIRE_LATER_BYTES]; /* as in struct session_rec */
} __attribute__((aligned(64)));

enum {
	SESSION_F_RECOVERY = 1 << 0,   /* `recovery` is known */
	SESSION_F_QUARANTINE = 1 << 1, /* local: free and not yet reusable */
	SESSION_F_IN_FIFO = 1 << 2,    /* local: in the quarantine FIFO */
	/* local: freed again while listed there: goes to its end once */
	SESSION_F_AGAIN = 1 << 3,
};
_Static_assert(sizeof(struct session_slot) == 256, "a slot is four cache lines");
_Static_assert(
	offsetof(struct session_slot, dn_pkts) == 64 && offsetof(struct session_slot, other) == 128,
	"of which the second is the downlink's, and two are cold");
_Static_assert(offsetof(struct session_slot, peer_usr) + 16 == 128,
	"the IPv4 address that the downlink needs is an aligned word");

/* The SGSN's user plane address as the fast path needs it; 0: none, or no IPv4. Host order. By the
 * slot's owner. */
static inline uint32_t session_peer_usr4(const struct session_slot *s)
{
	struct ip_addr a;

	memcpy(a.b, s->peer_usr, sizeof(a.b));
	return ip_addr_to_v4(&a);
}

#endif
