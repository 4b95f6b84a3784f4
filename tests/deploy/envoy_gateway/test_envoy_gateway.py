"""The real Envoy Gateway accepts the rendered resources, and its log shows why it refuses others."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import urllib.request

import pytest
import yaml

from kit_py.gaud import ROOT
from kit_py.stand_in import StandIn
from kit_py.waiting import until

PROGRAM = pathlib.Path(__file__).parent / "program.py"
EXAMPLE = ROOT / "envoy/envoy-gateway/gaud.yaml"
SECRETS = {"LITELLM_MASTER_KEY": "sk-of-litellm", "ANTHROPIC_API_KEY": "sk-of-claude"}
LIMIT_SECS = 90


def example() -> list[dict]:
    text = EXAMPLE.read_text()
    filter = '"/etc/gaud/gaud.wasm" } }'
    assert filter in text, "the example has another path for the filter"
    return list(yaml.safe_load_all(text.replace(filter, f'"{os.environ["GAUD_WASM"]}" }} }}')))


def of_kind(resources: list[dict], kind: str) -> dict:
    (found,) = [resource for resource in resources if resource["kind"] == kind]
    return found["spec"]


@contextlib.contextmanager
def started(folder: pathlib.Path, resources: list[dict]):
    """The address of Envoy's admin interface, or `None` where the gateway has refused the resources; and the log."""
    config, admin, log = folder / "envoy.yaml", folder / "admin", folder / "log"
    config.write_text(yaml.safe_dump_all(resources))
    command = [sys.executable, PROGRAM, "-c", config, "--admin-address-path", admin]
    with log.open("w") as output:
        program = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | SECRETS)
    try:
        until("the gateway serves or exits", lambda: admin.exists() or program.poll() is not None, LIMIT_SECS)
        yield admin.read_text() if admin.exists() else None, log.read_text()
    finally:
        program.send_signal(signal.SIGINT)
        program.wait(LIMIT_SECS)


def test_the_example_is_accepted(tmp_path):
    with started(tmp_path, example()) as (admin, log):
        assert admin, log
        with urllib.request.urlopen(f"http://{admin}/config_dump", timeout=10) as answer:
            dump = answer.read().decode()
    assert "LITELLM_MASTER_KEY" in dump
    assert not [key for key in SECRETS.values() if key in dump + log]


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
    ("spoil", "reason"),
    [
        (unknown_setting, "timeouts"),
        (unknown_listener, "gaud/gaud/elsewhere"),
        (unknown_field_of_envoy, 'unknown field "hold_headers"'),
        (no_filter, "/nowhere/gaud.wasm"),
    ],
)
def test_the_log_shows_why_a_resource_is_refused(tmp_path, spoil, reason):
    resources = example()
    spoil(resources)
    with started(tmp_path, resources) as (admin, log):
        assert not admin
        assert reason in log


def test_over_https_to_a_cluster_of_the_user(tmp_path):
    """The rendered comments promise that the patches fit an HTTPS listener, and that a provider may be a route's cluster."""
    stand_in = StandIn()
    config = tmp_path / "gaud.toml"
    config.write_text('[providers.local]\ncluster = "httproute/gaud/local/rule/0"\n')
    resources = render(config) + [*route("local", stand_in.port), secret(tmp_path)]
    (listener,) = of_kind(resources, "Gateway")["listeners"]
    listener |= {"protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "clients"}]}}
    with started(tmp_path, resources) as (admin, log):
        assert admin, log
        status, answer = ask(admin, "local:m")
        assert (status, answer["model"]) == (200, "m")
        assert stand_in.one().json == {"model": "m"}
        assert ask(admin, "no-such-model")[0] == 404
    stand_in.close()


def render(config: pathlib.Path) -> list[dict]:
    command = [os.environ["GAUD_BIN"], "render", "--for", "envoy-gateway", "--config", config]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(text))


def route(name: str, port: int) -> list[dict]:
    backend = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name}
    metadata = {"name": name, "namespace": "gaud"}
    return [
        {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "Backend",
            "metadata": metadata,
            "spec": {"endpoints": [{"ip": {"address": "127.0.0.1", "port": port}}]},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": metadata,
            "spec": {
                "parentRefs": [{"name": "gaud"}],
                "hostnames": ["local.internal"],
                "rules": [{"backendRefs": [backend]}],
            },
        },
    ]


def secret(folder: pathlib.Path) -> dict:
    key, certificate = folder / "key", folder / "certificate"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=gaud -days 1".split()
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    data = {"tls.key": key, "tls.crt": certificate}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "clients", "namespace": "gaud"},
        "data": {name: base64.b64encode(path.read_bytes()).decode() for name, path in data.items()},
    }


def ask(admin: str, model: str) -> tuple[int, dict]:
    with urllib.request.urlopen(f"http://{admin}/listeners", timeout=10) as answer:
        port = int(re.search(r"gaud/gaud/clients::127.0.0.1:(\d+)", answer.read().decode())[1])
    self_signed = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=self_signed)
    body = json.dumps({"model": model})
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())
