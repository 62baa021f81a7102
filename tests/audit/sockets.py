# SPDX-License-Identifier: MIT
"""The options of the listeners of netproc and metrics, which accepted sockets inherit: asked of the running process's own sockets
(pidfd_getfd, so it needs root). They keep the kernel's queue of a connection short and end dead connections."""

import ctypes
import os
import socket

import live
from report import promise

TEXT = "{}: the kernel stops at 32 KiB unsent, no delay, dead peers are found"
LISTEN = {"netproc": "netproc's listeners", "metrics": "the listener of metrics's page"}
PIDFD_GETFD = 438  # the same on every architecture
WANTED = {
    "TCP_NOTSENT_LOWAT": (socket.IPPROTO_TCP, 25, 32768),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, 18, 75000),
    "TCP_NODELAY": (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    "SO_KEEPALIVE": (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    "SO_REUSEPORT": (socket.SOL_SOCKET, socket.SO_REUSEPORT, 0),
}


def _listeners(pid):
    """Copies of the listening sockets of a process."""
    process = os.pidfd_open(pid)
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        for number in (n for n, target in live.links(pid, "fd").items() if target.startswith("socket:")):
            copy = libc.syscall(PIDFD_GETFD, process, int(number), 0)
            if copy < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            with socket.socket(fileno=copy) as found:
                if found.family != socket.AF_UNIX and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    yield found
    finally:
        os.close(process)


def _faults(pid):
    count = 0
    for listener in _listeners(pid):
        count += 1
        for name, (level, option, value) in WANTED.items():
            found = listener.getsockopt(level, option)
            if found != value:
                yield f"{name} is {found}, not {value}"
    if count == 0:
        yield "no listener"


def check(report, build):
    if not live.is_root():
        report.skip(promise(8), TEXT.format(" and ".join(LISTEN.values())), "needs root")
        return
    try:
        with live.Daemon(build, False, page=True) as daemon:
            for name, words in LISTEN.items():
                report.check(promise(8), TEXT.format(words), _faults(daemon.pid[name]))
    except (OSError, RuntimeError) as error:
        report.skip(promise(8), TEXT.format(" and ".join(LISTEN.values())), str(error))
