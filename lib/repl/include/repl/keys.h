/* SPDX-License-Identifier: BSD-3-Clause */
/* keys: which key seals a packet of the stream and which may open one (lib/repl/WIRE.md, "Keys"):
 * lives of the keys of SRP connections, phases within one, and no cryptography: HKDF comes in as a
 * callback. Pure; the caller owns `struct keys` (zero it, then keys_init) and calls it from one
 * core, the one that has the stream's `struct repl`. */
#ifndef TANDEM_REPL_KEYS_H
#define TANDEM_REPL_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/counters.h"
#include "common/usec.h"

enum {
	KEYS_SECRET = 32, /* bytes of a secret: SHA-256 */
	KEYS_KEY = 16,    /* AES-128 */
	KEYS_IV = 12,
	KEYS_CONNECTIONS = 8, /* whose keys live at once: bounds a storm of reconnects */
	KEYS_TX = 2,          /* slots of a connection to seal: this phase and the next */
	KEYS_RX = 3,          /* to open: the phase before, this one, the next */
	KEYS_SLOTS = KEYS_CONNECTIONS * (KEYS_TX + KEYS_RX),
	/* ids of expired keys that are remembered, as such a key is not an unknown one */
	KEYS_EXPIRED = 16,
	KEYS_PHASE_PACKETS = 1 << 23, /* RFC 9001 section 6.6 for AES-128-GCM */
	KEYS_GRACE_US = 1000000,      /* an old key opens so long after the new one was seen */
};

/* One AES-128-GCM key. Written by keys_connect and keys_tick only, so whoever keeps something
 * prepared from it compares `serial` behind these two. Nonce of a packet: iv xor its number in the
 * last 8 bytes (RFC 9001 section 5.3). */
struct keys_slot {
	/* of this content, 0: empty. No two contents of a struct keys have the same */
	uint32_t serial;
	uint32_t phase;
	bool seals;
	uint8_t key[KEYS_KEY], iv[KEYS_IV];
};

/* Fills out (len <= KEYS_SECRET bytes) with HKDF-Expand-Label(secret, label, "", len) of SHA-256
 * (RFC 8446 section 7.1). Labels are KEYS_LABEL_*. Must not fail. */
typedef void keys_expand_fn(
	void *ctx, const uint8_t secret[KEYS_SECRET], const char *label, uint8_t *out, size_t len);
#define KEYS_LABEL_KEY  "tandem key"
#define KEYS_LABEL_IV   "tandem iv"
#define KEYS_LABEL_NEXT "tandem ku"

// clang-format off
#define KEYS_COUNTERS(X) \
	X(connected, COUNTER, "keys", \
		"Keys of new SRP connections were added.") \
	X(used, COUNTER, "keys", \
		"The key that seals packets was replaced by that of a newer SRP connection.") \
	X(evicted, COUNTER, "keys", \
		"Keys were removed early because the keys of newer SRP connections needed their " \
		"place.") \
	X(expired, COUNTER, "keys", \
		"Keys were removed because newer ones had taken over.") \
	X(collisions, COUNTER, "keys", \
		"Keys were not added because another key has the same number.") \
	X(phases_begun, COUNTER, "phases", \
		"New phases of a key were begun by this chassis.") \
	X(phases_followed, COUNTER, "phases", \
		"New phases of a key were taken up after the peer had begun them.") \
	X(tx_no_key, COUNTER, "packets", \
		"Packets were not sent because there was no key to seal them.") \
	X(tx_exhausted, COUNTER, "packets", \
		"Packets were not sent because their key has sealed as many as it may.") \
	X(rx_opened, COUNTER, "packets", \
		"Packets of the peer were opened.") \
	X(rx_opened_old_key, COUNTER, "packets", \
		"Packets of the peer were opened with an older key than its newest.") \
	X(rx_opened_old_phase, COUNTER, "packets", \
		"Packets of the peer were opened with the phase before the present one.") \
	X(rx_length, COUNTER, "packets", \
		"Packets were refused because they are too short or too long.") \
	X(rx_version, COUNTER, "packets", \
		"Packets were refused because they are of a version of the stream that is not " \
		"spoken here.") \
	X(rx_plaintext, COUNTER, "packets", \
		"Packets were refused because they are in plain text.") \
	X(rx_reflected, COUNTER, "packets", \
		"Packets were refused because this chassis itself had sent them.") \
	X(rx_unknown_key, COUNTER, "packets", \
		"Packets were refused because the number of their key is not known.") \
	X(rx_expired_key, COUNTER, "packets", \
		"Packets were refused because their key, or its phase, is over.") \
	X(rx_bad_tag, COUNTER, "packets", \
		"Packets were refused because their tag is wrong: they were damaged or forged.")
// clang-format on
COUNTERS_DEFINE(keys_counters, KEYS_COUNTERS);

struct keys_params {
	bool leads; /* begins phases (side 0); the other side follows it */
	/* packets of a phase, 0: KEYS_PHASE_PACKETS. At least 64, more than any burst */
	uint64_t limit;
	keys_expand_fn *expand;
	void *ctx;
};

struct keys_connection {
	uint16_t id;    /* 0: free */
	uint64_t order; /* connections are numbered as they come */
	usec_t until;   /* it opens no longer from then on; USEC_NEVER */
	/* of the next phase to be derived */
	uint8_t tx_secret[KEYS_SECRET], rx_secret[KEYS_SECRET];
	/* derived: phases below it are in slots */
	uint32_t tx_phase, rx_phase, tx_derived, rx_derived;
	/* numbers sealed in this phase; first 0: none; last: in the connection */
	uint64_t tx_first, tx_last;
	uint64_t rx_first, rx_last; /* numbers opened in this phase; first 0: none */
	/* when rx_phase began; the phase before is forgotten KEYS_GRACE_US later */
	usec_t phase_seen;
};

struct keys {
	struct keys_params p;
	struct keys_counters count;
	struct keys_connection conn[KEYS_CONNECTIONS];
	struct keys_slot slot[KEYS_SLOTS];
	uint64_t orders, seen; /* given so far; highest of which a packet was opened */
	int tx;                /* connection that seals; < 0: there is none */
	uint32_t serials;
	uint16_t expired[KEYS_EXPIRED];
	unsigned int expired_at;
};

/* Begins without keys. 0, or -EINVAL: the limit is less than 64. */
int keys_init(struct keys *k, const struct keys_params *p);
/* Forgets all keys, and overwrites them in memory. */
void keys_wipe(struct keys *k);

/* A new SRP connection's exporter gave the secrets of both directions and the id (not 0). It opens
 * from now on, and seals after keys_hello. The caller says its first hello over that connection
 * only after this returned 0, so that the peer seals with nothing that we cannot open. -EEXIST:
 * that id lives (the caller closes the connection and makes another), -EINVAL: id 0. A full table
 * loses its oldest key that neither seals nor was the last to be seen. */
int keys_connect(struct keys *k, const uint8_t tx_secret[KEYS_SECRET],
	const uint8_t rx_secret[KEYS_SECRET], uint16_t id, usec_t now);
/* A hello came over the connection of that id: it seals from now on, unless a newer one does.
 * `restarted`: the hello is of another process of the peer than before: the keys of older
 * connections end, theirs is the past. */
void keys_hello(struct keys *k, uint16_t id, bool restarted, usec_t now);

/* The slot that seals the packet of this number (rising from call to call), with the header's key
 * id and phase bit. -ENOKEY: nothing seals yet. -EKEYEXPIRED: this phase is twice its limit and the
 * peer did not follow: a new connection is needed. */
int keys_seal(struct keys *k, uint64_t number, uint16_t *id, uint8_t *phase);
/* The slot that may open a packet that says so. -ENOKEY: id unknown. -EKEYEXPIRED: of an id or
 * phase that is over. Changes nothing but counters. */
int keys_open(struct keys *k, uint16_t id, uint8_t phase, uint64_t number, usec_t now);
/* What can be said of a packet before it is opened: keys_open of its header, and -EBADMSG (too
 * short or too long, or of another version), -EPERM (plaintext), -ELOOP (our own incarnation:
 * reflected). Every refusal is counted by its reason. */
int keys_packet(struct keys *k, const uint8_t *pkt, size_t len, uint32_t incarnation, usec_t now);
/* Packet `number` was opened by this slot: its tag was good. The slot must not have changed since
 * keys_open. */
void keys_opened(struct keys *k, int slot, uint64_t number, usec_t now);
/* The tag of a packet was bad: that is counted, and changes nothing. */
void keys_forged(struct keys *k);

/* Forgets what is over and prepares next phases. Each turn, when no packet is between keys_seal or
 * keys_open and its cipher. True if a slot changed. */
bool keys_tick(struct keys *k, usec_t now);
/* When keys_tick has something to do, at the latest. */
usec_t keys_due(const struct keys *k);

/* Returns the id of the key that seals packets, and its phase; 0: nothing seals yet. */
uint16_t keys_tx_id(const struct keys *k, uint32_t *phase);
/* How many keys open packets at `now`. */
unsigned int keys_live(const struct keys *k, usec_t now);

#endif
