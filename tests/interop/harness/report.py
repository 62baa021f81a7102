"""The matrix at the end: a row for each scenario, a column for each combination of clients."""

from collections import namedtuple

Result = namedtuple("Result", "scenario case outcome seconds text")
WORDS = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}


def matrix(results):
    scenarios = list(dict.fromkeys(r.scenario for r in results))
    cases = list(dict.fromkeys(r.case for r in results))
    cells = {(r.scenario, r.case): WORDS[r.outcome] for r in results}
    lines = []
    for part in blocks(cases):
        first = max(len(s) for s in scenarios)
        widths = [max(len(case), 4) for case in part]
        lines.append(" " * first + "  " + "  ".join(c.ljust(w) for c, w in zip(part, widths)))
        for scenario in scenarios:
            row = [cells.get((scenario, case), "") for case in part]
            if any(row):
                lines.append(scenario.ljust(first) + "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths)))
        lines.append("")
    return "\n".join(line.rstrip() for line in lines)


def blocks(cases, width=90):
    """The columns in groups that fit a terminal."""
    group, used = [], 0
    for case in cases:
        size = max(len(case), 4) + 2
        if group and used + size > width:
            yield group
            group, used = [], 0
        group.append(case)
        used += size
    if group:
        yield group


def closing_line(results):
    def count(outcome):
        return sum(r.outcome == outcome for r in results)
    return f"{count('passed')} passed, {count('failed')} failed, {count('skipped')} skipped"
