/* SPDX-License-Identifier: BSD-3-Clause */
/* front: GTP-C's bytes in and out: the socket on the VIP's port 2123, the direct way past the
 * kernel, the gateway's own requests until they are answered, and the answers that were given, for
 * requests that come again. Control core only. */
#ifndef TANDEM_SIGNALLING_FRONT_H
#define TANDEM_SIGNALLING_FRONT_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "asked.h"
#include "direct.h"
#include "heard.h"

enum {
	FRONT_BATCH = 64,
	FRONT_DATAGRAMS = 64,  /* that are read at once */
	FRONT_DATAGRAM = 2048, /* bytes of one */
};

/* The cookie of an Echo Request; those of other requests of our own are lib/pdp's. */
#define FRONT_COOKIE_ECHO UINT64_MAX

/* Messages that leave the socket together, at the end of a turn at the latest. */
struct front_queue {
	unsigned int n;
	size_t used; /* of bytes */
	struct mmsghdr msg[FRONT_BATCH];
	struct iovec iov[FRONT_BATCH];
	struct sockaddr_storage to[FRONT_BATCH];
	uint8_t bytes[FRONT_BATCH * GTPC_MSG_MAX];
};

struct front {
	int fd;
	struct direct direct;
	struct heard heard; /* GTP-U's, too */
	struct front_queue queue;
	struct gtpc_pending *pending;
	struct gtpc_answered *answered;
	struct gtpc_counters count; /* of the whole protocol */
	uint8_t in[FRONT_DATAGRAMS][FRONT_DATAGRAM];
};

typedef void front_handler(
	void *ctx, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now);

/* 0 or -errno. front_close() frees what there is, after a failure too. */
int front_open(struct front *f, const struct signalling_env *env);
void front_close(struct front *f);
/* Hands over what waits in the socket and is a peer's, within bounds. */
void front_receive(struct front *f, front_handler *handler, void *ctx, usec_t now);
/* Sends past the kernel at once, or queues for front_flush(). Nothing leaves by either when
 * role_must_not_send() (cores/role.h): to the peer it is lost on its way. */
void front_send(struct front *f, const struct gtpc_peer *to, const uint8_t *msg, size_t len);
void front_flush(struct front *f);

/* The answer to a request; a repetition gets the same, true if there is one. */
void front_answer(
	struct front *f, const struct asked_request *q, const uint8_t *msg, size_t len, usec_t now);
bool front_answer_again(struct front *f, const struct asked_request *q, usec_t now);

/* A request of our own: it is sent again until it is answered or was not, N3 times. Its sequence
 * number comes from gtpc_pending_seq(f->pending); the cookie is given back with the result. Whether
 * it was sent. */
bool front_ask(struct front *f, const struct gtpc_peer *to, uint16_t seq, const uint8_t *msg,
	size_t len, uint64_t cookie, usec_t now);
/* Repeats what is due. `unanswered` is called for each that ran out of tries. */
void front_turn(struct front *f,
	void (*unanswered)(void *ctx, const struct gtpc_peer *to, uint64_t cookie, usec_t now),
	void *ctx, usec_t now);

#endif
