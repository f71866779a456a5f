/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection: its bytes and messages, and how it ends. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_common.h>

#include "base/alarms.h"
#include "base/log.h"
#include "base/sock.h"
#include "cores/to_replicator.h"
#include "link.h"

enum { LEAST_US = 10000, RETRY_US = 200000, REFUSED_US = 1000000, LOG_US = 10000000 };

/* A quarter of dead-interval, within bounds: two chassis that start must find each other before
 * either counts as alone. */
usec_t link_soon(const struct link *link, usec_t most)
{
	return RTE_MIN(RTE_MAX(link->pair.live->dead_us / 4, (usec_t)LEAST_US), most);
}

void link_free(struct link *link, struct link_conn *l)
{
	tls_ops->close(l->tls);
	reactor_unwatch(link->with.reactor, &l->src);
	*l = (struct link_conn){ .src.fd = -1 };
}

void link_lost(struct link *link, struct link_conn *l, bool refused, usec_t now)
{
	bool was = link->up == l;

	link_free(link, l);
	if (was)
		link->up = NULL;
	link->retry_at = now + link_soon(link, RETRY_US);
	if (was || refused)
		srp_disconnected(link->pair.srp, refused, now);
}

void link_drop(struct link *link, usec_t now)
{
	if (link->up != NULL)
		link_lost(link, link->up, false, now);
}

void link_drop_all(struct link *link, usec_t now)
{
	for (unsigned int i = 0; i < LINK_CONNS; i++)
		if (link->conn[i].state != LINK_FREE)
			link_lost(link, &link->conn[i], false, now);
}

void link_refuse(struct link *link, struct link_conn *l, const char *why, usec_t now)
{
	link->handshakes_failed++;
	if (strcmp(link->refused, why) != 0 || now >= link->refused_log) {
		snprintf(link->refused, sizeof(link->refused), "%s", why);
		link->refused_log = now + LOG_US;
		LOG(WARNING, "SRP: a connection was refused total=%lu reason=%s",
			(unsigned long)link->handshakes_failed, LOG_TEXT(why));
	}
	if (link->up == NULL)
		alarms_raise(link->with.alarms, PAIR_ALARM_REFUSED, why, now);
	link_lost(link, l, false, now);
	link->retry_at = now + link_soon(link, REFUSED_US);
}

ssize_t link_bytes_in(struct link_conn *l, uint8_t *to, size_t n, char why[TLS_WHY])
{
	ssize_t got;

	why[0] = '\0';
	if (l->tls != NULL)
		return tls_ops->recv(l->tls, to, n, why);
	got = sock_ops->recv(l->src.fd, to, n, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return got > 0 ? got : -1;
}

static ssize_t link_bytes_out(struct link_conn *l, const uint8_t *from, size_t n)
{
	ssize_t sent;

	if (l->tls != NULL)
		return tls_ops->send(l->tls, from, n);
	sent = sock_ops->send(l->src.fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

/* ---- messages: `length u16 | message` ---- */

/* A hello over this connection is the peer's word that it opens what this connection's key
 * seals. */
static void link_hello(struct link *link, struct link_conn *l, usec_t now)
{
	uint32_t peer = srp_info(link->pair.srp)->peer.incarnation;
	bool restarted = link->sealed_for != 0 && link->sealed_for != peer;

	link->pair.peer->incarnation = peer;
	if (!l->heard) {
		l->heard = true;
		link->refused[0] = '\0';
		alarms_clear(link->with.alarms, PAIR_ALARM_REFUSED, now);
	}
	if (l->used || l->tls == NULL)
		return;
	/* without room the next hello does it */
	l->used = to_replicator_send(link->with.to_replicator,
			  to_replicator_key_use(link->with.msgs, l->key_id, restarted)) == 0;
	if (l->used)
		link->sealed_for = peer;
}

static void link_message(struct link *link, struct link_conn *l, usec_t now)
{
	uint64_t hellos = srp_info(link->pair.srp)->count.hellos_received;
	size_t len = l->in_len - SRP_FRAME_HEAD;

	l->in_len = 0;
	srp_message(link->pair.srp, l->in + SRP_FRAME_HEAD, len, now);
	if (srp_info(link->pair.srp)->count.hellos_received != hellos)
		link_hello(link, l, now);
}

/* What the first bytes of a peer say that speaks TLS to us in plain text. */
static bool link_is_tls(const struct link_conn *l)
{
	return l->tls == NULL && (l->in[0] == 0x16 || l->in[0] == 0x15) && l->in[1] == 0x03;
}

/* In plain text everybody is up who connects, until he says something that the peer does not
 * say. */
static void link_not_peer(struct link *link, struct link_conn *l, const char *why, usec_t now)
{
	link->up = NULL;
	srp_disconnected(link->pair.srp, false, now);
	link_refuse(link, l, why, now);
}

void link_receive(struct link *link, struct link_conn *l, usec_t now)
{
	char why[TLS_WHY];

	for (;;) {
		int want = srp_frame_wanted(l->in, l->in_len);
		ssize_t n;

		if (want < 0) {
			if (link_is_tls(l))
				snprintf(why, sizeof(why),
					"the peer speaks TLS, here insecure = true is set: both "
					"must say the same");
			else
				snprintf(why, sizeof(why), "a message of %zu bytes: closing",
					srp_frame_length(l->in));
			link->up = NULL; /* it was none */
			srp_disconnected(link->pair.srp, false, now);
			link_refuse(link, l, why, now);
			return;
		}
		if (want == 0) {
			link_message(link, l, now);
			reactor_again(link->with.reactor, &l->src);
			return;
		}
		n = link_bytes_in(l, l->in + l->in_len, (size_t)want, why);
		if (n < 0) {
			if (why[0] != '\0')
				LOG(WARNING, "the SRP connection ended reason=%s", LOG_TEXT(why));
			if (l->tls == NULL && !l->heard)
				link_not_peer(link, l,
					"the peer closed the connection without a hello: if it "
					"wants TLS, insecure = true must go here; see its log",
					now);
			else
				link_lost(link, l, false, now);
		}
		if (n <= 0)
			return;
		l->in_len += (size_t)n;
	}
}

void link_flush(struct link *link, struct link_conn *l, usec_t now)
{
	ssize_t n;

	if (l == NULL || l->out_len == 0)
		return;
	n = link_bytes_out(l, l->out, l->out_len);
	if (n < 0) {
		link_lost(link, l, false, now);
		return;
	}
	l->out_len -= (size_t)n;
	memmove(l->out, l->out + n, l->out_len);
}

void link_send(struct link *link, const uint8_t *msg, size_t len, usec_t now)
{
	struct link_conn *l = link->up;

	if (l == NULL)
		return;
	/* the peer does not read: that is a lost connection */
	if (l->out_len + 2 + len > sizeof(l->out)) {
		link_lost(link, l, false, now);
		return;
	}
	l->out[l->out_len++] = (uint8_t)(len >> 8);
	l->out[l->out_len++] = (uint8_t)len;
	memcpy(l->out + l->out_len, msg, len);
	l->out_len += len;
	link_flush(link, l, now);
}
