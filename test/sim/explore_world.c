/* SPDX-License-Identifier: BSD-3-Clause */
/* The surroundings of the two machines, a round at a time, and what can go otherwise in one. */
#include <stdlib.h>
#include <string.h>

#include "explore.h"

static struct srp *machines[2];
static const struct profile *profile;

struct srp *machine(int i)
{
	return machines[i];
}

static void load(const struct world *w)
{
	for (int i = 0; i < 2; i++)
		memcpy(machines[i], w->c[i].head, SRP_HEAD);
}

static void save(struct world *w)
{
	for (int i = 0; i < 2; i++)
		memcpy(w->c[i].head, machines[i], SRP_HEAD);
}

/* ---- what the machines ask for ---- */

static void send_beat(struct world *w, int i)
{
	struct beats *b = &w->beats[!i];
	struct chassis *c = &w->c[i];

	c->sent = 0;
	if (w->cut_stream[!i] > 0 || explore_plan.lose_beat[!i] || (c->stalled > 0 && c->stalled_all))
		return;
	if (b->n == BEATS) { /* the oldest is lost */
		memmove(b->body[0], b->body[1], sizeof(b->body[0]) * (BEATS - 1));
		memmove(&b->age[0], &b->age[1], BEATS - 1);
		b->n--;
	}
	b->age[b->n] = 0;
	memcpy(b->body[b->n++], c->beat, SRP_BODY);
}

/* A connection is one for as long as both believe in it. */
static bool joined_by_tcp(const struct world *w)
{
	return w->c[0].connection != 0 && w->c[0].connection == w->c[1].connection;
}

static void send_message(struct world *w, int i, const struct srp_action *a)
{
	struct tcp *t = &w->tcp[!i];

	if (!joined_by_tcp(w))
		return;
	if (t->n == QUEUE || a->len > MESSAGE)
		broken("chassis %c sends more than a round can bring", 'A' + i);
	t->len[t->n] = (uint8_t)(a->len - 1);
	memcpy(t->msg[t->n++], a->msg, a->len);
}

static void step_asked(struct world *w, int i, const struct srp_action *a)
{
	struct chassis *c = &w->c[i];

	if (a->step == SRP_STEP_DEACTIVATE)
		c->vips = c->owner = c->late = c->streaming = false;
	if (a->step == SRP_STEP_WRITE) {
		c->writing = true;
		c->st.joined = false;
		c->join_in = 3;
	}
	c->step = a->step;
	c->step_term = a->term;
}

static void leave(struct world *w, int i, bool power, uint8_t down);

static void act(struct world *w, int i, const struct srp_action *a)
{
	struct chassis *c = &w->c[i];

	check_action(w, i, a);
	switch (a->kind) {
	case SRP_ACT_SEND:
		send_message(w, i, a);
		break;
	case SRP_ACT_CLOSE:
		c->connection = 0;
		w->tcp[i].n = 0;
		break;
	case SRP_ACT_HEARTBEAT:
		memcpy(c->beat, a->msg, SRP_BODY);
		if (a->now)
			send_beat(w, i);
		break;
	case SRP_ACT_STEP:
		step_asked(w, i, a);
		break;
	case SRP_ACT_RESERVE:
		c->disk_asked = true;
		c->ask_reserve = a->number;
		c->ask_counter = a->restart_counter;
		break;
	case SRP_ACT_PROBE:
		c->probe = PROBE;
		c->probe_for = 0;
		c->probed = PROBING;
		break;
	case SRP_ACT_GOODBYE:
	case SRP_ACT_ABORT:
		c->leaving = true;
		c->aborted |= a->kind == SRP_ACT_ABORT;
		break;
	default:
		break;
	}
}

static void drain(struct world *w, int i)
{
	struct srp_action a;

	while (w->c[i].up && srp_next(machines[i], &a))
		act(w, i, &a);
}

/* ---- processes ---- */

static void boot(struct world *w, int i)
{
	struct chassis *c = &w->c[i];
	struct srp_conf conf = profile->conf[i];
	struct srp *s;

	c->life++;
	conf.incarnation = c->life << 1 | (uint32_t)i | 0x100;
	c->up = true;
	c->vips = false;
	c->st = (struct srp_stream){ .heard = USEC_NEVER, .table_empty = true };
	c->number = c->applied = 0;
	c->heard = c->answered = UINT8_MAX;
	s = srp_create(&conf, &c->disk, w->now);
	if (s == NULL)
		abort();
	memcpy(machines[i], s, sizeof(*s));
	srp_destroy(s);
	tell(i, "starts");
	drain(w, i);
}

static void leave(struct world *w, int i, bool power, uint8_t down)
{
	struct chassis *c = &w->c[i];
	struct chassis was = *c;

	if (!c->up)
		return;
	tell(i, "ends%s", power ? " without a word" : "");
	memset(c, 0, offsetof(struct chassis, head));
	c->life = was.life;
	c->disk = was.disk;
	c->disk_full = was.disk_full;
	c->used = was.used;
	c->used_life = was.used_life;
	c->vips = was.vips && !power;
	c->down = down;
	c->power = power;
	w->tcp[i].n = w->beats[i].n = 0;
	if (!power && w->c[!i].connection == was.connection)
		w->tcp[!i].n = 0;
}

/* A connection whose other end is gone is closed as soon as somebody answers for it. */
static void notice_closed(struct world *w, int i)
{
	struct chassis *c = &w->c[i], *p = &w->c[!i];

	if (!c->up || c->stalled > 0 || c->connection == 0 || p->connection == c->connection ||
		(!p->up && p->power) || w->cut_tcp > 0)
		return;
	c->connection = 0;
	w->tcp[i].n = 0;
	srp_disconnected(machines[i], false, w->now);
	drain(w, i);
}

static void connect(struct world *w)
{
	struct chassis *a = &w->c[0], *b = &w->c[1];

	if (w->cut_tcp > 0 || !b->up || b->stalled > 0 || b->connection != 0)
		return;
	if (!a->up) {
		if (!a->power) {
			srp_disconnected(machines[1], true, w->now);
			drain(w, 1);
		}
		return;
	}
	if (a->stalled > 0)
		return;
	/* One of the other before is given up for it. */
	if (a->connection != 0)
		srp_disconnected(machines[0], false, w->now);
	w->tcp[0].n = w->tcp[1].n = 0;
	a->connection = b->connection = ++w->connections;
	for (int i = 0; i < 2; i++) {
		srp_connected(machines[i], w->now);
		drain(w, i);
	}
}

/* ---- a round ---- */

static void beats_arrive(struct world *w, int i)
{
	struct chassis *c = &w->c[i];
	struct beats *b = &w->beats[i], got;

	if (!c->up || (c->stalled > 0 && c->stalled_all) || explore_plan.delay_beat[i])
		return;
	if (b->n > 0 && (b->age[b->n - 1] == 0 || c->stalled == 0)) {
		c->st.heard = w->now;
		c->heard = 0;
	}
	if (c->stalled > 0) /* control reads them when it runs again */
		return;
	got = *b;
	b->n = 0;
	for (unsigned int k = 0; k < got.n; k++) {
		srp_heartbeat(machines[i], got.body[k], SRP_BODY, got.age[k] < WINDOW, w->now);
		drain(w, i);
	}
}

static bool messages_arrive(struct world *w, int i)
{
	struct chassis *c = &w->c[i];
	struct tcp *t = &w->tcp[i], got;
	unsigned int n;

	if (!c->up || c->stalled > 0 || w->cut_tcp > 0 || explore_plan.hold_tcp[i] || t->n == 0 ||
		!joined_by_tcp(w))
		return false;
	got = *t;
	n = explore_plan.one_tcp[i] ? 1 : got.n;
	explore_plan.hold_tcp[i] = explore_plan.one_tcp[i];
	t->n = 0;
	for (unsigned int k = 0; k < got.n; k++) {
		if (k < n && joined_by_tcp(w)) {
			c->answered = 0;
			srp_message(machines[i], got.msg[k], got.len[k] + 1u, w->now);
			drain(w, i);
		} else if (joined_by_tcp(w)) {
			t->len[t->n] = got.len[k];
			memcpy(t->msg[t->n++], got.msg[k], MESSAGE);
		}
	}
	return true;
}

/* LATE is done when everything is acknowledged, which takes a stream that works both ways. */
static bool late_possible(const struct world *w, int i)
{
	const struct chassis *p = &w->c[!i];

	return w->cut_stream[0] + w->cut_stream[1] == 0 && p->up && p->writing &&
	       !(p->stalled > 0 && p->stalled_all);
}

static void step_carried_out(struct world *w, int i, enum srp_step step)
{
	struct chassis *c = &w->c[i];

	if (step == SRP_STEP_LATE) {
		c->late = true;
		w->c[!i].applied = ++c->number;
	} else if (step == SRP_STEP_STOP) {
		c->writing = c->st.joined = false;
	} else if (step == SRP_STEP_OWN) {
		c->owner = true;
		c->st.table_empty = false;
	} else if (step == SRP_STEP_ACTIVATE) {
		c->vips = true;
	} else if (step == SRP_STEP_STREAM) {
		c->streaming = true;
	} else if (step == SRP_STEP_RESUME) {
		c->streaming = c->owner = true;
		c->late = false;
	}
}

static bool step_answered(struct world *w, int i)
{
	struct chassis *c = &w->c[i];
	enum srp_step step = c->step;
	bool ok = !explore_plan.fail_step[i];

	if (!c->up || c->stalled > 0 || step == SRP_STEP_NONE || explore_plan.hold_step[i] || c->stuck ||
		(step == SRP_STEP_LATE && !late_possible(w, i)))
		return false;
	c->step = SRP_STEP_NONE;
	if (ok)
		step_carried_out(w, i, step);
	explore_plan.fail_step[i] = false;
	srp_done(machines[i], step, c->step_term, ok, step == SRP_STEP_STOP ? c->applied : c->number,
		"planted", w->now);
	drain(w, i);
	return true;
}

/* On the shared subnet whoever has the addresses in its kernel answers, whatever became of the process. */
static void probe_over(struct world *w, int i)
{
	struct chassis *c = &w->c[i];
	bool answered = w->c[!i].vips;

	if (!c->up || c->stalled > 0 || c->probe == 0 || c->stuck || (c->probe-- > 1 && !answered))
		return;
	c->probe = 0;
	c->probed = answered ? TAKEN : FREE;
	srp_probed(machines[i], answered, "the other", w->now);
	drain(w, i);
}

static void disk_written(struct world *w, int i)
{
	struct chassis *c = &w->c[i];

	if (!c->up || c->stalled > 0 || !c->disk_asked || explore_plan.hold_disk[i])
		return;
	c->disk_asked = false;
	if (!c->disk_full)
		c->disk = (struct srp_saved){ .reserve = c->ask_reserve, .restart_counter = c->ask_counter };
	srp_saved_reserve(machines[i], c->ask_reserve, !c->disk_full, w->now);
	drain(w, i);
}

static void report_stream(struct world *w, int i)
{
	struct chassis *c = &w->c[i], *p = &w->c[!i];
	bool heard = c->st.heard != USEC_NEVER && w->now - c->st.heard < WINDOW * ROUND;

	if (c->writing && !c->st.joined && heard && p->up && p->streaming &&
		(c->join_in == 0 || --c->join_in == 0)) {
		c->st.joined = true;
		c->st.table_empty = false;
	}
	c->st.in_sync = c->streaming && p->up && p->writing && p->st.joined && heard;
	srp_stream(machines[i], &c->st, w->now);
	drain(w, i);
}

static void wake(struct world *w, int i)
{
	struct chassis *c = &w->c[i];

	if (!c->up || c->stalled == 0 || --c->stalled > 0)
		return;
	tell(i, "runs again");
	srp_stalled(machines[i], (usec_t)c->stall * ROUND, c->stalled_all ? (usec_t)c->stall * ROUND : 0,
		&c->st, w->now);
	c->stall = 0;
	drain(w, i);
}

static void count(uint8_t *n)
{
	*n += *n < 40;
}

static void count_down(uint8_t *n)
{
	*n -= *n > 0;
}

/* Time passes, and who is gone may come back. */
static void clock_moves(struct world *w)
{
	w->now += ROUND;
	w->round++;
	count_down(&w->cut_stream[0]);
	count_down(&w->cut_stream[1]);
	count_down(&w->cut_tcp);
	count(&w->tcp_good);
	if (w->cut_tcp > 0 || !joined_by_tcp(w))
		w->tcp_good = 0;
	w->split |= w->cut_tcp > 0 && w->cut_stream[0] + w->cut_stream[1] > 0;
	for (int i = 0; i < 2; i++) {
		struct chassis *c = &w->c[i];

		for (unsigned int k = 0; k < w->beats[i].n; k++)
			count(&w->beats[i].age[k]);
		if (!c->up) {
			if (c->down == 0 || --c->down == 0)
				boot(w, i);
			continue;
		}
		count(&c->heard);
		count(&c->answered);
		if (c->stalled == 0)
			count(&c->probe_for);
		c->stall += c->stalled > 0;
		if (c->stalled > 0)
			w->tcp_good = 0;
		wake(w, i);
	}
}

static void timers(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		struct chassis *c = &w->c[i];

		if (!c->up)
			continue;
		if (c->stalled == 0) {
			report_stream(w, i);
			srp_tick(machines[i], w->now);
			drain(w, i);
		}
		if (++c->sent >= BEAT)
			send_beat(w, i);
	}
}

static void crash_if(struct world *w, bool after)
{
	int i = explore_plan.crash_behind;

	if (i >= 0 && explore_plan.crash_after == after)
		leave(w, i, explore_plan.crash_power, 2);
}

static void goodbyes(struct world *w)
{
	for (int i = 0; i < 2; i++)
		if (w->c[i].up && w->c[i].leaving) {
			if (w->c[i].aborted && !w->faulty)
				broken("chassis %c aborts although no step failed", 'A' + i);
			leave(w, i, false, 3);
		}
}

void world_round(struct world *w, const struct deviation *d, int who)
{
	bool moved = true;

	load(w);
	explore_now = w;
	explore_plan = (struct round_plan){ .crash_behind = -1 };
	if (d != NULL) {
		tell(who, "%s", d->what);
		d->apply(w, who);
	}
	clock_moves(w);
	for (int i = 0; i < 2; i++)
		notice_closed(w, i);
	connect(w);
	beats_arrive(w, 0);
	beats_arrive(w, 1);
	/* What a message causes may go back and forth within the round. */
	for (unsigned int n = 0; moved; n++) {
		moved = false;
		for (int i = 0; i < 2; i++)
			moved |= messages_arrive(w, i);
		crash_if(w, false);
		for (int i = 0; i < 2; i++)
			moved |= step_answered(w, i);
		crash_if(w, true);
		if (n == 30)
			broken("messages go back and forth without end");
	}
	disk_written(w, 0);
	disk_written(w, 1);
	probe_over(w, 0);
	probe_over(w, 1);
	timers(w);
	goodbyes(w);
	check_round(w);
	save(w);
}

void world_create(const struct profile *p)
{
	profile = p;
	for (int i = 0; i < 2; i++) {
		free(machines[i]);
		machines[i] = calloc(1, sizeof(*machines[i]));
		if (machines[i] == NULL)
			abort();
	}
}

void world_begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->now = UINT64_C(1000) * ROUND;
	for (int i = 0; i < 2; i++) {
		w->c[i].disk = (struct srp_saved){ .reserve = 0, .restart_counter = 7 };
		w->c[i].down = 1;
	}
}

/* ---- deviations ---- */

static bool runs(const struct world *w, int i)
{
	return w->c[i].up && w->c[i].stalled == 0;
}

static bool is_up(const struct world *w, int i)
{
	return w->c[i].up;
}

static bool beats_come(const struct world *w, int i)
{
	return w->c[!i].up && w->c[i].up && w->cut_stream[i] == 0;
}

static void lose_beat(struct world *w, int i)
{
	explore_plan.lose_beat[i] = true;
	w->beats[i].n = 0;
}

static bool beats_wait(const struct world *w, int i)
{
	return w->beats[i].n > 0;
}

static void delay_beat(struct world *w, int i)
{
	explore_plan.delay_beat[i] = true;
}

static bool talk(const struct world *w, int i)
{
	return joined_by_tcp(w) && runs(w, i);
}

static void hold_tcp(struct world *w, int i)
{
	explore_plan.hold_tcp[i] = true;
	w->tcp_good = 0;
}

static bool more_than_one(const struct world *w, int i)
{
	return w->tcp[i].n > 1;
}

static void one_tcp(struct world *w, int i)
{
	explore_plan.one_tcp[i] = true;
	w->tcp_good = 0;
}

static bool step_due(const struct world *w, int i)
{
	return runs(w, i);
}

static void hold_step(struct world *w, int i)
{
	explore_plan.hold_step[i] = true;
}

static bool in_plan(const struct world *w, int i)
{
	const struct srp *s = (const void *)w->c[i].head;

	return runs(w, i) && (s->info.state == SRP_PENDING_ACTIVE || s->info.state == SRP_PENDING_STANDBY);
}

static void fail_step(struct world *w, int i)
{
	explore_plan.fail_step[i] = true;
	w->faulty = true;
}

static bool disk_due(const struct world *w, int i)
{
	return w->c[i].disk_asked;
}

static void hold_disk(struct world *w, int i)
{
	explore_plan.hold_disk[i] = true;
}

static bool always(const struct world *w, int i)
{
	(void)w;
	(void)i;
	return true;
}

static void stick(struct world *w, int i)
{
	w->c[i].stuck = true;
	w->faulty = true;
}

static void fill_disk(struct world *w, int i)
{
	w->c[i].disk_full = !w->c[i].disk_full;
	w->faulty = true;
}

static void reset(struct world *w, int i)
{
	w->tcp[0].n = w->tcp[1].n = 0;
	w->tcp_good = 0;
	w->c[i].connection = 0; /* the other notices within the round */
	srp_disconnected(machines[i], false, w->now);
	drain(w, i);
}

static void crash_short(struct world *w, int i)
{
	leave(w, i, false, BEAT);
}

static void crash_long(struct world *w, int i)
{
	leave(w, i, false, LONG);
}

static void power_short(struct world *w, int i)
{
	leave(w, i, true, BEAT);
}

static void power_long(struct world *w, int i)
{
	leave(w, i, true, LONG);
}

static void crash_unanswered(struct world *w, int i)
{
	(void)w;
	explore_plan.crash_behind = i;
}

static void crash_answered(struct world *w, int i)
{
	(void)w;
	explore_plan.crash_behind = i;
	explore_plan.crash_after = explore_plan.crash_power = true;
}

static void stall(struct world *w, int i, uint8_t rounds, bool all)
{
	w->c[i].stalled = rounds;
	w->c[i].stall = 0;
	w->c[i].stalled_all = all;
	w->split |= rounds > 1;
}

static void stall_control(struct world *w, int i)
{
	stall(w, i, 2 * BEAT, false);
}

static void stall_short(struct world *w, int i)
{
	stall(w, i, 2 * BEAT, true);
}

static void stall_long(struct world *w, int i)
{
	stall(w, i, LONG, true);
}

static bool nothing_cut(const struct world *w, int i)
{
	return w->cut_stream[i] == 0 && w->c[0].up && w->c[1].up;
}

static void cut_one_way(struct world *w, int i)
{
	w->cut_stream[i] = LONG;
	w->beats[i].n = 0;
}

static bool once(const struct world *w, int i)
{
	return i == 0 && nothing_cut(w, 0);
}

static void cut_stream(struct world *w, int i)
{
	cut_one_way(w, i);
	cut_one_way(w, !i);
}

static bool tcp_whole(const struct world *w, int i)
{
	return i == 0 && w->cut_tcp == 0 && w->c[0].up && w->c[1].up;
}

static void cut_tcp(struct world *w, int i)
{
	(void)i;
	w->cut_tcp = LONG;
}

static void cut_both(struct world *w, int i)
{
	cut_stream(w, i);
	cut_tcp(w, i);
	w->split = true;
}

static bool active(const struct world *w, int i)
{
	const struct srp *s = (const void *)w->c[i].head;

	return runs(w, i) && s->info.state == SRP_ACTIVE;
}

static void switch_over(struct world *w, int i)
{
	char why[SRP_REASON_MAX];
	int ret = srp_switchover(machines[i], false, why, w->now);

	tell(i, "is told to hand over: %s", ret == 0 ? "begins" : why);
	drain(w, i);
}

static void switch_forced(struct world *w, int i)
{
	char why[SRP_REASON_MAX];
	int ret = srp_switchover(machines[i], true, why, w->now);

	tell(i, "is forced to hand over: %s", ret == 0 ? "begins" : why);
	drain(w, i);
}

static void shut_down(struct world *w, int i)
{
	srp_shutdown(machines[i], w->now);
	drain(w, i);
}

const struct deviation deviations[] = {
	{ "loses a heartbeat", beats_come, lose_beat },
	{ "gets its heartbeats a round later", beats_wait, delay_beat },
	{ "gets what SRP brings a round later", talk, hold_tcp },
	{ "gets but one message, the others a round later", more_than_one, one_tcp },
	{ "takes a round longer for a step", step_due, hold_step },
	{ "fails at a step", in_plan, fail_step },
	{ "takes a round longer to write to its disk", disk_due, hold_disk },
	{ "has a disk that fills up, or is free again", always, fill_disk },
	{ "does not answer the next step for as long as it runs", step_due, stick },
	{ "has its SRP connection reset", talk, reset },
	{ "ends and is back at once", is_up, crash_short },
	{ "ends for long", is_up, crash_long },
	{ "loses power and is back at once", is_up, power_short },
	{ "loses power for long", is_up, power_long },
	{ "ends before a step is answered", in_plan, crash_unanswered },
	{ "loses power behind a step", in_plan, crash_answered },
	{ "has a control core that stands still for two intervals", runs, stall_control },
	{ "stands still for two intervals", runs, stall_short },
	{ "stands still for long", runs, stall_long },
	{ "hears nothing in the stream for long", nothing_cut, cut_one_way },
	{ "and its peer lose the stream for long", once, cut_stream },
	{ "and its peer lose SRP for long", tcp_whole, cut_tcp },
	{ "and its peer lose each other for long", once, cut_both },
	{ "is told to hand over", active, switch_over },
	{ "is forced to hand over", active, switch_forced },
	{ "is told to end", runs, shut_down },
};
const unsigned int n_deviations = sizeof(deviations) / sizeof(deviations[0]);
