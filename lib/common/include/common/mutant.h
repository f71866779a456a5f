/* SPDX-License-Identifier: BSD-3-Clause */
/* mutant: mistakes planted on purpose, to prove that the simulators would see them. `if
 * (MUTANT(name))` is false for the compiler in what is shipped; a test build (-DTANDEM_MUTANTS)
 * turns one of them on by name (`sim --mutant NAME`). Any core. A mutant's line in the list says
 * what the mistake is; test/sim/mutants.py says which invariant sees it. */
#ifndef TANDEM_COMMON_MUTANT_H
#define TANDEM_COMMON_MUTANT_H

#include <stdbool.h>

// clang-format off
#define MUTANTS(X) \
	X(ack_on_receive) /* a packet that waits behind a gap is acknowledged */ \
	X(again_acked) /* a packet of which a record could not be applied is acknowledged */ \
	X(old_applied) /* what comes behind a skipped gap is applied */ \
	X(gap_passed) /* nothing waits behind a gap */ \
	X(gap_never_skipped) /* a gap is waited for without end */ \
	X(window_ignored) /* more packets are sent than the window holds */ \
	X(lost_forgotten) /* a lost packet is counted and nothing else */ \
	X(ping_not_sent) /* a lost tail is not probed */ \
	X(late_burst_is_life) /* a heartbeat that waited on a dead link is a sign of life */ \
	X(late_any_term) /* late usage of any term is taken */ \
	X(numbers_restart) /* packet numbers begin again with a stream */ \
	X(held_dropped) /* what is held behind a gap is dropped at a promotion */ \
	X(digest_skipped) /* a cycle leaves the last range out */ \
	X(audit_once) /* after the join nothing is compared any more */ \
	X(want_once) /* a WANT that is lost is not repeated */ \
	X(in_sync_early) /* in sync is said before all buckets matched */ \
	X(match_assumed) /* a bucket that was compared counts as matched */ \
	X(no_eviction) /* an address given anew leaves the old session in its slot */ \
	X(cleared_uncompared) /* the end of a session clears its address whoever has it */ \
	X(free_takes_address) /* a free record takes its last address from who has it now */ \
	X(quarantine_not_carried) /* a slot that the stream freed is free at once */ \
	X(quarantine_not_restarted) /* a quarantine goes on over a promotion */ \
	X(late_added) /* late usage is added, not replaced */ \
	X(own_overwritten) /* the stream overwrites what is being counted in late mode */ \
	X(other_generation) /* a DELTA is applied to whoever is in the slot */ \
	X(usage_low_alone) /* usage is replaced in its low 32 bits only */ \
	X(qos_tail_kept) /* octets behind the QoS stay from the one before */ \
	X(side_not_in_handle) /* both sides allocate the same handles */ \
	X(index_kept) /* a session that the stream frees stays in the index */ \
	X(part_keeps_promise) /* a part of a session answers for the whole */ \
	X(lost_free_forgotten) /* the end of a session that was lost is not repeated */ \
	X(free_not_sent) /* the end of a session is left to the audit */ \
	X(lost_group_forgotten) /* one group of a lost packet is not repeated */ \
	X(lost_and_all_behind) /* with a lost packet all that was sent behind it is lost too */ \
	X(commit_in_second_packet) /* the promise is in the packet behind the record */ \
	X(offered_term_reused) /* after an aborted hand-over its own offer is taken */ \
	X(hash_without_qos) /* the digest does not cover one group */ \
	X(term_beyond_reserve) /* a term is taken that is not yet durable */ \
	X(floor_forgotten) /* a restart begins at the term last heard of */ \
	X(offer_beyond_reserve) /* an offered term is used that is not durable here */ \
	X(tie_the_same) /* both chassis decide a tie for themselves */ \
	X(one_path_enough) /* a silent stream is death, whatever was answered */ \
	X(dual_goes_on) /* of two that are Active neither gives up */ \
	X(own_stall_counts) /* silence counts while we did not listen */ \
	X(no_timeout) /* a step that is never answered is waited for */ \
	X(vips_before_own) /* the addresses come before the workers own */ \
	X(resumed_in_old_term) /* after an aborted hand-over the old term goes on */ \
	X(answer_before_commit) /* an answer leaves at once and counts as protected */ \
	X(gate_never_closes) /* the gate stays open once it was opened */ \
	X(commit_unordered) /* an acknowledgement of an older commit answers a newer */ \
	X(standby_forwards) /* late packets are forwarded by whoever is idle */ \
	X(gate_never_opens) /* answers wait though the standby is gone */ \
	X(error_at_once) /* Error Indications follow at once upon an unplanned promotion */ \
	X(drain_not_awaited) /* a hand-over goes on before all is acknowledged */ \
	X(late_dropped) /* packets that come late are dropped */ \
	X(own_not_awaited) /* workers may not yet own when the addresses come */ \
	X(answer_in_step) /* a step that ends is answered in the middle of what carries it out */ \
	X(written_before_release) /* the stream is applied before the workers let go */ \
	X(route_withdrawn) /* who hands over withdraws its routes at once */ \
	X(route_preferred) /* who hands over keeps its routes as they were */ \
	X(address_stays) /* who hands over keeps its addresses while late packets come */ \
	X(late_touches_record) /* a late packet changes more than its sender's usage */ \
	X(handover_skipped) /* a packet is counted and forwarded by the worker that got it */ \
	X(usage_half_applied) /* of a usage record the last counter is left out */ \
	X(usage_left_to_audit) /* usage is not sent of itself */ \
	X(idle_goes_on) /* idle timers do not restart at a promotion */ \
	X(pair_time_of_any) /* pair time is taken from a peer that is not Active */ \
	X(pair_time_restarts) /* who is promoted goes by its own clock */ \
	X(old_word_believed) /* who loses dual active by the peer's old word gives up */ \
	X(probe_ignored) /* who is alone becomes Active though its address is answered */ \
	X(address_cut) /* an SGSN is told an octet of the address wrong */
// clang-format on

#define MUTANT_ENUM(name) MUTANT_##name,
enum mutant { MUTANT_none, MUTANTS(MUTANT_ENUM) MUTANT_count };

#ifdef TANDEM_MUTANTS
extern enum mutant mutant_on;
/* Turns one on for the rest of the process; false: there is none of that name. */
bool mutant_set(const char *name);
#define MUTANT(name) (mutant_on == MUTANT_##name)
#else
static inline bool mutant_set(const char *name)
{
	return false;
}
#define MUTANT(name) (MUTANT_##name == MUTANT_none)
#endif

#endif
