"""What the tests' clients say, and for how long they wait."""

import time

import openai

from stack import Stack

LIMIT_SECS = 400  # LiteLLM alone takes minutes to start on a busy machine
ASK = [{"role": "user", "content": "Hello"}]
HELLO = "Hello from LiteLLM."


def client(stack: Stack, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.url}/v1", api_key=key, max_retries=0)


def said(client: openai.OpenAI, model: str = "hello") -> str:
    return client.chat.completions.create(model=model, messages=ASK).choices[0].message.content


def until(condition) -> None:
    deadline = time.monotonic() + LIMIT_SECS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
