"""What the gateway must not cost: each bar beside what was measured."""

from collections.abc import Iterator
from typing import NamedTuple

from candidates import BARE
from figures import Row
from rounds import Results
from workloads import SIZES, Workload

# What Envoy AI Gateway 1.1 kept of bare Envoy's requests per second when it was measured, and how often
# as many Gaud is to serve.
AI_GATEWAY = {1_000: (0.13, 5), 100_000: (0.06, 9), 1_000_000: (0.08, 9)}
LITELLM_FACTOR = 100
NOOP_FACTOR = 1.4
STREAM_SHARE = 0.95
MEMORY_MB = 5


class Bar(NamedTuple):
    text: str
    measured: str
    is_met: bool

    @property
    def verdict(self) -> str:
        return "yes" if self.is_met else "**no**"


def bars(rows: dict[Workload, dict[str, Row]], results: Results) -> list[Bar]:
    """Those whose candidates were measured in this run."""
    all_bars = (*beside_lua(rows), *beside_noop(rows), *streams(rows), *beside_gateways(rows), *memory(results))
    return list(all_bars)


def beside_lua(rows) -> Iterator[Bar]:
    for workload in (Workload(size, first) for size in SIZES for first in (False, True)):
        if own := of(rows, workload, "gaud", "lua"):
            gaud, lua = (row.cpu_added_us.median for row in own)
            place = "first" if workload.model_first else "last"
            text = f"{SIZES[workload.size]}, model {place}: adds no more CPU than Lua"
            yield Bar(text, f"{gaud:.1f} us; Lua {lua:.1f} us", gaud <= lua)


def beside_noop(rows) -> Iterator[Bar]:
    for first in (False, True):
        if own := of(rows, Workload(1_000, first), "gaud", "noop"):
            gaud, noop = (row.cpu_added_us.median for row in own)
            text = f"1 KB, model {'first' if first else 'last'}: adds at most {NOOP_FACTOR} times what empty callbacks add"
            yield Bar(text, f"{gaud:.1f} us; empty {noop:.1f} us: {gaud / noop:.2f} times", gaud <= NOOP_FACTOR * noop)


def streams(rows) -> Iterator[Bar]:
    for chunks in (100, 1_000):
        if own := of(rows, Workload(1_000, chunks=chunks), "gaud"):
            kept = own[0].rps_kept.median
            yield Bar(f"{chunks:,} chunks: at least {STREAM_SHARE} of bare Envoy's throughput", f"{kept:.3f}", kept >= STREAM_SHARE)


def beside_gateways(rows) -> Iterator[Bar]:
    for size, (share, factor) in AI_GATEWAY.items():
        if own := of(rows, Workload(size), "gaud"):
            kept = own[0].rps_kept.median
            text = f"{SIZES[size]}: {factor} times Envoy AI Gateway's throughput (which keeps {share} of bare Envoy's)"
            yield Bar(text, f"keeps {kept:.2f}: {kept / share:.1f} times", kept >= factor * share)
    if own := of(rows, Workload(1_000), "gaud", "litellm"):
        gaud, litellm = (row.rps.median for row in own)
        text = f"1 KB: {LITELLM_FACTOR} times LiteLLM's throughput"
        yield Bar(text, f"{gaud:,.0f} rps; LiteLLM {litellm:,.0f} rps: {gaud / litellm:.0f} times", gaud >= LITELLM_FACTOR * litellm)


def memory(results: Results) -> Iterator[Bar]:
    if "gaud" in results.memory:
        samples = results.memory["gaud"]
        grown = samples[-1] - samples[0] - (results.memory[BARE][-1] - results.memory[BARE][0])
        text = f"Memory stands still: grows by less than {MEMORY_MB} MB more than bare Envoy's after the first round"
        yield Bar(text, f"{grown:+.1f} MB in {results.requests['gaud']:,} requests", grown < MEMORY_MB)


def of(rows, workload: Workload, *names: str) -> list[Row] | None:
    """The rows of these candidates, where all were measured."""
    own = rows.get(workload, {})
    return [own[name] for name in names] if all(name in own for name in names) else None
