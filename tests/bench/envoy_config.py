"""Configurations of Envoy: the one that `gaud render` writes, and the same with another filter in Gaud's place."""

import copy
import json
import os
import string
import subprocess
from pathlib import Path
from typing import NamedTuple

import yaml

from tools import Tools

HERE = Path(__file__).parent
CLUSTER = "litellm"
MODEL = f"{CLUSTER}:gpt-4o"  # what clients ask for
STRIPPED = "gpt-4o"  # what a provider is asked for
KEY = "sk-fedcba9876543210fedcba9876543210fedcba9876543210"  # the provider's
KEY_VARIABLE = "BENCH_KEY"


class Settings(NamedTuple):
    """What gaud.toml says, beside addresses, as TOML."""

    provider: str = ""  # lines of [providers.litellm]
    tables: str = ""
    workers: int = 1
    feed_token: str = ""  # where the filter asks a control server for keys

    @property
    def sets_key(self) -> bool:
        return KEY_VARIABLE in self.provider

    @property
    def environment(self) -> dict[str, str]:
        token = {"GAUD_FEED_TOKEN": self.feed_token} if self.feed_token else {}
        return {KEY_VARIABLE: KEY} | token


UNKEYED = Settings()
KEYED = Settings(provider=f'api_key = "os.environ/{KEY_VARIABLE}"')


def candidates(tools: Tools) -> dict[str, dict]:
    """The candidates of filters.yaml by name."""
    same_job = string.Template((HERE / "same_job.lua").read_text()).substitute(key=KEY)
    values = tools.filters | {"model": MODEL, "key": KEY, "same_job_lua": json.dumps(same_job)}
    return yaml.safe_load(string.Template((HERE / "filters.yaml").read_text()).safe_substitute(values))


def render(tools: Tools, settings: Settings, addresses: dict[str, str], folder: Path) -> str:
    """What `gaud render` prints."""
    config = folder / "gaud.toml"
    config.write_text(string.Template((HERE / "gaud.toml").read_text()).substitute(addresses | settings._asdict()))
    argv = [tools.gaud, "render", "--config", config, "--wasm", tools.gaud_wasm]
    done = subprocess.run(argv, env=os.environ | settings.environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def with_filter(rendered: dict, candidate: dict) -> dict:
    """The rendered configuration with a candidate's filters, and a route to the only provider."""
    if candidate.get("rendered"):
        return rendered
    config = copy.deepcopy(rendered)
    manager = connection_manager(config)
    manager["http_filters"] = [*filters(candidate), manager["http_filters"][-1]]
    manager["access_log"] = [failure_log(candidate["wasm"])] if candidate.get("hears_failures") else []
    host = manager["route_config"]["virtual_hosts"][0]
    # Of several rendered routes to a provider the last one is for requests without anything special.
    general = next(route for route in reversed(host["routes"]) if "cluster_header" in route.get("route", {}))
    host["routes"] = [with_action(general, candidate), host["routes"][-1]]
    for route in host["routes"]:
        route["typed_per_filter_config"] = candidate.get("per_route", {})
    return config


def connection_manager(config: dict) -> dict:
    return config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def filters(candidate: dict) -> list[dict]:
    if "wasm" not in candidate:
        return candidate["filters"]
    kind = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
    return [{"name": "probe", "typed_config": {"@type": kind, "config": plugin("probe", **candidate["wasm"])}}]


def failure_log(wasm: dict) -> dict:
    """A logger that is called for 5xx, and for what Envoy has a flag for. Its VM is not the filter's."""
    status = {"comparison": {"op": "GE", "value": {"default_value": 500, "runtime_key": "bench.failed"}}}
    kind = "type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog"
    return {
        "name": "envoy.access_loggers.wasm",
        "filter": {"or_filter": {"filters": [{"status_code_filter": status}, {"response_flag_filter": {}}]}},
        "typed_config": {"@type": kind, "config": plugin("failures", **wasm)},
    }


def plugin(name: str, file: str, configuration: str = "") -> dict:
    return {
        "name": name,
        "root_id": name,
        "allow_on_headers_stop_iteration": True,
        "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration},
        "vm_config": {"vm_id": name, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": file}}},
    }


def with_action(route: dict, candidate: dict) -> dict:
    """The rendered route, with what the candidate decides it by and adds to it."""
    route = route | candidate.get("route", {})
    if candidate.get("by_header"):
        return route
    action = {key: value for key, value in route["route"].items() if key != "cluster_header"}
    return route | {"match": candidate.get("match", {"prefix": "/"}), "route": action | {"cluster": CLUSTER}}


def quiet(config: dict) -> dict:
    """The same without timers that count as work while a slowed Envoy serves."""
    never = "1000s"
    watchdog = {"miss_timeout": never, "megamiss_timeout": never}
    return config | {
        "stats_flush_interval": "299s",  # the most that Envoy takes
        "overload_manager": config.get("overload_manager", {}) | {"refresh_interval": never},
        "watchdogs": {"main_thread_watchdog": watchdog, "worker_watchdog": watchdog},
    }
