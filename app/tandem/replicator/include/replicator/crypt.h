/* SPDX-License-Identifier: BSD-3-Clause */
/* crypt: AES-128-GCM of the replication stream's packets on a rte_cryptodev, in bursts, in place,
 * in order. The control core makes it at boot, which waits for the device and may load libraries,
 * and destroys it; any core may read crypt_device(), and the replication core calls everything
 * else. crypt_run() spins until the device has done a burst, 5 ms at most; nothing else blocks.
 * Owns its device, sessions and operations; packets stay the caller's. */
#ifndef TANDEM_CRYPT_H
#define TANDEM_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/counters.h"
#include "repl/keys.h"

enum { CRYPT_BURST = 32, CRYPT_WHY = 256 };

// clang-format off
#define CRYPT_COUNTERS(X) \
	X(crypt_packets, COUNTER, "packets", \
		"Packets went through the crypto device to be sealed or opened, with whatever " \
		"result.") \
	X(crypt_sessions, COUNTER, "keys", \
		"Keys were set up in the crypto device.") \
	X(crypt_session_failures, COUNTER, "keys", \
		"Keys could not be set up in the crypto device.") \
	X(crypt_refused, COUNTER, "packets", \
		"Packets were refused because their key is not set up, or because the crypto " \
		"device failed.") \
	X(crypt_errors, COUNTER, "packets", \
		"Packets failed in the crypto device for another reason than a wrong tag.") \
	X(crypt_device_failures, COUNTER, "failures", \
		"The crypto device did not give its work back, and is not used any more.")
// clang-format on
COUNTERS_DEFINE(crypt_counters, CRYPT_COUNTERS);

struct crypt;
struct rte_mbuf;

struct crypt_packet {
	struct rte_mbuf *m; /* one segment */
	uint16_t at,
		/* of the packet in it: header and records. The tag, REPL_TAG bytes, is behind them,
		 * in data_len */
		len;
	int slot;  /* of the keys; it says whether the packet is sealed or opened */
	bool good; /* out: sealed, or opened and its tag was right */
};

/* Opens a device by name ("crypto_aesni_mb", a PCI address, both with arguments); empty: the
 * fastest software device that there is, one for each chassis (its number in this process, from 0).
 * NULL: `why` says what to do. */
struct crypt *crypt_create(const char *device, unsigned int chassis, char why[CRYPT_WHY]);
/* Ends all sessions and closes the device; NULL is nothing. */
void crypt_destroy(struct crypt *c);
/* The name of the device that is used. */
const char *crypt_device(const struct crypt *c);
/* Makes and ends sessions where slots changed: after keys_connect, and when keys_tick says so. */
void crypt_sync(struct crypt *c, const struct keys *k);
/* Seals or opens n <= CRYPT_BURST packets, all of one kind. What is not good must be neither sent
 * nor read. */
void crypt_run(struct crypt *c, const struct keys *k, struct crypt_packet *p, unsigned int n);
/* The device did not answer in time: nothing is sealed or opened any more in the life of this
 * process. */
bool crypt_failed(const struct crypt *c);
/* The counters, which live as long as the device is open. */
const struct crypt_counters *crypt_count(const struct crypt *c);

/* keys_expand_fn: HKDF-Expand-Label of SHA-256 (RFC 8446 section 7.1) with an empty context. */
void crypt_expand(
	void *ctx, const uint8_t secret[KEYS_SECRET], const char *label, uint8_t *out, size_t len);

/* The ciphers as the daemon uses them: each member as the function of that name above. */
struct crypt_ops {
	struct crypt *(*create)(const char *device, unsigned int chassis, char why[CRYPT_WHY]);
	void (*destroy)(struct crypt *c);
	const char *(*device)(const struct crypt *c);
	void (*sync)(struct crypt *c, const struct keys *k);
	void (*run)(struct crypt *c, const struct keys *k, struct crypt_packet *p, unsigned int n);
	bool (*failed)(const struct crypt *c);
	const struct crypt_counters *(*count)(const struct crypt *c);
	keys_expand_fn *expand;
};

extern const struct crypt_ops crypt_dpdk;

/* This is crypt_dpdk, unless the process chooses others before the replication core is made. */
extern const struct crypt_ops *crypt_ops;

#endif
