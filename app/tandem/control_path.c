/* SPDX-License-Identifier: BSD-3-Clause */
#include "control_gtp.h"

struct path *gtp_path(struct control *c, const struct ip_addr *addr, usec_t now)
{
	struct gtp *g = &c->gtp;
	struct path *p = NULL;

	for (unsigned int i = 0; i < g->n_paths; i++)
		if (ip_addr_equal(&g->paths[i].addr, addr)) {
			g->paths[i].used = now;
			return &g->paths[i];
		}
	if (g->n_paths < PATHS_MAX) {
		p = &g->paths[g->n_paths++];
	} else { /* the one that was silent the longest is forgotten; the slots still know its Recovery */
		p = &g->paths[0];
		for (unsigned int i = 1; i < g->n_paths; i++)
			if (g->paths[i].used < p->used)
				p = &g->paths[i];
	}
	*p = (struct path){ .addr = *addr, .used = now };
	return p;
}

void gtp_heard_recovery(struct control *c, const struct ip_addr *addr, uint8_t value, usec_t now)
{
	struct path *p = gtp_path(c, addr, now);
	struct msg m = { .type = MSG_PURGE };

	if (p->known && p->checked && p->recovery == value)
		return;
	if (p->known && p->recovery != value) {
		char text[IP_ADDR_TEXT];

		c->gtp.count.sgsn_restarts++;
		LOG(NOTICE, "SGSN %s restarted (Recovery %u, was %u): its sessions are removed",
			ip_addr_print(addr, text), value, p->recovery);
	}
	p->known = p->checked = true;
	p->recovery = value;
	m.addr = *addr;
	m.recovery = value;
	control_to_workers(&m);
}
