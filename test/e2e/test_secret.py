# SPDX-License-Identifier: BSD-3-Clause
"""Who may speak to a chassis: certificates, pre-shared keys, plain text where it is wanted, and
what strangers can do."""

import contextlib
import os
import shutil
import socket
import struct
import threading
import time

import gtp
from chassis import (Chassis, Pair, Standstill, copy_keys, edit, make_keys,
                     without_certificate)
from lab import LabError, in_namespace, run, wait_until
from traffic import Probes, Sgsnemu, checksum, no_loss, wait_heard

UDP_AT = 14 + 20 + 8
SRP_PORT = 8484


class Wire:
    """The replication link: every packet of the right chassis ("right") and of the left one
    ("left"), each seen where it arrives, and frames of our own to the left chassis."""

    def __init__(self, lab):
        def make(link):
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            sock.bind((link, 0))
            sock.settimeout(0.2)
            return sock
        self.sock = {"right": in_namespace(lab.namespace("left"), lambda: make("l-repl")),
                     "left": in_namespace(lab.namespace("right"), lambda: make("r-repl"))}
        self.frames = {"left": [], "right": []}
        self.limit = 4000
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(side, ), daemon=True) for side in self.frames
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, side):
        frames = self.frames[side]
        while not self.stopping.is_set():
            try:
                frame, address = self.sock[side].recvfrom(65535)
            except TimeoutError:
                continue
            if (address[2] != socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00"
                    and frame[23] == 17 and len(frames) < self.limit):
                frames.append(frame)

    def wait(self, side, count):
        """Waits for that many packets of a chassis; the last of them."""
        wait_until(lambda: len(self.frames[side]) >= count, 60, f"{count} packets of {side}")
        return self.frames[side][-count:]

    def send(self, frame):
        """To the left chassis."""
        self.sock["left"].send(frame)

    def stop(self):
        """No more."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        for sock in self.sock.values():
            sock.close()


def packet(frame):
    """The stream's packet in a frame."""
    return frame[UDP_AT:UDP_AT - 8 + struct.unpack_from("!H", frame, UDP_AT - 4)[0]]


def reframe(frame, payload):
    """A frame like this one with another packet, lengths and IPv4 checksum right."""
    ip = bytearray(frame[14:34])
    struct.pack_into("!H", ip, 2, 28 + len(payload))
    struct.pack_into("!H", ip, 10, 0)
    struct.pack_into("!H", ip, 10, checksum(bytes(ip)))
    udp = frame[34:38] + struct.pack("!HH", 8 + len(payload), 0)
    return frame[:14] + bytes(ip) + udp + payload


def reflected(frame):
    """The same packet back to who sent it."""
    turned = frame[6:12] + frame[:6] + frame[12:26] + frame[30:34] + frame[26:30] + frame[34:]
    return reframe(turned, packet(frame))


def keys(chassis):
    """Counters of the keys."""
    return chassis.ctl("show srp checkpoint statistics")["keys"]


def alarms(chassis):
    """Alarms that are raised: name to text."""
    return {a["alarm"]: a["text"] for a in chassis.ctl("show alarms")["alarms"]}


def change(chassis, key, value):
    """Another value in this chassis' own configuration."""
    with open(chassis.file, encoding="utf-8") as handle:
        text = edit(handle.read(), key, value)
    with open(chassis.file, "w", encoding="utf-8") as handle:
        handle.write(text)


def security(chassis):
    """What every status says of secrecy; the same everywhere."""
    said = {chassis.ctl(c)["replication_security"] for c in
            ("show srp info", "show srp statistics", "show srp checkpoint statistics")}
    assert len(said) == 1, said
    return said.pop()


def attached(lab):
    """A subscriber with pings under way."""
    sgsn = Sgsnemu(lab)
    stream = Probes(lab, sgsn.namespace, sgsn.attach()[0])
    wait_heard([stream], 50)
    return sgsn, stream


def forms(imsi):
    """Bytes by which an IMSI could be seen."""
    return [
        str(imsi).encode(),
        gtp.digits(str(imsi)),
        struct.pack("!Q", int(imsi)),
        bytes.fromhex(str(imsi)[:14])
    ]


def visible(frames, patterns):
    """How many of the packets have one of these in them."""
    return sum(1 for f in frames if any(p in packet(f) for p in patterns))


def after_attach(lab, pair):
    """Packets of the stream from before to after a subscriber attached, and its IMSI."""
    wire = Wire(lab)
    try:
        wire.wait("left", 5)
        wire.wait("right", 5)
        sgsn, stream = attached(lab)
        wire.wait("left", len(wire.frames["left"]) + 20)
        stream.stop()
    finally:
        wire.stop()
    assert pair.active.total() == 1
    return wire.frames["left"] + wire.frames["right"], sgsn.imsi


def test_certificates(lab, pair):
    """certificates: the pair forms, every status says so, no IMSI and no readable record is on the
    link, TLS 1.3 on SRP"""
    before = {chassis: keys(chassis) for chassis in pair.both}
    for chassis in pair.both:
        assert security(chassis) == "AES-128-GCM, certificates"
    frames, imsi = after_attach(lab, pair)
    assert visible(frames, forms(imsi)) == 0, "the IMSI can be read on the replication link"
    keyed = {struct.unpack_from("!H", packet(f), 2)[0] for f in frames}
    assert len(keyed) == 1 and 0 not in keyed, keyed
    # Heartbeats are all alike but for a few bytes: sealed, no two share a run of records.
    records = [packet(f)[40:] for f in frames if len(packet(f)) > 80]
    assert len({r[:16] for r in records}) == len(records), "records repeat on the link"
    for chassis in pair.both:
        count, was = keys(chassis), before[chassis]
        assert count["rx_opened"] > was["rx_opened"], count
        for name in ("rx_bad_tag", "rx_unknown_key"):
            assert count[name] == was[name], f"{name}: {was} before, {count} after"
    return f"{len(frames)} packets"


def test_plain_where_wanted(lab):
    """insecure = true on both: plain text, and every status says so"""
    pair = Pair(lab, edits={"srp.insecure": "true"}).start()
    for chassis in pair.both:
        assert security(chassis) == "plain text (insecure = true)"
    frames, imsi = after_attach(lab, pair)
    assert visible(frames, forms(imsi)) > 0, "the search for an IMSI finds none in plain text"
    assert {struct.unpack_from("!H", packet(f), 2)[0] for f in frames} == {0}


def psk(lab):
    """The path of a pre-shared key, as libconfig has it."""
    return f'"{copy_keys(os.path.join(lab.directory, "keys"))}/psk"'


def test_pre_shared_key(lab):
    """a pre-shared key: the pair forms, sessions are copied, a planned switchover"""
    pair = Pair(lab, edits={"srp.psk-file": psk(lab)}).start()
    for chassis in pair.both:
        assert security(chassis) == "AES-128-GCM, pre-shared key"
    _, stream = attached(lab)
    pair.settle()
    pair.switchover()
    pair.settle()
    wait_heard([stream], 50)
    no_loss(pair, stream.stop())


def no_pair(pair, left, right):
    """Neither joins the other; each tells why, in its log, its status and an alarm. left, right:
    part of what they say."""
    for chassis in pair.both:
        chassis.start()
    for chassis in pair.both:
        chassis.wait_ready()
    for chassis, text in ((pair.left, left), (pair.right, right)):
        if text is None:
            continue
        # Each tries again and again, and a handshake may fail for want of time as well.
        wait_until(lambda c=chassis, t=text: t in alarms(c).get("srp-peer-refused", ""), 30,
                   lambda c=chassis, t=text: f"{c.side} to refuse its peer, {t!r}: {alarms(c)}, "
                   f"{c.process.output()[-800:]}")
        failed = lambda c=chassis: c.ctl("show srp statistics")
        wait_until(lambda t=text, f=failed: t in f()["last_handshake_failure"], 30,
                   lambda t=text, f=failed: f"{t!r} as the last failure: {f()}")
        assert failed()["handshakes_failed"] > 0, failed()
        wait_until(lambda c=chassis, t=text: t in c.process.output(), 5, f"{text!r} in the log")
    # Each is alone, nothing of the other is believed: one takes the VIPs, and the other finds them
    # taken.
    def settled():
        states = {c: c.info()["chassis_state"] for c in pair.both}
        return any(states[a] == "Active" and states[b] == "Init" and "vip-answered" in alarms(b)
                   for a, b in (pair.both, pair.both[::-1]))
    # Who waits for what is in the log; how the states came about, in the counters.
    seen = lambda c: {"state": c.info()["chassis_state"], "alarms": alarms(c),
                      "srp": c.ctl("show srp statistics"), "log": c.process.output()[-1500:]}
    wait_until(settled, 90, lambda: "one Active, and one that finds the VIPs taken: "
                                    f"{[seen(c) for c in pair.both]}")
    shown = [c.info() for c in pair.both]
    assert not any(i["in_sync"] or i["joined"] for i in shown), shown
    return pair


def test_new_certificates(lab):
    """new CA, certificates and keys put in place on both: used from the next connection on, without
    a restart or a loss"""
    pair = Pair(lab).start()
    _, stream = attached(lab)
    pair.settle()
    keydir = os.path.join(lab.directory, "keys")
    made = make_keys(os.path.join(lab.directory, "next"))
    for file in os.listdir(made):
        os.replace(os.path.join(made, file), os.path.join(keydir, file))
    cut_srp(lab)
    for chassis in pair.both:
        wait_until(lambda c=chassis: "read again" in c.process.output(), 30, f"{chassis.side} to "
                                                                             "read its files anew")
    pair.settle()
    wait_heard([stream], 50)
    no_loss(pair, stream.stop())


def test_wrong_pre_shared_key(lab):
    """another pre-shared key: no join, both say what to do"""
    pair = Pair(lab, edits={"srp.psk-file": psk(lab)})
    other = os.path.join(lab.directory, "other.psk")
    with open(os.open(other, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as handle:
        handle.write(64 * "5" + "\n")
    change(pair.right, "srp.psk-file", f'"{other}"')
    no_pair(pair, "another pre-shared key", "another pre-shared key")


def test_wrong_ca(lab):
    """a certificate of another CA: no join, both say what to do"""
    pair = Pair(lab)
    other = make_keys(os.path.join(lab.directory, "other"))
    change(pair.right, "srp.certificate-file", f'"{other}/right.pem"')
    change(pair.right, "srp.key-file", f'"{other}/right.key"')
    no_pair(pair, "is not of our CA", "does not know our certificate's CA")


def test_wrong_name(lab):
    """a certificate of the right CA for somebody else: no join"""
    pair = Pair(lab)
    keydir = make_keys(os.path.join(lab.directory, "keys"), "third")
    change(pair.right, "srp.certificate-file", f'"{keydir}/third.pem"')
    change(pair.right, "srp.key-file", f'"{keydir}/third.key"')
    no_pair(pair, "does not have the name", "refuses our certificate")


def test_expired_certificate(lab):
    """a certificate that has expired: no join, both say so"""
    pair = Pair(lab)
    keydir = os.path.join(lab.directory, "keys")
    work = os.path.join(lab.directory, "ca")
    os.mkdir(work)
    with open(os.path.join(work, "ca.conf"), "w", encoding="ascii") as handle:
        handle.write(
            f"[ca]\ndefault_ca=d\n[d]\ndir={work}\ndatabase={work}/index\nserial={work}/serial\n"
            f"new_certs_dir={work}\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n"
            "[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:right\n")
    for name, text in (("index", ""), ("serial", "77\n")):
        with open(os.path.join(work, name), "w", encoding="ascii") as handle:
            handle.write(text)
    run("openssl", "req", "-new", "-key", f"{keydir}/right.key", "-subj", "/CN=right", "-out",
        f"{work}/right.csr")
    run("openssl", "ca", "-batch", "-notext", "-config", f"{work}/ca.conf", "-in",
        f"{work}/right.csr", "-cert", f"{keydir}/ca.pem", "-keyfile", f"{keydir}/ca.key",
        "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-out", f"{work}/right.pem")
    change(pair.right, "srp.certificate-file", f'"{work}/right.pem"')
    no_pair(pair, "has expired", "our certificate has expired")


def test_plain_peer(lab):
    """one plain, one secret: no join whichever listens, both say what to do, nothing of the plain
    one is taken"""
    # Frames that are heard and not understood: who is alone waits ten dead-intervals.
    sooner = {"srp.hello-interval": "200", "srp.dead-interval": "600"}
    for plain in ("left", "right"):
        pair = Pair(lab, edits=sooner)
        for chassis in pair.both:
            if chassis.side == plain:
                with open(chassis.file, encoding="utf-8") as handle:
                    text = edit(without_certificate(handle.read()), "srp.insecure", "true")
                with open(chassis.file, "w", encoding="utf-8") as handle:
                    handle.write(text)
        secret = pair.right if plain == "left" else pair.left
        said = {secret.side: "does not speak TLS",
                plain: "the peer speaks TLS" if plain == "left" else "if it wants TLS, insecure = "
                                                                     "true must go"}
        no_pair(pair, said["left"], said["right"])
        count = keys(secret)
        assert count["rx_opened"] == 0 and count["rx_plaintext"] > 0, count
        for chassis in pair.both:
            chassis.may_end()
            chassis.process.end()


def test_secret_files(lab):
    """a key that others can read, one that is none, one of another certificate, a device that is
    not there: refused at start"""
    pair = Pair(lab)
    keydir = os.path.join(lab.directory, "keys")
    left = pair.left
    shutil.copy(f"{keydir}/left.key", f"{lab.directory}/open.key")
    os.chmod(f"{lab.directory}/open.key", 0o640)
    with open(os.open(f"{lab.directory}/short", os.O_CREAT | os.O_WRONLY, 0o600),
              "w",
              encoding="ascii") as handle:
        handle.write("0123\n")
    cases = (
        ({"srp.key-file": f'"{lab.directory}/open.key"'}, "others can reach it: chmod 600"),
        ({"srp.key-file": f'"{keydir}/right.key"'}, "is not the key of"),
        ({"srp.ca-file": f'"{lab.directory}/absent.pem"'}, "absent.pem: No such file"),
        ({"srp.psk-file": f'"{lab.directory}/short"'}, "64 to 128 hexadecimal digits"),
        ({"srp.crypto-device": '"0000:99:00.0"'}, "0000:99:00.0 is not there"),
        ({"srp.crypto-device": '"crypto_nonsense"'}, "cannot be made here"),
    )
    for edits, text in cases:
        left = Chassis(lab, "left", edits=edits)
        left.start()
        code = left.process.wait(30)
        assert code != 0 and text in left.process.output(), (
            f"{edits}: {code}: {left.process.output()[-600:]}")


def test_devices(lab):
    """one side by aesni_mb, the other by openssl: they understand each other"""
    pair = Pair(lab)
    change(pair.left, "srp.crypto-device", '"crypto_aesni_mb"')
    change(pair.right, "srp.crypto-device", '"crypto_openssl"')
    pair.start()
    _, stream = attached(lab)
    pair.switchover()
    pair.settle()
    wait_heard([stream], 50)
    no_loss(pair, stream.stop())
    assert [c.info()["crypto_device"] for c in pair.both] == ["crypto_aesni_mb", "crypto_openssl"]


def hostile(wire, count):
    """Kinds of frames to the left chassis that must not be believed: (counter, frames)."""
    theirs = wire.wait("right", count + 50)[:count]
    ours = wire.wait("left", count)

    def with_bytes(frame, at, new):
        p = packet(frame)
        return reframe(frame, p[:at] + new + p[at + len(new):])

    def flipped(frame, at):
        return with_bytes(frame, at, bytes([packet(frame)[at] ^ 0x20]))

    return (
        ("rx_duplicates", theirs),
        ("rx_reflected", [reflected(f) for f in ours]),
        ("rx_bad_tag", [with_bytes(reflected(f), 12, packet(theirs[0])[12:16]) for f in ours]),
        ("rx_length", [reframe(f, packet(f)[:45]) for f in theirs]),
        ("rx_bad_tag", [reframe(f, packet(f)[:-3]) for f in theirs]),
        ("rx_bad_tag", [flipped(f, -1) for f in theirs]),
        ("rx_bad_tag", [flipped(f, 45) for f in theirs]),
        ("rx_bad_tag", [flipped(f, 7) for f in theirs]),
        ("rx_unknown_key", [flipped(f, 2) for f in theirs]),
        ("rx_plaintext", [reframe(f, b"\x01\x00\x00\x00" + packet(f)[4:-16]) for f in theirs]),
        ("rx_version", [with_bytes(f, 0, b"\x09") for f in theirs]),
    )


def test_hostile_link(lab, pair):
    """replayed, reflected, cut, flipped, plain packets on the replication link: counted by reason,
    believed by nobody, alarm"""
    _, stream = attached(lab)
    pair.settle()
    before = pair.left.ctl("show srp info")
    sessions = pair.identities(pair.left)
    wire = Wire(lab)
    told = []
    try:
        for counter, frames in hostile(wire, 60):
            def read(name=counter):
                count = pair.left.ctl("show srp checkpoint statistics")
                return count["keys"][name] if name in count["keys"] else count[name]
            was = read()
            for frame in frames:
                wire.send(frame)
            wait_until(lambda w=was, r=read: r() >= w + len(frames), 10,
                       lambda r=read, w=was, n=counter: f"{n} to count {len(frames)} from {w}, at "
                                                        f"{r()}")
            told.append(f"{counter} {read() - was}")
        # Persistent: an alarm; when it ends, the alarm does.
        bad = [f for c, fs in hostile(wire, 60) if c == "rx_bad_tag" for f in fs]
        deadline = time.monotonic() + 60
        while "replication-packets-refused" not in alarms(pair.left):
            if time.monotonic() > deadline:
                raise LabError(f"no alarm: {keys(pair.left)}")
            for frame in bad[:20]:
                wire.send(frame)
        wait_until(lambda: "replication-packets-refused" not in alarms(pair.left), 60,
                   "the alarm to clear")
    finally:
        wire.stop()
    pair.settle()
    after = pair.left.ctl("show srp info")
    assert (after["chassis_state"], after["term"]) == (before["chassis_state"], before["term"]), (
        after)
    assert pair.identities(pair.left) == sessions == pair.identities(pair.right)
    wait_heard([stream], 50)
    no_loss(pair, stream.stop())
    return ", ".join(told)


def from_peer(lab, address="10.6.0.12"):
    """A connection to the left chassis' SRP port from the right one's address."""
    def make():
        sock = socket.socket()
        sock.bind((address, 0))
        sock.settimeout(5)
        sock.connect(("10.6.0.11", SRP_PORT))
        return sock
    return in_namespace(lab.namespace("right"), make)


def cut_srp(lab):
    """Ends the chassis' SRP connection from outside, at both ends."""
    for side in ("left", "right"):
        run("ip", "netns", "exec", lab.namespace(side), "ss", "-K", "state", "established",
            "( sport = :8484 or dport = :8484 )")


def losses(chassis):
    """SRP connections lost so far."""
    return chassis.ctl("show srp statistics")["connection_losses"]


def test_stranger_on_srp_port(lab, pair):
    """garbage, silence and plain hellos on the SRP port, even from the peer's address: the
    connection stays, and comes back"""
    lost = [losses(c) for c in pair.both]
    failed = pair.left.ctl("show srp statistics")["handshakes_failed"]
    open_ones = []
    for number in range(24):
        sock = from_peer(lab)
        open_ones.append(sock)
        with contextlib.suppress(OSError):  # it may have been shown the door by then
            if number % 3 == 0:
                sock.sendall(os.urandom(3000))
            elif number % 3 == 1:
                sock.sendall(b"\x00\x40" + os.urandom(64))
    wait_until(lambda: pair.left.ctl("show srp statistics")["handshakes_failed"] >= failed + 16, 30,
               "garbage to be counted")
    # Nobody that says nothing stays for ever.
    silent, still = from_peer(lab), Standstill(pair.left)
    silent.settimeout(30)
    began = time.monotonic()
    # It has two seconds.
    assert silent.recv(1) == b"", "a silent connection is kept"
    spent = time.monotonic() - began
    assert spent < 6 + still.look() / 1000, f"it was kept for {spent:.1f} s"
    assert [losses(c) for c in pair.both] == lost, "strangers cost the pair its connection"
    # While some hold their places the pair's own connection is made anew.
    more = [from_peer(lab) for _ in range(8)]
    cut_srp(lab)
    wait_until(lambda: losses(pair.left) > lost[0], 30, "the connection to be cut")
    pair.settle()
    for sock in open_ones + more + [silent]:
        sock.close()


def test_key_change_under_traffic(lab, pair):
    """the SRP connection is cut again and again under traffic: a new key each time, nothing lost,
    no resync"""
    _, stream = attached(lab)
    pair.settle()
    active, standby = pair.active, pair.other(pair.active)
    first, before = active.ctl("show srp checkpoint statistics"), keys(standby)
    used = set()
    for _ in range(5):
        key = active.info()["key_id"]
        used.add(key)
        cut_srp(lab)
        for chassis in pair.both:
            chassis.wait(lambda i, k=key: i["key_id"] not in
                         (None, k) and i["connection_state"] == "Connected",
                         30,
                         f"another key than {key}")
    pair.settle()
    wait_heard([stream], 50)
    last = active.ctl("show srp checkpoint statistics")
    other = standby.ctl("show srp checkpoint statistics")
    for name in ("streams", "lost_packets", "discarded", "tx_unsealed"):
        assert last[name] == first[name], f"{name}: {first[name]} before, {last[name]} after"
    for count, was in ((last["keys"], first["keys"]), (other["keys"], before)):
        for name in ("rx_bad_tag", "rx_unknown_key", "rx_expired_key"):
            assert count[name] == was[name], f"{name}: {was[name]} before, {count[name]} after"
    assert len(used) == 5, used
    # An old key ends a second after the new one was seen.
    for chassis in pair.both:
        chassis.wait(lambda i: i["keys_open"] == 1, 10, "one key that opens")
    no_loss(pair, stream.stop())
    return f"{len(used) + 1} keys"
