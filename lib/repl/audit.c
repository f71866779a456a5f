/* SPDX-License-Identifier: BSD-3-Clause */
/* The standby's side. A bucket that differs is noted (`todo`), wanted when there is room among the
 * outstanding ones, and stays outstanding until a hash of it matches. Wanting escalates: slot by
 * slot, the slots that differ, whole. */
#include <errno.h>
#include <stdlib.h>

#include "repl/audit.h"

enum {
	SLICE = 4096,        /* buckets that one call looks at */
	RANGE = 64,          /* buckets of one AUDIT_WANT_WHOLE */
	AGAIN_MIN_US = 5000, /* a WANT is repeated after 2 PTO, at least this */
	AGAIN_MAX_SHIFT = 4, /* and less and less often: a long answer is not asked for twice */
	/* without any news: what the join's pass did not bring is asked for */
	QUIET_US = 50000,
	ASK_MOST = 3, /* times a whole pass is asked for; then bucket by bucket */
	SLOTS = 64,
};

struct want {
	uint32_t bucket, n, left; /* n 0: free; left: buckets of it not yet matching */
	uint8_t how, tries;       /* tries 0: not sent yet */
	uint64_t mask;
	usec_t at;
};

struct audit {
	struct audit_hash hash;
	uint32_t n, max, outstanding; /* buckets */
	usec_t *matched;              /* of each bucket; USEC_NEVER since the restart */
	uint64_t *todo;               /* bit map: differs, not yet wanted */
	uint64_t *done;               /* bit map: matched in this pass */
	uint16_t *want_of;            /* of each bucket: 1 + index of its want, 0 none */
	struct want *want;            /* max of them */
	uint32_t free_hint;
	uint32_t n_todo, todo_at, never, never_at;
	uint32_t relapsed; /* buckets that matched after the restart and differ now */
	bool running;
	struct audit_pass pass; /* but for `differing` */
	uint32_t request;       /* number of the last pass that was requested */
	unsigned int asked;     /* how often it was asked for; ASK_MOST: enough */
	usec_t asked_at;
	usec_t restarted;
	/* When something came that was not known in this pass. What the paced pass after it
	 * repeats is not news. */
	usec_t news;
	/* the oldest match: `since` is the least of the last whole round, `round` of the one under
	 * way */
	usec_t since, round;
	uint32_t round_at;
	struct audit_counters count;
};

struct audit *audit_create(uint32_t n_buckets, uint32_t outstanding, const struct audit_hash *hash)
{
	struct audit *a;

	if (n_buckets == 0 || outstanding == 0 || outstanding >= UINT16_MAX) {
		errno = EINVAL;
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->hash = *hash;
	a->n = n_buckets;
	a->max = outstanding;
	a->matched = calloc(n_buckets, sizeof(*a->matched));
	a->todo = calloc(n_buckets / 64 + 1, sizeof(*a->todo));
	a->done = calloc(n_buckets / 64 + 1, sizeof(*a->done));
	a->want_of = calloc(n_buckets, sizeof(*a->want_of));
	a->want = calloc(outstanding, sizeof(*a->want));
	if (a->matched == NULL || a->todo == NULL || a->done == NULL || a->want_of == NULL ||
		a->want == NULL) {
		audit_destroy(a);
		errno = ENOMEM;
		return NULL;
	}
	audit_restart(a, 0);
	a->running = false;
	a->pass.began = USEC_NEVER;
	return a;
}

void audit_destroy(struct audit *a)
{
	if (a == NULL)
		return;
	free(a->want);
	free(a->want_of);
	free(a->done);
	free(a->todo);
	free(a->matched);
	free(a);
}

static void audit_pass_begin(struct audit *a, usec_t now)
{
	memset(a->done, 0, (a->n / 64 + 1) * sizeof(*a->done));
	a->pass = (struct audit_pass){ .left = a->n, .began = now, .ended = USEC_NEVER };
}

void audit_request_pass(struct audit *a, usec_t now)
{
	if (!a->running)
		return;
	audit_pass_begin(a, now);
	a->request++;
	a->asked = 0;
	a->news = now;
	a->count.passes_requested++;
}

void audit_restart(struct audit *a, usec_t now)
{
	memset(a->matched, 0xff, a->n * sizeof(*a->matched));
	memset(a->todo, 0, (a->n / 64 + 1) * sizeof(*a->todo));
	memset(a->want_of, 0, a->n * sizeof(*a->want_of));
	memset(a->want, 0, a->max * sizeof(*a->want));
	audit_pass_begin(a, now);
	a->asked = ASK_MOST; /* the sender begins the pass of a new stream by itself */
	a->outstanding = a->free_hint = a->n_todo = a->todo_at = a->never_at = a->round_at = 0;
	a->never = a->n;
	a->relapsed = 0;
	a->running = true;
	a->restarted = a->news = now;
	a->since = a->round = USEC_NEVER;
}

static bool audit_todo_get(const struct audit *a, uint32_t b)
{
	return a->todo[b / 64] >> (b % 64) & 1;
}

static bool done_get(const struct audit *a, uint32_t b)
{
	return a->done[b / 64] >> (b % 64) & 1;
}

static void audit_todo_set(struct audit *a, uint32_t b)
{
	if (audit_todo_get(a, b))
		return;
	a->todo[b / 64] |= UINT64_C(1) << (b % 64);
	a->n_todo++;
}

static void audit_todo_clear(struct audit *a, uint32_t b)
{
	if (!audit_todo_get(a, b))
		return;
	a->todo[b / 64] &= ~(UINT64_C(1) << (b % 64));
	a->n_todo--;
}

static struct want *audit_want_find(struct audit *a, uint32_t b)
{
	return a->want_of[b] != 0 ? &a->want[a->want_of[b] - 1] : NULL;
}

/* A bucket leaves its want; with the last one the want is free. */
static void audit_want_leave(struct audit *a, uint32_t b)
{
	struct want *w = audit_want_find(a, b);

	if (w == NULL)
		return;
	a->want_of[b] = 0;
	a->outstanding--;
	if (--w->left == 0)
		w->n = 0;
}

/* NULL: as many buckets are wanted as may be. */
static struct want *audit_want_new(struct audit *a, uint32_t b, unsigned int how)
{
	if (a->outstanding >= a->max)
		return NULL;
	for (uint32_t i = 0; i < a->max; i++) {
		uint32_t at = (a->free_hint + i) % a->max;

		if (a->want[at].n != 0)
			continue;
		a->free_hint = at + 1;
		a->want[at] = (struct want){ .bucket = b, .n = 1, .left = 1, .how = (uint8_t)how };
		a->want_of[b] = (uint16_t)(at + 1);
		a->outstanding++;
		audit_todo_clear(a, b);
		return &a->want[at];
	}
	return NULL;
}

static void audit_match(struct audit *a, uint32_t b, usec_t now)
{
	bool differed = audit_want_find(a, b) != NULL || audit_todo_get(a, b);

	if (audit_want_find(a, b) != NULL) {
		audit_want_leave(a, b);
		a->count.repaired++;
	}
	audit_todo_clear(a, b);
	if (a->matched[b] != USEC_NEVER) {
		a->relapsed -= differed;
	} else if (--a->never == 0) {
		/* Everything matched after the restart; a round of audit_scan will say more. */
		a->since = a->restarted;
		a->round = USEC_NEVER;
		a->round_at = 0;
	}
	a->matched[b] = now;
	if (done_get(a, b))
		return;
	a->done[b / 64] |= UINT64_C(1) << (b % 64);
	a->news = now;
	if (--a->pass.left == 0)
		a->pass.ended = now;
}

/* answer: the hash came alone, as it does behind the slots that were wanted. */
static void audit_compare(struct audit *a, uint32_t b, uint64_t theirs, bool answer, usec_t now)
{
	struct want *w = audit_want_find(a, b);

	a->count.compared++;
	if (a->hash.bucket(a->hash.ctx, b) == theirs) {
		audit_match(a, b, now);
		return;
	}
	a->count.differing++;
	if (w == NULL && !audit_todo_get(a, b)) {
		a->relapsed += a->matched[b] != USEC_NEVER;
		audit_todo_set(a, b);
		a->news = now;
	} else if (w == NULL) {
		return; /* waits to be wanted */
	} else if (answer && w->how == AUDIT_WANT_SLOTS && w->tries > 0) {
		w->how = AUDIT_WANT_WHOLE;
		w->tries = 0;
		a->news = now;
	} else if (!answer && w->tries > 1) {
		w->tries = 1; /* a pass later: the answer is not long, it is lost */
	}
}

static void audit_digest_buckets(struct audit *a, struct rd *body, usec_t now)
{
	uint32_t first = rd_u32(body);
	unsigned int n = rd_u16(body);

	if (body->bad || n == 0 || n > AUDIT_DIGESTS || first >= a->n || n > a->n - first ||
		body->left != n * 8U) {
		a->count.malformed++;
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		audit_compare(a, first + i, rd_u64(body), n == 1, now);
	if (first + n == a->n)
		a->count.passes++;
}

static void audit_hash_slots(struct audit *a, struct rd *body, usec_t now)
{
	uint32_t b = rd_u32(body);
	uint64_t mask = 0;
	struct want *w;

	if (body->bad || b >= a->n || body->left != SLOTS * 2) {
		a->count.malformed++;
		return;
	}
	for (unsigned int i = 0; i < SLOTS; i++) {
		uint16_t theirs = rd_u16(body);

		if ((uint16_t)a->hash.slot(a->hash.ctx, b, i) != theirs)
			mask |= UINT64_C(1) << i;
	}
	w = audit_want_find(a, b);
	if (w == NULL || w->how != AUDIT_WANT_LEVEL2)
		return; /* settled otherwise meanwhile */
	/* With no slot differing only the bucket's hash is asked for again: 16 bits a slot prove
	 * nothing. */
	w->how = AUDIT_WANT_SLOTS;
	w->mask = mask;
	w->tries = 0;
	a->news = now;
}

void audit_digest(struct audit *a, struct rd *body, usec_t now)
{
	unsigned int level = rd_u8(body);

	if (level == AUDIT_LEVEL_BUCKETS)
		audit_digest_buckets(a, body, now);
	else if (level == AUDIT_LEVEL_SLOTS)
		audit_hash_slots(a, body, now);
	else
		a->count.malformed++;
}

/* An empty bucket goes whole, together with its like that follow. */
static void audit_admit(struct audit *a, uint32_t b)
{
	bool empty = a->hash.empty(a->hash.ctx, b);
	struct want *w = audit_want_new(a, b, empty ? AUDIT_WANT_WHOLE : AUDIT_WANT_LEVEL2);

	if (w == NULL || !empty)
		return;
	for (uint32_t next = b + 1; next < a->n && w->n < RANGE && a->outstanding < a->max;
		next++) {
		if (!audit_todo_get(a, next) || !a->hash.empty(a->hash.ctx, next))
			return;
		audit_todo_clear(a, next);
		a->want_of[next] = a->want_of[b];
		a->outstanding++;
		w->n++;
		w->left++;
	}
}

static void audit_admit_todo(struct audit *a)
{
	for (uint32_t looked = 0; a->n_todo > 0 && a->outstanding < a->max && looked < SLICE;) {
		uint32_t b = a->todo_at;

		if (b % 64 == 0 && a->todo[b / 64] == 0) {
			a->todo_at += 64;
			looked += 64;
		} else {
			if (audit_todo_get(a, b))
				audit_admit(a, b);
			a->todo_at++;
			looked++;
		}
		if (a->todo_at >= a->n)
			a->todo_at = 0;
	}
}

/* The hashes of a pass at full speed may have been lost on the way; nobody repeats them unasked. */
static void audit_admit_left(struct audit *a)
{
	for (uint32_t looked = 0; looked < a->n && looked < SLICE && a->outstanding < a->max;
		looked++) {
		uint32_t b = a->never_at;

		a->never_at = b + 1 < a->n ? b + 1 : 0;
		if (!done_get(a, b) && a->want_of[b] == 0 && !audit_todo_get(a, b))
			audit_want_new(a, b, AUDIT_WANT_LEVEL2);
	}
}

/* What matched at the ends of a range is not asked for again. */
static void audit_trim(struct audit *a, struct want *w)
{
	uint16_t self = (uint16_t)(w - a->want + 1);

	while (a->want_of[w->bucket] != self) {
		w->bucket++;
		w->n--;
	}
	while (a->want_of[w->bucket + w->n - 1] != self)
		w->n--;
}

static void audit_put(struct audit *a, struct want *w, struct wr *out, usec_t now)
{
	audit_trim(a, w);
	wr_u8(out, w->how);
	wr_u32(out, w->bucket);
	switch (w->how) {
	case AUDIT_WANT_SLOTS:
		wr_u64(out, w->mask);
		a->count.wants_slots++;
		break;
	case AUDIT_WANT_WHOLE:
		wr_u64(out, w->n);
		a->count.wants_whole++;
		break;
	default:
		wr_u64(out, 0);
		a->count.wants_level2++;
		break;
	}
	w->at = now;
	if (w->tries < UINT8_MAX)
		w->tries++;
}

static bool audit_want_due(const struct want *w, usec_t again, usec_t now)
{
	unsigned int shift = w->tries > AGAIN_MAX_SHIFT ? AGAIN_MAX_SHIFT : w->tries;

	return w->n != 0 && (w->tries == 0 || now - w->at >= again << (shift - 1));
}

/* Asked for more than once: a request of the same number costs nothing where it was heard. */
static bool audit_pass_due(const struct audit *a, usec_t again, usec_t now)
{
	return a->asked == 0 || (a->asked < ASK_MOST && now - a->asked_at >= again);
}

void audit_want_pass(struct wr *w, uint32_t request)
{
	wr_u16(w, 1);
	wr_u8(w, AUDIT_WANT_PASS);
	wr_u32(w, request);
	wr_u64(w, 0);
}

static unsigned int audit_put_pass(struct audit *a, struct wr *out, usec_t now)
{
	audit_want_pass(out, a->request);
	a->asked++;
	a->asked_at = now;
	a->count.wants_pass++;
	return 1;
}

void audit_want(struct audit *a, struct wr *out, usec_t pto, usec_t now)
{
	usec_t again = 2 * pto > AGAIN_MIN_US ? 2 * pto : AGAIN_MIN_US;
	usec_t quiet = again > QUIET_US ? again : QUIET_US;
	uint8_t *head = out->p;
	unsigned int n = 0;

	if (!a->running)
		return;
	audit_admit_todo(a);
	if (a->pass.left > 0 && a->n_todo == 0 && now - a->news >= quiet)
		audit_admit_left(a);
	if (out->left < 2 + AUDIT_WANT_BYTES)
		return;
	if (audit_pass_due(a, quiet, now))
		n = audit_put_pass(a, out, now);
	/* Asked in each turn, mostly while nothing is wanted. */
	for (uint32_t i = 0; a->outstanding > 0 && i < a->max; i++) {
		if (!audit_want_due(&a->want[i], again, now))
			continue;
		if (n == 0)
			wr_u16(out, 0);
		if (out->left < AUDIT_WANT_BYTES)
			break;
		audit_put(a, &a->want[i], out, now);
		n++;
	}
	if (n > 0) {
		head[0] = (uint8_t)(n >> 8);
		head[1] = (uint8_t)n;
	}
}

usec_t audit_in_sync_since(const struct audit *a)
{
	return a->never > 0 ? USEC_NEVER : a->since;
}

void audit_pass(const struct audit *a, struct audit_pass *pass)
{
	*pass = a->pass;
	pass->differing = a->n_todo + a->outstanding;
}

uint32_t audit_unmatched(const struct audit *a)
{
	return a->never + a->relapsed;
}

/* Times of matching only grow, so the least of a round is never newer than the truth at its end. */
void audit_scan(struct audit *a)
{
	if (a->never > 0)
		return;
	for (uint32_t i = 0; i < SLICE; i++) {
		if (a->matched[a->round_at] < a->round)
			a->round = a->matched[a->round_at];
		if (++a->round_at < a->n)
			continue;
		a->since = a->round;
		a->round = USEC_NEVER;
		a->round_at = 0;
		return;
	}
}

const struct audit_counters *audit_count(const struct audit *a)
{
	return &a->count;
}
