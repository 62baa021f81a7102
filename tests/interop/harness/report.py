"""The matrix at the end: a row for each scenario, a column for each combination of clients."""

from collections import namedtuple

# first_try: why the first try failed, in the result of a second one
Result = namedtuple("Result", "scenario case outcome seconds text relay_at_fault first_try", defaults=(False, ""))
WORDS = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}


def matrix(results):
    scenarios = list(dict.fromkeys(r.scenario for r in results))
    cases = list(dict.fromkeys(r.case for r in results))
    cells = {(r.scenario, r.case): word(r) for r in results}
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


def word(result):
    return "2nd" if result.first_try and result.outcome == "passed" else WORDS[result.outcome]


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


def not_passed(results):
    """What was skipped or failed, a line each; of a failed second try the first one's reason as well."""
    lines = []
    for r in (r for r in results if r.outcome != "passed"):
        lines.append(f"{r.outcome}: {r.scenario} {r.case}: {r.text}")
        lines += [f"    the first try: {r.first_try}"] if r.first_try else []
    return lines


def closing_line(results):
    def count(outcome):
        return sum(r.outcome == outcome for r in results)
    return f"{count('passed')} passed, {count('failed')} failed, {count('skipped')} skipped"
