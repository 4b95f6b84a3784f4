"""The gateway's list of models: that of a real LiteLLM, and of a provider whose list changes under it."""

import json
import urllib.request

import openai
import pytest

import answers as recorded
import gateway as gateway_process
from conftest import LITELLM_START_LIMIT_SECS, MASTER_KEY, Endpoint, answers, litellm_server
from processes import free_port
from test_restart import until
from wire import CLIENT_KEY, KEYS, SECRETS

pytestmark = pytest.mark.gateway
ENVIRONMENT = SECRETS | {"LITELLM_MASTER_KEY": MASTER_KEY}


class Gateway:
    def __init__(self, url: str):
        self.url = url
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key=CLIENT_KEY, max_retries=0)

    def models(self) -> set[str]:
        return {model.id for model in self.client.models.list()}

    def asked(self, path: str, method: str = "GET"):
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def health(self, provider: str) -> dict:
        return self.asked("/health")["providers"][provider]


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def discovering(recorder, folder, port) -> Gateway:
    values = {"recorder": recorder.url, "litellm": f"http://127.0.0.1:{port}"}
    with gateway_process.running("discovery", values, ENVIRONMENT, folder) as address:
        yield Gateway(address)


@pytest.fixture
def refreshed(recorder, folder) -> Gateway:
    with gateway_process.running("refresh", {"recorder": recorder.url}, ENVIRONMENT, folder) as address:
        yield Gateway(address)


@pytest.fixture
def litellm_with(upstream, folder, port):
    """Starts a LiteLLM that has these models, and waits until it serves them."""

    def start(name: str, models: list[str]):
        lines = (f"  - {{model_name: {model}, litellm_params: {{model: openai/x, api_key: x}}}}" for model in models)
        config = folder / f"{name}.yaml"
        config.write_text("\n".join(["model_list:", *lines, ""]))
        server = litellm_server(name, port, upstream, folder, config)
        server.wait_until(lambda: answers(Endpoint(f"http://127.0.0.1:{port}", MASTER_KEY)), LITELLM_START_LIMIT_SECS)
        return server

    return start


def test_litellm_s_models_come_stay_and_change(discovering, litellm_with):
    until(lambda: "named:rec-large" in discovering.models())
    others = {"fixed:pinned", "named:rec-large", "named:vendor/rec-small:free"}
    assert discovering.models() == others, "LiteLLM is not there yet"

    with litellm_with("litellm-before", ["gpt-4o", "vendor/model:free", "removed"]):
        until(lambda: discovering.models() == others | {"gpt-4o", "vendor/model:free", "removed"})
        assert discovering.health("litellm")["models"] == 3
        assert discovering.health("litellm")["models_age_secs"] <= 5

    age = discovering.health("litellm")["models_age_secs"]
    until(lambda: discovering.health("litellm")["models_age_secs"] >= age + 2)
    assert discovering.models() == others | {"gpt-4o", "vendor/model:free", "removed"}, "the last list stays"
    assert discovering.health("named")["models_age_secs"] <= 5, "the others' are as young as ever"

    with litellm_with("litellm-after", ["gpt-4o", "vendor/model:free", "added"]):
        until(lambda: discovering.models() == others | {"gpt-4o", "vendor/model:free", "added"})
        until(lambda: discovering.health("litellm")["models_age_secs"] <= 2)


def test_a_model_is_added_and_removed_at_run_time(discovering, monkeypatch):
    until(lambda: "named:rec-large" in discovering.models())
    monkeypatch.setattr(recorded, "MODELS", ["rec-large", "rec-new"])
    until(lambda: "named:rec-new" in discovering.models())
    assert "named:vendor/rec-small:free" not in discovering.models()
    assert discovering.client.models.retrieve("named:rec-new").id == "named:rec-new"
    monkeypatch.setattr(recorded, "MODELS", ["rec-large"])
    until(lambda: "named:rec-new" not in discovering.models())
    with pytest.raises(openai.NotFoundError):
        discovering.client.models.retrieve("named:rec-new")


@pytest.mark.parametrize("broken", [None, "no list"])
def test_a_list_that_cannot_be_read_leaves_the_last_one(discovering, monkeypatch, broken):
    until(lambda: "named:rec-large" in discovering.models())
    before = discovering.models()
    age = discovering.health("named")["models_age_secs"]
    monkeypatch.setattr(recorded, "MODELS", broken)
    until(lambda: discovering.health("named")["models_age_secs"] >= age + 3)
    assert discovering.models() == before
    monkeypatch.undo()
    until(lambda: discovering.health("named")["models_age_secs"] <= 2)


def test_a_provider_is_asked_with_its_own_key(discovering, recorder):
    until(lambda: "named:rec-large" in discovering.models())
    asked = recorder.questions[-1]
    assert (asked.method, asked.path) == ("GET", "/named/v1/models")
    assert asked.credentials == {"authorization": f"Bearer {KEYS['named']}"}


def test_what_is_listed_can_be_sent_back(discovering, recorder):
    until(lambda: "named:vendor/rec-small:free" in discovering.models())
    recorder.take()
    for model in sorted(discovering.models()):
        if model.startswith("named:"):
            discovering.client.embeddings.create(model=model, input="one")
    assert [seen.json["model"] for seen in recorder.take()] == ["rec-large", "vendor/rec-small:free"]


def test_as_a_front_end_reads_them(discovering):
    until(lambda: "named:rec-large" in discovering.models())
    listed = {model["id"]: model for model in discovering.asked("/api/models")}
    assert listed.keys() == discovering.models()
    assert all(model.keys() == {"id", "name", "provider", "contextWindow"} for model in listed.values())
    assert listed["named:rec-large"]["provider"] == "named"


def test_a_refresh(refreshed, monkeypatch):
    until(lambda: refreshed.models() == {"named:rec-large", "named:vendor/rec-small:free"})
    monkeypatch.setattr(recorded, "MODELS", ["rec-new"])
    answer = refreshed.asked("/api/models", "POST")
    assert answer.keys() == {"success", "message", "count"}
    assert answer["success"] is True
    assert answer["count"] == 2, "how many there are while the refresh is under way"
    until(lambda: refreshed.models() == {"named:rec-new"})
