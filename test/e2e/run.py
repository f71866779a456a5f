#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the end-to-end tests: every function test_* of test_*.py here. One that takes `lab` gets a fresh lab; `build` is
the build directory. What a test returns is printed beside its name. Ends with `N passed, N failed, N skipped`."""

import argparse
import importlib
import inspect
import os
import shutil
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from chassis import check_truth  # noqa: E402  pylint: disable=wrong-import-position
import lab as labs  # noqa: E402  pylint: disable=wrong-import-position

TEST_S = 240
TAIL_LINES = 30
# What DPDK prints at each start; the whole log is kept.
NOISE = ("EAL: Detected", "EAL: Physical", "EAL: Selected", "TELEMETRY:", "tap_", "qdisc_", "eth_dev_tap")


class TooLong(Exception):
    """A test did not end in time."""


def discover(patterns):
    """Every test as (name, function), in the order of the files and of the lines."""
    found = []
    for file in sorted(os.listdir(HERE)):
        if not file.startswith("test_") or not file.endswith(".py"):
            continue
        module = importlib.import_module(file[:-3])
        for name, function in vars(module).items():
            if name.startswith("test_") and inspect.isfunction(function) and function.__module__ == module.__name__:
                found.append((f"{file[5:-3]}.{name[5:]}", function))
    return [(n, f) for n, f in found if not patterns or any(p in n for p in patterns)]


def sanitizer_reports(lab):
    """What a sanitizer of a chassis wrote, if anything."""
    for side in labs.SIDES:
        log = os.path.join(lab.directory, f"{side}.log")
        if not os.path.exists(log):
            continue
        with open(log, encoding="utf-8", errors="replace") as handle:
            bad = [line.strip() for line in handle if "Sanitizer" in line or "runtime error:" in line]
        if bad:
            return f"{side}: {bad[0]}"
    return None


def too_long(_signal, _frame):
    """The alarm of a test's time."""
    raise TooLong(f"not done after {TEST_S} s")


def keep_logs(lab, name, build):
    """Copies the lab's logs to where they stay, and shows the ends of the chassis'."""
    place = os.path.join(os.path.dirname(os.path.abspath(build)), "build-logs", "e2e", name)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for file in os.listdir(lab.directory):
        if file.endswith((".log", ".conf", ".pcapng")):
            shutil.copy(os.path.join(lab.directory, file), place)
        elif file.startswith("frr-") and os.path.exists(os.path.join(lab.directory, file, "bgpd.log")):
            shutil.copy(os.path.join(lab.directory, file, "bgpd.log"), os.path.join(place, f"{file}.log"))
    for side in labs.SIDES:
        log = os.path.join(place, f"{side}.log")
        if not os.path.exists(log):
            continue
        print(f"    {log}:")
        with open(log, encoding="utf-8", errors="replace") as handle:
            lines = [line.rstrip() for line in handle if not line.startswith(NOISE)]
        for line in lines[-TAIL_LINES:]:
            print(f"      {line}")


def run_one(name, function, options):
    """Runs a test: (verdict, note)."""
    wanted = inspect.signature(function).parameters
    reason = labs.missing() if "lab" in wanted else None
    if reason is None and not os.path.exists(os.path.join(options.build, "app", "tandem", "tandem")):
        reason = f"no daemon in {options.build}"
    if reason is not None:
        return "skipped", reason
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(TEST_S)
    try:
        if "lab" not in wanted:
            return "passed", function(**({"build": options.build} if "build" in wanted else {}))
        with labs.Lab(options.build, keep=options.keep) as lab:
            try:
                note = function(lab)
                if lab.pair is not None and all(c.alive() for c in lab.pair.both):
                    check_truth(lab.pair)
                report = sanitizer_reports(lab)
                assert report is None, report
                return "passed", note
            except labs.Skip:
                raise
            except BaseException:
                signal.alarm(0)
                keep_logs(lab, name, options.build)
                raise
    except labs.Skip as skip:
        return "skipped", str(skip)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # pylint: disable=broad-except
        trace = traceback.extract_tb(error.__traceback__)
        where = [f"{os.path.basename(f.filename)}:{f.lineno}" for f in trace if f.filename.startswith(HERE)][1:]
        return "failed", f"{type(error).__name__}: {error} ({' '.join(where)})"
    finally:
        signal.alarm(0)


def main():
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(labs.TOP, "build"), help="build directory")
    parser.add_argument("-k", metavar="NAME", action="append", help="only tests with NAME in their name; may be given more than once")
    parser.add_argument("--keep", action="store_true", help="leave the lab of the (last) test as it is")
    parser.add_argument("--list", action="store_true", help="list the tests")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    tests = discover(options.k)
    if options.list:
        for name, function in tests:
            print(f"{name}: {(function.__doc__ or '').splitlines()[0]}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for name, function in tests:
        began = time.monotonic()
        verdict, note = run_one(name, function, options)
        count[verdict] += 1
        print(f"{verdict:7} {name} {time.monotonic() - began:.1f} s{': ' + note if note else ''}", flush=True)
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
