"""The results: every sample as JSON, and tables to read."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bars import Bar, Rows, time_bars
from candidates import Candidate
from figures import Figure, Row, rows
from rounds import Results, say
from workloads import CONTENT_SIZES, MEASURED_CONTENTS, SIZES, Workload


def write(results: Results, candidates: list[Candidate], versions: dict[str, str], tables: Path, samples: Path) -> list[Bar]:
    """Writes both files; the bars are returned."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    samples.write_text(as_json(results, versions, when))
    figures = rows(results)
    bars = time_bars(figures, results)
    text = as_markdown(results, figures, bars, {candidate.name: candidate.label for candidate in candidates}, versions, when)
    tables.write_text(text)
    print(text)
    say(f"written to {tables} and {samples}")
    return bars


def say_missed(bars: list[Bar]) -> int:
    """Says which bars were missed; the command's exit status."""
    missed = [bar for bar in bars if not bar.is_met]
    for bar in missed:
        say(f"missed: {bar.text}: {bar.measured}")
    return 1 if missed else 0


def as_json(results: Results, versions: dict[str, str], when: str) -> str:
    taken = [
        {**workload._asdict(), "candidate": name, "rounds": [sample._asdict() for sample in samples]}
        for workload, by_name in results.samples.items()
        for name, samples in by_name.items()
    ]
    document = {"when": when, "versions": versions, "samples": taken, "memory_mb": results.memory}
    return json.dumps(document, indent=1) + "\n"


def as_markdown(
    results: Results,
    figures: Rows,
    bars: list[Bar],
    labels: dict[str, str],
    versions: dict[str, str],
    when: str,
) -> str:
    rounds = max(len(samples) for samples in results.memory.values())
    parts = [
        f"Measured {when}, {rounds} rounds; medians, with the least and the greatest. `make bench` makes this file.",
        table(("", ""), versions.items()),
        "## Bars",
        table(("bar", "measured", ""), [(bar.text, bar.measured, bar.verdict) for bar in bars]),
        "## CPU added per request, in us\n\nOver bare Envoy, whose CPU time is in its row. 16 connections, JSON answers.",
        overview(figures, labels),
        "## By kind of content\n\nCPU added per request, in us. The model comes last.",
        contents(figures, labels),
        *(
            part
            for workload, by_name in figures.items()
            if not workload.is_content
            for part in (f"## {workload.name}", details(by_name, labels))
        ),
        "## Memory\n\nMB resident after the first and after the last round.",
        table(("", "first", "last"), [(labels[name], f"{taken[0]:.0f}", f"{taken[-1]:.0f}") for name, taken in results.memory.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def contents(figures: Rows, labels: dict[str, str]) -> str:
    """One row a kind of content, one column a size and candidate."""
    columns = [(size, name) for size in CONTENT_SIZES for name in labels if name in MEASURED_CONTENTS]
    kinds = dict.fromkeys(workload.content for workload in figures if workload.is_content)
    head = [f"{SIZES[size]}, {labels[name]}" for size, name in columns]
    body = [
        (kind, *(cell(figures.get(Workload(size, content=kind), {}).get(name), name) for size, name in columns))
        for kind in kinds
    ]
    return table(("", *head), body)


def overview(figures: Rows, labels: dict[str, str]) -> str:
    """One row a candidate, one column a size and place of the model."""
    columns = [workload for workload in figures if workload.is_baseline]
    head = [f"{SIZES[workload.size]}, {'first' if workload.model_first else 'last'}" for workload in columns]
    body = [(label, *(cell(figures[workload].get(name), name) for workload in columns)) for name, label in labels.items()]
    return table(("", *head), body)


def cell(row: Row | None, name: str) -> str:
    if row is None:
        return ""
    return f"{row.cpu_us.median:.1f}" if name == "bare" else f"{row.cpu_added_us.median:+.1f}"


def details(by_name: dict[str, Row], labels: dict[str, str]) -> str:
    head = ("", "rps", "of bare", "CPU us", "added", "p50 us", "p50 added", "p99 added", "core busy")
    return table(head, [(labels[name], *detail(by_name[name])) for name in labels if name in by_name])


def detail(row: Row) -> tuple[str, ...]:
    return (
        f"{row.rps.median:,.0f}",
        f"{row.rps_kept.median:.3f} {spread(row.rps_kept, '.3f')}",
        f"{row.cpu_us.median:.1f}",
        f"{row.cpu_added_us.median:+.1f} {spread(row.cpu_added_us, '+.1f')}",
        f"{row.p50_us.median:,.0f}",
        f"{row.p50_added_us.median:+,.0f} {spread(row.p50_added_us, '+,.0f')}",
        f"{row.p99_added_us.median:+,.0f} {spread(row.p99_added_us, '+,.0f')}",
        f"{row.busy.median:.2f}",
    )


def spread(figure: Figure, form: str) -> str:
    return f"({figure.least:{form}} to {figure.greatest:{form}})"


def table(head, body) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
