"""The servers of the documents, which all tests share: the stand-in provider, PostgreSQL, Redis and one LiteLLM with both.

LiteLLM with a database takes half a minute of processor time to start.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import openai
import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "sdk"))  # PostgreSQL and LiteLLM as the tests of the SDKs run them
pytest.register_assert_rewrite("kit_py")

import database
import redis_server
from kit_py import gaud
from kit_py.fixtures import folder, stand_in  # noqa: F401
from kit_py.stand_in import KEYS, StandIn
from kit_py.waiting import until
from litellm_server import MASTER_KEY, LiteLlm

ANTHROPIC_KEY = "sk-ant-of-the-documents"


class Site(NamedTuple):
    """LiteLLM, and the providers that LiteLLM asks."""

    litellm: LiteLlm
    stand_in: StandIn
    folder: Path
    redis_port: int

    def gateway(self, name: str, toml: str, secrets: dict[str, str] | None = None, listen: str = gaud.LISTEN):
        """A gateway in front of this LiteLLM, whose URL is `$litellm` in the configuration."""
        toml = toml.replace("$litellm", self.litellm.url).replace("$stand_in", self.stand_in.url)
        return gaud.serving(name, toml, secrets or {}, self.folder, listen)


class Gateway(NamedTuple):
    url: str

    def client(self, key: str = "any", base: str = "/v1", **options) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}{base}", api_key=key, max_retries=0, **options)

    def models(self, base: str = "/v1", key: str = "any") -> set[str]:
        return {model.id for model in self.client(key, base).models.list()}


@pytest.fixture(scope="session")
def site(stand_in, folder) -> Site:
    with ExitStack() as stack:
        port = stack.enter_context(redis_server.running(folder))
        environment = stack.enter_context(database.running(folder)) | providers(stand_in)
        environment |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)}
        litellm = LiteLlm("litellm", stand_in, folder, environment)
        litellm.start(HERE / "litellm.yaml")
        stack.enter_context(litellm.server)
        litellm.wait()
        yield Site(litellm, stand_in, folder, port)


def providers(stand_in: StandIn) -> dict[str, str]:
    """The providers that `litellm.yaml` names."""
    places = {"A": "a/v1", "B": "b/v1", "CLAUDE": "claude", "FAILING": "f/v1", "ECHO": "echo/v1"}
    urls = {f"STAND_IN_{name}": f"{stand_in.url}/{place}" for name, place in places.items()}
    keys = {f"KEY_{name.upper()}": key for name, key in KEYS.items()}
    return urls | keys | {"ANTHROPIC_API_KEY": ANTHROPIC_KEY}


@pytest.fixture(autouse=True)
def nothing_seen(stand_in) -> None:
    stand_in.take()


def wait_for_models(gateway: Gateway, *names: str, base: str = "/v1", key: str = "any") -> set[str]:
    until("the models are listed", lambda: set(names) <= gateway.models(base, key))
    return gateway.models(base, key)
