# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 VIPs on shared subnets: neighbour discovery instead of ARP."""

import json

from chassis import Pair
from lab import run, wait_until

VIP6 = "2001:db8:8::100"
HOSTS = {"left": "2001:db8:8::11", "right": "2001:db8:8::12", "acc": "2001:db8:8::1"}


def with_vip6(text):
    """The shipped configuration with an IPv6 VIP besides."""
    item = f'{{ name = "six"; address = "{VIP6}"; port = "access"; srp-activate = true; }}'
    return text.replace("loopbacks = (\n", f"loopbacks = (\n\t{item},\n", 1)


def neighbour(lab):
    """What the SGSNs' segment takes for the VIP's MAC address."""
    found = json.loads(
        run("ip", "-n", lab.namespace("acc"), "-6", "-j", "neigh", "show", VIP6) or "[]")
    return found[0].get("lladdr") if found else None


def mac(lab, side):
    """The MAC address of a chassis' access port."""
    return json.loads(run("ip", "-n", lab.namespace(side), "-j", "link", "show",
                          "tw-acc"))[0]["address"]


def answers(lab):
    """Whether the VIP answers a ping."""
    sent = run("ip",
               "netns",
               "exec",
               lab.namespace("acc"),
               "ping",
               "-6",
               "-c",
               "1",
               "-W",
               "1",
               VIP6,
               check=False)
    return " 0% packet loss" in sent


def alarm(chassis):
    """What the alarm of an address that is taken says, or None."""
    return {a["alarm"]: a["text"] for a in chassis.ctl("show alarms")["alarms"]}.get("vip-answered")


def test_vip6_taken(lab):
    """a chassis that starts alone where somebody answers for its IPv6 VIP stays away, until nobody
    does"""
    for name in HOSTS:
        lab.sysctl(lab.namespace(name), "net.ipv6.conf.all.disable_ipv6=0",
                   "net.ipv6.conf.default.disable_ipv6=0")
    lab.ip("acc", "addr", "add", f"{VIP6}/128", "dev", "br0", "nodad")
    left = Pair(lab, edits={"srp.topology": '"l2"'}, rewrite=with_vip6).left
    left.start()
    left.wait_ready()
    text = wait_until(lambda: alarm(left), 60, lambda: f"the alarm: {left.info()}")
    assert f"VIP {VIP6} is answered by " in text, text
    assert left.info()["chassis_state"] == "Init", left.info()
    lab.ip("acc", "addr", "del", f"{VIP6}/128", "dev", "br0")
    left.state_is("Active", 60)
    assert alarm(left) is None
    wait_until(lambda: VIP6 in lab.ip("left", "-6", "addr", "show", "tw-acc"), 15, "the VIP")
    return text


def test_vip6(lab):
    """an IPv6 VIP answers on the Active alone, and an unsolicited NA moves the neighbours' entry at
    a switchover"""
    for name in HOSTS:
        lab.sysctl(lab.namespace(name), "net.ipv6.conf.all.disable_ipv6=0",
                   "net.ipv6.conf.default.disable_ipv6=0")
    lab.ip("acc", "addr", "add", f"{HOSTS['acc']}/64", "dev", "br0", "nodad")
    pair = Pair(lab, edits={"srp.topology": '"l2"'}, rewrite=with_vip6).start()
    for side in ("left", "right"):
        lab.ip(side, "addr", "add", f"{HOSTS[side]}/64", "dev", "tw-acc", "nodad")
    active = pair.active
    standby = pair.other(active)
    wait_until(lambda: answers(lab), 15, f"{VIP6} to answer")
    assert neighbour(lab) == mac(lab, active.side)
    for chassis, there in ((active, True), (standby, False)):
        assert (VIP6 in lab.ip(chassis.side, "-6", "addr", "show", "tw-acc")) == there
    pair.switchover()
    # Nobody asked: the entry is there, so what moves it is the announcement.
    wait_until(lambda: neighbour(lab) == mac(lab, standby.side), 15,
               "the neighbour's entry to move")
    wait_until(lambda: answers(lab), 15, f"{VIP6} to answer")
    assert VIP6 not in lab.ip(active.side, "-6", "addr", "show", "tw-acc")
    pair.settle()
    standby.kill9()
    wait_until(lambda: neighbour(lab) == mac(lab, active.side), 15,
               "the neighbour's entry to move")
    wait_until(lambda: answers(lab), 15, f"{VIP6} to answer")
    return f"{VIP6} moved twice"
