"""LiteLLM under systemd with PostgreSQL and Redis: what its users do, through Gaud."""

import re
import ssl
import subprocess
import uuid

import httpx
import openai
import pytest

import database
import redis_server
from conftest import Gateway
from kit_py import servers
from kit_py.answers import TEXT
from kit_py.stand_in import KEYS
from kit_py.waiting import until
from litellm_server import MASTER_KEY
from test_first import command
from test_postgres_and_redis import ask, manage, new_key

CONFIG = """
default_provider = "litellm"
allow_hosts = ["llm.example.com"]

[providers.litellm]
url = "$litellm"
models = ["claude-3-5-sonnet-20241022", "gpt-4o", "my-custom-model"]

[providers.claude]
url = "$stand_in/direct-claude/v1"
api_key = "sk-ant-direct"
auth = "x-api-key"
headers = { anthropic-version = "2023-06-01" }

[breaker]
enabled = false
"""


@pytest.fixture(scope="module")
def gateway(site):
    with site.gateway("under-systemd", CONFIG) as url:
        yield Gateway(url)


# -- The first requests


def test_the_list_of_models(gateway):
    assert {"claude-3-5-sonnet-20241022", "gpt-4o"} <= gateway.models()


def test_a_chat_with_the_master_key(gateway, stand_in):
    answer = ask(gateway.client(MASTER_KEY), "claude-3-5-sonnet-20241022", max_tokens=9)
    assert answer.choices[0].message.content == TEXT
    assert stand_in.one().path.startswith("/claude/v1/messages")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"])
def test_an_endpoint(gateway, path):
    more = {"messages": [{"role": "user", "content": uuid.uuid4().hex}]} if "chat" in path else {"prompt": uuid.uuid4().hex}
    model = "text-embedding-3-small" if "embeddings" in path else "gpt-3.5-turbo"
    body = {"model": model} | ({"input": uuid.uuid4().hex, "encoding_format": "float"} if "embeddings" in path else more)
    answer = httpx.post(f"{gateway.url}{path}", json=body, headers={"authorization": f"Bearer {MASTER_KEY}"}, timeout=30)
    assert answer.headers["x-gaud-provider"] == "litellm"
    assert answer.status_code == 200, answer.text
    assert answer.json()["data" if "embeddings" in path else "choices"]


def test_the_health_of_the_gateway_needs_no_key_and_calls_no_model(gateway, stand_in):
    answer = httpx.get(f"{gateway.url}/health")
    assert answer.status_code == 200 and answer.json()["providers"]["litellm"]["breaker"] == "closed"
    assert stand_in.take() == []


def test_litellms_own_health_wants_its_key(site):
    assert httpx.get(f"{site.litellm.url}/health", timeout=30).status_code == 401


def test_an_external_url_by_caddy(gateway, tmp_path):
    host = "llm.example.com"
    with servers.caddy_in_front(gateway.url.removeprefix("http://"), host, tmp_path) as (port, authority):
        client = httpx.Client(verify=ssl.create_default_context(cafile=authority), timeout=30)
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": uuid.uuid4().hex}]}
        headers = {"host": host, "authorization": f"Bearer {MASTER_KEY}"}
        url = f"https://127.0.0.1:{port}/v1/chat/completions"
        answer = client.post(url, json=body, headers=headers, extensions={"sni_hostname": host})
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["message"]["content"] == TEXT
        assert answer.headers["x-gaud-provider"] == "litellm"


# -- What LiteLLM does with PostgreSQL


def test_requests_are_in_litellms_logs(gateway):
    name = f"agent-{uuid.uuid4().hex}"
    key = new_key(gateway, key_alias=name)
    # LiteLLM gives this answer an id of its own, by which the log knows the request.
    ask(gateway.client(key), "claude-sonnet-4", max_tokens=9)

    def logged() -> bool:
        rows = manage(gateway, f"/spend/logs?api_key={key}")
        return any(row["model_group"] == "claude-sonnet-4" and row["total_tokens"] > 0 for row in rows)

    until("the request is in the log", logged)


def test_the_tables_are_there(site):
    url = site.litellm.environment["DATABASE_URL"]
    argv = [database.program("psql"), "--dbname", url, "--command", r"\dt"]
    listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "LiteLLM_VerificationToken" in listed and "LiteLLM_SpendLogs" in listed


def test_a_key_is_rotated(gateway):
    """The new key opens what the old one has opened, and the old one opens nothing."""
    old = new_key(gateway)
    new = new_key(gateway)
    manage(gateway, "/key/delete", {"keys": [old]})
    assert ask(gateway.client(new), "gpt-4o-mini").choices[0].message.content == TEXT
    with pytest.raises(openai.AuthenticationError):
        ask(gateway.client(old), "gpt-4o-mini")


def test_a_limit_of_a_key(gateway):
    client = gateway.client(new_key(gateway, rpm_limit=1))
    with pytest.raises(openai.RateLimitError):
        for _ in range(5):
            ask(client, "gpt-4o-mini")


def test_a_budget_of_a_user(gateway):
    user = manage(gateway, "/user/new", {"user_id": f"ann-{uuid.uuid4().hex}", "max_budget": 1.5})
    client = gateway.client(user["key"])
    assert ask(client, "dear").choices[0].message.content == TEXT

    def is_refused() -> bool:
        try:
            ask(client, "dear")
        except openai.APIStatusError as error:
            return error.type == "budget_exceeded"
        return False

    until("the user's budget is used up", is_refused)


# -- Redis


def test_redis_answers(site):
    assert redis_server.ask(site.redis_port, "PING") == "+PONG"


# -- Models


def test_a_model_at_an_endpoint_of_ones_own(gateway, stand_in):
    assert ask(gateway.client(MASTER_KEY), "my-custom-model").choices[0].message.content == TEXT
    seen = stand_in.one()
    assert (seen.provider, seen.json["model"]) == ("a", "gpt-4")
    assert seen.credentials == {"authorization": f"Bearer {KEYS['a']}"}


def test_a_provider_is_asked_directly(gateway, stand_in):
    """The document asks Anthropic itself with curl, to tell whose fault an error is."""
    body = {"model": "claude:claude-3-5-sonnet-20241022", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
    answer = httpx.post(f"{gateway.url}/v1/messages", json=body, timeout=30)
    assert answer.status_code == 200 and answer.headers["x-gaud-provider"] == "claude"
    seen = stand_in.one()
    assert seen.credentials == {"x-api-key": "sk-ant-direct"} and seen.header("anthropic-version") == "2023-06-01"


FILES = {
    "routing": "router_settings:\n  redis_host: litellm-redis\n  redis_port: 6379\n  num_retries: 3\n  timeout: 600\n",
    "logging": 'litellm_settings:\n  success_callback: ["postgres"]\n  drop_params: true\n  set_verbose: false\n',
    "verbose": "litellm_settings:\n  set_verbose: true\n",
    "balance": "router_settings:\n  routing_strategy: usage-based-routing\n",
    "budget": "general_settings:\n  master_key: sk-1234\n  budget_duration: 30d\n  max_budget: 100.0\n",
    "langsmith": 'litellm_settings:\n  success_callback: ["langsmith"]\n',
    "langfuse": 'litellm_settings:\n  success_callback: ["langfuse"]\n  langfuse_public_key: os.environ/A\n  langfuse_secret_key: os.environ/B\n  langfuse_host: https://langfuse.example\n',
}
ENTRY = "model_list:\n  - model_name: gpt-4o\n    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}\n"


@pytest.mark.parametrize("name", FILES)
def test_gaud_reads_the_settings(tmp_path, name):
    (tmp_path / "litellm.yaml").write_text(ENTRY + FILES[name])
    done = command(tmp_path, "import", "litellm", "litellm.yaml")
    assert done.returncode == 0, done.stderr
    assert re.search(r"gpt-4o: (direct|stays with LiteLLM)", done.stderr), done.stderr


def test_a_callback_is_for_what_litellm_answers(tmp_path):
    (tmp_path / "litellm.yaml").write_text(ENTRY + FILES["logging"])
    said = command(tmp_path, "import", "litellm", "litellm.yaml").stderr
    assert "litellm.yaml:5: litellm_settings.success_callback: not on models that go direct" in said, said


SERVERS = {
    "ai21": ("ai21/jamba-large, api_key: os.environ/AI21_API_KEY", "stays with LiteLLM: LiteLLM translates for ai21"),
    "vllm": ("hosted_vllm/llama, api_base: http://localhost:8000/v1", "direct: localhost: llama at http://localhost:8000/v1"),
    "localai": ("openai/phi-4, api_base: http://localhost:8080/v1, api_key: unused", "direct: localhost: phi-4 at http://localhost:8080/v1"),
    "google": ("gemini/gemini-pro, api_key: os.environ/GOOGLE_API_KEY", "stays with LiteLLM: LiteLLM translates for gemini"),
}


@pytest.mark.parametrize("name", SERVERS)
def test_gaud_reads_an_entry_of_a_provider(tmp_path, name):
    params, said = SERVERS[name]
    (tmp_path / "litellm.yaml").write_text(f"model_list:\n  - model_name: m\n    litellm_params: {{model: {params}}}\n")
    done = command(tmp_path, "import", "litellm", "litellm.yaml")
    assert done.returncode == 0 and f"litellm.yaml:2: m: {said}" in done.stderr, done.stderr


MISTAKES = {
    "plain-names": "router_settings:\n  fallbacks:\n    - gpt-4o\n    - gpt-4o-mini\n",
    "model-name": "router_settings:\n  fallbacks:\n    - {model_name: gpt-4o, fallbacks: [gpt-4o-mini]}\n",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_form_of_fallbacks_that_litellm_does_not_know_is_said(tmp_path, name):
    (tmp_path / "litellm.yaml").write_text(ENTRY + MISTAKES[name])
    done = command(tmp_path, "import", "litellm", "litellm.yaml")
    assert re.search(r"litellm\.yaml:\d+: router_settings\.fallbacks.*(refused|is not)", done.stderr), done.stderr
