"""Open WebUI with an account, a list of models and a chat. `make test-front-end` installs and runs it."""

import os
import secrets
import signal

import httpx
import pytest

from conftest import CONFIGS
from kit_py import gaud
from kit_py.answers import TEXT
from kit_py.processes import Server, free_port
from wire import CLIENT_KEY, CREDENTIAL, SECRETS

PROGRAM = os.environ.get("OPEN_WEBUI", str(gaud.ROOT / ".tools/open-webui/bin/open-webui"))
START_LIMIT_SECS = 180
SETTINGS = {
    "ANONYMIZED_TELEMETRY": "false",
    "AUDIO_STT_ENGINE": "openai",
    "ENABLE_OLLAMA_API": "false",
    "OFFLINE_MODE": "true",
    "RAG_EMBEDDING_ENGINE": "openai",
}


@pytest.fixture(scope="module")
def web(stand_in, folder) -> httpx.Client:
    """A client of Open WebUI with its administrator's token."""
    with gaud.running(CONFIGS / "front_end.toml", {"stand_in": stand_in.url}, SECRETS, folder) as address:
        port = free_port()
        data = {"DATA_DIR": str(folder), "STATIC_DIR": str(folder / "static"), "WEBUI_SECRET_KEY": secrets.token_hex(16)}
        gateway = {"OPENAI_API_BASE_URL": f"{address}/v1", "OPENAI_API_KEY": CLIENT_KEY}
        argv = [PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port)]
        environment = os.environ | SETTINGS | data | gateway
        with Server("open-webui", argv, environment, folder, end_with=signal.SIGTERM) as server:
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
            server.wait_until(lambda: is_up(client), START_LIMIT_SECS)
            client.headers["authorization"] = f"Bearer {sign_up(client)}"
            yield client


def is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def sign_up(client: httpx.Client) -> str:
    """The first account is the administrator's."""
    person = {"name": "Ada", "email": "ada@example.org", "password": secrets.token_urlsafe(12)}
    answer = client.post("/api/v1/auths/signup", json=person)
    assert answer.status_code == 200, answer.text
    assert answer.json()["role"] == "admin"
    return answer.json()["token"]


def ask(model: str, stream: bool) -> dict:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hi"}]}


def test_the_models(web):
    models = {model["id"] for model in web.get("/api/models").json()["data"]}
    assert {"rec-large", "named:rec-large", "named:vendor/rec-small:free"} <= models


@pytest.mark.parametrize(("model", "provider"), [("rec-large", "plain"), ("named:rec-large", "named")])
def test_a_chat(web, stand_in, model, provider):
    web.get("/api/models")
    stand_in.take()
    answer = web.post("/api/chat/completions", json=ask(model, stream=False))
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == TEXT
    seen = stand_in.one()
    assert seen.path == f"/{provider}/v1/chat/completions"
    assert seen.json["model"] == "rec-large"
    assert seen.credentials == CREDENTIAL[provider]


def test_a_stream(web):
    web.get("/api/models")
    answer = web.post("/api/chat/completions", json=ask("named:rec-large", stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert '"content": " there"' in answer.text
    assert answer.text.rstrip().endswith("data: [DONE]")
