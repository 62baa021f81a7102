# SPDX-License-Identifier: MIT
"""What sources may not say: secrets outside their files, free text from a child to the log, an address in an event, storage
of our own in a header, documents that nobody has; and the modes of the files."""

import os
import re
import subprocess

import imports
import sources
from report import HOUSE, promise

# The files that hold a long-lived secret, and those that hold keys of one connection.
SECRET = {"keyproc/secret.c", "keyproc/secret.h", "keyproc/keyfile.c", "keyproc/keyfile_create.c", "keyproc/sign.c",
          "keyproc/main.c"}
SESSION = {"netproc/noise.c", "netproc/noise.h"}
SECRET_NAME = re.compile(r"\b\w*_secret\w*\b|\bseed\b")
# The identity signs in one function, which one file calls.
SIGNERS = {"keyproc/secret.c", "keyproc/secret.h", "keyproc/sign.c"}
PROBE = "probe/"  # a client with an identity of its own
STDIO = re.compile(r"\b(?:[vfd]?printf|vfprintf|puts|fputs|perror|syslog|v?dprintf)\s*\(")
WRITE_STD = re.compile(r"\bwrite\s*\(\s*(?:1|2|STDOUT_FILENO|STDERR_FILENO)\s*,")


def _grep(folders, pattern, allowed=()):
    for folder in folders:
        for path in sources.files(folder, ".c", ".h"):
            if path in allowed:
                continue
            for number, line in enumerate(sources.without_comments(path), 1):
                found = pattern.search(line)
                if found:
                    yield f"{path}:{number}: {found[0]}"


def _secrets(report):
    daemon = [f for f in sources.FOLDERS if f + "/" != PROBE]
    report.check(promise(1), "no secret is named outside keyproc and the handshake of netproc",
                 _grep(daemon, SECRET_NAME, SECRET | SESSION))
    report.check(promise(2), "the function that signs is called by keyproc/sign.c only",
                 _grep(daemon, re.compile(r"\bkey_secret_sign\b|\bcrypto_sign_detached\b|\bcrypto_sign\b"), SIGNERS))


def _signing(report):
    """No message to keyproc carries bytes to sign: its requests hold ids, a key, a peer id, numbers, and zeros."""
    text = "\n".join(sources.without_comments("imsg/catalogue.h"))
    known = {"imsg_noise_dh": {"count", "zero", "id", "ephemeral", "request"},
             "imsg_voucher": {"id", "lifetime", "peer_len", "peer", "zero"}}
    rows = re.findall(r"X\(KEY_\w+,\s*NETPROC,\s*struct (\w+)", text)
    faults = [f"netproc sends keyproc a struct {name}" for name in rows if name not in known and name != "imsg_none"]
    for name, fields in known.items():
        body = re.search(r"struct %s \{(.*?)\n\};" % name, text, re.S)
        members = set(re.findall(r"(\w+)(?:\[\w+\])?;", body[1])) if body else set()
        faults += [f"struct {name} has a field {field}" for field in sorted(members - fields)]
    report.check(promise(2), "what netproc can ask of keyproc: HELLO, a Diffie-Hellman, a voucher; no bytes to sign", faults)


def _log(report):
    report.check(promise(9), "netproc, keyproc and imsg print nothing: they send typed events",
                 _grep(("netproc", "keyproc", "imsg"), STDIO))
    report.check(promise(9), "netproc, keyproc and imsg write to no standard descriptor",
                 _grep(("netproc", "keyproc", "imsg"), WRITE_STD))
    row = re.compile(r"struct imsg_log \{(.*?)\n\};", re.S).search("\n".join(sources.without_comments("imsg/catalogue.h")))
    fields = set(re.findall(r"(\w+)(?:\[\w+\])*;", row[1])) if row else {"?"}
    wanted = {"event", "peer_len", "text_len", "zero", "number", "peer", "text"}
    report.check(promise(9), "a log message has no field for an address", sorted(fields - wanted))
    labels = "\n".join(sources.lines("imsg/counters.h"))
    faults = [m[0] for m in re.finditer(r'\b(peer|ip|addr|address|namespace)=\\"', labels)]
    report.check(promise(9), "no counter has a label for a peer, an address or a namespace", faults)


def _storage(report):
    pattern = re.compile(r"^(?!extern|static inline|typedef|struct \w+;|#|enum|union)\s*(?:const\s+)?(?:struct\s+)?"
                         r"\w+\s+\**\w+(?:\[[^\]]*\])?\s*(?:=[^=].*)?;$")
    faults = []
    for folder in sources.FOLDERS:
        for path in sources.files(folder, ".h"):
            depth = 0
            for number, line in enumerate(sources.without_comments(path), 1):
                if depth == 0 and "(" not in line and not line.startswith((" ", "\t")) and pattern.match(line):
                    faults.append(f"{path}:{number}: {line.strip()}")
                if not line.rstrip().endswith("\\"):
                    depth += line.count("{") - line.count("}")
    report.check(HOUSE, "no header defines storage", faults)


def _variables(path):
    """Objects of a file that can be written once the program runs."""
    text = subprocess.run(["readelf", "-sSW", path], capture_output=True, text=True, check=True).stdout
    sections = dict(re.findall(r"\[\s*(\d+)\] (\.\S+)", text))
    for index, name in re.findall(r"OBJECT\s+\w+\s+\w+\s+(\d+|COM)\s+(\S+)$", text, re.M):
        section = sections.get(index, ".bss")
        if section.startswith((".data", ".bss", ".tbss", ".tdata")) and not section.startswith(".data.rel.ro"):
            yield name


def _globals(report, build):
    faults = []
    for source, path in imports.objects(build, "netproc").items():
        if source != "netproc/main.c":
            faults += [f"{source}: {name}" for name in _variables(path)]
    report.check(HOUSE, "netproc keeps its state in struct net: no file has a variable", faults)


def _modes(report):
    try:
        text = subprocess.run(["git", "ls-files", "-s"], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        text = ""
    if not text:
        report.skip(HOUSE, "file modes", "no git, or not a checkout of ours")
        return
    modes = {line.split("\t")[1]: line[:6] for line in text.splitlines()}
    faults = [f"{path} is executable" for path, mode in modes.items() if mode == "100755" and not _is_script(path)]
    faults += [f"{path} is a symbolic link" for path, mode in modes.items() if mode == "120000"]
    report.check(HOUSE, "files are plain; only scripts are executable; no symbolic links", faults)


# Documents of others that ours may name: specifications of libp2p and of yamux.
PUBLIC = {"circuit-v2.md", "spec.md", "ping.md", "peer-ids.md", "0002-signed-envelopes.md", "0003-routing-records.md",
          "inlined-muxer-negotiation.md", "README.md"}


def _documents(report):
    """A reader can open every document that a comment names."""
    ours = {os.path.basename(p) for f in (".", "docs") for p in os.listdir(f) if p.endswith(".md")}
    faults = []
    for folder in (*sources.FOLDERS, "mk", "deploy", "tests"):
        for path in sources.files(folder, ".c", ".h", ".mk", ".sh", ".py", ".proto"):
            if "node_modules" in path or "/." in path or "/target/" in path:
                continue
            named = re.findall(r"[\w.-]*\w\.md\b", "\n".join(sources.lines(path)))
            faults += [f"{path} names {name}" for name in named if name not in ours | PUBLIC]
    report.check(HOUSE, "every document that a file names can be had", sorted(set(faults)))


def _is_script(path):
    if not os.path.exists(path):
        return True
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def check(report, build):
    _secrets(report)
    _signing(report)
    _log(report)
    _storage(report)
    _globals(report, build)
    _modes(report)
    _documents(report)
