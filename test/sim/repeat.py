#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""One seed is one run, byte for byte: repeat.py SIM runs some seeds twice, each time as children of
another process, and compares the digests of all that happened, plain and encrypted. Two seeds that
give the same one would say that the digest sees nothing."""
import subprocess
import sys

SEEDS = range(200, 206)


def runs():
    """A line a seed."""
    told = subprocess.run([sys.argv[1], "--seeds", f"{SEEDS[0]}..{SEEDS[-1]}", "-s"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return [line for line in told if line.startswith("seed ")]


seen = {}
first_time, second_time = runs(), runs()
if len(first_time) != len(SEEDS) or len(second_time) != len(SEEDS):
    sys.exit(f"{len(SEEDS)} seeds were asked for, and {len(first_time)} and {len(second_time)} ran")
for seed, first, second in zip(SEEDS, first_time, second_time):
    if first != second:
        sys.exit(f"seed {seed} is not repeatable:\n{first}\n{second}")
    digest = first.split("digest ")[1].split(",")[0]
    if digest in seen:
        sys.exit(f"seeds {seen[digest]} and {seed} have the same digest")
    seen[digest] = seed
print(f"{len(seen)} seeds, each the same twice")
