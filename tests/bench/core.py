"""`make bench-core`: the scanner alone, on each kind of content, beside what else passes over a body's bytes.

On the host, and in V8 (under Node) with and without SIMD. A VM runs what Envoy runs, but alone: no copy out of Envoy's
buffers, no call into the VM. As in Envoy, all of a module is compiled by the better compiler from the start.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path

from write import table

HERE = Path(__file__).parent
LIMIT_SECS = 300
SCANNER, PROSE = "scanner", "prose"
NODE = ["node", "--no-liftoff", HERE / "core/wasi.mjs"]


def measured(argv: list, place: str) -> list[dict]:
    environment = os.environ | {"GAUD_BENCH_WHERE": place, "NODE_NO_WARNINGS": "1"}
    done = subprocess.run(
        list(map(str, argv)), env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_SECS
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_markdown(points: list[dict]) -> str:
    """Two tables for each place: the scanner's times, and all speeds."""
    parts = []
    for place in unique(point["where"] for point in points):
        own = [point for point in points if point["where"] == place]
        times_head = "The scanner: ns a byte, and how many times prose's."
        parts += [f"## {place}", times_head, times([point for point in own if point["work"] == SCANNER])]
        parts += ["GB/s.", speeds(own)]
    return "\n\n".join(("The best of many short rounds. `make bench-core` makes this file.", *parts)) + "\n"


def times(points: list[dict]) -> str:
    """One row a kind of content, one column a size."""
    sizes = unique(point["size"] for point in points)
    time = {(point["content"], point["size"]): 1 / point["gb_per_sec"] for point in points}
    kinds = unique(point["content"] for point in points)
    rows = [(kind, *(f"{time[kind, size]:.3f} ({time[kind, size] / time[PROSE, size]:.1f})" for size in sizes)) for kind in kinds]
    return table(("content", *map(kilobytes, sizes)), rows)


def speeds(points: list[dict]) -> str:
    """One row a kind of content and work, one column a size."""
    sizes = unique(point["size"] for point in points)
    kinds = unique((point["content"], point["work"]) for point in points)
    speed = {(point["content"], point["work"], point["size"]): f"{point['gb_per_sec']:.2f}" for point in points}
    head = ("content", "work", *map(kilobytes, sizes))
    return table(head, [(*kind, *(speed[*kind, size] for size in sizes)) for kind in kinds])


def kilobytes(size: int) -> str:
    return f"{size / 1000:,.0f} KB"


def unique(values) -> list:
    return list(dict.fromkeys(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("host", "simd", "plain", "results"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    runs = {
        "host": [asked.host],
        "V8, simd128": [*NODE, asked.simd],
        "V8, no SIMD": [*NODE, asked.plain],
    }
    points = [point for place, argv in runs.items() for point in measured(argv, place)]
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "core.json").write_text(json.dumps(points, indent=1) + "\n")
    (asked.results / "core.md").write_text(as_markdown(points))
    print(as_markdown(points))


if __name__ == "__main__":
    main()
