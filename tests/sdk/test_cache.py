"""LiteLLM's response cache in Redis works through the gateway as it does without the gateway."""

import signal

import pytest
from kit_py import gaud
from kit_py.processes import Server, free_port, listens, program
from litellm_server import MASTER_KEY, LiteLlm, without_prisma

MODELS = """\
model_list:
  - model_name: echo
    litellm_params: {model: openai/echo, api_base: os.environ/UPSTREAM_URL, api_key: os.environ/UPSTREAM_KEY}
litellm_settings:
  cache: true
  cache_params: {type: redis, host: 127.0.0.1, port: os.environ/CACHE_PORT, ttl: 600}
"""


@pytest.fixture
def redis(tmp_path):
    port = free_port()
    argv = [program("redis-server", "servers"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with Server("redis", argv, {}, tmp_path, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: listens(port), 20)
        yield port


def test_the_second_answer_comes_from_the_cache(redis, stand_in, tmp_path):
    config = tmp_path / "litellm.yaml"
    config.write_text(MODELS.replace("os.environ/CACHE_PORT", str(redis)))
    litellm = LiteLlm("litellm-cache", stand_in, tmp_path, without_prisma(tmp_path))
    litellm.start(config)
    with litellm.server:
        litellm.wait()
        toml = f"""
default_provider = "litellm"
[providers.litellm]
url = "{litellm.url}"
api_key = "os.environ/LITELLM_MASTER_KEY"
"""
        with gaud.serving("cache", toml, {"LITELLM_MASTER_KEY": MASTER_KEY}, tmp_path) as address:
            asked = [ask(litellm, address, stand_in, "the same"), ask(litellm, address, stand_in, "the same")]
            other = ask(litellm, address, stand_in, "another")
    (first, first_requests), (second, second_requests) = asked
    assert (first_requests, second_requests, other[1]) == (1, 0, 1)
    assert first.choices == second.choices and first.id == second.id


def ask(litellm, address, stand_in, question):
    """The answer through the gateway, and how many requests LiteLLM's provider has got for it."""
    stand_in.take()
    client = litellm.client().with_options(base_url=f"{address}/v1", max_retries=0)
    answer = client.chat.completions.create(model="litellm:echo", messages=[{"role": "user", "content": question}])
    return answer, len(stand_in.take())
