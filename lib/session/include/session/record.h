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

/* NIBBLE `state`. ENDING: the session is over, and its record waits until somebody has acknowledged
 * the end: no packet and no look-up finds it (teid 0), its key may begin anew, and its address
 * waits out the quarantine that began with the end; but the slot is nobody else's yet. */
enum session_state { SESSION_FREE = 0, SESSION_LIVE = 1, SESSION_ENDING = 2 };

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
	SESSION_X_CHARGING = 1, /* charging characteristics (TS 29.060 7.7.23) */
	SESSION_X_ADDR6 = 2,    /* the subscriber's IPv6 prefix; of a free slot the last one */
	SESSION_X_ACCESS = 3,   /* where and by what the subscriber came */
	SESSION_X_AAA = 4,      /* what the AAA server allowed */
	SESSION_X_CLASS = 5,    /* octets for the AAA server */
	SESSION_X_USER_NAME = 6,
	SESSION_X_ACCT = 7,   /* accounting: how far it is */
	SESSION_X_AMBR = 8,   /* APN-AMBR */
	SESSION_X_BEARER = 9, /* of GTPv2 */
	SESSION_X_PFCP = 10,  /* of a session whose user plane is elsewhere */
};

struct session_usage {
	uint64_t up_pkts, up_bytes, dn_pkts, dn_bytes; /* bytes of inner IP packets */
};

struct session_bearer {
	SESSION_BEARER_FIELDS(SESSION_REC_MEMBER)
} __attribute__((packed));

struct session_pfcp {
	SESSION_PFCP_FIELDS(SESSION_REC_MEMBER)
} __attribute__((packed));

enum {
	SESSION_ANNEX_FIXED = 90,
	SESSION_ANNEX_MAX = 320, /* bytes; 128 and 192 are the other sizes */
	SESSION_STRINGS_MAX = SESSION_ANNEX_MAX - SESSION_ANNEX_FIXED,
};

/* What few sessions have: beside the slot, at the same place of an array of its own, where the
 * configuration has one (session_params.annex); the same writer, under the slot's `seq`. Of a
 * smaller size it ends within `strings`. Host order, all zero but what it is used for. */
struct session_annex {
	SESSION_COMMON_FIELDS(SESSION_REC_MEMBER)
	union {
		struct session_bearer bearer;
		struct session_pfcp pfcp; /* with SESSION_A_PFCP */
	};
	uint8_t class_len, name_len;          /* octets: Class, then User-Name */
	uint8_t strings[SESSION_STRINGS_MAX]; /* one behind the other */
} __attribute__((packed));

_Static_assert(offsetof(struct session_annex, strings) == SESSION_ANNEX_FIXED &&
		       sizeof(struct session_annex) == SESSION_ANNEX_MAX,
	"what stands before the strings has 90 octets");

/* How an annex is used: in a record's `annex_use` and in a slot's `flags2`. */
enum {
	SESSION_A_USED = 1 << 0,
	SESSION_A_PFCP = 1 << 1, /* it has `pfcp`, not `bearer` */
};

/* One session, decoded: what control and worker exchange and what a SLOT record carries. Host
 * order.
 *
 * state, protocol, dn_action: the enums above. apn, pool, pool6: numbers of the configuration's
 * APNs and pools; pool SESSION_NO_POOL: static address. pdp_type: 0x21 IPv4 (TS 29.060 7.7.27).
 * key: IMSI, 15 BCD digits in the high 60 bits (unused digits 0xf), NSAPI in the low 4. msisdn:
 * digits of an ISDN-AddressString (TS 29.002), 0xff padded; all 0xff: none. ue: of a free or an
 * ending slot the last one. ue6: the first 64 bits of the IPv6 address, zero: none. created_ms:
 * pair time. direct_tunnel: flags of TS 29.060 7.7.81. recovery: of the SGSN, as last heard. req_*:
 * the last answered request: its message type (0 none), UDP source port, digest (of its TEID and
 * all elements). */
struct session_rec {
	uint32_t handle; /* live: the local TEID. else: the last one (names slot and generation) */
	SESSION_FIELDS(SESSION_REC_MEMBER)
	struct session_usage usage[2];   /* by side */
	uint8_t later[WIRE_LATER_BYTES]; /* values of later versions' groups; the rest is 0 */
	uint8_t annex_use; /* SESSION_A_*; 0: the annex is not there, and not even zero */
	struct session_annex annex;
};

/* Copies a record; the annex only where there is one. */
static inline void session_rec_copy(struct session_rec *to, const struct session_rec *from)
{
	memcpy(to, from, offsetof(struct session_rec, annex));
	if (from->annex_use != 0)
		to->annex = from->annex;
}

/* The record's annex to be filled in; all zero, if there was none. */
static inline struct session_annex *session_rec_annex(struct session_rec *rec)
{
	if (rec->annex_use == 0) {
		memset(&rec->annex, 0, sizeof(rec->annex));
		rec->annex_use = SESSION_A_USED;
	}
	return &rec->annex;
}

/* One slot, 256 bytes: two hot lines (uplink, downlink), two cold. Host order. w: the shard's
 * owner; in late mode the worker writes its own usage, `active_s` and nothing else
 * (lib/session/README.md section 3). r: anyone under `seq`. A packet of the uplink needs the first
 * line alone, one of the downlink both hot ones. */
struct session_slot {
	/* uplink line */
	uint32_t teid; /* the handle while live, 0 else: one compare finds a session */
	/* 0 none. free or ending: the last one, which names nobody; its quarantine is the slot's
	 */
	uint32_t ue4;
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
	uint8_t flags2; /* SESSION_A_*: whether the slot's annex is looked at, which follows from it
			 */
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
	/* local: the number by which the slot is counted, with SESSION_F_COUNTED */
	uint8_t counted_apn;
	/* downlink line */
	uint64_t dn_pkts __attribute__((aligned(64)));
	uint64_t dn_bytes; /* own set */
	union {
		uint64_t dn_tat; /* local, while live */
		/* local, in quarantine: slots of the table, from 1 on, that wait with the same
		 * address and were heard of after and before this one; 0 none known */
		struct {
			uint32_t newer, older;
		};
	};
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
	SESSION_F_QUARANTINE = 1 << 1, /* local: free or ending, the address not yet reusable */
	SESSION_F_IN_FIFO = 1 << 2,    /* local: in the quarantine FIFO */
	/* local: freed again while listed there: goes to its end once */
	SESSION_F_AGAIN = 1 << 3,
	/* local: counted among what is live or ending, by `counted_apn` */
	SESSION_F_COUNTED = 1 << 4,
	/* local: waits with an address that a live session had when both were heard of */
	SESSION_F_CONTESTED = 1 << 5,
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
