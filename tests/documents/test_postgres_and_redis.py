"""LiteLLM with PostgreSQL and Redis, through Gaud, with the official SDKs."""

import json
import re
import urllib.request
import uuid
from collections import Counter

import anthropic
import openai
import pytest

import redis_server
from conftest import ANTHROPIC_KEY, Gateway, wait_for_models
from kit_py.answers import TEXT
from kit_py.stand_in import KEYS
from kit_py.waiting import until
from litellm_server import MASTER_KEY

# Clients send LiteLLM's virtual keys: the provider has no `api_key`.
CONFIG = """
default_provider = "litellm"
discover_interval_secs = 1

[providers.litellm]
url = "$litellm"

[providers.lists] # the same LiteLLM, asked for its models
url = "$litellm"
api_key = "os.environ/LITELLM_MASTER_KEY"
discover_models = true

[breaker]
enabled = false
"""


@pytest.fixture(scope="module")
def gateway(site):
    with site.gateway("postgres-and-redis", CONFIG, {"LITELLM_MASTER_KEY": MASTER_KEY}) as url:
        yield Gateway(url)


def manage(gateway: Gateway, path: str, body: dict | None = None, key: str = MASTER_KEY) -> dict:
    """LiteLLM's own API, through the gateway."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{gateway.url}{path}", data, headers), timeout=30) as answer:
        return json.load(answer)


def ask(client: openai.OpenAI, model: str, content: str | None = None, **options):
    """Another question each time, which is in no cache."""
    messages = [{"role": "user", "content": content or f"Hello {uuid.uuid4().hex}"}]
    return client.chat.completions.create(model=model, messages=messages, **options)


def new_key(gateway: Gateway, **limits) -> str:
    return manage(gateway, "/key/generate", limits)["key"]


def test_a_virtual_key_opens_its_models_alone(gateway, stand_in):
    client = gateway.client(new_key(gateway, models=["gpt-4o-mini", "claude-sonnet-4"]))
    assert ask(client, "gpt-4o-mini").choices[0].message.content == TEXT
    assert stand_in.one().credentials == {"authorization": f"Bearer {KEYS['a']}"}
    assert ask(client, "litellm:claude-sonnet-4").choices[0].message.content == TEXT
    assert stand_in.one().credentials["x-api-key"] == ANTHROPIC_KEY
    with pytest.raises(openai.APIStatusError) as refused:
        ask(client, "gpt-4o")
    assert refused.value.type == "key_model_access_denied"
    assert stand_in.take() == []


def test_a_virtual_key_through_anthropics_sdk(gateway, stand_in):
    client = anthropic.Anthropic(base_url=gateway.url, auth_token=new_key(gateway), max_retries=0)
    said = [{"role": "user", "content": f"Hello {uuid.uuid4().hex}"}]
    message = client.messages.create(model="claude-sonnet-4", max_tokens=9, messages=said)
    assert message.content[0].text == TEXT
    assert stand_in.one().path.startswith("/claude/v1/messages")


def test_a_revoked_virtual_key_opens_nothing(gateway):
    key = new_key(gateway)
    assert ask(gateway.client(key), "gpt-4o-mini").choices[0].message.content == TEXT
    manage(gateway, "/key/delete", {"keys": [key]})
    with pytest.raises(openai.AuthenticationError):
        ask(gateway.client(key), "gpt-4o-mini")


def test_a_budget_that_is_used_up(gateway):
    """LiteLLM writes what a request has cost after the answer."""
    key = new_key(gateway, max_budget=1.5, budget_duration="30d", models=["dear"])
    info = lambda: manage(gateway, f"/key/info?key={key}")["info"]
    assert (info()["max_budget"], info()["budget_duration"]) == (1.5, "30d")
    client = gateway.client(key)
    assert ask(client, "dear").choices[0].message.content == TEXT

    def refusal() -> openai.APIStatusError | None:
        try:
            ask(client, "dear")
        except openai.APIStatusError as error:
            return error
        return None

    refused = until("LiteLLM refuses the key", refusal)
    assert refused.type == "budget_exceeded"
    assert until("the spend is written", lambda: info()["spend"]) >= 2


def test_a_model_is_added_and_removed_while_litellm_runs(gateway):
    params = {"model": "openai/x", "api_key": "unused", "mock_response": "Hello from the new model."}
    id = manage(gateway, "/model/new", {"model_name": "deepseek-chat", "litellm_params": params})["model_id"]
    listed = wait_for_models(gateway, "lists:deepseek-chat")
    client = gateway.client(MASTER_KEY)
    assert ask(client, "deepseek-chat").choices[0].message.content == "Hello from the new model."
    manage(gateway, "/model/delete", {"id": id})
    until("the model is no longer listed", lambda: gateway.models() == listed - {"lists:deepseek-chat"})


def test_an_answer_from_redis_is_the_same_and_asks_no_provider(gateway, site, stand_in):
    client, question = gateway.client(MASTER_KEY), f"Cached {uuid.uuid4().hex}"
    first = ask(client, "gpt-4o-mini", question)
    assert len(stand_in.take()) == 1
    cached = client.chat.completions.with_raw_response

    def hit():
        messages = [{"role": "user", "content": question}]
        answer = cached.create(model="gpt-4o-mini", messages=messages)
        return answer if "x-litellm-cache-key" in answer.headers else None

    # LiteLLM writes into the cache after the answer.
    again = until("LiteLLM answers from its cache", hit)
    assert redis_server.ask(site.redis_port, "EXISTS", again.headers["x-litellm-cache-key"]) == ":1"
    assert again.headers["x-gaud-provider"] == "litellm"
    assert again.parse().choices == first.choices
    stand_in.take()
    assert hit().parse().id == first.id
    assert stand_in.take() == []


def test_a_stream_from_redis(gateway, stand_in):
    client, question = gateway.client(MASTER_KEY), f"Cached stream {uuid.uuid4().hex}"
    text = lambda: "".join(c.choices[0].delta.content or "" for c in ask(client, "gpt-4o-mini", question, stream=True) if c.choices)
    assert text() == TEXT

    def asks_nobody() -> bool:
        stand_in.take()
        assert text() == TEXT
        return stand_in.take() == []

    until("LiteLLM answers from its cache", asks_nobody)


def test_litellm_falls_back(gateway, stand_in):
    answer = ask(gateway.client(MASTER_KEY), "failing", f"case-{uuid.uuid4().hex} f=500")
    assert answer.choices[0].message.content == TEXT
    assert [(seen.provider, seen.json["model"]) for seen in stand_in.take()] == [("f", "gpt-4o"), ("a", "gpt-4o-mini")]


def test_litellm_balances_the_load(gateway, stand_in):
    client = gateway.client(MASTER_KEY)
    for _ in range(24):
        ask(client, "gpt-4o")
    seen = Counter((one.provider, one.credentials["authorization"]) for one in stand_in.take())
    assert set(seen) == {(name, f"Bearer {KEYS[name]}") for name in "ab"}, "by chance never reached: 1 in 2^23"


def metrics(gateway: Gateway) -> str:
    request = urllib.request.Request(f"{gateway.url}/metrics", headers={"authorization": f"Bearer {MASTER_KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


@pytest.mark.parametrize(
    "family",
    ["litellm_proxy_total_requests_metric_total", "litellm_request_total_latency_metric_bucket", "litellm_total_tokens_metric_total", "litellm_spend_metric_total"],
)
def test_litellms_metrics(gateway, family):
    ask(gateway.client(MASTER_KEY), "gpt-4o-mini")
    wanted = re.compile(rf"^{family}{{[^\n]*}} [0-9.e+]+$", re.MULTILINE)
    until(f"{family} is there", lambda: wanted.search(metrics(gateway)))
