#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Shows that test/structure.py refuses what it shall: in a small tree, in which nothing is wrong at
first, mistakes are planted, and each must be named under the figure that it belongs to."""
import os
import sys
import tempfile

import structure

LOW, HIGH = "app/tandem/base/", "app/tandem/pair/"
SOUND = {
    "lib/srp/README.md": "# Title\n\n## 1. One\n",
    f"{LOW}include/base/low.h": "int low_get(void);\nstruct low {\n\tint n;\n};\n",
    f"{LOW}low.c": '#include "base/low.h"\nstatic int two_lines(int n)\n{\n\tint m = n;\n\n'
    "\t/* A comment is no line of a helper. */\n\treturn m;\n}\n"
    "int low_get(void)\n{\n\treturn two_lines(1);\n}\n",
    f"{HIGH}include/pair/high.h": "int high_get(void);\n",
    f"{HIGH}high.c": "static int high_first(void)\n{\n\treturn 1;\n}\n"
    "int high_object;\nint high_get(void)\n{\n\treturn high_first();\n}\n",
}
# What does not begin with the name of bare.c or of the room pair, though some of it looks so.
BARE = ("other", "one_bare", "bared_one", "pairs_one")
LINES = "".join("\tn++;\n" for _ in range(60))
UPWARD = (
    '#include "pair/high.h"',
    '# include "pair/high.h"',
    "#include <pair/high.h>",
    '#include "../pair/include/pair/high.h"',
    "int high_get(void);\nint {0}_one(void)\n{{\n\treturn high_get();\n}}",
    "int high_get(void);\nint (*const {0}_one)(void) = high_get;",
    "extern int high_object;\nint {0}_one(void)\n{{\n\treturn high_object;\n}}",
)
MUTABLE = (
    "static int {0};",
    "static _Alignas(64) int {0};",
    "static int {0} __attribute__((aligned(64)));",
    "static __rte_aligned(64) int {0};",
    "static _Atomic(int) {0};",
    "static __typeof__(1) {0};",
    "static const char *{0}[4];",
    "static int (*{0})(void);",
    "static __thread int {0};",
    "int {0}, other;",
    "_Atomic int {0};",
    "char *const *{0};",
    "int (*{0})(void);",
    "struct {{\n\tint n;\n}} {0};",
    "struct tag {{\n\tint n;\n}} {0};",
    "RTE_DEFINE_PER_LCORE(int, {0});",
    "int low_with(void)\n{{\n\tstatic _Alignas(64) int {0};\n\n\treturn {0}++;\n}}",
)
# Lists of counters: `dead` is read and never counted.
FIGURES = """#define LOW_COUNTERS(X) \\
	X(alive, COUNTER, "events", "Events came.") \\
	X(placed, COUNTER, "events", "Events were placed.") \\
	X(dead, COUNTER, "events", "Events were lost.")
COUNTERS_DEFINE(low_counters, LOW_COUNTERS);"""
COUNTED = """uint64_t figures_count(struct low_counters *n)
{
	const size_t at = offsetof(struct low_counters, placed);

	n->alive++;
	return n->dead == 1 ? counter_get(&n->dead) : at;
}"""
TABLE = """static const struct metric rows[] = {
	{ "one", "events", "One came.", METRIC_COUNTER },
	{ "two", "events", "Two came.", METRIC_COUNTER },
};
static void table_read(void *ctx, uint64_t *value, unsigned int n)
{
	value[0] = 1;
}"""
DEAR = (
    "#include <rte_mbuf.h>",
    "# include <rte_ethdev.h>",
    '#include "rte_ip.h"',
    "#include <rte_flow.h>",
    "#include <rte_thash.h>",
    "#include <immintrin.h>",
)


def plant():
    """(figure, file, what it has, what the figure must name)."""
    for i, text in enumerate(UPWARD):
        name = f"{LOW}up{i}.c"
        yield "arrows to a higher room", name, text.format(f"up{i}"), name
    text = "int high_get(void);\nstatic inline int up_in(void)\n{\n\treturn high_get();\n}"
    yield "arrows to a higher room", f"{LOW}include/base/up.h", text, f"{LOW}include/base/up.h"
    for i, text in enumerate(MUTABLE):
        name = f"{LOW}object{i}.c"
        yield "mutable objects", name, text.format(f"object{i}_n"), f"{name}: object{i}_n"
    for i, text in enumerate(DEAR):
        name = f"{LOW}include/base/dear{i}.h"
        yield "headers that bring x86", name, text, name
    name = f"{LOW}include/base/dear_of_ours.h"
    yield "headers that bring x86", name, '#include "base/dear0.h"', name
    twice = "static int twice_named(void)\n{\n\treturn 1;\n}"
    for name in (f"{LOW}twice.c", f"{HIGH}twice.c"):
        yield "static function names in more", name, twice, f"twice_named: {LOW}twice.c"
    for i, text in enumerate(BARE):
        name = f"{HIGH}bare.c"
        says = f"{name}:{6 * i + 1}: {text}"
        text = f"static int {text}(int n)\n{{\n\tn++;\n\tn++;\n\treturn n;\n}}"
        yield "static functions without", name, text, says
    name = f"{LOW}long.c"
    yield "functions over 60", name, f"int long_one(int n)\n{{\n{LINES}\treturn n;\n}}", name
    name = f"{LOW}wide.c"
    yield "lines over 100", name, f"\t/* {'x' * 90} */", f"{name}:1"
    name = f"{LOW}cites.c"
    # In two pieces, as nothing here cites it.
    yield "unresolved citations", name, "/* lib/srp/NOTHING" + ".md */", name
    yield "unresolved citations", name, "/* lib/srp/README.md" + " section 99 */", name
    text = "".join(f"\tint m{i};\n" for i in range(41))
    name = f"{LOW}include/base/many.h"
    yield "members of the largest", name, f"struct many {{\n{text}}};", f"{name}: struct many: 41"
    low = [f"struct low_{i} {{\n\tint n;\n}};\n" for i in range(6)]
    held = [f"\tstruct low_{i} *{'' if i % 2 else 'const '}h{i};\n" for i in range(6)]
    name, where = f"{HIGH}holds.c", f"{LOW}include/base/handles.h"
    yield "handles of other rooms", where, "".join(low), f"{name}: struct holds: "
    text = f"struct holds {{\n{''.join(held)}}};"
    yield "handles of other rooms", name, text, f"{name}: struct holds: low_0 low_1"
    name = f"{HIGH}within.c"
    text = f"struct part {{\n{''.join(held[:3])}}};\n"
    text += f"struct within {{\n\tstruct part part;\n{''.join(held[3:])}}};"
    yield "handles of other rooms", name, text, f"{name}: struct within: low_0 low_1"
    for i in range(3):
        text = f"int round_{i}(void)\n{{\n\treturn round_{(i + 1) % 3}();\n}}"
        yield "circles of more than two", f"{LOW}round{i}.c", text, f"{LOW}round0.c {LOW}round1.c"
    header = f"{LOW}include/base/figures.h"
    yield "figures that nothing counts", header, FIGURES, f"{header}: low_counters: dead"
    yield "figures that nothing counts", f"{LOW}figures.c", COUNTED, header
    name = f"{LOW}table.c"
    yield "figures that nothing counts", name, TABLE, f"{name}: 2 rows of figures, and 1 values"
    yield "circles between folders", f"{HIGH}down.c", '#include "base/low.h"', "app/tandem/base <->"
    yield "C files in the fullest folder of app", f"{LOW}low.c", "", f"{LOW[:-1]}: "


def measured(files):
    with tempfile.TemporaryDirectory() as tree:
        for name, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            with open(os.path.join(tree, name), "w", encoding="utf-8") as to:
                to.write(text)
        return structure.measure(structure.Tree(tree))


def named(found, figure):
    """What a figure names, but for the exceptions that this tree does not have."""
    key = next(k for k in structure.GOALS if k.startswith(figure))
    return [p for p in found[key][1] if "is listed, and is none" not in p]


def main():
    helps = {f: "" for f in structure.HELPS}
    sound = {**SOUND, f"{HIGH}high.c": SOUND[f"{HIGH}high.c"].replace("int high_o", "const int o")}
    planted, bad = {**SOUND, **helps}, 0
    mistakes = list(plant())
    for _, name, text, _ in mistakes:
        planted[name] = planted.get(name, "") + text + "\n"
    before, after = measured({**sound, **helps}), measured(planted)
    for figure, name, text, says in mistakes:
        if named(before, figure):
            bad += 1
            print(f"{figure}: found where nothing is wrong: {named(before, figure)}")
        if not any(p.startswith(says) for p in named(after, figure)):
            bad += 1
            print(f"{figure}: not refused in {name}:\n{text}")
    print(f"{len(mistakes)} mistakes, {bad} complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
