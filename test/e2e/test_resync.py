# SPDX-License-Identifier: BSD-3-Clause
"""Comparing the two tables on request, at a low rate, and between chassis that are not alike."""

import re
import time

from chassis import Pair, Standstill
from gtp import Client
from lab import LabError, wait_until
from test_usage import Opener, Talker, imsi, truth, usage, warm_pair


COMMIT_MS = 200  # the longest that may be configured


def resync(chassis):
    """How far the pass of the audit is, as a chassis shows it."""
    return chassis.ctl("show srp checkpoint statistics")["audit"]


def passes_requested(chassis):
    """How often a pass of the audit was requested, by the standby's count."""
    return chassis.ctl("show srp audit-statistics")["passes_requested"]


def refused(chassis):
    """Why a resync is refused; empty if it is not."""
    answer = chassis.ask("srp resync")
    return "" if answer["ok"] else answer["error"]


def test_resync_asked(lab, pair):
    """srp resync and srp initiate-audit, on either chassis: everything is compared, nothing unsaid;
    refused with the reason"""
    client = Client(lab)
    for number in range(20):
        client.attach(imsi(number))
    active, standby = pair.active, pair.other(pair.active)
    buckets = resync(standby)["buckets"]
    began = time.monotonic()
    for chassis, command in ((active, "srp resync"), (standby, "srp resync"),
                             (active, "srp initiate-audit manual-with-sync"),
                             (standby, "srp initiate-audit auto")):
        asked = passes_requested(standby)
        said = chassis.ctl(command)["result"]
        assert f"all {buckets} buckets" in said, said
        wait_until(lambda n=asked: passes_requested(standby) == n + 1, 5,
                   "the standby to be asked")
        for side in pair.both:
            # The active knows what the standby said last: it may be of before.
            done = wait_until(lambda c=side: (r := resync(c))["state"] == "complete" and r,
                              10,
                              "the pass of the audit")
            assert done["matched"] == buckets and done["time_left_ms"] == 0, done
            assert side.info()["in_sync"] and not side.ctl("show alarms")["alarms"], side.info()
        assert passes_requested(standby) == asked + 1, "asked for once, done more than once"
    assert standby.info()["in_sync_age_ms"] < (time.monotonic() - began) * 1000
    standby.kill9()
    wait_until(lambda: "no replication stream runs" in refused(active), 10,
               lambda: f"a refusal without a standby: {refused(active)}")


def port_bytes(chassis):
    """Octets that the replication port has sent; the times before and after they were asked for."""
    before = time.monotonic()
    port = next(p for p in chassis.ctl("show ports")["ports"] if p["roles"] == "replication")
    return port["tx_bytes"], before, time.monotonic()


def test_low_rate(lab):
    """replication-rate of 1 Mbit/s and a pass over a million slots: it is kept, told, and
    delays no answer unprotected"""
    pair = Pair(lab,
                edits={
                    "srp.replication-rate": "1",
                    "table.max-sessions": "1048576",
                    "srp.commit-timeout": str(COMMIT_MS)
                }).start()
    active, standby = pair.active, pair.other(pair.active)
    opener = Opener(lab, 4)
    opener.rate = 40
    active.wait(lambda i: i["answers"] == "protected", 10, "answers that are protected")
    still = Standstill(standby)
    opener.more(10)
    begun, since, _ = port_bytes(active)
    standby.ctl("srp resync")
    seen = []

    def compared():
        seen.append((resync(active), resync(standby)))
        # What is complete at first is the join.
        ran = all(any(r[side]["state"] == "running" for r in seen) for side in (0, 1))
        return ran and all(r["state"] == "complete" and r["took_ms"] > 500 for r in seen[-1])
    while not compared():
        opener.more(1)
        still.look()
        if time.monotonic() - since > 90:
            raise LabError(f"not compared: {seen[-1]}")
    sent, _, until = port_bytes(active)
    rate = (sent - begun) * 8 / (until - since)
    assert rate <= 1.05e6, f"{rate:.0f} bit/s"
    for side in (0, 1):
        running = [
            r[side] for r in seen if r[side]["state"] == "running" and r[side]["time_left_ms"]
        ]
        assert running, f"never seen running at {('the active', 'the standby')[side]}"
    assert active.counter("gtp.unprotected_answers") == 0 or still.longest_ms >= COMMIT_MS, (
        "an answer did not wait for the standby")
    opener.finish()
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "equal tables")
    return (f"{rate / 1e6:.2f} Mbit/s, {resync(standby)['took_ms']} ms, {len(opener.accepted)} "
            "created meanwhile")


def queues(chassis, workers):
    """So many workers and queues of its ports."""
    with open(chassis.file, encoding="utf-8") as handle:
        text = handle.read()
    with open(chassis.file, "w", encoding="utf-8") as handle:
        handle.write(re.sub(r"(iface=.-(?:acc|core)),qpairs=1", rf"\1,qpairs={workers}", text))
    chassis.lcores = ",".join(f"{n}@(0,1)" for n in range(workers + 2))


def test_unequal_workers(lab):
    """two workers on one chassis and four on the other: sessions, usage and traffic survive crashes
    and a hand-over both ways"""
    pair = Pair(lab)
    queues(pair.left, 2)
    queues(pair.right, 4)
    pair, user, contexts = warm_pair(lab, 12, pair=pair)
    assert [len(c.ctl("show workers")["workers"]) for c in pair.both] == [2, 4]
    talker = Talker(lab, user, contexts)
    for _ in range(2):
        talker.wait_heard(100)
        pair.switchover()
        talker.wait_heard(100)
        pair.settle()
    for _ in range(2):
        victim = pair.active
        survivor = pair.other(victim)
        victim.kill9()
        survivor.state_is("Active")
        talker.wait_heard(100)
        assert survivor.total() == len(contexts) + 1
        victim.start()
        victim.wait_ready()
        pair.settle()
    pair.switchover()
    talker.wait_heard(100)
    talker.stop()
    pair.settle()
    owners = {
        pair.right.ctl("show session", session=c.address)["sessions"][0]["worker"]
        for c in contexts
    }
    assert len(owners) > 2, owners
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "equal tables")
    wait_until(
        lambda: all(usage(pair.left, c.address) == usage(pair.right, c.address) for c in contexts),
        10, "equal usage")
    for context in contexts:
        counted, told = usage(pair.left, context.address)[2], truth(talker, context.address)
        assert all(a <= b for a, b in zip(counted[:2], told[:2])), (
            f"{context.address}: {counted} ahead of {told}")
