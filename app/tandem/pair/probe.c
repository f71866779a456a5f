/* SPDX-License-Identifier: BSD-3-Clause */
/* The probe of RFC 5227 section 2.1.1 and of RFC 4862 section 5.4, without their random delays: a
 * chassis waited for delay-interval and dead-interval already. Who asks, and hears answers, is
 * behind the room's ops; here is when, and what it means. */
#include <stdio.h>

#include "net/net.h"
#include "pair_priv.h"

/* A machine that stands still all the time hears an answer sooner or later, or there is none:
 * nobody is served while it asks. */
enum { PROBES = 3, PROBES_AGAIN = 50, PROBE_GAP_US = 100000 };

void probe_begin(struct pair *p, usec_t now)
{
	p->probe = (struct probe){ .on = true, .at = now, .dropped = p->stream->stalls.dropped };
	p->ops.listen_for_claims(p->ctx, true);
}

void pair_claimed(struct pair *p, const struct net_claim *claim)
{
	char vip[IP_ADDR_TEXT], mac[MAC_TEXT];

	if (!p->probe.on || p->probe.answered)
		return;
	p->probe.answered = true;
	snprintf(p->probe.who, sizeof(p->probe.who), "VIP %s is %s by %s",
		ip_addr_print(&claim->addr, vip), claim->probes ? "probed" : "answered",
		mac_print(&claim->mac, mac));
}

static void probe_end(struct pair *p, bool answered, usec_t now)
{
	p->probe.on = false;
	p->ops.listen_for_claims(p->ctx, false);
	srp_probed(p->srp, answered, p->probe.who, now);
}

void probe_turn(struct pair *p, usec_t now)
{
	struct probe *b = &p->probe;

	if (!b->on)
		return;
	if (b->answered) {
		probe_end(p, true, now);
		return;
	}
	/* The answer to the question that is out may have been dropped with all that waited: it is
	 * asked again. Those before had their time, and in a shorter stall nothing is dropped. */
	if (b->dropped != p->stream->stalls.dropped) {
		b->dropped = p->stream->stalls.dropped;
		if (b->sent > 0 && b->again < PROBES_AGAIN) {
			b->again++;
			b->sent--;
			b->at = now;
		}
		srp_probing(p->srp, now);
	}
	if (now < b->at)
		return;
	if (b->sent == PROBES || !p->ops.probe(p->ctx)) {
		probe_end(p, false, now);
		return;
	}
	b->sent++;
	b->at = now + PROBE_GAP_US;
}
