# SPDX-License-Identifier: BSD-3-Clause
"""A small GTPv1 client, for what sgsnemu cannot be told to do: odd messages, many sessions, exact causes."""

import ipaddress
import itertools
import socket
import struct

from lab import VIP, LabError, in_namespace

ECHO, CREATE, DELETE = 1, 16, 20
ACCEPTED, NO_RESOURCES, ADDRESSES_OCCUPIED, UNKNOWN_APN = 128, 199, 211, 219
# Lengths of the elements with a fixed one that come in responses (TS 29.060 table 37).
FIXED = {1: 1, 14: 1, 8: 1, 16: 4, 17: 4, 127: 4, 20: 1}


def digits(number):
    """An IMSI as BCD."""
    text = number.ljust(16, "f")
    return bytes(int(text[i + 1] + text[i], 16) for i in range(0, 16, 2))


def tlv(kind, value):
    """An element with a length."""
    return struct.pack("!BH", kind, len(value)) + value


def create_elements(imsi, teid, address, apn="internet"):
    """The elements of a Create PDP Context Request."""
    labels = b"".join(bytes([len(x)]) + x.encode() for x in apn.split("."))
    own = ipaddress.ip_address(address).packed
    return (b"\x02" + digits(imsi) + b"\x0e\x01" + b"\x0f\x01" + struct.pack("!BIBI", 16, teid, 17, teid)
            + b"\x14\x05" + tlv(128, b"\xf1\x21") + tlv(131, labels) + tlv(133, own) + tlv(133, own)
            + tlv(134, bytes.fromhex("916407123254f6")) + tlv(135, bytes.fromhex("000b921f")))


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

    def __init__(self, lab, port=0, address="10.8.0.1", remote_port=2123):
        def make():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            sock.connect((VIP, remote_port))
            return sock
        self.address = address
        self.sequence = itertools.count(1)
        self.sock = in_namespace(lab.namespace("acc"), make)

    def close(self):
        """Gives the socket back."""
        self.sock.close()

    def receive(self, timeout):
        """The next datagram, or None."""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recv(4096)
        except TimeoutError:
            return None

    def request(self, kind, teid, body, timeout=3.0):
        """A request and its response: (type, elements)."""
        sequence = next(self.sequence)
        self.sock.send(message(kind, teid, sequence, body))
        answer = self.receive(timeout)
        if answer is None:
            raise LabError(f"no answer to GTP-C message {kind}")
        _, got, _, _, number = struct.unpack("!BBHIH", answer[:10])
        if got != kind + 1 or number != sequence:
            raise LabError(f"GTP-C message {kind}, number {sequence} was answered by {got}, number {number}")
        return elements(answer[12:])

    def create(self, imsi, apn="internet"):
        """A Create PDP Context Request: (cause, control TEID, data TEID, address); the last three 0 when refused."""
        number = int(imsi) % 0xfffffffe + 1
        found = self.request(CREATE, 0, create_elements(imsi, number, self.address, apn))
        cause = found[1][0]
        if cause != ACCEPTED:
            return cause, 0, 0, None
        control, data = (struct.unpack("!I", found[k])[0] for k in (17, 16))
        return cause, control, data, str(ipaddress.ip_address(found[128][2:6]))

    def delete(self, teid):
        """A Delete PDP Context Request; the cause."""
        return self.request(DELETE, teid, b"\x13\xff\x14\x05")[1][0]
