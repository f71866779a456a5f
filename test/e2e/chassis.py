# SPDX-License-Identifier: BSD-3-Clause
"""The two chassis: their configurations, processes, roles and counters."""

import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from datetime import datetime

from lab import CORE_GATEWAY, SIDES, TOP, VIP, LabError, Process, control, run, wait_until

# Either CPU for each: pinned, four of the six threads of a pair would share one of the two.
LCORES = "0@(0,1),1@(0,1),2@(0,1)"
# From cold start to a pair in sync: EAL, the delay before an election, the join.
PAIR_S = 30
# Where the shipped configurations of the lab look for their keys.
KEYS = "/run/tandem/keys"

# Whom each network sends to, by the network's name.
NEXT_HOPS = {"acc": VIP, "core": CORE_GATEWAY}
# Wherever a case does not say otherwise: two who start together need not wait as long for each
# other as machines do. dead-interval stays what is shipped, a machine with few CPUs may stand
# still.
SOONER = {"srp.hello-interval": "500", "srp.delay-interval": "300"}


def edit(text, key, value):
    """A configuration with a key of a group ("srp.hello-interval") set, in every item if the group
    is a list; value is libconfig text. None removes the key."""
    group, name = key.split(".") if "." in key else (None, key)
    line = re.compile(rf"(?m)^(\s*){re.escape(name)} = [^;]*;")
    new = "" if value is None else rf"\g<1>{name} = {value};"
    if group is None:
        return line.sub(new, text, count=1)
    found = re.search(rf"(?ms)^{group} = .*?^[)}}];", text)
    if found is None:
        raise LabError(f"no group {group}")
    body, count = line.subn(new, found.group(0))
    if count == 0:
        if value is None or not body.startswith(f"{group} = {{"):
            raise LabError(f"no {name} in {group}")
        body = body.replace("{", f"{{\n\t{name} = {value};", 1)
    return text[:found.start()] + body + text[found.end():]


def shipped(side):
    """The lab's own configuration of a side."""
    with open(os.path.join(TOP, "config", f"{side}.conf"), encoding="utf-8") as handle:
        return handle.read()


def make_keys(directory, *names):
    """The pair's keys, made where they are not there yet. Returns the directory."""
    run(os.path.join(TOP, "scripts", "keys.sh"), directory, *names)
    return directory


@functools.cache
def _made_keys():
    """Keys that were made once, for all labs of this run; a directory that goes with the process
    that made it."""
    # pylint: disable-next=consider-using-with
    place = tempfile.TemporaryDirectory(prefix="tandem-keys-")
    make_keys(place.name, "left", "right", "ggsn-a")
    return place


def prepare():
    """Does what need not be done again by each process of a run."""
    _made_keys()


def copy_keys(directory):
    """The keys of the run, where a lab has none of its own yet. Returns the directory."""
    if not os.path.exists(directory):
        shutil.copytree(_made_keys().name, directory)
    return directory


def two_queues(text):
    """A configuration with two queues of each of the workers' ports."""
    return re.sub(r"(iface=.-(?:acc|core)),qpairs=1", r"\1,qpairs=2", text)


# What a pair with two workers needs.
TWO_WORKERS = {"lcores": LCORES + ",3@(0,1)", "rewrite": two_queues}


def without_certificate(text):
    """A configuration without the keys of a certificate."""
    for key in ("ca-file", "certificate-file", "key-file", "peer-name"):
        text = edit(text, f"srp.{key}", None)
    return text


def tandem(build):
    """The daemon."""
    return os.path.join(build, "app", "tandem", "tandem")


def tandemctl(build):
    """The operator's command."""
    return os.path.join(build, "app", "tandemctl", "tandemctl")


class Chassis:
    """One chassis of the pair; it may be started and ended many times."""

    def __init__(self, lab, side, edits=None, lcores=LCORES, own_state=True, rewrite=None):
        self.lab, self.side, self.lcores = lab, side, lcores
        self.noted = {}
        text = shipped(side)
        if own_state:
            self.state = os.path.join(lab.directory, f"{side}.state")
            self.socket = os.path.join(lab.directory, f"{side}.sock")
            text = edit(text, "chassis.state-dir", f'"{self.state}"')
            text = edit(text, "telemetry.control-socket", f'"{self.socket}"')
            text = text.replace(KEYS, copy_keys(os.path.join(lab.directory, "keys")))
            edits = {**SOONER, **(edits or {})}
        else:
            self.state = re.search(r'state-dir = "([^"]*)"', text).group(1)
            self.socket = re.search(r'control-socket = "([^"]*)"', text).group(1)
            make_keys(KEYS)
        os.makedirs(self.state, exist_ok=True)
        edits = edits or {}
        if "srp.insecure" in edits or "srp.psk-file" in edits:
            text = without_certificate(text)
        for key, value in edits.items():
            text = edit(text, key, value)
        if rewrite is not None:
            text = rewrite(text)
        self.file = os.path.join(lab.directory, f"{side}.conf")
        with open(self.file, "w", encoding="utf-8") as handle:
            handle.write(text)
        self.process = None
        self.ended = False  # by the case
        self.daemon = tandem(lab.build)

    def command(self):
        """The daemon's command line."""
        return [self.daemon, *self.lab.memory, "--no-shconf", "--no-pci", "--file-prefix",
                self.lab.prefix + self.side, "--lcores", self.lcores, "--", "-c", self.file]

    def start(self):
        """Starts it; wait_ready says when it is up."""
        self.noted, self.ended = {}, False
        self.process = Process(self.lab, self.lab.namespace(self.side), self.side, self.command())

    def wait_ready(self, timeout=40):
        """Waits until the daemon says that it is up."""
        wait_until(
            lambda: "this chassis is ready" in self.process.output() or not self.process.running(),
            timeout, lambda: f"{self.side} to be ready: {self.process.output()[-1500:]}")
        if not self.process.running():
            raise LabError(f"{self.side} ended with {self.process.popen.returncode}: "
                           f"{self.process.output()[-1500:]}")

    def alive(self):
        """True while the daemon runs."""
        return self.process is not None and self.process.running()

    def kill9(self):
        """SIGKILL. Returns the time of it."""
        at = time.time()
        self.ended = True
        self.process.send(signal.SIGKILL)
        self.process.popen.wait()
        return at

    def term(self, timeout=60):
        """SIGTERM; the exit code."""
        self.ended = True
        self.process.send(signal.SIGTERM)
        return self.process.wait(timeout)

    def may_end(self):
        """The case does what makes it end: by itself, or by a signal."""
        self.ended = True

    def ask(self, command, **args):
        """A control command's whole answer."""
        return control(self.socket, command, **args)

    def ctl(self, command, **args):
        """A control command's data; LabError if it was refused."""
        answer = self.ask(command, **args)
        if not answer.get("ok"):
            raise LabError(f"{self.side}: {command}: {answer}")
        return answer.get("data")

    def info(self):
        """`show srp info`; empty while the daemon is not there."""
        try:
            return self.ctl("show srp info")
        except (OSError, ValueError):
            return {}

    def wait(self, condition, timeout, what):
        """Waits until condition(info) is true."""
        def check():
            if self.process.popen.poll() is not None:
                raise LabError(f"{self.side} ended with {self.process.popen.returncode} while "
                               f"waiting for {what}")
            info = self.info()
            return info if info and condition(info) else None
        return wait_until(check, timeout, lambda: f"{self.side}: {what}; {self.info()}")

    def state_is(self, state, timeout=PAIR_S):
        """Waits for a chassis state."""
        return self.wait(lambda i: i["chassis_state"] == state, timeout, f"chassis state {state}")

    def stood_still_ms(self):
        """Of the silence after which it took over last: how long it did not run itself. A bound of
        the time that this took is for the rest."""
        return self.info()["last_switchover"].get("stood_still_ms", 0)

    def macs(self):
        """The MAC address of each port, by the port's name."""
        return {p["name"]: p["mac"].lower() for p in self.ctl("show ports")["ports"]}

    def is_next_hop(self):
        """Both networks send to this chassis and do not ask who has the VIPs, until
        `ask_for_next_hop`: while both chassis are Active, both answer, and the first one wins."""
        macs = self.macs()
        for network, address in NEXT_HOPS.items():
            mac = macs["access" if network == "acc" else "core"]
            self.lab.ip(network, "neigh", "replace", address, "lladdr", mac, "dev", "br0", "nud",
                        "permanent")

    def sessions(self):
        """What `show sessions` lists, by address."""
        data = self.ctl("show sessions", limit=1000)
        return {s["ue_address"]: s for s in data["sessions"]}

    def total(self):
        """How many sessions it holds."""
        return self.ctl("show sessions", limit=1)["total"]

    def counters(self):
        """All counters of the workers (their sum) and of GTP-C; those of one name are told apart by
        "gtp." before it."""
        return {**self.ctl("show workers")["total"],
                **{f"gtp.{name}": value for name, value in self.ctl("show gtp statistics").items()}}

    def note(self):
        """Counters, and what is logged, begin here."""
        self.noted = self.counters()
        self.process.forget()

    def counter(self, name):
        """A counter (see counters), since it started or since note()."""
        value = (self.ctl("show gtp statistics")[name[4:]] if name.startswith("gtp.")
                 else self.ctl("show workers")["total"][name])
        return value - self.noted.get(name, 0) if isinstance(value, int) else value


class Standstill:
    """The longest time for which a core of a chassis stood still, by its own account. Between two
    looks several stalls count as one."""

    def __init__(self, chassis):
        self.chassis, self.longest_ms = chassis, 0
        self.before = self._told()

    def _told(self):
        return {core["lcore"]: core["stalled_ms"]
                for core in self.chassis.ctl("show workers")["cores"]}

    def look(self):
        """The longest so far."""
        now = self._told()
        self.longest_ms = max(self.longest_ms, *(now[lcore] - self.before[lcore] for lcore in now))
        self.before = now
        return self.longest_ms


# srp.commit-timeout: so long an answer waits for the standby.
COMMIT_MS = 50


def attach_protected(active, standby, attach):
    """Attaches a subscriber when answers are protected, and asserts that this one was: unless the
    standby stood still for longer than an answer waits. Returns what attach() does."""
    active.wait(lambda i: i["answers"] == "protected", 10, "answers that the standby protects")
    told = [active.counter(f"gtp.{name}_answers") for name in ("protected", "unprotected")]
    still = Standstill(standby)
    made = attach()
    now = [active.counter(f"gtp.{name}_answers") for name in ("protected", "unprotected")]
    assert now == [told[0] + 1, told[1]] or still.look() >= COMMIT_MS, f"{told} became {now}"
    return made


class Pair:
    """Both chassis, and which of them has which role now."""

    def __init__(self, lab, edits=None, lcores=LCORES, own_state=True, rewrite=None):
        self.lab = lab
        lab.pair = self
        self.left, self.right = (Chassis(lab, side, edits, lcores, own_state, rewrite)
                                 for side in SIDES)
        self.both = (self.left, self.right)
        for chassis in self.both:
            lab.cleanups.append(lambda c=chassis: remove_prefix(lab, c))

    def start(self):
        """Starts both, and waits for an Active and a Standby in sync."""
        for chassis in self.both:
            chassis.start()
        for chassis in self.both:
            chassis.wait_ready()
        self.settle()
        return self

    def settle(self, timeout=PAIR_S):
        """Waits until one is Active and the other a Standby in sync. Returns (active, standby)."""
        def check():
            for chassis in self.both:
                if not chassis.alive():
                    raise LabError(f"{chassis.side} ended with {chassis.process.popen.returncode}")
            a, b = self.both
            states = {c: c.info() for c in self.both}
            for active, standby in ((a, b), (b, a)):
                if (states[active].get("chassis_state") == "Active"
                        and states[standby].get("chassis_state") == "Standby" and all(
                            i.get("in_sync") and i.get("connection_state") == "Connected"
                            for i in states.values())):
                    return active, standby
            return None
        return wait_until(check, timeout, lambda: "Active and Standby in sync: "
                          f"{self.left.info()} {self.right.info()}")

    @property
    def active(self):
        """The chassis that says it is Active; LabError unless exactly one does."""
        found = [c for c in self.both if c.alive() and c.info().get("chassis_state") == "Active"]
        if len(found) != 1:
            raise LabError(f"{len(found)} chassis are Active")
        return found[0]

    def other(self, chassis):
        """The other one."""
        return self.right if chassis is self.left else self.left

    def identities(self, chassis):
        """What must not change about the sessions when the role moves."""
        keys = ("imsi", "nsapi", "teid", "ue_address", "sgsn_user_address")
        return {tuple(s[k] for k in keys) for s in chassis.sessions().values()}

    def decided_ms(self, chassis, killed_at):
        """How long after `killed_at` the chassis decided that its peer is dead, by its own
        history."""
        for entry in reversed(chassis.ctl("show srp history")["history"]):
            if entry["cause"] == "dead-timer-expiry" and entry["to"] == "Pending-Active":
                return (datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp() -
                        killed_at) * 1000
        raise LabError(f"{chassis.side} has no dead-timer-expiry in its history")

    def switchover(self, timeout=15):
        """A planned switchover. Returns the new Active."""
        old = self.active
        new = self.other(old)
        wait_until(lambda: self.begins(old), 30, "the durable reserve of terms")
        new.state_is("Active", timeout)
        old.state_is("Standby", timeout)
        return new

    @staticmethod
    def begins(old):
        """False: a peer that has just started lifted the reserve, and it is still being written."""
        try:
            old.ctl("srp initiate-switchover")
        except LabError as error:
            if "term reserve" not in str(error):
                raise
            return False
        return True


RECEIVED = ("applied", "refused_stale", "refused_absent", "refused_malformed", "refused_not_owner",
            "refused_other")
ENCODED = ("macro_sent", "micro_sent", "delete_sent", "late_sent")


def ask_for_next_hop(lab):
    """Ends what `Chassis.is_next_hop` began: both networks ask who has the VIPs."""
    for network, address in NEXT_HOPS.items():
        lab.ip(network, "neigh", "del", address, "dev", "br0")


def disagreement(pair):
    """What the two chassis' accounts of the records do not agree on, or None. None as well where
    that cannot be judged now: unless one is Active and the other a Standby in sync, to which it
    streams."""
    try:
        infos = {c: c.info() for c in pair.both}
        roles = {i.get("chassis_state"): c for c, i in infos.items()}
        if set(roles) != {"Active", "Standby"} or not all(i.get("in_sync") for i in infos.values()):
            return None
        told = {c: c.ctl("show srp checkpoint statistics") for c in pair.both}
    except (OSError, ValueError, LabError):
        return None
    for chassis, data in told.items():
        sent, got = data["records_sent"], data["records_received"]
        became = sent["acknowledged"] + sent["superseded"] + sent["in_flight"] + sent["abandoned"]
        if sent["sent"] != became or sent["peer_account"] != "agrees":
            return f"{chassis.side}: records sent: {sent}"
        if sum(data[k] for k in
               ENCODED) != data["tx_entries"] + data["discarded_records"] + data["dropped_records"]:
            return f"{chassis.side}: records encoded, and sent or dropped at home: {data}"
        if data["rx_refused"] != sum(data["rx_" + k] for k in RECEIVED[1:]):
            return f"{chassis.side}: records refused: {data}"
    sent, heard = told[roles["Active"]]["records_sent"], told[roles["Active"]]["records_at_peer"]
    got = told[roles["Standby"]]["records_received"]
    if got["stream"] != sent["stream"] or sent["in_flight"] > 0 or heard != got:
        return f"not quiet: {sent}, {heard}, {got}"
    if sent["sent"] != sum(got[k] for k in RECEIVED) + sent["superseded"]:
        return f"sent and received are not the same records: {sent}, {got}"
    return None


def check_truth(pair, timeout=20):
    """Records sent = applied + refused + superseded + in flight, to the unit, by what both chassis
    say."""
    wait_until(lambda: disagreement(pair) is None, timeout,
               lambda: f"the accounts of the two chassis to agree: {disagreement(pair)}")


def remove_prefix(lab, chassis):
    """What EAL leaves behind of a --no-shconf run."""
    shutil.rmtree(f"/var/run/dpdk/{lab.prefix}{chassis.side}", ignore_errors=True)


def tail(chassis, lines=25):
    """The last lines that a chassis logged."""
    if chassis.process is None:
        return ""
    with open(chassis.process.log, encoding="utf-8", errors="replace") as handle:
        return "".join(handle.readlines()[-lines:])


def check_config(build, text, directory, peer=None):
    """`--check` of a configuration text: (exit code, what it printed)."""
    file = os.path.join(directory, "check.conf")
    keys = copy_keys(os.path.join(directory, "keys"))
    text = text.replace(KEYS, keys).replace("/etc/tandem/", f"{keys}/")
    with open(file, "w", encoding="utf-8") as handle:
        handle.write(text)
    args = [tandem(build), "--no-huge", "--no-shconf", "--no-pci", "--", "-c", file, "--check"]
    if peer is not None:
        other = os.path.join(directory, "peer.conf")
        with open(other, "w", encoding="utf-8") as handle:
            handle.write(peer)
        args += ["--peer", other]
    done = subprocess.run(args,
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          text=True,
                          timeout=20,
                          check=False)
    return done.returncode, done.stdout
