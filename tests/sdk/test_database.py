"""A real LiteLLM with a real PostgreSQL: its models come and go at run time, and it gives out keys of its own."""

import json
import urllib.request

import openai
import pytest

import database
import gateway as gateway_process
from conftest import LITELLM_START_LIMIT_SECS, MASTER_KEY, Endpoint, answers, litellm_server
from processes import free_port
from test_discovery import Gateway
from test_restart import until

pytestmark = pytest.mark.gateway
ASK = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def stored(upstream, folder) -> Gateway:
    """A gateway in front of a LiteLLM that has a database."""
    port = free_port()
    litellm = Endpoint(f"http://127.0.0.1:{port}", MASTER_KEY)
    with (
        database.running(folder) as environment,
        litellm_server("litellm-database", port, upstream, folder, database=environment) as server,
    ):
        server.wait_until(lambda: answers(litellm), LITELLM_START_LIMIT_SECS)
        secrets = {"LITELLM_MASTER_KEY": MASTER_KEY}
        with gateway_process.running("database", {"litellm": litellm.url}, secrets, folder) as address:
            stored = Gateway(address)
            until(lambda: "gpt-4o" in stored.models())
            yield stored


def manage(stored: Gateway, path: str, body: dict) -> dict:
    """LiteLLM's own API, through the gateway. It names no provider's model, so that LiteLLM's key comes from here."""
    headers = {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"}
    request = urllib.request.Request(f"{stored.url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def add(stored: Gateway, name: str) -> str:
    """Adds a model at run time, and gives its id."""
    params = {"model": "openai/x", "api_key": "unused", "mock_response": f"Hello from {name}."}
    return manage(stored, "/model/new", {"model_name": name, "litellm_params": params})["model_id"]


def with_key(stored: Gateway, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stored.url}/v1", api_key=key, max_retries=0)


def said(client: openai.OpenAI, model: str) -> str:
    return client.chat.completions.create(model=model, messages=ASK).choices[0].message.content


@pytest.mark.parametrize("name", ["added", "vendor/added:free"])
def test_a_model_added_at_run_time_is_listed_and_called_until_it_is_deleted(stored, name):
    before = stored.models()
    id = add(stored, name)
    until(lambda: stored.models() == before | {name})
    assert stored.client.models.retrieve(name).id == name
    assert said(stored.client, name) == f"Hello from {name}."
    assert said(stored.client, f"litellm:{name}") == f"Hello from {name}."

    manage(stored, "/model/delete", {"id": id})
    until(lambda: stored.models() == before)
    with pytest.raises(openai.NotFoundError):
        stored.client.models.retrieve(name)
    with pytest.raises(openai.BadRequestError, match="Invalid model name"):
        said(stored.client, name)


def test_a_virtual_key_opens_what_litellm_lets_it(stored):
    key = manage(stored, "/key/generate", {"models": ["gpt-4o"], "metadata": {"team": "Grüße 🦀"}})["key"]
    client = with_key(stored, key)
    assert said(client, "keys:gpt-4o") == "Hello from gpt-4o."
    with pytest.raises(openai.APIStatusError) as refused:
        said(client, "keys:gpt-4o-mini")
    assert refused.value.type == "key_model_access_denied"

    manage(stored, "/key/delete", {"keys": [key]})
    with pytest.raises(openai.AuthenticationError) as refused:
        said(client, "keys:gpt-4o")
    assert refused.value.type == "token_not_found_in_db"


def test_a_virtual_key_opens_a_model_added_at_run_time(stored):
    id = add(stored, "added")
    key = manage(stored, "/key/generate", {"models": ["added"]})["key"]
    assert said(with_key(stored, key), "keys:added") == "Hello from added."
    manage(stored, "/model/delete", {"id": id})


def test_a_wrong_key_is_litellm_s_own_401(stored):
    with pytest.raises(openai.AuthenticationError) as refused:
        said(with_key(stored, "sk-wrong"), "keys:gpt-4o")
    assert refused.value.type == "token_not_found_in_db"
    assert "LiteLLM_VerificationTokenTable" in refused.value.message


def test_what_the_provider_s_key_opens_needs_no_key_of_the_client_s(stored):
    assert said(with_key(stored, "sk-wrong"), "gpt-4o") == "Hello from gpt-4o."
