#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures the structure of app/ and lib/ and compares it with what it must be (test/README.md
says why).

test/structure.py          prints a table {what, found, allowed, goal}; exit 1 when something is
                           above what is allowed
test/structure.py --list   names each place behind a figure that is above its goal
test/structure.py --tree D measures another checkout (its own test does)

`allowed` equals `goal` but for what LEFT names: work that is not finished. A figure that gets
better must be written there too, so that it never grows again."""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

ROOMS = [
    "base",
    "cores",
    "reactor",
    "journal",
    "kernel",
    "worker",
    "replicator",
    "signalling",
    "monitors",
    "pair",
    "operator",
    "process",
]  # lowest first: a room uses those before it
# Files of a room that may call each other in a larger circle: a rule engine, and one loop in four
# files.
CIRCLE_MAY = ("lib/srp/", "app/tandem/worker/fastpath")
# Files whose texts explain something to an operator, and how such a text must not begin: it stands
# alone and does not lean on the row above.
HELPS = (
    "lib/config/knobs.c",
    "lib/telemetry/include/telemetry/commands.h",
    "app/tandemctl/options.c",
    "app/tandem-load/options.c",
)
LEANING = re.compile(r"(of|for|to|the same|its|his|their|after|before|between|then|that|it|who)\b")
GOALS = {
    "C files in the fullest folder of app/ and lib/": 15,
    "C files in the fullest folder of test/": 20,
    "circles between folders": 0,
    "arrows to a higher room": 0,
    "circles of more than two files in a folder": 0,
    "members of the largest struct of app/": 40,
    "handles of other rooms in one type": 5,
    "functions over 60 lines": 0,
    "static function names in more than one file": 0,
    "static function names of one word, per mille": 30,
    "lines over 100 columns": 0,
    "helps that do not stand alone": 0,
    "fuzz inputs that are files, most of a target": 1,
}
LEFT = {}


def tracked(tree):
    try:
        out = subprocess.run(
            ["git", "-C", tree, "ls-files", "--cached", "--others", "--exclude-standard"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\n")
    except (subprocess.CalledProcessError, FileNotFoundError):
        out = [os.path.relpath(os.path.join(d, f), tree) for d, _, fs in os.walk(tree) for f in fs]
        out = [f for f in out if not f.startswith((".git", "build"))]
    return sorted(f for f in out if f and os.path.isfile(os.path.join(tree, f)))


def blank(text):
    """The text without comments and strings, its lines kept."""

    def gone(m):
        return re.sub(r"[^\n]", " ", m.group(0))

    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', gone, text, flags=re.S
    )


class Tree:
    def __init__(self, top):
        self.top = top
        self.files = tracked(top)
        self.sources = [
            f for f in self.files if f.startswith(("app/", "lib/")) and f.endswith((".c", ".h"))
        ]
        if len(self.sources) < 2:
            sys.exit("structure.py: no sources found: a check of nothing is none")
        self.text = {f: open(os.path.join(top, f), encoding="utf-8").read() for f in self.sources}
        self.code = {f: blank(t) for f, t in self.text.items()}
        self.tags = self.ctags()

    def ctags(self):
        run = subprocess.run(
            [
                "ctags",
                "--output-format=json",
                "--fields=+neSsZKt",
                "--kinds-C=fmsuv",
                "-I",
                "__rte_cache_aligned,__rte_aligned+,__attribute__+,__rte_unused",
                "-f",
                "-",
                "--language-force=C",
            ]
            + self.sources,
            cwd=self.top,
            check=True,
            capture_output=True,
            text=True,
        )
        tags = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        return [t for t in tags if t.get("_type") == "tag"]

    @staticmethod
    def room(path):
        """The folder that counts as one room: app/tandem/pair, lib/srp, app/tandemctl."""
        parts = path.split("/")
        return "/".join(
            parts[:3] if path.startswith("app/tandem/") and len(parts) > 3 else parts[:2]
        )


def strong(graph):
    """The strongly connected components of more than one node."""
    index, low, on, stack, out, count = {}, {}, set(), [], [], [0]

    def visit(v):
        work = [(v, iter(sorted(graph.get(v, ()))))]
        index[v] = low[v] = count[0]
        count[0] += 1
        stack.append(v)
        on.add(v)
        while work:
            node, rest = work[-1]
            for w in rest:
                if w not in index:
                    index[w] = low[w] = count[0]
                    count[0] += 1
                    stack.append(w)
                    on.add(w)
                    work.append((w, iter(sorted(graph.get(w, ())))))
                    break
                if w in on:
                    low[node] = min(low[node], index[w])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while True:
                        w = stack.pop()
                        on.discard(w)
                        part.append(w)
                        if w == node:
                            break
                    if len(part) > 1:
                        out.append(sorted(part))

    for v in sorted(graph):
        if v not in index:
            visit(v)
    return out


def arrows(t):
    """(file, file that it uses, by what): calls, callbacks and objects by their names, headers by
    their includes."""
    where = {}
    for tag in t.tags:
        if (
            tag["kind"] in ("function", "variable")
            and not tag.get("file")
            and tag["path"].endswith(".c")
            and tag.get("scopeKind") is None
        ):
            where.setdefault(tag["name"], set()).add(tag["path"])
    named = {n: next(iter(p)) for n, p in where.items() if len(p) == 1}
    statics = collections.defaultdict(set)
    for tag in t.tags:
        if tag.get("file") and tag["kind"] == "function":
            statics[tag["path"]].add(tag["name"])
    header = {}
    for f in t.sources:
        if f.endswith(".h"):
            header.setdefault(os.path.basename(f), []).append(f)
    out = set()
    for f in t.sources:
        if f.endswith(".c"):
            # A name behind . or -> is a member, not a function.
            for name in set(re.findall(r"(?<![\w.>])[a-z]\w+", t.code[f])):
                home = named.get(name)
                if (
                    home
                    and home != f
                    and name not in statics[f]
                    and program_of(home) in ("lib", program_of(f))
                ):
                    out.add((f, home, name))
        for inc in re.findall(r'^#include "([^"]+)"', t.text[f], flags=re.M):
            found = [
                h
                for h in header.get(os.path.basename(inc), [])
                if h.endswith("/include/" + inc) or os.path.dirname(h) == os.path.dirname(f)
            ]
            for h in found[:1]:
                out.add((f, h, inc))
    return out


def program_of(path):
    return "lib" if path.startswith("lib/") else "/".join(path.split("/")[:2])


def files_a_folder(t):
    n = collections.Counter(os.path.dirname(f) for f in t.sources if f.endswith(".c"))
    return n.most_common(1)[0][1], [f"{d}: {k}" for d, k in n.most_common() if k > 15]


def files_of_tests(t):
    n = collections.Counter(
        os.path.dirname(f) for f in t.files if f.startswith("test/") and f.endswith(".c")
    )
    return n.most_common(1)[0][1] if n else 0, [f"{d}: {k}" for d, k in n.most_common() if k > 20]


def folder_circles(t, found):
    graph, why = collections.defaultdict(set), {}
    for a, b, by in found:
        ra, rb = t.room(a), t.room(b)
        if ra != rb:
            graph[ra].add(rb)
            why.setdefault((ra, rb), f"{a} uses {by} of {b}")
    circles = strong(graph)
    return len(circles), [
        " <-> ".join(c) + "".join(f"\n        {why[a, b]}" for a in c for b in c if (a, b) in why)
        for c in circles
    ]


def upward(t, found):
    order = {"app/tandem/" + r: i for i, r in enumerate(ROOMS)}
    out = sorted(
        {
            f"{a} uses {by} of {b}"
            for a, b, by in found
            if t.room(a) in order and t.room(b) in order and order[t.room(a)] < order[t.room(b)]
        }
    )
    return len(out), out


def file_circles(t, found):
    graph = collections.defaultdict(set)
    for a, b, _ in found:
        if t.room(a) == t.room(b) and a.endswith(".c") and b.endswith(".c"):
            graph[a].add(b)
    out = [c for c in strong(graph) if len(c) > 2 and not all(f.startswith(CIRCLE_MAY) for f in c)]
    return len(out), [" ".join(c) for c in out]


def largest_struct(t):
    count = collections.Counter()
    for tag in t.tags:
        if (
            tag["kind"] == "member"
            and tag["path"].startswith("app/")
            and tag.get("scopeKind") == "struct"
        ):
            owner = tag["scope"].split("::")[0]
            count[(tag["path"], owner)] += 1
    rows = [f"{p}: struct {s}: {n}" for (p, s), n in count.most_common() if n > 40]
    return count.most_common(1)[0][1], rows


def handles(t):
    """Pointers to structs that another room of app/tandem defines, by the struct that holds it."""
    home = {}
    for tag in t.tags:
        if tag["kind"] == "struct" and tag["path"].startswith("app/tandem/"):
            home.setdefault(tag["name"], t.room(tag["path"]))
    held = collections.defaultdict(set)
    for tag in t.tags:
        if (
            tag["kind"] != "member"
            or not tag["path"].startswith("app/tandem/")
            or "scope" not in tag
        ):
            continue
        room = t.room(tag["path"])
        m = re.match(r"struct:(\w+) \*$", tag.get("typeref", ""))
        if room != "app/tandem/process" and m and home.get(m[1], room) != room:
            held[(tag["path"], tag["scope"].split("::")[0])].add(m[1])
    rows = sorted(
        ((len(h), f"{p}: struct {s}: {' '.join(sorted(h))}") for (p, s), h in held.items()),
        reverse=True,
    )
    return rows[0][0] if rows else 0, [r for n, r in rows if n > 5]


def functions(t):
    return [x for x in t.tags if x["kind"] == "function" and x["path"].endswith((".c", ".h"))]


def long_functions(t):
    out = [
        f"{x['path']}:{x['line']}: {x['name']} {x['end'] - x['line'] + 1}"
        for x in functions(t)
        if x.get("end", x["line"]) - x["line"] + 1 > 60
    ]
    return len(out), out


def statics(t):
    return [x for x in functions(t) if x.get("file") and x["path"].endswith(".c")]


def shared_statics(t):
    by = collections.defaultdict(set)
    for x in statics(t):
        by[x["name"]].add(x["path"])
    out = [f"{n}: {' '.join(sorted(p))}" for n, p in sorted(by.items()) if len(p) > 1]
    return len(out), out


def one_word(t):
    all_of = statics(t)
    out = [f"{x['path']}: {x['name']}" for x in all_of if "_" not in x["name"]]
    return round(1000 * len(out) / len(all_of)), out


def wide_lines(t):
    out = []
    for f in t.files:
        if f.startswith(("app/", "lib/", "scripts/", "test/")) and f.endswith(
            (".c", ".h", ".py", ".sh")
        ):
            for n, line in enumerate(open(os.path.join(t.top, f), encoding="utf-8"), 1):
                if len(line.rstrip("\n").expandtabs(8)) > 100:
                    out.append(f"{f}:{n}")
    return len(out), out


def texts(source):
    """(line, text) of each string of C; strings that the compiler joins are one."""
    one = r'"(?:\\.|[^"\\\n])*"'
    for m in re.finditer(rf"{one}(?:[\s\\]*{one})*", source):
        yield source.count("\n", 0, m.start()) + 1, "".join(s[1:-1] for s in re.findall(one, m[0]))


def leaning_helps(t):
    found = [(f, n, s) for f in HELPS for n, s in texts(t.text[f])]
    out = [f"{f}:{n}: {s}" for f, n, s in found if " " in s and LEANING.match(s)]
    return len(out), out


def fuzz_inputs(t):
    n = collections.Counter(
        f.split("/")[3].split(".")[0] for f in t.files if f.startswith("test/fuzz/corpus/")
    )
    return n.most_common(1)[0][1] if n else 0, [f"{d}: {k}" for d, k in n.most_common() if k > 1]


def measure(t):
    found = arrows(t)
    return dict(
        zip(
            GOALS,
            [
                files_a_folder(t),
                files_of_tests(t),
                folder_circles(t, found),
                upward(t, found),
                file_circles(t, found),
                largest_struct(t),
                handles(t),
                long_functions(t),
                shared_statics(t),
                one_word(t),
                wide_lines(t),
                leaning_helps(t),
                fuzz_inputs(t),
            ],
        )
    )


def main():
    args = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    args.add_argument("--list", action="store_true")
    args.add_argument("--tree", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    args = args.parse_args()
    bad = 0
    print(f"{'found':>6} {'allowed':>8} {'goal':>5}")
    for what, (n, places) in measure(Tree(args.tree)).items():
        allowed = LEFT.get(what, GOALS[what])
        bad += n > allowed
        print(f"{n:6} {allowed:8} {GOALS[what]:5}  {what}{'  TOO MANY' if n > allowed else ''}")
        if args.list or n > allowed:
            for p in places[: 1000 if args.list else 20]:
                print(f"          {p}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
