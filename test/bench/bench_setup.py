#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""PDP contexts a second through GTP-C, each acknowledged by the standby before it is answered;
beside osmo-ggsn, which holds 1,024, in the same run: both make the first 1,000 in turns, each with
as many requests in flight as do it good (more than about 100 overflow osmo-ggsn's socket, and it
waits for T3). Then many, for the steady rate."""

import os
import sys

from pairs import POOL, Bed, case_name, line, options, quantile
from lab import wait_until  # pylint: disable=wrong-import-order
from load import OSMO, Load, OsmoGgsn  # pylint: disable=wrong-import-order

FIRST = 1000
AIM = 40000


def seconds(process):
    """CPU time that a process had so far."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as handle:
        fields = handle.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def create(lab, count, window, **extra):
    """A run of tandem-load that only creates and deletes; its report."""
    code, report = Load(lab, name=f"load-{len(lab.processes)}", core=None, sessions=count, rate=0,
                        window=window, t3=1000, **extra).finish(300)
    if code != 0:
        print(f"setup: {report['create']}", file=sys.stderr)
    return report["create"]


def first_thousand(opts, lab, pair, osmo):
    """Turns of both: ([contexts/s of tandem], [of osmo-ggsn])."""
    ours, theirs = [], []
    for _ in range(opts.turns):
        lab.ip("core", "route", "replace", POOL, "via", "10.9.0.50")
        theirs.append(create(lab, FIRST, opts.floor_window, ggsn=OSMO)["per_s"])
        ours.append(create(lab, FIRST, opts.window)["per_s"])
        wait_until(lambda: pair.active.total() == 0, 20, "no sessions")
    assert osmo.process.running()
    return ours, theirs


def main():
    """Both cases."""
    opts = options(__doc__, turns=5, window=200, floor_window=64, sessions=200000, many_window=512)
    bed = Bed(opts, opts.sessions)
    with bed as (lab, pair):
        osmo = OsmoGgsn(lab, POOL)
        ours, theirs = first_thousand(opts, lab, pair, osmo)
        line("setup", "first1k", "contexts_per_s", quantile(ours, 0.5), "contexts/s", 2,
             lambda v: v >= 2 * quantile(theirs, 0.5), floor=quantile(theirs, 0.5), aim_of="ratio",
             best=round(max(ours)), best_floor=round(max(theirs)), window=opts.window,
             floor_window=opts.floor_window, turns=opts.turns, **bed.notes)
        before = {c.side: seconds(c.process) for c in pair.both}
        gate = pair.active.counter("gtp.protected_answers")
        done = create(lab, opts.sessions, opts.many_window, keep=True)
        gate = pair.active.counter("gtp.protected_answers") - gate
        spent = {c.side: (seconds(c.process) - before[c.side]) * 1e6 / opts.sessions
                 for c in pair.both}
        line("setup", case_name(opts.sessions), "contexts_per_s", done["per_s"], "contexts/s", AIM,
             lambda v: v >= AIM, accepted=done["accepted"], retries=done["retries"],
             protected=round(gate / opts.sessions, 4), latency_us_p50=done["latency_us"]["p50"],
             latency_us_p99=done["latency_us"]["p99"],
             cpu_us_active=round(spent[pair.active.side], 1),
             cpu_us_standby=round(spent[pair.other(pair.active).side], 1),
             window=opts.many_window, **bed.notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
