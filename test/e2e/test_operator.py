# SPDX-License-Identifier: BSD-3-Clause
"""Who becomes Active, and what an operator's commands do when not all is well."""

import json
import os
import re
import socket
import subprocess
import time

from chassis import Pair, check_truth, edit, tandemctl
from gtp import Client
from lab import wait_until
from test_agree import rewrite
from test_usage import imsi
from traffic import Probes, Sgsnemu, no_loss, wait_heard

# Who waits for nobody: the boot rule's delay and the dead interval of SRP.
SOON = {"srp.hello-interval": "200", "srp.dead-interval": "600", "srp.delay-interval": "500"}
BOOT_MS = 500 + 600
# So slow that a pass of the audit over a large table takes seconds.
SLOW = {"srp.replication-rate": "1", "table.max-sessions": "1048576"}


def tie_breaker(chassis, mac):
    """Changes the tie-breaker in a chassis' file."""
    rewrite(chassis, lambda text: edit(text, "chassis.tie-breaker", f'"{mac}"'))


def again(pair, left, right):
    """Both ended, and started at once with these tie-breakers."""
    for chassis, mac in ((pair.left, left), (pair.right, right)):
        if chassis.alive():
            assert chassis.term() == 0, chassis.process.output()[-500:]
        tie_breaker(chassis, mac)
    for chassis in pair.both:
        chassis.start()
    for chassis in pair.both:
        chassis.wait_ready()


def alarms(chassis):
    """Names of its alarms."""
    return {a["alarm"] for a in chassis.ctl("show alarms")["alarms"]}


def test_mac_decides(lab):
    """both primary with equal priority: the higher of the last three octets is Active, then of all
    six; all equal: neither"""
    pair = Pair(lab, edits={"chassis.mode": '"primary"', **SOON})
    for left, right, winner in (("02:00:00:03:1c:2b", "06:00:00:03:01:3b", pair.left),
                                ("02:00:00:03:01:2b", "06:00:00:03:01:2b", pair.right)):
        again(pair, left, right)
        assert pair.settle()[0] is winner, f"{left} {right}"
        shown = {c: c.info() for c in pair.both}
        assert all(i["chassis_mode"] == i["peer_mode"] == "Primary" for i in shown.values()), shown
        assert shown[pair.left]["peer_tiebreaker"].lower() == right, shown
    again(pair, left, left)
    for chassis in pair.both:
        wait_until(lambda c=chassis: "tie-break" in alarms(c), 10, f"{chassis.side} to say so")
        alarm = next(a for a in chassis.ctl("show alarms")["alarms"] if a["alarm"] == "tie-break")
        assert "change one" in alarm["text"] and "neither" in alarm["meaning"], alarm
        assert alarm["action"].startswith("Change one of the three"), alarm
    # For longer than anybody waits for the other.
    for chassis in pair.both:
        chassis.wait(lambda i: i["uptime_ms"] > 3 * BOOT_MS, 20, "a time in which somebody else "
                                                                 "would be Active")
        assert chassis.info()["chassis_state"] == "Init", chassis.info()


def test_primary_returns(lab):
    """the primary dies and comes back: Standby, and no failback, with no alarm and no packet
    lost"""
    pair = Pair(lab, edits=SOON).start()
    primary, backup = pair.left, pair.right
    assert pair.active is primary and primary.info()["chassis_mode"] == "Primary"
    sgsn = Sgsnemu(lab)
    place = sgsn.namespace, sgsn.attach()[0]
    primary.kill9()
    backup.state_is("Active", 10)
    stream = Probes(lab, *place)
    wait_heard([stream], 20)
    primary.start()
    primary.wait_ready()
    assert pair.settle() == (backup, primary)
    since = backup.info()["state_age_ms"]
    backup.wait(lambda i: i["state_age_ms"] > since + 3 * BOOT_MS, 15, "a time in which any rule "
                                                                       "of the start would act")
    info = primary.info()
    assert (info["chassis_state"], info["chassis_mode"],
            info["peer_state"]) == ("Standby", "Primary", "Active"), info
    assert info["peer_route_modifier"] < info["route_modifier"], info
    wait_until(lambda: not alarms(primary) and not alarms(backup), 15,
               lambda: f"no alarm: {alarms(primary)} {alarms(backup)}")
    result = stream.stop()
    no_loss(pair, result)
    return str(result)


def tell(chassis, *words):
    """tandemctl: exit code, and what it printed."""
    done = subprocess.run([tandemctl(chassis.lab.build), "--socket", chassis.socket, *words],
                          capture_output=True,
                          text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def resyncing(pair):
    """A Standby that came back into a slow pass of the audit; (active, standby)."""
    active, standby = pair.active, pair.other(pair.active)
    standby.kill9()
    active.wait(lambda i: i["connection_state"] != "Connected", 10, "the loss of the peer")
    standby.start()
    standby.wait_ready()
    standby.state_is("Standby", 30)
    active.wait(lambda i: i["peer_state"] == "Standby", 30, "a Standby")
    return active, standby


def refused_by_turns(active):
    """What the commands that want a Standby in sync say. None: it was in sync before the last of
    them was answered, which takes two seconds."""
    said = wait_until(
        lambda: (t := tell(active, "srp", "validate-switchover")) and
        (re.search(r"about \d+ s", t[1]) or active.info()["in_sync"]) and t,
        30, lambda: "a refusal that says how long: "
        f"{tell(active, 'srp', 'validate-switchover')}")
    told = [said, tell(active, "--json", "srp", "validate-switchover")]
    if not active.info()["in_sync"]:
        told.append(tell(active, "srp", "initiate-switchover"))
    info = active.info()
    return None if info["in_sync"] or info["chassis_state"] != "Active" else told


def test_refused_while_resyncing(lab):
    """validate-switchover while the standby is resyncing: refused, and says how long; forced all
    the same, but never without a peer"""
    pair = Pair(lab, edits=SLOW).start()
    client = Client(lab)
    for number in range(5):
        client.attach(imsi(number))
    for _ in range(5):
        active, standby = resyncing(pair)
        told = refused_by_turns(active)
        if told is not None:
            break
        pair.settle()
    assert told is not None, "in sync each time before all was asked"
    said, as_json, asked = told
    assert said[0] == 1 and "in sync" in said[1] and re.search(r"about \d+ s", said[1]), said
    assert re.search(r"about \d+ s", active.info()["last_validate_switchover_status"]), (
        active.info())
    assert asked[0] == 1 and "not in sync" in asked[1] and re.search(r"about \d+ s", asked[1]), (
        asked)
    assert as_json[0] == 1 and re.search(r"about \d+ s", as_json[1]), as_json
    code, text = tell(active, "srp", "initiate-switchover", "force")
    assert code == 0, text
    standby.state_is("Active", 30)
    active.state_is("Standby", 30)
    assert standby.info()["last_switchover"]["cause"] == "forced", standby.info()
    assert "unvouched" in alarms(standby), "what an incomplete copy lacks is not told"
    active.kill9()
    standby.wait(lambda i: i["connection_state"] != "Connected", 10, "the loss of the peer")
    # That the connection is gone is known before that nobody is there.
    forced = lambda: tell(standby, "srp", "initiate-switchover", "force")
    wait_until(lambda: "no peer" in forced()[1], 10,
               lambda: f"a refusal without a peer: {forced()}")
    assert forced()[0] == 1, forced()
    return said[1].strip()


def test_switchover_while_reloading(lab):
    """a switchover while a reload waits for its disk: both are carried out, and no packet or
    session is lost"""
    pair = Pair(lab).start()
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    wait_heard([stream], 20)
    old = pair.active
    new, before = pair.other(old), pair.identities(old)
    with open(old.file, encoding="utf-8") as handle:
        text = edit(handle.read(), "srp.replication-rate", "100")
    os.remove(old.file)
    os.mkfifo(old.file)  # it is read when somebody writes
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.settimeout(20)
        asker.connect(old.socket)
        asker.sendall(b'{"command": "reload configuration"}\n')
        wait_until(lambda: "going on" in old.ask("reload configuration").get("error", ""), 5,
                   "the reload to be begun")
        began = time.monotonic()
        assert pair.switchover() is new
        took = time.monotonic() - began
        with open(old.file, "w", encoding="utf-8") as pipe:
            pipe.write(text)
        answer = json.loads(asker.makefile("rb").readline())
    assert answer["ok"] and answer["data"]["changed"][0]["to"] == "100", answer
    pair.settle()
    wait_heard([stream], 20)
    result = stream.stop()
    no_loss(pair, result)
    assert pair.identities(new) == before == pair.identities(old)
    check_truth(pair)
    return f"switched over in {took * 1000:.0f} ms with the reload waiting, {result}"
