# SPDX-License-Identifier: BSD-3-Clause
"""A small GTPv1 client, for what sgsnemu cannot be told to do: odd messages, many sessions, exact
causes, and user packets of which each is known."""

import collections
import ipaddress
import itertools
import select
import socket
import struct
import threading
import time

from lab import CORE_HOST, VIP, LabError, in_namespace, wait_until
from traffic import SO_TIMESTAMPNS, arrived, checksum

ECHO, CREATE, UPDATE, DELETE = 1, 16, 18, 20
ERROR_INDICATION, EXTENSIONS, END_MARKER, G_PDU = 26, 31, 254, 255
ACCEPTED, NO_RESOURCES, ADDRESSES_OCCUPIED, UNKNOWN_APN = 128, 199, 211, 219
# Lengths of the elements with a fixed one that come in responses (TS 29.060 table 37).
FIXED = {1: 1, 14: 1, 8: 1, 16: 4, 17: 4, 127: 4, 20: 1}


# After the last packet that came: for as long others may be on their way still.
LAST_S = 3.0
# So long an SGSN waits for a response before it repeats the request (TS 29.060 13.2).
T3_RESPONSE_S = 3.0

# A session: its TEIDs at the pair, the subscriber's address, the TEID at the SGSN.
Context = collections.namedtuple("Context", "imsi control teid address own")
# `at`: when it arrived (time of day).
Datagram = collections.namedtuple("Datagram", "kind teid sequence body at", defaults=(None,))


def own_teid(imsi):
    """The TEID that an SGSN of ours gives a subscriber, on both planes."""
    return int(imsi) % 0xfffffffe + 1


def digits(number):
    """An IMSI as BCD."""
    text = number.ljust(16, "f")
    return bytes(int(text[i + 1] + text[i], 16) for i in range(0, 16, 2))


def tlv(kind, value):
    """An element with a length."""
    return struct.pack("!BH", kind, len(value)) + value


def create_elements(imsi, teid, address, apn="internet", recovery=1):
    """The elements of a Create PDP Context Request."""
    labels = b"".join(bytes([len(x)]) + x.encode() for x in apn.split("."))
    own = ipaddress.ip_address(address).packed
    return (b"\x02" + digits(imsi) + bytes([14, recovery]) + b"\x0f\x01" +
            struct.pack("!BIBI", 16, teid, 17, teid) + b"\x14\x05\x1a\x08\x00" +
            tlv(128, b"\xf1\x21") + tlv(131, labels) + tlv(133, own) + tlv(133, own) +
            tlv(134, bytes.fromhex("916407123254f6")) + tlv(135, bytes.fromhex("000b921f")))


def update_elements(teid, address, qos, control=None, recovery=None):
    """The elements of an Update PDP Context Request: the user plane goes to `teid` at `address`,
    signalling to the same TEID at `control` (the same address when None)."""
    told = b"" if recovery is None else bytes([14, recovery])
    user, signal = (ipaddress.ip_address(a).packed for a in (address, control or address))
    return (told + struct.pack("!BIBI", 16, teid, 17, teid) + b"\x14\x05" + tlv(133, signal) +
            tlv(133, user) + tlv(135, qos))


def message(kind, teid, sequence, body):
    """A GTP-C message with a sequence number."""
    return struct.pack("!BBHIHBB", 0x32, kind, len(body) + 4, teid, sequence, 0, 0) + body


def elements(data):
    """The elements of a response: {type: value of the first}."""
    found, at = {}, 0
    while at < len(data):
        kind = data[at]
        if kind < 128:
            size, start = FIXED.get(kind, 1), at + 1
        else:
            size, start = struct.unpack("!H", data[at + 1:at + 3])[0], at + 3
        found.setdefault(kind, data[start:start + size])
        at = start + size
    return found


class Client:
    """An SGSN that speaks from one socket in the access network."""

    def __init__(self, lab, port=0, address="10.8.0.1", remote_port=2123, sequence=None):
        def make():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.bind((address, port))
            sock.connect((VIP, remote_port))
            return sock
        self.address = address
        self.at = None  # when the last datagram arrived (time of day)
        self.sequence = lab.sequence if sequence is None else sequence
        self.sock = in_namespace(lab.namespace("acc"), make)
        lab.cleanups.append(self.sock.close)

    def close(self):
        """Gives the socket back."""
        self.sock.close()

    def receive(self, timeout):
        """The next datagram, or None."""
        self.sock.settimeout(timeout)
        try:
            data, extra, _, _ = self.sock.recvmsg(4096, 64)
        except TimeoutError:
            return None
        self.at = arrived(extra)
        return data

    def request(self, kind, teid, body, timeout=10.0):
        """A request, repeated while nobody answers, and its response: (type, elements)."""
        sequence, number = next(self.sequence), None
        octets = message(kind, teid, sequence, body)
        self.sock.send(octets)
        now = time.monotonic()
        end, again = now + timeout, now + T3_RESPONSE_S
        while number != sequence & 0xffff:  # what an earlier one was answered may be late
            now = time.monotonic()
            answer = self.receive(max(0.001, min(end, again) - now))
            if answer is not None:
                _, got, _, _, number = struct.unpack("!BBHIH", answer[:10])
            elif time.monotonic() >= end:
                raise LabError(f"no answer to GTP-C message {kind}")
            else:
                self.sock.send(octets)
                again += T3_RESPONSE_S
        if got != kind + 1:
            raise LabError(f"GTP-C message {kind}, number {sequence} was answered by {got}")
        return elements(answer[12:])

    def ask(self, octets, timeout=10.0):
        """Sends octets; the datagram that comes back, or None."""
        self.sock.send(octets)
        return self.receive(timeout)

    def create(self, imsi, apn="internet", recovery=1):
        """A Create PDP Context Request: (cause, control TEID, data TEID, address); the last three 0
        when refused."""
        found = self.request(CREATE, 0,
                             create_elements(imsi, own_teid(imsi), self.address, apn, recovery))
        cause = found[1][0]
        if cause != ACCEPTED:
            return cause, 0, 0, None
        control, data = (struct.unpack("!I", found[k])[0] for k in (17, 16))
        return cause, control, data, str(ipaddress.ip_address(found[128][2:6]))

    def attach(self, imsi, recovery=1, apn="internet"):
        """A session that must be accepted."""
        cause, control, data, address = self.create(imsi, apn, recovery)
        if cause != ACCEPTED:
            raise LabError(f"{imsi} was refused with cause {cause}")
        return Context(imsi, control, data, address, own_teid(imsi))

    def delete(self, teid):
        """A Delete PDP Context Request; the cause."""
        return self.request(DELETE, teid, b"\x13\xff\x14\x05")[1][0]


def ip_packet(source, target, protocol, payload, ttl=64, ident=0):
    """A whole IPv4 packet."""
    head = (struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, 0, ttl, protocol, 0)
            + socket.inet_aton(source) + socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def echo(source, target=CORE_HOST, ident=1, sequence=1, size=56):
    """A ping, as a subscriber's packet."""
    body = bytes(size)
    head = struct.pack("!BBHHH", 8, 0, 0, ident, sequence)
    head = struct.pack("!BBHHH", 8, 0, checksum(head + body), ident, sequence)
    return ip_packet(source, target, 1, head + body)


class User:
    """An SGSN's user plane: G-PDUs from one socket in the access network."""

    def __init__(self, lab, address="10.8.0.1", namespace="acc"):
        def make():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            # What is too big goes in fragments.
            sock.setsockopt(socket.IPPROTO_IP, 10, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.bind((address, 2152))
            sock.connect((VIP, 2152))
            return sock
        self.address = address
        self.sock = in_namespace(lab.namespace(namespace), make)
        lab.cleanups.append(self.sock.close)

    def send(self, teid, body, kind=G_PDU, flags=0x30, optional=b""):
        """One datagram; `optional` is what stands between the header and the body."""
        self.sock.send(
            struct.pack("!BBHI", flags, kind,
                        len(optional) + len(body), teid) + optional + body)

    def receive(self, timeout=10.0):
        """The next datagram, or None."""
        self.sock.settimeout(timeout)
        try:
            data, extra, _, _ = self.sock.recvmsg(65536, 64)
        except TimeoutError:
            return None
        flags, kind, _, teid = struct.unpack("!BBHI", data[:8])
        at = 12 if flags & 7 else 8
        return Datagram(kind, teid,
                        struct.unpack("!H", data[8:10])[0] if flags & 2 else None, data[at:],
                        arrived(extra))

    def drain(self):
        """Forgets what has come in so far."""
        while self.receive(0.000001) is not None:
            pass

    def warm(self, context):
        """Pings until the core host's next hop is known and an answer came, then forgets them
        all."""
        wait_until(
            lambda: self.send(context.teid, echo(context.address, ident=0)) or self.receive(0.1),
            15, "the first answer")
        numbers = itertools.count(2)

        def last():
            """A last one, told from the others: behind it nothing is on the way."""
            number = next(numbers)
            self.send(context.teid, echo(context.address, ident=0, sequence=number))
            while (got := self.receive(1)) is not None:
                if got.body[26:28] == struct.pack("!H", number):
                    return True
            return False
        wait_until(last, 15, "the last answer")

    def indicate(self, datagram, address=None):
        """Answers a G-PDU with an Error Indication: no such tunnel here."""
        own = ipaddress.ip_address(address or self.address).packed
        self.send(0,
                  struct.pack("!BI", 16, datagram.teid) + tlv(133, own), ERROR_INDICATION, 0x32,
                  bytes(4))


class Talker:
    """Subscribers of one SGSN who ping the core host in turn without pause. Every packet is
    remembered, by subscriber: `sent` and `heard` hold (time, octets of the IP packet)."""

    def __init__(self, lab, user, contexts, interval=0.005):
        self.user, self.contexts, self.interval = user, contexts, interval
        self.sent = {c.address: [] for c in contexts}
        self.heard = {c.address: [] for c in contexts}
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        lab.cleanups.append(self.stop)

    def counts(self, of):
        """How many packets `sent` or `heard` holds in all."""
        return sum(len(v) for v in of.values())

    def _send(self, number):
        context = self.contexts[number % len(self.contexts)]
        packet = echo(context.address, ident=7, sequence=number & 0xffff, size=number * 7 % 500)
        at = time.time()
        try:
            self.user.send(context.teid, packet)
        except OSError:
            return
        self.sent[context.address].append((at, len(packet)))

    def _receive(self):
        try:
            got = self.user.receive(0.000001)
        except OSError:
            return  # what became of an earlier one: nobody was there
        if got is not None and got.kind == G_PDU:
            self.heard[str(ipaddress.ip_address(got.body[16:20]))].append(
                (got.at, len(got.body)))

    def _run(self):
        due, number = time.monotonic(), 0
        while not self.stopping.is_set():
            if time.monotonic() >= due:
                self._send(number)
                number += 1
                due += self.interval
            if select.select([self.user.sock], [], [], max(0.0, due - time.monotonic()))[0]:
                self._receive()
        quiet = time.monotonic()
        while self.counts(self.heard) < self.counts(self.sent):
            if select.select([self.user.sock], [], [], 0.05)[0]:
                self._receive()
                quiet = time.monotonic()
            elif time.monotonic() > quiet + LAST_S:
                break

    def wait_heard(self, count, timeout=15):
        """Waits until `count` more answers are in than now."""
        goal = self.counts(self.heard) + count
        wait_until(lambda: self.counts(self.heard) >= goal, timeout,
                   lambda: f"{goal - self.counts(self.heard)} more answers")

    def stop(self):
        """Ends it, and waits for what is still on the way, until nothing has come for a while."""
        self.stopping.set()
        self.thread.join()
