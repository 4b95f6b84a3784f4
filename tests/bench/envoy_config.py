"""Configurations of Envoy: the one that `gaud render` writes, and the same with another filter in Gaud's place."""

import copy
import string
import subprocess
from pathlib import Path

import yaml

HERE = Path(__file__).parent
CLUSTER = "litellm"
MODEL = f"{CLUSTER}:gpt-4o"  # what clients ask for
STRIPPED = "gpt-4o"  # what a provider is asked for


def table(values: dict[str, str]) -> dict[str, dict]:
    """The candidates of filters.yaml by name."""
    text = (HERE / "filters.yaml").read_text()
    return yaml.safe_load(string.Template(text).safe_substitute(values | {"model": MODEL}))


def render(gaud: Path, wasm: Path, values: dict[str, str], folder: Path) -> dict:
    """What `gaud render` says for these addresses."""
    config = folder / "gaud.toml"
    config.write_text(string.Template((HERE / "gaud.toml").read_text()).substitute(values))
    argv = [gaud, "render", "--config", config, "--wasm", wasm]
    return yaml.safe_load(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def with_filter(rendered: dict, own: dict) -> dict:
    """The rendered configuration with a candidate's filters and routes."""
    config = copy.deepcopy(rendered)
    listener = config["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    if not own.get("rendered"):
        router = manager["http_filters"][-1]
        manager["http_filters"] = [*own["filters"], router]
    host = manager["route_config"]["virtual_hosts"][0]
    host["routes"] = [own_route(host["routes"][0], own), host["routes"][-1]]
    for route in host["routes"]:
        route.update({"typed_per_filter_config": own["per_route"]} if "per_route" in own else {})
    return config


def own_route(route: dict, own: dict) -> dict:
    """The rendered route, with what the candidate decides it by."""
    if own.get("by_header"):
        return route
    action = {key: value for key, value in route["route"].items() if key != "cluster_header"}
    return route | {"match": own.get("match", {"prefix": "/"}), "route": action | {"cluster": CLUSTER}}
