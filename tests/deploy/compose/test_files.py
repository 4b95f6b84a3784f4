"""What is checked of `envoy/compose/` and `envoy/Containerfile` without an engine."""

import os
import re
import subprocess

import pytest
import yaml

import stack as deployment
from kit_py.gaud import ROOT
from stack import FOLDER

GATEWAYS = FOLDER / "gateways"
REQUIRED_BY_GATEWAYS = ["POSTGRES_PASSWORD", "GAUD_ADMIN_KEY", "GRAFANA_PASSWORD"]
REQUIRED = ["LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "POSTGRES_PASSWORD"]


def of_gateways(env_file):
    return ["docker", "compose", "--env-file", str(env_file), "--file", str(GATEWAYS / "compose.yaml"), "config"]


@pytest.mark.parametrize("absent", REQUIRED)
def test_nothing_starts_without_a_secret(tmp_path, absent):
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}=x\n" for name in REQUIRED if name != absent))
    environment = deployment.environment(os.environ)
    refused = subprocess.run(deployment.argv(env_file, "config"), env=environment, capture_output=True, text=True)
    assert refused.returncode != 0
    assert f"required variable {absent} is missing a value: set {absent} in .env" in refused.stderr


def test_the_example_of_an_env_file_has_no_secret_and_every_variable():
    lines = (FOLDER / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    defaults = {"COMPOSE_PROJECT_NAME": "gaud", "GAUD_PORT": "8400", "PROMETHEUS_PORT": "9090"}
    assert {name: value for name, value in example.items() if value} == defaults
    used = set(re.findall(r"\$\{(\w+)", (FOLDER / "compose.yaml").read_text()))
    assert set(example) == used | {"COMPOSE_PROJECT_NAME"}


@pytest.mark.parametrize("absent", REQUIRED_BY_GATEWAYS)
def test_no_gateway_of_several_starts_without_a_secret(tmp_path, absent):
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}=x\n" for name in REQUIRED_BY_GATEWAYS if name != absent))
    environment = {name: value for name, value in os.environ.items() if name not in REQUIRED_BY_GATEWAYS}
    refused = subprocess.run(of_gateways(env_file), env=environment, capture_output=True, text=True)
    assert refused.returncode != 0
    assert f"required variable {absent} is missing a value: set {absent} in .env" in refused.stderr


def test_docker_compose_accepts_the_file_of_several_gateways(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}=x\n" for name in REQUIRED_BY_GATEWAYS))
    taken = yaml.safe_load(subprocess.run(of_gateways(env_file), capture_output=True, text=True, check=True).stdout)
    services = taken["services"]
    parts = {"balancer", "direct", "postgres", "ratelimit", "redis", "prometheus", "grafana"}
    assert set(services) == {"gaud-1", "gaud-2"} | parts
    one, two = services["gaud-1"], services["gaud-2"]
    for own in one, two:
        (data,) = [volume["source"] for volume in own["volumes"] if volume["type"] == "volume"]
        address = own["environment"].pop("GAUD_ADMIN_LISTEN").removesuffix(":9901")
        assert own["networks"]["metrics"]["ipv4_address"] == address
        assert f'"{address}:9901"' in (GATEWAYS / "prometheus.yml").read_text()
        own["data"] = data
    assert one["environment"] == two["environment"]
    assert one["data"] != two["data"], "two gateways never share a folder"
    for name, service in services.items():
        ports = [port["host_ip"] for port in service.get("ports", [])]
        assert ports == (["127.0.0.1"] if name in ["balancer", "prometheus", "grafana"] else []), name


def test_the_example_of_an_env_file_has_every_variable_of_several_gateways():
    lines = (GATEWAYS / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert [name for name, value in example.items() if not value] == REQUIRED_BY_GATEWAYS
    used = set(re.findall(r"\$\{(\w+)", (GATEWAYS / "compose.yaml").read_text()))
    assert set(example) == used | {"COMPOSE_PROJECT_NAME"}


def test_the_older_docker_compose_accepts_the_file(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}=x\n" for name in REQUIRED))
    argv = ["docker-compose", "--env-file", env_file, "--file", FOLDER / "compose.yaml", "config"]
    taken = yaml.safe_load(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    assert set(taken["services"]) == {"gaud", "litellm", "direct", "postgres", "prometheus"}


def test_every_image_is_pinned():
    files = [FOLDER / "compose.yaml", GATEWAYS / "compose.yaml", ROOT / "envoy/Containerfile"]
    images = re.findall(r"(?:image: |FROM )(\S+)", "".join(file.read_text() for file in files))
    assert len(images) == 15
    # It has no releases: an image has the name of its commit, the one that the tests build.
    ratelimit = "docker.io/envoyproxy/ratelimit:"
    (commit,) = [image.removeprefix(ratelimit) for image in images if image.startswith(ratelimit)]
    assert re.search(rf"^RATELIMIT_VERSION .*-{commit}[0-9a-f]{{4}}$", (ROOT / "tools.mk").read_text(), re.MULTILINE)
    for image in set(images) - {"gaud:local", ratelimit + commit}:
        assert re.fullmatch(r"(docker|ghcr)\.io/[a-z/-]+:v?\d+\.\d+[\w.-]*", image), image
    assert f"envoyproxy/envoy:v{(ROOT / '.envoy-version').read_text().strip()}" in " ".join(images)
