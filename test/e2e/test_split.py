# SPDX-License-Identifier: BSD-3-Clause
"""Both paths between the chassis cut while both live, and what the routers make of two Active ones."""

import time

from chassis import check_truth
from lab import SIDES, wait_until
from test_aaa import alarms, causes
from test_failover import equal_tables, warm
from test_routing import BirdFar, Far, Scene, bird, frr
from traffic import Sgsnemu

LINKS = ("l-srp", "l-repl")


def cut(lab, state):
    """Both links between the chassis, SRP's and the stream's, down or up."""
    for link in LINKS:
        lab.link("left", link, state)


def forwarded(chassis):
    """Subscribers' packets that it sent on, both ways."""
    return chassis.counter("up_tx_packets") + chassis.counter("down_tx_packets")


def both_active(pair, promoted):
    """Waits until the Standby promoted itself; the other stays what it is."""
    promoted.state_is("Active", 15)
    assert causes(promoted)[-1] == ("Active", "dead-timer-expiry"), causes(promoted)
    assert pair.other(promoted).info()["chassis_state"] == "Active"


def one_demoted(pair, loser, before):
    """After the repair: the loser is Standby for having been one of two, and nothing else happened. before: causes of each."""
    winner = pair.other(loser)
    assert pair.settle() == (winner, loser), "the wrong one stayed Active"
    assert causes(loser) == before[loser] + [("Standby", "dual-active")], causes(loser)
    assert causes(winner) == before[winner], causes(winner)
    wait_until(lambda: not any("dual-active" in alarms(c) for c in pair.both), 10, lambda: [alarms(c) for c in pair.both])


def goes_on(lab, pair, made, stream):
    """Replication after the repair: the session that was made in the meantime is on both, and a new one is acknowledged before
    it is answered."""
    active, standby = pair.settle()
    equal_tables(pair)
    assert made in standby.sessions(), "what was made while the links were cut is not there"
    told = [active.counter(f"gtp.{name}_answers") for name in ("protected", "unprotected")]
    late = Sgsnemu(lab)
    address = late.attach()[0]
    assert [active.counter(f"gtp.{name}_answers") for name in ("protected", "unprotected")] == [told[0] + 1, told[1]], told
    assert address in standby.sessions(), "it was acknowledged, and is not there"
    equal_tables(pair)
    warm(stream)
    check_truth(pair)


def split_l3(lab, speakers, router):
    """Both links cut and repaired in L3: the routers keep the old Active, and never look at the other."""
    scene = Scene(lab, speakers, bfd=False, router=router)
    pair = scene.pair
    old, new = pair.active, pair.other(pair.active)
    stream = scene.stream()
    carried, modifier = forwarded(new), new.info()["route_modifier"]
    since = time.time()
    cut(lab, "down")
    both_active(pair, new)
    # Both announce, each with as many prepends as its modifier, which the promotion did not change.
    lengths = scene.counted()
    assert set(lengths) == set(SIDES) and lengths[new.side] == 1 + modifier > lengths[old.side], lengths
    scene.follow(old)
    stream.wait_heard(200)
    made = Sgsnemu(lab).attach()[0]
    assert made in old.sessions() and made not in new.sessions(), "the links are not cut"
    before = {c: causes(c) for c in pair.both}
    cut(lab, "up")
    one_demoted(pair, new, before)
    wait_until(lambda: scene.metric(new) is None, 10, f"{new.side} to withdraw")
    assert set(scene.counted()) == {old.side}
    scene.follow(old)
    goes_on(lab, pair, made, stream)
    result = stream.stop()
    for far in scene.fars:
        assert not far.moves(new, since), f"{far.name} moved to {new.side}: {far.events.output()[-1500:]}"
    assert forwarded(new) == carried, f"{new.side} forwarded {forwarded(new) - carried} packets"
    assert not result.lost, str(result)
    return f"AS paths while both were Active {lengths}; {result}"


def test_l3_frr(lab):
    """SRP and replication cut, both Active, FRR: routers keep the old one; repaired, the promoted one demotes, nothing moved"""
    return split_l3(lab, frr, Far)


def test_l3_bird(lab):
    """the same with BIRD on the chassis and as the routers"""
    return split_l3(lab, bird, BirdFar)


def holder(lab):
    """The side that has the VIPs, by the neighbours' entries of the segments; None while they do not agree."""
    macs = {json.loads(run("ip", "-n", lab.namespace(side), "-j", "link", "show", twin))[0]["address"]: side
            for side in SIDES for twin in ("tw-acc", "tw-core")}
    found = {macs.get(n.get("lladdr")) for name, vip in (("acc", VIP), ("core", CORE_GATEWAY))
             for n in json.loads(run("ip", "-n", lab.namespace(name), "-j", "neigh", "show", vip) or "[]")}
    return found.pop() if len(found) == 1 else None
