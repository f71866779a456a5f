#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Planned switchovers there and back under traffic: packets lost, and the longest gap of each."""

import sys
import time

from pairs import Bed, Stalls, case_name, line, options, phases, quantile
from lab import wait_until  # pylint: disable=wrong-import-order
from load import Load  # pylint: disable=wrong-import-order

GAP_MS = 5
SETTLE_S = 0.02  # announcements, and what was on its way


def hand_over(pair):
    """A planned switchover. False: it was refused, or the Active took its role back (its peer fell
    silent meanwhile)."""
    old, new = pair.settle(60)
    term = old.info()["term"]
    if not old.ask("srp initiate-switchover").get("ok"):
        return False

    def over():
        infos = old.info(), new.info()
        states = [i.get("chassis_state") for i in infos]
        if states == ["Standby", "Active"]:
            return "done"
        return "aborted" if states == ["Active", "Standby"] and infos[0]["term"] != term else None
    return wait_until(over, 20, lambda: f"the switchover: {old.info()} {new.info()}") == "done"


def switch(pair, load, stalls):
    """One switchover: (gap ms, worst stall ms), or None if it did not take place."""
    old, new = pair.settle(60)
    load.interim()
    since = time.time()
    if not hand_over(pair):
        return None
    until = time.time() + SETTLE_S
    reports = []

    def flows():
        reports.append(load.interim())
        return time.time() > until and all(
            reports[-1][way]["received"] > reports[0][way]["received"] + 100
            for way in ("up", "down"))
    wait_until(flows, 20, "traffic after the switchover")
    # A gap that began later is not the switchover's.
    gaps = [g for g in (r[way]["interval_gap"] for r in reports for way in ("up", "down"))
            if g["at"] < until and g["at"] + g["ms"] / 1000 > since]
    # Where none is, those of the switchover were no longer than the first report's longest.
    worst = max(gaps or [reports[0][way]["interval_gap"] for way in ("up", "down")],
                key=lambda g: g["ms"])
    print(f"planned: gap {worst['ms']:.1f} ms, old {phases(old)}; new {phases(new)}",
          file=sys.stderr, flush=True)
    return worst["ms"], max(stalls.worst_ms(since, until), worst["own_ms"])


def main():
    """One case."""
    opts = options(__doc__, rounds=100, seconds=300, pps=1000, sessions=10000)
    bed, stalls, runs, aborted = Bed(opts, opts.sessions), Stalls(), [], 0
    with bed as (lab, pair):
        load = Load(lab, sessions=opts.sessions, rate=0, window=512, duration=0, up=opts.pps,
                    down=opts.pps, keep=True)
        load.wait_created(120)
        wait_until(lambda: load.interim()["up"]["received"] > 1000, 60, "traffic")
        began = time.monotonic()
        while len(runs) < 2 * opts.rounds and time.monotonic() - began < opts.seconds:
            done = switch(pair, load, stalls)
            runs += [done] if done is not None else []
            aborted += done is None
        pair.settle(60)
        load.stop()
        _, report = load.finish(120)
        thrown = sum(c.counter(n) for c in pair.both for n in ("stale_frames",))
        notes = {**bed.notes, "rounds": len(runs) // 2, "aborted": aborted}
        calm = [r for r in runs if r[1] == 0]
        for name, some in (("", runs), ("-calm", calm)):
            gaps = [r[0] for r in some]
            line("planned", case_name(opts.sessions) + name, "gap_ms_p99", quantile(gaps, 0.99),
                 "ms", GAP_MS, lambda v: v <= GAP_MS,
                 p50=None if not gaps else round(quantile(gaps, 0.5), 2), switchovers=len(some),
                 **notes)
        line("planned", case_name(opts.sessions), "lost_packets",
             report["up"]["lost"] + report["down"]["lost"], "packets", 0,
             lambda v: v == 0, sent=report["up"]["sent"] + report["down"]["sent"],
             thrown_away_after_stalls=thrown,
             duplicates=report["up"]["duplicates"] + report["down"]["duplicates"],
             reordered=report["up"]["reordered"] + report["down"]["reordered"], **notes)
    stalls.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
