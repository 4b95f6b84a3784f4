"""The resources of the control server, as they are written and as the chart makes them."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "envoy/kubernetes"
SECRETS = {"GAUD_DATABASE": "postgres://gaud:pw@db/gaud", "GAUD_FEED_TOKEN": "0123456789abcdef0123456789abcdef"}
SET = [f"--set-string=secret.values.{name}={value}" for name, value in SECRETS.items()]


def resources(text: str) -> dict[str, dict]:
    """By kind; the control server has one of each."""
    return {own["kind"]: own for own in yaml.safe_load_all(text) if own}


def written() -> dict[str, dict]:
    return resources((FOLDER / "control.yaml").read_text())


def template(*arguments: str) -> subprocess.CompletedProcess[str]:
    helm = Path(os.environ["HELM"])
    if not helm.exists():
        pytest.skip("no Helm, and no Go to install it")
    argv = [helm, "template", "gaud-control", FOLDER / "chart", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def charted(*arguments: str) -> dict[str, dict]:
    answer = template(*SET, *arguments)
    assert answer.returncode == 0, answer.stderr
    return resources(answer.stdout)


@pytest.mark.parametrize("read", [written, charted])
def test_the_command_accepts_the_configuration(read, tmp_path):
    config = tmp_path / "gaud.toml"
    config.write_text(read()["ConfigMap"]["data"]["gaud.toml"])
    argv = [os.environ["GAUD_BIN"], "check", "--config", config]
    answer = subprocess.run(argv, env=SECRETS, capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0, answer.stderr
    assert "8480" in config.read_text()


def test_the_chart_makes_what_the_file_has():
    own, made = written(), charted()
    assert own.keys() == made.keys()
    for kind in ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = made[kind]["spec"]
        if kind == "Deployment":
            assert len(spec["template"]["metadata"].pop("annotations")) == 1
        assert spec == own[kind]["spec"], kind
    assert made["ConfigMap"]["data"].keys() == own["ConfigMap"]["data"].keys()


def test_kubernetes_accepts_what_the_chart_makes():
    conform, schemas = os.environ["KUBECONFORM"], os.environ["SCHEMAS"]
    place = f"{schemas}/{{{{.Group}}}}_{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
    argv = [conform, "-strict", "-summary", "-schema-location", place, "-"]
    answer = subprocess.run(argv, input=template(*SET).stdout, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0 and "Valid: 6" in answer.stdout, answer.stdout + answer.stderr


def test_a_secret_is_yours_or_the_charts():
    assert charted()["Secret"]["stringData"] == SECRETS
    with_own = resources(template("--set", "secret.existing=mine").stdout)
    assert "Secret" not in with_own
    container = with_own["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "mine"}}]
    refused = template()
    assert refused.returncode != 0
    assert "secret.values.GAUD_DATABASE is empty: set it, or name a Secret that has it in secret.existing" in refused.stderr


def test_one_replica_blocks_no_drain():
    assert "PodDisruptionBudget" not in charted("--set", "replicas=1")
