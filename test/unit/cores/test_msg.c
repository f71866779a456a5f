/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between cores: each type has one row, one name and one direction; each constructor makes
 * the message that it is called after, and its handler alone gets it; what finds no room goes
 * back. */
#include <string.h>

#include <rte_eal.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "cores/from_replicator.h"
#include "cores/from_worker.h"
#include "cores/repl_to_worker.h"
#include "cores/to_replicator.h"
#include "cores/to_worker.h"
#include "ut.h"

enum { MSGS = 63, ROOM = 8, WORKERS = 3 };

static struct rte_mempool *pool;
static struct to_worker_door workers[WORKERS];

static void teardown(void)
{
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

/* ---- rows ---- */

#define ROW(DIR, dir, TYPE, name) { DIR##_##TYPE, MSG_##DIR, #name },
static const struct {
	unsigned int type;
	enum msg_direction direction;
	const char *name;
} rows[] = { TO_WORKER_ROWS(ROW) FROM_WORKER_ROWS(ROW) TO_REPLICATOR_ROWS(ROW)
		FROM_REPLICATOR_ROWS(ROW) REPL_TO_WORKER_ROWS(ROW) };

static void test_rows(void)
{
	unsigned int known = 0;

	for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
		const struct msg_row *r = msg_row((uint8_t)rows[i].type);

		CU_ASSERT_TRUE_FATAL(rows[i].type <= UINT8_MAX && r->name != NULL);
		CU_ASSERT_STRING_EQUAL(r->name, rows[i].name);
		CU_ASSERT_EQUAL(r->direction, rows[i].direction);
		CU_ASSERT_EQUAL(rows[i].type & ~31u, (unsigned int)r->direction);
		for (unsigned int k = 0; k < i; k++) {
			CU_ASSERT_NOT_EQUAL(rows[k].type, rows[i].type);
			CU_ASSERT_TRUE(rows[k].direction != rows[i].direction ||
				       strcmp(rows[k].name, rows[i].name) != 0);
		}
	}
	for (unsigned int t = 0; t <= UINT8_MAX; t++)
		known += msg_row((uint8_t)t)->name != NULL;
	CU_ASSERT_EQUAL(known, RTE_DIM(rows));
}

/* ---- handlers ---- */

static const char *handled;
static unsigned int calls;

/* For each row a handler that says its name, the table of them all, and a message of each type. */
#define SAYS(DIR, dir, TYPE, name)                                                                 \
	static void dir##_##name##_said(void *ctx, struct dir##_##name *m)                         \
	{                                                                                          \
		(void)ctx;                                                                         \
		(void)m;                                                                           \
		handled = #dir "." #name;                                                          \
		calls++;                                                                           \
	}
#define SAYER(DIR, dir, TYPE, name) .name = dir##_##name##_said,
#define SAID(DIR, dir, TYPE, name)                                                                 \
	{                                                                                          \
		struct dir *m = (struct dir *)msg_new(pool, DIR##_##TYPE);                         \
                                                                                                   \
		handled = "";                                                                      \
		CU_ASSERT_TRUE(dir##_dispatch(&dir##_all, NULL, m));                               \
		CU_ASSERT_STRING_EQUAL(handled, #dir "." #name);                                   \
		CU_ASSERT_FALSE(dir##_dispatch(&dir##_no, NULL, m));                               \
		msg_free(pool, m);                                                                 \
	}
#define FOREIGN(DIR, dir, ROWS)                                                                    \
	for (unsigned int t = 0; t <= UINT8_MAX; t++)                                              \
		if (msg_row((uint8_t)t)->name == NULL ||                                           \
			msg_row((uint8_t)t)->direction != MSG_##DIR) {                             \
			struct dir m = { .head.type = (uint8_t)t };                                \
                                                                                                   \
			CU_ASSERT_FALSE(dir##_dispatch(&dir##_all, NULL, &m));                     \
		}
#define DIRECTION(DIR, dir, ROWS)                                                                  \
	ROWS(SAYS)                                                                                 \
	static const struct dir##_handlers dir##_all = { ROWS(SAYER) }, dir##_no;                  \
	static void test_##dir(void)                                                               \
	{                                                                                          \
		calls = 0;                                                                         \
		ROWS(SAID)                                                                         \
		FOREIGN(DIR, dir, ROWS)                                                            \
		CU_ASSERT_EQUAL(calls, DIR##_END - DIR##_NONE - 1);                                \
	}
DIRECTION(TO_WORKER, to_worker, TO_WORKER_ROWS)
DIRECTION(FROM_WORKER, from_worker, FROM_WORKER_ROWS)
DIRECTION(TO_REPLICATOR, to_replicator, TO_REPLICATOR_ROWS)
DIRECTION(FROM_REPLICATOR, from_replicator, FROM_REPLICATOR_ROWS)
DIRECTION(REPL_TO_WORKER, repl_to_worker, REPL_TO_WORKER_ROWS)

/* ---- constructors ---- */

#define MADE(m, is, said)                                                                          \
	do {                                                                                       \
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);                                                   \
		CU_ASSERT_EQUAL((m)->head.type, is);                                               \
		CU_ASSERT_TRUE(said);                                                              \
		msg_free(pool, m);                                                                 \
	} while (0)

static void test_orders(void)
{
	const uint8_t body[3] = { 1, 2, 3 };
	const struct ip_addr a = ip_addr_v4(0x0a000001);
	const repl_entry_t e[2] = { 5, 6 };
	const struct session_usage u = { 1, 2, 3, 4 };
	struct to_worker *w = to_worker_own(pool, 7, 8, true);
	struct to_replicator *r;
	struct repl_to_worker *s;

	MADE(w, TO_WORKER_OWN, w->own.term == 7 && w->own.cookie == 8 && w->own.planned);
	w = to_worker_late(pool, 7, 8);
	MADE(w, TO_WORKER_LATE, w->late.term == 7 && w->late.cookie == 8);
	w = to_worker_resume(pool, 7, 8);
	MADE(w, TO_WORKER_RESUME, w->resume.term == 7 && w->resume.cookie == 8);
	w = to_worker_release(pool, 7, 8);
	MADE(w, TO_WORKER_RELEASE, w->release.term == 7 && w->release.cookie == 8);
	w = to_worker_purge(pool, &a, 9);
	MADE(w, TO_WORKER_PURGE, ip_addr_equal(&w->purge.sgsn, &a) && w->purge.recovery == 9);
	w = to_worker_peer_gone(pool, &a, 9);
	MADE(w, TO_WORKER_PEER_GONE,
		ip_addr_equal(&w->peer_gone.peer, &a) && w->peer_gone.teid == 9);
	r = to_replicator_stop(pool, 7, 8);
	MADE(r, TO_REPLICATOR_STOP, r->stop.term == 7 && r->stop.cookie == 8);
	r = to_replicator_write(pool, 7, 8, 5);
	MADE(r, TO_REPLICATOR_WRITE,
		r->write.term == 7 && r->write.cookie == 8 && r->write.late_term == 5);
	r = to_replicator_start(pool, 7, 8);
	MADE(r, TO_REPLICATOR_START, r->start.term == 7 && r->start.cookie == 8);
	r = to_replicator_drain(pool, 7, 8);
	MADE(r, TO_REPLICATOR_DRAIN, r->drain.term == 7 && r->drain.cookie == 8);
	r = to_replicator_late_drain(pool, 5);
	MADE(r, TO_REPLICATOR_LATE_DRAIN, r->late_drain.term == 5);
	r = to_replicator_late_stream_off(pool, 5);
	MADE(r, TO_REPLICATOR_LATE_STREAM_OFF, r->late_stream_off.term == 5);
	r = to_replicator_heartbeat(pool, 7, body, sizeof(body), true);
	MADE(r, TO_REPLICATOR_HEARTBEAT,
		r->heartbeat.term == 7 && r->heartbeat.len == 3 && r->heartbeat.at_once &&
			memcmp(r->heartbeat.body, body, 3) == 0);
	r = to_replicator_key(pool, 8);
	MADE(r, TO_REPLICATOR_KEY, r->key.cookie == 8);
	r = to_replicator_key_use(pool, 77, true);
	MADE(r, TO_REPLICATOR_KEY_USE, r->key_use.key_id == 77 && r->key_use.restarted);
	r = to_replicator_audit(pool);
	MADE(r, TO_REPLICATOR_AUDIT, true);
	s = repl_to_worker_stream(pool, 7, true, 2);
	MADE(s, REPL_TO_WORKER_STREAM,
		s->stream.term == 7 && s->stream.on && s->stream.version == 2);
	s = repl_to_worker_late_stream(pool, 7, 5, 2);
	MADE(s, REPL_TO_WORKER_LATE_STREAM,
		s->late_stream.term == 7 && s->late_stream.late_term == 5 &&
			s->late_stream.version == 2);
	s = repl_to_worker_lost(pool, e, 2);
	MADE(s, REPL_TO_WORKER_LOST, s->lost.entries.n == 2 && s->lost.entries.entry[1] == 6);
	s = repl_to_worker_want(pool);
	MADE(s, REPL_TO_WORKER_WANT, s->want.n == 0);
	s = repl_to_worker_late_usage(pool, 9, &u);
	MADE(s, REPL_TO_WORKER_LATE_USAGE,
		s->late_usage.handle == 9 && s->late_usage.usage.dn_bytes == 4);
}

static void test_reports(void)
{
	const struct session_rec rec = { .handle = 5, .key = 6, .usage[1].dn_bytes = 4 };
	const struct session_event event = { .kind = SESSION_ENDED,
		.why = SESSION_WHY_SGSN_RESTART,
		.by = 2,
		.handle = 5,
		.key = 6,
		.term = 7,
		.rec = &rec };
	struct from_worker *w = from_worker_done(pool, TO_WORKER_LATE, 7, 8, true);
	struct from_replicator *r;

	MADE(w, FROM_WORKER_DONE,
		w->done.order == TO_WORKER_LATE && w->done.term == 7 && w->done.cookie == 8 &&
			w->done.ok);
	w = from_worker_late_end(pool, 5);
	MADE(w, FROM_WORKER_LATE_END, w->late_end.term == 5);
	w = from_worker_event(pool, &event);
	MADE(w, FROM_WORKER_EVENT,
		w->event.kind == SESSION_ENDED && w->event.why == SESSION_WHY_SGSN_RESTART &&
			w->event.by == 2 && w->event.term == 7 && w->event.commit == 0 &&
			memcmp(&w->event.rec, &rec, sizeof(rec)) == 0);
	r = from_replicator_done(pool, TO_REPLICATOR_DRAIN, 7, 8, true, 99);
	MADE(r, FROM_REPLICATOR_DONE,
		r->done.order == TO_REPLICATOR_DRAIN && r->done.term == 7 && r->done.cookie == 8 &&
			r->done.ok && r->done.number == 99);
	r = from_replicator_late_drained(pool, 5);
	MADE(r, FROM_REPLICATOR_LATE_DRAINED, r->late_drained.term == 5);
	r = from_replicator_keyed(pool, 8, true);
	MADE(r, FROM_REPLICATOR_KEYED, r->keyed.cookie == 8 && r->keyed.ok);
	r = from_replicator_batch(pool);
	MADE(r, FROM_REPLICATOR_BATCH, r->batch.sessions.n == 0);
	r = from_replicator_committed(pool);
	MADE(r, FROM_REPLICATOR_COMMITTED, r->committed.entries.n == 0);
	r = from_replicator_stream_state(pool, 7, true);
	MADE(r, FROM_REPLICATOR_STREAM_STATE, r->stream_state.term == 7 && r->stream_state.on);
	r = from_replicator_heartbeat(pool, 1000, true, 9);
	MADE(r, FROM_REPLICATOR_HEARTBEAT,
		r->heartbeat.pair_ms == 1000 && r->heartbeat.fresh && r->heartbeat.heard == 9);
}

/* A request comes back as its answer: the same memory, with the record and the cookie in it. */
static void test_answer(void)
{
	const struct session_rec rec = { .handle = 0x1234, .qos_len = 14, .req_seq = 77 };
	struct to_worker *q[] = { to_worker_create(pool, 7, 8, &rec),
		to_worker_update(pool, 7, 8, &rec, SESSION_G_QOS),
		to_worker_delete(pool, 7, 8, &rec, SESSION_WHY_REPLACED) };

	CU_ASSERT_EQUAL(q[1]->update.groups, SESSION_G_QOS);
	CU_ASSERT_EQUAL(q[2]->delete.why, SESSION_WHY_REPLACED);
	for (unsigned int i = 0; i < RTE_DIM(q); i++) {
		enum to_worker_type type = (enum to_worker_type)q[i]->head.type;
		struct from_worker *m;

		CU_ASSERT_TRUE(to_worker_comes_back(q[i]));
		CU_ASSERT_EQUAL(q[i]->create.q.term, 7);
		m = from_worker_answer(&q[i]->create.q, 2, -ENOSPC, 0xabcdef);
		CU_ASSERT_PTR_EQUAL(m, q[i]);
		CU_ASSERT_EQUAL(m->head.type, FROM_WORKER_ANSWER);
		CU_ASSERT_EQUAL(m->answer.request, type);
		CU_ASSERT_EQUAL(m->answer.cookie, 8);
		CU_ASSERT_EQUAL(m->answer.by, 2);
		CU_ASSERT_EQUAL(m->answer.error, -ENOSPC);
		CU_ASSERT_EQUAL(m->answer.commit, 0xabcdef);
		CU_ASSERT_EQUAL(memcmp(&m->answer.rec, &rec, sizeof(rec)), 0);
		msg_free(pool, m);
	}
	CU_ASSERT_EQUAL(q[0]->head.type, FROM_WORKER_ANSWER);
}

/* ---- rooms' ends ---- */

static void test_all(void)
{
	CU_ASSERT_EQUAL(to_worker_send_all(workers, WORKERS, to_worker_own(pool, 7, 8, true)), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		struct to_worker *m = to_worker_take(&workers[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(m->head.type, TO_WORKER_OWN);
		CU_ASSERT_TRUE(m->own.planned && m->own.term == 7 && m->own.cookie == 8);
		msg_free(pool, m);
		CU_ASSERT_PTR_NULL(to_worker_take(&workers[i]));
	}
	CU_ASSERT_EQUAL(to_worker_send_all(workers, WORKERS, NULL), -ENOMEM);
}

static unsigned int emptied(void)
{
	unsigned int n = 0;
	struct to_worker *m;

	for (unsigned int i = 0; i < WORKERS; i++)
		for (; (m = to_worker_take(&workers[i])) != NULL; n++)
			msg_free(pool, m);
	return n;
}

/* One full door does not keep the others from theirs; an empty pool does, and nothing is lost. */
static void test_no_room(void)
{
	struct to_worker *m;
	unsigned int n;

	while (to_worker_send(&workers[0], to_worker_late(pool, 1, 1)) == 0)
		;
	n = rte_mempool_in_use_count(pool);
	CU_ASSERT_EQUAL(
		to_worker_send_all(workers, WORKERS, to_worker_own(pool, 7, 8, true)), -ENOBUFS);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), n + WORKERS - 1);
	emptied();
	for (n = 0; to_worker_send(&workers[n % WORKERS], to_worker_late(pool, 1, 1)) == 0;)
		n++;
	emptied();
	while (rte_mempool_avail_count(pool) > 2)
		CU_ASSERT_EQUAL_FATAL(
			rte_ring_enqueue(workers[2].door.ring, msg_new(pool, TO_WORKER_LATE)), 0);
	m = to_worker_own(pool, 7, 8, true);
	CU_ASSERT_EQUAL(to_worker_send_all(workers, WORKERS, m), -ENOMEM);
	emptied();
}

int main(void)
{
	static CU_TestInfo tests[] = { { "rows", test_rows }, { "to workers", test_to_worker },
		{ "from workers", test_from_worker }, { "to the replicator", test_to_replicator },
		{ "from the replicator", test_from_replicator },
		{ "from the replicator to workers", test_repl_to_worker },
		{ "orders", test_orders }, { "reports", test_reports }, { "answers", test_answer },
		{ "to all", test_all }, { "no room", test_no_room }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "msg", NULL, NULL, NULL, teardown, tests },
		CU_SUITE_INFO_NULL };
	char *args[] = { "test_msg", "--no-huge", "--no-shconf", "--no-pci", "-m", "64", "-l", "0",
		"--log-level", "error", NULL };
	int ret;

	if (rte_eal_init(RTE_DIM(args) - 1, args) < 0)
		return EXIT_FAILURE;
	pool = rte_mempool_create(
		"msgs", MSGS, MSG_BYTES, 0, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "w%u", i);
		workers[i].door = (struct door){
			rte_ring_create(name, i == 2 ? 8 * ROOM : ROOM, SOCKET_ID_ANY, 0), pool
		};
	}
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
