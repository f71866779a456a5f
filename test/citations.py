#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""citations.py FILE...: each document that a file cites exists, and so does the section it names.

A citation is a name that ends in .md, and perhaps a section behind it: the document is looked for
beside the citing file, then from the top, then by a name that only one document of the tree has. A
section number is the number of a heading; a name in quotation marks is the text of one, or how a
paragraph of it begins in bold. In Markdown every relative link is followed, too. Run from the top;
prints each finding as FILE:LINE, and exits with 1 when there is one."""

import os
import re
import sys

BREAK = r"(?:\s|\n\s*(?:\*|#|//|--|!)?)+"  # a space, or the end of a line of a comment
NUMBER = r"\d+(?:\.\d+)*"
AND = rf"(?:,|-|{BREAK}(?:and|to|or))"
NUMBERS = rf"{NUMBER}(?:{AND}(?:{BREAK})?{NUMBER}(?!\w))*"
CITATION = re.compile(
    r"(?<![\w./\\*-])(?P<file>[\w./-]*\w\.md)\b(?:\]\([^)\s]*\))?"
    rf"(?:,?{BREAK}sections?{BREAK}(?P<sections>{NUMBERS})|,{BREAK}\"(?P<heading>[^\"\n]+)\")?")
LINK = re.compile(r"\]\((?P<to>[^)\s]+)\)")
HEADING = re.compile(rf"^#{{1,6}}\s+(?P<text>(?:(?P<number>{NUMBER})\.?\s+)?.*?)\s*$", re.MULTILINE)
LEAD = re.compile(r"^(?:[-*]\s+)?\*\*(.+?)\.?\*\*", re.MULTILINE)


class Documents:
    """The Markdown files of the tree, and their headings."""

    def __init__(self, files):
        self.files = {os.path.normpath(f) for f in files if f.endswith(".md")}
        self.read = {}

    def find(self, name, citing):
        """The document that is meant, or None."""
        for path in (os.path.join(os.path.dirname(citing), name), name):
            if os.path.normpath(path) in self.files:
                return os.path.normpath(path)
        same = [f for f in self.files if f == name or f.endswith("/" + name)]
        return same[0] if len(same) == 1 else None

    def headings(self, path):
        """Numbers of its sections, and texts that can be cited by name."""
        if path not in self.read:
            with open(path, encoding="utf-8") as handle:
                text = handle.read()
            found = list(HEADING.finditer(text))
            names = {m["text"] for m in found} | set(LEAD.findall(text))
            names |= {re.sub(rf"^{NUMBER}\.?\s+", "", name) for name in names}
            self.read[path] = {m["number"] for m in found if m["number"]}, names
        return self.read[path]


def numbers(text):
    """"1 and 2" and "1-3" as lists of numbers."""
    for part in re.split(r",|\band\b|\bor\b", re.sub(r"[\s*#/!]+", " ", text)):
        ends = re.split(r"-|\bto\b", part.strip())
        if len(ends) == 2 and all(e.strip().isdigit() for e in ends):
            yield from (str(n) for n in range(int(ends[0]), int(ends[1]) + 1))
        else:
            yield from (e.strip() for e in ends)


def citations(documents, citing, text):
    """What is wrong with those of one file: (offset, what)."""
    for m in CITATION.finditer(text):
        if m["file"].startswith("/"):
            continue
        path = documents.find(m["file"], citing)
        if path is None:
            yield m.start(), f"{m['file']} is no document of the tree, or several: write its path"
            continue
        sections, names = documents.headings(path)
        for number in numbers(m["sections"] or ""):
            if number and number not in sections:
                yield m.start(), f"{path} has no section {number}"
        if m["heading"] and m["heading"].rstrip(".,") not in names:
            yield m.start(), f"{path} has no heading \"{m['heading']}\""


def links(citing, text):
    """The same for the links of a Markdown file."""
    for m in LINK.finditer(text):
        to = m["to"].split("#")[0]
        path = os.path.join(os.path.dirname(citing), to)
        if to and not re.match(r"\w+:", to) and not os.path.exists(path):
            yield m.start(), f"the link to {to} leads nowhere"


def main():
    """All files; the exit code."""
    files = sys.argv[1:]
    documents = Documents(files)
    bad = 0
    for citing in files:
        with open(citing, encoding="utf-8", errors="replace") as handle:
            text = handle.read()
        found = list(citations(documents, citing, text))
        if citing.endswith(".md"):
            found += links(citing, text)
        for offset, what in sorted(found):
            print(f"{citing}:{text.count(chr(10), 0, offset) + 1}: {what}")
            bad += 1
    if not documents.files:
        print("no document was given: a check of nothing is none")
    return 1 if bad or not documents.files else 0


if __name__ == "__main__":
    sys.exit(main())
