/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_fastpath.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_udp.h>

#include "gtp/gtpu.h"
#include "session/imsi_index.h"
#include "ut_peers.h"

enum { MBUFS = 2047, UP_AT = 50, DOWN_AT = 14 };

static void *mem_alloc(void *ctx, size_t size, size_t align)
{
	return rte_zmalloc("bench", size, (unsigned int)align);
}

static void mem_free(void *ctx, void *p)
{
	rte_free(p);
}

static const struct session_mem mem = { .alloc = mem_alloc, .free = mem_free };

static void put_ip(uint8_t *p, uint32_t src, uint32_t dst, uint16_t total)
{
	struct rte_ipv4_hdr ip = { .version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16(total),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(src),
		.dst_addr = rte_cpu_to_be_32(dst) };

	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(p, &ip, sizeof(ip));
}

static void put_eth(uint8_t *p, const struct mac_addr *dst)
{
	memcpy(p, dst, 6);
	memcpy(p + 6, "\x52\x54\0\0\0\x99", 6);
	p[12] = 0x08;
}

static void frames(struct bench *b)
{
	struct rte_udp_hdr udp = { .src_port = rte_cpu_to_be_16(GTPU_PORT),
		.dst_port = rte_cpu_to_be_16(GTPU_PORT),
		.dgram_len = rte_cpu_to_be_16(BENCH_INNER + 16) };

	put_eth(b->up, &b->fib->mac[0]);
	put_ip(b->up + 14, 0x0a080001, BENCH_GTP, BENCH_INNER + 36);
	memcpy(b->up + 34, &udp, sizeof(udp));
	gtpu_header(b->up + 42, 0, BENCH_INNER);
	put_ip(b->up + UP_AT, 0, 0x0a090002, BENCH_INNER);
	put_eth(b->down, &b->fib->mac[1]);
	put_ip(b->down + DOWN_AT, 0x0a090002, 0, BENCH_INNER);
}

/* Copies are of constant size; the frames are short enough for a handful of vector moves. */
uint32_t bench_receive(struct bench *b, bool up, uint32_t at, struct rte_mbuf **m)
{
	const uint32_t len = up ? UP_AT + BENCH_INNER : DOWN_AT + BENCH_INNER;

	if (rte_pktmbuf_alloc_bulk(b->pool, m, FASTPATH_BURST) < 0)
		rte_panic("the sink keeps buffers\n");
	for (unsigned int i = 0; i < FASTPATH_BURST; i++) {
		const struct bench_session *s = &b->order[at];
		uint8_t *p = rte_pktmbuf_mtod(m[i], uint8_t *);

		if (up) {
			memcpy(p, b->up, UP_AT + BENCH_INNER);
			memcpy(p + 46, &s->teid_be, 4);
			memcpy(p + UP_AT + 10, &s->up_sum, 2);
			memcpy(p + UP_AT + 12, &s->ue4_be, 4);
		} else {
			memcpy(p, b->down, DOWN_AT + BENCH_INNER);
			memcpy(p + DOWN_AT + 10, &s->down_sum, 2);
			memcpy(p + DOWN_AT + 16, &s->ue4_be, 4);
		}
		m[i]->data_len = (uint16_t)len;
		m[i]->pkt_len = len;
		at = at + 1 == b->n ? 0 : at + 1;
	}
	return at;
}

/* The control core's index, IMSI and NSAPI to handle, with every session in it: bytes of heap that
 * it takes. */
static uint64_t index_bytes(const struct bench *b)
{
	struct imsi_index_params p = { .entries = b->capacity, .mem = &mem };
	struct rte_malloc_socket_stats before, after;
	struct imsi_index *x;

	rte_malloc_get_socket_stats(0, &before);
	x = imsi_index_create(&p);
	if (x == NULL)
		return 0;
	for (uint32_t i = 0; i < b->n; i++) {
		uint64_t key = session_slot_of(b->table, b->order[i].teid)->key;

		if (imsi_index_set(x, key, b->order[i].teid) < 0)
			rte_panic("index of %u sessions full at %u\n", b->capacity, i);
	}
	rte_malloc_get_socket_stats(0, &after);
	imsi_index_destroy(x);
	return after.heap_allocsz_bytes - before.heap_allocsz_bytes;
}

static int open_sessions(struct bench *b)
{
	struct pool_conf conf = { .name = "bench",
		.prefix = { ip_addr_v4(0xac100000), b->n > 60000 ? 12 : 20 } };
	struct session_params params = { .capacity = b->n, .mem = &mem };
	uint64_t random = 20260101;

	b->pools = pool_set_create(&conf, 1, &mem);
	if (b->pools == NULL)
		return -1;
	pool_hooks(b->pools, &params.hooks);
	b->table = session_table_create(&params);
	b->order = rte_malloc("order", (b->n + 1) * sizeof(*b->order), 64);
	if (b->table == NULL || b->order == NULL)
		return -1;
	b->capacity = b->table->n_slots * SESSION_SHARDS;
	for (uint32_t i = 0; i < SESSION_SHARDS; i++)
		session_own(b->table, i, 0);
	for (uint32_t i = 0; i < b->n; i++) {
		struct session_rec rec = { .state = SESSION_LIVE,
			.pdp_type = 0x21,
			.key = UINT64_C(0x2400100000000005) + ((uint64_t)i << 4),
			.peer_usr_teid = i + 1,
			.peer_usr = ip_addr_v4(0x0a080000 + (i & 255)) };
		uint8_t ip[20];

		if (pool_pick(b->pools, 0, i % SESSION_SHARDS, &rec.ue) < 0 ||
			session_create(b->table, 0, &rec, 1) < 0)
			return -1;
		b->order[i].teid = rec.handle;
		b->order[i].teid_be = rte_cpu_to_be_32(rec.handle);
		b->order[i].ue4_be = rte_cpu_to_be_32(ip_addr_to_v4(&rec.ue));
		put_ip(ip, ip_addr_to_v4(&rec.ue), 0x0a090002, BENCH_INNER);
		memcpy(&b->order[i].up_sum, ip + 10, 2);
		put_ip(ip, 0x0a090002, ip_addr_to_v4(&rec.ue), BENCH_INNER);
		memcpy(&b->order[i].down_sum, ip + 10, 2);
	}
	for (uint32_t i = b->n - 1; i > 0; i--) {
		struct bench_session s = b->order[i];
		uint32_t k;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		k = (uint32_t)(random % (i + 1));
		b->order[i] = b->order[k];
		b->order[k] = s;
	}
	return dirty_init(&b->dirty, b->capacity, 16, &mem);
}

static int open_ports(struct bench *b)
{
	static const struct rte_eth_conf conf;

	for (uint16_t p = 0; p < 2; p++) {
		if (rte_eth_dev_configure(p, 1, 1, &conf) < 0 ||
			rte_eth_rx_queue_setup(p, 0, 64, 0, NULL, b->pool) < 0 ||
			rte_eth_tx_queue_setup(p, 0, 64, 0, NULL) < 0 || rte_eth_dev_start(p) < 0)
			return -1;
		b->fib->mac[p] = (struct mac_addr){ { 2, 0, 0, 0, 0, (uint8_t)p } };
		b->sh.port[p].roles = p == 0 ? CONFIG_ACCESS : CONFIG_CORE;
		b->sh.port[p].bit = (uint8_t)(1U << p);
		b->sh.port[p].mtu = 1500;
		b->sh.port[p].up = true;
		b->fib->adj[p].word =
			UINT64_C(0x525400000099) << 16 | (uint64_t)p << 8 | FIB_ADJ_VALID;
	}
	for (uint32_t i = 0; i < 2; i++) {
		struct ip_prefix to = { ip_addr_v4(0x0a080000 + (i << 16)), 16 };

		if (fib_put(b->fib, INSTANCE_MAIN, &to, i) < 0)
			return -1;
	}
	b->fib->gen = 1;
	return 0;
}

int bench_open(struct bench *b)
{
	/* First in, first out, as through a NIC's rings of 1,024: not the same few warm buffers
	 * again and again. */
	b->pool = rte_pktmbuf_pool_create_by_ops(
		"bench", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0, "ring_sp_sc");
	b->fib = fib_create("bench", 0);
	if (b->pool == NULL || b->fib == NULL || open_ports(b) < 0 || open_sessions(b) < 0)
		return -1;
	frames(b);
	b->bytes = b->table->bytes + b->pools->bytes +
		   2 * (uint64_t)(b->dirty.normal.mask + 1) * sizeof(uint32_t) + index_bytes(b);
	b->sh.table = b->table;
	b->sh.pools = b->pools;
	b->sh.fib = b->fib;
	b->sh.gtp4 = BENCH_GTP;
	b->sh.n_workers = 1;
	b->sh.direct = b->pool;
	b->fp.sh = &b->sh;
	b->settings.number = 1;
	b->settings.peers = ut_peers(0x0a080000, 16, 1);
	b->fp.settings = &b->settings;
	role_init(&b->role);
	b->fp.role = &b->role;
	b->fp.dirty = &b->dirty;
	b->fp.punt = rte_ring_create("bench_punt", 64, 0, 0);
	b->fp.mode = FASTPATH_OWN;
	b->fp.now_s = 1;
	return b->fp.punt != NULL ? 0 : -1;
}

void bench_close(struct bench *b)
{
	for (uint16_t p = 0; p < 2; p++)
		rte_eth_dev_stop(p);
	rte_ring_free(b->fp.punt);
	dirty_fini(&b->dirty, &mem);
	rte_free(b->order);
	session_table_destroy(b->table);
	pool_set_destroy(b->pools);
	fib_destroy(b->fib);
	rte_mempool_free(b->pool);
}
