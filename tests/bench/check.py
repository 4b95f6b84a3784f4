"""Before anything is measured: does each candidate do what is measured?"""

import json
import urllib.request
from http.client import HTTPMessage

from candidates import Candidate
from envoy_config import CLUSTER, KEY, MODEL, STRIPPED
from workloads import Workload

LIMIT_SECS = 30


def check(candidate: Candidate, workload: Workload, body: bytes, upstream: str) -> None:
    """Sends one request and looks at both of its ends."""
    call("PUT", f"{upstream}/last")
    headers, answer = call("POST", candidate.url + workload.path, candidate.headers, body)
    last, seen = call("GET", f"{upstream}/last")
    wrong = (
        wrong_answer(answer, workload.chunks)
        or wrong_request(seen, body, candidate)
        or not candidate.is_gateway
        and wrong_headers(headers, last, candidate)
    )
    if wrong:
        raise RuntimeError(f"{candidate.label}, {workload.name}: {wrong}")


def wrong_answer(answer: bytes, chunks: int) -> str | None:
    if chunks:
        events = answer.count(b"data: ")
        return None if events == chunks + 1 and b"[DONE]" in answer else f"{events} events came, of {chunks} and an end"
    content = json.loads(answer)["choices"][0]["message"]["content"]
    return None if content == "It depends on what you measure." else f"it answered {content!r}"


def wrong_request(seen: bytes, body: bytes, candidate: Candidate) -> str | None:
    """A gateway may change what it likes; a filter nothing but the model."""
    if candidate.is_gateway:
        model = json.loads(seen)["model"]
        return None if model == (STRIPPED if "edit" in candidate.does else MODEL) else f"the provider was asked for {model}"
    expected = edited(body) if "edit" in candidate.does else body
    if seen == expected or "rewrite" in candidate.does and json.loads(seen) == json.loads(expected):
        return None
    return f"the provider saw {len(seen)} bytes, and not what it should: {seen[:100]} … {seen[-100:]}"


def wrong_headers(headers: HTTPMessage, last: HTTPMessage, candidate: Candidate) -> str | None:
    sent = f"Bearer {KEY}" if "key" in candidate.does else candidate.headers["authorization"]
    if (seen := last["x-last-authorization"]) != sent:
        return f"the provider saw the credential {seen}"
    name = CLUSTER if "name" in candidate.does else None
    return None if headers["x-gaud-provider"] == name else f"the response names {headers['x-gaud-provider']}"


def edited(body: bytes) -> bytes:
    return body.replace(f'"model":"{MODEL}"'.encode(), f'"model":"{STRIPPED}"'.encode())


def call(method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> tuple[HTTPMessage, bytes]:
    request = urllib.request.Request(url, body, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=LIMIT_SECS) as response:
        return response.headers, response.read()
