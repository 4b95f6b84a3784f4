"""The gateway as a user starts it: `gaud run --config FILE`."""

import os
import re
import signal
import string
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import envoy

from kit_py.processes import Server

ROOT = Path(__file__).parents[2]
START_LIMIT_SECS = 60
# The control servers' data: not in the home of who runs the tests.
STATE = tempfile.TemporaryDirectory(prefix="gaud-state-")
# Comes before every configuration of a test.
LISTEN = """\
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
workers = 2
"""


@contextmanager
def running(config: Path, values: dict[str, str], secrets: dict[str, str], folder: Path) -> Iterator[str]:
    """Runs a gateway with a configuration file in which `$name` means a value; gives its address."""
    toml = string.Template(config.read_text()).substitute(values)
    with serving(config.stem, toml, secrets, folder) as address:
        yield address


@contextmanager
def serving(name: str, toml: str, secrets: dict[str, str], folder: Path, listen: str = LISTEN) -> Iterator[str]:
    """Runs a gateway with this configuration and gives its address."""
    config = folder / f"{name}.toml"
    config.write_text(listen + toml)
    argv = [str(binary()), "run", "--config", str(config)]
    with Server(f"gaud-{name}", argv, environment(secrets), folder, end_with=signal.SIGINT) as server:
        yield server.wait_until(lambda: printed_address(server.stdout), START_LIMIT_SECS)


def binary() -> Path:
    """$GAUD_BIN, or the newest build of either profile: an older one is not under test."""
    if named := os.environ.get("GAUD_BIN"):
        return Path(named).resolve()
    builds = [build for build in ROOT.glob("target/*/gaud") if build.is_file()]
    if not builds:
        raise FileNotFoundError("no target/*/gaud: run `cargo build`, or set GAUD_BIN")
    return max(builds, key=lambda build: build.stat().st_mtime)


def environment(secrets: dict[str, str]) -> dict[str, str]:
    """The environment of the tests without the variables that would change a gateway's configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GAUD_", "LITELLM_"))}
    wasm = os.environ.get("GAUD_WASM", ROOT / "target/wasm32-wasip1/release/gaud.wasm")
    path = os.environ.get("ENVOY_PATH", Path(envoy.__file__).parent / "_bin/envoy")
    # A folder for each gateway: one process uses a folder.
    own = {"XDG_STATE_HOME": tempfile.mkdtemp(dir=STATE.name)}
    return kept | own | {"GAUD_WASM": str(Path(wasm).resolve()), "ENVOY_PATH": str(path)} | secrets


def printed_address(stdout: Path) -> str | None:
    found = re.search(r"https?://127\.0\.0\.1:\d+", stdout.read_text(errors="replace"))
    return found and found.group()
