/* SPDX-License-Identifier: BSD-3-Clause */
/* What can go otherwise in a round: when it can, and what it does. */
#include "explore.h"

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
	return world_joined(w) && runs(w, i);
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

	return runs(w, i) &&
	       (s->info.state == SRP_PENDING_ACTIVE || s->info.state == SRP_PENDING_STANDBY);
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

static bool would_be_granted(const struct world *w, int i)
{
	return runs(w, i) && !w->c[i].refuse_claim;
}

/* No fault: nobody has a reason to end itself. */
static void refuse_claim(struct world *w, int i)
{
	w->c[i].refuse_claim = true;
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
	srp_disconnected(machine(i), false, w->now);
	world_drain(w, i);
}

static void crash_short(struct world *w, int i)
{
	world_leave(w, i, false, BEAT);
}

static void crash_long(struct world *w, int i)
{
	world_leave(w, i, false, LONG);
}

static void power_short(struct world *w, int i)
{
	world_leave(w, i, true, BEAT);
}

static void power_long(struct world *w, int i)
{
	world_leave(w, i, true, LONG);
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
	int ret = srp_switchover(machine(i), false, why, w->now);

	tell(i, "is told to hand over: %s", ret == 0 ? "begins" : why);
	world_drain(w, i);
}

static void switch_forced(struct world *w, int i)
{
	char why[SRP_REASON_MAX];
	int ret = srp_switchover(machine(i), true, why, w->now);

	tell(i, "is forced to hand over: %s", ret == 0 ? "begins" : why);
	world_drain(w, i);
}

static void shut_down(struct world *w, int i)
{
	srp_shutdown(machine(i), w->now);
	world_drain(w, i);
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
	{ "has its next claim refused", would_be_granted, refuse_claim },
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
