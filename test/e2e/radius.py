# SPDX-License-Identifier: BSD-3-Clause
"""FreeRADIUS in a namespace of the lab; its configuration is freeradius/."""

import os
import shutil
import signal

from lab import Process, Skip, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "testing123"


class FreeRadius:
    """One server, on all addresses of a namespace; it may be started and ended many times."""

    def __init__(self, lab, namespace):
        if shutil.which("freeradius") is None:
            raise Skip("needs freeradius")
        self.lab, self.namespace = lab, namespace
        self.directory = os.path.join(lab.directory, f"radius-{namespace}")
        self.process = None
        os.mkdir(self.directory)
        for name in ("radiusd.conf.in", "users"):
            with open(os.path.join(HERE, "freeradius", name), encoding="ascii") as handle:
                text = handle.read().replace("@DIR@", self.directory)
            path = os.path.join(self.directory, name.removesuffix(".in"))
            with open(path, "w", encoding="ascii") as handle:
                handle.write(text)
            os.chmod(path, 0o600)

    def start(self):
        """Starts it, and waits until it answers."""
        self.process = Process(
            self.lab, self.lab.namespace(self.namespace), f"radius-{self.namespace}",
            ["freeradius", "-f", "-l", "stdout", "-d", self.directory, "-n", "radiusd"])
        wait_until(lambda: "Ready to process requests" in self.process.output(), 20,
                   lambda: f"FreeRADIUS to be ready: {self.process.output()[-800:]}")
        return self

    def kill9(self):
        """It is gone: who asks is told that nobody listens."""
        self.process.popen.kill()
        self.process.popen.wait()

    def pause(self, on):
        """It is there and says nothing."""
        self.process.send(signal.SIGSTOP if on else signal.SIGCONT)
