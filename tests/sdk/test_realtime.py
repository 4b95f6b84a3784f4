"""OpenAI's SDK for Python over a WebSocket: the model is in the query."""

import json

import openai
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from calls import MODEL
from wire import CLIENT_KEY, CREDENTIAL

pytestmark = pytest.mark.gateway
PATH = "/v1/realtime?model="
LIMIT_SECS = 10


@pytest.fixture
def client(wire) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{wire.url}/v1", api_key=CLIENT_KEY)


def converse(connection) -> list[str]:
    """A question and its answer: the types of all events up to the last, and for a delta its text."""
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
    seen = wire.stand_in.one()
    assert seen.path == f"/{provider}{PATH}rec-large"
    assert [message["type"] for message in seen.messages] == ["session.update", "response.create"]
    assert seen.credentials == CREDENTIAL[provider]
    assert not seen.contains(CLIENT_KEY)


def test_responses_over_a_websocket(client, wire):
    with client.responses.connect(extra_query={"model": MODEL}) as connection:
        connection.response.create(model="rec-large", input="Hi")
        assert next(event.delta for event in connection if event.type == "response.output_text.delta") == "Hello."
    seen = wire.stand_in.one()
    assert seen.path == "/named/v1/responses?model=rec-large"
    assert seen.credentials == CREDENTIAL["named"]


def test_responses_over_a_websocket_without_a_model_are_refused(client, wire):
    with pytest.raises(InvalidStatus, match="426"), client.responses.connect():
        pass
    assert not wire.stand_in.take()


def browser(url: str, model: str):
    """Connects as a browser does: a browser cannot set a header, so the key is one of the subprotocols."""
    offered = ["realtime", f"openai-insecure-api-key.{CLIENT_KEY}", "openai-beta.realtime-v1"]
    return connect(f"{url.replace('http', 'ws', 1)}{PATH}{model}", subprotocols=offered, open_timeout=LIMIT_SECS)


def test_a_browser_s_key_does_not_reach_a_provider_with_a_key(wire):
    with browser(wire.url, MODEL) as socket:
        assert json.loads(socket.recv(LIMIT_SECS))["session"]["model"] == "rec-large"
        assert socket.subprotocol == "realtime"
    seen = wire.stand_in.one()
    assert seen.path == f"/named{PATH}rec-large"
    offered = [name.strip() for name in seen.header("sec-websocket-protocol").split(",")]
    assert offered == ["realtime", "openai-beta.realtime-v1"]
    assert seen.credentials == CREDENTIAL["named"]
    assert not seen.contains(CLIENT_KEY)


def test_a_browser_s_key_reaches_a_provider_without_a_key(wire):
    with browser(wire.url, "open:rec-large") as socket:
        assert json.loads(socket.recv(LIMIT_SECS))["type"] == "session.created"
    seen = wire.stand_in.one()
    assert seen.path == f"/open{PATH}rec-large"
    assert seen.contains(f"openai-insecure-api-key.{CLIENT_KEY}")
    assert seen.credentials == {}
