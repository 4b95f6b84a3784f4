"""Starting and ending the servers of a test run."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

STOP_LIMIT_SECS = 15


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A child process for the length of a `with`. Its output goes to files: a full pipe would stop it."""

    def __init__(self, name: str, argv: list[str], env: dict[str, str], logs: Path, end_with: signal.Signals):
        self.name = name
        self.end_with = end_with
        self.stdout = logs / f"{name}.out"
        self.stderr = logs / f"{name}.err"
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            # Its own session: Ctrl-C reaches the tests alone, and they end their servers in order.
            self.process = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended by itself with {self.process.returncode}\n{self.logs()}")
        self.process.send_signal(self.end_with)
        try:
            self.process.wait(STOP_LIMIT_SECS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise RuntimeError(f"{self.name} outlived {self.end_with.name}\n{self.logs()}") from None

    def wait_until(self, condition, limit_secs: float):
        """The first true value of `condition`. A server that ends before it, or takes too long, fails with its logs."""
        deadline = time.monotonic() + limit_secs
        while not (value := condition()):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start")  # leaving the `with` adds the logs
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} was not ready after {limit_secs} s\n{self.logs()}")
            time.sleep(0.05)
        return value

    def logs(self, last: int = 4000) -> str:
        texts = ((path.name, path.read_text(errors="replace")) for path in (self.stdout, self.stderr))
        return "\n".join(f"--- {name}\n{text[-last:]}" for name, text in texts)
