"""Requests with a script, and what the SDK and the providers saw of them."""

import itertools
import time
from typing import NamedTuple

import openai

CASES = itertools.count()


class Asked(NamedTuple):
    """A request that was answered."""

    model: str
    text: str
    provider: str
    attempts: int
    seen: str


class Failed(NamedTuple):
    """A request that ended in an exception."""

    error: Exception
    secs: float
    seen: str

    @property
    def header(self):
        return self.error.response.headers.get


class Asker:
    """The SDK against one gateway; without its own retries unless it is told of some."""

    def __init__(self, url: str, providers, **options):
        self.providers = providers
        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-of-a-caller", **({"max_retries": 0} | options))

    def ask(self, script: str, stream: bool = False) -> Asked:
        return self._ask(f"case-{next(CASES)}", script, stream)

    def fail(self, script: str, stream: bool = False) -> Failed:
        case = f"case-{next(CASES)}"
        began = time.monotonic()
        try:
            asked = self._ask(case, script, stream)
        except Exception as error:
            return Failed(error, time.monotonic() - began, self.providers.seen(case))
        raise AssertionError(f"no exception but {asked}")

    def _ask(self, case: str, script: str, stream: bool) -> Asked:
        messages = [{"role": "user", "content": f"{case} {script}"}]
        raw = self.openai.chat.completions.with_raw_response.create(model="gpt-4o", messages=messages, stream=stream)
        parsed = raw.parse()
        model, text = read(parsed) if stream else (parsed.model, parsed.choices[0].message.content)
        attempts = int(raw.headers["x-gaud-attempts"])
        return Asked(model, text, raw.headers["x-gaud-provider"], attempts, self.providers.seen(case))


def read(stream) -> tuple[str, str]:
    chunks = list(stream)
    return chunks[0].model, "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
