/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>

#include "process/boot.h"
#include "cores/memory.h"
#include "pair/settings.h"
#include "worker/sync.h"
#include "process/tandem.h"

enum { MBUFS = 16384, MSGS = 32767, STREAM_MBUFS = 8191, DOOR = 16384, FRAMES = 2048 };

struct tandem T;

static struct rte_ring *ring(const char *name, unsigned int i, unsigned int n, unsigned int flags)
{
	char full[RTE_RING_NAMESIZE];

	snprintf(full, sizeof(full), "%s%u", name, i);
	return rte_ring_create(full, n, SOCKET_ID_ANY, flags);
}

static struct door boot_door(const char *name, unsigned int i)
{
	return (struct door){ ring(name, i, DOOR, RING_F_SP_ENQ | RING_F_SC_DEQ), T.msgs };
}

static void boot_outbox(void)
{
	T.outbox.worker = T.from_worker;
	T.outbox.worker_lcore = T.worker_lcore;
	T.outbox.n_workers = T.n_workers;
	T.outbox.lcore = index_outbox_lcore;
	T.outbox.replicator = &T.from_repl;
	T.outbox.pool = T.msgs;
}

static uint16_t stream_room(void)
{
	for (unsigned int i = 0; i < T.conf->n_ports; i++)
		if (T.conf->ports[i].roles & CONFIG_REPLICATION)
			return (uint16_t)(RTE_PKTMBUF_HEADROOM +
					  RTE_MAX(T.conf->ports[i].mtu, 1500u));
	return RTE_MBUF_DEFAULT_BUF_SIZE;
}

int boot_memory(void)
{
	uint32_t mtu = 1500;

	for (unsigned int i = 0; i < T.conf->n_ports; i++)
		mtu = RTE_MAX(mtu, T.conf->ports[i].mtu);
	T.mbufs = rte_pktmbuf_pool_create("mbufs", MBUFS - 1, 256, 0,
		(uint16_t)RTE_MAX((uint32_t)RTE_MBUF_DEFAULT_BUF_SIZE,
			RTE_PKTMBUF_HEADROOM +
				RTE_ALIGN_CEIL(mtu + 128, 1024)) /* a whole frame of af_packet */,
		SOCKET_ID_ANY);
	T.indirect = rte_pktmbuf_pool_create("indirect", 4095, 128, 0, 0, SOCKET_ID_ANY);
	T.stream_mbufs = rte_pktmbuf_pool_create("stream", STREAM_MBUFS, 128,
		RTE_ALIGN(sizeof(struct stream_meta), RTE_MBUF_PRIV_ALIGN), stream_room(),
		SOCKET_ID_ANY);
	T.msgs = rte_mempool_create(
		"msgs", MSGS, MSG_BYTES, 256, 0, NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	T.fib = fib_create("fib", SOCKET_ID_ANY);
	if (T.mbufs == NULL || T.indirect == NULL || T.stream_mbufs == NULL || T.msgs == NULL ||
		T.fib == NULL) {
		LOG(ERR, "buffers: %s: give the EAL more memory (-m or hugepages)",
			rte_strerror(rte_errno));
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < T.n_workers; i++) {
		T.to_worker[i].door = boot_door("to_worker", i);
		T.from_worker[i].door = boot_door("from_worker", i);
		T.repl_to_worker[i].door = boot_door("repl_to_worker", i);
		T.kernel_out[i] = ring("kernel_out", i, FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
		T.handover[i] = ring("handover", i, FRAMES, RING_F_SC_DEQ);
		T.stream_out[i] = ring("stream_out", i, STREAM_FIFO, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (T.to_worker[i].door.ring == NULL || T.from_worker[i].door.ring == NULL ||
			T.repl_to_worker[i].door.ring == NULL || T.kernel_out[i] == NULL ||
			T.handover[i] == NULL || T.stream_out[i] == NULL)
			return -ENOMEM;
	}
	T.to_repl.door = boot_door("to_repl", 0);
	T.from_repl.door = boot_door("from_repl", 0);
	boot_outbox();
	T.punt = ring("punt", 0, FRAMES, RING_F_SC_DEQ);
	T.kernel_repl = ring("kernel_repl", 0, FRAMES, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return T.to_repl.door.ring != NULL && T.from_repl.door.ring != NULL && T.punt != NULL &&
			       T.kernel_repl != NULL
		       ? 0
		       : -ENOMEM;
}

void boot_memory_end(void)
{
	for (unsigned int i = 0; i < T.n_workers; i++) {
		rte_ring_free(T.to_worker[i].door.ring);
		rte_ring_free(T.from_worker[i].door.ring);
		rte_ring_free(T.repl_to_worker[i].door.ring);
		rte_ring_free(T.kernel_out[i]);
		rte_ring_free(T.handover[i]);
		rte_ring_free(T.stream_out[i]);
	}
	rte_ring_free(T.to_repl.door.ring);
	rte_ring_free(T.from_repl.door.ring);
	rte_ring_free(T.punt);
	rte_ring_free(T.kernel_repl);
	fib_destroy(T.fib);
	rte_mempool_free(T.msgs);
	rte_mempool_free(T.stream_mbufs);
	rte_mempool_free(T.indirect);
	rte_mempool_free(T.mbufs);
}

int boot_tables(void)
{
	struct pool_conf pools[CONFIG_POOLS];
	struct session_params p = { .capacity = T.conf->table.max_sessions,
		.n_apns = (uint8_t)T.conf->n_apns,
		.mem = &memory_rte };

	for (unsigned int i = 0; i < T.conf->n_pools; i++) {
		const struct config_pool *f = &T.conf->pools[i];

		pools[i] = (struct pool_conf){ .instance = INSTANCE_MAIN,
			.prefix = f->prefix,
			.srp_activate = f->srp_activate };
		memcpy(pools[i].name, f->name, sizeof(pools[i].name));
		p.quarantine_s = RTE_MAX(p.quarantine_s, f->quarantine_s);
	}
	T.side = pair_seat(T.conf);
	p.side = T.side;
	T.pools = pool_set_create(pools, T.conf->n_pools, &memory_rte);
	if (T.pools != NULL) {
		pool_hooks(T.pools, &p.hooks);
		p.hooks.index = index_outbox_notify;
		p.hooks.index_ctx = &T.outbox;
		T.table = session_table_create(&p);
	}
	if (T.table == NULL) {
		LOG(ERR,
			"a table of %u sessions: %s: give the EAL more memory (about %u MB for it)",
			T.conf->table.max_sessions, strerror(errno),
			T.conf->table.max_sessions / 3200 + 1);
		return -ENOMEM;
	}
	T.shared.table = T.table;
	T.shared.pools = T.pools;
	T.shared.fib = T.fib;
	T.shared.gtp4 = ip_addr_to_v4(&config_gtp(T.conf)->address);
	T.shared.n_workers = T.n_workers;
	T.shared.direct = T.mbufs;
	T.shared.indirect = T.indirect;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++)
		T.shared.worker_of_shard[i] = (uint8_t)(i % T.n_workers);
	LOG(INFO, "side %u, %u sessions in %.1f MB", T.side, T.table->n_slots * SESSION_SHARDS,
		(double)(T.table->bytes + T.pools->bytes) / 1e6);
	return 0;
}

void boot_tables_end(void)
{
	session_table_destroy(T.table);
	pool_set_destroy(T.pools);
}
