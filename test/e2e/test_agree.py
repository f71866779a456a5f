# SPDX-License-Identifier: BSD-3-Clause
"""What both chassis must agree on: configurations that differ, and the licence of session
recovery."""

from chassis import Pair, check_truth, edit
from gtp import Client, User
from lab import wait_until


def rewrite(chassis, change):
    """Changes the configuration file of a chassis by a function of its text; returns what it
    was."""
    with open(chassis.file, encoding="utf-8") as handle:
        text = handle.read()
    with open(chassis.file, "w", encoding="utf-8") as handle:
        handle.write(change(text))
    return text


def restart(chassis, text=None):
    """Ends a chassis, gives it that configuration, and starts it."""
    if text is not None:
        rewrite(chassis, lambda _: text)
    assert chassis.term() == 0, chassis.process.output()[-500:]
    chassis.start()
    chassis.wait_ready()


def test_pool_differs(lab, pair):
    """a standby that comes back with another pool: refused with that key and both values on both;
    equal again, it joins"""
    client, user = Client(lab), User(lab)
    context = client.attach("240030000000001")
    user.warm(context)
    active, other = pair.active, pair.other(pair.active)
    before = rewrite(
        other, lambda text: edit(text.replace("172.20.0.0/16", "172.21.0.0/16"),
                                 "srp.audit-interval", "61"))
    restart(other)
    mine, theirs = '"172.20.0.0/16"', '"172.21.0.0/16"'
    for chassis, here, there in ((active, mine, theirs), (other, theirs, mine)):
        key = f"pools[subscribers].prefix: {here} here, {there} there"
        info = chassis.wait(lambda i: "prefix" in i["last_peer_configuration_error"], 15,
                            "the key that differs")
        assert info["peer_configuration_validation"] == "Mismatch", info
        assert f"configurations differ: {key}; and 1 more: make them equal" == info[
            "last_peer_configuration_error"], info
        assert info["last_peer_configuration_event"] == "compared key by key: 2 differ", info
        alarm = [
            a["text"] for a in chassis.ctl("show alarms")["alarms"]
            if a["alarm"] == "config-mismatch"
        ]
        assert len(alarm) == 1 and key in alarm[0], alarm
        logged = key.replace('"', '\\"') # within the quotes of text="..."
        wait_until(lambda c=chassis, k=logged: k in c.process.output(), 5, f"the log to name {key}")
        audit = ("60 here, 61 there", "61 here, 60 there")[chassis is other]
        assert chassis.ctl("show srp configuration-difference")["differences"] == [
            key, f"srp.audit-interval: {audit}"
        ]
    assert other.info()["chassis_state"] == "Init" and active.info()["chassis_state"] == "Active"
    wait_until(lambda: active.ctl("show gtp statistics")["answers"] == "unprotected", 5,
               "answers that wait for nobody")
    user.warm(client.attach("240030000000002"))
    code, why = active.ask("srp initiate-switchover")["ok"], active.ask(
        "srp initiate-switchover")["error"]
    assert not code and why, why
    restart(other, before)
    pair.settle()
    assert pair.active is active
    wait_until(lambda: other.total() == 2, 15, "both sessions on the standby")
    check_truth(pair)
    assert active.ask("srp validate-configuration")["ok"]
    active.wait(lambda i: i["last_peer_configuration_event"] == "compared key by key: "
                                                                "equal", 5, "the comparison by "
                                                                            "command")
    for chassis in pair.both:
        assert chassis.info()["peer_configuration_validation"] == "Complete"
        wait_until(lambda c=chassis: not c.ctl("show alarms")["alarms"], 15,
                   lambda c=chassis: f"no alarm: {c.ctl('show alarms')}")
    assert active.ctl("show srp configuration-difference")["differences"] == []


def unlicensed(text):
    """A configuration without the licence."""
    return text + "\nlicense = { inter-chassis-session-recovery = false; };\n"


def test_licence_missing(lab):
    """a licence that is missing on one side: the join is refused, and each says on which; with it,
    they join"""
    pair = Pair(lab)
    before = rewrite(pair.right, unlicensed)
    pair.left.start()
    pair.left.state_is("Active")
    pair.right.start()
    pair.right.wait_ready()
    for chassis, where, told in ((pair.left, "on the peer", ("Enabled", "Disabled")),
                                 (pair.right, "on this chassis", ("Disabled", "Enabled"))):
        info = chassis.wait(lambda i: i["peer_configuration_validation"] == "Mismatch", 15,
                            "a mismatch")
        assert f"Inter-Chassis Session Recovery is not licensed {where}" in info[
            "last_peer_configuration_error"], info
        shown = chassis.ctl("show license information")
        assert (shown["this_chassis"], shown["peer"]) == told, shown
        wait_until(lambda c=chassis, w=where: f"is not licensed {w}" in c.process.output(), 5,
                   "the log to tell of the licence")
    assert pair.right.info()["chassis_state"] == "Init" and pair.left.info(
    )["chassis_state"] == "Active"
    assert pair.left.ctl("show srp checkpoint statistics")["streams"] == 0
    restart(pair.right, before)
    pair.settle()
    assert pair.left.ctl("show license information")["session_recovery"] == "licensed"
