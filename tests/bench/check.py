"""Before anything is measured: does each candidate do what is measured?"""

import json
import urllib.request

from candidates import Candidate
from envoy_config import MODEL, STRIPPED
from workloads import Workload

LIMIT_SECS = 30


def check(candidate: Candidate, workload: Workload, body: bytes, upstream: str) -> None:
    """Sends one request and looks at both of its ends."""
    call("PUT", f"{upstream}/last")
    answer = call("POST", candidate.url + workload.path, candidate.headers, body)
    seen = call("GET", f"{upstream}/last")
    wrong = wrong_answer(answer, workload.chunks) or wrong_request(seen, body, candidate)
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
        return None if model == (STRIPPED if candidate.edits else MODEL) else f"the provider was asked for {model}"
    expected = edited(body) if candidate.edits else body
    if seen == expected or candidate.rewrites and json.loads(seen) == json.loads(expected):
        return None
    return f"the provider saw {len(seen)} bytes, and not what it should: {seen[:100]} … {seen[-100:]}"


def edited(body: bytes) -> bytes:
    return body.replace(f'"model":"{MODEL}"'.encode(), f'"model":"{STRIPPED}"'.encode())


def call(method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, body, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=LIMIT_SECS) as response:
        return response.read()
