# SPDX-License-Identifier: MIT
"""Two builds of the same sources, in two folders with names of different length, are the same, byte for byte."""

import os
import shutil
import subprocess
import tempfile

import binaries
import sources
from report import HOUSE

TEXT = "two builds in two folders are byte for byte the same"
PARTS = ("Makefile", "VERSION", "mk", *sources.FOLDERS)


def _copy(folder):
    os.makedirs(folder)
    for part in PARTS:
        if os.path.isdir(part):
            shutil.copytree(part, os.path.join(folder, part))
        elif os.path.exists(part):
            shutil.copy(part, folder)


def _build(folder):
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "-s", "-j2", "-C", folder, "programs"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return [] if done.returncode == 0 else [f"it does not build: {done.stderr[-400:]}"]


def _differences(one, other):
    for program in binaries.programs(os.path.join(one, "build")):
        with open(program, "rb") as first, open(program.replace(one, other, 1), "rb") as second:
            if first.read() != second.read():
                yield f"{os.path.basename(program)} differs"


def check(report, build):
    del build
    with tempfile.TemporaryDirectory(prefix="audit-") as top:
        one, other = os.path.join(top, "one"), os.path.join(top, "a-much-longer-name", "two")
        _copy(one)
        shutil.copytree(one, other)
        report.check(HOUSE, TEXT, _build(one) or _build(other) or _differences(one, other))
