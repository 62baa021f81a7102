"""What each row of the comparison is to reach, and whether it does. Called by compare.py."""

import collections
import re

# Pattern of the row's name; at most (or at least) this many times the best peer; the same of the bare forwarder; and the
# value itself. None: no aim.
Aim = collections.namedtuple("Aim", "pattern more_is_better peer bare value")

AIMS = [
    Aim(r"slowest/fastest", True, None, None, 0.8),
    Aim(r"KiB.*saturated", False, 0.4, 1.2, None),
    Aim(r"KiB.*both ways", False, 0.4, 1.2, None),
    Aim(r"KiB.* at \d+ MB/s", False, 0.5, 1.2, None),
    Aim(r"handshake", False, 0.4, 1.25, None),
    Aim(r"arrival", False, 0.4, None, None),
    Aim(r"memory of an idle", False, 1 / 30, None, 1024),
    Aim(r"15000 against 1000", False, None, None, 1.2),
    Aim(r"64-byte round trip", False, 0.5, None, None),
    Aim(r"round trip alone p50", False, 0.5, None, None),
    Aim(r"round trip beside .* p99", False, 0.25, 1.5, None),
    Aim(r"one circuit at", True, 1.0, None, None),
    Aim(r"rendezvous:", False, 0.2, None, None),
]

# Rows of ours that have another name with the peers.
SAME = {
    "handshake, keyproc on another core": "handshake",
    "arrival, with the log at info": "arrival: identify, reserve",
}

Verdict = collections.namedtuple("Verdict", "text holds")
NOTHING = Verdict("", None)


def compare(ours, other, aim, more_is_better):
    if aim is None or not other:
        return NOTHING
    ratio = ours / other
    holds = ratio >= aim if more_is_better else ratio <= aim
    word = "least" if more_is_better else "most"
    return Verdict(f"{ratio:.2g} (at {word} {aim:.2g}) {'holds' if holds else '**does not hold**'}", holds)


def own(ours, aim, more_is_better):
    if aim is None:
        return NOTHING
    holds = ours >= aim if more_is_better else ours <= aim
    return Verdict(f"at {'least' if more_is_better else 'most'} {aim:g}: {'holds' if holds else '**does not hold**'}", holds)


def judge(name, medians, us, bare):
    """Two verdicts: against the best peer, against the bare forwarder or the value itself."""
    aim = next((a for a in AIMS if re.search(a.pattern, name)), None)
    if aim is None or us not in medians:
        return NOTHING, NOTHING
    ours = medians[us]
    theirs = [value for relay, value in medians.items() if relay not in (us, bare)]
    best = (max(theirs) if aim.more_is_better else min(theirs)) if theirs else None
    third = compare(ours, medians.get(bare), aim.bare, aim.more_is_better)
    if aim.value is not None:
        third = own(ours, aim.value, aim.more_is_better)
    return compare(ours, best, aim.peer, aim.more_is_better), third
