/* SPDX-License-Identifier: BSD-3-Clause */
#include "signalling/signalling.h"

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ask.h"
#include "base/log.h"
#include "base/memory.h"
#include "peers/peer_numbers.h"
#include "signalling_priv.h"

/* After an unplanned promotion no Error Indication is sent for so long: sessions that the peer made
 * last may still come. */
enum { SIGNALLING_NO_ERROR_US = 3000000 };

/* ret of opening a part, which is logged when it is an error. */
static int signalling_opened(const char *what, int ret)
{
	if (ret < 0)
		LOG(ERR, "a part of GTP signalling cannot be opened part=%s error=%s",
			LOG_TEXT(what), LOG_TEXT(strerror(-ret)));
	return ret;
}

static int signalling_open(struct signalling *s)
{
	int ret = signalling_opened("table of requests", asked_init(&s->asked, &s->env.secret));

	if (ret == 0)
		ret = signalling_opened("table of procedures", procedures_open(s));

	if (ret == 0)
		ret = signalling_opened("session index", session_index_init(&s->index, &s->env));
	if (ret == 0)
		ret = signalling_opened("GTP-C socket", front_open(&s->front, &s->env));
	if (ret == 0)
		ret = signalling_opened(
			"GTP-U socket", gtpu_slow_open(&s->gtpu, &s->env, &s->front.heard));
	return ret;
}

struct signalling *signalling_create(const struct signalling_env *env)
{
	struct signalling *s = memory_take("signalling", sizeof(*s), 0);
	int ret;

	if (s == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	s->env = *env;
	memcpy(s->port, env->ports, env->n_ports * sizeof(*env->ports));
	s->env.ports = s->port;
	s->front.fd = s->gtpu.fd = -1;
	ret = signalling_open(s);
	if (ret < 0) {
		signalling_destroy(s);
		errno = -ret;
		return NULL;
	}
	return s;
}

void signalling_destroy(struct signalling *s)
{
	if (s == NULL)
		return;
	front_close(&s->front);
	gtpu_slow_close(&s->gtpu);
	session_index_fini(&s->index);
	pdp_close(s->pdp);
	asked_fini(&s->asked);
	memory_give(s);
}

int signalling_gtpc_fd(const struct signalling *s)
{
	return s->front.fd;
}

int signalling_gtpu_fd(const struct signalling *s)
{
	return s->gtpu.fd;
}

void signalling_gtpc_ready(struct signalling *s, usec_t now)
{
	front_receive(&s->front, gtpc_message, s, now);
}

void signalling_gtpu_ready(struct signalling *s, usec_t now)
{
	gtpu_slow_receive(&s->gtpu, now);
}

bool signalling_frame(struct signalling *s, struct rte_mbuf *m, usec_t now)
{
	const struct signalling_port *in;
	struct gtpc_datagram d;
	struct gtpc_peer from;
	enum gtpc_frame is = direct_read(&s->front.direct, m, &d, &in);

	if (is == GTPC_FRAME_OTHER)
		return false;
	if (is == GTPC_FRAME_OURS) {
		from = (struct gtpc_peer){ ip_addr_v4(d.from4), d.from_port };
		if (heard_control(&s->front.heard, in, &from.addr))
			gtpc_message(s, &from, d.p, d.len, now);
	}
	rte_pktmbuf_free(m);
	return true;
}

/* Nobody answered a request of our own. */
static void signalling_unanswered(
	void *ctx, const struct gtpc_peer *to, uint64_t cookie, usec_t now)
{
	struct signalling *s = ctx;

	if (cookie == FRONT_COOKIE_ECHO)
		pdp_peer_result(s->pdp, &to->addr, false, now);
	else
		procedures_own_ended(s, cookie, NULL, now);
}

void signalling_turn(struct signalling *s, usec_t now)
{
	const struct pdp_time t = procedures_time(s, now);
	bool held = atomic_load(&s->env.role->held);

	front_turn(&s->front, signalling_unanswered, s, now);
	if (held)
		pdp_hold(s->pdp, now);
	pdp_turn(s->pdp, &t, !held && atomic_load(&s->env.role->answering));
	front_flush(&s->front);
	session_index_turn(&s->index);
}

bool signalling_indexing(const struct signalling *s)
{
	return session_index_turning(&s->index);
}

void signalling_flush(struct signalling *s)
{
	front_flush(&s->front);
}

void signalling_index_event(struct signalling *s, const struct from_worker_event *e)
{
	session_index_event(&s->index, e);
}

void signalling_index_batch(struct signalling *s, const struct msg_batch *m)
{
	session_index_batch(&s->index, m);
}

void signalling_index_missed(struct signalling *s)
{
	session_index_missed(&s->index);
}

void signalling_committed(struct signalling *s, const struct msg_entries *m, usec_t now)
{
	for (unsigned int i = 0; i < m->n; i++)
		pdp_committed(s->pdp, repl_entry_handle(m->entry[i]),
			repl_entry_commit(m->entry[i]), now);
}

void signalling_stream(struct signalling *s, bool on, usec_t now)
{
	pdp_stream(s->pdp, on, now);
}

void signalling_activated(struct signalling *s, uint64_t term, bool planned, usec_t now)
{
	pdp_activated(s->pdp, term);
	s->gtpu.error_from = planned ? now : now + SIGNALLING_NO_ERROR_US;
}

void signalling_deactivated(struct signalling *s)
{
	pdp_deactivated(s->pdp, 0); /* nothing is answered at any time */
	gtpc_pending_clear(s->front.pending);
	/* What was true of our sessions is the other's to say from now on: the session of a Create
	 * that comes again after we are Active once more may be gone, and its address another's.
	 * The slots know the last answer of those that live. */
	gtpc_answered_clear(s->front.answered);
}

void signalling_reconfigure(struct signalling *s, const struct signalling_live *live)
{
	s->env.live = *live;
	pdp_configure(s->pdp, live->commit_timeout_us);
}

bool signalling_idle(const struct signalling *s)
{
	return pdp_is_idle(s->pdp);
}

bool signalling_names(const struct signalling *s, enum places_kind kind, unsigned int at)
{
	uint8_t number = places_number(s->env.places, kind, at);

	return pdp_names(s->pdp, kind == PLACES_APN ? number : 0, kind == PLACES_POOL ? number : 0);
}

static void signalling_end_one(void *ctx, uint32_t superseded, uint32_t by)
{
	struct signalling *s = ctx;
	struct session_rec rec;

	session_read(s->env.table, session_slot_of(s->env.table, superseded), &rec);
	rec.handle = superseded;
	if (ask_worker(&s->env, &(struct ask){ .type = TO_WORKER_DELETE,
					.worker = ask_owner(&s->env, superseded),
					.why = SESSION_WHY_SUPERSEDED,
					.term = atomic_load(&s->env.role->term),
					.rec = &rec }))
		LOG(NOTICE,
			"a session ends: its subscriber has a newer one, and its end was not heard "
			"session=%08x successor=%08x",
			superseded, by);
}

void signalling_end_superseded(struct signalling *s)
{
	const struct role *role = s->env.role;
	bool ours = atomic_load(&role->owned) && atomic_load(&role->answering);

	session_index_superseded(&s->index, ours ? signalling_end_one : NULL, s);
}

uint32_t signalling_find(const struct signalling *s, uint64_t key)
{
	return session_index_find(&s->index, key);
}

void signalling_view(const struct signalling *s, struct signalling_view *v)
{
	struct pdp_view p;

	pdp_view(s->pdp, &p);
	*v = (struct signalling_view){ .gtpc = s->front.count,
		.gate = p.gate,
		.direct = s->front.direct.count,
		.gtpu = s->gtpu.count,
		.peers = s->front.heard.count,
		.answering = role_answers(s->env.role),
		.answers_protected = p.is_protected,
		.requests_in_progress = p.requests,
		.rows = p.rows,
		.answered = *gtpc_answered_count(s->front.answered),
		.frames_dropped = s->gtpu.frames_dropped };
	v->rows.requests_full += s->asked.full;
	v->rows.requests_collided += s->asked.collided;
}

struct signalling_peer_count signalling_peer(const struct signalling *s, uint16_t number)
{
	static const struct signalling_peer_count none;

	return number <= PEER_NUMBERS_LAST ? s->front.heard.of[number] : none;
}
