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


def _build(folder):
    for part in PARTS:
        if os.path.isdir(part):
            shutil.copytree(part, os.path.join(folder, part))
        elif os.path.exists(part):
            shutil.copy(part, folder)
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", "-s", "-j2", "-C", folder, "programs"], capture_output=True, text=True, env=environment, check=False)
    return None if done.returncode == 0 else done.stderr[-400:]


def check(report, build):
    del build
    with tempfile.TemporaryDirectory(prefix="audit-") as top:
        folders = [os.path.join(top, name) for name in ("one", "a-much-longer-name/two")]
        for folder in folders:
            os.makedirs(folder)
            error = _build(folder)
            if error:
                report.check(HOUSE, TEXT, [f"it does not build: {error}"])
                return
        faults = []
        for program in binaries.programs(os.path.join(folders[0], "build")):
            other = program.replace(folders[0], folders[1], 1)
            with open(program, "rb") as one, open(other, "rb") as two:
                if one.read() != two.read():
                    faults.append(f"{os.path.basename(program)} differs")
        report.check(HOUSE, TEXT, faults)
