"""Every operation of the SDKs against a provider that writes down what it gets: routed by its model, passed, or refused.

`operations.md` has the outcome of each. An SDK with an operation that is not there fails here, by name: look at what becomes of it, and write
the file anew with UPDATE=1.
"""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anthropic
import google.genai
import httpx
import httpx2
import openai
import pytest

from gateway import serving
from operations import MODEL, arguments, operations

pytestmark = pytest.mark.gateway
TABLE = Path(__file__).parent / "operations.md"
TOML = """
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
default_provider = "home"
[providers.home]
url = "{home}"
api_key = "sk-home"
[providers.away]
url = "{away}"
api_key = "sk-away"
[breaker]
enabled = false
"""


class Recorder(BaseHTTPRequestHandler):
    """Answers everything with an empty object."""

    protocol_version = "HTTP/1.1"

    def handle_one(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        while self.headers.get("transfer-encoding") and (size := int(self.rfile.readline(), 16)) >= 0:
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                break
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        answer = b'{"data": [], "object": "list", "type": "message"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def providers():
    servers = {name: ThreadingHTTPServer(("127.0.0.1", 0), Recorder) for name in ("home", "away")}
    for server in servers.values():
        server.seen = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers.values():
        server.shutdown()


@pytest.fixture(scope="module")
def url(providers, tmp_path_factory):
    places = {name: f"http://127.0.0.1:{server.server_port}" for name, server in providers.items()}
    with serving("operations", TOML.format(**places), {}, tmp_path_factory.mktemp("operations")) as address:
        yield address


def clients(url: str, answers: list) -> dict:
    """Each client, with what it was answered."""
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
            for server in providers.values():
                server.seen.clear()
            sent = requests_of(call, answers)
            if not sent:
                rows.append((name, operation, "–", "not called: its types do not say with what"))
                continue
            request, outcome, fault = judged(sent[0], providers)
            rows.append((name, operation, request, outcome))
            faults += [f"{name}.{operation}: {request}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)
    table = written(rows)
    if os.environ.get("UPDATE"):
        TABLE.write_text(table)
    known, found = set(TABLE.read_text().splitlines()), table.splitlines()
    assert [line for line in found if line not in known] == [], "operations that operations.md does not have"
    assert table == TABLE.read_text()


def requests_of(call, answers: list) -> list:
    """What a call was answered, whatever the client makes of the answer."""
    try:
        found = call(**arguments(call))
        if hasattr(found, "__iter__") and not isinstance(found, (str, bytes, dict)):
            next(iter(found), None)
    except Exception:  # noqa: BLE001: the answer is no answer to this operation
        pass
    return list(answers)


def judged(answer: httpx.Response, providers: dict) -> tuple[str, str, str | None]:
    """The request, what became of it, and what is wrong with that."""
    request = f"{answer.request.method} {answer.request.url.raw_path.decode().split('?')[0]}"
    if "x-gaud-provider" not in answer.headers:
        if answer.status_code == 200:
            return request, "answered by the gateway", None
        error = answer.json()["error"]
        code = error.get("code") if isinstance(error.get("code"), str) else error["message"]
        return request, f"refused: {answer.status_code} {code}", None
    provider = answer.headers["x-gaud-provider"]
    _, path, headers, body = providers[provider].seen[0]
    text = f"{path} {body.decode('utf-8', 'replace')}"
    has_key = any("sk-client" in value for value in headers.values()) or "sk-client" in path
    if MODEL in text or MODEL.replace(":", "%3A") in text:
        return request, "?", f"{provider} got {text}"
    if provider == "away":
        return request, "routed", "the client's key reached it" if has_key else None
    return request, "passed, with the client's key" if has_key else "passed", None


def written(rows: list) -> str:
    lines = ["# What becomes of each operation of the SDKs", "", "Written by `test_operations.py`.", ""]
    lines += ["| client | operation | request | |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"
