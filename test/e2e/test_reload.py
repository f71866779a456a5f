# SPDX-License-Identifier: BSD-3-Clause
"""The running configuration: shown, saved, started from, loaded anew by command and by SIGHUP."""

import errno
import ipaddress
import itertools
import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import time

from chassis import Pair, edit, make_keys, tandemctl
from gtp import (ACCEPTED, CREATE, Client, Talker, User, create_elements, own_teid, tlv)
from lab import CORE_GATEWAY, POOL, wait_until
from load import Load
from shared import needs
from test_load import check, told
from test_secret import cut_srp

SESSIONS = 500
UNKNOWN_APN = 219  # missing or unknown APN (TS 29.060 7.7.1)
NOT_VERIFIED = 209  # user authentication failed (TS 29.060 7.7.1)
LIVE = {"log.level": '"warning"', "srp.replication-rate": "500", "services.gtp-direct": "false"}


def alone(lab):
    """One chassis of a pair, up."""
    chassis = Pair(lab).left
    chassis.start()
    chassis.wait_ready()
    return chassis


def text(chassis):
    """The running configuration."""
    return chassis.ctl("show configuration")["text"]


def rewrite(chassis, edits):
    """Changes keys in a chassis' file. Returns what the file was."""
    with open(chassis.file, encoding="utf-8") as handle:
        was = new = handle.read()
    for key, value in edits.items():
        new = edit(new, key, value)
    put(chassis, new)
    return was


def put(chassis, new):
    """Replaces a chassis' file."""
    with open(chassis.file, "w", encoding="utf-8") as handle:
        handle.write(new)


def operator(chassis, *words):
    """tandemctl: (exit status, stdout, stderr)."""
    done = subprocess.run([tandemctl(chassis.lab.build), "-s", chassis.socket, *words],
                          capture_output=True,
                          text=True,
                          timeout=30,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def rate(chassis):
    """What the replication core keeps to."""
    return chassis.ctl("show srp checkpoint statistics")["replication_rate_mbps"]


def attach_directly(active, client, imsis):
    """Sessions until an answer goes past the kernel."""
    sent = active.counter("gtp.tx_direct")
    client.attach(next(imsis))
    return active.counter("gtp.tx_direct") > sent


def test_good(lab):
    """every key that can change at run time does, under way, with both values told; roles, sync and
    sessions stay"""
    pair = Pair(lab).start()
    client = Client(lab)
    imsis = map(str, itertools.count(262011000000001))
    active = pair.active
    before = active.info()
    wait_until(lambda: attach_directly(active, client, imsis), 10, "an answer past the kernel")
    was = {}
    for chassis in pair.both:
        assert rate(chassis) == 0
        was[chassis] = rewrite(chassis, LIVE)
        said = chassis.ctl("reload configuration")
        assert {c["key"]: (c["from"], c["to"]) for c in said["changed"]} == {
            "log.level": ('"info"', '"warning"'), "srp.replication-rate": ("0", "500"),
            "services.gtp-direct": ("true", "false")}, said
        assert said["needs_restart"] == [], said
        for key, value in LIVE.items():
            assert re.search(rf"(?m)^\t{key.split('.')[1]} = {value};", text(chassis)), (
                text(chassis))
            wait_until(lambda c=chassis, k=key: f"changed a key key={k} " in c.process.output(), 5,
                       f"the log to name {key}")
        wait_until(lambda c=chassis: rate(c) == 500, 5, "the replication core to keep to the new "
                                                        "rate")
    # What is answered now goes out through the twin.
    for _ in range(5):
        assert not attach_directly(active, client, imsis), "past the kernel, as before"
    # A notice is logged no more; then it is again.
    put(active, was[active])
    logged = len(active.process.output())
    active.process.send(signal.SIGHUP)
    wait_until(lambda: rate(active) == 0, 5, "the reload by SIGHUP")
    said = lambda: active.process.output()[logged:]
    wait_until(lambda: " key=log.level " in said(), 5, lambda: f"the log: {said()}")
    assert "SIGHUP" not in said(), said()
    wait_until(lambda: attach_directly(active, client, imsis), 10, "an answer past the kernel "
                                                                   "again")
    sessions = pair.identities(active)
    assert pair.settle()[0] is active
    after = active.info()
    assert after["term"] == before["term"] and after[
        "peer_configuration_validation"] == "Complete", after
    assert len(sessions) >= 7, sessions
    wait_until(lambda: pair.identities(pair.other(active)) == sessions, 10, "equal tables")
    return f"{len(LIVE)} keys, {len(sessions)} sessions"


def loaded(chassis, keys):
    """Reloads keys that both must agree on, on the first of the two: they wait for the peer."""
    rewrite(chassis, keys)
    said = chassis.ctl("reload configuration")
    assert {re.sub(r"\[.*\]", "", c["key"]) for c in said["changed"]} == set(keys), said
    assert said["needs_restart"] == [], said
    assert "when the peer has loaded the same" in said["result"], said


def waits(first, second):
    """Both say what waits where, and that nothing else differs."""
    first.wait(lambda i: i["next_configuration"] == "waits for the peer"
               and i["next_configuration_age_ms"] is not None, 5, "what waits here")
    second.wait(lambda i: i["peer_next_configuration"] == "waits for this chassis"
                and i["next_configuration"] == "none", 5, "what waits at the peer")
    assert all(c.info()["peer_configuration_validation"] == "Complete" for c in (first, second))


def runs(chassis, keys):
    """Whether it runs with these values, nothing waits, and the peer is not about to follow."""
    running, info = text(chassis), chassis.info()
    return info["next_configuration"] == info["peer_next_configuration"] == "none" and all(
        f"\t{key.split('.')[1]} = {value};" in running.replace("( ", "[").replace(" )", "]")
        for key, value in keys.items())


def agreed(pair, keys):
    """Reloads keys that both must agree on, on one and then on the other, until both run them."""
    for chassis in pair.both:
        loaded(chassis, keys)
    for chassis in pair.both:
        wait_until(lambda c=chassis: runs(c, keys), 5, f"{chassis.side} to run it")


def never_differed(pair, before):
    """No mismatch was seen, no stream began anew, and the roles are those of before."""
    for chassis in pair.both:
        info, was = chassis.info(), before[chassis]
        assert info["peer_configuration_validation"] == "Complete", info
        assert info["uptime_ms"] > was["uptime_ms"], info
        assert info["state_age_ms"] > was["state_age_ms"] and info["term"] == was["term"], info
        assert "config-mismatch" not in chassis.process.output()
        assert "peer-lost" not in chassis.process.output()
        wait_until(lambda c=chassis: not c.ctl("show alarms")["alarms"], 15,
                   lambda c=chassis: f"no alarm: {c.ctl('show alarms')}")


def test_agreed(lab):
    """keys that both must agree on, reloaded on one and then on the other: between the two both run
    the old ones, replicate, could hand over, and say what waits; then both run the new ones. A
    third file in between changes nothing, and what waits can be taken back"""
    pair = Pair(lab).start()
    client = Client(lab)
    client.attach("240040000000001")
    active = pair.settle()[0]
    standby = pair.other(active)
    before = {c: c.info() for c in pair.both}
    for n, (first, new, guard) in enumerate(((standby, 60, 7), (active, 50, 60)), 2):
        second = pair.other(first)
        keys = {"srp.commit-timeout": str(new), "srp.guard-period": str(guard)}
        old = rewrite(second, {})
        loaded(first, keys)
        waits(first, second)
        # Another one there: both wait, each for the other.
        loaded(second, {"srp.commit-timeout": "70"})
        second.wait(lambda i: i["peer_next_configuration"] == "waits for this chassis", 5, "both")
        first.wait(lambda i: i["peer_next_configuration"] == "waits for this chassis", 5, "both")
        put(second, old)
        said = second.ctl("reload configuration")
        assert "what waited for the peer waits no more" in said["result"], said
        waits(first, second)
        assert not runs(first, keys) and not runs(second, keys)
        assert active.ask("srp validate-switchover")["ok"], active.ask("srp validate-switchover")
        client.attach(f"24004000000000{n}")
        wait_until(lambda: pair.identities(standby) == pair.identities(active), 10, "equal tables")
        loaded(second, keys)
        for chassis in pair.both:
            wait_until(lambda c=chassis: runs(c, keys), 5, f"{chassis.side} to run it")
            wait_until(lambda c=chassis: "waited for the peer runs now" in c.process.output(), 5,
                       "the log to say so")
        assert len(pair.identities(active)) == n
    never_differed(pair, before)
    assert len(pair.identities(pair.switchover())) == n
    return f"{n} sessions"


TIMES = ({"srp.hello-interval": "300", "srp.dead-interval": "6000", "srp.heartbeat-interval": "200",
          "srp.dead-multiplier": "6", "srp.audit-interval": "7", "srp.micro-checkpoint-interval":
          "300"},
         {"srp.hello-interval": "500", "srp.dead-interval": "3000", "srp.heartbeat-interval": "20",
          "srp.dead-multiplier": "5", "srp.audit-interval": "5", "srp.micro-checkpoint-interval":
          "100"})


def test_times(lab):
    """hello, dead, heartbeat, multiplier, audit and checkpoint become ten times longer and then
    shorter again, on one chassis and then on the other: neither takes the other for dead in
    between, a takeover is as quick as the last ones say, and no session is lost"""
    pair = Pair(lab, edits=TIMES[1]).start()
    client = Client(lab)
    client.attach("240050000000001")
    active = pair.settle()[0]
    before = {c: c.info() for c in pair.both}
    for first, keys in ((active, TIMES[0]), (pair.other(active), TIMES[1])):
        loaded(first, keys)
        waits(first, pair.other(first))
        loaded(pair.other(first), keys)
        for chassis in pair.both:
            wait_until(lambda c=chassis, k=keys: runs(c, k), 5, f"{chassis.side} to run it")
        # Heartbeats come as the keys say, and only so often are they missed.
        beats = lambda: active.ctl("show srp statistics")["heartbeats_sent"]
        want = 1000 / int(keys["srp.heartbeat-interval"])
        wait_until(lambda w=want: abs(per_second(beats) - w) <= max(2, w / 3), 15,
                   lambda w=want: f"{w} heartbeats a second, not {per_second(beats)}")
    assert pair.settle()[0] is active
    never_differed(pair, before)
    window = int(keys["srp.heartbeat-interval"]) * int(keys["srp.dead-multiplier"])
    for chassis in pair.both:
        chassis.wait(lambda i: i["dead_window_ms"] == window, 10, "the shorter time alone to count")
    killed_at = active.kill9()
    survivor = pair.other(active)
    survivor.state_is("Active")
    assert len(pair.identities(survivor)) == 1
    decided = pair.decided_ms(survivor, killed_at)
    assert decided < window + 500 + survivor.stood_still_ms(), decided
    return (f"decided {decided:.0f} ms after the kill, of which it stood still for "
            f"{survivor.stood_still_ms():.0f}")


def name_servers(client, imsi):
    """Those that a new subscriber is given (TS 24.008 10.5.6.3, container 000dH)."""
    apn = tlv(131, b"\x08internet")
    body = create_elements(imsi, own_teid(imsi), client.address)
    found = client.request(CREATE, 0, body.replace(apn, apn + tlv(132, b"\x80\x00\x0d\x00")))
    assert found[1][0] == ACCEPTED, found
    pco, at, given = found[132], 1, []
    while at < len(pco):
        kind, size = struct.unpack("!HB", pco[at:at + 3])
        if kind == 13:
            given.append(str(ipaddress.ip_address(pco[at + 3:at + 3 + size])))
        at += 3 + size
    return given


def test_apn(lab):
    """an APN's name servers, who may use it and how long sessions live, reloaded on one and then on
    the other: new subscribers are answered by what both run, sessions that are there stay, and the
    new life counts for them, too"""
    pair = Pair(lab).start()
    client = Client(lab)
    active = pair.settle()[0]
    standby = pair.other(active)
    before = {c: c.info() for c in pair.both}
    imsis = map(str, itertools.count(240060000000001))
    was = name_servers(client, next(imsis))
    keys = {"apns.dns": '["10.9.0.77"]', "apns.ambr-down": "2000"}
    for chassis in (active, standby):
        assert name_servers(client, next(imsis)) == was == ["10.9.0.1"]
        loaded(chassis, keys)
    for chassis in pair.both:
        wait_until(lambda c=chassis: runs(c, keys), 5, f"{chassis.side} to run it")
    assert name_servers(client, next(imsis)) == ["10.9.0.77"]
    for _ in pair.both:
        pair.settle()
        pair.switchover()
        assert name_servers(client, next(imsis)) == ["10.9.0.77"]
    pair.settle()
    wait_until(lambda: len(pair.identities(standby)) == 6, 10, "all sessions at the standby")
    verified = {"apns.ambr-down": "2000;\n\t\tselection-mode = \"verified\""}
    for chassis in pair.both:
        rewrite(chassis, verified)
        said = chassis.ctl("reload configuration")
        assert [c["key"] for c in said["changed"]] == ["apns[internet].selection-mode"], said
    wait_until(lambda: client.create(next(imsis))[0] == NOT_VERIFIED, 5,
               "who is not verified to be refused")
    for chassis in pair.both:
        wait_until(lambda c=chassis: runs(c, {"apns.selection-mode": '"verified"'}), 5,
                   f"{chassis.side} to be done")
    assert len(pair.identities(active)) >= 6
    agreed(pair, {"apns.session-timeout": "1"})
    for chassis in pair.both:
        wait_until(lambda c=chassis: c.total() == 0, 15, f"the sessions of {chassis.side} to end")
    assert all(c.info()["uptime_ms"] > before[c]["uptime_ms"] for c in pair.both)


def per_second(count):
    """How fast a counter grows, by the clock: a window, and nothing is waited for in it."""
    begin, was = time.monotonic(), count()
    wait_until(lambda: time.monotonic() - begin >= 1, 5, "a second to pass")
    return (count() - was) / (time.monotonic() - begin)


UNDER_LOAD = ({
    "apns.dns": '["10.9.0.2", "10.9.0.3"]',
    "apns.ambr-up": "1000000",
    "srp.commit-timeout": "60",
    "srp.heartbeat-interval": "40",
    "srp.audit-interval": "6",
    "srp.micro-checkpoint-interval": "150",
    "srp.hello-interval": "300"
}, {
    "apns.dns": '["10.9.0.1"]',
    "apns.ambr-up": "0",
    "srp.commit-timeout": "50",
    "srp.heartbeat-interval": "20",
    "srp.audit-interval": "5",
    "srp.micro-checkpoint-interval": "100",
    "srp.hello-interval": "500"
})


ITEMS = {"extra": "172.22.0.0/16", "spare": "172.23.0.0/16"}
# Which of them the file has, with the APN's pool.
STAGES = ({"extra": "extra"}, {"extra": "subscribers", "spare": "spare"}, {"spare": "spare"})


def with_items(text_of, items):
    """A configuration with these APNs, {name: pool}, and a pool of each one's name, and with no
    others of ITEMS. They sort before and behind those that are there."""
    text_of = re.sub(r'\n\t\{ name = "(extra|spare)"; .*', "", text_of)
    for name, pool in items.items():
        text_of = text_of.replace(
            "pools = (", f'pools = (\n\t{{ name = "{name}"; prefix = "{ITEMS[name]}"; '
            "srp-activate = true; quarantine = 1; },").replace(
                "apns = (", f'apns = (\n\t{{ name = "{name}"; pool = "{pool}"; }},')
    return text_of


def with_spare(text_of):
    """What the pair begins with."""
    return with_items(text_of, STAGES[2])


def states(chassis, kind):
    """{name: state} of its APNs or pools; None while it has no number yet and serves nobody."""
    return {
        item["name"]: item["state"] if item["number"] is not None else None
        for item in chassis.ctl(f"show {kind}")[kind]
    }


def are(chassis, items):
    """Whether it has these items besides those of its own, and others of ITEMS drain or are not
    there."""
    found = {kind: states(chassis, kind) for kind in ("apns", "pools")}
    return all(
        found[kind].get(name, "draining") == ("used" if name in items else "draining")
        for kind in found for name in ITEMS)


def within(address, prefix):
    """Whether an address is of that prefix."""
    return ipaddress.ip_address(address) in ipaddress.ip_network(prefix)


class Subscribers:
    """Subscribers of an APN with an SGSN of their own, whose packets pass all the time."""

    def __init__(self, lab, apn, imsis):
        self.address = lab.add_ue()[1]
        self.apn, self.client, self.user = apn, Client(lab, address=self.address), User(
            lab, self.address)
        lab.route("core", ITEMS[apn], CORE_GATEWAY)
        lab.cleanups.append(lambda: lab.route("core", ITEMS[apn], CORE_GATEWAY, False))
        self.contexts = [self.client.attach(next(imsis), apn=apn) for _ in range(2)]
        assert all(within(c.address, ITEMS[apn]) for c in self.contexts), self.contexts
        self.user.warm(self.contexts[0])
        self.talker = Talker(lab, self.user, self.contexts, interval=0.01)

    def asks(self, imsi, pool):
        """A subscriber who comes and goes is served from that pool, or nobody is."""
        cause, control, _, address = self.client.create(imsi, self.apn)
        if pool is None:
            assert cause == UNKNOWN_APN, cause
            return
        assert cause == ACCEPTED, cause
        assert within(address, ITEMS.get(pool, POOL)), address
        assert self.client.delete(control) == ACCEPTED

    def end(self):
        """No packet more, and no session; how many packets were lost."""
        self.talker.stop()
        assert all(self.client.delete(c.control) == ACCEPTED for c in self.contexts)
        return self.talker.counts(self.talker.sent) - self.talker.counts(self.talker.heard)


def loaded_file(chassis, new):
    """Reloads a file on the first of the two: it waits for the peer."""
    put(chassis, new)
    said = chassis.ctl("reload configuration")
    assert said["needs_restart"] == [], said
    assert "when the peer has loaded the same" in said["result"], said
    return {c["key"] for c in said["changed"]}


def staged(chassis, was, keys, items):
    """The file of a round."""
    new = was[chassis]
    for key, value in keys.items():
        new = edit(new, key, value)
    return with_items(new, items)


@needs(edits=UNDER_LOAD[1], rewrite=with_spare)
def test_under_load(lab, pair):
    """reloads on one chassis and then on the other, in turn, while SGSNs update their subscribers'
    contexts and packets pass: keys change, an APN and a pool come, change, drain and come back with
    sessions in them; no session and no packet is lost, the two never differ, and nobody hands over
    (scripts/reloads.sh makes more of them)"""
    rounds = int(os.environ.get("RELOADS", "3"))
    active = pair.active
    before = {c: c.info() for c in pair.both}
    streams = [c.counter("joins") for c in pair.both]
    was = {c: rewrite(c, {}) for c in pair.both}
    imsis = map(str, itertools.count(240070000000001))
    subscribers = {"spare": Subscribers(lab, "spare", imsis)}
    load = Load(lab,
                sessions=SESSIONS,
                rate=2000,
                duration=0,
                up=500,
                down=500,
                update_rate=50,
                verify=1000)
    load.wait_created()
    for n in range(rounds):
        keys, items = UNDER_LOAD[n % 2], STAGES[n % 3]
        first = pair.both[n // 2 % 2]
        changed = loaded_file(first, staged(first, was, keys, items))
        assert any(k.startswith("apns[") for k in changed), changed
        waits(first, pair.other(first))
        loaded_file(pair.other(first), staged(pair.other(first), was, keys, items))
        for chassis in pair.both:
            wait_until(lambda c=chassis, k=keys: runs(c, k), 5, f"{chassis.side} to run it")
            wait_until(lambda c=chassis, i=items: are(c, i), 5, f"{chassis.side} to have its lists")
        if "extra" not in subscribers:
            subscribers["extra"] = Subscribers(lab, "extra", imsis)
        for name, group in subscribers.items():
            group.asks(next(imsis), items.get(name))
            group.talker.wait_heard(10)
        wait_until(lambda k=n: load.interim()["up"]["sent"] > 200 * (k + 1), 20, "traffic")
        now = load.interim()
        assert now["sessions"]["up"] == SESSIONS, now
    for chassis in pair.both:
        wait_until(lambda c=chassis: c.total() == SESSIONS + 4, 5, f"all of {chassis.side}")
    load.go_on()
    code, report = load.finish()
    lost = sum(group.end() for group in subscribers.values())
    stale = active.counter("stale_frames")
    check(report, code, SESSIONS, stale)
    assert lost <= stale, f"{lost} packets of drained APNs lost, {stale} thrown away"
    never_differed(pair, before)
    assert [c.counter("joins") for c in pair.both] == streams, "a stream began anew"
    for chassis in pair.both:
        put(chassis, was[chassis])
        chassis.ctl("reload configuration")
    for chassis in pair.both:
        wait_until(lambda c=chassis: runs(c, UNDER_LOAD[1]) and are(c, STAGES[2]), 5,
                   f"{chassis.side} as it was")
        wait_until(lambda c=chassis: "extra" not in {**states(c, "apns"), **states(c, "pools")}, 15,
                   lambda c=chassis: f"what drained to leave: {states(c, 'pools')}")
    return f"{rounds} reloads of both, {told(report)}"


def refused_reload(chassis, *expected):
    """A reload that is refused, with what is wrong, by the answer and in the log; nothing is
    changed. The answer."""
    before = text(chassis)
    answer = chassis.ask("reload configuration")
    assert not answer["ok"] and "nothing was changed" in answer["error"], answer
    for words in expected:
        assert words in answer["error"], f"{words!r} is not in {answer['error']}"
        wait_until(lambda w=words: w in chassis.process.output(), 5, f"{words!r} in the log")
    assert text(chassis) == before
    code, out, said = operator(chassis, "reload", "configuration")
    assert code == 1 and not out and all(words in said for words in expected), (code, out, said)
    return answer


def test_refused(lab):
    """a bad file (all its errors, with lines), one that is gone, a key that needs a restart:
    nothing at all is changed"""
    chassis = alone(lab)
    was = rewrite(chassis, {"srp.hello-interval": '"fast"', "chassis.priority": "256", **LIVE})
    with open(chassis.file, encoding="utf-8") as handle:
        lines = handle.read().split("\n")
    at = {
        key: next(i for i, line in enumerate(lines, 1) if f"{key} = " in line)
        for key in ("hello-interval", "priority")
    }
    refused_reload(chassis, "2 errors", *(f"{chassis.file}:{line}: " for line in at.values()))
    chassis.process.send(signal.SIGHUP)
    wait_until(
        lambda: "SIGHUP" in chassis.process.output() and chassis.process.output().count("2 errors")
        == 3, 5, "SIGHUP to say what is wrong")
    os.rename(chassis.file, chassis.file + ".away")
    refused_reload(chassis, "No such file")
    put(chassis, was)
    # One key that needs a restart keeps all the others from being changed.
    rewrite(chassis, {"srp.delay-interval": "5001", "pools.quarantine": "11", **LIVE})
    answer = refused_reload(chassis, "2 keys need a restart", "srp.delay-interval: ",
                            "pools[subscribers].quarantine: ")
    assert [c["key"] for c in answer["needs_restart"]
            ] == ["pools[subscribers].quarantine", "srp.delay-interval"], answer
    assert {c["key"] for c in answer["not_changed"]} == set(LIVE), answer
    put(chassis, was)
    said = chassis.ctl("reload configuration")
    assert said["changed"] == [] and "in force already" in said["result"], said
    assert chassis.alive() and rate(chassis) == 0 and chassis.info()


def test_save(lab):
    """the running configuration is saved whole and private, by absolute path only; a chassis starts
    from it to the same"""
    chassis = alone(lab)
    rewrite(chassis, {"srp.replication-rate": "500", "services.gtp-direct": "false"})
    chassis.ctl("reload configuration")
    running = text(chassis)
    file = os.path.join(lab.directory, "saved.conf")
    code, out, said = operator(chassis, "save", "configuration", file)
    assert code == 0 and "omments" in out and file in out, (code, out, said)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    os.chmod(file, 0o640)
    answer = chassis.ctl("save configuration", file=file)
    with open(file, encoding="utf-8") as handle:
        saved = handle.read()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o640 and answer["bytes"] == len(saved)
    head, rest = saved.split("\n", 1)
    assert head.startswith("#") and "omments" in head and rest == running
    for name, why in (("saved.conf", "relative path"), (lab.directory, "no regular file"),
                      ("/dev/null", "no regular file"), (f"{lab.directory}/none/saved.conf",
                                                         "No such file"),
                      ("/" + "\u00e4" * 110 + "/x", "No such file")):
        code, out, said = operator(chassis, "save", "configuration", name)
        assert code == 1 and why in said, (name, code, out, said)
    code, out, said = operator(chassis, "--json", "show", "configuration")
    assert code == 0 and json.loads(out)["text"] == running, said
    assert not [f for f in os.listdir(lab.directory) if f.startswith(".saved")]
    assert chassis.term() == 0
    chassis.file = file
    chassis.start()
    chassis.wait_ready()
    assert text(chassis) == running
    wait_until(lambda: rate(chassis) == 500, 5, "the replication core to keep to its rate")


def reader(fifo):
    """A descriptor that writes to who reads a FIFO; None if nobody does."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None


def test_slow_disk(lab):
    """while a file is being read nothing else waits: views are answered, a second reload and a save
    are refused, SIGHUP is remembered; who asked is answered in the end, and who went away is not
    missed"""
    chassis = alone(lab)
    was = rewrite(chassis, {})
    for stays in (True, False):
        os.remove(chassis.file)
        os.mkfifo(chassis.file)  # it is read when somebody writes
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
            asker.settimeout(20)
            asker.connect(chassis.socket)
            asker.sendall(b'{"command": "reload configuration"}\n')
            wait_until(lambda: "going on" in chassis.ask("reload configuration").get("error", ""),
                       5, "the first to be begun")
            assert "going on" in chassis.ask("save configuration",
                                             file=f"{lab.directory}/x.conf")["error"]
            turns = chassis.ctl("show workers")["cores"][0]["turns"]
            wait_until(lambda t=turns: chassis.ctl("show workers")["cores"][0]["turns"] > t + 10,
                       5,
                       "control to turn")
            done = chassis.process.output().count(" key=srp.replication-rate ")
            chassis.process.send(signal.SIGHUP)
            if not stays:
                asker.close()
            chassis.info()
            pipe = wait_until(lambda: reader(chassis.file), 5, "somebody to read")
            os.remove(chassis.file)
            put(chassis, edit(was, "srp.replication-rate", "200"))
            os.write(pipe, edit(was, "srp.replication-rate", "100").encode())
            os.close(pipe)
            if stays:
                answer = json.loads(asker.makefile("rb").readline())
                assert answer["data"]["changed"][0]["to"] == "100", answer
        # The one that was asked for, then the one by SIGHUP.
        wait_until(lambda n=done: chassis.process.output().count(" key=srp.replication-rate ")
                   == n + 2,
                   5,
                   "both reloads")
        wait_until(lambda: rate(chassis) == 200, 5, "the file that SIGHUP meant")


def test_keys_elsewhere(lab):
    """other files of keys, named by a reload: used from the next connection on, with nothing lost;
    one that is not there is refused at once"""
    pair = Pair(lab).start()
    keys, moved = (os.path.join(lab.directory, name) for name in ("keys", "moved"))
    client = Client(lab)
    client.attach("262011000000001")
    make_keys(moved)
    for chassis in pair.both:
        with open(chassis.file, encoding="utf-8") as handle:
            was = handle.read()
        assert keys in was
        put(chassis, was.replace(keys, os.path.join(lab.directory, "none")))
        refused_reload(chassis, "a file of certificates or keys cannot be used", "srp.key-file: ")
        put(chassis, was.replace(keys, moved))
        said = chassis.ctl("reload configuration")
        assert {c["key"]
                for c in said["changed"]
                } == {"srp.ca-file", "srp.certificate-file", "srp.key-file"}, said
    os.rename(keys, keys + ".away")
    assert all(c.info()["connection_state"] == "Connected" for c in pair.both), (
        "a connection that is up is not cut")
    cut_srp(lab)
    for chassis in pair.both:
        wait_until(lambda c=chassis: "read again" in c.process.output(), 30, f"{chassis.side} to "
                                                                             "read its new files")
    active = pair.settle()[0]
    client.attach("262011000000002")
    assert "go on with the certificates and keys as they were" not in active.process.output()
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 15,
               "the sessions on both")
    assert active.total() == 2 and "certificates" in active.info()["replication_security"]
