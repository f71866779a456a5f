/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of the stream through the keys: what leaves is sealed, what arrives is opened or counted
 * by the reason why not. With srp.insecure they pass as they are. */
#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "replicator_priv.h"

int replicator_secure(struct replicator *r)
{
	const struct keys_params p = { .leads = r->env.side == 0, .expand = crypt_ops->expand };

	if (r->env.start.insecure)
		return 0;
	if (r->env.crypt == NULL)
		return -ENODEV;
	r->crypt = r->env.crypt;
	repl_keys(r->stream, &r->keys);
	return keys_init(&r->keys, &p);
}

void replicator_keys_turn(struct replicator *r)
{
	if (r->crypt != NULL && keys_tick(&r->keys, r->now))
		crypt_ops->sync(r->crypt, &r->keys);
}

bool replicator_key(struct replicator *r, struct to_replicator_key *m)
{
	bool ok = r->crypt != NULL &&
		  keys_connect(&r->keys, m->tx_secret, m->rx_secret, m->key_id, r->now) == 0;
	explicit_bzero(m->tx_secret, sizeof(m->tx_secret));
	explicit_bzero(m->rx_secret, sizeof(m->rx_secret));
	if (ok)
		crypt_ops->sync(r->crypt, &r->keys);
	return ok;
}

static uint64_t replicator_packet_number(const uint8_t *pkt)
{
	rte_be64_t number;

	memcpy(&number, pkt + REPL_NUMBER_AT, sizeof(number));
	return rte_be_to_cpu_64(number);
}

/* Decided for all of a burst before any is opened, then taken in order of arrival: what one of them
 * moves (a phase, a key that was seen) does not change the slots that the others were given. */
void replicator_take(struct replicator *r, const struct arrived *a, unsigned int n)
{
	struct crypt_packet p[REPLICATOR_BURST];
	unsigned int k = 0;

	if (r->crypt == NULL) {
		for (unsigned int i = 0; i < n; i++)
			repl_input(r->stream, rte_pktmbuf_mtod_offset(a[i].m, uint8_t *, a[i].at),
				a[i].len, r->now);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		int slot =
			keys_packet(&r->keys, rte_pktmbuf_mtod_offset(a[i].m, uint8_t *, a[i].at),
				a[i].len, r->env.incarnation, r->now);

		if (slot >= 0)
			p[k++] = (struct crypt_packet){ .m = a[i].m,
				.at = a[i].at,
				.len = (uint16_t)(a[i].len - REPL_TAG),
				.slot = slot };
		else if (slot != -ELOOP)
			r->unopened = r->now;
	}
	if (k > 0)
		crypt_ops->run(r->crypt, &r->keys, p, k);
	for (unsigned int i = 0; i < k; i++) {
		const uint8_t *pkt = rte_pktmbuf_mtod_offset(p[i].m, uint8_t *, p[i].at);

		if (p[i].good) {
			keys_opened(&r->keys, p[i].slot, replicator_packet_number(pkt), r->now);
			repl_input(r->stream, pkt, p[i].len, r->now);
		} else if (!crypt_ops->failed(r->crypt)) {
			keys_forged(&r->keys);
			r->unopened = r->now;
		}
	}
}

/* The packets that may be sent, in order, are left at the beginning of m; the others are freed:
 * they become losses. */
unsigned int replicator_seal(
	struct replicator *r, struct rte_mbuf **m, const int *slot, unsigned int n)
{
	struct crypt_packet p[REPLICATOR_BURST];
	unsigned int k = 0;

	if (r->crypt == NULL)
		return n;
	for (unsigned int i = 0; i < n; i++)
		p[i] = (struct crypt_packet){
			.m = m[i], .len = (uint16_t)(m[i]->data_len - REPL_TAG), .slot = slot[i]
		};
	crypt_ops->run(r->crypt, &r->keys, p, n);
	for (unsigned int i = 0; i < n; i++) {
		if (p[i].good) {
			m[k++] = p[i].m;
			continue;
		}
		r->count.tx_unsealed++;
		rte_pktmbuf_free(p[i].m);
	}
	return k;
}
