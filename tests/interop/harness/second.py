"""Second tries: clients of others and a machine that stands still have bad moments, a relay that is broken fails again.

What failed is played once more, by itself, with fresh processes, and the run says so; it passes if nothing else failed. With more
failures than LIMIT nothing is played again, and a relay that did not end well fails at once: neither is a bad moment.
"""

LIMIT = 3


def second_tries(results, play, say):
    """The results, with those of the second tries in place of the failures; `play` gives the new result of an old one."""
    failed = [r for r in results if r.outcome == "failed"]
    if len(failed) > LIMIT:
        say(f"nothing is tried again: {len(failed)} failed, and a run has {LIMIT} second tries")
        return results
    return [once_more(r, play, say) if r in failed and not r.relay_at_fault else r for r in results]


def once_more(result, play, say):
    """What cannot be played the second time has failed. The first try's logs have been moved to a folder with .first behind."""
    say(f"once more: {result.scenario} {result.case}")
    second = play(result)
    outcome = "passed" if second.outcome == "passed" else "failed"
    return second._replace(outcome=outcome, first_try=result.text.removesuffix(")") + ".first)")


def told(results):
    """Lines of the summary: what passed only at the second try and why the first one did not, and how many there were."""
    tried = [r for r in results if r.first_try]
    lines = [f"passed at the second try: {r.scenario} {r.case}: {r.first_try}" for r in tried if r.outcome == "passed"]
    if tried:
        lines.append(f"second tries: {len(lines)} of {len(tried)} passed; a run has {LIMIT}")
    return lines
