# SPDX-License-Identifier: BSD-3-Clause
"""The wire between the two chassis: sizes and versions that fit, and those that do not."""

import os

from chassis import Pair, check_truth
from gtp import Client, User
from lab import SIDES, Process, Skip, wait_until


def with_mtu(mtu, frame):
    """A rewriting of a configuration: the replication port's MTU, and frames of that many bytes,
    four to a block."""
    def rewrite(text):
        head, tail = text.split('name = "repl";')
        tail = tail.replace("framesz=2048,blocksz=65536,framecnt=2048",
                            f"framesz={frame},blocksz={4 * frame},framecnt=512", 1)
        return head + 'name = "repl";' + tail.replace("mtu = 1500", f"mtu = {mtu}", 1)
    return rewrite


def replication_mtu(lab, mtu):
    """Sets the MTU of the link between the two."""
    for side in SIDES:
        lab.ip(side, "link", "set", f"{side[0]}-repl", "mtu", str(mtu))


def test_jumbo(lab):
    """replication at MTU 9000: large packets are used, and everything works as before"""
    replication_mtu(lab, 9000)
    pair = Pair(lab, rewrite=with_mtu(9000, 9216)).start()
    assert {c.info()["replication_mtu"] for c in pair.both} == {9000}
    client, user = Client(lab), User(lab)
    contexts = [client.attach(f"2400300000{i:05}") for i in range(640)]
    standby = pair.other(pair.active)
    standby.kill9()
    large = Process(
        lab, lab.namespace(standby.side), "tshark",
        ["tshark", "-q", "-i", f"{standby.side[0]}-repl", "-c", "1", "-f", "udp and greater 1600"])
    wait_until(lambda: "Capturing" in large.output(), 60, "tshark")
    standby.start()
    standby.wait_ready()
    pair.settle()
    assert large.wait(60) == 0, large.output()
    assert standby.total() == 640
    user.warm(contexts[0])
    pair.switchover()
    user.warm(contexts[639])


def test_mtu_unequal(lab):
    """unequal replication MTUs: the join is refused, and both say what to set"""
    replication_mtu(lab, 9000)
    pair = Pair(lab)
    text = with_mtu(3000, 4096)(open(pair.right.file, encoding="utf-8").read())
    with open(pair.right.file, "w", encoding="utf-8") as handle:
        handle.write(text)
    pair.left.start()
    pair.left.state_is("Active")
    pair.right.start()
    pair.right.wait_ready()
    for chassis in pair.both:
        info = chassis.wait(lambda i: i["peer_configuration_validation"] == "Mismatch", 15,
                            "a mismatch")
        assert "set mtu 1500 of port repl on both" in info["last_peer_configuration_error"], info
        wait_until(lambda c=chassis: "set mtu 1500 of port repl on both" in c.process.output(), 5,
                   "the log to tell of the MTU")
    assert pair.right.info()["chassis_state"] == "Init" and pair.left.info(
    )["chassis_state"] == "Active"
    assert pair.left.ctl("show srp checkpoint statistics")["streams"] == 0


def test_mtu_refused(lab):
    """a replication port that does not take its MTU: the process does not start, and says what to
    do"""
    for frame, link in ((8192, 9000), (9216, 1500)):
        replication_mtu(lab, link)
        pair = Pair(lab, rewrite=with_mtu(9000, frame))
        pair.left.start()
        pair.left.may_end()
        assert pair.left.process.wait(40) != 0
        said = pair.left.process.output()
        for words in ("does not take its MTU", " port=repl ", " mtu_bytes=9000 ",
                      " framesz_bytes=9216\n"):
            assert words in said, said


def pair_of_versions(lab, newer):
    """A pair of which one side, the newer, runs the test build of the next version."""
    pair = Pair(lab)
    chassis = getattr(pair, newer)
    chassis.daemon += "-next"
    if not os.path.exists(chassis.daemon):
        raise Skip(f"ninja -C {lab.build} app/tandem/tandem-next")
    pair.start()
    assert [c.info()["replication_version"] for c in pair.both] == [1, 1]
    return pair, chassis


def check_versions(lab, newer):
    """Sessions made, changed and ended by a pair of two versions, in both roles of each."""
    pair, chassis = pair_of_versions(lab, newer)
    client, user = Client(lab), User(lab)
    contexts = [client.attach(f"24003000000000{i}") for i in range(4)]
    for turn in range(2):
        for context in contexts:
            user.warm(context)
        contexts.append(client.attach(f"24003000000010{turn}"))
        client.delete(contexts.pop(0).control)
        wait_until(lambda: pair.left.sessions() == pair.right.sessions(), 15, "equal sessions")
        check_truth(pair)
        audit = pair.other(pair.active).ctl("show srp audit-statistics")
        assert audit["differing"] == 0 and audit["unmatched_buckets"] == 0, audit
        pair.switchover()
        pair.settle()
    last = contexts[-1]
    told = {c.side: c.ctl("show session", session=last.address)["sessions"][0] for c in pair.both}
    assert "charging_characteristics" in told[chassis.side]
    assert "charging_characteristics" not in told[pair.other(chassis).side]


def test_next_version_left(lab):
    """the next version's test build on the left pairs with this one, in both roles"""
    check_versions(lab, "left")


def test_next_version_right(lab):
    """the next version's test build on the right pairs with this one, in both roles"""
    check_versions(lab, "right")


def test_next_version_both(lab):
    """two of the next version's test build speak version 2, and replicate what only it has"""
    pair = Pair(lab)
    for chassis in pair.both:
        chassis.daemon += "-next"
    if not os.path.exists(pair.left.daemon):
        raise Skip(f"ninja -C {lab.build} app/tandem/tandem-next")
    pair.start()
    assert [c.info()["replication_version"] for c in pair.both] == [2, 2]
    context = Client(lab).attach("240030000000001")
    wait_until(lambda: pair.left.total() == pair.right.total() == 1, 5, "the session on both")
    shown = [
        c.ctl("show session", session=context.address)["sessions"][0]["charging_characteristics"]
        for c in pair.both
    ]
    assert shown == [0x0800, 0x0800], shown
