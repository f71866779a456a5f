# SPDX-License-Identifier: BSD-3-Clause
"""The monitors against the daemons that they watch: FRR's bgpd reports its peers by BMP."""

import contextlib
import os
import re
import time

from chassis import Pair, check_config, shipped
from frr import Frr
from lab import Metronome, Process, run, wait_until
from radius import FreeRadius
from shared import alone
from test_aaa import (SERVERS, alarms, causes, cleared, handed_over, held, secrets, states,
                      wait_states)
from test_reload import agreed

OWN, RIGHT, CORE, LINK = "10.6.0.11", "10.6.0.12", "10.5.0.1", "10.5.0.11"
PORT = "11019"
NEIGHBOUR = """ neighbor {0} remote-as {1}
 neighbor {0} timers 1 3
 neighbor {0} timers connect 1
"""
# Where nobody has to be found silent, a router that is late is not to be taken for dead.
PATIENT_NEIGHBOUR = NEIGHBOUR.replace("timers 1 3", "timers 3 9")
# The far side waits for the near one. Two that are started together connect to each other at the
# same moment, each then closes one of the two connections as a collision (RFC 4271 6.8), and FRR
# may close the other one, too, which had been up for a millisecond.
WAITS = " neighbor {0} passive\n"
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
        self.process = Process(lab, lab.namespace("left"), "bmp_watch", [
            os.path.join(lab.build, "test/e2e/bmp_watch"), PORT,
            str(settle_ms), self.capture, *peers
        ])
        self.metronome = Metronome(lab)
        self.metronome.watch(self.process)
        self.wait("listening")

    def lines(self, what):
        """The times of all lines with that in them."""
        return [
            float(at) for at in re.findall(r"^(\d+\.\d+) "
                                           rf".*{re.escape(what)}", self.process.output(), re.M)
        ]

    def wait(self, what, count=1, timeout=60):
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
    lab.address("left", "l-bgp", f"{LINK}/24")
    lab.address("core", "to-bgp", f"{CORE}/24")
    near = NEIGHBOUR.format(RIGHT, 65002) + NEIGHBOUR.format(CORE, 65000)
    left = Frr(lab, "left", BGP.format(65001, OWN, near, "10.6.0.0/24") + BMP.format(PORT), ["bmp"])
    far = NEIGHBOUR + WAITS
    right = Frr(lab, "right", BGP.format(65002, RIGHT, far.format(OWN, 65001), "10.6.0.0/24"))
    core = Frr(lab, "core", BGP.format(65000, CORE, far.format(LINK, 65001), "10.5.0.0/24"))
    return left, right, core


def seen_after(watch, router, peer, what, count):
    """Waits until the station says so of a peer: how many ms after bgpd's own notice."""
    seen = watch.wait(f"bgp {peer} is {what}", count)

    def notices():
        found = router.notices(peer, "Up" if what == "up" else "Down")
        return len(found) >= count and [at for at in found if at < seen + 0.001]
    # bgpd writes its log a moment later.
    noticed = wait_until(notices, 10, f"bgpd's notice of {peer}")[-1]
    late, clock = (seen - noticed) * 1000, watch.metronome
    machine = 1000 * max(
        clock.stood_still(noticed, seen),
        sum(clock.waited(process, noticed, seen) for process in (router.bgpd, watch.process)))
    assert late < 100 + machine, (f"{peer} {what}: {late:.1f} ms after bgpd's notice, {machine:.1f}"
                                  f" of them without a CPU: {watch.process.output()}")
    return late


@alone
def test_bmp_frr(lab):
    """FRR's BMP: peers up, cut, refused, the session lost and back; each within 100 ms of bgpd's
    own notice"""
    watch = Watch(lab, 5000, RIGHT, CORE)
    left, right, core = (router.start() for router in routers(lab))
    watch.metronome.watch(left.bgpd)
    late = {
        "up": max(seen_after(watch, left, RIGHT, "up", 1), seen_after(watch, left, CORE, "up", 1))
    }
    watch.wait("session open")
    # one dies: no wish; the other is silent until the hold time is over: a wish
    right.kill9()
    late["killed"] = seen_after(watch, left, RIGHT, "down", 1)
    watch.wait("raised bgp group far: 1 of 2 down")
    assert watch.wish() == "none"
    lab.run("core", "nft", "add table ip cut; add chain ip cut i { type filter hook input priority "
                           "0; tcp dport 179 drop; tcp sport 179 drop; }")
    late["silent"] = seen_after(watch, left, CORE, "down", 1)
    watch.wait("wish bgp group far: all 2 down")
    # both come back
    lab.run("core", "nft", "delete table ip cut")
    right.start()
    seen_after(watch, left, CORE, "up", 2)
    seen_after(watch, left, RIGHT, "up", 2)
    assert watch.wish() == "none"
    # the peer says why
    right.ask("configure terminal", "router bgp 65002", f"neighbor {OWN} shutdown")
    late["refused"] = seen_after(watch, left, RIGHT, "down", 2)
    watch.wait(f"bgp {RIGHT} is down: closed by the peer: administrative shutdown")
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
    assert len(watch.lines(" wish ")) == wishes and len(watch.lines(" is down")) == downs, (
        watch.process.output())
    return "ms after bgpd's notice: " + ", ".join(f"{what} {ms:.1f}" for what, ms in late.items())


# ---- the pair, and what it makes of it ----

# A session of BGP may go once more as it comes back.
EDITS = {"srp.guard-period": "3", "srp.damping-period": "2"}
GUARD_S, SWITCH_S = 3, 30
QUIET_S = 6  # longer than guard and damping together
SHORT_EDITS = {"srp.guard-period": "1", "srp.damping-period": "1"}
FLAPS = 200
MONITORED = """
bgp-peers = ( {{ name = "far"; address = "10.5.{net}.1"; router = "127.0.0.1"; }} );
monitors = {{ bmp-port = {port}; bmp-settle = 5; }};
"""
ROUTES = """
monitored-routes = ( { name = "upstream"; prefix = "198.51.100.0/24"; } );
"""
NET = {"left": 0, "right": 1}
HOST = {"left": 11, "right": 12}


def speakers(lab):
    """bgpd on each chassis that reports its peer, the far router, to the chassis; by name."""
    found = {}
    for side in ("left", "right"):
        link, net = f"{side[0]}-bgp", NET[side]
        lab.veth(side, link, "core", f"to-{link}")
        lab.address(side, link, f"10.5.{net}.{HOST[side]}/24")
        lab.address("core", f"to-{link}", f"10.5.{net}.1/24")
        found[side] = Frr(
            lab, side,
            BGP.format(65001, f"10.5.{net}.{HOST[side]}",
                       PATIENT_NEIGHBOUR.format(f"10.5.{net}.1", 65000), f"10.5.{net}.0/24") +
            BMP.format(PORT), ["bmp"])
    near = "".join((PATIENT_NEIGHBOUR + WAITS).format(f"10.5.{NET[s]}.{HOST[s]}", 65001)
                   for s in NET)
    found["core"] = Frr(lab, "core", BGP.format(65000, CORE, near, "10.9.0.0/24"))
    return found


def is_state(chassis, name, state, timeout=60):
    """Waits until a monitor of the chassis is in that state."""
    wait_until(lambda: states(chassis)[name] == state, timeout,
               lambda: f"{chassis.side}: {name} to be {state}: {chassis.ctl('show srp monitor')}")


def moved(old, new, cause):
    """The failure of old made new Active, by plan, and both say for what."""
    new.state_is("Active", SWITCH_S)
    old.state_is("Standby", SWITCH_S)
    assert causes(new)[-1] == ("Active", cause) and causes(old)[-1] == ("Standby", cause), (
        f"{causes(old)} {causes(new)}")


def side_of(text):
    """Whose configuration it is."""
    return re.search(r'chassis = \{\s*name = "(\w+)"', text).group(1)


def monitored(text):
    """A configuration with the far router as a BGP peer that is watched."""
    return text + MONITORED.format(net=NET[side_of(text)], port=PORT)


def test_bgp_failure(lab):
    """a BGP peer cut: switchover, restored: revertible; the same failure on both, or a lost report,
    moves nothing and says why"""
    routers = speakers(lab)
    pair = Pair(lab, EDITS, rewrite=monitored).start()
    for router in routers.values():
        router.start()
    for chassis in pair.both:
        is_state(chassis, "far", "up")
    old, new = pair.active, pair.other(pair.active)
    link = lambda chassis: f"to-{chassis.side[0]}-bgp"
    lab.link("core", link(old), "down")
    moved(old, new, "bgp-failure")
    is_state(old, "far", "down")
    told = lambda: new.ctl("show srp monitor")
    wait_until(lambda: told()["failed_at_peer"] == "bgp", 10, lambda: f"its failure: {told()}")
    assert told()["failed"] == "none", told()
    # Who has the failure is handed nothing: by a monitor, nor by an operator who does not force it.
    pair.settle()  # the checks of before: a Standby in sync
    refused = new.ask("srp initiate-switchover")
    assert not refused["ok"] and "bgp-failure there" in refused["error"], refused
    lab.link("core", link(new), "down")
    wait_until(
        lambda: "the peer has the same "
        "failure" in alarms(new).get("switchover-refused", ""), 60, lambda: alarms(new))
    # It is revertible: restored there, it hands back for its own.
    lab.link("core", link(old), "up")
    moved(new, old, "bgp-failure")
    cleared(new, "switchover-refused")
    lab.link("core", link(new), "up")
    is_state(new, "far", "up")
    # Whoever would tell does not: an alarm, and nothing else.
    before = causes(old)
    routers[old.side].kill9()
    is_state(old, "far", "unknown")
    wait_until(lambda: "BMP session lost" in alarms(old).get("monitor-unknown", "") or
               "closed" in alarms(old).get("monitor-unknown", ""), 30, lambda: alarms(old))
    routers[old.side].start()
    is_state(old, "far", "up")
    assert causes(old) == before and old.info()["chassis_state"] == "Active"
    cleared(old, "monitor-unknown")


def test_bgp_after_aaa(lab):
    """AAA is dead for both: one switchover, and it stays; a BGP failure moves it all the same, and
    ends the hold"""
    servers = [FreeRadius(lab, "acc").start(), FreeRadius(lab, "core").start()]
    routers = speakers(lab)
    secrets(lab)
    pair = Pair(lab, EDITS,
                rewrite=lambda text: monitored(text) + SERVERS.format(lab.directory)).start()
    for router in routers.values():
        router.start()
    for chassis in pair.both:
        is_state(chassis, "far", "up")
    old, new = pair.active, pair.other(pair.active)
    wait_states(old, one="up", two="up")
    for server in servers:
        server.kill9()
    handed_over(old, new)
    held(new, QUIET_S)
    lab.link("core", f"to-{new.side[0]}-bgp", "down")
    moved(new, old, "bgp-failure")
    # Its AAA failure may act again, and would, were its peer not worse.
    wait_until(lambda: "aaa-failure" in alarms(old).get("switchover-refused", ""), 60,
               lambda: alarms(old))
    assert "bgp-failure there" in alarms(old)["switchover-refused"], alarms(old)
    assert old.ctl("show srp monitor")["held"] == "none" and old.info()["chassis_state"] == "Active"
    lab.link("core", f"to-{new.side[0]}-bgp", "up")
    handed_over(old, new)
    held(new, QUIET_S)
    made = {
        c: [cause for to, cause in causes(c) if to == "Active" and cause != "startup"]
        for c in pair.both
    }
    assert made == {new: ["aaa-failure", "aaa-failure"], old: ["bgp-failure"]}, made


def flap(pair, edits, times, set_state, name, cause, seen=True):
    """A monitor of one chassis after the other goes down and up, 200 times, evenly over so many
    times guard and damping of these edits: how many switchovers that made, bounded by the guard.
    seen: each time it is; the kernel tells of a carrier about twice a second only."""
    guard_s, damping_s = (int(edits[f"srp.{what}-period"]) for what in ("guard", "damping"))
    whole_s = times * (guard_s + damping_s)
    before = sum(len([c for c in causes(x) if c == ("Active", cause)]) for x in pair.both)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > guard_s, 10, "the guard after the last "
                                                              "switchover to end")
    for n in range(FLAPS):
        for up in (False, True):
            due = began + guard_s + (n + up / 2) * whole_s / FLAPS
            wait_until(lambda at=due: time.monotonic() >= at, whole_s, "the time of the change")
            chassis = pair.both[n % 2]
            set_state(chassis, up)
            if seen:
                is_state(chassis, name, "up" if up else "down")
    for chassis in pair.both:
        is_state(chassis, name, "up")
    pair.settle()
    took = time.monotonic() - began
    made = sum(len([c for c in causes(x) if c == ("Active", cause)]) for x in pair.both) - before
    assert 1 <= made <= 1 + took / guard_s, f"{made} switchovers in {took:.1f} s"
    return f"{FLAPS} flaps of {name} in {took:.1f} s: {made} switchovers"


def test_route_and_link(lab):
    """a monitored route goes, a monitored port loses its carrier: switchover, revertible; 200 flaps
    of each: bounded, of the route by a guard and a damping that are not the same"""
    def monitored(text):
        return re.sub(r'(name = "core";)', r"\1 monitor = true;", text, count=1) + ROUTES
    pair = Pair(lab, SHORT_EDITS, rewrite=monitored)
    def route(chassis, up):
        # What is as it shall be already is refused.
        with contextlib.suppress(FileExistsError, ProcessLookupError):
            lab.route(chassis.side, "198.51.100.0/24", "10.6.0.1", up)
    def carrier(chassis, up):
        lab.link("core", f"to-{chassis.side}", "up" if up else "down")
    for chassis in pair.both:
        route(chassis, True)
    pair.start()
    old, new = pair.active, pair.other(pair.active)
    for name, cause, change in (("upstream", "route-failure", route), ("core", "link-failure",
                                                                       carrier)):
        for chassis in pair.both:
            wait_until(
                lambda c=chassis, n=name: any(
                    m["name"] == n and m["type"] in ("route", "link") and m["state"] == "up"
                    for m in c.ctl("show srp monitor")["monitors"]), 60, "monitors to be up")
        change(old, False)
        moved(old, new, cause)
        change(old, True)
        pair.settle()
        change(new, False)
        moved(new, old, cause)
        change(new, True)
        pair.settle()
    text = run(os.path.join(lab.build, "app", "tandemctl", "tandemctl"), "--socket", old.socket,
               "show", "srp", "monitor")
    assert "198.51.100.0/24" in text, text
    told = flap(pair, SHORT_EDITS, 6, carrier, "core", "link-failure", seen=False)
    agreed(pair, EDITS)
    for chassis in pair.both:
        chassis.wait(lambda i: i["peer_configuration_validation"] == "Complete", 10, "to be equal")
    pair.settle()
    return told + "; " + flap(pair, EDITS, 3, route, "upstream", "route-failure")


# ---- many at once: bgpd takes a second or more to have a peer back, a RADIUS server as long to be
# found silent ----

PEERS, PHASES = 10, 20
# A phase is shorter than the damping, so none but the first after a guard acts.
PEER_EDITS = {"srp.guard-period": "3", "srp.damping-period": "3"}


def peer_addresses(side):
    """Pairs of addresses between which a chassis' bgpd and the far one have a session."""
    return [(f"10.5.{NET[side]}.{100 + n}", f"10.5.{NET[side]}.{200 + n}") for n in range(PEERS)]


def many_speakers(lab):
    """bgpd on each chassis with many sessions to a far router, whose bgpd is returned."""
    sessions = {}
    for side in NET:
        link = f"{side[0]}-bgp"
        lab.veth(side, link, "core", f"to-{link}")
        for near, far in peer_addresses(side):
            lab.address(side, link, f"{near}/24")
            lab.address("core", f"to-{link}", f"{far}/24")
        sessions[side] = [(near, far, PATIENT_NEIGHBOUR + " neighbor {0} update-source "
                                                  "{2}\n") for near, far in peer_addresses(side)]
    for side, found in sessions.items():
        near = "".join(text.format(far, 65000, own) for own, far, text in found)
        Frr(lab, side,
            BGP.format(65001, found[0][0], near, "10.5.0.0/24") + BMP.format(PORT),
            ["bmp"]).start()
    far = "".join(
        (text + WAITS).format(own, 65001, away) for found in sessions.values()
        for own, away, text in found)
    return Frr(lab, "core", BGP.format(65000, CORE, far, "10.9.0.0/24")).start()


def many_monitored(text):
    """A configuration that watches each of the sessions by itself."""
    items = ", ".join(f'{{ name = "far{n}"; address = "{far}"; router = "127.0.0.1"; group = '
                      f'"g{n}"; }}'
                      for n, (_, far) in enumerate(peer_addresses(side_of(text))))
    return (text + f"\nbgp-peers = ( {items} );\n"
            f"monitors = {{ bmp-port = {PORT}; bmp-settle = 5; }};\n")


def of_type(chassis, name):
    """The states in which its monitors of a type are."""
    return {m["state"] for m in chassis.ctl("show srp monitor")["monitors"] if m["type"] == name}


def made_active(pair, cause):
    """How many times a chassis of the pair became Active for that."""
    return sum(causes(chassis).count(("Active", cause)) for chassis in pair.both)


def test_bgp_flaps(lab):
    """200 flaps of BGP peers, ten at a time, of one chassis and the other: switchovers bounded by
    guard and damping"""
    core = many_speakers(lab)
    pair = Pair(lab, PEER_EDITS, rewrite=many_monitored).start()
    def accept(chassis, on):
        core.ask("configure terminal", "router bgp 65000",
                 *(f"{'no ' if on else ''}neighbor {near} "
                   "shutdown" for near, _ in peer_addresses(chassis.side)))
    def all_are(chassis, state):
        wait_until(lambda: of_type(chassis, "bgp") == {state}, 90, lambda: f"{chassis.side}: all "
                   f"{state}: {states(chassis)}")
    for chassis in pair.both:
        all_are(chassis, "up")
    began = time.monotonic()
    for n in range(PHASES):
        down, up = pair.both[n % 2], pair.both[1 - n % 2]
        accept(up, True)
        all_are(up, "up")
        accept(down, False)
        all_are(down, "down")
    accept(down, True)
    all_are(down, "up")
    pair.settle()
    took, made = time.monotonic() - began, made_active(pair, "bgp-failure")
    assert 1 <= made <= 1 + took / GUARD_S, f"{made} switchovers in {took:.1f} s"
    return f"{PHASES * PEERS} flaps in {took:.1f} s: {made} switchovers"


SERVERS_N, AAA_HELD, AAA_RESET = 16, 7, 6
AAA_GUARD_S = 8
AAA_EDITS = {"srp.guard-period": str(AAA_GUARD_S), "srp.damping-period": str(AAA_GUARD_S)}


def test_aaa_flaps(lab):
    """208 flaps of AAA servers, sixteen at a time: one switchover; with a reset before each:
    bounded by guard and damping"""
    server = FreeRadius(lab, "acc").start()
    secrets(lab)
    hosts = [f"10.8.0.{200 + n}" for n in range(SERVERS_N)]
    for host in hosts:
        lab.address("acc", "br0", f"{host}/24")
    items = ", ".join(f'{{ name = "aaa{n}"; address = "{host}"; secret-file = '
                      f'"{lab.directory}/secret"; user = "probe"; timeout = 1; '
                      f'max-retries = 1; period = 1; group = "g{n}"; '
                      f'}}' for n, host in enumerate(hosts))
    pair = Pair(lab, AAA_EDITS, rewrite=lambda text: text + f"\naaa-servers = ( {items} "
                                                            ");\n").start()
    def all_are(state):
        wait_until(lambda: any(of_type(c, "auth-probe") == {state} for c in pair.both), 90,
                   lambda: f"all {state} at the Active: {[states(c) for c in pair.both]}")
    def flap_all():
        server.pause(True)
        all_are("down")
        server.pause(False)
        all_are("up")
    all_are("up")
    began = time.monotonic()
    for _ in range(AAA_HELD):
        flap_all()
    pair.settle()
    assert made_active(pair, "aaa-failure") == 1, [causes(c) for c in pair.both]
    between = time.monotonic()
    for _ in range(AAA_RESET):
        pair.settle()[0].ctl("srp reset-auth-probe-fail")
        all_are("up")
        flap_all()
    pair.settle()
    took, made = time.monotonic() - between, made_active(pair, "aaa-failure") - 1
    assert 1 <= made <= 1 + took / AAA_GUARD_S, f"{made} switchovers in {took:.1f} s"
    return (f"{AAA_HELD * SERVERS_N} flaps in {between - began:.1f} s: 1 switchover; "
            f"{AAA_RESET * SERVERS_N} flaps and "
            f"{AAA_RESET} resets in {took:.1f} s: {made} switchovers")


def test_monitor_configuration(lab):
    """what is to be monitored is checked: a peer twice, a prefix with host bits"""
    text = shipped("left") + MONITORED.format(net=0, port=PORT)
    code, told = check_config(lab.build, text, lab.directory)
    assert code == 0, told
    code, told = check_config(lab.build, text.replace('router = "127.0.0.1"; }',
                              'router = "127.0.0.1"; }, { name = "again"; address = "10.5.0.1"; '
                              'router = "127.0.0.1"; }'), lab.directory)
    assert code == 1 and "the same address and router" in told, told
    code, told = check_config(lab.build,
                              shipped("left") + ROUTES.replace("100.0/24", "100.1/24"),
                              lab.directory)
    assert code == 1 and "host bits" in told, told
