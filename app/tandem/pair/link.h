/* SPDX-License-Identifier: BSD-3-Clause */
/* link: the SRP connection. Seat 0 listens, seat 1 connects; TLS unless srp.insecure. A connection
 * replaces the one that is up only when its peer has proven who it is and the replication core has
 * its keys. Who merely connects changes nothing. */
#ifndef TANDEM_PAIR_LINK_H
#define TANDEM_PAIR_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pair/tls.h"
#include "reactor/reactor.h"
#include "srp/frame.h"

struct pair;

enum { LINK_CONNS = 4 /* of the peer's address at once, proven or not */ };

enum link_state {
	LINK_FREE,
	LINK_TCP, /* connecting */
	LINK_TLS, /* handshake */
	/* own part of it is over: whether the peer took our certificate shows at its first byte */
	LINK_PROVE,
	LINK_KEY, /* the replication core is being given the connection's keys */
	LINK_UP
};

struct link_conn {
	struct source src; /* first: link_conn_of() */
	enum link_state state;
	struct tls_conn *tls; /* NULL: srp.insecure */
	usec_t by;            /* up by then, or dropped */
	uint64_t serial;
	uint16_t key_id;
	bool heard, used; /* a hello came over it; its key seals */
	uint8_t in[SRP_FRAME_MAX];
	size_t in_len;
	uint8_t out[8192];
	size_t out_len;
};

struct link {
	struct source listen;
	struct tls *tls; /* NULL: srp.insecure */
	struct link_conn conn[LINK_CONNS];
	struct link_conn *up; /* the one that srp talks over, NULL: none */
	uint64_t serials;
	uint32_t sealed_for; /* incarnation of the peer whose key seals, 0: none does yet */
	usec_t retry_at;
	/* connections from elsewhere; of somebody who is not the peer */
	uint64_t strangers, handshakes_failed;
	usec_t stranger_log, refused_log;
	char refused[TLS_WHY]; /* why the last one was */
};

/* ---- listen.c: where connections come from ---- */

/* 0 or -errno; what is there must be closed after a failure, too. */
int link_open(struct pair *p);
void link_close(struct pair *p);
void link_connect(struct pair *p, usec_t now);

/* ---- link.c: from a socket to a connection that is up ---- */

void link_turn(struct pair *p, usec_t now);
/* Takes a free one for a socket; of one that is connected the handshake begins. */
struct link_conn *link_take(struct pair *p, int fd, uint32_t events);
void link_established(struct pair *p, struct link_conn *l, usec_t now);

/* ---- link_conn.c: one connection's bytes and messages, and its end ---- */

/* How long something of the connection may take: a part of dead-interval, at most `most`. us. */
usec_t link_soon(const struct pair *p, usec_t most);
/* The socket is closed, and the connection is free again. */
void link_free(struct pair *p, struct link_conn *l);
/* It is closed, and will be made again. refused: nobody listened there. */
void link_lost(struct pair *p, struct link_conn *l, bool refused, usec_t now);
/* The same of the one that is up, and of all there are. */
void link_drop(struct pair *p, usec_t now);
void link_drop_all(struct pair *p, usec_t now);
/* Whoever is there is not the peer, or not set up as we are: reported once, then now and then while
 * it lasts. */
void link_refuse(struct pair *p, struct link_conn *l, const char *why, usec_t now);
/* Bytes; 0: none now; < 0: closed or failed, with the reason in `why` if there is more to say. */
ssize_t link_bytes_in(struct link_conn *l, uint8_t *to, size_t n, char why[TLS_WHY]);
/* One message: what it causes may close the connection, and comes before the next. */
void link_receive(struct pair *p, struct link_conn *l, usec_t now);
/* A message to the peer, if a connection is up. */
void link_send(struct pair *p, const uint8_t *msg, size_t len, usec_t now);
/* l: NULL is allowed. */
void link_flush(struct pair *p, struct link_conn *l, usec_t now);

#endif
