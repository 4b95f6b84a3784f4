"""The gateway between other servers: nginx in front of it, as in `envoy/front`, and Caddy before its providers, as in
`envoy/behind`."""

import hashlib
import secrets
import uuid
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from calls import UPLOAD, words
from conftest import CONFIGS
from kit_py import gaud, servers
from kit_py.answers import TEXT, WORDS
from kit_py.stand_in import ECHO_KEY
from test_litellm import ask
from test_realtime import converse
from wire import CLIENT_KEY, CREDENTIAL

pytestmark = pytest.mark.gateway
BIG = UPLOAD * 3  # more than the megabyte that is nginx's default limit
PASSWORD = "guard-4f1c"
# As `caddy hash-password` makes it, but of the lowest cost: with the default cost each request takes a second.
PASSWORD_HASH = "$2b$04$N9qo8uLOickgx2ZMRZoMyejG.oOkzl860bNi.hv0au/KIvTh.W4Ey"


@pytest.fixture(scope="module")
def front(endpoints, folder) -> str:
    """The address of nginx."""
    with servers.nginx(urlsplit(endpoints).port, folder) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def behind_caddy(stand_in, folder) -> str:
    """The address of a gateway whose providers are behind Caddy."""
    token = f"tk-{secrets.token_hex(16)}"
    keys = {"GUARD_TOKEN": token, "GUARD_USER_AND_PASSWORD": f"gaud:{PASSWORD}"}
    with servers.caddy(stand_in.port, token, "gaud", PASSWORD_HASH, folder) as (token_port, password_port):
        values = {"token_port": token_port, "password_port": password_port, "password": PASSWORD}
        with gaud.running(CONFIGS / "behind_caddy.toml", values, keys, folder) as address:
            yield address


@pytest.fixture
def client(front, stand_in) -> openai.OpenAI:
    stand_in.take()
    return openai.OpenAI(base_url=f"{front}/api/litellm/v1", api_key=CLIENT_KEY, max_retries=0)


@pytest.fixture
def guarded(behind_caddy, stand_in) -> openai.OpenAI:
    stand_in.take()
    return openai.OpenAI(base_url=f"{behind_caddy}/v1", api_key=CLIENT_KEY, max_retries=0)


def test_a_chat_through_nginx(client, stand_in):
    assert ask(client, "named:rec-large").choices[0].message.content == TEXT
    seen = stand_in.one()
    assert seen.path == "/named/v1/chat/completions"
    assert seen.json["model"] == "rec-large"
    assert seen.credentials == CREDENTIAL["named"]


def test_a_stream_through_nginx_arrives_while_it_is_written(front, stand_in):
    client = openai.OpenAI(base_url=f"{front}/api/litellm/v1", api_key=ECHO_KEY, max_retries=0)
    name = uuid.uuid4().hex
    text = ""
    for chunk in ask(client, "paced:echo", name, stream=True):
        text += chunk.choices[0].delta.content or ""
        if text == "first ":
            stand_in.release(name)
    assert text == "first second"


def test_an_upload_through_nginx(client, stand_in):
    assert client.files.create(file=("big.bin", BIG), purpose="assistants").id == "file-1"
    (file,) = [part for part in stand_in.one().form if part.name == "file"]
    assert file.sha256 == hashlib.sha256(BIG).hexdigest()


def test_a_websocket_through_nginx(client, stand_in):
    with client.realtime.connect(model="named:rec-large") as connection:
        assert converse(connection) == ["session.created", "Hello.", "response.done"]
    seen = stand_in.one()
    assert seen.path == "/named/v1/realtime?model=rec-large"
    assert seen.credentials == CREDENTIAL["named"]


def test_the_gateway_s_errors_through_nginx(client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "named:")
    assert caught.value.code == "missing_model"


def test_nginx_itself_answers_for_other_paths(front):
    assert httpx.get(f"{front}/health").status_code == 404
    assert httpx.get(f"{front}/api/litellm/health").json()["status"] == "ok"


@pytest.mark.parametrize("provider", ["token", "url", "basic"])
def test_a_provider_behind_caddy(guarded, stand_in, provider):
    assert ask(guarded, f"{provider}:rec-large").choices[0].message.content == TEXT
    assert words(ask(guarded, f"{provider}:rec-large", stream=True)) == WORDS
    for seen in stand_in.take():
        assert seen.path == "/guarded/v1/chat/completions"
        assert seen.json["model"] == "rec-large"
        assert seen.credentials == {}, "Caddy removes the credential that it has checked"


@pytest.mark.parametrize("provider", ["token", "url", "basic"])
def test_a_websocket_through_caddy(guarded, stand_in, provider):
    with guarded.realtime.connect(model=f"{provider}:rec-large") as connection:
        assert converse(connection) == ["session.created", "Hello.", "response.done"]
    assert stand_in.one().path == "/guarded/v1/realtime?model=rec-large"


@pytest.mark.parametrize("provider", ["open", "wrong"])
def test_caddy_refuses_a_wrong_credential(guarded, stand_in, provider):
    with pytest.raises(openai.AuthenticationError):
        ask(guarded, f"{provider}:rec-large")
    assert not stand_in.take()
