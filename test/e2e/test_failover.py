# SPDX-License-Identifier: BSD-3-Clause
"""The pair at war: chassis die, return, hand over, lose their link; subscribers should not
notice."""

import signal
import time

from chassis import PAIR_S, Pair
from lab import wait_until
from shared import alone
from traffic import Iperf, Probes, Sgsnemu, no_loss, ping, wait_heard

# Virtual machines stall for tens of milliseconds: the gap is told exactly, and asserted loosely.
# What the survivor says that it stood still itself comes on top of that, and the time in which
# nobody asked is none of it.
GAP_MS = 250


def equal_tables(pair):
    """Waits until both chassis hold the same sessions; returns them."""
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "equal tables")
    return pair.identities(pair.left)


def warm(*streams):
    """Lets each stream run until next hops are known and the path carries it steadily."""
    wait_heard(streams, 100)


@alone
def test_sigkill_active(lab, pair):
    """SIGKILL of the active under pings and TCP: no session lost, TCP goes on, the gap is small"""
    sgsn, other = Sgsnemu(lab, contexts=3), Sgsnemu(lab)
    addresses = sgsn.attach()
    far = other.attach()[0]
    streams = [
        Probes(lab, sgsn.namespace, addresses[0]),
        Probes(lab, other.namespace, far)
    ]
    warm(*streams)
    victim, survivor = pair.active, pair.other(pair.active)
    before = equal_tables(pair)
    assert len(before) == 4
    tcp = Iperf(lab, sgsn.namespace, addresses[1], 6)
    tcp.goes_on()
    at = victim.kill9()
    survivor.state_is("Active", 10)
    tcp.goes_on()
    warm(*streams)
    assert pair.identities(survivor) == before, "sessions were lost or changed"
    last = survivor.info()["last_switchover"]
    told = {p["phase"]: p["took_ms"] for p in last["phases"]}
    assert {"silence", "stop", "own", "activate", "stream"
            } <= set(told) and last["cause"] == "dead-timer-expiry", last
    # What comes before the last step is what subscribers waited for.
    assert abs(sum(told.values()) - told["stream"] - last["outage_ms"]) < 1, last
    octets, halves = tcp.finish()
    assert sum(halves[-2:]) > 0 and octets > 1000000, f"TCP stalled: {halves}"
    results = [stream.stop() for stream in streams]
    gap = max(r.gap_ms for r in results)
    assert max(r.asked_gap_ms for r in results) <= GAP_MS + last["stood_still_ms"], (
        f"gap {gap:.0f} ms, {last}")
    for address in addresses:
        assert ping(lab, sgsn.namespace, address) >= 2, address
    assert sgsn.detach() == [128] * 3
    return (f"gap {gap:.0f} ms, decided after {pair.decided_ms(survivor, at):.0f} ms, outage "
            f"{last['outage_ms']} ms, "
            f"{sum(len(r.lost) for r in results)} probes lost, TCP "
            f"{octets * 8 / tcp.seconds / 1e6:.1f} Mbit/s")


def test_return_and_switch_back(lab, pair):
    """the killed chassis returns, resyncs without touching traffic, and takes over again; no packet
    is lost"""
    sgsn = Sgsnemu(lab, contexts=2)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    warm(stream)
    before = equal_tables(pair)
    victim = pair.active
    survivor = pair.other(victim)
    victim.kill9()
    survivor.state_is("Active", 10)
    warm(stream)
    stream.stop()
    stream = Probes(lab, sgsn.namespace, sgsn.addresses()[0])
    warm(stream)
    victim.start()
    victim.wait_ready()
    assert pair.settle() == (survivor, victim), "the chassis that returned is not the Standby"
    assert equal_tables(pair) == before
    assert pair.switchover() is victim
    warm(stream)
    pair.settle()
    result = stream.stop()
    no_loss(pair, result)
    assert equal_tables(pair) == before
    return str(result)


def test_sigkill_standby(lab, pair):
    """SIGKILL of the standby: traffic is unaffected, and signalling too"""
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    warm(stream)
    standby = pair.other(pair.active)
    standby.kill9()
    warm(stream)
    late = Sgsnemu(lab)
    late.attach()
    standby.start()
    standby.wait_ready()
    pair.settle()
    assert len(equal_tables(pair)) == 2
    result = stream.stop()
    no_loss(pair, result)
    return str(result)


def test_both_restarted(lab, pair):
    """both chassis killed and started at once: one becomes Active, subscribers attach anew"""
    sgsn = Sgsnemu(lab)
    sgsn.attach()
    counter = pair.active.info()["restart_counter"]
    for chassis in pair.both:
        chassis.kill9()
    sgsn.kill()
    for chassis in pair.both:
        chassis.start()
    for chassis in pair.both:
        chassis.wait_ready()
    active, standby = pair.settle()
    assert active.info()["restart_counter"] == (counter + 1) % 256, (
        "an empty table needs a new restart counter")
    assert active.info()["restart_counter"] == standby.info()["restart_counter"]
    assert active.total() == 0
    anew = Sgsnemu(lab)
    assert ping(lab, anew.namespace, anew.attach()[0], count=5) >= 4
    equal_tables(pair)


@alone
def test_twenty_times(lab, pair):
    """twenty planned switchovers A to B to A under traffic; no packet is lost"""
    sgsn = Sgsnemu(lab, contexts=3)
    streams = [Probes(lab, sgsn.namespace, a) for a in sgsn.attach()]
    warm(*streams)
    before = equal_tables(pair)
    role = pair.active
    for turn in range(20):
        role = pair.other(role)
        assert pair.switchover() is role, f"turn {turn}"
        pair.settle()
        streams[0].wait_heard(10)
    warm(*streams)
    results = [stream.stop() for stream in streams]
    assert equal_tables(pair) == before
    no_loss(pair, *results)
    return f"{results[0]}"


@alone
def test_crash_six_times(lab, pair):
    """six crashes of whoever is Active, each after the other came back; every session is there in
    the end"""
    sgsn = Sgsnemu(lab, contexts=3)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    warm(stream)
    before = equal_tables(pair)
    decided, stood_still = [], 0
    for _ in range(6):
        victim = pair.active
        survivor = pair.other(victim)
        at = victim.kill9()
        survivor.state_is("Active", 10)
        stream.wait_heard(20)
        decided.append(pair.decided_ms(survivor, at))
        stood_still = max(stood_still, survivor.stood_still_ms())
        victim.start()
        victim.wait_ready()
        pair.settle()
        assert equal_tables(pair) == before
    result = stream.stop()
    assert result.asked_gap_ms <= GAP_MS + stood_still, f"{result}, stood still {stood_still} ms"
    return f"{result}, decided after {', '.join(f'{d:.0f}' for d in decided)} ms"


def test_sigterm_hands_over(lab, pair):
    """SIGTERM of the active hands over first; no packet is lost"""
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    warm(stream)
    before = equal_tables(pair)
    leaving = pair.active
    staying = pair.other(leaving)
    assert leaving.term() == 0
    staying.state_is("Active", 10)
    warm(stream)
    assert pair.identities(staying) == before
    result = stream.stop()
    no_loss(pair, result)
    return str(result)


@alone
def test_stopped_active(lab, pair):
    """an active that stands still (SIGSTOP) is replaced, and steps back when it wakes"""
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    warm(stream)
    before = equal_tables(pair)
    frozen = pair.active
    survivor = pair.other(frozen)
    at = time.time()
    frozen.may_end()
    frozen.process.send(signal.SIGSTOP)
    survivor.state_is("Active", 10)
    decided, stood_still = pair.decided_ms(survivor, at), survivor.stood_still_ms()
    warm(stream)
    frozen.process.send(signal.SIGCONT)
    # Its watchdog may end it, which is as good: it must not be Active any more.
    wait_until(lambda: not frozen.alive() or frozen.info().get("chassis_state") == "Standby",
               PAIR_S, "the old Active to go")
    warm(stream)
    assert survivor.info()["chassis_state"] == "Active"
    assert pair.identities(survivor) == before
    result = stream.stop()
    assert result.asked_gap_ms <= GAP_MS + stood_still, (
        f"{result}, stood still {stood_still} ms: what the old Active still had to announce took "
        "the traffic back")
    return f"{result}, decided after {decided:.0f} ms"


def test_replication_link_cut(lab, pair):
    """the replication link is cut for 5 s: no switchover, and what was missed is repaired at a
    known cost"""
    sgsn = Sgsnemu(lab, contexts=3)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    warm(stream)
    equal_tables(pair)
    active, standby = pair.active, pair.other(pair.active)
    term = active.info()["term"]
    cost = standby.ctl("show srp audit-statistics")
    lab.link("left", "l-repl", "down")
    stream.wait_heard(100)
    late = Sgsnemu(lab)
    missed = late.attach()[0]
    stream.wait_heard(350, timeout=60)
    wait_until(lambda: "down" in [c.info()["replication_path"] for c in pair.both], 30,
               "the path to be told as down")
    assert missed not in standby.sessions(), "the cut link carried a session"
    lab.link("left", "l-repl", "up")
    wait_until(lambda: missed in standby.sessions(), 20, "what was missed at the standby")
    pair.settle()
    equal_tables(pair)
    result = stream.stop()
    no_loss(pair, result)
    for chassis, state in ((active, "Active"), (standby, "Standby")):
        assert chassis.info()["chassis_state"] == state, chassis.info()
    assert active.info()["term"] == term, "the term changed"
    spent = {k: v - cost.get(k, 0) for k, v in standby.ctl("show srp audit-statistics").items()
             if k in ("compared", "differing", "repaired", "wants_slots", "wants_whole")}
    return f"resync: {', '.join(f'{v} {k}' for k, v in spent.items())}"


def test_srp_link_cut(lab, pair):
    """the SRP link is cut for 5 s: an alarm and no switchover"""
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    warm(stream)
    active = pair.active
    lab.link("left", "l-srp", "down")
    stream.wait_heard(500, timeout=60)
    alarms = lambda: [a["alarm"] for c in pair.both for a in c.ctl("show alarms")["alarms"]]
    wait_until(lambda: "connection" in alarms(), 30, lambda: f"the alarm: {alarms()}")
    assert active.info()["chassis_state"] == "Active"
    assert pair.other(active).info()["chassis_state"] == "Standby"
    lab.link("left", "l-srp", "up")
    pair.settle(60)
    result = stream.stop()
    no_loss(pair, result)
    return str(result)
