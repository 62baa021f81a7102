# SPDX-License-Identifier: MIT
"""The built programs: position independent, all relocations read-only, no executable stack or writable code, canaries,
checked libc calls, no search path, no test code; modes of the files."""

import os
import re
import stat
import subprocess

import imports
from report import HOUSE, promise

PROGRAMS = ("bin/dusk-relay", "libexec/dusk-relay/keyproc", "libexec/dusk-relay/netproc", "libexec/dusk-relay/metrics",
            "libexec/dusk-relay/probe")
FOLDERS = ("imsg", "keyproc", "netproc", "parent", "probe", "proto")
# Words of test builds. A release holds none of them.
TRIGGERS = (b"ATTACK-INSIDE", b"insitu", b"hostile", b"__asan_", b"__ubsan_", b"__sanitizer", b"LLVMFuzzer")


def _read(program, *flags):
    return subprocess.run(["readelf", "-W", *flags, program], capture_output=True, text=True, check=True).stdout


def programs(build):
    return [p for p in (os.path.join(build, name) for name in PROGRAMS) if os.path.exists(p)]


def _flags(program):
    header, segments, dynamic = _read(program, "-h"), _read(program, "-l"), _read(program, "-d")
    if not re.search(r"Type:\s+DYN", header) or ("PIE" not in dynamic):
        yield "is not position independent"
    if "GNU_RELRO" not in segments or not re.search(r"BIND_NOW|Flags:.*NOW", dynamic):
        yield "has not all relocations read-only"
    if "TEXTREL" in dynamic:
        yield "relocates its code"
    if not re.search(r"GNU_STACK\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RW\s", segments):
        yield "has an executable stack"
    if re.search(r"LOAD\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RWE", segments):
        yield "has a segment that is written and run"
    if re.search(r"RPATH|RUNPATH", dynamic):
        yield "has a search path for libraries"


def _compiled(build, folder):
    """Canaries and FORTIFY as the objects show them; what no object shows is not asked for."""
    names = set()
    for obj in imports.objects(build, folder).values():
        names |= imports.symbols(obj)[1]
    if "__stack_chk_fail" not in names:
        yield f"{folder} has no stack canary"
    if not any(name.endswith("_chk") for name in names) and folder != "proto":
        yield f"{folder} has no checked libc call"


def _unstripped(program):
    with open(program, "rb") as file:
        data = file.read()
    return [f"{program} contains {word.decode()}" for word in TRIGGERS if word in data]


def _command_lines(build):
    """The flags that objects were really compiled with: gcc keeps them in the debugging information."""
    wanted = ("-O2", "-fstack-protector-strong", "-fstack-clash-protection", "-fPIE", "-ftrivial-auto-var-init=zero",
              "-fno-strict-aliasing", "-fno-strict-overflow", "-fno-delete-null-pointer-checks")
    for folder in FOLDERS:
        for obj in imports.objects(build, folder).values():
            with open(obj, "rb") as file:
                producer = re.search(rb"GNU C\d+ [^\0]*", file.read())
            words = producer[0].decode().split() if producer else wanted
            for flag in wanted:
                if flag not in words:
                    yield f"{obj} was made without {flag}"


def _modes(build):
    for program in programs(build):
        mode = os.stat(program).st_mode
        if mode & (stat.S_ISUID | stat.S_ISGID):
            yield f"{program} is setuid or setgid"
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield f"{program} can be written by others"
        if "security.capability" in os.listxattr(program):
            yield f"{program} has file capabilities"


def check(report, build):
    found = programs(build)
    faults = [f"{program} {fault}" for program in found for fault in _flags(program)]
    report.check(HOUSE, f"{len(found)} programs: PIE, full RELRO, no executable stack, no writable code, no search path", faults)
    text = "every folder is compiled with canaries and checked libc calls"
    report.check(HOUSE, text, (f for d in FOLDERS for f in _compiled(build, d)))
    report.check(HOUSE, "objects were made with the hardening flags of the Makefile", _command_lines(build))
    report.check(promise(4), "no program is setuid, has file capabilities or can be written by others", _modes(build))
    report.check(promise(3), "programs contain no test trigger and no sanitizer", (f for p in found for f in _unstripped(p)))
