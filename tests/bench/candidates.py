"""The candidates, started: Envoys with a filter each, and whole gateways. All listen on free ports of 127.0.0.1."""

import json
import os
import re
import secrets
import signal
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import envoy_config
from measure import LOAD_CORE, SERVER_CORE, pinned
from processes import Server, free_port
from workloads import FEW_WORKLOADS, GATEWAY_WORKLOADS, WORKLOADS, Workload

HERE = Path(__file__).parent
START_LIMIT_SECS = 120
BARE = "bare"


class Tools(NamedTuple):
    """What was built and installed for a run."""

    envoy: Path
    gaud: Path
    gaud_wasm: Path
    noop_wasm: Path
    upstream: Path
    portkey: Path


class Candidate(NamedTuple):
    name: str
    label: str
    pid: int
    url: str
    headers: dict[str, str]
    workloads: tuple[Workload, ...]
    edits: bool
    rewrites: bool = False
    is_gateway: bool = False


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
    tools: Tools, name: str, own: dict, upstream: str, folder: Path, stack: ExitStack, under: list[str] | None = None
) -> Candidate:
    url, admin = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    values = {"listen": url.removeprefix("http://"), "admin": admin.removeprefix("http://"), "upstream": upstream}
    rendered = envoy_config.render(tools.gaud, tools.gaud_wasm, values, folder)
    config = folder / f"{name}.json"
    config.write_text(json.dumps(envoy_config.with_filter(rendered, own), indent=1))
    server = run_envoy([*(under or []), tools.envoy], name, config, admin, folder, stack)
    workloads = FEW_WORKLOADS if own.get("few") else WORKLOADS
    edits, rewrites = (own.get(key, False) for key in ("edits", "rewrites"))
    return Candidate(name, own["label"], server.process.pid, url, HEADERS, workloads, edits, rewrites)


def run_envoy(
    program: list, name: str, config: Path, admin: str, folder: Path, stack: ExitStack, workers: int = 1
) -> Server:
    """Runs Envoy until it is ready, on the servers' core."""
    argv = [*program, "-c", config, "--concurrency", workers, "--disable-hot-restart", "--log-level", "warning"]
    server = start(name, pinned(argv, SERVER_CORE), {}, folder, stack)
    server.wait_until(lambda: answers(f"{admin}/ready"), START_LIMIT_SECS)
    return server


def start_litellm(tools: Tools, upstream: str, folder: Path, stack: ExitStack) -> Candidate:
    url, key = f"http://127.0.0.1:{free_port()}", f"sk-{secrets.token_hex(32)}"
    config = HERE / "litellm.yaml"
    argv = [Path(sys.executable).parent / "litellm", "--config", config, "--host", "127.0.0.1", "--port", url.rpartition(":")[2]]
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": key, "UPSTREAM_URL": f"{upstream}/v1"}
    server = start("litellm", pinned([*argv, "--num_workers", 1], SERVER_CORE), env, folder, stack)
    headers = HEADERS | {"authorization": f"Bearer {key}"}
    server.wait_until(lambda: answers(f"{url}/v1/models", headers), START_LIMIT_SECS)
    pid = server.process.pid
    return Candidate("litellm", "LiteLLM", pid, url, headers, GATEWAY_WORKLOADS, edits=True, is_gateway=True)


def start_portkey(tools: Tools, upstream: str, folder: Path, stack: ExitStack) -> Candidate:
    url = f"http://127.0.0.1:{free_port()}"
    argv = ["node", tools.portkey / "build/start-server.js", f"--port={url.rpartition(':')[2]}", "--headless"]
    server = start("portkey", pinned(argv, SERVER_CORE), {"NODE_ENV": "production"}, folder, stack)
    server.wait_until(lambda: answers(url), START_LIMIT_SECS)
    headers = HEADERS | {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{upstream}/v1"}
    pid = server.process.pid
    return Candidate("portkey", "Portkey", pid, url, headers, GATEWAY_WORKLOADS, edits=False, is_gateway=True)


GATEWAYS = {"litellm": start_litellm, "portkey": start_portkey}


def start(name: str, argv: list[str], env: dict[str, str], folder: Path, stack: ExitStack) -> Server:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GAUD_", "LITELLM_"))}
    return stack.enter_context(Server(name, argv, kept | env, folder, end_with=signal.SIGTERM))


def answers(url: str, headers: dict[str, str] | None = None) -> bool:
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=5).status == 200
    except OSError:
        return False
