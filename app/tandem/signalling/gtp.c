/* SPDX-License-Identifier: BSD-3-Clause */
/* GTP-C (TS 29.060) on the VIP's UDP port 2123, by the kernel's socket or past it
 * (control_direct.h): requests become messages to the worker that owns the session, answers of
 * workers become responses. Nothing is answered unless this chassis is active. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "direct.h"
#include "gtp.h"
#include "common/mutant.h"
#include "base/sock.h"

enum { DATAGRAMS = 64, DATAGRAM = 2048, ROUNDS = 4, ANSWERED_TTL_US = 30000000, RCVBUF = 4 << 20 };

void gtp_flush(struct control *c)
{
	struct gtp_out *o = &c->gtp.out;
	unsigned int done = 0;

	while (done < o->n) {
		int n = sendmmsg(
			c->gtp.c.fd, o->msg + done, o->n - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		/* Full or unreachable: lost as on any UDP path; the peer repeats. */
		done += n > 0 ? (unsigned int)n : 1;
	}
	o->n = 0;
	o->used = 0;
}

void gtp_send(struct control *c, const struct gtpc_peer *to, const uint8_t *msg, size_t len)
{
	struct gtp_out *o = &c->gtp.out;
	unsigned int i;

	c->gtp.count.tx++;
	if (direct_send(c, to, msg, len))
		return;
	if (o->n == GTP_BATCH)
		gtp_flush(c);
	i = o->n++;
	memcpy(o->bytes + o->used, msg, len);
	o->iov[i] = (struct iovec){ o->bytes + o->used, len };
	o->msg[i].msg_hdr = (struct msghdr){ .msg_name = &o->to[i],
		.msg_namelen = sock_address(&o->to[i], &to->addr, to->port),
		.msg_iov = &o->iov[i],
		.msg_iovlen = 1 };
	o->used += len;
}

uint8_t gtp_recovery(const struct control *c)
{
	return srp_info(c->srp)->restart_counter;
}

uint32_t gtp_digest(const struct gtpc_header *h)
{
	/* FNV-1a: the bytes lie at any address, and are few */
	uint32_t hash = 2166136261u ^ h->teid;

	for (size_t i = 0; i < h->ies_len; i++)
		hash = (hash ^ h->ies[i]) * 16777619u;
	return hash;
}

static void count_cause(struct control *c, enum gtpc_cause cause)
{
	struct gtpc_counters *n = &c->gtp.count;

	switch (cause) {
	case GTPC_MANDATORY_IE_MISSING:
		n->rejected_missing_ie++;
		break;
	case GTPC_MANDATORY_IE_INCORRECT:
	case GTPC_OPTIONAL_IE_INCORRECT:
		n->rejected_bad_ie++;
		break;
	case GTPC_INVALID_MESSAGE_FORMAT:
		n->rejected_format++;
		break;
	case GTPC_UNKNOWN_APN:
		n->rejected_unknown_apn++;
		break;
	case GTPC_UNKNOWN_PDP_TYPE:
	case GTPC_SERVICE_NOT_SUPPORTED:
		n->rejected_pdp_type++;
		break;
	case GTPC_ALL_ADDRESSES_OCCUPIED:
		n->rejected_no_addresses++;
		break;
	case GTPC_NO_RESOURCES:
	case GTPC_NO_MEMORY:
		n->rejected_no_resources++;
		break;
	case GTPC_NON_EXISTENT:
	case GTPC_CONTEXT_NOT_FOUND:
		n->rejected_not_found++;
		break;
	case GTPC_USER_AUTHENTICATION_FAILED:
		n->rejected_authentication++;
		break;
	default:
		n->rejected_system_failure++;
		break;
	}
}

void gtp_refuse(struct control *c, const struct gtpc_peer *to, uint8_t type, uint32_t peer_teid,
	uint16_t seq, uint32_t digest, enum gtpc_cause cause, usec_t now)
{
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = gtpc_encode_cause_response(
		buf, (enum gtpc_type)(type + 1), peer_teid, seq, cause, gtp_recovery(c), false);

	count_cause(c, cause);
	gtp_send(c, to, buf, len);
	gtpc_answered_put(c->gtp.answered, to, type, seq, digest, buf, len, now);
}

static void response(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	bool has_recovery;
	uint8_t cause, value;
	uint64_t cookie;

	if (gtpc_decode_response(h, &cause, &has_recovery, &value) < 0 ||
		!gtpc_pending_answered(c->gtp.pending, from, h->seq, &cookie)) {
		c->gtp.count.drop_response_unmatched++;
		return;
	}
	if (cookie == GTP_COOKIE_ECHO)
		gtp_echo_result(c, &from->addr, true, now);
	if (has_recovery)
		gtp_heard_recovery(c, &from->addr, value, now);
}

static void echo(struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h)
{
	uint8_t buf[GTPC_MSG_MAX];

	c->gtp.count.echo_requests++;
	gtp_send(c, from, buf, gtpc_encode_echo_response(buf, h->seq, gtp_recovery(c)));
	c->gtp.count.echo_responses++;
}

static void request(
	struct control *c, const struct gtpc_peer *from, const struct gtpc_header *h, usec_t now)
{
	const uint8_t *again;
	size_t len;

	/* a switchover is on its way: whoever is active then answers the repetition */
	if (pair_holds(c->pair)) {
		c->gtp.count.drop_held++;
		return;
	}
	again = gtpc_answered_get(c->gtp.answered, from, h->type, h->seq, gtp_digest(h), &len, now);
	if (again != NULL) {
		c->gtp.count.retransmissions++;
		gtp_send(c, from, again, len);
		return;
	}
	if (txn_in_progress(c, from, h->type, h->seq, gtp_digest(h)) != NULL) {
		c->gtp.count.retransmissions++;
		return;
	}
	if (h->type == GTPC_CREATE_REQUEST)
		gtp_create(c, from, h, now);
	else if (h->type == GTPC_UPDATE_REQUEST)
		gtp_update(c, from, h, now);
	else
		gtp_delete(c, from, h, now);
}

void gtp_datagram(
	struct control *c, const struct gtpc_peer *from, const uint8_t *p, size_t len, usec_t now)
{
	struct gtpc_counters *n = &c->gtp.count;
	struct gtpc_header h;
	uint8_t buf[GTPC_MSG_MAX];

	n->rx++;
	if (!pair_answers(c->pair) || srp_info(c->srp)->mute) {
		n->drop_not_active++;
		return;
	}
	switch (gtpc_decode_header(p, len, &h)) {
	case GTPC_OK:
		break;
	case GTPC_DROP_SHORT:
		n->drop_short++;
		return;
	case GTPC_DROP_NOT_GTP:
		n->drop_not_gtp++;
		return;
	case GTPC_DROP_LENGTH:
		n->drop_length++;
		return;
	case GTPC_DROP_UNKNOWN_TYPE:
		n->drop_unknown_type++;
		return;
	case GTPC_ANSWER_VERSION:
		n->version_not_supported++;
		gtp_send(c, from, buf, gtpc_encode_version_not_supported(buf, h.seq));
		return;
	case GTPC_ANSWER_EXTENSION:
		n->extension_not_supported++;
		gtp_send(c, from, buf, gtpc_encode_supported_extension_headers(buf, h.seq));
		return;
	}
	switch (h.type) {
	case GTPC_ECHO_REQUEST:
		echo(c, from, &h);
		break;
	case GTPC_CREATE_REQUEST:
	case GTPC_UPDATE_REQUEST:
	case GTPC_DELETE_REQUEST:
		request(c, from, &h, now);
		break;
	case GTPC_ECHO_RESPONSE:
	case GTPC_DELETE_RESPONSE:
		response(c, from, &h, now);
		break;
	default:
		n->drop_unknown_type++;
		break;
	}
}

static void on_gtpc(void *ctx, struct source *s, uint32_t events)
{
	struct control *c = ctx;
	static uint8_t buf[DATAGRAMS][DATAGRAM]; /* one control core */
	struct sockaddr_storage from[DATAGRAMS];
	struct mmsghdr msg[DATAGRAMS];
	struct iovec iov[DATAGRAMS];
	usec_t now = clock_us();
	int n = DATAGRAMS;

	(void)events;
	for (unsigned int round = 0; round < ROUNDS && n == DATAGRAMS; round++) {
		for (unsigned int i = 0; i < DATAGRAMS; i++) {
			iov[i] = (struct iovec){ buf[i], DATAGRAM };
			msg[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
				.msg_namelen = sizeof(from[i]),
				.msg_iov = &iov[i],
				.msg_iovlen = 1 };
		}
		n = recvmmsg(s->fd, msg, DATAGRAMS, MSG_DONTWAIT, NULL);
		/* n < 0: none; an ICMP error of a peer is no reason to stop */
		for (int i = 0; i < n; i++) {
			struct gtpc_peer peer;

			sock_from(&from[i], &peer.addr, &peer.port);
			gtp_datagram(c, &peer, buf[i], msg[i].msg_len, now);
		}
	}
}

void gtp_turn(struct control *c, usec_t now)
{
	const uint8_t *msg;
	struct gtpc_peer to;
	uint64_t cookie;
	size_t len;

	for (unsigned int i = 0;
		i < DATAGRAMS && gtpc_pending_due(c->gtp.pending, now, &to, &msg, &len, &cookie);
		i++) {
		if (len == 0) {
			c->gtp.count.own_unanswered++;
			if (cookie == GTP_COOKIE_ECHO)
				gtp_echo_result(c, &to.addr, false, now);
			continue;
		}
		c->gtp.count.own_retries++;
		gtp_send(c, &to, msg, len);
	}
	gtp_echo_turn(c, now);
}

void gtp_activated(struct control *c, bool planned, usec_t now)
{
	c->gtp.live_most = T.conf->table.max_sessions; /* not known: to be counted */
	c->gtp.next_charging = (uint32_t)(srp_info(c->srp)->term << 20) | 1;
	c->gtp.ei_from = planned || MUTANT(error_at_once) ? now : now + 3 * USEC_PER_SEC;
	for (unsigned int i = 0; i < c->gtp.n_paths; i++)
		c->gtp.paths[i].checked = false; /* the slots may have changed hands */
}

void gtp_deactivated(struct control *c)
{
	for (unsigned int i = 0; i < c->gtp.n_touched; i++)
		if (c->gtp.txns[i].used)
			txn_free(c,
				/* never answered: the new active answers the repetition */
				&c->gtp.txns[i]);
	gtpc_pending_clear(c->gtp.pending);
	/* What was true of our sessions is the other's to say from now on: the session of a Create
	 * that comes again after we are Active once more may be gone, and its address another's.
	 * The slots know the last answer of those that live. */
	gtpc_answered_clear(c->gtp.answered);
	c->gtp.gate_closed = false;
}

int gtp_open(struct control *c)
{
	struct gtp *g = &c->gtp;
	int fd, size = RCVBUF;

	g->pending = gtpc_pending_create();
	g->answered = gtpc_answered_create(ANSWERED_TTL_US);
	g->txns = rte_zmalloc("txns", GATE_MAX * sizeof(*g->txns), 0);
	if (g->pending == NULL || g->answered == NULL || g->txns == NULL)
		return -ENOMEM;
	gate_open(g);
	fd = sock_bound(&config_gtp(T.conf)->address, GTPC_PORT, SOCK_DGRAM);
	if (fd < 0)
		return fd;
	/* Beyond the system's limit where we may. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return reactor_watch(c->reactor, &g->c, fd, EPOLLIN, on_gtpc, c);
}

void gtp_close(struct control *c)
{
	reactor_unwatch(c->reactor, &c->gtp.c);
	reactor_unwatch(c->reactor, &c->gtp.u);
	gtpc_pending_destroy(c->gtp.pending);
	gtpc_answered_destroy(c->gtp.answered);
	rte_free(c->gtp.txns);
}
