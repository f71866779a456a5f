#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turns on each mistake of test/mutants in turn and lets a simulator find it: it must, within the
seeds given, and by an invariant that is stated here. `mutants.py BUILD-FOLDER [NAME...]` prints the
table; `mutants.py --check` prints what is wrong with the patches or the table (lint runs it)."""
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mutants"))
import patches  # noqa: E402

# What a failed invariant says.
ACKED = r"is acknowledged and not at the standby"
REFUSED = r"a record of [0-9a-f]+ is refused"
NEVER_HAD = r"a state that its owner never had"
TERM_TWICE = r"term \d+ used twice|of the other side"
RESERVE = r"beyond its durable reserve"
TABLES = (r"its address names another|still named by its address|the index has|"
          r"its bit and its handle disagree|have one address")
RENUMBERED = (r"its APN or pool is another now|its address names another|"
              r"names \w+, which does not have it")
INDEXED = r"is not in the index"
LEASED = r"leased again"
WAITED = r"waits again for what it has waited for"
COUNTED = r"counts \d+ sessions of APN number"
GIVEN_OUT = r"the slot \d+ of an ending session may be given out"
AHEAD = r"usage of side \d is ahead of the truth"
LATE = r"a late record that is none"
USAGE_LOST = r"usage was lost"
ONE_OWNER = r"nobody owns|two own"
OTHER_SIDE = r"which is the other side's to give"
TEID_AGAIN = r"before all others of its slot"
TEID_TOLD = r"shows what follows another"
CAME = r"usage of \d+ sessions came, \d+ were applied"
PROMOTED = r"promotes although"
EQUAL = r"differs at the end"
HANDED_OVER = r"is not handed over"
ARRIVED = r"what had arrived was dropped"
AUDITED = r"a flipped bit is not repaired|in sync since \d+ ms only"
ANSWERED = r"never acknowledged"
STUCK = r"is stuck in|a change of roles not ended|more terms than a run can need"
FOR_A_CLAIM = r"ends itself because of a claim"
EARLY = r"an answer left before its commit"
ONE_AT_A_TIME = r"two orders for one session at once|begins with a QoS"
ROOM = r"AAA has more than half|a Delete found no room"
REPEATED = r"a repetition was answered before"
FOR_EVER = r"lives for ever|was never given back"
ONE_SESSION = r"a subscriber has two sessions"
ALONE = r"becomes Active alone although its addresses are answered"
NO_PLACE = r"which has no place|is another's now|stands for two names"
CONTRADICTED = r"numbers are contradicted"
ENDS_STREAM = r"ends the stream because of a list"
STAYS = r"has a pool yet that no session has"
DIFFER = r"finds that the two differ, which nobody made them"
# What the full simulator says: the invariant's number.
OWNER_WRITES, PROTECTED, OWNER_SPEAKS = r"INV_01: ", r"INV_02: ", r"INV_08: "
STATES_ONLY, USAGE, LED, NOT_TWICE = r"INV_05: ", r"INV_07: ", r"INV_10: ", r"INV_16: "
NOT_AGAIN, KEPT = r"INV_04: ", r"INV_09: "
WELL_AT_LAST, SEEN, BOUNDED = r"INV_11: ", r"INV_12: ", r"INV_13: "
IN_TIME, NOT_STUCK = r"INV_14: ", r"INV_15: "
NONE_LOST = OWNER_SPEAKS

# mutant: simulator, seeds, the invariants that may see it. The first seed is one that shows it;
# when that changes, one of those after it does.
TABLE = {
    "ack_on_receive": ("sim", 1, 10, [PROTECTED], "--profile", "stream"),
    "again_acked": ("sim", 1, 10, [PROTECTED], "--profile", "stream"),
    "old_applied": ("sim", 1, 10, [STATES_ONLY], "--profile", "stream"),
    "gap_passed": ("sim", 144, 160, [STATES_ONLY], "--profile", "stream"),
    "gap_never_skipped": ("sim", 1, 20, [WELL_AT_LAST]),
    "window_ignored": ("sim", 1, 10, [BOUNDED], "--profile", "stream"),
    "lost_forgotten": ("sim", 1, 10, [BOUNDED], "--profile", "stream"),
    "ping_not_sent": ("sim", 1, 10, [BOUNDED], "--profile", "stream"),
    "left_unsaid": ("sim", 1, 20, [STAYS, EQUAL], "--profile", "reload"),
    "late_burst_is_life": ("sim", 1, 10, [LED], "--profile", "stream"),
    "late_any_term": ("sim", 186, 186, [LATE], "--profile", "tables"),
    "numbers_restart": ("sim", 1, 10, [NOT_AGAIN], "--profile", "stream"),
    "held_dropped": ("sim", 3, 20, [ARRIVED], "--profile", "tables"),
    "digest_skipped": ("sim", 1, 20, [EQUAL, AUDITED], "--profile", "tables"),
    "audit_once": ("sim", 1, 20, [AUDITED], "--profile", "tables"),
    "want_once": ("sim", 5, 5, [WELL_AT_LAST], "--profile", "slow"),
    "in_sync_early": ("sim", 1, 20, [WELL_AT_LAST, KEPT]),
    "match_assumed": ("sim", 3, 20, [KEPT]),
    "no_eviction": ("sim", 1, 20, [TABLES], "--profile", "tables"),
    "cleared_uncompared": ("sim", 1, 20, [TABLES, LEASED], "--profile", "tables"),
    "free_takes_address": ("sim", 1, 20, [TABLES], "--profile", "tables"),
    "quarantine_not_carried": ("sim", 1, 20, [TABLES, LEASED], "--profile", "tables"),
    "quarantine_not_handed_on": ("sim", 214, 214, [LEASED], "--profile", "tables"),
    "quarantine_twice": ("sim", 1, 20, [WAITED], "--profile", "tables"),
    "ending_uncounted": ("sim", 1, 20, [COUNTED], "--profile", "tables"),
    "ending_given_out": ("sim", 1, 20, [GIVEN_OUT], "--profile", "tables"),
    "quarantine_not_restarted": ("sim", 2, 20, [LEASED], "--profile", "tables"),
    "late_added": ("sim", 1, 20, [AHEAD, STATES_ONLY], "--profile", "tables"),
    "own_overwritten": ("sim", 1, 20, [USAGE_LOST], "--profile", "tables"),
    "other_generation": ("sim", 1, 20, [AHEAD, NEVER_HAD, CAME],
                         "--profile", "tables"),
    "usage_low_alone": ("sim", 37, 50, [STATES_ONLY], "--profile", "tables"),
    "qos_tail_kept": ("sim", 1, 20, [NEVER_HAD], "--profile", "tables"),
    "side_not_in_handle": ("sim", 1, 20, [OTHER_SIDE], "--profile", "tables"),
    "generation_unkeyed": ("sim", 1, 20, [TEID_TOLD], "--profile", "tables"),
    "generation_alike": ("sim", 1, 20, [TEID_TOLD], "--profile", "tables"),
    "generation_short": ("sim", 1, 20, [TEID_AGAIN], "--profile", "tables"),
    "index_kept": ("sim", 1, 20, [TABLES], "--profile", "tables"),
    "index_chain_cut": ("sim", 1, 20, [INDEXED, TABLES], "--profile", "tables"),
    "event_lost": ("sim", 7, 20, [INDEXED], "--profile", "tables"),
    "end_unreported": ("sim", 1, 20, [TABLES], "--profile", "tables"),
    "index_keeps_first": ("sim", 38, 60, [INDEXED], "--profile", "tables"),
    "part_keeps_promise": ("sim", 9, 20, [ACKED], "--profile", "tables"),
    "lost_free_forgotten": ("sim", 8, 30, [HANDED_OVER, ANSWERED], "--profile", "tables"),
    "free_not_sent": ("sim", 1, 30, [HANDED_OVER, ANSWERED], "--profile", "tables"),
    "lost_group_forgotten": ("sim", 4, 20, [HANDED_OVER, ANSWERED], "--profile", "tables"),
    "commit_in_second_packet": ("sim", 1, 20, [ACKED], "--profile", "tables"),
    "number_moves": ("sim", 1, 20, [RENUMBERED], "--profile", "numbers"),
    "number_contradicted": ("sim_srp", 98, 300, [NO_PLACE], "--lists"),
    "hash_without_qos": ("sim", 1, 4, [SEEN], "--profile", "flips"),
    "annex_not_hashed": ("sim", 1, 3, [SEEN], "--profile", "flips"),
    "annex_kept": ("sim", 1, 3, [REFUSED], "--profile", "tables"),
    "state_not_mended": ("sim", 1, 4, [SEEN], "--profile", "flips"),
    "prefix_kept": ("sim", 1, 20, [NEVER_HAD, EQUAL], "--profile", "tables"),
    "lost_and_all_behind": ("sim", 4, 5, [BOUNDED], "--profile", "slow"),
    "offered_term_reused": ("sim_srp", 1, 100, [TERM_TWICE]),
    "term_beyond_reserve": ("sim_srp", 1, 100, [RESERVE]),
    "floor_forgotten": ("sim_srp", 1, 100, [TERM_TWICE]),
    "offer_beyond_reserve": ("sim_srp", 1, 100, [RESERVE]),
    "tie_the_same": ("sim_srp", 1, 100, [STUCK]),
    "next_ignored": ("sim_srp", 5, 100, [DIFFER]),
    "promise_not_awaited": ("sim_srp", 887, 950, [DIFFER]),
    "shorter_at_once": ("sim_srp", 3593, 3800, [PROMOTED]),
    "one_path_enough": ("sim_srp", 1, 100, [PROMOTED]),
    "own_stall_counts": ("sim_srp", 1, 100, [PROMOTED]),
    "no_timeout": ("sim_srp", 1, 100, [STUCK]),
    "claim_kills": ("sim_srp", 1, 100, [FOR_A_CLAIM]),
    "vips_before_own": ("sim_srp", 1, 100, [ONE_OWNER]),
    "resumed_in_old_term": ("sim_srp", 1, 100, [TERM_TWICE]),
    "new_number_at_once": ("sim_srp", 15, 100, [NO_PLACE], "--lists"),
    "number_given_at_once": ("sim_srp", 28, 100, [NO_PLACE, CONTRADICTED], "--lists"),
    "left_too_early": ("sim_srp", 2, 100, [NO_PLACE], "--lists"),
    "taken_without_place": ("sim_srp", 2, 100, [NO_PLACE], "--lists"),
    "revision_ends_stream": ("sim_srp", 1, 100, [ENDS_STREAM], "--lists"),
    "agreed_across_lives": ("sim_srp", 14, 300, [NO_PLACE], "--lists"),
    "doubt_forgotten": ("sim_srp", 6, 300, [NO_PLACE, ENDS_STREAM], "--lists"),
    "dual_goes_on": ("sim", 1, 20, [LED]),
    "probe_ignored": ("sim_srp", 1, 100, [ALONE]),
    "answer_before_commit": ("sim", 1, 20, [PROTECTED]),
    "gate_never_closes": ("sim", 1, 20, [WELL_AT_LAST]),
    "commit_unordered": ("sim", 3, 70, [PROTECTED]),
    "turn_not_awaited": ("sim_pdp", 1, 100, [ONE_AT_A_TIME]),
    "aaa_takes_all": ("sim_pdp", 1, 300, [ROOM]),
    "peer_for_ever": ("sim_pdp", 1, 100, [FOR_EVER]),
    "commit_given_up": ("sim_pdp", 1, 100, [REPEATED]),
    "session_not_replaced": ("sim_pdp", 1, 100, [ONE_SESSION]),
    "standby_forwards": ("sim", 30, 75, [OWNER_SPEAKS]),
    "gate_never_opens": ("sim", 1, 20, [NOT_STUCK]),
    "error_at_once": ("sim", 1, 20, [OWNER_SPEAKS]),
    "drain_not_awaited": ("sim", 54, 80, [NONE_LOST, OWNER_WRITES, USAGE]),
    "late_dropped": ("sim", 62, 80, [NONE_LOST]),
    "answer_in_step": ("sim", 1, 20, [NOT_STUCK]),
    "own_not_awaited": ("sim", 1, 20, [OWNER_SPEAKS]),
    "route_withdrawn": ("sim", 62, 130, [NONE_LOST]),
    "route_preferred": ("sim", 15, 60, [OWNER_SPEAKS]),
    "address_stays": ("sim", 2, 60, [OWNER_SPEAKS]),
    "late_touches_record": ("sim", 2, 60, [OWNER_WRITES]),
    "handover_skipped": ("sim", 1, 60, [OWNER_WRITES]),
    "usage_half_applied": ("sim", 1, 60, [STATES_ONLY]),
    "usage_left_to_audit": ("sim", 3, 60, [USAGE]),
    "idle_goes_on": ("sim", 6, 130, [IN_TIME]),
    "pair_time_restarts": ("sim", 7, 100, [IN_TIME]),
    "pair_time_of_any": ("sim", 346, 346, [IN_TIME]),
    "address_cut": ("sim", 1, 60, [NOT_TWICE]),
    "written_before_release": ("sim", 261, 261, [OWNER_WRITES]),
}

# The same of lib/srp met by the exploration: deviations that it takes, and what is said then.
EXPLORED = {
    "offered_term_reused": (2, [TERM_TWICE]),
    "floor_forgotten": (2, [TERM_TWICE]),
    "term_beyond_reserve": (1, [RESERVE]),
    "offer_beyond_reserve": (2, [RESERVE]),
    "tie_the_same": (1, [r"back and forth without end", r"no rest after"]),
    "one_path_enough": (1, [PROMOTED]),
    "own_stall_counts": (2, [PROMOTED]),
    "no_timeout": (1, [STUCK]),
    "claim_kills": (1, [FOR_A_CLAIM]),
    "vips_before_own": (0, [r"answers on its addresses and does not own"]),
    "resumed_in_old_term": (2, [TERM_TWICE]),
    "probe_ignored": (2, [ALONE]),
}

# The same met by the whole daemon: seeds, and the invariant.
FULL = {
    "floor_forgotten": (7, 20, [r"INV_03: "]),
    "quarantine_not_carried": (1, 20, [r"INV_06: "]),
    "one_path_enough": (156, 156, [LED]),
}

# What a part's simulator says, by the invariants' numbers; each of the 16 must be seen by some
# mutant.
NUMBER_OF = {TERM_TWICE: 3, RESERVE: 3, PROMOTED: 10, ALONE: 10, STUCK: 15}


def numbers(said):
    """The invariants that are broken where a simulator says so."""
    told = re.match(r"INV_(\d+): ", said)
    return {int(told[1])} if told else {n for expression, n in NUMBER_OF.items()
                                        if re.search(expression, said)}


LIMIT_S = 600  # of a run
IDLE = []  # sims that wait for their next line


def started(folder):
    """A sim that takes runs by lines: its start takes longer than most runs."""
    try:
        return IDLE.pop()
    except IndexError:
        return subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(folder, "sim_mutants"), "--lines"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True)


def asked(sim, arguments):
    """The same of a sim that takes lines; status None if it ended."""
    said = []
    print(*arguments, file=sim.stdin, flush=True)
    for line in sim.stdout:
        told = re.fullmatch(r"status (-?\d+)\n", line)
        if told:
            return int(told[1]), "".join(said)
        said.append(line)
    return None, "".join(said)


def ran(folder, simulator, arguments):
    """(status, what it said). A run without an end has status 0: it caught nothing."""
    if simulator != "sim":
        try:
            run = subprocess.run([os.path.join(folder, simulator + "_mutants"), *arguments],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 errors="replace", timeout=LIMIT_S, check=False)
        except subprocess.TimeoutExpired as error:
            return 0, str(error)
        return run.returncode, run.stdout
    sim = started(folder)
    killed = threading.Event()

    def kill():
        killed.set()
        os.killpg(sim.pid, signal.SIGKILL)  # a run is a process of sim's, each seed one of that
    watchdog = threading.Timer(LIMIT_S, kill)
    watchdog.start()
    try:
        status, said = asked(sim, arguments)
    finally:
        watchdog.cancel()
        watchdog.join()
    if status is not None and not killed.is_set():
        IDLE.append(sim)
        return status, said
    sim.stdin.close()
    why = f", killed after {LIMIT_S} s" if killed.is_set() else ""
    return 0, f"{said}\nsim ended with status {sim.wait()}{why}"


def hunted(folder, name, simulator, arguments, invariants):
    """(caught?, line of the table, numbers of the invariants that saw it)"""
    begin = time.monotonic()
    status, text = ran(folder, simulator, ["--mutant", name, *arguments])
    seen = re.search(r"^(seed \d+|[a-z0-9-]+, round \d+)(?: at [^:]*)?: (.*)$", text, re.M)
    took = time.monotonic() - begin
    if status == 0 or seen is None:
        return False, (f"{name}: not seen by {simulator} {' '.join(arguments)} "
                       f"(status {status})\n{text[-400:]}"), set()
    where, said = seen.groups()
    stated = any(re.search(i, said) for i in invariants)
    told = f"{name:24} {simulator:8} {where:>20} {took:5.1f} s  {said}"
    if not stated:
        told += f"\n    seen by an invariant that is not stated: {invariants}"
    return stated, told, numbers(said)


def hunt(folder, name):
    """[(caught?, line of the table, numbers of the invariants)]"""
    simulator, first, last, invariants, *options = TABLE[name]
    seeds = ["--seeds", f"{first}..{last}"]
    found = [hunted(folder, name, simulator, [*options, *seeds], invariants)]
    if name in FULL:
        first, last, invariants = FULL[name]
        found.append(hunted(folder, name, "sim", ["--seeds", f"{first}..{last}"], invariants))
    if name in EXPLORED:
        deviations, invariants = EXPLORED[name]
        found.append(hunted(folder, name, "explore", ["--deviations", str(deviations)], invariants))
    return found


def unlike():
    """What the folder of patches and the table do not both have."""
    have = patches.names()
    return ([f"{n}.patch has no row in the table of mutants.py" for n in have if n not in TABLE] +
            [f"{n} is in the table of mutants.py and is no patch"
             for n in sorted({*TABLE, *EXPLORED, *FULL}) if n not in have])


def main():
    if sys.argv[1:] == ["--check"]:
        wrong = patches.check() + unlike()
        print("\n".join(wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    if not os.path.exists(os.path.join(*sys.argv[1:2], "sim_mutants")):
        print(__doc__, "In BUILD-FOLDER (build/test/sim) there is no sim_mutants: "
              "`ninja -C build test/sim/sim_mutants` makes it.", sep="\n", file=sys.stderr)
        return 2
    folder, wanted = sys.argv[1], sys.argv[2:] or patches.names()
    failed = unlike() + [f"{n} is no patch" for n in wanted if n not in patches.names()]
    for line in failed:
        print("FAILED " + line)
    seen = set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda n: hunt(folder, n), [n for n in wanted if n in TABLE]):
            for caught, line, by in found:
                seen |= by
                print(("" if caught else "FAILED ") + line, flush=True)
                if not caught:
                    failed.append(line)
    for sim in IDLE:
        sim.stdin.close()
        sim.wait()
    unseen = set(range(1, 17)) - seen
    if wanted == patches.names() and unseen:
        failed.append(f"no mutant is seen by the invariants {sorted(unseen)}")
        print("FAILED " + failed[-1])
    print(f"{len(wanted)} mutants, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
