"""What is checked of `envoy/compose/` and `envoy/Containerfile` without an engine."""

import os
import re
import subprocess

import pytest
import yaml

import stack as deployment
from kit_py.gaud import ROOT
from stack import FOLDER

REQUIRED = ["LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "POSTGRES_PASSWORD"]


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


def test_the_older_docker_compose_accepts_the_file(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}=x\n" for name in REQUIRED))
    argv = ["docker-compose", "--env-file", env_file, "--file", FOLDER / "compose.yaml", "config"]
    taken = yaml.safe_load(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    assert set(taken["services"]) == {"gaud", "litellm", "direct", "postgres", "prometheus"}


def test_every_image_is_pinned():
    files = [FOLDER / "compose.yaml", ROOT / "envoy/Containerfile"]
    images = re.findall(r"(?:image: |FROM )(\S+)", "".join(file.read_text() for file in files))
    assert len(images) == 7
    for image in set(images) - {"gaud:local"}:
        assert re.fullmatch(r"(docker|ghcr)\.io/[a-z/]+:v?\d+\.\d+[\w.-]*", image), image
    assert f"envoyproxy/envoy:v{(ROOT / '.envoy-version').read_text().strip()}" in " ".join(images)
