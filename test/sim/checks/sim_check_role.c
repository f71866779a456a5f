/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is active, who speaks, what was promised: checked as roles change and answers leave. */
#include "sim.h"

static char name(const struct node *n)
{
	return (char)('A' + n->id);
}

/* ---- terms ---- */

/* A chassis that lost its disk remembers nothing. What then comes a second time does no harm where
 * nobody is there to ask, or where nobody ever heard of it: the other stood still, say, while the
 * one that lost its disk was Active. */
static bool forgotten(const struct node *n, const struct term *t)
{
	return n->id == t->node && n->host.disk_lost &&
	       (!pair_srp(n->t.control->pair)->peer.known || !t->heard);
}

static void check_term(const struct node *n, repl_term_t term)
{
	const struct node *other = &sim.node[!n->id];
	bool heard = other->up && pair_srp(other->t.control->pair)->highest_term >= term;

	if ((term & 1) != (unsigned int)n->id)
		broken(3, "chassis %c uses term %llu of the other side", name(n),
			(unsigned long long)term);
	for (unsigned int i = 0; i < sim.n_terms; i++) {
		struct term *t = &sim.terms[i];

		if (t->term != term)
			continue;
		if (t->life != n->life && forgotten(n, t))
			t->life = n->life;
		if (t->node != n->id || t->life != n->life)
			broken(3, "term %llu is used a second time, by chassis %c",
				(unsigned long long)term, name(n));
		t->heard |= heard;
		return;
	}
	if (sim.n_terms < RTE_DIM(sim.terms))
		sim.terms[sim.n_terms++] = (struct term){ term, n->id, n->life, heard };
}

/* ---- promises ---- */

static bool excused(uint32_t pos)
{
	return sim.flip.set && sim.flip.pos == pos;
}

/* What was told while protected is a state of that slot at the chassis that told it, and may be
 * followed by others. */
static void check_kept(
	const struct node *n, const struct node *author, uint32_t pos, const char *when)
{
	static const char *const names[GROUPS] = { "identity", "tunnel", "qos", "request",
		"extra" };
	const struct promise *p = &sim.promise[pos];
	struct session_rec r;

	session_read_at(n->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
	for (unsigned int g = 0; g < GROUPS && !excused(pos); g++)
		if (!history_has(author, pos, g, p->at[author->id][g], group_hash(&r, g)))
			broken(9,
				"chassis %c %s and slot %u, %s, is not what was told while "
				"protected",
				name(n), when, pos, names[g]);
}

static bool owner_of(const struct promise *p, const struct node *n)
{
	return p->valid[n->id] && p->life[n->id] == n->life;
}

/* Its table is the truth from now on; that of another that does not know it yet, too. */
static void promoted(struct node *n)
{
	struct node *other = &sim.node[!n->id];
	bool split = other->up && switchover_owns(other->t.control->switchover);

	for (uint32_t pos = 0; pos < sim.slots; pos++) {
		struct promise *p = &sim.promise[pos];

		if (!p->told)
			continue;
		if (p->valid[other->id] && (n->vouched || p->holder == n->life)) {
			check_kept(n, other, pos, "is promoted");
			p->valid[n->id] = true;
			p->life[n->id] = n->life;
			memset(p->at[n->id], 0, sizeof(p->at[0]));
		} else {
			p->valid[n->id] = false;
		}
		/* Who handed over still has it all; who is Active too goes its own way. */
		p->holder = other->up && owner_of(p, other) && !split ? other->life : 0;
		p->valid[other->id] = split && owner_of(p, other);
		p->told = p->valid[0] || p->valid[1];
		sim.second_faults += !p->told; /* both that had it are gone */
	}
	promotion_check(n, n->t.control->switchover->own_planned, n->vouched);
	history_begin(n);
	use_check(n, true, n->vouched);
	n->vouched = false;
	n->lineage = n->n_used == 0 ? ++sim.lineages : other->lineage;
	n->owner_since = sim.now;
	sim.promotions++;
	if (sim.flip.set && sim.flip.node == n->id)
		sim.spoilt = true;
}

/* The standby says that its table is its peer's. */
static void vouches(struct node *n)
{
	const struct node *owner = &sim.node[!n->id];

	n->vouched = true;
	story(n->id, "is in sync");
	for (uint32_t pos = 0; pos < sim.slots; pos++) {
		struct promise *p = &sim.promise[pos];

		if (!p->told)
			continue;
		if (owner_of(p, owner)) {
			check_kept(n, owner, pos, "vouches for its table");
		} else if (owner->up &&
			   switchover_owns(
				   owner->t.control->switchover)) { /* of the lineage that lost */
			p->told = false;
			sim.second_faults++;
		}
	}
}

/* The replication core tells of commits that the standby acknowledged: which process that was. */
void check_acked(const struct node *n, const struct msg_entries *m)
{
	const struct node *peer = &sim.node[!n->id];
	bool there =
		peer->up && repl_peer_incarnation(n->t.repl->stream) == peer->t.random.incarnation;

	case_acked(n, m, there);
	lease_acked(n, m, there);
	for (unsigned int i = 0; i < m->n && there; i++)
		truth_of(repl_entry_handle(m->entry[i]), true)->acked_life = peer->life;
}

/* Whether a chassis never had what was told of that session: it became Active before its copy was
 * whole, while the one that has it did not answer (lib/srp/README.md section 1: availability
 * first). */
bool promise_missing(const struct node *n, unsigned int life, uint32_t handle)
{
	const struct promise *p = &sim.promise[pos_of(n, handle)];

	return p->told && !(p->valid[n->id] && p->life[n->id] == life);
}

/* An answer that a commit protects: the standby has it now, or had it when it was promoted itself.
 * Who acknowledged it may have ended while control stood still, and another process be there: then
 * the owner alone has it, as if the standby had ended right behind the answer. */
static void promise(struct node *n, uint32_t handle, uint8_t type)
{
	struct node *peer = &sim.node[!n->id];
	uint32_t pos = pos_of(n, handle);
	struct promise p = { .told = true };
	const struct truth *t = truth_of(handle, true);
	unsigned int how = type == GTPC_CREATE_RESPONSE   ? DOOR_CREATE
			   : type == GTPC_UPDATE_RESPONSE ? DOOR_UPDATE
							  : DOOR_FREE;
	bool there = peer->up &&
		     repl_peer_incarnation(n->t.repl->stream) == peer->t.random.incarnation &&
		     (t->acked_life == 0 || t->acked_life == peer->life);
	bool taken_over = there && switchover_owns(peer->t.control->switchover);
	struct session_rec r;

	p.valid[n->id] = true;
	p.life[n->id] = n->life;
	for (unsigned int g = 0; g < GROUPS; g++) {
		const struct states *h = &n->history[pos][g];

		p.at[n->id][g] = t->at[how][g];
		if (!there || excused(pos))
			continue;
		session_read_at(peer->t.table, pos / sim.per_shard, pos % sim.per_shard, &r);
		if (p.at[n->id][g] >= h->n ||
			(taken_over ? !history_has(peer, pos, g, 0, h->state[p.at[n->id][g]])
				    : !history_has(n, pos, g, p.at[n->id][g], group_hash(&r, g)))) {
			story_slot(n, pos);
			story_slot(peer, pos);
			broken(2,
				"chassis %c tells of %08x while protected, and the standby does "
				"not have it",
				name(n), handle);
		}
	}
	if (taken_over) { /* it is among what the peer had when it took over */
		p.valid[peer->id] = true;
		p.life[peer->id] = peer->life;
	}
	p.holder = there ? peer->life : 0;
	sim.promise[pos] = p;
}

void promise_acked(struct node *n, uint32_t handle, const uint32_t at[GROUPS])
{
	struct node *peer = &sim.node[!n->id];
	bool taken_over = switchover_owns(peer->t.control->switchover);
	uint32_t pos = pos_of(n, handle);
	struct promise p = { .told = true, .holder = peer->life };

	p.valid[n->id] = true;
	p.life[n->id] = n->life;
	p.valid[peer->id] = taken_over;
	p.life[peer->id] = peer->life;
	memcpy(p.at[n->id], at, sizeof(p.at[0]));
	sim.promise[pos] = p;
}

static struct sub *sub_of(uint32_t addr, uint16_t seq)
{
	for (unsigned int i = 0; i < sim.n_subs; i++) {
		struct sub *s = &sim.sub[i];

		if (sim.sgsn[s->sgsn].addr == addr && s->seq == seq && s->state != SUB_IDLE &&
			s->state != SUB_UP)
			return s;
	}
	return NULL;
}

static void check_answer(struct node *n, bool is_protected, uint32_t to, uint16_t seq,
	const uint8_t *msg, size_t len)
{
	struct sub *s = len > 12 ? sub_of(to, seq) : NULL;
	uint32_t handle;

	sim.answers++;
	sim.safe_answers += is_protected;
	if (s == NULL || msg[13] != GTPC_REQUEST_ACCEPTED)
		return;
	s->told_safe = is_protected;
	if (msg[1] == GTPC_CREATE_RESPONSE) {
		s->doubtful = false;
		s->lineage = n->lineage;
		s->made_unsafe = true;
		s->made_at = sim.promotions;
		s->made_by = n->life << 1 | (unsigned int)n->id;
	}
	s->doubtful |=
		s->made_unsafe && (s->made_at != sim.promotions ||
					  s->made_by != (n->life << 1 | (unsigned int)n->id));
	s->made_unsafe &= !is_protected;
	handle = s->gw;
	if (msg[1] == GTPC_CREATE_RESPONSE) {
		handle = 0;
		for (size_t i = 14; i + 4 < len && handle == 0;
			i++) /* Cause, Recovery, TEID Data, TEID Control */
			if (msg[i] == 17)
				handle = (uint32_t)msg[i + 1] << 24 | (uint32_t)msg[i + 2] << 16 |
					 (uint32_t)msg[i + 3] << 8 | msg[i + 4];
			else if (msg[i] == 16)
				i += 4;
			else if (msg[i] < 128)
				i++;
	}
	story(n->id, "tells subscriber %u that its %s of %08x is done (%s)",
		(unsigned int)(s - sim.sub),
		msg[1] == GTPC_CREATE_RESPONSE   ? "create"
		: msg[1] == GTPC_UPDATE_RESPONSE ? "update"
						 : "delete",
		handle, is_protected ? "protected" : "not protected");
	if (is_protected && handle != 0)
		promise(n, handle, msg[1]);
}

void __wrap_gtpc_answered_put(struct gtpc_answered *a, const struct gtpc_peer *to, uint8_t type,
	uint16_t seq, uint32_t digest, const uint8_t *msg, size_t len, usec_t now)
{
	struct node *n = me();
	uint64_t safe = node_pdp(n).gate.protected_answers;

	check_answer(n, safe != n->n_protected, ip_addr_to_v4(&to->addr), seq, msg, len);
	n->n_protected = safe;
	__real_gtpc_answered_put(a, to, type, seq, digest, msg, len, now);
}

/* ---- speaking ---- */

void check_emit(struct node *n, unsigned int port, const char *what)
{
	const struct control *c = n->t.control;
	bool late = false;

	for (unsigned int w = 0; w < n->t.n_workers; w++)
		late |= n->t.worker[w]->fp.mode != FASTPATH_IDLE;
	if (switchover_owns(c->switchover) || control_is_up(c) || late ||
		sim.now < n->silent_since + 5 * MS)
		return;
	broken(8, "chassis %c sends %s on %s and owns nothing", name(n), what,
		port == ACCESS ? "access" : "core");
}

/* An SGSN gives a context up on one: not while sessions that the other made may still be missing
 * here. */
void check_error_indication(const struct node *n)
{
	if (n->unplanned != 0 && sim.now + 2 * MS < n->unplanned + 3000 * MS)
		broken(8, "chassis %c sends an Error Indication %llu ms after it took over",
			name(n), (unsigned long long)(sim.now - n->unplanned) / MS);
}

/* The addresses come when all workers own. */
static void check_addressed(struct node *n)
{
	const struct control *c = n->t.control;

	for (unsigned int w = 0; w < n->t.n_workers && control_is_up(c) && !n->addressed; w++)
		if (n->t.worker[w]->fp.mode != FASTPATH_OWN ||
			n->t.worker[w]->term != switchover_own_term(c->switchover))
			broken(8, "chassis %c has its addresses and worker %u does not own yet",
				name(n), w);
	n->addressed = control_is_up(c);
}

/* Who owns nothing has no address, and no route unless late packets may still come, or as a Standby
 * that tells of itself ahead of need: then it is the longer path. */
static void check_left(const struct node *n)
{
	const struct control *c = n->t.control;
	const struct host *h = &n->host, *other = &sim.node[!n->id].host;
	bool late = false;

	for (unsigned int w = 0; w < n->t.n_workers; w++)
		late |= n->t.worker[w]->fp.mode != FASTPATH_IDLE;
	if (control_is_up(c))
		return;
	if (vips_state(c->vips) == VIPS_AHEAD && pair_srp(c->pair)->state != SRP_STANDBY &&
		pair_srp(c->pair)->state != SRP_PENDING_ACTIVE)
		broken(8, "chassis %c has a standby's routes and is none", name(n));
	if (h->vip[0] || h->vip[1])
		broken(8, "chassis %c has an address and is not Active", name(n));
	for (unsigned int port = ACCESS; port <= CORE; port++) {
		if (h->metric[port] == 0)
			continue;
		if (!late && vips_state(c->vips) != VIPS_AHEAD &&
			sim.now > n->silent_since + 3000 * MS)
			broken(8, "chassis %c still has routes and forwards nothing", name(n));
		if (sim.quiet && other->metric[port] != 0 && other->metric[port] >= h->metric[port])
			broken(8,
				"chassis %c, which handed over, is no longer path than the Active "
				"(%u, %u)",
				name(n), h->metric[port], other->metric[port]);
	}
}

/* An answer waits for its commit no longer than the gate allows. */
static void check_waits(struct node *n)
{
	uint64_t waits = node_pdp(n).oldest;
	usec_t most = n->conf.srp.commit_timeout_ms * MS + 50 * MS;

	if (waits == 0 || waits != n->waits || sim.now < sim.last_stall + most)
		n->waits_since = sim.now;
	else if (sim.now > n->waits_since + most)
		broken(15, "chassis %c: an answer waits for its commit since %llu ms", name(n),
			(unsigned long long)(sim.now - n->waits_since) / MS);
	n->waits = waits;
}

/* ---- roles ---- */

/* Worked both ways all the time; at `loss` per mille at most, and nothing waits on it. */
static bool worked(unsigned int path, unsigned int loss, usec_t since)
{
	for (unsigned int d = TO_0; d <= TO_1; d++) {
		const struct wire *w = &sim.wire[path][d];

		if (w->loss > loss || w->rate > 0 || w->jitter >= 10 * MS)
			return false;
	}
	return wire_good(path, since);
}

/* Whoever promotes itself for silence must have had no path over which the peer could be heard. Of
 * 20 heartbeats one may be lost: that 8 are one after the other (multiplier 8) does not happen
 * within 10^5 runs (0.05^8 * 500 heartbeats); 3 do. What did come in, whatever got lost around it,
 * is life. */
static void check_dead(const struct node *n)
{
	const struct node *p = &sim.node[!n->id];
	const struct config *f = &n->conf;
	usec_t patience = 2 * f->srp.dead_interval_ms * MS,
	       beat = f->srp.heartbeat_interval_ms * MS;
	unsigned int loss = f->srp.dead_multiplier >= 8 ? 50 : 0;
	const struct srp_info *info = pair_srp(n->t.control->pair);

	if (!p->up || info->peer.incarnation != p->t.random.incarnation ||
		info->peer.state == SRP_INIT || sim.now < p->booted + patience ||
		sim.now < sim.last_stall + patience || sim.now < patience)
		return;
	sim.false_deaths++;
	if (n->t.control->pair->link->up != NULL && worked(PATH_SRP, 0, sim.now - patience))
		broken(10, "chassis %c takes the other for dead although the SRP connection worked",
			name(n));
	if (worked(PATH_STREAM, loss, sim.now - patience))
		broken(10, "chassis %c takes the other for dead although the stream worked",
			name(n));
	if (sim.insecure && worked(PATH_STREAM, 1000, 0) &&
		sim.now + 2 * beat < n->heard + f->srp.dead_multiplier * beat)
		broken(10, "chassis %c takes the other for dead and heard it %llu us ago", name(n),
			(unsigned long long)(sim.now - n->heard));
}

/* Whoever becomes Active for being alone on a shared subnet asked there first: nobody had the
 * addresses in its kernel for as long as that takes, unless what was asked or answered was lost. */
static void check_alone(const struct node *n)
{
	const struct node *p = &sim.node[!n->id];
	usec_t took = 400 * MS;

	if (sim.l3 || pair_srp(n->t.control->pair)->peer.known || !p->host.vip[0] ||
		sim.now < p->vips_since + took || sim.now < sim.last_stall + took)
		return;
	if (worked(PATH_ACCESS, 0, sim.now - took) || worked(PATH_CORE, 0, sim.now - took))
		broken(10, "chassis %c becomes Active alone and the other has the addresses",
			name(n));
}

/* Both there, nothing stands still, a path works: after a while exactly one is Active, and stays
 * it. The time without one counts from when it began, whatever went on then. */
void check_led(void)
{
	const struct node *a = &sim.node[0], *b = &sim.node[1];
	usec_t bound = 2000 * MS;
	bool path = false;

	for (unsigned int i = PATH_SRP; i <= PATH_STREAM; i++)
		path |= sim.now > bound && wire_good(i, sim.now - bound);
	if (!a->up || !b->up || a->host.disk_full || b->host.disk_full ||
		control_is_up(a->t.control) != control_is_up(b->t.control))
		sim.unled = sim.now;
	else if (path && sim.now > RTE_MAX(sim.unled, RTE_MAX(a->booted, b->booted)) + bound &&
		 sim.now > sim.last_stall + bound)
		broken(10, "%s chassis Active for %llu ms",
			control_is_up(a->t.control) ? "both" : "no",
			(unsigned long long)(sim.now - sim.unled) / MS);
}

/* Whoever hands over to one that promoted itself meanwhile gives up as in dual active. */
static bool gives_up(const struct node *n, enum srp_state to)
{
	const struct node *other = &sim.node[!n->id];

	return to == SRP_STANDBY &&
	       (pair_srp(n->t.control->pair)->last_cause == SRP_CAUSE_DUAL_ACTIVE ||
		       (n->state == SRP_PENDING_STANDBY && other->up &&
			       switchover_owns(other->t.control->switchover) &&
			       other->unplanned != 0));
}

static void state_changed(struct node *n, enum srp_state to)
{
	const struct srp_info *info = pair_srp(n->t.control->pair);

	story(n->id, "is %s now (%s)", srp_state_name(to), srp_cause_name(info->last_cause));
	if (to == SRP_PENDING_ACTIVE && info->last_cause == SRP_CAUSE_DEAD_TIMER)
		check_dead(n);
	if (to == SRP_PENDING_ACTIVE && info->last_cause == SRP_CAUSE_STARTUP)
		check_alone(n);
	if (info->last_cause == SRP_CAUSE_ABORTED) {
		sim.aborted++;
		/* idle times begin anew: late packets did not touch the records */
		n->owner_since = sim.now;
		if (sim.quiet || sim.last_switch > 0)
			broken(8, "a planned switchover is given up although nothing was wrong");
	}
	sim.dual += gives_up(n, to);
	n->state = to;
}

static void check_pending(struct node *n)
{
	if (n->state != SRP_PENDING_ACTIVE && n->state != SRP_PENDING_STANDBY)
		n->pending_since = 0;
	else if (n->pending_since == 0)
		n->pending_since = sim.now;
	else if (sim.now >
		 n->pending_since + 2 * n->conf.srp.pending_timeout_s * USEC_PER_SEC + 4000 * MS)
		broken(15, "chassis %c is stuck in %s", name(n), srp_state_name(n->state));
}

/* What pair publishes is what it goes by. */
static void check_published(const struct node *n)
{
	const struct control *c = n->t.control;
	const struct role *r = &n->t.role;

	if (atomic_load(&r->term) != switchover_own_term(c->switchover) ||
		atomic_load(&r->owned) != switchover_owns(c->switchover) ||
		atomic_load(&r->answering) != switchover_answers(c->switchover) ||
		atomic_load(&r->held) != switchover_holds(c->switchover) ||
		atomic_load(&r->must_not_answer) != pair_srp(c->pair)->must_not_answer ||
		atomic_load(&r->restart_counter) != pair_srp(c->pair)->restart_counter ||
		atomic_load(&r->stood_still) != c->pair->stream->stalls.sum)
		broken(17, "chassis %c: the published role is not the chassis' own", name(n));
}

static void control_turned(struct node *n)
{
	struct control *c = n->t.control;
	enum srp_state state = pair_srp(c->pair)->state;

	if (switchover_owns(c->switchover) && n->own_term != switchover_own_term(c->switchover)) {
		bool resumed = n->owned;

		check_term(n, switchover_own_term(c->switchover));
		n->own_term = switchover_own_term(c->switchover);
		if (!resumed) {
			promoted(n);
			n->unplanned = c->switchover->own_planned ? 0 : sim.now;
		}
		n->owned = true;
	}
	if (c->switchover->step.step ==
		SRP_STEP_WRITE) { /* from here a RESUME is out of the question */
		n->owned = n->owned && switchover_owns(c->switchover);
		n->vouched = false;
	}
	n->late = switchover_late_usage(c->switchover);
	if (switchover_owns(c->switchover) || control_is_up(c))
		n->silent_since = sim.now;
	if (state != n->state)
		state_changed(n, state);
	check_pending(n);
	check_published(n);
	check_addressed(n);
	check_left(n);
	check_waits(n);
}

static void replication_turned(struct node *n)
{
	const struct replicator *r = n->t.repl;
	bool joined = !r->active && r->writing && audit_in_sync_since(r->audit) != USEC_NEVER;

	if (r->active)
		check_term(n, r->term);
	if (repl_unacked(r->stream) > REPL_WINDOW)
		broken(13, "chassis %c has %u packets unacknowledged", name(n),
			repl_unacked(r->stream));
	if (joined && !n->vouched)
		vouches(n);
	stream_turned(n);
}

void check_turn(struct node *n, int core)
{
	if (core == CONTROL)
		control_turned(n);
	else if (core == REPLICATION)
		replication_turned(n);
}
