/* SPDX-License-Identifier: BSD-3-Clause */
/* audit: the one mechanism that keeps both tables equal (lib/repl/README.md section 4); a pass of
 * it compares everything once. `audit` is the standby's side: compares digests with its own slots,
 * WANTs what differs, and knows since when everything matched. `audit_source` is one worker's side:
 * the set of what was wanted, and the cursor of the pass. Buckets are numbered over all shards
 * (shard * buckets_per_shard + bucket). Pure; each object has one caller. */
#ifndef TANDEM_AUDIT_H
#define TANDEM_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counters.h"
#include "common/cursor.h"
#include "common/usec.h"

enum {
	AUDIT_DIGESTS = 128,     /* bucket hashes a DIGEST record at most */
	AUDIT_LEVEL_BUCKETS = 1, /* level u8 | first u32 | n u16 | n * hash u64 */
	AUDIT_LEVEL_SLOTS = 2,   /* level u8 | bucket u32 | 64 * hash u16 */
	/* WANT body: n u16, then n * (how u8 | bucket u32 | arg u64) */
	AUDIT_WANT_SLOTS = 1,  /* arg: mask of slots to send; then the bucket's hash again */
	AUDIT_WANT_LEVEL2 = 2, /* dirty slots, then a DIGEST slot by slot */
	/* arg: number of buckets from `bucket` on: every slot, free ones too, then their hashes */
	AUDIT_WANT_WHOLE = 3,
	/* all hashes now, at full speed; bucket: number of the request, which may come twice */
	AUDIT_WANT_PASS = 4,
	AUDIT_WANT_BYTES = 13,
};

// clang-format off
#define AUDIT_COUNTERS(X) \
	X(passes, COUNTER, "passes", \
		"Hashes of the last bucket of the peer's table came in, which end a pass over " \
		"the table.") \
	X(compared, COUNTER, "comparisons", \
		"Hashes of buckets were compared with those of the peer.") \
	X(differing, COUNTER, "comparisons", \
		"Hashes of buckets were found to differ from those of the peer.") \
	X(repaired, COUNTER, "buckets", \
		"Buckets that differed from the peer's match again.") \
	X(wants_level2, COUNTER, "requests", \
		"Requests for the hashes of all slots of a bucket were sent.") \
	X(wants_slots, COUNTER, "requests", \
		"Requests for some slots of a bucket were sent.") \
	X(wants_whole, COUNTER, "requests", \
		"Requests for all slots of one or more buckets were sent.") \
	X(wants_pass, COUNTER, "requests", \
		"Requests for a pass over the whole table were sent.") \
	X(passes_requested, COUNTER, "passes", \
		"Passes over the whole table were begun because an operator asked for it.") \
	X(malformed, COUNTER, "records", \
		"Records of the audit were refused because they are malformed.")
// clang-format on
COUNTERS_DEFINE(audit_counters, AUDIT_COUNTERS);

/* Own hashes, computed on request from the slots as they stand. */
struct audit_hash {
	uint64_t (*bucket)(void *ctx, uint32_t bucket);
	uint64_t (*slot)(void *ctx, uint32_t bucket, unsigned int slot); /* low 16 bits count */
	/* Whether no slot of the bucket was ever used: then it is wanted whole without a second
	 * level. */
	bool (*empty)(void *ctx, uint32_t bucket);
	void *ctx;
};

struct audit;

/* outstanding: how many buckets may be wanted at once (bounds the answer's burst). NULL + errno. */
struct audit *audit_create(uint32_t n_buckets, uint32_t outstanding, const struct audit_hash *hash);
void audit_destroy(struct audit *a);
/* A new stream: nothing is known to match. What is in the slots stays and is compared. */
void audit_restart(struct audit *a, usec_t now);
/* On request (an operator's) a pass at full speed begins. Unlike a restart this unsays nothing:
 * what matched is still known to have matched then. Without effect while nothing runs. */
void audit_request_pass(struct audit *a, usec_t now);
/* Adds AUDIT_WANT_PASS to a WANT body of one entry; body: empty. */
void audit_want_pass(struct wr *w, uint32_t request);
/* Compares the hashes of a DIGEST record of the peer with those of the own slots. */
void audit_digest(struct audit *a, struct rd *body, usec_t now);
/* Writes due WANT entries (n u16 first) while there is room; nothing at all if none is due. Again
 * after 2 PTO. */
void audit_want(struct audit *a, struct wr *w, usec_t pto, usec_t now);
/* When the worst bucket last matched; USEC_NEVER while some bucket has not matched since
 * audit_restart. May lag by what audit_scan has not looked at yet: call that once every few ms, it
 * costs a bounded slice. */
usec_t audit_in_sync_since(const struct audit *a);
/* How many buckets have not matched since audit_restart, or matched and differ now. */
uint32_t audit_unmatched(const struct audit *a);
/* Of the pass since the last restart or request: buckets that have not matched in it; when it began
 * (USEC_NEVER: there was none) and ended (USEC_NEVER: not yet). And buckets that are known to
 * differ now. */
struct audit_pass {
	uint32_t left, differing;
	usec_t began, ended;
};
void audit_pass(const struct audit *a, struct audit_pass *pass);
void audit_scan(struct audit *a);
const struct audit_counters *audit_count(const struct audit *a);

/* ---- the owner's side: one per worker ---- */

struct audit_source; /* buckets of the shards that one worker owns */

/* shards: which (bit set of 64); buckets_per_shard: power of two or not. NULL + errno. */
struct audit_source *audit_source_create(uint64_t shards, uint32_t buckets_per_shard);
void audit_source_destroy(struct audit_source *s);
/* Forgets wants and starts a pass at full speed (a standby joined); later passes take interval_us
 * each. */
void audit_source_join(struct audit_source *s, usec_t interval_us, usec_t now);
/* Passes take interval_us from now on. The one under way goes on where it is, and takes its share
 * of it for what is left. */
void audit_source_interval(struct audit_source *s, usec_t interval_us, usec_t now);
/* Forgets wants, and hashes nothing any more. */
void audit_source_stop(struct audit_source *s);
/* The pass begins anew at full speed; what is wanted stays wanted. Without effect while
 * stopped. */
void audit_source_pass(struct audit_source *s);
/* Buckets of the pass under way that were hashed, and all; wanted buckets that wait. */
struct audit_progress {
	uint32_t hashed, buckets, wanted;
	bool full_speed;
};
void audit_source_progress(const struct audit_source *s, struct audit_progress *p);
/* One WANT entry for a bucket of ours; duplicates cost nothing; others' are ignored. */
void audit_source_want(struct audit_source *s, unsigned int how, uint32_t bucket, uint64_t arg);

struct audit_job {
	enum { AUDIT_JOB_NONE, AUDIT_JOB_SLOTS, AUDIT_JOB_LEVEL2, AUDIT_JOB_DIGEST } what;
	uint32_t bucket; /* first */
	uint32_t n;      /* DIGEST: consecutive buckets, <= AUDIT_DIGESTS, all in one shard */
	uint64_t mask;   /* SLOTS: which; the caller sends them, then a DIGEST of this one bucket */
};
/* The next thing to encode: wants first, then the pass if it is due. The caller must carry it out,
 * or give it back. */
struct audit_job audit_source_next(struct audit_source *s, usec_t now);
/* Takes the last job back: it comes again. */
void audit_source_again(struct audit_source *s, const struct audit_job *job);
/* Splits a WANT body into entries for `each`; counts nothing, -EBADMSG when malformed (entries
 * before it were given). */
int audit_want_decode(struct rd *body,
	void (*each)(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg), void *ctx);
/* Begin/fill DIGEST bodies. */
void audit_digest_begin(struct wr *w, uint32_t bucket, uint16_t n); /* then n * wr_u64 */
void audit_digest_slots(struct wr *w, uint32_t bucket);             /* then 64 * wr_u16 */

#endif
