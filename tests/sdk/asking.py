"""Scripted requests (`kit_py/acts.py`): what the SDK receives, and which providers were asked."""

import itertools
import time
from typing import NamedTuple

import openai

from kit_py.stand_in import StandIn

CASES = itertools.count()


class Answered(NamedTuple):
    model: str
    text: str
    provider: str
    counted_attempts: int
    attempts: str


class Failed(NamedTuple):
    error: Exception
    secs: float
    attempts: str

    @property
    def header(self):
        return self.error.response.headers.get


class Asker:
    """The SDK with one gateway; without retries of its own, unless `options` say otherwise."""

    def __init__(self, url: str, stand_in: StandIn, **options):
        self.stand_in = stand_in
        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-of-a-caller", **({"max_retries": 0} | options))

    def ask(self, script: str = "", stream: bool = False) -> Answered:
        return self._ask(next_case(), script, stream)

    def fail(self, script: str = "", stream: bool = False) -> Failed:
        case = next_case()
        began = time.monotonic()
        try:
            answered = self._ask(case, script, stream)
        except Exception as error:
            return Failed(error, time.monotonic() - began, self.stand_in.attempts(case))
        raise AssertionError(f"no exception but {answered}")

    def _ask(self, case: str, script: str, stream: bool) -> Answered:
        messages = [{"role": "user", "content": f"{case} {script}"}]
        raw = self.openai.chat.completions.with_raw_response.create(model="gpt-4o", messages=messages, stream=stream)
        parsed = raw.parse()
        model, text = read(parsed) if stream else (parsed.model, parsed.choices[0].message.content)
        counted = int(raw.headers["x-gaud-attempts"])
        return Answered(model, text, raw.headers["x-gaud-provider"], counted, self.stand_in.attempts(case))


def next_case() -> str:
    return f"case-{next(CASES)}"


def read(stream) -> tuple[str, str]:
    chunks = list(stream)
    return chunks[0].model, "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
