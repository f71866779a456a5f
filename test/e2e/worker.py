# SPDX-License-Identifier: BSD-3-Clause
"""The processes that run cases, each with a lab of its own at a time, and the one that asks
them."""

import dataclasses
import multiprocessing
import multiprocessing.connection
import os
import resource
import shutil
import signal
import sys
import time
import traceback

import lab as labs
from chassis import check_truth, tandem
from shared import Shared, dropped

HERE = os.path.dirname(os.path.abspath(__file__))
# Ten times what the longest case takes.
CASE_S = 400
RESET_S = 200
TAIL_LINES = 30
# What DPDK prints at each start; the whole log is kept.
NOISE = ("EAL: Detected", "EAL: Physical", "EAL: Selected", "TELEMETRY:", "tap_", "qdisc_",
         "eth_dev_tap")


class TooLong(Exception):
    """A case, or what is done between two, did not end in time."""


@dataclasses.dataclass
class Result:
    """What became of a case; `dirty`: which one before it left a pair that could not be reset, and
    what was wrong with it; `log`: the ends of the chassis' logs."""

    name: str
    verdict: str
    note: str = None
    seconds: float = 0.0
    cpu: float = 0.0
    dirty: str = None
    log: list = dataclasses.field(default_factory=list)


def too_long(_signal, _frame):
    """The alarm of the time."""
    raise TooLong("not done in time")


def sanitizer_reports(lab):
    """What a sanitizer of a chassis wrote, if anything."""
    for side in labs.SIDES:
        log = os.path.join(lab.directory, f"{side}.log")
        if not os.path.exists(log):
            continue
        with open(log, encoding="utf-8", errors="replace") as handle:
            bad = [s.strip() for s in handle if "Sanitizer" in s or "runtime error:" in s]
        if bad:
            return f"{side}: {bad[0]}"
    return None


def keep_logs(lab, name, build):
    """Copies the lab's logs to where they stay. Returns the ends of the chassis'."""
    place = os.path.join(os.path.dirname(os.path.abspath(build)), "build-logs", "e2e", name)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for file in os.listdir(lab.directory):
        path = os.path.join(lab.directory, file)
        if file.endswith((".log", ".conf", ".pcapng")) and os.path.isfile(path):
            shutil.copy(path, place)
        elif file.startswith("frr-") and os.path.exists(os.path.join(path, "bgpd.log")):
            shutil.copy(os.path.join(path, "bgpd.log"), os.path.join(place, f"{file}.log"))
    ends = []
    for side in labs.SIDES:
        log = os.path.join(place, f"{side}.log")
        if os.path.exists(log):
            with open(log, encoding="utf-8", errors="replace") as handle:
                lines = [line.rstrip() for line in handle if not line.startswith(NOISE)]
            ends += [f"    {log}:"] + [f"      {line}" for line in lines[-TAIL_LINES:]]
    return ends


def place_of(error):
    """Where in the tests an exception comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename.startswith(HERE) and f.filename != __file__]
    return " ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in ours)


def own_cpu():
    """CPU seconds of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def cpu_of(process):
    """CPU seconds of a process that nobody waited for yet."""
    try:
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as handle:
            fields = handle.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_end(lab):
    """What has to hold at the end of each case."""
    if lab.pair is not None:
        gone = [c.side for c in lab.pair.both if dropped(c)]
        assert not gone, f"{gone} ended by itself"
        if all(c.alive() for c in lab.pair.both):
            check_truth(lab.pair)
    report = sanitizer_reports(lab)
    assert report is None, report


class Worker:
    """Runs one case after the other. Keeps a shared pair for as long as cases want it."""

    def __init__(self, options):
        self.options = options
        self.shared = None
        self.last = None  # the case that had it last

    def run(self, case):
        """Runs a case: its result."""
        began, cpu = time.monotonic(), self._cpu()
        result = Result(case.name, "skipped")
        signal.signal(signal.SIGALRM, too_long)
        try:
            reason = self._missing(case)
            if reason is not None:
                raise labs.Skip(reason)
            if case.needs is not None:
                result.note = self._in_shared(case, result)
            elif "lab" in case.parameters:
                result.note = self._in_lab(case, result)
            else:
                result.note = self._call(case)
            result.verdict = "passed"
        except labs.Skip as skip:
            result.note = str(skip)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # pylint: disable=broad-except
            result.verdict = "failed"
            said = " | ".join(line.strip() for line in str(error).splitlines() if line.strip())
            result.note = f"{type(error).__name__}: {said} ({place_of(error)})"
        finally:
            signal.alarm(0)
        result.seconds, result.cpu = time.monotonic() - began, self._cpu() - cpu
        return result

    def close(self):
        """Gives up the shared pair. Returns what was wrong with its end, or None."""
        shared, self.shared = self.shared, None
        if shared is None or self.options.keep:
            return None
        try:
            signal.alarm(RESET_S)
            shared.close()
        except (labs.LabError, TooLong) as error:
            return f"{self.last}: {error}"
        finally:
            signal.alarm(0)
        return None

    def _cpu(self):
        """CPU seconds so far of all that was done for the cases."""
        running = self.shared.lab.processes if self.shared is not None else []
        return own_cpu() + sum(cpu_of(process) for process in running if process.running())

    def _missing(self, case):
        reason = labs.missing() if {"lab", "pair"} & set(case.parameters) else None
        if reason is None and not os.path.exists(tandem(self.options.build)):
            reason = f"no daemon in {self.options.build}"
        return reason

    def _call(self, case, lab=None):
        have = {"build": self.options.build, "lab": lab, "pair": lab and lab.pair}
        signal.alarm(CASE_S)
        return case.function(**{name: have[name] for name in case.parameters})

    def _in_lab(self, case, result):
        result.dirty = self.close()
        with labs.Lab(self.options.build, keep=self.options.keep, alone=False) as lab:
            return self._watched(case, result, lab)

    def _watched(self, case, result, lab):
        """Runs a case in a lab; when it fails the logs are kept."""
        lab.remarks.clear()
        try:
            note = self._call(case, lab)
            check_end(lab)
            return "; ".join(([note] if note else []) + lab.remarks) or None
        except labs.Skip:
            raise
        except BaseException:
            signal.alarm(0)
            result.log = keep_logs(lab, case.name, self.options.build)
            raise

    def _in_shared(self, case, result):
        result.dirty = self._prepare(case.needs)
        self.last = case.name
        try:
            return self._watched(case, result, self.shared.lab)
        except BaseException:
            # Nobody knows in which state it is.
            shared, self.shared = self.shared, None
            shared.lab.close()
            raise

    def _prepare(self, wanted):
        """Sees to it that the shared pair is there, and as new. Returns what was wrong with it."""
        wrong = None
        if self.shared is not None and self.shared.wanted.name != wanted.name:
            wrong = self.close()
        if self.shared is not None:
            try:
                signal.alarm(RESET_S)
                self.shared.reset()
            except (labs.LabError, TooLong, OSError, ValueError) as error:
                wrong = f"{self.last}: {error}"
                signal.alarm(0)
                keep_logs(self.shared.lab, f"{self.last}-left", self.options.build)
                self.shared.lab.close()
                self.shared = None
        if self.shared is None:
            signal.alarm(RESET_S)
            self.shared = Shared(self.options.build, wanted).open()
        return wrong


def serve(options, cases, pipe):
    """A worker's process: cases by name from the pipe, results into it, until it says None."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(options)
    try:
        while (name := pipe.recv()) is not None:
            pipe.send(worker.run(cases[name]))
        pipe.send(worker.close())
    except EOFError:
        pass
    finally:
        worker.close()


class Crew:
    """Some workers. What they run is decided here, case by case."""

    def __init__(self, options, jobs):
        self.options, self.jobs = options, jobs
        self.workers, self.has = {}, {}

    def _start(self, cases):
        context = multiprocessing.get_context("fork")
        for _ in range(self.jobs):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(self.options, cases, theirs))
            process.start()
            theirs.close()
            self.workers[ours], self.has[ours] = process, None

    def run(self, schedule, report):
        """Runs all cases of a schedule; report(result) is called for each."""
        self._start({case.name: case for cases in schedule.groups.values() for case in cases})
        try:
            for pipe in list(self.workers):
                self._next(pipe, schedule)
            while self.workers:
                for pipe in multiprocessing.connection.wait(list(self.workers)):
                    self._heard(pipe, pipe.recv(), schedule, report)
        finally:
            for process in self.workers.values():
                process.terminate()
            for process in self.workers.values():
                process.join()

    def _next(self, pipe, schedule):
        others = {has for other, has in self.has.items() if other is not pipe}
        case = schedule.next(self.has[pipe], others)
        self.has[pipe] = case and case.needs and case.needs.name
        pipe.send(case and case.name)

    def _heard(self, pipe, told, schedule, report):
        if isinstance(told, Result):
            report(told)
            self._next(pipe, schedule)
            return
        if told is not None:
            report(Result("the end of a shared pair", "failed", told))
        self.workers.pop(pipe).join()
        self.has.pop(pipe)
