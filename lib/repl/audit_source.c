/* SPDX-License-Identifier: BSD-3-Clause */
/* The owner's side. Wants are a set: a mask of slots and a flag a bucket; the ring only says in
 * which order. */
#include <errno.h>
#include <stdlib.h>

#include "repl/audit.h"

enum {
	SHARDS = 64,
	WHOLE_MAX = 1024, /* buckets of one WANT that are taken; who wants more asks again */
	W_QUEUED = 1 << 0,
	W_SLOTS = 1 << 1,
	W_LEVEL2 = 1 << 2,
};

/* Buckets are kept by local index: rank of the shard among ours * per_shard + bucket in it. */
struct audit_source {
	uint64_t shards;
	uint32_t per_shard, n;
	uint8_t shard_of[SHARDS]; /* by rank */
	uint8_t rank_of[SHARDS];
	uint64_t *mask;
	uint8_t *flags;
	uint32_t *ring; /* each bucket at most once: n entries never overflow */
	uint32_t head, queued;
	bool running, joining;
	uint32_t cursor;
	uint32_t request; /* number of the last pass that was asked for */
	usec_t interval, pass_at;
};

struct audit_source *audit_source_create(uint64_t shards, uint32_t buckets_per_shard)
{
	struct audit_source *s;
	unsigned int rank = 0;

	if (shards == 0 || buckets_per_shard == 0 || buckets_per_shard > UINT32_MAX / SHARDS) {
		errno = EINVAL;
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->shards = shards;
	s->per_shard = buckets_per_shard;
	for (unsigned int i = 0; i < SHARDS; i++)
		if (shards >> i & 1) {
			s->rank_of[i] = (uint8_t)rank;
			s->shard_of[rank++] = (uint8_t)i;
		}
	s->n = rank * buckets_per_shard;
	s->mask = calloc(s->n, sizeof(*s->mask));
	s->flags = calloc(s->n, sizeof(*s->flags));
	s->ring = calloc(s->n, sizeof(*s->ring));
	if (s->mask == NULL || s->flags == NULL || s->ring == NULL) {
		audit_source_destroy(s);
		errno = ENOMEM;
		return NULL;
	}
	return s;
}

void audit_source_destroy(struct audit_source *s)
{
	if (s == NULL)
		return;
	free(s->ring);
	free(s->flags);
	free(s->mask);
	free(s);
}

void audit_source_join(struct audit_source *s, usec_t interval_us, usec_t now)
{
	audit_source_stop(s);
	s->running = s->joining = true;
	s->interval = interval_us;
	s->pass_at = now;
	s->cursor = 0;
}

void audit_source_interval(struct audit_source *s, usec_t interval_us, usec_t now)
{
	usec_t done = interval_us * s->cursor / s->n;

	if (!s->running || interval_us == s->interval)
		return;
	s->interval = interval_us;
	s->pass_at = now > done ? now - done : 0;
}

void audit_source_stop(struct audit_source *s)
{
	s->running = s->joining = false;
	s->request = 0;
	memset(s->mask, 0, s->n * sizeof(*s->mask));
	memset(s->flags, 0, s->n * sizeof(*s->flags));
	s->head = s->queued = 0;
}

void audit_source_pass(struct audit_source *s)
{
	if (!s->running)
		return;
	s->cursor = 0;
	s->joining = true;
}

void audit_source_progress(const struct audit_source *s, struct audit_progress *p)
{
	*p = (struct audit_progress){
		.hashed = s->cursor, .buckets = s->n, .wanted = s->queued, .full_speed = s->joining
	};
}

static bool audit_source_local_of(const struct audit_source *s, uint32_t bucket, uint32_t *local)
{
	uint32_t shard = bucket / s->per_shard;

	if (shard >= SHARDS || !(s->shards >> shard & 1))
		return false;
	*local = s->rank_of[shard] * s->per_shard + bucket % s->per_shard;
	return true;
}

static uint32_t global_of(const struct audit_source *s, uint32_t local)
{
	return s->shard_of[local / s->per_shard] * s->per_shard + local % s->per_shard;
}

static void audit_source_enqueue(
	struct audit_source *s, uint32_t local, uint8_t flag, uint64_t mask)
{
	s->flags[local] |= flag;
	s->mask[local] |= mask;
	if (s->flags[local] & W_QUEUED)
		return;
	s->flags[local] |= W_QUEUED;
	s->ring[(uint32_t)(((uint64_t)s->head + s->queued) % s->n)] = local;
	s->queued++;
}

void audit_source_want(struct audit_source *s, unsigned int how, uint32_t bucket, uint64_t arg)
{
	uint32_t local, n = 1;

	if (!s->running)
		return;
	if (how == AUDIT_WANT_PASS && bucket != s->request) {
		s->request = bucket;
		audit_source_pass(s);
	}
	if (how == AUDIT_WANT_WHOLE)
		n = arg < WHOLE_MAX ? (uint32_t)arg : WHOLE_MAX;
	for (uint32_t i = 0; i < n && bucket <= UINT32_MAX - i; i++) {
		if (!audit_source_local_of(s, bucket + i, &local))
			continue;
		if (how == AUDIT_WANT_LEVEL2)
			audit_source_enqueue(s, local, W_LEVEL2, 0);
		else if (how == AUDIT_WANT_SLOTS)
			audit_source_enqueue(s, local, W_SLOTS, arg);
		else if (how == AUDIT_WANT_WHOLE)
			audit_source_enqueue(s, local, W_SLOTS, ~UINT64_C(0));
	}
}

/* Slots first; the second level of the same bucket waits for its next turn. */
static struct audit_job audit_source_next_want(struct audit_source *s)
{
	uint32_t local = s->ring[s->head];
	uint8_t flags = s->flags[local];
	struct audit_job job = { .bucket = global_of(s, local), .n = 1 };

	s->head = s->head + 1 < s->n ? s->head + 1 : 0;
	s->queued--;
	s->flags[local] = 0;
	if (flags & W_SLOTS) {
		job.what = AUDIT_JOB_SLOTS;
		job.mask = s->mask[local];
		s->mask[local] = 0;
		if (flags & W_LEVEL2)
			audit_source_enqueue(s, local, W_LEVEL2, 0);
	} else {
		job.what = AUDIT_JOB_LEVEL2;
	}
	return job;
}

/* The next pass begins when this one's time is over, but what was missed is not caught up. Only
 * here, so that the last job of a pass can still be given back. */
static void audit_source_pass_wrap(struct audit_source *s, usec_t now)
{
	if (s->cursor < s->n)
		return;
	s->cursor = 0;
	s->pass_at += s->interval;
	if (s->joining || s->pass_at + s->interval < now)
		s->pass_at = now;
	s->joining = false;
}

static bool audit_source_pass_due(const struct audit_source *s, usec_t now)
{
	if (!s->running)
		return false;
	if (s->joining)
		return true;
	return s->interval != 0 && now >= s->pass_at + s->interval * s->cursor / s->n;
}

static struct audit_job audit_source_next_digest(struct audit_source *s)
{
	uint32_t in_shard = s->per_shard - s->cursor % s->per_shard;
	struct audit_job job = { .what = AUDIT_JOB_DIGEST,
		.bucket = global_of(s, s->cursor),
		.n = in_shard < AUDIT_DIGESTS ? in_shard : AUDIT_DIGESTS };

	s->cursor += job.n;
	return job;
}

struct audit_job audit_source_next(struct audit_source *s, usec_t now)
{
	if (s->queued > 0)
		return audit_source_next_want(s);
	audit_source_pass_wrap(s, now);
	if (audit_source_pass_due(s, now))
		return audit_source_next_digest(s);
	return (struct audit_job){ .what = AUDIT_JOB_NONE };
}

void audit_source_again(struct audit_source *s, const struct audit_job *job)
{
	uint32_t local;

	if (!s->running || !audit_source_local_of(s, job->bucket, &local))
		return;
	if (job->what == AUDIT_JOB_SLOTS)
		audit_source_enqueue(s, local, W_SLOTS, job->mask);
	else if (job->what == AUDIT_JOB_LEVEL2)
		audit_source_enqueue(s, local, W_LEVEL2, 0);
	else if (job->what == AUDIT_JOB_DIGEST)
		s->cursor = local;
}

int audit_want_decode(struct rd *body,
	void (*each)(void *ctx, unsigned int how, uint32_t bucket, uint64_t arg), void *ctx)
{
	unsigned int n = rd_u16(body);

	while (n-- > 0) {
		unsigned int how = rd_u8(body);
		uint32_t bucket = rd_u32(body);
		uint64_t arg = rd_u64(body);

		if (body->bad || how < AUDIT_WANT_SLOTS || how > AUDIT_WANT_PASS)
			return -EBADMSG;
		each(ctx, how, bucket, arg);
	}
	return body->bad || body->left > 0 ? -EBADMSG : 0;
}

void audit_digest_begin(struct wr *w, uint32_t bucket, uint16_t n)
{
	wr_u8(w, AUDIT_LEVEL_BUCKETS);
	wr_u32(w, bucket);
	wr_u16(w, n);
}

void audit_digest_slots(struct wr *w, uint32_t bucket)
{
	wr_u8(w, AUDIT_LEVEL_SLOTS);
	wr_u32(w, bucket);
}
