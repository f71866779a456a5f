# SPDX-License-Identifier: BSD-3-Clause
"""The lab: network namespaces, veth pairs and bridges, and the processes in them.

    ue1, ue2 .. --(tun)-- acc ==bridge 10.8.0.0/24== left, right ==bridge 10.9.0.0/24== core
                                                     left --- right: replication, SRP

A chassis takes its DPDK ports from veths whose frames an nft ingress chain hides from the kernel.
All names carry this process' id; whatever was started is ended by its own pid when the lab closes.

A lab may serve several cases, one after the other (shared.py): `begin_case` and `end_case` enclose
what belongs to one."""

import contextlib
import fcntl
import glob
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from kernel import (in_namespace, make_namespace, remove_namespace, set_address, set_link,
                    set_route, whole_checksums, write_sysctls)

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# How often a condition is looked at: at once, then less and less often, as each look costs those
# who are waited for. What has not come in a second is looked at after each further fiftieth of the
# wait so far.
POLL_S = (0.002, 0.02)
POLL_GROWS = 1.25
POLL_PART, POLL_MOST_S = 0.02, 0.1
VIP = "10.8.0.100"
CORE_GATEWAY = "10.9.0.100"
CORE_HOST = "10.9.0.1"
POOL = "172.20.0.0/16"
SIDES = ("left", "right")
# The last octets of SGSNs' addresses, in the order in which they are given out. Others have a
# meaning somewhere.
SGSN_HOSTS = (1, *range(3, 11), *range(110, 200))


class LabError(Exception):
    """Something of the lab did not do what it should."""


class Skip(Exception):
    """A test cannot run here; the text says why."""


def wait_until(condition, timeout, what):
    """Waits for condition() to be true and returns its value; raises LabError after timeout
    seconds."""
    began = time.monotonic()
    pause = POLL_S[0]
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - began
        if waited >= timeout:
            raise LabError(f"waited {timeout} s in vain for {what() if callable(what) else what}")
        time.sleep(pause)
        pause = max(min(POLL_S[1], pause * POLL_GROWS), min(POLL_MOST_S, waited * POLL_PART))


def run(*args, check=True, timeout=60, told="", namespace=None):
    """Runs a command to its end, inside a namespace if one is given, with `told` as its input, and
    returns what it printed. A program whose time is over, or the caller's, is killed."""
    started = []

    def start():
        # pylint: disable-next=consider-using-with
        started.append(subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True))

    try:
        if namespace is None:
            start()
        else:
            in_namespace(namespace, start)
        said, _ = started[0].communicate(told, timeout)
    except BaseException:
        for program in started:
            program.kill()
            program.wait()
        raise
    if check and started[0].returncode != 0:
        raise LabError(f"{' '.join(args)}: exit {started[0].returncode}: {said.strip()}")
    return said


def missing():
    """Why no lab can be made here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    for tool in ("ip", "nft", "ethtool", "sgsnemu", "iperf3", "tshark"):
        if shutil.which(tool) is None:
            return f"needs {tool}"
    return None


def waited_for_cpu(pid):
    """Seconds in which the first thread of a process could run and had no CPU."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as handle:
        return int(handle.read().split()[1]) / 1e9


class Metronome:
    """When this process stood still: it wakes up every few milliseconds, and remembers when it
    could not. What others did in that time they may not have been able to do earlier. Of processes
    that it watches it remembers how long they had waited for a CPU."""

    BEAT_S, LATE_S = 0.005, 0.02

    def __init__(self, lab):
        self.pauses = []
        self.waits = {}  # of a process: [(when, seconds in all)]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        lab.cleanups.append(self.stop)

    def _run(self):
        last = time.time()
        while not self.stopping.wait(self.BEAT_S):
            now = time.time()
            if now - last > self.LATE_S:
                self.pauses.append((last, now))
            last = now
            for pid, told in list(self.waits.items()):
                with contextlib.suppress(OSError):  # it has ended
                    told.append((now, waited_for_cpu(pid)))

    def watch(self, process):
        """From now on."""
        self.waits[process.pid] = []

    def waited(self, process, since, until):
        """Seconds of that time (of day) in which a process that is watched had no CPU, or a beat
        more."""
        told = self.waits[process.pid]
        wait_until(lambda: told and told[-1][0] >= until, 10, f"{process.name} to be watched")
        before = [waited for at, waited in told if at <= since][-1:] or [told[0][1]]
        return next(waited for at, waited in told if at >= until) - before[0]

    def stood_still(self, since, until):
        """Seconds of that time (of day) in which it did."""
        return sum(max(0.0, min(until, b) - max(since, a)) for a, b in list(self.pauses))

    def stop(self):
        """Ends it."""
        self.stopping.set()
        self.thread.join()


class Process:
    """A process of the lab, inside a namespace, with all it prints in a file."""

    def __init__(self, lab, namespace, name, args, env=None):
        self.name = name
        self.log = os.path.join(lab.directory, f"{name}.log")
        self.exit_code = None
        with open(self.log, "ab") as out:
            self.start_offset = out.tell()

            def start():
                # pylint: disable-next=consider-using-with
                self.popen = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out,
                                              stderr=subprocess.STDOUT, start_new_session=True,
                                              cwd=lab.directory, env=env)
                # The lab knows of it whatever becomes of the caller.
                self.pid = self.popen.pid
                lab.processes.append(self)

            self.popen = self.pid = None
            in_namespace(namespace, start)

    def forget(self):
        """What it printed so far is not of interest any more."""
        self.start_offset = os.path.getsize(self.log)

    def output(self):
        """What it printed since it was started, or since forget()."""
        with open(self.log, "rb") as handle:
            handle.seek(self.start_offset)
            return handle.read().decode("utf-8", "replace")

    def running(self):
        """True until it has ended."""
        return self.popen.poll() is None

    def send(self, number):
        """Sends a signal to it, if it is there."""
        if self.running():
            self.popen.send_signal(number)

    def wait(self, timeout):
        """Its exit code; LabError when it is still there after timeout seconds."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{self.name} still runs after {timeout} s") from error

    def end(self, grace=2.0):
        """SIGTERM, and SIGKILL when that does not do."""
        self.send(signal.SIGTERM)
        try:
            return self.popen.wait(grace)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()


class Lab:
    """One lab. Use as a context manager."""

    def __init__(self, build, keep=False, alone=True):
        self.build = os.path.abspath(build)
        self.prefix = f"td{os.getpid()}-"
        self.pair = None
        self.keep = keep
        self.alone = alone  # whether it has to see to it that no other lab is there
        self.memory = ["--no-huge", "-m", "512"]  # what a chassis' EAL gets
        self.remarks = []  # printed with a case's result; it does not fail of them
        self.processes = []
        self.namespaces = []
        self.cleanups = []
        self.directory = None
        self.lock = None
        self.ue_count = 0
        # Numbers of GTP-C requests: none is taken for a repetition
        self.sequence = itertools.count(1)
        self.marks = self.files = None

    def __enter__(self):
        self.lock = lock_labs() if self.alone else None
        self.directory = tempfile.mkdtemp(prefix=f"tandem-lab-{self.prefix}")
        try:
            self._lay_out()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if self.keep and error is None:
            return
        self.close()

    def namespace(self, name):
        """The full name of one of the lab's namespaces."""
        return self.prefix + name

    def add_namespace(self, name):
        """Makes a namespace with a loopback that is up."""
        full = self.namespace(name)
        self.namespaces.append(full)
        make_namespace(full)
        # A fresh namespace copies the machine's values; reverse path checks and IPv6 chatter are
        # not ours to test.
        self.sysctl(full, "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
                    "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        self.link(name, "lo", "up")
        return full

    def sysctl(self, full, *settings):
        """Sets kernel values of a namespace."""
        in_namespace(full, lambda: write_sysctls(settings))

    def inside(self, name, make):
        """in_namespace() of one of the lab's."""
        return in_namespace(self.namespace(name), make)

    def run(self, name, *args, **how):
        """run() inside a namespace."""
        return run(*args, namespace=self.namespace(name), **how)

    def ip(self, name, *args, check=True):
        """`ip` inside a namespace."""
        return run("ip", "-n", self.namespace(name), *args, check=check)

    def ip_lines(self, name, *lines):
        """Several commands of `ip` inside a namespace, in one process."""
        return run("ip",
                   "-o",
                   "-n",
                   self.namespace(name),
                   "-batch",
                   "-",
                   told="\n".join(lines) + "\n")

    def veth(self, name, link, peer_name, peer_link):
        """A veth pair between two namespaces, both ends up, with whole checksums."""
        self.veths((name, link, peer_name, peer_link))
        for where, what in ((name, link), (peer_name, peer_link)):
            self.link(where, what, "up")

    def veths(self, *pairs, bridges=()):
        """Such pairs, their ends not up yet; and a bridge in each of those namespaces."""
        lines = [f"link add br0 netns {self.namespace(name)} type bridge stp_state 0 forward_delay "
                 "0\n" for name in bridges]
        lines += [f"link add {link} netns {self.namespace(name)} type veth peer name {peer_link} "
                  f"netns {self.namespace(peer_name)}\n"
                  for name, link, peer_name, peer_link in pairs]
        run("ip", "-batch", "-", told="".join(lines))
        for name, link, peer_name, peer_link in pairs:
            in_namespace(self.namespace(name), lambda what=link: whole_checksums(what))
            in_namespace(self.namespace(peer_name), lambda what=peer_link: whole_checksums(what))

    def hide(self, name, links):
        """The kernel of a chassis must not see what DPDK takes from these links, or it would answer
        as well."""
        rules = ["add table netdev tandem"]
        for link in links:
            chain = link.replace("-", "_")
            rules.append(f"add chain netdev tandem {chain} {{ type filter hook ingress device "
                         f"{link} priority 0; "
                         "policy drop; }")
            rules.append(f"add rule netdev tandem {chain} counter")
        path = os.path.join(self.directory, f"{name}.nft")
        with open(path, "w", encoding="ascii") as handle:
            handle.write("\n".join(rules) + "\n")
        self.run(name, "nft", "-f", path)

    def _lay_out(self):
        networks = {"acc": "10.8.0.1/24", "core": f"{CORE_HOST}/24"}
        for name in (*networks, *SIDES):
            self.add_namespace(name)
        self.veths(
            *((side, f"{side[0]}-{network}", network, f"to-{side}") for side in SIDES
              for network in networks), ("left", "l-repl", "right", "r-repl"),
            ("left", "l-srp", "right", "r-srp"), bridges=networks)
        for name, address in networks.items():
            self.inside(name, lambda a=address: self._bridge(a))
        for side, host in (("left", 11), ("right", 12)):
            letter = side[0]
            for what in (*networks, "repl", "srp"):
                self.link(side, f"{letter}-{what}", "up")
            self.address(side, f"{letter}-srp", f"10.6.0.{host}/24")
            self.hide(side, [f"{letter}-acc", f"{letter}-core", f"{letter}-repl"])
        self.route("core", POOL, CORE_GATEWAY)

    @staticmethod
    def _bridge(address):
        """In the namespace of a network: puts both chassis' links into the bridge."""
        whole_checksums("br0")
        set_link("br0", True)
        set_address("br0", address)
        for side in SIDES:
            set_link(f"to-{side}", True, master="br0")

    def add_ue(self):
        """A namespace for one subscriber's traffic, and an address of its own for the SGSN that
        serves it. Neither was anybody else's in this lab, as the pair remembers what an SGSN
        told."""
        if self.ue_count >= len(SGSN_HOSTS):
            raise LabError("no address is left for another SGSN")
        host = SGSN_HOSTS[self.ue_count]
        self.ue_count += 1
        name, address = f"ue{self.ue_count}", f"10.8.0.{host}"
        self.add_namespace(name)
        if host > 1:
            self.address("acc", "br0", f"{address}/24")
            if self.marks is not None:
                self.cleanups.append(lambda: self.address("acc", "br0", f"{address}/24", False))
        return name, address

    def ues_left(self):
        """How many may be added still."""
        return len(SGSN_HOSTS) - self.ue_count

    def link(self, name, link, state):
        """Sets a link up or down."""
        self.inside(name, lambda: set_link(link, state == "up"))

    def address(self, name, link, prefix, there=True):
        """Gives a link an address, or takes it."""
        self.inside(name, lambda: set_address(link, prefix, there))

    def route(self, name, prefix, via, there=True):
        """Adds a route, or removes it."""
        self.inside(name, lambda: set_route(prefix, via, there))

    def begin_case(self):
        """From here on it is known what belongs to one case."""
        self.marks = len(self.cleanups), len(self.processes), len(self.namespaces)
        self.files = set(os.listdir(self.directory))
        # Address 1 is that of clients which need none of their own.
        self.ue_count = max(self.ue_count, 1)

    def end_case(self, kept):
        """Removes what the case made, but for the processes `kept`."""
        cleanups, processes, namespaces = self.marks
        gone = [p for p in self.processes[processes:] if p not in kept]
        failed = self._run_cleanups(cleanups)
        self._end(gone)
        self.processes = [p for p in self.processes if p not in gone]
        self._remove_namespaces(namespaces)
        for name in set(os.listdir(self.directory)) - self.files:
            path = os.path.join(self.directory, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.remove(path)
        if failed:
            raise LabError(f"what a case left cannot be removed: {failed[0]}")

    def _run_cleanups(self, since):
        failed = []
        while len(self.cleanups) > since:
            try:
                self.cleanups.pop()()
            except Exception as error:  # pylint: disable=broad-except
                failed.append(error)
        return failed

    @staticmethod
    def _end(processes):
        for process in reversed(processes):
            process.send(signal.SIGKILL)
        for process in reversed(processes):
            process.popen.wait()

    def _remove_namespaces(self, since):
        names, self.namespaces = self.namespaces[since:], self.namespaces[:since]
        for name in reversed(names):
            with contextlib.suppress(OSError):
                remove_namespace(name)

    def close(self):
        """Ends every process, then removes everything. Nobody is asked to go: how a chassis does
        that is a case's to see."""
        self._run_cleanups(0)
        self._end(self.processes)
        self._remove_namespaces(0)
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
            for side in SIDES:
                shutil.rmtree(f"/var/run/dpdk/{self.prefix}{side}", ignore_errors=True)
        if self.lock is not None:
            self.lock.close()
            self.lock = None


def lock_labs():
    """Waits until no other lab is there: two that do not know of each other would spoil each
    other's numbers."""
    lock = open(os.path.join(tempfile.gettempdir(), "tandem-lab.lock"), "w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def control(path, command, timeout=5.0, **args):
    """One command to a daemon's control socket; the whole answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect(path)
        sock.sendall(json.dumps({"command": command, "args": args}).encode() + b"\n")
        answer = bytearray()
        while True:
            chunk = sock.recv(65536)
            if not chunk:
                break
            answer += chunk
    return json.loads(answer)


def kept():
    """Namespaces of labs whose maker is gone."""
    names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip()]
    found = []
    for name in names:
        maker = re.match(r"td(\d+)-\w+$", name)
        if maker is not None and not os.path.exists(f"/proc/{maker.group(1)}"):
            found.append(name)
    return found


def clean():
    """Removes labs that were left running: the processes inside their namespaces, then the
    namespaces."""
    names = kept()
    for name in names:
        for pid in run("ip", "netns", "pids", name, check=False).split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)
    for name in names:
        run("ip", "netns", "del", name, check=False)
        shutil.rmtree(f"/var/run/dpdk/{name}", ignore_errors=True)
        for directory in glob.glob(
                os.path.join(tempfile.gettempdir(), f"tandem-lab-{name.split('-')[0]}-*")):
            shutil.rmtree(directory, ignore_errors=True)
