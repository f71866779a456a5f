/* SPDX-License-Identifier: BSD-3-Clause */
/* The surroundings of the two machines, a round at a time. */
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

static void copy_messages(struct tcp *to, const struct tcp *from)
{
	memcpy(to, from, offsetof(struct tcp, msg) + from->n * sizeof(from->msg[0]));
}

void world_copy(struct world *to, const struct world *from)
{
	memcpy(to, from, offsetof(struct world, tcp));
	for (int i = 0; i < 2; i++)
		copy_messages(&to->tcp[i], &from->tcp[i]);
}

/* ---- what the machines ask for ---- */

static void send_beat(struct world *w, int i)
{
	struct beats *b = &w->beats[!i];
	struct chassis *c = &w->c[i];

	c->sent = 0;
	if (w->cut_stream[!i] > 0 || explore_plan.lose_beat[!i] ||
		(c->stalled > 0 && c->stalled_all))
		return;
	if (b->n == BEATS) { /* the oldest is lost */
		memmove(b->body[0], b->body[1], sizeof(b->body[0]) * (BEATS - 1));
		memmove(&b->age[0], &b->age[1], BEATS - 1);
		b->n--;
	}
	b->age[b->n] = 0;
	memcpy(b->body[b->n++], c->beat, SRP_BODY);
}

static void send_message(struct world *w, int i, const struct srp_action *a)
{
	struct tcp *t = &w->tcp[!i];

	if (!world_joined(w))
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
	c->claim_anew = a->step == SRP_STEP_CLAIM && c->step == SRP_STEP_CLAIM;
	c->step = a->step;
	c->step_term = a->term;
}

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

void world_drain(struct world *w, int i)
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
	world_drain(w, i);
}

void world_leave(struct world *w, int i, bool power, uint8_t down)
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
	world_drain(w, i);
}

static void connect(struct world *w)
{
	struct chassis *a = &w->c[0], *b = &w->c[1];

	if (w->cut_tcp > 0 || !b->up || b->stalled > 0 || b->connection != 0)
		return;
	if (!a->up) {
		if (!a->power) {
			srp_disconnected(machines[1], true, w->now);
			world_drain(w, 1);
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
		world_drain(w, i);
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
		world_drain(w, i);
	}
}

static bool messages_arrive(struct world *w, int i)
{
	struct chassis *c = &w->c[i];
	struct tcp *t = &w->tcp[i], got;
	unsigned int n;

	if (!c->up || c->stalled > 0 || w->cut_tcp > 0 || explore_plan.hold_tcp[i] || t->n == 0 ||
		!world_joined(w))
		return false;
	copy_messages(&got, t);
	n = explore_plan.one_tcp[i] ? 1 : got.n;
	explore_plan.hold_tcp[i] = explore_plan.one_tcp[i];
	t->n = 0;
	for (unsigned int k = 0; k < got.n; k++) {
		if (k < n && world_joined(w)) {
			c->answered = 0;
			srp_message(machines[i], got.msg[k], got.len[k] + 1u, w->now);
			world_drain(w, i);
		} else if (world_joined(w)) {
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

	if (step == SRP_STEP_CLAIM) {
		c->claimed = c->step_term;
	} else if (step == SRP_STEP_LATE) {
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
	bool refused = step == SRP_STEP_CLAIM && c->refuse_claim;
	bool ok = !explore_plan.fail_step[i] && !refused;

	if (!c->up || c->stalled > 0 || step == SRP_STEP_NONE || explore_plan.hold_step[i] ||
		(c->stuck && !c->claim_anew) || (step == SRP_STEP_LATE && !late_possible(w, i)))
		return false;
	c->step = SRP_STEP_NONE;
	c->claim_anew = false;
	c->refuse_claim = c->refuse_claim && !refused;
	if (ok)
		step_carried_out(w, i, step);
	explore_plan.fail_step[i] = false;
	srp_done(machines[i], step, c->step_term, ok,
		step == SRP_STEP_STOP ? c->applied : c->number, "planted", w->now);
	world_drain(w, i);
	return true;
}

/* On the shared subnet whoever has the addresses in its kernel answers, whatever became of the
 * process. */
static void probe_over(struct world *w, int i)
{
	struct chassis *c = &w->c[i];
	bool answered = w->c[!i].vips;

	if (!c->up || c->stalled > 0 || c->probe == 0 || c->stuck || (c->probe-- > 1 && !answered))
		return;
	c->probe = 0;
	c->probed = answered ? TAKEN : FREE;
	srp_probed(machines[i], answered, "the other", w->now);
	world_drain(w, i);
}

static void disk_written(struct world *w, int i)
{
	struct chassis *c = &w->c[i];

	if (!c->up || c->stalled > 0 || !c->disk_asked || explore_plan.hold_disk[i])
		return;
	c->disk_asked = false;
	if (!c->disk_full)
		c->disk = (struct srp_saved){ .reserve = c->ask_reserve,
			.restart_counter = c->ask_counter };
	srp_saved_reserve(machines[i], c->ask_reserve, !c->disk_full, w->now);
	world_drain(w, i);
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
	world_drain(w, i);
}

static void wake(struct world *w, int i)
{
	struct chassis *c = &w->c[i];

	if (!c->up || c->stalled == 0 || --c->stalled > 0)
		return;
	tell(i, "runs again");
	srp_stalled(machines[i], (usec_t)c->stall * ROUND,
		c->stalled_all ? (usec_t)c->stall * ROUND : 0, &c->st, w->now);
	c->stall = 0;
	world_drain(w, i);
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
	if (w->cut_tcp > 0 || !world_joined(w))
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
			world_drain(w, i);
		}
		if (++c->sent >= BEAT)
			send_beat(w, i);
	}
}

static void crash_if(struct world *w, bool after)
{
	int i = explore_plan.crash_behind;

	if (i >= 0 && explore_plan.crash_after == after)
		world_leave(w, i, explore_plan.crash_power, 2);
}

static void goodbyes(struct world *w)
{
	for (int i = 0; i < 2; i++)
		if (w->c[i].up && w->c[i].leaving) {
			if (w->c[i].aborted && !w->faulty)
				broken("chassis %c aborts although no step failed", 'A' + i);
			world_leave(w, i, false, 3);
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
