# SPDX-License-Identifier: BSD-3-Clause
"""What must be true to the last packet and session: usage, and answers given while the role
moves."""

import ipaddress
import signal
import time

from chassis import COMMIT_MS, PAIR_S, Pair, Standstill, attach_protected
from gtp import (ACCEPTED, CREATE, DELETE, Client, Talker, User, create_elements, elements, message,
                 own_teid)
from lab import LabError, wait_until
from shared import alone

# lib/config's default of srp.micro-checkpoint-interval, and what a machine that stalls may add to
# it.
CHECKPOINT_S, STALL_S = 0.1, 0.06


def imsi(number):
    """The IMSI of subscriber `number`."""
    return f"24002{number:010d}"


def usage(chassis, address):
    """A session's usage at a chassis: ((of side 0), (of side 1), (shown in all)), each packets and
    octets up and down."""
    session = chassis.ctl("show session", session=address)["sessions"][0]
    names = ("up_packets", "up_bytes", "down_packets", "down_bytes")
    sides = [tuple(session[f"usage_seat{n}"][k] for k in names) for n in (0, 1)]
    return sides[0], sides[1], tuple(session[k] for k in names)


def truth(talker, address, before=float("inf")):
    """What a talker knows of a session until `before`, in the same order."""
    up, down = ([n for at, n in of[address] if at < before] for of in (talker.sent, talker.heard))
    return len(up), sum(up), len(down), sum(down)


def plus(a, b):
    """The sum of two usages."""
    return tuple(x + y for x, y in zip(a, b))


def warm_pair(lab, count, pair=None, **config):
    """A pair that knows its next hops, and `count` sessions that nobody used yet: (pair, user
    plane, sessions)."""
    pair = (pair or Pair(lab, **config)).start()
    client, user = Client(lab), User(lab)
    user.warm(client.attach(imsi(0)))
    return pair, user, [client.attach(imsi(1 + i)) for i in range(count)]


def test_usage_planned(lab):
    """usage equals what was sent and heard, packet by packet, on both chassis after A to B to A
    under traffic"""
    pair, user, contexts = warm_pair(lab, 5)
    talker = Talker(lab, user, contexts)
    for _ in range(3):
        talker.wait_heard(60)
        new = pair.switchover()
        talker.wait_heard(60)
        pair.settle()
    assert new is pair.right
    talker.wait_heard(60)
    talker.stop()
    # A worker that stood still for too long throws away what waited: the one loss that there may
    # be, on a busy machine.
    stale = sum(c.counter("stale_frames") for c in pair.both)
    lost = talker.counts(talker.sent) - talker.counts(talker.heard)
    assert 0 <= lost <= stale, f"{lost} packets were lost, {stale} of them by a stall"
    for context in contexts:
        want = truth(talker, context.address)

        def exact(chassis, address=context.address, want=want):
            seen = usage(chassis, address)[2]
            return seen == want or (stale > 0 and seen[2:] == want[2:]
                                    and want[2] <= seen[0] <= want[0])
        for chassis in pair.both:
            wait_until(lambda c=chassis: exact(c), 5,
                       lambda c=chassis, a=context.address, w=want: f"{a} at {c.side}: "
                                                                    f"{usage(c, a)} to become {w}")
        seen = [usage(c, context.address) for c in pair.both]
        assert seen[0] == seen[1], (
            f"{context.address}: the sides are told apart differently: {seen}")
        assert plus(*seen[0][:2]) == seen[0][2] and min(s[0] for s in seen[0][:2]) > 0, seen
    return f"{talker.counts(talker.sent)} packets, {lost} lost"


def stalled_s(chassis):
    """For how long the cores of a chassis have stood still in all."""
    return sum(core["stalled_ms"] for core in chassis.ctl("show workers")["cores"]) / 1000


@alone
def test_usage_crash(lab):
    """after a crash usage is never ahead of the truth, and behind it by one micro-checkpoint
    interval at most"""
    pair, user, contexts = warm_pair(lab, 5)
    talker = Talker(lab, user, contexts, interval=0.002)
    talker.wait_heard(1000)
    victim = pair.active
    survivor = pair.other(victim)
    side = victim.info()["seat"]
    stalled = stalled_s(survivor)
    killed = victim.kill9()
    survivor.state_is("Active", 10)
    talker.wait_heard(200)
    talker.stop()
    times = sorted(at for heard in talker.heard.values() for at, _ in heard)
    # The first answer by way of the survivor.
    decided = killed + pair.decided_ms(survivor, killed) / 1000
    resumed = min(at for at in times if at >= decided)
    # A busy machine's pauses are not the stream's.
    last = [at for at in times if killed - 1 < at < killed] + [killed]
    patience = STALL_S + 2 * max(b - a
                                 for a, b in zip(last, last[1:])) + stalled_s(survivor) - stalled
    behind = 0
    for context in contexts:
        seen = usage(survivor, context.address)
        # What was answered by then has been counted both ways; an answer is as long as its
        # question.
        least = truth(talker, context.address, killed - CHECKPOINT_S - patience)[2:] * 2
        # Of answers the victim may have counted some that never arrived.
        most = truth(talker, context.address, resumed)
        most = most[:2] + most[:2]
        got = seen[side]
        assert all(low <= n <= high for low, n, high in zip(least, got, most)), (
            f"{context.address}: {least} {got} {most}")
        assert seen[2] == plus(*seen[:2])
        # What the survivor carried is exact.
        heard = [n for at, n in talker.heard[context.address] if at >= resumed]
        assert seen[1 - side][2:] == (len(heard), sum(heard)), (
            f"{context.address}: {seen}, {len(heard)} heard")
        behind = max(behind, truth(talker, context.address, killed)[2] - got[2])
    victim.start()
    victim.wait_ready()
    pair.settle()
    for context in contexts:
        wait_until(lambda a=context.address: usage(victim, a) == usage(survivor, a),
                   5,
                   "equal usage")
    return (f"{behind} packets of a session behind, which sends one each 10 ms, "
            f"{patience * 1000:.0f} ms allowed for stalls")


class Opener:
    """Creates sessions without pause, `window` requests at once, and deletes each third again; each
    request is repeated until it is answered."""

    REPEAT_S = 0.2

    def __init__(self, lab, window):
        self.client, self.window = Client(lab), window
        self.next, self.opened, self.waiting = 0, 0, {}
        # At most so many a second.
        self.rate, self.last = 500, 0.0
        self.repeated = 0
        # IMSI: (TEID, address), as answered; of `deleted` the Delete was accepted, of `closing` it
        # was sent.
        self.accepted, self.deleted, self.closing = {}, set(), set()

    def _ask(self, kind, who, teid, body):
        self.next += 1
        self.waiting[self.next] = [0.0, kind, who, message(kind, teid, self.next, body)]

    def _fill(self):
        while len(self.waiting) < self.window and time.monotonic() - self.last >= 1 / self.rate:
            self.last = time.monotonic()
            who = imsi(1000 + self.opened)
            self.opened += 1
            self._ask(CREATE, who, 0, create_elements(who, own_teid(who), self.client.address))

    def _send(self):
        now = time.monotonic()
        for wait in self.waiting.values():
            if now < wait[0]:
                continue
            self.repeated += wait[0] > 0
            wait[0] = now + self.REPEAT_S
            try:
                self.client.sock.send(wait[3])
            except OSError:
                # What an earlier one met is told instead of sending.
                wait[0] = now

    def _receive(self):
        try:
            data = self.client.receive(0.01)
        except OSError:
            return
        number = int.from_bytes(data[8:10], "big") if data is not None else None
        if number not in self.waiting or data[1] != self.waiting[number][1] + 1:
            return
        _, kind, who, _ = self.waiting.pop(number)
        found = elements(data[12:])
        if found[1][0] != ACCEPTED:
            raise LabError(f"message {kind} of {who} was refused with cause {found[1][0]}")
        if kind == DELETE:
            self.deleted.add(who)
            return
        teid = int.from_bytes(found[17], "big")
        self.accepted[who] = (teid, str(ipaddress.ip_address(found[128][2:6])))
        if len(self.accepted) % 3 == 0:
            self.closing.add(who)
            self._ask(DELETE, who, teid, b"\x13\xff\x14\x05")

    def run(self, done, timeout=20):
        """Goes on until done()."""
        end = time.monotonic() + timeout
        while not done():
            if time.monotonic() > end:
                raise LabError(f"not done after {timeout} s: {len(self.accepted)} accepted, "
                               f"{len(self.waiting)} wait")
            self._fill()
            self._send()
            self._receive()

    def more(self, count):
        """Goes on until `count` more are accepted."""
        goal = len(self.accepted) + count
        self.run(lambda: len(self.accepted) >= goal)

    def finish(self):
        """Goes on until all is answered; nothing new begins."""
        self.window = 0
        self.run(lambda: not self.waiting)

    def check(self, *chassis):
        """Every accepted session is there as it was told, those whose Delete was accepted are not,
        and nobody ever shared an address: all were given out within one quarantine."""
        addresses = [a for _, a in self.accepted.values()]
        assert len(set(addresses)) == len(addresses), "an address was given out twice"
        for one in chassis:
            held = {s["imsi"]: (int(s["teid"], 16), a) for a, s in one.sessions().items()}
            wrong = {
                who: told
                for who, told in self.accepted.items()
                if who not in self.closing and held.get(who) != told
            }
            assert not wrong, (
                f"{len(wrong)} of {len(addresses)} are not at {one.side} as told: "
                f"{list(wrong.items())[:3]}")
            undead = self.deleted & set(held)
            assert not undead, (
                f"{len(undead)} of {len(self.deleted)} deleted ones are at {one.side}: "
                f"{sorted(undead)[:3]}")


def test_creates_through_crash(lab):
    """what was answered before, while and after the active is killed holds at the survivor: creates
    and deletes"""
    pair = Pair(lab, edits={"srp.commit-timeout": "200", "pools.quarantine": "60"}).start()
    opener = Opener(lab, 16)
    opener.rate = 2000
    pair.active.wait(lambda i: i["answers"] == "protected", 10, "answers that are protected")
    still = Standstill(pair.other(pair.active))
    opener.more(150)
    assert pair.active.counter("gtp.unprotected_answers") == 0 or still.look() >= 200
    victim = pair.active
    survivor = pair.other(victim)
    opener.run(lambda: opener.waiting)
    victim.process.send(signal.SIGKILL)
    told = len(opener.accepted)
    opener.run(lambda: survivor.info()["chassis_state"] == "Active")
    opener.more(150)
    opener.check(survivor)
    assert opener.repeated > 0, "no request was on its way when the active died"
    opener.rate = 50
    victim.start()
    while survivor.info().get("in_sync") is not True:
        opener.more(1)
    victim.wait_ready()
    pair.settle()
    opener.more(50)
    opener.finish()
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "equal tables")
    opener.check(victim, survivor)
    assert survivor.total() == len(opener.accepted) - len(opener.deleted)
    return (f"{told} before the crash, {len(opener.accepted)} in all, {opener.repeated} requests "
            "repeated")


def test_creates_through_switchover(lab):
    """creates and deletes without pause through planned switchovers: all accepted, none lost, no
    address twice"""
    pair = Pair(lab, edits={"pools.quarantine": "60"}).start()
    opener = Opener(lab, 8)
    for _ in range(3):
        opener.more(60)
        old = pair.active
        old.ctl("srp initiate-switchover")
        opener.run(lambda o=old: pair.other(o).info()["chassis_state"] == "Active" and o.info()[
            "chassis_state"] == "Standby")
        opener.more(60)
        pair.settle()
    opener.finish()
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "equal tables")
    opener.check(pair.left, pair.right)
    assert pair.left.total() == len(opener.accepted) - len(opener.deleted), (
        "a request that was repeated made two sessions")
    return f"{len(opener.accepted)} in all, {opener.repeated} requests repeated"


@alone
def test_commit_gate(lab, pair):
    """a standby that stands still delays answers by commit-timeout at most; they are told apart
    until all is protected"""
    client = Client(lab)
    active = pair.active
    standby = pair.other(active)
    attach_protected(active, standby, lambda: client.attach(imsi(1)))
    active.wait(lambda i: i["answers"] == "protected", 10, "answers that the standby protects")
    assert standby.info()["answers"] == "none"
    assert active.info()["joined"] is None and standby.info()["joined"] is True
    told = [active.counter(f"gtp.{name}_answers") for name in ("protected", "unprotected")]
    still = Standstill(active)
    standby.may_end()
    stopped = time.monotonic()
    standby.process.send(signal.SIGSTOP)
    began = time.monotonic()
    client.attach(imsi(2))
    spent = (time.monotonic() - began) * 1000
    client.attach(imsi(3))
    # If this process stood still in between, nobody waits for the standby any more.
    assert spent >= COMMIT_MS - 10 or began - stopped > 0.03, f"answered after {spent:.0f} ms"
    assert spent <= 1000 + still.look(), (
        f"answered after {spent:.0f} ms, stood still for {still.longest_ms} ms")
    assert [active.counter(f"gtp.{name}_answers")
            for name in ("protected", "unprotected")] == [told[0], told[1] + 2], told
    assert active.info()["answers"] == "unprotected"
    # Long enough for the active to take it for dead.
    active.wait(lambda i: i["connection_state"] != "Connected" or i["replication_path"] == "down",
                10, "the standby's silence")
    client.attach(imsi(4))
    standby.process.send(signal.SIGCONT)

    def back():
        """It ended, or both say that it is there: what one of them says may be of before."""
        infos = [active.info(), standby.info()]
        return not standby.alive() or infos[0].get("answers") == "protected" and all(
            i.get("in_sync") and i.get("connection_state") == "Connected" for i in infos)
    wait_until(back, PAIR_S, "the standby's return or end")
    if not standby.alive():
        standby.start()
        standby.wait_ready()
    assert pair.settle() == (active, standby), "the roles changed"
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "equal tables")
    assert active.total() == 4
    attach_protected(active, standby, lambda: client.attach(imsi(5)))
    return f"answered after {spent:.0f} ms"
