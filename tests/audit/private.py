# SPDX-License-Identifier: MIT
"""What the log of the running daemon gives away, at its most talkative, after a client has connected, reserved, registered
and discovered, and after a report of the counters."""

import re
import signal
import subprocess
import time

import live
from report import promise

EXTERNAL = "203.0.113.7"  # ours, as configured: may be printed
OWN = {EXTERNAL, "0.0.0.0"}
ADDRESS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{1,4}:){3,}[0-9a-f:]*|::1\b|/ip6/(?!::/)\S+")
PEER = re.compile(r"\b(?:12D3KooW\w{20,}|Qm\w{44})\b")


def _talk(build, settings):
    """The daemon's output after one client came and the counters were asked for; and the client's exit status."""
    with live.Daemon(build, live.is_root(), {"DUSK_RELAY_EXTERNAL_ADDR": EXTERNAL, **settings}) as daemon:
        client = subprocess.run([f"{build}/bin/dusk-relay", "probe", f"/ip4/127.0.0.1/tcp/{daemon.port}"], capture_output=True,
                                text=True, timeout=60, check=False)
        time.sleep(0.3)
        daemon.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 10
        while "counters end" not in daemon.said() and time.monotonic() < end:
            time.sleep(0.05)
        return daemon.said(), daemon.peer_id(), client


def check(report, build):
    try:
        said, _, client = _talk(build, {})
        quiet, quiet_own, _ = _talk(build, {"DUSK_RELAY_LOG_IDS": "none"})
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        report.check(promise(9), "a client of the running daemon", [str(error)])
        return
    faults = [] if client.returncode == 0 else [client.stdout[-300:] + client.stderr[-300:]]
    faults += [] if "counters end" in said and "peer connected" in said else ["the log does not show the client and the counters"]
    report.check(promise(9), "a client connects, reserves, registers, discovers; the counters are logged", faults)
    report.check(promise(9), "the log at trace holds no IP address but the relay's own",
                 sorted(f"{m} in: {line}" for line in said.splitlines() for m in ADDRESS.findall(line) if m not in OWN))
    report.check(promise(9), "with DUSK_RELAY_LOG_IDS=none the log holds no peer id but the relay's own",
                 sorted(line for line in quiet.splitlines() if set(PEER.findall(line)) - {quiet_own}))
