# SPDX-License-Identifier: MIT
"""Dead rows: every row of every list of the project is used by the program sources, beside the list itself."""

import re

import imports
import sources
from report import HOUSE

# What a list is called: file, macro, folders that use its rows, and how a use of row NAME looks. A regular expression with
# {row} for the name as it stands.
LISTS = (
    ("message", "imsg/catalogue.h", "IMSG_TO_KEYPROC", ("parent", "netproc"), r"\bIMSG_{row}\b"),
    ("message", "imsg/catalogue.h", "IMSG_TO_NETPROC", ("parent", "keyproc"), r"\bIMSG_{row}\b"),
    ("message", "imsg/catalogue.h", "IMSG_TO_PARENT", ("keyproc", "netproc", "metrics"), r"\bIMSG_{row}\b"),
    ("start failure", "imsg/catalogue.h", "START_FAILURES", ("keyproc", "netproc", "metrics"), r"\bSTART_FAILURE_{row}\b"),
    ("breach", "imsg/imsg.h", "IMSG_BREACHES", ("imsg", "keyproc", "netproc", "parent"), r"\bIMSG_BREACH_{row}\b"),
    ("counter", "imsg/counters.h", "NET_COUNTERS", ("netproc",), r"\bNET_COUNT_{row}\b"),
    ("counter", "imsg/counters.h", "KEY_COUNTERS", ("keyproc",), r"\bKEY_COUNT_{row}\b"),
    ("close reason", "imsg/reasons.h", "CLOSE_REASONS", ("netproc",), r"\bCLOSE_{row}\b"),
    ("log event", "imsg/events.h", "LOG_EVENTS", ("netproc", "keyproc", "metrics"), r"\bLOG_EVENT_{row}\b"),
    ("setting", "imsg/settings.h", "NET_SETTINGS", ("netproc", "parent", "keyproc"), r"(?:->|\.){row}\b"),
    ("setting", "parent/settings.h", "PARENT_SETTINGS", ("parent",), r"(?:->|\.){row}\b|\bsettings_parse_{row}\b"),
    ("layer", "imsg/harden.h", "HARDEN_LAYERS", ("imsg", "keyproc"), r"\bHARDEN_{row}\b"),
)

# Who makes a system call that no import of ours is named after: imports of which one leads there. A check that fails
# (__stack_chk_fail) ends in abort.
BEHIND = {
    "brk": ("malloc",),
    "epoll_pwait": ("epoll_wait",),
    "exit_group": ("_exit", "exit"),
    "futex": ("EVP_DecryptInit_ex",),
    "getpid": ("randombytes_buf", "__stack_chk_fail"),
    "getrandom": ("randombytes_buf", "crypto_kx_keypair"),
    "gettid": ("__stack_chk_fail",),
    "madvise": ("free",),
    "mmap": ("malloc",),
    "mprotect": ("malloc",),
    "mremap": ("realloc",),
    "munmap": ("free",),
    "ppoll": ("poll",),
    "restart_syscall": ("poll",),
    "rt_sigprocmask": ("__stack_chk_fail",),
    "tgkill": ("__stack_chk_fail",),
    "wait4": ("waitpid",),
    "writev": ("__stack_chk_fail",),
}


def rows(path, macro):
    """Names of the rows of an X list."""
    text = "\n".join(sources.without_comments(path))
    found = re.search(r"#define %s\(X\)((?:[^\n]*\\\n)*[^\n]*)" % macro, text)
    return re.findall(r"\bX\((\w+),", found[1]) if found else []


def _text(folders):
    return "\n".join("\n".join(sources.without_comments(path)) for folder in folders
                     for path in sources.files(folder, ".c", ".h"))


def _dead(path, macro, folders, use):
    names = rows(path, macro)
    text = _text(folders)
    if not names:
        yield f"{path}: no list {macro}"
    for name in names:
        if not re.search(use.format(row=name), text):
            yield f"{path}: {macro}: {name} is used nowhere in {', '.join(folders)}"


def _lists(report):
    for kind in dict.fromkeys(row[0] for row in LISTS):
        faults = [fault for row in LISTS if row[0] == kind for fault in _dead(*row[1:])]
        report.check(HOUSE, f"no dead row: every {kind} is used", faults)


def _taken(build, folder):
    names = set()
    for part in (folder, "imsg", "proto"):
        for path in imports.objects(build, part).values():
            names |= {imports.plain_name(name) for name in imports.symbols(path)[1]}
    return names


def _calls(report, build):
    faults = []
    for folder in ("parent", "keyproc", "netproc"):
        taken = _taken(build, folder)
        text = "\n".join(sources.lines(f"{folder}/sandbox.c"))
        for name in re.findall(r'\{"(\w+)", HARDEN_\w+', text):
            if name not in taken and taken.isdisjoint(BEHIND.get(name, ())):
                faults.append(f"{folder}/sandbox.c: {name}: nothing that the program imports makes it")
    report.check(HOUSE, "no dead row: every system call of the tables is made by something that the program imports", faults)


def check(report, build):
    _lists(report)
    _calls(report, build)
