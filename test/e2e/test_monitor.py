# SPDX-License-Identifier: BSD-3-Clause
"""The monitors against the daemons that they watch: FRR's bgpd reports its peers by BMP."""

import os
import re

from frr import Frr
from lab import Process, run, wait_until

OWN, RIGHT, CORE, LINK = "10.6.0.11", "10.6.0.12", "10.5.0.1", "10.5.0.11"
PORT = "11019"
NEIGHBOUR = """ neighbor {0} remote-as {1}
 neighbor {0} timers 1 3
 neighbor {0} timers connect 1
"""
BGP = """router bgp {0}
 bgp router-id {1}
 bgp log-neighbor-changes
 no bgp ebgp-requires-policy
 bgp graceful-restart-disable
{2} address-family ipv4 unicast
  network {3}
 exit-address-family
"""
BMP = """ bmp targets station
  bmp stats interval 1000
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv4 unicast post-policy
  bmp connect 127.0.0.1 port {0} min-retry 100 max-retry 500
 exit
"""


class Watch:
    """The tests' station."""

    def __init__(self, lab, settle_ms, *peers):
        self.capture = os.path.join(lab.directory, "bmp.capture")
        self.process = Process(lab, lab.namespace("left"), "bmp_watch",
                               [os.path.join(lab.build, "test/e2e/bmp_watch"), PORT, str(settle_ms), self.capture, *peers])
        self.wait("listening")

    def lines(self, what):
        """The times of all lines with that in them."""
        return [float(at) for at in re.findall(rf"^(\d+\.\d+) .*{re.escape(what)}", self.process.output(), re.M)]

    def wait(self, what, count=1, timeout=20):
        """Waits for the count-th such line; when it was."""
        return wait_until(lambda: self.lines(what)[count - 1:count], timeout,
                          lambda: f"'{what}' number {count}: {self.process.output()}")[0]

    def wish(self):
        """What is wished for now."""
        found = re.findall(r" wish (.*)", self.process.output())
        return found[-1] if found else "none"


def routers(lab):
    """The chassis' bgpd and two far ones."""
    lab.veth("left", "l-bgp", "core", "to-bgp")
    lab.ip("left", "addr", "add", f"{LINK}/24", "dev", "l-bgp")
    lab.ip("core", "addr", "add", f"{CORE}/24", "dev", "to-bgp")
    near = NEIGHBOUR.format(RIGHT, 65002) + NEIGHBOUR.format(CORE, 65000)
    left = Frr(lab, "left", BGP.format(65001, OWN, near, "10.6.0.0/24") + BMP.format(PORT), ["bmp"])
    right = Frr(lab, "right", BGP.format(65002, RIGHT, NEIGHBOUR.format(OWN, 65001), "10.6.0.0/24"))
    core = Frr(lab, "core", BGP.format(65000, CORE, NEIGHBOUR.format(LINK, 65001), "10.5.0.0/24"))
    return left, right, core


def seen_after(watch, router, peer, what, count):
    """Waits until the station says so of a peer: how many ms after bgpd's own notice."""
    seen = watch.wait(f"bgp {peer} is {what}", count)
    noticed = wait_until(lambda: router.notices(peer, "Up" if what == "up" else "Down"), 5, f"bgpd's notice of {peer}")[-1]
    late = (seen - noticed) * 1000
    assert -1 < late < 100, f"{peer} {what}: {late:.1f} ms after bgpd's notice: {watch.process.output()}"
    return late


def test_bmp_frr(lab):
    """FRR's BMP: peers up, cut, refused, the session lost and back; each within 100 ms of bgpd's own notice"""
    watch = Watch(lab, 5000, RIGHT, CORE)
    left, right, core = (router.start() for router in routers(lab))
    late = {"up": max(seen_after(watch, left, RIGHT, "up", 1), seen_after(watch, left, CORE, "up", 1))}
    watch.wait("session open")
    # one dies: no wish; the other is silent until the hold time is over: a wish
    right.kill9()
    late["killed"] = seen_after(watch, left, RIGHT, "down", 1)
    watch.wait("raised bgp group far: 1 of 2 down")
    assert watch.wish() == "none"
    run("ip", "netns", "exec", lab.namespace("core"), "nft", "add table ip cut; add chain ip cut i { type filter hook input priority 0; "
        "tcp dport 179 drop; tcp sport 179 drop; }")
    late["silent"] = seen_after(watch, left, CORE, "down", 1)
    watch.wait("wish bgp group far: all 2 down", timeout=2)
    # both come back
    run("ip", "netns", "exec", lab.namespace("core"), "nft", "delete table ip cut")
    right.start()
    seen_after(watch, left, CORE, "up", 2)
    seen_after(watch, left, RIGHT, "up", 2)
    assert watch.wish() == "none"
    # the peer says why
    right.ask("configure terminal", "router bgp 65002", f"neighbor {OWN} shutdown")
    late["refused"] = seen_after(watch, left, RIGHT, "down", 2)
    assert watch.lines(f"bgp {RIGHT} is down: closed by the peer: administrative shutdown"), watch.process.output()
    right.ask("configure terminal", "router bgp 65002", f"no neighbor {OWN} shutdown")
    seen_after(watch, left, RIGHT, "up", 3)
    # a carrier that goes
    lab.link("core", "to-bgp", "down")
    late["carrier"] = seen_after(watch, left, CORE, "down", 2)
    lab.link("core", "to-bgp", "up")
    seen_after(watch, left, CORE, "up", 3)
    # the reporting daemon dies and returns: not known, then up, and never a wish
    wishes, downs = len(watch.lines(" wish ")), len(watch.lines(" is down"))
    left.kill9()
    watch.wait(f"bgp {RIGHT} is unknown: BMP session lost")
    watch.wait(f"bgp {CORE} is unknown: BMP session lost")
    left.start()
    watch.wait(f"bgp {CORE} is up", 4)
    watch.wait(f"bgp {RIGHT} is up", 4)
    assert len(watch.lines(" wish ")) == wishes and len(watch.lines(" is down")) == downs, watch.process.output()
    return "ms after bgpd's notice: " + ", ".join(f"{what} {ms:.1f}" for what, ms in late.items())
