#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures the structure of app/ and lib/ and compares it with what it must be (test/README.md
says why).

test/structure.py          prints a table {what, found, allowed, goal}; exit 1 when something is
                           above what is allowed
test/structure.py --list   names each place behind a figure that is above its goal
test/structure.py --tree D measures another checkout

`allowed` equals `goal` but for what LEFT names: work that is not finished. A figure that gets
better must be written there too, so that it never grows again."""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

import names

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
    "switchover",
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
    "lines of the longest public header of a room": 150,
    "rooms without a public header of their name": 0,
    "headers that bring x86's intrinsics, but for those of DEAR_MAY": 0,
    "mutable objects that no chassis owns, but for those of OBJECTS_MAY": 0,
    "rooms that know the whole configuration, but for CONFIG_MAY": 0,
    "functions over 60 lines": 0,
    "static function names in more than one file": 0,
    "static function names of one word, per mille": 30,
    "static functions without the prefix of their file or room, but for two-line helpers": 0,
    "lines over 100 columns": 0,
    "helps that do not stand alone": 0,
    "figures that nothing counts": 0,
    "unresolved citations": 0,
    "fuzz inputs that are files, most of a target": 1,
}
LEFT = {}
# Rooms whose objects have a header each.
HEADERS_MAY = {
    "base": "what each room needs of it differs: a header an object",
    "cores": "a header a direction of messages, and an object",
    "process": "no room uses it: tandem.h and boot.h are for whoever runs cores without main()",
}
# Headers of DPDK that bring x86intrin.h, 40,000 lines, and cost each file that includes one half a
# second: .c files include them.
DEAR = re.compile(
    r"^\s*#\s*include\s*[<\"](?:rte_(?:acl|arp|bpf|comp|crypto|eth|event|flow|gro|gso|ip|ipsec|lpm"
    r"|lru|mbuf|memcpy|mempool|mtr|net|pcapng|pdump|pipeline|port|reorder|rib6|sched|security"
    r"|table|thash|vect|vhost)(?![a-z])\w*|rte_(?:comp|crypto|eth|event)\w+|\w+intrin)\.h[>\"]",
    flags=re.M,
)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', flags=re.M)
FRAMES = "for those alone who handle frames, and no header includes it but the fast path's"
DEAR_MAY = {
    "app/tandem/worker/fastpath_priv.h": "what is inlined for each packet",
    "lib/common/include/common/ether.h": FRAMES,
    "lib/net/include/net/fib_lookup.h": FRAMES,
}
# Files below the room `process` that may name struct config. Other rooms are given structs of their
# own, in which what is live is told from what a restart alone changes.
CONFIG_MAY = {
    "app/tandem/operator/include/operator/reload.h": "it shows, saves and loads the configuration",
    "app/tandem/operator/reload.c": "the same",
    "app/tandem/operator/reload_apply.c": "the same",
    "app/tandem/operator/reload_priv.h": "the same",
}
# Objects that outlive every chassis of a process, and why.
SEAM = "a seam: the process chooses before it makes a chassis"
OBJECTS_MAY = {
    "app/tandem/base/clock.c: clock_ops": SEAM,
    "app/tandem/base/clock.c: clock_hz": SEAM,
    "app/tandem/base/clock.c: clock_us_per_tick": SEAM,
    "app/tandem/base/memory.c: memory_ops": SEAM,
    "app/tandem/base/pages.c: pages_are_shared": "a process has one EAL",
    "app/tandem/base/port.c: port_ops": SEAM,
    "app/tandem/base/sock.c: sock_ops": SEAM,
    "app/tandem/journal/state.c: disk_ops": SEAM,
    "app/tandem/pair/tls.c: tls_ops": SEAM,
    "app/tandem/replicator/crypt.c: crypt_ops": SEAM,
    "lib/net/ops.c: net_ops": SEAM,
    "app/tandem/base/include/base/log.h: log_site_": "a place in the source, whoever runs it",
    "app/tandem/base/log.c: log_running": "a process has one log",
    "app/tandem/base/log.c: log_given_up": "a process has one log",
    "app/tandem/base/log.c: log_output": "a number that the EAL gave the process",
    "app/tandem/base/log.c: log_types": "numbers that the EAL gave the process",
    "app/tandem/process/main.c: chassis": "the one of main(), too large for its stack",
    "lib/telemetry/telemetry.c: telemetry_socket": "DPDK tells a callback its path alone",
}


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
        # A name behind . or -> is a member, not a function.
        for name in set(re.findall(r"(?<![\w.>])[A-Za-z]\w+", t.code[f])):
            home = named.get(name)
            if (
                home
                and home != f
                and name not in statics[f]
                and program_of(home) in ("lib", program_of(f))
            ):
                out.add((f, home, name))
        for inc in INCLUDE.findall(t.text[f]):
            from_here = os.path.normpath(os.path.join(os.path.dirname(f), inc))
            found = [h for h in header.get(os.path.basename(inc), []) if h == from_here] or [
                h for h in header.get(os.path.basename(inc), []) if h.endswith("/include/" + inc)
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
    """Pointers to structs that another room of app/tandem defines, const ones too, by the struct
    that holds them: itself, or in a struct that stands in it by value."""
    home, pointers, within = {}, collections.defaultdict(set), collections.defaultdict(set)
    for tag in t.tags:
        if tag["kind"] == "struct" and tag["path"].startswith("app/tandem/"):
            home.setdefault(tag["name"], t.room(tag["path"]))
    for tag in t.tags:
        if tag["kind"] != "member" or "scope" not in tag:
            continue
        if not tag["path"].startswith("app/tandem/"):
            continue
        owner = (tag["path"], tag["scope"].split("::")[0])
        kind = re.sub(r"\bconst\b|^typename:", "", tag.get("typeref", "")).strip()
        m = re.match(r"struct[ :](\w+)\s*((?:\*\s*)*)(?:\[.*)?$", kind)
        if m and m[2]:
            pointers[owner].add(m[1])
        elif m and m[1] in home:
            within[owner].add(m[1])
    at = {name: (path, name) for path, name in list(pointers) + list(within)}

    def held(owner, seen):
        out = set(pointers[owner])
        for name in within[owner] - seen:
            out |= held(at[name], seen | {name}) if name in at else set()
        return out

    rows = []
    for owner in set(pointers) | set(within):
        room = t.room(owner[0])
        if room == "app/tandem/process":
            continue
        h = {n for n in held(owner, {owner[1]}) if home.get(n, room) != room}
        rows.append((len(h), f"{owner[0]}: struct {owner[1]}: {' '.join(sorted(h))}"))
    rows.sort(reverse=True)
    return rows[0][0] if rows else 0, [r for n, r in rows if n > 5]


def public_headers(t):
    return [f for f in t.sources if re.match(r"app/tandem/\w+/include/\w+/\w+\.h$", f)]


def long_headers(t):
    n = {f: t.text[f].count("\n") for f in public_headers(t)}
    return max(n.values(), default=0), [f"{f}: {k}" for f, k in sorted(n.items()) if k > 150]


def nameless_rooms(t):
    there = set(public_headers(t))
    out = [
        f"app/tandem/{r}/include/{r}/{r}.h is missing"
        for r in ROOMS
        if f"app/tandem/{r}/include/{r}/{r}.h" not in there and r not in HEADERS_MAY
    ]
    return len(out), out


def dear_headers(t, found):
    """Also those that include such a header of ours."""
    dear, more = set(), {f for f in t.sources if f.endswith(".h") and DEAR.search(t.text[f])}
    while more:
        dear |= more
        more = {a for a, b, _ in found if a.endswith(".h") and b in dear} - dear
    out = sorted(dear - set(DEAR_MAY))
    out += [f"{f} is listed, and is none" for f in sorted(set(DEAR_MAY) - dear)]
    return len(out), out


def whole_configuration(t):
    """Files of rooms that name struct config, or include the header that has it."""
    named = {
        f
        for f in t.sources
        if f.startswith("app/tandem/") and t.room(f) != "app/tandem/process"
        if re.search(r"\bstruct\s+config\b", t.code[f])
        or re.search(r'^\s*#\s*include\s*"config/config\.h"', t.text[f], flags=re.M)
    }
    out = sorted(named - set(CONFIG_MAY))
    out += [f"{f} is listed, and does not" for f in sorted(set(CONFIG_MAY) - named)]
    return len(out), out


def is_mutable(declaration):
    """Of what stands before the initial value, the bounds or the body."""
    last = declaration.rsplit("*", 1)[-1]
    return not re.search(r"\bconst\b", last if "*" in declaration else declaration)


# What may stand in a declaration and says nothing of whether the object can be written.
ADORNED = re.compile(
    r"\b(?:_Alignas|__rte_aligned|__attribute__)\s*"
    r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
)
TYPE_OF = re.compile(r"\b(?:_Atomic|(?:__)?typeof(?:__)?)\s*\(([^()]*)\)")


def objects(t):
    """Variables at file scope and static ones in functions that can be written."""
    found = set()
    for f in t.sources:
        if f.startswith("app/") and not f.startswith("app/tandem/"):
            continue
        code = TYPE_OF.sub(r"type \1 ", ADORNED.sub("", t.code[f]))
        for m in re.finditer(
            r"^[ \t]*static\s(?!inline\b)([^;={(\[]*?)(\w+)\s*([;=\[])", code, flags=re.M
        ):
            if is_mutable(m[1]):
                found.add(f"{f}: {m[2]}")
        for m in re.finditer(r"^[ \t]*static\s[^;={(]*\(\*(?!const\b)\s*(\w+)", code, flags=re.M):
            found.add(f"{f}: {m[1]}")
        for m in re.finditer(r"^[ \t]*static\s([^;=({]*)\{", code, flags=re.M):
            if is_mutable(m[1]):
                found.add(f"{f}: {m[1].strip()}")
        for m in re.finditer(r"\bRTE_DEFINE_PER_LCORE\(\s*[^,]*,\s*(\w+)", code):
            found.add(f"{f}: {m[1]}")
        if f.endswith(".c"):
            found |= {f"{f}: {name}" for name in global_objects(code)}
    out = sorted(found - set(OBJECTS_MAY))
    out += [f"{o} is listed, and is none" for o in sorted(set(OBJECTS_MAY) - found)]
    return len(out), out


def global_objects(code):
    """Those of a .c file that other files can name, too."""
    no = r"^(?!static\b|extern\b|typedef\b|return\b|goto\b)"
    for m in re.finditer(
        no + r"((?:\w+\s+)+(?:\*\s*(?:const\s+)?)*)(\w+)\s*(?:\[[^\]]*\]\s*)*[;=,]",
        code,
        flags=re.M,
    ):
        if is_mutable(m[1]):
            yield m[2]
    for m in re.finditer(no + r"\w[\w \t*]+\(\*(?!const\b)\s*(\w+)[^;{]*[;=]", code, flags=re.M):
        yield m[1]
    for m in re.finditer(
        no + r"((?:\w+\s+)*(?:struct|union|enum)\b[^;=({]*)\{[^}]*\}\s*(\w+)\s*[;=\[,]",
        code,
        flags=re.M,
    ):
        if is_mutable(m[1]):
            yield m[2]


def citations(t):
    """What test/citations.py finds in all that may cite."""
    kinds = (".c", ".h", ".py", ".sh", ".build", ".conf", ".service", ".lua", ".md")
    files = [f for f in t.files if f.endswith(kinds) and not f.startswith("test/fuzz/corpus/")]
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "citations.py")
    run = subprocess.run(
        [sys.executable, program, *files], cwd=t.top, capture_output=True, text=True
    )
    out = run.stdout.splitlines() + run.stderr.splitlines()
    return len(out), out


def long_functions(t):
    out = [
        f"{x['path']}:{x['line']}: {x['name']} {x['end'] - x['line'] + 1}"
        for x in names.functions(t)
        if x.get("end", x["line"]) - x["line"] + 1 > 60
    ]
    return len(out), out


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


def written(name, code):
    """How often C writes a member, or takes its address or place for another to write it."""
    way = r"[\w.>\[\]-]*(?:\.|->)"
    return len(
        re.findall(
            rf"(?:\.|->){name}(?:\+\+|--|\s*[-+|]?=(?!=))"
            rf"|(?:\+\+|--){way}{name}\b"
            rf"|(?<!counter_get\()&{way}{name}\b"
            rf"|\boffsetof\([^,()]*,\s*{name}\)",
            code,
        )
    )


def dead_figures(t):
    """Figures of a list of counters (common/counters.h) whose member is written nowhere in the
    rooms that name the list's struct: of lists that have a figure of one name, each needs a place
    of its own. And rows of tables of figures (base/metrics.h) without a value."""
    lists, rooms, out = {}, {}, []
    for f in t.sources:
        for m in re.finditer(r"#define (\w+)_COUNTERS\(X\)((?:.*\\\n)+.*)", t.text[f]):
            lists[m[1].lower() + "_counters"] = (f, re.findall(r"\bX\((\w+)", m[2]))
    for s, (home, _) in lists.items():
        named = [f for f in t.sources if re.search(rf"\b{s}\b", t.code[f])]
        rooms[s] = {t.room(f) for f in [home, *named]}
    for s, (home, names) in sorted(lists.items()):
        for name in names:
            same = [o for o in lists if name in lists[o][1] and rooms[o] & rooms[s]]
            where = set().union(*(rooms[o] for o in same))
            code = "\n".join(t.code[f] for f in t.sources if t.room(f) in where)
            if written(name, code) < len(same):
                out.append(f"{home}: {s}: {name}")
    for f in t.sources:
        tables = re.findall(r"struct metric \w+\[\] = \{(.*?)\n\};", t.text[f], flags=re.S)
        rows = sum(len(re.findall(r'\{\s*"', table)) for table in tables)
        values = len(re.findall(r"\bvalue\[\d+\] =", t.code[f]))
        if rows > values:
            out.append(f"{f}: {rows} rows of figures, and {values} values")
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
                long_headers(t),
                nameless_rooms(t),
                dear_headers(t, found),
                objects(t),
                whole_configuration(t),
                long_functions(t),
                names.shared_statics(t),
                names.one_word(t),
                names.without_prefix(t),
                wide_lines(t),
                leaning_helps(t),
                dead_figures(t),
                citations(t),
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
