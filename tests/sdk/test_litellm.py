"""The OpenAI SDK for Python and a real LiteLLM: what works without the gateway must work through it."""

import json
import uuid

import openai
import pytest


def ask(client: openai.OpenAI, model: str, content: str = "Hello", **options):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}], **options)


def test_chat(client):
    answer = ask(client, "gpt-4o")
    assert answer.choices[0].message.content == "Hello from gpt-4o."
    assert answer.model == "gpt-4o"
    assert answer.usage.total_tokens > 0


def test_a_model_name_with_a_slash_and_colons(client):
    answer = ask(client, "bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0")
    assert answer.choices[0].message.content == "Hello from bedrock."


# The SDK writes `messages` before `model`: the gateway holds a long conversation until it knows the model.
@pytest.mark.parametrize("content", ["Grüße, 你好 🦀 \\ \" \n\t\u2028", "x" * 3_000_000], ids=["characters", "3 MB"])
def test_the_provider_sees_what_was_asked(client, content):
    answer = ask(client, "echo", content)
    assert json.loads(answer.choices[0].message.content) == {"model": "echo", "content": content}


def test_stream(client):
    chunks = list(ask(client, "gpt-4o", stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Hello from gpt-4o."
    assert len(chunks) > 3
    assert chunks[-1].usage.total_tokens > 0


def test_a_stream_arrives_while_it_is_written(client, stand_in):
    name = uuid.uuid4().hex
    words = []
    for chunk in ask(client, "echo", name, stream=True):
        words.append(chunk.choices[0].delta.content or "")
        if "first " in words:
            stand_in.release(name)
    assert "".join(words) == "first second"


# By default the SDK asks for base64 and unpacks it.
@pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}], ids=["base64", "float"])
def test_embeddings(client, options):
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], **options)
    assert [item.embedding for item in answer.data] == [[0.25, -0.5, 1.0]] * 2


def test_models(client):
    assert {"gpt-4o", "gpt-4o-mini", "echo"} <= {model.id for model in client.models.list()}


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("no-such-model", openai.BadRequestError, "Invalid model name passed in model=no-such-model"),
        ("too-long", openai.BadRequestError, "mock context window exceeded"),
        ("rate-limited", openai.RateLimitError, "mock rate limit error"),
        ("broken", openai.InternalServerError, "mock internal server error"),
    ],
)
def test_errors_keep_their_class(once, model, error, message):
    with pytest.raises(error, match=message):
        ask(once, model)


def test_an_error_before_a_stream(once):
    with pytest.raises(openai.RateLimitError):
        ask(once, "rate-limited", stream=True)


@pytest.fixture
def once(client) -> openai.OpenAI:
    """Raises the same exception without the pauses between retries."""
    return client.with_options(max_retries=0)
