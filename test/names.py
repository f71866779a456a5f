# SPDX-License-Identifier: BSD-3-Clause
"""What test/structure.py measures of the names of functions. Each takes its tree and returns a
figure and the places behind it."""
import collections
import os

# What a helper may be without a prefix: so many lines between its braces, but for empty ones.
HELPER_LINES = 2
# Paths that begin so, and what a name there may begin with besides what prefixes() says.
SHORT = {
    "app/tandem-load/": "load",  # the program
    "app/tandem/operator/ctl_request.": "request",  # the object of that file
}


def functions(t):
    return [x for x in t.tags if x["kind"] == "function" and x["path"].endswith((".c", ".h"))]


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


def prefixes(t, path):
    """What a name in a file may begin with: the file's name or the first word of it (fastpath_ in
    fastpath_up.c), the name of its room or library, and the singular of each."""
    stem = os.path.basename(path).rsplit(".", 1)[0]
    out = {stem, stem.split("_")[0], os.path.basename(t.room(path))}
    out |= {word.removesuffix("s") for word in out}
    out |= {short for begins, short in SHORT.items() if path.startswith(begins)}
    return tuple(word + "_" for word in out)


def lines_of_body(t, tag):
    """Those between the braces that are neither empty nor a comment."""
    lines = t.code[tag["path"]].split("\n")[tag["line"] - 1 : tag.get("end", tag["line"])]
    body = "\n".join(lines).partition("{")[2].rpartition("}")[0]
    return sum(1 for line in body.split("\n") if line.strip())


def without_prefix(t):
    out = [
        f"{x['path']}:{x['line']}: {x['name']}"
        for x in statics(t)
        if not x["name"].startswith(prefixes(t, x["path"])) and lines_of_body(t, x) > HELPER_LINES
    ]
    return len(out), out
