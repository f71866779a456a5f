/* SPDX-License-Identifier: BSD-3-Clause */
/* What the future of a world depends on, as 64 bits. Left out: counters, texts, and when something
 * that is only shown came to be. Times are ages or what is left, both with an end beyond which
 * nothing asks; serials and ids are distances; incarnations are whose life they name. A field that
 * is forgotten here hides states: explore.c compares what two worlds of one key do next. */
#include "explore.h"

/* A key is made of words; so many a chassis, a heartbeat and a message have at most. */
enum { LANES = 4, WORDS = 2 * (128 + 16 * BEATS + 24 * QUEUE) };

static uint64_t words[WORDS];
static unsigned int n_words;
static int64_t horizon;

static void mix(uint64_t v)
{
	if (n_words == WORDS)
		broken("a state has more words than a key takes");
	words[n_words++] = v;
}

static uint64_t mixed(uint64_t hash, uint64_t v)
{
	hash = (hash ^ v) * UINT64_C(0xff51afd7ed558ccd);
	return hash ^ hash >> 32;
}

/* In lanes that do not wait for one another; how many words there are goes into it, too. */
static uint64_t hash_of_words(void)
{
	uint64_t lane[LANES] = { 1, 2, 3, 4 }, hash = n_words;
	unsigned int k = 0;

	for (; k + LANES <= n_words; k += LANES)
		for (unsigned int i = 0; i < LANES; i++)
			lane[i] = mixed(lane[i], words[k + i]);
	for (; k < n_words; k++)
		hash = mixed(hash, words[k]);
	for (unsigned int i = 0; i < LANES; i++)
		hash = mixed(hash, lane[i]);
	return hash;
}

/* In half rounds, as far back as anything looks to whatever is to come. */
static void mix_time(const struct world *w, usec_t t)
{
	int64_t d = (int64_t)(t - w->now) / (ROUND / 2);

	mix(t == USEC_NEVER ? UINT64_C(0xffff) : (uint64_t)(d < -horizon ? -horizon : d));
}

/* Whose life it is: this one or an earlier one of either. */
static void mix_life(const struct world *w, uint32_t incarnation)
{
	uint32_t side = incarnation & 1, life = (incarnation & 0xff) >> 1;

	mix(incarnation == 0 ? 9 : side << 1 | (life == w->c[side].life));
}

static void mix_body(const struct world *w, const struct srp_body *b, uint32_t serial)
{
	mix((uint64_t)b->state << 48 | (uint64_t)b->rm << 40 | (uint64_t)b->restart_counter << 32 |
		b->side);
	mix(b->term);
	mix(b->highest);
	mix(b->floor);
	mix_life(w, b->incarnation);
	mix_life(w, b->hears);
	mix(serial - b->serial);
}

static void mix_peer(const struct world *w, const struct srp *s, const struct srp *other)
{
	const struct srp_peer *p = &s->info.peer;

	mix((uint64_t)p->known << 40 | (uint64_t)p->state << 32 | (uint64_t)p->rm << 16 |
		(uint64_t)p->restart_counter << 8 | (uint64_t)p->hears_us << 1 |
		(p->hello_at == USEC_NEVER));
	mix(p->term);
	mix(p->highest_term);
	mix_life(w, p->incarnation);
	mix(p->known && p->incarnation == other->conf.incarnation ? other->serial - s->peer_serial
								  : UINT64_MAX);
	mix(s->peer_floor);
	for (unsigned int i = 0; i < SRP_RETIRED; i++)
		mix_life(w, s->retired[i]);
}

static void mix_plan(const struct world *w, const struct srp *s)
{
	const struct srp_plan *p = &s->plan;

	mix(p->kind);
	if (p->kind == PLAN_NONE)
		return;
	mix((uint64_t)p->at << 32 | p->cause << 8 | (unsigned int)p->planned << 4 |
		(unsigned int)p->alone << 3 | (unsigned int)p->forced << 2 |
		(unsigned int)p->given_up << 5 | (unsigned int)p->from << 12 |
		(unsigned int)p->joining << 6 | (unsigned int)p->begun << 1 | p->offered);
	mix(p->term);
	mix(p->old_term);
	mix(p->offer);
	mix(p->number);
	mix_life(w, p->to);
	mix_time(w, p->due);
	mix_time(w, p->acked_due);
}

static void mix_liveness(const struct world *w, const struct srp *s)
{
	const struct srp_life *l = &s->life;

	mix((uint64_t)l->asking << 8 | (uint64_t)l->path_down << 4 | (uint64_t)l->refused << 3 |
		(uint64_t)l->left << 2 | (uint64_t)l->dead << 1 |
		(l->stream_given == s->stream.heard));
	mix(l->asking ? l->ask_id - l->ask_id_first : 0);
	mix_time(w, l->stream);
	mix_time(w, l->srp);
	mix_time(w, l->asking ? l->ask_first : 0);
	mix_time(w, l->asking ? l->ask_last : 0);
	mix_time(w, l->answered);
	mix_time(w, l->dead ? l->dead_at : 0);
	/* Compared with one another. */
	mix(l->heard_at != USEC_NEVER && l->heard_at >= l->dead_at);
	mix_time(w, l->heard_at);
	mix_time(w, l->first);
	mix_time(w, l->slept_at);
}

static void mix_machine(const struct world *w, const struct srp *s, const struct srp *other)
{
	mix((uint64_t)s->info.state << 32 | (uint64_t)s->info.rm << 16 |
		(uint64_t)s->info.restart_counter << 8 | (uint64_t)s->copy_outdated << 5 |
		(uint64_t)s->info.agreed << 4 | (uint64_t)s->info.connected << 3 |
		(uint64_t)s->info.stream_alive << 2 | (uint64_t)s->info.dual_path << 1 |
		s->info.must_not_answer);
	mix(s->info.alarms);
	mix(s->info.term);
	mix(s->info.highest_term);
	mix(s->info.reserve);
	mix(s->own_last);
	mix(s->late_term);
	mix(s->floor);
	mix((uint64_t)s->reserve_out << 40 | (uint64_t)s->reserve_failed << 39 |
		(uint64_t)s->counter_raised << 38 | (uint64_t)s->shutting << 37 |
		(uint64_t)s->shut_tried << 36 | (uint64_t)s->gone << 35 |
		(uint64_t)s->rm_announced << 16 | (uint64_t)s->counter_asked << 8 |
		s->counter_saved);
	mix(s->reserve_out ? s->reserve_asked : 0);
	mix_time(w, s->reserve_failed ? s->reserve_retry : 0);
	mix(s->claim_due != 0);
	mix_time(w, s->claim_due);
	mix(s->probe.state);
	mix_time(w, s->probe.due);
	mix_time(w, s->boot_due);
	mix_time(w, s->hello_due);
	mix_time(w, s->peer_state_since);
	mix_time(w, s->info.last_change);
	mix_time(w, s->one_way_since);
	mix_time(w, s->connection_since);
	mix_time(w, s->connected_at);
	mix_time(w, s->connecting_at);
	mix_time(w, s->metric_due);
	mix_time(w, s->silent_since);
	mix_body(w, &s->said, s->serial);
	mix_peer(w, s, other);
	mix_plan(w, s);
	mix_liveness(w, s);
}

static const struct srp *machine_of(const struct world *w, int i)
{
	return (const void *)w->c[i].head;
}

static void mix_messages(const struct world *w, int i, const struct srp *from)
{
	for (unsigned int k = 0; k < w->tcp[i].n; k++) {
		struct srp_msg m;

		if (srp_msg_read(w->tcp[i].msg[k], w->tcp[i].len[k] + 1u, &m) < 0)
			continue;
		mix((uint64_t)m.type << 32 | (uint64_t)m.cause << 16 | (uint64_t)m.rm << 8 |
			(uint64_t)m.forced << 1 | m.was_active);
		mix(m.term);
		mix(m.offered);
		mix(m.number);
		mix_life(w, m.to);
		mix_life(w, m.incarnation);
		if (m.type == SRP_MSG_HELLO)
			mix_body(w, &m.body, from->serial);
		/* An ask is distant from its sender's last, an answer from its receiver's. */
		if (m.type == SRP_MSG_ASK)
			mix(from->life.ask_id - m.id);
		else if (m.type == SRP_MSG_ANSWER)
			mix(machine_of(w, i)->life.ask_id - m.id);
	}
}

static void mix_beats(const struct world *w, int i, const struct srp *from)
{
	for (unsigned int k = 0; k < w->beats[i].n; k++) {
		struct rd r = rd_init(w->beats[i].body[k], SRP_BODY);
		struct srp_body b;

		mix(w->beats[i].age[k]);
		if (srp_body_read(&r, &b) == 0)
			mix_body(w, &b, from->serial);
	}
}

static void mix_chassis(const struct world *w, int i)
{
	const struct chassis *c = &w->c[i];
	const struct srp *s = machine_of(w, i), *other = machine_of(w, !i);

	mix((uint64_t)c->up << 24 | (uint64_t)c->writing << 23 | (uint64_t)c->streaming << 22 |
		(uint64_t)c->owner << 21 | (uint64_t)c->late << 20 | (uint64_t)c->vips << 19 |
		(uint64_t)c->leaving << 18 | (uint64_t)c->disk_full << 17 |
		(uint64_t)c->disk_asked << 16 | (uint64_t)c->power << 15 |
		(uint64_t)c->refuse_claim << 27 | (uint64_t)c->claim_anew << 26 |
		(uint64_t)c->stuck << 25 | (uint64_t)c->stalled_all << 14 |
		(uint64_t)(c->connection != 0) << 13 | (uint64_t)c->st.joined << 12 |
		(uint64_t)c->st.table_empty << 11 | (uint64_t)c->st.in_sync << 10);
	mix((uint64_t)c->down << 32 | (uint64_t)c->stalled << 24 | (uint64_t)c->stall << 16 |
		(uint64_t)c->join_in << 8 | c->pending);
	mix(c->disk.reserve << 8 | c->disk.restart_counter);
	mix(c->used);
	mix(c->used_life == c->life);
	mix_beats(w, i, other);
	if (!c->up)
		return;
	mix(c->disk_asked ? c->ask_reserve << 8 | c->ask_counter : 0);
	mix((uint64_t)c->step << 32 | (uint64_t)(c->heard < WINDOW ? c->heard : WINDOW) << 8 |
		(uint64_t)c->sent << 24 | (c->answered <= BEAT ? c->answered : BEAT + 1));
	mix(c->step != SRP_STEP_NONE ? c->step_term : 0);
	mix((uint64_t)c->probe << 16 | (uint64_t)c->probe_for << 8 | c->probed);
	mix(c->step == SRP_STEP_STOP ? c->claimed : 0);
	mix(c->number);
	mix(c->applied);
	mix_time(w, c->st.heard);
	mix_machine(w, s, other);
	mix_messages(w, i, other);
}

/* Nothing looks further back than two dead intervals and two hellos; a stall moves what was before
 * it by its length. */
static int64_t look_back(const struct world *w, unsigned int left)
{
	unsigned int stalls = left + (w->c[0].stalled > 0) + (w->c[1].stalled > 0);

	return 2 * (2 * DEAD + 2 * BEAT + 2 + (int64_t)stalls * LONG);
}

uint64_t world_key(const struct world *w, unsigned int left)
{
	horizon = look_back(w, left);
	n_words = 0;
	mix((uint64_t)w->cut_stream[0] << 24 | (uint64_t)w->cut_stream[1] << 16 |
		(uint64_t)w->cut_tcp << 8 |
		(uint64_t)(w->tcp_good > WINDOW ? WINDOW + 1 : w->tcp_good) << 40 |
		(uint64_t)w->split << 1 | w->faulty);
	mix(w->c[0].connection != 0 && w->c[0].connection == w->c[1].connection);
	for (int i = 0; i < 2; i++)
		mix_chassis(w, i);
	return hash_of_words();
}
