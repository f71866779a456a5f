# SPDX-License-Identifier: BSD-3-Clause
"""Roles that move in unusual ways: what signalling, usage and the stream do afterwards."""

import ipaddress
import itertools
import socket
import struct
import time

import gtp
from chassis import Pair
from lab import wait_until
from traffic import Probes, Sgsnemu, no_loss, ping, wait_heard

LINKS = ("l-repl", "l-srp")


def usage(chassis):
    """Usage of every session, both sides' sets, by address."""
    found = {}
    for address in chassis.sessions():
        whole = chassis.ctl("show session", id=address)["sessions"][0]
        found[address] = (whole["usage_seat0"], whole["usage_seat1"])
    return found


def same_usage(pair):
    """Waits until both chassis tell the same usage."""
    wait_until(lambda: usage(pair.left) == usage(pair.right), 10,
               lambda: f"equal usage: {usage(pair.left)} {usage(pair.right)}")


def dual_active(lab, topology):
    """Cuts both paths until both are Active, with traffic; heals them. Returns the pair and the
    SGSN."""
    pair = Pair(lab, edits={"srp.topology": topology}).start()
    sgsn = Sgsnemu(lab, contexts=2)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    wait_heard([stream], 50)
    for link in LINKS:
        lab.link("left", link, "down")
    for chassis in pair.both:
        chassis.state_is("Active", 15)
    wait_heard([stream], 50)
    for link in LINKS:
        lab.link("left", link, "up")
    pair.settle()
    wait_heard([stream], 50)
    stream.stop()
    return pair, sgsn


def after_dual_active(lab, topology):
    """Signalling works, usage converges, nothing waits for ever."""
    pair, sgsn = dual_active(lab, topology)
    other = Sgsnemu(lab)
    assert ping(lab, other.namespace, other.attach()[0]) >= 2, "no new session after dual active"
    same_usage(pair)
    wait_until(lambda: pair.active.counter("gtp.answers") == "protected", 10,
               "answers that wait for the standby")
    assert sgsn.detach() == [128] * 2
    before = pair.identities(pair.active)
    pair.settle()
    pair.switchover()
    pair.settle()
    assert pair.identities(pair.active) == before
    same_usage(pair)
    return f"{len(before)} sessions"


def test_dual_active_by_route(lab):
    """both paths cut and healed, the lower route modifier wins: new sessions, equal usage, a
    planned switchover"""
    return after_dual_active(lab, '"l3"')


def test_dual_active_by_term(lab):
    """the same on shared subnets, where the higher term wins"""
    return after_dual_active(lab, '"l2"')


def test_switch_back_at_once(lab, pair):
    """planned switchovers back and forth while late usage is on its way: the stream refuses
    nothing"""
    sgsn = Sgsnemu(lab, contexts=3)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    wait_heard([stream], 50)

    def refused():
        told = {c.side: c.ctl("show srp checkpoint statistics") for c in pair.both}
        return {(s, k): told[s][k] for s in told for k in ("rx_refused", "refused_not_owner")}
    before = refused()
    for _ in range(4):
        pair.switchover()
        pair.settle()
    wait_heard([stream], 50)
    result = stream.stop()
    no_loss(pair, result)
    same_usage(pair)
    assert refused() == before, f"records refused: {before}, then {refused()}"
    # Micro checkpoints still flow: usage is equal long before the audit comes round.
    assert ping(lab, sgsn.namespace, sgsn.addresses()[1]) >= 2
    same_usage(pair)
    return str(result)


def test_idle_clients(pair):
    """clients of the control socket that say nothing do not keep others out"""
    idle = []
    try:
        for _ in range(40):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(pair.left.socket)
            sock.send(b'{"command": "show')
            idle.append(sock)
            assert pair.left.ctl("show srp info")["context"] == "left"
    finally:
        for sock in idle:
            sock.close()
    return f"{len(idle)} idle clients"


def test_peer_dies_in_switchover(lab, pair):
    """the standby is killed at different moments of a planned switchover: the other one carries on,
    signalling too"""
    sgsn = Sgsnemu(lab, contexts=2)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    wait_heard([stream], 50)
    for delay in (0, 0.001, 0.003, 0.01):
        active = pair.active
        peer = pair.other(active)
        before = pair.identities(active)
        wait_until(lambda a=active: pair.begins(a), 30, "the durable reserve of terms")
        moment = time.monotonic() + delay
        while time.monotonic() < moment:  # a few milliseconds into it, to the point
            pass
        peer.kill9()
        active.state_is("Active", 15)
        wait_heard([stream], 30)
        assert pair.identities(active) == before
        other = Sgsnemu(lab)
        assert ping(lab, other.namespace, other.attach()[0]) >= 2, (
            f"no new session, killed after {delay} s")
        assert other.detach() == [128]
        peer.start()
        peer.wait_ready()
        pair.settle()
    same_usage(pair)
    return str(stream.stop())


def test_numbers_begin_again(lab, pair):
    """an SGSN that restarts uses sequence numbers of before: its new requests are no repetitions"""
    answers = []
    for imsi in ("240010000000001", "240010000000002"):
        client = gtp.Client(lab, port=2200, sequence=itertools.count(1))
        cause, _, teid, address = client.create(imsi)
        assert cause == gtp.ACCEPTED
        assert pair.active.sessions()[address]["imsi"] == imsi, (
            f"{imsi} was told of another session")
        answers.append(teid)
        client.close()
    assert answers[0] != answers[1]
    again = gtp.Client(lab, port=2200, sequence=itertools.count(1))
    assert again.create("240010000000002")[2] == answers[1], "a repetition was not known as one"
    again.close()


def test_session_moves_to_another_sgsn(lab, pair):
    """a session that moved to another SGSN does not end with what that one says of its own
    restarts"""
    lab.add_ue()  # the first is where every client speaks from
    place = lab.add_ue()[1]
    first, second = gtp.Client(lab), gtp.Client(lab, address=place)
    _, control, _, address = first.create("240010000000001")
    own = ipaddress.ip_address(place).packed
    update = (struct.pack("!BI", 16, 77) + b"\x14\x05" + gtp.tlv(133, own) + gtp.tlv(133, own)
              + gtp.tlv(135, bytes.fromhex("000b921f")))
    assert first.request(18, control, update)[1][0] == gtp.ACCEPTED
    # The other one tells that it restarted seven times, with a session of its own.
    body = gtp.create_elements("240010000000002", 5, place).replace(b"\x0e\x01", b"\x0e\x07", 1)
    assert second.request(gtp.CREATE, 0, body)[1][0] == gtp.ACCEPTED
    passes = pair.active.counter("sweeps")
    wait_until(lambda: pair.active.counter("sweeps") >= passes + 2, 60, "two passes over the table")
    assert address in pair.active.sessions(), "the session that moved was ended"
    assert pair.active.counter("ended_sgsn_restart") == 0


def routes(lab, chassis):
    """Metrics of the routes that a routing daemon would redistribute, by destination."""
    lines = lab.ip(chassis.side, "route", "show", "proto", "84").splitlines()
    return {
        line.split()[1]: int(line.split("metric")[1].split()[0])
        for line in lines if "metric" in line
    }


def test_routes_while_late(lab):
    """L3: who hands over keeps its routes, as the longer path and without the addresses, until
    nothing comes late"""
    pair = Pair(lab, edits={"srp.topology": '"l3"'}).start()
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    wait_heard([stream], 50)
    old = pair.active
    assert not routes(lab, pair.other(old)), "a standby has routes"
    wanted = set(routes(lab, old))
    assert {"10.8.0.100", "10.9.0.100", "172.20.0.0/16"} <= wanted, f"{wanted}"
    # Nothing came late for a second, and they are gone: then whoever looks was too late.
    for _ in range(3):
        new = pair.switchover()
        longer, shorter = routes(lab, old), routes(lab, new)
        if old.info()["state_age_ms"] < 1000:
            break
        pair.settle()
        wait_until(lambda c=old: not routes(lab, c), 40, "the routes to go")
        old = new
    assert set(longer) == set(shorter) == wanted, f"{longer} {shorter}"
    assert all(longer[to] > shorter[to] for to in wanted), f"{longer} {shorter}"
    assert "10.8.0.100" not in lab.ip(old.side, "address", "show", "dev", "lo"), (
        "an address stays on lo")
    wait_until(lambda: not routes(lab, old), 40, lambda: f"no routes: {routes(lab, old)}")
    wait_heard([stream], 50)
    result = stream.stop()
    no_loss(pair, result)
    return f"{len(wanted)} routes, {result}"
