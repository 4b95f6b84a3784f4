"""The candidates, started: Envoys with a filter each, and whole gateways. All listen on free ports of 127.0.0.1."""

import json
import os
import re
import secrets
import signal
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import yaml

import envoy_config
from envoy_config import KEYED, Settings
from measure import LOAD_CORE, SERVER_CORE, pinned
from kit_py.processes import Server, free_port
from tools import Tools
from workloads import Workload

HERE = Path(__file__).parent
START_LIMIT_SECS = 120
BARE = "bare"
GAUD = "gaud"


class Candidate(NamedTuple):
    name: str
    label: str
    pid: int
    url: str
    headers: dict[str, str]
    does: frozenset[str] = frozenset()  # the words of filters.yaml
    is_gateway: bool = False
    workloads: tuple[Workload, ...] = ()


# What OpenAI's SDK for Python sends beside.
HEADERS = {
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": "OpenAI/Python 2.54.0",
    "x-stainless-lang": "python",
    "x-stainless-retry-count": "0",
    "authorization": "Bearer sk-0123456789abcdef0123456789abcdef0123456789abcdef",
}


def start_upstream(tools: Tools, folder: Path, stack: ExitStack) -> str:
    server = start("upstream", pinned([tools.upstream], LOAD_CORE), {}, folder, stack)
    found = server.wait_until(lambda: re.search(r"http://\S+", server.stdout.read_text()), START_LIMIT_SECS)
    return found.group()


def start_envoy(
    tools: Tools,
    name: str,
    candidate: dict,
    upstream: str,
    folder: Path,
    stack: ExitStack,
    settings: Settings = KEYED,
    under: Sequence = (),
) -> Candidate:
    """Runs Envoy until it is ready: on the servers' core, or under a tool that counts, wherever there is room."""
    url, admin = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    addresses = {"listen": url.removeprefix("http://"), "admin": admin.removeprefix("http://"), "upstream": upstream}
    file = folder / f"{name}.yaml"
    rendered = envoy_config.render(tools, settings, addresses, folder)
    if candidate.get("rendered") and not under:
        file.write_text(rendered)
    else:
        config = envoy_config.with_filter(yaml.load(rendered, yaml.CSafeLoader), candidate)
        file.write_text(json.dumps(envoy_config.quiet(config) if under else config))
    argv = [tools.envoy, "-c", file, "--concurrency", settings.workers, "--disable-hot-restart", "--log-level", "warning"]
    argv = list(map(str, [*under, *argv])) if under else pinned(argv, SERVER_CORE)
    # Under a tool an orderly end takes long, and tells nothing.
    end_with = signal.SIGKILL if under else signal.SIGTERM
    server = start(name, argv, settings.environment, folder, stack, end_with)
    server.wait_until(lambda: answers(f"{admin}/ready"), START_LIMIT_SECS)
    does = {*candidate.get("does", ()), *(["key"] if candidate.get("rendered") and settings.sets_key else [])}
    return Candidate(name, candidate["label"], server.process.pid, url, HEADERS, frozenset(does))


def start_litellm(
    tools: Tools, upstream: str, folder: Path, stack: ExitStack, config: Path = HERE / "litellm.yaml"
) -> Candidate:
    """The configuration reads the upstream's URL from UPSTREAM_URL."""
    url, key = f"http://127.0.0.1:{free_port()}", f"sk-{secrets.token_hex(32)}"
    argv = [Path(sys.executable).parent / "litellm", "--config", config, "--host", "127.0.0.1", "--port", url.rpartition(":")[2]]
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": key, "UPSTREAM_URL": f"{upstream}/v1"}
    server = start("litellm", pinned([*argv, "--num_workers", 1], SERVER_CORE), env, folder, stack)
    headers = HEADERS | {"authorization": f"Bearer {key}"}
    server.wait_until(lambda: answers(f"{url}/v1/models", headers), START_LIMIT_SECS)
    return Candidate("litellm", "LiteLLM", server.process.pid, url, headers, frozenset(["edit"]), is_gateway=True)


def start_portkey(tools: Tools, upstream: str, folder: Path, stack: ExitStack) -> Candidate:
    url = f"http://127.0.0.1:{free_port()}"
    argv = ["node", tools.portkey / "build/start-server.js", f"--port={url.rpartition(':')[2]}", "--headless"]
    server = start("portkey", pinned(argv, SERVER_CORE), {"NODE_ENV": "production"}, folder, stack)
    server.wait_until(lambda: answers(url), START_LIMIT_SECS)
    headers = HEADERS | {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{upstream}/v1"}
    return Candidate("portkey", "Portkey", server.process.pid, url, headers, is_gateway=True)


GATEWAYS = {"litellm": start_litellm, "portkey": start_portkey}


def start(
    name: str, argv: list[str], env: dict[str, str], folder: Path, stack: ExitStack, end_with: signal.Signals = signal.SIGTERM
) -> Server:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GAUD_", "LITELLM_"))}
    return stack.enter_context(Server(name, argv, kept | env, folder, end_with=end_with))


def answers(url: str, headers: dict[str, str] | None = None) -> bool:
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=5).status == 200
    except OSError:
        return False
