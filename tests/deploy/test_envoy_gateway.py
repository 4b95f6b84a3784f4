"""The real Envoy Gateway takes the rendered example, and what it does not take is seen."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/deploy/envoy_gateway.py"
EXAMPLE = ROOT / "envoy/envoy-gateway/gaud.yaml"
LIMIT_SECS = 90


def example() -> list[dict]:
    text = EXAMPLE.read_text()
    there = '"/etc/gaud/gaud.wasm" } }'
    assert there in text, "the example looks for the filter elsewhere"
    return list(yaml.safe_load_all(text.replace(there, f'"{os.environ["GAUD_WASM"]}" }} }}')))


def of_kind(resources: list[dict], kind: str) -> dict:
    (found,) = [resource for resource in resources if resource["kind"] == kind]
    return found["spec"]


def start(folder: pathlib.Path, resources: list[dict]) -> tuple[bool, str]:
    """Whether the gateway came up with the resources, and the log."""
    config, admin, log = folder / "envoy.yaml", folder / "admin", folder / "log"
    config.write_text(yaml.safe_dump_all(resources))
    command = [sys.executable, PROGRAM, "-c", config, "--admin-address-path", admin]
    secrets = {"LITELLM_MASTER_KEY": "sk-of-litellm", "ANTHROPIC_API_KEY": "sk-of-claude"}
    with log.open("w") as output:
        program = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | secrets)
    try:
        end = time.monotonic() + LIMIT_SECS
        while program.poll() is None and not admin.exists() and time.monotonic() < end:
            time.sleep(0.05)
        return admin.exists(), log.read_text()
    finally:
        program.send_signal(signal.SIGINT)
        program.wait(LIMIT_SECS)


def test_envoy_gateway_takes_the_example(tmp_path):
    came_up, log = start(tmp_path, example())
    assert came_up, log
    assert "sk-of-" not in log


def unknown_setting(resources):
    of_kind(resources, "ClientTrafficPolicy")["timeouts"] = {}


def unknown_listener(resources):
    of_kind(resources, "EnvoyPatchPolicy")["jsonPatches"][0]["name"] = "gaud/gaud/elsewhere"


def unknown_field_of_envoy(resources):
    patch = of_kind(resources, "EnvoyPatchPolicy")["jsonPatches"][1]
    patch["operation"]["value"]["typed_config"]["config"]["hold_headers"] = True


def no_filter(resources):
    patch = of_kind(resources, "EnvoyPatchPolicy")["jsonPatches"][1]
    vm = patch["operation"]["value"]["typed_config"]["config"]["vm_config"]
    vm["code"]["local"]["filename"] = "/nowhere/gaud.wasm"


@pytest.mark.parametrize(
    "spoil, told",
    [
        (unknown_setting, "timeouts"),
        (unknown_listener, "gaud/gaud/elsewhere"),
        (unknown_field_of_envoy, 'unknown field "hold_headers"'),
        (no_filter, "/nowhere/gaud.wasm"),
    ],
)
def test_what_is_refused_is_seen(tmp_path, spoil, told):
    resources = example()
    spoil(resources)
    came_up, log = start(tmp_path, resources)
    assert not came_up
    assert told in log
