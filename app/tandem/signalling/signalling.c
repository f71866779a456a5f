/* SPDX-License-Identifier: BSD-3-Clause */
#include "signalling/signalling.h"

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ask.h"
#include "base/log.h"
#include "base/memory.h"
#include "signalling_priv.h"

/* After an unplanned promotion no Error Indication is sent for so long: sessions that the peer made
 * last may still come. */
enum { SIGNALLING_NO_ERROR_US = 3000000 };

/* An answer whose time has come: the commit gate's release. */
static void signalling_release(void *ctx, const struct signalling_txn *x, usec_t now)
{
	struct signalling *s = ctx;

	front_answer(&s->front, &x->request, x->msg, x->len, now);
}

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
	int ret = signalling_opened(
		"table of transactions", txn_table_init(&s->txns, &s->env.secret));

	if (ret == 0)
		ret = signalling_opened("session index", session_index_init(&s->index, &s->env));
	if (ret == 0)
		ret = signalling_opened("GTP-C socket", front_open(&s->front, &s->env));
	if (ret == 0)
		ret = signalling_opened("GTP-U socket", gtpu_slow_open(&s->gtpu, &s->env));
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
	s->paths.env = &s->env;
	s->paths.front = &s->front;
	commit_gate_init(&s->gate, &s->txns, signalling_release, s);
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
	txn_table_fini(&s->txns);
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
	struct gtpc_datagram d;
	struct gtpc_peer from;
	enum gtpc_frame is = direct_read(&s->front.direct, m, &d);

	if (is == GTPC_FRAME_OTHER)
		return false;
	if (is == GTPC_FRAME_OURS) {
		from = (struct gtpc_peer){ ip_addr_v4(d.from4), d.from_port };
		gtpc_message(s, &from, d.p, d.len, now);
	}
	rte_pktmbuf_free(m);
	return true;
}

static struct commit_gate_time signalling_gate_time(const struct signalling *s, usec_t now)
{
	return (struct commit_gate_time){ .now = now,
		.stood_still = atomic_load(&s->env.role->stood_still),
		.timeout = s->env.live.commit_timeout_us };
}

/* Nobody answered a request of our own. */
static void signalling_unanswered(
	void *ctx, const struct gtpc_peer *to, uint64_t cookie, usec_t now)
{
	struct signalling *s = ctx;

	if (cookie == PATHS_COOKIE_ECHO)
		paths_echo_result(&s->paths, &to->addr, false, now);
}

void signalling_turn(struct signalling *s, usec_t now)
{
	const struct commit_gate_time t = signalling_gate_time(s, now);

	front_turn(&s->front, signalling_unanswered, s, now);
	paths_turn(&s->paths, now);
	commit_gate_turn(&s->gate, &t);
	txn_turn(&s->txns, now);
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
	commit_gate_committed(&s->gate, m->entry, m->n, now);
}

void signalling_stream(struct signalling *s, bool on, usec_t now)
{
	commit_gate_stream(&s->gate, on, now);
}

void signalling_activated(struct signalling *s, uint64_t term, bool planned, usec_t now)
{
	s->live_most = s->env.start.max_sessions; /* not known: they are counted */
	s->next_charging = (uint32_t)(term << 20) | 1;
	s->gtpu.error_from = planned ? now : now + SIGNALLING_NO_ERROR_US;
	paths_uncheck(&s->paths);
}

void signalling_deactivated(struct signalling *s)
{
	commit_gate_drop_all(&s->gate);
	txn_drop_all(&s->txns);
	gtpc_pending_clear(s->front.pending);
	/* What was true of our sessions is the other's to say from now on: the session of a Create
	 * that comes again after we are Active once more may be gone, and its address another's.
	 * The slots know the last answer of those that live. */
	gtpc_answered_clear(s->front.answered);
}

void signalling_reconfigure(struct signalling *s, const struct signalling_live *live)
{
	s->env.live = *live;
}

bool signalling_idle(const struct signalling *s)
{
	return s->txns.n == 0;
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
	*v = (struct signalling_view){ .gtpc = s->front.count,
		.gate = s->gate.count,
		.direct = s->front.direct.count,
		.gtpu = s->gtpu.count,
		.answering = role_answers(s->env.role),
		.answers_protected = s->gate.is_protected,
		.requests_in_progress = s->txns.n,
		.requests_refused = s->txns.full,
		.frames_dropped = s->gtpu.frames_dropped };
}
