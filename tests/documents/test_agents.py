"""LiteLLM with virtual keys behind nginx, as agents reach it: nginx, then Gaud, then LiteLLM."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import httpx
import jsonschema
import openai
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from conftest import Gateway
from kit_py import gaud, servers
from kit_py.answers import TEXT, WORDS
from kit_py.processes import free_port
from litellm_server import MASTER_KEY
from test_first import command
from test_postgres_and_redis import manage, new_key

MODEL = "claude-sonnet-4-5"
# The tools for OpenAPI have an environment of their own, because LiteLLM fixes other versions of what they need.
VALIDATOR = Path(os.environ.get("GAUD_API_TOOLS", gaud.ROOT / ".tools/api/bin")) / "openapi-spec-validator"
VALIDATOR_LIMIT_SECS = 600  # the document has more than 300 paths
# The key of LiteLLM's lists is Gaud's; clients send their own to LiteLLM.
CONFIG = """
default_provider = "litellm"
discover_interval_secs = 1

[providers.litellm]
url = "$litellm"
models = [$models]

[breaker]
enabled = false
"""


@pytest.fixture(scope="module")
def gateway(site):
    models = ", ".join(json.dumps(name) for name in site.litellm.models())
    with site.gateway("agents", CONFIG.replace("$models", models)) as url:
        yield Gateway(url)


@pytest.fixture(scope="module")
def front(gateway, folder) -> str:
    """The base URL behind nginx, with the example of `envoy/front`."""
    with servers.nginx(int(gateway.url.rsplit(":", 1)[1]), folder) as port:
        yield f"http://127.0.0.1:{port}/api/litellm/v1"


@pytest.fixture(scope="module")
def key(gateway) -> str:
    return new_key(gateway)


@pytest.fixture(scope="module")
def headers(key) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def chat(content: str | None = None, **more) -> dict:
    messages = [{"role": "user", "content": content or f"Hello {uuid.uuid4().hex}"}]
    return {"model": MODEL, "messages": messages, "temperature": 0.7, "max_tokens": 1000} | more


# -- Base URLs and keys


@pytest.mark.parametrize("place", ["nginx", "without-nginx"])
def test_the_base_url(gateway, front, headers, place):
    base = {"nginx": front, "without-nginx": f"{gateway.url}/v1"}[place]
    answer = httpx.post(f"{base}/chat/completions", json=chat(), headers=headers, timeout=30)
    assert answer.json()["choices"][0]["message"]["content"] == TEXT


@pytest.mark.parametrize("kind", ["virtual", "master"])
def test_a_key_opens_the_api(front, key, kind):
    client = openai.OpenAI(base_url=front, api_key={"virtual": key, "master": MASTER_KEY}[kind], max_retries=0)
    assert client.chat.completions.create(**chat()).choices[0].message.content == TEXT


def test_the_list_of_models(front, headers, site):
    answer = httpx.get(f"{front}/models", headers=headers).json()
    assert answer["object"] == "list"
    assert {entry["id"] for entry in answer["data"]} == set(site.litellm.models())
    assert all({"id", "object", "created", "owned_by"} <= entry.keys() and entry["object"] == "model" for entry in answer["data"])


def test_the_list_from_litellms_own_port(site, headers):
    answer = httpx.get(f"{site.litellm.url}/v1/models", headers=headers).json()
    assert {entry["id"] for entry in answer["data"]} == set(site.litellm.models())


# -- Requests


def test_a_chat(front, headers, stand_in):
    answer = httpx.post(f"{front}/chat/completions", json=chat(), headers=headers, timeout=30).json()
    assert answer["object"] == "chat.completion" and answer["id"] and answer["created"]
    assert answer["choices"][0]["message"] == answer["choices"][0]["message"] | {"role": "assistant", "content": TEXT}
    assert answer["choices"][0]["finish_reason"] == "stop" and answer["choices"][0]["index"] == 0
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]
    seen = stand_in.one().json
    assert (seen["model"], seen["temperature"], seen["max_tokens"]) == (MODEL, 0.7, 1000)


def test_a_stream(front, headers):
    lines = []
    with httpx.stream("POST", f"{front}/chat/completions", json=chat(stream=True), headers=headers, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert all(chunk["object"] == "chat.completion.chunk" for chunk in chunks)
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]) == TEXT


ENDPOINTS = [
    ("completions", "POST", "/completions", {"model": "gpt-3.5-turbo", "prompt": "Hello"}),
    ("embeddings", "POST", "/embeddings", {"model": "text-embedding-3-small", "input": "Hello", "encoding_format": "float"}),
    ("images", "POST", "/images/generations", {"model": "dall-e-3", "prompt": "A crab"}),
    ("moderations", "POST", "/moderations", {"model": "omni-moderation-latest", "input": "Hello"}),
    ("list-files", "GET", "/files", None),
    ("delete-file", "DELETE", "/files/file-1", None),
    ("create-assistant", "POST", "/assistants", {"model": "gpt-4o"}),
    ("get-assistant", "GET", "/assistants/asst_1", None),
    ("create-thread", "POST", "/threads", {}),
    ("get-thread", "GET", "/threads/thread_1", None),
    ("create-message", "POST", "/threads/thread_1/messages", {"role": "user", "content": "Hello"}),
]


@pytest.mark.parametrize(("method", "path", "body"), [row[1:] for row in ENDPOINTS], ids=[row[0] for row in ENDPOINTS])
def test_an_endpoint_answers_as_litellm_does(front, headers, site, method, path, body):
    """Whether LiteLLM has the endpoint for a provider is LiteLLM's word: the answer is the same as without nginx and Gaud."""
    through, alone = (
        httpx.request(method, f"{base}{path}", json=body, headers=headers, timeout=30) for base in (front, f"{site.litellm.url}/v1")
    )
    assert through.headers["x-gaud-provider"] == "litellm"
    assert through.status_code == alone.status_code
    assert through.headers["content-type"] == alone.headers["content-type"]
    assert through.json().keys() == alone.json().keys()


def test_audio(front, key, stand_in):
    client = openai.OpenAI(base_url=front, api_key=key, max_retries=0)
    answer = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF" + bytes(range(256)) * 9))
    assert answer.text
    (part,) = [part for part in stand_in.one().form if part.filename]
    assert part.content == b"RIFF" + bytes(range(256)) * 9


@pytest.mark.parametrize(
    ("path", "fields"), [("/files", {"purpose": "batch"}), ("/audio/translations", {"model": "whisper-1"})], ids=["file", "translation"]
)
def test_an_upload_answers_as_litellm_does(front, headers, site, path, fields):
    authorization = {"Authorization": headers["Authorization"]}
    answers = [
        httpx.post(f"{base}{path}", headers=authorization, files={"file": ("a.jsonl", b"{}\n")}, data=fields, timeout=30)
        for base in (front, f"{site.litellm.url}/v1")
    ]
    assert answers[0].headers["x-gaud-provider"] == "litellm"
    assert answers[0].status_code == answers[1].status_code


# -- Code


def test_python_with_requests(front, headers):
    models = requests.get(f"{front}/models", headers=headers, timeout=30).json()["data"]
    assert MODEL in [model["id"] for model in models]
    assert all(model.get("owned_by", "unknown") for model in models)
    answer = requests.post(f"{front}/chat/completions", headers=headers, json=chat(), timeout=30)
    answer.raise_for_status()
    assert answer.json()["choices"][0]["message"]["content"] == TEXT


def test_javascript_with_fetch(front, key):
    script = """
    const [base, key, model] = process.argv.slice(1);
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
    const models = await (await fetch(`${base}/models`, { headers })).json();
    const body = JSON.stringify({ model, messages: [{ role: "user", content: `Hello ${Math.random()}` }], temperature: 0.7, max_tokens: 1000 });
    const answer = await (await fetch(`${base}/chat/completions`, { method: "POST", headers, body })).json();
    console.log(JSON.stringify([models.data.map((m) => m.id).includes(model), answer.choices[0].message.content]));
    """
    assert node(script, front, key, MODEL) == [True, TEXT]


def test_the_sdk_for_python(front, key):
    client = openai.OpenAI(base_url=front, api_key=key)
    assert client.chat.completions.create(**chat()).choices[0].message.content == TEXT


def test_the_sdk_for_javascript(front, key):
    script = """
    import OpenAI from "openai";
    const [baseURL, apiKey, model] = process.argv.slice(1);
    const client = new OpenAI({ baseURL, apiKey });
    const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content: `Hello ${Math.random()}` }] });
    console.log(JSON.stringify(answer.choices[0].message.content));
    """
    assert node(script, front, key, MODEL) == TEXT


def node(script: str, *words: str):
    argv = ["node", "--input-type=module", "-e", script, *words]
    done = subprocess.run(argv, cwd=gaud.ROOT / "tests/sdk", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# -- Providers


@pytest.mark.parametrize(
    ("model", "variable"),
    [("xai/grok-beta", "XAI_API_KEY"), ("gemini/gemini-pro", "GEMINI_API_KEY"), ("lm_studio/any", None), ("ollama/llama3", None)],
)
def test_gaud_reads_a_providers_models(tmp_path, model, variable):
    key = f", api_key: os.environ/{variable}" if variable else ""
    (tmp_path / "config.yaml").write_text(f"model_list:\n  - model_name: m\n    litellm_params: {{model: {model}{key}}}\n")
    done = command(tmp_path, "import", "litellm", "config.yaml")
    assert done.returncode == 0 and "config.yaml:2: m: " in done.stderr, done.stderr


# -- Practices


def test_keys_of_two_applications(gateway, front):
    keys = [new_key(gateway, models=[model], metadata={"application": model}) for model in ("gpt-4o-mini", MODEL)]
    statuses = [
        httpx.post(f"{front}/chat/completions", json=chat(model=model), headers={"Authorization": f"Bearer {key}"}, timeout=30).status_code
        for key in keys
        for model in ("gpt-4o-mini", MODEL)
    ]
    assert statuses[0] == statuses[3] == 200 and 401 <= statuses[1] <= 403 and 401 <= statuses[2] <= 403


def test_a_wrong_key_is_a_401(front):
    answer = requests.post(f"{front}/chat/completions", headers={"Authorization": "Bearer sk-wrong"}, json=chat(), timeout=30)
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        answer.raise_for_status()
    assert caught.value.response.status_code == 401


def test_a_limit_of_requests_is_a_429(gateway, front):
    client = openai.OpenAI(base_url=front, api_key=new_key(gateway, rpm_limit=1), max_retries=0)
    client.chat.completions.create(**chat())
    with pytest.raises(openai.RateLimitError) as refused:
        for _ in range(5):
            client.chat.completions.create(**chat())
    assert refused.value.status_code == 429


def test_a_session_that_tries_again(gateway, front, headers):
    session = requests.Session()
    strategy = Retry(total=3, backoff_factor=0.01, status_forcelist=[429, 500, 502, 503, 504], allowed_methods=None)
    session.mount("http://", HTTPAdapter(max_retries=strategy))
    body = chat(f"case-{uuid.uuid4().hex} a=500,500,good", model="gpt-4o-mini")
    assert session.post(f"{front}/chat/completions", headers=headers, json=body, timeout=30).status_code == 200


def test_a_stream_line_by_line(front, headers):
    answer = requests.post(f"{front}/chat/completions", headers=headers, json=chat(stream=True), stream=True, timeout=30)
    words = []
    for line in answer.iter_lines():
        if line.startswith(b"data: "):
            if (data := line[6:]) == b"[DONE]":
                break
            words += [choice["delta"].get("content") or "" for choice in json.loads(data)["choices"]]
    assert "".join(words) == "".join(WORDS)


def test_an_unknown_model_is_an_error_that_names_the_model(front, headers):
    answer = httpx.post(f"{front}/chat/completions", json=chat(model="no-such-model"), headers=headers, timeout=30)
    assert answer.status_code == 400 and "no-such-model" in answer.text


# -- Health and documents


def test_litellm_lives(gateway):
    answer = httpx.get(f"{gateway.url}/health/liveliness")
    assert (answer.status_code, answer.json()) == (200, "I'm alive!")


@pytest.mark.parametrize("kind", ["virtual", "master"])
def test_litellms_openapi_document_is_the_same(gateway, site, key, kind):
    authorization = {"Authorization": f"Bearer {key if kind == 'virtual' else MASTER_KEY}"}
    through, alone = (httpx.get(f"{url}/openapi.json", headers=authorization, timeout=60) for url in (gateway.url, site.litellm.url))
    document = through.json()
    assert document == alone.json()
    assert document["openapi"].startswith("3.") and document["info"]["title"] == "LiteLLM API" and len(document["paths"]) > 300


def test_litellms_openapi_document_is_valid(gateway, headers, tmp_path):
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{gateway.url}/openapi.json", headers=headers, timeout=60).content)
    done = subprocess.run([VALIDATOR, path], capture_output=True, text=True, timeout=VALIDATOR_LIMIT_SECS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_litellms_openapi_document_describes_its_requests(gateway, headers):
    """A body that the document accepts is answered, and the document refuses a body of another form."""
    document = httpx.get(f"{gateway.url}/openapi.json", headers=headers, timeout=60).json()
    operation = document["paths"]["/key/generate"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"] | {"components": document["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    body = {"key_alias": f"agent-{uuid.uuid4().hex}", "models": [MODEL]}
    validator.validate(body)
    assert manage(gateway, "/key/generate", body)["models"] == [MODEL]
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(body | {"models": MODEL})


def test_a_taken_port_is_named(tmp_path, gateway):
    address = gateway.url.removeprefix("http://")
    (tmp_path / "gaud.toml").write_text(f'listen = "{address}"\n[providers.litellm]\nurl = "http://localhost:4000"\n')
    done = command(tmp_path, "run")
    assert done.returncode != 0 and address in done.stderr and "listen" in done.stderr


def test_a_gateway_that_has_ended_is_a_refused_connection(site, headers):
    with site.gateway("ended", CONFIG.replace("$models", '"gpt-4o"')) as url:
        assert requests.get(f"{url}/api/litellm/v1/models", headers=headers, timeout=30).status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError) as refused:
        requests.get(f"{url}/api/litellm/v1/models", headers=headers, timeout=30)
    assert "Connection refused" in str(refused.value)


def test_a_key_cannot_be_made_before_litellm_has_started(folder):
    toml = f'default_provider = "litellm"\n[providers.litellm]\nurl = "http://127.0.0.1:{free_port()}"\n'
    with gaud.serving("early", toml, {}, folder) as url:
        answer = httpx.post(f"{url}/key/generate", json={}, headers={"Authorization": f"Bearer {MASTER_KEY}"}, timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_unreachable")


def test_a_virtual_key_is_made_through_the_gateway(gateway):
    made = manage(gateway, "/key/generate", {"key_alias": f"agent-{uuid.uuid4().hex}"})
    assert made["key"].startswith("sk-")
