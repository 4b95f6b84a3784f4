"""`make bench-scale`: what a gateway costs that has much in its configuration.

One Envoy for each size, all on one core, each in turn in every round.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import candidates as starting
from bodies import body
from candidates import HEADERS
from envoy_config import MODEL
from measure import rss_mb, sample
from processes import free_port
from write import table

CONNECTIONS = 16
BODY_BYTES = 1_000
ROUNDS = 5
WINDOW_SECS = 1
LISTS = 20


class Size(NamedTuple):
    """How much there is of everything."""

    name: str
    providers: int = 1
    aliases: int = 0
    claims: int = 0  # patterns in a provider's `match`
    chains: int = 0
    models: int = 0
    workers: int = 1
    asked: str = MODEL

    def config(self, values: dict[str, str]) -> str:
        """Nothing is asked of the providers but what is measured."""
        quiet = f'url = "{values["upstream"]}"\ndiscover_models = false\nhealth_path = ""'
        names = [f"p{number}" for number in range(1, self.providers)]
        parts = [
            f'listen = "{values["listen"]}"\nadmin_listen = "{values["admin"]}"',
            f'workers = {self.workers}\ndefault_provider = "litellm"',
            f"[providers.litellm]\n{quiet}",
            "models = " + toml([f"model-{number:05}" for number in range(self.models)]),
            "match = " + toml([f"claimed-{number:05}-*" for number in range(self.claims)]),
            *(f"[providers.{name}]\n{quiet}" for name in names),
            "[aliases]\n" + "\n".join(f'alias-{number:05} = "litellm:gpt-4o"' for number in range(self.aliases)),
            *(chain(number) for number in range(self.chains)),
        ]
        return "\n".join(parts) + "\n"


def toml(items: list[str]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


def chain(number: int) -> str:
    return f'[[fallbacks]]\nmodel = "chained-{number:05}"\nto = ["litellm:gpt-4o-mini"]'


SIZES = (
    Size("one provider"),
    Size("10 providers", providers=10),
    Size("100 providers", providers=100),
    Size("500 providers", providers=500),
    Size("1,000 aliases", aliases=1_000),
    Size("10,000 aliases", aliases=10_000),
    Size("100 patterns in `match`", claims=100),
    Size("1,000 patterns in `match`", claims=1_000),
    Size("1,000 chains, another model asked", chains=1_000),
    Size("1,000 chains, the last one's model asked", chains=1_000, asked="chained-00999"),
    Size("1,000 models listed", models=1_000),
    Size("10,000 models listed", models=10_000),
    Size("2 workers", workers=2),
    Size("4 workers", workers=4),
)


class Gateway(NamedTuple):
    """One that runs, and what its start took."""

    size: Size
    pid: int
    url: str
    render_ms: float
    ready_secs: float


def start(size: Size, asked: argparse.Namespace, upstream: str, folder: Path, stack: ExitStack) -> Gateway:
    url, admin = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    values = {"listen": url.removeprefix("http://"), "admin": admin.removeprefix("http://"), "upstream": upstream}
    folder.mkdir()
    (folder / "gaud.toml").write_text(size.config(values))
    began = time.monotonic()
    render = [asked.gaud, "render", "--config", folder / "gaud.toml", "--wasm", asked.gaud_wasm]
    yaml = subprocess.run(render, check=True, capture_output=True).stdout
    rendered = time.monotonic()
    (folder / "envoy.yaml").write_bytes(yaml)
    server = starting.run_envoy([asked.envoy], "envoy", folder / "envoy.yaml", admin, folder, stack, size.workers)
    ready = time.monotonic()
    return Gateway(size, server.process.pid, url, (rendered - began) * 1e3, ready - rendered)


def list_ms(gateway: Gateway) -> float:
    """The median time of a list of models."""
    taken = []
    for _ in range(LISTS):
        began = time.monotonic()
        with urllib.request.urlopen(f"{gateway.url}/v1/models", timeout=30) as answer:
            answer.read()
        taken.append((time.monotonic() - began) * 1e3)
    return statistics.median(taken)


def write_body(asked: str, file: Path) -> Path:
    file.write_bytes(body(BODY_BYTES, model_first=False).replace(MODEL.encode(), asked.encode()))
    return file


def cpu_us(gateways: list[Gateway], folder: Path) -> list[list[float]]:
    """For each gateway, its processor time per request in each round."""
    taken = [[] for _ in gateways]
    files = [write_body(gateway.size.asked, folder / f"{place}.json") for place, gateway in enumerate(gateways)]
    for number in range(-1, ROUNDS):
        for place in range(len(gateways)):
            place = (place + number) % len(gateways)
            gateway = gateways[place]
            url = f"{gateway.url}/v1/chat/completions"
            one = sample(gateway.pid, url, HEADERS, files[place], CONNECTIONS, WINDOW_SECS)
            if number >= 0:  # before: a VM compiles what runs often once more
                taken[place].append(one.cpu_us)
    return taken


def rows(gateways: list[Gateway], folder: Path) -> list[tuple[str, ...]]:
    # The least of the rounds: what else runs on the machine only adds.
    least_us = [min(each) for each in cpu_us(gateways, folder)]
    return [
        (
            gateway.size.name,
            f"{gateway.render_ms:.0f}",
            f"{gateway.ready_secs:.1f}",
            f"{rss_mb(gateway.pid):.0f}",
            f"{least_us[place]:.0f}",
            f"{list_ms(gateway):.1f}",
        )
        for place, gateway in enumerate(gateways)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for tool in ("envoy", "gaud", "gaud-wasm", "upstream", "results"):
        parser.add_argument(f"--{tool}", type=Path, required=True)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gaud-scale-") as name, ExitStack() as stack:
        folder = Path(name)
        upstream = starting.start_upstream(asked, folder, stack)
        gateways = [start(size, asked, upstream, folder / str(place), stack) for place, size in enumerate(SIZES)]
        head = ("", "`gaud render`, ms", "Envoy ready, s", "resident, MB", "CPU per request, us", "`GET /v1/models`, ms")
        text = f"{ROUNDS} rounds, the least CPU of them; 1 KB, model last, {CONNECTIONS} connections. `make bench-scale` makes this file.\n\n"
        text += table(head, rows(gateways, folder)) + "\n"
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "scale.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
