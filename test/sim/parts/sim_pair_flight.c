/* SPDX-License-Identifier: BSD-3-Clause */
/* What is under way: a chassis that is promoted has in its slots whatever had arrived by then, also
 * what waited behind a gap. Each state packet's entries are written down when it is sealed, and
 * looked up when it arrives. */
#include "sim_pair.h"

enum { FLIGHTS = 1024, ARRIVED = 32 };

struct flight {
	uint32_t sender;
	uint64_t number;
	unsigned int n;
	struct {
		uint32_t pos, at[GROUPS];
		uint8_t groups;
	} entry[REPL_ENTRIES];
};

static struct flight flights[2][FLIGHTS]; /* by sender */
static struct {
	uint32_t sender, stream;
	uint64_t number;
} arrived[2][ARRIVED]; /* by receiver */
static unsigned int n_arrived[2];

void flight_start(struct node *n, const repl_entry_t *e, unsigned int n_entries)
{
	uint64_t number = repl_last_number(n->r);
	struct flight *f = &flights[n->id][number % FLIGHTS];

	f->sender = n->incarnation;
	f->number = number;
	f->n = n_entries;
	for (unsigned int i = 0; i < n_entries; i++) {
		f->entry[i].pos = pos_of(n, repl_entry_handle(e[i]));
		f->entry[i].groups = repl_entry_groups(e[i]);
		for (unsigned int g = 0; g < GROUPS; g++)
			f->entry[i].at[g] = sim.history[f->entry[i].pos][g].n - 1;
	}
}

/* All reasons for which a state packet is not kept. */
static uint64_t turned_away(const struct repl_counters *c)
{
	return c->rx_late_packets + c->rx_again + c->rx_duplicates + c->rx_wrong_stream +
	       c->rx_wrong_incarnation + c->rx_old_term + c->rx_not_receiving;
}

/* Into the chassis, as its replication core does. */
void flight_arrive(struct node *n, const uint8_t *bytes, size_t len)
{
	uint64_t state = repl_count(n->r)->rx_state_packets, away = turned_away(repl_count(n->r)),
		 number;
	struct rd r = rd_init(bytes, len);
	uint32_t sender;
	unsigned int at;

	rd_u32(&r); /* version, flags, key */
	number = rd_u64(&r);
	sender = rd_u32(&r);
	repl_input(n->r, bytes, len, n->now);
	if (repl_count(n->r)->rx_state_packets == state || turned_away(repl_count(n->r)) != away)
		return;
	at = n_arrived[n->id]++ % ARRIVED;
	arrived[n->id][at].sender = sender;
	arrived[n->id][at].number = number;
	arrived[n->id][at].stream = repl_rx_stream(n->r);
}

static void check_flight(struct node *n, const struct flight *f)
{
	static const uint8_t bits[GROUPS] = { SESSION_G_IDENTITY, SESSION_G_TUNNEL, SESSION_G_QOS,
		SESSION_G_REQUEST, SESSION_G_USAGE32 | SESSION_G_USAGE64, SESSION_G_OTHER64 };

	for (unsigned int i = 0; i < f->n; i++)
		for (unsigned int g = 0; g < PROMISED; g++)
			if (f->entry[i].groups & bits[g] &&
				!(sim.flip.set && sim.flip.pos == f->entry[i].pos) &&
				!is_there(n, f->entry[i].pos, g, f->entry[i].at[g]))
				fail("chassis %u: slot %u: what had arrived was dropped at the "
				     "promotion",
					n->id, f->entry[i].pos);
}

void flight_stop(struct node *n)
{
	uint32_t stream = repl_rx_stream(n->r), peer = repl_peer_incarnation(n->r);
	uint64_t applied = repl_applied(n->r);

	repl_receive_stop(n->r, n->now);
	for (unsigned int i = 0; i < ARRIVED; i++) {
		const struct flight *f = &flights[!n->id][arrived[n->id][i].number % FLIGHTS];

		if (arrived[n->id][i].number > applied && arrived[n->id][i].sender == peer &&
			arrived[n->id][i].stream == stream && stream != 0 &&
			f->number == arrived[n->id][i].number && f->sender == peer)
			check_flight(n, f);
	}
}
