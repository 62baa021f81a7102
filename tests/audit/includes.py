# SPDX-License-Identifier: MIT
"""Who may include whom (table may-include), no circle among the headers, every header compiles alone."""

import os
import re
import shlex
import subprocess

import sources
from report import HOUSE, promise

# Of the C library and the kernel. What is special stands in the table.
SYSTEM = set(
    """arpa/inet.h ctype.h dirent.h errno.h fcntl.h inttypes.h limits.h linux/filter.h linux/seccomp.h math.h netinet/in.h
    netinet/tcp.h poll.h sched.h setjmp.h signal.h stdalign.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h
    strings.h sys/auxv.h sys/epoll.h sys/inotify.h sys/ioctl.h sys/mman.h sys/mount.h sys/prctl.h sys/random.h sys/resource.h
    sys/signalfd.h sys/socket.h sys/stat.h sys/statvfs.h sys/syscall.h sys/sysinfo.h sys/sysmacros.h sys/time.h sys/times.h
    sys/timerfd.h sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/wait.h sys/xattr.h threads.h pthread.h time.h ucontext.h
    unistd.h elf.h assert.h float.h ftw.h getopt.h malloc.h stdatomic.h""".split()
)
# Of libraries: tests need a grant for these alone.
LIBRARY = re.compile(r"^(?:cap-ng|cmocka|microhttpd|seccomp|sodium)\.h$|^(?:openssl|protobuf-c)/")
TESTS = ("attack", "audit", "bench", "e2e", "fuzz", "peer", "unit")


def _allowed(rows, path, folder, own, name):
    granted = rows.get(folder, set()) | rows.get(path, set())
    system = name in SYSTEM or (folder.startswith("tests/") and not own and not LIBRARY.match(name))
    return system or name in granted or any(g.endswith("/") and name.startswith(g) for g in granted)


def _may_include(report, folder, rows):
    faults = []
    for path in sources.files(folder, ".c", ".h"):
        for own, name in sources.includes(path):
            beside = os.path.join(os.path.dirname(path), name)
            name = beside if own and os.path.exists(beside) else name
            if not _allowed(rows, path, folder, own, name):
                faults.append(f"{path} may not include {name}")
    about = {"keyproc": promise(1), "netproc": promise(3)}.get(folder, HOUSE)
    report.check(about, f"{folder} includes only what tests/audit/may-include grants", faults)


def _circle(graph):
    """One circle of a graph as a list of names, or None."""
    done, way = set(), []

    def visit(node):
        if node in way:
            return way[way.index(node):] + [node]
        if node in done:
            return None
        way.append(node)
        for other in graph.get(node, ()):
            found = visit(other)
            if found:
                return found
        way.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        found = visit(node)
        if found:
            return found
    return None


def _no_circle(report):
    graph = {}
    for folder in sources.FOLDERS + ("tests",):
        for path in sources.files(folder, ".h"):
            graph[path] = [name for own, name in sources.includes(path) if own]
    circle = _circle(graph)
    report.check(HOUSE, "no circle among the headers' includes", [" -> ".join(circle)] if circle else [])


def _compiles_alone(report, build):
    compiler = shlex.split(os.environ.get("CC", "")) or ["gcc"]
    faults = []
    paths = [p for f in sources.FOLDERS for p in sources.files(f, ".h")]
    for path in paths:
        command = compiler + ["-std=gnu17", "-D_GNU_SOURCE", "-I.", f"-I{build}/gen", "-fsyntax-only", "-Wall", "-x", "c", path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            faults.append(next((line for line in done.stderr.split("\n") if "error" in line), done.stderr[:200]))
    report.check(HOUSE, f"each of {len(paths)} headers compiles alone", faults)


def check(report, build):
    rows = {}
    for row in sources.table("may-include"):
        rows.setdefault(row[0], set()).update(row[1:])
    for folder in sources.FOLDERS:
        if sources.files(folder, ".c"):
            _may_include(report, folder, rows)
    for folder in TESTS:
        if sources.files(f"tests/{folder}", ".c", ".h"):
            _may_include(report, f"tests/{folder}", rows)
    _no_circle(report)
    _compiles_alone(report, build)
