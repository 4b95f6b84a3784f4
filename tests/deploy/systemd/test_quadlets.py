"""The quadlets under `envoy/systemd`: podman's generator accepts them, and the services that it generates serve.

There is no image here: `podman.sh` takes the place of podman, and runs this machine's Envoy in the place of the image.
"""

import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import UNITS, wait_for_gateway
from kit_py.waiting import until

PODMAN = "/usr/local/bin/podman"
GENERATORS = ["/usr/lib/systemd/system-generators/podman-system-generator", "/usr/libexec/podman/quadlet"]


@pytest.fixture(scope="module")
def services(tmp_path_factory) -> dict[str, str]:
    """The services that podman's generator makes of the quadlets, by name."""
    folder = tmp_path_factory.mktemp("services")
    environment = os.environ | {"QUADLET_UNIT_DIRS": str(UNITS), "PODMAN": PODMAN}
    argv = [generator(), "-no-kmsg-log", str(folder)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return {service.name: service.read_text() for service in folder.glob("*.service")}


def generator() -> str:
    """$QUADLET, or the generator of an installed podman (4.4 and later)."""
    for path in [os.environ.get("QUADLET", ""), *GENERATORS]:
        if Path(path).is_file():
            return path
    raise FileNotFoundError("no generator of podman: `make quadlet` builds it")


@pytest.fixture
def generated(keyed, services):
    """The machine with the generated services in the place of the plain units."""
    keyed.systemctl("stop", "gaud", "litellm")
    keyed.write(PODMAN, (Path(__file__).parent / "podman.sh").read_text())
    keyed.run("chmod", "755", PODMAN)
    keyed.run("mkdir", "-p", "/run/systemd/plain")
    keyed.run("sh", "-c", "mv /etc/systemd/system/*.service /run/systemd/plain")
    for name, text in services.items():
        keyed.write(f"/run/systemd/system/{name}", text)
    keyed.systemctl("daemon-reload")
    yield keyed
    keyed.systemctl("stop", "gaud", check=False)
    keyed.run("sh", "-c", "mv /run/systemd/plain/*.service /etc/systemd/system; rm /run/systemd/system/*.service")
    keyed.systemctl("daemon-reload")


def test_the_generator_accepts_both_quadlets(services):
    assert services.keys() == {"gaud.service", "litellm.service"}


@pytest.mark.parametrize("name", ["gaud", "litellm"])
def test_a_container_has_no_rights(services, name):
    lines = services[f"{name}.service"].splitlines()
    (words,) = [shlex.split(line) for line in lines if line.startswith(f"ExecStart={PODMAN} run ")]
    assert "--security-opt=no-new-privileges" in words
    assert words[words.index("--cap-drop") + 1] == "all"
    assert name == "litellm" or ("--read-only" in words and words[words.index("--user") + 1] == "65534:65534")


@pytest.mark.parametrize("name", ["gaud", "litellm"])
def test_a_generated_service_is_verified(generated, name):
    assert generated.run("systemd-analyze", "verify", "--man=no", f"/run/systemd/system/{name}.service") == ""


def test_the_generated_service_serves_and_is_started_again_and_stops(generated):
    generated.systemctl("mask", "--runtime", "litellm", check=False)
    generated.systemctl("start", "gaud")
    wait_for_gateway(generated)
    assert generated.ask("http://127.0.0.1:8400/v1/models").status == 200
    (envoy,) = generated.processes("gaud.service")
    os.kill(envoy, signal.SIGKILL)
    until("the service restarts", lambda: generated.unit("gaud", "NRestarts") == ["1"])
    wait_for_gateway(generated)
    generated.systemctl("stop", "gaud")
    assert generated.unit("gaud", "ActiveState", "Result") == ["inactive", "success"]
    assert generated.processes("gaud.service") == []


def test_a_bad_configuration_fails_with_its_line(generated):
    good = generated.run("cat", "/etc/gaud/gaud.toml")
    generated.write("/etc/gaud/gaud.toml", f"{good}\nlistne = 1\n")
    try:
        assert "failed" in generated.systemctl("start", "gaud", check=False)
        assert "/etc/gaud/gaud.toml:8: providers.litellm.listne: " in generated.journal("gaud")
    finally:
        generated.write("/etc/gaud/gaud.toml", good)
