"""The units under `envoy/systemd`, installed as its README says, in a real systemd."""

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import GATEWAY, MASTER_KEY, UNITS, wait_for_gateway
from guest import Answer, Guest
from kit_py.waiting import until

PLAIN = ["gaud.service", "litellm.service"]
# In tenths, from 0 to 100; most units have 90 and more, and systemd says "OK" up to 19.
EXPOSURE_LIMIT = 15
LITELLM_START_LIMIT_SECS = 240  # 12 s of processor time, on a machine with much else to do
CHAT = {"model": "litellm:gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}


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


def test_the_examples_have_no_key_and_the_check_says_so(machine):
    assert "failed" in machine.systemctl("start", "gaud", check=False)
    problem = "providers.litellm.api_key: the environment variable LITELLM_MASTER_KEY is not set"
    assert f"/etc/gaud/gaud.toml:6: {problem}" in machine.journal("gaud")
    assert machine.unit("gaud", "Result") == ["exit-code"]
    assert machine.run("stat", "--format=%U %a", "/etc/gaud/env", "/etc/litellm/env") == "root 600\n" * 2


def test_the_gateway_serves_before_litellm_does_and_through_it(gateway):
    gateway.systemctl("stop", "litellm")
    gateway.systemctl("restart", "gaud")  # starts LiteLLM too
    wait_for_gateway(gateway)
    assert gateway.unit("litellm", "ActiveState") == ["active"]
    assert chat(gateway).status in (200, 503)
    until("LiteLLM serves", lambda: chat(gateway).status == 200, LITELLM_START_LIMIT_SECS)
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


def test_no_process_has_rights_or_is_root(gateway):
    processes = gateway.processes("gaud.service") + gateway.processes("litellm.service")
    assert len(processes) >= 3, "gaud, Envoy and LiteLLM"
    for process in processes:
        status = Path(f"/proc/{process}/status").read_text()
        field = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert field["Uid"].split()[0] != "0"
        assert {int(field[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
        assert (field["NoNewPrivs"], field["Seccomp"]) == ("1", "2")
        core = next(line for line in Path(f"/proc/{process}/limits").read_text().splitlines() if "core" in line)
        assert core.split()[-3:-1] == ["0", "0"], "a core dump would have the secrets"


def test_no_output_shows_a_secret(gateway):
    assert MASTER_KEY in gateway.run("cat", "/etc/gaud/env")
    shown = gateway.systemctl("show", "gaud", "litellm") + gateway.systemctl("status", "gaud", "litellm", check=False)
    shown += gateway.journal("gaud") + gateway.journal("litellm")
    refused = gateway.ask("http://127.0.0.1:9901/config_dump?include_eds")
    assert refused.status == 403
    shown += refused.text
    assert "gaud.toml: good" in shown
    assert MASTER_KEY not in shown


def envoy(guest: Guest) -> int:
    names = {Path(f"/proc/{each}/comm").read_text(): each for each in guest.processes("gaud.service")}
    return names["envoy\n"]


def test_systemd_restarts_the_gateway_when_envoy_dies(gateway):
    (before,) = gateway.unit("gaud", "MainPID")
    os.kill(envoy(gateway), signal.SIGKILL)
    until("the service restarts", lambda: gateway.unit("gaud", "NRestarts") == ["1"])
    wait_for_gateway(gateway)
    assert gateway.unit("gaud", "MainPID") != [before]
    said = gateway.journal("gaud")
    assert "Envoy ended without being asked (signal: 9 (SIGKILL))" in said
    assert "Main process exited, code=exited, status=1/FAILURE" in said


def test_a_stop_is_clean(gateway):
    (limit,) = gateway.unit("gaud", "TimeoutStopUSec")
    assert limit == "45s"
    before = time.monotonic()
    gateway.systemctl("stop", "gaud")
    assert time.monotonic() - before < 10
    assert gateway.unit("gaud", "ActiveState", "Result", "ExecMainStatus") == ["inactive", "success", "0"]
    assert gateway.processes("gaud.service") == []


def test_systemd_gives_up_on_a_bad_configuration_whose_line_is_logged(gateway):
    good = gateway.run("cat", "/etc/gaud/gaud.toml")
    gateway.write("/etc/gaud/gaud.toml", f"{good}\nlistne = 1\n")
    try:
        assert gateway.systemctl("restart", "gaud", check=False) != ""
        until("systemd gives up", lambda: gateway.unit("gaud", "ActiveState") == ["failed"])
        said = gateway.journal("gaud")
        assert "/etc/gaud/gaud.toml:8: providers.litellm.listne: " in said
        assert "Start request repeated too quickly" in said
    finally:
        gateway.write("/etc/gaud/gaud.toml", good)


def test_a_port_below_1024_works_with_the_readme_s_drop_in(gateway):
    good = gateway.run("cat", "/etc/gaud/gaud.toml")
    low = "http://127.0.0.1:80/healthz"
    gateway.write("/etc/gaud/gaud.toml", f'listen = "127.0.0.1:80"\n{good}')
    try:
        gateway.systemctl("restart", "gaud")
        until("the port is refused", lambda: "`listen` cannot be 127.0.0.1:80: a port below 1024" in gateway.journal("gaud"))
        _, drop_in = (UNITS / "README.md").read_text().split("```ini\n")
        with changed(gateway, drop_in.split("```")[0]):
            gateway.systemctl("restart", "gaud")
            until("the gateway serves", lambda: gateway.ask(low).status == 200)
    finally:
        gateway.write("/etc/gaud/gaud.toml", good)


def readme_command(words: str) -> list[str]:
    """A command of the README, without `sudo`: the tests are root. The container has no PATH with `/usr/local/bin`."""
    assert f"| `{words}` |" in (UNITS / "README.md").read_text()
    program, *rest = words.removeprefix("sudo ").split()
    return [{"gaud": "/usr/local/bin/gaud"}.get(program, program), *rest]


def test_the_readme_s_status_names_the_providers(gateway):
    said = gateway.run(*readme_command("gaud status --config /etc/gaud/gaud.toml"))
    assert "PROVIDER" in said and "litellm" in said and MASTER_KEY not in said


def test_the_readme_s_reload_takes_a_changed_file(gateway):
    good = gateway.run("cat", "/etc/gaud/gaud.toml")
    (before,) = gateway.unit("gaud", "MainPID")
    gateway.write("/etc/gaud/gaud.toml", f'{good}\n[aliases]\nfast = "litellm:gpt-4o"\n')
    try:
        gateway.run(*readme_command("systemctl reload gaud"))
        until("the change is in effect", lambda: "version 2 is in effect" in gateway.journal("gaud"))
        assert gateway.unit("gaud", "MainPID") == [before]
    finally:
        gateway.write("/etc/gaud/gaud.toml", good)


def test_the_readme_s_admin_key_opens_the_admin_api(gateway):
    key = gateway.run(*readme_command("sudo cat /var/lib/gaud/admin-key")).strip()
    assert gateway.ask(f"{GATEWAY}/admin/settings", key=key).status == 200
    assert gateway.ask(f"{GATEWAY}/admin/settings", key="sk-other").status == 401


@contextmanager
def changed(guest: Guest, drop_in: str):
    """The unit with further settings, where `systemctl edit` puts them."""
    folder = "/run/systemd/system/gaud.service.d"
    guest.run("mkdir", "-p", folder)
    guest.write(f"{folder}/override.conf", drop_in)
    guest.systemctl("daemon-reload")
    guest.systemctl("reset-failed", check=False)
    try:
        yield
    finally:
        guest.run("rm", "-r", folder)
        guest.systemctl("daemon-reload")


def test_v8_needs_memory_that_is_both_writable_and_executable(gateway):
    """The reason why the unit does not set MemoryDenyWriteExecute: when this test fails, set it."""
    with changed(gateway, "[Service]\nMemoryDenyWriteExecute=yes\n"):
        gateway.systemctl("restart", "gaud")
        until("Envoy ends", lambda: gateway.unit("gaud", "NRestarts") != ["0"])
        assert "Envoy ended before it was ready (signal: " in gateway.journal("gaud")
