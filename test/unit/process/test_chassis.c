/* SPDX-License-Identifier: BSD-3-Clause */
/* Two chassis in one process, side by side: what main's first stages make of each, its ciphers, its
 * cores and its telemetry; and that the end of one leaves the other as it is. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "base/clock.h"
#include "pool/pool.h"
#include "process/boot.h"
#include "peers/peers.h"
#include "process/settings_rooms.h"
#include "process/tandem.h"
#include "replicator/crypt.h"
#include "replicator/replicator.h"
#include "replicator/transport.h"
#include "telemetry/telemetry.h"
#include "places_same.h"
#include "ut.h"
#include "worker/worker.h"
#include "worker_priv.h"

enum { N = 2, WORKERS = 2, SESSIONS = 4096, ROUNDS = 2, SGSN = 0x0a080001 };

static struct tandem chassis[N];
static struct config conf[N];

static void configure(unsigned int k)
{
	struct config *f = &conf[k];

	memset(f, 0, sizeof(*f));
	f->n_ports = f->n_pools = f->n_apns = f->n_loopbacks = 1;
	f->ports[0] = (struct config_port){
		.name = "repl", .roles = CONFIG_REPLICATION | CONFIG_ACCESS, .mtu = 1500
	};
	f->pools[0] = (struct config_pool){
		.name = "one", .prefix = { ip_addr_v4(0x64400000), 19 }, .srp_activate = true
	};
	f->n_gtp_peers = f->n_gtp_prefixes = 1;
	f->gtp_peers[0] = (struct config_gtp_peer){ .name = "sgsns", .control = { 0, 1 } };
	f->gtp_prefixes[0] =
		(struct config_gtp_prefix){ .prefix = { ip_addr_v4(SGSN & 0xffffff00), 24 },
			.use = CONFIG_GTP_CONTROL };
	f->srp.bind = f->srp.stream_bind = ip_addr_v4(0x0a070001 + k);
	f->srp.peer = f->srp.stream_peer = ip_addr_v4(0x0a070002 - k);
	f->srp.stream_port = 8485;
	f->srp.heartbeat_interval_ms = 100;
	f->srp.dead_multiplier = 3;
	f->srp.dead_interval_ms = 1000;
	f->srp.micro_checkpoint_interval_ms = 100;
	f->srp.audit_interval_s = 60;
	f->srp.commit_timeout_ms = 50;
	f->table.max_sessions = SESSIONS;
}

static void begin(unsigned int k)
{
	struct tandem *t = &chassis[k];
	char why[CRYPT_WHY] = "";

	configure(k);
	memset(t, 0, sizeof(*t));
	t->number = k;
	t->conf = &conf[k];
	t->n_workers = WORKERS;
	for (unsigned int i = 0; i < WORKERS; i++)
		t->worker_lcore[i] = k * WORKERS + i;
	t->random.incarnation = 100 + k;
	t->repl_lcore = RTE_MAX_LCORE;
	t->n_ports = 1;
	t->port[0].conf = &t->conf->ports[0];
	tandem_pulses_init(t, UINT64_MAX, false);
	role_init(&t->role);
	CU_ASSERT_EQUAL_FATAL(boot_memory(t), 0);
	CU_ASSERT_EQUAL_FATAL(boot_settings(t), 0);
	places_same(&t->shared.places);
	CU_ASSERT_EQUAL_FATAL(boot_tables(t), 0);
	t->crypt = crypt_ops->create("", t->number, why);
	CU_ASSERT_STRING_EQUAL(why, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->crypt);
	CU_ASSERT_EQUAL_FATAL(boot_transport(t), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		t->worker[i] = boot_worker(t, i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(t->worker[i]);
	}
	t->repl = boot_replicator(t);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->repl);
}

static void end(unsigned int k)
{
	struct tandem *t = &chassis[k];

	replicator_destroy(t->repl);
	for (unsigned int i = 0; i < WORKERS; i++)
		worker_destroy(t->worker[i]);
	boot_transport_end(t);
	crypt_ops->destroy(t->crypt);
	boot_tables_end(t);
	boot_settings_end(t);
	boot_memory_end(t);
}

/* A message through a door of this chassis, a buffer of its pool through its ring. */
static void passes(unsigned int k)
{
	struct tandem *t = &chassis[k], *other = &chassis[!k];
	struct rte_mbuf *m = rte_pktmbuf_alloc(t->mbufs);
	void *got = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(rte_ring_enqueue(t->punt, m), 0);
	CU_ASSERT_TRUE(rte_ring_empty(other->punt));
	CU_ASSERT_EQUAL(rte_ring_dequeue(t->punt, &got), 0);
	CU_ASSERT_PTR_EQUAL(got, m);
	rte_pktmbuf_free(got);
	for (unsigned int i = 0; i < WORKERS; i++) {
		CU_ASSERT_EQUAL(
			to_worker_send(&t->to_worker[i], to_worker_release(t->msgs, 7, i)), 0);
		CU_ASSERT_EQUAL(rte_ring_count(t->to_worker[i].door.ring), 1);
		CU_ASSERT_TRUE(rte_ring_empty(other->to_worker[i].door.ring));
		CU_ASSERT_EQUAL(rte_ring_dequeue(t->to_worker[i].door.ring, &got), 0);
		msg_free(t->msgs, got);
	}
}

/* What a worker fills, the transport takes, to the last byte. */
static void packets_fit(unsigned int k)
{
	const struct tandem *t = &chassis[k];

	for (unsigned int i = 0; i < WORKERS; i++)
		CU_ASSERT_EQUAL(t->worker[i]->sync.payload + REPL_TAG, t->repl_port.transport->mtu);
	CU_ASSERT_EQUAL(t->repl_port.transport->mtu + t->repl_port.transport->around,
		conf[k].ports[0].mtu + RTE_ETHER_HDR_LEN);
}

/* A session that this chassis has, and the other one has not. */
static uint32_t session(unsigned int k)
{
	struct tandem *t = &chassis[k];
	struct session_rec rec = { .state = SESSION_LIVE,
		.pdp_type = 0x21,
		.key = 0x2400100000000005 + k * 16,
		.peer_ctl = ip_addr_v4(SGSN) };

	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		session_own(t->table, i, 0);
	CU_ASSERT_EQUAL_FATAL(pool_pick(t->pools, 0, 5, &rec.ue), 0);
	CU_ASSERT_EQUAL_FATAL(session_create(t->table, 0, &rec, 1), 0);
	return rec.handle;
}

static void test_side_by_side(void)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint32_t handle[N];

		for (unsigned int k = 0; k < N; k++)
			begin(k);
		CU_ASSERT_NOT_EQUAL(chassis[0].side, chassis[1].side);
		CU_ASSERT_STRING_NOT_EQUAL(
			crypt_ops->device(chassis[0].crypt), crypt_ops->device(chassis[1].crypt));
		for (unsigned int k = 0; k < N; k++) {
			packets_fit(k);
			passes(k);
			handle[k] = session(k);
			CU_ASSERT_PTR_NOT_NULL(session_find(chassis[k].table, handle[k]));
		}
		CU_ASSERT_PTR_NULL(session_find(chassis[0].table, handle[1]));
		CU_ASSERT_PTR_NULL(session_find(chassis[1].table, handle[0]));
		end(round); /* either goes first */
		passes(!round);
		CU_ASSERT_PTR_NOT_NULL(session_find(chassis[!round].table, handle[!round]));
		begin(round); /* what it had is free again, names and all */
		passes(round);
		for (unsigned int k = 0; k < N; k++)
			end(k);
	}
}

/* A snapshot that a core of one chassis holds keeps up nobody else. */
static void test_settings(void)
{
	struct config_placed placed;
	struct settings next;

	placed_begin(&placed, &conf[0]);
	for (unsigned int k = 0; k < N; k++)
		begin(k);
	CU_ASSERT_EQUAL(settings_of(&conf[0], &placed, &next), 0);
	CU_ASSERT_EQUAL(settings_ready(chassis[0].settings, &next), 0);
	settings_publish(chassis[0].settings);
	CU_ASSERT_STRING_EQUAL(settings_holder(chassis[0].settings), "worker 0");
	CU_ASSERT_PTR_NULL(settings_holder(chassis[1].settings));
	for (unsigned int k = 0; k < N; k++)
		end(k);
}

static uint16_t entry_of(const struct tandem *t, uint32_t handle)
{
	return session_slot_of(t->table, handle)->peer_entry;
}

/* A slot has the number of the entry that its session's SGSN is of, by what was published last. */
static void test_peer_entry(void)
{
	struct config_placed placed;
	struct settings next;
	struct tandem *t = &chassis[0];
	uint32_t handle, shard, slot;
	uint16_t first;

	begin(0);
	handle = session(0);
	shard = session_handle_shard(handle);
	slot = (uint32_t)(session_slot_of(t->table, handle) - t->table->shard[shard].slots);
	first = entry_of(t, handle);
	CU_ASSERT_NOT_EQUAL(first, 0);
	CU_ASSERT_STRING_EQUAL(
		peers_by_number(settings_newest(t->settings)->peers, first)->name, "sgsns");
	memcpy(conf[0].gtp_peers[0].name, "other", sizeof("other"));
	placed_begin(&placed, &conf[0]);
	CU_ASSERT_EQUAL(settings_of(&conf[0], &placed, &next), 0);
	CU_ASSERT_EQUAL_FATAL(settings_peers(&conf[0], &next.peers), 0);
	CU_ASSERT_EQUAL(settings_ready(t->settings, &next), 0);
	peers_drop(next.peers);
	settings_publish(t->settings);
	session_peers_changed(t->table);
	CU_ASSERT_EQUAL(entry_of(t, handle), first);
	CU_ASSERT_TRUE(session_peer_again(t->table, 0, shard, slot));
	CU_ASSERT_NOT_EQUAL(entry_of(t, handle), first);
	CU_ASSERT_NOT_EQUAL(entry_of(t, handle), 0);
	end(0);
}

static void test_telemetry(void)
{
	char path[4096];

	for (unsigned int k = 0; k < N; k++) {
		snprintf(path, sizeof(path), "/run/tandem-%u.sock", k);
		CU_ASSERT_EQUAL(telemetry_register(k, path), 0);
	}
	CU_ASSERT_EQUAL(telemetry_register(TELEMETRY_CHASSIS, path), -ERANGE);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CU_ASSERT_EQUAL(telemetry_register(2, path), -ENAMETOOLONG);
}

int main(void)
{
	static CU_TestInfo tests[] = { { "side by side", test_side_by_side },
		{ "settings", test_settings }, { "peer entry", test_peer_entry },
		{ "telemetry", test_telemetry }, CU_TEST_INFO_NULL };
	static CU_SuiteInfo suites[] = { { "two chassis", NULL, NULL, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };
	char prefix[32];
	char *argv[] = { "test_chassis", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "512", "-l", "0", "--file-prefix", prefix };
	int ret;

	snprintf(prefix, sizeof(prefix), "test_chassis_%d", (int)getpid());
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return EXIT_FAILURE;
	clock_init(&clock_tsc);
	ret = ut_run(suites);
	rte_eal_cleanup();
	return ret;
}
