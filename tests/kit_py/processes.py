"""Starting and ending the servers of a test run."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from kit_py.waiting import until

# A shell lets its background jobs ignore SIGINT, and a child inherits that, but inherits no handler.
signal.signal(signal.SIGINT, signal.default_int_handler)

STOP_LIMIT_SECS = 15
# Debian keeps servers in folders that a user's PATH may lack.
SERVER_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def program(name: str, verb: str) -> str:
    """The path of an installed program; `verb` is the `make` verb that installs it."""
    if found := shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SERVER_FOLDERS}"):
        return found
    raise FileNotFoundError(f"{name} is not installed: `make {verb}` installs it")


class Server:
    """A child process for the length of a `with`. Its output goes to files: a full pipe would block it."""

    def __init__(self, name: str, argv: list[str], env: dict[str, str], logs: Path, end_with: signal.Signals):
        self.name = name
        self.end_with = end_with
        self.stdout = logs / f"{name}.out"
        self.stderr = logs / f"{name}.err"
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            # In a session of its own, so that Ctrl-C reaches the tests alone, and they end their servers in order.
            self.process = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> None:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} exited early with {self.process.returncode}\n{self.logs()}")
        self.process.send_signal(self.end_with)
        try:
            self.process.wait(STOP_LIMIT_SECS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.name} did not exit after {self.end_with.name}\n{self.logs()}") from None

    def kill(self) -> None:
        """Kills the process and all that it has started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait_until(self, condition, limit_secs: float):
        """The first true value of `condition`. A server that exits first, or takes too long, fails with its logs."""

        def value_or_exit():
            value = condition()
            if not value and self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: it exited with {self.process.returncode}\n{self.logs()}")
            return value

        try:
            return until(f"{self.name} is ready", value_or_exit, limit_secs)
        except TimeoutError as late:
            raise TimeoutError(f"{late}\n{self.logs()}") from None

    def logs(self, last: int = 4000) -> str:
        texts = ((path.name, path.read_text(errors="replace")) for path in (self.stdout, self.stderr))
        return "\n".join(f"--- {name}\n{text[-last:]}" for name, text in texts)
