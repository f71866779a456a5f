# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of APNs and pools: they never move, whatever is added, restarted or lost."""

import os

from chassis import Pair, check_truth
from gtp import ACCEPTED, Client
from lab import wait_until
from test_agree import restart, rewrite

# Both sort before those that are there.
POOL = ('{ name = "aaa"; prefix = "172.22.0.0/16"; srp-activate = true; quarantine = 10; },')
APN = ('{ name = "aaa"; pool = "aaa"; dns = ["10.9.0.2"]; },')


def with_more(text):
    """A configuration with another pool and another APN in front of its own."""
    return text.replace("pools = (", f"pools = (\n\t{POOL}").replace(
        "apns = (", f"apns = (\n\t{APN}")


def numbers(chassis):
    """The number of each APN and pool, by kind and name."""
    return {(kind, item["name"]): item["number"]
            for kind in ("apns", "pools") for item in chassis.ctl(f"show {kind}")[kind]}


def session(chassis, address):
    """What an operator sees of a session's APN and pool."""
    seen = chassis.ctl("show session", session=address)["sessions"][0]
    return seen["apn"], seen["apn_number"], seen["pool"], seen["pool_number"]


def test_added_by_restart(lab):
    """an APN and a pool that sort before all others are added by a restart of one chassis, then of
    the other; one loses its list: nobody's number moves, and both have the same"""
    pair = Pair(lab).start()
    client = Client(lab)
    old, new = pair.active, pair.other(pair.active)
    address = client.attach("240030000000001").address
    first = numbers(old)
    internet, subscribers = first["apns", "internet"], first["pools", "subscribers"]
    assert internet and subscribers and numbers(new) == first
    mine = ("internet", internet, "subscribers", subscribers)
    wait_until(lambda: new.total() == 1, 15, "the session on the standby")
    assert session(old, address) == session(new, address) == mine
    for chassis in (new, old):
        rewrite(chassis, with_more)
    os.unlink(os.path.join(new.state, "numbers.state"))
    restart(new)
    # Its configuration is another, and it does not join; but it has the Active's list.
    wait_until(lambda: numbers(new) == {**first, ("apns", "aaa"): None, ("pools", "aaa"): None},
               15, lambda: f"the peer's numbers: {numbers(new)}")
    assert session(old, address) == mine
    assert old.term() == 0
    new.state_is("Active")
    more = numbers(new)
    assert {**first, **more} == more, (first, more)
    added = more["apns", "aaa"], more["pools", "aaa"]
    assert all(added) and added[0] != internet and added[1] != subscribers, more
    old.start()
    old.wait_ready()
    pair.settle()
    assert numbers(old) == more
    addresses = []
    for imsi, apn in (("240030000000002", "internet"), ("240030000000003", "aaa")):
        cause, _, _, address = client.create(imsi, apn)
        assert cause == ACCEPTED
        addresses.append(address)
    assert addresses[1].startswith("172.22."), addresses
    wait_until(lambda: old.total() == 2, 15, "both sessions on the standby")
    theirs = ("aaa", added[0], "aaa", added[1])
    for chassis in pair.both:
        assert [session(chassis, a) for a in addresses] == [mine, theirs]
    check_truth(pair)
    new.kill9()
    old.state_is("Active")
    assert [session(old, a) for a in addresses] == [mine, theirs]
    assert numbers(old) == more
    new.start()
    new.wait_ready()
    pair.settle()
    assert numbers(new) == more


def test_ids(lab):
    """with the key id an APN and a pool have that number on both"""
    pair = Pair(lab, rewrite=lambda text: text.replace(
        'name = "subscribers";', 'name = "subscribers"; id = 17;').replace(
            'name = "internet";', 'name = "internet"; id = 254;')).start()
    address = Client(lab).attach("240030000000001").address
    wait_until(lambda: pair.other(pair.active).total() == 1, 15, "the session on the standby")
    for chassis in pair.both:
        assert session(chassis, address) == ("internet", 254, "subscribers", 17)
