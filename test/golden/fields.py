#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""fields.py EXECUTABLE PAGE DISSECTOR: the table of groups in lib/repl/WIRE.md and the dissector's
rows are those of lib/session/include/session/fields.h. UPDATE=1 writes them."""

import os
import re
import subprocess
import sys

golden, page, dissector = sys.argv[1:]


def check(path, form, begin, end):
    """The lines between two marks of a file are what the list says."""
    said = subprocess.run([golden, "fields", form], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    with open(path, encoding="utf-8") as handle:
        text = handle.read()
    new, count = re.subn(f"(?s)({re.escape(begin)}[^\n]*\n).*?({re.escape(end)})",
                         lambda m: m[1] + said + m[2], text)
    if count != 1 or said.count("charging_id") != 1:
        sys.exit(f"{path} has no place for the list of fields, or none was printed")
    if os.environ.get("UPDATE") == "1":
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(new)
    elif new != text:
        sys.exit(f"{path} does not have the fields of fields.h: "
                 "UPDATE=1 meson test -C build golden_fields")


check(page, "markdown", "<!-- fields:", "<!-- /fields -->")
check(dissector, "lua", "-- rows:", "-- /rows")
