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
#include "common/places.h"
#include "common/siphash.h"
#include "common/usec.h"
#include "session/event.h"
#include "session/record.h"

enum {
	SESSION_SHARDS = 64, /* equal on both chassis; the low 6 bits of the UE address */
	SESSION_SHARD_BITS = 6,
	SESSION_BUCKET = 64,    /* slots a digest bucket */
	SESSION_WIRE_MAX = 576, /* bytes of the longest SLOT body */
	SESSION_USAGE_BYTES = 20,
	SESSION_LATE_BYTES = 37, /* of the body of late usage */
};

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

/* What the table reports: of addresses, which lib/pool implements, and of sessions. Called by the
 * shard's writer, inside the door. */
struct session_hooks {
	/* The handle that address `ue` of `pool` names now, 0 none. */
	uint32_t (*named)(void *ctx, uint8_t pool, const struct ip_addr *ue);
	/* Makes it name `handle`; -ENOENT when there is no such pool or address. */
	int (*bind)(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle);
	/* Clears it only if it still names `handle`. */
	void (*unbind)(void *ctx, uint8_t pool, const struct ip_addr *ue, uint32_t handle);
	/* Called for every session that begins, changes or ends. -EAGAIN: an end cannot be
	 * reported now, and the owner's door refuses it; of all else nobody looks at what it
	 * returns, and what finds no room is the hook's to mark. */
	int (*event)(void *ctx, const struct session_event *e);
	void *ctx;
	void *event_ctx; /* event is called with this instead, unless it is NULL */
	/* The number of a peer of the control plane by this chassis' own configuration; 0: none.
	 * Called by a shard's writer for a session that begins, and for one whose control plane
	 * address moves. May be NULL. */
	uint16_t (*peer_entry)(void *ctx, const struct ip_addr *ctl);
	void *peer_ctx;
};

/* What a shard's writer knows of peers of the control plane, by their addresses. */
enum { SESSION_PEERS = 8 };
struct session_peer {
	struct ip_addr ctl;
	uint16_t entry;
	uint32_t asked; /* session_table.peers, as it was when it was asked; 0: never */
};

/* Who may write a shard. Workers are 0..; the replication core is SESSION_BY_REPL. */
enum { SESSION_BY_NONE = 0xff, SESSION_BY_REPL = 0xfe };

// clang-format off
#define SESSION_COUNTERS(X) \
	X(created, COUNTER, "sessions", \
		"Sessions were created in the table.") \
	X(updated, COUNTER, "updates", \
		"Sessions of the table were changed by their owner.") \
	X(ending, COUNTER, "sessions", \
		"Sessions of the table were ended by their owner, and their records kept until " \
		"the end is acknowledged.") \
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
	X(refused_annex, COUNTER, "requests", \
		"Records or requests were refused because the table's annexes cannot hold what " \
		"they bring.") \
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
	uint32_t contested;            /* w: owner. slots with SESSION_F_CONTESTED */
	uint32_t quarantine_base_s;    /* w: owner. quarantines restart here at promotion */
	struct siphash_secret gen_key; /* w: owner. of the order of generations (generation.h) */
	uint64_t term;                 /* w: owner. of its events; 0: there was no owner yet */
	uint32_t n_live;               /* w: owner, r: telemetry */
	struct session_counters count; /* w: owner, r: telemetry */
	struct session_peer peer[SESSION_PEERS]; /* w: owner */
	/* w: owner, r: all. slots that are live or ending, by their APNs' numbers */
	_Atomic uint32_t of_apn[PLACES_NUMBERS];
} __attribute__((aligned(64)));

struct session_params {
	/* sessions; rounded up to a power of two per shard, at least 64 a shard */
	uint32_t capacity;
	uint8_t side; /* this chassis' side, 0 or 1 */
	uint32_t quarantine_s;
	/* bytes of a session's annex: 0 (there is none), 128, 192 or SESSION_ANNEX_MAX */
	uint16_t annex;
	/* records whose APN has no place below it are refused; 0: any is taken. PLACES_MOST where
	 * APNs come and go: a number that no APN has has no place below that. */
	uint16_t n_apns;
	/* of the numbers of APNs, the caller's as long as the table lives; NULL: a record has the
	 * place itself */
	const struct places *places;
	const struct session_mem *mem; /* copied */
	/* copied; named, bind and unbind must be there, event may be NULL */
	struct session_hooks hooks;
};

struct session_table {
	uint32_t n_slots; /* a shard */
	uint8_t slot_bits, gen_bits;
	uint8_t gen_width; /* of gen_bits, those that are used: a slot keeps 16 */
	uint8_t side;
	uint16_t n_apns;
	const struct places *places;
	uint32_t gen_mask;
	_Atomic uint32_t quarantine_s; /* w: control: it only grows */
	uint32_t buckets;              /* a shard */
	/* w: control. demoted with own usage that the Active's records may lack: the own set takes
	 * the maximum */
	_Atomic bool late_merge;
	struct session_shard shard[SESSION_SHARDS];
	struct session_hooks hooks;
	/* w: control. how often what session_hooks.peer_entry says has changed, from 1 */
	_Atomic uint32_t peers;
	struct session_mem mem;
	/* The slots of all shards, in the order of handles; the other maps lie behind them. */
	struct session_slot *slots;
	uint8_t *annex; /* of all slots, in their order, annex_bytes each; NULL: there are none */
	uint16_t annex_bytes;
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

/* A new session in the shard of rec->ue: takes a free slot, gives it rec's fields, binds rec->ue;
 * rec->handle, rec->state and rec->usage (0) are filled in. The event says that it began. -ENOSPC:
 * no free slot in this shard; -EEXIST: the address is in use or in quarantine; -ENOENT: no such
 * address; -E2BIG: no annex has room for rec's; -EINVAL: it has no IMSI and NSAPI (key) or no PDP
 * type, without which there is no session. */
int session_create(struct session_table *t, uint8_t by, struct session_rec *rec, uint32_t now_s);
/* Replaces the given groups (IDENTITY: charging id and MSISDN only; usage: never) of a live
 * session. The event says that it was updated, unless REQUEST alone was: to have answered is no
 * news of a session. -ENOENT: stale handle; -E2BIG: no annex has room for rec's. */
int session_update(
	struct session_table *t, uint8_t by, const struct session_rec *rec, uint8_t groups);
/* Ends a session and keeps its record, until session_free(): its slot is ENDING (record.h). The
 * event says that it ended; the address goes into quarantine. -ENOENT: stale. -EAGAIN: as there.
 * -EINVAL: it has no IMSI or no PDP type, and its record could not be told from a free one. */
int session_end(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_end *end);
/* Frees a session, live or ending: slot and address go into quarantine, or wait for what is left of
 * the one that began when it ended, which the event said then. Generation, pool and last address,
 * TUNNEL and REQUEST stay and are replicated, so that a repeated Delete can be answered, after a
 * switchover too; the rest is cleared (the event has it). -ENOENT: stale. -EAGAIN: the end finds
 * no room to be reported, and nothing has changed: try again. */
int session_free(
	struct session_table *t, uint8_t by, uint32_t handle, const struct session_end *end);
/* While standby too (by SESSION_BY_REPL), else all that was ever freed is still in quarantine at a
 * promotion. Looks at no more than `max` entries and lets those whose time is over leave
 * quarantine; returns how many did. */
unsigned int session_quarantine_expire(
	struct session_table *t, uint8_t by, uint32_t shard, uint32_t now_s, unsigned int max);
/* A pool has come whose addresses wait for so long: all do from now on. Control core. */
void session_quarantine_least(struct session_table *t, uint32_t quarantine_s);
/* At promotion: every quarantine of the shard starts again. Constant time. */
void session_quarantine_restart(struct session_table *t, uint32_t shard, uint32_t now_s);
/* By the owner, at promotion: the term of its events; and from here on generations go forward in an
 * order that the secret of this life of the process and the term (number << 1 | side) decide
 * (generation.h). So nobody computes TEIDs from those that it was given, and who begins anew with
 * an empty table, or with one that lacks what its peer made last, gives out the very TEIDs that
 * SGSNs still use by chance only, once in 2^(gen_bits - 1). All generations of a slot's side come
 * before one comes again. `life` is the kernel's random octets, local to this chassis, and read in
 * this call alone. Constant time. */
void session_generations(
	struct session_table *t, uint32_t shard, const struct siphash_secret *life, uint64_t term);

/* What session_hooks.peer_entry says is another from now on: no shard takes what it remembers for
 * it any more. Control core, behind what the hook reads. The entries of slots stay what they are
 * until their owners ask again. */
void session_peers_changed(struct session_table *t);
/* The owner asks again who the peer of a live session is; nothing that is replicated changes.
 * False: it is not the owner's, or no session lives there. */
bool session_peer_again(struct session_table *t, uint8_t by, uint32_t shard, uint32_t slot);

/* By the owner, before a slot is sent because the peer's differs: puts right what is held twice
 * (handle, state) or in one form only (unused octets of QoS, Recovery). A flipped bit in all else
 * is the truth by now. True: it changed something. */
bool session_mend(struct session_table *t, uint8_t by, uint32_t shard, uint32_t slot);

/* How many slots are live or ending with the APN of that number, as their writers last left them;
 * any core. It says what was written: a bit that memory loses changes no count. */
uint32_t session_count_of_apn(const struct session_table *t, uint8_t number);

/* A consistent copy, from any core (retries while a writer is inside). Usage counters move without
 * the sequence count: each is whole, but they may be of different moments. */
void session_read(
	const struct session_table *t, const struct session_slot *s, struct session_rec *rec);
/* The record of a slot whether live or free, by position. */
void session_read_at(
	const struct session_table *t, uint32_t shard, uint32_t slot, struct session_rec *rec);

/* ---- wire form (bodies of SLOT and DELTA records; lib/repl/WIRE.md), network order ----
 *
 *   body      handle 4 | groups 1 | the groups, lowest bit first
 *
 * The groups of bits 0 to 3 are the rows of fields.h; then USAGE32 16, USAGE64 32 and OTHER64 32:
 * up packets, up bytes, down packets, down bytes. EXTRA is the rest of the body: none, one or more
 * of id 1 | length 1 | value; who does not know an id skips it, and a group that is not there is
 * zero. A SLOT of a live or ending slot has all of SESSION_G_SLOT; of a free one IDENTITY (state,
 * pool and last address count, the rest is 0), TUNNEL, REQUEST and EXTRA (ADDR6); of one never used
 * (generation 0) IDENTITY only. A DELTA is of a live slot; its IDENTITY changes charging id and
 * MSISDN and must agree in state, pool and address: what changes more is a SLOT. */

/* Bytes that the body of the slot takes with these groups, as it stands, in that version. */
unsigned int session_wire_size(const struct session_table *t, const struct session_slot *s,
	uint8_t groups, uint8_t version);
/* Writes the body of the slot as it stands; by its owner: nobody else may write it meanwhile. A
 * free slot has one form only, its SLOT's, whatever `groups` says. USAGE32 goes as USAGE64 when a
 * counter passed a multiple of 2^30 since the last encoding. Returns the groups written, 0 if there
 * was no room (then w is bad and the slot unchanged). Does not touch `dirty`. What has IDENTITY
 * among its dirty groups is best sent as SLOT: a slot just freed has. version: of the stream; a
 * group of EXTRA that it lacks is left out. */
uint8_t session_encode_in(const struct session_table *t, uint32_t shard, uint32_t slot,
	uint8_t groups, uint8_t version, struct wr *w);
static inline uint8_t session_encode(
	const struct session_table *t, uint32_t shard, uint32_t slot, uint8_t groups, struct wr *w)
{
	return session_encode_in(t, shard, slot, groups, wire_spoken.version_max, w);
}
/* Applies the body of a SLOT: whole record or free, whatever the slot held; evicts another slot
 * that holds the address. 0; -EBADMSG malformed; -ENOENT no such slot, pool or address here;
 * -E2BIG no annex has room for the record's; -EPERM. Counted by reason. */
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
/* Late mode: writes the DELTA with the own usage, whole, of a slot that another core writes, by the
 * worker whose it was. Its handle; 0, and nothing is written: no session lives there, or w has no
 * SESSION_LATE_BYTES. */
uint32_t session_encode_late(
	const struct session_table *t, uint32_t shard, uint32_t slot, struct wr *w);
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
