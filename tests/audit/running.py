# SPDX-License-Identifier: MIT
"""The running daemon as /proc shows it: privileges, descriptors, sockets, memory, environment; in each mode that the audit
can start (plain user; root mode when it is root), with and without the metrics page. Addresses must differ between two starts, also under
setarch -R."""

import os
import re
import shutil
import stat

import live
from report import HOUSE, promise

NO_CAPABILITY = "0000000000000000"
DESCRIPTORS = {
    "keyproc": ["/dev/null", "/dev/null", "/dev/null", "socket", "socket"],
    # 0 to 2 are the starter's; then signals, two channels, and a third one where there is a metrics page.
    "parent": ["anon_inode:[signalfd]", "socket", "socket"],
    # Two channels, two listeners (IPv4, IPv6), the poller's epoll.
    "netproc": ["/dev/null", "/dev/null", "/dev/null", "socket", "socket", "socket", "socket", "anon_inode:[eventpoll]"],
    # A channel, the page's listener.
    "metrics": ["/dev/null", "/dev/null", "/dev/null", "socket", "socket"],
}
STANDARD = 3


def _privileges(daemon):
    for who, pid in daemon.pid.items():
        lines = live.status(pid)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") + (("CapBnd",) if daemon.root else ()):
            if lines.get(name) != NO_CAPABILITY:
                yield f"{who}: {name} is {lines.get(name)}"
        if "0" in lines.get("Uid", "0").split():
            yield f"{who} is root"
        if live.is_root() and lines.get("Groups"):
            yield f"{who} is in groups {lines['Groups']}"


def _filter(daemon):
    for who, pid in daemon.pid.items():
        lines = live.status(pid)
        for name, wanted in (("Seccomp", "2"), ("NoNewPrivs", "1"), ("Threads", "1"), ("CoreDumping", "0")):
            if lines.get(name) != wanted:
                yield f"{who}: {name} is {lines.get(name)}"
        if int(lines.get("Seccomp_filters", "1")) < 1:
            yield f"{who} has no filter"


def _closed(daemon):
    """Not dumpable: /proc/PID belongs to root."""
    for who, pid in daemon.pid.items():
        if os.stat(f"/proc/{pid}/mem").st_uid != 0:
            yield f"{who}: its memory belongs to its user"
        if not live.is_root() and any(live.proc(pid, name) for name in ("maps", "environ")):
            yield f"{who}: its user can look inside"


def _kind(target):
    return target if target.startswith(("/", "anon_inode:[")) else target.split(":")[0]


def _descriptors(daemon):
    for who, pid in daemon.pid.items():
        held = live.links(pid, "fd")
        numbers = sorted(map(int, held))
        found = [_kind(held[str(n)]) for n in numbers if who != "parent" or n >= STANDARD]
        wanted = DESCRIPTORS[who] + (["socket"] if who == "parent" and daemon.page else [])
        if found != wanted or numbers[:STANDARD] != list(range(STANDARD)):
            yield f"{who} holds {found}"


def _listening(port):
    """Inodes of listening TCP sockets on a port."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table, encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].split(":")[1], 16) == port:
                    inodes.add(words[9])
    return inodes


def _listens(daemon, port, owner):
    inodes = _listening(port)
    if not inodes:
        yield f"nobody listens on {port}"
    if live.is_root():
        for who, pid in daemon.pid.items():
            held = {inode for target in live.links(pid, "fd").values() for inode in re.findall(r"socket:\[(\d+)\]", target)}
            if bool(held & inodes) != (who == owner):
                yield f"{who} {'listens' if held & inodes else 'does not listen'} on {port}"


def _listeners(daemon):
    yield from _listens(daemon, daemon.port, "netproc")
    if daemon.page:
        yield from _listens(daemon, daemon.page, "metrics")


def _memory(daemon):
    for who, pid in daemon.pid.items():
        for line in live.proc(pid, "maps").splitlines():
            if re.search(r" .wx", line):
                yield f"{who}: {line}"
        if who != "parent" and live.proc(pid, "environ"):
            yield f"{who} has an environment"


def _secret_pages(daemon):
    """The key's pages: locked, and left out of core dumps."""
    text = live.proc(daemon.pid["keyproc"], "smaps")
    flags = [line.split()[1:] for line in text.splitlines() if line.startswith("VmFlags:")]
    if not any("lo" in f and "dd" in f for f in flags):
        yield "no page of keyproc is locked and left out of dumps"
    if any("lo" in f and "wr" in f for f in flags):
        yield "locked pages of keyproc can be written"


def _signals(daemon):
    for who in daemon.processes[1:]:
        lines = live.status(daemon.pid[who])
        if int(lines.get("SigCgt", "0"), 16):
            yield f"{who} handles signals"
        ignored = int(lines.get("SigIgn", "0"), 16)
        for number in (1, 2, 10, 12, 13, 15):
            if not ignored >> (number - 1) & 1:
                yield f"{who} does not ignore signal {number}"


def _files(daemon):
    """What it left on disk: the key, for nobody else."""
    found = [os.path.join(path, name) for path, folders, names in os.walk(daemon.data) for name in folders + names]
    for path in found:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode & 0o077:
            yield f"{path} has mode {mode:o}"
    names = sorted(os.path.relpath(path, daemon.data) for path in found)
    if names != ["dusk-relay", "dusk-relay/keypair"]:
        yield f"on disk: {names}"


def _users(daemon):
    users = [live.status(pid).get("Uid", "?").split()[0] for pid in daemon.pid.values()]
    if len(set(users)) != len(daemon.processes):
        yield f"users are {users}"
    ours = os.readlink("/proc/self/ns/pid")
    for who, pid in daemon.pid.items():
        if "(deleted)" not in os.readlink(f"/proc/{pid}/root"):
            yield f"{who} sees a folder"
        if who != "parent" and os.readlink(f"/proc/{pid}/ns/pid") == ours:
            yield f"{who} is in our PID namespace"


def _words(daemon):
    """What it says of itself; the minimum must be in it."""
    line = re.search(r"confinement parent=(\S+) key=(\S+) net=(\S+)(?: metrics=(\S+))?", daemon.said())
    if not line:
        yield "no line about confinement"
        return
    for who, words in zip(daemon.processes, (set((text or "").split(",")) for text in line.groups())):
        missing = {"nnp", "nodump", "nocaps", "seccomp"} - words
        if missing or not words & {"uid", "chroot", "landlock"}:
            yield f"{who} says {sorted(words)}"


def _first_addresses(build, root, before=()):
    with live.Daemon(build, root, before=before) as daemon:
        return {who: (live.proc(pid, "maps") or "").split("-")[0] for who, pid in daemon.pid.items()}


def _addresses_differ(report, build, root, how):
    once, again = _first_addresses(build, root), _first_addresses(build, root)
    faults = [f"{who} starts at {once[who]} again" for who in once if once[who] == again[who]]
    report.check(HOUSE, f"{how}: addresses differ from start to start", faults)
    if shutil.which("setarch") is None:
        report.skip(HOUSE, f"{how}: addresses differ under setarch -R", "no setarch")
        return
    fixed = ("setarch", "-R")
    once, again = _first_addresses(build, root, fixed), _first_addresses(build, root, fixed)
    faults = [f"{who} starts at {once[who]} again" for who in ("keyproc", "netproc") if once[who] == again[who]]
    report.check(HOUSE, f"{how}: the children's addresses differ under setarch -R too", faults)


def _look(report, build, root, page):
    how = ("root mode" if root else "plain user") + (", metrics" if page else "")
    with live.Daemon(build, root, page=page) as daemon:
        if sorted(daemon.pid) != sorted(daemon.processes):
            report.check(HOUSE, f"{how}: {len(daemon.processes)} processes", [str(sorted(daemon.pid))])
            return
        report.check(promise(4), f"{how}: no capability, no group, nobody is root", _privileges(daemon))
        report.check(promise(7), f"{how}: Seccomp 2, NoNewPrivs 1, Threads 1 for all", _filter(daemon))
        report.check(promise(7), f"{how}: the log says which layers are active, the minimum at least", _words(daemon))
        report.check(promise(1), f"{how}: no process is dumpable", _closed(daemon))
        report.check(promise(3), f"{how}: only netproc listens{', on the page only metrics' if page else ''}", _listeners(daemon))
        report.check(HOUSE, f"{how}: children ignore signals and handle none", _signals(daemon))
        if live.is_root():
            report.check(promise(1), f"{how}: descriptors are exactly the ones meant", _descriptors(daemon))
            report.check(promise(3), f"{how}: no memory is written and run; children have no environment", _memory(daemon))
            report.check(promise(1), f"{how}: the key's pages are locked, read-only and not dumped", _secret_pages(daemon))
            report.check(promise(9), f"{how}: on disk is the key and nothing else, for its user alone", _files(daemon))
        else:
            report.skip(promise(1), f"{how}: descriptors, memory, environment", "reading them needs root, as it should")
        if root:
            text = f"{how}: a user for each, an empty root folder, children in a PID namespace of their own"
            report.check(promise(3), text, _users(daemon))
    if live.is_root() and not page:
        _addresses_differ(report, build, root, how)


def check(report, build):
    for root in (False, True) if live.is_root() else (False,):
        try:
            _look(report, build, root, False)
            _look(report, build, root, True)
        except RuntimeError as error:
            report.check(promise(4), f"the daemon runs as {'root' if root else 'a plain user'}", [str(error)])
    if not live.is_root():
        report.skip(promise(4), "root mode", "the audit is not root")
