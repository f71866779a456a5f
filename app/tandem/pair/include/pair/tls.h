/* SPDX-License-Identifier: BSD-3-Clause */
/* tls: TLS 1.3 of the SRP connection (OpenSSL): both sides prove who they are, by certificate or by
 * a pre-shared key; no resumption, no early data. Over non-blocking sockets, which stay the
 * caller's. Control core only. tls_create() and tls_changed() read files, and may wait for the
 * disk; nothing else blocks. */
#ifndef TANDEM_TLS_H
#define TANDEM_TLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/items.h"
#include "repl/keys.h"

enum { TLS_WHY = 640 };

struct tls;
struct tls_conn;

enum tls_step { TLS_AGAIN, TLS_DONE, TLS_FAILED };

/* Of the configuration, srp.*: a pre-shared key, or the three others and the peer's name. What is
 * not set is "". */
struct tls_files {
	char psk[CONFIG_PATH], ca[CONFIG_PATH], certificate[CONFIG_PATH], key[CONFIG_PATH];
	char peer_name[CONFIG_NAME];
};

/* Reads the files that are named, checks them, and who may read the secret ones.
 * NULL: `why` names file and reason. */
struct tls *tls_create(const struct tls_files *f, char why[TLS_WHY]);
/* Connections that it made may go on. */
void tls_destroy(struct tls *t);
/* The files are not those that were read: a new tls is due. True once for each change. */
bool tls_changed(struct tls *t, const struct tls_files *f);
/* Pre-shared key, as opposed to certificates. */
bool tls_pre_shared(const struct tls *t);

/* side: 0 accepted the connection, 1 made it; peer_name: what the peer's certificate must have.
 * NULL: no memory. */
struct tls_conn *tls_open(struct tls *t, int fd, unsigned int side, const char *peer_name);
/* The socket stays open. */
void tls_close(struct tls_conn *c);
/* Goes on with the handshake. TLS_DONE: what the own side can check of the peer was right.
 * TLS_FAILED: `why` says what is wrong and what to do. */
enum tls_step tls_handshake(struct tls_conn *c, char why[TLS_WHY]);
/* Waits for room to send rather than for bytes. */
bool tls_wants_write(const struct tls_conn *c);
/* Bytes; 0: none now; < 0: closed or failed, with the reason if it is more than a closed
 * connection, else "". */
ssize_t tls_recv(struct tls_conn *c, void *to, size_t n, char why[TLS_WHY]);
ssize_t tls_send(struct tls_conn *c, const void *from, size_t n);
/* The exporter's secrets (lib/repl/WIRE.md, "Keys") of a finished handshake. 0 or -EPROTO. */
int tls_secrets(struct tls_conn *c, uint8_t tx[KEYS_SECRET], uint8_t rx[KEYS_SECRET], uint16_t *id);

/* TLS as the pair's connection uses it: each member as the function of that name above. */
struct tls_ops {
	struct tls *(*create)(const struct tls_files *f, char why[TLS_WHY]);
	void (*destroy)(struct tls *t);
	bool (*changed)(struct tls *t, const struct tls_files *f);
	bool (*pre_shared)(const struct tls *t);
	struct tls_conn *(*open)(struct tls *t, int fd, unsigned int side, const char *peer_name);
	void (*close)(struct tls_conn *c);
	enum tls_step (*handshake)(struct tls_conn *c, char why[TLS_WHY]);
	bool (*wants_write)(const struct tls_conn *c);
	ssize_t (*recv)(struct tls_conn *c, void *to, size_t n, char why[TLS_WHY]);
	ssize_t (*send)(struct tls_conn *c, const void *from, size_t n);
	int (*secrets)(
		struct tls_conn *c, uint8_t tx[KEYS_SECRET], uint8_t rx[KEYS_SECRET], uint16_t *id);
};

extern const struct tls_ops tls_openssl;

/* tls_openssl, unless the process chooses another before the pair is made. */
extern const struct tls_ops *tls_ops;

#endif
