/* SPDX-License-Identifier: BSD-3-Clause */
#include "repl/flow.h"

enum { MILLION = 1000000 };

const struct flow_limits flow_unlimited = { UINT32_MAX, UINT32_MAX };

static uint32_t flow_share(
	uint64_t rate, uint64_t us, unsigned int frame, unsigned int workers, uint32_t most)
{
	uint64_t n = rate * us / MILLION / frame / workers;

	if (rate == 0 || n > most)
		return most;
	return n > 0 ? (uint32_t)n : 1;
}

void flow_init(struct flow *f, uint32_t mbits, unsigned int frame, unsigned int workers,
	unsigned int fifo, usec_t now)
{
	uint64_t rate = (uint64_t)mbits * MILLION / 8, depth = rate * FLOW_DEPTH_US / MILLION;

	*f = (struct flow){ .rate = rate, .frame = frame, .at = now };
	f->depth = (int64_t)(depth > 2 * (uint64_t)frame ? depth : 2 * (uint64_t)frame) * MILLION;
	f->tokens = f->depth;
	f->delta = flow_share(rate, FLOW_DELTA_US, frame, workers, fifo / 2);
	f->bulk = flow_share(rate, FLOW_BULK_US, frame, workers, fifo / 4);
}

void flow_tick(struct flow *f, usec_t now)
{
	usec_t passed = now > f->at ? now - f->at : 0;

	f->at = now;
	if (f->rate == 0)
		return;
	if (passed > MILLION) /* nothing below needs more than a second to fill */
		passed = MILLION;
	f->tokens += (int64_t)(f->rate * passed);
	if (f->tokens > f->depth)
		f->tokens = f->depth;
}

unsigned int flow_packets(const struct flow *f)
{
	if (f->rate == 0)
		return UINT32_MAX;
	if (f->tokens <= 0)
		return 0;
	/* the last one on credit */
	return (unsigned int)(f->tokens / ((int64_t)f->frame * MILLION)) + 1;
}

void flow_sent(struct flow *f, unsigned int bytes)
{
	if (f->rate == 0)
		return;
	f->tokens -= (int64_t)bytes * MILLION;
	if (f->tokens < -f->depth) /* a rate below that of the heartbeats must not end the stream */
		f->tokens = -f->depth;
}

static void flow_set(_Atomic uint32_t *to, uint32_t v)
{
	if (atomic_load_explicit(to, memory_order_relaxed) != v) /* others read this line */
		atomic_store_explicit(to, v, memory_order_relaxed);
}

void flow_limit(const struct flow *f, const struct flow_path *p, struct flow_limits *l)
{
	usec_t queued = p->oldest_age > p->min_rtt && p->unacked >= FLOW_FEW
				? p->oldest_age - p->min_rtt
				: 0;
	bool deltas = p->room > p->window / 4 && queued <= FLOW_DELTA_QUEUE_US;
	bool bulk = p->room > p->window / 2 && queued <= FLOW_QUEUE_US;

	flow_set(&l->delta, deltas ? f->delta : 0);
	flow_set(&l->bulk, bulk ? f->bulk : 0);
}
