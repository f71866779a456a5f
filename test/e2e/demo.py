#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demonstration: real subscribers go through a pair, the active chassis is killed, and nobody
loses a session. Ends with one line RESULT ... verdict=ok or verdict=failed."""

import argparse
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from chassis import Pair, tandem, tandemctl, tail  # noqa: E402
from lab import TOP, Lab, LabError, clean, kept, missing, wait_until  # noqa: E402
from traffic import Probes, Sgsnemu, wait_heard  # noqa: E402

SGSNS, CONTEXTS = 3, 3
# Loose, for machines that stall; the number itself is in the RESULT line.
GAP_MS = 250
INFO = ("Chassis State:", "Peer State:", "Term:", "Route-Modifier:", "In Sync:", "Restart Counter:")


class Story:
    """Tells what happens, with the time since the beginning."""

    def __init__(self):
        self.began = time.monotonic()
        self.result = {
            "subscribers": 0,
            "lost_sessions": "-",
            "crash_gap_ms": "-",
            "planned_lost_packets": "-"
        }

    def say(self, text):
        """One line of it."""
        print(f"[{time.monotonic() - self.began:5.1f} s] {text}", flush=True)

    def end(self, reason=None):
        """The last line. Returns the exit code."""
        fields = " ".join(f"{k}={v}" for k, v in self.result.items())
        if reason is None:
            print(f"RESULT {fields} verdict=ok", flush=True)
            return 0
        print(f"RESULT {fields} verdict=failed "
              f"reason=\"{' '.join(str(reason).split())[:300]}\"", flush=True)
        return 1


def show(pair, chassis, *command):
    """An excerpt of what the operator's command says."""
    done = subprocess.run([tandemctl(pair.lab.build), "--socket", chassis.socket, *command],
                          capture_output=True,
                          text=True,
                          timeout=20,
                          check=False)
    lines = done.stdout.splitlines() or done.stderr.splitlines()
    if command[:3] == ("show", "srp", "info"):
        lines = [line for line in lines if line.startswith(INFO)]
    print(f"          {chassis.side}# tandemctl {' '.join(command)}")
    for line in lines[:14]:
        print(f"          | {line}")


def check(holds, reason):
    """A step that did not turn out as it must."""
    if not holds:
        raise LabError(reason)


def attach(lab, story, pair):
    """Subscribers come. Returns the SGSNs and the streams of their pings."""
    sgsns = [Sgsnemu(lab, contexts=CONTEXTS) for _ in range(SGSNS)]
    addresses = [address for sgsn in sgsns for address in sgsn.attach()]
    story.result["subscribers"] = len(addresses)
    story.say(f"{SGSNS} SGSNs (sgsnemu) attached {len(addresses)} subscribers: {addresses[0]} .. "
              f"{addresses[-1]}")
    streams = []
    for sgsn in sgsns:
        streams += [
            Probes(lab, sgsn.namespace, address, interval=0.02) for address in sgsn.addresses()
        ]
    wait_heard(streams, 50)
    story.say("each pings the core host 50 times a second: "
              f"{sum(len(s.heard_at) for s in streams)} answers so far")
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "the standby to hold every session")
    show(pair, pair.active, "show", "sessions", "--limit", "3")
    return streams


def crash(story, pair, streams, before):
    """SIGKILL of the active. Returns (killed, survivor)."""
    victim = pair.active
    survivor = pair.other(victim)
    show(pair, victim, "show", "srp", "info")
    story.say(f"SIGKILL of {victim.side}, the active chassis")
    at = victim.kill9()
    survivor.state_is("Active", 15)
    story.say(f"{survivor.side} is Active: decided {pair.decided_ms(survivor, at):.0f} ms after "
              "the kill")
    wait_heard(streams, 50)
    # The gap of a stream: the hole between two answers around the kill.
    gaps = []
    for stream in streams:
        times = sorted(stream.heard_at.values())
        gaps.append(max((b - a) * 1000 for a, b in zip(times, times[1:]) if b > at))
    lost = len(before - pair.identities(survivor))
    story.result.update(lost_sessions=lost, crash_gap_ms=round(max(gaps)))
    story.say(f"the longest hole in any subscriber's pings was {max(gaps):.0f} ms; {lost} "
              "sessions lost; "
              "same addresses, same tunnels:")
    show(pair, survivor, "show", "sessions", "--limit", "3")
    check(lost == 0, f"{lost} sessions lost in the crash")
    check(pair.identities(survivor) == before, "sessions changed in the crash")
    check(max(gaps) <= GAP_MS, f"a gap of {max(gaps):.0f} ms")
    return victim, survivor


def restart(story, pair, victim, survivor, before):
    """The killed chassis comes back, as standby."""
    victim.start()
    victim.wait_ready()
    check(pair.settle() == (survivor, victim), f"{victim.side} did not come back as Standby")
    wait_until(lambda: pair.identities(victim) == before, 10, f"every session at {victim.side}")
    story.say(f"{victim.side} started again, joined as Standby and is in sync")
    show(pair, victim, "show", "srp", "info")


def planned(story, pair, streams, before):
    """A switchover on command; every packet counts."""
    sent = [len(stream.sent_at) for stream in streams]
    old = pair.active
    new = pair.switchover()
    show(pair, new, "show", "srp", "info")
    wait_heard(streams, 50)
    pair.settle()
    for stream in streams:
        stream.stopping.set()
    lost = 0
    for stream, first in zip(streams, sent):
        result = stream.stop()
        # From a second before the switchover on: what was lost in the crash was told above.
        lost += sum(1 for sequence in result.lost if sequence >= first - 50)
    story.result["planned_lost_packets"] = lost
    story.say(f"planned switchover from {old.side} back to {new.side} under the same pings: "
              f"{lost} packets lost")
    check(lost == 0, f"{lost} packets lost in the planned switchover")
    check(pair.identities(new) == before, "sessions changed in the planned switchover")


def fresh(pair):
    """Removes what an earlier run left, whose history would be shown as if it were of this one."""
    for chassis in pair.both:
        shutil.rmtree(chassis.state, ignore_errors=True)
        os.makedirs(chassis.state)


def tell(lab, story):
    """The whole of it."""
    story.say("two chassis start in network namespaces: left (primary) and right (backup)")
    # The shipped configurations as they are.
    pair = Pair(lab, own_state=False)
    fresh(pair)
    try:
        began = time.monotonic()
        pair.start()
        for chassis in pair.both:
            ages = [e["age_ms"] for e in chassis.ctl("show srp history")["history"]]
            check(ages and max(ages) < (time.monotonic() - began) * 1000,
                  f"{chassis.side} shows an earlier run: {ages}")
        story.say(f"{pair.active.side} is Active, {pair.other(pair.active).side} is Standby and "
                  "in sync")
        streams = attach(lab, story, pair)
        before = pair.identities(pair.active)
        check(len(before) == SGSNS * CONTEXTS, f"{len(before)} sessions")
        victim, survivor = crash(story, pair, streams, before)
        restart(story, pair, victim, survivor, before)
        planned(story, pair, streams, before)
    except BaseException:
        for chassis in pair.both:
            print(f"--- {chassis.side}'s log ends with:\n{tail(chassis, 15)}", end="")
        raise
    return pair


def what_next(lab, pair):
    """What to type when the lab stays."""
    ctl = tandemctl(lab.build)
    ue = lab.namespace("ue1")
    print("\nThe lab is still there. Try:")
    print(f"  {ctl} --name left show srp info        (or --name right)")
    print(f"  {ctl} --name {pair.active.side} srp initiate-switchover")
    print(f"  ip netns exec {ue} ping 10.9.0.1       (as a subscriber)")
    print(f"  kill -9 {pair.active.process.pid}                  (the active, "
          f"{pair.active.side}); start it again with:")
    print(f"  ip netns exec {lab.namespace(pair.active.side)} {' '.join(pair.active.command())}")
    print(f"  ip netns exec {lab.namespace('acc')} tshark -i br0   (the access network)")
    print("and at the end:\n  scripts/demo.sh --clean\n")


def main():
    """Runs the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(TOP, "build"))
    parser.add_argument("--keep", action="store_true", help="leave the lab running, and print "
                                                            "what to type next")
    parser.add_argument("--clean", action="store_true", help="remove what --keep left")
    options = parser.parse_args()
    if options.clean:
        clean()
        return 0
    story = Story()
    reason = missing() or (None if os.path.exists(tandem(options.build)) else "no daemon in "
                                                                              f"{options.build}")
    if reason is None and kept():
        reason = f"a lab is still there ({', '.join(kept())}): scripts/demo.sh --clean removes it"
    if reason is not None:
        return story.end(reason)
    try:
        with Lab(options.build, keep=options.keep) as lab:
            pair = tell(lab, story)
            if options.keep:
                what_next(lab, pair)
    except KeyboardInterrupt:
        return story.end("interrupted")
    except Exception as error:  # pylint: disable=broad-except
        return story.end(error)
    return story.end()


if __name__ == "__main__":
    sys.exit(main())
