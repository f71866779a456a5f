/* SPDX-License-Identifier: BSD-3-Clause */
/* Chance, time and the network: events in the order in which they happen, paths that lose, double,
 * turn round, break, hold back and cut, each direction by itself. */
#include <stdarg.h>

#include "sim.h"

struct sim sim;

static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

uint64_t rnd(uint64_t below)
{
	return draw(&sim.random, below);
}

uint64_t rnd_aside(uint64_t below)
{
	return draw(&sim.aside, below);
}

uint64_t rnd_of(unsigned int what, uint64_t below)
{
	return draw(&sim.own[what], below);
}

bool widened(unsigned int what, uint64_t in)
{
	return !sim.narrow && rnd_of(what, in) == 0;
}

/* Users' paths lose and turn round as they always did; what came later is drawn beside. */
static bool strikes(unsigned int path, unsigned int per_mille)
{
	if (path == PATH_STREAM)
		return chance(per_mille);
	return per_mille > 0 && rnd_of(OF_PATHS, 1000) < per_mille;
}

bool chance(unsigned int per_mille)
{
	return per_mille > 0 && rnd(1000) < per_mille;
}

void digest(uint64_t v)
{
	sim.digest = (sim.digest ^ v) * UINT64_C(0x100000001b3);
	sim.digest ^= sim.digest >> 29;
}

static void say(FILE *to, int node, const char *format, va_list args)
{
	char text[1024];
	size_t len;

	vsnprintf(text, sizeof(text), format, args);
	len = strlen(text);
	fprintf(to, "%10.3f ms  %s  %s%s", (double)sim.now / 1000,
		node < 0    ? "-"
		: node == 0 ? "A"
			    : "B",
		text, len > 0 && text[len - 1] == '\n' ? "" : "\n");
}

void story(int node, const char *format, ...)
{
	va_list args;

	if (!sim.verbose)
		return;
	va_start(args, format);
	say(stdout, node, format, args);
	va_end(args);
}

void broken(int invariant, const char *format, ...)
{
	va_list args;

	if (sim.failed)
		return;
	sim.failed = true;
	fflush(stdout);
	fprintf(stderr, "seed %llu: INV_%02d: ", (unsigned long long)sim.seed, invariant);
	va_start(args, format);
	say(stderr, -1, format, args);
	va_end(args);
}

/* ---- events ---- */

static bool before(const struct ev *a, const struct ev *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

struct ev *ev_at(usec_t at, int node, void (*run)(struct ev *))
{
	struct ev *e = calloc(1, sizeof(*e));
	unsigned int i;

	if (sim.n_heap == sim.room_heap) {
		sim.room_heap = RTE_MAX(256u, 2 * sim.room_heap);
		sim.heap = realloc(sim.heap, sim.room_heap * sizeof(struct ev *));
	}
	if (e == NULL || sim.heap == NULL)
		exit(2);
	*e = (struct ev){
		.at = RTE_MAX(at, sim.now), .order = ++sim.order, .run = run, .node = node
	};
	for (i = sim.n_heap++; i > 0 && before(e, sim.heap[(i - 1) / 2]); i = (i - 1) / 2)
		sim.heap[i] = sim.heap[(i - 1) / 2];
	sim.heap[i] = e;
	return e;
}

/* The first event of all. */
void ev_run(void)
{
	struct ev *top = sim.heap[0], *last = sim.heap[--sim.n_heap];
	unsigned int i = 0, c;

	for (; (c = 2 * i + 1) < sim.n_heap; i = c) {
		if (c + 1 < sim.n_heap && before(sim.heap[c + 1], sim.heap[c]))
			c++;
		if (before(last, sim.heap[c]))
			break;
		sim.heap[i] = sim.heap[c];
	}
	sim.heap[i] = last;
	sim.now = top->at;
	sim.events++;
	digest(top->at << 20 ^ (uint64_t)(top->node + 1) << 16 ^ top->a ^ top->len);
	if (top->life == 0 || (top->node >= 0 && sim.node[top->node].life == top->life))
		top->run(top);
	free(top->bytes);
	free(top);
}

/* ---- paths ---- */

static void copy_to(const struct ev *like, usec_t at, const void *bytes, size_t len, bool flip)
{
	struct ev *e = ev_at(at, like->node, like->run);

	e->life = like->life;
	e->a = like->a;
	e->b = like->b;
	e->c = like->c;
	e->number = like->number;
	e->len = len;
	if (len == 0)
		return;
	e->bytes = malloc(len);
	if (e->bytes == NULL)
		exit(2);
	memcpy(e->bytes, bytes, len);
	if (flip) {
		e->bytes[rnd(len)] ^= (uint8_t)(1u << rnd(8));
		e->flipped = true;
		sim.lost_bytes += len;
	}
}

static struct ev *kept[PATHS][DIRECTIONS][KEPT];

static bool keep(unsigned int path, unsigned int direction, const struct ev *like,
	const void *bytes, size_t len)
{
	struct wire *w = &sim.wire[path][direction];
	struct ev *e = w->n_kept < KEPT ? malloc(sizeof(*e)) : NULL;

	if (e == NULL)
		return false;
	*e = *like;
	e->len = len;
	e->bytes = malloc(len);
	if (e->bytes == NULL)
		exit(2);
	memcpy(e->bytes, bytes, len);
	kept[path][direction][w->n_kept++] = e;
	return true;
}

void wire_let_go(unsigned int path, unsigned int direction)
{
	struct wire *w = &sim.wire[path][direction];

	w->keeps = false;
	for (unsigned int i = 0; i < w->n_kept; i++) {
		struct ev *e = kept[path][direction][i];

		copy_to(e, sim.now + 1 + i, e->bytes, e->len, false);
		free(e->bytes);
		free(e);
	}
	w->n_kept = 0;
}

unsigned int wire_send(unsigned int path, unsigned int direction, const struct ev *like,
	const void *bytes, size_t len)
{
	struct wire *w = &sim.wire[path][direction];
	usec_t at = sim.now + w->delay, queue = w->queue > 0 ? w->queue : 30 * MS;

	w->sent += len;
	if (w->cut || chance(w->loss) || (w->rate > 0 && w->busy > sim.now + queue)) {
		w->lost += len;
		sim.lost_bytes += path == PATH_STREAM ? len : 0;
		return 0;
	}
	if (w->keeps && len > 0)
		return keep(path, direction, like, bytes, len);
	if (w->rate > 0) {
		w->busy = RTE_MAX(w->busy, sim.now) + (len * MS + w->rate - 1) / w->rate;
		at = w->busy + w->delay;
	}
	if (w->held > sim.now)
		at += w->held - sim.now;
	if (chance(w->reorder)) {
		usec_t later = rnd(w->jitter + 1);

		/* Behind three that were sent later, or a millisecond: the stream has gone on
		 * without it (lib/repl/README.md section 2). */
		sim.lost_bytes += path == PATH_STREAM && later >= 200 ? len : 0;
		at += later;
	}
	copy_to(like, at, bytes, len, chance(w->corrupt));
	if (!strikes(path, w->duplicate))
		return 1;
	copy_to(like, at + (path == PATH_STREAM ? rnd(5 * MS) : rnd_of(OF_PATHS, 20 * MS)), bytes,
		len, false);
	return 2;
}

void wire_cut(unsigned int path, unsigned int direction, bool on)
{
	struct wire *w = &sim.wire[path][direction];

	if (w->cut && !on)
		w->good_since = sim.now;
	w->cut = on;
}

/* Between the chassis: both directions have worked since then. */
bool wire_good(unsigned int path, usec_t since)
{
	for (unsigned int d = TO_0; d <= TO_1; d++)
		if (sim.wire[path][d].cut || sim.wire[path][d].good_since > since)
			return false;
	return true;
}
