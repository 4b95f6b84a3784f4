"""Samples become figures: each round beside bare Envoy's of the same round, then the median of the rounds."""

import statistics
from collections.abc import Callable
from typing import NamedTuple

from candidates import BARE
from measure import Sample
from rounds import Results
from workloads import Workload


class Figure(NamedTuple):
    """The median of the rounds, and the least and the greatest of them."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: list[float]) -> "Figure":
        return cls(statistics.median(values), min(values), max(values))


class Row(NamedTuple):
    """A candidate at a workload; `added` and `kept` are beside bare Envoy."""

    rps: Figure
    rps_kept: Figure
    cpu_us: Figure
    cpu_added_us: Figure
    p50_us: Figure
    p50_added_us: Figure
    p99_added_us: Figure
    busy: Figure


def row(results: Results, workload: Workload, name: str) -> Row:
    samples, bares = results.samples[workload][name], results.samples[workload][BARE]

    def each(value: Callable[[Sample], float]) -> Figure:
        return Figure.of([value(sample) for sample in samples])

    def beside(value: Callable[[Sample, Sample], float]) -> Figure:
        return Figure.of([value(*pair) for pair in zip(samples, bares, strict=True)])

    return Row(
        rps=each(lambda sample: sample.rps),
        rps_kept=beside(lambda sample, bare: sample.rps / bare.rps),
        cpu_us=each(lambda sample: sample.cpu_us),
        cpu_added_us=beside(lambda sample, bare: sample.cpu_us - bare.cpu_us),
        p50_us=each(lambda sample: sample.p50_us),
        p50_added_us=beside(lambda sample, bare: sample.p50_us - bare.p50_us),
        p99_added_us=beside(lambda sample, bare: sample.p99_us - bare.p99_us),
        busy=each(lambda sample: sample.busy),
    )


def rows(results: Results) -> dict[Workload, dict[str, Row]]:
    """All of them, in the order in which they were measured."""
    return {workload: {name: row(results, workload, name) for name in by_name} for workload, by_name in results.samples.items()}
