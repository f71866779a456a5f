/* SPDX-License-Identifier: BSD-3-Clause */
/* What was counted against what was forwarded, over crashes and hand-overs; and sessions that end
 * when their time is over. */
#include "sim.h"

enum {
	FLIGHT = 40 *
		 /* from a worker's count to the standby's slot: turns of cores, the wire, a gap
		  * waited for */
		 MS,
	FLIGHT_LOSSY = 600 *
		       /* where packets get lost: five times in a row, each found out by a timeout
			* that doubles */
		       MS,
	SECOND = 1000 * MS, /* to which sessions' times are kept */
	PASS = 300 * MS,    /* a worker's pass over its slots, and the promotion before it */
};

static bool is_lossless(unsigned int path)
{
	for (unsigned int d = TO_0; d <= TO_1; d++)
		if (sim.wire[path][d].loss + sim.wire[path][d].corrupt + sim.wire[path][d].rate > 0)
			return false;
	return true;
}

/* Its process ends: what it forwarded within an interval and a flight may be counted nowhere else,
 * and what it counted late not before all of it was through. */
void use_crashed(const struct node *n)
{
	usec_t unsent = sim.micro_ms * MS + (is_lossless(PATH_STREAM) ? FLIGHT : FLIGHT_LOSSY);

	for (uint32_t i = 0; i < sim.n_packets; i++) {
		struct packet *p = &sim.packet[i];

		p->maybe |= p->by == n->id && (p->late || p->when + unsent > sim.now);
	}
}

static bool short_of(const struct session_usage *u, const struct session_usage *of)
{
	return u->up_pkts < of->up_pkts || u->dn_pkts < of->dn_pkts;
}

static void add_up(const struct node *other, bool at_once)
{
	for (uint32_t i = 0; i < sim.n_packets; i++)
		if (sim.packet[i].out > 0)
			memset(truth_of(sim.packet[i].handle, true)->must, 0,
				sizeof(sim.truth[0].must));
	for (uint32_t i = 0; i < sim.n_packets; i++) {
		const struct packet *p = &sim.packet[i];
		struct truth *t = p->out > 0 && !p->maybe ? truth_of(p->handle, false) : NULL;

		if (t == NULL || p->when < t->created || (at_once && p->late && p->by == other->id))
			continue;
		t->must[p->by].up_pkts += !p->down;
		t->must[p->by].dn_pkts += p->down;
	}
}

/* Nothing was forwarded but by owners that crashed or handed over: usage is all that was not in
 * flight at a crash. At a promotion (not joined: its copy was not complete), and at the end, when
 * what was counted late is there too. */
void use_check(const struct node *n, bool is_promoted, bool joined)
{
	for (uint32_t i = 0; i < sim.n_packets && is_promoted && !joined; i++)
		sim.packet[i].maybe = true;
	if (sim.parted > 0 || sim.dual > 0 || sim.stalls > 0 || sim.second_faults > 0)
		return;
	add_up(&sim.node[!n->id], is_promoted);
	for (unsigned int i = 0; i < n->n_used; i++) {
		uint32_t pos = n->used[i];
		const struct session_slot *s =
			&n->t.table->shard[pos / sim.per_shard].slots[pos % sim.per_shard];
		const struct truth *t = s->teid != 0 ? truth_of(s->teid, false) : NULL;
		const struct session_usage own = { s->up_pkts, s->up_bytes, s->dn_pkts,
			s->dn_bytes };
		bool mine = t != NULL && short_of(&own, &t->must[n->id]);

		if (t == NULL || t->last == 0 || (!mine && !short_of(&s->other, &t->must[!n->id])))
			continue;
		story_slot(n, pos);
		broken(7,
			"chassis %c %s: %08x: usage of side %u is short of what was counted long "
			"before (%llu up, %llu down)",
			'A' + n->id, is_promoted ? "is promoted" : "at the end", s->teid,
			mine ? n->id : !n->id,
			(unsigned long long)t->must[mine ? n->id : !n->id].up_pkts,
			(unsigned long long)t->must[mine ? n->id : !n->id].dn_pkts);
	}
}

/* ---- time is over ---- */

static usec_t timeout_us(const struct node *n, bool idle)
{
	const struct config_apn *a = &n->conf.apns[0];

	return (idle ? a->idle_timeout_s : a->session_timeout_s) * USEC_PER_SEC;
}

/* A worker ends a session by itself. */
void expiry_ended(const struct node *n, uint32_t handle, enum session_why why)
{
	struct truth *t = truth_of(handle, false);
	bool idle = why == SESSION_WHY_IDLE_TIMEOUT;
	usec_t since, least;

	if (t == NULL || (!idle && why != SESSION_WHY_SESSION_TIMEOUT))
		return;
	sim.expired++;
	t->expired = true;
	since = idle ? RTE_MAX(t->created, RTE_MAX(n->owner_since, t->last_at[n->id])) : t->created;
	least = timeout_us(n, idle);
	if (sim.now + SECOND + FLIGHT < since + least)
		broken(14, "chassis %c ends %08x %llu ms too early (%s)", 'A' + n->id, handle,
			(unsigned long long)(since + least - sim.now) / MS,
			idle ? "idle" : "session timeout");
}

/* At whoever is Active nothing lives much longer than it may. Who hands over looks after no times:
 * the records are about to be another's, and a resumption goes on with them. */
void expiry_check(const struct node *n, uint32_t handle, const struct truth *t)
{
	usec_t calm = RTE_MAX(sim.last_stall, n->owner_since) + PASS;

	if (!control_is_up(n->t.control) || n->state != SRP_ACTIVE || sim.now < calm)
		return;
	if (timeout_us(n, false) > 0 && sim.now > t->created + timeout_us(n, false) + PASS)
		broken(14, "chassis %c: %08x lives %llu ms longer than its session timeout",
			'A' + n->id, handle,
			(unsigned long long)(sim.now - t->created - timeout_us(n, false)) / MS);
	if (timeout_us(n, true) > 0 &&
		sim.now > RTE_MAX(t->created, RTE_MAX(t->last, calm)) + timeout_us(n, true) + PASS)
		broken(14, "chassis %c: %08x lives %llu ms longer than its idle timeout",
			'A' + n->id, handle,
			(unsigned long long)(sim.now - t->last - timeout_us(n, true)) / MS);
}

/* ---- repair ---- */

/* What was lost is its owner's to send again. */
void repair_lost(struct node *n, const struct door *to, const struct msg_entries *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		uint8_t groups = repl_entry_groups(m->entry[i]);
		uint32_t handle = repl_entry_handle(m->entry[i]);
		unsigned int w = n->t.shared.worker_of_shard[session_handle_shard(handle)];
		const struct session_slot *slot = session_slot_of(n->t.table, handle);

		if (to != &n->t.repl_to_worker[w].door)
			broken(1, "chassis %c: %08x was lost, and another worker is told",
				'A' + n->id, handle);
		if (groups == 0)
			continue;
		n->repair += session_wire_size(n->t.table, slot, groups, wire_spoken.version_max);
		/* usage comes back in 64 bits */
		if (groups & SESSION_G_USAGE32)
			groups = (uint8_t)((groups & ~SESSION_G_USAGE32) | SESSION_G_USAGE64);
		n->again += REPL_RECORD_HEAD +
			    session_wire_size(n->t.table, slot, groups, wire_spoken.version_max);
	}
}

/* What is sent again is little more than what was lost. A dead or standing peer acknowledges
 * nothing either. */
void repair_check(void)
{
	enum {
		SOME = 16384
	}; /* a round trip that grows at once (a throttled path) looks like loss until it was
	    * seen */

	for (unsigned int i = 0; i < 2; i++)
		if (sim.crashes == 0 && sim.stalls == 0 &&
			sim.node[i].repair > 3 * sim.lost_bytes + SOME)
			broken(13, "chassis %c sends %llu bytes again, and %llu bytes got lost",
				'A' + i, (unsigned long long)sim.node[i].repair,
				(unsigned long long)sim.lost_bytes);
}
