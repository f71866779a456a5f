#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""corpus_test.py ECHO TARGET...: what corpus.py packs, corpus.py and replay.c read back; a damaged
line is refused by both, with file and line; every target's corpus is as corpus.py writes it."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import corpus
import fuzz

HERE = os.path.dirname(os.path.abspath(__file__))
ECHO, *TARGETS = sys.argv[1:]

DAMAGED = [
    ("", "an empty line"), ("0", "half a byte"), ("00f", "one digit lost"), ("00 0", "half a word"),
    ("0g", "no hex"), ("0A", "an upper-case digit"),
    ("00  00", "two spaces"), ("00 ", "a space at the end"), (" 00", "a space first"),
    ("\t00", "a tab"), ("00\r", "a line end of another system"),
    ('"ab', "a text without an end"), ('"a"b"', "a quotation mark in a text"),
    ('"a"00', "no space behind a text"), ('"\x01"', "a text that is not printable"),
    ('"\xe4"', "a text that is not ASCII"), ("00\x0000", "a zero byte"),
    ("00*", "no number"), ("00*0", "no times"), ("00*-1", "a negative number"),
    ("00*x", "no digits"), ("00*3x", "more behind the number"), ("*3", "no byte"),
    ("0000*3", "two bytes to repeat"), ("00*1048577", "too long a run"),
    ("00*1048576 00", "too long by one byte"), ("00*18446744073709551617", "past 64 bits"),
    ("name:", "a name alone"), ("name: ", "a name and nothing"),
    ("name:00", "no space behind a name"), (": 00", "no name"),
    ("..: 00", "a name that is a folder"), ("na/me: 00", "a folder in a name"),
    ("two names: 00", "a space in a name"),
    ("<<<<<<< ours", "a merge that was not ended"),
]


def echo(path):
    """What replay.c gives to the target: (inputs, or None if it refused; what it said)."""
    done = subprocess.run([ECHO, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    inputs = [bytes.fromhex(line[6:].decode()) for line in done.stdout.splitlines()
              if line.startswith(b"input ")]
    return inputs if done.returncode == 0 else None, done.stderr.decode("latin-1")


class Corpus(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.path = os.path.join(folder, "some.txt")

    def round_trip(self, inputs):
        corpus.write(self.path, inputs)
        kept = corpus.read(self.path)
        self.assertEqual(sorted(inputs, key=str), sorted(kept, key=str))
        read, said = echo(self.path)
        self.assertEqual(read, [data for _, data in kept], said)
        with open(self.path, encoding="ascii") as f:
            self.assertEqual(f.read(), corpus.text_of("some", kept))

    def write_raw(self, line):
        with open(self.path, "w", encoding="latin-1", newline="\n") as f:
            f.write(f"# a comment\nfine: 00ff\n{line}\n01\n")

    def test_every_byte(self):
        self.round_trip([(None, bytes([b])) for b in range(256)])
        self.round_trip([(None, bytes(range(256)))])
        self.round_trip([(None, bytes([b]) * 40) for b in range(256)])

    def test_empty(self):
        self.round_trip([(None, b"")])
        self.round_trip([("nothing", b""), (None, b"\0")])

    def test_longest(self):
        noise = random.Random(1).randbytes(corpus.LONGEST // 8)
        self.round_trip([("noise", noise), ("zeros", bytes(corpus.LONGEST))])
        with self.assertRaises(ValueError):
            corpus.write(self.path, [(None, bytes(corpus.LONGEST + 1))])

    def test_runs_and_texts(self):
        for n in (1, corpus.TEXT_LEAST, corpus.RUN_LEAST - 1, corpus.RUN_LEAST, 4096):
            self.round_trip([(None, b"a" * n + b"\n" * n + b'"' * n),
                             ("z", b"name: " + bytes(n) + b"*9")])
        self.assertEqual(corpus.encode(bytes(4096) + b"end"), "00*4096 656e64")
        self.assertEqual(corpus.encode(b'text\n"q"'), '"text" 0a227122')

    def test_random(self):
        dice = random.Random(2)
        inputs = set()
        for _ in range(300):
            few = [dice.randrange(256) for _ in range(dice.choice([1, 2, 256]))]
            inputs.add(b"".join(bytes([dice.choice(few)]) * dice.choice([1, 1, 1, 5, 30])
                                for _ in range(dice.randrange(60))))
        self.round_trip([(None, data) for data in inputs])

    def test_duplicates(self):
        text = corpus.text_of("some", [(None, b"x"), ("b", b"x"), (None, b"x"), ("a", b"y")])
        self.assertEqual(text, corpus.text_of("some", [("b", b"x"), ("a", b"y")]))
        for twice in ("00ff", "fine: 02"):
            self.write_raw(twice)
            with self.assertRaisesRegex(corpus.Damaged, r"some\.txt:3: .*twice"):
                corpus.read(self.path)

    def test_folders(self):
        inputs = [("named", b"\0"), (None, b"other")]
        corpus.write(self.path, inputs)
        with tempfile.TemporaryDirectory() as raw:
            corpus.unpack(self.path, raw)
            self.assertEqual(sorted(os.listdir(raw)), sorted(["named", corpus.sha1(b"other")]))
            self.assertEqual(sorted(corpus.pack(raw), key=str), sorted(inputs, key=str))
            self.assertEqual(sorted(echo(raw)[0]), [b"\0", b"other"])
            self.assertEqual(echo(os.path.join(raw, "named"))[0], [b"\0"])

    def test_damaged(self):
        self.write_raw("02")
        self.assertEqual(echo(self.path)[0], [b"\0\xff", b"\2", b"\1"])
        for line, why in DAMAGED:
            with self.subTest(why):
                self.write_raw(line)
                with self.assertRaisesRegex(corpus.Damaged, r"some\.txt:3: "):
                    corpus.read(self.path)
                read, said = echo(self.path)
                self.assertIsNone(read)
                self.assertRegex(said, r"some\.txt:3:\d+: [A-Z]")

    def test_cut_off(self):
        with open(self.path, "w", encoding="ascii") as f:
            f.write("00\n01")
        with self.assertRaisesRegex(corpus.Damaged, r"some\.txt:2: "):
            corpus.read(self.path)
        self.assertRegex(echo(self.path)[1], r"some\.txt:2:\d+: The last line")

    def test_nothing_to_run(self):
        with open(self.path, "w", encoding="ascii") as f:
            f.write("# nothing\n")
        self.assertIsNone(echo(self.path)[0])
        self.assertIsNone(echo(self.path + ".missing")[0])

    def test_keep(self):
        folder = os.path.dirname(self.path)
        crash, other = os.path.join(folder, "gtpc-crash-01ab"), os.path.join(folder, "other")
        for path, data in ((crash, b"\0crash"), (other, b"\1")):
            with open(path, "wb") as f:
                f.write(data)
        with mock.patch.object(fuzz, "CORPUS", folder), mock.patch("builtins.print"):
            fuzz.keep("gtpc", crash, None)
            corpus.write(fuzz.kept_in("gtpc"), [*corpus.read(fuzz.kept_in("gtpc")), (None, b"\1")])
            self.assertRaises(SystemExit, fuzz.keep, "gtpc", crash, "again")
            self.assertRaises(SystemExit, fuzz.keep, "gtpc", other, "crash-01ab")
            self.assertRaises(SystemExit, fuzz.keep, "gtpc", other, "no/name")
            fuzz.keep("gtpc", other, "other.one")
            kept = corpus.read(fuzz.kept_in("gtpc"))
        self.assertEqual(kept, [("crash-01ab", b"\0crash"), ("other.one", b"\1")])

    def test_tracked(self):
        self.assertGreater(len(TARGETS), 10)
        for target in TARGETS:
            with self.subTest(target):
                path = os.path.join(HERE, "corpus", target + ".txt")
                with open(path, encoding="ascii") as f:
                    self.assertEqual(f.read(), corpus.text_of(target, corpus.read(path)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
