/* SPDX-License-Identifier: BSD-3-Clause */
/* imsi_index: (IMSI, NSAPI) -> handle. Subscribers choose the keys, so the hash has a secret of
 * this chassis, and a bucket is a chain that is never full: all entries that were asked for find
 * room. One core alone (control) calls these functions; none blocks. */
#ifndef TANDEM_SESSION_IMSI_INDEX_H
#define TANDEM_SESSION_IMSI_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/siphash.h"
#include "session/session.h"

struct imsi_index;

struct imsi_index_params {
	uint32_t entries; /* as many as there can be, at least 1 */
	struct siphash_secret secret;
	const struct session_mem *mem; /* copied */
};

/* Memory is 16 octets an entry, and 4 a bucket: as many as the largest power of two that is not
 * above `entries`. NULL + errno (ENOMEM, EINVAL). */
struct imsi_index *imsi_index_create(const struct imsi_index_params *p);
/* Nothing of the secret is left in memory. NULL is a no-op. */
void imsi_index_destroy(struct imsi_index *x);

/* The handle of the key (session_rec.key), 0 none. */
uint32_t imsi_index_find(const struct imsi_index *x, uint64_t key);
/* The key has this handle from now on, whether it had one or not. 0; -ENOSPC: it had none, and
 * there are as many entries as were asked for; -EINVAL: handle 0 names nobody. */
int imsi_index_set(struct imsi_index *x, uint64_t key, uint32_t handle);
/* False: there was no such key. */
bool imsi_index_remove(struct imsi_index *x, uint64_t key);

/* A way through the entries, which is the caller's: where it stands, and how many places may still
 * be looked at. An empty place costs as much as an entry, and there may be a million in a row, so
 * it is places that a turn is given. */
struct imsi_walk {
	uint32_t at; /* 0 before the first one */
	uint32_t left;
};

/* The next entry. False: there are no more, or `left` is 0 and the way goes on when there is more.
 * Between two calls entries may be set and removed: what is there all the time comes once. The
 * order is that in which places were taken, and says nothing of the secret. */
bool imsi_index_next(
	const struct imsi_index *x, struct imsi_walk *w, uint64_t *key, uint32_t *handle);
uint32_t imsi_index_count(const struct imsi_index *x);
/* How many entries a look-up of the key reads. */
unsigned int imsi_index_reads(const struct imsi_index *x, uint64_t key);

#endif
