/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may speak GTP: from the configuration to what cores look up, and the numbers by which slots
 * name the entries. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "process/settings_rooms.h"
#include "process/start_peers.h"

_Static_assert((int)PEERS_MOST == (int)CONFIG_GTP_PEERS &&
		       (int)PEERS_PREFIXES == PEERS_USES * CONFIG_GTP_PREFIXES &&
		       (int)PEERS_NAME == (int)CONFIG_NAME && CONFIG_PORTS == 8,
	"what lib/config takes, lib/peers takes, too");

struct start_peers {
	struct peers_entry entry[PEERS_MOST];
	struct peers_prefix prefix[PEERS_PREFIXES];
	unsigned int n_prefixes;
};

static uint8_t start_peers_access_ports(const struct config *c)
{
	uint8_t set = 0;

	for (unsigned int i = 0; i < c->n_ports; i++)
		if (c->ports[i].roles & CONFIG_ACCESS)
			set |= (uint8_t)(1U << i);
	return set;
}

static void start_peers_prefixes(struct start_peers *s, const struct config *c, unsigned int nth,
	const struct config_gtp_range *r)
{
	static const uint8_t bit[PEERS_USES] = {
		[PEERS_CONTROL] = CONFIG_GTP_CONTROL, [PEERS_USER] = CONFIG_GTP_USER
	};

	for (unsigned int i = 0; i < r->n; i++)
		for (unsigned int use = 0; use < PEERS_USES; use++)
			if (c->gtp_prefixes[r->at + i].use & bit[use])
				s->prefix[s->n_prefixes++] =
					(struct peers_prefix){ c->gtp_prefixes[r->at + i].prefix,
						(uint16_t)nth, (uint8_t)use };
}

int settings_peers(const struct config *c, struct peers **to)
{
	struct start_peers *s = calloc(1, sizeof(*s));
	uint8_t access = start_peers_access_ports(c);
	int ret;

	*to = NULL;
	if (s == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < c->n_gtp_peers; i++) {
		const struct config_gtp_peer *from = &c->gtp_peers[i];

		memcpy(s->entry[i].name, from->name, sizeof(s->entry[i].name));
		memcpy(s->entry[i].group, from->group, sizeof(s->entry[i].group));
		s->entry[i].ports = from->ports != 0 ? from->ports : access;
		start_peers_prefixes(s, c, i, &from->control);
		start_peers_prefixes(s, c, i, &from->user);
		start_peers_prefixes(s, c, i, &from->file);
	}
	ret = peers_build(to, s->entry, c->n_gtp_peers, s->prefix, s->n_prefixes);
	free(s);
	return ret;
}

uint16_t start_peers_entry(void *board, const struct ip_addr *ctl)
{
	const struct settings_board *b = board;
	const struct peers *p = atomic_load_explicit(&b->newest, memory_order_acquire)->peers;
	const struct peers_entry *e = p != NULL ? peers_control(p, ctl) : NULL;

	return e != NULL ? e->number : 0;
}

void start_peers_say(const struct peers *p)
{
	for (unsigned int i = 0; i < p->n; i++) {
		if (!peers_everybody(p, i))
			continue;
		LOG(NOTICE,
			"every host that reaches an access port is this GTP peer, as it has a "
			"prefix of length 0: name the networks of the peer instead peer=%s",
			LOG_TEXT(p->entry[i].name));
	}
}
