/* SPDX-License-Identifier: BSD-3-Clause */
/* gtp_peers: private to lib/config. What the list gtp-peers has of its own: prefixes of all entries
 * in one array, files of them, and one line an entry where the two chassis, or two files, are
 * compared. The thread that loads a file, but for agree, change and print: control core. */
#ifndef TANDEM_CONFIG_GTP_PEERS_PRIV_H
#define TANDEM_CONFIG_GTP_PEERS_PRIV_H

#include "knob.h"

/* The configuration that an entry stands in. */
const struct config *gtp_peers_around(const struct config_gtp_peer *e);
/* "a.b.c.d/len", of either family; an address alone is the prefix that holds it alone. False: it is
 * none, and `why` (KNOB_WHY bytes) has the reason. */
bool gtp_prefix_parse(const char *text, struct ip_prefix *p, char *why);
/* One more prefix; false: there is no room for it. */
bool gtp_prefix_add(struct config *c, const struct ip_prefix *p, unsigned int use);

/* Reads the files of prefixes, and checks that the entries can stand beside each other. */
void check_gtp_peers(struct load *l);
/* Of a configuration without errors: entries in the order of names, prefixes in that of entries,
 * and what both chassis must have of each. 0 or -ENOMEM. */
int gtp_peers_derive(struct config *c);

/* What both chassis must have of an entry: `group "a", 1 control, 2 user, digest 0123456789abcdef`;
 * local: and what this one alone has. */
void gtp_peer_print(const struct config_gtp_peer *e, bool local, FILE *to);
/* The lines of all entries, as of agree.c: "gtp-peers[NAME].entry = ..." */
void gtp_peers_lines(const struct config *c, FILE *to);
/* Calls `each` for each entry that came, went or is another: "gtp-peers[NAME]", and
 * "gtp-peers[NAME].entry". Returns how many. */
unsigned int gtp_peers_changes(const struct config *now, const struct config *next,
	void (*each)(void *ctx, const struct config_change *ch), void *ctx);
void gtp_peers_take(struct config *now, const struct config *next);

#endif
