/* SPDX-License-Identifier: BSD-3-Clause */
/* The surroundings of the two chassis: clock, network, disks, other cores. */
#include <stdlib.h>
#include <string.h>

#include "sim_srp.h"
#include "ut.h"

uint64_t rnd(struct world *w, uint64_t n)
{
	return ut_random(&w->rng) % n;
}

static bool before(const struct ev *a, const struct ev *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

struct ev *push(struct world *w, enum ev_kind kind, int node, usec_t at)
{
	unsigned int i = w->n_heap++;

	if (w->n_heap > HEAP)
		abort();
	/* The caller fills the payload in, which order does not depend on. */
	struct ev e = {
		.at = at, .order = ++w->order, .kind = kind, .node = node, .life = w->n[node].life
	};

	for (; i > 0 && before(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = e;
	return &w->heap[i];
}

void boot(struct world *w, int i)
{
	struct node *n = &w->n[i];

	n->life++;
	n->conf.incarnation = (uint32_t)(w->seed << 8 | n->life << 1 | (unsigned int)i) + 2;
	n->st = (struct srp_stream){ .heard = USEC_NEVER, .table_empty = true };
	n->beat_len = 0;
	n->joined_at = USEC_NEVER;
	n->last_number = n->applied = 0;
	n->passed = n->writing = n->streaming = n->owner = n->late = n->leaving = false;
	n->vips = n->answered = n->asked = false;
	n->stalled_until = n->pending_since = 0;
	n->running_since = w->now;
	reload_boot(w, i);
	n->s = srp_create(&n->conf, &n->disk, w->now);
	if (n->s == NULL)
		abort();
	push(w, EV_SEND_BEAT, i, w->now)->number = n->beats;
	lists_boot(w, i);
	drain(w, i);
}

/* silent: the far end does not learn of it until it times out. */
void disconnect(struct world *w, bool silent)
{
	if (!w->connected)
		return;
	w->connected = false;
	w->connection++;
	for (int i = 0; i < 2; i++)
		if (w->n[i].s != NULL)
			push(w, EV_CLOSED, i,
				w->now + (silent ? 500 * MS : 1 * MS + rnd(w, 60 * MS)));
}

void kill_node(struct world *w, int i, bool power, usec_t back)
{
	struct node *n = &w->n[i];

	if (n->s == NULL)
		return;
	trace(w, i, "killed%s", power ? " (power)" : "");
	srp_destroy(n->s);
	n->s = NULL;
	n->owner = n->streaming = n->writing = false;
	n->vips = n->vips && !power;
	disconnect(w, power);
	/* What was on its way to the disk is there, or is not. */
	push(w, EV_BOOT, i, w->now + back);
}

void cut(struct world *w, struct path *p, int to, bool on)
{
	p->cut[to] = on;
	p->good_since = w->now;
	/* A connection survives a short cut. */
	if (p == &w->tcp && on && rnd(w, 2) == 0)
		disconnect(w, true);
}

static bool lost(struct world *w, const struct path *p, int to)
{
	return p->cut[to] || rnd(w, 100) < p->percent;
}

static void send_beat(struct world *w, int i)
{
	struct node *n = &w->n[i];
	struct ev *e;

	if (n->s == NULL || n->beat_len == 0 || (n->stalled_all && w->now < n->stalled_until) ||
		lost(w, &w->stream, !i))
		return;
	e = push(w, EV_BEAT, !i, w->now + 100 + rnd(w, 2 * MS));
	e->len = n->beat_len;
	memcpy(e->msg, n->beat, n->beat_len);
}

static void send_msg(struct world *w, int i, const struct srp_action *a)
{
	usec_t at = w->now + 100 + rnd(w, 2 * MS);
	struct ev *e;

	if (!w->connected)
		return;
	/* TCP repeats what is lost, and what comes behind waits for it. */
	if (rnd(w, 100) < w->tcp.percent)
		at += 40 * MS;
	if (at <= w->tcp_last[!i])
		at = w->tcp_last[!i] + 1;
	w->tcp_last[!i] = at;
	e = push(w, EV_MSG, !i, at);
	e->connection = w->connection;
	e->number = ++w->tcp_sent[!i];
	e->len = a->len;
	memcpy(e->msg, a->msg, a->len);
}

static void step_asked(struct world *w, int i, const struct srp_action *a)
{
	struct node *n = &w->n[i];
	usec_t late = rnd(w, 4) == 0 ? 60 * MS : 3 * MS;
	struct ev *e;

	trace(w, i, "step %s term %llu", srp_step_name(a->step), (unsigned long long)a->term);
	if (a->step == SRP_STEP_OWN || a->step == SRP_STEP_STREAM || a->step == SRP_STEP_RESUME)
		check_term(w, i, a->term, a->step != SRP_STEP_STREAM);
	check_alone(w, i, a);
	if (a->step == SRP_STEP_OWN)
		lists_own(w, i, a->term);
	if (a->step == SRP_STEP_DEACTIVATE)
		n->owner = n->late = n->streaming = n->vips = false;
	if (a->step == SRP_STEP_WRITE) {
		n->writing = true;
		n->st.joined = n->passed = false;
		n->joined_at = USEC_NEVER;
	}
	if (a->step == n->withhold)
		return;
	e = push(w, EV_DONE, i, w->now + 50 + rnd(w, late));
	e->step = a->step;
	e->term = a->term;
}

static void disk_asked(struct world *w, int i, const struct srp_action *a)
{
	struct ev *e = push(w, EV_DISK, i, w->now + 1 * MS + rnd(w, 10 * MS));

	e->number = a->number;
	e->counter = a->restart_counter;
	e->flag = !w->n[i].disk_full;
	/* Written early or late within that time: a crash meets both. */
	if (e->flag && rnd(w, 2) == 0) {
		w->n[i].disk.reserve = a->number;
		w->n[i].disk.restart_counter = a->restart_counter;
	}
}

static void act(struct world *w, int i, const struct srp_action *a)
{
	struct node *n = &w->n[i];

	switch (a->kind) {
	case SRP_ACT_SEND:
		send_msg(w, i, a);
		break;
	case SRP_ACT_CLOSE:
		if (srp_info(n->s)->count.messages_malformed > 0)
			fail(w,
				"chassis %d closes the connection: a message of the other was "
				"malformed",
				i);
		disconnect(w, false); /* it was silent for dead-interval */
		break;
	case SRP_ACT_HEARTBEAT:
		memcpy(n->beat, a->msg, a->len);
		n->beat_len = a->len;
		if (a->now)
			send_beat(w, i);
		break;
	case SRP_ACT_STEP:
		step_asked(w, i, a);
		break;
	case SRP_ACT_RESERVE:
		disk_asked(w, i, a);
		break;
	case SRP_ACT_ROLE:
		check_role(w, i, a);
		break;
	case SRP_ACT_PROBE:
		push(w, EV_PROBE, i, w->now + 300 * MS);
		break;
	case SRP_ACT_METRIC:
	case SRP_ACT_LINES:
		break;
	case SRP_ACT_NUMBERS:
		lists_offered(w, i, a->held);
		break;
	case SRP_ACT_ALARM:
		trace(w, i, "alarm %s %s", srp_alarm_name(a->alarm),
			a->raised ? "raised" : "cleared");
		break;
	case SRP_ACT_GOODBYE:
		n->leaving = true;
		break;
	case SRP_ACT_ABORT:
		trace(w, i, "abort: %s", a->text);
		check_abort(w, i, a->text);
		w->aborts++;
		n->withhold = SRP_STEP_NONE;
		n->leaving = true;
		break;
	}
}

void drain(struct world *w, int i)
{
	struct node *n = &w->n[i];
	struct srp_action a;

	while (n->s != NULL && srp_next(n->s, &a))
		act(w, i, &a);
	check_owners(w);
	if (n->s != NULL && n->leaving)
		kill_node(w, i, false, 100 * MS + rnd(w, 1000 * MS));
}

static void report_stream(struct world *w, int i)
{
	struct node *n = &w->n[i], *p = &w->n[!i];
	bool heard = n->st.heard != USEC_NEVER && w->now - n->st.heard < 3 * n->conf.heartbeat_us;

	if (n->writing && !n->st.joined && heard && p->s != NULL && p->streaming) {
		if (n->joined_at == USEC_NEVER)
			n->joined_at = w->now + rnd(w, 200 * MS);
		if (w->now >= n->joined_at && (n->passed || !w->lists)) {
			n->st.joined = true;
			n->st.table_empty = false;
		}
	}
	n->st.in_sync = n->streaming && p->s != NULL && p->writing && p->st.joined && heard;
	if (n->owner)
		n->st.table_empty = false;
	srp_stream(n->s, &n->st, w->now);
}

void tick(struct world *w, int i)
{
	if (w->n[i].s == NULL || w->now < w->n[i].stalled_until)
		return;
	check_pending(w, i);
	report_stream(w, i);
	srp_tick(w->n[i].s, w->now);
	drain(w, i);
	if (w->n[i].s != NULL)
		reload_turn(w, i);
	if (w->n[i].s != NULL) {
		lists_turn(w, i);
		drain(w, i);
	}
}

static void beat(struct world *w, const struct ev *e)
{
	struct node *n = &w->n[e->node];

	/* Only what replication itself missed is lost; control reads what it was handed when it
	 * wakes up. */
	if (!e->flag && n->stalled_all && w->now < n->stalled_until)
		return;
	if (!e->flag)
		n->st.heard = w->now;
	if (w->now < n->stalled_until) {
		struct ev *later = push(w, EV_BEAT, e->node, n->stalled_until);

		later->flag = true;
		later->len = e->len;
		memcpy(later->msg, e->msg, e->len);
		return;
	}
	srp_heartbeat(n->s, e->msg, e->len, true, w->now);
}

/* LATE is done when everything is acknowledged, which takes a stream that works both ways. */
static bool step_done(struct world *w, const struct ev *e)
{
	struct node *n = &w->n[e->node], *p = &w->n[!e->node];
	struct ev *again;

	if (e->step == SRP_STEP_LATE) {
		if (w->stream.cut[0] || w->stream.cut[1] || p->s == NULL || !p->writing) {
			again = push(w, EV_DONE, e->node, w->now + 5 * MS);
			again->step = e->step;
			again->term = e->term;
			return false;
		}
		n->late = true;
		n->last_number += 1 + rnd(w, 1000);
		p->applied = n->last_number;
	}
	if (e->step == SRP_STEP_STOP)
		n->writing = n->st.joined = false;
	if (e->step == SRP_STEP_OWN)
		n->owner = true;
	if (e->step == SRP_STEP_ACTIVATE)
		n->vips = true;
	if (e->step == SRP_STEP_STREAM || e->step == SRP_STEP_RESUME)
		n->streaming = true;
	if (e->step == SRP_STEP_RESUME)
		n->late = false;
	srp_done(n->s, e->step, e->term, true,
		e->step == SRP_STEP_STOP ? n->applied : n->last_number, NULL, w->now);
	return true;
}

static void connect(struct world *w)
{
	struct node *side1 = &w->n[1];

	push(w, EV_CONNECT, 1, w->now + 50 * MS)->life = 0;
	if (w->connected || side1->s == NULL || w->tcp.cut[0] || w->tcp.cut[1] ||
		w->now < side1->stalled_until)
		return;
	if (w->n[0].s == NULL) {
		srp_disconnected(side1->s, true, w->now);
		drain(w, 1);
		return;
	}
	/* The kernel would accept; its control core hears of it when it runs again. */
	if (w->now < w->n[0].stalled_until)
		return;
	w->connected = true;
	w->connection++;
	w->tcp.good_since = w->now;
	w->tcp_last[0] = w->tcp_last[1] = w->now;
	w->tcp_sent[0] = w->tcp_sent[1] = w->tcp_got[0] = w->tcp_got[1] = 0;
	for (int i = 0; i < 2; i++)
		if (w->n[i].s != NULL) {
			srp_disconnected(w->n[i].s, false, w->now);
			srp_connected(w->n[i].s, w->now);
			drain(w, i);
		}
}

static bool waits_for_control(enum ev_kind k)
{
	return k == EV_MSG || k == EV_DONE || k == EV_DISK || k == EV_PROBE || k == EV_CLOSED;
}

static void postpone(struct world *w, const struct ev *e)
{
	struct ev copy = *e, *later = push(w, e->kind, e->node, w->n[e->node].stalled_until);

	copy.at = later->at;
	copy.order = later->order;
	*later = copy;
}

static void handle_control(struct world *w, const struct ev *e)
{
	struct node *n = &w->n[e->node];

	if (e->kind == EV_MSG) {
		/* A cut holds what TCP carries back, and what comes behind waits for it. */
		bool early = e->number != w->tcp_got[e->node] + 1;

		if (e->connection != w->connection)
			return;
		if (w->tcp.cut[e->node] || early) {
			usec_t at = w->now + (w->tcp.cut[e->node] ? 30 : 1) * MS;
			struct ev copy = *e, *later = push(w, EV_MSG, e->node, at);

			copy.at = later->at;
			copy.order = later->order;
			*later = copy;
			return;
		}
		w->tcp_got[e->node]++;
		srp_message(n->s, e->msg, e->len, w->now);
	} else if (e->kind == EV_DONE) {
		step_done(w, e);
	} else if (e->kind == EV_DISK) {
		if (e->flag) {
			n->disk.reserve = e->number;
			n->disk.restart_counter = e->counter;
		}
		srp_saved_reserve(n->s, e->number, e->flag, w->now);
	} else if (e->kind == EV_PROBE) {
		/* Whoever has the addresses in its kernel answers, whatever became of the
		 * process. */
		n->asked = true;
		n->answered = w->n[!e->node].vips;
		srp_probed(n->s, n->answered, "the other", w->now);
	} else if (!w->connected) {
		srp_disconnected(n->s, false, w->now);
	}
}

void handle(struct world *w, const struct ev *e)
{
	struct node *n = &w->n[e->node];

	if (e->kind == EV_CONNECT) {
		connect(w);
		return;
	}
	if (e->kind == EV_BOOT) {
		if (n->s == NULL)
			boot(w, e->node);
		return;
	}
	if (e->life != n->life || n->s == NULL)
		return;
	if (e->kind == EV_LOAD) {
		if (n->file == e->number)
			reload_file(w, e->node, e->number);
		return;
	}
	if (e->kind == EV_SNAP) {
		lists_snap(w, e->node);
		return;
	}
	if (e->kind == EV_RECORDS) {
		lists_records(w, e);
		return;
	}
	if (e->kind == EV_SEND_BEAT) {
		if (e->number != n->beats)
			return; /* of another interval */
		send_beat(w, e->node);
		push(w, EV_SEND_BEAT, e->node, w->now + srp_info(n->s)->heartbeat_us)->number =
			n->beats;
		return;
	}
	if (e->kind == EV_RESUME)
		srp_stalled(n->s, w->now - n->stalled_at,
			n->stalled_all ? w->now - n->stalled_at : 0, &n->st, w->now);
	else if (e->kind == EV_BEAT)
		beat(w, e);
	else if (waits_for_control(e->kind) && w->now < n->stalled_until) {
		postpone(w, e);
		return;
	} else if (waits_for_control(e->kind))
		handle_control(w, e);
	drain(w, e->node);
}
