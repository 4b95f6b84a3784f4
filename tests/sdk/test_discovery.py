"""The gateway's list of models, from a provider whose models change. `test_restart.py` has LiteLLM's."""

import openai
import pytest

from conftest import CONFIGS
from gateway_api import GatewayApi
from kit_py import gaud
from kit_py.waiting import until
from wire import KEYS, SECRETS

pytestmark = pytest.mark.gateway
LISTED = {"fixed:pinned", "named:rec-large", "named:vendor/rec-small:free"}


@pytest.fixture(scope="module", autouse=True)
def rarely_asking(stand_in, folder) -> GatewayApi:
    """A gateway that asks for models once a day. It starts first: it takes a refresh 5 s after its last question."""
    with gaud.running(CONFIGS / "refresh.toml", {"stand_in": stand_in.url}, SECRETS, folder) as address:
        yield GatewayApi(address)


@pytest.fixture(scope="module")
def gateway(stand_in, folder) -> GatewayApi:
    with gaud.running(CONFIGS / "discovery.toml", {"stand_in": stand_in.url}, SECRETS, folder) as address:
        gateway = GatewayApi(address)
        until("the models are listed", lambda: gateway.models() == LISTED)
        yield gateway


@pytest.fixture
def models(gateway, stand_in):
    """Changes the provider's models for the length of a test."""
    listed = stand_in.models
    yield lambda models: setattr(stand_in, "models", models)
    stand_in.models = listed
    until("the models are as before", lambda: gateway.models() == LISTED and gateway.list_age_secs("named") <= 2)


def test_a_model_is_added_and_removed(gateway, models):
    models(["rec-large", "rec-new"])
    until("the new model is listed", lambda: "named:rec-new" in gateway.models())
    assert "named:vendor/rec-small:free" not in gateway.models()
    assert gateway.client.models.retrieve("named:rec-new").id == "named:rec-new"
    models(["rec-large"])
    until("the model is no longer listed", lambda: "named:rec-new" not in gateway.models())
    with pytest.raises(openai.NotFoundError):
        gateway.client.models.retrieve("named:rec-new")


@pytest.mark.parametrize("unreadable", [None, "no list"])
def test_an_unreadable_list_leaves_the_last_list(gateway, models, unreadable):
    before = gateway.models()
    age = gateway.list_age_secs("named")
    models(unreadable)
    until("the list ages", lambda: gateway.list_age_secs("named") >= age + 2)
    assert gateway.models() == before


def test_the_gateway_asks_a_provider_with_the_provider_s_key(gateway, stand_in):
    question = next(seen for seen in reversed(stand_in.questions) if seen.provider == "named")
    assert (question.method, question.path) == ("GET", "/named/v1/models")
    assert question.credentials == {"authorization": f"Bearer {KEYS['named']}"}


def test_a_listed_model_can_be_asked(gateway, stand_in):
    stand_in.take()
    for model in sorted(gateway.models()):
        if model.startswith("named:"):
            gateway.client.embeddings.create(model=model, input="one")
    assert [seen.json["model"] for seen in stand_in.take()] == ["rec-large", "vendor/rec-small:free"]


def test_a_front_end_lists_the_same_models(gateway):
    listed = {model["id"]: model for model in gateway.json("/api/models")}
    assert listed.keys() == gateway.models()
    assert all(model.keys() == {"id", "name", "provider", "contextWindow"} for model in listed.values())
    assert listed["named:rec-large"]["provider"] == "named"


def test_a_refresh_updates_the_list(rarely_asking, models):
    until("the models are listed", lambda: rarely_asking.models() == LISTED - {"fixed:pinned"})
    models(["rec-new"])
    answer = rarely_asking.json("/api/models", "POST")
    assert answer.keys() == {"success", "message", "count"}
    assert answer["success"] is True
    assert answer["count"] == 2, "the number of models while the refresh is under way"
    until("the new model is listed", lambda: rarely_asking.models() == {"named:rec-new"})
