/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "gtp/gtpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An accepted Create is answered from what was decoded, as the daemon does, and the answer must be
 * readable. */
static void answer(const struct gtpc_header *h, const struct gtpc_create *c)
{
	struct gtpc_accept a = { .peer_ctl_teid = c->peer_ctl_teid,
		.seq = h->seq,
		.nsapi = c->nsapi,
		.ctl_teid = 1,
		.usr_teid = 1,
		.ue = c->ue,
		.ctl = c->peer_ctl,
		.usr = c->peer_usr,
		.dns = { ip_addr_v4(0x08080808), c->ue },
		.pco = c->pco,
		.pco_len = c->pco_len,
		.qos = c->qos,
		.qos_len = c->qos_len };
	uint8_t buf[GTPC_MSG_MAX];
	size_t len = gtpc_encode_create_response(buf, &a);
	struct gtpc_header back;
	uint8_t cause, recovery;
	bool has_recovery;

	if (len == 0 || gtpc_decode_header(buf, len, &back) != GTPC_OK ||
		gtpc_decode_response(&back, &cause, &has_recovery, &recovery) < 0 ||
		cause != GTPC_REQUEST_ACCEPTED)
		abort();
}

/* What is taken of the answer to an Update of ours could be a session's. */
static void again(const struct gtpc_header *h, const struct gtpc_updated *u)
{
	struct gtpc_updated same;

	if ((u->has_usr_teid && u->peer_usr_teid == 0) || u->qos_len > GTPC_QOS_MAX ||
		(u->has_qos && u->qos_len < 4) || gtpc_decode_updated(h, &same) < 0 ||
		memcmp(u, &same, sizeof(same)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gtpc_header h;
	struct gtpc_create c;
	struct gtpc_update u;
	struct gtpc_delete d;
	struct gtpc_updated updated;
	uint8_t cause, recovery;
	bool has_recovery;

	if (gtpc_decode_header(data, size, &h) != GTPC_OK)
		return 0;
	if (gtpc_decode_create(&h, &c) == 0)
		answer(&h, &c);
	gtpc_decode_update(&h, &u);
	gtpc_decode_delete(&h, &d);
	if (gtpc_decode_updated(&h, &updated) == 0)
		again(&h, &updated);
	gtpc_decode_response(&h, &cause, &has_recovery, &recovery);
	return 0;
}
