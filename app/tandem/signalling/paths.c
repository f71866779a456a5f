/* SPDX-License-Identifier: BSD-3-Clause */
#include "paths.h"

#include "ask.h"
#include "base/log.h"
#include "cores/role.h"

enum { PATHS_ECHO_TURN = 16, PATHS_FORGET_US = 600000000 };

struct path *paths_get(struct paths *p, const struct ip_addr *addr, usec_t now)
{
	struct path *at;

	for (unsigned int i = 0; i < p->n; i++)
		if (ip_addr_equal(&p->path[i].addr, addr)) {
			p->path[i].used = now;
			return &p->path[i];
		}
	if (p->n < PATHS_MAX) {
		at = &p->path[p->n++];
	} else {
		/* The one that was silent for the longest time is forgotten; the slots still know
		 * its Recovery. */
		at = &p->path[0];
		for (unsigned int i = 1; i < p->n; i++)
			if (p->path[i].used < at->used)
				at = &p->path[i];
	}
	*at = (struct path){ .addr = *addr, .used = now, .echo_at = now };
	return at;
}

void paths_recovery(struct paths *p, const struct ip_addr *addr, uint8_t value, usec_t now)
{
	struct path *at = paths_get(p, addr, now);

	if (at->known && at->checked && at->recovery == value)
		return;
	if (at->known && at->recovery != value) {
		char text[IP_ADDR_TEXT];

		p->front->count.sgsn_restarts++;
		LOG(NOTICE,
			"an SGSN restarted: its sessions are removed peer=%s recovery=%u was=%u",
			ip_addr_print(addr, text), value, at->recovery);
	}
	at->known = at->checked = true;
	at->recovery = value;
	ask_purge(p->env, addr, value);
}

void paths_uncheck(struct paths *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		p->path[i].checked = false;
}

void paths_turn(struct paths *p, usec_t now)
{
	usec_t interval = p->env->start.echo_us;
	const struct role *role = p->env->role;

	if (interval == 0 || p->n == 0)
		return;
	if (!atomic_load(&role->answering) || atomic_load(&role->held))
		return;
	for (unsigned int i = 0; i < PATHS_ECHO_TURN && i < p->n; i++) {
		struct path *at = &p->path[p->echo_next++ % p->n];
		struct gtpc_peer to = { at->addr, GTPC_PORT };
		uint8_t buf[GTPC_MSG_MAX];
		uint16_t seq;

		/* One that neither asks nor answers for long has no business here any more. */
		if (now - at->echo_at < interval || now - at->used > PATHS_FORGET_US)
			continue;
		at->echo_at = now;
		seq = gtpc_pending_seq(p->front->pending);
		front_ask(p->front, &to, seq, buf, gtpc_encode_echo_request(buf, seq),
			PATHS_COOKIE_ECHO, now);
	}
}

void paths_echo_result(struct paths *p, const struct ip_addr *addr, bool answered, usec_t now)
{
	struct path *at = NULL;
	char text[IP_ADDR_TEXT];

	for (unsigned int i = 0; i < p->n && at == NULL; i++)
		if (ip_addr_equal(&p->path[i].addr, addr))
			at = &p->path[i];
	if (at == NULL)
		return;
	if (answered)
		at->used = now;
	if (at->failed == !answered)
		return;
	at->failed = !answered;
	if (answered)
		LOG(NOTICE, "an SGSN answers Echo Requests again peer=%s",
			ip_addr_print(addr, text));
	else
		LOG(WARNING,
			"an SGSN does not answer Echo Requests: check the access network; its "
			"sessions are kept peer=%s",
			ip_addr_print(addr, text));
}
