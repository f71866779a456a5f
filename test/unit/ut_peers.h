/* SPDX-License-Identifier: BSD-3-Clause */
/* ut_peers: a table of GTP peers with one entry, for whoever needs somebody to be heard, and a
 * board of settings that has it. What they return is the caller's. */
#ifndef TANDEM_UT_PEERS_H
#define TANDEM_UT_PEERS_H

#include "cores/settings.h"
#include "peers/peer_numbers.h"
#include "peers/peers.h"

/* NULL: no memory, or no such prefix. */
static inline struct peers *ut_peers(uint32_t net4, uint8_t len, uint8_t ports)
{
	const struct peers_entry entry = { .name = "sgsns", .ports = ports };
	const struct peers_prefix prefix = { { ip_addr_v4(net4), len }, 0, PEERS_CONTROL };
	struct peer_numbers *numbers = peer_numbers_create();
	struct peers *p = NULL;

	if (peers_build(&p, &entry, 1, &prefix, 1) == 0)
		peer_numbers_give(numbers, p, NULL, NULL);
	peer_numbers_destroy(numbers);
	return p;
}

static inline struct settings_board *ut_peers_board(uint32_t net4, uint8_t len, uint8_t ports)
{
	struct peers *p = ut_peers(net4, len, ports);
	const struct settings s = { .peers = p };
	struct settings_board *b = settings_create(&s, NULL, 0);

	peers_drop(p);
	return b;
}

#endif
