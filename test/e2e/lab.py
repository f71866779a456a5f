# SPDX-License-Identifier: BSD-3-Clause
"""The lab: network namespaces, veth pairs and bridges, and the processes in them.

    ue1, ue2 .. --(tun)-- acc ==bridge 10.8.0.0/24== left, right ==bridge 10.9.0.0/24== core
                                                     left --- right: replication, SRP

A chassis takes its DPDK ports from veths whose frames an nft ingress chain hides from the kernel. All names carry this
process' id; whatever was started is ended by its own pid when the lab closes."""

import contextlib
import ctypes
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
POLL_S = 0.005
CLONE_NEWNET = 0x40000000
VIP = "10.8.0.100"
CORE_GATEWAY = "10.9.0.100"
CORE_HOST = "10.9.0.1"
POOL = "172.20.0.0/16"
SIDES = ("left", "right")

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something of the lab did not do what it should."""


class Skip(Exception):
    """A test cannot run here; the text says why."""


def wait_until(condition, timeout, what):
    """Waits for condition() to be true and returns its value; raises LabError after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise LabError(f"waited {timeout} s in vain for {what() if callable(what) else what}")
        time.sleep(POLL_S)


def run(*args, check=True, timeout=60):
    """Runs a command to its end and returns what it printed."""
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(args)}: exit {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def missing():
    """Why no lab can be made here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    for tool in ("ip", "nft", "ethtool", "sgsnemu", "iperf3", "tshark"):
        if shutil.which(tool) is None:
            return f"needs {tool}"
    return None


def in_namespace(namespace, make):
    """Calls make() on a thread inside a network namespace; sockets made there stay there."""
    result = []

    def enter():
        try:
            with open(f"/run/netns/{namespace}", encoding="ascii") as handle:
                if _libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {namespace}")
            result.append((make(), None))
        except BaseException as error:  # pylint: disable=broad-except
            result.append((None, error))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    value, error = result[0]
    if error is not None:
        raise error
    return value


class Process:
    """A process of the lab, inside a namespace, with all it prints in a file."""

    def __init__(self, lab, namespace, name, args, env=None):
        self.name = name
        self.log = os.path.join(lab.directory, f"{name}.log")
        self.exit_code = None
        with open(self.log, "ab") as out:
            self.start_offset = out.tell()
            # `ip netns exec` becomes the command: the pid is the command's own.
            self.popen = subprocess.Popen(["ip", "netns", "exec", namespace, *args], stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                          cwd=lab.directory, env=env)
        self.pid = self.popen.pid
        lab.processes.append(self)

    def output(self):
        """What it printed since it was started."""
        with open(self.log, "rb") as handle:
            handle.seek(self.start_offset)
            return handle.read().decode("utf-8", "replace")

    def running(self):
        """True until it has ended."""
        return self.popen.poll() is None

    def send(self, number):
        """Sends a signal to it, if it is there."""
        if self.running():
            self.popen.send_signal(number)

    def wait(self, timeout):
        """Its exit code; LabError when it is still there after timeout seconds."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{self.name} still runs after {timeout} s") from error

    def end(self, grace=2.0):
        """SIGTERM, and SIGKILL when that does not do."""
        self.send(signal.SIGTERM)
        try:
            return self.popen.wait(grace)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()


class Lab:
    """One lab. Use as a context manager."""

    def __init__(self, build, keep=False):
        self.build = os.path.abspath(build)
        self.prefix = f"td{os.getpid()}-"
        self.pair = None
        self.keep = keep
        self.memory = ["--no-huge", "-m", "512"]  # what a chassis' EAL gets
        self.processes = []
        self.namespaces = []
        self.cleanups = []
        self.directory = None
        self.lock = None
        self.ue_count = 0

    def __enter__(self):
        # Two labs on the same CPUs would spoil each other's numbers.
        self.lock = open(os.path.join(tempfile.gettempdir(), "tandem-lab.lock"), "w", encoding="ascii")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.directory = tempfile.mkdtemp(prefix=f"tandem-lab-{self.prefix}")
        try:
            self._lay_out()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if self.keep and error is None:
            return
        self.close()

    def namespace(self, name):
        """The full name of one of the lab's namespaces."""
        return self.prefix + name

    def add_namespace(self, name):
        """Makes a namespace with a loopback that is up."""
        full = self.namespace(name)
        run("ip", "netns", "add", full)
        self.namespaces.append(full)
        # A fresh namespace copies the machine's values; reverse path checks and IPv6 chatter are not ours to test.
        self.sysctl(full, "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
                    "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        self.ip(name, "link", "set", "lo", "up")
        return full

    def sysctl(self, full, *settings):
        """Sets kernel values of a namespace."""
        for setting in settings:
            key, value = setting.split("=")
            path = "/proc/sys/" + key.replace(".", "/")
            run("ip", "netns", "exec", full, "sh", "-c", f"[ ! -e {path} ] || echo {value} > {path}")

    def ip(self, name, *args, check=True):
        """`ip` inside a namespace."""
        return run("ip", "-n", self.namespace(name), *args, check=check)

    def veth(self, name, link, peer_name, peer_link):
        """A veth pair between two namespaces, both ends up, with whole checksums."""
        run("ip", "link", "add", link, "netns", self.namespace(name), "type", "veth", "peer", "name", peer_link,
            "netns", self.namespace(peer_name))
        for where, what in ((name, link), (peer_name, peer_link)):
            run("ip", "netns", "exec", self.namespace(where), "ethtool", "-K", what, "tx", "off")
            self.ip(where, "link", "set", what, "up")

    def hide(self, name, links):
        """The kernel of a chassis must not see what DPDK takes from these links, or it would answer as well."""
        rules = ["add table netdev tandem"]
        for link in links:
            chain = link.replace("-", "_")
            rules.append(f"add chain netdev tandem {chain} {{ type filter hook ingress device {link} priority 0; "
                         "policy drop; }")
            rules.append(f"add rule netdev tandem {chain} counter")
        path = os.path.join(self.directory, f"{name}.nft")
        with open(path, "w", encoding="ascii") as handle:
            handle.write("\n".join(rules) + "\n")
        run("ip", "netns", "exec", self.namespace(name), "nft", "-f", path)

    def _lay_out(self):
        for name, address in (("acc", "10.8.0.1/24"), ("core", f"{CORE_HOST}/24")):
            self.add_namespace(name)
            self.ip(name, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0")
            run("ip", "netns", "exec", self.namespace(name), "ethtool", "-K", "br0", "tx", "off")
            self.ip(name, "link", "set", "br0", "up")
            self.ip(name, "addr", "add", address, "dev", "br0")
        for side in SIDES:
            self.add_namespace(side)
        for side in SIDES:
            letter = side[0]
            for network in ("acc", "core"):
                self.veth(side, f"{letter}-{network}", network, f"to-{side}")
                self.ip(network, "link", "set", f"to-{side}", "master", "br0")
        self.veth("left", "l-repl", "right", "r-repl")
        self.veth("left", "l-srp", "right", "r-srp")
        for side, host in (("left", 11), ("right", 12)):
            letter = side[0]
            self.hide(side, [f"{letter}-acc", f"{letter}-core", f"{letter}-repl"])
            self.ip(side, "addr", "add", f"10.6.0.{host}/24", "dev", f"{letter}-srp")
        self.ip("core", "route", "add", POOL, "via", CORE_GATEWAY)

    def add_ue(self):
        """A namespace for one subscriber's traffic, and an address of its own for the SGSN that serves it."""
        self.ue_count += 1
        number = self.ue_count
        name = f"ue{number}"
        self.add_namespace(name)
        address = f"10.8.0.{number + 1}" if number > 1 else "10.8.0.1"
        if number > 1:
            self.ip("acc", "addr", "add", f"{address}/24", "dev", "br0")
        return name, address

    def link(self, name, link, state):
        """Sets a link up or down."""
        self.ip(name, "link", "set", link, state)

    def close(self):
        """Ends every process, then removes everything."""
        for cleanup in reversed(self.cleanups):
            with contextlib.suppress(Exception):
                cleanup()
        for process in reversed(self.processes):
            process.send(signal.SIGTERM)
        for process in reversed(self.processes):
            process.end()
        for name in reversed(self.namespaces):
            run("ip", "netns", "del", name, check=False)
        self.namespaces = []
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
            for side in SIDES:
                shutil.rmtree(f"/var/run/dpdk/{self.prefix}{side}", ignore_errors=True)
        if self.lock is not None:
            self.lock.close()
            self.lock = None


def control(path, command, timeout=5.0, **args):
    """One command to a daemon's control socket; the whole answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect(path)
        sock.sendall(json.dumps({"command": command, "args": args}).encode() + b"\n")
        answer = bytearray()
        while True:
            chunk = sock.recv(65536)
            if not chunk:
                break
            answer += chunk
    return json.loads(answer)


def kept():
    """Namespaces of labs whose maker is gone."""
    names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip()]
    found = []
    for name in names:
        maker = re.match(r"td(\d+)-\w+$", name)
        if maker is not None and not os.path.exists(f"/proc/{maker.group(1)}"):
            found.append(name)
    return found


def clean():
    """Removes labs that were left running: the processes inside their namespaces, then the namespaces."""
    names = kept()
    for name in names:
        for pid in run("ip", "netns", "pids", name, check=False).split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)
    for name in names:
        run("ip", "netns", "del", name, check=False)
        shutil.rmtree(f"/var/run/dpdk/{name}", ignore_errors=True)
        for directory in glob.glob(os.path.join(tempfile.gettempdir(), f"tandem-lab-{name.split('-')[0]}-*")):
            shutil.rmtree(directory, ignore_errors=True)
