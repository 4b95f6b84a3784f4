"""The servers of a run: the stand-in provider, one LiteLLM, and the gateways that several files of tests share.

LiteLLM takes seconds of processor time to start, and with a database even more. Both start while the tests run that
need neither: those tests come first.
`--direct` sends to LiteLLM itself what would go to the gateway, which tells whose fault a failure is.
"""

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import openai
import pytest

pytest.register_assert_rewrite("wire", "kit_py")  # before the first import of them

import database
from kit_py import gaud
from kit_py.fixtures import folder, stand_in  # noqa: F401
from kit_py.stand_in import StandIn
from litellm_server import MASTER_KEY, LiteLlm, without_prisma
from wire import SECRETS, Wire

HERE = Path(__file__).parent
CONFIGS = HERE / "configs"
CLIENT_KEY = "sk-client-that-litellm-does-not-know"
# The fixtures of a test say what must have started.
NEED_LITELLM = {"litellm", "endpoint"}
NEED_DATABASE = {"litellm_with_database"}


class Endpoint(NamedTuple):
    """The address of a client and its key: all that a user of an SDK changes."""

    url: str
    key: str

    def client(self, key: str | None = None) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key or self.key)


def pytest_addoption(parser):
    parser.addoption("--direct", action="store_true", help="talk to LiteLLM itself, without the gateway")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: (needs(item, NEED_DATABASE), needs(item, NEED_LITELLM)))
    if config.getoption("--direct"):
        for item in items:
            if item.get_closest_marker("gateway"):
                item.add_marker(pytest.mark.skip(reason="--direct"))


def needs(item, fixtures: set[str]) -> bool:
    return not fixtures.isdisjoint(item.fixturenames)


def is_needed(request, fixtures: set[str]) -> bool:
    """Whether a test of this run, which is not skipped, needs one of these fixtures."""
    return any(needs(item, fixtures) and not item.get_closest_marker("skip") for item in request.session.items)


@pytest.fixture(scope="session", autouse=True)
def starting_litellm(request, stand_in, folder) -> LiteLlm | None:
    if not is_needed(request, NEED_LITELLM):
        yield None
        return
    litellm = LiteLlm("litellm", stand_in, folder, without_prisma(folder))
    litellm.start()
    yield litellm
    litellm.server.stop()


@pytest.fixture(scope="session", autouse=True)
def starting_litellm_with_database(request, starting_litellm, stand_in, folder) -> Future | None:
    if not is_needed(request, NEED_DATABASE):
        yield None
        return

    def start() -> LiteLlm:
        if starting_litellm:
            starting_litellm.wait()  # more tests need it
        return stack.enter_context(run_litellm_with_database(stand_in, folder)).wait()

    with ExitStack() as stack, ThreadPoolExecutor() as threads:
        yield threads.submit(start)


@contextmanager
def run_litellm_with_database(stand_in: StandIn, folder: Path) -> Iterator[LiteLlm]:
    with database.running(folder) as environment:
        litellm = LiteLlm("litellm-database", stand_in, folder, environment)
        litellm.start()
        with litellm.server:
            yield litellm


@pytest.fixture(scope="session")
def litellm(starting_litellm) -> LiteLlm:
    return starting_litellm.wait()


@pytest.fixture(scope="session")
def litellm_with_database(starting_litellm_with_database) -> LiteLlm:
    return starting_litellm_with_database.result()


@pytest.fixture(scope="session")
def gateway(litellm, stand_in, folder) -> Endpoint:
    """A gateway with LiteLLM's key, so that the keys of its clients need not be LiteLLM's."""
    yield from run_gateway("litellm", litellm, stand_in, folder, CLIENT_KEY)


@pytest.fixture(scope="session")
def strict(litellm, stand_in, folder) -> Endpoint:
    """A gateway without a default provider, which passes the keys of its clients on."""
    yield from run_gateway("strict", litellm, stand_in, folder, MASTER_KEY)


def run_gateway(name: str, litellm: LiteLlm, stand_in: StandIn, folder: Path, key: str):
    values = {"litellm": litellm.url, "stand_in": stand_in.url}
    with gaud.running(CONFIGS / f"{name}.toml", values, {"LITELLM_MASTER_KEY": MASTER_KEY}, folder) as address:
        yield Endpoint(address, key)


@pytest.fixture(scope="session")
def endpoint(request) -> Endpoint | LiteLlm:
    """The server under test: the gateway, or LiteLLM itself with --direct."""
    return request.getfixturevalue("litellm" if request.config.getoption("--direct") else "gateway")


@pytest.fixture(scope="session")
def client(endpoint) -> openai.OpenAI:
    return endpoint.client()


@pytest.fixture(scope="session")
def endpoints(stand_in, folder) -> str:
    """The address of a gateway with a provider of each kind, all of them the stand-in."""
    with gaud.running(CONFIGS / "endpoints.toml", {"stand_in": stand_in.url}, SECRETS, folder) as address:
        yield address


@pytest.fixture
def wire(endpoints, stand_in) -> Wire:
    return Wire(endpoints, stand_in)


@pytest.fixture(scope="session")
def packages() -> None:
    """Installs what package-lock.json names, unless that has been done since the file changed."""
    installed, wanted = HERE / "node_modules/.package-lock.json", HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=HERE, check=True)
