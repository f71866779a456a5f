# SPDX-License-Identifier: BSD-3-Clause
"""FRR's zebra, bgpd and bfdd in a namespace of the lab, with directories of their own."""

import datetime
import os
import re
import shutil
import socket

from lab import LabError, Process, Skip, wait_until

DAEMONS = "/usr/lib/frr"
COMMON = """frr defaults traditional
log file {directory}/bgpd.log debugging
log timestamp precision 6
hostname {name}
"""


class Vty:
    """The socket over which a daemon takes vtysh's commands. A vtysh that is started for each
    question reads all commands of all daemons first, which was an eighth of the CPU time of these
    tests."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, command):
        """What a command prints. A command ends with a NUL; its output with three, and a status,
        which is 0 when the command was carried out."""
        self.socket.sendall(command.encode() + b"\0")
        told = b""
        while told[-4:-1] != b"\0\0\0":
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError(f"it closed the connection: {told!r}")
            told += piece
        if told[-1] != 0:
            raise LabError(f"{command}: status {told[-1]}: {told[:-4].decode()}")
        return told[:-4].decode()


class Frr:
    """One router. `conf`: bgpd's configuration behind what is common; `modules`: what bgpd loads;
    `bfd`: bfdd's configuration, None: there is none."""

    def __init__(self, lab, name, conf, modules=(), bfd=None):
        if not os.path.exists(os.path.join(DAEMONS, "bgpd")):
            raise Skip("needs FRR")
        self.lab = lab
        self.name = name
        self.modules = modules
        self.directory = os.path.join(lab.directory, f"frr-{name}")
        self.log = os.path.join(self.directory, "bgpd.log")
        self.bgpd = None
        os.mkdir(self.directory)
        os.chmod(lab.directory, 0o711)  # they run as user frr
        shutil.chown(self.directory, "frr", "frr")
        self.file = self._write("bgpd", COMMON.format(directory=self.directory, name=name) + conf)
        self._start("zebra", ["-f", "/dev/null"])
        wait_until(lambda: os.path.exists(os.path.join(self.directory, "zserv.api")), 15,
                   "zebra's socket")
        if bfd is not None:
            self._start(
                "bfdd",
                ["-f", self._write("bfdd", bfd), "--bfdctl", f"{self.directory}/bfdd.sock"])

    def _write(self, daemon, conf):
        file = os.path.join(self.directory, f"{daemon}.conf")
        with open(file, "w", encoding="utf-8") as handle:
            handle.write(conf)
        shutil.chown(file, "frr", "frr")
        return file

    def _start(self, daemon, arguments):
        place = self.directory
        return Process(self.lab, self.lab.namespace(self.name), f"{self.name}-{daemon}", [
            os.path.join(DAEMONS, daemon), *arguments, "-i", f"{place}/{daemon}.pid", "-z",
            f"{place}/zserv.api", "--vty_socket", place, "-P", "0"
        ])

    def start(self):
        """Starts bgpd."""
        modules = [word for module in self.modules for word in ("-M", module)]
        self.bgpd = self._start("bgpd", ["-f", self.file, *modules])
        return self

    def kill9(self):
        """bgpd dies on the spot."""
        self.bgpd.popen.kill()
        self.bgpd.popen.wait()

    def ask(self, *commands, daemon="bgpd"):
        """Commands for a daemon; what it says."""
        path = os.path.join(self.directory, f"{daemon}.vty")

        def said():
            """What it says, in a tuple; None while one that was just started does not listen."""
            try:
                with Vty(path) as vty:
                    return ("".join(vty.ask(command) for command in ("enable", *commands)),)
            except (FileNotFoundError, ConnectionError):
                return None

        return wait_until(said, 10, f"{daemon} to listen")[0]

    def notices(self, neighbour, state):
        """When bgpd noticed that a neighbour went Up or Down: times of day."""
        with open(self.log, encoding="utf-8", errors="replace") as handle:
            found = re.findall(r"^(\S+ \S+) BGP: .*ADJCHANGE: neighbor "
                               rf"{re.escape(neighbour)}\(.*\) .*\b{state}\b", handle.read(), re.M)
        return [datetime.datetime.strptime(at, "%Y/%m/%d %H:%M:%S.%f").timestamp() for at in found]
