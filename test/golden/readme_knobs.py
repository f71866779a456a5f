#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The table of keys in config/README.md is what `tandem --knobs` prints. UPDATE=1 writes it."""

import os
import re
import subprocess
import sys

tandem, readme = sys.argv[1:]
table = subprocess.run([tandem, "--knobs"], stdout=subprocess.PIPE, text=True,
                       check=True).stdout.strip()
with open(readme, encoding="utf-8") as handle:
    text = handle.read()
new, count = re.subn(r"(?s)(<!-- knobs:[^\n]*-->\n).*?(<!-- /knobs -->)",
                     lambda m: m[1] + "\n" + table + "\n\n" + m[2], text)
if count != 1 or "chassis.mode" not in table:
    sys.exit("config/README.md has no place for the table of keys, or the daemon printed none")
if os.environ.get("UPDATE") == "1":
    with open(readme, "w", encoding="utf-8") as handle:
        handle.write(new)
elif new != text:
    sys.exit("the table of keys in config/README.md is not what `tandem --knobs` prints: "
             "UPDATE=1 meson test -C build golden_readme")
