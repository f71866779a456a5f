#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""config_golden.py PROGRAM CASES SHIPPED: each CASES/NAME.conf prints exactly NAME.ok (report and
canonical text) or NAME.err (report only). NAME.peer, if there is one, is the other chassis' file.
What prints as canonical text prints the same when it is loaded again. The SHIPPED files load
without a finding. UPDATE=1 writes the expected files anew."""
import difflib
import os
import subprocess
import sys
import tempfile

program, cases, shipped = (os.path.abspath(p) for p in sys.argv[1:4])
failed = []


def run(cwd, *files):
    p = subprocess.run([program, *files], cwd=cwd, stdout=subprocess.PIPE, text=True, timeout=10)
    return p.returncode, p.stdout


def canonical(out):
    start = out.find("chassis = {\n")
    return out[:start], out[start:]


def check_case(name):
    peer = [name + ".peer"] if os.path.exists(os.path.join(cases, name + ".peer")) else []
    status, out = run(cases, name + ".conf", *peer)
    kind = {0: "ok", 1: "err"}.get(status)
    if kind is None:
        return f"exit status {status}"
    path = os.path.join(cases, f"{name}.{kind}")
    if os.environ.get("UPDATE"):
        with open(path, "w") as f:
            f.write(out)
    if not os.path.exists(path):
        return f"expected {'an error' if kind == 'ok' else 'no error'}, not:\n{out}"
    with open(path) as f:
        want = f.read()
    if out != want:
        diff = difflib.unified_diff(want.splitlines(True), out.splitlines(True), path, "output")
        return "".join(diff)
    return check_fixed_point(out) if kind == "ok" else None


def check_fixed_point(out):
    _, text = canonical(out)
    with tempfile.TemporaryDirectory() as tmp:
        file = os.path.join(tmp, "again.conf")
        with open(file, "w") as f:
            f.write(text)
        status, again = run(cases, file)  # files that it names are there
    if status != 0 or canonical(again)[1] != text:
        return f"the canonical text does not load to the same:\n{again}"
    return None


def check_shipped(*files):
    status, out = run(shipped, *files)
    if status != 0 or canonical(out)[0] != "":
        return f"expected no finding, not:\n{out}"
    return check_fixed_point(out)


def case(name, why):
    if why is not None:
        failed.append(name)
        print(f"FAIL {name}: {why}")


names = sorted(f[:-5] for f in os.listdir(cases) if f.endswith(".conf"))
for n in names:
    case(n, check_case(n))
pairs = [("left.conf", "right.conf"), ("right.conf", "left.conf"), ("tandem.conf",)]
for files in pairs:
    case("shipped " + files[0], check_shipped(*files))
print(f"{len(names) + len(pairs) - len(failed)} passed, {len(failed)} failed")
sys.exit(1 if failed or not names else 0)
