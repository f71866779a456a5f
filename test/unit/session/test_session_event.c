/* SPDX-License-Identifier: BSD-3-Clause */
/* What the table reports of sessions: one event for each that begins, changes or ends, whole from
 * an owner and short from the stream; and no end that could not be reported. */
#include <errno.h>

#include "session_fixture.h"

enum { MOST = 16, TERM = 7 };

static struct {
	struct session_event e[MOST];
	struct session_rec rec[MOST]; /* what they pointed at */
	unsigned int n;
	bool full; /* there is no room for an end */
} heard;

static struct chassis *c, *peer;
static uint64_t seed;

static int hear(void *ctx, const struct session_event *e)
{
	(void)ctx;
	if (heard.full && e->kind == SESSION_ENDED)
		return -EAGAIN;
	CU_ASSERT_TRUE_FATAL(heard.n < MOST);
	heard.e[heard.n] = *e;
	if (e->rec != NULL)
		heard.rec[heard.n] = *e->rec;
	heard.n++;
	return 0;
}

static void setup(void)
{
	seed = ut_seed(21);
	c = fix_new(0, 4096);
	peer = fix_new(1, 4096);
	c->t->hooks.event = hear;
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_generations(c->t, i, &(const struct siphash_secret){ { 99 } }, TERM);
	memset(&heard, 0, sizeof(heard));
}

static void teardown(void)
{
	fix_free(c);
	fix_free(peer);
}

/* The last event, which is the only one since the last look, and an owner's. */
static const struct session_rec *only(enum session_event_kind kind, const struct session_rec *r)
{
	const struct session_event *e = &heard.e[0];

	CU_ASSERT_EQUAL_FATAL(heard.n, 1);
	CU_ASSERT_EQUAL(e->kind, kind);
	CU_ASSERT_EQUAL(e->by, FIX_BY);
	CU_ASSERT_EQUAL(e->handle, r->handle);
	CU_ASSERT_EQUAL(e->key, r->key);
	CU_ASSERT_EQUAL(e->term, TERM);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e->rec);
	heard.n = 0;
	return &heard.rec[0];
}

static struct session_rec create(uint32_t ue4, uint64_t key)
{
	struct session_rec r = fix_rec(&seed, 0, ue4, key);

	CU_ASSERT_EQUAL_FATAL(session_create(c->t, FIX_BY, &r, 100), 0);
	return r;
}

/* Begun and updated say what the session is, ended what it was, the totals too. */
static void test_owner(void)
{
	struct session_rec r = fix_rec(&seed, 0, 0x0a000005, 0x50), changed;
	struct session_end end = { .why = SESSION_WHY_IDLE_TIMEOUT, .now_s = 100 };
	const struct session_rec *said;

	r.usage[0].up_pkts = 4; /* of nobody: usage starts at 0 */
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &r, 100), 0);
	said = only(SESSION_BEGUN, &r);
	CU_ASSERT_TRUE(fix_same(said, &r));
	CU_ASSERT_EQUAL(said->usage[0].up_pkts, 0);
	changed = r;
	changed.qos_len = 3;
	changed.req_seq++;
	CU_ASSERT_EQUAL(
		session_update(c->t, FIX_BY, &changed, SESSION_G_QOS | SESSION_G_REQUEST), 0);
	said = only(SESSION_UPDATED, &r);
	CU_ASSERT_EQUAL(said->qos_len, 3);
	CU_ASSERT_EQUAL(said->req_seq, changed.req_seq);
	session_find(c->t, r.handle)->up_bytes = 1500;
	session_find(c->t, r.handle)->other.dn_bytes = 77;
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, &end), 0);
	CU_ASSERT_EQUAL(heard.e[0].why, SESSION_WHY_IDLE_TIMEOUT);
	said = only(SESSION_ENDED, &r);
	CU_ASSERT_EQUAL(said->state, SESSION_LIVE);
	CU_ASSERT_EQUAL(said->usage[0].up_bytes, 1500);
	CU_ASSERT_EQUAL(said->usage[1].dn_bytes, 77);
}

/* What is refused is no event, nor is an answer that is written down. */
static void test_nothing(void)
{
	struct session_rec r = create(0x0a000005, 0x50), again = r;

	heard.n = 0;
	CU_ASSERT_EQUAL(session_create(c->t, FIX_BY, &again, 100), -EEXIST);
	CU_ASSERT_EQUAL(session_update(c->t, FIX_BY, &r, SESSION_G_REQUEST), 0);
	CU_ASSERT_EQUAL(session_update(c->t, 3, &r, SESSION_G_QOS), -EPERM);
	CU_ASSERT_EQUAL(session_free(c->t, 3, r.handle, FIX_END(100)), -EPERM);
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle ^ 2, FIX_END(100)), -ENOENT);
	CU_ASSERT_EQUAL(heard.n, 0);
}

/* Without room for its event a session lives on, as it was: its last request too, so that a
 * repetition is not taken for answered. */
static void test_waits(void)
{
	struct session_rec r = create(0x0a000005, 0x50), request = r, is;
	struct session_end end = { .why = SESSION_WHY_REQUEST, .request = &request, .now_s = 100 };
	uint32_t shard = session_handle_shard(r.handle);

	request.req_seq++;
	heard.n = 0;
	heard.full = true;
	for (unsigned int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, &end), -EAGAIN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(session_find(c->t, r.handle));
	session_read(c->t, session_find(c->t, r.handle), &is);
	CU_ASSERT_TRUE(fix_same(&is, &r));
	CU_ASSERT_EQUAL(c->t->shard[shard].n_live, 1);
	CU_ASSERT_EQUAL(c->t->shard[shard].count.freed, 0);
	heard.full = false;
	CU_ASSERT_EQUAL(session_free(c->t, FIX_BY, r.handle, &end), 0);
	only(SESSION_ENDED, &r);
	session_read_at(c->t, shard, session_handle_slot(c->t, r.handle), &is);
	CU_ASSERT_EQUAL(is.state, SESSION_FREE);
	CU_ASSERT_EQUAL(is.req_seq, request.req_seq);
	CU_ASSERT_EQUAL(c->t->shard[shard].n_live, 0);
}

/* The slot of `handle` at the peer, applied here. */
static void apply(uint32_t handle)
{
	uint8_t buf[SESSION_WIRE_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd body;

	CU_ASSERT_NOT_EQUAL_FATAL(session_encode(peer->t, session_handle_shard(handle),
					  session_handle_slot(peer->t, handle), SESSION_G_SLOT, &w),
		0);
	body = rd_init(buf, sizeof(buf) - w.left);
	CU_ASSERT_EQUAL(session_apply_slot(c->t, FIX_BY, &body, 100), 0);
}

static void short_one(unsigned int i, enum session_event_kind kind, uint32_t handle, uint64_t key)
{
	CU_ASSERT_TRUE_FATAL(i < heard.n);
	CU_ASSERT_EQUAL(heard.e[i].kind, kind);
	CU_ASSERT_EQUAL(heard.e[i].handle, handle);
	CU_ASSERT_EQUAL(heard.e[i].key, key);
	CU_ASSERT_PTR_NULL(heard.e[i].rec);
	CU_ASSERT_EQUAL(heard.e[i].why, SESSION_WHY_NONE);
}

/* From the stream: that it began or ended, once each, and of what lost its address too; what
 * changes is no event, and no end can be refused. */
static void test_stream(void)
{
	struct session_rec mine = create(0x0a000005, 0x50);
	struct session_rec r = fix_rec(&seed, 0, 0x0a000005, 0x60);

	heard.n = 0;
	heard.full = false;
	peer->t->shard[session_handle_shard(mine.handle)].cursor = 9; /* another slot than mine */
	CU_ASSERT_EQUAL_FATAL(session_create(peer->t, FIX_BY, &r, 100), 0);
	apply(r.handle);
	CU_ASSERT_EQUAL_FATAL(heard.n, 2);
	short_one(0, SESSION_ENDED, mine.handle, 0x50);
	short_one(1, SESSION_BEGUN, r.handle, 0x60);
	CU_ASSERT_EQUAL(session_update(peer->t, FIX_BY, &r, SESSION_G_QOS), 0);
	apply(r.handle);
	CU_ASSERT_EQUAL(heard.n, 2);
	CU_ASSERT_EQUAL(session_free(peer->t, FIX_BY, r.handle, FIX_END(100)), 0);
	apply(r.handle);
	CU_ASSERT_EQUAL_FATAL(heard.n, 3);
	short_one(2, SESSION_ENDED, r.handle, 0x60);
	apply(r.handle);
	CU_ASSERT_EQUAL(heard.n, 3);
}

/* Each reason has a name of its own. */
static void test_names(void)
{
	CU_ASSERT_STRING_EQUAL(session_why_name(SESSION_WHY_NONE), "none");
	CU_ASSERT_STRING_EQUAL(session_why_name(SESSION_WHY_END), "none");
	CU_ASSERT_STRING_EQUAL(session_why_name(SESSION_WHY_IDLE_TIMEOUT), "idle_timeout");
	for (unsigned int a = 0; a < SESSION_WHY_END; a++)
		for (unsigned int b = 0; b < a; b++)
			CU_ASSERT_STRING_NOT_EQUAL(session_why_name((enum session_why)a),
				session_why_name((enum session_why)b));
}

int main(void)
{
	CU_TestInfo tests[] = { { "of an owner", test_owner }, { "no event", test_nothing },
		{ "an end waits for room", test_waits }, { "of the stream", test_stream },
		{ "names", test_names }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "event", NULL, NULL, setup, teardown, tests },
		CU_SUITE_INFO_NULL };

	return ut_run(suites);
}
