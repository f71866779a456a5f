# SPDX-License-Identifier: BSD-3-Clause
"""The AAA monitor against two real FreeRADIUS."""

import os
import time

from chassis import Pair, check_config, shipped
from lab import run, wait_until
from radius import SECRET, FreeRadius

# Times are short: a server is down 2 s after it fell silent (three, which never answers as it
# should, sooner), and acts at most guard and damping later.
EDITS = {"srp.guard-period": "1", "srp.damping-period": "1"}
QUIET_S = 3  # longer than both together
SWITCH_S = 30
SERVERS = """
aaa-servers = (
	{{ name = "one"; address = "10.8.0.1"; secret-file = "{0}/secret"; user = "probe";
	   timeout = 1; max-retries = 2; period = 1; }},
	{{ name = "two"; address = "10.9.0.1"; secret-file = "{0}/secret"; user = "nobody";
	   timeout = 1; max-retries = 2; period = 1; }},
	{{ name = "three"; address = "10.9.0.1"; port = 1814; secret-file = "{0}/wrong";
	   probe = "status-server"; timeout = 1; max-retries = 1; period = 1; }}
);
"""


def secrets(lab):
    """Files of a right and a wrong secret; the right one has the probe user's password too."""
    for name, text in (("secret", f"{SECRET}\nprobe\n"), ("wrong", "not-testing123\n")):
        path = os.path.join(lab.directory, name)
        with open(path, "w", encoding="ascii") as handle:
            handle.write(text)
        os.chmod(path, 0o600)


def make_pair(lab):
    """A pair with three AAA servers in one group: two that answer, and one that knows another
    secret."""
    secrets(lab)
    return Pair(lab, EDITS, rewrite=lambda text: text + SERVERS.format(lab.directory))


def states(chassis):
    """State of each server by its name."""
    return {m["name"]: m["state"] for m in chassis.ctl("show srp monitor")["monitors"]}


def wait_states(chassis, timeout=60, **want):
    """Waits for states of servers: one="up"."""
    wait_until(lambda: all(states(chassis)[k] == v for k, v in want.items()), timeout,
               lambda: f"{chassis.side}: {want}, not {states(chassis)}")


def alarms(chassis):
    """Texts of the alarms that are raised, by name."""
    return {a["alarm"]: a["text"] for a in chassis.ctl("show alarms")["alarms"]}


def cleared(chassis, *names):
    """Waits until none of these alarms is raised."""
    wait_until(lambda: not set(names) & set(alarms(chassis)), 10,
               lambda: f"{chassis.side}: {names} to clear: {alarms(chassis)}")


def causes(chassis):
    """Causes of its changes of role so far: where each ended."""
    return [(h["to"], h["cause"]) for h in chassis.ctl("show srp history")["history"]
            if h["to"] in ("Active", "Standby")]


def probes(chassis):
    """What is shown of each server's probes, by its name."""
    return {s["name"]: s for s in chassis.ctl("show radius statistics")["servers"]}


def failed_rounds(chassis, server):
    """Rounds of probes without an answer."""
    return probes(chassis)[server]["rounds_failed"]


def stays(chassis, quiet_s=QUIET_S):
    """Two rounds of probes later, longer than guard and damping together, it is Active still, and
    nothing changed."""
    before, since = causes(chassis), failed_rounds(chassis, "three")
    began = time.monotonic()
    wait_until(lambda: failed_rounds(chassis, "three") >= since + 2 and
               time.monotonic() - began > quiet_s, 60, "rounds of probes to fail")
    assert chassis.info()["chassis_state"] == "Active" and causes(chassis) == before, (
        causes(chassis))


def handed_over(old, new):
    """The AAA failure of old made new Active, by plan, and both know it."""
    new.state_is("Active", SWITCH_S)
    old.state_is("Standby", SWITCH_S)
    assert causes(new)[-1] == ("Active", "aaa-failure"), causes(new)
    assert causes(old)[-1] == ("Standby", "aaa-failure"), causes(old)
    assert new.info()["last_switchover"]["planned"]


def held(chassis, quiet_s=QUIET_S):
    """It cannot reach AAA either, says so, and stays."""
    wait_until(lambda: chassis.ctl("show srp monitor")["held"] == "auth-probe", 60, "the failure "
                                                                                    "to be held")
    assert "stays Active" in alarms(chassis)["monitor-held"], alarms(chassis)
    stays(chassis, quiet_s)
    assert "switchover-refused" not in alarms(chassis), alarms(chassis)


def test_servers_stop(lab):
    """AAA servers stopped one by one: handed over at the last, once; manual and reset work; a
    Reject is an answer"""
    servers = [FreeRadius(lab, "acc").start(), FreeRadius(lab, "core").start()]
    pair = make_pair(lab).start()
    old, new = pair.active, pair.other(pair.active)
    # The user of two is nobody there: its Reject is an answer. Of three the secret differs.
    wait_states(old, one="up", two="up", three="down")
    told = probes(old)
    assert told["one"]["last_reply"] == "Access-Accept" and told["two"][
        "last_reply"] == "Access-Reject", told
    monitors = {m["name"]: m for m in old.ctl("show srp monitor")["monitors"]}
    assert "secret differs" in monitors["three"]["why"] and monitors["one"][
        "address"] == "10.8.0.1 port 1812", monitors
    assert "three" in alarms(old)["monitor-degraded"], alarms(old)
    wait_until(lambda: "auth-probe three is down" in old.process.output(), 5, "the log to tell")
    assert {states(new)[name] for name in ("one", "two", "three")} == {"init"}, "a Standby probes"
    assert probes(new)["one"]["requests"] == 0
    text = run(os.path.join(lab.build, "app", "tandemctl", "tandemctl"), "--socket", old.socket,
               "show", "srp", "monitor")
    assert "10.8.0.1 port 1812" in text and "Held" in text, text
    # One by one: the first is gone, the second says nothing.
    servers[0].kill9()
    wait_states(old, one="down")
    stays(old)
    servers[1].pause(True)
    handed_over(old, new)
    held(new)
    # By hand it goes back; there the failure is found again, and handed over again, by the rule.
    assert pair.switchover() is old
    handed_over(old, new)
    held(new)
    refused = old.ask("srp reset-auth-probe-fail")
    assert not refused["ok"] and "Standby" in refused["error"], refused
    assert "again" in new.ctl("srp reset-auth-probe-fail")["result"]
    handed_over(new, old)
    held(old)
    # They are back.
    servers[0].start()
    servers[1].pause(False)
    wait_states(old, one="up", two="up")
    cleared(old, "monitor-held", "monitor-failed")
    assert [c for c in causes(old) + causes(new)
            if c[0] == "Active" and c[1] != "startup"] == [("Active", "manual"),
                                                           ("Active", "aaa-failure"),
                                                           ("Active", "aaa-failure"),
                                                           ("Active", "aaa-failure")]


def test_nobody_to_take_over(lab):
    """AAA is dead and there is no peer: stays Active with an alarm that says why; the peer returns
    and takes over"""
    servers = [FreeRadius(lab, "acc").start(), FreeRadius(lab, "core").start()]
    pair = make_pair(lab).start()
    old, new = pair.active, pair.other(pair.active)
    wait_states(old, one="up", two="up")
    new.kill9()
    old.wait(lambda i: i["connection_state"] != "Connected", 10, "the peer to be lost")
    for server in servers:
        server.kill9()
    wait_until(lambda: "aaa-failure" in alarms(old).get("switchover-refused", ""), 60,
               lambda: alarms(old))
    assert "no peer" in alarms(old)["switchover-refused"] or "connection" in alarms(
        old)["switchover-refused"], alarms(old)
    stays(old)
    new.start()
    new.wait_ready()
    handed_over(old, new)
    cleared(old, "switchover-refused")


def test_secret_files(lab):
    """files of secrets: missing, readable by others, without a secret: refused by name, with what
    to do"""
    secrets(lab)
    text = shipped("left") + SERVERS.format(lab.directory)
    code, told = check_config(lab.build, text, lab.directory)
    assert code == 0, told
    path = os.path.join(lab.directory, "secret")
    os.chmod(path, 0o644)
    code, told = check_config(lab.build, text, lab.directory)
    assert code == 1 and "aaa-servers[one].secret-file" in told and f"chmod 600 {path}" in told, (
        told)
    assert SECRET not in told
    os.chmod(path, 0o600)
    with open(path, "w", encoding="ascii") as handle:
        handle.write("\nprobe\n")
    code, told = check_config(lab.build, text, lab.directory)
    assert code == 1 and "expected a line" in told, told
    os.unlink(path)
    code, told = check_config(lab.build, text, lab.directory)
    assert code == 1 and "No such file" in told, told
