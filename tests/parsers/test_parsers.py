"""No request that the gateway passes on is read in two ways: every server that takes it reads the model by which the
gateway has routed it, or none where the gateway has read none.

The servers' own parsers read, not models of them: receivers.py, receivers.cjs and go/ call them. Documents are generated
and mutated from a seed; `make test-parsers PARSERS_SEED=7 PARSERS_DOCUMENTS=20000` repeats a run.
"""

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from documents import JSON, Document, documents

HERE = Path(__file__).parent
COUNT = int(os.environ.get("PARSERS_DOCUMENTS", "1500"))
SEED = int(os.environ.get("PARSERS_SEED", "1"))
GATEWAY = [os.environ["PARSERS_GATEWAY"]]
RECEIVERS = [[sys.executable, str(HERE / "receivers.py")], ["node", str(HERE / "receivers.cjs")]]
if GO := os.environ.get("PARSERS_GO"):
    RECEIVERS.append([GO])

# What a server does that takes no model from a document.
REFUSED, UNREAD, NONE = "refused", "unread", "none"
# Requests whose query names the model.
BY_QUERY = {("GET", "/v1/realtime"), ("POST", "/v1/realtime/calls"), ("GET", "/v1/responses")}
SHOWN = 10


class Sent(NamedTuple):
    """A request as it leaves the gateway."""

    document: Document
    model: str | None
    path: str
    body: str

    def for_receiver(self) -> str:
        # Two headers are one with a comma, and HTTP/1 strips blanks.
        value = ",".join(self.document.types).strip(" \t") if self.document.types else None
        return json.dumps({"method": self.document.method, "path": self.path, "type": value, "body": self.body})


class Read(NamedTuple):
    """What the servers read of one request, by their names."""

    bodies: dict[str, str]
    queries: dict[str, str]
    objects: dict[str, list[str]]


def test_no_server_reads_another_model(capsys):
    asked = documents(COUNT, SEED)
    sent = [one for one in gateway_reads(asked) if isinstance(one, Sent)]
    reads = servers_read([one.for_receiver() for one in sent])
    found = [(one, text) for one, read in zip(sent, reads, strict=True) for text in differences(one, read)]
    with capsys.disabled():
        print(f"\n{summary(asked, sent, reads)}")
    named = [f"{text}\n{one.document}" for one, text in found[:SHOWN]]
    assert not found, f"PARSERS_SEED={SEED} PARSERS_DOCUMENTS={COUNT}: {len(found)} differences\n\n" + "\n\n".join(named)
    # A run in which no reader reads anything proves nothing.
    assert len(sent) > COUNT * 0.25
    models = Counter(name for read in reads for name, text in read_of_all(read) if text.startswith("model:"))
    rare = [name for name in dict(read_of_all(reads[0])) if models[name] < COUNT * 0.005]
    assert rare == ["Express urlencoded", "Express urlencoded, extended"], "the gateway passes no such form"


def gateway_reads(asked: list[Document]) -> list[Sent | str]:
    """What the gateway does with each: the request as it leaves, or the code of the refusal."""
    lines = run(GATEWAY, [one.for_gateway() for one in asked])
    answers = zip(asked, lines, strict=True)
    return [line.get("refused") or Sent(one, line["model"], line["path"], line["body"]) for one, line in answers]


def servers_read(lines: list[str]) -> list[Read]:
    with ThreadPoolExecutor() as threads:
        answers = threads.map(lambda program: run(program, lines), RECEIVERS)
    return [Read(*(merged(own, field) for field in Read._fields)) for own in zip(*answers, strict=True)]


def merged(answers: tuple[dict, ...], field: str) -> dict:
    return {name: text for answer in answers for name, text in answer[field].items()}


def run(program: list[str], lines: list[str]) -> list[dict]:
    done = subprocess.run(program, input="\n".join([*lines, ""]).encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences(sent: Sent, read: Read) -> Iterator[str]:
    document = sent.document
    place = (document.method, document.path.partition("?")[0])
    is_batch = place[1].endswith("/batches")
    expected = expected_readings(sent.model, place[1])
    # A path may name the model, and the body and the query the same one.
    is_by_path = "/deployments/" in place[1] or "/v1beta/models/" in place[1]
    may_lack = {NONE} if is_by_path else set()
    for name, text in read.bodies.items():
        if place in BY_QUERY or place[0] == "GET" or is_batch or text in {REFUSED, UNREAD} | expected | may_lack:
            continue
        yield f"the gateway reads {sent.model!r}, {name} reads {shown(text)}"
    for name, text in read.queries.items():
        # A `deployment` beside a body names nothing.
        is_other = name.endswith(" deployment") and not is_by_path and place not in BY_QUERY
        right = {NONE, REFUSED} | (expected if is_by_path or place in BY_QUERY else set())
        if text not in right and not is_other:
            yield f"the gateway reads {sent.model!r}, {name} in the query reads {shown(text)}"
    if place in BY_QUERY and sent.model is not None:
        names = {name.rpartition(" ")[0] for name in read.queries}
        for name in names:
            if {read.queries[f"{name} {key}"] for key in ("model", "deployment")} == {NONE}:
                yield f"the gateway reads {sent.model!r}, {name} in the query reads none"
    if is_batch:
        for name, models in read.objects.items():
            for text in models:
                if shown(text).startswith("'p:"):
                    yield f"the default provider gets a batch, and {name} reads {shown(text)}"


def expected_readings(model: str | None, path: str) -> set[str]:
    if model is None:
        return {NONE}
    # Gemini's clients may write `models/NAME`.
    names = [model, f"models/{model}"] if path.startswith("/v1beta/") else [model]
    return {"model:" + name.encode().hex() for name in names}


def shown(text: str) -> str:
    kind, _, digits = text.partition(":")
    return repr(bytes.fromhex(digits).decode("utf-8", "backslashreplace")) if kind == "model" else text


def read_of_all(read: Read) -> Iterator[tuple[str, str]]:
    yield from read.bodies.items()
    yield from ((name, text) for name, text in read.queries.items() if not name.endswith(" deployment"))


def summary(asked: list[Document], sent: list[Sent], reads: list[Read]) -> str:
    with_model = sum(one.model is not None for one in sent)
    readings = Counter((name, text.partition(":")[0]) for read in reads for name, text in read_of_all(read))
    rows = [
        f"  {name}: " + ", ".join(f"{readings[name, kind]} {kind}" for kind in ("model", NONE, REFUSED, UNREAD))
        for name in (dict(read_of_all(reads[0])) if reads else {})
    ]
    head = f"seed {SEED}: {len(asked)} requests, {len(sent)} passed on, {with_model} of them with a model"
    return "\n".join([head, *rows])


def form(*parts: str) -> bytes:
    """Each part is its name and its content."""
    start = "--b\r\nContent-Disposition: form-data; name="
    lines = [f'{start}"{name}"\r\n\r\n{content}\r\n' for name, content in map(str.split, parts)]
    return ("".join(lines) + "--b--\r\n").encode()


CHAT, AUDIO, FORM = "/v1/chat/completions", "/v1/audio/transcriptions", "multipart/form-data; boundary=b"


# What the gateway refuses, and who reads another model there than `cheap`.
TWO_MODELS = [
    (CHAT, JSON, b'{"model":"cheap","model":"expensive"}', {"Python json", "JSON.parse"}),
    (CHAT, JSON, b'{"model":"cheap","Model":"expensive"}', {"Go struct"}),
    (CHAT, f"{JSON}; charset=utf-7", b'{"model":"cheap","a":"+ACIALAAi-model+ACIAOgAi-expensive"}', {"aiohttp json"}),
    (CHAT, " application/x-www-form-urlencoded", b'{"model":"cheap","a":"&model=expensive&"}', {"LiteLLM", "Express urlencoded"}),
    (f"{CHAT}?model[]=expensive", JSON, b'{"model":"cheap"}', {"Express 4 model"}),
    (AUDIO, FORM, form("model cheap", "Model expensive"), {"any case form"}),
    (AUDIO, FORM, form("model cheap", "model[] expensive"), {"multer"}),
    (AUDIO, FORM, form("model[] expensive"), {"LiteLLM form"}),
    ("/v1/realtime/calls?model=cheap+x", JSON, b"", {"Starlette model", "URLSearchParams model", "Go model"}),
    ("/v1/realtime/calls?model=cheap%zz%2f", JSON, b"", {"Express 4 model"}),
    ("/v1/realtime/calls?model=cheap[]=expensive", JSON, b"", {"Express 4"}),
    ("/v1/realtime/calls?model=cheap&model[]=expensive", JSON, b"", {"Express 4 model"}),
    ("/v1/realtime/calls?model=cheap&MODEL=expensive", JSON, b"", {"any case model"}),
]


def test_what_servers_read_in_two_ways_is_refused():
    """The oracle sees what it is there for."""
    asked = [Document("POST", path, [kind], body) for path, kind, body, _ in TWO_MODELS]
    passed = [one for one in gateway_reads(asked) if isinstance(one, Sent)]
    assert not passed, "\n\n".join(str(one.document) for one in passed)
    as_if_sent = [Sent(one, "cheap", one.path, base64.b64encode(one.body).decode()) for one in asked]
    for sent, read, (*_, readers) in zip(as_if_sent, servers_read([one.for_receiver() for one in as_if_sent]), TWO_MODELS, strict=True):
        found = "\n".join(differences(sent, read))
        there = {name for name in readers if GO or not name.startswith("Go ")}
        missing = [name for name in there if f"{name} reads" not in found and f"{name} in the query reads" not in found]
        assert not missing, f"{sent.document}\n{missing} read no other model: {read}"
