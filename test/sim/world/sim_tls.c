/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS between the chassis: a handshake of three messages that exchanges nonces, with the stream
 * of bytes behind it as it is. Both ends derive the same secrets and id, of no other connection.
 * Nobody but the peer is on the other end. */
#include "pair/tls.h"

#include "sim.h"

enum { HELLO = 1 + 8, FINISHED = 1 };

struct tls_conn {
	int fd;
	unsigned int side;
	bool said, done;
	uint8_t in[HELLO];
	size_t n_in;
	uint64_t nonce[2]; /* by side */
};

static struct tls *tls_sim_create(const struct tls_files *f, char why[TLS_WHY])
{
	return (struct tls *)me();
}

static void tls_sim_destroy(struct tls *t) {}

static bool tls_sim_changed(struct tls *t, const struct tls_files *f)
{
	return false;
}

static bool tls_sim_pre_shared(const struct tls *t)
{
	return true;
}

static struct tls_conn *tls_sim_open(
	struct tls *t, int fd, unsigned int side, const char *peer_name)
{
	struct tls_conn *c = memory_take("tls", sizeof(*c), 0);

	c->fd = fd;
	c->side = side;
	c->nonce[side] = rnd(UINT64_MAX);
	return c;
}

static void tls_sim_close(struct tls_conn *c) {}

static void say(struct tls_conn *c)
{
	uint8_t hello[HELLO] = { 0x16 };

	memcpy(hello + 1, &c->nonce[c->side], 8);
	if (sock_sim_send(c->fd, hello, sizeof(hello), 0) == (ssize_t)sizeof(hello))
		c->said = true;
}

/* What is still wanted of the peer's `want` bytes: 0 all there, < 0 the connection is lost. */
static int hear(struct tls_conn *c, size_t want)
{
	ssize_t n = sock_sim_recv(c->fd, c->in + c->n_in, want - c->n_in, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		return -1;
	c->n_in += n > 0 ? (size_t)n : 0;
	return (int)(want - c->n_in);
}

/* Side 1 asks, side 0 answers, side 1 confirms. */
static enum tls_step tls_sim_handshake(struct tls_conn *c, char why[TLS_WHY])
{
	static const uint8_t finished = 0x14;
	int wanted;

	if (c->side == 1 && !c->said)
		say(c);
	for (; !c->done; c->n_in = 0) {
		bool last = c->side == 0 && c->said;

		wanted = hear(c, last ? FINISHED : HELLO);
		if (wanted > 0)
			return TLS_AGAIN;
		if (wanted < 0 || c->in[0] != (last ? finished : 0x16)) {
			snprintf(why, TLS_WHY, "the connection was lost in the handshake");
			return TLS_FAILED;
		}
		if (last) {
			c->done = true;
			break;
		}
		memcpy(&c->nonce[!c->side], c->in + 1, 8);
		if (c->side == 0)
			say(c);
		else
			c->done = sock_sim_send(c->fd, &finished, sizeof(finished), 0) == FINISHED;
		if (!(c->side == 0 ? c->said : c->done)) {
			snprintf(why, TLS_WHY, "the connection was lost in the handshake");
			return TLS_FAILED;
		}
	}
	return TLS_DONE;
}

static bool tls_sim_wants_write(const struct tls_conn *c)
{
	return false;
}

static ssize_t tls_sim_recv(struct tls_conn *c, void *to, size_t n, char why[TLS_WHY])
{
	ssize_t got = sock_sim_recv(c->fd, to, n, 0);

	why[0] = '\0';
	if (got < 0 && errno == EAGAIN)
		return 0;
	return got > 0 ? got : -1;
}

static ssize_t tls_sim_send(struct tls_conn *c, const void *from, size_t n)
{
	ssize_t sent = sock_sim_send(c->fd, from, n, 0);

	return sent < 0 && errno == EAGAIN ? 0 : sent;
}

static int tls_sim_secrets(
	struct tls_conn *c, uint8_t tx[KEYS_SECRET], uint8_t rx[KEYS_SECRET], uint16_t *id)
{
	uint64_t both[2] = { c->nonce[0], c->nonce[1] };

	for (uint64_t i = 0; i < KEYS_SECRET / 8; i++) {
		uint64_t of[2] = { crypt_mix(both, 2, 2 * i), crypt_mix(both, 2, 2 * i + 1) };

		memcpy(tx + 8 * i, &of[c->side], 8);
		memcpy(rx + 8 * i, &of[!c->side], 8);
	}
	*id = (uint16_t)(1 + crypt_mix(both, 2, 99) % (sim.key_ids > 0 ? sim.key_ids : UINT16_MAX));
	return 0;
}

const struct tls_ops tls_sim = { tls_sim_create, tls_sim_destroy, tls_sim_changed,
	tls_sim_pre_shared, tls_sim_open, tls_sim_close, tls_sim_handshake, tls_sim_wants_write,
	tls_sim_recv, tls_sim_send, tls_sim_secrets };
