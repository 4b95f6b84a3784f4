"""The files of `envoy/compose/` and the image of `envoy/Containerfile`, with a real Docker engine and `docker compose`.

`images.sh` builds the images that a user's engine would pull.
"""

import json
import socket
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import openai
import pytest
import yaml

from clients import ASK, HELLO, client, said, until
from stack import FOLDER, Stack

ADMIN = "10.99.84.2"


# -- Requests


def test_a_chat_through_all_of_it(stack, key):
    assert said(client(stack, key)) == HELLO
    assert said(client(stack, key), "litellm:hello") == HELLO
    chunks = client(stack, key).chat.completions.create(model="hello", messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == HELLO


def test_a_key_of_litellm_opens_the_models_that_it_is_for(stack, key):
    with pytest.raises(openai.APIStatusError) as refused:
        said(client(stack, key), "gpt-4o")
    assert refused.value.type == "key_model_access_denied"


@pytest.mark.parametrize("wrong", ["sk-of-nobody", "none"])
def test_a_wrong_key_is_refused(stack, wrong):
    with pytest.raises(openai.AuthenticationError):
        said(client(stack, wrong))


def test_a_deleted_key_opens_nothing(stack):
    key = stack.new_key("hello")
    assert said(client(stack, key)) == HELLO
    stack.manage("/key/delete", {"keys": [key]})
    with pytest.raises(openai.AuthenticationError):
        said(client(stack, key))


def test_the_list_of_models_is_litellm_s(stack, key):
    models = {model["model_name"] for model in yaml.safe_load((FOLDER / "litellm.yaml").read_text())["model_list"]}
    provider = tomllib.loads((FOLDER / "config/gaud.toml").read_text())["providers"]["litellm"]
    assert set(provider["models"]) == models
    assert {model.id for model in client(stack, key).models.list()} == models | {"local-model"}


def test_a_provider_beside_litellm_needs_no_key_of_litellm(stack):
    answer = client(stack, "none").chat.completions.with_raw_response.create(model="local-model", messages=ASK)
    assert answer.headers["x-gaud-provider"] == "direct"
    assert answer.parse().model == "local-model"


# -- What is visible from outside


def test_the_gateway_and_prometheus_are_published_on_loopback(stack):
    published = {service: stack.inspect(service)["NetworkSettings"]["Ports"] for service in stack.services()}
    bound = {service: binds for service, ports in published.items() for binds in ports.values() if binds}
    ports = {"gaud": stack.port, "prometheus": stack.prometheus_port}
    assert bound == {name: [{"HostIp": "127.0.0.1", "HostPort": str(port)}] for name, port in ports.items()}
    # No other server listens in the network of the tests.
    assert listening() == {("127.0.0.1", port) for port in ports.values()}


def test_prometheus_answers_on_loopback(stack):
    url = f"http://127.0.0.1:{stack.prometheus_port}/api/v1/query?query=up"
    with urllib.request.urlopen(url, timeout=10) as response:
        assert json.load(response)["status"] == "success"


def listening() -> set[tuple[str, int]]:
    """The TCP sockets of this network that wait for clients, from the kernel's list (proc(5))."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    waiting = [row[1].split(":") for row in rows if row[3] == "0A"]
    assert len(Path("/proc/net/tcp6").read_text().splitlines()) == 1, "nothing by IPv6"
    return {(socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)) for address, port in waiting}


def test_the_admin_interface_is_on_prometheus_s_network_alone(stack):
    probe = "import socket, sys; socket.create_connection((sys.argv[1], 9901), timeout=3)"
    for host in ("gaud", ADMIN):
        with pytest.raises(AssertionError, match="ConnectionRefusedError|TimeoutError|Network is unreachable"):
            stack.compose("exec", "-T", "litellm", "python3", "-c", probe, host)
    assert stack.metric('up{job="gaud"}') == 1


def test_each_part_is_on_its_networks_alone(stack):
    networks = {service: networks_of(stack, service) for service in stack.services()}
    assert networks == {
        "gaud": {"models", "metrics"},
        "litellm": {"models", "database"},
        "direct": {"models"},
        "postgres": {"database"},
        "prometheus": {"metrics", "published"},
    }
    for name, is_internal in {"models": False, "metrics": True, "database": True, "published": False}.items():
        (network,) = json.loads(stack.docker("network", "inspect", f"{stack.project}_{name}"))
        assert network["Internal"] == is_internal, name


def networks_of(stack: Stack, service: str) -> set[str]:
    return {name.removeprefix(f"{stack.project}_") for name in stack.inspect(service)["NetworkSettings"]["Networks"]}


def test_no_output_shows_a_secret(stack, key):
    said(client(stack, key))
    with pytest.raises(openai.AuthenticationError):
        said(client(stack, "sk-of-nobody"))
    stats = urllib.request.urlopen(f"http://{ADMIN}:9901/stats", timeout=10).read().decode()
    assert "litellm" in stats
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://{ADMIN}:9901/config_dump", timeout=10)
    shown = {"stats": stats} | {service: stack.compose("logs", "--no-color", service) for service in stack.services()}
    assert all(shown.values()), "every output has text"
    for where, text in shown.items():
        found = [name for name, value in (stack.secrets | {"key": key}).items() if value in text]
        assert not found, f"{found} in {where}"


# -- The containers


def test_no_container_has_capabilities(stack):
    for service in stack.services():
        host = stack.inspect(service)["HostConfig"]
        assert host["CapDrop"] == ["ALL"], service
        assert not host["CapAdd"] and not host["Privileged"], service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service


def test_the_gateway_s_user_has_no_rights(stack):
    status = stack.compose("exec", "-T", "gaud", "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == ["10001"] * 4
    assert fields["Gid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", ["gaud", "direct", "postgres", "prometheus"])
def test_the_root_is_read_only(stack, service):
    with pytest.raises(AssertionError, match="Read-only file system"):
        stack.compose("exec", "-T", "--user", "root", service, "touch", "/usr/new")


def test_the_image(stack):
    image = json.loads(stack.docker("image", "inspect", "gaud:local"))[0]["Config"]
    assert image["User"] == "10001:10001"
    assert (image["Entrypoint"], image["Cmd"]) == (["gaud"], ["run"])
    assert image["Healthcheck"]["Test"] == ["CMD", "gaud", "status"]
    # Envoy's image may lack the C library of the image that built the command.
    linked = stack.docker("run", "--rm", "--entrypoint", "ldd", "gaud:local", "/usr/local/bin/gaud")
    assert "statically linked" in linked


def test_a_mistake_in_the_configuration_is_shown_with_its_line(stack, tmp_path):
    mistaken = tmp_path / "gaud.toml"
    mistaken.write_text('default_provider = "litelm"\n[providers.litellm]\nurl = "http://litellm:4000"\n')
    with pytest.raises(AssertionError, match=r"gaud\.toml:1: default_provider: \"litelm\" is not a provider"):
        stack.docker("run", "--rm", "--volume", f"{mistaken}:/app/gaud.toml:ro", "gaud:local")


# -- Metrics


def test_prometheus_has_the_gateway_s_metrics(stack, key):
    query = 'gaud_requests_total{provider="litellm", outcome="success"}'
    before = stack.metric(query) or 0
    for _ in range(3):
        said(client(stack, key))
    until("the requests are counted", lambda: (stack.metric(query) or 0) >= before + 3)
