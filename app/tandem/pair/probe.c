/* SPDX-License-Identifier: BSD-3-Clause */
/* The probe of RFC 5227 section 2.1.1 and of RFC 4862 section 5.4, without their random delays: a
 * chassis waited for delay-interval and dead-interval already. Its frames are the kernel room's. */
#include <stdio.h>

#include "process/control.h"

enum { PROBES = 3, PROBE_GAP_US = 100000 };

void probe_begin(struct control *c, usec_t now)
{
	c->probe = (struct probe){ .on = true, .at = now, .stood_still = c->stood_still };
	kernel_probe_begin(c->kernel);
}

void probe_claimed(struct control *c, const struct net_claim *a)
{
	struct probe *p = &c->probe;
	char vip[IP_ADDR_TEXT];

	if (!p->on || p->answered)
		return;
	p->answered = true;
	snprintf(p->who, sizeof(p->who), "VIP %s is %s by " RTE_ETHER_ADDR_PRT_FMT,
		ip_addr_print(&a->addr, vip), a->probes ? "probed" : "answered",
		RTE_ETHER_ADDR_BYTES(&a->mac));
}

static void probe_over(struct control *c, bool answered, usec_t now)
{
	c->probe.on = false;
	kernel_probe_end(c->kernel);
	srp_probed(c->srp, answered, c->probe.who, now);
}

void probe_turn(struct control *c, usec_t now)
{
	struct probe *p = &c->probe;

	if (!p->on)
		return;
	if (p->answered) {
		probe_over(c, true, now);
		return;
	}
	/* What was answered meanwhile may have been dropped with all that waited. */
	if (p->stood_still != c->stood_still) {
		p->stood_still = c->stood_still;
		p->sent = 0;
		p->at = now;
	}
	if (now < p->at)
		return;
	if (p->sent == PROBES || !kernel_probe_send(c->kernel)) {
		probe_over(c, false, now);
		return;
	}
	p->sent++;
	p->at = now + PROBE_GAP_US;
}
