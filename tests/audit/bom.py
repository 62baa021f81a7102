# SPDX-License-Identifier: MIT
"""Bill of materials of the built programs on standard output, CycloneDX 1.5: each linked library with the version of its
package, and which program links it. `python3 tests/audit/bom.py BUILD VERSION`; make bom writes it to BUILD/bom.json."""

import json
import os
import re
import subprocess
import sys

import binaries

PKGCONFIG = {"libevent_core": "libevent_core", "libcrypto": "libcrypto"}


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
    """(package, version, licence's source) of a library's file; empty when no package manager knows it."""
    for name in (path, os.path.realpath(path), os.path.realpath(path).removeprefix("/usr"), path.removeprefix("/usr")):
        owner = _run("dpkg-query", "-S", name).split(": ")[0]
        if owner:
            package = owner.split(",")[0]
            return package, _run("dpkg-query", "-W", "-f", "${Version}", package)
    return "", ""


def _version(soname, path):
    package, version = _package(path)
    stem = soname.split(".so")[0]
    return package, version or _run("pkg-config", "--modversion", PKGCONFIG.get(re.sub(r"-\d.*$", "", stem), stem)) or "unknown"


def _components(build):
    users = {}
    for program in binaries.programs(build):
        for soname, path in _linked(program).items():
            users.setdefault((soname, path), []).append(os.path.basename(program))
    for (soname, path), programs in sorted(users.items()):
        package, version = _version(soname, path)
        component = {
            "type": "library",
            "bom-ref": soname,
            "name": soname,
            "version": version,
            "properties": [{"name": "linked by", "value": name} for name in programs],
        }
        if package:
            name = package.split(":")[0]
            component["purl"] = f"pkg:deb/debian/{name}@{version}"
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
