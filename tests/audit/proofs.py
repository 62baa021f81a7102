# SPDX-License-Identifier: MIT
"""Runs the programs of other tests that prove a promise (table promises), where they are built: one line each."""

import os
import subprocess

import sources
from report import promise

LIMIT = 300  # seconds


def rows():
    """(promise, program below the build folder, what it shows)"""
    return [(int(row[0]), row[1], " ".join(row[2:])) for row in sources.table("promises")]


def numbers():
    return {number for number, _, _ in rows()}


def _run(path, build):
    environment = {**os.environ, "ATTACK_BUILD": build, "E2E_BUILD": build}
    try:
        done = subprocess.run([path], capture_output=True, text=True, errors="replace", env=environment, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return [f"not done after {LIMIT} s"]
    if done.returncode == 0:
        return []
    words = ("FAILED", "failed", "skipped", "Error", "ERROR")
    said = [line for line in (done.stdout + done.stderr).splitlines() if any(w in line for w in words)]
    return [f"exit status {done.returncode}"] + said[:5]


def check(report, build):
    for number, program, shows in rows():
        path = os.path.join(build, program)
        if os.path.exists(path):
            report.check(promise(number), f"{shows} ({program})", _run(path, build))
        else:
            report.skip(promise(number), f"{shows} ({program})", "not built")
