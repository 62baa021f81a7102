# SPDX-License-Identifier: MIT
"""The built daemon, started in a folder of its own on a free port, as a plain user or in root mode; what /proc says of its
processes. Used by the checks of the running daemon."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

NOBODY = 65534  # who the daemon runs as when the audit is root but the daemon shall be a plain user's
START_SECONDS = 40  # on a busy machine
PROCESSES = ("parent", "keyproc", "netproc")


def is_root():
    return os.geteuid() == 0


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def proc(pid, name):
    """Text of a file of /proc/PID; None when it may not be read."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def status(pid):
    text = proc(pid, "status") or ""
    return dict((key, value.strip()) for key, value in (line.split(":", 1) for line in text.splitlines() if ":" in line))


def links(pid, folder):
    """name -> target of the links in a folder of /proc/PID; None when it may not be read."""
    try:
        return {name: os.readlink(f"/proc/{pid}/{folder}/{name}") for name in os.listdir(f"/proc/{pid}/{folder}")}
    except OSError:
        return None


class Daemon:
    """`with Daemon(build, root) as d`: d.pid maps the names of d.processes to process numbers; d.said() is its output.
    With `page` it shows its counters on the port d.page, by a fourth process."""

    def __init__(self, build, root, settings=None, before=(), page=False):
        self.root = root
        self.port = free_port()
        self.page = free_port() if page else None
        self.processes = PROCESSES + (("metrics",) if page else ())
        self.folder = tempfile.mkdtemp(prefix="audit-daemon-")
        self.output = os.path.join(self.folder, "output")
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.data, 0o700)
        os.chmod(self.folder, 0o755)
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_root() and not root else {}
        if other:
            os.chown(self.data, NOBODY, NOBODY)
        environment = {"DUSK_RELAY_PORT": str(self.port), "XDG_DATA_HOME": self.data, "RUST_LOG": "trace", **(settings or {})}
        if page:
            environment["DUSK_RELAY_METRICS"] = f"127.0.0.1:{self.page}"
        with open(self.output, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen([*before, os.path.abspath(f"{build}/bin/dusk-relay")], env=environment,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, **other)
        self.pid = {}

    def __enter__(self):
        end = time.monotonic() + START_SECONDS
        while "relay address" not in self.said() and time.monotonic() < end:
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        if "relay address" not in self.said():
            said = self.said()[-600:]
            self.__exit__()
            raise RuntimeError(f"the daemon does not start: {said}")
        self.pid = {"parent": self.process.pid, **self._children()}
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _children(self):
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            if status(name).get("PPid") == str(self.process.pid):
                words = (proc(name, "cmdline") or "").split("\0")
                found[os.path.basename(words[0])] = int(name)
        return found

    def said(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()

    def peer_id(self):
        return self.said().split("/p2p/", 1)[1].split()[0]
