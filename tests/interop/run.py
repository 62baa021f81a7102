#!/usr/bin/env python3
"""Runs the interop scenarios: published libp2p clients against the real relay. See README.md."""

import argparse
import os
import shutil
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import proofs  # noqa: E402
from harness.build import OUT, build  # noqa: E402
from harness.client import ClientError, ClientTimeout  # noqa: E402
from harness.report import Result, closing_line, matrix, not_passed  # noqa: E402
from harness.second import second_tries, told  # noqa: E402
from harness.session import Session, Skip  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402

EXPECTED = (AssertionError, ClientError, ClientTimeout)


def main():
    options = arguments()
    if options.list:
        for scenario in SCENARIOS:
            print(f"{scenario.name:24} {' '.join(map(label, scenario.cases)):60} {summary(scenario)}")
        return 0
    wrong = proofs.faults(SCENARIOS)
    for line in wrong:
        say(f"proofs: {line}")
    if options.proofs:
        say(f"proofs: {len(proofs.rows())} rows, {len(wrong)} faults")
        return 1 if wrong else 0
    wanted = [(s, case) for s in SCENARIOS for case in s.cases if selected(s, case, options)]
    if not wanted:
        sys.exit("no such scenario; see --list")
    if not os.access(options.relay, os.X_OK):
        sys.exit(f"{options.relay} is not there; build the relay first or name it with --relay")
    commands, missing = build({kind for _, case in wanted for kind in case}, say)
    results = run_all(wanted, lambda scenario, case: run(scenario, case, commands, missing, options))
    if not options.once:
        places = {(s.name, label(case)): (s, case) for s, case in wanted}
        results = second_tries(results, lambda r: run(*places[r.scenario, r.case], commands, missing, options, again=True), say)
    print()
    print(matrix(results))
    for line in not_passed(results) + told(results):
        print(line)
    if is_full(options):
        missed, notes = proofs.unplayed(SCENARIOS, results)
        for line in missed + notes:
            print(f"proofs: {line}")
        wrong += missed
    print(closing_line(results))
    return 1 if wrong or any(r.outcome == "failed" for r in results) else 0


def run_all(wanted, play):
    """Runs one after the other, but the slow ones, which mostly wait, beside the rest."""
    with ThreadPoolExecutor(max_workers=6) as beside:
        slow = {(s.name, case): beside.submit(play, s, case) for s, case in wanted if s.slow}
        quick = {(s.name, case): play(s, case) for s, case in wanted if not s.slow}
        done = {**quick, **{key: future.result() for key, future in slow.items()}}
    return [done[s.name, case] for s, case in wanted]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.path.normpath(os.path.join(HERE, "../../build/bin/dusk-relay"))
    parser.add_argument("--relay", default=default, help="the program to test (default: build/bin/dusk-relay)")
    parser.add_argument("--only", action="append", metavar="NAME", help="a scenario, or SCENARIO/CASE; may be repeated")
    parser.add_argument("--client", metavar="KIND", help="only cases with this kind of client")
    parser.add_argument("--quick", action="store_true", help="leave out the scenarios that mostly wait")
    parser.add_argument("--once", action="store_true", help="no second try for what failed")
    parser.add_argument("--proofs", action="store_true", help="check the tables of README.md and end")
    parser.add_argument("--list", action="store_true", help="show the scenarios and end")
    options = parser.parse_args()
    options.relay = os.path.abspath(options.relay)
    return options


def is_full(options):
    return not (options.only or options.client or options.quick)


def selected(scenario, case, options):
    if options.quick and scenario.slow or options.client and options.client not in case:
        return False
    return not options.only or scenario.name in options.only or f"{scenario.name}/{label(case)}" in options.only


def run(scenario, case, commands, missing, options, again=False):
    lacking = [kind for kind in case if kind in missing]
    if lacking:
        return note(scenario, case, "skipped", 0, missing[lacking[0]].splitlines()[0])
    folder = os.path.join(OUT, "logs", f"{scenario.name}-{label(case)}")
    make_room(folder, again)
    session = Session(options.relay, commands, folder)
    began = time.monotonic()
    outcome, text = attempt(lambda: scenario.play(session, *case))
    ending, ending_text = attempt(session.end)
    if ending != "passed":
        outcome, text = ending, "; ".join(filter(None, (text, ending_text)))
    if outcome == "failed":
        text += f" (logs: {os.path.relpath(folder)})"
    return note(scenario, case, outcome, time.monotonic() - began, text, ending != "passed")


def make_room(folder, again):
    """For the logs of a try; those of a first one that failed are kept beside."""
    first = folder + ".first"
    shutil.rmtree(first, ignore_errors=True)
    if again:
        os.rename(folder, first)
    shutil.rmtree(folder, ignore_errors=True)


def attempt(action):
    try:
        action()
        return "passed", ""
    except Skip as reason:
        return "skipped", str(reason)
    except EXPECTED as failure:
        trace = traceback.extract_tb(failure.__traceback__)
        where = next((frame for frame in reversed(trace) if "scenarios" in frame.filename), trace[-1])
        what = failure if str(failure) else "not so: " + where.line
        return "failed", f"{what} ({os.path.basename(where.filename)}:{where.lineno})"
    except Exception:  # a mistake in the scenario itself is a failure too
        return "failed", traceback.format_exc()


def note(scenario, case, outcome, seconds, text, relay_at_fault=False):
    say(f"{outcome:8} {scenario.name} {label(case)} ({seconds:.1f} s) {text}".rstrip())
    return Result(scenario.name, label(case), outcome, seconds, text, relay_at_fault)


def label(case):
    return "+".join(case)


def summary(scenario):
    return (scenario.play.__doc__ or "").strip().splitlines()[0]


def say(line):
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
