/* SPDX-License-Identifier: BSD-3-Clause */
/* control_gtp: what the files of the GTP-C procedures share. Control core only. */
#ifndef TANDEM_CONTROL_GTP_H
#define TANDEM_CONTROL_GTP_H

#include "process/control.h"

/* Of what a request says, to tell a repetition from another one with its number. */
uint32_t gtp_digest(const struct gtpc_header *h);
/* The pair's restart counter. */
uint8_t gtp_recovery(const struct control *c);
/* Refusals need no commit: they promise nothing. type: the request's. */
void gtp_refuse(struct control *c, const struct gtpc_peer *to, uint8_t type, uint32_t peer_teid,
	uint16_t seq, uint32_t digest, enum gtpc_cause cause, usec_t now);
/* What an accepted Create or Update is answered with; create: the request, for its PCO, or NULL. */
void gtp_fill_accept(struct control *c, const struct session_rec *rec,
	const struct gtpc_create *create, struct gtpc_accept *a);
/* A message of a peer, by whichever way it came. */
void gtp_datagram(
	struct control *c, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now);
/* To the next worker in turn; each tries all its shards. */
bool gtp_ask_create(struct control *c, struct txn *t);

/* control_request.c */
void gtp_create(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now);
void gtp_update(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now);
void gtp_delete(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now);

/* control_path.c: SGSNs, their Recovery and restarts (TS 29.060 11.2, TS 23.007) */
struct path *gtp_path(struct control *c, const struct ip_addr *addr, usec_t now);
/* A Recovery was heard: sessions of that SGSN which carry another one are gone with its restart. */
void gtp_heard_recovery(struct control *c, const struct ip_addr *addr, uint8_t value, usec_t now);

/* Echo Requests to SGSNs that were heard: a restart of one that has nothing else to say is learnt
 * from its answer. */
void gtp_echo_turn(struct control *c, usec_t now);
/* One was answered, or N3 of them were not. */
void gtp_echo_result(struct control *c, const struct ip_addr *addr, bool answered, usec_t now);

#endif
