#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Shows that the compiler keeps the walls between the rooms of app/tandem.

test/walls.py BUILD ROOM=ROOM,ROOM,... ...
    BUILD: a build folder; then each room with the rooms of its row (app/tandem/meson.build).

For each room files are compiled with the room's own flags, as compile_commands.json has them. One
asks the compiler for each header of the rooms that are not in the row (__has_include): none may be
found. One includes such a header: it must be refused for that reason. One includes all headers of
the room itself and of its row: they must compile. The room's files must all be compiled with these
same flags."""
import glob
import json
import os
import re
import shlex
import subprocess
import sys

FOUND = re.compile(r"error: (?:#error )?found ([\w/.]+)")
MISSING = re.compile(r"fatal error: '?([\w/.]+)'?(?: file not found|: No such file)")


def complain(text):
    complain.n += 1
    print(f"walls.py: {text}")


complain.n = 0


class Room:
    def __init__(self, name, folder, commands):
        self.name = name
        self.files = sorted(glob.glob(f"{folder}/{name}/*.c"))
        headers = sorted(glob.glob(f"{folder}/{name}/include/{name}/*.h"))
        self.headers = [os.path.relpath(h, f"{folder}/{name}/include") for h in headers]
        self.target = f"lib{name}.a.p/"
        self.flags = {}
        for c in commands:
            source = os.path.realpath(os.path.join(c["directory"], c["file"]))
            if f"app/tandem/{self.target}" in c["output"] and source in self.files:
                self.flags[source] = self.flags_of(c)
                self.directory = c["directory"]

    @staticmethod
    def flags_of(command):
        """Compiler and flags without what names the file."""
        words = shlex.split(command["command"])
        out, skip = [], False
        for w in words:
            if skip:
                skip = False
            elif w in ("-o", "-MF", "-MQ", "-c"):
                skip = True
            elif w not in ("-MD",) and not w.endswith(command["file"]):
                out.append(w)
        while out and os.path.basename(out[0]) in ("ccache", "sccache"):
            out = out[1:]
        return tuple(out)


def refused(flags, directory, headers, line='#include "{0}"'):
    """What the compiler says of a file with a line for each of these; None: it compiles."""
    run = subprocess.run(
        [*flags, "-fdiagnostics-color=never", "-fsyntax-only", "-x", "c", "-"],
        input="".join(line.format(h) + "\n" for h in headers) + "extern int walls;\n",
        cwd=directory,
        capture_output=True,
        text=True,
        env=dict(os.environ, LC_ALL="C"),
    )
    return None if run.returncode == 0 else run.stderr


def check(room, row, rooms, private):
    flags = set(room.flags.values())
    without = [os.path.basename(f) for f in room.files if f not in room.flags]
    if without:
        complain(f"{room.name}: {', '.join(without)}: not in its target")
    if len(flags) != 1:
        complain(f"{room.name}: {len(flags)} sets of flags for its files, not one")
        return 0
    flags = flags.pop()
    for f in flags:
        seen = os.path.realpath(os.path.join(room.directory, f[2:]))
        if f.startswith("-I") and seen in private:
            complain(f"{room.name}: sees what is private in {seen}")
    mine = [h for r in rooms if r.name in row | {room.name} for h in r.headers]
    said = refused(flags, room.directory, mine)
    if said is not None:
        complain(f"{room.name}: headers of its row do not compile:\n{said}")
    others = [h for r in rooms if r.name not in row | {room.name} for h in r.headers]
    asked = '#if __has_include("{0}")\n#error found {0}\n#endif'
    said = refused(flags, room.directory, others, asked)
    for header in FOUND.findall(said or ""):
        complain(f'{room.name} can include "{header}", which is not in its row')
    if said is not None and not FOUND.search(said):
        complain(f"{room.name}: its compiler cannot be asked for headers:\n{said}")
    if others:
        said = refused(flags, room.directory, others[:1])
        missing = MISSING.search(said or "")
        if missing is None or missing.group(1) != others[0]:
            complain(f'{room.name}: "{others[0]}" is not refused as one not found:\n{said}')
    return len(mine) + len(others)


def main(build, *rows):
    folder = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../app/tandem")
    folder = os.path.normpath(folder)
    commands = json.load(open(os.path.join(build, "compile_commands.json"), encoding="utf-8"))
    rows = {name: set(filter(None, row.split(","))) for name, row in (r.split("=") for r in rows)}
    names = {d for d in os.listdir(folder) if os.path.isdir(os.path.join(folder, d))}
    rooms = [Room(n, folder, commands) for n in sorted(names)]
    if set(rows) != names:
        complain(f"rooms without a row: {sorted(names - set(rows))}")
    private = {folder} | {os.path.join(folder, n) for n in names}
    tried = 0
    for room in rooms:
        tried += check(room, rows[room.name], rooms, private) if room.name in rows else 0
    print(f"{len(rows)} rooms, {tried} headers, {complain.n} complaints")
    return 1 if complain.n > 0 or tried == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
