"""Every operation of the SDKs: the gateway routes it by its model, passes it, or refuses it.

`operations.md` has the outcome of each operation. The test fails for an operation that the file lacks: check its outcome, and write the
file again with UPDATE=1.
"""

import os
from pathlib import Path

import anthropic
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
TABLE = Path(__file__).parent / "operations.md"
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
        "Anthropic": anthropic.Anthropic(base_url=url, api_key="sk-client", **newer),
        "google.genai": google.genai.Client(
            api_key="sk-client",
            http_options={"base_url": url, "client_args": {"event_hooks": hooks, "timeout": 20}},
        ),
    }


def test_each_operation_is_routed_by_its_model_passed_or_refused(url, providers):
    answers: list[httpx.Response] = []
    rows, faults = [], []
    for name, client in clients(url, answers).items():
        for operation, call in operations(client):
            answers.clear()
            providers.take()
            perform(call)
            if not answers:
                rows.append((name, operation, "–", "not called: its types do not say with what"))
                continue
            request, outcome, fault = judge(answers[0], providers.take())
            rows.append((name, operation, request, outcome))
            faults += [f"{name}.{operation}: {request}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)
    table = table_of(rows)
    if os.environ.get("UPDATE"):
        TABLE.write_text(table)
    known, found = set(TABLE.read_text().splitlines()), table.splitlines()
    assert [line for line in found if line not in known] == [], "operations that operations.md lacks"
    assert table == TABLE.read_text()


def perform(call) -> None:
    """Sends the request of an operation."""
    try:
        found = call(**arguments(call))
        if hasattr(found, "__iter__") and not isinstance(found, (str, bytes, dict)):
            next(iter(found), None)
    except Exception:  # noqa: BLE001: the stand-in's answer does not fit every operation
        pass


def judge(answer: httpx.Response, received: list) -> tuple[str, str, str | None]:
    """The request, its outcome, and the fault of that outcome."""
    request = f"{answer.request.method} {answer.request.url.raw_path.decode().split('?')[0]}"
    if "x-gaud-provider" not in answer.headers:
        if answer.status_code == 200:
            return request, "answered by the gateway", None
        error = answer.json()["error"]
        code = error.get("code") if isinstance(error.get("code"), str) else error["message"]
        return request, f"refused: {answer.status_code} {code}", None
    provider = answer.headers["x-gaud-provider"]
    seen = next(seen for seen in received if seen.provider == provider)
    text = f"{seen.path} {seen.body.decode('utf-8', 'replace')}"
    has_key = any("sk-client" in text for text in [seen.path, *(value for _, value in seen.headers)])
    if MODEL in text or MODEL.replace(":", "%3A") in text:
        return request, "?", f"{provider} received {text}"
    if provider == "away":
        return request, "routed", "the client's key reached it" if has_key else None
    return request, "passed, with the client's key" if has_key else "passed", None


def table_of(rows: list) -> str:
    lines = ["# What becomes of each operation of the SDKs", "", "Written by `test_operations.py`.", ""]
    lines += ["| client | operation | request | |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"
