"""A container that boots systemd: it has this machine's /usr and nothing else of it, and no network but a loopback.

The units under `envoy/systemd` run in it unchanged, with their names, paths and ports.
"""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kit_py.processes import program
from kit_py.waiting import until

BOOT_LIMIT_SECS = 60
STOP_LIMIT_SECS = 30
COMMAND_LIMIT_SECS = 90
CAPTURED = {"capture_output": True, "text": True, "timeout": COMMAND_LIMIT_SECS}
# Runs in the container's network, with the files of this machine.
ASK = """\
import json, sys, urllib.error, urllib.request
url, body, key = json.load(sys.stdin)
headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
try:
    answer = urllib.request.urlopen(urllib.request.Request(url, body and body.encode(), headers), timeout=30)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    sys.exit(json.dump([0, str(error)], sys.stdout))
json.dump([answer.status, answer.read().decode()], sys.stdout)
"""


class Answer(NamedTuple):
    """An HTTP answer; status 0 means that the server did not answer."""

    status: int
    text: str


class Guest:
    def __init__(self, leader: int):
        self.leader = leader

    def run(self, *argv: str, check: bool = True, stdin: str = "") -> str:
        """Runs a command in the container and gives its output."""
        enter = [program("nsenter", "systemd"), "--target", str(self.leader), "--all", "--wd=/", "--"]
        environment = {"PATH": "/usr/sbin:/usr/bin"}
        done = subprocess.run([*enter, *argv], input=stdin, env=environment, **CAPTURED)
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def has_booted(self) -> bool:
        return self.systemctl("is-system-running", check=False).strip() in ("running", "degraded")

    def write(self, path: str, text: str):
        """Writes a file; a file that exists keeps its mode."""
        self.run("tee", path, stdin=text)

    def systemctl(self, *argv: str, check: bool = True) -> str:
        return self.run("systemctl", *argv, check=check)

    def unit(self, name: str, *properties: str) -> list[str]:
        return [self.systemctl("show", name, "--value", "--property", each).strip() for each in properties]

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def ask(self, url: str, body: dict | None = None, key: str = "sk-client") -> Answer:
        enter = [program("nsenter", "systemd"), "--target", str(self.leader), "--net", "--"]
        question = json.dumps([url, body and json.dumps(body), key])
        said = subprocess.run([*enter, sys.executable, "-c", ASK], input=question, check=True, **CAPTURED)
        return Answer(*json.loads(said.stdout))

    def processes(self, unit: str) -> list[int]:
        """The unit's processes, by their numbers on this machine."""
        found = [Path(f"/proc/{self.leader}")]
        for process in found:
            for children in process.glob("task/*/children"):
                found += [Path("/proc") / child for child in children.read_text().split()]
        return [int(process.name) for process in found if f"/{unit}" in (process / "cgroup").read_text()]


@contextmanager
def booted(binds: dict[Path, str], log: Path):
    """Boots a container that has the keys of `binds` at the paths of their values, and halts it."""
    # Without an identity systemd takes this for a first boot, and enables all units that are installed.
    identity, hosts = log.with_suffix(".id"), log.with_suffix(".hosts")
    identity.write_text("0123456789abcdef0123456789abcdef\n")
    hosts.write_text("127.0.0.1 localhost\n")
    binds = {identity: "/etc/machine-id", hosts: "/etc/hosts"} | binds
    argv = [program("systemd-nspawn", "systemd"), "--quiet", "--directory=/", "--volatile=yes", "--private-network", "--boot"]
    argv += ["--register=no", "--keep-unit", "--machine=gaud"]
    argv += [f"--bind={path}:{place}" for path, place in binds.items()]
    argv += ["--", "systemd.unit=basic.target"]
    with log.open("wb") as output:
        nspawn = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        guest = Guest(until("the container runs", lambda: leader(nspawn, log), BOOT_LIMIT_SECS))
        until("its systemd runs", guest.has_booted, BOOT_LIMIT_SECS)
        yield guest
    finally:
        nspawn.terminate()  # systemd-nspawn asks the container to halt
        try:
            nspawn.wait(STOP_LIMIT_SECS)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            nspawn.wait()
            raise


def leader(nspawn: subprocess.Popen, log: Path) -> int | None:
    """The container's first process, once that is systemd."""
    assert nspawn.poll() is None, f"systemd-nspawn ended with {nspawn.returncode}\n{log.read_text(errors='replace')}"
    for child in Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
            return int(child)
    return None
