"""`make bench-litellm`: the throughput of a model of LiteLLM's own file that goes direct, beside the same model through LiteLLM.

One gateway with LiteLLM's file, one LiteLLM, one provider; the windows of the ways alternate. The servers share a core, as one
machine would have it.
"""

import json
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bodies import PROSE
from candidates import START_LIMIT_SECS, start, start_litellm, start_upstream
from kit_py import gaud
from measure import SERVER_CORE, Sample, pinned, sample
from tools import tools
from versions import commit
from workloads import PATH
from write import table

RESULTS = Path(__file__).parent / "results/direct.md"
ROUNDS, SECS, CONNECTIONS, BYTES = 5, 4, 16, 1_000
CONFIG = """\
model_list:
  - model_name: direct
    litellm_params: {model: openai/gpt-4o, api_base: os.environ/UPSTREAM_URL, api_key: unused}
  - model_name: kept
    litellm_params: {model: openai/gpt-4o, api_base: os.environ/UPSTREAM_URL, api_key: unused, user: bench}
litellm_settings: {telemetry: false, num_retries: 0}
router_settings: {disable_cooldowns: true}
"""
TOML = """\
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
workers = 1
[litellm]
config = "{config}"
[providers.litellm]
url = "{litellm}"
discover_models = false
"""


class Way(NamedTuple):
    label: str
    url: str
    model: str
    pid: int


def ways(folder: Path, stack: ExitStack) -> tuple[list[Way], dict[str, str]]:
    """Starts the servers; the ways and the headers of a client."""
    own = tools()
    upstream = start_upstream(own, folder, stack)
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    litellm = start_litellm(own, upstream, folder, stack, config)
    toml = folder / "gaud.toml"
    toml.write_text(TOML.format(config=config, litellm=litellm.url))
    argv = pinned([own.gaud, "run", "--config", toml], SERVER_CORE)
    gateway = start("gaud", argv, gaud.environment({"UPSTREAM_URL": f"{upstream}/v1"}), folder, stack)
    address = gateway.wait_until(lambda: gaud.printed_address(gateway.stdout), START_LIMIT_SECS)
    pid = gateway.process.pid
    return [
        Way("direct, through Gaud", address, "direct", pid),
        Way("through Gaud and LiteLLM", address, "kept", litellm.pid),
        Way("LiteLLM alone", litellm.url, "direct", litellm.pid),
    ], litellm.headers


def chat(model: str) -> str:
    text = ("".join(PROSE) * 10)[:BYTES]
    return json.dumps({"messages": [{"role": "user", "content": text}], "model": model})


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="gaud-direct-") as name, ExitStack() as stack:
        folder = Path(name)
        all_ways, headers = ways(folder, stack)
        samples: dict[str, list[Sample]] = {way.label: [] for way in all_ways}
        for _ in range(ROUNDS):
            for way in all_ways:
                file = folder / f"{way.model}.json"
                file.write_text(chat(way.model))
                seen = sample(way.pid, way.url + PATH, headers, file, CONNECTIONS, SECS)
                samples[way.label].append(seen)
    medians = {label: statistics.median(one.rps for one in own) for label, own in samples.items()}
    least = medians["LiteLLM alone"]
    rows = []
    for label, own in samples.items():
        rates = [one.rps for one in own]
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        p50_ms = statistics.median(one.p50_us for one in own) / 1000
        rows.append((label, f"{medians[label]:,.0f}", spread, f"{p50_ms:.1f}", f"{medians[label] / least:.1f}"))
    head = ("way", "requests a second", "spread", "p50, ms", "times LiteLLM")
    text = (
        f"Measured at {commit()}: a chat of 1 KB on {CONNECTIONS} connections; medians of {ROUNDS} windows of {SECS} s, one after the other in one run. "
        "Gateway and LiteLLM share one core. `make bench-litellm` makes this file.\n\n"
    )
    RESULTS.write_text(text + table(head, rows) + "\n")
    print(RESULTS.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
