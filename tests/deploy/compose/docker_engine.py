"""A Docker engine for the tests alone, inside `isolated.sh`: outside nothing of it is visible, and nothing outlives it.

Its images stay in $GAUD_ENGINE, as other tools of the tests do; containers, networks and volumes do not.
"""

import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit_py.processes import Server

HERE = Path(__file__).parent
START_LIMIT_SECS = 60
IMAGES_LIMIT_SECS = 1500
NOT_KEPT = ("containers", "network", "volumes")


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Gives the environment in which `docker` uses this engine. One engine runs at a time."""
    data = Path(os.environ["GAUD_ENGINE"])
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the process ends, in whatever way
        remove_leftovers(data)
        yield from started(folder, data)
        remove_leftovers(data)


def started(folder: Path, data: Path) -> Iterator[dict[str, str]]:
    socket = folder / "docker.sock"
    environment = os.environ | {"DOCKER_HOST": f"unix://{socket}"}
    config = folder / "daemon.json"
    config.write_text(json.dumps(settings(folder, data)))
    argv = ["dockerd", "--config-file", str(config), "--host", f"unix://{socket}"]
    with Server("dockerd", argv, dict(os.environ), folder, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: answers(environment), START_LIMIT_SECS)
        subprocess.run([HERE / "images.sh"], env=environment, check=True, timeout=IMAGES_LIMIT_SECS)
        yield environment


def settings(folder: Path, data: Path) -> dict:
    # A container gets no more open files than this machine allows.
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return {
        "data-root": str(data),
        "exec-root": str(folder / "exec"),
        "pidfile": str(folder / "docker.pid"),
        "cgroup-parent": os.environ["GAUD_CGROUP"],
        "default-ulimits": {"nofile": {"Name": "nofile", "Soft": files, "Hard": files}},
    }


def remove_leftovers(data: Path) -> None:
    """Removes what a killed run has left."""
    for name in NOT_KEPT:
        shutil.rmtree(data / name, ignore_errors=True)


def answers(environment: dict[str, str]) -> bool:
    return subprocess.run(["docker", "info"], env=environment, capture_output=True).returncode == 0
