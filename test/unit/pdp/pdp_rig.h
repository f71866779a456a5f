/* SPDX-License-Identifier: BSD-3-Clause */
/* pdp_rig: a world around lib/pdp: peers that ask, two owners with a small table, AAA, a standby
 * that acknowledges, and a clock, all of which may lose or delay what passes. It checks what must
 * be true at each moment, for unit tests, the fuzzer and the simulator of lib/pdp alike. */
#ifndef TANDEM_PDP_RIG_H
#define TANDEM_PDP_RIG_H

#include "pdp/lists.h"
#include "pdp/pdp.h"

enum {
	RIG_OWNERS = 2,
	RIG_APN = 1, /* their numbers, of all requests */
	RIG_POOL = 2,
	RIG_SLOTS = 12,
	RIG_ORDERS = 64, /* in the doors of all owners; more than that cannot be asked */
	RIG_IDS = 16384,
	RIG_OWN = 64,
	RIG_AAA = 4096,
	RIG_KEYS = 3,
	RIG_PEERS = 2,
	RIG_TIMEOUT_US = 50000, /* of a commit */
	RIG_TYPE = 16,          /* of a Create; the others follow by two, as in GTPv1 */
};

struct rig_order {
	struct pdp_order o;
	struct session_rec rec;
	uint64_t key;
	bool given_up; /* its row was, with the role, and another order of the session may come */
};

/* What was asked with an id, and what came back. */
struct rig_id {
	bool asked, answered;
	enum pdp_kind kind;
	enum pdp_cause cause;
	bool again;
	uint32_t handle; /* of an accepted one */
	uint32_t peer_teid;
};

struct rig {
	struct pdp *pdp;
	struct pdp_time t;
	/* the owners' table */
	struct session_rec slot[RIG_SLOTS];
	uint8_t gen[RIG_SLOTS];
	bool late[RIG_SLOTS]; /* made by an order that was given up */
	uint32_t commit[RIG_SLOTS], acked[RIG_SLOTS];
	/* what a repetition of the request that the slot names waits for; 0: nothing */
	uint32_t due[RIG_SLOTS];
	uint32_t changes;
	uint32_t full; /* so many slots are not given out */
	/* what is on its way */
	unsigned int n_orders, n_own, n_aaa;
	struct rig_order order[RIG_ORDERS];
	struct pdp_own own[RIG_OWN];
	uint64_t aaa[RIG_AAA];
	struct rig_id id[RIG_IDS];
	uint64_t next_id;
	struct pdp_request last; /* that was asked */
	uint16_t seq;
	uint32_t digest; /* of all requests */
	bool stream;     /* owners give commits */
	bool is_protected;
	bool doors_full, own_refused, no_aaa, index_behind;
	uint32_t index_stale; /* what the index names for each key, 0: what it should */
	struct pdp_superseded superseded;
	unsigned int n_purges, n_echoes, n_restarts, n_silent, n_back, n_timeouts;
	struct ip_addr purged;
	/* What is wrong, or empty. */
	char broken[256];
};

/* Of the next rig that is opened. */
extern struct siphash_secret rig_secret;

/* with_aaa: it is asked; max: sessions. The rig is too large for a stack. */
void rig_open(struct rig *r, bool with_aaa, uint32_t max);
void rig_close(struct rig *r);

/* ---- what happens ---- */

/* A request of peer n; it gets the next id, which is returned. The last but for its id comes again
 * with rig_repeat(), unless it is in progress: front ends leave that out, and 0 is returned. */
uint64_t rig_repeat(struct rig *r);
uint64_t rig_create(struct rig *r, unsigned int peer, unsigned int key);
uint64_t rig_update(struct rig *r, unsigned int peer, uint32_t handle, uint8_t has);
uint64_t rig_delete(struct rig *r, unsigned int peer, uint32_t handle);
/* Order i is carried out and answered, however late, for owners always answer. */
void rig_carry_out(struct rig *r, unsigned int i);
/* Its owner refuses for now (-EAGAIN). */
void rig_refuse(struct rig *r, unsigned int i);
/* Takes it out of its door: the caller answers in the owner's place. */
struct rig_order rig_take_order(struct rig *r, unsigned int i);
/* The last order was carried out, its owner says, with that handle and commit. */
void rig_answer_as(struct rig *r, uint32_t handle, uint32_t commit);
/* The standby acknowledges all that was changed of a slot. */
void rig_ack(struct rig *r, unsigned int slot);
void rig_stream(struct rig *r, bool on);
void rig_aaa(struct rig *r, unsigned int i, bool accepted);
/* The gateway's own request i ends so; an Update that is accepted brings other TEIDs. */
void rig_own(struct rig *r, unsigned int i, enum pdp_cause cause);
/* Time goes on, with one turn. */
void rig_pass(struct rig *r, usec_t us);
void rig_deactivate(struct rig *r);
/* An owner ends a session for a reason of its own. */
void rig_owner_ends(struct rig *r, unsigned int slot);
/* All orders are carried out and all changes acknowledged until nothing is left. */
void rig_settle(struct rig *r);
/* Sessions of a key. */
unsigned int rig_live(const struct rig *r, unsigned int key);
uint32_t rig_find(const struct rig *r, unsigned int key);
uint64_t rig_key(unsigned int key);
struct ip_addr rig_peer(unsigned int peer);
struct session_rec *rig_slot(struct rig *r, uint32_t handle);

/* For the rig's own files. The first thing that is wrong counts. */
void rig_broken(struct rig *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint32_t rig_handle(unsigned int slot, uint8_t gen);
unsigned int rig_slot_number(uint32_t handle);
bool rig_lives(const struct rig *r, uint32_t handle);
uint32_t rig_find_key(const struct rig *r, uint64_t key);

/* A sequence of events, two octets each; then all is left alone until nothing may live any more.
 * False: r->broken says what is wrong. */
bool rig_run(struct rig *r, const uint8_t *data, size_t size);

#endif
