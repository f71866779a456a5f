#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""readme_rooms.py README ROOM=ROOM,ROOM,... ...: the README (lib/README.md) has one table of the
rooms of app/tandem: a row for each room of app/tandem/meson.build, in the same order, and in its
last column the rooms that it may use. "all above" is all rooms of the rows before it."""
import re
import sys

HEADING = "| room | is | uses the rooms |"


def rows_of(text):
    """Rooms and what they use, as the table says."""
    lines = text[text.index(HEADING):].split("\n")[2:]
    for line in lines:
        cells = [c.strip() for c in line.split("|")[1:-1]]
        if len(cells) != 3:
            return
        yield cells[0].strip("`"), cells[2]


def main(readme, *rows):
    with open(readme, encoding="utf-8") as f:
        text = f.read()
    bad = []
    if text.count(HEADING) != 1:
        bad.append(f"{text.count(HEADING)} tables begin with {HEADING}, not one")
    want = [(r.split("=")[0], set(filter(None, r.split("=")[1].split(",")))) for r in rows]
    found, above = [], set()
    for name, uses in rows_of(text) if not bad else ():
        named = set(re.findall(r"`(\w+)`", uses))
        found.append((name, set(above) if uses == "all above" else named))
        above.add(name)
    rooms, tabled = [n for n, _ in want], [n for n, _ in found]
    if rooms != tabled:
        bad.append(f"the rooms are {rooms}, and the table has {tabled}")
    for name, uses in found:
        right = dict(want).get(name, uses)
        for other in sorted(uses ^ right):
            where = "its row" if other in right else "the table"
            bad.append(f"{name}: {other} is in {where} alone")
    for b in bad:
        print(f"{readme}: {b}")
    print(f"{len(found)} rooms, {len(bad)} complaints")
    return 1 if bad or not want else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
