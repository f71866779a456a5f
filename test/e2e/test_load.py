# SPDX-License-Identifier: BSD-3-Clause
"""tandem-load against the pair and against another GGSN: what it says must be true."""

import json
import os
import subprocess
import time

from chassis import Pair
from lab import wait_until
from load import OSMO, Load, OsmoGgsn, PortLoad, path
from shared import alone

N = 1000


def check(report, code, count, stale=0):
    """What a run on a GGSN that loses nothing reports; but for `stale` packets, which it threw away
    for having stood still."""
    assert code == 0, f"exit {code}: {report}"
    for name in ("create", "delete"):
        done = report[name]
        assert done["accepted"] == count and done["refused"] == done["unanswered"] == 0, (
            f"{name}: {done}")
        assert 0 < done["latency_us"]["p50"] <= done["latency_us"]["p99"] <= done["latency_us"][
            "max"], done
    assert report["sessions"] == {
        "asked": count,
        "up": 0,
        "failed": 0,
        "ended_by_ggsn": 0,
        "dead": 0
    }, report["sessions"]
    for way in ("up", "down"):
        flow = report[way]
        assert flow["sent"] > count and flow["lost"] <= stale and flow["duplicates"] == flow[
            "reordered"] == 0, f"{way}: {flow}, {stale} thrown away"
        assert flow["gap"]["ms"] > 0 and flow["bytes_received"] == 100 * flow["received"], flow
    assert report["other"]["foreign"] == report["other"]["old_tunnel"] == 0, report["other"]


def told(report):
    """A line for the test's output."""
    return (f"{report['create']['per_s']:.0f} creates/s, p99 "
            f"{report['create']['latency_us']['p99'] / 1e3:.1f} ms; "
            f"{report['up']['received']} up, {report['down']['received']} down, 0 lost")


def test_load_pair(lab, pair):
    """tandem-load's count of packets, sessions and usage is the chassis' own, updates and deletes
    included"""
    sessions = os.path.join(lab.directory, "sessions.json")
    load = Load(lab,
                sessions=N,
                rate=2000,
                duration=0,
                up=500,
                down=500,
                update_rate=100,
                verify=1000,
                per_session=sessions)
    load.wait_created()
    for chassis in pair.both:
        wait_until(lambda c=chassis: c.total() == N, 15, f"{N} sessions at {chassis.side}")

    def enough():
        now = load.interim()
        return now["update"]["accepted"] > 100 and now["up"]["sent"] > N < now["down"]["sent"]
    wait_until(enough, 60, "traffic and updates")
    load.go_on()
    load.wait(lambda found: [r for r in found if r["phase"] == "verify"], 30,
              "the end of verification")
    code, report = load.finish()
    check(report, code, N, pair.active.counter("stale_frames"))
    for chassis in pair.both:
        wait_until(lambda c=chassis: c.total() == 0, 15, f"no sessions at {chassis.side}")
    got = report["up"]["received"], report["down"]["received"]
    counted = tuple(pair.active.counter(name) for name in ("up_tx_packets", "down_tx_packets"))
    assert counted == got, f"the chassis forwarded {counted}, tandem-load received {got}"
    with open(sessions, encoding="ascii") as handle:
        rows = [json.loads(line) for line in handle]
    assert len({r["ue"] for r in rows}) == len({r["teid"] for r in rows}) == N
    assert tuple(sum(r[way]["received"] for r in rows) for way in ("up", "down")) == got
    return told(report)


def test_load_usage(lab, pair):
    """usage by session is what tandem-load counted, and SIGINT ends a run with its report"""
    sessions = os.path.join(lab.directory, "sessions.json")
    load = Load(lab,
                sessions=20,
                duration=0,
                up=400,
                down=400,
                keep=True,
                per_session=sessions,
                local="10.8.0.1")
    load.wait_created()
    wait_until(lambda: load.interim()["up"]["received"] > 400, 20, "some traffic")
    load.stop()
    code, report = load.finish()
    stale = pair.active.counter("stale_frames")
    assert code == 0 and max(report[way]["lost"] for way in ("up", "down")) <= stale, report
    with open(sessions, encoding="ascii") as handle:
        rows = {r["ue"]: r for r in map(json.loads, handle)}
    shown = pair.active.sessions()
    assert set(shown) == set(rows) and len(rows) == 20
    for address, row in rows.items():
        for way in ("up", "down"):
            counted = shown[address][f"{way}_packets"], shown[address][f"{way}_bytes"]
            assert counted == (row[way]["received"], row[way]["bytes_received"]), (
                f"{address} {way}: {counted}, {row}")
    return told(report)


def test_load_osmo(lab):
    """the same against osmo-ggsn: contexts created, used both ways, updated and deleted"""
    OsmoGgsn(lab)
    load = Load(lab,
                ggsn=OSMO,
                sessions=N,
                rate=1000,
                duration=3,
                up=500,
                down=500,
                update_rate=20,
                verify=1000)
    code, report = load.finish(90)
    check(report, code, N)
    assert report["update"]["accepted"] > 10, report["update"]
    return told(report)


@alone
def test_load_ports(lab, pair):
    """the same with DPDK ports of its own, which answer ARP and follow the VIP to the other
    chassis"""
    load = PortLoad(lab, sessions=N, rate=500, duration=0, up=500, down=500)
    created = load.wait_created()["create"]
    assert created["accepted"] == N, created
    wait_until(lambda: load.interim()["down"]["received"] > N, 30, "traffic")
    # Only who is in sync takes over at once.
    victim, survivor = pair.settle()
    wait_until(lambda: survivor.total() == N, 10, "every session at the standby")
    victim.kill9()
    survivor.state_is("Active", 10)
    before = load.interim()["down"]["received"]
    wait_until(lambda: load.interim()["down"]["received"] > before + N, 30, "traffic through the "
                                                                            "survivor")
    load.stop()
    code, report = load.finish()
    assert code == 0, report
    assert report["delete"]["accepted"] == N and report["sessions"]["ended_by_ggsn"] == 0, report
    gap = max(report[way]["gap"]["ms"] for way in ("up", "down"))
    # For as long as tandem-load or the survivor did not run, the gap is the machine's.
    own = max(report[way]["gap"]["own_ms"] for way in ("up", "down"))
    stood_still = survivor.stood_still_ms()
    assert 20 < gap < 1000 + own + stood_still, (
        f"a dead chassis left a gap of {gap} ms; tandem-load did not run for {own} of them, the "
        f"survivor for {stood_still}")
    for way in ("up", "down"):
        assert report[way]["lost"] < 500 + stood_still / 2, report[way]
        assert report[way]["lost"] > 0 or own > 0, report[way]
    return f"gap {gap:.0f} ms, {report['up']['lost']} and {report['down']['lost']} lost"


def test_load_sees_loss(lab):
    """packets that a cut link lost are counted, and the silence is told"""
    OsmoGgsn(lab)
    load = Load(lab, ggsn=OSMO, sessions=10, duration=0, up=1000, down=1000, drain=200)
    load.wait_created()
    wait_until(lambda: load.interim()["up"]["received"] > 500, 20, "some traffic")
    before = time.time()
    lab.link("osmo", "o-core", "down")
    cut_at = time.time()
    cut = load.interim()
    # What it did not send in time is sent at once.
    wait_until(lambda: load.interim()["up"]["sent"] > cut["up"]["sent"] + 300
               and time.time() > cut_at + 0.3, 20, "packets into the cut link")
    lab.link("osmo", "o-core", "up")
    joined = load.interim()
    wait_until(lambda: load.interim()["up"]["received"] > joined["up"]["received"] + 100, 20,
               "traffic again")
    load.stop()
    code, report = load.finish()
    assert code == 0 and report["sessions"]["failed"] == 0, report
    assert report["up"]["lost"] >= 250, report["up"]
    gap = report["up"]["gap"]
    assert gap["ms"] >= 250, report["up"]
    assert before - 0.2 - gap["own_ms"] / 1000 < gap["at"] < cut_at + 0.2, (cut_at, report["up"])
    assert report["up"]["sent"] == report["up"]["received"] + report["up"]["lost"], report["up"]
    return f"{report['up']['lost']} lost, gap {report['up']['gap']['ms']:.0f} ms"


def test_load_usage_errors(build):
    """a wrong command line is refused with what to do, before anything is sent"""
    for args, want in (([], "--ggsn"), (["--ggsn", "10.8.0.100"], "--local"), (["--ggsn",
                                                                                "x"], "IPv4"),
                       (["--rate", "-1"], "number from "
                        "0"), (["--sessions", "1048577"], "1048576"), (["more"], "more"),
                       (["--nothing"], "--help"), (["--local", "10.0.0.9-10.0.0.1"], "like"),
                       (["--ggsn", "1.2.3.4", "--local", "10.0.0.1", "--imsi", "12"], "15 digits"),
                       (["--ggsn", "1.2.3.4", "--local", "10.0.0.1", "--verify",
                         "5"], "--core"), (["--ggsn", "1.2.3.4", "--local",
                                            "203.0.113.77"], "interface")):
        done = subprocess.run([path(build), *args],
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              text=True,
                              timeout=20,
                              check=False)
        assert done.returncode in (1, 2) and want in done.stderr and not done.stdout, (
            f"{args}: {done}")
    done = subprocess.run([path(build), "--help"],
                          stdout=subprocess.PIPE,
                          text=True,
                          timeout=20,
                          check=True)
    for option in ("--sessions", "--verify", "--core-netns", "--access-mac", "gap",
                   "ended_by_ggsn"):
        assert option in done.stdout, option
