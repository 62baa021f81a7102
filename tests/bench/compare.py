"""Sets dusk-relay beside the relays of other libraries and the bare forwarder: the same load, in turn, several times.

    compare.py BUILD [--runs N] [--seconds S] [--again N] [--only GROUP]... [--peer NAME]... [--kept FILE] [--table]

Every group of rows is measured of each relay in turn, so that what disturbs the machine disturbs all. Prints a table in
Markdown of medians with minimum and maximum, and the aims with whether each holds. Rows are appended to a file
(kept.py), and the table is made of all that are there; --table measures nothing.
"""

import argparse
import collections
import os
import platform
import statistics
import subprocess
import sys
import time

import aims
import kept
import peers

GROUPS = ["bulk", "rates", "arrive", "growth", "latency", "rendezvous", "path"]
US, BARE = "dusk-relay", "bare"


def core_busy():
    """Share of time that each core was busy during half a second."""
    def ticks():
        with open("/proc/stat", encoding="ascii") as stat:
            lines = [line.split() for line in stat if line.startswith("cpu") and line[3].isdigit()]
        return [(sum(map(int, line[1:9])), int(line[4]) + int(line[5])) for line in lines]
    before = ticks()
    time.sleep(0.5)
    return [1 - (b[1] - a[1]) / max(1, b[0] - a[0]) for a, b in zip(before, ticks())]


def measure_once(bench, relay, program, group, seconds, table):
    command = [bench, "--relay", program, "--only", group, "--seconds", str(seconds), "--table", table]
    if relay != US:
        command.append("--plain")
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, timeout=900)
    except subprocess.TimeoutExpired:
        print(f"{relay}: {group} took too long", file=sys.stderr)
        return []
    if done.stderr:
        print(f"{relay}: {group}: {done.stderr[-400:].strip()}", file=sys.stderr)
    with open(table, encoding="utf-8") as lines:
        return [kept.row_from_text(relay, line) for line in lines]


def measure(args, relay, program, group, table):
    """The group's rows; again while others had the core, and then each row from where it was quietest."""
    bench = os.path.join(args.build, "tests/bench/bench")
    rows = measure_once(bench, relay, program, group, args.seconds, table)
    for _ in range(args.again):
        if kept.quiet(rows):
            break
        print(f"{relay}: {group}: the core was not quiet, again", file=sys.stderr)
        rows = kept.quieter(rows, measure_once(bench, relay, program, group, args.seconds, table))
    return rows


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return done.stdout.strip()


def measure_all(args, programs):
    about = {"began": time.strftime("%Y-%m-%dT%H:%M:%S"), "commit": commit(), "seconds": args.seconds}
    for turn in range(args.runs):
        for group in args.only or GROUPS:
            busy = core_busy()
            if max(busy) > 0.1:
                print(f"the machine is not quiet: cores {', '.join(f'{b:.0%}' for b in busy)} busy", file=sys.stderr)
            for relay, program in programs.items():
                print(f"run {turn + 1} of {args.runs}: {group}: {relay}", file=sys.stderr)
                kept.append(args.kept, measure(args, relay, program, group, args.kept + ".part"), {**about, "run": turn + 1})


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cell(rows):
    if not rows:
        return "-"
    values = [row.value for row in rows]
    text = f"**{number(statistics.median(values))}**"
    if len(values) > 1:
        text += f" ({number(min(values))} to {number(max(values))})"
    busy, read, others = (statistics.median(getattr(row, key) for row in rows) for key in ("busy", "per_read", "others"))
    notes = [f"{busy:.0%} busy"] if busy > 0 else []
    notes += [f"{read / 1000:.0f} kB/read"] if read > 0 else []
    notes += [f"others {others:.0%}"] if others > 0.1 else []
    return text + (f"<br>{', '.join(notes)}" if notes else "")


def library(name):
    done = subprocess.run(["pkg-config", "--modversion", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return f"{name} {done.stdout.strip() or '?'}"


def print_machine(rows):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    print(f"\nMachine: {model}, {os.cpu_count()} cores, Linux {platform.release()}; {time.strftime('%Y-%m-%d')}; "
          f"{library('libsodium')}, {library('libcrypto')}; relay on core 0, load on core 1; "
          f"at most {max((len(some) for by_relay in rows.values() for some in by_relay.values()), default=0)} runs.\n")


def print_table(rows, relays):
    names = [relay for relay in relays if any(rows[name][relay] for name in rows)]
    print(f"| row | {' | '.join(names)} | against the best peer | against bare |")
    print("|---|" + "---|" * (len(names) + 2))
    held = collections.Counter()
    for name, by_relay in rows.items():
        if not any(by_relay.values()):
            continue
        unit = next(row.unit for some in by_relay.values() for row in some)
        medians = {relay: statistics.median(row.value for row in some) for relay, some in by_relay.items() if some}
        for relay, some in rows.get(aims.SAME.get(name), {}).items():
            if some and relay != US:
                medians.setdefault(relay, statistics.median(row.value for row in some))
        verdict = aims.judge(name, medians, US, BARE)
        held.update(v.holds for v in verdict if v.holds is not None)
        print(f"| {name}, {unit} | {' | '.join(cell(by_relay[relay]) for relay in names)} | {verdict[0].text} | {verdict[1].text} |")
    print(f"\nAims that hold: {held[True]}; that do not: {held[False]}.")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", action="append")
    parser.add_argument("--peer", action="append", choices=list(peers.BUILD), help="only these")
    parser.add_argument("--again", type=int, default=2, help="times that a group is repeated while the core is not quiet")
    parser.add_argument("--kept", help="the file of rows; BUILD/tests/bench/kept.jsonl")
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    args.kept = args.kept or os.path.join(args.build, "tests/bench/kept.jsonl")
    relays = [US, BARE, *peers.BUILD]
    if not args.table:
        programs = {US: os.path.join(args.build, "bin/dusk-relay"), BARE: os.path.join(args.build, "tests/bench/limit")}
        programs.update(peers.build(os.path.join(args.build, "tests/bench/peers"), args.peer, print))
        measure_all(args, programs)
    rows = kept.read(args.kept)
    print_machine(rows)
    print_table(rows, relays)


if __name__ == "__main__":
    main()
