"""The clients of the tests, and how long the tests wait for the deployment."""

from functools import partial

import openai

from kit_py import waiting
from stack import Stack

LIMIT_SECS = 400  # LiteLLM alone takes minutes to start on a busy machine
until = partial(waiting.until, limit_secs=LIMIT_SECS)
ASK = [{"role": "user", "content": "Hello"}]
HELLO = "Hello from LiteLLM."


def client(stack: Stack, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{stack.url}/v1", api_key=key, max_retries=0)


def said(client: openai.OpenAI, model: str = "hello") -> str:
    return client.chat.completions.create(model=model, messages=ASK).choices[0].message.content
