# SPDX-License-Identifier: BSD-3-Clause
"""tandem-load in the lab, and osmo-ggsn, a GGSN that no one here wrote, for it to work against."""

import json
import os
import shutil
import signal

from kernel import set_link
from lab import CORE_GATEWAY, CORE_HOST, POOL, VIP, LabError, Process, wait_until

OSMO = "10.8.0.50"
OSMO_CORE = "10.9.0.50"
# One lcore, on the CPU of the chassis' workers (see LCORES in chassis.py): it turns without a pause
# while there is something to do, and who shares the CPU with the cores that listen to the peer
# makes the chassis take each other for dead.
CPU = "0@1"
OSMO_CONF = """ggsn ggsn0
 gtp state-dir {state}
 gtp bind-ip {address}
 apn internet
  gtpu-mode tun
  tun-device tun4
  type-support v4
  ip prefix dynamic {pool}
  ip ifconfig {first}
  no shutdown
 default-apn internet
 no shutdown ggsn
"""


def path(build):
    """The program."""
    return os.path.join(build, "app", "tandem-load", "tandem-load")


class Load:
    """tandem-load as SGSN in the access network and as the host of the core network. Options by
    name: update_rate=100."""

    def __init__(self, lab, name="load", ggsn=VIP, local="10.8.0.1", core=CORE_HOST, **options):
        self.file = os.path.join(lab.directory, f"{name}.json")
        args = ["--ggsn", ggsn, "--local", local, "--interim", "--output", self.file]
        if core is not None:
            args += ["--core", core]
        for key, value in options.items():
            args += [f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)])
        self.process = self._start(lab, name, args, core is not None)

    def _start(self, lab, name, args, core):
        if core:
            args += ["--core-netns", lab.namespace("core")]
        return Process(lab, lab.namespace("acc"), name, [path(lab.build), *args])

    def reports(self):
        """The reports so far."""
        if not os.path.exists(self.file):
            return []
        with open(self.file, encoding="ascii") as handle:
            whole = handle.read().rpartition("\n")[0]  # the last line may still be written
        return [json.loads(line) for line in whole.splitlines()]

    def wait(self, condition, timeout, what):
        """Waits until condition(reports) is true, and returns it."""
        def check():
            if not self.process.running():
                raise LabError(f"tandem-load ended with {self.process.popen.returncode}: "
                               f"{self.process.output()[-600:]}")
            return condition(self.reports())
        return wait_until(check, timeout, what)

    def wait_created(self, timeout=60):
        """Waits until every context was answered; the report of that moment."""
        return self.wait(lambda found: found[0] if found else None, timeout, "contexts to be "
                                                                             "created")

    def interim(self, timeout=10):
        """A report now. interval_gap is of the time since the last one."""
        before = len(self.reports())
        self.process.send(signal.SIGUSR1)
        return self.wait(lambda found: found[before]
                         if len(found) > before else None, timeout, "an interim report")

    def stop(self):
        """As Ctrl-C."""
        self.process.send(signal.SIGINT)

    def go_on(self):
        """Ends the traffic as its duration does."""
        self.process.send(signal.SIGUSR2)

    def finish(self, timeout=60):
        """Waits for the end: (exit code, final report)."""
        code = self.process.wait(timeout)
        found = self.reports()
        if not found or found[-1]["report"] != "final":
            raise LabError(f"tandem-load ended with {code} and no report: "
                           f"{self.process.output()[-600:]}")
        return code, found[-1]


class PortLoad(Load):
    """The same with DPDK ports: on a veth into each network, with addresses that no kernel has."""

    def __init__(self, lab, **options):
        lab.add_namespace("load")
        for network in ("acc", "core"):
            lab.veth("load", f"p-{network}", network, "to-load")
            lab.inside(network, lambda: set_link("to-load", master="br0"))
        lab.hide("load", ["p-acc", "p-core"])
        lab.cleanups.append(
            lambda: shutil.rmtree(f"/var/run/dpdk/{lab.prefix}load", ignore_errors=True))
        super().__init__(lab,
                         local="10.8.0.60-10.8.0.61",
                         core="10.9.0.60",
                         core_gw=CORE_GATEWAY,
                         **options)

    def _start(self, lab, name, args, core):
        ports = [f"net_af_packet{i},iface=p-{n},qpairs=1,framesz=2048,blocksz=65536,framecnt=2048"
                 for i, n in enumerate(("acc", "core"))]
        return Process(lab, lab.namespace("load"), name, [
            path(lab.build), "--no-huge", "--no-shconf", "-m", "256", "--no-pci", "--file-prefix",
            lab.prefix + "load", "--lcores", CPU, *(f"--vdev={p}" for p in ports), "--", *args
        ])


class OsmoGgsn:
    """osmo-ggsn on the lab's two networks, in a namespace of its own; the core network's route goes
    there."""

    def __init__(self, lab, pool=POOL):
        self.lab = lab
        lab.add_namespace("osmo")
        for network, address in (("acc", OSMO), ("core", OSMO_CORE)):
            lab.veth("osmo", f"o-{network}", network, "to-osmo")
            lab.inside(network, lambda: set_link("to-osmo", master="br0"))
            lab.address("osmo", f"o-{network}", f"{address}/24")
        lab.sysctl(lab.namespace("osmo"), "net.ipv4.ip_forward=1")
        lab.ip("core", "route", "replace", pool, "via", OSMO_CORE)
        state = os.path.join(lab.directory, "osmo.state")
        os.makedirs(state, exist_ok=True)
        file = os.path.join(lab.directory, "osmo.cfg")
        base, bits = pool.split("/")
        first = base.rsplit(".", 1)[0] + f".1/{bits}"
        with open(file, "w", encoding="ascii") as handle:
            handle.write(OSMO_CONF.format(state=state, address=OSMO, pool=pool, first=first))
        self.process = Process(lab, lab.namespace("osmo"), "osmo-ggsn", ["osmo-ggsn", "-c", file])
        wait_until(self._listens, 10, lambda: f"osmo-ggsn: {self.process.output()[-600:]}")

    def _listens(self):
        return f"{OSMO}:2123" in self.lab.run("osmo", "ss", "-ulnH")
