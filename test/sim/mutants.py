#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plants each mistake of lib/common/mutant.h in turn and lets a simulator find it: it must, within the seeds given,
and by an invariant that is stated here. `mutants.py BUILD-FOLDER [NAME...]`; prints the table."""
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib", "common", "mutant.h")

# What a failed invariant says.
ACKED = r"acknowledged, peer has|is acknowledged and not at the standby"

# mutant: simulator, seeds at most, the invariants that may see it
TABLE = {
    "ack_on_receive": ("sim_repl", 20, [ACKED]),
}


def names():
    with open(HEADER, encoding="utf-8") as f:
        return re.findall(r"^\tX\((\w+)\)", f.read(), re.M)


def hunt(folder, name):
    """(caught?, line of the table)"""
    simulator, seeds, invariants = TABLE[name]
    command = [os.path.join(folder, simulator + "_mutants"), "--mutant", name, "--seeds", f"1..{seeds}"]
    begin = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                         timeout=120, check=False)
    seen = re.search(r"^seed (\d+) at [^:]*: (.*)$", run.stdout, re.M)
    took = time.monotonic() - begin
    if run.returncode == 0 or seen is None:
        return False, f"{name}: not seen by {simulator} in {seeds} seeds (status {run.returncode})\n{run.stdout[-400:]}"
    seed, said = seen.groups()
    stated = any(re.search(i, said) for i in invariants)
    return stated, f"{name:24} {simulator:8} seed {seed:>4} {took:5.1f} s  {said}" + (
        "" if stated else f"\n    seen by an invariant that is not stated: {invariants}")


def main():
    folder, wanted = sys.argv[1], sys.argv[2:] or names()
    failed = [f"{n}: in the list of mutant.h, not in the table of mutants.py" for n in wanted if n not in TABLE]
    failed += [f"{n}: in the table, not in mutant.h" for n in TABLE if n not in names()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for caught, line in pool.map(lambda n: hunt(folder, n), [n for n in wanted if n in TABLE]):
            print(("" if caught else "FAILED ") + line, flush=True)
            if not caught:
                failed.append(line)
    print(f"{len(wanted)} mutants, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
