# SPDX-License-Identifier: MIT
"""The project's files and what they include; tables of the audit as lines. Used by the checks that read sources."""

import os
import re

FOLDERS = ("imsg", "keyproc", "metrics", "netproc", "parent", "probe", "proto")
_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files(folder, *ends):
    """Paths below a folder that end in one of `ends`, sorted."""
    found = []
    for path, _, names in os.walk(folder):
        found += [os.path.join(path, n) for n in names if n.endswith(ends)]
    return sorted(found)


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def includes(path):
    """(own, name) for each include of a file; own: in quotes."""
    return [(m[1] == '"', m[2]) for m in map(_INCLUDE.match, lines(path)) if m]


def table(name):
    """A table of the audit: the words of each line that is neither empty nor a comment."""
    path = os.path.join(os.path.dirname(__file__), name)
    rows = (line.split("#", 1)[0].split() for line in lines(path))
    return [row for row in rows if row]


def without_comments(path):
    """The text of a C file with comments and string contents blanked, line by line."""
    text = "\n".join(lines(path))
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
    blank = pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    return blank.split("\n")
