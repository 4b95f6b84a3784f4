"""The deployment of `envoy/compose/` as a user starts it: `docker compose up -d --wait`, with the `.env` of this run."""

import json
import re
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kit_py.gaud import ROOT
from kit_py.processes import free_port

FOLDER = ROOT / "envoy/compose"
LIMIT_SECS = 1500  # the image is built, with every crate in it
STOP_LIMIT_SECS = 120
COMMAND_LIMIT_SECS = 180


def argv(env_file: Path, *words: str) -> list[str]:
    return ["docker", "compose", "--env-file", str(env_file), "--file", str(FOLDER / "compose.yaml"), *words]


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Without the variables of `.env`: those of the environment would take precedence."""
    names = re.findall(r"^(\w+)=", (FOLDER / ".env.example").read_text(), re.MULTILINE)
    return {name: value for name, value in base.items() if name not in names}


class Stack:
    def __init__(self, engine: dict[str, str], folder: Path):
        self.engine = environment(engine)
        self.project = f"gaud-{secrets.token_hex(4)}"
        self.port = free_port()
        self.prometheus_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.master_key = f"sk-{secrets.token_hex(32)}"
        self.secrets = {
            "LITELLM_MASTER_KEY": self.master_key,
            "LITELLM_SALT_KEY": f"sk-{secrets.token_hex(32)}",
            "POSTGRES_PASSWORD": secrets.token_hex(32),
            "OPENAI_API_KEY": f"sk-{secrets.token_hex(32)}",
            "ANTHROPIC_API_KEY": f"sk-{secrets.token_hex(32)}",
        }
        self.env_file = folder / ".env"
        values = self.secrets | {"COMPOSE_PROJECT_NAME": self.project, "GAUD_PORT": str(self.port)}
        values["PROMETHEUS_PORT"] = str(self.prometheus_port)
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    def compose(self, *words: str, limit_secs: float = COMMAND_LIMIT_SECS) -> str:
        return self.run(argv(self.env_file, *words), limit_secs)

    def docker(self, *words: str) -> str:
        return self.run(["docker", *words], COMMAND_LIMIT_SECS)

    def run(self, command: list[str], limit_secs: float) -> str:
        done = subprocess.run(command, env=self.engine, capture_output=True, text=True, timeout=limit_secs)
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
        return done.stdout

    def inspect(self, service: str) -> dict:
        (id,) = self.compose("ps", "--all", "--quiet", service).split()
        (container,) = json.loads(self.docker("inspect", id))
        return container

    def services(self) -> list[str]:
        return self.compose("config", "--services").split()

    def is_healthy(self, service: str) -> bool:
        return self.inspect(service)["State"]["Health"]["Status"] == "healthy"

    def manage(self, path: str, body: dict) -> dict:
        """LiteLLM's own API, through the gateway, as its administrator."""
        headers = {"authorization": f"Bearer {self.master_key}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def new_key(self, *models: str) -> str:
        return self.manage("/key/generate", {"models": list(models)})["key"]

    def metric(self, query: str) -> float | None:
        """Prometheus' answer to a query with one result or none. Its port is not published, so the query runs in the container."""
        ask = ["promtool", "query", "instant", "--format", "json", "http://localhost:9090", query]
        results = json.loads(self.compose("exec", "-T", "prometheus", *ask))
        assert len(results) < 2, results
        return float(results[0]["value"][1]) if results else None


@contextmanager
def running(engine: dict[str, str], folder: Path) -> Iterator[Stack]:
    stack = Stack(engine, folder)
    try:
        start(stack)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "10", limit_secs=STOP_LIMIT_SECS)


def start(stack: Stack) -> None:
    try:
        stack.compose("up", "--build", "--detach", "--wait", limit_secs=LIMIT_SECS)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n{stack.compose('logs', '--tail', '40')}") from None
