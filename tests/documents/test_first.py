"""The first documentation of Gaud: LiteLLM as one provider among direct ones."""

import html
import json
import re
import signal
import subprocess
import time
import tomllib
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import openai
import pytest

from conftest import ANTHROPIC_KEY, Gateway, providers, wait_for_models
from kit_py import gaud
from kit_py.answers import TEXT
from kit_py.processes import Server
from kit_py.stand_in import KEYS
from kit_py.waiting import until
from litellm_server import MASTER_KEY, LiteLlm, without_prisma

ADMIN_KEY = f"sk-prx-adm{'1' * 9}-{'k' * 32}"
VARIABLES = {"GAUD_LISTEN": "127.0.0.1:0", "GAUD_ADMIN_LISTEN": "127.0.0.1:0", "GAUD_ADMIN_KEY": ADMIN_KEY}
FILE = """
[providers.litellm]
url = "$litellm"
api_key = "$master_key"
discover_models = true
timeout_secs = 120
"""
DIRECT = """
[providers.kiro]
url = "$stand_in/kiro/v1"

[providers.claude]
url = "$stand_in/direct-claude/v1"
match = ["claude-*"]

[providers.gemini]
url = "$stand_in/gemini/v1"
match = ["gemini-*"]

[providers.copilot]
url = "$stand_in/copilot/v1"
match = ["gpt-*", "o1*", "o3*"]
"""


class Running(NamedTuple):
    gateway: Gateway
    folder: Path
    server: Server

    def admin(self, method: str, path: str, body: dict | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        return httpx.request(method, f"{self.gateway.url}{path}", json=body, headers=headers, timeout=30)

    def set(self, key: str, value) -> httpx.Response:
        return self.admin("PUT", "/admin/settings", {"key": key, "value": value})

    def new_key(self, **body) -> str:
        """A key of Gaud's, which the gateway knows."""
        created = self.admin("POST", "/admin/keys", body)
        assert created.status_code in (200, 201), created.text
        headers = {"authorization": f"Bearer {created.json()['key']}"}
        until("the key is known", lambda: httpx.get(f"{self.gateway.url}/v1/models", headers=headers).status_code == 200)
        return created.json()["key"]

    @property
    def config(self) -> str:
        return (self.folder / "llm-proxy.toml").read_text()


@contextmanager
def run_in(folder: Path, toml: str | None, variables: dict[str, str]):
    """`gaud run` in a folder, as the document starts it: nothing names the configuration."""
    if toml is not None:
        (folder / "llm-proxy.toml").write_text(toml)
    argv = ["sh", "-c", 'cd "$0" && exec "$1" run', str(folder), str(gaud.binary())]
    environment = gaud.environment(VARIABLES | variables)
    with Server(f"gaud-{uuid.uuid4().hex[:6]}", argv, environment, folder, end_with=signal.SIGINT) as server:
        address = server.wait_until(lambda: gaud.printed_address(server.stdout), gaud.START_LIMIT_SECS)
        yield Running(Gateway(address), folder, server)


def filled(site, toml: str) -> str:
    values = {"$litellm": site.litellm.url, "$master_key": MASTER_KEY, "$stand_in": site.stand_in.url}
    for name, value in values.items():
        toml = toml.replace(name, value)
    return toml


@pytest.fixture(scope="module")
def running(site, tmp_path_factory):
    """The file of the document, and the direct providers of the table of prefixes."""
    with run_in(tmp_path_factory.mktemp("first"), filled(site, FILE + DIRECT), {}) as running:
        wait_for_models(running.gateway, "litellm:gpt-4o")
        yield running


@pytest.fixture
def own(site, tmp_path):
    """A gateway for one test, which changes settings."""
    with run_in(tmp_path, filled(site, FILE), {}) as running:
        wait_for_models(running.gateway, "litellm:gpt-4o")
        yield running


def ask(gateway: Gateway, model: str, key: str = "any", **options):
    messages = [{"role": "user", "content": f"Hello {uuid.uuid4().hex}"}]
    return gateway.client(key).chat.completions.with_raw_response.create(model=model, messages=messages, **options)


def command(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess:
    environment = gaud.environment(variables)
    return subprocess.run([gaud.binary(), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


# -- Start


def test_without_a_setting_the_port_is_8400(tmp_path):
    (tmp_path / "llm-proxy.toml").write_text('[providers.litellm]\nurl = "http://localhost:4000"\n')
    rendered = command(tmp_path, "render").stdout
    assert re.search(r"port_value: 8400\b", rendered), rendered[:2000]


def test_llm_proxy_toml_of_the_current_folder_is_read(running):
    assert ask(running.gateway, "litellm:gpt-4o-mini").parse().choices[0].message.content == TEXT


def test_the_environment_alone_makes_the_provider(site, tmp_path, stand_in):
    with run_in(tmp_path, None, {"GAUD_LITELLM_URL": site.litellm.url, "GAUD_LITELLM_API_KEY": MASTER_KEY}) as alone:
        assert ask(alone.gateway, "litellm:gpt-4o-mini").parse().choices[0].message.content == TEXT
        assert stand_in.one().json["model"] == "gpt-4o-mini"
        assert "litellm:gpt-4o" in wait_for_models(alone.gateway, "litellm:gpt-4o-mini")


def test_the_variables_add_the_provider_to_a_file_without_litellm(site, tmp_path):
    with run_in(tmp_path, filled(site, DIRECT), {"GAUD_LITELLM_URL": site.litellm.url, "GAUD_LITELLM_API_KEY": MASTER_KEY}) as both:
        assert ask(both.gateway, "litellm:gpt-4o-mini").headers["x-gaud-provider"] == "litellm"
        assert ask(both.gateway, "gpt-4o").headers["x-gaud-provider"] == "copilot"


@pytest.mark.parametrize("variable", ["API_KEY", "DISCOVER", "TIMEOUT"])
def test_the_other_variables_make_no_provider(tmp_path, variable):
    value = {"API_KEY": "sk-1", "DISCOVER": "true", "TIMEOUT": "9"}[variable]
    said = command(tmp_path, "check", **{f"GAUD_LITELLM_{variable}": value})
    assert said.returncode != 0
    assert "GAUD_LITELLM_URL" in said.stderr


def test_a_folder_in_the_place_of_the_file(site, tmp_path):
    """Docker makes the folder where the file to mount does not exist."""
    (tmp_path / "llm-proxy.toml").mkdir()
    with run_in(tmp_path, None, {"GAUD_LITELLM_URL": site.litellm.url}) as alone:
        assert "warning: llm-proxy.toml: is a folder, as Docker makes one" in alone.server.logs()


def test_the_first_request_with_a_key_of_gaud(own, stand_in):
    key = own.new_key(name="ann")
    assert key.startswith("sk-prx-")
    assert ask(own.gateway, "litellm:gpt-4o", key).parse().choices[0].message.content == TEXT
    seen = stand_in.one()
    assert seen.json["model"] == "gpt-4o"
    assert not seen.contains(key)


# -- Names


@pytest.mark.parametrize(
    ("model", "provider", "received"),
    [
        ("litellm:gpt-4o", "litellm", "gpt-4o"),
        ("kiro:claude-sonnet-4", "kiro", "claude-sonnet-4"),
        ("claude-sonnet-4", "claude", "claude-sonnet-4"),
        ("gemini-2.5-pro", "gemini", "gemini-2.5-pro"),
        ("gpt-4o", "copilot", "gpt-4o"),
        ("o1-preview", "copilot", "o1-preview"),
        ("o3-mini", "copilot", "o3-mini"),
    ],
)
def test_the_prefix_chooses_the_provider(running, stand_in, model, provider, received):
    assert ask(running.gateway, model).headers["x-gaud-provider"] == provider
    assert stand_in.one().json["model"] == received


@pytest.mark.parametrize(
    ("model", "place", "received"),
    [
        ("gpt-4o-mini", "a", "gpt-4o-mini"),
        ("anthropic/claude-3-haiku", "claude", "claude-3-haiku"),
        ("bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", "a", "bedrock-model"),
    ],
)
def test_the_prefix_is_taken_off_before_litellm(running, stand_in, model, place, received):
    """LiteLLM knows the model by the rest alone: with a prefix LiteLLM has none of these."""
    ask(running.gateway, f"litellm:{model}", max_tokens=9)
    seen = stand_in.one()
    assert (seen.provider, seen.json["model"]) == (place, received)


WILDCARDS = """\
model_list:
  - model_name: "anthropic/*"
    litellm_params: {model: "anthropic/*", api_base: os.environ/STAND_IN_CLAUDE, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: "bedrock/*"
    litellm_params: {model: "bedrock/*"}
  - model_name: "*"
    litellm_params: {model: "openai/*", api_base: os.environ/STAND_IN_A, api_key: os.environ/KEY_A}
"""


@pytest.fixture(scope="module")
def wildcards(site, tmp_path_factory):
    """A gateway in front of a LiteLLM with the document's three patterns."""
    folder = tmp_path_factory.mktemp("wildcards")
    (folder / "config.yaml").write_text(WILDCARDS)
    litellm = LiteLlm("wildcards", site.stand_in, folder, providers(site.stand_in) | without_prisma(folder))
    litellm.start(folder / "config.yaml")
    with litellm.server:
        litellm.wait()
        with run_in(folder, filled(site, FILE).replace(site.litellm.url, litellm.url), {}) as running:
            yield running


@pytest.mark.parametrize(
    ("model", "place", "received"),
    [("anthropic/claude-3-haiku", "claude", "claude-3-haiku"), ("a-model-that-no-entry-names", "a", "a-model-that-no-entry-names")],
    ids=["of-a-provider", "of-no-entry"],
)
def test_a_pattern_of_litellm_takes_a_model(wildcards, stand_in, model, place, received):
    assert ask(wildcards.gateway, f"litellm:{model}", max_tokens=9).parse().choices[0].message.content == TEXT
    seen = stand_in.one()
    assert (seen.provider, seen.json["model"]) == (place, received)


def test_discovered_models_are_listed_with_the_prefix(running):
    models = running.gateway.models()
    assert {"litellm:gpt-4o", "litellm:claude-sonnet-4", "litellm:bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0"} <= models
    assert all(name.startswith("litellm:") for name in models)


def test_below_litellms_path_the_list_has_litellms_own_names(running, site):
    listed = {model.id for model in running.gateway.client(base="/api/litellm/v1").models.list()}
    assert listed == set(site.litellm.models())


@pytest.mark.parametrize("name", ["litellm:gpt-4o", "gpt-4o"])
def test_a_single_model_is_found_by_both_names(site, name, tmp_path):
    toml = f'default_provider = "litellm"\n{FILE}'
    with run_in(tmp_path, filled(site, toml), {}) as short:
        assert "gpt-4o" in wait_for_models(short.gateway, "gpt-4o")
        assert short.gateway.client().models.retrieve(name).id == name


def test_a_failed_discovery_leaves_the_written_models(tmp_path):
    toml = '[providers.litellm]\nurl = "http://127.0.0.1:1"\nmodels = ["litellm:gpt-4o", "litellm:claude-sonnet-4"]\n'
    with run_in(tmp_path, toml, {}) as away:
        assert away.gateway.models() == {"litellm:gpt-4o", "litellm:claude-sonnet-4"}
        until("a warning is logged", lambda: "gaud: provider litellm" in away.server.logs())


def test_a_written_list_without_discovery(site, tmp_path):
    models = ["litellm:gpt-4o", "litellm:gpt-4o-mini", "litellm:claude-sonnet-4", "litellm:anthropic/claude-3-haiku"]
    toml = f'[providers.litellm]\nurl = "$litellm"\napi_key = "$master_key"\ndiscover_models = false\nmodels = {json.dumps(models)}\n'
    with run_in(tmp_path, filled(site, toml), {}) as written:
        assert written.gateway.models() == set(models)
        answer = ask(written.gateway, "litellm:anthropic/claude-3-haiku", max_tokens=9)
        assert answer.parse().choices[0].message.content == TEXT


def test_the_same_model_by_two_ways(running, stand_in):
    ways = {model: ask(running.gateway, model).headers["x-gaud-provider"] for model in ("litellm:gpt-4o", "gpt-4o")}
    assert ways == {"litellm:gpt-4o": "litellm", "gpt-4o": "copilot"}


# -- Settings: the page


@pytest.fixture
def page(own):
    return logged_in(own)


def logged_in(running: Running) -> httpx.Client:
    browser = httpx.Client(base_url=running.gateway.url, headers={"accept": "text/html"}, timeout=30)
    login = browser.get("/ui/login").text
    assert browser.post("/ui/login", data={"token": hidden(login, "token"), "key": ADMIN_KEY}).status_code == 303
    return browser


def hidden(page: str, name: str) -> str:
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page).group(1))


def field(page: str, key: str) -> str:
    return html.unescape(page.split(f'<label for="s-{key}"', 1)[1].split("</div>", 1)[0])


def save(browser: httpx.Client, **values: str) -> httpx.Response:
    shown = browser.get("/ui/settings").text
    fields = {f"set providers.litellm.{name}": value for name, value in values.items()}
    form = {"token": hidden(shown, "token"), "etag": hidden(shown, "etag"), "section": "litellm"} | fields
    return browser.post("/ui/settings", data=form)


def test_the_page_has_a_section_for_litellm(page):
    shown = page.get("/ui/settings")
    assert shown.status_code == 200
    assert re.search(r"<h2[^>]*>\s*(<[^>]+>)*LiteLLM", shown.text), shown.text[:3000]


@pytest.mark.parametrize(
    ("setting", "label"),
    [("url", "URL"), ("api_key", "API key"), ("discover_models", "Discover models"), ("timeout_secs", "Timeout, in seconds")],
)
def test_the_page_has_the_setting(page, setting, label):
    assert label in field(page.get("/ui/settings").text, f"providers.litellm.{setting}")


@pytest.fixture(scope="module")
def bare_page(site, tmp_path_factory) -> str:
    """The page of a gateway whose file has a URL and nothing else."""
    with run_in(tmp_path_factory.mktemp("bare"), filled(site, '[providers.litellm]\nurl = "$litellm"\n'), {}) as bare:
        yield logged_in(bare).get("/ui/settings").text


@pytest.mark.parametrize(
    ("key", "default"),
    [("providers.litellm.discover_models", "true"), ("providers.litellm.timeout_secs", "120"), ("discover_interval_secs", "300")],
)
def test_the_page_says_the_default(bare_page, key, default):
    shown = field(bare_page, key)
    assert re.search(rf"Default: {default}\b", shown), shown
    assert "From the file" not in shown


@pytest.mark.parametrize("setting", ["url", "api_key"])
def test_the_page_says_no_default_of_what_has_none(bare_page, setting):
    shown = field(bare_page, f"providers.litellm.{setting}")
    assert not re.search(r'Default: (?!the client)', shown), shown


def test_the_page_sets_url_key_discovery_and_timeout(own, page, site):
    for values in ({"url": f"{site.litellm.url}/"}, {"api_key": "sk-typed-in"}, {"discover_models": "false"}, {"timeout_secs": "60"}):
        assert save(page, **values).status_code == 303, values
    toml = own.config
    assert f'url = "{site.litellm.url}/"' in toml and "discover_models = false" in toml and "timeout_secs = 60" in toml
    assert "sk-typed-in" not in toml
    shown = field(page.get("/ui/settings").text, "providers.litellm.api_key")
    assert "********" in shown and "sk-typed-in" not in shown


def test_a_change_needs_no_restart(own, page):
    pid = own.server.process.pid
    assert save(page, url="http://127.0.0.1:1").status_code == 303
    with pytest.raises(openai.InternalServerError):
        ask(own.gateway, "litellm:gpt-4o")
    assert own.server.process.pid == pid and own.server.process.poll() is None


# -- Settings: the API


def test_the_api_sets_the_url(own, site):
    assert own.set("providers.litellm.url", f"{site.litellm.url}/").json()["applied"] is True
    assert ask(own.gateway, "litellm:gpt-4o").parse().choices[0].message.content == TEXT


def test_the_api_sets_the_key(own):
    assert own.set("providers.litellm.api_key", "sk-wrong-key").json()["applied"] is True
    with pytest.raises(openai.AuthenticationError):
        ask(own.gateway, "litellm:gpt-4o")
    assert own.set("providers.litellm.api_key", MASTER_KEY).status_code == 200
    assert ask(own.gateway, "litellm:gpt-4o").parse().choices[0].message.content == TEXT


def test_the_api_sets_discovery_by_a_text(own):
    assert own.set("providers.litellm.discover_models", "true").status_code == 200
    assert "discover_models = true" in own.config
    assert own.set("providers.litellm.discover_models", "false").status_code == 200
    until("no model is listed", lambda: own.gateway.models() == set())


def test_a_cleared_url_removes_the_provider(own):
    own.set("providers.other.url", "http://127.0.0.1:1")
    assert own.set("providers.litellm.url", "").status_code == 200
    assert "[providers.litellm]" not in own.config
    with pytest.raises(openai.NotFoundError):
        ask(own.gateway, "litellm:gpt-4o")


def test_the_masked_key_keeps_the_key(own):
    assert own.set("providers.litellm.api_key", "********").status_code == 200
    assert ask(own.gateway, "litellm:gpt-4o").parse().choices[0].message.content == TEXT


OVERRIDES = [
    ("GAUD_LITELLM_URL", "url", "$litellm"),
    ("GAUD_LITELLM_API_KEY", "api_key", "$master_key"),
    ("GAUD_LITELLM_DISCOVER", "discover_models", "false"),
    ("GAUD_LITELLM_TIMEOUT", "timeout_secs", "77"),
]


@pytest.fixture(scope="module")
def overridden(site, tmp_path_factory):
    variables = {name: filled(site, value) for name, _, value in OVERRIDES}
    toml = FILE.replace("$litellm", "http://127.0.0.1:1").replace("$master_key", "sk-of-the-file")
    with run_in(tmp_path_factory.mktemp("overridden"), toml, variables) as running:
        yield running


@pytest.mark.parametrize(("variable", "setting"), [row[:2] for row in OVERRIDES])
def test_a_variable_overrides_the_file_and_disables_the_field(overridden, variable, setting):
    assert ask(overridden.gateway, "litellm:gpt-4o").parse().choices[0].message.content == TEXT
    refused = overridden.set(f"providers.litellm.{setting}", "1")
    assert refused.status_code == 409 and variable in refused.text
    shown = field(logged_in(overridden).get("/ui/settings").text, f"providers.litellm.{setting}")
    assert variable in shown and "disabled" in shown


# -- Budgets of both


def test_the_budgets_of_gaud_and_of_litellm_are_apart(own):
    assert own.set("usage.meter", "all").status_code == 200
    key = own.new_key(name="small", budget={"usd": 0.000001, "window": "total"})
    ask(own.gateway, "litellm:gpt-4o", key, max_tokens=5)

    def refused() -> bool:
        try:
            ask(own.gateway, "litellm:gpt-4o", key, max_tokens=5)
        except openai.RateLimitError as error:
            return error.code == "insufficient_quota"
        return False

    until("the budget of Gaud is used up", refused)
    assert ask(own.gateway, "litellm:gpt-4o").parse().choices[0].message.content == TEXT


# -- Health and the breaker


def test_the_health_of_the_gateway_has_the_providers(running):
    def is_up() -> bool:
        health = httpx.get(f"{running.gateway.url}/health").json()
        litellm = health["providers"]["litellm"]
        return health["status"] == "ok" and (litellm["breaker"], litellm["health"]) == ("closed", "up")

    until("LiteLLM's check has passed", is_up)


@pytest.mark.parametrize("path", ["/ui", "/ui/providers"])
def test_the_pages_show_the_state_of_the_providers(running, path):
    browser = logged_in(running)

    def shows_litellm() -> bool:
        row = re.search(r'<th scope="row">litellm</th>(.*?)</tr>', browser.get(path).text, re.DOTALL)
        return re.findall(r'<span class="state[^"]*">([^<]*)</span>', row.group(1)) == ["closed", "up"]

    until("the page says that LiteLLM is up", shows_litellm)


def test_litellms_own_health(site):
    alive = httpx.get(f"{site.litellm.url}/health/liveliness")
    assert (alive.status_code, alive.json()) == (200, "I'm alive!")
    assert httpx.get(f"{site.litellm.url}/health/readiness").status_code == 200


def test_litellms_own_health_of_its_models(site):
    """With the key, as the document asks: LiteLLM calls its models."""
    answer = httpx.get(f"{site.litellm.url}/health", headers={"authorization": f"Bearer {MASTER_KEY}"}, timeout=60)
    assert answer.status_code == 200
    healthy = {entry["model"] for entry in answer.json()["healthy_endpoints"]}
    assert {"openai/gpt-4o", "anthropic/claude-sonnet-4-20250514"} <= healthy


def test_litellm_is_asked_whether_it_lives(stand_in, tmp_path):
    toml = f'health_interval_secs = 1\n[providers.litellm]\nurl = "{stand_in.url}/alive"\ndiscover_models = false\n'
    with run_in(tmp_path, toml, {}):
        until("the check arrives", lambda: any(seen.path == "/alive/health/liveliness" for seen in stand_in.take()))


def test_a_check_waits_5_seconds(stand_in, tmp_path):
    """The provider takes the check and says nothing. The next check would come after 15 seconds."""
    toml = f'[providers.litellm]\nurl = "{stand_in.url}/silent"\ndiscover_models = false\n'
    with run_in(tmp_path, toml, {}) as waiting:
        until("the check arrives", lambda: any(seen.path == "/silent/health/liveliness" for seen in stand_in.take()))
        began = time.monotonic()
        until("the check has failed", lambda: httpx.get(f"{waiting.gateway.url}/health").json()["providers"]["litellm"]["health"] == "down")
        assert 4.5 < time.monotonic() - began < 10


def scripted(gateway: Gateway, acts: str, case: str, model: str = "litellm:gpt-4o") -> int:
    messages = [{"role": "user", "content": f"case-{case} {acts}"}]
    try:
        gateway.client().chat.completions.create(model=model, messages=messages)
    except openai.APIStatusError as error:
        return error.status_code
    return 200


def test_three_failures_open_the_breaker_for_30_seconds(stand_in, tmp_path):
    toml = f'[providers.litellm]\nurl = "{stand_in.url}/a/v1"\napi_key = "{KEYS["a"]}"\ndiscover_models = false\n'
    with run_in(tmp_path, toml, {}) as broken:
        case = uuid.uuid4().hex
        assert [scripted(broken.gateway, "a=500", f"{case}-{n}") for n in range(3)] == [500] * 3
        with pytest.raises(openai.InternalServerError) as refused:
            ask(broken.gateway, "litellm:gpt-4o")
        assert (refused.value.status_code, refused.value.code) == (503, "provider_unavailable")
        assert 25 <= int(refused.value.response.headers["retry-after"]) <= 30


def test_after_its_time_one_probe_and_two_successes_close_the_breaker(stand_in, tmp_path):
    toml = (
        f'[providers.litellm]\nurl = "{stand_in.url}/a/v1"\napi_key = "{KEYS["a"]}"\ndiscover_models = false\n'
        "breaker = { open_secs = 1 }\n"
    )
    with run_in(tmp_path, toml, {}) as broken:
        case = uuid.uuid4().hex
        for number in range(3):
            assert scripted(broken.gateway, "a=500", f"{case}-{number}") == 500
        assert scripted(broken.gateway, "a=good", f"{case}-x") == 503
        until("a probe passes", lambda: scripted(broken.gateway, "a=good", f"{case}-y") == 200)
        until("the second probe passes", lambda: scripted(broken.gateway, "a=good", f"{case}-z") == 200)
        assert [scripted(broken.gateway, "a=500", f"{case}-again-{n}") for n in range(2)] == [500] * 2
        assert scripted(broken.gateway, "a=good", f"{case}-closed") == 200


@pytest.mark.parametrize("act", ["401", "404", "context", "429"])
def test_client_errors_open_no_breaker(stand_in, tmp_path, act):
    toml = f'[providers.litellm]\nurl = "{stand_in.url}/a/v1"\napi_key = "{KEYS["a"]}"\ndiscover_models = false\nretries = 1\n'
    with run_in(tmp_path, toml.replace("retries = 1\n", ""), {}) as running:
        case = uuid.uuid4().hex
        statuses = [scripted(running.gateway, f"a={act}", f"{case}-{number}") for number in range(4)]
        assert all(400 <= status < 500 for status in statuses), statuses
        assert scripted(running.gateway, "a=good", f"{case}-good") == 200


def test_timeouts_open_the_breaker(stand_in, tmp_path):
    toml = f'[providers.litellm]\nurl = "{stand_in.url}/a/v1"\napi_key = "{KEYS["a"]}"\ndiscover_models = false\ntimeout_secs = 1\n'
    with run_in(tmp_path, toml, {}) as running:
        case = uuid.uuid4().hex
        assert [scripted(running.gateway, "a=slow", f"{case}-{number}") for number in range(4)] == [504, 504, 504, 503]


# -- Troubles


def test_litellm_is_not_reachable(tmp_path):
    with run_in(tmp_path, '[providers.litellm]\nurl = "http://127.0.0.1:1"\n', {}) as away:
        until("the health says so", lambda: httpx.get(f"{away.gateway.url}/health").json()["providers"]["litellm"]["health"] == "down")
        until("the log says so", lambda: "provider litellm" in away.server.logs())
        with pytest.raises(openai.InternalServerError) as refused:
            ask(away.gateway, "litellm:gpt-4o")
        assert refused.value.status_code == 503


def test_a_wrong_key_is_a_401_until_the_right_one_is_set(site, tmp_path):
    with run_in(tmp_path, filled(site, FILE).replace(MASTER_KEY, "sk-wrong"), {}) as wrong:
        with pytest.raises(openai.AuthenticationError):
            ask(wrong.gateway, "litellm:gpt-4o")
        assert wrong.gateway.models() == set()
        assert wrong.set("providers.litellm.api_key", MASTER_KEY).status_code == 200
        assert ask(wrong.gateway, "litellm:gpt-4o").parse().choices[0].message.content == TEXT


def test_a_stream_of_a_slow_model_is_not_cut_by_the_timeout(site, stand_in, tmp_path):
    """While the stream has a pause, another request begins and is given up after the timeout: the pause is longer."""
    name = uuid.uuid4().hex
    with run_in(tmp_path, filled(site, FILE).replace("120", "3"), {}) as running:
        client = running.gateway.client(timeout=60)
        stream = iter(client.chat.completions.create(model="litellm:paced", messages=[{"role": "user", "content": name}], stream=True))
        words = []
        while "first " not in words:
            words.append(content(next(stream)))
        assert scripted(running.gateway, "a=silent", name, "litellm:gpt-4o-mini") == 504
        stand_in.release(name)
        words += [content(chunk) for chunk in stream]
        assert "".join(words) == "first second"


def content(chunk) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


# -- The reference


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[providers.litellm]\n", "url"),
        ('[providers.litellm]\nurl = "http://localhost:4000"\ntimeout_secs = "long"\n', "timeout_secs"),
    ],
)
def test_the_url_is_required_and_types_are_checked(tmp_path, toml, said):
    (tmp_path / "llm-proxy.toml").write_text(toml)
    checked = command(tmp_path, "check")
    assert checked.returncode != 0 and said in checked.stderr


def test_the_key_is_optional(site, tmp_path, stand_in):
    """Without one the client's own key reaches LiteLLM."""
    with run_in(tmp_path, filled(site, '[providers.litellm]\nurl = "$litellm"\nmodels = ["litellm:gpt-4o"]\n'), {}) as running:
        assert ask(running.gateway, "litellm:gpt-4o", MASTER_KEY).parse().choices[0].message.content == TEXT
        assert "litellm:gpt-4o" in running.gateway.models()


# -- LiteLLM's file


FORMATS = """\
openai/gpt-4o OPENAI_API_KEY
anthropic/claude-sonnet-4 ANTHROPIC_API_KEY
azure/our-deployment AZURE_API_KEY
bedrock/model-id -
vertex_ai/model-id -
gemini/gemini-pro GOOGLE_API_KEY
groq/llama GROQ_API_KEY
mistral/mistral-large MISTRAL_API_KEY
cohere/command-r COHERE_API_KEY
together_ai/llama TOGETHER_API_KEY
replicate/model-id REPLICATE_API_TOKEN
ollama/llama3 -
huggingface/model-id HF_TOKEN
sagemaker/endpoint -
fireworks_ai/llama FIREWORKS_API_KEY
deepseek/deepseek-chat DEEPSEEK_API_KEY
perplexity/sonar PERPLEXITY_API_KEY
openrouter/auto OPENROUTER_API_KEY
"""


@pytest.mark.parametrize("row", FORMATS.splitlines(), ids=lambda row: row.split("/")[0])
def test_gaud_reads_each_format_of_a_model(tmp_path, row):
    model, variable = row.split()
    key = "" if variable == "-" else f", api_key: os.environ/{variable}"
    (tmp_path / "config.yaml").write_text(f"model_list:\n  - model_name: m\n    litellm_params: {{model: {model}{key}}}\n")
    done = command(tmp_path, "import", "litellm", "config.yaml")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^config\.yaml:2: m: (direct|stays with LiteLLM): ", done.stderr, re.MULTILINE), done.stderr
    assert "os.environ" not in done.stderr


MODEL_LIST = """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, rpm: 480, timeout: 300, stream_timeout: 60}
  - model_name: claude-sonnet
    litellm_params: {model: anthropic/claude-sonnet-4, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY_2, rpm: 960}
"""


def test_gaud_reads_entries_with_a_limit_and_timeouts(tmp_path):
    (tmp_path / "config.yaml").write_text(MODEL_LIST)
    done = command(tmp_path, "import", "litellm", "config.yaml")
    assert done.returncode == 0, done.stderr
    toml = tomllib.loads(done.stdout)
    (provider,) = [provider for provider in toml["providers"].values() if provider.get("api_key") == "os.environ/OPENAI_API_KEY"]
    assert provider["timeout_secs"] == 300
    (model,) = toml["models"]
    assert [deployment["weight"] for deployment in model["deployments"]] == [480, 960]
    assert "config.yaml:2: gpt-4o: direct: " in done.stderr and "without stream_timeout: timeout counts for streams too" in done.stderr
    assert re.search(r"config\.yaml:4: claude-sonnet: (direct|stays with LiteLLM): ", done.stderr), done.stderr


@pytest.mark.parametrize("strategy", ["simple-shuffle", "least-busy", "usage-based-routing-v2", "latency-based-routing"])
def test_gaud_reads_a_file_with_load_balancing(tmp_path, strategy):
    entry = "  - model_name: gpt-4o\n    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY_%d}\n"
    text = "model_list:\n" + entry % 1 + entry % 2 + f"router_settings:\n  routing_strategy: {strategy}\n"
    (tmp_path / "config.yaml").write_text(text)
    done = command(tmp_path, "import", "litellm", "config.yaml")
    assert done.returncode == 0, done.stderr
    assert "gpt-4o" in done.stdout


SETTINGS = """\
litellm_settings:
  drop_params: true
  num_retries: 5
  request_timeout: 600
  telemetry: false
  success_callback: ["prometheus"]
  default_team_settings:
    - {team_id: team-1, success_callback: ["langfuse"], langfuse_public_key: os.environ/LANGFUSE_PUBLIC_1, langfuse_secret: os.environ/LANGFUSE_SECRET_1}
    - {team_id: team-2, success_callback: ["langfuse"], langfuse_public_key: os.environ/LANGFUSE_PUBLIC_2, langfuse_secret: os.environ/LANGFUSE_SECRET_2}
general_settings: {master_key: sk-1234, store_model_in_db: true}
"""


def test_gaud_reads_a_file_with_all_of_the_settings(tmp_path):
    entry = "model_list:\n  - model_name: gpt-4o\n    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}\n"
    (tmp_path / "config.yaml").write_text(entry + SETTINGS)
    done = command(tmp_path, "import", "litellm", "config.yaml")
    assert done.returncode == 0, done.stderr
    assert "refused" not in done.stderr, done.stderr


@pytest.mark.parametrize("callback", ["prometheus", "langfuse", "lunary"])
def test_gaud_reads_a_file_with_a_callback(tmp_path, callback):
    (tmp_path / "config.yaml").write_text(f'litellm_settings:\n  success_callback: ["{callback}"]\nmodel_list:\n  - model_name: m\n    litellm_params: {{model: openai/m}}\n')
    done = command(tmp_path, "import", "litellm", "config.yaml")
    assert done.returncode == 0, done.stderr
    assert "refused" not in done.stderr, done.stderr


def test_litellm_drops_what_a_provider_does_not_know(running, stand_in):
    """`drop_params` of LiteLLM, seen through the gateway: Anthropic has no `presence_penalty`."""
    ask(running.gateway, "litellm:claude-sonnet-4", max_tokens=9, presence_penalty=0.5)
    seen = stand_in.one()
    assert seen.path.startswith("/claude/v1/messages") and "presence_penalty" not in seen.json
    assert seen.credentials["x-api-key"] == ANTHROPIC_KEY
