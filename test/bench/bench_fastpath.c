/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_fastpath: cycles a packet of one worker, up and down, replication off and on, beside the
 * floor of the same run: receive, parse the outer headers, send, with no session. The source fills
 * buffers of a pool with frames, the sink is net_null; both are the same for all. The four variants
 * take turns, so that a slow moment of the machine hits all. */
#include "bench_fastpath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "base/clock.h"
#include "bench_json.h"
#include "common/ether.h"
#include "gtp/gtpu.h"

enum variant { FLOOR, OFF, REPL10, REPL100, VARIANTS };
enum {
	REPS_MAX = 101,
	PIECE = 8192,
	PIECES_MAX = 64,
	WAIT_TICKS = 16,
	STREAM_BUFS = 64,
	STREAM_BYTES = 1400,
	TURN_RECORDS = 64
};

/* The open packet of a worker's stream: bodies of USAGE and DELTAs. */
struct stream {
	uint8_t buf[STREAM_BUFS][2048];
	struct wr w;
	unsigned int cur;
	uint64_t records, bytes;
};

static struct stream stream;

/* What a worker does at the end of a turn: encodes what is due. */
static void encode_due(struct bench *b)
{
	struct dirty *d = &b->dirty;
	uint32_t handle;

	if (d->normal.head == d->due_end)
		return;
	for (unsigned int i = 0; i < TURN_RECORDS; i++) {
		struct session_slot *s;

		if (!dirty_next(d, b->table, &handle))
			return;
		if (stream.w.left < 64) {
			stream.bytes += STREAM_BYTES - stream.w.left;
			stream.cur = (stream.cur + 1) % STREAM_BUFS;
			stream.w = wr_init(stream.buf[stream.cur], STREAM_BYTES);
		}
		s = session_slot_of(b->table, handle);
		if (s->dirty == SESSION_G_USAGE32 && session_put_usage(s, stream.w.p)) {
			stream.w.p += SESSION_USAGE_BYTES;
			stream.w.left -= SESSION_USAGE_BYTES;
		} else {
			session_encode(b->table, session_handle_shard(handle),
				session_handle_slot(b->table, handle), s->dirty, &stream.w);
		}
		s->dirty = 0;
		stream.records++;
	}
}

/* Receive + parse outer headers + send. */
static void floor_up(struct bench *b, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], const void *));
	for (uint16_t i = 0; i < n; i++) {
		struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m[i], struct rte_ether_hdr *);
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
		const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
		struct gtpu g;

		if (m[i]->data_len < 50 ||
			eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
			!rte_is_same_ether_addr(&eth->dst_addr, ether_of(&b->fib->mac[0])) ||
			ip->version_ihl != 0x45 || ip->dst_addr != rte_cpu_to_be_32(BENCH_GTP) ||
			rte_ipv4_cksum(ip) != 0 || udp->dst_port != rte_cpu_to_be_16(GTPU_PORT) ||
			gtpu_parse((const uint8_t *)(udp + 1),
				rte_be_to_cpu_16(udp->dgram_len) - 8u, &g) != GTPU_OK ||
			g.type != GTPU_G_PDU) {
			rte_pktmbuf_free(m[i]);
			continue;
		}
		eth->dst_addr = eth->src_addr;
		eth->src_addr = *ether_of(&b->fib->mac[0]);
		fastpath_send(&b->fp, 0, m[i]);
	}
}

static void floor_down(struct bench *b, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], const void *));
	for (uint16_t i = 0; i < n; i++) {
		struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m[i], struct rte_ether_hdr *);
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);

		if (m[i]->data_len < 34 ||
			eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
			!rte_is_same_ether_addr(&eth->dst_addr, ether_of(&b->fib->mac[1])) ||
			ip->version_ihl != 0x45 ||
			rte_be_to_cpu_16(ip->total_length) > m[i]->data_len - 14 ||
			rte_ipv4_cksum(ip) != 0) {
			rte_pktmbuf_free(m[i]);
			continue;
		}
		eth->dst_addr = eth->src_addr;
		eth->src_addr = *ether_of(&b->fib->mac[1]);
		fastpath_send(&b->fp, 1, m[i]);
	}
}

/* A repl10 run starts with nine sessions of ten dirty and in no list: they stay so, and the tenth
 * is encoded each time. */
static void prepare(struct bench *b, enum variant v)
{
	dirty_clear(&b->dirty);
	for (uint32_t i = 0; i < b->n;
		i++) { /* what is needed first was seen longest ago: as cold as can be */
		uint32_t k = (b->at + i) % b->n;
		struct session_slot *s = session_slot_of(b->table, b->order[k].teid);
		bool stays = v == REPL10 && k % 10 != 0;

		s->listed = stays ? DIRTY_NORMAL : 0;
		s->dirty = stays ? SESSION_G_USAGE32 : 0;
	}
	b->fp.streaming = v >= REPL10;
	stream.w = wr_init(stream.buf[0], STREAM_BYTES);
}

static double piece(struct bench *b, bool up, enum variant v, uint32_t tick_bursts, uint32_t *tick)
{
	struct rte_mbuf *m[FASTPATH_BURST];
	uint64_t begin = rte_rdtsc();

	for (uint32_t done = 0; done < PIECE; done += FASTPATH_BURST) {
		if (v >= REPL10)
			fastpath_prefetch_due(&b->fp, TURN_RECORDS);
		b->at = bench_receive(b, up, b->at, m);
		if (v == FLOOR && up)
			floor_up(b, m, FASTPATH_BURST);
		else if (v == FLOOR)
			floor_down(b, m, FASTPATH_BURST);
		else
			fastpath_rx(&b->fp, up ? 0 : 1, m, FASTPATH_BURST);
		fastpath_flush(&b->fp);
		if (v < REPL10)
			continue;
		if (++*tick == tick_bursts) {
			dirty_tick(&b->dirty);
			*tick = 0;
		}
		encode_due(b);
	}
	b->offered += v == FLOOR ? 0 : PIECE;
	return (double)(rte_rdtsc() - begin) / PIECE;
}

/* Cycles a packet: the median of many short pieces, most of which nobody interrupts. They begin
 * when what was touched first has waited long enough to be encoded. */
static double run(struct bench *b, bool up, enum variant v, unsigned int pieces)
{
	uint32_t tick_bursts = RTE_MAX(1u, b->n / (4 * WAIT_TICKS * FASTPATH_BURST)), tick = 0;
	uint32_t before = 1 + (WAIT_TICKS + 1) * tick_bursts * FASTPATH_BURST / PIECE;
	double cycles[PIECES_MAX];

	prepare(b, v);
	for (unsigned int i = 0; i < before; i++)
		piece(b, up, v, tick_bursts, &tick);
	stream.records = 0;
	for (unsigned int i = 0; i < pieces; i++)
		cycles[i] = piece(b, up, v, tick_bursts, &tick);
	return bench_median(cycles, pieces);
}

static void line(const struct bench *b, const char *name, const char *metric, double value,
	const char *unit, double flr, double ratio, double aim, bool ok)
{
	bench_line(&(struct bench_line){ "fastpath", name, metric, unit, value, flr, ratio, aim, ok,
		b->huge ? "hugepages" : "4k pages", NULL });
}

/* All variants of one direction. False: packets were lost or the share of encoded packets is not
 * what it says. */
static bool direction(
	struct bench *b, bool up, const char *size, unsigned int reps, unsigned int pieces)
{
	static const char *const suffix[] = { "", "", "-repl10", "-repl100" };
	static const double share[] = { 0, 0, 0.1, 1 };
	double c[VARIANTS][REPS_MAX], on_off[VARIANTS][REPS_MAX],
		mhz = (double)rte_get_tsc_hz() / 1e6;
	bool good = true;
	char name[64];

	for (unsigned int r = 0; r < reps; r++)
		for (unsigned int v = 0; v < VARIANTS; v++) {
			c[v][r] = run(b, up, v, pieces);
			on_off[v][r] = c[OFF][r] / c[v][r];
			if (v >= REPL10 &&
				((double)stream.records < share[v] * pieces * PIECE * 0.9 ||
					(double)stream.records > share[v] * pieces * PIECE * 1.1)) {
				fprintf(stderr, "%s: %llu of %u packets encoded\n", size,
					(unsigned long long)stream.records, pieces * PIECE);
				good = false;
			}
		}
	for (unsigned int v = OFF; v < VARIANTS; v++) {
		double cycles = bench_median(c[v], reps), flr = bench_median(c[FLOOR], reps);

		snprintf(
			name, sizeof(name), "%s-%s%s", up ? "uplink" : "downlink", size, suffix[v]);
		line(b, name, "mpps_per_core", mhz / cycles, "Mpps", mhz / flr, flr / cycles,
			v == OFF ? 10 : 0, mhz / cycles >= 10);
		line(b, name, "cycles_per_packet", cycles, "cycles", flr, flr / cycles,
			v == OFF ? 2 * flr : 0, cycles <= 2 * flr);
		if (v >= REPL10)
			line(b, name, "on_off_ratio", bench_median(on_off[v], reps), "ratio", 0, 0,
				v == REPL10 ? 0.97 : 0, bench_median(on_off[v], reps) >= 0.97);
	}
	return good;
}

static int size(const char *name, uint32_t n, bool huge, unsigned int reps, unsigned int pieces)
{
	struct bench b = { .n = n, .huge = huge };
	uint64_t sent;
	bool good;

	if (bench_open(&b) < 0) {
		fprintf(stderr, "no memory for %u sessions\n", n);
		return EXIT_FAILURE;
	}
	good = direction(&b, true, name, reps, pieces);
	good = direction(&b, false, name, reps, pieces) && good;
	sent = b.fp.count.up_tx_packets + b.fp.count.down_tx_packets;
	if (sent != b.offered) {
		fprintf(stderr, "%s: sent %llu packets of %llu\n", name, (unsigned long long)sent,
			(unsigned long long)b.offered);
		good = false;
	}
	line(&b, name, "bytes_per_session", (double)b.bytes / b.capacity, "bytes", 0, 0,
		n > 100000 ? 320 : 0, b.bytes / b.capacity <= 320);
	bench_close(&b);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	char *eal[16] = { argv[0], "-l", "0", "--no-shconf", "--no-pci", "--no-telemetry",
		"--log-level=4", "--file-prefix=bench_fastpath", "--vdev=net_null0",
		"--vdev=net_null1" };
	int n_eal = 10, ret = EXIT_SUCCESS;
	const char *huge = NULL;
	unsigned int reps = 31;
	bool smoke = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--smoke") == 0)
			smoke = true;
		else if (strcmp(argv[i], "--huge-dir") == 0 && i + 1 < argc)
			huge = argv[++i];
		else if (strcmp(argv[i], "--reps") == 0 && i + 1 < argc)
			reps = (unsigned int)strtoul(argv[++i], NULL, 10);
		else {
			fprintf(stderr, "usage: %s [--smoke] [--huge-dir DIR] [--reps N]\n",
				argv[0]);
			return 2;
		}
	}
	reps = smoke ? 3 : RTE_MIN(RTE_MAX(reps, 1u), (unsigned int)REPS_MAX);
	eal[n_eal++] = huge != NULL ? "--huge-dir" : "--no-huge";
	if (huge != NULL)
		eal[n_eal++] = (char *)(uintptr_t)huge;
	eal[n_eal++] = "-m";
	eal[n_eal++] = smoke ? "192" : "1024";
	if (rte_eal_init(n_eal, eal) < 0)
		return EXIT_FAILURE;
	clock_init(&clock_tsc);
	ret = size("1k", 1000, huge != NULL, reps, smoke ? 8 : PIECES_MAX);
	if (!smoke && ret == EXIT_SUCCESS)
		ret = size("1M", 1000000, huge != NULL, reps, PIECES_MAX);
	rte_eal_cleanup();
	return ret;
}
