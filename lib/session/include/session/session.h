/* SPDX-License-Identifier: BSD-3-Clause */
/* session: the table of PDP contexts, an array mirrored slot for slot on both chassis
 * (lib/session/README.md section 1). One writer a shard at a time: whoever holds the shard's
 * ownership token; every change goes through the door functions below. Memory comes from the
 * caller's allocator and belongs to the table. No clock: time is given. */
#ifndef TANDEM_SESSION_H
#define TANDEM_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_prefetch.h>

#include "common/addr.h"
#include "common/counters.h"
#include "common/cursor.h"
#include "common/usec.h"
#include "common/wire.h"

enum {
	SESSION_SHARDS = 64, /* equal on both chassis; the low 6 bits of the UE address */
	SESSION_SHARD_BITS = 6,
	SESSION_BUCKET = 64, /* slots a digest bucket */
	/* octets of Quality of Service Profile kept: ARP + 24.008 octets 3..18 */
	SESSION_QOS_MAX = 17,
	SESSION_MSISDN_MAX = 8, /* octets, BCD */
	SESSION_NO_POOL = 0xff,
	SESSION_WIRE_MAX = 255, /* bytes of the longest SLOT body */
	SESSION_USAGE_BYTES = 20,
};

enum session_state { SESSION_FREE = 0, SESSION_LIVE = 1 };

/* Field groups: what a DELTA can carry, lowest bit first on the wire; each has a fixed size per
 * version. Which versions are spoken here, and which later groups they have, says common/wire.h. */
enum session_group {
	SESSION_G_IDENTITY =
		/* state, IMSI+NSAPI, MSISDN, APN, pool, UE address, charging id, times */
	1 << 0,
	SESSION_G_TUNNEL = 1 << 1, /* the SGSN's TEIDs and addresses */
	SESSION_G_QOS = 1 << 2,    /* negotiated QoS */
	SESSION_G_REQUEST =
		/* the SGSN's Recovery; type, sequence, source of the last answered request */
	1 << 3,
	SESSION_G_USAGE32 = 1 << 4, /* low 32 bits of the sender's own usage set */
	SESSION_G_USAGE64 = 1 << 5, /* the sender's own usage set, whole */
	SESSION_G_OTHER64 = 1 << 6, /* the other side's usage set as the sender has it, whole */
	SESSION_G_EXTRA = 1 << 7,   /* all groups of later versions (common/wire.h) */
	SESSION_G_ALL = 0x7f,       /* of version 1 */
	/* whole record of version 1 (macro checkpoint); EXTRA goes with it in a later version */
	SESSION_G_SLOT = SESSION_G_ALL & ~SESSION_G_USAGE32,
};

struct session_usage {
	uint64_t up_pkts, up_bytes, dn_pkts, dn_bytes; /* bytes of inner IP packets */
};

/* One session, decoded: what control and worker exchange and what a SLOT record carries. Host
 * order. */
struct session_rec {
	uint32_t handle; /* live: the local TEID. free: the last one (names slot and generation) */
	uint8_t state;   /* enum session_state */
	uint8_t apn;     /* index into the configuration's APNs, by sorted name */
	/* index into the configuration's pools, by sorted name; SESSION_NO_POOL: static address */
	uint8_t pool;
	uint8_t pdp_type; /* 0x21 IPv4 (TS 29.060 7.7.27) */
	/* IMSI, 15 BCD digits in the high 60 bits (unused digits 0xf), NSAPI in the low 4 */
	uint64_t key;
	uint8_t msisdn
		/* TS 29.002 ISDN-AddressString digits, 0xff padded; all 0xff: none */
		[SESSION_MSISDN_MAX];
	struct ip_addr ue;   /* free: the last one */
	uint64_t created_ms; /* pair time */
	uint32_t charging_id;
	/* tunnel */
	uint32_t peer_ctl_teid, peer_usr_teid;
	struct ip_addr peer_ctl, peer_usr;
	/* qos */
	uint8_t qos_len;
	uint8_t qos[SESSION_QOS_MAX];
	/* request */
	uint8_t recovery; /* of the SGSN, as last heard */
	bool has_recovery;
	uint8_t req_type; /* GTP message type of the last answered request; 0 none */
	uint16_t req_seq;
	uint16_t req_port; /* UDP source port */
	struct ip_addr req_src;
	/* usage, by side */
	struct session_usage usage[2];
	uint8_t extra[WIRE_LATER_BYTES]; /* values of later versions' groups; the rest is 0 */
};

/* One slot, 256 bytes: two hot lines (uplink, downlink), two cold. Host order. w: the shard's
 * owner; in late mode the worker writes its own usage, `active_s` and nothing else
 * (lib/session/README.md section 3). r: anyone under `seq`. */
struct session_slot {
	/* uplink line */
	uint32_t teid; /* the handle while live, 0 while free: one compare finds a session */
	uint32_t ue4;
	uint64_t up_pkts, up_bytes; /* this chassis' own set */
	uint64_t up_tat;            /* local: theoretical arrival time (common/police.h) */
	uint64_t up_spare[2];       /* of nobody */
	/* local: second of the last user packet; written when it changes */
	uint32_t active_s;
	_Atomic uint32_t seq;               /* local: odd while the record is being written */
	uint8_t apn, pool, pdp_type, flags; /* flags: SESSION_F_* */
	uint8_t dirty;                      /* local: groups still to be encoded */
	/* local: dirty lists that name this slot, DIRTY_* of dirty.h */
	uint8_t listed;
	/* local: sum of (counter >> 30) at the last encoding: a change sends 64 bits */
	uint16_t usage_hi;
	/* downlink line */
	uint32_t peer_usr_teid;
	uint32_t peer_usr4;         /* peer_usr once more, where the downlink needs it */
	uint64_t dn_pkts, dn_bytes; /* own set */
	uint64_t dn_tat;            /* local */
	uint64_t dn_spare[2];
	uint32_t freed_s; /* local: second at which it was freed */
	uint16_t gen;     /* generation of `teid`, or of the last one */
	/* local: adjacency index, valid while nh_gen is the FIB's */
	uint16_t nh;
	uint32_t nh_gen; /* local */
	uint32_t charging_id;
	/* cold */
	uint64_t key;
	uint8_t msisdn[SESSION_MSISDN_MAX];
	uint8_t extra[WIRE_LATER_BYTES]; /* as in struct session_rec */
	uint8_t peer_ctl[16], peer_usr[16];
	uint32_t peer_ctl_teid;
	uint32_t created_s;         /* pair time, seconds (milliseconds on the wire) */
	struct session_usage other; /* the other side's set */
	uint32_t req_src4;
	uint16_t req_port, req_seq;
	uint8_t req_type, recovery, qos_len;
	uint8_t qos[SESSION_QOS_MAX];
	/* free: the last address (of `pool`); its quarantine is the slot's. 0 none */
	uint32_t last_ue4;
} __attribute__((aligned(64)));

enum {
	SESSION_F_RECOVERY = 1 << 0,   /* `recovery` is known */
	SESSION_F_QUARANTINE = 1 << 1, /* local: free and not yet reusable */
	SESSION_F_IN_FIFO = 1 << 2,    /* local: in the quarantine FIFO */
	/* local: freed again while listed there: goes to its end once */
	SESSION_F_AGAIN = 1 << 3,
};
_Static_assert(sizeof(struct session_slot) == 256, "a slot is four cache lines");
_Static_assert(offsetof(struct session_slot, peer_usr_teid) == 64 &&
		       offsetof(struct session_slot, key) == 128,
	"of which the second is the downlink's, and two are cold");

/* The groups that exist in a version of the wire form. */
static inline uint8_t session_groups(uint8_t version)
{
	return wire_spoken.groups > 0 && version >= wire_spoken.group[0].version
		       ? SESSION_G_ALL | SESSION_G_EXTRA
		       : SESSION_G_ALL;
}

/* A later group's value in a record, as a number. Where no version that is spoken here has the
 * group it is 0, and setting it does nothing. */
uint64_t session_extra(const struct session_rec *rec, uint8_t id);
void session_extra_set(struct session_rec *rec, uint8_t id, uint64_t value);

/* Where memory comes from: rte_malloc in the daemon, libc in tests (so that ASan sees it). Zeroed,
 * aligned. */
struct session_mem {
	void *(*alloc)(void *ctx, size_t size, size_t align);
	void (*free)(void *ctx, void *p);
	void *ctx;
};

extern const struct session_mem session_mem_libc; /* for tests and tools */

/* What the table reports of addresses; lib/pool implements it. Called by the shard's writer, inside
 * the door. */
struct session_hooks {
	/* The handle that address `ue` of `pool` names now, 0 none. */
	uint32_t (*named)(void *ctx, uint8_t pool, const struct ip_addr *ue);
	/* Makes it name `handle`; -ENOENT when there is no such pool or address. */
	int (*bind)(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle);
	/* Clears it only if it still names `handle`. */
	void (*unbind)(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle);
	/* The index of (key -> handle) must follow: called for every session that begins (live) or
	 * ends. */
	void (*index)(void *ctx, uint64_t key, uint32_t handle, bool live);
	void *ctx;
	void *index_ctx; /* index is called with this instead, unless it is NULL */
};

/* Who may write a shard. Workers are 0..; the replication core is SESSION_BY_REPL. */
enum { SESSION_BY_NONE = 0xff, SESSION_BY_REPL = 0xfe };

// clang-format off
#define SESSION_COUNTERS(X) \
	X(created, COUNTER, "sessions", \
		"Sessions were created in the table.") \
	X(updated, COUNTER, "updates", \
		"Sessions of the table were changed by their owner.") \
	X(freed, COUNTER, "sessions", \
		"Sessions of the table were freed by their owner.") \
	X(full, COUNTER, "requests", \
		"Sessions could not be created because the shard had no free slot.") \
	X(applied_slot, COUNTER, "records", \
		"Records of whole slots of the peer were applied to the table.") \
	X(applied_delta, COUNTER, "records", \
		"Records of parts of slots of the peer were applied to the table.") \
	X(evicted, COUNTER, "sessions", \
		"Sessions were removed because a record of the peer gives their address to " \
		"another session.") \
	X(ended_by_peer, COUNTER, "sessions", \
		"Sessions were ended by a record of the peer.") \
	X(refused_handle, COUNTER, "requests", \
		"Records or requests were refused because the slot does not have the session " \
		"that they name.") \
	X(refused_pool, COUNTER, "requests", \
		"Records or requests were refused because no pool has their address.") \
	X(refused_malformed, COUNTER, "records", \
		"Records of the peer were refused because they are malformed.") \
	X(not_owner, COUNTER, "requests", \
		"Records or requests were refused because whoever brought them does not own the " \
		"shard.") \
	X(quarantine_released, COUNTER, "addresses", \
		"Addresses were free again after their quarantine.")
// clang-format on
COUNTERS_DEFINE(session_counters, SESSION_COUNTERS);

struct session_shard {
	struct session_slot *slots; /* n_slots of them */
	/* w: owner. set: may be given out (free and out of quarantine) */
	struct rte_bitmap *free_map;
	uint32_t cursor; /* w: owner. next-fit */
	/* w: control (door handshake). worker number or SESSION_BY_* */
	_Atomic uint8_t owner;
	uint32_t *fifo; /* w: owner. quarantine, ring of slot numbers */
	uint32_t fifo_head, fifo_tail;
	/* w: owner. free records whose last address a live session held when they came */
	uint32_t contested;
	uint32_t quarantine_base_s;    /* w: owner. quarantines restart here at promotion */
	uint32_t gen_step;             /* w: owner. odd: a slot's next generation is that far on */
	uint32_t n_live;               /* w: owner, r: telemetry */
	struct session_counters count; /* w: owner, r: telemetry */
} __attribute__((aligned(64)));

struct session_params {
	/* sessions; rounded up to a power of two per shard, at least 64 a shard */
	uint32_t capacity;
	uint8_t side; /* this chassis' side, 0 or 1 */
	uint32_t quarantine_s;
	/* records with a higher APN index are refused; 0: any is taken */
	uint16_t n_apns;
	const struct session_mem *mem; /* copied */
	/* copied; named, bind and unbind must be there, index may be NULL */
	struct session_hooks hooks;
};

struct session_table {
	uint32_t n_slots; /* a shard */
	uint8_t slot_bits, gen_bits;
	uint8_t side;
	uint16_t n_apns;
	uint32_t gen_mask;
	uint32_t quarantine_s;
	uint32_t buckets; /* a shard */
	/* w: control. demoted with unsent own usage: own set takes the maximum */
	_Atomic bool late_merge;
	struct session_shard shard[SESSION_SHARDS];
	struct session_hooks hooks;
	struct session_mem mem;
	/* The slots of all shards, in the order of handles; the other maps lie behind them. */
	struct session_slot *slots;
	uint64_t bytes; /* all memory of the table */
};

/* NULL + errno (ENOMEM, EINVAL; more than 64 Mi sessions are EINVAL: too few generation bits). All
 * shards start free and owned by SESSION_BY_NONE. */
struct session_table *session_table_create(const struct session_params *p);
void session_table_destroy(struct session_table *t); /* NULL is a no-op */

/* handle = shard 6 | slot slot_bits | generation gen_bits; the lowest generation bit is the
 * allocating side. */
static inline uint32_t session_handle_shard(uint32_t handle)
{
	return handle >> (32 - SESSION_SHARD_BITS);
}
static inline uint32_t session_handle_slot(const struct session_table *t, uint32_t handle)
{
	return (handle >> t->gen_bits) & (t->n_slots - 1);
}
static inline struct session_slot *session_slot_of(const struct session_table *t, uint32_t handle)
{
	return &t->slots[handle >> t->gen_bits];
}
static inline uint32_t session_handle_make(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint32_t gen)
{
	return shard << (32 - SESSION_SHARD_BITS) | slot << t->gen_bits | (gen & t->gen_mask);
}
/* Asks for a slot that will be looked at soon; one behind the last of the shard is none. Passes
 * over the table go from slot to slot, and the hardware stops at each page of 4 KB. */
static inline void session_prefetch(const struct session_table *t, uint32_t shard, uint32_t slot)
{
	const uint8_t *s = (const uint8_t *)&t->shard[shard].slots[slot < t->n_slots ? slot : 0];

	for (unsigned int i = 0; i < sizeof(struct session_slot); i += RTE_CACHE_LINE_SIZE)
		rte_prefetch1(s + i);
}
/* The uplink's look-up: arithmetic and one compare, no hash. NULL: no such session (0 and ~0 never
 * are one). */
static inline struct session_slot *session_find(const struct session_table *t, uint32_t teid)
{
	struct session_slot *s = session_slot_of(t, teid);

	return s->teid == teid && teid != 0 ? s : NULL;
}
/* v4: host order. */
static inline uint32_t session_shard_of_ue4(uint32_t ue4)
{
	return ue4 & (SESSION_SHARDS - 1);
}
uint32_t session_shard_of(const struct ip_addr *ue);

/* Hands a shard to a writer (control core, after the previous writer confirmed that it let go). */
void session_own(struct session_table *t, uint32_t shard, uint8_t who);
static inline bool session_owns(const struct session_table *t, uint32_t shard, uint8_t who)
{
	return atomic_load_explicit(&t->shard[shard].owner, memory_order_relaxed) == who;
}

/* ---- the door: each refuses with -EPERM (counted) unless `by` owns the shard; `now_s` is seconds
 * ---- */

/* A new session in the shard of rec->ue: takes a free slot, gives it rec's fields (usage starts at
 * 0), binds rec->ue; rec->handle and rec->state are filled in. -ENOSPC: no free slot in this shard;
 * -EEXIST: the address is in use or in quarantine; -ENOENT: no such address. */
int session_create(struct session_table *t, uint8_t by, struct session_rec *rec, uint32_t now_s);
/* Replaces the given groups (IDENTITY: charging id and MSISDN only; usage: never) of a live
 * session. -ENOENT: stale handle. */
int session_update(
	struct session_table *t, uint8_t by, const struct session_rec *rec, uint8_t groups);
/* Frees a session: slot and address go into quarantine. Generation, pool and last address, TUNNEL
 * and REQUEST stay and are replicated, so that a repeated Delete can be answered, after a
 * switchover too; the rest is cleared (read the usage before). -ENOENT: stale. */
int session_free(struct session_table *t, uint8_t by, uint32_t handle, uint32_t now_s);
/* While standby too (by SESSION_BY_REPL), else all that was ever freed is still in quarantine at a
 * promotion. Looks at no more than `max` entries and lets those whose time is over leave
 * quarantine; returns how many did. */
unsigned int session_quarantine_expire(
	struct session_table *t, uint8_t by, uint32_t shard, uint32_t now_s, unsigned int max);
/* At promotion: every quarantine of the shard starts again. Constant time. */
void session_quarantine_restart(struct session_table *t, uint32_t shard, uint32_t now_s);
/* By the owner, at promotion: from here on generations go forward by a step that the process'
 * incarnation and the term (number << 1 | side) decide. So who begins anew with an empty table, or
 * with one that lacks what its peer made last, does not give out the very TEIDs that SGSNs still
 * use, but once in 2^(gen_bits - 2). A step is odd: all generations of a slot come before one comes
 * again. Not the term alone: a chassis that lost its disk begins at the first one. Constant time.
 */
void session_generations(
	struct session_table *t, uint32_t shard, uint32_t incarnation, uint64_t term);

/* By the owner, before a slot is sent because the peer's differs: puts right what is held twice
 * (handle, the SGSN's user plane address) or in one form only (unused octets of QoS, Recovery). A
 * flipped bit in all else is the truth by now. True: it changed something. */
bool session_mend(struct session_table *t, uint8_t by, uint32_t shard, uint32_t slot);

/* A consistent copy, from any core (retries while a writer is inside). Usage counters move without
 * the sequence count: each is whole, but they may be of different moments. */
void session_read(
	const struct session_table *t, const struct session_slot *s, struct session_rec *rec);
/* The record of a slot whether live or free, by position. */
void session_read_at(
	const struct session_table *t, uint32_t shard, uint32_t slot, struct session_rec *rec);

/* ---- wire form (bodies of SLOT and DELTA records; lib/repl/WIRE.md), network order, version 1
 * ----
 *
 *   body      handle 4 | groups 1 | the groups, lowest bit first
 *   IDENTITY  48  state 1, apn 1, pool 1, PDP type 1, key 8, MSISDN 8, UE address 16, created ms 8,
 * charging id 4 TUNNEL    40  peer control TEID 4, peer user TEID 4, peer control address 16, peer
 * user address 16 QOS       18  length 1, octets 17 (unused ones 0) REQUEST   23  Recovery known 1,
 * Recovery 1, type 1, sequence 2, source port 2, source address 16 USAGE32   16  the sender's own:
 * up packets 4, up bytes 4, down packets 4, down bytes 4 (low 32 bits) USAGE64   32  the sender's
 * own: the same, 8 each OTHER64   32  the other side's, 8 each
 *
 * Addresses are 16 bytes, IPv4 v4-mapped, none: zeros. Later versions' groups are announced by bit
 * 7 and stand behind these, one or more: id 1 | length 1 | value; who does not know an id skips it
 * by its length. A SLOT of a live slot has all of SESSION_G_SLOT; of a free one IDENTITY (state,
 * pool and last address count, the rest is 0), TUNNEL and REQUEST; of one never used (generation 0)
 * IDENTITY only. A DELTA is of a live slot; its IDENTITY changes charging id and MSISDN and must
 * agree in state, pool and address: what changes more is a SLOT. */

/* Bytes that a body of these groups takes, handle and bitmap included. */
unsigned int session_wire_size(uint8_t groups);
/* Writes the body of the slot as it stands; by its owner (or, in late mode, its worker). A free
 * slot has one form only, its SLOT's, whatever `groups` says. USAGE32 goes as USAGE64 when a
 * counter passed a multiple of 2^30 since the last encoding. Returns the groups written, 0 if there
 * was no room (then w is bad and the slot unchanged). Does not touch `dirty`. What has IDENTITY
 * among its dirty groups is best sent as SLOT: a slot just freed has. */
/* What of `groups` is not in the peer's version (session_groups) is the caller's to leave out. */
uint8_t session_encode(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint8_t groups, struct wr *w);
/* Applies the body of a SLOT: whole record or free, whatever the slot held; evicts another slot
 * that holds the address. 0; -EBADMSG malformed; -ENOENT no such slot, pool or address here;
 * -EPERM. Counted by reason. */
int session_apply_slot(struct session_table *t, uint8_t by, struct rd *body, uint32_t now_s);
/* Applies the body of a DELTA. -ESTALE: the handle is not the slot's; else as above. Unknown groups
 * (above ours) are skipped. */
int session_apply_delta(struct session_table *t, uint8_t by, struct rd *body);
/* The short form of a DELTA with USAGE32 and nothing else, which is nearly all that is ever sent:
 * USAGE bodies hold any number of them, handle 4, up packets 4, up bytes 4, down packets 4, down
 * bytes 4. Writes one of a live slot, by its owner. False, and nothing is written: this slot's
 * usage needs session_encode. */
bool session_put_usage(const struct session_slot *s, uint8_t p[SESSION_USAGE_BYTES]);
/* Applies a USAGE body, each of it as a DELTA. Returns how many were applied; the others are
 * -ESTALE, and counted. Else -EBADMSG or -EPERM, and nothing was applied. */
int session_apply_usage(struct session_table *t, uint8_t by, struct rd *body);
/* Reads a DELTA body that carries the sender's own 64-bit usage (late usage): -EBADMSG if it
 * carries anything else. */
int session_decode_late(struct rd *body, uint32_t *handle, struct session_usage *u);
/* The other side's set takes u where it is larger (late usage at the new owner). -ESTALE,
 * -EPERM. */
int session_apply_late(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_usage *u);

/* ---- digests: of the slots as they stand, replicated groups only, handle included ---- */
uint64_t session_hash_slot_in(const struct session_table *t, uint32_t shard, uint32_t slot,
	uint8_t version); /* groups of that version */
static inline uint64_t session_hash_slot(
	const struct session_table *t, uint32_t shard, uint32_t slot)
{
	return session_hash_slot_in(t, shard, slot, wire_spoken.version_max);
}
/* bucket: 0 .. t->buckets - 1, slots bucket*64 .. +63 (fewer never: n_slots is a multiple of
 * 64). */
uint64_t session_hash_bucket_in(
	const struct session_table *t, uint32_t shard, uint32_t bucket, uint8_t version);
static inline uint64_t session_hash_bucket(
	const struct session_table *t, uint32_t shard, uint32_t bucket)
{
	return session_hash_bucket_in(t, shard, bucket, wire_spoken.version_max);
}

#endif
