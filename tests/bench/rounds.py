"""The rounds: every candidate has its turn at every workload, again and again, side by side."""

import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from bodies import body
from candidates import Candidate
from check import check
from measure import Failed, Sample, rss_mb, sample
from workloads import Workload

WARM_UP_SECS = 1
# Slow gateways need a window in which some requests come to an end.
GATEWAY_WINDOW_SECS = 4
# There are many kinds of content, and each is compared with the others by ratio.
CONTENT_WINDOW_SECS = 1


class Results(NamedTuple):
    """What was measured: samples by workload and candidate, and each candidate's memory after each round, in MB."""

    samples: dict[Workload, dict[str, list[Sample]]]
    memory: dict[str, list[float]]
    requests: dict[str, int]


def write_bodies(workloads: list[Workload], folder: Path) -> dict[Workload, Path]:
    files = {workload: folder / f"body-{number}.json" for number, workload in enumerate(workloads)}
    for workload, file in files.items():
        file.write_bytes(body(workload.size, workload.model_first, workload.content))
    return files


def check_all(candidates: list[Candidate], files: dict[Workload, Path], upstream: str) -> None:
    for candidate in candidates:
        for workload in candidate.workloads:
            check(candidate, workload, files[workload].read_bytes(), upstream)
        say(f"{candidate.label} does what it should")


def warm_up(candidates: list[Candidate], files: dict[Workload, Path]) -> None:
    """Caches and buffers fill, Lua is compiled, a gateway imports at its first request."""
    for candidate in candidates:
        for workload in [workload for workload in candidate.workloads if workload.size in (1_000, 100_000)][:2]:
            measure(candidate, workload, files, WARM_UP_SECS)


def run(candidates: list[Candidate], files: dict[Workload, Path], rounds: int, secs: int) -> Results:
    results = Results(defaultdict(lambda: defaultdict(list)), defaultdict(list), defaultdict(int))
    for number in range(rounds):
        for workload in files:
            say(f"round {number + 1} of {rounds}: {workload.name}")
            turns = [candidate for candidate in candidates if workload in candidate.workloads]
            # Each begins a round once: what the machine does beside hits all alike.
            shift = number % len(turns)
            for candidate in turns[shift:] + turns[:shift]:
                taken = measure(candidate, workload, files, secs)
                results.samples[workload][candidate.name].append(taken)
                results.requests[candidate.name] += taken.requests
        for candidate in candidates:
            results.memory[candidate.name].append(rss_mb(candidate.pid))
    return results


def measure(candidate: Candidate, workload: Workload, files: dict[Workload, Path], secs: int) -> Sample:
    url = candidate.url + workload.path
    window_secs = CONTENT_WINDOW_SECS if workload.is_content else secs
    if candidate.is_gateway:
        window_secs = GATEWAY_WINDOW_SECS
    try:
        return sample(candidate.pid, url, candidate.headers, files[workload], workload.connections, window_secs)
    except Failed as failed:
        raise RuntimeError(f"{candidate.label}, {workload.name}: {failed}") from None


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
