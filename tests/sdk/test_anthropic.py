"""Anthropic's SDK for Python: what the provider receives, what the SDK receives, and the gateway's own errors."""

import anthropic
import pytest

from kit_py.answers import TEXT, WORDS
from wire import CLIENT_KEY, EXTRA, Wire

pytestmark = pytest.mark.gateway
NAMES = [("claude-sonnet-4", ""), ("claude:claude-sonnet-4", "claude:")]


@pytest.fixture
def client(wire) -> anthropic.Anthropic:
    http = anthropic.DefaultHttpxClient(**wire.http)
    return anthropic.Anthropic(base_url=wire.url, api_key=CLIENT_KEY, http_client=http, max_retries=0)


def ask(model: str) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": "Grüße 🦀"}]}


def arrived(wire: Wire, namespace: str, path: str):
    seen = wire.arrived("claude", namespace)
    assert seen.path == f"/claude{path}"
    assert seen.json["model"] == "claude-sonnet-4"
    assert [value for name, value in seen.headers if name == "anthropic-version"] == ["2023-06-01"]
    assert seen.header("x-extra") == EXTRA


@pytest.mark.parametrize(("model", "namespace"), NAMES)
def test_a_message(client, wire, model, namespace):
    message = client.messages.create(**ask(model), max_tokens=9)
    assert message.content[0].text == TEXT
    arrived(wire, namespace, "/v1/messages")


@pytest.mark.parametrize(("model", "namespace"), NAMES)
def test_a_stream(client, wire, model, namespace):
    with client.messages.stream(**ask(model), max_tokens=9) as stream:
        assert list(stream.text_stream) == WORDS
        assert stream.get_final_message().stop_reason == "end_turn"
    arrived(wire, namespace, "/v1/messages")


def test_tokens_are_counted(client, wire):
    assert client.messages.count_tokens(**ask("claude:claude-sonnet-4")).input_tokens == 3
    arrived(wire, "claude:", "/v1/messages/count_tokens")


def test_a_client_that_sends_no_version(wire):
    """The provider's `headers` add what a client of another kind does not send."""
    http = anthropic.DefaultHttpxClient(**wire.http)
    version = {"anthropic-version": anthropic.Omit()}
    bare = anthropic.Anthropic(base_url=wire.url, api_key=CLIENT_KEY, http_client=http, default_headers=version)
    assert bare.messages.create(**ask("claude-sonnet-4"), max_tokens=9).content[0].text == TEXT
    arrived(wire, "", "/v1/messages")


def test_the_models(client, wire):
    models = client.models.list()
    assert {"claude-sonnet-4", "named:rec-large"} <= {model.id for model in models}
    assert {model.type for model in models} == {"model"}
    assert client.models.retrieve("claude-sonnet-4").display_name
    assert not wire.stand_in.take(), "the gateway itself answers"


@pytest.mark.parametrize(
    ("model", "error", "kind"),
    [
        ("claude:", anthropic.BadRequestError, "invalid_request_error"),
        ("m\u0000", anthropic.BadRequestError, "invalid_request_error"),
        ("absent:claude-sonnet-4", anthropic.InternalServerError, "api_error"),
    ],
    ids=["a namespace without a model", "a control character", "a provider that does not listen"],
)
def test_the_gateway_s_own_errors(client, wire, model, error, kind):
    with pytest.raises(error) as caught:
        client.messages.create(**ask(model), max_tokens=9)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == kind
    assert not wire.stand_in.take()


def test_a_model_that_is_not_listed(client):
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("named:no-such-model")
    assert caught.value.body["error"]["type"] == "not_found_error"
