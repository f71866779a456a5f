# SPDX-License-Identifier: BSD-3-Clause
"""A chassis that starts and hears nobody, on a shared subnet where somebody else answers for the
VIP."""

import socket
import time
from datetime import datetime

from chassis import Pair, Standstill
from lab import CORE_GATEWAY, VIP, in_namespace, wait_until
from traffic import Probes, Sgsnemu, no_loss, ping, wait_heard

LINKS = ("l-repl", "l-srp")
DEAD_S = 3  # dead-interval of the lab's configurations: how often it is asked again
PROBE_S = 0.3
SLACK_S = 1.5
WAIT_S = 40  # ten times as long


def alarm(chassis):
    """What the alarm says, or None."""
    return {a["alarm"]: a["text"] for a in chassis.ctl("show alarms")["alarms"]}.get("vip-answered")


def probes(chassis):
    """(asked, answered)"""
    count = chassis.ctl("show srp statistics")
    return count["probes"], count["probes_answered"]


def neighbour(lab, network, address):
    """The MAC address that a network's kernel has for an address."""
    found = lab.ip(network, "neigh", "show", address).split()
    return found[found.index("lladdr") + 1].lower() if "lladdr" in found else None


def became_active(chassis, since, still):
    """Waits until a chassis is Active: seconds since `since`, by its own history. Its retry is put
    off by as long as it stood still, which `still` knows."""
    chassis.state_is("Active", WAIT_S)
    role = chassis.ctl("show srp history")["history"][-1]
    assert role["to"] == "Active", role
    at = datetime.fromisoformat(role["time"].replace("Z", "+00:00")).timestamp()
    assert at - since <= DEAD_S + PROBE_S + SLACK_S + still.look() / 1000, (
        f"Active after {at - since:.1f} s, stood still for {still.longest_ms} ms")
    return at - since


def has_vip(lab, side):
    """Whether a chassis' kernel has one of the VIPs."""
    shown = lab.ip(side, "addr", "show", "dev", "lo")
    return VIP in shown or CORE_GATEWAY in shown


def split(lab):
    """The left chassis Active with traffic, and the right one started with both links to it down,
    until it says that the VIP is answered. Returns the pair, the subscriber and its stream."""
    pair = Pair(lab, edits={"srp.topology": '"l2"'})
    pair.left.start()
    pair.left.wait_ready()
    pair.left.state_is("Active")
    assert probes(pair.left) == (1, 0), "alone, the left chassis did not ask once"
    assert alarm(pair.left) is None
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    wait_heard([stream], 50)
    for link in LINKS:
        lab.link("left", link, "down")
    pair.right.start()
    pair.right.wait_ready()
    wait_until(lambda: alarm(pair.right), WAIT_S, lambda: f"the alarm: {pair.right.info()}")
    return pair, sgsn, stream


def stays_away(lab, pair, stream, retries):
    """The right chassis asks again and again, and takes nothing."""
    asked, _ = probes(pair.right)
    wait_until(lambda: probes(pair.right)[1] >= asked + retries, WAIT_S, "the retries")
    text = alarm(pair.right)
    ours = [m for n, m in pair.left.macs().items() if m in text.lower()]
    assert ours and ("is answered "
                     "by" in text) and (VIP in text or CORE_GATEWAY in text), (text,
                                                                               pair.left.macs())
    assert "mend the links" in text and "delete the VIP from its lo" in text, text
    assert pair.right.info()["chassis_state"] == "Init" and not has_vip(lab, "right"), (
        pair.right.info())
    history = pair.right.ctl("show srp history")["history"]
    assert not any(entry["to"] != "Init" for entry in history), history
    assert pair.left.info()["chassis_state"] == "Active"
    wait_heard([stream], 50)


def test_links_absent(lab):
    """both links absent at the start of the second chassis: it stays in Init with an alarm, and
    joins when they are back"""
    pair, _, stream = split(lab)
    stays_away(lab, pair, stream, 2)
    access = pair.left.macs()
    assert neighbour(lab, "acc", VIP) in access.values(), "the VIP moved"
    for link in LINKS:
        lab.link("left", link, "up")
    assert pair.settle() == (pair.left, pair.right), "the chassis that kept away is not the Standby"
    assert alarm(pair.right) is None and "vip-answered" in [
        a["alarm"] for a in pair.right.ctl("show alarms")["cleared"]]
    result = stream.stop()
    no_loss(pair, result)
    return f"{probes(pair.right)[0]} probes, {result}"


def test_active_gone(lab):
    """the same, and then the Active dies: the second one is Active within one retry, and answers
    for the VIP"""
    pair, sgsn, stream = split(lab)
    stays_away(lab, pair, stream, 1)
    stream.stop()
    still = Standstill(pair.right)
    at = pair.left.kill9()
    took = became_active(pair.right, at, still)
    told = pair.right.ctl("show alarms")
    assert alarm(pair.right) is None and "vip-answered" in [a["alarm"] for a in told["cleared"]], (
        told)
    sgsn.kill()
    anew = Sgsnemu(lab)
    assert ping(lab, anew.namespace, anew.attach()[0], count=5) >= 4
    assert neighbour(lab, "acc", VIP) in pair.right.macs().values()
    role = pair.right.ctl("show srp history")["history"][-1]
    assert (role["to"], role["cause"]) == ("Active", "startup"), role
    return f"Active {took:.1f} s after the other's death"


def test_address_left_behind(lab):
    """a kernel that kept the VIP of a dead chassis answers: alarm with its MAC address; once it is
    deleted there, Active"""
    pair = Pair(lab, edits={"srp.topology": '"l2"'})
    lab.ip("acc", "addr", "add", f"{VIP}/32", "dev", "br0")
    theirs = lab.ip("acc", "-o", "link", "show", "br0").split("link/ether ")[1].split()[0]
    pair.left.start()
    pair.left.wait_ready()
    wait_until(lambda: alarm(pair.left), WAIT_S, lambda: f"the alarm: {pair.left.info()}")
    assert VIP in alarm(pair.left) and theirs in alarm(pair.left).lower(), (alarm(pair.left),
                                                                            theirs)
    wait_until(lambda: probes(pair.left)[1] >= 3, WAIT_S, "two retries")
    assert pair.left.info()["chassis_state"] == "Init" and not has_vip(lab, "left")
    still = Standstill(pair.left)
    lab.ip("acc", "addr", "del", f"{VIP}/32", "dev", "br0")
    became_active(pair.left, time.time(), still)
    assert alarm(pair.left) is None
    sgsn = Sgsnemu(lab)
    assert ping(lab, sgsn.namespace, sgsn.attach()[0], count=5) >= 4


def arp_probe(mac, address):
    """The frame of a station that asks for an address before it takes it (RFC 5227)."""
    own = bytes.fromhex(mac.replace(":", ""))
    return (b"\xff" * 6 + own + bytes.fromhex("0806"
                                              "0001"
                                              "0800"
                                              "06"
                                              "04"
                                              "0001") + own + bytes(4) + bytes(6) +
            socket.inet_aton(address)).ljust(60, b"\0")


def test_asked_at_once(lab):
    """another asks for the VIP at the same time: the one with the higher MAC address goes on, the
    other waits"""
    pair = Pair(lab, edits={"srp.topology": '"l2"'})
    sock = in_namespace(lab.namespace("acc"),
                        lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    with sock:
        sock.bind(("br0", 0))
        pair.left.start()
        pair.left.wait_ready()

        def asks(mac, until):
            sock.send(arp_probe(mac, VIP))
            return until()

        wait_until(lambda: asks("fe:ff:00:00:00:02", lambda: probes(pair.left)[1] >= 2), WAIT_S,
                   lambda: f"two yields to a higher MAC address: {pair.left.info()}")
        assert "is probed by" in alarm(pair.left) and "fe:ff:00:00:00:02" in alarm(
            pair.left).lower(), alarm(pair.left)
        assert pair.left.info()["chassis_state"] == "Init" and not has_vip(lab, "left")
        wait_until(
            lambda: asks("00:00:00:00:00:02", lambda: pair.left.info()["chassis_state"] == "Active"
                         ), WAIT_S,
            lambda: f"Active against a lower MAC address: {pair.left.info()}")
    assert probes(pair.left)[1] == 2 and alarm(pair.left) is None


def test_both_alone(lab):
    """both start with both links absent: one becomes Active, the other stays in Init, whoever asked
    first; then they join"""
    pair = Pair(lab, edits={"srp.topology": '"l2"'})
    for link in LINKS:
        lab.link("left", link, "down")
    for chassis in pair.both:
        chassis.start()
    for chassis in pair.both:
        chassis.wait_ready()

    def waiting():
        return [c for c in pair.both if probes(c)[1] >= 3]

    wait_until(waiting, 60, lambda: f"one that waits: {[c.info() for c in pair.both]}")
    one = waiting()[0]
    other = pair.other(one)
    assert one.info()["chassis_state"] == "Init" and not has_vip(lab, one.side), one.info()
    assert other.info()["chassis_state"] == "Active" and alarm(other) is None, other.info()
    for link in LINKS:
        lab.link("left", link, "up")
    assert pair.settle() == (other, one)
    assert [e["to"] for c in pair.both
            for e in c.ctl("show srp history")["history"]].count("Active") == 1
