"""The files of `envoy/compose/`, and the image of `envoy/Containerfile`: a real Docker engine, `docker compose`, and
stand-ins for the images that it would pull (`images.sh`)."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import tomllib
import urllib.request
from collections import Counter
from pathlib import Path

import openai
import pytest
import yaml

import engine as own_engine
import stack as deployment
from gateway import ROOT
from stack import FOLDER, Stack
from traffic import UNREACHED, Traffic, traffic

LIMIT_SECS = 300  # LiteLLM alone takes a minute to start on a busy machine
ENOUGH = 20
ASK = [{"role": "user", "content": "Hello"}]
HELLO = "Hello from LiteLLM."
REQUIRED = ["LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "POSTGRES_PASSWORD"]
ADMIN = "10.99.84.2"


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> dict[str, str]:
    with own_engine.running(tmp_path_factory.mktemp("engine")) as environment:
        yield environment


@pytest.fixture(scope="module")
def stack(engine, tmp_path_factory) -> Stack:
    with deployment.running(engine, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="module")
def key(stack) -> str:
    return stack.new_key("hello")


def client(stack: Stack, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.url}/v1", api_key=key, max_retries=0)


def said(client: openai.OpenAI, model: str = "hello") -> str:
    return client.chat.completions.create(model=model, messages=ASK).choices[0].message.content


def until(condition) -> None:
    deadline = time.monotonic() + LIMIT_SECS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


# -- Requests


def test_a_chat_through_all_of_it(stack, key):
    assert said(client(stack, key)) == HELLO
    assert said(client(stack, key), "litellm:hello") == HELLO
    chunks = client(stack, key).chat.completions.create(model="hello", messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == HELLO


def test_a_key_that_litellm_gave_out_opens_what_it_is_for(stack, key):
    with pytest.raises(openai.APIStatusError) as refused:
        said(client(stack, key), "gpt-4o")
    assert refused.value.type == "key_model_access_denied"


@pytest.mark.parametrize("wrong", ["sk-of-nobody", "none"])
def test_without_a_key_nobody_is_served(stack, wrong):
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
    provider = tomllib.loads((FOLDER / "gaud.toml").read_text())["providers"]["litellm"]
    assert set(provider["models"]) == models
    assert {model.id for model in client(stack, key).models.list()} == models


# -- What is seen from outside


def test_the_gateway_alone_is_published(stack):
    published = {service: stack.inspect(service)["NetworkSettings"]["Ports"] for service in stack.services()}
    bound = {service: binds for service, ports in published.items() for binds in ports.values() if binds}
    assert bound == {"gaud": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]}
    # The tests have a network of their own: nobody else listens there.
    assert listening() == {("127.0.0.1", stack.port)}


def listening() -> set[tuple[str, int]]:
    """Every TCP socket of this network that waits for clients, as the kernel lists it (proc(5))."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    waiting = [row[1].split(":") for row in rows if row[3] == "0A"]
    assert len(Path("/proc/net/tcp6").read_text().splitlines()) == 1, "nothing by IPv6"
    return {(socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)) for address, port in waiting}


def test_only_prometheus_s_network_has_the_admin_interface(stack):
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
        "postgres": {"database"},
        "prometheus": {"metrics"},
    }
    for name, is_internal in {"models": False, "metrics": True, "database": True}.items():
        (network,) = json.loads(stack.docker("network", "inspect", f"{stack.project}_{name}"))
        assert network["Internal"] == is_internal, name


def networks_of(stack: Stack, service: str) -> set[str]:
    return {name.removeprefix(f"{stack.project}_") for name in stack.inspect(service)["NetworkSettings"]["Networks"]}


def test_no_secret_is_shown(stack, key):
    said(client(stack, key))
    with pytest.raises(openai.AuthenticationError):
        said(client(stack, "sk-of-nobody"))
    dump = urllib.request.urlopen(f"http://{ADMIN}:9901/config_dump", timeout=10).read().decode()
    assert "litellm" in dump
    shown = {"config dump": dump} | {service: stack.compose("logs", "--no-color", service) for service in stack.services()}
    assert all(shown.values()), "there is something to look at"
    for where, text in shown.items():
        found = [name for name, value in (stack.secrets | {"key": key}).items() if value in text]
        assert not found, f"{found} in {where}"


# -- The containers


def test_no_container_may_do_more_than_it_must(stack):
    for service in stack.services():
        host = stack.inspect(service)["HostConfig"]
        assert host["CapDrop"] == ["ALL"], service
        assert not host["CapAdd"] and not host["Privileged"], service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service


def test_the_gateway_s_user_can_do_nothing(stack):
    status = stack.compose("exec", "-T", "gaud", "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == ["10001"] * 4
    assert fields["Gid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", ["gaud", "postgres", "prometheus"])
def test_the_root_is_read_only(stack, service):
    with pytest.raises(AssertionError, match="Read-only file system"):
        stack.compose("exec", "-T", "--user", "root", service, "touch", "/usr/new")


def test_the_image_by_itself(stack):
    image = json.loads(stack.docker("image", "inspect", "gaud:local"))[0]["Config"]
    assert image["User"] == "10001:10001"
    assert (image["Entrypoint"], image["Cmd"]) == (["gaud"], ["run"])
    assert image["Healthcheck"]["Test"] == ["CMD", "gaud", "status"]
    # Envoy's image need not have the C library of the one that built it.
    linked = stack.docker("run", "--rm", "--entrypoint", "ldd", "gaud:local", "/usr/local/bin/gaud")
    assert "statically linked" in linked


def test_a_mistake_in_the_configuration_is_shown_with_its_line(stack, tmp_path):
    mistaken = tmp_path / "gaud.toml"
    mistaken.write_text('listen = "0.0.0.0:8400"\ndefault_provider = "litelm"\n[providers.litellm]\nurl = "http://litellm:4000"\n')
    with pytest.raises(AssertionError, match=r"gaud\.toml:2\b.*litelm"):
        stack.docker("run", "--rm", "--volume", f"{mistaken}:/etc/gaud/gaud.toml:ro", "gaud:local")


# -- Metrics


def test_prometheus_has_the_gateway_s_metrics(stack, key):
    query = 'gaud_requests_total{provider="litellm", outcome="success"}'
    before = stack.metric(query) or 0
    for _ in range(3):
        said(client(stack, key))
    until(lambda: (stack.metric(query) or 0) >= before + 3)


# -- Restarts


def test_litellm_is_restarted(stack, key, capsys):
    asked = seen_while(stack, key, "litellm", lambda: stack.compose("restart", "litellm"), capsys)
    refusals = {(503, "provider_unreachable"), (503, "provider_unavailable"), (502, "bad_provider_response")}
    assert (503, "provider_unavailable") in asked.failures() <= refusals
    with urllib.request.urlopen(f"{stack.url}/health", timeout=10) as response:
        assert json.load(response)["providers"]["litellm"]["breaker"] == "closed"


def test_litellm_comes_back_with_another_address(stack, key, capsys):
    recreate = ["up", "--detach", "--wait", "--no-deps", "--force-recreate", "litellm"]
    asked = seen_while(stack, key, "litellm", lambda: stack.compose(*recreate), capsys)
    assert asked.failures()


def test_the_gateway_is_restarted(stack, key, capsys):
    asked = seen_while(stack, key, "gaud", lambda: stack.compose("restart", "gaud"), capsys)
    assert asked.failures() == {(0, UNREACHED)}
    until(lambda: stack.metric('up{job="gaud"}') == 1)


def test_a_crash_of_envoy_ends_the_container_which_is_started_again(stack, key, capsys):
    before = stack.inspect("gaud")
    asked = seen_while(stack, key, "gaud", lambda: kill_envoy(before["State"]["Pid"]), capsys)
    assert asked.failures() == {(0, UNREACHED)}
    assert stack.inspect("gaud")["RestartCount"] == before["RestartCount"] + 1
    assert "Envoy ended by itself" in stack.compose("logs", "gaud")


def kill_envoy(gaud: int) -> None:
    (envoy,) = Path(f"/proc/{gaud}/task/{gaud}/children").read_text().split()
    os.kill(int(envoy), signal.SIGKILL)


def test_postgres_is_restarted(stack, key, capsys):
    seen_while(stack, key, "postgres", lambda: stack.compose("restart", "postgres"), capsys)
    assert said(client(stack, stack.new_key("hello"))) == HELLO


def test_prometheus_is_restarted(stack, key, capsys):
    samples = 'count_over_time(up{job="gaud"}[1h])'
    before = stack.metric(samples)
    asked = seen_while(stack, key, "prometheus", lambda: stack.compose("restart", "prometheus"), capsys)
    assert asked.failures() == set()
    until(lambda: (stack.metric(samples) or 0) > before)


def seen_while(stack: Stack, key: str, service: str, happens, capsys) -> Traffic:
    """What a client sees while something happens to a service, until all is well again."""
    with traffic(stack.url, key, "hello") as asked:
        until(lambda: sum(seen.served for seen in asked.seen) > ENOUGH)
        began = time.monotonic()
        happens()
        until(lambda: stack.is_healthy(service))
        back = time.monotonic()
        until(lambda: [seen.served for seen in asked.since(back)[-ENOUGH:]] == [True] * ENOUGH)
    first = next(seen for seen in asked.since(back) if seen.served)
    counts = Counter((seen.status, seen.what) for seen in asked.seen)
    with capsys.disabled():
        print(f"\n{service} healthy after {back - began:.1f} s, served {first.began - back:.1f} s later: {dict(counts)}")
    assert asked.seen[0].served and {seen.what for seen in asked.seen if seen.served} == {HELLO}
    return asked


# -- The files


@pytest.mark.parametrize("absent", REQUIRED)
def test_nothing_starts_without_a_secret(tmp_path, absent):
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}=x\n" for name in REQUIRED if name != absent))
    own = deployment.environment(os.environ)
    refused = subprocess.run(deployment.argv(env_file, "config"), env=own, capture_output=True, text=True)
    assert refused.returncode != 0
    assert f"required variable {absent} is missing a value: set {absent} in .env" in refused.stderr


def test_the_example_of_an_env_file_has_no_secret_and_every_variable():
    lines = (FOLDER / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    defaults = {"COMPOSE_PROJECT_NAME": "gaud", "GAUD_PORT": "8400"}
    assert {name: value for name, value in example.items() if value} == defaults
    used = set(re.findall(r"\$\{(\w+)", (FOLDER / "compose.yaml").read_text()))
    assert set(example) == used | {"COMPOSE_PROJECT_NAME"}


def test_the_older_docker_compose_takes_the_file_as_well(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}=x\n" for name in REQUIRED))
    argv = ["docker-compose", "--env-file", env_file, "--file", FOLDER / "compose.yaml", "config"]
    taken = yaml.safe_load(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    assert set(taken["services"]) == {"gaud", "litellm", "postgres", "prometheus"}


def test_every_image_is_pinned():
    images = re.findall(r"(?:image: |FROM )(\S+)", (FOLDER / "compose.yaml").read_text() + (ROOT / "envoy/Containerfile").read_text())
    assert len(images) == 6
    for image in set(images) - {"gaud:local"}:
        assert re.fullmatch(r"(docker|ghcr)\.io/[a-z/]+:v?\d+\.\d+[\w.-]*", image), image
    assert f"envoyproxy/envoy:v{(ROOT / '.envoy-version').read_text().strip()}" in " ".join(images)
