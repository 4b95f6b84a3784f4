"""A systemd of its own: a container with this machine's /usr, nothing else of it, and no network but its loopback.

The units under `envoy/systemd` run in it as they are, under their own names, paths and ports.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

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
    """An HTTP answer; its status is 0 where there was none."""

    status: int
    text: str


class Guest:
    def __init__(self, leader: int):
        self.leader = leader

    def run(self, *argv: str, check: bool = True, stdin: str = "") -> str:
        """Runs a command in the container; its output."""
        enter = [program("nsenter"), "--target", str(self.leader), "--all", "--wd=/", "--"]
        environment = {"PATH": "/usr/sbin:/usr/bin"}
        done = subprocess.run([*enter, *argv], input=stdin, env=environment, **CAPTURED)
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def write(self, path: str, text: str):
        """Writes a file; one that is there keeps its mode."""
        self.run("tee", path, stdin=text)

    def systemctl(self, *argv: str, check: bool = True) -> str:
        return self.run("systemctl", *argv, check=check)

    def unit(self, name: str, *properties: str) -> list[str]:
        return [self.systemctl("show", name, "--value", "--property", each).strip() for each in properties]

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def ask(self, url: str, body: dict | None = None, key: str = "sk-client") -> Answer:
        enter = [program("nsenter"), "--target", str(self.leader), "--net", "--"]
        question = json.dumps([url, body and json.dumps(body), key])
        said = subprocess.run([*enter, sys.executable, "-c", ASK], input=question, check=True, **CAPTURED)
        return Answer(*json.loads(said.stdout))

    def processes(self, unit: str) -> list[int]:
        """The unit's processes, by their numbers on this machine."""
        own = str(self.leader)
        found = [Path(f"/proc/{own}")]
        for process in found:
            for children in process.glob("task/*/children"):
                found += [Path("/proc") / child for child in children.read_text().split()]
        return [int(process.name) for process in found if f"/{unit}" in (process / "cgroup").read_text()]


def until(what: str, condition, limit_secs: float = COMMAND_LIMIT_SECS):
    """The first true value of `condition`."""
    deadline = time.monotonic() + limit_secs
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {limit_secs} s for {what}"
        time.sleep(0.05)
    return value


@contextmanager
def booted(binds: dict[Path, str], log: Path):
    """Boots a container with the paths of `binds` where they say, and halts it."""
    # With an identity it is no machine that boots for the first time and turns on whatever is installed.
    identity, hosts = log.with_suffix(".id"), log.with_suffix(".hosts")
    identity.write_text("0123456789abcdef0123456789abcdef\n")
    hosts.write_text("127.0.0.1 localhost\n")
    binds = {identity: "/etc/machine-id", hosts: "/etc/hosts"} | binds
    argv = [program("systemd-nspawn"), "--quiet", "--directory=/", "--volatile=yes", "--private-network", "--boot"]
    argv += ["--register=no", "--keep-unit", "--machine=gaud"]
    argv += [f"--bind={path}:{place}" for path, place in binds.items()]
    argv += ["--", "systemd.unit=basic.target"]
    with log.open("wb") as output:
        nspawn = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        guest = Guest(until("the container", lambda: leader(nspawn, log), BOOT_LIMIT_SECS))
        state = ["systemctl", "is-system-running"]
        until("its systemd", lambda: guest.run(*state, check=False).strip() in ("running", "degraded"), BOOT_LIMIT_SECS)
        yield guest
    finally:
        nspawn.terminate()  # it asks the container to halt
        try:
            nspawn.wait(STOP_LIMIT_SECS)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            nspawn.wait()
            raise


def leader(nspawn: subprocess.Popen, log: Path) -> int | None:
    """The container's first process, once it is systemd."""
    assert nspawn.poll() is None, f"systemd-nspawn ended with {nspawn.returncode}\n{log.read_text(errors='replace')}"
    for child in Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
            return int(child)
    return None


def program(name: str) -> str:
    if found := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
        return found
    raise FileNotFoundError(f"{name} is not installed: `make systemd` installs it")
