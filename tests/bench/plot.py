"""Draws the curves of a comparison as SVG, from rows that compare.py kept (--only curves).

    plot.py KEPT FOLDER

Needs matplotlib (`make bench-curves` has one in an environment of its own).
"""

import collections
import re
import statistics
import sys

import kept
import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "dusk-relay"  # the same picture for the same rows
import matplotlib.pyplot as plt  # noqa: E402

# file, pattern of the row's name (its group is x), x axis, y axis, logarithmic x, logarithmic y
PLOTS = [
    ("cpu-by-write-size", r"^(\d+) KiB, 100 circuits, saturated$", "KiB of a write, 100 circuits, saturated", "CPU s per GB", True, False),
    ("cpu-by-circuits", r"^curve: 16 KiB, circuits (\d+)$", "circuits, 16 KiB writes, saturated", "CPU s per GB", True, False),
    ("cpu-by-connections", r"^accept and reserve at (\d+)$", "connections open", "CPU us per arrival", False, False),
    ("memory-by-connections", r"^curve: memory at (\d+)$", "reserved connections open", "private memory, MB", False, True),
    ("rate-by-round-trip", r"^one circuit at (\d+) ms$", "round trip, ms", "MB/s of one circuit", True, False),
]


def points(path, pattern):
    """relay -> list of (x, median of y)."""
    values = collections.defaultdict(lambda: collections.defaultdict(list))
    for name, by_relay in kept.read(path).items():
        match = re.match(pattern, name)
        for relay, rows in by_relay.items() if match else ():
            values[relay][int(match[1])] += [row.value for row in rows]
    return {relay: sorted((x, statistics.median(ys)) for x, ys in by_x.items()) for relay, by_x in values.items()}


def draw(path, folder, name, pattern, x_label, y_label, x_log, y_log):
    lines = points(path, pattern)
    if not lines:
        print(f"{name}: no rows", file=sys.stderr)
        return
    figure, axes = plt.subplots(figsize=(7, 4))
    for relay, line in lines.items():
        axes.plot(*zip(*line), marker="o", label=relay, linewidth=2.5 if relay == "dusk-relay" else 1.2)
    axes.set(xlabel=x_label, ylabel=y_label)
    if x_log:
        axes.set_xscale("log")
    if y_log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(f"{folder}/bench-{name}.svg", metadata={"Date": None})
    plt.close(figure)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for plot in PLOTS:
        draw(sys.argv[1], sys.argv[2], *plot)


if __name__ == "__main__":
    main()
