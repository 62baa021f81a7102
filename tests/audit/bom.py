# SPDX-License-Identifier: MIT
"""Bill of materials of the built programs on standard output, CycloneDX 1.5: each linked library with the version of its
package, and which program links it. `python3 tests/audit/bom.py BUILD VERSION`; make bom writes it to BUILD/bom.json."""

import json
import os
import platform
import re
import subprocess
import sys

import binaries
import imports


def _run(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _linked(program):
    """soname -> path, for all libraries that the loader takes: also those of the libraries."""
    return dict(re.findall(r"^\s*(\S+) => (/\S+)", _run("ldd", program), re.M))


def _package(path):
    """(package, version) of a library's file; empty when no package manager knows it."""
    for name in (path, os.path.realpath(path), os.path.realpath(path).removeprefix("/usr"), path.removeprefix("/usr")):
        owner = _run("dpkg-query", "-S", name).split(": ")[0]
        if owner:
            package = owner.split(",")[0]
            return package, _run("dpkg-query", "-W", "-f", "${Version}", package)
    return "", ""


def _version(soname, path):
    package, version = _package(path) if path else ("", "")
    stem = soname.split(".so")[0]
    return package, version or _run("pkg-config", "--modversion", re.sub(r"-\d.*$", "", stem)) or "unknown"


def _static(program, build):
    """A program with its libraries linked in: those that it is made with, and the C library of this machine."""
    names = sorted(imports.LIBRARIES.get(os.path.relpath(program, build), ()))
    return {name: "" for name in names + ["libc"]}


def _users(build):
    """(library, path) -> programs"""
    users = {}
    for program in binaries.programs(build):
        linked = _linked(program) or _static(program, build)
        for name, path in linked.items():
            users.setdefault((name, path), []).append(os.path.basename(program))
    return users


def _components(build):
    for (name, path), programs in sorted(_users(build).items()):
        package, version = _version(name, path) if name != "libc" else ("", " ".join(platform.libc_ver()).strip() or "unknown")
        component = {
            "type": "library",
            "bom-ref": name,
            "name": name,
            "version": version,
            "properties": [{"name": "linked by", "value": program} for program in programs],
        }
        if package:
            component["purl"] = f"pkg:deb/debian/{package.split(':')[0]}@{version}"
        yield component


def main(build, version):
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "dusk-relay", "name": "dusk-relay", "version": version}},
        "components": list(_components(build)),
    }
    bom["dependencies"] = [{"ref": "dusk-relay", "dependsOn": [c["bom-ref"] for c in bom["components"]]}]
    print(json.dumps(bom, indent=2))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
