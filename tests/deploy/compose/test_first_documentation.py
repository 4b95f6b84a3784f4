"""The compose file of Gaud's first documentation, with the image `gaud:latest`."""

import json
import re
import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import yaml

from clients import ASK, HELLO, LIMIT_SECS, until
from kit_py.gaud import ROOT
from stack import FOLDER, Stack
from stack import start as start_stack

MASTER_KEY = f"sk-{secrets.token_hex(32)}"
FILE = Path(__file__).parent / "first-documentation.yml"
PAGE = ROOT / "docs/tasks/litellm-in-compose.md"
# The names of the file's images, and the services of `envoy/compose/` that have the same images.
IMAGES = {
    "docker.litellm.ai/berriai/litellm:main-stable": "litellm",
    "postgres:16": "postgres",
    "prom/prometheus": "prometheus",
    "gaud:latest": "gaud",
}
# LiteLLM refuses to start with a short master key. This machine does other things too, so LiteLLM and PostgreSQL have more time
# for the start; the image of PostgreSQL in the tests does not change its user.
CHANGES = {
    "sk-1234": MASTER_KEY,
    "retries: 10": "retries: 60",
    "start_period: 40s": "start_period: 400s",
    "image: postgres:16": "image: postgres:16\n    user: postgres",
}


def compose_file() -> str:
    text = FILE.read_text()
    for old, new in CHANGES.items():
        assert old in text, f"{FILE.name} has no {old}"
        text = text.replace(old, new)
    return text


def test_the_page_s_file_has_the_same_services():
    """`docs/tasks/litellm-in-compose.md` has the file for today's LiteLLM, for this machine alone."""
    page = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL).group(1))
    first = yaml.safe_load(FILE.read_text())
    assert page["services"].keys() == first["services"].keys() and page["volumes"].keys() == first["volumes"].keys()
    for name, service in first["services"].items():
        same = {"image", "volumes", "depends_on", "command"} & service.keys()
        assert {key: service[key] for key in same} == {key: page["services"][name][key] for key in same}
    assert page["services"]["gaud"]["environment"].keys() == first["services"]["gaud"]["environment"].keys()


LITELLM = f"""\
model_list:
  - model_name: hello
    litellm_params: {{model: openai/hello, api_key: unused, mock_response: "{HELLO}"}}
general_settings: {{master_key: {MASTER_KEY}, store_model_in_db: true}}
"""
SETTINGS = "discover_interval_secs = 1\n"


class Document(Stack):
    """The document's folder."""

    def __init__(self, engine: dict[str, str], folder: Path):
        super().__init__(engine, folder)
        self.engine |= {"OPENAI_API_KEY": "unused", "ANTHROPIC_API_KEY": "unused"}
        self.folder = folder
        self.url = "http://127.0.0.1:8400"
        files = {"docker-compose.yml": compose_file(), "proxy_server_config.yaml": LITELLM, "llm-proxy.toml": SETTINGS}
        files["prometheus.yml"] = (FOLDER / "prometheus.yml").read_text()
        for name, text in files.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o644)
        folder.chmod(0o755)

    def compose(self, *words: str, limit_secs: float = 180) -> str:
        argv = ["docker", "compose", "--project-name", self.project, "--file", str(self.folder / "docker-compose.yml"), *words]
        return self.run(argv, limit_secs)

    def client(self, key: str = "any") -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0)

    def said(self, key: str = "any", model: str = "litellm:hello") -> str:
        return self.client(key).chat.completions.create(model=model, messages=ASK).choices[0].message.content


@pytest.fixture(scope="module")
def images(engine, tmp_path_factory) -> dict[str, str]:
    built = Stack(engine, tmp_path_factory.mktemp("built"))
    built.compose("build", "gaud", limit_secs=1500)
    named = json.loads(built.compose("config", "--format", "json"))["services"]
    for name, service in IMAGES.items():
        built.docker("tag", named[service]["image"], name)
    return engine


@pytest.fixture(scope="module")
def document(images, tmp_path_factory) -> Iterator[Document]:
    document = Document(images, tmp_path_factory.mktemp("document"))
    try:
        start_stack(document)
        yield document
    finally:
        document.compose("down", "--volumes", "--timeout", "10")


def test_a_request_on_the_published_port(document):
    assert document.said() == HELLO


ASK_WITHIN = """\
import json, sys, urllib.request
url, key, body = sys.argv[1:]
headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
print(urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=30).read().decode())
"""


@pytest.mark.parametrize("host", ["litellm:4000", "gaud:8400"])
def test_a_request_within_the_containers_network(document, host):
    model = "hello" if host.startswith("litellm") else "litellm:hello"
    body = json.dumps({"model": model, "messages": ASK})
    ask = ["exec", "-T", "litellm", "python3", "-c", ASK_WITHIN, f"http://{host}/v1/chat/completions", MASTER_KEY, body]
    assert json.loads(document.compose(*ask))["choices"][0]["message"]["content"] == HELLO


def test_litellm_and_prometheus_answer_on_their_ports(document):
    with urllib.request.urlopen("http://127.0.0.1:4000/health/liveliness", timeout=10) as answer:
        assert json.load(answer) == "I'm alive!"
    until("Prometheus answers", lambda: urllib.request.urlopen("http://127.0.0.1:9090/-/ready", timeout=10).status == 200)


def test_the_models_are_listed_with_the_prefix(document):
    until("the model is listed", lambda: {model.id for model in document.client().models.list()} == {"litellm:hello"})


def test_the_gateway_says_that_all_addresses_reach_its_key(document):
    said = document.compose("logs", "gaud")
    assert "Gaud is ready on http://0.0.0.0:8400" in said
    assert "listen: everyone who reaches 0.0.0.0:8400 can spend the credential of litellm" in said
    assert MASTER_KEY not in said


def test_the_gateway_is_healthy(document):
    until("the gateway is healthy", lambda: document.is_healthy("gaud"))


def test_a_key_is_in_the_volume_and_outlives_the_container(document):
    key = document.compose("exec", "-T", "gaud", "gaud", "key", "new", "--name", "ann").split()[-1]
    assert key.startswith("sk-prx-")
    until("the key opens the model", lambda: document.said(key) == HELLO)
    document.compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", "gaud", limit_secs=LIMIT_SECS)
    until("the key opens the model again", lambda: said_or_none(document, key) == HELLO)
    assert "gaud.db" in document.compose("exec", "-T", "gaud", "ls", "/app/data")


def said_or_none(document: Document, key: str) -> str | None:
    try:
        return document.said(key)
    except openai.APIError:
        return None


def test_the_file_of_the_document_is_followed(document):
    path = document.folder / "llm-proxy.toml"
    path.write_text(SETTINGS + '[aliases]\nfast = "litellm:hello"\n')

    def is_known() -> bool:
        try:
            return document.said(model="fast") == HELLO
        except openai.APIError:
            return False

    until("the alias is known", is_known)


def test_without_the_file_the_environment_is_enough(document):
    """Docker makes a folder in the place of the file."""
    mount = f"{document.folder}/absent.toml:/app/llm-proxy.toml"
    variables = {"GAUD_LITELLM_URL": "http://litellm:4000", "GAUD_LITELLM_API_KEY": MASTER_KEY}
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    options += ["--network", f"{document.project}_default", "--publish", "8401:8400", "--volume", mount]
    container = document.docker("run", "--detach", *options, "gaud:latest").strip()
    try:
        until("the gateway is ready", lambda: "Gaud is ready" in document.docker("logs", container))
        done = document.run(["sh", "-c", f"docker logs {container} 2>&1"], 60)
        assert "llm-proxy.toml: is a folder, as Docker makes one" in done
        client = openai.OpenAI(base_url="http://127.0.0.1:8401/v1", api_key="any", max_retries=0)
        answer = client.chat.completions.create(model="litellm:hello", messages=ASK)
        assert answer.choices[0].message.content == HELLO
    finally:
        document.docker("rm", "--force", container)
