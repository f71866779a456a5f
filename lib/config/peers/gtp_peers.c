/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries of gtp-peers in their order, and what is compared of them: one line an entry, whatever it
 * has of prefixes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "gtp_peers.h"

_Static_assert(sizeof(struct config_gtp_prefix) == sizeof(struct ip_prefix) + 1,
	"bytes of a prefix can be compared and hashed as they are");

static int gtp_peers_by_name(const void *a, const void *b)
{
	return strcmp(((const struct config_gtp_peer *)a)->name,
		((const struct config_gtp_peer *)b)->name);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct config_gtp_prefix));
}

static uint64_t gtp_peers_hash(uint64_t h, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Those of an entry, one row for each use. Returns how many rows. */
static unsigned int gtp_peers_rows(const struct config *c, const struct config_gtp_peer *e,
	unsigned int use, struct config_gtp_prefix *to)
{
	const struct config_gtp_range *of[] = { &e->control, &e->user, &e->file };
	unsigned int n = 0;

	for (unsigned int i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		for (unsigned int j = 0; j < of[i]->n; j++) {
			const struct config_gtp_prefix *p = &c->gtp_prefixes[of[i]->at + j];

			if ((p->use & use) == 0)
				continue;
			to[n] = *p;
			to[n++].use = (uint8_t)use;
		}
	qsort(to, n, sizeof(*to), by_bytes);
	return n;
}

/* Adds the rows to the digest, in their order, those of two places once. Returns how many. */
static uint32_t gtp_peers_digest(struct config_gtp_peer *e, const struct config_gtp_prefix *row,
	unsigned int n, unsigned int use)
{
	uint8_t octet = (uint8_t)use;
	uint32_t told = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (i > 0 && by_bytes(&row[i], &row[i - 1]) == 0)
			continue;
		e->digest = gtp_peers_hash(e->digest, &row[i].prefix, sizeof(row[i].prefix));
		e->digest = gtp_peers_hash(e->digest, &octet, 1);
		told++;
	}
	return told;
}

static void gtp_peers_sum_up(
	const struct config *c, struct config_gtp_peer *e, struct config_gtp_prefix *row)
{
	unsigned int n = gtp_peers_rows(c, e, CONFIG_GTP_CONTROL, row);

	e->digest = UINT64_C(0xcbf29ce484222325); /* FNV-1a: a difference is no attack */
	e->n_control = gtp_peers_digest(e, row, n, CONFIG_GTP_CONTROL);
	/* who has none for USER has those for CONTROL, which are in `row` */
	if (gtp_peers_rows(c, e, CONFIG_GTP_USER, row + n) > 0)
		e->n_user = gtp_peers_digest(e, row + n,
			gtp_peers_rows(c, e, CONFIG_GTP_USER, row + n), CONFIG_GTP_USER);
	else
		e->n_user = gtp_peers_digest(e, row, n, CONFIG_GTP_USER);
}

static void gtp_peers_move(struct config *c, const struct config_gtp_prefix *from,
	struct config_gtp_range *r, uint32_t *at)
{
	memcpy(&c->gtp_prefixes[*at], &from[r->at], r->n * sizeof(*from));
	r->at = *at;
	*at += r->n;
}

int gtp_peers_derive(struct config *c)
{
	size_t bytes = c->n_gtp_prefixes * sizeof(c->gtp_prefixes[0]);
	/* a copy, and two rows for each */
	struct config_gtp_prefix *from = malloc(3 * bytes + 1);
	uint32_t at = 0;

	if (from == NULL)
		return -ENOMEM;
	memcpy(from, c->gtp_prefixes, bytes);
	qsort(c->gtp_peers, c->n_gtp_peers, sizeof(c->gtp_peers[0]), gtp_peers_by_name);
	for (unsigned int i = 0; i < c->n_gtp_peers; i++) {
		struct config_gtp_peer *e = &c->gtp_peers[i];

		e->nth = (uint16_t)i;
		gtp_peers_move(c, from, &e->control, &at);
		gtp_peers_move(c, from, &e->user, &at);
		gtp_peers_move(c, from, &e->file, &at);
		gtp_peers_sum_up(c, e, from + c->n_gtp_prefixes);
	}
	free(from);
	return 0;
}

void gtp_peer_print(const struct config_gtp_peer *e, bool local, FILE *to)
{
	const struct config *c = gtp_peers_around(e);

	if (e->group[0] != '\0')
		fprintf(to, "group \"%s\", ", e->group);
	fprintf(to, "%" PRIu32 " control, %" PRIu32 " user, digest %016" PRIx64, e->n_control,
		e->n_user, e->digest);
	for (unsigned int i = 0; local && i < CONFIG_PORTS; i++)
		if (e->ports & 1U << i)
			fprintf(to, ", port %s", c->ports[i].name);
}

void gtp_peers_lines(const struct config *c, FILE *to)
{
	for (unsigned int i = 0; i < c->n_gtp_peers; i++) {
		fprintf(to, "gtp-peers[%s].entry = ", c->gtp_peers[i].name);
		gtp_peer_print(&c->gtp_peers[i], false, to);
		fputc('\n', to);
	}
}

/* ---- two files ---- */

/* NULL: no memory. */
static char *gtp_peers_text(const struct config_gtp_peer *e)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	gtp_peer_print(e, true, to);
	return fclose(to) == 0 ? text : NULL;
}

struct gtp_changes {
	void (*each)(void *ctx, const struct config_change *ch);
	void *ctx;
	unsigned int n;
};

/* An entry that came has no `now`, one that went no `next`. */
static void gtp_peers_compare(struct gtp_changes *d, const struct config_gtp_peer *now,
	const struct config_gtp_peer *next)
{
	char key[CONFIG_CHANGE_KEY], *from = NULL, *to = NULL;
	bool both = now != NULL && next != NULL;
	struct config_change ch = { .key = key, .live = true };

	snprintf(key, sizeof(key), "gtp-peers[%s]%s", now != NULL ? now->name : next->name,
		both ? ".entry" : "");
	if (both) {
		from = gtp_peers_text(now);
		to = gtp_peers_text(next);
	}
	ch.from = !both ? (now != NULL ? "present" : "absent") : from != NULL ? from : "?";
	ch.to = !both ? (next != NULL ? "present" : "absent") : to != NULL ? to : "another";
	if (strcmp(ch.from, ch.to) != 0) {
		d->each(d->ctx, &ch);
		d->n++;
	}
	free(from);
	free(to);
}

/* Both are in the order of names. */
unsigned int gtp_peers_changes(const struct config *now, const struct config *next,
	void (*each)(void *ctx, const struct config_change *ch), void *ctx)
{
	struct gtp_changes d = { each, ctx, 0 };
	unsigned int i = 0, j = 0;

	while (i < now->n_gtp_peers || j < next->n_gtp_peers) {
		int order = i == now->n_gtp_peers ? 1
			    : j == next->n_gtp_peers
				    ? -1
				    : gtp_peers_by_name(&now->gtp_peers[i], &next->gtp_peers[j]);

		gtp_peers_compare(&d, order <= 0 ? &now->gtp_peers[i] : NULL,
			order >= 0 ? &next->gtp_peers[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
	return d.n;
}

void gtp_peers_take(struct config *now, const struct config *next)
{
	memcpy(now->gtp_peers, next->gtp_peers, sizeof(now->gtp_peers));
	memcpy(now->gtp_prefixes, next->gtp_prefixes, sizeof(now->gtp_prefixes));
	now->n_gtp_peers = next->n_gtp_peers;
	now->n_gtp_prefixes = next->n_gtp_prefixes;
}
