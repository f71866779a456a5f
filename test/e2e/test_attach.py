# SPDX-License-Identifier: BSD-3-Clause
"""A pair at peace: subscribers come, talk and go; the kernel's part of the addresses works."""

import re

from chassis import TWO_WORKERS
from gtp import ECHO, UNKNOWN_APN, Client, message
from lab import CORE_GATEWAY, CORE_HOST, VIP, run, wait_until
from shared import alone, needs
from traffic import Capture, Probes, Sgsnemu, ping, wait_heard


def test_attach_ping_detach(lab, pair):
    """one subscriber attaches, pings and detaches; both chassis hold the session, and then
    neither"""
    sgsn = Sgsnemu(lab)
    address = sgsn.attach()[0]
    assert ping(lab, sgsn.namespace, address, count=5) >= 4
    wait_until(lambda: address in pair.right.sessions(), 5, "the session at the standby")
    session = pair.active.sessions()[address]
    assert session["imsi"] == str(sgsn.imsi) and session["sgsn_user_address"] == sgsn.local, session
    assert pair.identities(pair.left) == pair.identities(pair.right)
    assert session["up_packets"] >= 4 and session["down_packets"] >= 4, session
    assert sgsn.detach() == [128]
    wait_until(lambda: pair.left.total() == 0 and pair.right.total() == 0, 5, "no session at "
                                                                              "either chassis")


@needs()
def test_three_contexts(lab):
    """three subscribers of one SGSN at once, each with an address of its own"""
    sgsn = Sgsnemu(lab, contexts=3)
    addresses = sgsn.attach()
    assert len(set(addresses)) == 3, addresses
    for address in addresses:
        assert ping(lab, sgsn.namespace, address, count=5) >= 4, address
    assert sgsn.detach() == [128] * 3


@needs()
def test_sgsnemu_pinghost(lab):
    """sgsnemu's own pings, which need no interface"""
    sgsn = Sgsnemu(lab, extra=("--pinghost", CORE_HOST, "--pingcount", "5", "--pingrate", "5"))
    wait_until(lambda: "packets transmitted" in sgsn.process.output(), 15,
               lambda: sgsn.process.output()[-500:])
    received = int(re.search(r"(\d+) packets received", sgsn.process.output()).group(1))
    assert received >= 4, sgsn.process.output()[-500:]


def test_ue_to_ue(lab, pair):
    """two subscribers of two SGSNs reach each other"""
    one, two = Sgsnemu(lab), Sgsnemu(lab)
    a, b = one.attach()[0], two.attach()[0]
    assert ping(lab, one.namespace, a, b, count=5) >= 4
    assert pair.active.counter("ue_to_ue") >= 8


def test_tunnel_sizes(lab, pair):
    """inner packets up to the subscriber's MTU pass both ways, whole and fragmented on the access
    side"""
    sgsn = Sgsnemu(lab)
    address = sgsn.attach()[0]
    assert ping(lab, sgsn.namespace, address, size=1372) >= 2
    lab.ip(sgsn.namespace, "link", "set", sgsn.device, "mtu", "1500")
    assert ping(lab, sgsn.namespace, address, size=1472) >= 2, (
        "1500 octets do not fit a tunnel over 1500")
    assert pair.active.counter("fragmented") > 0
    # The other way a packet that may not be fragmented is refused, and the sender told.
    out = run("ip",
              "netns",
              "exec",
              lab.namespace("core"),
              "ping",
              "-n",
              "-M",
              "do",
              "-s",
              "1472",
              "-c",
              "3",
              "-i",
              "0.2",
              "-W",
              "2",
              address,
              check=False)
    assert "Message too long" in out or "message too long" in out or "Frag needed" in out, out
    assert pair.active.counter("icmp_sent") > 0


def answers(lab, namespace, target):
    """Whether a host's ping is answered, once each."""
    out = run("ip",
              "netns",
              "exec",
              lab.namespace(namespace),
              "ping",
              "-n",
              "-c",
              "3",
              "-i",
              "0.2",
              "-W",
              "2",
              target,
              check=False)
    assert "DUP" not in out, out
    # The program itself waits for the last one no longer than for the others.
    return int(re.search(r"(\d+) received", out).group(1)) >= 2 or ping(
        lab, namespace, None, target) >= 2


def test_kernel_owns_addresses(lab, pair):
    """ping, ARP and traceroute to VIPs and twins' addresses work from both networks"""
    lab.ip("core", "route", "add", VIP, "via", CORE_GATEWAY)
    lab.cleanups.append(lambda: lab.ip("core", "route", "del", VIP))
    for namespace, targets in (("acc", (VIP, "10.8.0.11", "10.8.0.12")),
                               ("core", (CORE_GATEWAY, "10.9.0.11", "10.9.0.12", VIP))):
        for target in targets:
            assert answers(lab, namespace, target), f"{namespace} cannot ping {target}"
            out = run("ip", "netns", "exec", lab.namespace(namespace), "traceroute", "-n", "-N",
                      "1", "-q", "1", "-w", "10", "-m", "2", target)
            assert re.search(rf"^ *1 +{re.escape(target)} ", out, re.M), out
    for namespace, target in (("acc", VIP), ("acc", "10.8.0.12"), ("core", CORE_GATEWAY)):
        out = run("ip",
                  "netns",
                  "exec",
                  lab.namespace(namespace),
                  "arping",
                  "-c",
                  "2",
                  "-w",
                  "15",
                  "-I",
                  "br0",
                  target,
                  check=False)
        macs = set(re.findall(r"reply from [0-9.]+ \[([0-9A-Fa-f:]+)\]", out))
        assert len(macs) == 1, f"{target} is answered by {macs}: {out}"
    assert answers(lab, "acc", VIP) and pair.active is pair.left


@needs()
def test_traceroute_through(lab):
    """a subscriber's traceroute shows the gateway as a hop"""
    sgsn = Sgsnemu(lab)
    address = sgsn.attach()[0]
    ping(lab, sgsn.namespace, address)
    out = run("ip", "netns", "exec", lab.namespace(sgsn.namespace), "traceroute", "-n", "-q", "2",
              "-w", "10", "-m", "4", "-s", address, CORE_HOST)
    hops = re.findall(r"^ *(\d+) +([0-9.]+) ", out, re.M)
    assert len(hops) == 2 and hops[1][1] == CORE_HOST, out


def test_tshark_accepts_all(lab, pair):
    """tshark finds no malformed packet and no bad checksum in anything that the pair sends"""
    captures = [
        Capture(lab, "acc"),
        Capture(lab, "core"),
        Capture(lab, "right", "r-srp"),
        Capture(lab, "right", "r-repl")
    ]
    sgsn = Sgsnemu(lab, contexts=2)
    address = sgsn.attach()[0]
    assert ping(lab, sgsn.namespace, address, count=5) >= 4
    lab.ip(sgsn.namespace, "link", "set", sgsn.device, "mtu", "1500")
    assert ping(lab, sgsn.namespace, address, size=1472) >= 2
    # A refusal, an echo on each plane, another version, an unknown tunnel (answered once the pair
    # is 3 s old).
    own = lab.add_ue()[1]
    control, user = Client(lab, address=own), Client(lab, port=2152, address=own, remote_port=2152)
    assert control.create("240019999999999", "no.such.apn")[0] == UNKNOWN_APN
    assert control.ask(message(ECHO, 0, 77, b"")) is not None
    assert control.ask(bytes.fromhex("1e01000000010000ffffffff0000000000000000")) is not None
    assert user.ask(message(ECHO, 0, 78, b"")) is not None

    def indicated():
        user.sock.send(bytes.fromhex("30ff0014fffffff0") + bytes(20))
        return user.receive(0.2)
    assert wait_until(indicated, 30, "an Error Indication")[1] == 26
    pair.switchover()
    assert ping(lab, sgsn.namespace, address) >= 2
    assert sgsn.detach() == [128, 128]
    wrong = (f"!(ip.src == {own}) && (_ws.malformed || _ws.unreassembled || ip.checksum.status == 0"
             " || udp.checksum.status == 0 || tcp.checksum.status == 0)")
    announced = "arp.isgratuitous && arp.src.proto_ipv4 == "
    # Each capture saw what it is about.
    kinds = [f"ip.src == {VIP} && gtp.message == {kind}"
             for kind in ("0x02", "0x03", "0x11", "0x15", "0x1a", "0xff")]
    seen = {captures[0]: kinds + [announced + VIP], captures[1]: [announced + CORE_GATEWAY]}
    frames = 0
    for capture in captures:
        capture.stop("gtp.message == 0x15" if capture is captures[0] else None)
        wanted = seen.get(capture, [])
        number, bad, *found = capture.counts("frame", wrong, *wanted)
        assert bad == 0, capture.rows(wrong, "frame.number", "ip.src", "ip.dst",
                                      "_ws.expert.message")[:5]
        assert all(found), f"{capture.file}: {dict(zip(wanted, found))}"
        frames += number
    return f"{frames} frames"


@alone
@needs(**TWO_WORKERS)
def test_two_workers(lab, pair):
    """two workers, packets that arrive at the wrong one are handed over"""
    sgsns = [Sgsnemu(lab, contexts=4) for _ in range(2)]
    streams = [Probes(lab, s.namespace, a, interval=0.02) for s in sgsns for a in s.attach()]
    wait_heard(streams, 100)
    results = [stream.stop() for stream in streams]
    # The first packet to a neighbour that is not resolved yet may be lost, and what was thrown away
    # after a stall.
    active = pair.active
    stale = active.counter("stale_frames")
    assert all(len(r.lost) <= 2 + stale for r in results), [str(r) for r in results]
    assert active.counter("handed_over") > 0 and active.counter("handed_in") == active.counter(
        "handed_over")
    owners = {
        active.ctl("show session", session=a)["sessions"][0]["worker"]
        for s in sgsns for a in s.addresses()
    }
    assert owners == {0, 1}, owners
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 5, "equal tables")
    survivor = pair.other(active)
    at = active.kill9()
    survivor.state_is("Active")
    decided = pair.decided_ms(survivor, at)
    assert decided <= 250 + survivor.stood_still_ms(), f"{decided}, {survivor.info()}"
    for sgsn in sgsns:
        for address in sgsn.addresses():
            assert ping(lab, sgsn.namespace, address) >= 2, address
    assert survivor.counter("handed_over") > 0
