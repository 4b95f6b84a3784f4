"""The real LiteLLM, which costs seconds of processor time at each start."""

import os
import secrets
import signal
import sys
import urllib.request
from pathlib import Path

import openai

from kit_py.processes import Server, free_port
from kit_py.stand_in import ECHO_KEY, StandIn

CONFIG = Path(__file__).parent / "configs/litellm.yaml"
MASTER_KEY = f"sk-{secrets.token_hex(32)}"  # LiteLLM refuses to start with a short key
START_LIMIT_SECS = 120  # on a machine with much else to do


class LiteLlm:
    """A LiteLLM at one address, at which it can be killed and started again."""

    key = MASTER_KEY

    def __init__(self, name: str, stand_in: StandIn, folder: Path, environment: dict[str, str]):
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | settings(stand_in) | environment
        self.server: Server | None = None

    def start(self, config: Path = CONFIG) -> None:
        """Does not wait until LiteLLM serves: tests can run meanwhile."""
        program = Path(sys.executable).parent / "litellm"
        argv = [program, "--config", config, "--host", "127.0.0.1", "--port", self.port, "--num_workers", 1]
        words = [str(word) for word in argv]
        self.server = Server(self.name, words, self.environment, self.folder, end_with=signal.SIGTERM)

    def wait(self) -> "LiteLlm":
        self.server.wait_until(self.answers, START_LIMIT_SECS)
        return self

    def answers(self) -> bool:
        """Asks with the key of this run: another server that has taken the port does not know the key."""
        request = urllib.request.Request(f"{self.url}/v1/models", headers={"authorization": f"Bearer {self.key}"})
        try:
            return urllib.request.urlopen(request, timeout=5).status == 200
        except OSError:
            return False

    def models(self) -> list[str]:
        return [model.id for model in self.client().models.list()]

    def client(self, key: str | None = None) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key or self.key)


def settings(stand_in: StandIn) -> dict[str, str]:
    return {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no download at the start
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "UPSTREAM_URL": f"{stand_in.url}/echo/v1",
        "UPSTREAM_KEY": ECHO_KEY,
    }


def without_prisma(folder: Path) -> dict[str, str]:
    """The environment of a LiteLLM as `pip install 'litellm[proxy]'` leaves it: without the package for its database.

    That package alone is a third of the time that a start takes.
    """
    packages = folder / "without-prisma"
    packages.mkdir()
    (packages / "prisma.py").write_text("raise ModuleNotFoundError(__name__)\n")
    return {"PYTHONPATH": str(packages)}
