"""The relay under test: the real program, started as an operator starts it."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

ADDRESS_LINE = re.compile(r"^  relay address: /ip4/0\.0\.0\.0/tcp/(\d+)/p2p/(\S+)$")
START_TIMEOUT = 20
STOP_TIMEOUT = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Relay:
    def __init__(self, program, state, log_path, port, settings, host="127.0.0.1", prefix=()):
        self.port = port
        self._log_path = log_path
        self._ready = threading.Event()
        self._crashed = False
        self.peer = None
        with open(log_path, "a", encoding="utf-8") as log:
            self._process = subprocess.Popen([*prefix, program], env=environment(state, port, settings), cwd=state,
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        threading.Thread(target=self._read_stdout, daemon=True).start()
        self._await_ready()
        self.addr = f"/ip4/{host}/tcp/{self.port}/p2p/{self.peer}"

    def circuit_to(self, peer):
        return f"{self.addr}/p2p-circuit/p2p/{peer}"

    def log(self):
        with open(self._log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def running(self):
        return self._process.poll() is None

    def private_memory(self):
        """RssAnon of the relay's processes together, in bytes."""
        total, waiting = 0, [self._process.pid]
        while waiting:
            pid = waiting.pop()
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                total += sum(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                waiting += [int(child) for child in children.read().split()]
        return total

    def stop(self):
        """Ends the relay as a service manager does; it has to leave with status 0, unless it was made to crash."""
        if self._crashed:
            return
        if self.running():
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the relay did not end within {STOP_TIMEOUT} s of SIGTERM") from None
        if status != 0:
            raise AssertionError(f"the relay ended with status {status}, not 0")

    def crash(self):
        """Ends the relay without a warning. Its port is free when this returns."""
        self._crashed = True
        self.kill()
        deadline = time.monotonic() + STOP_TIMEOUT
        while answers(self.port):
            assert time.monotonic() < deadline, f"the relay was killed and still listens {STOP_TIMEOUT} s later"
            time.sleep(0.05)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def _read_stdout(self):
        for line in self._process.stdout:
            match = ADDRESS_LINE.match(line.rstrip("\n"))
            if match:
                self.port, self.peer = int(match[1]), match[2]
                self._ready.set()
        self._ready.set()  # the end of the output ends the wait too

    def _await_ready(self):
        self._ready.wait(START_TIMEOUT)
        if self.peer is None:
            self.kill()
            raise AssertionError(f"the relay printed no address within {START_TIMEOUT} s; its status is "
                                 f"{self._process.returncode}, its log: {self.log()[-2000:]}")


def environment(state, port, settings):
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    own = {"HOME": state, "XDG_DATA_HOME": state, "RUST_LOG": "debug", "DUSK_RELAY_PORT": str(port)}
    return {**kept, **own, **settings}
