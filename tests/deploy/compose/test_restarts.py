"""Each part of the deployment goes away under traffic and comes back: what clients see meanwhile."""

import json
import os
import signal
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from clients import HELLO, LIMIT_SECS, client, said, until
from stack import Stack
from traffic import UNREACHED, Traffic, traffic

ENOUGH = 20
RESTARTED = ["restart", "litellm"]
REPLACED = ["up", "--detach", "--wait", "--no-deps", "--force-recreate", "litellm"]


@pytest.mark.parametrize("words", [RESTARTED, REPLACED], ids=["restarted", "replaced"])
def test_litellm_is_away_for_a_while(stack, key, capsys, words):
    asked = seen_while(stack, key, "litellm", lambda: stack.compose(*words, limit_secs=LIMIT_SECS), capsys)
    refusals = {(503, "provider_unreachable"), (503, "provider_unavailable"), (502, "bad_provider_response")}
    assert (503, "provider_unavailable") in asked.failures() <= refusals
    with urllib.request.urlopen(f"{stack.url}/health", timeout=10) as response:
        assert json.load(response)["providers"]["litellm"]["breaker"] == "closed"


def test_the_gateway_is_restarted(stack, key, capsys):
    asked = seen_while(stack, key, "gaud", lambda: stack.compose("restart", "gaud"), capsys)
    assert asked.failures() == {(0, UNREACHED)}
    until(lambda: stack.metric('up{job="gaud"}') == 1)


def test_a_crash_of_envoy_ends_the_container_which_is_started_again(stack, key, capsys):
    before = stack.inspect("gaud")
    asked = seen_while(stack, key, "gaud", lambda: kill_envoy(before["State"]["Pid"]), capsys)
    assert asked.failures() == {(0, UNREACHED)}
    assert stack.inspect("gaud")["RestartCount"] == before["RestartCount"] + 1
    assert "Envoy ended by itself" in stack.compose("logs", "gaud")


def kill_envoy(gaud: int) -> None:
    (envoy,) = Path(f"/proc/{gaud}/task/{gaud}/children").read_text().split()
    os.kill(int(envoy), signal.SIGKILL)


def test_postgres_is_restarted(stack, key, capsys):
    asked = seen_while(stack, key, "postgres", lambda: stack.compose("restart", "postgres"), capsys)
    # LiteLLM remembers a key for a minute; after that it has to ask.
    assert {status for status, _ in asked.failures()} <= {401, 500, 503}
    assert said(client(stack, stack.new_key("hello"))) == HELLO


def test_prometheus_is_restarted(stack, key, capsys):
    samples = 'count_over_time(up{job="gaud"}[1h])'
    before = stack.metric(samples)
    asked = seen_while(stack, key, "prometheus", lambda: stack.compose("restart", "prometheus"), capsys)
    assert asked.failures() == set()
    until(lambda: (stack.metric(samples) or 0) > before)


def seen_while(stack: Stack, key: str, service: str, happens, capsys) -> Traffic:
    """What a client sees while something happens to a service, until all is well again."""
    with traffic(stack.url, key, "hello") as asked:
        until(lambda: [seen.served for seen in asked.seen[-ENOUGH:]] == [True] * ENOUGH)
        del asked.seen[:-ENOUGH]  # what an earlier test has left
        began = time.monotonic()
        happens()
        until(lambda: stack.is_healthy(service))
        back = time.monotonic()
        until(lambda: [seen.served for seen in asked.since(back)[-ENOUGH:]] == [True] * ENOUGH)
    first = next(seen for seen in asked.since(back) if seen.served)
    counts = Counter((seen.status, seen.what) for seen in asked.seen)
    with capsys.disabled():
        print(f"\n{service} healthy after {back - began:.1f} s, served {first.began - back:.1f} s later: {dict(counts)}")
    assert {seen.what for seen in asked.seen if seen.served} == {HELLO}
    return asked
