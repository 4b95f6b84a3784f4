"""The blocks of README.md and of the pages by task do what the pages say, from top to bottom.

A `toml` block becomes `gaud.toml`. A `sh` block runs in bash and keeps its variables; `gaud run` or `make run` on its last line starts
the gateway. A `text` block is in the output of the block before. `python` and `js` blocks run as they are. Ports are free
ones, and the providers are the stand-in upstream.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from kit_py import gaud
from kit_py.processes import Server, free_port

PAGES = [gaud.ROOT / "README.md", *sorted((gaud.ROOT / "docs/tasks").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STARTS = ("gaud run", "make run")
BLOCK_LIMIT_SECS = 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, tmp_path, packages):
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        done = [reader.do(kind, block) for kind, block in BLOCK.findall(page.read_text())]
    assert any(done), f"{page.name} has no block that runs"


class Reader:
    """Somebody who follows a page in an empty folder."""

    def __init__(self, folder: Path, stack: ExitStack):
        self.folder, self.stack = folder, stack
        self.said, self.gateway = "", None
        self.env = gaud.environment({"HOME": str(folder)})
        self.env["PATH"] = f"{gaud.binary().parent}:{Path(sys.executable).parent}:{self.env['PATH']}"
        self.ports = {"8400": str(free_port()), "9901": str(free_port())}
        self.provider = f"http://{self.upstream()}"

    def upstream(self) -> str:
        argv = [str(gaud.binary()), "upstream", "--listen", "127.0.0.1:0"]
        server = self.stack.enter_context(Server("upstream", argv, self.env, self.folder, signal.SIGINT))
        address = server.wait_until(lambda: re.search(r"127\.0\.0\.1:\d+", server.logs()), BLOCK_LIMIT_SECS)
        return address.group()

    def do(self, kind: str, block: str) -> bool:
        """Does what a block says; whether the block is one that runs."""
        match kind:
            case "toml":
                self.configure(block)
            case "sh":
                self.run(block)
            case "python":
                self.execute([sys.executable, "-c", self.local(block)])
            case "js":
                self.execute(["node", "--input-type=module", "-e", self.local(block)], gaud.ROOT / "tests/sdk")
            case "text":
                assert block.strip() in self.said, self.said
            case _:
                return False
        return kind != "text"

    def configure(self, toml: str) -> None:
        listen = f'listen = "127.0.0.1:{self.ports["8400"]}"\nadmin_listen = "127.0.0.1:{self.ports["9901"]}"\n'
        toml = re.sub(r'"https?://(localhost:4000|[a-z.]+\.com)', f'"{self.provider}', toml)
        (self.folder / "gaud.toml").write_text(listen + toml)

    def run(self, block: str) -> None:
        *lines, last = block.strip().splitlines()
        if last in STARTS:
            self.bash("\n".join(lines))
            self.start()
        else:
            self.bash(block)

    def bash(self, script: str) -> None:
        """Runs a script. Its variables are there for the next block."""
        kept = self.folder / "variables"
        self.execute(["bash", "-euo", "pipefail", "-c", f"{self.local(script)}\nenv -0 > {kept}"])
        self.env = dict(pair.split("=", 1) for pair in kept.read_text().split("\0") if pair)

    def execute(self, argv: list[str], folder: Path | None = None) -> None:
        options = {"cwd": folder or self.folder, "env": self.env, "timeout": BLOCK_LIMIT_SECS}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
        assert done.returncode == 0, f"{argv[-1]}\n{done.stdout}{done.stderr}{self.gateway.logs() if self.gateway else ''}"
        self.said = done.stdout

    def start(self) -> None:
        if not (self.folder / "gaud.toml").exists():
            self.configure(f'[providers.litellm]\nurl = "{self.provider}"\n')
        argv = ["sh", "-c", 'cd "$0" && exec gaud run', str(self.folder)]
        self.gateway = self.stack.enter_context(Server("gaud", argv, self.env, self.folder, signal.SIGINT))
        self.gateway.wait_until(lambda: gaud.printed_address(self.gateway.stdout), gaud.START_LIMIT_SECS)

    def local(self, block: str) -> str:
        for port, free in self.ports.items():
            block = block.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
        return block


def test_every_page_by_task_is_in_the_readme():
    readme = (gaud.ROOT / "README.md").read_text()
    tasks = {os.path.relpath(page, gaud.ROOT) for page in PAGES[1:]}
    assert tasks - set(re.findall(r"\]\((docs/tasks/[^)]*)\)", readme)) == set()
