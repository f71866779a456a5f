# SPDX-License-Identifier: BSD-3-Clause
"""Both paths between the chassis cut while both live, and what the routers or the shared subnets
make of two Active ones."""

import json
import time

from chassis import Pair, attach_protected, check_truth
from lab import CORE_GATEWAY, SIDES, VIP, run, wait_until
from shared import alone
from test_aaa import alarms, causes
from test_failover import GAP_MS, equal_tables, warm
from test_routing import BirdFar, Far, Scene, bird, frr
from traffic import Capture, Probes, Sgsnemu, no_loss

LINKS = ("l-srp", "l-repl")
# For as long an Active announces its addresses, at an activation and after a link came up.
ANNOUNCED_MS = 4000
# On shared subnets the two chassis are not to hear each other's ARP either, or who is left alone
# finds the other.
APART = """table bridge apart {
	chain forward {
		type filter hook forward priority 0;
		ether type arp iifname "to-left" oifname "to-right" drop
		ether type arp iifname "to-right" oifname "to-left" drop
	}
}
"""


def cut(lab, state, links=LINKS):
    """Both links between the chassis, SRP's and the stream's, down or up; or others of the left
    one's."""
    for link in links:
        lab.link("left", link, state)


def quiet(chassis):
    """Waits until what it announced when it became Active is over: from then on nobody is told
    where the addresses are."""
    chassis.wait(lambda i: i["chassis_state"] == "Active" and i["state_age_ms"] > ANNOUNCED_MS, 10,
                 "its announcements to be over")


def apart(lab, on):
    """Whether the chassis hear each other's ARP in the subnets that they share."""
    for name in ("acc", "core"):
        lab.run(name, "nft", APART if on else "delete table bridge apart")


def forwarded(chassis):
    """Subscribers' packets that it sent on, both ways."""
    return chassis.counter("up_tx_packets") + chassis.counter("down_tx_packets")


def both_active(pair, promoted):
    """Waits until the Standby promoted itself; the other stays what it is."""
    promoted.state_is("Active", 15)
    assert causes(promoted)[-1] == ("Active", "dead-timer-expiry"), causes(promoted)
    assert pair.other(promoted).info()["chassis_state"] == "Active"


def one_demoted(pair, loser, before):
    """After the repair: the loser is Standby for having been one of two, and nothing else happened.
    before: causes of each."""
    winner = pair.other(loser)
    assert pair.settle() == (winner, loser), "the wrong one stayed Active"
    assert causes(loser) == before[loser] + [("Standby", "dual-active")], causes(loser)
    assert causes(winner) == before[winner], causes(winner)
    wait_until(lambda: not any("dual-active" in alarms(c) for c in pair.both), 10,
               lambda: [alarms(c) for c in pair.both])


def goes_on(lab, pair, made, stream):
    """Replication after the repair: the session that was made in the meantime is on both, and a new
    one is acknowledged before it is answered."""
    active, standby = pair.settle()
    equal_tables(pair)
    assert made in standby.sessions(), "what was made while the links were cut is not there"
    address = attach_protected(active, standby, lambda: Sgsnemu(lab).attach()[0])
    wait_until(lambda: address in standby.sessions(), 10, "what was acknowledged")
    equal_tables(pair)
    warm(stream)
    check_truth(pair)


def split_l3(lab, speakers, router):
    """Both links cut and repaired in L3: the routers keep the old Active, and never look at the
    other."""
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
    assert set(lengths) == set(SIDES) and lengths[new.side] == 1 + modifier > lengths[old.side], (
        lengths)
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
        assert not far.moves(new, since), (
            f"{far.name} moved to {new.side}: {far.events.output()[-1500:]}")
    assert forwarded(new) == carried, f"{new.side} forwarded {forwarded(new) - carried} packets"
    no_loss(pair, result)
    return f"AS paths while both were Active {lengths}; {result}"


@alone
def test_l3_frr(lab):
    """SRP and replication cut, both Active, FRR: routers keep the old one; repaired, the promoted
    one demotes, nothing moved"""
    return split_l3(lab, frr, Far)


@alone
def test_l3_bird(lab):
    """the same with BIRD on the chassis and as the routers"""
    return split_l3(lab, bird, BirdFar)


def holder(lab):
    """The side that has the VIPs, by the neighbours' entries of the segments; None while they do
    not agree."""
    macs = {
        json.loads(run("ip", "-n", lab.namespace(side), "-j", "link", "show", twin))[0]["address"]:
        side
        for side in SIDES for twin in ("tw-acc", "tw-core")
    }
    found = {
        macs.get(n.get("lladdr"))
        for name, vip in (("acc", VIP), ("core", CORE_GATEWAY)) for n in json.loads(
            run("ip", "-n", lab.namespace(name), "-j", "neigh", "show", vip) or "[]")
    }
    return found.pop() if len(found) == 1 else None


class Shared:
    """A pair on shared subnets, and a subscriber whose packets go to whoever announced itself
    last."""

    def __init__(self, lab):
        self.lab = lab
        self.pair = Pair(lab, {"srp.topology": '"l2"'}).start()
        self.old, self.new = self.pair.active, self.pair.other(self.pair.active)
        sgsn = Sgsnemu(lab)
        self.place = sgsn.namespace, sgsn.attach()[0]
        quiet(self.old)
        assert self.holder() == self.old.side
        equal_tables(self.pair)

    def holder(self):
        """The side that has the VIPs, by the neighbours' entries of the segments; None while they
        do not agree."""
        show = lambda name, *what: json.loads(
            run("ip", "-n", self.lab.namespace(name), "-j", *what) or "[]")
        macs = {
            show(side, "link", "show", twin)[0]["address"]: side
            for side in SIDES for twin in ("tw-acc", "tw-core")
        }
        found = {
            macs.get(n.get("lladdr"))
            for name, vip in (("acc", VIP), ("core", CORE_GATEWAY))
            for n in show(name, "neigh", "show", vip)
        }
        return found.pop() if len(found) == 1 else None

    def mac(self, chassis):
        """The address of its access port."""
        return json.loads(
            run("ip", "-n", self.lab.namespace(chassis.side), "-j", "link", "show",
                "tw-acc"))[0]["address"]

    def stream(self):
        """A steady stream of the subscriber's packets."""
        stream = Probes(self.lab, *self.place)
        warm(stream)
        return stream

    def promoted(self, stream):
        """The Standby is Active too, its announcement moved the traffic, and is over. What became
        of the stream; a session that is made now; and the causes of each chassis."""
        both_active(self.pair, self.new)
        wait_until(lambda: self.holder() == self.new.side, 5, lambda: "the segments to follow "
                                                                      f"{self.new.side}")
        warm(stream)
        made = Sgsnemu(self.lab).attach()[0]
        quiet(self.new)
        assert made in self.new.sessions() and made not in self.old.sessions(), (
            "the links are not cut")
        assert self.old.info()["chassis_state"] == "Active"
        return stream.stop(), made, {c: causes(c) for c in self.pair.both}


def test_l2(lab):
    """SRP and replication cut, both Active, shared subnets: the announcement moves it; repaired,
    the old one demotes, nothing moves"""
    scene = Shared(lab)
    pair, old, new = scene.pair, scene.old, scene.new
    stream = scene.stream()
    apart(lab, True)
    cut(lab, "down")
    moved, made, before = scene.promoted(stream)
    terms = [c.info()["term"] for c in (old, new)]
    stream = scene.stream()
    carried, heard = forwarded(old), Capture(lab, "acc")
    apart(lab, False)
    cut(lab, "up")
    one_demoted(pair, old, before)
    goes_on(lab, pair, made, stream)
    result = stream.stop()
    heard.stop(last=f"gtp && ip.dst == {VIP}")
    said = heard.rows(f"arp.src.proto_ipv4 == {VIP} && eth.src == "
                      f"{scene.mac(old)}", "frame.time_relative")
    assert not said, f"{old.side}, which was about to give up, announced itself {len(said)} times"
    assert scene.holder() == new.side and forwarded(old) == carried, (
        f"{forwarded(old) - carried} packets by {old.side}")
    no_loss(pair, moved, result)
    return f"terms while both were Active {terms}; moved: {moved}; repaired: {result}"


@alone
def test_l2_all_links(lab):
    """every link of the Active cut: the other takes over; repaired, the old one announces itself
    once more, and demotes: it moves back"""
    scene = Shared(lab)
    pair, old, new = scene.pair, scene.old, scene.new
    if old is not pair.left:
        assert pair.switchover() is pair.left
        pair.settle()
        quiet(pair.left)
        old, new = scene.old, scene.new = new, old
    stream = scene.stream()
    cut(lab, "down", ("l-acc", "l-core") + LINKS)
    _, made, before = scene.promoted(stream)
    stream = scene.stream()
    # Its subnets before its peer: it takes itself for the only one still.
    cut(lab, "up", ("l-acc", "l-core"))
    wait_until(
        lambda: all(p["link"] == "up" for p in old.ctl("show ports")["ports"]
                    if p["name"] in ("access", "core")), 10, "links")
    warm(stream)
    cut(lab, "up")
    one_demoted(pair, old, before)
    wait_until(lambda: scene.holder() == new.side, 5, lambda: "the segments to come back to "
                                                              f"{new.side}")
    goes_on(lab, pair, made, stream)
    result = stream.stop()
    assert result.gap_ms <= GAP_MS, str(result)
    return f"repaired: {result}"
