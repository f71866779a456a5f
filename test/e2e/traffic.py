# SPDX-License-Identifier: BSD-3-Clause
"""What goes through the pair: SGSNs with their subscribers, a stream of probes, TCP, and a capture
of all of it."""

import json
import os
import re
import select
import signal
import socket
import struct
import threading
import time
import itertools

from kernel import has_address, set_address, set_link
from lab import CORE_HOST, VIP, LabError, Process, in_namespace, run, wait_until

SO_TIMESTAMPNS = 35
# So long the probes of the last second are waited for, and any other for a second: those that were
# lost, as one that was sent later was answered.
LAST_S = 5.0
# A GGSN of two chassis that has to answer does so long before.
ANSWER_S = 10.0
_ident = itertools.count(0x1000)
_imsi = itertools.count(240010100000000, 100)


class Sgsnemu:
    """osmo-ggsn's SGSN emulator with some subscribers, whose traffic has a namespace of its own."""

    def __init__(self,
                 lab,
                 contexts=1,
                 apn="internet",
                 remote=VIP,
                 imsi=None,
                 place=None,
                 extra=()):
        self.lab = lab
        self.contexts = contexts
        self.imsi = next(_imsi) if imsi is None else imsi
        self.namespace, self.local = lab.add_ue() if place is None else place
        self.device = "u" + self.namespace
        state = os.path.join(lab.directory, f"sgsn-{self.local}")
        os.makedirs(state, exist_ok=True)
        mode = extra or ("--createif", f"--tun-device={self.device}",
                         f"--netns={lab.namespace(self.namespace)}", "--defaultroute")
        self.command = [
            "stdbuf", "-oL", "sgsnemu", "-l", self.local, "-r", remote, "--statedir", state,
            "--pidfile",
            os.path.join(state, "pid"), "--contexts",
            str(contexts), "-i",
            str(self.imsi), "-a", apn, *mode
        ]
        self._begin()

    def _begin(self):
        self.process = Process(self.lab, self.lab.namespace("acc"), f"sgsnemu-{self.namespace}",
                               self.command)

    @property
    def place(self):
        """Where it lives, to start another one in its stead."""
        return self.namespace, self.local

    def addresses(self):
        """The addresses its subscribers were given so far, in order."""
        return re.findall(r"received EUA with IP address: ([0-9.]+)", self.process.output())

    def attach(self, timeout=60):
        """Waits until every context has its address, and puts them all on the interface. Returns
        them."""
        self._answered(timeout)
        found = self.addresses()
        if len(found) < self.contexts:
            raise LabError(f"sgsnemu ended early: {self.process.output()[-600:]}")
        # sgsnemu itself configures the first context only.
        wait_until(lambda: self.lab.inside(self.namespace, lambda: has_address(found[0])), timeout,
                   f"{found[0]} on the tun")

        def rest():
            set_link(self.device, mtu=1400)
            for address in found[1:]:
                set_address(self.device, f"{address}/32", again=True)
        self.lab.inside(self.namespace, rest)
        return found

    def _answered(self, timeout):
        """Waits until every context has its address, or sgsnemu ended. It sends each request once
        and waits for ever, so that one lost datagram would be the end of it: where nothing more
        is answered it is begun anew, as an SGSN that restarted."""
        def answered():
            return len(self.addresses()) >= self.contexts or not self.process.running()

        end = time.monotonic() + timeout
        while not answered():
            known = self.process.output()
            try:
                wait_until(lambda: answered() or self.process.output() != known, ANSWER_S, "")
            except LabError as error:
                if time.monotonic() >= end:
                    raise LabError(f"waited {timeout} s in vain for sgsnemu's {self.contexts} "
                                   f"contexts; it said: {known[-600:]}") from error
                self.lab.remarks.append("sgsnemu was not answered and asked once more")
                self.kill()
                self._begin()

    def detach(self, timeout=30.0):
        """Deletes the contexts as a phone that is switched off does. Returns the causes that the
        GGSN answered."""
        answered = lambda: re.findall(r"delete PDP context response. Cause value: "
                                      r"(\d+)", self.process.output())
        self.process.send(signal.SIGTERM)
        try:
            # It lingers long after the last answer.
            wait_until(lambda: len(answered()) >= self.contexts or not self.process.running(),
                       timeout, "deletes")
        except LabError:
            pass
        self.kill()
        return [int(cause) for cause in answered()]

    def kill(self):
        """Vanishes without a word."""
        self.process.send(signal.SIGKILL)
        self.process.popen.wait()


def checksum(data):
    """The Internet checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def arrived(extra):
    """When a packet arrived, by what recvmsg() has besides. That is nearest to the wire: who reads
    it may be scheduled late."""
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nano = struct.unpack("qq", value[:16])
            return seconds + nano / 1e9
    return time.time()


class Result:
    """What became of a stream of probes."""

    def __init__(self, sent_at, heard_at, interval):
        self.sent = len(sent_at)
        self.lost = sorted(set(sent_at) - set(heard_at))
        self.received = self.sent - len(self.lost)
        times = sorted(heard_at.values())
        gaps = list(zip(times, times[1:]))
        self.gap_ms = max(((b - a) * 1000 for a, b in gaps), default=float("inf"))
        # The same without the time in which nobody asked: this process is one of those that a
        # machine may let wait.
        pauses = [(c, d) for c, d in zip(sorted(sent_at.values()), sorted(sent_at.values())[1:])
                  if d - c > 2 * interval]
        self.asked_gap_ms = max(
            ((b - a - sum(max(0.0, min(b, d) - max(a, c)) for c, d in pauses)) * 1000
             for a, b in gaps), default=float("inf"))
        self.first = times[0] if times else None
        self.last = times[-1] if times else None
        # Answers are told from late ones: a probe that came back after a second was queued
        # somewhere.
        self.slowest_ms = max(((heard_at[s] - sent_at[s]) * 1000 for s in heard_at),
                              default=float("inf"))

    def __str__(self):
        return (f"{self.received} of {self.sent} answered, longest gap {self.gap_ms:.0f} ms, "
                f"slowest answer {self.slowest_ms:.0f} ms")


class Probes:
    """Echo requests from a subscriber's address (or a host's, None) at a steady pace, each
    remembered; `most` of them, or until it is stopped."""

    def __init__(self, lab, namespace, source, target=CORE_HOST, interval=0.01, size=56,
                 most=None):
        self.most = most
        self.ident = next(_ident) & 0xffff
        self.interval = interval
        self.payload = bytes(size)
        self.sent_at, self.heard_at, self.duplicates = {}, {}, 0
        self.errors = 0
        self.stopping = threading.Event()
        self.sock = in_namespace(lab.namespace(namespace), lambda: self._open(source, target))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        lab.cleanups.append(self.abandon)

    @staticmethod
    def _open(source, target):
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind((source or "", 0))
        sock.connect((target, 0))
        sock.setblocking(False)
        return sock

    def _send(self, sequence):
        head = struct.pack("!BBHHH", 8, 0, 0, self.ident, sequence & 0xffff)
        head = struct.pack("!BBHHH", 8, 0, checksum(head + self.payload), self.ident,
                           sequence & 0xffff)
        self.sent_at[sequence] = time.time()
        try:
            self.sock.send(head + self.payload)
        except OSError:
            self.errors += 1

    def _receive(self):
        while True:
            try:
                data, extra, _, _ = self.sock.recvmsg(2048, 64)
            except OSError:
                return
            at = arrived(extra)
            head = (data[0] & 15) * 4
            if len(data) < head + 8:
                continue
            kind, _, _, ident, low = struct.unpack("!BBHHH", data[head:head + 8])
            if kind != 0 or ident != self.ident:
                continue
            newest = len(self.sent_at) - 1
            sequence = newest - ((newest - low) & 0xffff)
            if sequence in self.heard_at:
                self.duplicates += 1
            elif sequence in self.sent_at:
                self.heard_at[sequence] = at

    def _run(self):
        due, sequence = time.monotonic(), 0
        while not self.stopping.is_set() and sequence != self.most:
            now = time.monotonic()
            if now >= due:
                self._send(sequence)
                sequence += 1
                due = max(due + self.interval, now)
            if select.select([self.sock], [], [], max(0.0, due - time.monotonic()))[0]:
                self._receive()
        # What was sent last may be on its way still, and for longer where the machine stands still.
        ended, began = time.time(), time.monotonic()
        while True:
            self._receive()
            newest = max((self.sent_at[s] for s in list(self.heard_at)), default=0.0)
            last = self._missing(max(ended - 1.0, newest))
            left = LAST_S if last else 1.0 if self._missing(0) else 0.0
            # Of a few the newest comes last.
            if self.most is not None and len(self.sent_at) - 1 in self.heard_at:
                left = 0.0
            if time.monotonic() - began >= left:
                break
            select.select([self.sock], [], [], 0.05)

    def _missing(self, since):
        """Whether a probe that was sent since then is not answered."""
        return any(at >= since and s not in self.heard_at for s, at in self.sent_at.items())

    def wait_heard(self, count, timeout=15):
        """Waits until `count` more answers are in than now."""
        wait_heard([self], count, timeout)

    def abandon(self):
        """Ends the stream; no result is wanted."""
        self.stopping.set()
        self.thread.join()
        self.sock.close()

    def stop(self):
        """Ends the stream, waits for what is still on the way, and says what became of all."""
        self.abandon()
        return Result(self.sent_at, self.heard_at, self.interval)


def wait_heard(streams, count, timeout=15):
    """Waits until every stream has `count` more answers than now."""
    goals = [(stream, len(stream.heard_at) + count) for stream in streams]
    wait_until(lambda: all(len(s.heard_at) >= goal for s, goal in goals), timeout,
               lambda: f"{count} more answers to probes: "
                       f"{[len(s.heard_at) - goal for s, goal in goals]}")


def no_loss(pair, *results):
    """Asserts that every probe was answered. A chassis that stood still for so long that its peer
    may have taken over throws away what waited in its ports, and counts it (`stale_frames`): so
    many may be missing, as that is what the machine did."""
    stale = sum(c.counter("stale_frames") for c in pair.both if c.alive())
    lost = [number for result in results for number in result.lost]
    assert len(lost) <= stale, (
        f"lost {lost}, {stale} of them by a stall: {'; '.join(map(str, results))}")


def ping(lab, namespace, source, target=CORE_HOST, count=3, size=56):
    """Pings from a subscriber or a host; how many of count were answered. Unlike the program of the
    same name it waits for the last answer, too: that gives it two round trips' time, and a moment
    in which the machine stands still would be taken for a loss."""
    try:
        stream = Probes(lab, namespace, source, target, 0.2, size, count)
    except OSError:
        return 0  # there is no way to the target
    stream.thread.join()
    return stream.stop().received


class Iperf:
    """A TCP transfer from a subscriber to the core host."""

    def __init__(self, lab, namespace, source, seconds, rate="20M", reverse=False):
        port = str(5200 + lab.ue_count + len(lab.processes))
        self.server = Process(lab, lab.namespace("core"), f"iperf3-server-{port}",
                              ["iperf3", "-s", "-1", "--forceflush", "-i", "0.2", "-p", port])
        wait_until(lambda: "listening" in self.server.output().lower(), 10, "iperf3's server")
        direction = ("-R",) if reverse else ()
        self.client = Process(lab, lab.namespace(namespace), f"iperf3-client-{port}", [
            "iperf3", "-c", CORE_HOST, "-p", port, "-B", source, "-t",
            str(seconds), "-b", rate, "-i", "0.5", "-J", *direction
        ])
        self.seconds = seconds

    def _heard(self):
        """What the server said of each interval so far: whether octets came in it."""
        told = re.findall(r"^\[ *\d+\] +[0-9.]+-[0-9.]+ +sec +([0-9.]+) +\w*Bytes(.*)\n",
                          self.server.output(), re.M)
        return [float(octets) > 0 for octets, rest in told if "receiver" not in rest]

    def goes_on(self):
        """Waits until octets came in an interval that began after this call; LabError if the
        transfer is over before."""
        begun = len(self._heard()) + 2  # one is under way, and one may not be told yet
        wait_until(lambda: any(self._heard()[begun:]) or not self.client.running(),
                   self.seconds, lambda: f"the transfer to go on: {self.server.output()}")
        if not any(self._heard()[begun:]):
            raise LabError(f"the transfer is over: {self.server.output()}")

    def finish(self):
        """Waits for the end. Returns (bytes received, bytes of each half second); LabError if it
        broke."""
        self.client.wait(self.seconds + 30)
        report = json.loads(self.client.output())
        if "error" in report:
            raise LabError(f"iperf3: {report['error']}")
        # The last interval may be a moment in which nothing was due.
        return report["end"]["sum_received"]["bytes"], [
            i["sum"]["bytes"] for i in report["intervals"] if i["sum"]["seconds"] > 0.25
        ]


class Capture:
    """Everything that crosses an interface, for tshark."""

    def __init__(self, lab, namespace, link="br0"):
        self.lab = lab
        self.file = os.path.join(lab.directory, f"{namespace}-{link}-{len(lab.processes)}.pcapng")
        self.process = Process(lab, lab.namespace(namespace), f"dumpcap-{namespace}-{link}",
                               ["dumpcap", "-q", "-P", "-i", link, "-w", self.file])
        # The file's header is there once the socket is.
        wait_until(lambda: os.path.exists(self.file) and os.path.getsize(self.file) >= 24, 60,
                   "the capture to start")

    def stop(self, last=None):
        """Ends the capture, once it holds a packet that the filter `last` lets through: the newest
        are still on their way to the file when they have arrived."""
        if last is not None:
            wait_until(lambda: self.rows(last, "frame.number", check=False), 60,
                       f"{last} in {self.file}")
        self.process.send(signal.SIGINT)
        self.process.wait(60)

    def _tshark(self, *args, check=True):
        """What tshark says of it, checksums verified. Each start of it takes most of a second."""
        return run("tshark", "-r", self.file, "-o", "ip.check_checksum:TRUE", "-o",
                   "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", *args, timeout=120,
                   check=check)

    def counts(self, *filters):
        """How many packets each of the filters lets through."""
        out = self._tshark("-q", "-z", ",".join(("io,stat,0", *filters)))
        # Of each filter packets and octets, and blanks up to the width of what stands above.
        row = re.findall(r"^\| *[0-9.]+ *<> *\S+ *\|([0-9 |]+)\|$", out, re.M)
        found = [int(number) for number in row[0].replace("|", " ").split()[::2]] if row else []
        if len(found) != len(filters):
            raise LabError(f"{filters}: {out}")
        return found

    def rows(self, display_filter, *fields, check=True):
        """The fields of every packet that the filter lets through, checksums verified."""
        args = ["-Y", display_filter, "-T", "fields"]
        for field in fields:
            args += ["-e", field]
        out = self._tshark(*args, check=check)
        return [
            line.split("\t") for line in out.splitlines()
            if not line.startswith(("Running as user", "tshark: "))
        ]
