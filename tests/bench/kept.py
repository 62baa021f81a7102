"""Rows of the comparison, kept from run to run: one JSON object a line, only ever appended. Called by compare.py and plot.py.

A row that was measured while others had more than QUIET of the relay's core is of little worth: it is marked by its
`others`, and left out of the table where the same relay has a quiet one of the same name.
"""

import collections
import json
import math

QUIET = 0.02

Row = collections.namedtuple("Row", "relay name value unit rate busy others per_read")


def row_from_text(relay, line):
    """A row as the load program writes it, with tabs between."""
    name, value, unit, *numbers = line.rstrip("\n").split("\t")
    return Row(relay, name, float(value), unit, *map(float, numbers))


def measured(row):
    return not math.isnan(row.value)


def quieter(rows, again):
    """Of two measurements of the same rows, each row from whichever was quieter; names in the order they came."""
    best = {row.name: row for row in rows}
    for row in again:
        had = best.get(row.name)
        if had is None or not measured(had) or (measured(row) and row.others < had.others):
            best[row.name] = row
    return list(best.values())


def quiet(rows):
    return all(row.others <= QUIET for row in rows)


def append(path, rows, about):
    """`about` says of which run the rows are."""
    with open(path, "a", encoding="utf-8") as kept:
        for row in rows:
            if measured(row):
                kept.write(json.dumps({**about, **row._asdict()}) + "\n")


def read(path):
    """name -> relay -> rows; names in the order they came first."""
    rows = {}
    with open(path, encoding="utf-8") as kept:
        for line in kept:
            fields = json.loads(line)
            row = Row(*(fields[key] for key in Row._fields))
            rows.setdefault(row.name, collections.defaultdict(list))[row.relay].append(row)
    return {name: collections.defaultdict(list, {relay: best(some) for relay, some in by_relay.items()})
            for name, by_relay in rows.items()}


def best(rows):
    """The quiet ones, or all where none was."""
    return [row for row in rows if row.others <= QUIET] or rows
