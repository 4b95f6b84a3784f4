"""The compose file of Gaud's first documentation, as `docs/tasks/litellm-in-compose.md` has the file, with the image `gaud:latest`."""

import json
import re
import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from clients import ASK, HELLO, LIMIT_SECS, until
from kit_py.gaud import ROOT
from stack import FOLDER, Stack
from stack import start as start_stack

MASTER_KEY = f"sk-{secrets.token_hex(32)}"
PAGE = ROOT / "docs/tasks/litellm-in-compose.md"
# The names of the page's images, and the services of `envoy/compose/` that have the same images.
IMAGES = {
    "docker.litellm.ai/berriai/litellm:main-stable": "litellm",
    "postgres:16": "postgres",
    "prom/prometheus": "prometheus",
    "gaud:latest": "gaud",
}
# The ports are published on all addresses, as the first documentation does. This machine does other things too, so LiteLLM
# has more time; the image of PostgreSQL in the tests does not change its user.
CHANGES = {
    "127.0.0.1:8400:8400": "8400:8400",
    "127.0.0.1:9090:9090": "9090:9090",
    "start_period: 120s": "start_period: 400s",
    "image: postgres:16": "image: postgres:16\n    user: postgres",
    "    command: [": "    ports: [\"4000:4000\"]\n    command: [",
}


def compose_file() -> str:
    text = re.search(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL).group(1)
    for old, new in CHANGES.items():
        assert old in text, f"{PAGE.name} has no {old}"
        text = text.replace(old, new)
    return text


LITELLM = f"""\
model_list:
  - model_name: hello
    litellm_params: {{model: openai/hello, api_key: unused, mock_response: "{HELLO}"}}
general_settings: {{store_model_in_db: true}}
"""
SETTINGS = "discover_interval_secs = 1\n"


class Document(Stack):
    """The document's folder."""

    def __init__(self, engine: dict[str, str], folder: Path):
        super().__init__(engine, folder)
        self.engine["LITELLM_MASTER_KEY"] = MASTER_KEY
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
    argv = ["run", "--detach", "--env", "GAUD_LITELLM_URL=http://litellm:4000", "--volume", mount, "gaud:latest"]
    container = document.docker(*argv).strip()
    try:
        until("the gateway is ready", lambda: "Gaud is ready" in document.docker("logs", container))
        done = document.run(["sh", "-c", f"docker logs {container} 2>&1"], 60)
        assert "llm-proxy.toml: is a folder, as Docker makes one" in done
    finally:
        document.docker("rm", "--force", container)
