"""The gateway between other servers: nginx in front of it, as `envoy/front` has it, and Caddy behind it, as `envoy/behind`."""

import hashlib
import secrets
import uuid
from urllib.parse import urlsplit

import httpx
import openai
import pytest

import gateway as gateway_process
import servers
from answers import TEXT, WORDS
from calls import UPLOAD, words
from test_litellm import ask, release
from test_realtime import converse
from upstream import KEY as UPSTREAM_KEY
from wire import CLIENT_KEY, CREDENTIAL, SECRETS

pytestmark = pytest.mark.gateway
BIG = UPLOAD * 3  # more than the megabyte that nginx takes unless told otherwise


@pytest.fixture(scope="module")
def front(recorder, upstream, folder) -> str:
    """The address of nginx."""
    values = {"recorder": recorder.url, "upstream": upstream.url}
    with (
        gateway_process.running("front", values, SECRETS, folder) as address,
        servers.nginx(urlsplit(address).port, folder) as port,
    ):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def behind(recorder, folder) -> str:
    """The address of a gateway whose providers are behind Caddy."""
    token, password = f"tk-{secrets.token_hex(16)}", secrets.token_hex(8)
    keys = {"GUARD_TOKEN": token, "GUARD_USER_AND_PASSWORD": f"gaud:{password}"}
    with servers.caddy(recorder.port, token, "gaud", password, folder) as (token_port, password_port):
        values = {"token_port": token_port, "password_port": password_port, "password": password}
        with gateway_process.running("behind", values, keys, folder) as address:
            yield address


@pytest.fixture
def client(front, recorder) -> openai.OpenAI:
    recorder.take()
    return openai.OpenAI(base_url=f"{front}/api/litellm/v1", api_key=CLIENT_KEY, max_retries=0)


@pytest.fixture
def guarded(behind, recorder) -> openai.OpenAI:
    recorder.take()
    return openai.OpenAI(base_url=f"{behind}/v1", api_key=CLIENT_KEY, max_retries=0)


def test_a_chat_through_nginx(client, recorder):
    assert ask(client, "named:rec-large").choices[0].message.content == TEXT
    seen = recorder.one()
    assert seen.path == "/named/v1/chat/completions"
    assert seen.json["model"] == "rec-large"
    assert seen.credentials == CREDENTIAL["named"]


def test_a_stream_through_nginx_arrives_while_it_is_written(front, upstream):
    client = openai.OpenAI(base_url=f"{front}/api/litellm/v1", api_key=UPSTREAM_KEY, max_retries=0)
    name = uuid.uuid4().hex
    text = ""
    for chunk in ask(client, "slow:echo", name, stream=True):
        text += chunk.choices[0].delta.content or ""
        if text == "first ":
            release(upstream, name)
    assert text == "first second"


def test_an_upload_through_nginx(client, recorder):
    assert client.files.create(file=("big.bin", BIG), purpose="assistants").id == "file-1"
    (file,) = [part for part in recorder.one().form if part.name == "file"]
    assert file.sha256 == hashlib.sha256(BIG).hexdigest()


def test_a_websocket_through_nginx(client, recorder):
    with client.realtime.connect(model="named:rec-large") as connection:
        assert converse(connection) == ["session.created", "Hello.", "response.done"]
    seen = recorder.one()
    assert seen.path == "/named/v1/realtime?model=rec-large"
    assert seen.credentials == CREDENTIAL["named"]


def test_the_gateway_s_errors_through_nginx(client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "named:")
    assert caught.value.code == "missing_model"


def test_what_is_not_the_gateway_s_stays_with_nginx(front):
    assert httpx.get(f"{front}/health").status_code == 404
    assert httpx.get(f"{front}/api/litellm/health").json()["status"] == "ok"


@pytest.mark.parametrize("provider", ["token", "url", "basic"])
def test_a_provider_behind_caddy(guarded, recorder, provider):
    assert ask(guarded, f"{provider}:rec-large").choices[0].message.content == TEXT
    assert words(ask(guarded, f"{provider}:rec-large", stream=True)) == WORDS
    for seen in recorder.take():
        assert seen.path == "/guarded/v1/chat/completions"
        assert seen.json["model"] == "rec-large"
        assert seen.credentials == {}, "the guard keeps what is its own"


@pytest.mark.parametrize("provider", ["token", "url", "basic"])
def test_a_websocket_through_caddy(guarded, recorder, provider):
    with guarded.realtime.connect(model=f"{provider}:rec-large") as connection:
        assert converse(connection) == ["session.created", "Hello.", "response.done"]
    assert recorder.one().path == "/guarded/v1/realtime?model=rec-large"


@pytest.mark.parametrize("provider", ["open", "wrong"])
def test_caddy_refuses_who_does_not_know_its_credential(guarded, recorder, provider):
    with pytest.raises(openai.AuthenticationError):
        ask(guarded, f"{provider}:rec-large")
    assert not recorder.take()
