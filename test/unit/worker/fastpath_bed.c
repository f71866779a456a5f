/* SPDX-License-Identifier: BSD-3-Clause */
#include "fastpath_bed.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include "base/clock.h"
#include "ut_peers.h"

enum { MBUFS = 1023, MBUFS_DIRECT = 255, SNAP = 4096 };

struct bed bed;

static void *mem_alloc(void *ctx, size_t size, size_t align)
{
	void *p = NULL;

	if (posix_memalign(&p, RTE_MAX(align, sizeof(void *)), RTE_MAX(size, align)) != 0)
		return NULL;
	return memset(p, 0, size);
}

static void mem_free(void *ctx, void *p)
{
	free(p);
}

static const struct session_mem libc_mem = { .alloc = mem_alloc, .free = mem_free };

void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

void sum_ip(uint8_t *p)
{
	uint32_t sum = 0;

	put16(p + 10, 0);
	for (unsigned int i = 0; i < (p[0] & 15u) * 4; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(p + 10, ~sum & 0xffff);
}

void put_ip(uint8_t *p, uint32_t src, uint32_t dst, uint8_t proto, uint8_t ttl, uint16_t total,
	uint16_t id, uint16_t flags)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, total);
	put16(p + 4, id);
	put16(p + 6, flags);
	p[8] = ttl;
	p[9] = proto;
	put32(p + 12, src);
	put32(p + 16, dst);
	sum_ip(p);
}

void put_eth(uint8_t *p, const uint8_t *dst, const uint8_t *src)
{
	memcpy(p, dst, 6);
	memcpy(p + 6, src, 6);
	put16(p + 12, 0x0800);
}

const uint8_t *mac_port(uint16_t port)
{
	return bed.fib->mac[port].octet;
}

const uint8_t *mac_adj(uint16_t adj)
{
	static uint8_t mac[8][6];

	memcpy(mac[adj], (const uint8_t[]){ 0x52, 0x54, 0, 0xfe, 0x80, (uint8_t)adj }, 6);
	return mac[adj];
}

void put_inner(uint8_t *p, uint32_t src, uint32_t dst, uint8_t ttl, uint16_t total, uint16_t flags)
{
	for (unsigned int i = 20; i < total; i++)
		p[i] = (uint8_t)(i * 7 + total);
	put_ip(p, src, dst, 17, ttl, total, 0x1234, flags);
}

static void put_tunnel(
	uint8_t *p, uint32_t src, uint32_t dst, uint16_t id, uint32_t teid, uint16_t total)
{
	put_ip(p, src, dst, 17, 64, (uint16_t)(total + 36), id, 0);
	put16(p + 20, 2152);
	put16(p + 22, 2152);
	put16(p + 24, total + 16u);
	put16(p + 26, 0);
	p[28] = 0x30;
	p[29] = 255;
	put16(p + 30, total);
	put32(p + 32, teid);
}

void frame_up(struct frame *f, uint32_t teid, uint32_t src, uint32_t dst, uint8_t ttl,
	uint16_t total, uint16_t flags)
{
	f->port = BED_ACCESS;
	f->len = (uint16_t)(50 + total);
	put_eth(f->b, mac_port(BED_ACCESS), mac_adj(BED_ADJ_SGSN));
	put_tunnel(f->b + 14, BED_SGSN, BED_GTP, 77, teid, total);
	put_inner(f->b + 50, src, dst, ttl, total, flags);
}

void frame_down(
	struct frame *f, uint32_t src, uint32_t dst, uint8_t ttl, uint16_t total, uint16_t flags)
{
	f->port = BED_CORE;
	f->len = (uint16_t)(14 + total);
	put_eth(f->b, mac_port(BED_CORE), mac_adj(BED_ADJ_CORE));
	put_inner(f->b + 14, src, dst, ttl, total, flags);
}

void want_up(struct frame *f, uint16_t adj, uint16_t port, uint32_t src, uint32_t dst, uint8_t ttl,
	uint16_t total, uint16_t flags)
{
	f->port = port;
	f->len = (uint16_t)(14 + total);
	put_eth(f->b, mac_adj(adj), mac_port(port));
	put_inner(f->b + 14, src, dst, ttl, total, flags);
}

void want_down(struct frame *f, uint32_t teid, uint32_t src, uint32_t dst, uint8_t ttl,
	uint16_t total, uint16_t flags)
{
	f->port = BED_ACCESS;
	f->len = (uint16_t)(50 + total);
	put_eth(f->b, mac_adj(BED_ADJ_SGSN), mac_port(BED_ACCESS));
	put_tunnel(f->b + 14, BED_GTP, BED_SGSN, 0, teid, total);
	put_inner(f->b + 50, src, dst, ttl, total, flags);
}

struct rte_mbuf *bed_mbuf(const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
	char *at = m == NULL ? NULL : rte_pktmbuf_append(m, f->len);

	if (at == NULL) {
		fprintf(stderr, "no room for a frame of %u bytes\n", f->len);
		abort();
	}
	memcpy(at, f->b, f->len);
	return m;
}

void bed_rx(unsigned int w, const struct frame *f)
{
	struct rte_mbuf *m = bed_mbuf(f);

	fastpath_rx(&bed.w[w], f->port, &m, 1);
	fastpath_flush(&bed.w[w]);
}

unsigned int bed_handed(unsigned int w)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	unsigned int n = rte_ring_dequeue_burst(bed.hand[w], (void **)m, RTE_DIM(m), NULL);

	if (n > 0)
		fastpath_handed(&bed.w[w], m, (uint16_t)n);
	fastpath_flush(&bed.w[w]);
	return n;
}

bool bed_take(struct rte_ring *r, struct frame *out)
{
	struct rte_mbuf *m;

	if (rte_ring_dequeue(r, (void **)&m) != 0)
		return false;
	rte_mbuf_sanity_check(m, 1);
	out->port = m->port;
	out->len = (uint16_t)RTE_MIN(m->pkt_len, sizeof(out->b));
	memcpy(out->b, rte_pktmbuf_read(m, 0, out->len, out->b), out->len);
	rte_pktmbuf_free(m);
	return true;
}

bool bed_sent(unsigned int w, uint16_t port, struct frame *out)
{
	if (!bed_take(bed.tx[port][w], out))
		return false;
	out->port = port;
	return true;
}

unsigned int bed_sent_n(void)
{
	unsigned int n = 0;

	for (unsigned int p = 0; p < BED_PORTS; p++)
		n += rte_ring_count(bed.tx[p][0]) + rte_ring_count(bed.tx[p][1]);
	return n;
}

uint64_t bed_drops(unsigned int w)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < fastpath_counters_n; i++)
		if (strncmp(fastpath_counters_names[i], "drop_", 5) == 0)
			sum += ((const uint64_t *)&bed.w[w].count)[i];
	return sum;
}

bool frame_equal(const char *what, const struct frame *got, const struct frame *want)
{
	unsigned int i = 0;

	while (i < got->len && i < want->len && got->b[i] == want->b[i])
		i++;
	if (got->port == want->port && got->len == want->len && i == got->len)
		return true;
	fprintf(stderr, "%s: port %u for %u, length %u for %u, byte %u is %02x for %02x\n", what,
		got->port, want->port, got->len, want->len, i, got->b[i], want->b[i]);
	return false;
}

struct session_slot *bed_slot(unsigned int i)
{
	return session_slot_of(bed.t, bed.teid[i]);
}

static void drain(struct rte_ring *r)
{
	struct rte_mbuf *m;

	while (rte_ring_dequeue(r, (void **)&m) == 0)
		rte_pktmbuf_free(m);
}

static void drain_all(void)
{
	for (unsigned int w = 0; w < 2; w++) {
		for (unsigned int p = 0; p < BED_PORTS; p++)
			drain(bed.tx[p][w]);
		drain(bed.punt[w]);
		drain(bed.hand[w]);
	}
}

void bed_reset(void)
{
	drain_all();
	role_init(&bed.role);
	for (unsigned int w = 0; w < 2; w++) {
		fastpath_fini(&bed.w[w]);
		memset(&bed.w[w], 0, sizeof(bed.w[w]));
		/* nothing is held but where a test asks for it */
		bed.w[w].held_not_before = UINT64_MAX;
		dirty_clear(&bed.dirty[w]);
		bed.w[w].sh = &bed.sh;
		bed.w[w].settings = &bed.settings;
		bed.w[w].role = &bed.role;
		bed.w[w].worker = (uint8_t)w;
		bed.w[w].queue = (uint16_t)w;
		bed.w[w].dirty = &bed.dirty[w];
		bed.w[w].punt = bed.punt[w];
		bed.w[w].handover[0] = bed.hand[0];
		bed.w[w].handover[1] = bed.hand[1];
		bed.w[w].mode = FASTPATH_OWN;
		bed.w[w].streaming = true;
		bed.w[w].now_s = 1000;
		bed.w[w].now_tsc = UINT64_C(1) << 50;
		fastpath_budgets(&bed.w[w], &(const struct siphash_secret){ { 1 } });
	}
	for (unsigned int i = 1; i <= BED_SESSIONS; i++) {
		struct session_slot *s = bed_slot(i);

		s->up_pkts = s->up_bytes = s->dn_pkts = s->dn_bytes = 0;
		s->dirty = s->listed = 0;
		s->active_s = 0;
		s->nh_gen = 0;
		s->up_tat = s->dn_tat = 0;
	}
	peers_drop(bed.settings.peers);
	bed.settings = (struct settings){ .number = 1,
		.n_apns = 1,
		.peers = ut_peers(BED_SGSN, 32, 1 << BED_ACCESS | 1 << BED_BOTH) };
}

static int open_port(unsigned int p)
{
	static const struct rte_eth_conf conf;
	char name[32];
	int port;

	for (unsigned int w = 0; w < 2; w++) {
		snprintf(name, sizeof(name), "tx%u.%u", p, w);
		bed.tx[p][w] = rte_ring_create(
			name, BED_TX_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (bed.tx[p][w] == NULL)
			return -1;
	}
	snprintf(name, sizeof(name), "bed%u", p);
	port = rte_eth_from_rings(name, bed.tx[p], 2, bed.tx[p], 2, 0);
	if (port != (int)p || rte_eth_dev_configure((uint16_t)p, 2, 2, &conf) < 0)
		return -1;
	for (uint16_t q = 0; q < 2; q++)
		if (rte_eth_rx_queue_setup((uint16_t)p, q, 64, 0, NULL, bed.pool) < 0 ||
			rte_eth_tx_queue_setup((uint16_t)p, q, 64, 0, NULL) < 0)
			return -1;
	return rte_eth_dev_start((uint16_t)p);
}

int bed_route(uint32_t dst4, uint32_t nh)
{
	struct ip_prefix to = { ip_addr_v4(dst4), 32 };

	return nh == FIB_NONE ? fib_remove(bed.fib, INSTANCE_MAIN, &to)
			      : fib_put(bed.fib, INSTANCE_MAIN, &to, nh);
}

static int open_fib(void)
{
	static const struct {
		uint32_t dst;
		uint8_t depth;
		uint32_t nh;
	} routes[] = {
		{ BED_SGSN, 32, BED_ADJ_SGSN },
		{ IP4(10, 9, 0, 0), 16, BED_ADJ_CORE },
		{ IP4(10, 66, 0, 0), 16, BED_ADJ_SILENT },
		{ IP4(10, 67, 0, 0), 16, BED_ADJ_REPL },
		{ IP4(10, 68, 0, 0), 16, FIB_GLEAN | BED_CORE },
		{ IP4(10, 69, 0, 0), 16, BED_ADJ_DARK },
		{ IP4(10, 70, 0, 0), 16, BED_ADJ_NARROW },
		{ BED_GTP, 32, BED_ADJ_CORE }, /* as a default route would */
		{ IP4(127, 0, 0, 0), 8, BED_ADJ_CORE },
		{ IP4(224, 0, 0, 0), 4, BED_ADJ_CORE },
		{ BED_TWIN(BED_CORE), 32, FIB_GLEAN | BED_CORE },
	};
	static const uint16_t port[] = { [BED_ADJ_SGSN] = BED_ACCESS,
		[BED_ADJ_CORE] = BED_CORE,
		[BED_ADJ_REPL] = BED_REPL,
		[BED_ADJ_DARK] = BED_DARK,
		[BED_ADJ_NARROW] = BED_NARROW };

	bed.fib = fib_create("bed", 0);
	if (bed.fib == NULL)
		return -1;
	for (unsigned int i = 0; i < RTE_DIM(routes); i++) {
		struct ip_prefix to = { ip_addr_v4(routes[i].dst), routes[i].depth };

		if (fib_put(bed.fib, INSTANCE_MAIN, &to, routes[i].nh) < 0)
			return -1;
	}
	for (uint16_t a = 1; a < RTE_DIM(port); a++) {
		uint64_t word = 0;

		for (unsigned int b = 0; b < 6; b++)
			word = word << 8 | mac_adj(a)[b];
		if (a != BED_ADJ_SILENT)
			bed.fib->adj[a].word = word << 16 | (uint64_t)port[a] << 8 | FIB_ADJ_VALID;
	}
	for (uint8_t p = 0; p < BED_PORTS; p++)
		bed.fib->mac[p] = (struct mac_addr){ { 0x02, 0, 0, 0, 0x10, p } };
	bed.fib->gen = 7;
	return 0;
}

static int open_sessions(void)
{
	struct pool_conf conf = { .name = "bed", .prefix = { ip_addr_v4(IP4(172, 20, 0, 0)), 16 } };
	struct session_params params = { .capacity = 64, .mem = &libc_mem };

	bed.ps = pool_set_create(&conf, 1, &libc_mem);
	if (bed.ps == NULL)
		return -1;
	pool_hooks(bed.ps, &params.hooks);
	bed.t = session_table_create(&params);
	if (bed.t == NULL)
		return -1;
	for (unsigned int i = 0; i < SESSION_SHARDS; i++) {
		bed.sh.worker_of_shard[i] = i & 1;
		session_own(bed.t, i, i & 1);
	}
	for (unsigned int i = 1; i <= BED_SESSIONS; i++) {
		struct session_rec rec = { .state = SESSION_LIVE,
			.pdp_type = 0x21,
			.key = 0x24001 + i,
			.ue = ip_addr_v4(BED_UE(i)),
			.peer_usr_teid = 0xabcd0000 + i,
			.peer_usr = ip_addr_v4(BED_SGSN) };

		if (session_create(bed.t, i & 1, &rec, 1) < 0)
			return -1;
		bed.teid[i] = rec.handle;
	}
	for (unsigned int w = 0; w < 2; w++)
		if (dirty_init(&bed.dirty[w], 64 * SESSION_SHARDS, 1, &libc_mem) < 0)
			return -1;
	return 0;
}

static void open_shared(void)
{
	static const uint8_t roles[] = { [BED_ACCESS] = CONFIG_ACCESS,
		[BED_CORE] = CONFIG_CORE,
		[BED_REPL] = CONFIG_REPLICATION,
		[BED_DARK] = CONFIG_CORE,
		[BED_NARROW] = CONFIG_CORE,
		[BED_BOTH] = CONFIG_ACCESS | CONFIG_CORE };

	bed.sh.table = bed.t;
	bed.sh.pools = bed.ps;
	bed.sh.fib = bed.fib;
	bed.sh.gtp4 = BED_GTP;
	bed.sh.n_workers = 2;
	bed.sh.direct = bed.direct;
	for (unsigned int p = 0; p < BED_PORTS; p++) {
		bed.sh.port[p].roles = roles[p];
		bed.sh.port[p].bit = (uint8_t)(1U << p);
		bed.sh.port[p].mtu = p == BED_NARROW ? 576 : 1500;
		bed.sh.port[p].twin4 = BED_TWIN(p);
		bed.sh.port[p].up = p != BED_DARK;
	}
}

int bed_open(void)
{
	char *argv[] = { "bed", "-l", "0", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "160", "--file-prefix=ut_fastpath", "--log-level=4" };

	if (bed.pool != NULL) { /* an earlier suite's */
		bed_reset();
		return 0;
	}
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return -1;
	clock_init(&clock_tsc);
	bed.pool = rte_pktmbuf_pool_create("bed", MBUFS, 0, 0, SNAP + RTE_PKTMBUF_HEADROOM, 0);
	bed.direct =
		rte_pktmbuf_pool_create("direct", MBUFS_DIRECT, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (bed.pool == NULL || bed.direct == NULL || open_fib() < 0 || open_sessions() < 0)
		return -1;
	for (unsigned int p = 0; p < BED_PORTS; p++)
		if (open_port(p) < 0)
			return -1;
	for (unsigned int w = 0; w < 2; w++) {
		bed.punt[w] = rte_ring_create(
			w ? "punt1" : "punt0", 64, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
		bed.hand[w] = rte_ring_create(w ? "hand1" : "hand0", 64, 0, RING_F_SC_DEQ);
		if (bed.punt[w] == NULL || bed.hand[w] == NULL)
			return -1;
	}
	open_shared();
	bed.pool_n = rte_mempool_avail_count(bed.pool);
	bed.direct_n = rte_mempool_avail_count(bed.direct);
	bed_reset();
	return 0;
}

int bed_close(void)
{
	bool whole;

	drain_all();
	whole = rte_mempool_avail_count(bed.pool) == bed.pool_n &&
		rte_mempool_avail_count(bed.direct) == bed.direct_n;
	if (!whole)
		fprintf(stderr, "buffers lost: %u, %u\n",
			bed.pool_n - rte_mempool_avail_count(bed.pool),
			bed.direct_n - rte_mempool_avail_count(bed.direct));
	return whole ? 0 : -1;
}

void bed_free(void)
{
	for (uint16_t p = 0; p < BED_PORTS; p++) {
		rte_eth_dev_stop(p);
		rte_eth_dev_close(p);
		rte_ring_free(bed.tx[p][0]);
		rte_ring_free(bed.tx[p][1]);
	}
	for (unsigned int w = 0; w < 2; w++) {
		rte_ring_free(bed.punt[w]);
		rte_ring_free(bed.hand[w]);
		dirty_fini(&bed.dirty[w], &libc_mem);
	}
	session_table_destroy(bed.t);
	pool_set_destroy(bed.ps);
	fib_destroy(bed.fib);
	rte_mempool_free(bed.direct);
	rte_mempool_free(bed.pool);
	rte_eal_cleanup();
}
