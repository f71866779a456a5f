#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The planted mistakes. Each is a file NAME.patch: a line that says what the mistake is, and a
unified diff of files of app/ and lib/, in which every change asks the switch `MUTANT(NAME)`.

    patches.py FOLDER DEPFILE SOURCE...  writes each source into FOLDER, with all patches applied
    patches.py --names HEADER DEPFILE SOURCE...  writes the list of the switches; refuses patches
                                         of other files than these

A hunk belongs where its old lines stand, which is at exactly one place of the file: there is no
fuzz, and the line numbers in its head only help the reader. Every hunk is looked for in the file as
it is in the tree, so the order of the patches has no meaning; two that change the same lines are
refused. test/sim/mutants.py runs the simulators that are built from the copies."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


class Refused(Exception):
    """A patch that does not apply, and why."""


class Hunk:
    """Some lines of one file, old and new: [(" ", "-" or "+", line without its end)]"""

    def __init__(self, patch, file):
        self.patch, self.file, self.lines = patch, file, []

    def edits(self, text):
        """[(first line, line behind the last, new lines, patch)], where it stands in the file"""
        old = [line for mark, line in self.lines if mark != "+"]
        at = [i for i in range(len(text) - len(old) + 1) if text[i:i + len(old)] == old]
        if len(at) != 1:
            raise Refused(f"{self.patch}.patch: {len(at)} places of {self.file} look like this, "
                          "must be one:\n" + "\n".join("        " + line for line in old))
        found, here, i = [], at[0], 0
        while i < len(self.lines):
            if self.lines[i][0] == " ":
                here, i = here + 1, i + 1
                continue
            first, new = here, []
            while i < len(self.lines) and self.lines[i][0] != " ":
                if self.lines[i][0] == "+":
                    new.append(self.lines[i][1])
                else:
                    here += 1
                i += 1
            found.append((first, here, new, self.patch))
        return found


def names():
    """Of all mutants, in order."""
    return sorted(f[:-len(".patch")] for f in os.listdir(HERE) if f.endswith(".patch"))


def read(name):
    """Its hunks."""
    with open(os.path.join(HERE, name + ".patch"), encoding="utf-8") as f:
        head, *lines = f.read().splitlines()
    if not re.match(r"\w.*\w$", head) or lines[:1] != [""]:
        raise Refused(f"{name}.patch: the first line does not say what the mistake is, "
                      "or no empty line follows")
    hunks, file = [], None
    for line in lines[1:]:
        if line.startswith("+++ b/"):
            file = line[len("+++ b/"):]
        elif line.startswith("@@ ") and file is not None:
            hunks.append(Hunk(name, file))
        elif line.startswith(("--- ", "diff ", "index ")):
            pass
        elif hunks and line[:1] in ("", " ", "-", "+"):
            hunks[-1].lines.append((line[:1] or " ", line[1:]))
        else:
            raise Refused(f"{name}.patch: not a line of a unified diff: {line}")
    for hunk in hunks:
        asked = set(re.findall(r"MUTANT\((\w+)\)", "\n".join(
            line for mark, line in hunk.lines if mark == "+")))
        if asked != {name}:
            raise Refused(f"{name}.patch: a change that does not ask MUTANT({name}), or another")
    if not hunks:
        raise Refused(f"{name}.patch: it changes nothing")
    return hunks


def patched(file, hunks):
    """The text of a source of the tree with these hunks in it."""
    with open(os.path.join(TOP, file), encoding="utf-8") as f:
        text = f.read().splitlines()
    edits = sorted((edit for hunk in hunks for edit in hunk.edits(text)), key=lambda e: e[:2])
    out, here = [], 0
    for number, (first, behind, new, patch) in enumerate(edits):
        if number > 0:
            before = edits[number - 1]
            if first < before[1] or (first, behind) == before[:2]:
                raise Refused(f"{patch}.patch and {before[3]}.patch change the same lines "
                              f"of {file}")
        out += text[here:first] + new
        here = behind
    return "\n".join(out + text[here:]) + "\n"


def hunks_by_file():
    """{file: its hunks of all patches}"""
    found = {}
    for name in names():
        for hunk in read(name):
            found.setdefault(hunk.file, []).append(hunk)
    return found


def check():
    """What is wrong with the patches: [sentence]"""
    wrong, found = [], {}
    for name in names():
        try:
            for hunk in read(name):
                found.setdefault(hunk.file, []).append(hunk)
        except Refused as why:
            wrong.append(str(why))
    for file, hunks in found.items():
        try:
            patched(file, hunks)
        except (OSError, Refused) as why:
            wrong.append(str(why))
    return wrong


def write(path, text):
    """Leaves a file alone that is so already: what was built from it stays."""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    is_list = sys.argv[1] == "--names"
    out, depfile, *sources = sys.argv[2:] if is_list else sys.argv[1:]
    files = [os.path.relpath(os.path.abspath(s), TOP) for s in sources]
    found = hunks_by_file()
    if is_list:
        other = [f"{h.patch}.patch: {f}" for f, hunks in found.items() if f not in files
                 for h in hunks]
        if other:
            raise Refused("a file that test/mutants/meson.build does not list:\n" +
                          "\n".join(other))
        write(out, "#define MUTANTS(X) " + " ".join(f"X({name})" for name in names()) + "\n")
        first = out
    else:
        for file in files:
            write(os.path.join(out, os.path.basename(file)), patched(file, found.get(file, [])))
        first = os.path.join(out, os.path.basename(files[0]))
    # The folder too: a patch that is new or gone changes what is built.
    with open(depfile, "w", encoding="utf-8") as f:
        f.write(f"{first}: {HERE} " + " ".join(
            os.path.join(HERE, name + ".patch") for name in names()) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (OSError, Refused) as error:
        sys.exit(f"patches.py: {error}")
