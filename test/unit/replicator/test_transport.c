/* SPDX-License-Identifier: BSD-3-Clause */
/* The replication core over a transport that is nothing but memory: two chassis come into sync, and
 * stay so, through packets that no Ethernet, IP or UDP was ever around, while the kernel's frames
 * go their own way. ethernet.c is not in this program: its one function that `process` calls
 * stands below, so that whoever needs another of it makes the linker take both and refuse. */
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "base/port.h"
#include "pool/pool.h"
#include "process/boot.h"
#include "process/tandem.h"
#include "replicator/ethernet.h"
#include "replicator/replicator.h"
#include "replicator/twin_frames.h"
#include "places_same.h"
#include "ut.h"
#include "worker/worker.h"
#include "worker_priv.h"

enum {
	N = 2,
	SESSIONS = 300,
	TERM = 8,
	LINE = 256,  /* packets on the way at most */
	MTU = 1237,  /* no port's */
	AROUND = 24, /* bytes of TAG in front of each packet */
	TAG = 0x5a,
	LOSSES = 9,   /* every so many packets one is lost */
	FRAME = 60,   /* bytes of a frame of the kernel's */
	PATIENCE = 30 /* seconds */
};
enum { ACTIVE, STANDBY };

struct line {
	struct transport transport; /* first */
	struct rte_ring *in;
	struct line *other;
	unsigned int lost, longest;
	bool down, foreign; /* foreign: a packet that had not been through the other end */
};

static struct tandem chassis[N];
static struct config conf[N];
static struct line lines[N];
static struct rte_mbuf *port_in[N], *port_out[N];

struct transport *ethernet_create(const struct ethernet_settings *s)
{
	(void)s;
	CU_FAIL("nobody makes an Ethernet here");
	return NULL;
}

static unsigned int line_rx(struct transport *t, struct arrived *a, unsigned int *brought)
{
	struct line *l = (struct line *)t;
	struct rte_mbuf *m[TRANSPORT_BURST];

	*brought = rte_ring_dequeue_burst(l->in, (void **)m, TRANSPORT_BURST, NULL);
	for (unsigned int i = 0; i < *brought; i++) {
		l->foreign |= *rte_pktmbuf_mtod(m[i], uint8_t *) != TAG;
		a[i] = (struct arrived){
			.m = m[i], .at = AROUND, .len = (uint16_t)(m[i]->data_len - AROUND)
		};
	}
	t->count.rx_frames += *brought;
	return *brought;
}

static void line_tx(struct transport *t, struct rte_mbuf **m, unsigned int n)
{
	struct line *l = (struct line *)t;

	for (unsigned int i = 0; i < n; i++) {
		l->longest = RTE_MAX(l->longest, m[i]->pkt_len);
		memset(rte_pktmbuf_prepend(m[i], AROUND), TAG, AROUND);
		t->count.tx_frames++;
		if (t->count.tx_frames % LOSSES == 0 || rte_ring_enqueue(l->other->in, m[i]) < 0) {
			l->lost++;
			rte_pktmbuf_free(m[i]);
		}
	}
}

static bool line_link(const struct transport *t)
{
	return !((const struct line *)t)->down;
}

static void line_destroy(struct transport *t)
{
	struct line *l = (struct line *)t;
	void *m;

	while (rte_ring_dequeue(l->in, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(l->in);
}

static const struct transport_ops line_ops = {
	.rx = line_rx, .tx = line_tx, .link = line_link, .destroy = line_destroy
};

/* The replication ports, which only the kernel uses here: one frame in, one out. */
static uint16_t kernel_rx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	(void)queue;
	(void)n;
	m[0] = port_in[port];
	port_in[port] = NULL;
	return m[0] != NULL;
}

static uint16_t kernel_tx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	(void)queue;
	if (n == 0 || port_out[port] != NULL)
		return 0;
	port_out[port] = m[0];
	return 1;
}

static const struct port_ops kernel_ports = { kernel_rx, kernel_tx };

static void configure(unsigned int k)
{
	struct config *f = &conf[k];

	memset(f, 0, sizeof(*f));
	f->n_ports = f->n_pools = f->n_apns = f->n_loopbacks = 1;
	f->ports[0] =
		(struct config_port){ .name = "repl", .roles = CONFIG_REPLICATION, .mtu = 1500 };
	f->pools[0] = (struct config_pool){
		.name = "one", .prefix = { ip_addr_v4(0x64400000), 19 }, .srp_activate = true
	};
	f->srp.bind = ip_addr_v4(0x0a070001 + k);
	f->srp.peer = ip_addr_v4(0x0a070002 - k);
	f->srp.insecure = true;
	f->srp.heartbeat_interval_ms = 10;
	f->srp.dead_multiplier = 100;
	f->srp.dead_interval_ms = PATIENCE * 1000;
	f->srp.micro_checkpoint_interval_ms = 20;
	f->srp.audit_interval_s = 60;
	f->srp.commit_timeout_ms = 50;
	f->table.max_sessions = 4096;
}

static void connect_line(unsigned int k)
{
	struct line *l = &lines[k];
	char name[16];

	snprintf(name, sizeof(name), "line_%u", k);
	*l = (struct line){ .transport = { .ops = &line_ops, .mtu = MTU, .around = AROUND },
		.in = rte_ring_create(name, LINE, SOCKET_ID_ANY, 0),
		.other = &lines[!k] };
	CU_ASSERT_PTR_NOT_NULL_FATAL(l->in);
	chassis[k].repl_port.transport = &l->transport;
	chassis[k].repl_port.twin = twin_frames_create(
		chassis[k].port[0].id, chassis[k].punt, chassis[k].repl_port.kernel_out);
	CU_ASSERT_PTR_NOT_NULL_FATAL(chassis[k].repl_port.twin);
}

static void begin(unsigned int k)
{
	struct tandem *t = &chassis[k];

	configure(k);
	memset(t, 0, sizeof(*t));
	t->number = k;
	t->conf = &conf[k];
	t->n_workers = 1;
	t->worker_lcore[0] = k;
	t->repl_lcore = RTE_MAX_LCORE;
	t->random.incarnation = 100 + k;
	t->n_ports = 1;
	t->port[0].conf = &t->conf->ports[0];
	t->port[0].id = (uint16_t)k;
	tandem_pulses_init(t, UINT64_MAX, false);
	role_init(&t->role);
	CU_ASSERT_EQUAL_FATAL(boot_memory(t), 0);
	CU_ASSERT_EQUAL_FATAL(boot_settings(t), 0);
	places_same(&t->shared.places);
	CU_ASSERT_EQUAL_FATAL(boot_tables(t), 0);
	connect_line(k);
	t->worker[0] = boot_worker(t, 0);
	t->repl = boot_replicator(t);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->worker[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->repl);
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(t->table, i, k == ACTIVE ? 0 : SESSION_BY_REPL);
}

static void end(unsigned int k)
{
	struct tandem *t = &chassis[k];
	void *m;

	replicator_destroy(t->repl);
	worker_destroy(t->worker[0]);
	while (rte_ring_dequeue(t->stream_out[0], &m) == 0)
		rte_pktmbuf_free(m);
	boot_transport_end(t);
	boot_tables_end(t);
	boot_settings_end(t);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(t->stream_mbufs), 0);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(t->mbufs), 0);
	boot_memory_end(t);
}

static void beat(unsigned int k, const char *body)
{
	to_replicator_send(
		&chassis[k].to_repl, to_replicator_heartbeat(chassis[k].msgs, TERM,
					     (const uint8_t *)body, strlen(body), false));
}

/* One turn of all cores but control, whose messages are thrown away; the standby's worker has
 * nothing to do. */
static void turn(void)
{
	for (unsigned int k = 0; k < N; k++) {
		struct tandem *t = &chassis[k];
		void *m;

		if (k == ACTIVE)
			worker_turn(t->worker[0]);
		replicator_turn(t->repl);
		while ((m = from_replicator_take(&t->from_repl)) != NULL)
			msg_free(t->msgs, m);
		while ((m = from_worker_take(&t->from_worker[0])) != NULL)
			msg_free(t->msgs, m);
		while (k == STANDBY && (m = repl_to_worker_take(&t->repl_to_worker[0])) != NULL)
			msg_free(t->msgs, m);
	}
}

static bool in_sync(void)
{
	return atomic_load(&replicator_view(chassis[ACTIVE].repl)->in_sync_since_ms) != 0;
}

static bool heard(void)
{
	return atomic_load(&replicator_view(chassis[ACTIVE].repl)->hears_us) &&
	       atomic_load(&replicator_view(chassis[STANDBY].repl)->hears_us);
}

static bool unresolved(void)
{
	return replicator_count(chassis[ACTIVE].repl)->tx_unresolved > 0;
}

static bool turn_until(bool (*done)(void))
{
	usec_t give_up = clock_us() + PATIENCE * USEC_PER_SEC;

	while (!done() && clock_us() < give_up)
		turn();
	return done();
}

static uint32_t session(unsigned int i)
{
	struct session_rec rec = { .state = SESSION_LIVE,
		.pdp_type = 0x21,
		.key = UINT64_C(0x2400100000000005) + ((uint64_t)i << 4),
		.peer_ctl = ip_addr_v4(0x0a080001),
		.peer_usr = ip_addr_v4(0x0a080001),
		.qos_len = 14 };

	CU_ASSERT_EQUAL_FATAL(pool_pick(chassis[ACTIVE].pools, 0, i % SESSION_SHARDS, &rec.ue), 0);
	CU_ASSERT_EQUAL_FATAL(session_create(chassis[ACTIVE].table, 0, &rec, 1), 0);
	return rec.handle;
}

static void stream(void)
{
	struct tandem *a = &chassis[ACTIVE], *s = &chassis[STANDBY];

	for (unsigned int k = 0; k < N; k++)
		replicator_peer(chassis[k].repl, 0); /* a line finds its way itself */
	beat(STANDBY, "standby");
	beat(ACTIVE, "active");
	to_replicator_send(&s->to_repl, to_replicator_write(s->msgs, TERM, 0, 0));
	CU_ASSERT_TRUE_FATAL(turn_until(heard));
	to_worker_send(&a->to_worker[0], to_worker_own(a->msgs, TERM, 0, false));
	to_replicator_send(&a->to_repl, to_replicator_start(a->msgs, TERM, 0));
	replicator_peer_applies(a->repl, true);
}

static uint32_t last; /* a session that is new while the stream runs */

static bool last_is_there(void)
{
	return session_find(chassis[STANDBY].table, last) != NULL;
}

static uint64_t sent_before;

static bool sends_again(void)
{
	return lines[ACTIVE].transport.count.tx_frames > sent_before;
}

/* Matches are judged by the longer interval, until those by it are over. */
static void test_audit_interval(void)
{
	struct replicator *r = chassis[ACTIVE].repl;
	usec_t was = replicator_audit_interval(r, 0), now = 1000;
	struct replicator_live live = { .audit_us = 3 * was };

	replicator_reconfigure(r, &live, now);
	CU_ASSERT_EQUAL(replicator_audit_interval(r, now), 3 * was);
	live.audit_us = was;
	replicator_reconfigure(r, &live, now);
	replicator_reconfigure(r, &live, now); /* nothing new */
	CU_ASSERT_EQUAL(replicator_audit_interval(r, now + 6 * was - 1), 3 * was);
	CU_ASSERT_EQUAL(replicator_audit_interval(r, now + 6 * was), was);
}

/* What the audit brings at the join, and what the stream brings then; packets are lost on the way,
 * and none is longer than the line takes. */
static void test_stream(void)
{
	struct replicator_port_counters count;
	static uint32_t handle[SESSIONS];

	for (unsigned int i = 0; i < SESSIONS; i++)
		handle[i] = session(i);
	stream();
	CU_ASSERT_TRUE_FATAL(turn_until(in_sync));
	for (unsigned int i = 0; i < SESSIONS; i++)
		CU_ASSERT_PTR_NOT_NULL(session_find(chassis[STANDBY].table, handle[i]));
	last = session(SESSIONS);
	CU_ASSERT_FALSE(last_is_there());
	sync_commit(&chassis[ACTIVE].worker[0]->sync, last, clock_us());
	CU_ASSERT_TRUE(turn_until(last_is_there));
	for (unsigned int k = 0; k < N; k++) {
		CU_ASSERT_TRUE(lines[k].lost > 0);
		CU_ASSERT_FALSE(lines[k].foreign);
		CU_ASSERT_TRUE(lines[k].longest <= MTU);
		replicator_port_count(chassis[k].repl, &count);
		CU_ASSERT_EQUAL(count.tx_frames, lines[k].transport.count.tx_frames);
		CU_ASSERT_EQUAL(count.rx_frames, lines[k].transport.count.rx_frames);
	}
	CU_ASSERT_TRUE(
		lines[ACTIVE].longest > MTU - 64); /* and full ones are as long as it takes */
}

static void test_link(void)
{
	sent_before = lines[ACTIVE].transport.count.tx_frames;
	lines[ACTIVE].down = true;
	CU_ASSERT_FALSE(unresolved());
	CU_ASSERT_TRUE(turn_until(unresolved));
	CU_ASSERT_FALSE(sends_again());
	lines[ACTIVE].down = false;
	CU_ASSERT_TRUE(turn_until(sends_again));
}

static uint64_t late_before;

static bool heartbeats_are_late(void)
{
	return replicator_stream_count(chassis[STANDBY].repl)->rx_stale_heartbeats >
	       late_before + 9;
}

/* A heartbeat is late by what the pair says, and by nothing else, at once and back again. */
static void test_life(void)
{
	struct replicator *r = chassis[STANDBY].repl;
	usec_t present = PATIENCE * USEC_PER_SEC, beat = 10 * USEC_PER_MSEC;

	late_before = replicator_stream_count(r)->rx_stale_heartbeats;
	replicator_peer_times(r, present, 0, beat);
	CU_ASSERT_TRUE(turn_until(heartbeats_are_late));
	replicator_peer_times(r, present, present, beat);
	sent_before = lines[ACTIVE].transport.count.tx_frames;
	CU_ASSERT_TRUE(turn_until(sends_again));
	turn();
	late_before = replicator_stream_count(r)->rx_stale_heartbeats - 9;
	for (unsigned int i = 0; i < 10; i++) {
		sent_before = lines[ACTIVE].transport.count.tx_frames;
		CU_ASSERT_TRUE(turn_until(sends_again));
	}
	CU_ASSERT_FALSE(heartbeats_are_late());
}

/* Fills the door until it takes so many more. */
static void fill(struct tandem *t, unsigned int room)
{
	while (door_room(&t->from_worker[0].door) > room)
		CU_ASSERT_EQUAL_FATAL(
			from_worker_send(&t->from_worker[0], from_worker_late_end(t->msgs, TERM)),
			0);
}

/* The answers that wait in the door; what waits before them is thrown away. */
static unsigned int answers(struct tandem *t)
{
	struct from_worker *m;
	unsigned int n = 0;

	while ((m = from_worker_take(&t->from_worker[0])) != NULL) {
		n += m->head.type == FROM_WORKER_ANSWER;
		msg_free(t->msgs, m);
	}
	return n;
}

/* No order is taken whose answer, and the event beside it, find no room: control would wait for it
 * without end. */
static void test_answer_room(void)
{
	struct tandem *t = &chassis[ACTIVE];
	struct session_rec rec;

	session_read(t->table, session_find(t->table, last), &rec);
	for (unsigned int i = 0; i < 3; i++)
		to_worker_send(&t->to_worker[0],
			to_worker_update(t->msgs, TERM, 1 + i, &rec, SESSION_G_TUNNEL));
	fill(t, 1);
	worker_turn(t->worker[0]);
	CU_ASSERT_EQUAL(rte_ring_count(t->to_worker[0].door.ring), 3);
	CU_ASSERT_EQUAL(answers(t), 0);
	fill(t, 5);
	worker_turn(t->worker[0]);
	CU_ASSERT_EQUAL(rte_ring_count(t->to_worker[0].door.ring), 1);
	CU_ASSERT_EQUAL(answers(t), 2);
	worker_turn(t->worker[0]);
	CU_ASSERT_EQUAL(answers(t), 1);
}

static struct rte_mbuf *frame(unsigned int k)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(chassis[k].mbufs);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	rte_pktmbuf_append(m, FRAME);
	return m;
}

/* The port is there for the kernel alone, and the kernel's frames pass it both ways. */
static void test_kernel(void)
{
	for (unsigned int k = 0; k < N; k++) {
		struct rte_mbuf *in = frame(k), *out = frame(k);
		struct replicator_port_counters count;
		void *got = NULL;

		port_in[k] = in;
		CU_ASSERT_EQUAL(rte_ring_enqueue(chassis[k].repl_port.kernel_out, out), 0);
		turn();
		CU_ASSERT_PTR_NULL(port_in[k]);
		CU_ASSERT_EQUAL(rte_ring_dequeue(chassis[k].punt, &got), 0);
		CU_ASSERT_PTR_EQUAL(got, in);
		CU_ASSERT_PTR_EQUAL(port_out[k], out);
		replicator_port_count(chassis[k].repl, &count);
		CU_ASSERT_EQUAL(count.punted, 1);
		CU_ASSERT_EQUAL(count.rx_frames, lines[k].transport.count.rx_frames + 1);
		rte_pktmbuf_free(got);
		rte_pktmbuf_free(port_out[k]);
		port_out[k] = NULL;
	}
}

static void test_begin(void)
{
	port_ops = &kernel_ports;
	for (unsigned int k = 0; k < N; k++)
		begin(k);
}

static void test_end(void)
{
	for (unsigned int k = 0; k < N; k++)
		end(k);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "begin", test_begin }, { "stream", test_stream },
		{ "audit interval", test_audit_interval }, { "link", test_link },
		{ "life", test_life }, { "room for answers", test_answer_room },
		{ "the kernel's frames", test_kernel }, { "end", test_end }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "a transport in memory", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };
	char prefix[32];
	char *argv[] = { "test_transport", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "512", "-l", "0", "--file-prefix", prefix };
	int ret;

	snprintf(prefix, sizeof(prefix), "test_transport_%d", (int)getpid());
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	clock_init(&clock_tsc);
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
