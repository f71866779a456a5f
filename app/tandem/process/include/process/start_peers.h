/* SPDX-License-Identifier: BSD-3-Clause */
/* start_peers: the process' part of who may speak GTP (lib/peers): the hook by which a slot's
 * writer learns the entry of a session's peer, and what is said of entries at a start and a reload.
 */
#ifndef TANDEM_PROCESS_START_PEERS_H
#define TANDEM_PROCESS_START_PEERS_H

#include "peers/peer_numbers.h"
#include "peers/peers.h"

/* session_hooks.peer_entry; board: struct settings_board. A core that reads snapshots calls it, in
 * a turn of its own: it holds what is the newest until that turn ends. */
uint16_t start_peers_entry(void *board, const struct ip_addr *ctl);
/* Logs which entries are everybody. Control core. */
void start_peers_say(const struct peers *p);

#endif
