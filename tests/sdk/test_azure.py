"""OpenAI's SDK for Azure: the model is in the path and in the body."""

import hashlib
import json

import openai
import pytest

from calls import UPLOAD, words
from kit_py.answers import AUDIO, TEXT, WORDS
from test_endpoints import client_of
from wire import CREDENTIAL

pytestmark = pytest.mark.gateway
MODEL = "azure:gpt-4o"
ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def client(wire) -> openai.AzureOpenAI:
    return client_of(wire, openai.AzureOpenAI, azure_endpoint=wire.url, api_version="2024-10-21")


@pytest.mark.parametrize(
    ("path", "call", "value"),
    [
        ("chat/completions", lambda c: c.chat.completions.create(**ASK).choices[0].message.content, TEXT),
        ("chat/completions", lambda c: words(c.chat.completions.create(**ASK, stream=True)), WORDS),
        ("embeddings", lambda c: c.embeddings.create(model=MODEL, input="one").data[0].embedding, [0.25, -0.5, 1.0]),
        ("audio/speech", lambda c: c.audio.speech.create(model=MODEL, voice="nova", input="Hi").content, AUDIO),
    ],
    ids=["chat", "stream", "embeddings", "speech"],
)
def test_a_deployment(client, wire, path, call, value):
    assert call(client) == value
    seen = wire.stand_in.one()
    assert seen.path == f"/azure/openai/deployments/gpt-4o/{path}?api-version=2024-10-21"
    assert seen.json["model"] == "gpt-4o", "the body has the model of the path"
    assert seen.json == {**json.loads(wire.sent[0].body), "model": "gpt-4o"}
    assert seen.credentials == CREDENTIAL["azure"]


def test_an_upload_to_a_deployment(wire):
    """With `azure_deployment` the path is the client's base URL, and the form has the model that the caller wrote."""
    client = client_of(
        wire, openai.AzureOpenAI, azure_endpoint=wire.url, api_version="2024-10-21", azure_deployment="azure:whisper"
    )
    assert client.audio.transcriptions.create(model="azure:whisper", file=("sound.wav", UPLOAD)).text == TEXT
    seen = wire.stand_in.one()
    assert seen.path == "/azure/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21"
    parts = {part.name: part for part in seen.form}
    assert parts["file"].sha256 == hashlib.sha256(UPLOAD).hexdigest()
    assert parts["model"].content == b"whisper"
    assert seen.credentials == CREDENTIAL["azure"]
