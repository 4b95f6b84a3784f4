"""OpenAI's SDK asks Claude's and Gemini's endpoints in OpenAI's form, by the providers that docs/providers.md has."""

import json
import re

import anthropic
import openai
import pytest
from google import genai
from google.genai.types import HttpOptions
from kit_py import gaud
from kit_py.answering import EVENTS, JSON, Answering, answering
from kit_py.answers import TEXT, WORDS, chat_body, chat_chunk, event, events

PAGE = (gaud.ROOT / "docs/providers.md").read_text()
SECRETS = {"ANTHROPIC_API_KEY": "sk-of-claude", "GEMINI_API_KEY": "sk-of-gemini"}
CREDENTIALS = {"authorization", "x-api-key", "x-goog-api-key", "api-key"}
CLIENTS = "sk-of-the-client"
MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": TEXT}]}
GENERATED = {"candidates": [{"content": {"role": "model", "parts": [{"text": TEXT}]}}]}
REFUSED = {"error": {"message": "no such model", "type": "invalid_request_error", "param": None, "code": "no_model"}}
HOSTS = {"https://api.anthropic.com": "/anthropic", "https://generativelanguage.googleapis.com": "/google"}

CLAUDE = ("/anthropic/v1/chat/completions", "claude-sonnet-4-5", {"x-api-key": "sk-of-claude"})
CLAUDE_BEARER = (*CLAUDE[:2], {"authorization": "Bearer sk-of-claude"})
GEMINI = (
    "/google/v1beta/openai/chat/completions",
    "gemini-2.5-flash",
    {"authorization": "Bearer sk-of-gemini"},
)
ASKED = [
    ("claude-sonnet-4-5", CLAUDE),
    ("claude:claude-sonnet-4-5", CLAUDE),
    ("claude-openai:claude-sonnet-4-5", CLAUDE_BEARER),
    ("gemini-openai:gemini-2.5-flash", GEMINI),
    # Google's paths alone lead to the provider that claims the name; all others lead to the default provider.
    ("gemini-2.5-flash", GEMINI),
]


class Compatible(Answering):
    """Both services, which keep what they are sent."""

    received = []

    def status(self, body):
        return 404 if json.loads(body).get("model") == "absent" else 200

    def answer(self, body):
        request = json.loads(body)
        self.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, request))
        if request.get("model") == "absent":
            return JSON, json.dumps(REFUSED)
        if request.get("stream"):
            chunks = [chat_chunk(request, {"content": word}) for word in WORDS]
            return EVENTS, b"".join([*events(chunks), event("[DONE]")])
        if self.path.endswith("/messages"):
            return JSON, json.dumps(MESSAGE)
        return JSON, json.dumps(GENERATED if "generateContent" in self.path else chat_body(request, TEXT))


def tables(heading, url):
    """The tables of a section of the page, with a stand-in in the place of the service."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    toml = "\n".join(re.findall(r"^```toml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
    for host, path in HOSTS.items():
        toml = toml.replace(host, url + path)
    return toml


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with answering(Compatible) as url:
        toml = 'default_provider = "gemini-openai"\n' + tables("Claude", url) + tables("Gemini", url)
        with gaud.serving("compatible", toml, SECRETS, tmp_path_factory.mktemp("compatible")) as address:
            yield address


@pytest.fixture
def client(address):
    Compatible.received.clear()
    return openai.OpenAI(base_url=f"{address}/v1", api_key=CLIENTS, max_retries=0)


def ask(model):
    return {"model": model, "messages": [{"role": "user", "content": "Grüße 🦀"}], "temperature": 0.5}


def assert_arrived(path, body, credentials):
    ((seen, headers, received),) = Compatible.received
    assert (seen, received) == (path, body)
    assert {name: value for name, value in headers.items() if name in CREDENTIALS} == credentials
    assert CLIENTS not in str(headers)


@pytest.mark.parametrize(("model", "expected"), ASKED)
def test_a_chat(client, model, expected):
    path, sent, credentials = expected
    assert client.chat.completions.create(**ask(model)).choices[0].message.content == TEXT
    assert_arrived(path, ask(sent), credentials)


@pytest.mark.parametrize(("model", "expected"), ASKED)
def test_a_stream(client, model, expected):
    path, sent, credentials = expected
    chunks = client.chat.completions.create(**ask(model), stream=True)
    assert [chunk.choices[0].delta.content for chunk in chunks] == WORDS
    assert_arrived(path, ask(sent) | {"stream": True}, credentials)


@pytest.mark.parametrize("provider", ["claude", "claude-openai", "gemini-openai"])
def test_an_error_of_the_service(client, provider):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(**ask(f"{provider}:absent"))
    assert caught.value.body == REFUSED["error"]


def test_anthropic_s_own_paths_have_the_same_provider(client, address):
    own = anthropic.Anthropic(base_url=address, api_key=CLIENTS, max_retries=0)
    question = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
    assert own.messages.create(**question).content[0].text == TEXT
    assert_arrived("/anthropic/v1/messages", question, {"x-api-key": "sk-of-claude"})


def test_google_s_own_paths_have_the_other_provider(client, address):
    own = genai.Client(api_key=CLIENTS, http_options=HttpOptions(base_url=address, api_version="v1beta"))
    assert own.models.generate_content(model="gemini-2.5-flash", contents="Hi").text == TEXT
    ((path, headers, _),) = Compatible.received
    assert path == "/google/v1beta/models/gemini-2.5-flash:generateContent"
    assert headers["x-goog-api-key"] == "sk-of-gemini" and CLIENTS not in str(headers)
