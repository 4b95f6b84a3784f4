"""`make bench-instructions`: what a request costs in instructions, which other programs on the machine do not change.

Counted is the code of Envoy, of its VM and of the filter, and not the kernel's. Above 10 KB time says more: a copy is
counted byte by byte, and takes next to no time.

A row more is a line in ROWS, and for another filter an entry in filters.yaml.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import bars
import candidates as starting
import envoy_config
from bodies import body
from callgrind import Callgrind
from candidates import BARE, GAUD, Candidate
from check import check
from client import Client
from control import start_control
from envoy_config import KEYED, MODEL, UNKEYED, Settings
from rounds import say
from tools import RESULTS, Tools, tools
from versions import measured_at
from workloads import PATH, Workload
from write import say_missed, table

BODY_BYTES = 1_000
WARM_UP = 300
# Sent when counting has begun, and not counted.
FIRST = 20
REQUESTS = 250
FILE = RESULTS / "instructions.md"

CHAIN = KEYED._replace(
    tables=f'[[fallbacks]]\nmodel = "{MODEL}"\nto = ["spare:gpt-4o"]\n'
    f'[providers.spare]\nurl = "http://127.0.0.1:9"\ndiscover_models = false\n{KEYED.provider}'
)


METERED = KEYED._replace(tables='[usage]\nmeter = "all"\n')

# Limits that no row comes to, by what they add to a row's name.
LIMITS = {
    "rpm": {"rpm": 1_000_000},
    "tpm": {"tpm": 1_000_000_000},
    "parallel": {"max_parallel_requests": 1_000},
    "budget": {"budget": {"usd": 1_000_000, "window": "month"}},
}
ALL_LIMITS = {field: value for limit in LIMITS.values() for field, value in limit.items()}


class Row(NamedTuple):
    """One line of the table: a candidate of filters.yaml, how it is configured, and what it is asked."""

    name: str
    candidate: str = GAUD
    settings: Settings = KEYED
    model_first: bool = False
    model: str = MODEL
    limits: dict[str, Any] | None = None  # of the client's key, as `POST /admin/keys` takes them; None for no key


BARE_ROW = Row("bare Envoy", BARE)

ROWS = (
    BARE_ROW,
    Row("wasm, empty callbacks", "noop"),
    Row("wasm, empty callbacks, on the SDK", "sdk"),
    Row("wasm, only the calls that Gaud needs", "floor"),
    Row("Lua, first match", "lua"),
    Row("Lua, the same job", "lua_same_job"),
    Row("gaud, model last"),
    Row("gaud, model first", model_first=True),
    Row("gaud, no key, model last", settings=UNKEYED),
    Row("gaud, no key, model first", settings=UNKEYED, model_first=True),
    Row("gaud, chain", settings=CHAIN),
    Row("gaud, metered, model last", settings=METERED),
    Row("gaud, client key", limits={}),
    *(Row(f"gaud, client key with {name}", limits=limit) for name, limit in LIMITS.items()),
    Row(bars.ALL_LIMITS, limits=ALL_LIMITS),
)


def count(built: Tools, row: Row) -> float:
    """Instructions of one request, in a new process."""
    with tempfile.TemporaryDirectory(prefix="gaud-count-") as name, ExitStack() as stack:
        folder = Path(name)
        upstream = starting.start_upstream(built, folder, stack)
        candidate, callgrind = envoy_config.candidates(built)[row.candidate], Callgrind(folder)
        control = None if row.limits is None else start_control(built, row.limits, folder, stack)
        settings = control.settings if control else row.settings
        envoy = starting.start_envoy(built, row.candidate, candidate, upstream, folder, stack, settings, callgrind.argv())
        if control:
            envoy = with_client_key(envoy, control.key)
        sent = body(BODY_BYTES, row.model_first, model=row.model)
        if row.model == MODEL:
            check(envoy, Workload(BODY_BYTES, row.model_first), sent, upstream)
        client = stack.enter_context(Client(envoy.url + PATH, envoy.headers, sent))
        send(client, WARM_UP, row)
        callgrind.begin()
        send(client, FIRST, row)
        callgrind.reset()
        send(client, REQUESTS, row)
        counted = callgrind.count() / REQUESTS
    say(f"{row.name}: {counted:,.0f}")
    return counted


def with_client_key(envoy: Candidate, key: str) -> Candidate:
    """Waits until the filter knows the key."""
    keyed = envoy._replace(headers=envoy.headers | {"authorization": f"Bearer {key}"})
    end = time.monotonic() + starting.START_LIMIT_SECS
    while not starting.answers(f"{envoy.url}/v1/models", keyed.headers):
        if time.monotonic() > end:
            raise RuntimeError("the filter has not got its keys")
    return keyed


def send(client: Client, times: int, row: Row) -> None:
    for _ in range(times):
        if (status := client.send()) != 200:
            raise RuntimeError(f"{row.name}: {status}")


def count_all(built: Tools, rows: tuple[Row, ...], repeats: int = 1) -> dict[str, list[float]]:
    """By row, the counts of `repeats` processes; one process at a time for each core of the machine."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = [list(pool.map(lambda row: count(built, row), rows)) for _ in range(repeats)]
    return {row.name: list(each) for row, each in zip(rows, zip(*counts, strict=True), strict=True)}


def costs(counts: dict[str, list[float]]) -> dict[str, float]:
    """By row, the median: of bare Envoy all that it executes, of the others what they add to that."""
    medians = {name: statistics.median(each) for name, each in counts.items()}
    bare = medians[BARE_ROW.name]
    return {name: median if name == BARE_ROW.name else median - bare for name, median in medians.items()}


def spread(counts: dict[str, list[float]]) -> float:
    """The greatest difference between processes of one row, as a share."""
    return max((max(each) - min(each)) / min(each) for each in counts.values())


def as_markdown(counts: dict[str, list[float]], built: Tools) -> str:
    bare, *others = costs(counts).items()
    rows = [(bare[0], f"{bare[1]:,.0f}"), *((name, f"{added:+,.0f}") for name, added in others)]
    repeats = len(next(iter(counts.values())))
    how = "one process each" if repeats == 1 else f"the median of {repeats} processes, which differ by up to {spread(counts):.2%}"
    lines = [f"* {bar.text}: {bar.measured}: {bar.verdict}" for bar in bars.instruction_bars(costs(counts))]
    return "\n".join(
        [
            f"{measured_at(built)}: a chat of {BODY_BYTES / 1000:.0f} KB on one connection, {how}.",
            "All instructions of bare Envoy, and what the other rows add to them. `make bench-instructions` makes this file.",
            "",
            table(("", "instructions per request"), rows),
            "",
            *lines,
            "",
        ]
    )


def committed(file: Path = FILE) -> dict[str, float]:
    """The costs that the file has."""
    rows = re.findall(r"^\| (\w.*) \| \+?([\d,]+) \|$", file.read_text(), re.MULTILINE)
    return {name: float(number.replace(",", "")) for name, number in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=1, help="processes for each row")
    parser.add_argument("--only", nargs="*", default=[], help="parts of rows' names; writes no file")
    asked = parser.parse_args()
    built = tools()
    rows = tuple(row for row in ROWS if row is BARE_ROW or not asked.only or any(part in row.name for part in asked.only))
    counts = count_all(built, rows, asked.repeats)
    text = as_markdown(counts, built)
    print(text)
    if not asked.only:
        FILE.write_text(text)
    sys.exit(say_missed(bars.instruction_bars(costs(counts))))


if __name__ == "__main__":
    main()
