#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Golden vectors of the replication stream (repl/v1.hex: name and packet; repl/v1.txt: what they
mean). Today's encoders must write those bytes, and today's decoders and the dissector
(scripts/tandem.lua in tshark) must read them so.

Once version 1 is released, its two files stay as they are, whatever comes; it is not released yet
(config/guide/upgrading.md). A version 2 that changes what an encoder writes gets its own v2.hex and
v2.txt beside them: add it to VERSIONS, let `repl_golden encode` write the newest version, and leave
v1.hex to the decoders. UPDATE=1 writes the newest version's files anew, which is only right before
it is released. 77: there is no tshark, the rest was checked."""

import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "repl")
VERSIONS = ("v1",)
STREAM_PORT, SRP_PORT = 8485, 8484


def load(name):
    """A file of vectors: (name, octets) each."""
    with open(os.path.join(HERE, name), encoding="ascii") as handle:
        return [(n, bytes.fromhex(h))
                for n, h in (line.split() for line in handle if not line.startswith("#"))]


def text_of(name):
    """A file."""
    with open(os.path.join(HERE, name), encoding="ascii") as handle:
        return handle.read()


def write(name, text):
    """Writes a file anew."""
    with open(os.path.join(HERE, name), "w", encoding="ascii") as handle:
        handle.write(text)


def frame(octets, protocol, connection=0):
    """An Ethernet frame that carries octets over UDP (17) or TCP (6)."""
    port = STREAM_PORT if protocol == 17 else SRP_PORT
    if protocol == 17:
        segment = struct.pack("!HHHH", port, port, 8 + len(octets), 0) + octets
    else:
        segment = struct.pack("!HHIIBBHHH", port, 40000 + connection, 1, 1, 0x50, 0x18, 65535,
                              0, 0) + octets
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, protocol, 0,
                       bytes([10, 7, 0, 11]), bytes([10, 7, 0, 12]))
    return bytes(12) + b"\x08\x00" + head + segment


def capture(directory, frames):
    """A capture file of frames."""
    name = os.path.join(directory, "vectors.pcap")
    with open(name, "wb") as handle:
        handle.write(struct.pack("!IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for octets in frames:
            handle.write(struct.pack("!IIII", 0, 0, len(octets), len(octets)) + octets)
    return name


def dissect(lua, frames):
    """What tshark makes of frames: for each the lines "name value" of our fields, and the experts'
    messages."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(["tshark", "-X", f"lua_script:{lua}", "-r",
                               capture(directory, frames), "-T", "pdml"],
                              capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert done.returncode == 0 and not errors, f"tshark: exit {done.returncode}: {errors[:5]}"
    told = []
    for packet in xml.etree.ElementTree.fromstring(done.stdout).iter("packet"):
        lines, experts = [], []
        for field in packet.iter("field"):
            name = field.get("name")
            if "Lua Error" in (field.get("showname") or "") + (field.get("show") or ""):
                raise AssertionError("the dissector broke: "
                                     f"{field.get('showname')} {field.get('show')}")
            if name == "_ws.expert.message":
                experts.append(field.get("show"))
            elif name.startswith("tandem.") and not name.startswith("tandem.expert."):
                lines.append(f"  {name[7:]} {field.get('show')}")
        told.append((lines, experts))
    assert len(told) == len(frames)
    return told


def check_codec(golden):
    """Today's encoders and decoders."""
    newest = VERSIONS[-1]
    encoded = subprocess.run([golden, "encode"], capture_output=True, text=True, check=True).stdout
    if os.environ.get("UPDATE") == "1":
        write(newest + ".hex", encoded)
    assert encoded == text_of(newest + ".hex"), f"today's encoders do not write {newest}.hex"
    messages = subprocess.run([golden, "srp"], capture_output=True, text=True, check=True).stdout
    if os.environ.get("UPDATE") == "1":
        write("srp.hex", messages)
    assert messages == text_of("srp.hex"), "today's encoders do not write srp.hex"
    for version in VERSIONS:
        decoded = subprocess.run([golden, "decode"], input=text_of(version + ".hex"),
                                 capture_output=True, text=True, check=True).stdout
        if os.environ.get("UPDATE") == "1" and version == newest:
            write(version + ".txt", decoded)
        assert decoded == text_of(version + ".txt"), \
            f"today's decoders do not read {version}.hex as {version}.txt"


def check_dissector(lua):
    """The dissector reads what the decoders read."""
    for version in VERSIONS:
        want, name = {}, None
        for line in text_of(version + ".txt").splitlines():
            if line.startswith("  "):
                want[name].append(line)
            else:
                name = line
                want[name] = []
        vectors = load(version + ".hex")
        told = dissect(lua, [frame(o, 17) for _, o in vectors])
        for (name, _), (lines, experts) in zip(vectors, told):
            differ = [(a, b) for a, b in zip(lines, want[name]) if a != b]
            assert lines == want[name], (f"{version} {name}: dissected, decoded: {differ[:3]} "
                                         f"({len(lines)}, {len(want[name])})")
            assert not [e for e in experts if "later" not in e], f"{version} {name}: {experts}"


def check_malformed(lua):
    """What is malformed is told; nothing breaks the dissector."""
    bad = load("malformed.hex")
    for (name, _), (_, experts) in zip(bad, dissect(lua, [frame(o, 17) for _, o in bad])):
        assert experts, f"{name} is not told to be malformed"
    vectors, noise = load("v1.hex"), random.Random(20)
    frames = []
    for _, octets in vectors:
        for _ in range(12):
            frames.append(frame(octets[:noise.randrange(1, len(octets))], 17))
            broken = bytearray(octets)
            for _ in range(noise.randrange(1, 6)):
                broken[noise.randrange(40, len(broken))] = noise.randrange(256)
            broken[2:4] = b"\0\0"
            frames.append(frame(bytes(broken), 17))
    dissect(lua, frames)


def check_srp(lua):
    """The SRP connection: every message of srp.hex over TCP, and those cut short."""
    messages = load("srp.hex")
    told = dissect(lua, [frame(o, 6, i) for i, (_, o) in enumerate(messages)])
    for (name, octets), (lines, experts) in zip(messages, told):
        assert lines[:3] == [f"  srp.length {len(octets) - 2}", "  srp.version 1",
                             f"  srp.type {octets[3]}"], f"{name}: {lines}"
        assert not experts, f"{name}: {experts}"
    short = [struct.pack("!H", len(o) - 3) + o[2:-1] for _, o in messages]
    told = dissect(lua, [frame(o, 6, i) for i, o in enumerate(short)])
    for (name, _), (_, experts) in zip(messages, told):
        assert experts, f"{name} cut short is not told to be malformed"


def main():
    """repl_golden.py EXECUTABLE DISSECTOR"""
    check_codec(sys.argv[1])
    if shutil.which("tshark") is None:
        print("no tshark")
        return 77
    check_dissector(sys.argv[2])
    check_malformed(sys.argv[2])
    check_srp(sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
