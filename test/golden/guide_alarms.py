#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""guide_alarms.py TANDEM PAGE: the operator's guide has a row for each alarm, with the meaning and
the action that `show alarms` gives, and no other rows. UPDATE=1 writes the rows that are there."""

import os
import re
import subprocess
import sys

ROW = re.compile(r"^\| `([a-z-]+)` \|.*$", re.MULTILINE)
tandem, guide = sys.argv[1:]
printed = subprocess.run([tandem, "--alarms"], stdout=subprocess.PIPE, text=True, check=True).stdout
rows = {m[1]: m[0] for m in ROW.finditer(printed)}
with open(guide, encoding="utf-8") as handle:
    page = handle.read()
if os.environ.get("UPDATE") == "1":
    page = ROW.sub(lambda m: rows.get(m[1], m[0]), page)
    with open(guide, "w", encoding="utf-8") as handle:
        handle.write(page)
found = ROW.findall(page)
problems = [f"{guide} has no row for the alarm {name}" for name in sorted(set(rows) - set(found))]
problems += [f"{guide} has a row, but there is no alarm: {n}"
             for n in sorted(set(found) - set(rows))]
problems += [f"{guide} has two rows for {n}" for n in sorted(set(found)) if found.count(n) > 1]
problems += [f"the daemon says something else of {m[1]}: UPDATE=1 meson test -C build golden_alarms"
             for m in ROW.finditer(page) if rows.get(m[1], m[0]) != m[0]]
# Of base/alarms.h; and a name that lib/srp or lib/monitor does not have.
problems += [f"the room of the alarm {name} does not explain it, or its library does not name it"
             for name, row in rows.items() if "does not explain" in row or "not explained" in row
             or name == "unknown" or "(null)" in row]
if len(rows) != printed.count("\n") or not rows:
    problems.append("a row that the daemon printed was not understood, or it printed none")
sys.exit("\n".join(problems) or None)
