# SPDX-License-Identifier: MIT
"""What each program's own objects ask of the C library and of libraries (nm -u), against the table may-import; and which
libraries each program is linked with."""

import fnmatch
import os
import re
import subprocess

import sources
from report import HOUSE, promise

# Said by name, beside the table: what must not be there even if somebody adds it to the table.
NEVER = {
    "keyproc": "socket* connect bind listen accept* send* recv* exec* fork vfork clone posix_spawn* system popen malloc "
    "calloc realloc free qsort dlopen fopen printf fprintf protobuf_*",
    "netproc": "open open64 openat* creat fopen* opendir exec* fork vfork clone posix_spawn* system popen socket socketpair "
    "connect bind listen send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg setsockopt getsockopt shutdown qsort "
    "qsort_r kill dlopen syscall prctl ptrace getaddrinfo gethostby* crypto_sign_detached crypto_sign_*keypair",
    "parent": "crypto_* EVP_* protobuf_* recv* accept* sodium_* getaddrinfo gethostby* system popen dlopen ptrace",
    "proto": "open* socket* malloc calloc realloc free read write time clock_gettime randombytes*",
}
LIBRARIES = {
    "bin/dusk-relay": {"libcap-ng", "libseccomp"},
    "libexec/dusk-relay/keyproc": {"libsodium", "libcap-ng", "libseccomp"},
    "libexec/dusk-relay/netproc": {"libsodium", "libcrypto", "libprotobuf-c", "libcap-ng", "libseccomp"},
    "libexec/dusk-relay/metrics": {"libmicrohttpd", "libcap-ng", "libseccomp"},
    "libexec/dusk-relay/probe": {"libsodium", "libprotobuf-c"},
}
# Once, before the lock: that what was inherited is a listening socket.
EXCEPT = {("netproc/accept.c", "getsockopt")}
ABOUT = {"keyproc": promise(1), "netproc": promise(3)}
EVERY = "every file's imports are in tests/audit/may-import"


def plain_name(name):
    """`__memcpy_chk` is memcpy, `openat64@GLIBC_2.4` is openat64, `__isoc99_sscanf` is sscanf."""
    name = name.split("@")[0]
    found = re.fullmatch(r"__(\w+)_chk", name) or re.fullmatch(r"__isoc\d\d_(\w+)", name)
    return found[1] if found else name


def symbols(path):
    """(defined, taken) names of an object."""
    text = subprocess.run(["nm", "-g", path], capture_output=True, text=True, check=True).stdout
    defined, taken = set(), set()
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in ("U", "w", "v"):
            taken.add(words[1])
        elif len(words) == 3:
            defined.add(words[2])
    return defined, taken


def objects(build, folder):
    """source path -> object path, for sources that exist and are built."""
    pairs = ((src, os.path.join(build, "obj", src[:-2] + ".o")) for src in sources.files(folder, ".c"))
    return {src: obj for src, obj in pairs if os.path.exists(obj)}


def _matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, p) for p in patterns)


def _ours(build):
    names = set()
    for folder in sources.FOLDERS:
        for obj in objects(build, folder).values():
            names |= symbols(obj)[0]
    gen = os.path.join(build, "gen")
    for name in sorted(os.listdir(gen)) if os.path.isdir(gen) else ():
        if name.endswith(".o"):
            names |= symbols(os.path.join(gen, name))[0]
    return names


def _folder(report, build, folder, rows, ours):
    faults, forbidden = [], []
    for source, obj in objects(build, folder).items():
        granted = rows.get("plain", []) + rows.get(folder, []) + rows.get(source, [])
        for raw in sorted(symbols(obj)[1] - ours):
            name = plain_name(raw)
            if not _matches(name, granted):
                faults.append(f"{source} takes {name}")
            if _matches(name, NEVER.get(folder, "").split()) and (source, name) not in EXCEPT:
                forbidden.append(f"{source} takes {name}")
    about = ABOUT.get(folder, HOUSE)
    report.check(about, f"{folder}: {EVERY}", faults)
    if folder in NEVER:
        report.check(about, f"{folder}: none of what it must never call", forbidden)


def linked_libraries(program):
    text = subprocess.run(["readelf", "-dW", program], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"NEEDED.*\[(lib[\w.+-]+?)\.so", text)
    return {re.sub(r"-\d[\d.]*$", "", name) for name in names} - {"libc"}


def _libraries(report, build):
    faults = []
    for program, allowed in LIBRARIES.items():
        path = os.path.join(build, program)
        if os.path.exists(path):
            more = linked_libraries(path) - allowed
            faults += [f"{program} is linked with {name}" for name in sorted(more)]
    report.check(HOUSE, "each program is linked with no library but its own", faults)


def check(report, build):
    rows = {}
    for row in sources.table("may-import"):
        rows.setdefault(row[0], []).extend(row[1:])
    ours = _ours(build)
    for folder in sources.FOLDERS:
        if folder != "probe" and objects(build, folder):
            _folder(report, build, folder, rows, ours)
    _libraries(report, build)
