# SPDX-License-Identifier: BSD-3-Clause
"""A pair that several cases use, one after the other, with a checked reset between them; and what a
case says of itself.

A case that takes `pair` gets one that runs, with the configuration that `needs` asks for (the lab's
own without it); cases that ask for the same share it. README.md tells what is promised."""

import contextlib
import json
import re
import socket

from chassis import LCORES, PAIR_S, Pair
from gtp import DELETE, message
from kernel import packet_filters, write_sysctls
from lab import SIDES, VIP, Lab, LabError, in_namespace, wait_until

# SGSNs that one case may want at most; a lab with fewer left is given up.
UES = 8
RESET_S = 15
# What links and routes have of their own: numbers, MAC addresses, a metric that grows; and a tap's
# state, which is not told before its carrier has changed once.
OWN_NUMBERS = re.compile(r"^\d+: |@\S+|valid_lft.*|link/.*| qlen \d+|link-netns\S* \S+|metric \d+"
                         r"|state (UNKNOWN|UP)")
# What `ip` says of a namespace that another lab is just making or removing.
ELSEWHERE = "Error: Peer netns reference is invalid."
AGAIN_S = 0.5


class Needs:
    """The configuration of a shared pair. Equal ones are one and the same to those who compare."""

    def __init__(self, edits=None, lcores=LCORES, rewrite=None):
        self.edits, self.lcores, self.rewrite = edits, lcores, rewrite
        rewritten = f"{rewrite.__module__}.{rewrite.__qualname__}" if rewrite is not None else ""
        self.name = json.dumps([sorted((edits or {}).items()), lcores, rewritten])


PLAIN = Needs()


def needs(edits=None, lcores=LCORES, rewrite=None):
    """Says which pair a case wants: like Pair's arguments; `rewrite` is a function of a module."""
    def mark(function):
        function.needs = Needs(edits, lcores, rewrite)
        return function
    return mark


def alone(function):
    """Says that a case measures how quick the pair is: nothing else of the run goes on
    meanwhile."""
    function.alone = True
    return function


def dropped(chassis):
    """True if it ended and no case ended it."""
    return chassis.process is not None and not chassis.alive() and not chassis.ended


class Shared:
    """A lab with a pair that runs. reset() after each case; LabError from it means that this pair
    is of no use any more."""

    def __init__(self, build, wanted):
        self.wanted = wanted
        self.lab = Lab(build, alone=False)
        self.pair = None
        self.home = self.alarms = self.scene = None
        self.texts, self.running = {}, {}

    def open(self):
        """Lays everything out, and starts the pair."""
        self.lab.__enter__()
        try:
            self.pair = Pair(self.lab,
                             self.wanted.edits,
                             self.wanted.lcores,
                             rewrite=self.wanted.rewrite).start()
            for chassis in self.pair.both:
                with open(chassis.file, encoding="utf-8") as handle:
                    self.texts[chassis] = handle.read()
                self.running[chassis] = chassis.ctl("show configuration")["text"]
            self.home, _ = self.pair.settle()
            self.alarms = self._raised()
            self.scene = self._seen()
            self._begin()
        except BaseException:
            self.lab.close()
            raise
        return self

    def close(self):
        """Ends both, in order. LabError if one does not go as it should."""
        try:
            for chassis in (self.pair.other(self.home), self.home):
                if chassis.alive() and chassis.term() != 0:
                    raise LabError(f"{chassis.side} ended with {chassis.process.popen.returncode}")
        finally:
            self.lab.close()

    def reset(self):
        """Undoes what the last case did, and checks that nothing of it is left."""
        self.lab.end_case({c.process for c in self.pair.both})
        for chassis in self.pair.both:
            self._restore(chassis)
        self.pair.settle()
        self._end_sessions()
        if self.pair.active is not self.home:
            self.pair.switchover()
            self.pair.settle()
        wait_until(lambda: not self._raised() - self.alarms, RESET_S, lambda: "alarms to clear: "
                   f"{self._raised() - self.alarms}")
        # What a host was told of the MTU of a path outlives the subscriber at its end.
        for name in ("acc", "core"):
            self.lab.inside(name, lambda: write_sysctls(["net.ipv4.route.flush=-1"]))
        # The routes of who handed over linger.
        wait_until(lambda: self._seen() == self.scene, RESET_S, self._differs)
        if self.lab.ues_left() < UES:
            raise LabError("the addresses of its SGSNs are used up")
        self._begin()

    def _begin(self):
        for chassis in self.pair.both:
            chassis.note()
        self.lab.begin_case()

    def _restore(self, chassis):
        """Runs it with the configuration of the beginning; started anew only where it is not."""
        with open(chassis.file, encoding="utf-8") as handle:
            changed = handle.read() != self.texts[chassis]
        if changed:
            with open(chassis.file, "w", encoding="utf-8") as handle:
                handle.write(self.texts[chassis])
        if chassis.alive():
            if chassis.ctl("show configuration")["text"] == self.running[chassis]:
                return
            chassis.term()
        chassis.start()
        chassis.wait_ready()

    def _end_sessions(self):
        """Deletes every session, as an SGSN would, until neither chassis holds any."""
        def make():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("10.8.0.1", 0))
            sock.connect((VIP, 2123))
            sock.setblocking(False)
            return sock

        def none():
            return not any(c.total() for c in self.pair.both)

        if none():
            return
        with in_namespace(self.lab.namespace("acc"), make) as sock:
            for _ in range(int(RESET_S / AGAIN_S)):
                for session in self.pair.active.sessions().values():
                    teid, number = int(session["teid"], 16), next(self.lab.sequence) & 0xffff
                    with contextlib.suppress(OSError):
                        sock.send(
                            message(DELETE, teid, number, bytes([19, 0xff, 20, session["nsapi"]])))
                with contextlib.suppress(LabError):
                    wait_until(none, AGAIN_S, "no sessions")
                    return
        raise LabError(f"{[c.total() for c in self.pair.both]} sessions cannot be deleted")

    def _raised(self):
        return {(c.side, a["alarm"])
                for c in self.pair.both for a in c.ctl("show alarms")["alarms"]}

    def _seen(self):
        """The lab's links, addresses, routes and packet filters, without what has a number of its
        own."""
        found = {}
        for name in (*SIDES, "acc", "core"):
            lines = self.lab.ip_lines(name, "addr show", "link show", "route show",
                                      "rule show").splitlines()
            lines = [OWN_NUMBERS.sub("", line) for line in lines if line != ELSEWHERE]
            tables = self.lab.inside(name, packet_filters)
            found[name] = sorted(line.strip() for line in lines) + [f"{t}" for t in tables]
        return found

    def _differs(self):
        now = self._seen()
        return "the lab to be as before: " + "; ".join(
            f"{name}: {sorted(set(now[name]) ^ set(was))}"
            for name, was in self.scene.items() if now[name] != was)
