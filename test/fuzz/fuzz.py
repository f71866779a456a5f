#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds the fuzz targets with libFuzzer, ASan and UBSan and runs each for some seconds, two at a
time. What crashes one is kept in build-fuzz/crashes and named; `--keep` it with the fix. Ends with
`N passed, N failed, N skipped`. test/fuzz/README.md explains the corpora and how to add a target.

fuzz.py [--seconds N] [--grow] [--edges] [TARGET...]
    --grow    puts what was found into test/fuzz/corpus, minimised
    --edges   uses the build of the coverage, whose feedback does not have the comparisons
fuzz.py --coverage [TARGET...]
    fuzzes nothing; prints which lines of the decoders the corpora reach (clang's source coverage),
    and fails where those are less than 80 %
fuzz.py --keep TARGET FILE [--as NAME]
    adds a crash file to the corpus of the target, for ever
fuzz.py --unpack TARGET FOLDER
    writes the inputs of a corpus as raw files"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import corpus

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build-fuzz")
SHARED = os.path.join(TOP, "build-clang")
CORPUS = os.path.join(HERE, "corpus")
CRASHED = os.path.join(BUILD, "crashes")
MAX_LEN = 4096
COVERED_LEAST = 0.8

# The decoders that each target is there for.
TARGETS = {
    "bmp": ["lib/monitor/bmp.c", "lib/monitor/bmp_text.c", "lib/monitor/station.c"],
    "claim": ["lib/net/announce.c"],
    "config": ["lib/config/load.c", "lib/config/scan.c", "lib/config/text.c", "lib/config/value.c",
               "lib/config/lists.c", "lib/config/check.c", "lib/config/peers/gtp_knobs.c"],
    "fastpath": ["app/tandem/worker/fastpath.c", "app/tandem/worker/fastpath_up.c",
                 "app/tandem/worker/fastpath_down.c", "app/tandem/worker/fastpath_slow.c"],
    "frame": ["lib/srp/include/srp/frame.h", "lib/srp/message.c"],
    "gtpc_frame": ["app/tandem/signalling/gtpc_frame.c"],
    "gtpc": ["lib/gtp/gtpc_decode.c", "lib/gtp/ie.c", "lib/gtp/pco.c"],
    "gtpu": ["lib/gtp/gtpu.c"],
    "keys": ["lib/repl/keys.c"],
    "numbers": ["lib/numbers/numbers.c", "lib/numbers/text.c"],
    "pdp": ["lib/pdp/gate.c", "lib/pdp/own.c", "lib/pdp/pdp.c", "lib/pdp/procedure.c",
            "lib/pdp/rows.c", "lib/pdp/start.c"],
    "radius": ["lib/radius/radius.c", "lib/radius/radius_probe.c"],
    "repl": ["lib/repl/repl_wire.c", "lib/repl/repl.c", "lib/repl/repl_recv.c",
             "lib/repl/repl_life.c", "lib/repl/audit.c", "lib/repl/audit_source.c"],
    "reply": ["app/tandemctl/client.c", "app/tandemctl/render.c", "app/tandemctl/render_srp.c",
              "app/tandemctl/render_table.c", "app/tandemctl/render_words.c"],
    "request": ["app/tandem/operator/ctl_request.c"],
    "rtmsg": ["lib/net/rtmsg.c"],
    "session": ["lib/session/wire.c", "lib/session/apply.c", "lib/session/annex.c"],
    "srp": ["lib/srp/message.c", "lib/srp/peer.c"],
}
MORE_CORPUS = {"config": [os.path.join(TOP, "test/golden/config"), os.path.join(TOP, "config")]}
# What makes, ends, writes, tells of itself or asks a socket decodes nothing.
NOT_DECODING = (
    r"(^|:)(\w*_(create|destroy|due|counter?s?|fini|open|send|restart|again|begin|slots|srtt|info)|"
    r"gtp[cu]_encode_\w+|(\w+_)?put(_\w+)?|(\w+_)?encode\w*|session_encode|session_wire_size|"
    r"usage_hi|group_bytes|"
    r"text_read|config_load|ops_whole|earlier|"
    r"repl_(heard|hears_us|peer_\w+|count|heartbeat_now|pair_time|keys\w*|slot\w*)|"
    r"audit_(count|in_sync_since)|"
    r"radius_(encode|code_name|secret_set|state_letter|reason_text)|"
    r"makes_sense|text_fits|has_(address|id)|keys_(due|tx_id)|net_(announce|probe)|(\w+_)?frame|"
    r"fastpath_(send|police|prefetch_due|fini))$")
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:allocator_may_return_null=1",
           UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")


def llvm(tool):
    """The program, of the version that scripts/clang.sh knows."""
    return subprocess.run([os.path.join(TOP, "scripts/clang.sh"), tool], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.strip()


def kept_in(name):
    return os.path.join(CORPUS, name + ".txt")


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **more)


def build(folder, targets):
    """Makes the programs: in SHARED with what clang.ini says, else with all of libFuzzer's
    feedback."""
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        options = ["-Dbuildtype=debugoptimized", "-Db_lundef=false",
                   "-Db_sanitize=address,undefined", "-Dc_args=-fsanitize=fuzzer-no-link"]
        if folder == SHARED:
            options = ["--native-file", os.path.join(TOP, "test/clang.ini")]
        made = run(["meson", "setup", folder, *options],
                   cwd=TOP, env=dict(os.environ, CC=llvm("clang"), LLVM_PROFILE_FILE="/dev/null"))
        if made.returncode:
            sys.exit(made.stdout[-2000:] + "\n0 passed, 1 failed, 0 skipped")
    made = run(["ninja", "-C", folder, "-j2", *(f"test/fuzz/{t}" for t in targets)])
    if made.returncode:
        sys.exit(made.stdout[-3000:] + "\n0 passed, 1 failed, 0 skipped")


def fuzz(name, seconds, folder):
    """One target for so long: (fine?, what to say)."""
    found = os.path.join(BUILD, "corpus", name)
    os.makedirs(found, exist_ok=True)
    before = set(os.listdir(CRASHED))
    with tempfile.TemporaryDirectory(dir=BUILD) as kept:
        corpus.unpack(kept_in(name), kept)
        done = run([os.path.join(folder, "test/fuzz/fuzz_" + name), f"-max_total_time={seconds}",
                    f"-max_len={MAX_LEN}", "-timeout=60", "-entropic=0", "-detect_leaks=0",
                    "-rss_limit_mb=2048", "-print_final_stats=1",
                    f"-artifact_prefix={CRASHED}/{name}-", found, kept, *MORE_CORPUS.get(name, [])],
                   env=ENV, timeout=seconds * 4 + 120)
    runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    speed = re.search(r"average_exec_per_sec: *(\d+)", done.stdout)
    edges = re.findall(r"cov: (\d+)", done.stdout)
    said = (f"{name:9} {int(speed[1]) if speed else 0:>7} a second, "
            f"{int(runs[1]) if runs else 0:>9} runs, {edges[-1] if edges else '?':>5} edges, "
            f"{len(os.listdir(found)):>5} found")
    if done.returncode == 0:
        return True, "ok      " + said
    crashes = sorted(c for c in set(os.listdir(CRASHED)) - before if c.startswith(name + "-"))
    reason = re.search(r"(ERROR: .*|SUMMARY: .*|.*runtime error.*)", done.stdout)
    said += f"\n        {reason[1] if reason else done.stdout[-500:]}\n        crash file: "
    said += ", ".join(os.path.join(CRASHED, c) for c in crashes) or "none: it ended by itself"
    for c in crashes:
        said += f"\n        keep it: test/fuzz/fuzz.py --keep {name} {os.path.join(CRASHED, c)}"
    return False, "FAILED  " + said


def grow(name):
    """The corpus that is kept: all inputs with a name, and as few of the others as reach the same.
    (fine?, what to say)"""
    with tempfile.TemporaryDirectory(dir=BUILD) as kept, \
            tempfile.TemporaryDirectory(dir=BUILD) as pool:
        corpus.unpack(kept_in(name), kept, lambda named: named is not None)
        corpus.unpack(kept_in(name), pool, lambda named: named is None)
        found = os.path.join(BUILD, "corpus", name)
        os.makedirs(found, exist_ok=True)
        done = run([os.path.join(BUILD, "test/fuzz/fuzz_" + name), "-merge=1",
                    f"-max_len={MAX_LEN}", kept, pool, found, *MORE_CORPUS.get(name, [])], env=ENV)
        if done.returncode:
            return False, f"FAILED  {name}: merging: {done.stdout[-300:]}"
        inputs = corpus.pack(kept)
    corpus.write(kept_in(name), inputs)
    return True, f"{name}: {len(inputs)} inputs, {sum(len(data) for _, data in inputs)} bytes"


def keep(name, path, named):
    """Adds a raw file to a corpus. A crash file of libFuzzer keeps its name."""
    with open(path, "rb") as f:
        data = f.read()
    named = named or re.sub(rf"^{name}-", "", os.path.basename(path))
    inputs = corpus.read(kept_in(name)) if os.path.exists(kept_in(name)) else []
    for other, known in inputs:
        if other and known == data:
            sys.exit(f"{kept_in(name)} has this input already: {other}")
        if other == named:
            sys.exit(f"{kept_in(name)} has another input of the name {named}: choose one by --as")
    try:
        corpus.write(kept_in(name), inputs + [(named, data)])
    except ValueError as wrong:
        sys.exit(f"{path}: {wrong}")
    print(f"{kept_in(name)} has {named}, {len(data)} bytes")
    return 0


def unpack(name, folder):
    os.makedirs(folder, exist_ok=True)
    corpus.unpack(kept_in(name), folder)
    return 0


def covered_lines(program, profile, source):
    """Lines of the file that were reached, and all of them, but for the functions that read nothing
    from outside."""
    def ask(*command):
        return subprocess.run([llvm("llvm-cov"), *command, "-instr-profile", profile, program],
                              stdout=subprocess.PIPE, text=True, errors="replace",
                              check=True).stdout

    path = os.path.join(TOP, source)
    left_out = [range(f["regions"][0][0], f["regions"][0][2] + 1)
                for f in json.loads(ask("export"))["data"][0]["functions"]
                if os.path.realpath(f["filenames"][0]) == path
                and re.search(NOT_DECODING, f["name"])]
    inside, hit, lines = False, 0, 0
    for line in ask("show").splitlines():
        if line.endswith(".c:") or line.endswith(".h:"):
            inside = os.path.realpath(line[:-1]) == path
        seen = re.match(r" *(\d+)\| +([\d.]+[kMG]?)\|", line)
        if inside and seen and not any(int(seen[1]) in r for r in left_out):
            lines += 1
            hit += seen[2] != "0"
    return hit, lines


def cover(names):
    """Line coverage of the decoders by their own target's corpus."""
    build(SHARED, [f"fuzz_{n}_replay" for n in names])
    low = n = 0
    for name in names:
        program = os.path.join(SHARED, f"test/fuzz/fuzz_{name}_replay")
        raw = os.path.join(SHARED, name + ".profraw")
        merged = os.path.join(SHARED, name + ".profdata")
        done = run([program, kept_in(name), *MORE_CORPUS.get(name, [])],
                   env=dict(ENV, LLVM_PROFILE_FILE=raw))
        if done.returncode:
            print(f"FAILED  {name}: {done.stdout[-500:]}\n0 passed, 1 failed, 0 skipped")
            return 1
        subprocess.run([llvm("llvm-profdata"), "merge", "-o", merged, raw], check=True)
        for source in TARGETS[name]:
            hit, lines = covered_lines(program, merged, source)
            n += 1
            low += hit < COVERED_LEAST * lines
            print(f"{'ok     ' if hit >= COVERED_LEAST * lines else 'FAILED '} {name:10} "
                  f"{source:32} {hit:>4} of {lines:>4} lines {100 * hit / lines:5.1f} %")
    print(f"{n - low} passed, {low} failed, 0 skipped")
    return 1 if low else 0


def arguments():
    ask = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seconds", type=int, default=30)
    ask.add_argument("--grow", action="store_true")
    ask.add_argument("--edges", action="store_true")
    ask.add_argument("--coverage", action="store_true")
    ask.add_argument("--keep", nargs=2, metavar=("TARGET", "FILE"))
    ask.add_argument("--as", dest="named", metavar="NAME")
    ask.add_argument("--unpack", nargs=2, metavar=("TARGET", "FOLDER"))
    ask.add_argument("names", nargs="*", choices=[[], *TARGETS], metavar="TARGET")
    args = ask.parse_args()
    for asked in (args.keep, args.unpack):
        if asked and asked[0] not in TARGETS:
            ask.error(f"{asked[0]} is no target: {', '.join(TARGETS)}")
    return args


def main():
    args = arguments()
    if args.keep:
        return keep(*args.keep, args.named)
    if args.unpack:
        return unpack(*args.unpack)
    names = args.names or list(TARGETS)
    if args.coverage:
        return cover(names)
    folder = SHARED if args.edges else BUILD
    build(folder, ["fuzz_" + n for n in names])
    os.makedirs(CRASHED, exist_ok=True)
    failed = set()
    if args.seconds > 0:
        with ThreadPoolExecutor(2) as two:
            for name, (fine, said) in zip(names, two.map(
                    lambda n: fuzz(n, args.seconds, folder), names)):
                failed |= set() if fine else {name}
                print(said, flush=True)
    if args.grow:
        for name in names:
            fine, said = grow(name)
            failed |= set() if fine else {name}
            print(said, flush=True)
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
