"""Each part of the deployment goes away under load and comes back: what clients see meanwhile."""

import json
import os
import signal
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from clients import HELLO, LIMIT_SECS, client, said, until
from kit_py.load import UNREACHED, Load, load
from stack import Stack

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
    until("Prometheus reaches the gateway", lambda: stack.metric('up{job="gaud"}') == 1)


def test_docker_restarts_the_container_when_envoy_crashes(stack, key, capsys):
    before = stack.inspect("gaud")
    asked = seen_while(stack, key, "gaud", lambda: kill_envoy(before["State"]["Pid"]), capsys)
    assert asked.failures() == {(0, UNREACHED)}
    assert stack.inspect("gaud")["RestartCount"] == before["RestartCount"] + 1
    assert "Envoy ended without being asked" in stack.compose("logs", "gaud")


def kill_envoy(gaud: int) -> None:
    (envoy,) = Path(f"/proc/{gaud}/task/{gaud}/children").read_text().split()
    os.kill(int(envoy), signal.SIGKILL)


def test_postgres_is_restarted(stack, key, capsys):
    asked = seen_while(stack, key, "postgres", lambda: stack.compose("restart", "postgres"), capsys)
    # LiteLLM remembers a key for a minute, then it needs the database.
    assert {status for status, _ in asked.failures()} <= {401, 500, 503}
    assert said(client(stack, stack.new_key("hello"))) == HELLO


def test_prometheus_is_restarted(stack, key, capsys):
    samples = 'count_over_time(up{job="gaud"}[1h])'
    before = stack.metric(samples)
    asked = seen_while(stack, key, "prometheus", lambda: stack.compose("restart", "prometheus"), capsys)
    assert asked.failures() == set()
    until("Prometheus has new samples", lambda: (stack.metric(samples) or 0) > before)


def seen_while(stack: Stack, key: str, service: str, happens, capsys) -> Load:
    """What a client sees while something happens to a service, until the service is healthy and requests are served."""
    with load(stack.url, "hello", key) as asked:
        until("requests are served", lambda: asked.serves(since=0, count=ENOUGH))
        del asked.answers[:-ENOUGH]  # what an earlier test has left
        began = time.monotonic()
        happens()
        until(f"{service} is healthy", lambda: stack.is_healthy(service))
        back = time.monotonic()
        until("requests are served again", lambda: asked.serves(since=back, count=ENOUGH))
    first = next(answer for answer in asked.since(back) if answer.served)
    counts = Counter((answer.status, answer.text) for answer in asked.answers)
    with capsys.disabled():
        print(f"\n{service} healthy after {back - began:.1f} s, served {first.began - back:.1f} s later: {dict(counts)}")
    assert {answer.text for answer in asked.answers if answer.served} == {HELLO}
    return asked
