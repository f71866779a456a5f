# SPDX-License-Identifier: BSD-3-Clause
"""What is refused, what is dropped: unknown APN, no address, no slot, malformed messages, spoofed
packets."""

import os
import socket
import struct
import subprocess
import time

from chassis import Chassis, Pair, tandem
from gtp import (ACCEPTED, ADDRESSES_OCCUPIED, CREATE, NO_RESOURCES, UNKNOWN_APN, Client,
                 create_elements, message)
from lab import CORE_HOST, TOP, wait_until
from traffic import Sgsnemu, checksum, ping

CONTEXT_NOT_FOUND, NON_EXISTENT = 210, 192


def test_unknown_apn(lab, pair):
    """an unknown APN is refused with its cause, and leaves nothing behind"""
    sgsn = Sgsnemu(lab, apn="nowhere")
    wait_until(lambda: "Cause value: "
               f"{UNKNOWN_APN}" in sgsn.process.output(), 15, lambda: sgsn.process.output()[-500:])
    assert pair.active.counter("gtp.rejected_unknown_apn") >= 1
    assert pair.left.total() == 0 and pair.right.total() == 0


def test_exhausted_pool(lab):
    """a pool without an address left refuses, and serves again once one was given back and its
    quarantine is over"""
    pair = Pair(lab, edits={"pools.prefix": '"172.20.0.0/29"', "pools.quarantine": "2"}).start()
    client = Client(lab)
    held = {}
    for number in range(9):
        cause, control, _, address = client.create(f"24001{number:010d}")
        if cause != ACCEPTED:
            break
        assert address not in held
        held[address] = control
    assert cause == ADDRESSES_OCCUPIED, cause
    assert 5 <= len(held) <= 8, held
    assert pair.active.counter("gtp.rejected_no_addresses") == 1
    address, control = held.popitem()
    began = time.monotonic()
    assert client.delete(control) == ACCEPTED
    cause = client.create("240010000001000")[0]
    # Seconds are counted whole: it lasts a second at least.
    assert cause == ADDRESSES_OCCUPIED or time.monotonic() - began >= 1, (
        "an address in quarantine was given out")

    def again():
        got = client.create("240010000001001")
        return got if got[0] == ACCEPTED else None
    if cause == ADDRESSES_OCCUPIED:
        got = wait_until(again, 30, "the address to leave its quarantine")
        assert got[3] == address, got
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 5, "equal tables")
    client.close()


def test_full_table(lab):
    """a full table refuses and goes on serving what it holds"""
    pair = Pair(lab, edits={"table.max-sessions": "64"}).start()
    sgsn = Sgsnemu(lab)
    address = sgsn.attach()[0]
    client = Client(lab, address=lab.add_ue()[1])
    accepted, capacity = 0, pair.active.ctl("show sessions")["capacity"]
    for number in range(capacity + 1):
        cause, control, _, _ = client.create(f"24001{number:010d}")
        if cause != ACCEPTED:
            break
        accepted += 1
    assert cause == NO_RESOURCES, cause
    assert accepted == capacity - 1, f"{accepted} and one of {capacity} slots"
    assert pair.active.counter("gtp.rejected_no_resources") >= 1
    assert ping(lab, sgsn.namespace, address) >= 2
    wait_until(lambda: pair.left.total() == pair.right.total() == capacity, 10, "as many at the "
                                                                                "standby")
    assert sgsn.detach() == [ACCEPTED]
    client.close()


def test_repeated_request(lab, pair):
    """a repeated request gets the same answer and makes no second session, at the other chassis
    too"""
    client = Client(lab)
    request = message(CREATE, 0, 4711, create_elements("240010000000042", 7, client.address))
    first = client.ask(request)
    assert first is not None and client.ask(request) == first
    pair.switchover()
    third = client.ask(request)
    assert third is not None and third[8:] == first[8:], (
        f"{first.hex()} became {third and third.hex()}")
    wait_until(lambda: pair.left.total() == pair.right.total() == 1, 5, "one session at each")
    client.close()


def test_unknown_context(lab, pair):
    """Delete and Update of a context that is not there"""
    client = Client(lab)
    assert client.delete(0x12345678) == NON_EXISTENT
    _, control, _, _ = client.create("240010000000043")
    assert client.delete(control) == ACCEPTED
    assert client.delete(control) == NON_EXISTENT, "a stale TEID was taken for a live one"
    assert pair.active.total() == 0
    client.close()


def test_sgsn_restart(lab, pair):
    """an SGSN that vanished and came back has lost its contexts: they are removed here too"""
    first, bystander = Sgsnemu(lab, contexts=3), Sgsnemu(lab)
    first.attach()
    kept = bystander.attach()[0]
    first.kill()
    # Its restart counter is one higher now: same state directory.
    second = Sgsnemu(lab, place=first.place)
    address = second.attach()[0]
    for chassis in pair.both:
        wait_until(lambda c=chassis: set(c.sessions()) == {kept, address}, 10,
                   lambda c=chassis: f"the dead contexts to go at {c.side}: {c.sessions().keys()}")
    assert pair.active.counter("gtp.sgsn_restarts") == 1
    assert ping(lab, bystander.namespace, kept) >= 2


def test_spoofed_source(lab, pair):
    """a subscriber that uses another's address is not let through"""
    own = lab.add_ue()[1]
    client, user = Client(lab, address=own), Client(lab, port=2152, address=own, remote_port=2152)
    _, _, tunnel, address = client.create("240010000000044")
    active = pair.active
    for source, counter in ((address, "up_tx_packets"), ("172.20.9.9", "drop_spoofed")):
        def sent():
            icmp = struct.pack("!BBHHH", 8, 0, 0, 1, 1)
            icmp = struct.pack("!BBHHH", 8, 0, checksum(icmp), 1, 1)
            head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 1,
                               0) + socket.inet_aton(source) + socket.inet_aton(CORE_HOST)
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
            user.sock.send(struct.pack("!BBHI", 0x30, 0xff, 28, tunnel) + head + icmp)
            return active.counter(counter)
        before = active.counter(counter)
        wait_until(lambda: sent() > before, 5, counter)
    assert user.receive(10) is not None, "the honest packet was not answered"
    client.close()
    user.close()


def table(plane):
    """The rows of the table of malformed messages for a plane: (name, octets, verdict)."""
    with open(os.path.join(TOP, "test", "golden", "gtp", "malformed.txt"),
              encoding="utf-8") as handle:
        rows = [line.split() for line in handle if line.strip() and not line.startswith("#")]
    return [(name, bytes.fromhex(octets), verdict) for name, where, octets, verdict in rows
            if where == plane]


def answered(client, octets):
    """Sends octets and returns what came back in time."""
    return client.ask(octets)


def one_malformed(pair, client, octets, verdict, prefix):
    """What is wrong with the way one message was treated, or None."""
    kind, value = verdict.split(":")
    if kind == "drop":
        before = pair.active.counter(prefix + value)
        client.sock.send(octets)
        wait_until(lambda: pair.active.counter(prefix + value) == before + 1, 10, f"{value} to go "
                                                                                 f"from {before} "
                                                                                 f"to {before + 1}")
        answer = client.receive(0.01)
        return None if answer is None else f"answered by {answer.hex()}"
    answer = answered(client, octets)
    if answer is None:
        return "not answered"
    if kind == "answer":
        return None if answer[1] == int(value) else f"answered by {answer.hex()}"
    if answer[1] != octets[1] + 1 or answer[8:10] != octets[8:10] or answer[12:14] != bytes(
        [1, int(value)]):
        return f"answered by {answer.hex()}"
    return None


def malformed(lab, pair, plane):
    """Runs a plane's table against the pair, which serves a subscriber meanwhile. Returns how many
    rows there were."""
    sgsn = Sgsnemu(lab)
    address = sgsn.attach()[0]
    own = lab.add_ue()[1]
    rows, wrong = table(plane), []
    for name, octets, verdict in rows:
        # A new source for each GTP-C message: an equal number from the same one would be a repeated
        # request.
        client = Client(lab, address=own) if plane == "c" else Client(
            lab, port=2152, address=own, remote_port=2152)
        try:
            fault = one_malformed(pair, client, octets, verdict, "gtp." if plane == "c" else "")
        except Exception as error:  # pylint: disable=broad-except
            fault = str(error)
        if fault is not None:
            wrong.append(f"{name} ({verdict}): {fault}")
        client.close()
    assert not wrong, f"{len(wrong)} of {len(rows)}: " + "; ".join(wrong[:12])
    assert ping(lab, sgsn.namespace, address) >= 2, "the subscriber suffers"
    wait_until(lambda: pair.left.total() == pair.right.total() == 1, 5, "one session at each")
    return len(rows)


def test_malformed_gtpc(lab, pair):
    """malformed GTP-C is answered or dropped as the standard says, and counted"""
    count = malformed(lab, pair, "c")
    assert count >= 40
    return f"{count} messages"


def test_malformed_gtpu(lab, pair):
    """malformed GTP-U is answered or dropped as the standard says, and counted"""
    return f"{malformed(lab, pair, 'u')} messages"


def refuses_to_start(chassis, *expected):
    """Starts a chassis that must end by itself, with words that say why."""
    chassis.start()
    code = chassis.process.wait(40)
    said = chassis.process.output()
    assert code == 3, f"exit {code}: {said[-800:]}"
    for words in expected:
        assert words in said, f"{words!r} is not in: {said[-800:]}"


def test_refuses_to_start(lab):
    """fewer than three lcores, an absent device, too few queues, no memory: refused with a reason
    and a code"""
    refuses_to_start(Chassis(lab, "left", lcores="0@0,1@1"), "at least three")
    refuses_to_start(
        Chassis(lab, "left", rewrite=lambda t: t.replace("iface=l-core", "iface=nothing")), "core")
    refuses_to_start(Chassis(lab, "left", lcores="0@0,1@1,2@0,3@1"), "queue")
    refuses_to_start(Chassis(lab, "left", edits={"table.max-sessions": "16777216"}), "memory")
    done = subprocess.run(
        [tandem(lab.build), "--lcores", "0@0,1@1,2@0", "--", "-c", "/nonexistent.conf"],
        capture_output=True,
        text=True,
        check=False)
    assert done.returncode == 1, done


def test_control_socket(pair):
    """the control socket is the owner's alone, and survives nonsense"""
    assert os.stat(pair.left.socket).st_mode & 0o777 == 0o600
    # Who changes something is told, whatever came of it; what it is called cannot write lines of
    # its own.
    pair.left.ask("srp validate-switchover")
    pair.left.ask("not\ntandem: a command")
    for line in ("srp validate-switchover", "not\\ntandem: a command"):
        told = f' command="{line}" uid={os.getuid()} pid={os.getpid()}\n'
        wait_until(lambda t=told: t in pair.left.process.output(), 5, told)
    for octets in (b"", b"\n", b"{\n", b'{"command": 7}\n', b'{"command": "show nonsense"}\n',
                   b"x" * 100000 + b"\n",
                   b'{"command": "show sessions", "args": {"limit": "all"}}\n'):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(5)
            sock.connect(pair.left.socket)
            try:
                sock.sendall(octets)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            except OSError:
                pass
    # Clients that say nothing do not lock others out for ever.
    idle = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(64)]
    for sock in idle:
        sock.settimeout(1)
        try:
            sock.connect(pair.left.socket)
        except OSError:
            pass
    for sock in idle:
        sock.close()
    wait_until(lambda: pair.left.info().get("chassis_state") == "Active", 10, "an answer")
    refused = pair.right.ask("srp initiate-switchover")
    assert not refused["ok"] and refused["error"], refused


def test_telemetry(lab, pair):
    """dpdk-telemetry.py shows what tandemctl shows"""
    path = f"/var/run/dpdk/{lab.prefix}left/dpdk_telemetry.v2"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(5)
        sock.connect(path)
        sock.recv(4096)
        sock.send(b"/")
        listed = sock.recv(65536).decode()
    assert "/tandem/" in listed, listed
    assert pair.left.alive()
