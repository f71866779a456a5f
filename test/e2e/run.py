#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the end-to-end tests: every function test_* of test_*.py here; README.md tells how one is
written. What a case returns is printed beside its name. `TIME name seconds CPU-seconds` lines at
the end have the durations, and what the case and all that it started took of the CPUs. Ends with
`N passed, N failed, N skipped`. With --again a few cases that failed are run a second time; both
attempts are printed."""

import argparse
import importlib
import inspect
import os
import signal
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import chassis  # noqa: E402
import lab as labs  # noqa: E402
import shared  # noqa: E402
from schedule import Schedule  # noqa: E402
from worker import Crew  # noqa: E402

# One waits most of its time; more than two would make cores wait for each other.
JOBS = 2


class Case:
    """A test function, and what it says of itself."""

    def __init__(self, name, function):
        self.name, self.function = name, function
        self.parameters = inspect.signature(function).parameters
        self.needs = getattr(function, "needs",
                             shared.PLAIN if "pair" in self.parameters else None)
        self.alone = getattr(function, "alone", False)

    def about(self):
        """What it tests: the first paragraph that it has of itself."""
        return " ".join((self.function.__doc__ or "").split("\n\n")[0].split())


def discover(patterns):
    """Every case, in the order of the files and of the lines."""
    found = []
    for file in sorted(os.listdir(HERE)):
        if not file.startswith("test_") or not file.endswith(".py"):
            continue
        module = importlib.import_module(file[:-3])
        for name, function in vars(module).items():
            if (name.startswith("test_") and inspect.isfunction(function)
                    and function.__module__ == module.__name__):
                found.append(Case(f"{file[5:-3]}.{name[5:]}", function))
    return [case for case in found if not patterns or any(p in case.name for p in patterns)]


class Report:
    """What is printed, and the counts."""

    def __init__(self):
        self.count = {"passed": 0, "failed": 0, "skipped": 0}
        self.took, self.cpu = {}, {}
        self.failed = set()

    def add(self, result):
        """A case is done."""
        if result.dirty is not None:
            print(f"DIRTY   {result.dirty}", flush=True)
        self.count[result.verdict] += 1
        if result.verdict == "failed":
            self.failed.add(result.name)
        self.took[result.name], self.cpu[result.name] = result.seconds, result.cpu
        note = f": {result.note}" if result.note else ""
        print(f"{result.verdict:7} {result.name} {result.seconds:.1f} s{note}", flush=True)
        for line in result.log:
            print(line, flush=True)

    def again(self, result):
        """A case that failed was run a second time: one that passes is printed, and fails nothing.
        What is wrong with the end of its pair counts as at the first."""
        if result.name not in self.failed:
            self.add(result)
            return
        if result.dirty is not None:
            print(f"DIRTY   {result.dirty}", flush=True)
        if result.verdict == "passed":
            self.count["failed"] -= 1
            self.count["passed"] += 1
        note = f": {result.note}" if result.note else ""
        print(f"AGAIN   {result.name}: {result.verdict} at its second attempt{note}", flush=True)
        for line in result.log:
            print(line, flush=True)

    def end(self):
        """The durations and the last line. Returns the exit code."""
        for name, seconds in self.took.items():
            print(f"TIME {name} {seconds:.2f} {self.cpu[name]:.2f}")
        print(", ".join(f"{number} {verdict}" for verdict, number in self.count.items()))
        return 1 if self.count["failed"] else 0


def run_cases(cases, options):
    """Runs them: those that may have others beside them first."""
    report = Report()
    together = [case for case in cases if not case.alone]
    for some, jobs in ((together, options.jobs), ([c for c in cases if c.alone], 1)):
        if some:
            Crew(options, min(jobs, len(some))).run(Schedule(some), report.add)
    once_more = [case for case in cases if case.name in report.failed]
    if 0 < len(once_more) <= options.again and not options.keep:
        Crew(options, 1).run(Schedule(once_more), report.again)
    return report.end()


def main():
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(labs.TOP, "build"), help="build directory")
    parser.add_argument("-k", metavar="NAME", action="append",
                        help="only tests with NAME in their name; may be given more than once")
    parser.add_argument("--jobs", type=int, default=JOBS,
                        help=f"so many cases side by side (default {JOBS}), but for those alone")
    parser.add_argument("--again", type=int, default=0, metavar="N",
                        help="when at most N cases failed, run those once more (default 0)")
    parser.add_argument("--keep", action="store_true",
                        help="leave the lab of the (last) test as it is; one case at a time")
    parser.add_argument("--list", action="store_true", help="list the tests")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    cases = discover(options.k)
    if options.list:
        for case in cases:
            print(f"{case.name}: {case.about()}")
        return 0
    if options.keep:
        options.jobs = 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with labs.lock_labs():
        chassis.prepare()
        return run_cases(cases, options)


if __name__ == "__main__":
    sys.exit(main())
