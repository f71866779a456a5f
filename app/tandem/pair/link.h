/* SPDX-License-Identifier: BSD-3-Clause */
/* link: the SRP connection. Seat 0 listens, seat 1 connects; TLS unless srp.insecure. A connection
 * replaces the one that is up only when its peer has proven who it is and the replication core has
 * its keys. Who merely connects changes nothing. What happens to a connection is reported to
 * lib/srp, which only records what it wants done. */
#ifndef TANDEM_PAIR_LINK_H
#define TANDEM_PAIR_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pair/pair.h"
#include "pair/tls.h"
#include "reactor/reactor.h"
#include "srp/frame.h"

#define PAIR_ALARM_REFUSED "srp-peer-refused"

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

/* What a link has of the pair, which outlives it. */
struct link_pair {
	struct srp *srp; /* what connections bring is handed to it */
	const struct pair_start *start;
	const struct pair_live *live; /* its files are read again before the next connection */
	struct pair_peer *peer;       /* the other end; w: its incarnation, and its name */
	uint8_t seat;
};

struct link {
	struct pair_connection with;
	struct link_pair pair;
	usec_t now; /* as link_woke() said last: what sockets bring is of this time */
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

/* NULL + errno. Both are copied. */
struct link *link_create(
	const struct pair_connection *with, const struct link_pair *pair, usec_t now);
/* Closes all connections. NULL is allowed. */
void link_destroy(struct link *link);
void link_connect(struct link *link, usec_t now);
/* Another peer is at the other end from now on. */
void link_replace_peer(struct link *link, const struct pair_peer *peer, usec_t now);

/* ---- link.c: from a socket to a connection that is up ---- */

void link_woke(struct link *link, usec_t now);
void link_turn(struct link *link, usec_t now);
/* The same, once this chassis has said goodbye. */
void link_leave(struct link *link, usec_t now);
/* The replication core has the keys of a connection, or cannot take them. */
void link_keyed(struct link *link, const struct from_replicator_keyed *m, usec_t now);
/* Takes a free one for a socket; of one that is connected the handshake begins. */
struct link_conn *link_take(struct link *link, int fd, uint32_t events);
void link_established(struct link *link, struct link_conn *l, usec_t now);

/* ---- link_conn.c: one connection's bytes and messages, and its end ---- */

/* How long something of the connection may take: a part of dead-interval, at most `most`. us. */
usec_t link_soon(const struct link *link, usec_t most);
/* The socket is closed, and the connection is free again. */
void link_free(struct link *link, struct link_conn *l);
/* It is closed, and will be made again. refused: nobody listened there. */
void link_lost(struct link *link, struct link_conn *l, bool refused, usec_t now);
/* The same of the one that is up, and of all there are. */
void link_drop(struct link *link, usec_t now);
void link_drop_all(struct link *link, usec_t now);
/* Whoever is there is not the peer, or not set up as we are: reported once, then now and then while
 * it lasts. */
void link_refuse(struct link *link, struct link_conn *l, const char *why, usec_t now);
/* Bytes; 0: none now; < 0: closed or failed, with the reason in `why` if there is more to say. */
ssize_t link_bytes_in(struct link_conn *l, uint8_t *to, size_t n, char why[TLS_WHY]);
/* One message: what it causes may close the connection, and comes before the next. */
void link_receive(struct link *link, struct link_conn *l, usec_t now);
/* A message to the peer, if a connection is up. */
void link_send(struct link *link, const uint8_t *msg, size_t len, usec_t now);
/* l: NULL is allowed. */
void link_flush(struct link *link, struct link_conn *l, usec_t now);

#endif
