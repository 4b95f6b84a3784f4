"""The servers of a run: an upstream, one LiteLLM (it takes seconds to start, so all tests share it) and two gateways.

`--direct` sends what would go to the gateway to LiteLLM itself: it tells whose fault a failure is.
"""

import os
import secrets
import signal
import sys
import threading
import urllib.request
from pathlib import Path
from typing import NamedTuple

import openai
import pytest

pytest.register_assert_rewrite("wire")  # before anything imports it

import gateway as gateway_process
from processes import Server, free_port
from recorder import Recorder
from upstream import KEY as UPSTREAM_KEY
from upstream import Upstream
from wire import SECRETS, Wire

HERE = Path(__file__).parent
MASTER_KEY = f"sk-{secrets.token_hex(32)}"  # LiteLLM refuses to start with a short one
CLIENT_KEY = "sk-client-that-litellm-does-not-know"
LITELLM_START_LIMIT_SECS = 120  # 7 s of processor time, beside whatever else the machine does


class Endpoint(NamedTuple):
    """Where a client is pointed at, and the key it is given: all that a user of an SDK changes."""

    url: str
    key: str

    def client(self, key: str | None = None) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key or self.key)


def pytest_addoption(parser):
    parser.addoption("--direct", action="store_true", help="talk to LiteLLM itself, without the gateway")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--direct"):
        return
    for item in items:
        if item.get_closest_marker("gateway"):
            item.add_marker(pytest.mark.skip(reason="--direct"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def upstream() -> Upstream:
    server = Upstream()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def litellm(upstream, folder) -> Endpoint:
    port = free_port()
    endpoint = Endpoint(f"http://127.0.0.1:{port}", MASTER_KEY)
    with litellm_server("litellm", port, upstream, folder) as server:
        # Asked with the key of this run: whatever else may have taken the port in the meantime does not know it.
        server.wait_until(lambda: answers(endpoint), LITELLM_START_LIMIT_SECS)
        yield endpoint


def litellm_server(
    name: str,
    port: int,
    upstream: Upstream,
    folder: Path,
    config: Path = HERE / "litellm.yaml",
    database: dict[str, str] | None = None,
) -> Server:
    program = Path(sys.executable).parent / "litellm"
    argv = [program, "--config", config, "--host", "127.0.0.1", "--port", port, "--num_workers", 1]
    environment = litellm_environment(upstream) | (database or {})
    return Server(name, [str(arg) for arg in argv], environment, folder, end_with=signal.SIGTERM)


def litellm_environment(upstream: Upstream) -> dict[str, str]:
    return os.environ | {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no download at start
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "UPSTREAM_URL": f"{upstream.url}/v1",
        "UPSTREAM_KEY": UPSTREAM_KEY,
    }


def answers(endpoint: Endpoint) -> bool:
    request = urllib.request.Request(f"{endpoint.url}/v1/models", headers={"authorization": f"Bearer {endpoint.key}"})
    try:
        return urllib.request.urlopen(request, timeout=5).status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def gateway(litellm, upstream, folder) -> Endpoint:
    """Holds LiteLLM's key, so that its clients' keys need not be LiteLLM's."""
    yield from run_gateway("default", litellm, upstream, folder, CLIENT_KEY)


@pytest.fixture(scope="session")
def strict(litellm, upstream, folder) -> Endpoint:
    """Has no default provider, and passes its clients' keys on."""
    yield from run_gateway("strict", litellm, upstream, folder, MASTER_KEY)


def run_gateway(name: str, litellm: Endpoint, upstream: Upstream, folder: Path, key: str):
    values = {"litellm": litellm.url, "upstream": upstream.url}
    with gateway_process.running(name, values, {"LITELLM_MASTER_KEY": MASTER_KEY}, folder) as address:
        yield Endpoint(address, key)


@pytest.fixture(scope="session")
def endpoint(request) -> Endpoint:
    """What is under test: the gateway, or with --direct LiteLLM itself."""
    return request.getfixturevalue("litellm" if request.config.getoption("--direct") else "gateway")


@pytest.fixture(scope="session")
def client(endpoint) -> openai.OpenAI:
    return endpoint.client()


@pytest.fixture(scope="session")
def recorder() -> Recorder:
    server = Recorder()
    yield server
    server.close()


@pytest.fixture(scope="session")
def endpoints(recorder, folder) -> str:
    """The address of a gateway whose providers keep what they receive."""
    with gateway_process.running("endpoints", {"recorder": recorder.url}, SECRETS, folder) as address:
        yield address


@pytest.fixture
def wire(endpoints, recorder) -> Wire:
    return Wire(endpoints, recorder)
