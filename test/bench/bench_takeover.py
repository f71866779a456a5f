#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""SIGKILL of the active under traffic, again and again: until the other one decides, until packets
flow, and whether any session was lost. Runs in which the machine stood still are told apart, not
left out."""

import sys
import time

from pairs import Bed, Stalls, case_name, line, options, phases, quantile
from lab import wait_until  # pylint: disable=wrong-import-order
from load import Load  # pylint: disable=wrong-import-order

DECIDE_MS, GAP_MS = 30, 50


def longest(reports):
    """The longest gap of either direction in these reports: (ms, ms of it in which tandem-load
    itself stood still)."""
    return max((r[way]["interval_gap"]["ms"], r[way]["interval_gap"]["own_ms"])
               for r in reports for way in ("up", "down"))


def crash(pair, load, stalls, expected):
    """One SIGKILL: (decide ms, gap ms, worst stall ms, sessions missing)."""
    active, standby = pair.settle(120)
    load.interim()
    at = active.kill9()
    standby.state_is("Active", 20)
    reports = []

    def flows():
        reports.append(load.interim())
        return all(reports[-1][way]["received"] > reports[0][way]["received"] + 200
                   for way in ("up", "down"))
    wait_until(flows, 20, "traffic through the survivor")
    gap, own = longest(reports)
    stall = max(stalls.worst_ms(at - 0.05, at + gap / 1000 + 0.05), own)
    decided = pair.decided_ms(standby, at)
    print(f"takeover: {phases(standby)}", file=sys.stderr, flush=True)
    missing = expected - standby.total()
    active.start()
    active.wait_ready()
    return decided, gap, stall, missing


def tell(case, runs, lost, created, notes):
    """The lines of one case."""
    calm = [r for r in runs if r[2] == 0]
    for name, some in (("", runs), ("-calm", calm)):
        more = {**notes, "runs": len(some), "stalled_runs": len(runs) - len(calm),
                "worst_stall_ms": round(max((r[2] for r in some), default=0), 1)}
        for metric, index, aim in (("decide_ms", 0, DECIDE_MS), ("gap_ms", 1, GAP_MS)):
            values = [r[index] for r in some]
            line("takeover", case + name, f"{metric}_p99", quantile(values, 0.99), "ms", aim,
                 lambda v, a=aim: v <= a,
                 p50=None if not values else round(quantile(values, 0.5), 1), **more)
    line("takeover", case, "lost_sessions", lost, "sessions", 0, lambda v: v == 0, checked=created,
         **notes)


def run_case(opts, sessions):
    """One number of sessions."""
    bed, stalls = Bed(opts, sessions), Stalls()
    with bed as (lab, pair):
        load = Load(lab, sessions=sessions, rate=0, window=512, duration=0, up=opts.pps,
                    down=opts.pps, verify=opts.verify, keep=True)
        created = load.wait_created(300)["create"]["accepted"]
        wait_until(lambda: load.interim()["up"]["received"] > 1000, 60, "traffic")
        runs = []
        began = time.monotonic()
        while len(runs) < opts.runs and time.monotonic() - began < opts.seconds:
            runs.append(crash(pair, load, stalls, created))
            print(f"takeover {case_name(sessions)}: decided after {runs[-1][0]:.1f} ms, "
                  f"gap {runs[-1][1]:.1f} ms, stall {runs[-1][2]:.1f} ms, {runs[-1][3]} missing",
                  file=sys.stderr, flush=True)
        pair.settle(120)
        load.go_on()
        _, report = load.finish(600)
        # None: told not to verify
        lost = max(report["sessions"]["dead"] or 0, *(r[3] for r in runs))
        notes = {**bed.notes, "heartbeat": "10 ms x 3",
                 "setup_per_s": round(report["create"]["per_s"]),
                 "verified": report["sessions"]["dead"] is not None}
        tell(case_name(sessions), runs, lost, created, notes)
    stalls.close()


def main():
    """Both cases."""
    opts = options(__doc__, runs=20, seconds=400, pps=2000, verify=20000, cases="10000,1000000")
    for sessions in opts.cases.split(","):
        run_case(opts, int(sessions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
