"""`make bench-scale`: what a gateway costs that has much in its configuration."""

import json
import statistics
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import candidates as starting
import envoy_config
from candidates import GAUD
from envoy_config import MODEL, Settings
from instructions import Row, count_all
from measure import rss_mb
from tools import RESULTS, Tools, tools
from versions import measured_at
from write import table

# A list counts for a second as under way, and one address may have 8 MiB under way.
LISTS = 5


def names(name: str, count: int) -> list[str]:
    return [name.format(f"{number:05}") for number in range(count)]


def provider(**lists: list[str]) -> Settings:
    return Settings("\n".join(f"{name} = {json.dumps(items)}" for name, items in lists.items()))


def tables(*parts: str) -> Settings:
    return Settings(tables="\n".join(parts))


def providers(count: int) -> Settings:
    return tables(*(f'[providers.{name}]\nurl = "http://127.0.0.1:9"\ndiscover_models = false' for name in names("p{}", count - 1)))


def aliases(count: int) -> Settings:
    return tables("[aliases]", *(f'{name} = "{MODEL}"' for name in names("alias-{}", count)))


CHAINS = tables(*(f'[[fallbacks]]\nmodel = "{name}"\nto = ["litellm:gpt-4o-mini"]' for name in names("chained-{}", 1_000)))

SIZES = (
    Row("one provider", settings=tables()),
    *(Row(f"{count} providers", settings=providers(count)) for count in (10, 100, 500)),
    *(Row(f"{count:,} aliases", settings=aliases(count)) for count in (1_000, 10_000)),
    *(Row(f"{count:,} patterns in `match`", settings=provider(match=names("claimed-{}-*", count))) for count in (100, 1_000)),
    *(Row(f"{count:,} models listed", settings=provider(models=names("model-{}", count))) for count in (1_000, 10_000)),
    Row("1,000 chains, another model asked", settings=CHAINS),
    Row("1,000 chains, the last one's model asked", settings=CHAINS, model="chained-00999"),
    *(Row(f"{count} workers", settings=tables()._replace(workers=count)) for count in (2, 4)),
)


def start_ms_and_size(built: Tools, row: Row, upstream: str, folder: Path) -> tuple[float, ...]:
    """The times of `gaud render` and of Envoy's start, its memory, and the time of a list of models."""
    folder.mkdir()
    addresses = {"listen": "127.0.0.1:1", "admin": "127.0.0.1:2", "upstream": upstream}
    render_ms = taken_ms(lambda: envoy_config.render(built, row.settings, addresses, folder))
    with ExitStack() as stack:
        candidate = envoy_config.candidates(built)[GAUD]
        began = time.monotonic()
        envoy = starting.start_envoy(built, GAUD, candidate, upstream, folder, stack, row.settings)
        ready_ms = (time.monotonic() - began) * 1e3 - render_ms
        resident_mb = rss_mb(envoy.pid)
        lists_ms = [taken_ms(lambda: urllib.request.urlopen(f"{envoy.url}/v1/models", timeout=30).read()) for _ in range(LISTS)]
    return render_ms, ready_ms, resident_mb, statistics.median(lists_ms)


def taken_ms(act) -> float:
    began = time.monotonic()
    act()
    return (time.monotonic() - began) * 1e3


def main() -> None:
    built = tools()
    with tempfile.TemporaryDirectory(prefix="gaud-scale-") as name, ExitStack() as stack:
        folder = Path(name)
        upstream = starting.start_upstream(built, folder, stack)
        sizes = [start_ms_and_size(built, row, upstream, folder / str(number)) for number, row in enumerate(SIZES)]
    counts = count_all(built, SIZES)
    rows = [
        (row.name, f"{render_ms:.0f}", f"{ready_ms / 1e3:.1f}", f"{resident_mb:.0f}", f"{list_ms:.1f}", f"{counts[row.name][0]:,.0f}")
        for row, (render_ms, ready_ms, resident_mb, list_ms) in zip(SIZES, sizes, strict=True)
    ]
    head = ("", "`gaud render`, ms", "Envoy ready, s", "resident, MB", "`GET /v1/models`, ms", "instructions per request")
    text = f"{measured_at(built)}: a chat of 1 KB. `make bench-scale` makes this file.\n\n"
    text += table(head, rows) + "\n"
    (RESULTS / "scale.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
