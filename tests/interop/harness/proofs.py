"""The tables of README.md that say which test shows what: every row names tests that exist, and a full run plays them."""

import os
import re

TESTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
TABLES = {"### What a client does": 30, "### Where clients usually fail": 20, "### What clients were seen to need": 9}
DIFFERS = "(../../README.md#differences-from-the-rust-relay)"
SECTION = "## Differences from the Rust relay"


def rows():
    """(table, number, cell that names the tests) of every row, in order."""
    found, table = [], None
    for line in _text("interop/README.md").splitlines():
        if line.startswith("#"):
            table = line if line in TABLES else None
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if table and re.fullmatch(r"\d+", cells[0]):
            found.append((table, int(cells[0]), cells[-1]))
    return found


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def faults(scenarios):
    """What is wrong with the tables, a line each; `scenarios` as in scenarios/__init__.py."""
    cases = {s.name: {"+".join(case) for case in s.cases} for s in scenarios}
    wrong = []
    for table, count in TABLES.items():
        numbers = [number for name, number, _ in rows() if name == table]
        if numbers != list(range(1, count + 1)):
            wrong.append(f"{table}: rows are not 1 to {count}")
    for table, number, cell in rows():
        where = f"{table}, row {number}"
        if not names(cell) and DIFFERS not in cell:
            wrong.append(f"{where}: names no test")
        wrong += [f"{where}: {name} does not exist" for name in names(cell) if not _exists(name, cases)]
    if SECTION not in _text("../README.md").splitlines():
        wrong.append(f"README.md has no section {SECTION}")
    return wrong


def unplayed(scenarios, results):
    """(faults, notes) of a full run: named cases that were not played or failed, and those that were skipped."""
    cases = {s.name: ["+".join(case) for case in s.cases] for s in scenarios}
    outcomes = {(r.scenario, r.case): r for r in results}
    wrong, notes = [], []
    for scenario, case in _played_names(cases):
        result = outcomes.get((scenario, case))
        if result is None or result.outcome == "failed":
            wrong.append(f"{scenario}/{case} is named as a proof and {'failed' if result else 'was not played'}")
        elif result.outcome == "skipped":
            notes.append(f"{scenario}/{case} is named as a proof and was skipped: {result.text}")
    return wrong, notes


def _played_names(cases):
    pairs = []
    for name in (name for _, _, cell in rows() for name in names(cell) if ":" not in name):
        scenario, _, case = name.partition("/")
        pairs += [(scenario, one) for one in ([case] if case else cases.get(scenario, []))]
    return list(dict.fromkeys(pairs))


def _exists(name, cases):
    if ":" not in name:
        scenario, _, case = name.partition("/")
        return scenario in cases and (not case or case in cases[scenario])
    path, _, function = name.partition(":")
    if not os.path.isfile(os.path.join(TESTS, path)):
        return False
    text = _text(path)  # it is defined, and used at least once beside that
    defined = re.search(rf"^(static )?(void|int) {re.escape(function)}\(", text, re.MULTILINE)
    return bool(defined) and (function == "main" or len(re.findall(rf"\b{re.escape(function)}\b", text)) > 1)


def _text(path):
    with open(os.path.join(TESTS, path), encoding="utf-8") as file:
        return file.read()
