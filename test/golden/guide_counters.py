#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""guide_counters.py TANDEM PAGE: the tables of figures in the operator's guide are what `tandem
--counters` prints. UPDATE=1 writes them."""

import os
import re
import subprocess
import sys

tandem, guide = sys.argv[1:]
tables = subprocess.run([tandem, "--counters"], stdout=subprocess.PIPE, text=True,
                        check=True).stdout.strip()
with open(guide, encoding="utf-8") as handle:
    text = handle.read()
new, count = re.subn(r"(?s)(<!-- counters:[^\n]*-->\n).*?(<!-- /counters -->)",
                     lambda m: m[1] + "\n" + tables + "\n\n" + m[2], text)
if count != 1 or "| `drop_no_session_up` | counter | packets |" not in tables:
    sys.exit(f"{guide} has no place for the tables of figures, or the daemon printed none")
if os.environ.get("UPDATE") == "1":
    with open(guide, "w", encoding="utf-8") as handle:
        handle.write(new)
elif new != text:
    sys.exit(f"the tables of figures in {guide} are not what `tandem --counters` prints: "
             "UPDATE=1 meson test -C build golden_counters")
