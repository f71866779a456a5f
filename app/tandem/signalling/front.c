/* SPDX-License-Identifier: BSD-3-Clause */
#include "front.h"

#include <errno.h>
#include <string.h>

#include "base/sock.h"
#include "cores/role.h"

enum { FRONT_ROUNDS = 4, FRONT_ANSWERED_US = 30000000, FRONT_RCVBUF = 4 << 20 };

int front_open(struct front *f, const struct signalling_env *env)
{
	int size = FRONT_RCVBUF, ret = heard_open(&f->heard, env);

	f->fd = -1;
	f->direct.env = env;
	f->pending = gtpc_pending_create();
	f->answered = gtpc_answered_create(FRONT_ANSWERED_US, &env->secret);
	if (ret < 0 || f->pending == NULL || f->answered == NULL)
		return -ENOMEM;
	f->fd = sock_bound(&env->start.gtp, GTPC_PORT, SOCK_DGRAM);
	if (f->fd < 0)
		return f->fd;
	ret = sock_want_interface(f->fd);
	if (ret < 0)
		return ret;
	/* Beyond the system's limit where we may. */
	if (sock_ops->set_option(f->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		sock_ops->set_option(f->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

void front_close(struct front *f)
{
	if (f->fd >= 0)
		sock_ops->close(f->fd);
	heard_close(&f->heard);
	gtpc_pending_destroy(f->pending);
	gtpc_answered_destroy(f->answered);
}

/* Whether the peer is heard at the port that the datagram came in by. */
static bool front_is_heard(struct front *f, const struct msghdr *m, const struct gtpc_peer *from)
{
	return heard_control(&f->heard, heard_port(&f->heard, sock_interface(m)), &from->addr);
}

void front_receive(struct front *f, front_handler *handler, void *ctx, usec_t now)
{
	struct sockaddr_storage from[FRONT_DATAGRAMS];
	struct sock_beside beside[FRONT_DATAGRAMS];
	struct mmsghdr msg[FRONT_DATAGRAMS];
	struct iovec iov[FRONT_DATAGRAMS];
	int n = FRONT_DATAGRAMS;

	for (unsigned int round = 0; round < FRONT_ROUNDS && n == FRONT_DATAGRAMS; round++) {
		for (unsigned int i = 0; i < FRONT_DATAGRAMS; i++) {
			iov[i] = (struct iovec){ f->in[i], FRONT_DATAGRAM };
			msg[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
				.msg_namelen = sizeof(from[i]),
				.msg_iov = &iov[i],
				.msg_iovlen = 1,
				.msg_control = &beside[i],
				.msg_controllen = sizeof(beside[i]) };
		}
		n = sock_ops->recv_many(f->fd, msg, FRONT_DATAGRAMS, MSG_DONTWAIT);
		/* n < 0: there is none; an ICMP error of a peer is no reason to stop. */
		for (int i = 0; i < n; i++) {
			struct gtpc_peer peer;

			sock_from(&from[i], &peer.addr, &peer.port);
			if (front_is_heard(f, &msg[i].msg_hdr, &peer))
				handler(ctx, &peer, f->in[i], msg[i].msg_len, now);
			f->direct.env->settled(f->direct.env->ctx);
		}
	}
}

/* All that signalling says by GTP-C passes the two functions below, so that whatever was decided to
 * be said earlier does not leave any more. */
static bool front_must_not_send(const struct front *f)
{
	return role_must_not_send(f->direct.env->role);
}

void front_flush(struct front *f)
{
	struct front_queue *q = &f->queue;
	unsigned int done = q->n > 0 && front_must_not_send(f) ? q->n : 0;

	f->count.tx_dropped += done;
	while (done < q->n) {
		int n = sock_ops->send_many(
			f->fd, q->msg + done, q->n - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		/* Full or unreachable: lost as on any UDP path; the peer repeats. */
		if (n <= 0) {
			f->count.tx_dropped++;
			n = 1;
		} else {
			f->count.tx += (unsigned int)n;
		}
		done += (unsigned int)n;
	}
	q->n = 0;
	q->used = 0;
}

void front_send(struct front *f, const struct gtpc_peer *to, const uint8_t *msg, size_t len)
{
	struct front_queue *q = &f->queue;
	unsigned int i;

	if (front_must_not_send(f)) {
		f->count.tx_dropped++;
		return;
	}
	if (direct_send(&f->direct, to, msg, len)) {
		f->count.tx++;
		return;
	}
	if (q->n == FRONT_BATCH)
		front_flush(f);
	i = q->n++;
	memcpy(q->bytes + q->used, msg, len);
	q->iov[i] = (struct iovec){ q->bytes + q->used, len };
	q->msg[i].msg_hdr = (struct msghdr){ .msg_name = &q->to[i],
		.msg_namelen = sock_address(&q->to[i], &to->addr, to->port),
		.msg_iov = &q->iov[i],
		.msg_iovlen = 1 };
	q->used += len;
}

void front_answer(
	struct front *f, const struct asked_request *q, const uint8_t *msg, size_t len, usec_t now)
{
	front_send(f, &q->peer, msg, len);
	gtpc_answered_put(f->answered, &q->peer, q->type, q->seq, q->digest, msg, len, now);
}

bool front_answer_again(struct front *f, const struct asked_request *q, usec_t now)
{
	size_t len;
	const uint8_t *msg =
		gtpc_answered_get(f->answered, &q->peer, q->type, q->seq, q->digest, &len, now);

	if (msg != NULL)
		front_send(f, &q->peer, msg, len);
	return msg != NULL;
}

bool front_ask(struct front *f, const struct gtpc_peer *to, uint16_t seq, const uint8_t *msg,
	size_t len, uint64_t cookie, usec_t now)
{
	if (gtpc_pending_add(f->pending, to, seq, msg, len, cookie, now) < 0)
		return false;
	f->count.own_requests++;
	front_send(f, to, msg, len);
	return true;
}

void front_turn(struct front *f,
	void (*unanswered)(void *ctx, const struct gtpc_peer *to, uint64_t cookie, usec_t now),
	void *ctx, usec_t now)
{
	const uint8_t *msg;
	struct gtpc_peer to;
	uint64_t cookie;
	size_t len;

	for (unsigned int i = 0; i < FRONT_DATAGRAMS; i++) {
		if (!gtpc_pending_due(f->pending, now, &to, &msg, &len, &cookie))
			return;
		if (len == 0) {
			f->count.own_unanswered++;
			unanswered(ctx, &to, cookie, now);
			continue;
		}
		f->count.own_retries++;
		front_send(f, &to, msg, len);
	}
}
