"""The results: every sample as JSON, and tables to read."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bars import bars
from candidates import Candidate
from figures import Figure, Row, rows
from rounds import Results, say
from workloads import SIZES, Workload


def write(results: Results, candidates: list[Candidate], versions: dict[str, str], folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    (folder / f"{name}.json").write_text(as_json(results, versions, when))
    text = as_markdown(results, candidates, versions, when)
    (folder / f"{name}.md").write_text(text)
    print(text)
    say(f"written to {folder}")


def as_json(results: Results, versions: dict[str, str], when: str) -> str:
    samples = [
        {**workload._asdict(), "candidate": name, "rounds": [sample._asdict() for sample in own]}
        for workload, by_name in results.samples.items()
        for name, own in by_name.items()
    ]
    document = {"when": when, "versions": versions, "samples": samples, "memory_mb": results.memory}
    return json.dumps(document, indent=1) + "\n"


def as_markdown(results: Results, candidates: list[Candidate], versions: dict[str, str], when: str) -> str:
    labels = {candidate.name: candidate.label for candidate in candidates}
    figures = rows(results)
    rounds = max(len(samples) for samples in results.memory.values())
    parts = [
        f"Measured {when}, {rounds} rounds; medians, with the least and the greatest. `make bench` makes this file.",
        table(("", ""), versions.items()),
        "## Bars",
        table(("bar", "measured", "met?"), [(bar.text, bar.measured, bar.verdict) for bar in bars(figures, results)]),
        "## CPU added per request, in us\n\nOver bare Envoy, whose own is in its row. 16 connections, JSON answers.",
        overview(figures, labels),
        *(part for workload, own in figures.items() for part in (f"## {workload.name}", details(own, labels))),
        "## Memory\n\nMB resident after the first and after the last round.",
        table(("", "first", "last"), [(labels[name], f"{own[0]:.0f}", f"{own[-1]:.0f}") for name, own in results.memory.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def overview(figures: dict[Workload, dict[str, Row]], labels: dict[str, str]) -> str:
    """One row a candidate, one column a size and place of the model."""
    columns = [workload for workload in figures if workload.is_baseline]
    head = [f"{SIZES[workload.size]}, {'first' if workload.model_first else 'last'}" for workload in columns]
    body = [(label, *(cell(figures[workload].get(name), name) for workload in columns)) for name, label in labels.items()]
    return table(("", *head), body)


def cell(row: Row | None, name: str) -> str:
    if row is None:
        return ""
    return f"{row.cpu_us.median:.1f}" if name == "bare" else f"{row.cpu_added_us.median:+.1f}"


def details(own: dict[str, Row], labels: dict[str, str]) -> str:
    head = ("", "rps", "of bare", "CPU us", "added", "p50 us", "p50 added", "p99 added", "core busy")
    return table(head, [(labels[name], *detail(own[name])) for name in labels if name in own])


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
