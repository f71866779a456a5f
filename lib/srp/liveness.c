/* SPDX-License-Identifier: BSD-3-Clause */
/* Is the peer alive? Two independent paths: the stream, and asks over the SRP connection
 * (lib/srp/README.md section 5). One silent path is an alarm; only both silent is a death. */
#include "srp_pvt.h"

bool srp_peer_alive(const struct srp *s)
{
	return s->info.peer.known && !s->life.left && !s->life.dead;
}

/* A quarter of an interval of patience: an ask at each heartbeat that is late by a hair would be
 * noise. */
static usec_t liveness_ask_from(const struct srp *s)
{
	return srp_after(
		s->life.stream, s->next.judge.heartbeat_us + s->next.judge.heartbeat_us / 4);
}

static void liveness_ask(struct srp *s, usec_t now)
{
	struct srp_life *l = &s->life;
	/* Nothing hangs on the answer of a peer that was given up. */
	usec_t pause = l->dead || l->left ? s->conf.hello_us : s->conf.heartbeat_us;

	if (!s->info.connected || l->stream == USEC_NEVER ||
		!srp_reached(s, liveness_ask_from(s), now)) {
		l->asking = false;
		return;
	}
	if (l->asking && !srp_reached(s, l->ask_last + pause, now))
		return;
	l->ask_id++;
	if (!l->asking) {
		l->asking = true;
		l->ask_first = now;
		l->ask_id_first = l->ask_id;
	}
	l->ask_last = now;
	srp_send(s, &(struct srp_msg){ .type = SRP_MSG_ASK, .id = l->ask_id });
	s->info.count.asks_sent++;
	/* The next one. */
	srp_reached(s, now + pause, now);
}

/* An answer from before this silence says nothing about it. */
void srp_life_answer(struct srp *s, uint32_t id, usec_t now)
{
	struct srp_life *l = &s->life;

	s->info.count.answers_received++;
	if (!l->asking || (int32_t)(id - l->ask_id_first) < 0)
		return;
	l->answered = now;
	if (now >= srp_after(l->stream, srp_window(s)))
		l->path_down = true;
}

/* A peer that started anew while we slept has no key of ours: all is silent until SRP connects, or
 * is refused. Its sessions are its own by then, so nothing is gained by haste. */
static bool liveness_slept(struct srp_life *l, usec_t heartbeat_us)
{
	/* What waited in our own queues is read within the first interval. */
	if (l->heard_at != USEC_NEVER && l->heard_at >= srp_after(l->slept_at, heartbeat_us))
		l->slept_at = USEC_NEVER;
	return l->slept_at != USEC_NEVER;
}

/* Before there is a joined copy nothing is gained by haste. */
static bool liveness_dead_slowly(struct srp *s, usec_t now)
{
	bool silent =
		s->life.stream == USEC_NEVER || srp_reached(s, s->life.stream + srp_window(s), now);

	if (silent && !s->info.connected && s->life.refused)
		return true;
	return srp_reached(
		s, srp_after(srp_latest(s->life.stream, s->life.srp), s->next.judge.dead_us), now);
}

static bool liveness_dead(struct srp *s, usec_t now)
{
	struct srp_life *l = &s->life;
	bool unjoined =
		s->info.state == SRP_INIT || (s->info.state == SRP_STANDBY && !s->stream.joined);

	if (l->stream != USEC_NEVER && !srp_reached(s, l->stream + srp_window(s), now)) {
		l->path_down = false;
		return false;
	}
	if (l->stream == USEC_NEVER || unjoined || liveness_slept(l, s->next.judge.heartbeat_us))
		return liveness_dead_slowly(s, now);
	if (l->path_down)
		return (!s->info.connected && l->refused) ||
		       srp_reached(s, srp_after(l->srp, s->next.judge.dead_us), now);
	if (!s->info.connected)
		return true;
	/* An ask gets an interval for its answer, also when this tick itself came late. */
	return l->asking && srp_reached(s, l->ask_first + s->next.judge.heartbeat_us, now) &&
	       (l->answered == USEC_NEVER || srp_reached(s, l->answered + srp_window(s), now));
}

static void liveness_revive(struct srp *s, usec_t now)
{
	struct srp_life *l = &s->life;
	usec_t last = srp_latest(l->stream, l->srp);

	if (last == USEC_NEVER || last < l->dead_at)
		return;
	l->dead = false;
	/* It speaks over SRP alone: that path decides from here. */
	l->path_down = l->stream == USEC_NEVER || now >= l->stream + srp_window(s);
}

/* A connection over which nothing came for dead-interval is none, whatever TCP believes: a cut
 * cable closes nothing. */
static void liveness_close_silent(struct srp *s, usec_t now)
{
	usec_t last = srp_latest(s->life.srp, s->connected_at);

	if (!s->info.connected || !srp_reached(s, srp_after(last, s->next.judge.dead_us), now))
		return;
	s->info.connected = false;
	s->info.count.connection_losses++;
	srp_emit(s, SRP_ACT_CLOSE);
}

/* Two chassis that both listen, or both connect, never meet. By TLS neither has a key by which it
 * could hear the other: then it may be this, or there is nobody. */
static void liveness_alarm_never_heard(struct srp *s)
{
	if (s->life.first != USEC_NEVER) {
		srp_alarm(s, SRP_ALARM_PEER_LOST, s->info.state == SRP_ACTIVE,
			"what the peer says is not understood: see that both chassis run releases "
			"that fit together");
		return;
	}
	srp_alarm(s, SRP_ALARM_PEER_LOST, s->info.state == SRP_ACTIVE,
		"the peer was never heard%s: start it. If it runs: check srp.peer, and that "
		"srp.seat is 0 on one chassis and 1 on the other",
		s->life.refused ? ", nobody listens there" : "");
}

static void liveness_alarm_seats(struct srp *s, usec_t now)
{
	srp_alarm(s, SRP_ALARM_EQUAL_SEATS,
		s->same_side_at != USEC_NEVER &&
			!srp_reached(s, s->same_side_at + s->next.judge.dead_us, now),
		"the other chassis has seat %u too, so that neither connects to the other: set "
		"srp.seat to 0 on one and to 1 on the other",
		s->conf.side);
}

static void liveness_alarms(struct srp *s, usec_t now)
{
	struct srp_life *l = &s->life;
	bool alive = srp_peer_alive(s);
	const char *lost = l->left ? "the peer shut down" : "the peer is silent on both paths";
	bool stream_late = l->stream == USEC_NEVER && s->info.connected && l->srp != USEC_NEVER &&
			   srp_reached(s, srp_after(l->first, s->next.judge.dead_us), now);

	if (s->info.connected || !alive || !s->info.stream_alive)
		s->connection_since = USEC_NEVER;
	else if (s->connection_since == USEC_NEVER)
		s->connection_since = now;

	if (s->info.peer.known)
		srp_alarm(s, SRP_ALARM_PEER_LOST, !alive, "%s: bring it back, there is no standby",
			lost);
	else
		liveness_alarm_never_heard(s);
	liveness_alarm_seats(s, now);
	srp_alarm(s, SRP_ALARM_CONNECTION,
		srp_reached(s, srp_after(s->connection_since, s->next.judge.hello_us), now),
		"the peer is heard in the stream only: check the network between srp bind and srp "
		"peer");
	srp_alarm(s, SRP_ALARM_REPLICATION_PATH,
		alive && ((l->path_down && !s->info.stream_alive) || stream_late),
		"the peer is heard over SRP only, nothing is replicated: check the replication "
		"ports and their link");
}

static void liveness_must_not_answer(struct srp *s, usec_t now)
{
	usec_t fresh = srp_after(s->silent_since, s->next.judge.heartbeat_us);

	/* What waited in our own queues is read within the first interval. */
	if (s->life.heard_at != USEC_NEVER && s->life.heard_at >= fresh)
		s->silent_since = USEC_NEVER;
	if (srp_reached(s, srp_after(s->silent_since, s->conf.hello_us), now))
		s->silent_since = USEC_NEVER;
	s->info.must_not_answer = s->silent_since != USEC_NEVER;
}

void srp_life_update(struct srp *s, usec_t now)
{
	struct srp_life *l = &s->life;

	if (l->first == USEC_NEVER && srp_latest(l->stream, l->srp) != USEC_NEVER)
		l->first = now;
	if (l->dead)
		liveness_revive(s, now);
	liveness_ask(s, now);
	if (s->info.peer.known && !l->left && !l->dead && liveness_dead(s, now)) {
		l->dead = true;
		l->dead_at = now;
	}
	s->info.stream_alive =
		l->stream != USEC_NEVER && !srp_reached(s, l->stream + srp_window(s), now);
	s->info.dual_path = s->info.stream_alive && s->info.connected && l->srp != USEC_NEVER &&
			    !srp_reached(s, l->srp + s->next.judge.dead_us, now);
	liveness_must_not_answer(s, now);
	liveness_close_silent(s, now);
	liveness_alarms(s, now);
}

/* A moment in the past cannot move into the future. */
static void liveness_push(usec_t *t, usec_t us, usec_t now)
{
	if (*t != USEC_NEVER)
		*t = *t + us < now ? *t + us : (*t > now ? *t : now);
}

void srp_life_stall(struct srp *s, usec_t us, usec_t stream_us, usec_t others, usec_t now)
{
	struct srp_life *l = &s->life;

	/* What was dead before we slept did not wake up for it. */
	if (!l->dead) {
		liveness_push(&l->stream, stream_us, now);
		liveness_push(&l->srp, us, now);
	}
	liveness_push(&l->ask_first, us, now);
	liveness_push(&l->ask_last, us, now);
	liveness_push(&l->answered, us, now);
	liveness_push(&l->first, others, now);
	liveness_push(&s->peer_state_since, others, now);
	liveness_push(&s->one_way_since, others, now);
	liveness_push(&s->connection_since, others, now);
	liveness_push(&s->connected_at, others, now);
	liveness_push(&s->connecting_at, others, now);
	liveness_push(&s->same_side_at, others, now);
}
