/* SPDX-License-Identifier: BSD-3-Clause */
/* commit_gate: commit before answer. An answer to an SGSN waits here until the standby has
 * acknowledged what the answer promises. While acknowledgements come in time, answers are
 * protected. One that does not come in time, or the end of the stream, ends the protection: all
 * that wait leave, and the answers that follow do not wait, until the next acknowledgement comes.
 * Control core only. */
#ifndef TANDEM_SIGNALLING_COMMIT_GATE_H
#define TANDEM_SIGNALLING_COMMIT_GATE_H

#include "repl/repl.h"
#include "signalling/signalling.h"
#include "txn.h"

struct commit_gate {
	struct txn_table *txns;
	struct txn_list by_handle[TXN_HASH];
	struct txn_list for_commit; /* all that wait here, in the order of their deadlines */
	bool is_protected;          /* answers wait for the standby */
	struct commit_gate_counters count;
	/* The answer in x->msg may leave. The gate frees x behind it. */
	void (*release)(void *ctx, const struct signalling_txn *x, usec_t now);
	void *ctx;
};

/* When it is; stood_still: as the role says, and every deadline moves by it; timeout: how long an
 * answer may wait, us. */
struct commit_gate_time {
	usec_t now, stood_still, timeout;
};

void commit_gate_init(struct commit_gate *g, struct txn_table *txns,
	void (*release)(void *ctx, const struct signalling_txn *x, usec_t now), void *ctx);
/* The worker's answer is in x->msg, x->handle and x->commit: it leaves when the standby has
 * acknowledged that commit, at once if answers are not protected or there is nothing to commit. */
void commit_gate_answer(
	struct commit_gate *g, struct signalling_txn *x, const struct commit_gate_time *t);
/* The standby acknowledged these. */
void commit_gate_committed(
	struct commit_gate *g, const repl_entry_t *e, unsigned int n, usec_t now);
/* A stream began (on), or ended. */
void commit_gate_stream(struct commit_gate *g, bool on, usec_t now);
/* Ends the protection when an answer has waited for too long. */
void commit_gate_turn(struct commit_gate *g, const struct commit_gate_time *t);
/* Answers are not protected from now on, and all that wait leave. */
void commit_gate_release_all(struct commit_gate *g, usec_t now);
/* Answers are not protected from now on, and those that wait never leave. */
void commit_gate_drop_all(struct commit_gate *g);

#endif
