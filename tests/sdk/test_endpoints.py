"""OpenAI's SDK for Python calls each of its endpoints: what the provider receives, and what the SDK receives."""

import hashlib
from itertools import count

import openai
import pytest

from calls import MODEL, NAMED, PLAIN, UPLOAD, Call
from wire import CLIENT_KEY, CREDENTIAL, Wire

pytestmark = pytest.mark.gateway
UPLOADS = {
    "POST /v1/images/edits": "image",
    "POST /v1/images/variations": "image",
    "POST /v1/audio/transcriptions": "file",
    "POST /v1/audio/translations": "file",
    "POST /v1/files": "file",
    "POST /v1/uploads/u9/parts": "data",
}
# No gateway takes part in these: local checks, and the administration of an organization.
WITHOUT_GATEWAY = {"admin", "beta", "webhooks", "content_provenance_checks", "skills"}


def client_of(wire: Wire, kind=openai.OpenAI, **options) -> openai.OpenAI:
    http = openai.DefaultHttpxClient(**wire.http)
    return kind(api_key=CLIENT_KEY, http_client=http, max_retries=0, **options)


@pytest.fixture
def client(wire) -> openai.OpenAI:
    return client_of(wire, base_url=f"{wire.url}/v1")


def ids(calls: list[Call]) -> list[str]:
    numbers = count()
    return [f"{next(numbers)} {call.request}" for call in calls]


@pytest.mark.parametrize("call", NAMED, ids=ids(NAMED))
def test_a_request_with_a_model(client, wire, call):
    value = call.call(client)
    seen = wire.arrived("named", namespace="named:")
    assert is_request(seen, "named", call.request)
    assert named_model(seen) == "rec-large"
    assert_the_file_arrived(seen, call.request)
    assert value == call.value


@pytest.mark.parametrize("call", PLAIN, ids=ids(PLAIN))
def test_a_request_without_a_model(client, wire, call):
    value = call.call(client)
    seen = wire.arrived("plain")
    assert is_request(seen, "plain", call.request)
    assert_the_file_arrived(seen, call.request)
    assert value == call.value


def is_request(seen, provider: str, request: str) -> bool:
    method, path = request.split()
    return (seen.method, seen.path.partition("?")[0]) == (method, f"/{provider}{path}")


def named_model(seen) -> str:
    if not seen.header("content-type").startswith("multipart/"):
        return seen.json["model"]
    (model,) = [part.content.decode() for part in seen.form if part.name == "model"]
    return model


def assert_the_file_arrived(seen, request: str):
    if request in UPLOADS:
        (file,) = [part for part in seen.form if part.name == UPLOADS[request]]
        assert file.sha256 == hashlib.sha256(UPLOAD).hexdigest()


def test_no_endpoint_of_the_sdk_is_forgotten(client):
    """Fails for a new version of the SDK with a resource that no call here uses."""
    resources = {name for name in dir(type(client)) if hasattr(getattr(client, name), "_client")} - WITHOUT_GATEWAY
    used = {name for call in NAMED + PLAIN for name in call.call.__code__.co_names} | {"chat", "models"}
    assert {name for name in resources if not name.startswith(("with_", "_"))} <= used


def test_under_the_base_path(wire):
    answer = client_of(wire, base_url=f"{wire.url}/api/litellm/v1").embeddings.create(model=MODEL, input="one")
    assert answer.data[0].embedding == [0.25, -0.5, 1.0]
    seen = wire.stand_in.one()
    assert seen.path == "/named/v1/embeddings"
    assert seen.credentials == CREDENTIAL["named"]


def test_a_model_of_the_default_provider(client, wire):
    client.embeddings.create(model="llama3.2:latest", input="one")
    assert wire.arrived("plain").json["model"] == "llama3.2:latest"


def test_without_a_key_of_the_gateway_the_client_s_key_passes(client, wire):
    client.embeddings.create(model="open:rec-large", input="one")
    seen = wire.stand_in.one()
    assert seen.path == "/open/v1/embeddings"
    assert seen.json["model"] == "rec-large"
    assert seen.credentials == {"authorization": f"Bearer {CLIENT_KEY}"}


def test_the_models_of_all_providers(client, wire):
    models = {model.id: model.owned_by for model in client.models.list()}
    assert models.keys() >= {"named:rec-large", "claude-sonnet-4"}
    assert client.models.retrieve("named:rec-large").id == "named:rec-large"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("named:no-such-model")
    assert caught.value.code == "model_not_found"
    assert not wire.stand_in.take(), "the gateway itself answers"


@pytest.mark.parametrize("engine", ["rec-large", "named:rec-large"])
def test_an_engine_in_the_path(wire, engine):
    openai_ = client_of(wire, base_url=f"{wire.url}/v1/engines/{engine}")
    answer = openai_.chat.completions.create(model=engine, messages=[{"role": "user", "content": "Hi"}])
    assert answer.choices[0].message.content == "Hello there."
    seen = wire.stand_in.one()
    provider = "named" if ":" in engine else "plain"
    assert seen.path == f"/{provider}/v1/engines/rec-large/chat/completions"
    assert seen.credentials == CREDENTIAL[provider]
    assert not seen.contains("named:")
