"""LiteLLM is killed under load and comes back: what its callers see meanwhile."""

import os
import signal
import statistics
import time
import urllib.request

import pytest

import gateway as gateway_process
from conftest import LITELLM_START_LIMIT_SECS, MASTER_KEY, Endpoint, answers, litellm_server
from load import load
from processes import free_port

pytestmark = pytest.mark.gateway
LIMIT_SECS = 60
ENOUGH = 20


def until(condition) -> None:
    deadline = time.monotonic() + LIMIT_SECS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_killed_litellm_costs_its_callers_little_and_comes_back(upstream, folder, capsys):
    port = free_port()
    litellm = Endpoint(f"http://127.0.0.1:{port}", MASTER_KEY)
    first = litellm_server("litellm-first", port, upstream, folder)
    first.wait_until(lambda: answers(litellm), LITELLM_START_LIMIT_SECS)
    secrets = {"LITELLM_MASTER_KEY": MASTER_KEY}
    with (
        gateway_process.running("restart", {"litellm": litellm.url}, secrets, folder) as address,
        load(address, "litellm:gpt-4o") as asked,
    ):
        until(lambda: sum(answer.status == 200 for answer in asked.answers) > ENOUGH)
        killed = time.monotonic()
        os.killpg(first.process.pid, signal.SIGKILL)
        first.process.wait()
        until(lambda: refused(asked.since(killed)))
        until(lambda: len(refused(asked.since(killed))) > ENOUGH)
        with litellm_server("litellm-second", port, upstream, folder) as second:
            second.wait_until(lambda: answers(litellm), LITELLM_START_LIMIT_SECS)
            back = time.monotonic()
            until(lambda: served(asked.since(back)[-ENOUGH:]) == ENOUGH)
            asked.stopped.set()
            health = urllib.request.urlopen(f"{address}/health").read()
            assert b'"breaker":"closed"' in health, health
            report(capsys, asked, killed, back)
            judge(asked, killed)


def refused(answers_):
    return [answer for answer in answers_ if answer.code == "provider_unavailable"]


def served(answers_) -> int:
    return sum(answer.status == 200 for answer in answers_)


def judge(asked, killed: float) -> None:
    for answer in asked.answers:
        if answer.status == 200:
            assert answer.body["choices"][0]["message"]["content"] == "Hello from gpt-4o."
        else:
            assert answer.began + answer.secs >= killed, answer
            assert answer.code in {"provider_unavailable", "provider_unreachable", "bad_provider_response"}, answer
    # Three in a row open it; what was under way at that moment, and a probe a second, may fail beside.
    down = [answer for answer in asked.since(killed) if answer.code in {"provider_unreachable", "bad_provider_response"}]
    assert len(down) < 3 + 4 + LIMIT_SECS, len(down)
    assert len(refused(asked.answers)) > len(down)


def report(capsys, asked, killed: float, back: float) -> None:
    failed = [answer for answer in asked.answers if answer.status != 200]
    tried = [answer for answer in failed if answer.code != "provider_unavailable"]
    first = next(answer for answer in asked.since(back) if answer.status == 200)
    median = statistics.median(answer.secs for answer in refused(asked.answers))
    with capsys.disabled():
        print(
            f"\nLiteLLM away for {back - killed:.1f} s: {len(asked.answers)} requests, {len(failed)} refused or failed, "
            f"{len(tried)} of them tried; a refusal took {median * 1e6:.0f} us (median); "
            f"the first answer came {first.began - back:.2f} s after LiteLLM was back"
        )
