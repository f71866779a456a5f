# SPDX-License-Identifier: BSD-3-Clause
"""L3: routing daemons on the chassis, with the shipped configurations, and what routers at both
ends make of them."""

import datetime
import json
import os
import re
import shutil
import socket
import time

from chassis import Pair
from frr import Frr
from kernel import routes
from lab import CORE_GATEWAY, CORE_HOST, POOL, SIDES, TOP, VIP, LabError, Process, Skip, wait_until
from shared import alone
from test_monitor import BMP, PORT, is_state, moved
from test_reload import put, rewrite
from traffic import Probes, Sgsnemu, no_loss, wait_heard

ACCESS_ROUTER = "10.8.0.1"
HOST = {"left": 11, "right": 12}
# Who hears of what: the router at that end, its address, the prefix, and the chassis' subnet there.
ENDS = {"core": (CORE_HOST, POOL, "10.9.0"), "acc": (ACCESS_ROUTER, f"{VIP}/32", "10.8.0")}
FAR_NEIGHBOUR = """ neighbor {0} remote-as 65001
 neighbor {0} timers 1 3
 neighbor {0} timers connect 1
"""
# The default is told as the internet's routers do it.
FAR = """debug bgp updates in
router bgp 65000
 bgp router-id {0}
 no bgp ebgp-requires-policy
 bgp log-neighbor-changes
{1} address-family ipv4 unicast
{2} exit-address-family
"""
BIRD_FAR = """log stderr all;
router id {own};
protocol device {{ }}
protocol kernel {{ ipv4 {{ import none; export all; }}; }}
template bgp chassis {{
	local {own} as 65000;
	hold time 3; keepalive time 1; connect retry time 1; connect delay time 0;
	error wait time 1, 2;
	ipv4 {{ import all; export none; }};
}}
protocol bgp left from chassis {{ neighbor {left} as 65001; }}
protocol bgp right from chassis {{ neighbor {right} as 65001; }}
"""
# What a Tandem watches that shall hand over when its router towards the internet is lost: by BMP,
# or by what that tells.
WATCHED = {"srp.guard-period": "1", "srp.damping-period": "1"}
BGP_WATCHED = f"""
bgp-peers = ( {{ name = "internet"; address = "{CORE_HOST}"; router = "127.0.0.1"; }} );
monitors = {{ bmp-port = {PORT}; bmp-settle = 5; }};
"""
ROUTE_WATCHED = """
monitored-routes = ( { name = "internet"; prefix = "0.0.0.0/0"; } );
"""
# A keepalive a second, three of them missed; two CPUs, which all the daemons of the lab share, may
# be late.
HOLD_S = (1.5, 4.5)
HOLD_OFF_MS = 3000
# 50 ms x 3. Nothing but BFD is nearly as fast.
BFD_S = (0.05, 1.0)
# BGP's uptime is told in whole seconds. BFD's sessions come up a second or more after BGP's, and
# FRR's may go down once more 0.3 s after that, and BGP's with them.
STEADY_MS, STEADY_BFD_S = 2000, 3
TANDEM = 84  # the protocol of its routes in the kernel's table


def shipped(name):
    """A configuration for routing daemons that this project ships."""
    with open(os.path.join(TOP, "config", name), encoding="utf-8") as handle:
        return handle.read()


def own(text, side):
    """The shipped configuration is the left chassis'; a side's differs in its own addresses
    alone."""
    for subnet in ("10.8.0", "10.9.0"):
        text = text.replace(f"{subnet}.{HOST['left']}", f"{subnet}.{HOST[side]}")
    return text


def start_bird(lab, name, conf):
    """BIRD in a namespace."""
    if shutil.which("bird") is None:
        raise Skip("needs bird2")
    file = os.path.join(lab.directory, f"bird-{name}.conf")
    with open(file, "w", encoding="utf-8") as handle:
        handle.write(conf)
    Process(lab, lab.namespace(name), f"bird-{name}",
            ["bird", "-f", "-c", file, "-s",
             os.path.join(lab.directory, f"bird-{name}.ctl")])


def ask_bird(control, command):
    """A command for BIRD over its control socket; what it says. Each line begins with a number and
    "-", with a number and a space where it is the last one, or with a space alone. LabError if it
    refuses, ConnectionError if it ends meanwhile."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(10)
        sock.connect(control)
        with sock.makefile("rw", encoding="utf-8") as talk:
            talk.readline()  # it greets
            talk.write(f"{command}\n")
            talk.flush()
            told = [talk.readline()]
            while told[-1].endswith("\n") and not re.match(r"\d{4} ", told[-1]):
                told.append(talk.readline())
    if not told[-1].endswith("\n"):
        raise ConnectionError(f"BIRD: {command}: it hung up behind {told}")
    if re.match(r"[89]", told[-1]):
        raise LabError(f"BIRD: {command}: {told}")
    return "".join(re.sub(r"^(\d{4}[- ]| )", "", line) for line in told)


class Far:
    """A router at one end that hears both chassis, and when its kernel's route to the prefix
    moved."""

    def __init__(self, lab, name, bfd):
        self.lab, self.name, self.bfd = lab, name, bfd
        self.own, self.prefix, subnet = ENDS[name]
        self.hosts = {side: f"{subnet}.{HOST[side]}" for side in SIDES}
        near = "".join(
            FAR_NEIGHBOUR.format(h) + (f" neighbor {h} bfd profile "
                                       "tandem\n" if bfd else "") for h in self.hosts.values())
        told = "".join(f"  neighbor {h} "
                       "default-originate\n" for h in self.hosts.values()) if name == "core" else ""
        self.events = Process(lab, lab.namespace(name), f"{name}-routes",
                              ["ip", "-ts", "monitor", "route"])
        self.frr = Frr(lab,
                       name,
                       FAR.format(self.own, near, told),
                       bfd=shipped("frr-bfdd.conf") if bfd else None).start()

    def paths(self):
        """What the chassis announce: AS path lengths by side; and the side of the best one."""
        found = json.loads(self.frr.ask(f"show bgp ipv4 unicast {self.prefix} "
                                        "json")).get("paths", [])
        sides = {host: side for side, host in self.hosts.items()}
        lengths = {sides[p["nexthops"][0]["ip"]]: p["aspath"]["length"] for p in found}
        best = [
            sides[p["nexthops"][0]["ip"]] for p in found if p.get("bestpath", {}).get("overall")
        ]
        return lengths, best[0] if best else None

    def via(self):
        """The side to which the kernel sends."""
        ways = [r.via for r in self.lab.inside(self.name, routes) if r.prefix == self.prefix]
        found = [side for side, host in self.hosts.items() if host in ways]
        return found[0] if found else None

    def steady(self):
        """Waits until both chassis have been its neighbours for a while, and BFD watches them if it
        shall."""
        def check():
            if self.bfd:
                watched = json.loads(self.frr.ask("show bfd peers json", daemon="bfdd"))
                if {
                        p["peer"]
                        for p in watched if p["status"] == "up" and p["uptime"] >= STEADY_BFD_S
                } != set(self.hosts.values()):
                    return False
            told = json.loads(self.frr.ask("show bgp neighbors json"))
            return all(
                told.get(h, {}).get("bgpState") == "Established"
                and told[h]["bgpTimerUpMsec"] >= STEADY_MS for h in self.hosts.values())
        wait_until(check, 60, lambda: f"{self.name} to keep both neighbours: "
                                      f"{self.frr.ask('show bgp summary')}")

    def follows(self, chassis, timeout=30):
        """Waits until the best path, and the kernel's route, is the chassis'."""
        wait_until(lambda: self.via() == chassis.side and self.paths()[1] == chassis.side, timeout,
                   lambda: f"{self.name} to follow {chassis.side}: {self.paths()}, kernel "
                           f"{self.via()}")

    def told(self):
        """What its kernel told of routes: (time of day, event)."""
        return [(datetime.datetime.fromisoformat(at).timestamp(), event)
                for at, event in re.findall(r"^\[(\S+)\] (.*)", self.events.output(), re.M)]

    def moves(self, chassis, since):
        """Seconds from `since` until the kernel's route became the chassis', each time that it
        did."""
        way = (rf"{re.escape(self.prefix.removesuffix('/32'))} .*via "
               rf"{re.escape(self.hosts[chassis.side])}\b")
        return [at - since for at, event in self.told() if at >= since and re.match(way, event)]

    def moved(self, chassis, since):
        """Seconds from `since` until the kernel's route was first the chassis'."""
        return wait_until(lambda: self.moves(chassis, since), 10, lambda: f"{self.name}: no move "
                          f"to {chassis.side}: {self.events.output()[-2000:]}")[0]

    def accept(self, chassis, on):
        """Whether it has the chassis as a neighbour."""
        self.frr.ask("configure terminal", "router bgp 65000", f"{'no ' if on else ''}neighbor "
                                                               f"{self.hosts[chassis.side]} "
                                                               "shutdown")

    def heard(self):
        """What the router received of the prefix, in order: (when, side, "told", "withdrawn" or
        "down")."""
        sides = {host: side for side, host in self.hosts.items()}
        with open(self.frr.log, encoding="utf-8", errors="replace") as handle:
            for line in handle:
                told = re.search(r"BGP: .*?(\d+\.\d+\.\d+\.\d+)(?:\(\S+\))? rcvd "
                                 rf".*\b{re.escape(self.prefix)}\b(.*)", line)
                down = re.search(r"ADJCHANGE: neighbor (\S+?)\(.*\bDown\b", line)
                side = sides.get((told or down).group(1)) if told or down else None
                if side is not None:
                    at = datetime.datetime.strptime(line[:26], "%Y/%m/%d %H:%M:%S.%f").timestamp()
                    if told is None:
                        yield at, side, "down"
                    else:
                        yield at, side, "withdrawn" if "withdraw" in told.group(2) else "told"

    def deserted(self, since):
        """Times since then at which no chassis announced the prefix."""
        announcing, found = set(), []
        for at, side, what in self.heard():
            (announcing.add if what == "told" else announcing.discard)(side)
            if not announcing and at >= since:
                found.append(at)
        assert announcing, f"{self.name}: nobody announces {self.prefix}"
        return found


class BirdFar(Far):
    """The same with BIRD, which keeps what a neighbour told that promised a graceful restart."""

    def __init__(self, lab, name, _bfd):  # pylint: disable=super-init-not-called
        self.lab, self.name = lab, name
        self.own, self.prefix, subnet = ENDS[name]
        self.hosts = {side: f"{subnet}.{HOST[side]}" for side in SIDES}
        self.events = Process(lab, lab.namespace(name), f"{name}-routes",
                              ["ip", "-ts", "monitor", "route"])
        self.control = os.path.join(lab.directory, f"bird-{name}.ctl")
        start_bird(lab, name, BIRD_FAR.format(own=self.own, **self.hosts))
        wait_until(lambda: os.path.exists(self.control), 10, "BIRD's control socket")

    def paths(self):
        try:
            shown = ask_bird(self.control, f"show route {self.prefix} all")
        except LabError:
            shown = ""  # the prefix is not in its table
        lengths, best = {}, None
        for side, star, path in re.findall(r"\[(left|right) [^\]]*\] (\*?).*?BGP\.as_path: ([0-9 "
                                           r"]+)", shown, re.S):
            lengths[side] = len(path.split())
            best = side if star else best
        return lengths, best

    def accept(self, chassis, on):
        ask_bird(self.control, f"{'enable' if on else 'disable'} {chassis.side}")

    def deserted(self, since):
        gone = f"Deleted {self.prefix.removesuffix('/32')} "
        return [at for at, event in self.told() if at >= since and event.startswith(gone)]

    def steady(self):
        def protocols():
            return ask_bird(self.control, "show protocols")

        wait_until(lambda: protocols().count("Established") == len(SIDES), 60,
                   lambda: f"{self.name} to have both neighbours: {protocols()}")


class Scene:
    """A pair in L3 with routing daemons, routers at both ends, and a subscriber whose packets
    follow them."""

    def __init__(self, lab, speakers, bfd, router=Far, edits=None, rewrite=None):
        self.lab = lab
        self.pair = Pair(lab, {"srp.topology": '"l3"', **(edits or {})}, rewrite=rewrite)
        for chassis in self.pair.both:
            chassis.start()
        # The route by which the lab's core does without a routing daemon.
        lab.route("core", POOL, CORE_GATEWAY, False)
        self.fars = [router(lab, name, bfd) for name in ENDS]
        for chassis in self.pair.both:
            chassis.wait_ready()
        self.pair.settle()
        speakers(lab)
        for far in self.fars:
            far.steady()
        # What is monitored may have moved the role meanwhile: one chassis had its route first.
        self.follow(self.pair.settle()[0])
        sgsn = Sgsnemu(lab)
        self.place = sgsn.namespace, sgsn.attach()[0]

    def stream(self):
        """A steady stream of the subscriber's packets."""
        stream = Probes(self.lab, *self.place)
        wait_heard([stream], 50)
        return stream

    def follow(self, chassis):
        """Waits until both routers follow the chassis."""
        for far in self.fars:
            far.follows(chassis)

    def metric(self, chassis, prefix=POOL):
        """The route modifier with which Tandem put a prefix into the kernel's table; None: it is
        not there."""
        found = [r.metric for r in self.lab.inside(chassis.side, routes)
                 if r.prefix == prefix and r.protocol == TANDEM]
        return found[0] if found else None

    def counted(self):
        """Waits until the routers have from each chassis that has the route as many prepends as its
        modifier says, and nothing from the other. Returns the lengths."""
        def check():
            lengths = None
            for far in self.fars:
                wanted = {c.side: self.metric(c, far.prefix) for c in self.pair.both if c.alive()}
                lengths = far.paths()[0]
                if lengths != {side: 1 + rm for side, rm in wanted.items() if rm is not None}:
                    return False
            return lengths
        return wait_until(check, 30, lambda: f"prepends: {[f.paths() for f in self.fars]}, "
                                             f"{[self.metric(c) for c in self.pair.both]}")

    def planned(self):
        """A planned switchover: the routers follow, somebody announces all the time, no packet is
        lost."""
        stream = self.stream()
        since = time.time()
        new = self.pair.switchover()
        self.follow(new)
        late = [far.moved(new, since) * 1000 for far in self.fars]
        lengths = self.counted()
        old = self.pair.other(new)
        wait_until(lambda: self.metric(old) is None, 30, f"{old.side} to withdraw")
        self.counted()
        wait_heard([stream], 50)
        for far in self.fars:
            assert not far.deserted(since), (
                f"{far.name}: nobody announced {far.prefix}: {far.deserted(since)}")
        result = stream.stop()
        no_loss(self.pair, result)
        self.pair.settle()
        return (f"planned: moved after {late[0]:.0f} ms (core) {late[1]:.0f} ms (access), AS "
                f"paths {lengths}, {result}")

    def killed(self, within):
        """SIGKILL of the Active: the routers follow its peer, in a time between the two given
        (s)."""
        stream = self.stream()
        victim = self.pair.active
        survivor = self.pair.other(victim)
        at = victim.kill9()
        survivor.state_is("Active", 10)
        self.follow(survivor)
        late = [far.moved(survivor, at) for far in self.fars]
        stood_still = survivor.stood_still_ms()
        wait_heard([stream], 50)
        self.counted()
        result = stream.stop()
        # What the machine took from the survivor, or from who asked, it took from the routers.
        machine = (stood_still + result.gap_ms - result.asked_gap_ms) / 1000
        assert all(within[0] <= s <= within[1] + machine for s in late), (
            f"moved after {late} s, wanted {within}, and the machine stood still for {machine} s")
        return (f"SIGKILL: decided after {self.pair.decided_ms(survivor, at):.0f} ms, moved after "
                f"{late[0] * 1000:.0f} ms (core) "
                f"{late[1] * 1000:.0f} ms (access), gap {result.gap_ms:.0f} ms")

    def failed(self, cause):
        """The core's router gives up the Active, whose monitor hands over: the routers follow."""
        far = self.fars[0]
        old, new = self.pair.active, self.pair.other(self.pair.active)
        for chassis in self.pair.both:
            is_state(chassis, "internet", "up")
        stream = self.stream()
        since = time.time()
        far.accept(old, False)
        moved(old, new, cause)
        self.follow(new)
        late = [far.moved(new, since) for far in self.fars]
        wait_until(lambda: self.metric(old) is None, 30, f"{old.side} to withdraw")
        lengths = self.counted()
        wait_heard([stream], 50)
        far.accept(old, True)
        far.steady()
        self.pair.settle()
        self.follow(new)
        assert self.counted() == lengths
        return (f"{cause}: moved after {late[0] * 1000:.0f} ms (core) {late[1] * 1000:.0f} ms "
                f"(access), AS paths {lengths}, "
                f"gap {stream.stop().gap_ms:.0f} ms")

    def returned(self):
        """The chassis that was killed is there again, as the Standby: the routers never look at
        it."""
        survivor = self.pair.active
        victim = self.pair.other(survivor)
        stream = self.stream()
        since = time.time()
        victim.start()
        victim.wait_ready()
        assert self.pair.settle() == (survivor, victim)
        for far in self.fars:
            far.steady()
        lengths = self.counted()
        assert set(lengths) == {survivor.side}, lengths
        self.follow(survivor)
        for far in self.fars:
            assert not far.moves(victim, since), f"{far.name} moved to {victim.side}"
        result = stream.stop()
        no_loss(self.pair, result)
        return f"returned: AS paths {lengths}"


class AheadScene(Scene):
    """The same with advertise-in-standby."""

    def __init__(self, lab, speakers, bfd):
        super().__init__(lab,
                         speakers,
                         bfd,
                         edits={
                             "srp.advertise-in-standby": "true",
                             "srp.hold-off-time": str(HOLD_OFF_MS)
                         })

    def held_off(self):
        """Waits until the standby advertises; before hold-off-time is over it does not. Its routers
        know both paths then, follow the active, and the standby's kernel does not answer for the
        VIP."""
        standby = self.pair.other(self.pair.active)

        def check():
            info = standby.info()
            told = info["vip_and_pool_routes"]
            if told.endswith("as standby"):
                assert info["state_age_ms"] >= HOLD_OFF_MS, info
            metric = re.fullmatch(r"advertised, metric (\d+), as standby", told)
            # A chassis that stood still has a worse modifier for a while; its routes stay as they
            # are as long as they are the longer path.
            return info["chassis_state"] == "Standby" and metric is not None and int(
                metric[1]) > info["peer_route_modifier"]
        wait_until(check, 60, lambda: f"{standby.side} to advertise: {standby.info()}")
        lengths = self.counted()
        assert set(lengths) == set(
            SIDES) and lengths[standby.side] > lengths[self.pair.active.side], lengths
        for far in self.fars:
            wait_until(lambda f=far: set(f.paths()[0]) == set(SIDES), 10, f"{far.name} to know "
                                                                          "both paths")
        self.follow(self.pair.active)
        assert VIP not in self.lab.ip(standby.side, "route", "show", "table", "local")
        return lengths

    def always(self, new, since):
        """Asserts that at each end somebody announced all the time, and who became active took
        nothing back."""
        for far in self.fars:
            assert not far.deserted(since), (
                f"{far.name}: nobody announced {far.prefix}: {far.deserted(since)}")
            heard = [(at, what) for at, side, what in far.heard()
                     if side == new.side and at >= since]
            assert not [at for at, what in heard if what != "told"], (
                f"{far.name}: {new.side} since {since}: {heard}")

    def switched(self):
        """A planned switchover: no packet is lost, and the old active advertises again once it is
        long enough Standby."""
        stream = self.stream()
        since = time.time()
        new = self.pair.switchover()
        self.follow(new)
        lengths = self.held_off()
        self.always(new, since)
        wait_heard([stream], 50)
        result = stream.stop()
        no_loss(self.pair, result)
        self.pair.settle()
        return f"planned: AS paths {lengths}, {result}"

    def toggled(self):
        """A reload takes the standby's routes away, and another brings them back."""
        standby = self.pair.other(self.pair.active)
        was = rewrite(standby, {"srp.advertise-in-standby": "false"})
        standby.ctl("reload configuration")
        wait_until(lambda: standby.info()["vip_and_pool_routes"] == "not advertised", 10,
                   "the routes to be withdrawn")
        assert self.metric(standby) is None and set(self.counted()) == {self.pair.active.side}
        put(standby, was)
        standby.ctl("reload configuration")
        self.held_off()


def ahead(scene, within):
    """The whole way of a pair whose standby advertises."""
    first = scene.held_off()
    planned = scene.switched()
    scene.toggled()
    since = time.time()
    killed = scene.killed(within)
    scene.always(scene.pair.active, since)
    return f"AS paths at start {first}; {planned}; {killed}"


def by_hold_time(scene):
    """The whole way of a pair whose routers have no BFD."""
    first = scene.counted()
    for side in SIDES:  # what the router announces comes beside what it hears
        shown = lambda s=side: scene.lab.ip(s, "route", "show", "default")
        wait_until(lambda shown=shown: f"via {CORE_HOST} " in shown(), 20,
                   f"a default route of {side}")
    return f"AS paths at start {first}; {scene.planned()}; {scene.killed(HOLD_S)}"


def frr(lab):
    """The shipped FRR configuration on both chassis."""
    return [
        Frr(lab, side, own(shipped("frr-bgpd.conf"), side), bfd=shipped("frr-bfdd.conf")).start()
        for side in SIDES
    ]


def bird(lab):
    """The shipped BIRD configuration on both chassis."""
    for side in SIDES:
        # Labs may share a machine with a syslog of its own.
        start_bird(lab, side,
                   own(shipped("bird.conf"), side).replace("log syslog all;", "log stderr all;"))


@alone
def test_frr(lab):
    """FRR as shipped, routers without BFD: they follow the Active; planned, somebody announces
    always; SIGKILL, by hold time"""
    return by_hold_time(Scene(lab, frr, bfd=False))


@alone
def test_frr_bfd(lab):
    """FRR as shipped, routers with BFD: a SIGKILL of the Active moves them long before the hold
    time"""
    return Scene(lab, frr, bfd=True).killed(BFD_S)


@alone
def test_bird(lab):
    """BIRD as shipped, routers without BFD: the same"""
    return by_hold_time(Scene(lab, bird, bfd=False))


@alone
def test_bird_bfd(lab):
    """BIRD as shipped, routers with BFD"""
    return Scene(lab, bird, bfd=True).killed(BFD_S)


@alone
def test_standby_frr(lab):
    """FRR as shipped, advertise-in-standby: routers know both paths and follow the Active; planned,
    SIGKILL: always a path"""
    return ahead(AheadScene(lab, frr, bfd=True), BFD_S)


@alone
def test_standby_bird(lab):
    """BIRD as shipped, advertise-in-standby, routers without BFD: the same"""
    return ahead(AheadScene(lab, bird, bfd=False), HOLD_S)


@alone
def test_bird_router(lab):
    """FRR as shipped, BIRD as the routers, which would keep a dead chassis' routes if FRR offered a
    graceful restart"""
    scene = Scene(lab, frr, bfd=False, router=BirdFar)
    return f"AS paths at start {scene.counted()}; {scene.killed(HOLD_S)}"


def follow(scene, cause):
    """The routers follow the Active there and back, by an operator and by a monitor, and when it
    dies and returns."""
    told = [
        scene.planned(),
        scene.planned(),
        scene.failed(cause),
        scene.failed(cause),
        scene.killed(HOLD_S),
        scene.returned(),
        scene.planned()
    ]
    return "; ".join(told)


def frr_bmp(lab):
    """The shipped FRR configuration, and its peers told to the chassis."""
    return [
        Frr(lab,
            side,
            own(shipped("frr-bgpd.conf"), side) + "router bgp 65001\n" + BMP.format(PORT), ["bmp"],
            bfd=shipped("frr-bfdd.conf")).start() for side in SIDES
    ]


@alone
def test_follow_bgp(lab):
    """FRR as shipped, BIRD as the routers: they follow a switchover there and back, a BGP failure
    there and back, a death, a return"""
    return follow(
        Scene(lab,
              frr_bmp,
              bfd=False,
              router=BirdFar,
              edits=WATCHED,
              rewrite=lambda text: text + BGP_WATCHED), "bgp-failure")


@alone
def test_follow_route(lab):
    """BIRD as shipped, FRR as the routers: the same, where the monitored default route goes"""
    return follow(
        Scene(lab, bird, bfd=False, edits=WATCHED, rewrite=lambda text: text + ROUTE_WATCHED),
        "route-failure")
