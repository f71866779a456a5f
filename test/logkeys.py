#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""logkeys.py GUIDE FILE...: each line that the C files log is a sentence, and then key=value pairs.

The keys are those of the guide's table, and the table has no others. In a sentence stands neither
'=' nor a quotation mark, nor a text that is not the program's own (FIXED). One space stands between
pairs, and no key comes twice in a line. A text in a pair goes through LOG_TEXT(), or is one of the
words that WORDS knows. Prints each finding as FILE:LINE, and exits with 1 when there is one."""

import re
import sys

CALL = re.compile(r"\b(LOG|LOG_AT|log_say|log_last)\(")
STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*|\'(?:\\.|[^\'\\])\'', re.DOTALL)
ROW = re.compile(r"^\| `([^`]*)` \|", re.MULTILINE)
KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
CONVERSION = re.compile(r"%[-0-9.]*(?:l|ll|z)?[a-zA-Z%]")
VALUE = re.compile(r"%[0-9.]*(?:l|ll|z)?[udxf](?:\.%lu)?|%s|[A-Za-z0-9-]+")
FIXED = re.compile(r'(srp|monitor)_\w+_name\(.*\)|[^"]*\?\s+"[^"=]*"\s+:\s+"[^"=]*"', re.DOTALL)
WORDS = re.compile(r'LOG_TEXT\(.*\)|ip_(addr|prefix)_print\(.*\)|(srp|monitor)_\w+_name\(.*\)'
                   r'|log_rooms\[.*\]|[^"]*\?\s+"[a-z-]+"\s+:\s+"[a-z-]+"', re.DOTALL)


def blanked(text):
    """The same without comments; every line stays where it is."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0][0] == "/" else m[0], text)


def arguments(text, at):
    """The arguments of a call whose parenthesis was opened before `at`."""
    found, depth, begin = [], 1, at
    while depth > 0:
        skip = TOKEN.match(text, at)
        if skip:
            at = skip.end()
            continue
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[at], 0)
        if depth == 0 or (depth == 1 and text[at] == ","):
            found.append(text[begin:at].strip())
            begin = at + 1
        at += 1
    return found


def sentence_and_pairs(line):
    """The words before the first pair, and all that stands behind them."""
    words = line.split(" ")
    first = next((i for i, word in enumerate(words) if "=" in word), len(words))
    return " ".join(words[:first]), words[first:]


def findings_of(line, values):
    """What is wrong with one format; the keys that it has."""
    sentence, pairs = sentence_and_pairs(line)
    wrong, keys = [], []
    if '"' in sentence or not sentence.strip():
        wrong.append("the line needs a sentence without quotation marks")
    at = 0
    for conversion in CONVERSION.findall(sentence.replace("%%", "")):
        if conversion == "%s" and (at >= len(values) or not FIXED.fullmatch(values[at])):
            wrong.append("a text in the sentence may forge a pair: it belongs behind it")
        at += 1
    for pair in pairs:
        key, _, value = pair.partition("=")
        if not KEY.fullmatch(key) or not VALUE.fullmatch(value):
            wrong.append(f"not a pair key=value behind the sentence: '{pair}'")
        elif key in keys:
            wrong.append(f"the key {key} comes twice")
        elif value == "%s" and (at >= len(values) or not WORDS.fullmatch(values[at])):
            wrong.append(f"the text of {key} needs LOG_TEXT()")
        keys.append(key)
        at += len(CONVERSION.findall(value))
    return wrong, keys


def lines_of(text):
    """Each line that is logged: where, its format (None: it is none), and what goes into it."""
    for call in CALL.finditer(text):
        args = arguments(text, call.end())
        if call[1] == "log_last":
            yield call.start(), "".join(STRING.findall(args[0])), None
        elif "const char *" not in args[1]:
            whole = re.fullmatch(rf"(?:{STRING.pattern}\s*)+", args[1])
            line = "".join(STRING.findall(args[1])) if whole else None
            yield call.start(), line and line.replace('\\"', '"'), args[2:]


def check(path, known, used):
    """The findings in one file."""
    with open(path, encoding="utf-8") as handle:
        text = blanked(handle.read())
    for at, line, values in lines_of(text):
        where = f"{path}:{text.count(chr(10), 0, at) + 1}"
        wrong, keys = ["its format is not written out"], []
        if values is None: # parts, some of which are no literals
            wrong, keys = [], re.findall(r"(\w+)=", line)
        elif line is not None:
            wrong, keys = findings_of(line, values)
        used.update(keys)
        wrong += [f"{key} is not in the guide's table of keys" for key in keys if key not in known]
        yield from (f"{where}: {what}" for what in wrong)


def main():
    """Prints what is wrong."""
    guide, files = sys.argv[1], sys.argv[2:]
    with open(guide, encoding="utf-8") as handle:
        rows = ROW.findall(handle.read())
    used, found = set(), []
    for path in files:
        found += check(path, set(rows), used)
    found += [f"{guide}: {key} is not lower_snake_case" for key in rows if not KEY.fullmatch(key)]
    found += [f"{guide}: no line has the key {key}" for key in rows if key not in used]
    found += [f"{guide}: there are two rows for {key}" for key in set(rows) if rows.count(key) > 1]
    if len(used) < 20:
        found.append(f"only {len(used)} keys were found: a check of nothing is none")
    sys.exit("\n".join(found) or None)


main()
