# SPDX-License-Identifier: BSD-3-Clause
"""Reads and writes test/fuzz/corpus/NAME.txt: all kept inputs of one fuzz target, one a line.
HEADER below explains the format; test/fuzz/replay.c reads it too."""
import hashlib
import os
import re

LONGEST = 1 << 20  # Bytes of one input; replay.c has the same limit.
RUN_LEAST = 12  # A byte that is repeated so often is written as a run.
TEXT_LEAST = 4  # So many printable characters in a row are written as text.

HEADER = """\
# SPDX-License-Identifier: BSD-3-Clause
# The inputs that fuzz target "{}" keeps: one a line, replayed by the test suite "fuzz".
# A line is [NAME: ]WORD[ WORD...], and its input is the bytes of all words in a row. A word is
#   00ff1a   bytes in hex, two lower-case digits each,
#   00*64    one byte, repeated so often,
#   "text"   printable ASCII without quotation marks; "" alone is the empty input.
# An input with a name was written by hand or has crashed the target once: it stays for ever.
# The others were found by the fuzzer. To add one: test/fuzz/README.md.
"""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
LINE = re.compile(rf"(?:({NAME.pattern}): )?([^:].*)", re.S)
WORD = re.compile(r'"(?P<text>[ !#-~]*)"|(?P<one>[0-9a-f]{2})\*(?P<times>[1-9][0-9]{0,6})|'
                  r"(?P<hex>(?:[0-9a-f]{2})+)")


class Damaged(Exception):
    """A line that is no input; says file, line and reason."""


def sha1(data):
    """What libFuzzer names the file of an input that has no name."""
    return hashlib.sha1(data).hexdigest()


def encode(data):
    """The words for the bytes of one input."""
    words = []

    def plain(piece):
        for part in re.split(rb"([ !#-~]{%d,})" % TEXT_LEAST, piece):
            if len(part) >= TEXT_LEAST and re.fullmatch(rb"[ !#-~]+", part):
                words.append(f'"{part.decode("ascii")}"')
            elif part:
                words.append(part.hex())

    end = 0
    for run in re.finditer(rb"(.)\1{%d,}" % (RUN_LEAST - 1), data, re.S):
        plain(data[end:run.start()])
        words.append(f"{run[1].hex()}*{len(run[0])}")
        end = run.end()
    plain(data[end:])
    return " ".join(words) or '""'


def decode(words):
    """The bytes that the words stand for; ValueError says what is wrong."""
    data = bytearray()
    at = 0
    while True:
        word = WORD.match(words, at)
        if not word:
            raise ValueError(f"column {at + 1} of the words: no hex, run or text")
        if word["times"]:
            data += bytes.fromhex(word["one"]) * min(int(word["times"]), LONGEST + 1)
        else:
            data += bytes.fromhex(word["hex"]) if word["hex"] else word["text"].encode("ascii")
        if len(data) > LONGEST:
            raise ValueError(f"the input is longer than {LONGEST} bytes")
        at = word.end()
        if at == len(words):
            return bytes(data)
        if words[at] != " ":
            raise ValueError(f"column {at + 1} of the words: no space behind a word")
        at += 1


def read(path):
    """What the file keeps, as [(name or None, bytes)]; nothing may stand there twice."""
    with open(path, encoding="latin-1", newline="\n") as f:
        text = f.read()
    inputs, names, seen = [], set(), set()

    def refuse(why):
        raise Damaged(f"{path}:{number}: {why}")

    number = text.count("\n") + 1
    if not text.endswith("\n"):
        refuse("the last line has no end")
    for number, line in enumerate(text[:-1].split("\n"), 1):
        if line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        if not found:
            refuse("the line has no input")
        try:
            data = decode(found[2])
        except ValueError as wrong:
            refuse(wrong)
        if data in seen or found[1] in names:
            refuse("this input stands there twice" if data in seen else "this name stands twice")
        seen.add(data)
        if found[1]:
            names.add(found[1])
        inputs.append((found[1], data))
    return inputs


def text_of(target, inputs):
    """The whole file: names first, in their order; then by length, so that little moves when one
    is added. Of equal inputs one is left: one with a name, if there is."""
    lines, seen = [], set()
    for name, data in sorted(inputs, key=lambda i: (i[0] is None, i[0] or "", len(i[1]), i[1])):
        if len(data) > LONGEST:
            raise ValueError(f"{name or sha1(data)} is longer than {LONGEST} bytes")
        if name is not None and not NAME.fullmatch(name):
            raise ValueError(f"a name has letters, digits and, not first, _.+-: {name!r}")
        if data not in seen:
            seen.add(data)
            lines.append((f"{name}: " if name else "") + encode(data) + "\n")
    return HEADER.format(target) + "".join(lines)


def write(path, inputs):
    """Puts the inputs there in one step; an interrupted write leaves the file as it was."""
    target = os.path.splitext(os.path.basename(path))[0]
    text = text_of(target, inputs)
    with open(path + ".new", "w", encoding="ascii", newline="\n") as f:
        f.write(text)
    os.replace(path + ".new", path)


def unpack(path, folder, wanted=lambda name: True):
    """One raw file an input, named by its name or, as libFuzzer does, by its SHA-1."""
    for name, data in read(path):
        if wanted(name):
            with open(os.path.join(folder, name or sha1(data)), "wb") as f:
                f.write(data)


def pack(folder):
    """The raw files of a folder as inputs; a file whose name is its SHA-1 has no name."""
    inputs = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            data = f.read()
        inputs.append((None if name == sha1(data) else name, data))
    return inputs
