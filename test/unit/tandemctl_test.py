#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tandemctl_test.py TANDEMCTL COMPLETION: the operator's command against a daemon that says what a
test wants."""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

TANDEMCTL, COMPLETION = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
COMMANDS = [
    "show srp info", "show srp statistics", "show srp checkpoint statistics",
    "show srp audit-statistics", "show gtp statistics", "show srp history", "show sessions",
    "show pools", "show ports", "show workers", "show configuration", "reload configuration",
    "show alarms", "show srp call-loss statistics", "srp initiate-switchover",
    "srp validate-switchover", "srp resync", "show srp monitor", "show radius statistics",
    "srp reset-auth-probe-fail", "srp initiate-audit auto",
    "srp initiate-audit manual-with-sync",
    "show srp configuration-difference", "show license information", "srp validate-configuration",
]
SRP_LABELS = [
    "Context", "Local Address", "Chassis State", "Waits for", "Chassis Mode",
    "Chassis Priority (higher wins)", "Local Tiebreaker", "Route-Modifier", "VIP and Pool Routes",
    "Peer Remote Address", "Peer State", "Peer Mode", "Peer Priority", "Peer Tiebreaker",
    "Peer Route-Modifier", "Last Hello Message received", "Peer Configuration Validation",
    "Last Peer Configuration Error", "Last Peer Configuration Event",
    "Next Configuration", "Peer Next Configuration",
    "Last Validate Switchover Status", "Connection State", "Term", "Replication path",
    "In sync since", "Last switchover",
]


REPLIES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/replies")
# Replies that are kept, and which views they are of.
VIEWS = (("session", ("show", "session", "172.20.0.1")), ("workers", ("show", "workers")),
         ("ports", ("show", "ports")), ("alarms", ("show", "alarms")),
         ("checkpoint", ("show", "srp", "checkpoint", "statistics")))


class Daemon:
    """Takes one connection, keeps the request line, sends `answer` (bytes), closes; then one for
    each of `more`."""

    def __init__(self, answer, hold=False, more=()):
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "s")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.answers, self.request = [answer, *more], None
        self.release = threading.Event()
        if not hold:
            self.release.set()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        self.listener.settimeout(10)
        for answer in self.answers:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with conn:
                self.request = json.loads(conn.makefile("rb").readline())
                if answer is self.answers[-1]:
                    self.listener.close()
                try:
                    conn.sendall(answer)
                except OSError:
                    pass
                self.release.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release.set()
        self.thread.join()
        self.listener.close()
        self.dir.cleanup()


def run(*args, columns=None):
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    env["LC_ALL"] = "C.UTF-8"
    if columns is not None:
        env["COLUMNS"] = str(columns)
    return subprocess.run([TANDEMCTL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=20, env=env)


def ok(data, counters=()):
    """counters: the names of what the daemon says are counters."""
    return json.dumps({"ok": True, "data": data, "counters": list(counters)}).encode() + b"\n"


def ask(answer, *args, columns=None):
    with Daemon(answer) as d:
        p = run("-s", d.path, *args, columns=columns)
    return p, d.request


def recorded(name):
    """What a daemon answered once: the data of a view."""
    with open(os.path.join(REPLIES, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


class Commands(unittest.TestCase):
    def test_every_command(self):
        for words in COMMANDS:
            p, request = ask(ok({"a": 1}), *words.split())
            self.assertEqual((p.returncode, p.stderr), (0, ""), words)
            self.assertEqual(request, {"command": words, "args": {}})

    def test_refused(self):
        for words in COMMANDS:
            p, _ = ask(b'{"ok":false,"error":"not Active"}\n', *words.split())
            self.assertEqual((p.returncode, p.stdout, p.stderr), (1, "", "tandemctl: not Active\n"),
                             words)

    def test_args(self):
        for args, command, want in [
            (["show", "sessions", "--limit", "5"], "show sessions", {"limit": 5}),
            (["--limit=7", "show", "sessions"], "show sessions", {"limit": 7}),
            (["srp", "initiate-switchover", "--force"], "srp initiate-switchover", {"force": True}),
            (["srp", "initiate-switchover", "force"], "srp initiate-switchover", {"force": True}),
            (["show", "session", "172.20.0.1"], "show session",
             {"id": "172.20.0.1", "kind": "address"}),
            (["show", "session", "2001:db8::1"], "show session",
             {"id": "2001:db8::1", "kind": "address"}),
            (["show", "session", "001010123456789"], "show session",
             {"id": "001010123456789", "kind": "imsi"}),
            (["show", "session", "0x12ab34cd"], "show session",
             {"id": "0x12ab34cd", "kind": "teid"}),
            (["show", "srp", "history", "5"], "show srp history", {"limit": 5}),
            (["show", "srp", "call-loss", "statistics", "7"], "show srp call-loss statistics",
             {"limit": 7}),
            (["show", "session", "4294967295"], "show session",
             {"id": "4294967295", "kind": "teid"}),
            (["save", "configuration", "/etc/a b.conf"], "save configuration",
             {"file": "/etc/a b.conf"}),
        ]:
            p, request = ask(ok({}), *args)
            self.assertEqual(p.returncode, 0, args)
            self.assertEqual(request, {"command": command, "args": want})

    def test_abbreviations(self):
        for short, words in [
            ("sh srp inf", "show srp info"), ("sh sr s", "show srp statistics"),
            ("sh srp ch s", "show srp checkpoint statistics"),
            ("sh srp ch st", "show srp checkpoint statistics"), ("sh po", None),
            ("sh por", "show ports"), ("sh sess", None), ("show session", None),
            ("sr initiate-s", "srp initiate-switchover"), ("sr i", None), ("sr r", None),
            ("sr resy", "srp resync"), ("sr rese", "srp reset-auth-probe-fail"), ("s s", None),
            ("sh", None), ("sh srp c", None), ("shows", None), ("show srp info now", None),
        ]:
            if words is None:
                p = run("-s", "/nonexistent", *short.split())
                self.assertEqual((p.returncode, p.stdout), (2, ""), short)
                self.assertNotIn("cannot reach", p.stderr, short)
                self.assertEqual(p.stderr.count("\n"), 1, short)
            else:
                p, request = ask(ok({}), *short.split())
                self.assertEqual((p.returncode, request["command"]), (0, words), short)

    def test_usage(self):
        for args in [[], ["--limit", "0", "show", "sessions"], ["--limit", "x", "show", "sessions"],
                     ["--timeout", "0", "show", "pools"], ["show", "pools", "--limit", "3"],
                     ["show", "pools", "--force"], ["show", "srp", "history", "0"],
                     ["show", "srp", "history", "x"], ["show", "srp", "history", "1", "2"],
                     ["show", "srp", "history", "--limit", "3"], ["--colour"],
                     ["show", "session", "a b"], ["show", "session", "1234567890123456"],
                     ["show", "session", "1.2.3.4", "5"], ["--name", "../x", "show", "pools"]]:
            p = run(*args)
            self.assertEqual((p.returncode, p.stdout), (2, ""), args)
            self.assertNotEqual(p.stderr, "", args)

    def test_past(self):
        row = {"time": "2026-11-27T01:02:03.000004Z", "to": "Active", "lost": 0, "outage_ms": 80.5,
               "phases": [{"phase": "silence", "took_ms": 80.1}, {"phase": "own", "took_ms": 0.4}]}
        p, _ = ask(ok({"switchovers": [row]}), "show", "srp", "call-loss", "statistics")
        self.assertEqual(p.stdout,
                         "Time                         To      Lost  Outage (ms)  Phases\n"
                         "2026-11-27T01:02:03.000004Z  Active     0         80.5  "
                         "silence 80.1, own 0.4\n")
        p, _ = ask(ok({"history": []}), "show", "srp", "history")
        self.assertEqual(p.stdout, "none\n")
        cleared = {"alarm": "peer-lost", "raised": "a", "cleared": "b", "text": "c d"}
        p, _ = ask(ok({"alarms": [], "cleared": [cleared]}), "show", "alarms")
        self.assertEqual(p.stdout,
                         "Alarms: -\nCleared:\n  Alarm      Raised  Cleared  Text\n"
                         "  peer-lost  a       b        c d\n")

    def test_help(self):
        p = run("--help")
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        for words in COMMANDS:
            self.assertIn("\n  " + words, p.stdout)
        p = run("srp", "--help")
        self.assertEqual(p.returncode, 0)
        self.assertIn("srp initiate-switchover [force]", p.stdout)
        self.assertNotIn("show pools", p.stdout)
        self.assertIn("show srp history [N]", run("show", "srp", "--help").stdout)
        self.assertEqual(run("help").stdout, run("--help").stdout)
        self.assertEqual(run("help", "srp").stdout, p.stdout)
        for words in COMMANDS:
            p = run(*words.split(), "-h")
            self.assertEqual(p.returncode, 0)
            self.assertEqual(len(re.findall(r"^  (?:show|srp|save|reload) ", p.stdout, re.M)), 1,
                             words)


class NoDaemon(unittest.TestCase):
    def check(self, p, path, said):
        self.assertEqual((p.returncode, p.stdout), (2, ""))
        self.assertEqual(p.stderr.count("\n"), 1)
        self.assertIn(path, p.stderr)
        self.assertIn(said, p.stderr)

    def test_absent(self):
        self.check(run("-s", "/nonexistent/s", "show", "pools"),
                   "cannot reach tandem at /nonexistent/s: No such file or directory: "
                   "is it running?", "")
        self.check(run("--name", "nobody", "show", "pools"), "/run/tandem/nobody.sock",
                   "is it running?")
        self.check(run("-s", "/" + "x" * 200, "show", "pools"), "/xxx", "too long")

    def test_dead(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "s")
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(path)
            self.check(run("-s", path, "show", "pools"), path, "Connection refused: is it running?")

    def test_bad_answers(self):
        for answer, said in [(b"", "no answer"), (b"\n\n", "no answer"),
                             (b"garbage\n", "not understood"), (b"[1]\n", "not understood"),
                             (b'{"data":{}}\n', "not understood"),
                             (b'{"ok":1}\n', "not understood"),
                             (b'{"ok":true,"da', "not understood"),
                             (ok({"a": []}) + b"junk\n", "not understood"),
                             (b"\xff\xfe\n", "not understood")]:
            with Daemon(answer) as d:
                p = run("-s", d.path, "show", "pools")
            self.check(p, d.path, said)

    def test_silent(self):
        with Daemon(b"", hold=True) as d:
            p = run("-s", d.path, "-t", "1", "show", "pools")
            self.check(p, d.path, "timed out")


class Text(unittest.TestCase):
    def text(self, data, *args):
        p, _ = ask(ok(data), *args)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        return p.stdout

    def test_object(self):
        self.assertEqual(self.text({"peer_state": "Standby", "last_hello_age_ms": 340,
                                    "rx_bytes": 7, "in_sync": True, "link": None, "load": 0.25,
                                    "roles": ["access", "core"], "none": [],
                                    "gtp": {"echo_requests": 3, "teid": "0x1"}},
                                   "show", "srp", "statistics"),
                         "Peer State:     Standby\n"
                         "Last Hello Age: 340 ms\n"
                         "RX Bytes:       7\n"
                         "In Sync:        yes\n"
                         "Link:           -\n"
                         "Load:           0.25\n"
                         "Roles:          access, core\n"
                         "None:           -\n"
                         "GTP:\n"
                         "  Echo Requests: 3\n"
                         "  TEID:          0x1\n")

    def test_words_that_stand_alone(self):
        for word, text in (("protected", "protected by the standby"),
                           ("unprotected", "not protected by the standby"),
                           ("none", "none by this chassis"), ("?", "?")):
            self.assertEqual(self.text({"answers": word}, "show", "gtp", "statistics"),
                             f"Answers: {text}\n")
            p, _ = ask(ok({"answers": word}), "show", "srp", "info")
            self.assertTrue(re.search(f"\nAnswers: +{re.escape(text)}\n$", p.stdout), p.stdout)

    def test_no_limit_of_the_rate(self):
        for rate, text in ((0, "unlimited"), (70, "70 Mbit/s")):
            self.assertEqual(self.text({"replication_rate_mbps": rate}, "show", "srp",
                                       "checkpoint", "statistics"), f"Replication Rate: {text}\n")

    def test_table(self):
        pools = [{"name": "subscribers", "size": 65536, "used": 3},
                 {"name": "t\u00e9", "used": 65534, "quarantine_s": 10}]
        table = ("Name          Size   Used  Quarantine (s)\n"
                 "subscribers  65536      3               -\n"
                 "t\u00e9               -  65534              10\n")
        self.assertEqual(self.text({"pools": pools}, "show", "pools"), table)
        self.assertEqual(self.text(pools, "show", "pools"), table)
        nested = self.text({"total": 2, "pools": pools}, "show", "pools")
        self.assertEqual(nested, "Total: 2\nPools:\n"
                         + "".join("  " + line + "\n" for line in table.splitlines()))

    def test_nothing(self):
        self.assertEqual(self.text({"sessions": []}, "show", "sessions"), "none\n")
        self.assertEqual(self.text({}, "srp", "initiate-switchover"), "done\n")
        p, _ = ask(b'{"ok":true}\n', "srp", "initiate-switchover")
        self.assertEqual((p.returncode, p.stdout), (0, "done\n"))
        self.assertEqual(self.text("fine", "show", "alarms"), "fine\n")
        self.assertEqual(self.text({"a": 1, "keys": {}}, "show", "ports"), "A:    1\nKeys: -\n")

    def test_texts_stand_one_a_line(self):
        found = {"differences": ["srp.port = 8484 here, 8485 there", "pools is 'x y' here"]}
        self.assertEqual(self.text(dict(found, n=1), "show", "srp", "configuration-difference"),
                         "Differences:\n  srp.port = 8484 here, 8485 there\n"
                         "  pools is 'x y' here\nN: 1\n")
        p, _ = ask(ok(dict(found, n=1)), "show", "srp", "configuration-difference", columns=25)
        self.assertIn("\n  srp.port = 8484 here,\n    8485 there\n", p.stdout)

    def test_names_of_operators(self):
        """A name stands as it was written: it is a value, and no label."""
        servers = [{"name": "aaa1", "state": "up"}, {"name": "x_ms", "state": "down"}]
        self.assertEqual(self.text({"servers": servers}, "show", "radius", "statistics"),
                         "Name  State\naaa1  up\nx_ms  down\n")

    def test_odd_shapes(self):
        for data in [1, None, False, [1, 2], [[1], {"a": 1}], [{"a": 1}, 2],
                     {"a": [{"b": {"c": 1}}, 3]}, {"": 1}, {"_ms": 1}, {"_": {"_": {}}},
                     {"x" * 500: "y" * 500}, [{"c%d" % i: i for i in range(50)}],
                     {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}]:
            for words in (["show", "pools"], ["show", "srp", "info"], ["show", "configuration"]):
                self.assertNotEqual(self.text(data, *words), "", data)

    def test_control_characters(self):
        out = self.text({"apn": "a\u001b[31mb\n", "rows\u001b": [{"k\u001b": "\u0007"}]}, "show",
                        "alarms")
        self.assertFalse(any(ord(c) < 32 and c != "\n" for c in out), out)
        self.assertIn("a?[31mb?", out)
        p, _ = ask(b'{"ok":false,"error":"no\\u001b[31m"}\n', "show", "pools")
        self.assertEqual(p.stderr, "tandemctl: no?[31m\n")

    def test_configuration(self):
        text = "chassis = {\n\tname = \"a\";\n};\n"
        self.assertEqual(self.text({"text": text}, "show", "configuration"), text)

    def test_json(self):
        p, _ = ask(ok({"b": [1], "a": {"x_ms": 1}}), "--json", "show", "pools")
        self.assertEqual(p.stdout, '{\n  "b": [\n    1\n  ],\n  "a": {\n    "x_ms": 1\n  }\n}\n')
        p, _ = ask(b'{"ok":true}\n', "--json", "show", "pools")
        self.assertEqual(p.stdout, "{}\n")
        p, _ = ask(b'{"ok":false,"error":"no"}\n', "show", "pools", "-j")
        self.assertEqual((p.returncode, p.stdout, p.stderr), (1, "", "tandemctl: no\n"))

    def test_answer_in_parts(self):
        parts = ok({"total": 3, "sessions": [{"n": 1}]}) + ok({"sessions": [{"n": 2}, {"n": 3}]})
        p, _ = ask(parts, "--json", "show", "sessions")
        self.assertEqual(json.loads(p.stdout),
                         {"total": 3, "sessions": [{"n": 1}, {"n": 2}, {"n": 3}]})
        p, _ = ask(ok({"sessions": [{"n": 1}]}) + b'{"ok":false,"error":"changed meanwhile"}\n',
                   "show", "sessions")
        self.assertEqual((p.returncode, p.stdout), (1, ""))

    def test_many_sessions(self):
        rows = [{"address": f"172.20.{i >> 8}.{i & 255}", "teid": f"0x{i:08x}", "up_bytes": i}
                for i in range(20000)]
        self.assertEqual(len(self.text({"sessions": rows}, "show", "sessions").splitlines()), 20001)


class Layout(unittest.TestCase):
    """Recorded replies as pages, tables and blocks."""

    def text(self, name, *args, columns=None):
        p, _ = ask(ok(recorded(name), recorded("counters")[name]), *args, columns=columns)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        return p.stdout

    def check_golden(self, name, got):
        path = os.path.join(REPLIES, name + ".txt")
        if os.environ.get("UPDATE"):
            with open(path, "w", encoding="utf-8") as f:
                f.write(got)
        with open(path, encoding="utf-8") as f:
            self.assertEqual(f.read(), got)

    def test_golden(self):
        for name, args in VIEWS:
            self.check_golden(name, self.text(name, *args, columns=80))

    def test_width(self):
        for name, args in VIEWS:
            for columns in (60, 80, 132, 300):
                for more in ((), ("--all",)):
                    lines = self.text(name, *args, *more, columns=columns).splitlines()
                    self.assertLessEqual(max(map(len, lines)), columns, name)
                    self.assertFalse(any("{" in line for line in lines), name)

    def test_page(self):
        """One field a line, whatever a reply has more, and a page for each session."""
        data = recorded("session")
        one = data["sessions"][0]
        lines = self.text("session", "show", "session", "172.20.0.1").splitlines()
        groups = [line[:-1] for line in lines if not line.startswith(" ")]
        self.assertEqual(groups, ["Subscriber", "Tunnel", "Address", "QoS", "Usage",
                                  "Replication", "Times"])
        for key, value in one.items():
            if key != "created_ms" and not isinstance(value, dict):
                self.assertTrue(any(str(value) in line for line in lines), key)
        data["sessions"].append(dict(one, later_s=7))
        p, _ = ask(ok(data), "show", "session", one["imsi"])
        self.assertEqual(p.stdout.count("Subscriber:\n"), 2)
        self.assertTrue(p.stdout.endswith("Other:\n  Later:                    7 s\n"), p.stdout)

    def test_blocks(self):
        rows = [{"name": "a", "text": "x" * 30, "n": 1},
                {"name": "b", "text": "y z " * 9, "n": {"k_ms": 2}}]
        p, _ = ask(ok({"alarms": rows}), "show", "alarms", columns=40)
        self.assertEqual(p.stdout, "a:\n  Text: " + "x" * 30 + "\n  N:    1\nb:\n  Text: "
                         + ("y z " * 8)[:-1] + "\n        y z \n  N:\n    K: 2 ms\n")
        del rows[1]
        p, _ = ask(ok({"alarms": rows}), "show", "alarms", columns=40)
        self.assertEqual(p.stdout, "Name  Text                            N\na     " + "x" * 30
                         + "  1\n")

    def test_zero(self):
        data = {"rx": 0, "tx": 5, "bytes_in_bytes": 0, "queues": 0, "age_ms": 0,
                "keys": {"a": 0, "b": 0},
                "rows": [{"core": 0, "none": 0, "some": 0}, {"core": 1, "none": 0, "some": 3}]}
        counters = ("rx", "tx", "bytes_in_bytes", "age_ms", "a", "b", "none", "some")
        p, _ = ask(ok(data, counters), "show", "workers")
        self.assertEqual(p.stdout, "TX:     5\nQueues: 0\nAge:    0 ms\nKeys:\n  all are zero\n"
                         "Rows:\n  Core  Some\n     0     0\n     1     3\n"
                         "(6 counters are zero: see --all)\n")
        p, _ = ask(ok(data, counters), "show", "workers", "--all")
        self.assertIn("\nBytes In Bytes: 0\n", p.stdout)
        self.assertIn("  Core  None  Some\n", p.stdout)
        self.assertNotIn("--all", p.stdout)
        p, _ = ask(ok({"rx": 0}, ("rx",)), "show", "pools")
        self.assertEqual(p.stdout, "RX: 0\n", "what is no view of counters shows its zeros")
        p, _ = ask(ok({"rx": 0, "tx": 1}), "show", "workers")
        self.assertEqual(p.stdout, "RX: 0\nTX: 1\n", "what the daemon calls no counter is shown")


class Watch(unittest.TestCase):
    def watch(self, first, second, *args, counters=("rx_packets", "rx_bytes", "n", "stalled_ms")):
        with Daemon(ok(first, counters), more=[ok(second, counters)]) as d:
            p = run("-s", d.path, "-w", "0.1", *args)
        self.assertEqual(p.returncode, 2)
        self.assertIn("is it running?", p.stderr)
        return p.stdout

    def test_rates(self):
        """Counters that grew have one: not levels, not times, not what did not grow."""
        out = self.watch(
            {"rx_packets": 100, "rx_bytes": 5, "routes": 7, "stalled_ms": 3, "n": 9},
            {"rx_packets": 10100, "rx_bytes": 5, "routes": 9, "stalled_ms": 99, "n": 3},
            "show", "ports")
        heads = re.findall(r"^\S+Z, every 0.1 s$", out, re.M)
        self.assertEqual(len(heads), 2, out)
        _, first, second = out.split(" every 0.1 s\n")
        self.assertNotIn("/s)", first)
        rate = re.search(r"RX Packets: +10100 \((\d+)/s\)", second)
        self.assertTrue(rate and 10000 / 3 < int(rate[1]) <= 100000, second)
        self.assertEqual(second.count("/s)"), 1, second)
        self.assertRegex(second, r"\nRoutes: +9\nStalled: +99 ms\n")

    def test_rows(self):
        """A row's rates are of the same row, by what names it."""
        out = self.watch({"rows": [{"name": "a", "n": 1}, {"name": "b", "n": 1}]},
                         {"rows": [{"name": "c", "n": 7}, {"name": "b", "n": 1001}]},
                         "show", "ports")
        self.assertRegex(out, r"\nc +7\nb +1001 \(\d+/s\)\n")

    def test_json(self):
        out = self.watch({"a": {"n": 1}}, {"a": {"n": 2}}, "--json", "show", "ports")
        decoder, texts = json.JSONDecoder(), []
        while out.strip():
            value, end = decoder.raw_decode(out.lstrip())
            out = out.lstrip()[end:]
            texts.append(value)
        self.assertEqual(texts[0], {"a": {"n": 1}})
        self.assertEqual(set(texts[1]["a"]), {"n", "n_per_s"})

    def test_refused(self):
        for args in (["-w", "1", "srp", "resync"], ["-w", "0", "show", "pools"],
                     ["--watch", "x", "show", "pools"]):
            p = run("-s", "/nonexistent", *args)
            self.assertEqual((p.returncode, p.stdout), (2, ""), args)
            self.assertIn("--watch", p.stderr, args)


class SrpInfo(unittest.TestCase):
    def test_labels_in_order(self):
        for data in ({}, {"term": 3, "chassis_state": "Active", "extra_thing_s": 4}):
            p, _ = ask(ok(data), "show", "srp", "info")
            labels = [line.split(":")[0] for line in p.stdout.splitlines()]
            self.assertEqual(labels, SRP_LABELS + (["Extra Thing"] if data else []))
        self.assertIn("\nChassis State:                   Active\n", p.stdout)
        self.assertIn("\nTerm:                            3\n", p.stdout)
        self.assertTrue(p.stdout.endswith("\nExtra Thing:                     4 s\n"), p.stdout)

    def test_waits_for(self):
        for text, shown in (("", "-"), ("the probe of the VIPs", "the probe of the VIPs")):
            p, _ = ask(ok({"waits_for": text}), "show", "srp", "info")
            self.assertIn(f"\nWaits for:                       {shown}\n", p.stdout)

    def test_sync(self):
        p, _ = ask(ok({"in_sync_since": "2026-01-02 03:04:05", "in_sync_age_ms": 7}), "show",
                   "srp", "info")
        self.assertIn("In sync since:                   2026-01-02 03:04:05 (7 ms ago)",
                      p.stdout.splitlines())
        p, _ = ask(ok({"servers": []}), "show", "radius", "statistics")
        self.assertEqual(p.stdout, "none\n")

    def test_hello_and_switchover(self):
        data = {"last_hello_time": "2026-01-02 03:04:05", "last_hello_age_ms": 12,
                "last_switchover": {"cause": "dead-timer-expiry", "outage_ms": 31,
                                    "phases": [{"phase": "decide", "took_ms": 30}]}}
        p, _ = ask(ok(data), "show", "srp", "info")
        self.assertIn("\nLast Hello Message received:     2026-01-02 03:04:05 (12 ms ago)\n",
                      p.stdout)
        self.assertTrue(p.stdout.endswith("Last switchover:\n  Cause:  dead-timer-expiry\n"
                                          "  Outage: 31 ms\n  Phases:\n"
                                          "    Phase   Took (ms)\n    decide         30\n"),
                        p.stdout)
        p, _ = ask(ok({"last_hello_age_ms": 12}), "show", "srp", "info")
        self.assertIn("\nLast Hello Message received:     12 ms ago\n", p.stdout)


class Completion(unittest.TestCase):
    def complete(self, *words):
        line = " ".join(f"'{w}'" for w in (TANDEMCTL, *words))
        script = (f"source {COMPLETION}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _tandemctl; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True,
                              timeout=20).stdout.split()

    def test_words(self):
        self.assertEqual(self.complete(""), ["show", "save", "reload", "srp"])
        self.assertEqual(self.complete("sh"), ["show"])
        self.assertEqual(self.complete("show", "s"), ["srp", "sessions", "session"])
        self.assertEqual(self.complete("--name", "left", "show", "srp", "ch"), ["checkpoint"])
        self.assertEqual(self.complete("srp", ""),
                         ["resync", "initiate-switchover", "initiate-audit", "validate-switchover",
                          "validate-configuration", "reset-auth-probe-fail"])
        self.assertEqual(self.complete("--j"), ["--json"])
        self.assertEqual(self.complete("show", "pools", "--t"), ["--timeout"])
        self.assertEqual(self.complete("-t", ""), [])
        self.assertEqual(self.complete("-t", "3", "show", "srp", "ch"), ["checkpoint"])
        self.assertEqual(self.complete("-s", COMPLETION[:-2]), [COMPLETION])
        self.assertEqual(self.complete("srp", "initiate-switchover", ""), ["force"])
        self.assertEqual(self.complete("sa", "conf", COMPLETION[:-2]), [COMPLETION])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
