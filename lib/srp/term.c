/* SPDX-License-Identifier: BSD-3-Clause */
/* Terms, the durable reserve they are used from, and the pair's restart counter that is saved with
 * it. */
#include "srp_pvt.h"

static uint64_t term_max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The highest number that is spent as far as this chassis' own terms go. */
static uint64_t term_spent(const struct srp *s)
{
	/* Who remembers nothing may have used whatever the peer's reserve allows for. */
	return term_max64(s->info.highest_term >> 1, s->floor != 0 ? s->floor : s->peer_floor);
}

uint64_t srp_term_left(const struct srp *s)
{
	return s->info.reserve > term_spent(s) ? s->info.reserve - term_spent(s) : 0;
}

/* After an offer there must be a term left to resume in. */
bool srp_term_can_offer(const struct srp *s)
{
	return term_max64(term_spent(s), s->peer_floor) + 2 <= s->info.reserve;
}

void srp_term_seen(struct srp *s, srp_term_t t)
{
	s->info.highest_term = term_max64(s->info.highest_term, t);
}

srp_term_t srp_term_take(struct srp *s)
{
	if (srp_term_left(s) == 0)
		return 0;
	s->own_last = (term_spent(s) + 1) << 1 | s->conf.side;
	srp_term_seen(s, s->own_last);
	return s->own_last;
}

/* An offered term is spent, whatever becomes of it. */
srp_term_t srp_term_offer(struct srp *s)
{
	srp_term_t t = (term_max64(term_spent(s), s->peer_floor) + 1) << 1 | !s->conf.side;

	srp_term_seen(s, t);
	return t;
}

/* An offered term: of our side, never used before, durable. The peer may have told of it already in
 * a heartbeat. */
bool srp_term_usable(const struct srp *s, srp_term_t t)
{
	return (t & 1) == s->conf.side && t >= s->info.highest_term && t > s->own_last &&
	       t >> 1 > s->floor && t >> 1 <= s->info.reserve;
}

void srp_reserve_check(struct srp *s, usec_t now)
{
	uint64_t want = term_max64(term_spent(s), s->peer_floor) + SRP_RESERVE;
	bool low = srp_term_left(s) < SRP_RESERVE / 2;

	srp_alarm(s, SRP_ALARM_RESERVE, s->reserve_failed && low,
		"the term reserve cannot be renewed, %llu left%s: free space in the state "
		"directory",
		(unsigned long long)srp_term_left(s),
		srp_term_left(s) == 0 ? ", this chassis cannot become Active" : "");
	if (s->reserve_out || s->info.state == SRP_PENDING_ACTIVE)
		return;
	if (want <= s->info.reserve && s->counter_saved == s->info.restart_counter)
		return;
	if (s->reserve_failed && !srp_reached(s, s->reserve_retry, now))
		return;

	struct srp_action *a = srp_emit(s, SRP_ACT_RESERVE);

	s->reserve_out = true;
	s->reserve_asked = term_max64(want, s->info.reserve);
	s->counter_asked = s->info.restart_counter;
	a->number = s->reserve_asked;
	a->restart_counter = s->counter_asked;
}

void srp_saved_reserve(struct srp *s, uint64_t reserve, bool ok, usec_t now)
{
	if (s->reserve_out && reserve == s->reserve_asked) {
		s->reserve_out = false;
		s->reserve_failed = !ok;
		s->reserve_retry = now + USEC_PER_SEC;
		if (ok) {
			s->info.reserve = term_max64(s->info.reserve, reserve);
			s->counter_saved = s->counter_asked;
		}
	}
	srp_settle(s, now);
}

/* Sessions that this table still holds were made under the counter as it is; so were none, where a
 * joined copy is empty. Who only heard the counter has lost all that was made under it. */
bool srp_counter_ready(struct srp *s)
{
	if (!s->stream.table_empty || s->stream.joined)
		return true;
	if (!s->counter_raised)
		s->info.restart_counter++;
	s->counter_raised = true;
	return s->counter_saved == s->info.restart_counter;
}

/* A peer in Init lost its sessions as we did: its counter only keeps ours from repeating one. Else
 * it is the pair's. */
void srp_counter_learn(struct srp *s, const struct srp_body *b)
{
	bool pairs = b->state == SRP_STANDBY ? s->info.state == SRP_INIT : b->state != SRP_INIT;

	if (s->info.state != SRP_INIT && s->info.state != SRP_STANDBY)
		return;
	if (pairs) {
		s->counter_raised = false;
		s->info.restart_counter = b->restart_counter;
	} else if (s->info.state == SRP_INIT && b->state == SRP_INIT && !s->counter_raised &&
		   (int8_t)(uint8_t)(b->restart_counter - s->info.restart_counter) > 0) {
		s->info.restart_counter = b->restart_counter;
	}
}
