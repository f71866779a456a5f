# SPDX-License-Identifier: BSD-3-Clause
"""GTP to the letter, by a client of which every octet is known: tunnels that move, odd headers,
Error Indications, restarts, timeouts, policing, sizes."""

import re
import select
import socket
import struct
import time

from chassis import TWO_WORKERS, Pair, Standstill
from gtp import (ACCEPTED, ADDRESSES_OCCUPIED, CREATE, DELETE, ECHO, END_MARKER, ERROR_INDICATION,
                 EXTENSIONS, G_PDU, UPDATE, Client, Context, User, create_elements, echo, elements,
                 ip_packet, message, own_teid, update_elements)
from lab import CORE_HOST, VIP, in_namespace, wait_until
from shared import alone, needs

QOS = bytes.fromhex("0123921f")


def imsi(number):
    """The IMSI of subscriber `number`."""
    return f"24001{number:010d}"


def core_socket(lab, port=0):
    """A UDP socket of the core host."""
    def make():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((CORE_HOST, port))
        return sock
    sock = in_namespace(lab.namespace("core"), make)
    lab.cleanups.append(sock.close)
    return sock


def equal_tables(pair):
    """Waits until both chassis hold the same sessions; returns them."""
    wait_until(lambda: pair.identities(pair.left) == pair.identities(pair.right), 10,
               "equal tables")
    return pair.identities(pair.left)


def down(core, user, context, timeout=5):
    """Sends datagrams to a subscriber until one comes out of `user`'s tunnel; that G-PDU."""
    def once():
        core.sendto(b"down", (context.address, 4000))
        return user.receive(0.2)
    return wait_until(once, timeout, f"a packet to {context.address} at {user.address}")


def answered(user, context, target=CORE_HOST, **how):
    """Sends one ping in a G-PDU with such a header; the answer's inner packet."""
    user.send(context.teid, echo(context.address, target), **how)
    got = user.receive()
    assert got is not None and got.kind == G_PDU, f"{how}: {got}"
    return got.body


def test_update_moves_tunnel(lab, pair):
    """Update moves the downlink at once, to TEID and address, and for good: a crash does not undo
    it; repetitions agree"""
    one, two = lab.add_ue()[1], lab.add_ue()[1]
    client, old, new = Client(lab, address=one), User(lab, one), User(lab, two)
    core = core_socket(lab)
    context = client.attach(imsi(1))
    assert down(core, old, context).teid == context.own
    request = message(UPDATE, context.control, 900,
                      update_elements(0x77777777, two, QOS, control=one))
    first = client.ask(request)
    found = elements(first[12:])
    assert first[1] == UPDATE + 1 and found[1] == bytes([ACCEPTED]) and found[135][:4] == QOS, (
        first.hex())
    assert struct.unpack("!I", first[4:8])[0] == 0x77777777, (
        "the response does not go to the new control TEID")
    old.drain()
    got = down(core, new, context)
    assert got.teid == 0x77777777 and old.receive(0.05) is None, f"{got}"
    assert client.ask(request) == first, "repeated at the same chassis"
    for chassis in pair.both:
        wait_until(lambda c=chassis: c.ctl("show session", session=context.address)["sessions"][0][
            "qos"] == QOS.hex(),
                   5,
                   f"the new QoS at {chassis.side}")
        session = chassis.ctl("show session", session=context.address)["sessions"][0]
        assert (session["sgsn_user_teid"], session["sgsn_user_address"]) == ("0x77777777", two), (
            session)
    victim = pair.active
    victim.kill9()
    pair.other(victim).state_is("Active", 10)
    new.drain()
    assert down(core, new, context).teid == 0x77777777
    assert old.receive(0.05) is None, "the survivor sent to the old tunnel"
    again = client.ask(request)
    assert again == first, f"{first.hex()} became {again and again.hex()}"
    assert pair.other(victim).counter("gtp.update_accepted") == 0, "carried out a second time"


def test_gtpu_headers(lab, pair):
    """sequence number, N-PDU and extension headers are tolerated, End Markers counted, unknown
    extensions told"""
    client, user = Client(lab), User(lab)
    context = client.attach(imsi(2))
    user.warm(context)
    active = pair.active
    # Behind the flag's four octets: PDU Session Container of 4, PDCP PDU Number of 4, both known;
    # nothing required.
    for how in ({}, {
            "flags": 0x32,
            "optional": b"\x12\x34\0\0"
    }, {
            "flags": 0x31,
            "optional": b"\0\0\x07\0"
    }, {
            "flags": 0x34,
            "optional": b"\0\0\0\x85" + b"\x01\x10\x05\0"
    }, {
            "flags": 0x37,
            "optional": b"\0\x01\x02\x85" + b"\x01\x10\x05\xc0" + b"\x01\0\x07\0"
    }, {
            "flags": 0x34,
            "optional": b"\0\0\0\x3f" + b"\x01\0\0\0"
    }):
        body = answered(user, context, **how)
        assert body[12:20] == socket.inet_aton(CORE_HOST) + socket.inet_aton(context.address), (
            body.hex())
    before = active.counter("end_markers")
    user.send(context.teid, b"", END_MARKER)
    user.send(context.teid, b"", END_MARKER, 0x32, bytes(4))
    wait_until(lambda: active.counter("end_markers") == before + 2, 10, "the End Markers")
    user.send(context.teid,
              echo(context.address),
              flags=0x36,
              optional=b"\x43\x21\0\xff" + b"\x01\0\0\0")
    told = user.receive()
    assert told is not None and (told.kind, told.teid, told.sequence) == (EXTENSIONS, 0, 0x4321), (
        told)
    assert told.body[0] == 141 and told.body[1] == len(told.body) - 2 and 0x85 in told.body[2:], (
        told)
    spoofed = active.counter("drop_spoofed")
    user.send(context.teid, echo("172.20.200.200"))
    wait_until(lambda: active.counter("drop_spoofed") == spoofed + 1, 10, "the spoofed packet's "
                                                                         "counter")
    assert user.receive(0.1) is None


def by_broadcasts(lab):
    """What the access network sends to the VIP takes the way by the kernel for the rest of the
    case."""
    mac = re.search(r"lladdr (\S+)", lab.ip("acc", "neigh", "show", VIP))[1]

    def goes_to(address, state):
        lab.ip("acc", "neigh", "replace", VIP, "lladdr", address, "dev", "br0", "nud", state)
    goes_to("ff:ff:ff:ff:ff:ff", "permanent")
    lab.cleanups.append(lambda: goes_to(mac, "reachable"))


def test_gtpu_in_fragments(lab, pair):
    """a G-PDU whose outer packet comes in fragments is put together and forwarded, whatever it
    carries"""
    client, user = Client(lab), User(lab)
    contexts = [client.attach(imsi(10 + i)) for i in range(3)]
    user.warm(contexts[0])
    # af_packet ports put fragments together themselves, as other ports do not: those take the way
    # by the kernel, and so does what comes in broadcast frames.
    for size in (1472, 1400):
        if size < 1472:  # a twin takes no more than its MTU
            by_broadcasts(lab)
        before = pair.active.counter("gtp.gtpu_reassembled")
        for number, context in enumerate(contexts):
            user.send(context.teid, echo(context.address, sequence=number, size=size))
            got = user.receive()
            assert got is not None and got.teid == context.own and len(got.body) == size + 28, got
        spoofed = pair.active.counter("drop_spoofed")
        user.send(contexts[0].teid, echo(contexts[1].address, size=size))
        wait_until(lambda n=spoofed: pair.active.counter("drop_spoofed") == n + 1,
                   10,
                   "the spoofed packet's counter")
    assert pair.active.counter("gtp.gtpu_reassembled") == before + 4


def test_error_indication_obeyed(lab):
    """an Error Indication ends the session at both chassis; its address waits out the quarantine"""
    quarantine = 3
    pair = Pair(lab, edits={
        "pools.prefix": '"172.20.0.0/30"',
        "pools.quarantine": str(quarantine)
    }).start()
    client, user, core = Client(lab), User(lab), core_socket(lab)
    contexts = []
    while True:
        found = client.create(imsi(20 + len(contexts)))
        if found[0] != ACCEPTED:
            break
        contexts.append(found)
    assert found[0] == ADDRESSES_OCCUPIED and contexts, found
    _, _, teid, address = contexts[0]
    got = down(core, user, Context(imsi(20), None, teid, address, None))
    assert got.kind == G_PDU and got.teid == own_teid(imsi(20)), got
    # Of another tunnel, and of another SGSN's tunnel: nobody is meant.
    user.indicate(got._replace(teid=got.teid + 1000))
    user.indicate(got, "10.8.0.77")
    wait_until(lambda: pair.active.counter("gtp.error_indications_received") == 2, 10,
               "the indications' counter")
    sweeps = pair.active.counter("sweeps")
    wait_until(lambda: pair.active.counter("sweeps") >= sweeps + 3, 30, "three passes over the "
                                                                        "sessions")
    assert pair.active.total() == pair.other(pair.active).total() == len(contexts)
    began = time.monotonic()
    user.indicate(got)
    for chassis in pair.both:
        wait_until(lambda c=chassis: address not in c.sessions(), 15, "the session to go at "
                                                                     f"{chassis.side}")
    ended = time.monotonic()
    assert pair.active.counter("ended_error_indication") == 1
    assert pair.active.total() == pair.other(pair.active).total() == len(contexts) - 1
    refused = 0
    while True:
        number = 50 + refused
        found = client.create(imsi(number))
        if found[0] == ACCEPTED:
            break
        assert found[0] == ADDRESSES_OCCUPIED, found
        refused += 1
        wait_until(lambda: user.receive(0.1) is None, 10, "silence")
        assert time.monotonic() < ended + 10 * quarantine, "the address never came back"
    assert found[3] == address and refused > 0
    # Seconds are counted whole.
    assert time.monotonic() - began >= quarantine - 1, (
        f"given out again after {time.monotonic() - began:.1f} s")
    assert found[2] != teid, "the same TEID at once"
    user.send(teid, echo(address))
    got = user.receive(0.3)
    assert got is None or got.kind == ERROR_INDICATION, f"a stale TEID was served: {got}"


def test_error_indication_sent(lab, pair):
    """an unknown TEID is told by Error Indications, not too many, and not within 3 s of an
    unplanned promotion"""
    user = User(lab)

    def indicated():
        user.send(0x3ffffff0, echo("172.20.0.9"))
        got = user.receive(0.05)
        return got if got is not None and got.kind == ERROR_INDICATION else None
    got = wait_until(indicated, 10, "an Error Indication")
    assert elements(got.body)[16] == bytes.fromhex("3ffffff0") and got.teid == 0, got
    user.drain()
    began, count = time.monotonic(), 0
    for number in range(2000):
        user.send(0x3f000000 + number, echo("172.20.0.9"))
    while user.receive(0.2) is not None:
        count += 1
    spent = time.monotonic() - began
    assert 1 <= count <= 100 * spent + 20, f"{count} in {spent:.2f} s"
    victim = pair.active
    survivor = pair.other(victim)
    victim.kill9()
    survivor.state_is("Active", 10)
    user.drain()
    wait_until(indicated, 30, "an Error Indication of the survivor")
    age = survivor.info()["state_age_ms"]
    assert age >= 2900, f"one was sent {age} ms after the promotion"
    return f"{count} in {spent:.2f} s; after a crash the first at {age} ms"


def test_sgsn_restart_told(lab, pair):
    """a new Recovery in a Create or an Update ends exactly that SGSN's older sessions, on both
    chassis"""
    one, two = lab.add_ue()[1], lab.add_ue()[1]
    first, second = Client(lab, address=one), Client(lab, address=two)
    gone = [first.attach(imsi(30 + i), recovery=5).address for i in range(3)]
    # It moves over before the restart, without a word about Recovery; its old SGSN counts up to
    # what the new one has.
    mover = first.attach(imsi(34), recovery=5)
    kept = [second.attach(imsi(40 + i), recovery=9).address for i in range(2)]
    moved = first.ask(message(UPDATE, mover.control, 901, update_elements(0x5555, two, QOS)))
    assert elements(moved[12:])[1] == bytes([ACCEPTED]), moved.hex()
    assert len(equal_tables(pair)) == 6
    fresh = first.attach(imsi(50), recovery=6).address
    # The new SGSN is heard of again, with the counter that it always had.
    kept += [mover.address, second.attach(imsi(42), recovery=9).address]
    for chassis in pair.both:
        wait_until(lambda c=chassis: set(c.sessions()) == {fresh, *kept}, 10,
                   lambda c=chassis: f"{gone} to go at {c.side}: {sorted(c.sessions())} of "
                                     f"{[fresh, *kept]}")
    assert pair.active.counter("ended_sgsn_restart") == 3 and pair.active.counter(
        "gtp.sgsn_restarts") == 1
    # The other chassis has never heard of either SGSN, but its slots have.
    new = pair.switchover()
    late = second.attach(imsi(43), recovery=9)
    sweeps = new.counter("sweeps")
    wait_until(lambda: new.counter("sweeps") >= sweeps + 3, 30, "three passes over the "
                                                                       "sessions")
    assert set(new.sessions()) == {fresh, late.address, *kept}, (
        "an SGSN that did not restart lost a session")
    update = second.ask(
        message(UPDATE, late.control, 902, update_elements(0x6666, two, QOS, recovery=10)))
    assert elements(update[12:])[1] == bytes([ACCEPTED]), update.hex()
    for chassis in pair.both:
        wait_until(lambda c=chassis: set(c.sessions()) == {fresh, late.address}, 10,
                   lambda c=chassis: f"only {fresh} and {late.address} at {c.side}: "
                                     f"{sorted(c.sessions())}")


def test_sgsn_restart_by_echo(lab):
    """an SGSN that restarts and says nothing is asked by Echo; its new Recovery ends its sessions,
    on both chassis"""
    pair = Pair(lab, edits={"services.echo-interval": "1"}).start()
    own, quiet = lab.add_ue()[1], lab.add_ue()[1]
    sgsn, other = Client(lab, port=2123, address=own), Client(lab, address=quiet)
    gone = sgsn.attach(imsi(60), recovery=5).address
    kept = other.attach(imsi(61), recovery=5).address
    assert len(equal_tables(pair)) == 2

    def answers(recovery):
        """Whether it was asked; each time it is, it answers: an answer may come too late."""
        asked = sgsn.receive(0.2)
        if asked is None:
            return False
        assert asked[1] == ECHO, asked
        number = struct.unpack("!H", asked[8:10])[0]
        sgsn.sock.send(message(ECHO + 1, 0, number, bytes([14, recovery])))
        return True

    def settled(recovery, left):
        answers(recovery)
        return all(set(c.sessions()) == left for c in pair.both)
    for recovery, left in ((5, {gone, kept}), (6, {kept})):
        wait_until(lambda r=recovery: answers(r), 15, "an Echo Request")
        wait_until(lambda r=recovery, l=left: settled(r, l), 30,
                   lambda l=left: f"{l} to stay: {[c.sessions() for c in pair.both]}")
    told = pair.active.counter("gtp.sgsn_restarts")
    assert told == 1, told


def deletes(client, timeout):
    """The next Delete PDP Context Request that the pair sends: (datagram, TEID, sequence number),
    or None."""
    data = client.receive(timeout)
    if data is None:
        return None
    _, kind, _, teid, sequence = struct.unpack("!BBHIH", data[:10])
    assert kind == DELETE, data.hex()
    return data, teid, sequence


def test_idle_timeout(lab):
    """a silent session ends after idle-timeout, a busy one does not; the SGSN is told again until
    it answers"""
    # Longer than who keeps the other one busy may stand still.
    timeout = 4
    pair = Pair(lab, edits={"apns.idle-timeout": str(timeout)}).start()
    own = lab.add_ue()[1]
    client, user = Client(lab, port=2123, address=own), User(lab, own)
    busy = client.attach(imsi(60))
    began, still = time.time(), Standstill(pair.active)
    idle = client.attach(imsi(61))
    told = None
    while told is None:
        user.send(busy.teid, echo(busy.address))
        told = deletes(client, 0.1)
        assert time.time() < began + 10 * timeout, "no Delete for the idle session"
    at = client.at
    # Seconds are counted whole.
    assert told[1] == idle.own and timeout - 1 <= at - began, f"{told} after {at - began:.1f} s"

    def gone():
        user.send(busy.teid, echo(busy.address))
        return all(set(c.sessions()) == {busy.address} for c in pair.both)
    wait_until(gone, 15, "the idle one to go at both")
    assert pair.active.counter("ended_idle") == 1
    again = None
    while again is None:
        user.send(busy.teid, echo(busy.address))
        again = deletes(client, 0.1)
        assert time.time() < at + 30, "no repetition"
    assert again[0] == told[0] and 2.5 <= client.at - at <= 4 + still.look() / 1000, (
        f"{again} after {client.at - at:.1f} s, stood still for {still.longest_ms} ms")
    client.sock.send(message(DELETE + 1, 0, told[2], bytes([1, ACCEPTED])))
    quiet = time.monotonic() + 3.5
    while time.monotonic() < quiet:
        user.send(busy.teid, echo(busy.address))
        assert deletes(client, 0.1) is None, "told again after the answer"
    assert pair.active.counter("gtp.own_requests") == 1 and pair.active.counter(
        "gtp.own_retries") == 1
    assert set(pair.active.sessions()) == {busy.address}


def test_session_timeout(lab):
    """session-timeout ends a busy session too, counted from its creation, whoever is Active by
    then"""
    pair = Pair(lab, edits={"apns.session-timeout": "5"}).start()
    own = lab.add_ue()[1]
    client, user = Client(lab, port=2123, address=own), User(lab, own)
    began = time.time()
    context = client.attach(imsi(70))
    equal_tables(pair)
    victim = pair.active
    survivor = pair.other(victim)
    still = Standstill(survivor)
    victim.kill9()
    told = None
    while told is None:
        user.send(context.teid, echo(context.address))
        told = deletes(client, 0.1)
        assert time.time() < began + 60, "no Delete"
    spent = client.at - began
    assert told[1] == context.own and 4 <= spent <= 7 + still.look() / 1000, (
        f"after {spent:.1f} s, stood still for {still.longest_ms} ms")
    client.sock.send(message(DELETE + 1, 0, told[2], bytes([1, ACCEPTED])))
    wait_until(lambda: survivor.total() == 0, 10, "no session")
    assert survivor.counter("ended_session_timeout") == 1
    return f"after {spent:.1f} s"


def test_restart_counter(lab, pair):
    """the restart counter in Echo and Create responses is the pair's: higher only when both have
    lost all"""
    client = Client(lab)
    number = iter(range(80, 99))

    def told():
        def ask():
            answer = client.ask(message(ECHO, 0, next(client.sequence), b""), 0.2)
            return answer if answer is not None and answer[1] == ECHO + 1 else None
        found = elements(wait_until(ask, 30, "an Echo Response")[12:])[14][0]
        who = imsi(next(number))
        created = client.request(CREATE, 0, create_elements(who, own_teid(who), client.address))
        assert created[1][0] == ACCEPTED and created[14][0] == found, (
            f"Echo says {found}, Create {created[14][0]}")
        return found
    first = told()
    victim = pair.active
    victim.kill9()
    pair.other(victim).state_is("Active", 10)
    assert told() == first, "after a crash"
    victim.start()
    victim.wait_ready()
    pair.settle()
    pair.switchover()
    assert told() == first, "after a planned switchover"
    for chassis in pair.both:
        chassis.kill9()
    for chassis in pair.both:
        chassis.start()
    for chassis in pair.both:
        chassis.wait_ready()
    pair.settle()
    assert told() == (first + 1) % 256, "after the loss of both"


@alone
def test_policing(lab):
    """AMBR holds in both directions, and what it drops is counted"""
    rate, size, seconds = 256, 500, 4
    pair = Pair(lab, edits={"apns.ambr-up": str(rate), "apns.ambr-down": str(rate)}).start()
    client, user, core = Client(lab), User(lab), core_socket(lab, 4001)
    context = client.attach(imsi(100))
    user.warm(context)
    datagram = struct.pack("!HHHH", 4000, 4001, size - 20, 0) + bytes(size - 28)
    packet = ip_packet(context.address, CORE_HOST, 17, datagram)
    got = {core: 0, user.sock: 0}
    began = due = time.monotonic()
    sent = 0
    while due < began + seconds:
        for sock in select.select(list(got), [], [], max(0.0, due - time.monotonic()))[0]:
            data = sock.recv(4096)
            got[sock] += len(data) + (28 if sock is core else -8)
        if time.monotonic() >= due:
            user.send(context.teid, packet)
            core.sendto(bytes(size - 28), (context.address, 4000))
            sent += 1
            due += size * 8 / (rate * 4000)
    spent = time.monotonic() - began
    up, dn = (octets * 8 / 1000 / spent / rate for octets in (got[core], got[user.sock]))
    assert 0.5 <= up <= 1.3 and 0.5 <= dn <= 1.3, f"up {up:.2f}, down {dn:.2f} of the rate"
    for name, octets in (("drop_policed_up", got[core]), ("drop_policed_down", got[user.sock])):
        dropped = pair.active.counter(name)
        assert sent * 0.5 < dropped <= sent - octets // size + 4, (
            f"{name} {dropped}, {octets // size} of {sent} passed")
    return f"up {up:.2f}, down {dn:.2f} of the rate"


def test_downlink_sizes(lab, pair):
    """downlink too big for the access MTU: with DF refused with the MTU that fits, without it sent
    in fragments"""
    client, user, core = Client(lab), User(lab), core_socket(lab)
    context = client.attach(imsi(110))
    user.warm(context)
    discover, mtu, do, omit = 10, 14, 2, 5
    before = pair.active.counter("fragmented")
    core.setsockopt(socket.IPPROTO_IP, discover, omit)
    core.sendto(bytes(1472), (context.address, 4000))
    got = user.receive()
    assert got is not None and got.teid == context.own and len(got.body) == 1500, got
    assert pair.active.counter("fragmented") == before + 1
    core.setsockopt(socket.IPPROTO_IP, discover, do)
    core.connect((context.address, 4000))

    def refused():
        try:
            core.send(bytes(1472))
        except OSError:
            return core.getsockopt(socket.IPPROTO_IP, mtu) < 1500
        return False
    wait_until(refused, 5, "fragmentation needed")
    fits = core.getsockopt(socket.IPPROTO_IP, mtu)
    assert fits == 1464, f"told {fits}"
    assert pair.active.counter("drop_too_big") >= 1 and pair.active.counter("icmp_sent") >= 1
    assert user.receive(0.05) is None

    def sent():
        """What was refused before the host knew is told by errors that wait at the socket, or will
        yet."""
        try:
            return core.send(bytes(fits - 28)) > 0
        except OSError:
            return False
    wait_until(sent, 5, "no error")
    got = user.receive()
    assert got is not None and len(got.body) == fits, got
    assert pair.active.counter("fragmented") == before + 1


@needs(**TWO_WORKERS)
def test_ue_to_ue_workers(lab, pair):
    """two subscribers whose sessions two workers own reach each other, before and after a crash"""
    one, two = lab.add_ue()[1], lab.add_ue()[1]
    clients, users = [Client(lab, address=a)
                      for a in (one, two)], [User(lab, a) for a in (one, two)]
    owner = lambda c: pair.active.ctl("show session", session=c.address)["sessions"][0]["worker"]
    a = clients[0].attach(imsi(120))
    number = iter(range(121, 140))
    b = wait_until(
        lambda: (lambda c: c if owner(c) != owner(a) else None)
        (clients[1].attach(imsi(next(number)))), 10, "a session of the other worker")

    def both_ways():
        for source, sender, target, receiver in ((a, users[0], b, users[1]), (b, users[1], a,
                                                                              users[0])):
            packet = echo(source.address, target.address)
            sender.send(source.teid, packet)
            got = receiver.receive()
            assert got is not None and got.teid == target.own, got
            assert got.body[12:20] == packet[12:20] and got.body[20:] == packet[20:], got.body.hex()
            assert got.body[8] == packet[8] - 1, f"TTL {got.body[8]}: one router, one hop"
    both_ways()
    assert pair.active.counter("ue_to_ue") == 2
    equal_tables(pair)
    victim = pair.active
    victim.kill9()
    pair.other(victim).state_is("Active", 10)
    both_ways()
