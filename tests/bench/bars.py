"""What the gateway must not cost: each bar beside what was measured."""

from collections.abc import Iterator
from typing import NamedTuple

from candidates import BARE, GAUD
from figures import Row
from rounds import Results
from workloads import CONTENT_SIZES, LUA_CONTENTS, SIZES, Workload

# At 1 KB, in instructions that are added to bare Envoy's.
LUA_INSTRUCTIONS_FACTOR = 2.0
FLOOR_INSTRUCTIONS_FACTOR = 1.3
# What a request adds whose usage is recorded and whose key has every limit, beside what the same request adds without.
ALL_LIMITS_INSTRUCTIONS_FACTOR = 2.2
ALL_LIMITS = "gaud, client key with all limits"
# By size, in CPU time that is added. 1 MB is reported only: there one process differs from the next by as much.
LUA_FACTORS = {1_000: 1.7, 10_000: 1.9, 100_000: 1.0}
# No kind of content may cost more than this many times what prose does.
PROSE, PROSE_FACTOR, PROSE_SIZE = "prose", 2.2, 100_000
# What Envoy AI Gateway 1.1 kept of bare Envoy's requests per second when it was measured, and how often as many Gaud is
# to serve.
AI_GATEWAY = {1_000: (0.13, 8), 100_000: (0.06, 12), 1_000_000: (0.08, 12)}
LITELLM_FACTOR = 100
STREAM_SHARE = 0.95
MEMORY_MB = 5

Rows = dict[Workload, dict[str, Row]]


class Bar(NamedTuple):
    text: str
    measured: str
    is_met: bool

    @property
    def verdict(self) -> str:
        return "met" if self.is_met else "**missed**"


def instruction_bars(costs: dict[str, float]) -> list[Bar]:
    """Of the rows of `make bench-instructions`, those that were counted."""
    plain = "gaud, model last"
    limits = [
        (ALL_LIMITS, plain, ALL_LIMITS_INSTRUCTIONS_FACTOR),
        (plain, "Lua, first match", LUA_INSTRUCTIONS_FACTOR),
        (plain, "wasm, only the calls that Gaud needs", FLOOR_INSTRUCTIONS_FACTOR),
    ]
    return [
        Bar(
            f'{name}: adds at most {factor} times what "{other}" adds',
            f"{costs[name] / costs[other]:.2f} times",
            costs[name] <= factor * costs[other],
        )
        for name, other, factor in limits
        if name in costs and other in costs
    ]


def time_bars(rows: Rows, results: Results) -> list[Bar]:
    """Of `make bench`, those whose candidates were measured in this run."""
    return [
        *beside_lua(rows),
        *beside_the_same_job(rows),
        *beside_prose(rows),
        *streams(rows),
        *beside_gateways(rows),
        *memory(results),
    ]


def lua_workloads(sizes) -> Iterator[Workload]:
    for size in sizes:
        yield from (Workload(size, model_first) for model_first in (False, True))
        if size in CONTENT_SIZES:
            yield from (Workload(size, content=content) for content in LUA_CONTENTS)


def beside_lua(rows: Rows) -> Iterator[Bar]:
    for workload in lua_workloads(LUA_FACTORS):
        factor = LUA_FACTORS[workload.size]
        yield from beside(rows, workload, "lua", factor, f"adds at most {factor} times Lua's CPU time, first match")


def beside_the_same_job(rows: Rows) -> Iterator[Bar]:
    for workload in lua_workloads(SIZES):
        yield from beside(rows, workload, "lua_same_job", 1, "adds no more CPU time than Lua that does the same job")


def beside(rows: Rows, workload: Workload, other: str, factor: float, text: str) -> Iterator[Bar]:
    if found := of(rows, workload, GAUD, other):
        gaud, lua = (row.cpu_added_us.median for row in found)
        place = "first" if workload.model_first else "last"
        subject = f"{SIZES[workload.size]} {workload.content}, model {place}"
        measured = f"{gaud:.1f} us, Lua {lua:.1f} us: {gaud / lua:.2f} times"
        yield Bar(f"{subject}: {text}", measured, gaud <= factor * lua)


def beside_prose(rows: Rows) -> Iterator[Bar]:
    prose = of(rows, Workload(PROSE_SIZE, content=PROSE), GAUD)
    for workload, found in rows.items():
        if prose and workload.size == PROSE_SIZE and workload.is_content and workload.content != PROSE:
            added, of_prose = (row.cpu_added_us.median for row in (found[GAUD], prose[0]))
            text = f"{SIZES[PROSE_SIZE]} {workload.content}: adds at most {PROSE_FACTOR} times what prose adds"
            measured = f"{added:.1f} us, prose {of_prose:.1f} us: {added / of_prose:.2f} times"
            yield Bar(text, measured, added <= PROSE_FACTOR * of_prose)


def streams(rows: Rows) -> Iterator[Bar]:
    for chunks in (100, 1_000):
        if found := of(rows, Workload(1_000, chunks=chunks), GAUD):
            kept = found[0].rps_kept.median
            yield Bar(f"{chunks:,} chunks: at least {STREAM_SHARE} of bare Envoy's throughput", f"{kept:.3f}", kept >= STREAM_SHARE)


def beside_gateways(rows: Rows) -> Iterator[Bar]:
    for size, (share, factor) in AI_GATEWAY.items():
        if found := of(rows, Workload(size), GAUD):
            kept = found[0].rps_kept.median
            text = f"{SIZES[size]}: {factor} times Envoy AI Gateway's throughput (which keeps {share} of bare Envoy's)"
            yield Bar(text, f"keeps {kept:.2f}: {kept / share:.1f} times", kept >= factor * share)
    if found := of(rows, Workload(1_000), GAUD, "litellm"):
        gaud, litellm = (row.rps.median for row in found)
        text = f"1 KB: {LITELLM_FACTOR} times LiteLLM's throughput"
        measured = f"{gaud:,.0f} rps, LiteLLM {litellm:,.0f} rps: {gaud / litellm:.0f} times"
        yield Bar(text, measured, gaud >= LITELLM_FACTOR * litellm)


def memory(results: Results) -> Iterator[Bar]:
    if GAUD in results.memory:
        samples = results.memory[GAUD]
        grown = samples[-1] - samples[0] - (results.memory[BARE][-1] - results.memory[BARE][0])
        text = f"After the first round memory grows by less than {MEMORY_MB} MB more than bare Envoy's"
        yield Bar(text, f"{grown:+.1f} MB in {results.requests[GAUD]:,} requests", grown < MEMORY_MB)


def of(rows: Rows, workload: Workload, *names: str) -> list[Row] | None:
    """The rows of these candidates, where all were measured."""
    found = rows.get(workload, {})
    return [found[name] for name in names] if all(name in found for name in names) else None
