/* SPDX-License-Identifier: BSD-3-Clause */
/* One side leads the phases and the other follows: so the leader knows from a packet of its own
 * phase that the other has that phase too, and one bit in the header with the packet number is
 * enough to tell three phases apart. */
#include <errno.h>
#include <string.h>

#include "repl/keys.h"
#include "repl_wire.h"

static struct keys_slot *tx_slot(struct keys *k, unsigned int c, uint32_t phase)
{
	return &k->slot[c * (KEYS_TX + KEYS_RX) + phase % KEYS_TX];
}

static struct keys_slot *rx_slot(struct keys *k, unsigned int c, uint32_t phase)
{
	return &k->slot[c * (KEYS_TX + KEYS_RX) + KEYS_TX + phase % KEYS_RX];
}

static int index_of(const struct keys *k, const struct keys_slot *s)
{
	return (int)(s - k->slot);
}

static struct keys_connection *keys_by_id(struct keys *k, uint16_t id)
{
	for (unsigned int i = 0; id != 0 && i < KEYS_CONNECTIONS; i++)
		if (k->conn[i].id == id)
			return &k->conn[i];
	return NULL;
}

int keys_init(struct keys *k, const struct keys_params *p)
{
	if (p->expand == NULL || (p->limit != 0 && p->limit < 64))
		return -EINVAL;
	*k = (struct keys){ .p = *p, .tx = -1 };
	if (k->p.limit == 0)
		k->p.limit = KEYS_PHASE_PACKETS;
	return 0;
}

void keys_wipe(struct keys *k)
{
	struct keys_params p = k->p;
	struct keys_counters count = k->count;
	uint32_t serials = k->serials;

	explicit_bzero(k, sizeof(*k));
	k->p = p;
	k->count = count;
	k->serials = serials;
	k->tx = -1;
}

/* Derives one phase into its slot, and its secret becomes that of the next (RFC 9001 section
 * 6.1). */
static void keys_derive(struct keys *k, struct keys_slot *s, uint8_t secret[KEYS_SECRET],
	uint32_t phase, bool seals)
{
	uint8_t next[KEYS_SECRET];

	s->serial = ++k->serials;
	s->phase = phase;
	s->seals = seals;
	k->p.expand(k->p.ctx, secret, KEYS_LABEL_KEY, s->key, sizeof(s->key));
	k->p.expand(k->p.ctx, secret, KEYS_LABEL_IV, s->iv, sizeof(s->iv));
	k->p.expand(k->p.ctx, secret, KEYS_LABEL_NEXT, next, sizeof(next));
	memcpy(secret, next, sizeof(next));
	explicit_bzero(next, sizeof(next));
}

/* This phase and the next, both ways. */
static bool keys_prepare(struct keys *k, unsigned int i)
{
	struct keys_connection *c = &k->conn[i];
	bool changed = false;

	for (; c->tx_derived <= c->tx_phase + 1; c->tx_derived++, changed = true)
		keys_derive(k, tx_slot(k, i, c->tx_derived), c->tx_secret, c->tx_derived, true);
	for (; c->rx_derived <= c->rx_phase + 1; c->rx_derived++, changed = true)
		keys_derive(k, rx_slot(k, i, c->rx_derived), c->rx_secret, c->rx_derived, false);
	return changed;
}

static void keys_expire(struct keys *k, unsigned int i)
{
	k->expired[k->expired_at++ % KEYS_EXPIRED] = k->conn[i].id;
	if (k->tx == (int)i)
		k->tx = -1;
	explicit_bzero(&k->slot[i * (KEYS_TX + KEYS_RX)], (KEYS_TX + KEYS_RX) * sizeof(k->slot[0]));
	explicit_bzero(&k->conn[i], sizeof(k->conn[i]));
}

/* A free connection; in a storm of them the oldest yields that is neither ours nor the peer's to
 * seal with, as far as we know. If the peer did use it, its next hello mends that. */
static unsigned int keys_slot_free(struct keys *k)
{
	unsigned int oldest = KEYS_CONNECTIONS;

	for (unsigned int i = 0; i < KEYS_CONNECTIONS; i++) {
		if (k->conn[i].id == 0)
			return i;
		if ((int)i != k->tx && k->conn[i].order != k->seen &&
			(oldest == KEYS_CONNECTIONS || k->conn[i].order < k->conn[oldest].order))
			oldest = i;
	}
	k->count.evicted++;
	keys_expire(k, oldest);
	return oldest;
}

int keys_connect(struct keys *k, const uint8_t tx_secret[KEYS_SECRET],
	const uint8_t rx_secret[KEYS_SECRET], uint16_t id, usec_t now)
{
	struct keys_connection *c;
	unsigned int i;

	if (id == 0)
		return -EINVAL;
	if (keys_by_id(k, id) != NULL) {
		k->count.collisions++;
		return -EEXIST;
	}
	keys_tick(k, now);
	i = keys_slot_free(k);
	c = &k->conn[i];
	*c = (struct keys_connection){
		.id = id, .order = ++k->orders, .until = USEC_NEVER, .phase_seen = now
	};
	memcpy(c->tx_secret, tx_secret, KEYS_SECRET);
	memcpy(c->rx_secret, rx_secret, KEYS_SECRET);
	for (unsigned int r = 0; r < KEYS_EXPIRED; r++)
		if (k->expired[r] == id)
			k->expired[r] = 0;
	keys_prepare(k, i);
	k->count.connected++;
	return 0;
}

static void keys_end_older(struct keys *k, uint64_t order, usec_t at)
{
	for (unsigned int i = 0; i < KEYS_CONNECTIONS; i++)
		if (k->conn[i].id != 0 && k->conn[i].order < order && k->conn[i].until > at)
			k->conn[i].until = at;
}

void keys_hello(struct keys *k, uint16_t id, bool restarted, usec_t now)
{
	struct keys_connection *c = keys_by_id(k, id);

	if (c == NULL)
		return;
	if (restarted)
		keys_end_older(k, c->order, now);
	if (k->tx >= 0 && k->conn[k->tx].order >= c->order)
		return;
	k->tx = (int)(c - k->conn);
	k->count.used++;
}

/* The leader begins a phase when the one before is used up either way, and the peer was seen in
 * that. */
static bool keys_phase_over(const struct keys *k, const struct keys_connection *c, uint64_t number)
{
	if (!k->p.leads)
		return c->rx_phase > c->tx_phase;
	return c->rx_phase == c->tx_phase &&
	       ((c->tx_first != 0 && number - c->tx_first >= k->p.limit) ||
		       (c->rx_first != 0 && c->rx_last - c->rx_first >= k->p.limit));
}

int keys_seal(struct keys *k, uint64_t number, uint16_t *id, uint8_t *phase)
{
	struct keys_connection *c;

	if (k->tx < 0) {
		k->count.tx_no_key++;
		return -ENOKEY;
	}
	c = &k->conn[k->tx];
	if (number <= c->tx_last) /* never two packets with one key and number */
		return -EINVAL;
	if (keys_phase_over(k, c, number) && c->tx_derived > c->tx_phase + 1) {
		c->tx_phase++;
		c->tx_first = 0;
		if (k->p.leads)
			k->count.phases_begun++;
		else
			k->count.phases_followed++;
	}
	if (c->tx_first == 0)
		c->tx_first = number;
	if (number - c->tx_first >= 2 * k->p.limit) {
		k->count.tx_exhausted++;
		return -EKEYEXPIRED;
	}
	c->tx_last = number;
	*id = c->id;
	*phase = c->tx_phase & 1;
	return index_of(k, tx_slot(k, (unsigned int)k->tx, c->tx_phase));
}

int keys_open(struct keys *k, uint16_t id, uint8_t phase, uint64_t number, usec_t now)
{
	struct keys_connection *c = keys_by_id(k, id);
	uint32_t want;

	if (c == NULL) {
		for (unsigned int i = 0; id != 0 && i < KEYS_EXPIRED; i++)
			if (k->expired[i] == id) {
				k->count.rx_expired_key++;
				return -EKEYEXPIRED;
			}
		k->count.rx_unknown_key++;
		return -ENOKEY;
	}
	want = c->rx_phase;
	if ((c->rx_phase & 1) != (phase & 1))
		want = c->rx_first != 0 && number < c->rx_first ? want - 1 : want + 1;
	if (now >= c->until || rx_slot(k, (unsigned int)(c - k->conn), want)->serial == 0 ||
		rx_slot(k, (unsigned int)(c - k->conn), want)->phase != want) {
		k->count.rx_expired_key++;
		return -EKEYEXPIRED;
	}
	return index_of(k, rx_slot(k, (unsigned int)(c - k->conn), want));
}

int keys_packet(struct keys *k, const uint8_t *pkt, size_t len, uint32_t incarnation, usec_t now)
{
	struct repl_header h;

	if (len < REPL_HEADER || len > REPL_PACKET_MAX) {
		k->count.rx_length++;
		return -EBADMSG;
	}
	repl_header_read(pkt, &h);
	if (h.version < wire_spoken.version_min || h.version > wire_spoken.version_max) {
		k->count.rx_version++;
		return -EBADMSG;
	}
	if (h.key == 0) {
		k->count.rx_plaintext++;
		return -EPERM;
	}
	if (h.sender == incarnation) {
		k->count.rx_reflected++;
		return -ELOOP;
	}
	if (len < REPL_HEADER + REPL_TAG) {
		k->count.rx_length++;
		return -EBADMSG;
	}
	return keys_open(k, h.key, h.flags & REPL_F_PHASE, h.number, now);
}

void keys_opened(struct keys *k, int slot, uint64_t number, usec_t now)
{
	struct keys_connection *c = &k->conn[slot / (KEYS_TX + KEYS_RX)];
	uint32_t phase = k->slot[slot].phase;

	k->count.rx_opened++;
	if (c->order > k->seen) {
		k->seen = c->order;
		keys_end_older(k, c->order, now + KEYS_GRACE_US);
	} else if (c->order < k->seen) {
		k->count.rx_opened_old_key++;
	}
	if (phase == c->rx_phase + 1) {
		c->rx_phase = phase;
		c->rx_first = c->rx_last = 0;
		c->phase_seen = now;
	}
	if (phase != c->rx_phase) {
		k->count.rx_opened_old_phase++;
		return;
	}
	if (c->rx_first == 0 || number < c->rx_first)
		c->rx_first = number;
	if (number > c->rx_last)
		c->rx_last = number;
}

void keys_forged(struct keys *k)
{
	k->count.rx_bad_tag++;
}

/* The slot of a phase that is over, until the grace of the one behind it has passed. */
static struct keys_slot *keys_phase_before(struct keys *k, unsigned int i)
{
	struct keys_connection *c = &k->conn[i];
	struct keys_slot *s = rx_slot(k, i, c->rx_phase + KEYS_RX - 1);

	return c->id != 0 && c->rx_phase > 0 && s->serial != 0 && s->phase == c->rx_phase - 1
		       ? s
		       : NULL;
}

bool keys_tick(struct keys *k, usec_t now)
{
	bool changed = false;

	for (unsigned int i = 0; i < KEYS_CONNECTIONS; i++) {
		struct keys_connection *c = &k->conn[i];
		struct keys_slot *before = keys_phase_before(k, i);

		if (c->id == 0)
			continue;
		if (now >= c->until && (int)i != k->tx) {
			k->count.expired++;
			keys_expire(k, i);
			changed = true;
			continue;
		}
		if (before != NULL && now - c->phase_seen >= KEYS_GRACE_US) {
			explicit_bzero(before, sizeof(*before));
			changed = true;
		}
		changed |= keys_prepare(k, i);
	}
	return changed;
}

usec_t keys_due(const struct keys *k)
{
	usec_t due = USEC_NEVER;

	for (unsigned int i = 0; i < KEYS_CONNECTIONS; i++) {
		const struct keys_connection *c = &k->conn[i];

		if (c->id == 0)
			continue;
		if ((int)i != k->tx && c->until < due)
			due = c->until;
		if (keys_phase_before((struct keys *)(uintptr_t)k, i) != NULL &&
			c->phase_seen + KEYS_GRACE_US < due)
			due = c->phase_seen + KEYS_GRACE_US;
		if (c->tx_derived <= c->tx_phase + 1 || c->rx_derived <= c->rx_phase + 1)
			due = 0;
	}
	return due;
}

uint16_t keys_tx_id(const struct keys *k, uint32_t *phase)
{
	if (k->tx < 0)
		return 0;
	if (phase != NULL)
		*phase = k->conn[k->tx].tx_phase;
	return k->conn[k->tx].id;
}

unsigned int keys_live(const struct keys *k, usec_t now)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < KEYS_CONNECTIONS; i++)
		n += k->conn[i].id != 0 && now < k->conn[i].until;
	return n;
}
