/* SPDX-License-Identifier: BSD-3-Clause */
/* The world of the simulation: chance, the network between the chassis, and what of the EAL they
 * need. */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>

#include "sim_pair.h"

struct sim sim;

static struct rte_mempool *mbufs;
static struct rte_ring *rings[2][WORKERS][2];

uint64_t rnd(uint64_t below)
{
	sim.random ^= sim.random >> 12;
	sim.random ^= sim.random << 25;
	sim.random ^= sim.random >> 27;
	return (sim.random * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

bool chance(unsigned int per_mille)
{
	return sim.faults && rnd(1000) < per_mille;
}

void fail(const char *format, ...)
{
	va_list args;

	if (sim.failed)
		return;
	sim.failed = true;
	fprintf(stderr, "seed %llu at %llu us: ", (unsigned long long)sim.seed,
		(unsigned long long)sim.now);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void story(const char *format, ...)
{
	va_list args;

	if (!sim.verbose)
		return;
	printf("%8llu us ", (unsigned long long)sim.now);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* What was corrupted is dropped: a UDP checksum would not let it through. */
void wire_put(unsigned int to, const uint8_t *bytes, size_t len)
{
	struct wire *w = &sim.wire[to];
	struct packet *p;

	if (w->n == WIRE || sim.now < sim.cut_until || chance(sim.loss) || chance(sim.corrupt))
		return;
	if (sim.faults && w->budget == 0)
		return;
	if (w->budget > 0)
		w->budget--;
	p = malloc(sizeof(*p));
	if (p == NULL)
		abort();
	p->at = sim.now + sim.delay + (chance(sim.reorder) ? rnd(sim.jitter + 1) : 0);
	p->len = len;
	memcpy(p->bytes, bytes, len);
	w->p[w->n++] = p;
}

void wire_run(unsigned int to)
{
	struct wire *w = &sim.wire[to];
	unsigned int kept = 0, n = w->n;

	w->budget = sim.rate;
	for (unsigned int i = 0; i < n; i++) {
		struct packet *p = w->p[i];

		if (p->at > sim.now) {
			w->p[kept++] = p;
			continue;
		}
		flight_arrive(&sim.node[to], p->bytes, p->len);
		if (chance(sim.duplicate)) {
			p->at = sim.now + rnd(5000);
			w->p[kept++] = p;
		} else {
			free(p);
		}
	}
	w->n = kept;
}

void wire_clear(unsigned int to)
{
	while (sim.wire[to].n > 0)
		free(sim.wire[to].p[--sim.wire[to].n]);
}

int pair_eal(void)
{
	char prefix[48];
	const char *args[] = { "sim_pair", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "128", "-l", "0", "--log-level", "error", "--file-prefix", prefix };
	char *argv[RTE_DIM(args) + 1] = { 0 };

	snprintf(prefix, sizeof(prefix), "sim_pair_%d", (int)getpid());
	for (unsigned int i = 0; i < RTE_DIM(args); i++)
		argv[i] = (char *)(uintptr_t)args[i];
	if (rte_eal_init(RTE_DIM(args), argv) < 0)
		return -1;
	mbufs = rte_pktmbuf_pool_create("stream", 1535, 0,
		RTE_ALIGN(sizeof(struct stream_meta), RTE_MBUF_PRIV_ALIGN),
		RTE_PKTMBUF_HEADROOM + PACKET, SOCKET_ID_ANY);
	for (unsigned int i = 0; i < 2 * WORKERS * 2; i++) {
		char name[16];

		snprintf(name, sizeof(name), "out_%u", i);
		rings[i / 4][i / 2 % 2][i % 2] = rte_ring_create(name, i % 2 ? 8 : STREAM_FIFO,
			SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (rings[i / 4][i / 2 % 2][i % 2] == NULL)
			return -1;
	}
	return mbufs != NULL ? 0 : -1;
}

struct rte_mempool *pair_mbufs(void)
{
	return mbufs;
}

struct rte_ring *pair_ring(unsigned int node, unsigned int worker)
{
	return rings[node][worker][sim.ring];
}
