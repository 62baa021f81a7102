# SPDX-License-Identifier: MIT
"""docs/ATTACKS.md and the threats of SECURITY.md against the tests: each row names what shows it, each name exists and is used, and
no attack program is missing. Called by documents.py."""

import os
import re

import sources
from report import HOUSE

PAGE = "docs/ATTACKS.md"
SECURITY = "SECURITY.md"
THREATS = "## Threats"
HEADS = ("attack", "threat", "---")


def _rows(path, section=None):
    """(first cell, last cell) of the rows of all tables, or of those below one heading."""
    here = section is None
    for line in sources.lines(path):
        if line.startswith("## ") and section is not None:
            here = line == section
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if here and line.startswith("|") and cells[0] not in HEADS:
            yield cells[0], cells[-1]


def _programs():
    """name -> path of every test program and script; a C file by its name without the end."""
    found = {}
    for path in sources.files("tests", ".c", ".py", ".sh"):
        if "node_modules" not in path and "/." not in path and "/target/" not in path:  # what interop fetches and builds
            found[os.path.basename(path).removesuffix(".c")] = path
    return found


def _is_used(path, function):
    """It is defined there, and called or listed at least once beside that (main is by the system)."""
    text = "\n".join(sources.lines(path))
    pattern = {".c": r"^(?:static )?\w[\w *]*\b%s\(", ".py": r"^def %s\(", ".sh": r"^%s\(\)"}[os.path.splitext(path)[1]]
    if not re.search(pattern % re.escape(function), text, re.M):
        return False
    elsewhere = path.endswith(".py") or "/hostile_" in path  # used by run.py, by the attack programs
    return function == "main" or elsewhere or len(re.findall(rf"\b{re.escape(function)}\b", text)) > 1


def _faults_of(cell, programs):
    names = re.findall(r"`([^`]+)`", cell)
    if not names:
        yield "names no test"
    for name in names:
        program, _, function = name.partition(":")
        only = re.fullmatch(r"make audit AUDIT_ONLY=(\w+)", name)
        if only:
            if not os.path.exists(f"tests/audit/{only[1]}.py"):
                yield f"{name}: there is no such check"
        elif program not in programs:
            yield f"{name} does not exist"
        elif function and not _is_used(programs[program], function):
            yield f"{name}: {programs[program]} has no such function, or does not use it"


def check(report):
    programs = _programs()
    rows = list(_rows(PAGE))
    faults = [f"{first[:50]}: {fault}" for first, cell in rows for fault in _faults_of(cell, programs)]
    named = {name.partition(":")[0] for _, cell in rows for name in re.findall(r"`([^`]+)`", cell)}
    faults += [f"{name} is in no row" for name in sorted(programs) if name.startswith("attack_") and name not in named]
    report.check(HOUSE, f"each of the {len(rows)} rows of {PAGE} names tests that exist, and no attack program is missing", faults)
    threats = list(_rows(SECURITY, THREATS))
    faults = [f"{first[:50]}: {fault}" for first, cell in threats for fault in _faults_of(cell, programs)]
    faults += [] if threats else [f"{SECURITY} has no table of threats"]
    report.check(HOUSE, f"each of the {len(threats)} threats of {SECURITY} names a test that exists", faults)
