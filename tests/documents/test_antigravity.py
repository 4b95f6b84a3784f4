"""Models of a gateway with OpenAI's API, listed in LiteLLM's file: straight from Gaud, and by LiteLLM in front of Gaud."""

import json
import uuid

import pytest

from conftest import Gateway, wait_for_models
from kit_py import gaud
from kit_py.answers import TEXT
from litellm_server import MASTER_KEY
from test_postgres_and_redis import ask, manage

MODELS = [
    "claude-sonnet-4-5-thinking",
    "claude-opus-4-5-thinking",
    "claude-sonnet-4-5",
    "gemini-3-flash",
    "gemini-3-pro-high",
    "gemini-3-pro-low",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
]
ENTRY = """\
  - model_name: {name}
    model_info: {{mode: chat, supports_vision: true, supports_function_calling: true, max_input_tokens: 200000, max_output_tokens: 8000}}
    litellm_params: {{model: openai/{name}, api_base: "{base}", api_key: "{key}", stream: true}}
"""


def litellm_file(base: str, key: str = "not-needed", models: list[str] = MODELS) -> str:
    return "model_list:\n" + "".join(ENTRY.format(name=name, base=base, key=key) for name in models)


def reading(site, file: str, secrets: dict[str, str] | None = None):
    """A gateway that reads LiteLLM's file."""
    config = site.folder / f"antigravity-{uuid.uuid4().hex}.yaml"
    config.write_text(file)
    toml = f'[litellm]\nconfig = "{config}"\n[providers.litellm]\nurl = "$litellm"\n'
    return site.gateway(config.stem, toml, secrets)


@pytest.fixture(scope="module")
def gateway(site):
    with reading(site, litellm_file(f"{site.stand_in.url}/antigravity/v1")) as url:
        yield Gateway(url)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_goes_to_the_gateway_of_its_entry(gateway, stand_in, model):
    answer = gateway.client().chat.completions.with_raw_response.create(model=model, messages=[{"role": "user", "content": "Hello!"}])
    assert answer.parse().choices[0].message.content == TEXT
    assert answer.headers["x-gaud-provider"] != "litellm"
    seen = stand_in.one()
    assert (seen.path, seen.json["model"]) == ("/antigravity/v1/chat/completions", model)
    assert seen.credentials == {"authorization": "Bearer not-needed"}


def test_the_models_are_listed(gateway):
    assert set(MODELS) <= wait_for_models(gateway, *MODELS)


def test_a_key_in_the_place_of_a_bearer_token(site, stand_in):
    with reading(site, litellm_file(f"{site.stand_in.url}/caddy/v1", "sk-of-caddy", MODELS[:1])) as url:
        ask(Gateway(url).client(), MODELS[0])
        assert stand_in.one().credentials == {"authorization": "Bearer sk-of-caddy"}


def test_a_user_and_a_password_in_the_url(site, stand_in):
    base = site.stand_in.url.replace("http://", "http://username:password@") + "/caddy/v1"
    with reading(site, litellm_file(base, models=MODELS[:1])) as url:
        ask(Gateway(url).client(), MODELS[0])
        assert stand_in.one().credentials == {"authorization": "Basic dXNlcm5hbWU6cGFzc3dvcmQ="}


def test_the_place_and_the_key_from_the_environment(site, stand_in):
    variables = {"ANTIGRAVITY_API_BASE": f"{site.stand_in.url}/antigravity/v1", "ANTIGRAVITY_API_KEY": "not-needed"}
    with reading(site, litellm_file("os.environ/ANTIGRAVITY_API_BASE", "os.environ/ANTIGRAVITY_API_KEY", MODELS[:1]), variables) as url:
        ask(Gateway(url).client(), MODELS[0])
        assert stand_in.one().credentials == {"authorization": "Bearer not-needed"}


def test_litellm_in_front_of_gaud(site, stand_in):
    """LiteLLM's entry names Gaud as its `api_base`; `openai/` makes LiteLLM send OpenAI's form."""
    toml = '[providers.antigravity]\nurl = "$stand_in/antigravity/v1"\nmatch = ["*"]\n'
    with site.gateway("behind-litellm", toml) as url:
        litellm = Gateway(site.litellm.url)
        name = f"gemini-3-flash-{uuid.uuid4().hex[:6]}"
        params = {"model": "openai/gemini-3-flash", "api_base": f"{url}/v1", "api_key": "not-needed"}
        id = manage(litellm, "/model/new", {"model_name": name, "litellm_params": params})["model_id"]
        wait_for_models(litellm, name, key=MASTER_KEY)
        assert ask(litellm.client(MASTER_KEY), name).choices[0].message.content == TEXT
        assert stand_in.one().json["model"] == "gemini-3-flash"
        manage(litellm, "/model/delete", {"id": id})


def test_the_first_request_and_the_list_with_the_master_key(site, gateway):
    client = gateway.client(MASTER_KEY)
    assert "gemini-3-flash" in {model.id for model in client.models.list()}
    assert ask(client, "gemini-3-flash").choices[0].message.content == TEXT


def test_what_stays_is_said(tmp_path):
    from test_first import command

    (tmp_path / "litellm-config.yaml").write_text(litellm_file("http://antigravity-gateway:8080/v1"))
    done = command(tmp_path, "import", "litellm", "litellm-config.yaml")
    assert f"deployments: {len(MODELS)} direct, 0 with LiteLLM" in done.stderr, done.stderr
    assert json.dumps("http://antigravity-gateway:8080/v1") in done.stdout
