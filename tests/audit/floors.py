# SPDX-License-Identifier: MIT
"""Inside netproc calls go down: on the objects, no file calls one that stands on a higher floor (table floors)."""

import os

import imports
import sources
from report import HOUSE


def _floors():
    """name -> (floor, group) and the allowed exceptions as (file, symbol)."""
    place, exceptions, floor = {}, set(), 0
    for row in sources.table("floors"):
        if row[0] == "up":
            exceptions.add((row[1], row[2]))
            continue
        for group in row:
            for name in group.split("+"):
                place[name] = (floor, group)
        floor += 1
    return place, exceptions


def check(report, build):
    place, exceptions = _floors()
    home, taken, faults = {}, {}, []
    for source, obj in imports.objects(build, "netproc").items():
        name = os.path.basename(source)[:-2]
        defined, taken[name] = imports.symbols(obj)
        home.update(dict.fromkeys(defined, name))
        if name not in place:
            faults.append(f"{source} has no floor in tests/audit/floors")
    for name, symbols in sorted(taken.items()):
        for symbol in sorted(symbols):
            other = home.get(symbol, name)
            if other == name or name not in place or other not in place or (name, symbol) in exceptions:
                continue
            if place[other][0] >= place[name][0] and place[other][1] != place[name][1]:
                faults.append(f"netproc/{name}.c calls up: {symbol} of netproc/{other}.c")
    report.check(HOUSE, "netproc: calls go down, floor by floor", faults)
