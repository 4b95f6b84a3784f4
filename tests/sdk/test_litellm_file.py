"""LiteLLM's own file, read by Gaud: the same request reaches the same provider, model, path, body and credential as by LiteLLM alone."""

import collections
import json
import os
import string
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from kit_py import gaud
from kit_py.litellm_package import EXAMPLES, prefixes
from kit_py.stand_in import KEYS
from litellm_server import MASTER_KEY, LiteLlm, without_prisma

FILE = string.Template("""\
model_list:
  - model_name: plain
    litellm_params: {model: openai/gpt-4o, api_base: $url/a/v1, api_key: $key_a}
  - model_name: without-version
    litellm_params: {model: openai/org/llama-7b, api_base: $url/b, api_key: $key_b}
  - model_name: by-variables
    litellm_params: {model: openai/third, api_base: os.environ/BASE_OF_C, api_key: os.environ/KEY_OF_C}
  - model_name: with-password
    litellm_params: {model: openai/secret, api_base: "http://ann:pass@$host/p/v1", api_key: unused}
  - model_name: azure
    litellm_params: {model: azure/our-deployment, api_base: $url, api_key: sk-azure, api_version: "2024-10-21"}
  - model_name: fast
    litellm_params: {model: groq/llama-3.1-8b-instant, api_base: $url/g/openai/v1, api_key: sk-groq}
  - model_name: embed
    litellm_params: {model: openai/text-embedding-3-small, api_base: $url/a/v1, api_key: $key_a}
    model_info: {mode: embedding}
  - model_name: cool
    litellm_params: {model: openai/gpt-4o, api_base: $url/a/v1, api_key: $key_a, temperature: 0.1}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: $url/n, api_key: sk-ant}
  - model_name: twin
    litellm_params: {model: openai/one, api_base: $url/a/v1, api_key: $key_a, weight: 1}
  - model_name: twin
    litellm_params: {model: openai/two, api_base: $url/b/v1, api_key: $key_b, weight: 1}
  - model_name: team/*
    litellm_params: {model: openai/*, api_base: $url/c/v1, api_key: os.environ/KEY_OF_C}
  - model_name: fam-*
    litellm_params: {model: openai/fam-*, api_base: $url/a/v1, api_key: $key_a}
  - model_name: team/kept
    litellm_params: {model: openai/kept, api_base: $url/a/v1, api_key: $key_a, max_tokens: 7}
router_settings:
  model_group_alias: {nickname: plain, twin-name: twin}
  num_retries: 0
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
""")

CHAT = "/v1/chat/completions"
REPORTS = Path(__file__).parent / "litellm_examples.txt"
DIRECT = ["plain", "without-version", "by-variables", "azure", "fast", "nickname", "team/llama", "team/gpt-4o", "fam-x"]
KEPT = ["cool", "claude", "team/kept", "nobody-has-this"]


@pytest.fixture(scope="module")
def both(stand_in, folder, tmp_path_factory):
    """LiteLLM alone, and the gateway with LiteLLM's file, in front of the same LiteLLM."""
    place = tmp_path_factory.mktemp("litellm-file")
    values = {"url": stand_in.url, "host": stand_in.url.removeprefix("http://")}
    keys = {f"key_{name}": KEYS[name] for name in "abc"}
    config = place / "config.yaml"
    config.write_text(FILE.substitute(values | keys))
    own = {"BASE_OF_C": f"{stand_in.url}/c/v1", "KEY_OF_C": KEYS["c"]}
    litellm = LiteLlm("litellm-of-file", stand_in, place, without_prisma(place) | own)
    litellm.start(config)
    with litellm.server:
        litellm.wait()
        toml = f'[litellm]\nconfig = "{config}"\n[providers.litellm]\nurl = "{litellm.url}"\n'
        with gaud.serving("litellm-file", toml, own, place) as gateway:
            yield litellm.url, gateway


def post(url, path, body):
    headers = {"content-type": "application/json", "authorization": f"Bearer {MASTER_KEY}"}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def reached(stand_in, url, path, body):
    """What the provider has received, and the status of the answer."""
    stand_in.take()
    status, headers = post(url, path, body)
    # LiteLLM writes out to some providers that an answer is not streamed, which is what they take for granted.
    said = {"stream": False}
    seen = [(one.path, said | one.json, one.credentials) for one in stand_in.take()]
    return (status, seen), headers


def chat(model, **more):
    return {"model": model, "messages": [{"role": "user", "content": "Grüße"}], **more}


@pytest.mark.parametrize("model", DIRECT + KEPT)
def test_a_chat_reaches_the_same(both, stand_in, model):
    alone, gateway = both
    expected, _ = reached(stand_in, alone, CHAT, chat(model, n=1))
    seen, headers = reached(stand_in, gateway, CHAT, chat(model, n=1))
    assert seen[1] == expected[1]
    if expected[0] == 200:  # the stand-in answers on some paths what LiteLLM cannot read
        assert seen[0] == 200
    assert (headers["x-gaud-provider"] != "litellm") == (model in DIRECT)
    if model != "nobody-has-this":
        assert len(seen[1]) == 1


def test_a_password_in_the_url_is_sent(both, stand_in):
    """LiteLLM's own HTTP client refuses a URL with a password beside a key, and sends nothing."""
    alone, gateway = both
    (status, seen), _ = reached(stand_in, alone, CHAT, chat("with-password"))
    assert (status, seen) == (500, [])
    (status, seen), _ = reached(stand_in, gateway, CHAT, chat("with-password"))
    ((path, _, credentials),) = seen
    assert (status, path) == (200, "/p/v1/chat/completions")
    assert credentials == {"authorization": "Basic YW5uOnBhc3M="}


def test_embeddings_reach_the_same(both, stand_in):
    alone, gateway = both
    body = {"model": "embed", "input": ["a", "b"], "encoding_format": "float"}
    expected, _ = reached(stand_in, alone, "/v1/embeddings", body)
    seen, headers = reached(stand_in, gateway, "/v1/embeddings", body)
    assert seen == expected
    assert headers["x-gaud-provider"] != "litellm"


def test_messages_go_direct_and_chats_are_translated(both, stand_in):
    alone, gateway = both
    body = chat("claude", max_tokens=9)
    (_, expected), _ = reached(stand_in, alone, "/v1/messages", body)
    (_, seen), headers = reached(stand_in, gateway, "/v1/messages", body)
    assert headers["x-gaud-provider"] != "litellm"
    paths = [path.split("?")[0] for path, *_ in seen]
    assert paths == [path.split("?")[0] for path, *_ in expected] == ["/n/v1/messages"]
    assert [credentials["x-api-key"] for *_, credentials in seen] == ["sk-ant"]
    assert [json["model"] for _, json, _ in seen] == [json["model"] for _, json, _ in expected]


def test_a_path_that_litellm_translates_goes_to_litellm(both, stand_in):
    _, gateway = both
    _, headers = reached(stand_in, gateway, "/v1/messages", chat("plain", max_tokens=9))
    assert headers["x-gaud-provider"] == "litellm"


@pytest.mark.parametrize("model", ["twin", "twin-name"])
def test_deployments_of_one_name_share_its_requests(both, stand_in, model):
    spreads = []
    for url in both:
        spread = collections.Counter()
        for _ in range(30):
            (_, [(path, json, credentials)]), _ = reached(stand_in, url, CHAT, chat(model))
            spread[path, json["model"], credentials["authorization"]] += 1
        spreads.append(spread)
    alone, gateway = spreads
    assert alone.keys() == gateway.keys()
    assert len(gateway) == 2 and min(gateway.values()) > 4


def test_the_list_has_the_names_that_litellm_lists(both):
    lists = []
    for url in both:
        request = urllib.request.Request(f"{url}/v1/models", headers={"authorization": f"Bearer {MASTER_KEY}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            lists.append({model["id"] for model in json.load(response)["data"]})
    alone, gateway = lists
    # In the place of a pattern LiteLLM lists what it knows of the provider.
    assert len([name for name in alone if name.startswith("team/")]) > 100
    # A pattern without a prefix is listed by neither: LiteLLM knows no models of such a name.
    assert gateway == {name for name in alone if "*" not in name}


def test_the_examples_of_litellm_have_these_reports():
    """`UPDATE=1` writes the reports anew, for another LiteLLM."""
    told = "".join(report(path) for path in sorted(EXAMPLES.glob("*.yaml")))
    if "UPDATE" in os.environ:
        REPORTS.write_text(told)
    assert told == REPORTS.read_text()


def report(path: Path) -> str:
    argv = [gaud.binary(), "import", "litellm", path.name]
    run = subprocess.run(argv, cwd=path.parent, env=gaud.environment({}), capture_output=True, text=True, timeout=30)
    assert run.returncode in (0, 1), run
    return f"#### {path.name}\n{run.stderr}\n"


def test_the_known_models_are_those_of_litellm():
    """The names in `src/native/import/known.json`, which `known.py` makes."""
    made = subprocess.run([sys.executable, gaud.ROOT / "src/native/import/known.py"], capture_output=True, check=True, timeout=120)
    assert json.loads(made.stdout) == json.loads((gaud.ROOT / "src/native/import/known.json").read_text())


def test_the_prefixes_are_those_of_litellm():
    """The table of prefixes in `src/native/import/prefix.rs`, with LiteLLM's own bases."""
    import litellm
    from litellm.litellm_core_utils.get_llm_provider_logic import get_llm_provider

    litellm.suppress_debug_info = True
    rows = prefixes()
    assert len(rows) > 50
    elsewhere = {"openai", "azure", "anthropic", "openrouter"}  # LiteLLM has these bases in its handlers
    wrong = []
    for prefix, base in rows:
        model, provider, _, found = get_llm_provider(f"{prefix}/some-model")
        if (model, provider) != ("some-model", prefix) or (prefix not in elsewhere and (found or "") != base):
            wrong.append((prefix, base, provider, found))
    assert not wrong
