#!/usr/bin/env python3
"""Envoy's configuration as a proxy of Istio has it, with the resources of `gaud render --for istio` applied.

Takes the arguments of `gaud render` and its place in the tests. Istio does not run here: `sidecar.yaml` and `gateway.yaml`
hold the configuration that istiod gives a proxy, and `patches.py` patches it as istiod does. This program changes the rest:
loopback addresses, routes in the file itself, and the endpoints of the test.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import patches
import yaml

HERE = Path(__file__).parent
SENT = HERE.parents[2] / "target/istio"
FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def main():
    place = os.environ.get("ISTIO_PLACE", "sidecar")
    resources = list(yaml.load_all(rendered(place), FAST))
    proxy = load(f"{place}.yaml")
    bootstrap = load("bootstrap.yaml")
    for resource in resources:
        match resource["kind"]:
            case "EnvoyFilter":
                patches.apply(proxy, resource)
            case "ConfigMap":
                # The annotation sidecar.istio.io/bootstrapOverride names it; Envoy merges it into its bootstrap.
                patches.merge(bootstrap, json.loads(resource["data"]["custom_bootstrap.json"]))
            case kind:
                raise ValueError(f"{kind}: nothing is known of it here")
    print(json.dumps(running(bootstrap, proxy)))  # as good as YAML


def rendered(place):
    host = {"sidecar": "gateway.default.svc.cluster.local:80", "gateway": "gateway:80"}[place]
    command = [os.environ["GAUD_BIN"], *sys.argv[1:], "--place", place, "--host", host]
    command[command.index("--for") + 1] = "istio"
    if module := os.environ.get("ISTIO_WASM"):
        command[command.index("--wasm") + 1] = module
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def load(name):
    return yaml.load((HERE / name).read_text(), FAST)


def running(bootstrap, proxy):
    """One file that an Envoy without Istio's agent can start with."""
    tables = {table["name"]: table for table in proxy["routes"]}
    for listener in proxy["listeners"]:
        if "address" in listener:
            listener["address"]["socket_address"] = loopback()
        for chain in listener["filter_chains"]:
            for network_filter in chain["filters"]:
                resolve(network_filter["typed_config"], tables, proxy["extension_configs"])
    bootstrap["admin"]["address"]["socket_address"] = loopback()
    for cluster in proxy["clusters"]:
        endpoints(cluster)
    bootstrap["static_resources"] = {"listeners": proxy["listeners"], "clusters": proxy["clusters"]}
    return bootstrap


def loopback(port=0):
    return {"address": "127.0.0.1", "port_value": int(port)}


def resolve(manager, tables, extension_configs):
    """What comes from the control plane in pieces, in its place."""
    if "rds" in manager:
        manager["route_config"] = tables[manager.pop("rds")["route_config_name"]]
    found = {config["name"]: config for config in extension_configs}
    for http_filter in manager["http_filters"]:
        if "config_discovery" in http_filter:
            source = http_filter["config_discovery"]["config_source"]
            del source["ads"]
            source["path_config_source"] = {"path": str(sent(fetched(found[http_filter["name"]])))}


def fetched(config):
    """What istio-agent makes of a module by URL, on its way to Envoy: a file, or, where it has none, a closed door."""
    if "ISTIO_UNFETCHED" in os.environ:
        kind = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
        return {"name": config["name"], "typed_config": {"@type": kind, "rules": {}, "rules_stat_prefix": "wasm-default-deny"}}
    config["typed_config"]["config"]["vm_config"]["code"] = {"local": {"filename": os.environ["GAUD_WASM"]}}
    return config


def sent(config):
    """A file in place of the control plane's answer."""
    kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    answer = json.dumps({"version_info": "1", "resources": [{"@type": kind, **config}]})
    SENT.mkdir(parents=True, exist_ok=True)
    path = SENT / (hashlib.sha256(answer.encode()).hexdigest() + ".json")
    path.write_text(answer)
    return path


def endpoints(cluster):
    """A Service's endpoints: those that the test names in ISTIO_ENDPOINTS, as JSON, cluster by cluster."""
    port = json.loads(os.environ.get("ISTIO_ENDPOINTS", "{}")).get(cluster["name"])
    if port is not None:
        address = {"address": {"socket_address": loopback(port)}}
        places = [{"lb_endpoints": [{"endpoint": address}]}]
        cluster["load_assignment"] = {"cluster_name": cluster["name"], "endpoints": places}


if __name__ == "__main__":
    main()
