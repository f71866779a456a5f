# SPDX-License-Identifier: BSD-3-Clause
"""Who may speak GTP: configured peers by source and port, strangers never, and what a reload
changes of that."""

import re
import socket

from chassis import Pair
from gtp import ACCEPTED, CREATE, ECHO, Client, User, create_elements, echo, message
from lab import CORE_GATEWAY, SIDES, VIP, in_namespace, wait_until
from test_gtp import by_broadcasts
from test_reload import operator, put

STRANGER, ANOTHER = "10.77.0.1", "10.77.1.1"
HOME = '{ name = "sgsns"; control = ["10.8.0.0/16"]; }'
QUIET_S = 0.3  # an answer would take some milliseconds


def imsi(number):
    """The IMSI of subscriber `number`."""
    return f"24055{number:010d}"


def stranger(lab, address=STRANGER):
    """An address of the access network that is no peer's, and that an answer would reach."""
    def there(yes):
        lab.address("acc", "br0", f"{address}/32", yes)
        for side in SIDES:
            lab.route(side, f"{address}/32", "10.8.0.1", yes)
    there(True)
    lab.cleanups.append(lambda: there(False))
    return address


def is_deaf(pair, counter, octets, client):
    """One message is counted there, and not answered."""
    before = pair.active.counter(counter)
    client.sock.send(octets)
    wait_until(lambda: pair.active.counter(counter) == before + 1, 5, f"{counter} to count")
    assert client.receive(QUIET_S) is None, f"a stranger was answered ({counter})"


def test_strangers(lab, pair):
    """a stranger's GTP-C and GTP-U end at the worker, and at the sockets where they take the way by
    the kernel; a peer's sessions do not notice"""
    client, user = Client(lab), User(lab)
    context = client.attach(imsi(1))
    user.warm(context)
    address = stranger(lab)
    control, tunnel = Client(lab, address=address), User(lab, address)
    create = message(CREATE, 0, 7, create_elements(imsi(2), 0x1234, address, "internet", 1))
    sessions = pair.identities(pair.active)
    for number, (name, by_kernel) in enumerate((("drop_no_peer", False), ("gtp.gtp", True))):
        if by_kernel:
            by_broadcasts(lab)
        on_control = "gtp.gtpc_no_peer" if by_kernel else f"{name}_control"
        on_user = "gtp.gtpu_no_peer" if by_kernel else f"{name}_user"
        is_deaf(pair, on_control, message(ECHO, 0, 1 + number, b""), control)
        is_deaf(pair, on_control, create, control)
        before = pair.active.counter(on_user)
        tunnel.send(context.teid, echo(context.address, sequence=number + 1))
        tunnel.send(0xdead0000, b"x")
        wait_until(lambda n=on_user, b=before: pair.active.counter(n) == b + 2, 5, "both to count")
        assert tunnel.receive(QUIET_S) is None, "an answer for a stranger"
    assert user.receive(0.01) is None, "a stranger's ping was forwarded"
    assert pair.identities(pair.active) == sessions
    client.delete(context.control)


def test_other_ports(lab, pair):
    """GTP that comes by a core port is nobody's, whatever its source"""
    def make():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(QUIET_S)
        sock.connect((VIP, 2123))
        return sock
    lab.ip("core", "route", "add", VIP, "via", CORE_GATEWAY)
    lab.cleanups.append(lambda: lab.ip("core", "route", "del", VIP))
    sock = in_namespace(lab.namespace("core"), make)
    lab.cleanups.append(sock.close)
    before = pair.active.counter("gtp.gtp_no_access_port")
    sock.send(message(ECHO, 0, 1, b""))
    wait_until(lambda: pair.active.counter("gtp.gtp_no_access_port") == before + 1, 5, "a count")
    try:
        assert not sock.recv(100), "the core network was answered"
    except TimeoutError:
        pass


def with_peers(text, peers):
    """A configuration with these entries alone."""
    return re.sub(r"(?ms)^gtp-peers = \(.*?^\);", f"gtp-peers = (\n{peers}\n);", text)


def test_reload(lab):
    """entries come, go and change under way: who is a peer by the new list is heard at once, who is
    none any more is not; a list that differs between the chassis is named by its entry"""
    pair = Pair(lab).start()
    one, other = Client(lab), Client(lab, address=stranger(lab))
    context = one.attach(imsi(10))
    is_deaf(pair, "drop_no_peer_control", message(ECHO, 0, 1, b""), other)
    file = f"{lab.directory}/prefixes"
    with open(file, "w", encoding="ascii") as handle:
        handle.write(f"control {STRANGER}\nuser {ANOTHER}/32\n")
    peers = (f'{HOME}, '
             f'{{ name = "file"; prefixes-file = "{file}"; }}')
    for chassis in pair.both:
        with open(chassis.file, encoding="utf-8") as handle:
            put(chassis, with_peers(handle.read(), peers))
        said = chassis.ctl("reload configuration")
        assert [c["key"] for c in said["changed"]] == ["gtp-peers[file]"], said
    wait_until(lambda: len(pair.active.ctl("show gtp peers")["peers"]) == 2, 10, "both entries")
    assert other.ask(message(ECHO, 0, 2, b"")) is not None
    shown = {p["name"]: p for p in pair.active.ctl("show gtp peers")["peers"]}
    assert shown["file"]["messages"] == 1 and shown["file"]["user_prefixes"] == 1, shown
    number = shown["sgsns"]["number"]
    status, page, _ = operator(pair.active, "show", "gtp", "peers", "--limit", "1")
    assert status == 0 and "file" in page and "sgsns" not in page, page
    # A line that is wrong changes nothing, and is named.
    with open(file, "a", encoding="ascii") as handle:
        handle.write("user 10.0.0.1/8\n")
    said = pair.active.ask("reload configuration")["error"]
    assert f"{file}:3: " in said and "10.0.0.0/8" in said, said
    for chassis in pair.both:
        with open(chassis.file, encoding="utf-8") as handle:
            put(chassis, with_peers(handle.read(), HOME))
        chassis.ctl("reload configuration")
    wait_until(lambda: len(pair.active.ctl("show gtp peers")["peers"]) == 1, 10, "one entry")
    is_deaf(pair, "drop_no_peer_control", message(ECHO, 0, 3, b""), other)
    assert pair.active.ctl("show gtp peers")["peers"][0]["number"] == number
    assert one.create(imsi(11))[0] == ACCEPTED and one.delete(context.control) == ACCEPTED
