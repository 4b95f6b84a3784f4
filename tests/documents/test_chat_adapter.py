"""A chat application whose adapter reads LiteLLM's models, with Gaud in LiteLLM's place."""

import json
import re
import uuid
from contextlib import ExitStack

import httpx
import openai
import pytest

from conftest import Gateway, wait_for_models
from kit_py.answers import TEXT
from kit_py.processes import free_port
from kit_py.stand_in import StandIn
from kit_py.waiting import until
from litellm_server import MASTER_KEY
from test_first import command, run_in
from test_postgres_and_redis import ask, manage

MODELS = ["gpt-4", "gpt-3.5-turbo", "claude-3-5-sonnet-20241022", "gemini-pro", "llama-2-70b", "mistral-medium"]


def variables(site, **more: str) -> dict[str, str]:
    return {"LITELLM_ENABLED": "true", "LITELLM_BASE_URL": site.litellm.url, "LITELLM_API_KEY": MASTER_KEY} | more


@pytest.fixture(scope="module")
def running(site, tmp_path_factory):
    """The variables of the application's `.env`, and nothing else."""
    with run_in(tmp_path_factory.mktemp("chat"), None, variables(site)) as running:
        wait_for_models(running.gateway, "litellm:gpt-3.5-turbo")
        yield running


def models(gateway: Gateway) -> list[dict]:
    return httpx.get(f"{gateway.url}/api/models").json()


@pytest.mark.parametrize("model", [name for name in MODELS if name != "gpt-4"])
def test_one_adapter_reaches_every_provider(running, model):
    assert ask(running.gateway.client(), model, max_tokens=9).choices[0].message.content == TEXT


def test_the_application_s_variables_make_the_provider(running):
    answer = running.gateway.client().chat.completions.with_raw_response.create(
        model="gpt-3.5-turbo", messages=[{"role": "user", "content": f"Hello {uuid.uuid4().hex}"}]
    )
    assert answer.headers["x-gaud-provider"] == "litellm"


def test_without_a_url_litellm_is_on_port_4000_of_this_machine(tmp_path):
    rendered = command(tmp_path, "render", LITELLM_ENABLED="true")
    assert rendered.returncode == 0, rendered.stderr
    assert re.search(r"address: \"?localhost\"?,? *\n? *port_value: 4000\b", rendered.stdout), rendered.stdout
    assert "gpt-4 -> litellm: gpt-4 " in command(tmp_path, "route", "gpt-4", LITELLM_ENABLED="true").stdout


def test_litellm_can_be_switched_off(site, tmp_path):
    checked = command(tmp_path, "check", **variables(site, LITELLM_ENABLED="false"))
    assert checked.returncode != 0 and "GAUD_LITELLM_URL" in checked.stderr


def test_the_list_has_what_a_front_end_reads(running):
    found = {entry["id"]: entry for entry in models(running.gateway)}
    entry = found["litellm:claude-3-5-sonnet-20241022"]
    assert entry.keys() == {"id", "name", "provider", "contextWindow"}
    assert (entry["provider"], entry["contextWindow"]) == ("litellm", 200_000)


def test_names_and_windows_that_no_list_says(running):
    """LiteLLM's list has neither names for people nor windows, and LiteLLM's table has no gemini-pro."""
    found = {entry["id"]: entry for entry in models(running.gateway)}
    assert found["litellm:gpt-3.5-turbo"]["name"] == "litellm:gpt-3.5-turbo"
    assert found["litellm:gemini-pro"]["contextWindow"] is None


@pytest.mark.parametrize(("model", "window"), [("gpt-4", 8192), ("gpt-4-turbo", 128_000), ("claude-3-opus", 200_000)])
def test_a_window_is_estimated_by_the_family(tmp_path, model, window):
    toml = f'[providers.litellm]\nurl = "http://127.0.0.1:1"\ndiscover_models = false\nmodels = ["{model}"]\n'
    with run_in(tmp_path, toml, {}) as running:
        assert [entry["contextWindow"] for entry in models(running.gateway)] == [window]


def test_the_written_models_and_litellms_are_one_list(site, tmp_path):
    toml = f'[providers.litellm]\nurl = "{site.litellm.url}"\napi_key = "{MASTER_KEY}"\n[providers.openai]\nurl = "http://127.0.0.1:1"\nmodels = ["gpt-5"]\n'
    with run_in(tmp_path, toml, {}) as running:
        wait_for_models(running.gateway, "openai:gpt-5", "litellm:gemini-pro")
        assert {entry["provider"] for entry in models(running.gateway)} == {"openai", "litellm"}


def test_an_sdk_without_v1_in_its_base_url(running):
    """The document's adapter has LiteLLM's URL alone as its base URL."""
    client = openai.OpenAI(base_url=running.gateway.url, api_key="any", max_retries=0)
    assert ask(client, "gpt-3.5-turbo").choices[0].message.content == TEXT


def test_a_new_model_is_there_after_a_refresh(running, site):
    params = {"model": "openai/x", "api_key": "unused", "mock_response": "Hello from the new model."}
    name = f"new-{uuid.uuid4().hex[:8]}"
    litellm = Gateway(site.litellm.url)
    id = manage(litellm, "/model/new", {"model_name": name, "litellm_params": params})["model_id"]
    wait_for_models(litellm, name, key=MASTER_KEY)
    assert ask(running.gateway.client(), name).choices[0].message.content == "Hello from the new model."
    answer = httpx.post(f"{running.gateway.url}/api/models")
    assert answer.status_code == 200
    assert answer.json()["success"] is True and answer.json()["message"] and answer.json()["count"] > 0
    # Well before the next regular question, which comes after five minutes.
    until("the new model is listed", lambda: f"litellm:{name}" in {entry["id"] for entry in models(running.gateway)}, 20)
    manage(litellm, "/model/delete", {"id": id})


def test_the_list_stays_while_litellm_is_away(tmp_path):
    """The provider has listed its models, and ends; the gateway has asked again in vain."""
    with ExitStack() as running_provider:
        provider = StandIn()
        running_provider.callback(provider.close)
        toml = f'discover_interval_secs = 1\n[providers.litellm]\nurl = "{provider.url}/plain/v1"\nhealth_path = ""\n'
        with run_in(tmp_path, toml, {}) as running:
            listed = wait_for_models(running.gateway, "litellm:rec-large")
            running_provider.close()
            until("the question has failed", lambda: "gaud: provider litellm: GET " in running.server.logs())
            with pytest.raises(openai.InternalServerError):
                ask(running.gateway.client(), "litellm:rec-large")
            assert running.gateway.models() == listed
            assert {entry["id"] for entry in models(running.gateway)} == listed


def test_a_litellm_that_never_answered_leaves_the_written_list(tmp_path):
    toml = f'[providers.litellm]\nurl = "http://127.0.0.1:{free_port()}"\nmodels = ["gpt-4"]\n'
    with run_in(tmp_path, toml, {}) as running:
        assert [entry["id"] for entry in models(running.gateway)] == ["litellm:gpt-4"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_localhost_and_its_address(running, host):
    url = running.gateway.url.replace("127.0.0.1", host)
    assert httpx.get(f"{url}/v1/models").status_code == 200


def test_a_missing_key_is_litellms_401(site, tmp_path):
    with run_in(tmp_path, None, {"LITELLM_BASE_URL": site.litellm.url}) as running:
        with pytest.raises(openai.AuthenticationError):
            ask(running.gateway.client("sk-nobody"), "gpt-3.5-turbo")


def test_direct_connections_stay_beside_litellm(site, stand_in, tmp_path):
    toml = f'[providers.openai]\nurl = "{stand_in.url}/plain/v1"\napi_key = "sk-own"\nmatch = ["gpt-4"]\n'
    with run_in(tmp_path, toml, variables(site)) as running:
        assert ask(running.gateway.client(), "gpt-4").choices[0].message.content == TEXT
        assert stand_in.one().path == "/plain/v1/chat/completions"
        assert ask(running.gateway.client(), "litellm:gemini-pro").choices[0].message.content == TEXT


FALLBACKS = "model_list:\n  - model_name: gpt-4\n    litellm_params: {model: openai/gpt-4}\nlitellm_settings:\n  fallbacks: true\n  num_retries: 2\n"


def test_fallbacks_true_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "litellm_config.yaml").write_text(FALLBACKS)
    done = command(tmp_path, "import", "litellm", "litellm_config.yaml")
    assert "litellm_settings.fallbacks: refused: is `true`; write a list of tables" in done.stderr, done.stderr


@pytest.mark.parametrize("model", ["openai/gpt-4", "anthropic/claude-3-5-sonnet-20241022", "gemini/gemini-pro", "replicate/meta/llama-2-70b-chat", "mistral/mistral-medium"])
def test_gaud_reads_an_entry_of_the_document(tmp_path, model):
    (tmp_path / "litellm_config.yaml").write_text(f"model_list:\n  - model_name: m\n    litellm_params: {{model: {model}, api_key: os.environ/KEY}}\n")
    done = command(tmp_path, "import", "litellm", "litellm_config.yaml")
    assert done.returncode == 0 and re.search(r": m: (direct|stays with LiteLLM): ", done.stderr), done.stderr


def test_one_client_in_the_place_of_three(site, stand_in, running):
    client = running.gateway.client()
    for model in ("gpt-3.5-turbo", "claude-3-5-sonnet-20241022", "gemini-pro"):
        assert ask(client, model, max_tokens=9).choices[0].message.content == TEXT
    assert [json.loads(seen.body)["model"] for seen in stand_in.take()] == ["gpt-3.5-turbo", "claude-3-5-sonnet-20241022", "gemini-pro"]
