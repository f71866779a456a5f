/* SPDX-License-Identifier: BSD-3-Clause */
/* How long a boot waits (lib/srp/README.md section 1). */
#include "srp_pvt.h"

enum {
	BOOT_STALLS = 3,   /* boots: by so much short stalls move it at most */
	BOOT_AGAIN = 50,   /* long stalls that move it, as of a probe (app/tandem/pair/probe.c) */
	BOOT_MEETINGS = 20 /* with so many it waits for a first word, and with no more */
};

static usec_t boot_us(const struct srp *s)
{
	return s->conf.delay_us + s->conf.dead_us;
}

void srp_boot_begin(struct srp *s, usec_t now)
{
	s->boot_due = now + boot_us(s);
	s->boot = (struct srp_boot){ .stalls = BOOT_STALLS * boot_us(s), .again = BOOT_AGAIN };
}

/* After a stall up to the window all that arrived meanwhile is read. Cores that share CPUs with
 * others make hardly a turn without one, and each would move the boot by all the time that passed:
 * a loaded machine would stay in Init for as long as it is loaded. In a longer one what arrived may
 * have been dropped, so that it counts in full, but not for ever either. */
usec_t srp_boot_stalled(struct srp *s, usec_t us)
{
	struct srp_boot *b = &s->boot;
	usec_t moved = us;

	if (s->info.state != SRP_INIT)
		return us;
	if (us > srp_window(s)) {
		moved = b->again > 0 ? us : 0;
		b->again -= b->again > 0;
	} else {
		moved = us < b->stalls ? us : b->stalls;
		b->stalls -= moved;
	}
	s->boot_due = srp_after(s->boot_due, moved);
	return moved;
}

/* Since when somebody proves who it is, or has proven it and is about to say its first word. */
static usec_t boot_met_at(const struct srp *s)
{
	if (s->boot.meetings > BOOT_MEETINGS)
		return USEC_NEVER;
	return s->info.connected ? s->connected_at : s->connecting_at;
}

/* Heard but not understood: it is there, so patience, but not for ever. */
static bool boot_not_understood(const struct srp *s, usec_t now)
{
	usec_t until = srp_boot_heard_until(s);

	return until != USEC_NEVER && now < until;
}

usec_t srp_boot_heard_until(const struct srp *s)
{
	if (s->info.peer.known)
		return USEC_NEVER;
	return srp_after(srp_latest(s->life.stream, s->life.srp), s->conf.dead_us);
}

usec_t srp_boot_alone_due(const struct srp *s, usec_t now)
{
	usec_t due = s->boot_due;

	if (boot_not_understood(s, now))
		due = srp_latest(due, s->life.first + 10 * s->conf.dead_us);
	/* Whoever is met has time of its own for its first word. */
	return srp_latest(due, srp_after(boot_met_at(s), srp_proof_us(s->conf.dead_us)));
}

usec_t srp_boot_peer_due(const struct srp *s)
{
	return srp_after(srp_latest(s->boot_due, s->peer_state_since), 2 * s->conf.dead_us);
}
