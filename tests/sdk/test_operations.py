"""Every operation of the SDKs: the gateway routes it by its model, passes it, or refuses it.

`operations.md` has the outcome of each operation. The test fails for an operation that the file lacks: check its outcome, and write the
file again with UPDATE=1.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import anthropic
import cohere
import google.genai
import httpx
import httpx2
import openai
import pytest

from conftest import CONFIGS
from kit_py import gaud
from kit_py.stand_in import StandIn
from operations import MODEL, arguments, operations

pytestmark = pytest.mark.gateway
HERE = Path(__file__).parent
TABLE = HERE / "operations.md"
NODE_LIMIT_SECS = 120
SECRETS = {"KEY_HOME": "sk-home", "KEY_AWAY": "sk-away"}


@pytest.fixture(scope="module")
def providers() -> StandIn:
    stand_in = StandIn(default_act="empty")
    yield stand_in
    stand_in.close()


@pytest.fixture(scope="module")
def url(providers, folder) -> str:
    with gaud.running(CONFIGS / "operations.toml", {"stand_in": providers.url}, SECRETS, folder) as address:
        yield address


def clients(url: str, answers: list) -> dict:
    """The client of each SDK; each adds the answers that it receives to `answers`."""
    hooks = {"response": [answers.append]}
    common = {"max_retries": 0, "http_client": httpx.Client(event_hooks=hooks, timeout=20)}
    newer = {"max_retries": 0, "http_client": httpx2.Client(event_hooks=hooks, timeout=20)}
    keys = {"api_key": "sk-client", "admin_api_key": "sk-client"}
    azure = {"azure_endpoint": url, "api_version": "2024-10-21"}
    return {
        "OpenAI": openai.OpenAI(base_url=f"{url}/v1", **keys, **common),
        "AzureOpenAI": openai.AzureOpenAI(**keys, **azure, **common),
        "OpenAI at Azure's v1": openai.OpenAI(base_url=f"{url}/openai/v1", **keys, **common),
        "Anthropic": anthropic.Anthropic(base_url=url, api_key="sk-client", **newer),
        "google.genai": google.genai.Client(
            api_key="sk-client",
            http_options={"base_url": url, "client_args": {"event_hooks": hooks, "timeout": 20}},
        ),
        "Cohere": cohere.ClientV2("sk-client", base_url=url, max_retries=0, httpx_client=common["http_client"]),
        "Cohere v1": cohere.Client("sk-client", base_url=url, max_retries=0, httpx_client=common["http_client"]),
    }


def test_each_operation_is_routed_by_its_model_passed_or_refused(url, providers, packages):
    answers: list[httpx.Response] = []
    rows, faults = [], []
    for name, client in clients(url, answers).items():
        for operation, call in operations(client):
            answers.clear()
            providers.take()
            fault = perform(operation, call)
            if not answers:
                rows.append((name, operation, "–", f"not called: {why_not(fault)}"))
                continue
            answer = Answer.of(answers[0])
            outcome, fault = judge(answer, providers.take())
            rows.append((name, operation, answer.request, outcome))
            faults += [f"{name}.{operation}: {answer.request}: {fault}"] if fault else []
    with_model = {request for _, _, request, outcome in rows if outcome == "routed"}
    for name, operation, answer, received in node_operations(url, providers, with_model):
        if not answer:
            rows.append((name, operation, "–", "not called: its parameters do not say with what"))
            continue
        outcome, fault = judge(answer, received)
        rows.append((name, operation, answer.request, outcome))
        faults += [f"{name}.{operation}: {answer.request}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)
    table = table_of(rows)
    if os.environ.get("UPDATE"):
        TABLE.write_text(table)
    known, found = set(TABLE.read_text().splitlines()), table.splitlines()
    assert [line for line in found if line not in known] == [], "operations that operations.md lacks"
    assert table == TABLE.read_text()


def perform(operation: str, call) -> Exception | None:
    """Sends the request of an operation, and returns what the SDK makes of it."""
    try:
        found = call(**arguments(operation, call))
        if hasattr(found, "__iter__") and not isinstance(found, (str, bytes, dict)):
            next(iter(found), None)
    except Exception as fault:  # noqa: BLE001: the stand-in's answer does not fit every operation
        return fault
    return None


# What an SDK says that sends no request for an operation, and what the table says of the operation.
REFUSALS = [
    ("has been deprecated", "the SDK has the name alone"),
    ("has been moved to", "the SDK has the name alone"),
    ("Gemini Enterprise Agent Platform mode", "the SDK has it for Vertex AI alone"),
    ("must be a google.auth.credentials.Credentials object", "it asks for an account of Google Cloud"),
]


def why_not(fault: Exception | None) -> str:
    """Why an operation has sent no request."""
    if fault is None:
        return "it makes an object, and sends no request"
    return next((why for said, why in REFUSALS if said in str(fault)), "its types do not say with what")


class Answer(NamedTuple):
    request: str
    status: int
    provider: str | None
    text: str

    @classmethod
    def of(cls, answer: httpx.Response) -> "Answer":
        path = answer.request.url.raw_path.decode().split("?")[0]
        provider = answer.headers.get("x-gaud-provider")
        return cls(f"{answer.request.method} {path}", answer.status_code, provider, answer.text)


def node_operations(url: str, providers: StandIn, with_model: set[str]):
    """Each operation of the Node clients, with its answer and what the providers have received."""
    values = {"TEST_URL": url, "TEST_MODEL": MODEL, "TEST_WITH_MODEL": json.dumps(sorted(with_model))}
    argv = ["node", "node/operations.mjs"]
    options = {"cwd": HERE, "env": os.environ | values, "timeout": NODE_LIMIT_SECS}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    received = providers.take()
    for row in json.loads(done.stdout):
        client, operation = row.pop("client"), row.pop("operation")
        seen = [seen for seen in received if ("x-operation", f"{client}/{operation}") in seen.headers]
        yield client, operation, Answer(**row) if row else None, seen


def judge(answer: Answer, received: list) -> tuple[str, str | None]:
    """The outcome of a request, and the fault of that outcome. A provider that received nothing did not answer, though the
    request may have left for it."""
    if not any(seen.provider == answer.provider for seen in received):
        if answer.status == 200:
            return "answered by the gateway", None
        error = json.loads(answer.text)["error"]
        code = error.get("code") if isinstance(error.get("code"), str) else error["message"]
        return f"refused: {answer.status} {code}", None
    seen = next(seen for seen in received if seen.provider == answer.provider)
    text = f"{seen.path} {seen.body.decode('utf-8', 'replace')}"
    has_key = any("sk-client" in text for text in [seen.path, *(value for _, value in seen.headers)])
    if MODEL in text or MODEL.replace(":", "%3A") in text:
        return "?", f"{answer.provider} received {text}"
    if answer.provider == "away":
        return "routed", "the client's key reached it" if has_key else None
    return "passed, with the client's key" if has_key else "passed", None


def table_of(rows: list) -> str:
    lines = ["# What becomes of each operation of the SDKs", "", "Written by `test_operations.py`.", ""]
    lines += ["| client | operation | request | |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"
