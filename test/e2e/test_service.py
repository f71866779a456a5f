# SPDX-License-Identifier: BSD-3-Clause
"""The daemon as a service: what it tells the service manager, how it goes, what it leaves and
finds, what it shows."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

from chassis import PAIR_S, Chassis, Pair, tandemctl
from gtp import Client, User
from lab import CORE_GATEWAY, VIP, POOL, Process, run, wait_until
from shared import alone
from traffic import Probes, Sgsnemu, ping

SHOWS = ("srp info", "srp statistics", "srp checkpoint "
         "statistics", "srp audit-statistics", "srp history", "sessions", "pools",
         "srp call-loss statistics", "ports", "workers", "gtp statistics", "configuration",
         "alarms", "srp configuration-difference", "license information")


def test_notifies(lab):
    """Type=notify: READY=1 when it is up, STOPPING=1 when it goes; SIGTERM of standby and of lone
    active exit with 0"""
    pair = Pair(lab)
    told = {}
    for chassis in pair.both:
        told[chassis] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(lab.directory, f"{chassis.side}.notify")
        told[chassis].bind(path)
        told[chassis].settimeout(20)
        chassis.process = Process(lab, lab.namespace(chassis.side), chassis.side, chassis.command(),
                                  env={**os.environ, "NOTIFY_SOCKET": path})
    for chassis in pair.both:
        assert told[chassis].recv(256) == b"READY=1"
        assert chassis.info(), "READY before it answers"
    active, standby = pair.settle()
    for chassis, state in ((standby, "Standby"), (active, "Active")):
        assert chassis.info()["chassis_state"] == state
        assert chassis.term() == 0, f"{state}: {chassis.process.output()[-500:]}"
        assert told[chassis].recv(256) == b"STOPPING=1"
        told[chassis].close()
        left = lab.ip(chassis.side, "addr", "show", "lo") + lab.ip(chassis.side, "route", "show",
                                                                   "type", "blackhole")
        assert VIP not in left and POOL not in left, left


def test_second_signal(pair):
    """SIGTERM that cannot hand over waits; a second one does not, and the exit code is 0 all the
    same"""
    active = pair.active
    standby = pair.other(active)
    for chassis in pair.both:
        chassis.may_end()
    standby.process.send(signal.SIGSTOP)
    active.process.send(signal.SIGTERM)
    wait_until(lambda: "going down" in active.process.output(), 5, "the first signal to be taken")
    active.process.send(signal.SIGTERM)
    code = active.process.wait(30)
    standby.process.send(signal.SIGCONT)
    assert code == 0, active.process.output()[-500:]
    # Its watchdog may end it, at once or a moment later.
    wait_until(lambda: not standby.alive() or standby.info().get("chassis_state") == "Active",
               PAIR_S, "the standby to take over or end")


# Stops one thread of a process and no other, as a debugger does; ends with that thread.
STOP_THREAD = """
import ctypes, os, sys
libc, tid = ctypes.CDLL(None, use_errno=True), int(sys.argv[1])
libc.ptrace.argtypes = [ctypes.c_long] * 4
for request in (0x4206, 0x4207):  # PTRACE_SEIZE, PTRACE_INTERRUPT
    if libc.ptrace(request, tid, 0, 0) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
print("stopped", flush=True)
while True:
    _, status = os.waitpid(tid, 0x40000000)  # __WALL
    if os.WIFEXITED(status) or os.WIFSIGNALED(status):
        break
"""


@alone
def test_stalled_core(lab, pair):
    """a core that stands still ends its process, whichever core it is, and the peer takes over with
    every session"""
    sgsn = Sgsnemu(lab, contexts=2)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    stream.wait_heard(50)
    for core in ("worker", "replication", "control"):
        active = pair.active
        peer = pair.other(active)
        sessions = pair.identities(active)
        lcore = next(c["lcore"] for c in active.ctl("show workers")["cores"] if c["core"] == core)
        names = {}
        for tid in os.listdir(f"/proc/{active.process.pid}/task"):
            with open(f"/proc/{active.process.pid}/task/{tid}/comm", encoding="ascii") as handle:
                names[handle.read().strip()] = int(tid)
        tid = active.process.pid if core == "control" else names[f"rte-worker-{lcore}"]
        active.may_end()
        stopper = Process(
            lab, lab.namespace("acc"), f"stop-{core}",
            [sys.executable, "-c", STOP_THREAD, str(tid)])
        wait_until(lambda s=stopper: "stopped" in s.output() or not s.running(),
                   5,
                   "the thread to stop")
        assert "stopped" in stopper.output(), stopper.output()
        peer.state_is("Active", 30)
        wait_until(lambda a=active: not a.alive(), 30, f"the end of the chassis whose {core} core "
                                                       "stands still")
        assert f"the {core} core has not turned" in active.process.output(), (
            active.process.output()[-500:])
        assert "it was stopped by a signal or a debugger" in active.process.output()
        assert pair.identities(peer) == sessions
        stream.wait_heard(50)
        active.start()
        active.wait_ready()
        pair.settle()
    return str(stream.stop())


def twin(lab, name):
    """Number and addresses of an interface of the left chassis; None if it is not there."""
    out = lab.ip("left", "-json", "addr", "show", "dev", name, check=False)
    if not out.startswith("["):
        return None
    shown = json.loads(out)[0]
    return shown["ifindex"], shown["address"], {a["local"] for a in shown["addr_info"]}


def test_twin_taken_over(lab):
    """a persistent multi_queue tap becomes the twin, and outlives SIGKILL with its addresses;
    another twin does not"""
    lab.ip("left", "tuntap", "add", "dev", "tw-core", "mode", "tap", "multi_queue")
    lab.ip("left", "addr", "add", "10.9.0.77/24", "dev", "tw-core")
    number = twin(lab, "tw-core")[0]
    pair = Pair(lab).start()
    for _ in range(2):
        before = twin(lab, "tw-core")
        assert before[0] == number and {"10.9.0.77", "10.9.0.11"} <= before[2], before
        assert ping(lab, "core", None, "10.9.0.77") >= 2 and ping(lab, "core", None,
                                                                  "10.9.0.11") >= 2
        pair.left.kill9()
        assert twin(lab, "tw-core") == before and twin(lab, "tw-acc") is None
        pair.left.start()
        pair.left.wait_ready()
        pair.settle()


def leftovers(lab, side):
    """The VIPs and pool routes that the kernel of a chassis holds."""
    addresses, routes = lab.ip(side, "addr", "show", "lo"), lab.ip(side, "route", "show", "type",
                                                                   "blackhole")
    return [a for a in (VIP, CORE_GATEWAY) if f" {a}/" in addresses
            ] + ([POOL] if POOL in routes else [])


def test_leftovers_removed(lab, pair):
    """what a killed active left in its kernel is gone when the next process is up, before anything
    can answer for it"""
    client, user = Client(lab), User(lab)
    context = client.attach("240030000000001")
    victim = pair.active
    assert set(leftovers(lab, victim.side)) == {VIP, CORE_GATEWAY, POOL}
    victim.kill9()
    assert set(leftovers(lab, victim.side)) == {VIP, CORE_GATEWAY, POOL}, (
        "it was not killed hard enough for this test")
    survivor = pair.other(victim)
    survivor.state_is("Active", 10)
    victim.start()
    victim.wait_ready()
    assert not leftovers(lab, victim.side)
    out = run("ip",
              "netns",
              "exec",
              lab.namespace("acc"),
              "arping",
              "-c",
              "3",
              "-w",
              "15",
              "-I",
              "br0",
              VIP,
              check=False)
    mac = json.loads(lab.ip(survivor.side, "-json", "link", "show", "dev", "tw-acc"))[0]["address"]
    found = {m.lower() for m in re.findall(r"\[([0-9A-Fa-f:]{17})\]", out)}
    assert found == {mac}, f"{found}, not {mac}: {out}"
    user.warm(context)
    pair.settle()
    assert not leftovers(lab, victim.side)


class Telemetry:
    """DPDK's telemetry socket of a chassis."""

    def __init__(self, lab, side):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(5)
        self.sock.connect(f"/var/run/dpdk/{lab.prefix}{side}/dpdk_telemetry.v2")
        self.sock.recv(4096)

    def ask(self, command):
        """What a command answers; a parameter stands behind a comma."""
        self.sock.send(command.encode())
        return json.loads(self.sock.recv(1 << 20))[command.split(",")[0]]


def flat(value, at=""):
    """Every number and text of a nested answer by its path, as telemetry has them: booleans as
    numbers, null as an empty text."""
    if isinstance(value, list):
        value = {str(i): v for i, v in enumerate(value)}
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flat(item, f"{at}/{key}").items()}
    return {at: "" if value is None else int(value) if isinstance(value, bool) else value}


def tell(chassis, *words):
    """tandemctl: exit code and output."""
    done = subprocess.run([tandemctl(chassis.lab.build), "--socket", chassis.socket, *words],
                          stdin=subprocess.DEVNULL,
                          capture_output=True,
                          text=True,
                          timeout=20,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def test_views_agree(lab, pair):
    """every command of tandemctl works on both chassis, as text and as JSON, and telemetry has the
    same values"""
    client, user = Client(lab), User(lab)
    contexts = [client.attach(f"24003000000000{i}") for i in range(3)]
    user.warm(contexts[0])
    wait_until(lambda: pair.left.sessions() == pair.right.sessions(), 15, "equal usage")
    for chassis in pair.both:
        words = [("show", *s.split()) for s in SHOWS] + [("show", "sessions", "--limit", "2")]
        words += [("show", "session", w)
                  for w in (contexts[0].address, contexts[1].imsi, f"0x{contexts[2].control:08x}")]
        for args in words:
            code, out = tell(chassis, *args)
            assert code == 0 and out.strip(), f"{chassis.side}: {args}: exit {code}: {out}"
            code, out = tell(chassis, "--json", *args)
            assert code == 0 and json.loads(out), (
                f"{chassis.side}: --json {args}: exit {code}: {out}")
        code, out = tell(chassis, "show", "session", "172.20.99.99")
        assert code == 1 and out.strip(), f"exit {code}: {out}"
        code, out = tell(chassis, "srp", "validate-switchover")
        assert (code == 0) == (chassis is pair.active) and out.strip(), (
            f"{chassis.side}: exit {code}: {out}")
        telemetry = Telemetry(lab, chassis.side)
        for path, command, args in (("/tandem/pools", "show pools", {}),
                                    ("/tandem/sessions,3", "show sessions", {
                                        "limit": 3
                                    }), (f"/tandem/session,{contexts[0].address}", "show session", {
                                        "session": contexts[0].address
                                    }), ("/tandem/gtp", "show gtp statistics",
                                         {}), ("/tandem/srp/history,4",
                                               "show srp history", {
                                                   "limit": 4
                                               }), ("/tandem/srp/info", "show srp info",
                                                     {}), ("/tandem/workers", "show workers", {})):
            def differ(p=path, c=chassis, t=telemetry, words=command, a=args):
                """What the two say differently."""
                told, shown = flat(t.ask(p)), flat(c.ctl(words, **a))
                # What moves by itself is compared by its name only.
                moving = {
                    k
                    for k in shown if k.endswith(("_ms", "last_hello_time",
                                                  "in_sync_since", "created",
                                                  "age_s")) or words == "show workers"
                }
                assert shown and set(told) == set(shown), f"{p}: {set(told) ^ set(shown)}"
                return {k: (told[k], shown[k]) for k in set(shown) - moving if told[k] != shown[k]}
            # Between the two a counter may have moved: of Echo Requests, say.
            wait_until(lambda d=differ: not d(), 5, lambda p=path, d=differ: f"{p}: {d()}")
    done = subprocess.run(
        [tandemctl(lab.build), "--socket", pair.left.socket + ".not", "show", "pools"],
        capture_output=True,
        text=True,
        check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
