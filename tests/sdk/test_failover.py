"""OpenAI's SDKs when providers fail: the fallback's answer, or the right exception, and no attempt too many."""

import json

import httpx
import openai
import pytest

import gateway as gateway_process
import providers as providers_module
from asking import Asker
from providers import KEYS
from test_node import packages, run  # noqa: F401 (a fixture)

pytestmark = pytest.mark.gateway
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def providers():
    with providers_module.running() as running:
        yield running


@pytest.fixture(scope="module")
def url(providers, folder):
    """The address of a gateway that leaves no provider alone, however often it fails."""
    yield from run_gateway(providers, folder, breaker="false")


def run_gateway(providers, folder, breaker: str):
    with gateway_process.running("failover", providers.urls | {"breaker": breaker}, KEYS, folder) as address:
        yield address


@pytest.fixture(scope="module")
def once(url, providers) -> Asker:
    return Asker(url, providers)


@pytest.fixture(scope="module")
def retrying(url, providers) -> Asker:
    """The SDK as it comes: it asks up to three times."""
    return Asker(url, providers, max_retries=openai.DEFAULT_MAX_RETRIES)


@both
@pytest.mark.parametrize(
    ("script", "seen"),
    [
        ("", "a"),
        ("a=500,good", "aa"),
        ("a=500", "aab"),
        ("a=reset,good", "aa"),
        ("a=reset", "aab"),
        ("a=429", "ab"),
        ("a=429-soon,good", "aa"),
        ("a=429-late", "ab"),
        ("a=silent", "ab"),
        ("a=headers_only", "ab"),
        ("a=context", "ab"),
        ("a=500,429 b=headers_only", "aabc"),
        ("a=silent b=reset,500", "abbc"),
    ],
)
def test_the_answer_of_who_is_left(once, script, seen, stream):
    asked = once.ask(script, stream)
    model = {"a": "gpt-4o", "b": "gpt-4o-b", "c": "gpt-4o-c"}[seen[-1]]
    assert (asked.seen, asked.provider, asked.attempts, asked.model) == (seen, seen[-1], len(seen), model)
    assert asked.text == "first second" if stream else json.loads(asked.text)["model"] == model


@both
@pytest.mark.parametrize(
    ("script", "kind", "code", "seen"),
    [
        ("a=policy", openai.BadRequestError, "content_policy_violation", "a"),
        ("a=500,policy", openai.BadRequestError, "content_policy_violation", "aa"),
        ("a=401", openai.AuthenticationError, "invalid_api_key", "a"),
        ("a=404", openai.NotFoundError, "model_not_found", "a"),
        ("a=context b=context c=context", openai.BadRequestError, "context_length_exceeded", "abc"),
    ],
)
def test_errors_that_no_other_provider_would_mend(once, retrying, script, kind, code, seen, stream):
    for asker in once, retrying:
        failed = asker.fail(script, stream)
        assert isinstance(failed.error, kind), failed
        assert (failed.error.code, failed.seen) == (code, seen)


ALL_FAIL = [
    ("a=500 b=500 c=500", openai.InternalServerError, 500, "internal_error", "aabbcc"),
    ("a=reset b=reset c=reset", openai.InternalServerError, 503, "provider_unreachable", "aabbcc"),
    ("a=429-late b=429-late c=429-late", openai.RateLimitError, 429, "rate_limit_exceeded", "abc"),
    ("a=429 b=429 c=429", openai.RateLimitError, 429, "rate_limit_exceeded", "abcc"),
    ("a=silent b=silent c=silent", openai.InternalServerError, 504, "provider_timeout", "abc"),
    ("a=headers_only b=headers_only c=headers_only", openai.InternalServerError, 504, "provider_timeout", "abc"),
]
all_fail = pytest.mark.parametrize(
    ("script", "kind", "status", "code", "seen"), ALL_FAIL, ids=[row[0].split()[0] for row in ALL_FAIL]
)


@both
@all_fail
def test_all_have_failed(once, script, kind, status, code, seen, stream):
    failed = once.fail(script, stream)
    assert isinstance(failed.error, kind), failed
    assert (failed.error.status_code, failed.error.code, failed.seen) == (status, code, seen)
    assert failed.header("x-gaud-attempts") == str(len(seen))
    assert failed.header("x-should-retry") == "false"


@both
@all_fail
def test_the_sdk_does_not_ask_again_what_the_gateway_has_tried(retrying, script, kind, status, code, seen, stream):
    failed = retrying.fail(script, stream)
    assert isinstance(failed.error, kind), failed
    assert failed.seen == seen


def test_a_caller_with_patience_hears_of_the_gateway_s_deadline(url, providers):
    failed = Asker(url, providers, timeout=20).fail("a=silent b=silent c=silent")
    assert not isinstance(failed.error, openai.APITimeoutError), failed
    assert 3 <= failed.secs < 10  # a second for each of them


def test_a_caller_without_patience_leaves(url, providers):
    failed = Asker(url, providers, timeout=0.5).fail("a=silent")
    assert isinstance(failed.error, openai.APITimeoutError), failed
    assert 0.5 <= failed.secs < 1


def test_a_stream_that_dies_raises(once, retrying):
    for asker in once, retrying:
        failed = asker.fail("a=broken", stream=True)
        assert isinstance(failed.error, (openai.APIError, httpx.HTTPError)), failed
        assert failed.seen == "a"


def test_an_answer_that_breaks_off_raises(once):
    failed = once.fail("a=broken")
    assert isinstance(failed.error, (openai.APIConnectionError, httpx.HTTPError)), failed
    assert failed.seen == "a"


def test_a_stream_that_does_not_end_as_it_should_raises(once):
    failed = once.fail("a=undone", stream=True)
    assert isinstance(failed.error, openai.APIError), failed
    assert failed.error.code, failed.error
    assert failed.seen == "a"


def test_node(packages, url, providers):  # noqa: F811
    run("failover.test.mjs", URL=url, KEY="sk-of-a-caller", PROVIDER_URL=providers.urls["a"])


@pytest.fixture
def breaking(providers, folder):
    """The address of a gateway that leaves a provider alone for two seconds when it has failed once."""
    yield from run_gateway(providers, folder, breaker="true")


def test_open_breakers(breaking, providers):
    """The SDK waits as long as the gateway says, and its next request is the first that is let through."""
    once = Asker(breaking, providers)
    once.fail("a=500 b=500 c=500")
    failed = once.fail("")
    assert isinstance(failed.error, openai.InternalServerError), failed
    assert (failed.error.status_code, failed.error.code, failed.seen) == (503, "provider_unavailable", "")
    assert 1 <= int(failed.header("retry-after")) <= 2
    assert failed.header("x-should-retry") is None
    asked = Asker(breaking, providers, max_retries=openai.DEFAULT_MAX_RETRIES).ask("")
    assert asked.seen == asked.provider
