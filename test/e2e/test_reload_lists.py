# SPDX-License-Identifier: BSD-3-Clause
"""APNs and pools that come and go by a reload, and what becomes of their sessions."""

import itertools

from chassis import Pair, check_truth
from gtp import ACCEPTED, Client
from lab import POOL, wait_until
from test_agree import restart
from test_numbers import numbers, session
from test_reload import (ITEMS, UNKNOWN_APN, Subscribers, alone, are, loaded_file, never_differed,
                         put, refused_reload, rewrite, states, with_items, within)

OFTEN = 30


def lists(pair, was, items):
    """Both are given these APNs and pools, one after the other, and run with them."""
    for chassis in pair.both:
        loaded_file(chassis, with_items(was[chassis], items))
    for chassis in pair.both:
        wait_until(lambda c=chassis: are(c, items), 5, lambda c=chassis: f"{states(c, 'apns')}")


def gone(chassis, name):
    """Whether neither an APN nor a pool of that name is left."""
    return not any(name in states(chassis, kind) for kind in ("apns", "pools"))


def number_of(chassis):
    """{kind: number} of extra."""
    return {kind: numbers(chassis).get((kind, "extra")) for kind in ("apns", "pools")}


def test_drains(lab):
    """an APN and a pool come and go again: who has a session keeps it, over a switchover and over
    the death of a chassis that starts with the new file; nobody gets a new one; when the last has
    ended they leave both, and others may have the addresses"""
    pair = Pair(lab).start()
    active = pair.active
    before = {c: c.info() for c in pair.both}
    was = {c: rewrite(c, {}) for c in pair.both}
    imsis = map(str, itertools.count(240080000000001))
    lists(pair, was, {"extra": "extra"})
    first = number_of(active)
    assert all(first.values()), first
    group = Subscribers(lab, "extra", imsis)
    mine = ("extra", first["apns"], "extra", first["pools"])
    lists(pair, was, {})
    never_differed(pair, before)
    assert states(active, "apns")["extra"] == states(active, "pools")["extra"] == "draining"
    assert [a["sessions"] for a in active.ctl("show apns")["apns"] if a["name"] == "extra"] == [2]
    group.asks(next(imsis), None)
    group.talker.wait_heard(10)
    standby = pair.other(active)
    wait_until(lambda: standby.total() == 2, 10, "both on the standby")
    # Who is started anew has read a file that has neither, and must hold the sessions all the same.
    restart(standby)
    assert pair.settle() == (active, standby)
    assert are(standby, {}) and not gone(standby, "extra")
    wait_until(lambda: standby.total() == 2, 10, "both on the standby that is new")
    assert number_of(standby) == first
    assert pair.switchover() is standby
    for context in group.contexts:
        assert session(standby, context.address) == session(active, context.address) == mine
    group.asks(next(imsis), None)
    group.talker.wait_heard(10)
    # Another pool with these addresses, or of this name, would take them away.
    pair.settle()
    file = with_items(was[standby], {"extra": "extra"}).replace(ITEMS["extra"], "172.24.0.0/16")
    put(standby, file)
    refused_reload(standby, "pools[extra]", f"let it have prefix {ITEMS['extra']}")
    put(standby, with_items(was[standby], {"spare": "spare"}).replace(ITEMS["spare"],
                                                                     "172.22.128.0/17"))
    refused_reload(standby, "pools[spare].prefix overlaps that of pool extra, which drains")
    put(standby, was[standby])
    check_truth(pair)
    lost = group.end()
    for chassis in pair.both:
        wait_until(lambda c=chassis: gone(c, "extra"), 20,
                   lambda c=chassis: f"{chassis.side}: {states(c, 'apns')}, {states(c, 'pools')}")
        assert "has drained" in chassis.process.output()
    routes = lab.run(standby.side, "ip", "route", "show", "type", "blackhole")
    assert POOL in routes and ITEMS["extra"] not in routes, routes
    # The addresses are anybody's now, and the numbers nobody's yet.
    client = Client(lab)
    for chassis in pair.both:
        loaded_file(chassis, with_items(was[chassis], {"spare": "spare"}).replace(
            ITEMS["spare"], ITEMS["extra"]))
    for chassis in pair.both:
        wait_until(lambda c=chassis: states(c, "pools").get("spare") == "used", 5, "spare")
    cause, _, _, address = client.create(next(imsis), "spare")
    assert cause == ACCEPTED and within(address, ITEMS["extra"]), (cause, address)
    found = numbers(standby)
    assert found["apns", "spare"] != first["apns"], found
    assert client.create(next(imsis), "extra")[0] == UNKNOWN_APN
    return f"{lost} packets lost over a restart and a switchover"


def test_often(lab):
    """one that is alone: an APN and a pool come and go as fast as files can be read, while what
    went before is still leaving, and each reload does what its file says; pools that there is no
    memory for change nothing, and leave none behind"""
    chassis = alone(lab)
    chassis.state_is("Active")
    was, client = rewrite(chassis, {}), Client(lab)
    large = with_items(was, {"extra": "extra"}).replace(ITEMS["extra"], "100.64.0.0/10")
    for n in range(OFTEN):
        put(chassis, with_items(was, {"spare": "spare"}) if n % 2 == 0 else was)
        said = chassis.ctl("reload configuration")
        assert {c["key"] for c in said["changed"]} == {"apns[spare]", "pools[spare]"}, said
        assert are(chassis, {"spare": "spare"} if n % 2 == 0 else {}), states(chassis, "pools")
        cause, control, _, _ = client.create("240090000000001", "spare")
        assert cause == (ACCEPTED if n % 2 == 0 else UNKNOWN_APN), (n, cause)
        if cause == ACCEPTED and n % 4 == 0:
            assert client.delete(control) == ACCEPTED
    for _ in range(3):
        put(chassis, large)
        chassis.ctl("reload configuration")
        assert are(chassis, {"extra": "extra"})
        put(chassis, was)
        chassis.ctl("reload configuration")
        wait_until(lambda: gone(chassis, "extra"), 5, lambda: f"{states(chassis, 'pools')}")
    much = "".join(f'\n\t{{ name = "much{i}"; prefix = "{i}.0.0.0/8"; }},' for i in range(20, 80))
    put(chassis, was.replace("pools = (", f"pools = ({much}"))
    refused_reload(chassis, "the pools that are new cannot be had")
    assert len(states(chassis, "pools")) <= 2, states(chassis, "pools")
    put(chassis, large)
    chassis.ctl("reload configuration")
    assert are(chassis, {"extra": "extra"})
