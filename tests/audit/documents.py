# SPDX-License-Identifier: MIT
"""SECURITY.md against the code: its generated tables are those of the program `tables`, each promise names a proof, and
what its text names exists. `python3 tests/audit/documents.py BUILD` writes the tables into it (make docs-security)."""

import os
import re
import subprocess
import sys

import attacked
import proofs
import sources
from report import HOUSE, promise

PAGE = "SECURITY.md"
HOUSE_PAGE = "docs/HACKING.md"
INTEROP = "tests/interop/run.py"
TABLES = ("messages", "calls", "layers")
MARK = "<!-- {}: begin (made by: make docs-security) -->", "<!-- {}: end -->"


def _program(build):
    return os.path.join(build, "tests/audit/tables")


def _generated(build, name):
    return subprocess.run([_program(build), name], capture_output=True, text=True, check=True).stdout.splitlines()


def _with_tables(build, text):
    """The page with its tables as they should be."""
    for name in TABLES:
        begin, end = (m.format(name) for m in MARK)
        if begin not in text or end not in text:
            raise ValueError(f"{PAGE} has no place for {name}")
        body = "\n".join([begin] + _generated(build, name) + [end])
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: body, text, flags=re.S)
    return text


def _tables(report, build, text):
    wanted = _with_tables(build, text)
    differ = [f"not as the code has it: {line}" for line in text.splitlines() if line not in wanted.splitlines()]
    if not differ and wanted != text:
        differ = ["lines are missing"]
    report.check(HOUSE, f"the tables of {PAGE} are the code's (make docs-security)", differ)
    count = re.search(r"keyproc \((\d+)\)", wanted)[1]
    report.check(promise(1), "keyproc has the five system calls that the promise says", [] if count == "5" else [f"it has {count}"])
    done = subprocess.run([_program(build), "sorted"], capture_output=True, text=True, check=False)
    report.check(promise(3), "the tables of system calls are sorted and without repetition", done.stdout.splitlines())


def _numbers(report, text):
    numbers = {int(n) for n in re.findall(r"^(\d+)\. \*\*", text, re.M)}
    faults = [f"promise {n} has no proof in tests/audit/promises" for n in sorted(numbers - proofs.numbers())]
    faults += [f"promise {n} is not in {PAGE}" for n in sorted(proofs.numbers() - numbers)]
    report.check(HOUSE, f"each promise of {PAGE} has its proofs, and each proof its promise", faults)


def _names(report, text):
    """Paths in backquotes exist; words like test_x or attack_x are tests."""
    paths = re.findall(r"`((?:imsg|keyproc|metrics|netproc|parent|proto|tests|docs|mk|deploy)/[\w./*-]+)`", text)
    faults = [f"{PAGE} names {p}" for p in paths if not os.path.exists(p.rstrip("*"))]
    tests = {os.path.basename(p)[:-2] for p in sources.files("tests", ".c")}
    named = set(re.findall(r"\b(?:test|attack|fuzz)_\w+", text))
    named |= {f"attack_{n}" for n in re.findall(r"ATTACK_ONLY=(\w+)", text)}
    faults += [f"{PAGE} names {n}" for n in sorted(named - tests)]
    faults += [f"tests/audit/promises names {p}" for _, p, _ in proofs.rows() if not os.path.exists(p + ".c")]
    report.check(HOUSE, f"files and tests that {PAGE} names exist", faults)


def _functions(report):
    """Functions that docs/HACKING.md names exist, and so do its files."""
    text = "\n".join(sources.lines(HOUSE_PAGE))
    code = "\n".join("\n".join(sources.lines(p)) for f in (*sources.FOLDERS, "tests") for p in sources.files(f, ".c", ".h"))
    known = set(re.findall(r"\b(\w+)\(", code))
    faults = [f"{HOUSE_PAGE} names {name}()" for name in sorted(set(re.findall(r"`(\w+)\(\)`", text)) - known)]
    paths = re.findall(r"`((?:imsg|keyproc|metrics|netproc|parent|proto|tests|docs|mk)/[\w./-]+)`", text)
    faults += [f"{HOUSE_PAGE} names {p}" for p in paths if not os.path.exists(p) and "NAME" not in p]
    report.check(HOUSE, f"functions and files that {HOUSE_PAGE} names exist", faults)


def _interop(report):
    done = subprocess.run([sys.executable, "-B", INTEROP, "--proofs"], capture_output=True, text=True, check=False)
    faults = (done.stdout + done.stderr).splitlines() if done.returncode else []
    report.check(HOUSE, "each row of the tables of tests/interop/README.md names tests that exist", faults)


def check(report, build):
    if os.path.exists(INTEROP):
        _interop(report)
    if os.path.exists(HOUSE_PAGE):
        _functions(report)
    if not os.path.exists(PAGE):
        report.check(HOUSE, f"{PAGE} exists", ["it does not"])
        return
    text = "\n".join(sources.lines(PAGE)) + "\n"
    attacked.check(report)
    _tables(report, build, text)
    _numbers(report, text)
    _names(report, text)


def main(build):
    text = _with_tables(build, "\n".join(sources.lines(PAGE)) + "\n")
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1])
