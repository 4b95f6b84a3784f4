"""The official SDK streams through a gateway that meters: the SDK gets what it has asked for, the ledger what was used."""

import json
import sqlite3
from contextlib import closing

import openai
import pytest
from kit_py import gaud
from kit_py.answering import EVENTS, Answering, answering
from kit_py.waiting import until

PROMPT, COMPLETION = 20, 7
MESSAGES = [{"role": "user", "content": 'Say {"stream": false} "hello"'}]


class Counting(Answering):
    """A provider that says the usage of a stream only where it is asked for the usage."""

    def answer(self, body):
        request = json.loads(body)
        asks = (request.get("stream_options") or {}).get("include_usage", False)
        events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks(request["model"], asks))
        return EVENTS, f"{events}data: [DONE]\n\n"


def chunks(model, asks):
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    usage = {"prompt_tokens": PROMPT, "completion_tokens": COMPLETION, "total_tokens": PROMPT + COMPLETION}
    for text in ("Hel", "lo"):
        yield head | {"choices": [{"index": 0, "delta": {"content": text}}]} | ({"usage": None} if asks else {})
    if asks:
        yield head | {"choices": [], "usage": usage}


@pytest.fixture(scope="module")
def metered(tmp_path_factory):
    """The SDK's client of a gateway, and the ledger's file."""
    folder = tmp_path_factory.mktemp("usage")
    with answering(Counting) as address:
        url = f"{address}/v1"
        toml = f'[usage]\nmeter = "all"\n[control]\ndata = "{folder}/data"\n'
        for name, settings in [("asked", ""), ("other", ""), ("old", "include_usage = false\n")]:
            toml += f'[providers.{name}]\nurl = "{url}"\nauth = "none"\n{settings}'
        toml += '[[fallbacks]]\nmodel = "chain"\nto = ["other:second"]\n[aliases]\nchain = "asked:first"\n'
        with gaud.serving("usage", toml, {}, folder) as address:
            client = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
            yield client, folder / "data/ledger.db"


def last(path, asked, count=1):
    """Basis, input and output of the attempts for a model, once so many are there."""

    def rows():
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            sql = "SELECT basis, input, output FROM attempts WHERE asked = ? ORDER BY begun_ms"
            found = database.execute(sql, [asked]).fetchall()
        return found if len(found) == count else None

    return until("the ledger has the attempts", rows)


@pytest.mark.parametrize("model", ["asked:gpt-4o", "chain"])
def test_a_stream_is_counted_and_the_sdk_sees_no_usage(metered, model):
    client, path = metered
    stream = client.chat.completions.create(model=model, messages=MESSAGES, stream=True)
    seen = list(stream)
    assert "".join(chunk.choices[0].delta.content for chunk in seen) == "Hello"
    assert [chunk.usage for chunk in seen] == [None, None]
    assert last(path, model) == [("counted", PROMPT, COMPLETION)]


def test_an_sdk_that_asks_for_the_usage_gets_it(metered):
    client, path = metered
    options = {"include_usage": True}
    stream = client.chat.completions.create(model="asked:own", messages=MESSAGES, stream=True, stream_options=options)
    *others, end = list(stream)
    assert len(others) == 2
    assert end.choices == []
    assert (end.usage.prompt_tokens, end.usage.completion_tokens) == (PROMPT, COMPLETION)
    assert last(path, "asked:own") == [("counted", PROMPT, COMPLETION)]


def test_a_provider_that_is_not_asked_is_estimated(metered):
    client, path = metered
    stream = client.chat.completions.create(model="old:gpt-4o", messages=MESSAGES, stream=True)
    assert "".join(chunk.choices[0].delta.content for chunk in stream) == "Hello"
    [(basis, _, output)] = last(path, "old:gpt-4o")
    assert (basis, output) == ("estimated", 2)
