"""What the SDKs do at a limit: they try again where that helps, and give up at once where a budget is used up."""

import json
import threading
import urllib.request

import anthropic
import openai
import pytest
from google import genai
from google.genai.errors import ClientError
from google.genai.types import HttpOptions

from kit_py import gaud
from kit_py.stand_in import StandIn
from kit_py.waiting import until
from test_node import run_node

pytestmark = pytest.mark.gateway
ADMIN_KEY = f"sk-prx-adm{'2' * 9}-{'k' * 32}"
RPM = 60
TPM = 60


@pytest.fixture(scope="module")
def gateway(stand_in: StandIn, tmp_path_factory):
    toml = f'default_provider = "echo"\n[usage]\nmeter = "all"\n[prices.m]\ninput = 1\noutput = 1\n[providers.echo]\nurl = "{stand_in.url}"\nmodels = ["m"]\n[providers.slow]\nurl = "{stand_in.url}/slow"\n'
    with gaud.serving("limits", toml, {"GAUD_ADMIN_KEY": ADMIN_KEY}, tmp_path_factory.mktemp("limits")) as address:
        yield address


def key(gateway: str, **limits) -> str:
    """A new key with these limits."""
    headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
    request = urllib.request.Request(f"{gateway}/admin/keys", json.dumps(limits).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        made = json.load(answer)
    assert made["applied"], made
    return made["key"]


class Counted:
    """Notes the status of each response that an SDK gets."""

    def __init__(self):
        self.statuses = []
        self.hooks = {"response": [lambda response: self.statuses.append(response.status_code)]}


def openai_asks(gateway: str, own: str, counted: Counted, model: str = "m"):
    http = openai.DefaultHttpxClient(event_hooks=counted.hooks)
    client = openai.OpenAI(base_url=f"{gateway}/v1", api_key=own, http_client=http)
    return client.chat.completions.create(model=model, max_tokens=1, messages=[{"role": "user", "content": "Hi"}])


def anthropic_asks(gateway: str, own: str, counted: Counted):
    http = anthropic.DefaultHttpxClient(event_hooks=counted.hooks)
    client = anthropic.Anthropic(base_url=gateway, api_key=own, http_client=http)
    return client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "Hi"}])


def google_asks(gateway: str, own: str, counted: Counted):
    options = HttpOptions(base_url=gateway, client_args={"event_hooks": counted.hooks})
    client = genai.Client(api_key=own, http_options=options)
    return client.models.generate_content(model="m", contents="Hi")


@pytest.mark.parametrize(
    ("ask", "error"), [(openai_asks, openai.RateLimitError), (anthropic_asks, anthropic.RateLimitError)]
)
def test_a_budget_that_is_used_up_is_not_tried_again(gateway, ask, error):
    counted = Counted()
    with pytest.raises(error) as refused:
        ask(gateway, key(gateway, budget={"usd": 0, "window": "month"}), counted)
    assert counted.statuses == [429]
    assert "used up its budget" in str(refused.value)


def test_openai_s_code_says_that_the_quota_is_used_up(gateway):
    with pytest.raises(openai.RateLimitError) as refused:
        openai_asks(gateway, key(gateway, budget={"usd": 0, "window": "total"}), Counted())
    assert (refused.value.code, refused.value.type) == ("insufficient_quota", "insufficient_quota")


@pytest.mark.parametrize("ask", [openai_asks, anthropic_asks])
@pytest.mark.parametrize("limit", [{"rpm": RPM}, {"tpm": TPM}], ids=str)
def test_a_request_that_came_too_early_is_tried_again_when_it_fits(gateway, ask, limit):
    own, counted = key(gateway, **limit), Counted()
    for _ in range(5 * RPM):  # a request and a token come back each second
        ask(gateway, own, counted)
        if 429 in counted.statuses:
            break
    assert counted.statuses[-2:] == [429, 200], counted.statuses
    assert set(counted.statuses[:-2]) == {200}


def test_a_request_is_tried_again_when_there_is_a_place(gateway, stand_in):
    own, first, second = key(gateway, max_parallel_requests=1), Counted(), Counted()
    stand_in.take()
    held = threading.Thread(target=openai_asks, args=(gateway, own, first, "slow:m"))
    held.start()
    until("the provider has the first request", lambda: [seen for seen in stand_in.take() if seen.provider == "slow"])
    openai_asks(gateway, own, second)
    held.join()
    assert first.statuses == [200]
    assert (second.statuses[0], second.statuses[-1]) == (429, 200)


@pytest.mark.parametrize("limit", ["rpm", "tpm", "max_parallel_requests"])
@pytest.mark.parametrize(
    ("ask", "error"), [(openai_asks, openai.RateLimitError), (anthropic_asks, anthropic.RateLimitError)]
)
def test_a_limit_of_zero_is_not_tried_again(gateway, limit, ask, error):
    counted = Counted()
    with pytest.raises(error):
        ask(gateway, key(gateway, **{limit: 0}), counted)
    assert counted.statuses == [429]


@pytest.mark.parametrize("limits", [{"rpm": 1}, {"budget": {"usd": 0, "window": "day"}}], ids=str)
def test_google_s_sdk_says_that_a_limit_has_no_room(gateway, limits):
    own, counted = key(gateway, **limits), Counted()
    with pytest.raises(ClientError) as refused:
        for _ in range(2):
            google_asks(gateway, own, counted)
    assert (refused.value.code, refused.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert counted.statuses == ([200, 429] if "rpm" in limits else [429])


def test_a_model_without_a_price_is_not_tried_again(gateway):
    counted = Counted()
    with pytest.raises(openai.PermissionDeniedError) as refused:
        openai_asks(gateway, key(gateway, budget={"usd": 1, "window": "day"}), counted, "unheard-of")
    assert (counted.statuses, refused.value.code) == ([403], "model_not_priced")
    assert '[prices."echo/unheard-of"]' in str(refused.value)


def test_the_sdk_for_node(gateway, packages):
    keys = {"RPM_KEY": key(gateway, rpm=RPM), "SPENT_KEY": key(gateway, budget={"usd": 0, "window": "day"})}
    run_node("limits.test.mjs", URL=gateway, **keys)


def test_every_answer_tells_what_is_left(gateway):
    client = openai.OpenAI(base_url=f"{gateway}/v1", api_key=key(gateway, rpm=100, tpm=100000))
    for left in (99, 98):
        answer = client.chat.completions.with_raw_response.create(
            model="m", max_tokens=1, messages=[{"role": "user", "content": "Hi"}]
        )
        assert answer.headers["x-ratelimit-limit-requests"] == "100"
        assert answer.headers["x-ratelimit-remaining-requests"] == str(left)
        assert answer.headers["x-ratelimit-limit-tokens"] == "100000"
