#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a new session costs until the other side has it: conntrackd (FTFW, two network namespaces)
beside Tandem. CPU time of both sides, user and system. Sessions of conntrackd are put into the
kernel's table by netlink, at a pace that it holds."""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from pairs import TOP, Bed, case_name, line, options
from lab import LabError, in_namespace, run, wait_until  # pylint: disable=wrong-import-order
from load import Load  # pylint: disable=wrong-import-order

AIM = 100
CONF = """Sync {{
	Mode FTFW {{
	}}
	UDP {{
		IPv4_address 10.5.0.{own}
		IPv4_Destination_Address 10.5.0.{peer}
		Port 3780
		Interface ct
		SndSocketBuffer 16777216
		RcvSocketBuffer 16777216
		Checksum on
	}}
}}
General {{
	Systemd off
	HashSize 262144
	HashLimit 1048576
	LogFile {directory}/{name}.log
	Syslog off
	LockFile {directory}/{name}.lock
	UNIX {{
		Path {directory}/{name}.ctl
	}}
	NetlinkBufferSize 16777216
	NetlinkBufferSizeMaxGrowth 134217728
	Filter From Kernelspace {{
		Protocol Accept {{
			TCP
		}}
	}}
}}
"""
# ctnetlink (linux/netfilter/nfnetlink_conntrack.h)
CT_NEW = 1 << 8  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
CREATE = 0x1 | 0x400  # NLM_F_REQUEST | NLM_F_CREATE
NESTED, ESTABLISHED, TIMEOUT_S = 0x8000, 3, 3600
BATCH = 50


def attribute(kind, value):
    """A netlink attribute, padded."""
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def session(number):
    """A message that creates one TCP connection, established."""
    def tuple_(source, target, ports):
        ip = attribute(1, struct.pack("!I", source)) + attribute(2, struct.pack("!I", target))
        proto = (attribute(1, b"\x06") + attribute(2, struct.pack("!H", ports[0]))
                 + attribute(3, struct.pack("!H", ports[1])))
        return attribute(1 | NESTED, ip) + attribute(2 | NESTED, proto)
    subscriber, server, port = 0x64400000 + number // 50000, 0x0a090001, 1024 + number % 50000
    info = attribute(1 | NESTED, attribute(1, bytes([ESTABLISHED])) + attribute(4, b"\x0a\x0a")
                     + attribute(5, b"\x0a\x0a"))
    body = (struct.pack("BBH", socket.AF_INET, 0, 0)
            + attribute(1 | NESTED, tuple_(subscriber, server, (port, 443)))
            + attribute(2 | NESTED, tuple_(server, subscriber, (443, port)))
            + attribute(7, struct.pack("!I", TIMEOUT_S))
            + attribute(3, struct.pack("!I", 0xe)) + attribute(4 | NESTED, info))
    return struct.pack("IHHII", 16 + len(body), CT_NEW, CREATE, number, 0) + body


def cpu_us(pid, threads=None):
    """CPU time of a process so far, or of its threads whose name is in `threads`."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as handle:
            name, fields = handle.read().split("(", 1)[1].rsplit(")", 1)
        if threads is None or name in threads:
            total += sum(int(n) for n in fields.split()[11:13])
    return total * 1e6 / os.sysconf("SC_CLK_TCK")


class Node:
    """One conntrackd in a namespace."""

    def __init__(self, directory, name, own, peer):
        self.name, self.namespace = name, f"tdct{os.getpid()}-{name}"
        self.conf = os.path.join(directory, f"{name}.conf")
        self.process = None
        with open(self.conf, "w", encoding="ascii") as handle:
            handle.write(CONF.format(own=own, peer=peer, directory=directory, name=name))
        run("ip", "netns", "add", self.namespace)
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")

    def start(self):
        """Starts the daemon."""
        # Tracking in a namespace begins with the first rule that needs it.
        for rule in ("add table ip t", "add chain ip t c { type filter hook forward priority 0; }",
                     "add rule ip t c ct state new accept"):
            run("ip", "netns", "exec", self.namespace, "nft", rule)
        for key, value in (("nf_conntrack_events", 1), ("nf_conntrack_max", 2000000)):
            run("ip", "netns", "exec", self.namespace, "sh", "-c",
                f"echo {value} > /proc/sys/net/netfilter/{key} || true")
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, "conntrackd", "-C", self.conf],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.conf.replace(".conf", ".ctl")), 10,
                   f"conntrackd {self.name}")

    def ask(self, *what):
        """A command to the daemon."""
        return run("ip", "netns", "exec", self.namespace, "conntrackd", "-C", self.conf, *what,
                   check=False)

    def held(self, cache):
        """Sessions in its cache `internal` or `external`."""
        found = re.search(rf"cache {cache}:\s+current active connections:\s+(\d+)", self.ask("-s"))
        return int(found.group(1)) if found else 0

    def close(self):
        """Ends it."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        run("ip", "netns", "del", self.namespace, check=False)


def put(node, count, rate):
    """Puts sessions into a namespace's table at a rate. Returns the seconds it took."""
    sock = in_namespace(node.namespace,
                        lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12))
    sock.bind((0, 0))
    messages = [b"".join(session(i) for i in range(first, min(first + BATCH, count)))
                for first in range(0, count, BATCH)]
    began = time.monotonic()
    for i, message in enumerate(messages):
        sock.send(message)
        ahead = began + i * BATCH / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    spent = time.monotonic() - began
    sock.close()
    return spent


def conntrackd(opts):
    """(us of CPU a session at the sender, at the receiver, sessions that arrived, seconds)."""
    directory = tempfile.mkdtemp(prefix="tandem-conntrackd-")
    nodes = [Node(directory, "a", 1, 2), Node(directory, "b", 2, 1)]
    try:
        a, b = nodes
        run("ip", "link", "add", "ct", "netns", a.namespace, "type", "veth", "peer", "name", "ct",
            "netns", b.namespace)
        for node, host in ((a, 1), (b, 2)):
            run("ip", "-n", node.namespace, "addr", "add", f"10.5.0.{host}/24", "dev", "ct")
            run("ip", "-n", node.namespace, "link", "set", "ct", "up")
            node.start()
        before = [cpu_us(n.process.pid) for n in nodes]
        began = time.monotonic()
        put(a, opts.sessions, opts.rate)
        last, since = -1, time.monotonic()
        while last < opts.sessions and time.monotonic() - since < 5:
            now = b.held("external")
            if now != last:
                last, since = now, time.monotonic()
            # It announces nothing, and each question costs CPU time, which is what is measured.
            time.sleep(0.2)
        after = [cpu_us(n.process.pid) for n in nodes]
        if last < opts.sessions // 2:
            raise LabError(f"conntrackd replicated {last} of {opts.sessions}: "
                           f"{a.ask('-s')}{b.ask('-s')}")
        return ((after[0] - before[0]) / last, (after[1] - before[1]) / last, last,
                time.monotonic() - began)
    finally:
        for node in nodes:
            node.close()
        shutil.rmtree(directory, ignore_errors=True)


def tandem_new(opts):
    """The same number of new sessions by GTP-C at the same rate: CPU a session of the active's
    replication core and of the whole standby, without what they use when nothing happens. Worker
    and control do other things besides."""
    with Bed(opts, opts.sessions) as (lab, pair):
        active, standby = pair.settle(30)
        lcore = {"rte-worker-2"}  # of chassis.LCORES: the last one replicates

        def used():
            return cpu_us(active.process.pid, lcore), cpu_us(standby.process.pid)
        began, idle = time.monotonic(), used()
        wait_until(lambda: time.monotonic() - began > 5, 10, "the idle time")
        idle = [(b - a) / (time.monotonic() - began) for a, b in zip(idle, used())]
        began, before = time.monotonic(), used()
        load = Load(lab, core=None, sessions=opts.sessions, rate=opts.rate, window=512, keep=True)
        load.finish(300)
        spent = time.monotonic() - began
        wait_until(lambda: standby.total() == opts.sessions, 20, "the standby to have all")
        return [max(0.0, b - a - i * spent) / opts.sessions
                for a, b, i in zip(before, used(), idle)]


def tandem_bulk():
    """CPU a session of a full resync, both sides, from the bench that measures it in the cores
    themselves: us, or None."""
    with open("/proc/cpuinfo", encoding="ascii") as handle:
        mhz = float(re.search(r"cpu MHz\s*: ([0-9.]+)", handle.read()).group(1))
    full = []
    # pylint: disable-next=consider-using-with
    bench = subprocess.Popen([os.path.join(TOP, "scripts", "bench.sh"), "resync", "--rounds", "2"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    for text in bench.stdout:
        told = json.loads(text)
        if (told["metric"] == "cycles_per_session"
                and told["case"] in ("full-1M-active", "full-1M-standby")):
            full.append(told)
        if len(full) == 2:
            break
    os.killpg(bench.pid, signal.SIGTERM)  # what else it measures is not asked for here
    bench.wait(60)
    if len(full) < 2:
        print("conntrackd: bench.sh resync told no cycles_per_session", file=sys.stderr)
        return None
    return sum(x["value"] for x in full) / mhz


def main():
    """Both comparisons."""
    opts = options(__doc__, sessions=200000, rate=20000)
    sender, receiver, arrived, seconds = conntrackd(opts)
    theirs = sender + receiver
    notes = {"conntrackd_us_sender": round(sender, 2), "conntrackd_us_receiver": round(receiver, 2),
             "conntrackd_arrived": arrived, "conntrackd_seconds": round(seconds, 1)}
    case = case_name(opts.sessions)
    active, standby = tandem_new(opts)
    line("conntrackd", f"new-{case}", "cpu_ratio",
         theirs / (active + standby) if active + standby > 0 else None, "ratio", AIM,
         lambda v: v >= AIM, tandem_us_replication_core=round(active, 2),
         tandem_us_standby=round(standby, 2), **notes)
    bulk = tandem_bulk()
    if bulk is not None:
        line("conntrackd", "bulk-1M", "cpu_ratio", theirs / bulk, "ratio", AIM, lambda v: v >= AIM,
             tandem_us_both=round(bulk, 3), **notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
