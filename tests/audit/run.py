# SPDX-License-Identifier: MIT
"""The audit: checks the promises of SECURITY.md and the rules of the house on sources, objects, binaries and the running
daemon. Started by `make audit` from the top folder; `--only NAME` runs one file's checks, `--skip NAME` leaves one out."""

import argparse
import importlib
import sys

from report import Report

CHECKS = ("includes", "imports", "floors", "words", "binaries", "documents", "dead", "running", "filters", "sockets", "private",
          "proofs", "twice")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", action="append", choices=CHECKS)
    parser.add_argument("--skip", action="append", choices=CHECKS, default=[])
    options = parser.parse_args()
    report = Report()
    for name in options.only or CHECKS:
        if name not in options.skip:
            importlib.import_module(name).check(report, options.build)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
