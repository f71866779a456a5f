#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""guide_commands.py TANDEMCTL PAGE: the operator's guide lists the commands that tandemctl has,
with their arguments, and no other ones."""

import re
import subprocess
import sys

tandemctl, guide = sys.argv[1:]
text = subprocess.run([tandemctl, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
# The list ends with an empty line. Its help texts begin in one column, and behind two spaces at
# least, but for the longest command.
listed = text.split("\n\n")[1].splitlines()
column = min(m.end() for m in (re.search(r"\S {2,}", line) for line in listed) if m)
commands = {line[:column].strip() for line in listed}
with open(guide, encoding="utf-8") as handle:
    page = handle.read().replace("\\|", "|")
rows = set(re.findall(r"^\| `((?:show|srp|save|reload) [^`]*)` \|", page, re.MULTILINE))
named = set(re.findall(r"`([^`\n]+)`", page))
problems = [f"{guide} does not name the command: {c}" for c in sorted(commands - named)]
problems += [f"{guide} has a row, but there is no command: {c}" for c in sorted(rows - commands)]
if not commands or not rows:
    problems.append("no commands were found")
sys.exit("\n".join(problems) or None)
