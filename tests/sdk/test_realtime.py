"""OpenAI's SDK for Python over a WebSocket: the model stands in the query."""

import json

import openai
import pytest
from websockets.sync.client import connect

from calls import MODEL
from wire import CLIENT_KEY, CREDENTIAL

pytestmark = pytest.mark.gateway
PLACE = "/v1/realtime?model="
LIMIT_SECS = 10


@pytest.fixture
def client(wire) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{wire.url}/v1", api_key=CLIENT_KEY)


def converse(connection) -> list[str]:
    """A question and its answer: the types of all events up to the last, the words of the answer among them."""
    connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
    connection.response.create()
    kinds = []
    for event in connection:
        kinds.append(event.delta if event.type.endswith(".delta") else event.type)
        if event.type == "response.done":
            return kinds
    raise AssertionError(f"the connection ended after {kinds}")


@pytest.mark.parametrize(("model", "provider"), [(MODEL, "named"), ("rec-large", "plain")])
def test_a_conversation(client, wire, model, provider):
    with client.realtime.connect(model=model) as connection:
        assert converse(connection) == ["session.created", "Hello.", "response.done"]
    seen = wire.recorder.one()
    assert seen.path == f"/{provider}{PLACE}rec-large"
    assert [message["type"] for message in seen.messages] == ["session.update", "response.create"]
    assert seen.credentials == CREDENTIAL[provider]
    assert not seen.holds(CLIENT_KEY)


def test_responses_over_a_websocket(client, wire):
    """Names no model before the connection stands: the default provider has it."""
    with client.responses.connect() as connection:
        connection.response.create(model="rec-large", input="Hi")
        assert next(event.delta for event in connection if event.type == "response.output_text.delta") == "Hello."
    seen = wire.recorder.one()
    assert seen.path == "/plain/v1/responses"
    assert seen.credentials == CREDENTIAL["plain"]


def browser(url: str, model: str):
    """As a browser connects: it can set no header, so its key stands among the subprotocols."""
    offered = ["realtime", f"openai-insecure-api-key.{CLIENT_KEY}", "openai-beta.realtime-v1"]
    return connect(f"{url.replace('http', 'ws', 1)}{PLACE}{model}", subprotocols=offered, open_timeout=LIMIT_SECS)


def test_a_browser_s_key_does_not_reach_a_provider_that_has_one(wire):
    with browser(wire.url, MODEL) as socket:
        assert json.loads(socket.recv(LIMIT_SECS))["session"]["model"] == "rec-large"
        assert socket.subprotocol == "realtime"
    seen = wire.recorder.one()
    assert seen.path == f"/named{PLACE}rec-large"
    offered = [name.strip() for name in seen.header("sec-websocket-protocol").split(",")]
    assert offered == ["realtime", "openai-beta.realtime-v1"]
    assert seen.credentials == CREDENTIAL["named"]
    assert not seen.holds(CLIENT_KEY)


def test_a_browser_s_key_reaches_a_provider_that_has_none(wire):
    with browser(wire.url, "open:rec-large") as socket:
        assert json.loads(socket.recv(LIMIT_SECS))["type"] == "session.created"
    seen = wire.recorder.one()
    assert seen.path == f"/open{PLACE}rec-large"
    assert seen.holds(f"openai-insecure-api-key.{CLIENT_KEY}")
    assert seen.credentials == {}
