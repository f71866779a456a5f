# SPDX-License-Identifier: BSD-3-Clause
"""What a chassis remembers of its roles, what it tells of each switchover's cost, and a state
directory that fails."""

import json
import os
import re

from chassis import Pair, ask_for_next_hop, tandemctl
from lab import run, wait_until
from traffic import Sgsnemu, ping

LINKS = ("l-repl", "l-srp")


def transitions(chassis, **args):
    """The history, without what changes with the time of asking."""
    return [{k: v
             for k, v in e.items() if k != "age_ms"}
            for e in chassis.ctl("show srp history", **args)["history"]]


def saved(chassis, entries):
    """Waits until the newest of them is in the file."""
    path = os.path.join(chassis.state, "srp.history")

    def there():
        with open(path, encoding="ascii") as handle:
            lines = handle.read().splitlines()
        return len({line.split()[0] for line in lines}) == len(entries)
    wait_until(there, 15, "the history to be on disk")


def losses(chassis):
    """What each switchover cost, newest last."""
    return chassis.ctl("show srp call-loss statistics")["switchovers"]


def alarms(chassis):
    """Text of the alarms that are raised, by name."""
    return {a["alarm"]: a["text"] for a in chassis.ctl("show alarms")["alarms"]}


def test_survives(lab):
    """the history outlives a planned switchover, SIGKILL and a torn line; each switchover says what
    it cost"""
    pair = Pair(lab).start()
    sgsn = Sgsnemu(lab, contexts=3)
    sgsn.attach()
    pair.settle()
    victim = pair.switchover()
    pair.settle()
    survivor = pair.other(victim)
    before = transitions(victim)
    assert [(e["from"], e["to"], e["cause"]) for e in before[-2:]] == [
        ("Standby", "Pending-Active", "manual"), ("Pending-Active", "Active", "manual")], before
    assert transitions(victim, limit=1) == before[-1:]
    shown = run(tandemctl(lab.build), "-s", victim.socket, "show", "srp", "history",
                "2").splitlines()
    assert len(shown) == 3 and shown[2].startswith(before[-1]["time"]), shown
    old = losses(survivor)[-1]
    assert (old["to"], old["cause"], old["sessions_known"], old["vouched_for"], old["lost"]) == (
        "Standby", "manual", 3, 3, 0), old
    saved(victim, before)
    victim.kill9()
    survivor.state_is("Active", 10)
    new = losses(survivor)[-1]
    assert (new["to"], new["cause"], new["sessions_known"], new["vouched_for"], new["lost"]) == (
        "Active", "dead-timer-expiry", 3, 3, 0), new
    assert new["outage_ms"] == survivor.info()["last_switchover"]["outage_ms"] > 0, new
    assert {"silence", "own", "activate"} <= {p["phase"] for p in new["phases"]}, new
    counts = survivor.ctl("show srp statistics")
    assert counts["switchovers_by_cause"]["dead-timer-expiry"] == 1 and counts[
        "switchovers_by_cause"]["manual"] == 1
    assert sum(counts["transitions_to"].values()) == counts["transitions"], counts
    with open(os.path.join(victim.state, "srp.history"), "ab") as handle:
        handle.write(b"number=99 time_us=17")
    victim.start()
    victim.wait_ready()
    pair.settle()
    after = transitions(victim)
    assert after[:len(before)] == before, (before, after)
    assert after[-1]["to"] == "Standby", after
    wait_until(lambda: re.search(r"lines of the file srp\.history are torn .* count=1$",
                                 victim.process.output(), re.M), 5,
               "the log to tell of the torn line")
    for chassis in pair.both:
        info = chassis.info()
        assert info["last_hello_time"] and info["in_sync_since"], info
    cleared = survivor.ctl("show alarms")["cleared"]
    assert any(a["alarm"] == "peer-lost" and a["raised"] < a["cleared"] for a in cleared), cleared

    def edges(name):
        """How often an alarm was raised: by the log, and by what is and was shown."""
        was = [a for a in survivor.ctl("show alarms")["cleared"] if a["alarm"] == name]
        logged = survivor.process.output().count(f"alarm={name} state=raised ")
        return logged, len(was) + (name in alarms(survivor))
    for name in {a["alarm"] for a in cleared}:
        # A line is written a moment after the alarm is raised.
        wait_until(lambda n=name: len(set(edges(n))) == 1, 5, lambda n=name: f"{n}: {edges(n)}")
    return f"{len(after)} transitions, outage {new['outage_ms']} ms"


def test_dual_active_loss(lab):
    """sessions that only the loser of dual active had are counted as lost, there, once the tables
    agree"""
    pair = Pair(lab, edits={"srp.topology": '"l3"'}).start()
    Sgsnemu(lab, contexts=2).attach()
    pair.settle()
    winner = pair.active
    loser = pair.other(winner)
    for link in LINKS:
        lab.link("left", link, "down")
    loser.state_is("Active", 15)
    loser.is_next_hop()
    extra = Sgsnemu(lab)
    ping(lab, extra.namespace, extra.attach()[0])
    assert (winner.total(), loser.total()) == (2, 3), "the session was to be the loser's alone"
    ask_for_next_hop(lab)
    for link in LINKS:
        lab.link("left", link, "up")
    assert pair.settle() == (winner, loser)
    row = wait_until(lambda: losses(loser)[-1]
                     if losses(loser)[-1]["lost"] is not None else None, 10, "the loss to be known")
    assert (row["to"], row["cause"], row["sessions_known"], row["vouched_for"], row["lost"],
            row["ended_by_audit"]) == ("Standby", "dual-active", 3, 2, 1, 1), row
    return json.dumps({k: row[k] for k in ("sessions_known", "vouched_for", "lost")})


def test_state_read_only(lab):
    """a state directory that turns read-only: alarm, promotion all the same from the reserve, none
    when that is empty"""
    pair = Pair(lab)
    for chassis in pair.both:
        run("mount", "-t", "tmpfs", "-o", "size=256k", "tandem-state", chassis.state)
        lab.cleanups.append(lambda c=chassis: run("umount", "-l", c.state, check=False))
    pair.start()
    Sgsnemu(lab, contexts=2).attach()
    pair.settle()
    victim = pair.active
    survivor = pair.other(victim)
    before = transitions(survivor)
    saved(survivor, before)
    run("mount", "-o", "remount,ro", survivor.state)
    victim.kill9()
    survivor.state_is("Active", 10)
    assert survivor.total() == 2
    wait_until(lambda: "history-not-saved" in alarms(survivor), 15, "the alarm")
    text = alarms(survivor)["history-not-saved"]
    assert "Read-only file system" in text and survivor.state in text, text
    kept = transitions(survivor)
    assert len(kept) == len(before) + 2
    wait_until(lambda: "alarm=history-not-saved state=raised " in survivor.process.output(), 5,
               "the log to tell of it")
    assert survivor.process.output().count("alarm=history-not-saved state=raised ") == 1
    # Writable again: nothing was lost meanwhile.
    run("mount", "-o", "remount,rw", survivor.state)
    wait_until(lambda: "history-not-saved" not in alarms(survivor), 15, "the alarm to clear")
    saved(survivor, kept)
    run("mount", "-o", "remount,ro", survivor.state)
    # After a restart every number of the reserve counts as used, and none can be added: nobody may
    # become Active.
    survivor.kill9()
    survivor.start()
    survivor.wait_ready()
    wait_until(lambda: "term-reserve" in alarms(survivor), 10, "the alarm of the reserve")
    text = alarms(survivor)["term-reserve"]
    assert "0 left" in text and "cannot become Active" in text, text
    assert transitions(survivor)[:len(kept)] == kept
    # delay-interval and dead-interval of the lab are 3.3 s together: a chassis that is alone is
    # Active by then.
    wait_until(lambda: survivor.info()["uptime_ms"] > 5000, 15, "the time after which it would be "
                                                                "Active")
    assert survivor.process.output().count("cannot write the term reserve") == 1, (
        "told once a second")
    assert survivor.info()["chassis_state"] == "Init", survivor.info()
    run("mount", "-o", "remount,rw", survivor.state)
    survivor.state_is("Active", 15)
    wait_until(lambda: "term-reserve" not in alarms(survivor), 5, "the alarm of the reserve to "
                                                                  "clear")
