#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""One seed is one run, byte for byte: repeat.py SIM runs some seeds twice, as processes of their
own, and compares the digests of all that happened, plain and encrypted. Two seeds that give the
same one would say that the digest sees nothing."""
import subprocess
import sys

SEEDS = range(200, 206)


def run(seed):
    return subprocess.run([sys.argv[1], "--seed", str(seed), "-s"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.splitlines()[0]


seen = {}
for seed in SEEDS:
    first, second = run(seed), run(seed)
    if first != second:
        sys.exit(f"seed {seed} is not repeatable:\n{first}\n{second}")
    digest = first.split("digest ")[1].split(",")[0]
    if digest in seen:
        sys.exit(f"seeds {seen[digest]} and {seed} have the same digest")
    seen[digest] = seed
print(f"{len(seen)} seeds, each the same twice")
