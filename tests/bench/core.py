"""`make bench-core`: the scanner alone, in GB/s, beside what else passes over a body's bytes.

On the host, and in V8 (under Node) with and without SIMD. A VM runs what Envoy runs, but alone: no copy out of Envoy's
buffers, no call into the VM.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path

from write import table

HERE = Path(__file__).parent
LIMIT_SECS = 300


def measured(argv: list, place: str) -> list[dict]:
    environment = os.environ | {"GAUD_BENCH_WHERE": place, "NODE_NO_WARNINGS": "1"}
    done = subprocess.run(
        list(map(str, argv)), env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_SECS
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_markdown(points: list[dict]) -> str:
    """A table for each place: one row a kind of content and work, one column a size."""
    parts = []
    for place in unique(point["where"] for point in points):
        own = [point for point in points if point["where"] == place]
        parts += [f"## {place}", speeds(own)]
    return "\n\n".join(("GB/s; the best of many short rounds. `make bench-core` makes this file.", *parts)) + "\n"


def speeds(points: list[dict]) -> str:
    sizes = unique(point["size"] for point in points)
    kinds = unique((point["content"], point["work"]) for point in points)
    speed = {(point["content"], point["work"], point["size"]): f"{point['gb_per_sec']:.2f}" for point in points}
    head = ("content", "work", *(f"{size / 1000:,.0f} KB" for size in sizes))
    return table(head, [(*kind, *(speed[*kind, size] for size in sizes)) for kind in kinds])


def unique(values) -> list:
    return list(dict.fromkeys(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("host", "simd", "plain", "results"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    runs = {
        "host": [asked.host],
        "V8, simd128": ["node", HERE / "core/wasi.mjs", asked.simd],
        "V8, no SIMD": ["node", HERE / "core/wasi.mjs", asked.plain],
    }
    points = [point for place, argv in runs.items() for point in measured(argv, place)]
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "core.json").write_text(json.dumps(points, indent=1) + "\n")
    (asked.results / "core.md").write_text(as_markdown(points))
    print(as_markdown(points))


if __name__ == "__main__":
    main()
