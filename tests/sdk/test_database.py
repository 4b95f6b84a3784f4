"""A real LiteLLM with a real PostgreSQL: its models come and go at run time, and it gives out keys of its own."""

import json
import urllib.request

import openai
import pytest

from conftest import CONFIGS
from gateway_api import GatewayApi
from kit_py import gaud
from kit_py.waiting import until
from litellm_server import MASTER_KEY

pytestmark = pytest.mark.gateway
ASK = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def stored(litellm_with_database, folder) -> GatewayApi:
    """A gateway in front of a LiteLLM that has a database."""
    values = {"litellm": litellm_with_database.url}
    with gaud.running(CONFIGS / "database.toml", values, {"LITELLM_MASTER_KEY": MASTER_KEY}, folder) as address:
        stored = GatewayApi(address)
        until("LiteLLM's models are listed", lambda: "gpt-4o" in stored.models())
        yield stored


def manage(stored: GatewayApi, path: str, body: dict) -> dict:
    """LiteLLM's own API, through the gateway. A request without a model has the client's key, so it is LiteLLM's."""
    headers = {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"}
    request = urllib.request.Request(f"{stored.url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def add(stored: GatewayApi, name: str) -> str:
    """Adds a model at run time, and gives its id."""
    params = {"model": "openai/x", "api_key": "unused", "mock_response": f"Hello from {name}."}
    return manage(stored, "/model/new", {"model_name": name, "litellm_params": params})["model_id"]


def with_key(stored: GatewayApi, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stored.url}/v1", api_key=key, max_retries=0)


def said(client: openai.OpenAI, model: str) -> str:
    return client.chat.completions.create(model=model, messages=ASK).choices[0].message.content


@pytest.mark.parametrize("name", ["added", "vendor/added:free"])
def test_a_model_added_at_run_time_is_listed_and_called_until_it_is_deleted(stored, name):
    before = stored.models()
    id = add(stored, name)
    until("the new model is listed", lambda: stored.models() == before | {name})
    assert stored.client.models.retrieve(name).id == name
    assert said(stored.client, name) == f"Hello from {name}."
    assert said(stored.client, f"litellm:{name}") == f"Hello from {name}."

    manage(stored, "/model/delete", {"id": id})
    until("the model is no longer listed", lambda: stored.models() == before)
    with pytest.raises(openai.NotFoundError):
        stored.client.models.retrieve(name)
    with pytest.raises(openai.BadRequestError, match="Invalid model name"):
        said(stored.client, name)


def test_a_virtual_key_opens_the_models_that_litellm_allows_it(stored):
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


def test_litellm_answers_401_to_a_wrong_key(stored):
    with pytest.raises(openai.AuthenticationError) as refused:
        said(with_key(stored, "sk-wrong"), "keys:gpt-4o")
    assert refused.value.type == "token_not_found_in_db"
    assert "LiteLLM_VerificationTokenTable" in refused.value.message


def test_with_a_key_of_the_gateway_the_client_needs_no_key(stored):
    assert said(with_key(stored, "sk-wrong"), "gpt-4o") == "Hello from gpt-4o."
