/* SPDX-License-Identifier: BSD-3-Clause */
#include "gtp.h"

enum { ECHO_PATHS = 16, ECHO_FORGET_US = 600000000 };

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
	} else { /* the one that was silent the longest is forgotten; the slots still know its
		    Recovery */
		p = &g->paths[0];
		for (unsigned int i = 1; i < g->n_paths; i++)
			if (g->paths[i].used < p->used)
				p = &g->paths[i];
	}
	*p = (struct path){ .addr = *addr, .used = now, .echo_at = now };
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

void gtp_echo_turn(struct control *c, usec_t now)
{
	usec_t interval = T.conf->echo_interval_s * USEC_PER_SEC;
	struct gtp *g = &c->gtp;

	if (interval == 0 || !c->answering || c->hold)
		return;
	for (unsigned int i = 0; i < ECHO_PATHS && i < g->n_paths; i++) {
		struct path *p = &g->paths[g->echo_path++ % g->n_paths];
		struct gtpc_peer to = { p->addr, GTPC_PORT };
		uint8_t buf[GTPC_MSG_MAX];
		uint16_t seq;
		size_t len;

		/* One that neither asks nor answers for long has no business here any more. */
		if (now - p->echo_at < interval || now - p->used > ECHO_FORGET_US)
			continue;
		p->echo_at = now;
		seq = gtpc_pending_seq(g->pending);
		len = gtpc_encode_echo_request(buf, seq);
		if (gtpc_pending_add(g->pending, &to, seq, buf, len, GTP_COOKIE_ECHO, now) < 0)
			continue;
		g->count.own_requests++;
		gtp_send(c, &to, buf, len);
	}
}

void gtp_echo_result(struct control *c, const struct ip_addr *addr, bool answered, usec_t now)
{
	char text[IP_ADDR_TEXT];

	for (unsigned int i = 0; i < c->gtp.n_paths; i++) {
		struct path *p = &c->gtp.paths[i];

		if (!ip_addr_equal(&p->addr, addr))
			continue;
		if (answered)
			p->used = now;
		if (p->failed == !answered)
			return;
		p->failed = !answered;
		if (answered)
			LOG(NOTICE, "SGSN %s answers Echo Requests again",
				ip_addr_print(addr, text));
		else
			LOG(WARNING,
				"SGSN %s does not answer Echo Requests: check the access network; "
				"its sessions are kept",
				ip_addr_print(addr, text));
		return;
	}
}
