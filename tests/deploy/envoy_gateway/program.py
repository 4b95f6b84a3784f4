#!/usr/bin/env python3
"""Lets the end-to-end tests use the gateway as Envoy Gateway runs it: the real Envoy Gateway, from files, with the real Envoy.

The program takes the place of two others. Called as `gaud render …` it renders for Envoy Gateway. Called with Envoy's
arguments it starts Envoy Gateway, which starts Envoy, with the resources that `-c` names. It changes the resources in three
places: Envoy runs on this machine instead of in a pod, it listens at a free port of the loopback address, and it gets the
arguments of the call. The program writes the file that `--admin-address-path` names when Envoy Gateway has accepted every
resource and Envoy listens. It exits when a resource is refused.

The ports of Envoy Gateway are fixed, so one Envoy Gateway runs at a time on a machine.
"""

import argparse
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
ENVOY_VERSION = (ROOT / ".envoy-version").read_text().strip()
ENVOY_GATEWAY = os.environ.get("ENVOY_GATEWAY", ROOT / ".tools/bin/envoy-gateway")
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
# What Envoy Gateway must have accepted before a test begins.
AWAITED = {"Gateway", "HTTPRoute", "ClientTrafficPolicy", "EnvoyPatchPolicy"}
# A gateway without an address is ready nevertheless.
HARMLESS = {"AddressNotAssigned"}
# Envoy Gateway and Envoy go on after these lines: a port is taken, a file is not a resource, a configuration is refused.
FATAL = re.compile("address already in use|failed to reload resources|gRPC config for .* rejected")
LIMIT_SECS = 60


def main() -> int:
    if sys.argv[1:2] == ["render"]:
        render(sys.argv[1:])
    arguments, for_envoy = parse()
    folder = arguments.config.parent / "envoy-gateway"
    admin = folder / "admin"
    resources = list(yaml.safe_load_all(arguments.config.read_text()))
    listener = move_here(resources, arguments.concurrency, ["--admin-address-path", str(admin), *for_envoy])
    (folder / "resources").mkdir(parents=True)
    (folder / "resources/gaud.yaml").write_text(yaml.safe_dump_all(resources))
    (folder / "envoy-gateway.yaml").write_text(yaml.safe_dump(settings(folder)))
    place_envoy(folder)
    subprocess.run([ENVOY_GATEWAY, "certgen", "--local", "--config-home", folder / "configHome"], check=True)
    server = start(folder)
    # Envoy ends with Envoy Gateway, and the log with both: the ports are free again when this process has ended.
    signal.signal(signal.SIGINT, lambda *_: server.kill())
    problem = watch(server, lambda: copy_when_it_listens(listener, admin, arguments.admin_address_path))
    if problem:
        print(problem, flush=True)
        server.kill()
    server.communicate()
    return 1 if problem else 0


def render(words: list[str]) -> None:
    if "--for" in words:
        words[words.index("--for") + 1] = "envoy-gateway"
    else:
        words += ["--for", "envoy-gateway"]
    gaud = os.environ["GAUD_BIN"]
    os.execv(gaud, [gaud, *words])


def parse() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("-c", dest="config", type=pathlib.Path, required=True)
    parser.add_argument("--admin-address-path", type=pathlib.Path, required=True)
    parser.add_argument("--concurrency", type=int)
    return parser.parse_known_args()


def move_here(resources: list[dict], workers: int | None, for_envoy: list[str]) -> str:
    """Moves the gateway from a cluster to this machine; gives the name of the listener for clients."""
    kinds = {resource["kind"]: resource for resource in resources}
    proxy = kinds["EnvoyProxy"]["spec"]
    proxy["provider"] = {"type": "Host", "host": {"envoyVersion": ENVOY_VERSION}}
    proxy["extraArgs"] = for_envoy
    if workers:
        proxy["concurrency"] = workers
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (listener,) = kinds["Gateway"]["spec"]["listeners"]
        listener["port"] = free.getsockname()[1]
    gateway = kinds["Gateway"]["metadata"]
    name = f"{gateway['namespace']}/{gateway['name']}/{listener['name']}"
    loopback = {"op": "replace", "path": "/address/socket_address/address", "value": "127.0.0.1"}
    kinds["EnvoyPatchPolicy"]["spec"]["jsonPatches"] += [{"type": LISTENER, "name": name, "operation": loopback}]
    return name


def settings(folder: pathlib.Path) -> dict:
    """Envoy Gateway's configuration."""
    folders = {name: str(folder / name) for name in ["configHome", "dataHome", "stateHome", "runtimeDir"]}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
        "provider": {
            "type": "Custom",
            "custom": {
                "resource": {"type": "File", "file": {"paths": [str(folder / "resources")]}},
                "infrastructure": {"type": "Host", "host": folders},
            },
        },
        "extensionApis": {"enableEnvoyPatchPolicy": True, "enableBackend": True},
    }


def place_envoy(folder: pathlib.Path) -> None:
    """Puts Envoy where Envoy Gateway looks before it downloads an Envoy."""
    place = folder / "dataHome/envoy-versions" / ENVOY_VERSION / "bin/envoy"
    place.parent.mkdir(parents=True)
    place.symlink_to(os.environ["ENVOY_PATH"])


def start(folder: pathlib.Path) -> subprocess.Popen:
    """Starts Envoy Gateway. It ends with this process, and Envoy ends with Envoy Gateway."""
    command = [ENVOY_GATEWAY, "server", "--config-path", folder / "envoy-gateway.yaml"]
    die_with_parent = ctypes.CDLL(None).prctl
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=lambda: die_with_parent(1, signal.SIGKILL),  # PR_SET_PDEATHSIG
    )


def watch(server: subprocess.Popen, accepted) -> str | None:
    """Prints the log, and reads in it whether the resources are accepted; gives the first problem."""
    awaited = set(AWAITED)
    kind, status = None, []
    for line in server.stdout:
        print(line, end="", flush=True)
        if kind and line.startswith("\t"):
            refused = refusals(yaml.safe_load("".join(status)))
            if refused:
                return f"Envoy Gateway refuses the {kind}: {refused[0]}"
            awaited.discard(kind)
            if kind in AWAITED and not awaited:
                threading.Thread(target=accepted, daemon=True).start()
            kind, status = None, []
        elif kind:
            status.append(line)
        elif "Got new status for " in line:
            kind = line.split()[-1]
        elif FATAL.search(line):
            return "Envoy Gateway has failed: see the line above."
    return None


def refusals(status) -> list[str]:
    """The messages of all conditions in a status that are false."""
    if isinstance(status, list):
        return [refusal for item in status for refusal in refusals(item)]
    if not isinstance(status, dict):
        return []
    if status.get("status") == "False" and status.get("reason") not in HARMLESS:
        return [status.get("message", "")]
    return [refusal for item in status.values() for refusal in refusals(item)]


def copy_when_it_listens(listener: str, source: pathlib.Path, target: pathlib.Path) -> None:
    end = time.monotonic() + LIMIT_SECS
    while time.monotonic() < end:
        if listener in listeners(source):
            whole = target.with_suffix(".new")
            shutil.copyfile(source, whole)
            whole.rename(target)
            return
        time.sleep(0.02)


def listeners(admin: pathlib.Path) -> str:
    """Envoy's listeners by its admin interface; empty until the interface answers."""
    try:
        with urllib.request.urlopen(f"http://{admin.read_text()}/listeners", timeout=5) as answer:
            return answer.read().decode()
    except (OSError, ValueError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
