/* SPDX-License-Identifier: BSD-3-Clause */
/* truth: records sent = applied + refused + superseded + in flight + abandoned, to the unit, by
 * what both sides say of themselves. For tests that hold both ends of a stream in one process. */
#ifndef TANDEM_SIM_TRUTH_H
#define TANDEM_SIM_TRUTH_H

#include "repl/repl.h"

static inline uint64_t truth_received(const struct repl_received *a)
{
	uint64_t n = a->applied;

	for (unsigned int i = 0; i < REPL_REFUSED_REASONS; i++)
		n += a->refused[i];
	return n;
}

/* Holds at any time, of one end alone: NULL, or what is wrong. */
static inline const char *truth_alone(const struct repl *r)
{
	const struct repl_counters *c = repl_count(r);
	struct repl_sent_records s;

	repl_sent_records(r, &s);
	if (s.sent != s.acked + s.superseded + s.in_flight + s.abandoned)
		return "records of the stream: sent is not the sum of what became of them";
	if (c->tx_entries != c->records_acknowledged + c->records_superseded +
				     c->records_abandoned + s.in_flight)
		return "records of all streams: sent is not the sum of what became of them";
	if (c->rx_refused != c->rx_refused_stale + c->rx_refused_absent + c->rx_refused_malformed +
				     c->rx_refused_not_owner + c->rx_refused_other)
		return "records refused: not the sum of the reasons";
	if (s.account_wrong)
		return "the peer acknowledged more than it took, or took more than was sent";
	return NULL;
}

/* Holds at any time, of a stream from tx to rx; where rx has decided on everything and tx was told,
 * to the unit. Does not apply (NULL) when rx receives another stream, or none. The two must be each
 * other's peers. */
static inline const char *truth_between(const struct repl *tx, const struct repl *rx)
{
	const struct repl_received *got = repl_received(rx);
	struct repl_sent_records s;
	uint64_t n = truth_received(got);

	repl_sent_records(tx, &s);
	if (got->stream == 0 || got->stream != s.stream)
		return NULL;
	if (n < s.acked)
		return "more records were acknowledged than taken";
	if (n > s.sent - s.abandoned && s.abandoned == 0)
		return "more records were taken than sent";
	if (s.peer.stream == s.stream && s.peer.next > repl_last_number(tx) && s.in_flight == 0 &&
		repl_last_number(tx) != 0 && n != s.acked)
		return "everything is decided, and the two sides count different records";
	return NULL;
}

#endif
