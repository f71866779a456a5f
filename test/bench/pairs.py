# SPDX-License-Identifier: BSD-3-Clause
"""What the benches of whole pairs share: the lab with many sessions, who else made the machine
stand still, and how a figure is told (as bench_json.h)."""

import argparse
import json
import multiprocessing
import os
import re
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "test", "e2e"))

from chassis import Pair, shipped  # noqa: E402  pylint: disable=wrong-import-position
from lab import CORE_GATEWAY, Lab, missing  # noqa: E402  pylint: disable=wrong-import-position

POOL = "100.64.0.0/10"
STALL_MS = 5.0
CPUS = (f"{os.cpu_count()} CPUs for 2 x 3 lcores that sleep when idle, af_packet over veth, "
        "and tandem-load")


def options(about, **defaults):
    """The command line: what bench.sh passes, and numbers by name with their defaults."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--huge-dir", help="hugetlbfs; without it 4 KB pages")
    parser.add_argument("--build", default=os.environ.get("BUILD", "build-bench"))
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value,
                            help=f"({value})")
    found = parser.parse_args()
    reason = missing()
    if reason is not None:
        print(f"cannot make a lab here: {reason}", file=sys.stderr)
        sys.exit(1)
    return found


def line(bench, case, metric, value, unit, aim=None, good=None, floor=None, **notes):
    """One figure. good(value): whether the aim is met. floor: of the same work in the same run."""
    told = {"bench": bench, "case": case, "metric": metric,
            "value": None if value is None else round(value, 3), "unit": unit,
            "floor": None if floor is None else round(floor, 3),
            "ratio": None if not floor or value is None else round(value / floor, 3),
            "aim": aim, "ok": True if aim is None else value is not None and bool(good(value))}
    print(json.dumps({**told, **notes}, separators=(",", ":")), flush=True)


def quantile(values, q):
    """Of a list; q: 0 the least, 1 the most. None of an empty one."""
    ordered = sorted(values)
    return ordered[int(q * (len(ordered) - 1) + 0.5)] if ordered else None


def _watch(cpu, out):
    """Sleeps a millisecond at a time on one CPU and tells when that took much longer."""
    os.sched_setaffinity(0, {cpu})
    last = time.time()
    while True:
        time.sleep(0.001)  # what is measured is how late this ends
        now = time.time()
        if (now - last) * 1000 >= STALL_MS:
            out.send((last, now))
        last = now


class Stalls:
    """When the machine did not run what wanted to run: a plain process on each CPU that wants every
    millisecond. A wait there may be the hypervisor's, another program's, or our own load's; a
    figure taken meanwhile is told apart."""

    def __init__(self):
        self.found, self.ends, self.watchers = [], [], []
        for cpu in sorted(os.sched_getaffinity(0)):
            ours, theirs = multiprocessing.Pipe(False)
            watcher = multiprocessing.Process(target=_watch, args=(cpu, theirs), daemon=True)
            watcher.start()
            self.ends.append(ours)
            self.watchers.append(watcher)

    def worst_ms(self, since, until):
        """The longest stall that touched this time; 0: none."""
        for end in self.ends:
            while end.poll():
                self.found.append(end.recv())
        return max(((b - a) * 1000 for a, b in self.found if b > since and a < until), default=0.0)

    def close(self):
        """Ends the watchers."""
        for watcher in self.watchers:
            watcher.terminate()


def phases(chassis):
    """Where a chassis says that the time of its last switchover went."""
    last = chassis.info().get("last_switchover") or {}
    return ", ".join([f"{k} {last[k]}" for k in ("outage_ms", "stood_still_ms") if k in last]
                     + [f"{p['phase']} {p['took_ms']}" for p in last.get("phases", [])])


class Bed:
    """A lab with a pair that has room for `sessions`."""

    def __init__(self, opts, sessions, **config):
        self.opts, self.sessions = opts, sessions
        self.config = {"pools.prefix": f'"{POOL}"',
                       "table.max-sessions": str(max(65536, 1 << (sessions - 1).bit_length())),
                       "srp.heartbeat-interval": "10", "srp.dead-multiplier": "3",
                       "srp.realtime": "true", "log.level": '"notice"', **config}
        self.lab = Lab(opts.build)

    def __enter__(self):
        lab = self.lab.__enter__()
        many = self.sessions > 100000
        if self.opts.huge_dir:
            lab.memory = ["--huge-dir", self.opts.huge_dir, "--huge-unlink"]
        else:
            lab.memory = ["--no-huge", "-m", "1536" if many else "512"]
        lab.ip("core", "route", "replace", POOL, "via", CORE_GATEWAY)
        try:
            return lab, Pair(lab, self.config).start()
        except BaseException:
            lab.close()
            raise

    def __exit__(self, kind, error, trace):
        if error is not None:
            for name in ("left", "right"):
                with open(os.path.join(self.lab.directory, f"{name}.log"), encoding="utf-8",
                          errors="replace") as handle:
                    print(f"{name}: " + "".join(handle.readlines()[-15:]), file=sys.stderr)
        self.lab.close()

    @property
    def notes(self):
        """For the figures: what they were taken with."""
        plain = re.search(r"(?m)^\s*insecure = true", shipped("left")) is not None
        return {"memory": "hugepages" if self.opts.huge_dir else "4k pages", "encrypted": not plain,
                "cpus": CPUS}


def case_name(sessions):
    """10000: 10k."""
    for size, letter in ((1000000, "M"), (1000, "k")):
        if sessions % size == 0:
            return f"{sessions // size}{letter}"
    return str(sessions)
