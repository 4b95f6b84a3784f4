"""The OpenAI SDK for Python and what the gateway adds: its names, its keys and its own errors."""

import json

import openai
import pytest

from conftest import CLIENT_KEY
from kit_py.stand_in import ECHO_KEY
from test_litellm import ask

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize(
    ("model", "content"),
    [
        ("gpt-4o", "Hello from gpt-4o."),
        ("litellm:gpt-4o", "Hello from gpt-4o."),
        ("litellm:bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", "Hello from bedrock."),
        ("fast", "Hello from gpt-4o-mini."),
    ],
)
def test_a_model_is_found_by_each_of_its_names(gateway, model, content):
    answer = gateway.client().chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": "Hello"}]
    )
    assert answer.parse().choices[0].message.content == content
    assert answer.headers["x-gaud-provider"] == "litellm"


def test_a_stream_of_a_model_with_a_namespace(gateway):
    chunks = ask(gateway.client(), "litellm:gpt-4o", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello from gpt-4o."


def test_an_embedding_of_a_model_with_a_namespace(gateway):
    answer = gateway.client().embeddings.create(model="litellm:text-embedding-3-small", input="one")
    assert answer.data[0].embedding == [0.25, -0.5, 1.0]


def test_the_namespace_does_not_reach_the_provider(gateway):
    answer = ask(gateway.client(ECHO_KEY), "direct:llama3.2:latest")
    assert json.loads(answer.choices[0].message.content) == {"model": "llama3.2:latest", "content": "Hello"}


def test_litellm_s_errors_pass_unchanged(gateway, litellm):
    through, directly = (error_of(client, "no-such-model") for client in (gateway.client(), litellm.client()))
    assert through.response.status_code == directly.response.status_code == 400
    assert through.response.content == directly.response.content
    assert through.response.headers["content-type"] == directly.response.headers["content-type"]


def test_the_gateway_s_key_replaces_the_client_s_key(gateway, litellm):
    assert "No connected db" in error_of(litellm.client(CLIENT_KEY), "gpt-4o").message
    assert ask(gateway.client(CLIENT_KEY), "gpt-4o").choices[0].message.content == "Hello from gpt-4o."


def test_without_a_key_of_the_gateway_the_client_s_key_passes(strict):
    assert ask(strict.client(), "gpt-4o").choices[0].message.content == "Hello from gpt-4o."
    # LiteLLM looks an unknown key up in its database, and this LiteLLM has none.
    error = error_of(strict.client(CLIENT_KEY), "gpt-4o")
    assert isinstance(error, openai.BadRequestError)
    assert "No connected db" in error.message


def test_a_provider_that_refuses_the_client_s_key(gateway):
    error = error_of(gateway.client(CLIENT_KEY), "direct:echo")
    assert isinstance(error, openai.AuthenticationError)
    assert error.code == "invalid_api_key"


def test_a_model_without_a_provider(strict):
    error = error_of(strict.client(), "no-such-model")
    assert isinstance(error, openai.NotFoundError)
    assert (error.code, error.type) == ("model_not_found", "invalid_request_error")
    assert "no-such-model" in error.message


def test_a_namespace_without_a_model(gateway):
    error = error_of(gateway.client(), "litellm:")
    assert isinstance(error, openai.BadRequestError)
    assert error.body.keys() == {"message", "type", "param", "code"}
    assert error.type == "invalid_request_error"


def test_a_provider_that_does_not_listen(gateway):
    error = error_of(gateway.client(), "absent:gpt-4o")
    assert isinstance(error, openai.InternalServerError)
    assert error.status_code == 503
    assert error.body.keys() == {"message", "type", "param", "code"}


def error_of(client: openai.OpenAI, model: str) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client.with_options(max_retries=0), model)
    return caught.value
