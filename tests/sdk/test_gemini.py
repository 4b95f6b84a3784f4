"""Google's SDK for Python: the model is in the path, before a colon that belongs to the path."""

import pytest
from google import genai
from google.genai.types import HttpOptions

from kit_py.answers import TEXT, WORDS
from wire import CLIENT_KEY, Wire

pytestmark = pytest.mark.gateway
NAMES = [("gemini-2.5-flash", ""), ("gemini:gemini-2.5-flash", "gemini:")]


@pytest.fixture(params=["v1beta", "v1"])
def version(request) -> str:
    """Google's examples say v1beta; the SDK's default is v1."""
    return request.param


@pytest.fixture
def client(wire, version) -> genai.Client:
    options = HttpOptions(base_url=wire.url, api_version=version, client_args=wire.http)
    return genai.Client(api_key=CLIENT_KEY, http_options=options)


def arrived(wire: Wire, version: str, namespace: str, verb: str):
    seen = wire.arrived("gemini", namespace)
    assert seen.path.partition("?")[0] == f"/gemini/{version}/models/gemini-2.5-flash:{verb}"


@pytest.mark.parametrize(("model", "namespace"), NAMES)
def test_generate(client, wire, version, model, namespace):
    assert client.models.generate_content(model=model, contents="Grüße 🦀").text == TEXT
    arrived(wire, version, namespace, "generateContent")


@pytest.mark.parametrize(("model", "namespace"), NAMES)
def test_a_stream(client, wire, version, model, namespace):
    chunks = client.models.generate_content_stream(model=model, contents="Hi")
    assert [chunk.text for chunk in chunks] == WORDS
    arrived(wire, version, namespace, "streamGenerateContent")


def test_tokens_are_counted(client, wire, version):
    assert client.models.count_tokens(model="gemini:gemini-2.5-flash", contents="Hi").total_tokens == 3
    arrived(wire, version, "gemini:", "countTokens")
