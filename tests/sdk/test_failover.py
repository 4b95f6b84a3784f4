"""OpenAI's SDKs when providers fail: the fallback's answer, or the right exception, and no attempt too many.

One case for each exception of the SDK. `tests/e2e/failover` proves which failure leads to which attempt and answer.
"""

import httpx
import openai
import pytest

from asking import Asker
from conftest import CONFIGS
from kit_py import gaud
from kit_py.answers import TEXT
from kit_py.stand_in import KEYS, StandIn
from test_node import run_node

pytestmark = pytest.mark.gateway
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
SECRETS = {f"KEY_{name.upper()}": KEYS[name] for name in "abc"}


@pytest.fixture(scope="module")
def url(stand_in, folder):
    """The address of a gateway without breakers: it asks a provider however often the provider has failed."""
    yield from run_gateway(stand_in, folder, breaker="false")


def run_gateway(stand_in: StandIn, folder, breaker: str):
    values = {"stand_in": stand_in.url, "breaker": breaker}
    with gaud.running(CONFIGS / "failover.toml", values, SECRETS, folder) as address:
        yield address


@pytest.fixture(scope="module")
def once(url, stand_in) -> Asker:
    return Asker(url, stand_in)


@pytest.fixture(scope="module")
def retrying(url, stand_in) -> Asker:
    """The SDK with its default, up to three requests."""
    return Asker(url, stand_in, max_retries=openai.DEFAULT_MAX_RETRIES)


@both
def test_the_sdk_reads_the_answer_of_a_fallback(once, stream):
    answered = once.ask("a=500,429 b=headers_only", stream)
    assert (answered.attempts, answered.counted_attempts) == ("aabc", 4)
    assert (answered.provider, answered.model, answered.text) == ("c", "gpt-4o-c", TEXT)


@both
@pytest.mark.parametrize(
    ("script", "kind", "status", "code", "attempts"),
    [
        ("a=500,policy", openai.BadRequestError, 400, "content_policy_violation", "aa"),
        ("a=context b=context c=context", openai.BadRequestError, 400, "context_length_exceeded", "abc"),
        ("a=401", openai.AuthenticationError, 401, "account_deactivated", "a"),
        ("a=404", openai.NotFoundError, 404, "model_not_found", "a"),
        ("a=429-late b=429-late c=429-late", openai.RateLimitError, 429, "rate_limit_exceeded", "abc"),
        ("a=500 b=500 c=500", openai.InternalServerError, 500, "internal_error", "aabbcc"),
    ],
    ids=["policy", "context", "key", "model", "limit", "failure"],
)
def test_an_error_is_the_sdk_s_exception_and_the_sdk_does_not_ask_again(
    once, retrying, script, kind, status, code, attempts, stream
):
    for asker in once, retrying:
        failed = asker.fail(script, stream)
        assert isinstance(failed.error, kind), failed
        assert (failed.error.status_code, failed.error.code, failed.attempts) == (status, code, attempts)
        assert failed.header("x-gaud-attempts") == str(len(attempts))
        assert failed.header("x-should-retry") == ("false" if status in (429, 500) else None)


def test_a_patient_client_receives_the_gateway_s_timeout(url, stand_in):
    failed = Asker(url, stand_in, timeout=20).fail("a=silent b=silent c=silent")
    assert isinstance(failed.error, openai.InternalServerError), failed
    assert (failed.error.status_code, failed.error.code, failed.attempts) == (504, "provider_timeout", "abc")
    assert 3 <= failed.secs < 10  # a second for each provider


def test_an_impatient_client_raises_its_own_timeout(url, stand_in):
    failed = Asker(url, stand_in, timeout=0.5).fail("a=silent")
    assert isinstance(failed.error, openai.APITimeoutError), failed
    assert 0.5 <= failed.secs < 1


def test_a_stream_that_breaks_off_raises(once, retrying):
    for asker in once, retrying:
        failed = asker.fail("a=broken", stream=True)
        assert isinstance(failed.error, (openai.APIError, httpx.HTTPError)), failed
        assert failed.attempts == "a"


def test_an_answer_that_breaks_off_raises(once):
    failed = once.fail("a=broken")
    assert isinstance(failed.error, (openai.APIConnectionError, httpx.HTTPError)), failed
    assert failed.attempts == "a"


def test_a_stream_that_ends_too_early_raises(once):
    failed = once.fail("a=undone", stream=True)
    assert isinstance(failed.error, openai.APIError), failed
    assert failed.error.code, failed.error
    assert failed.attempts == "a"


def test_node(packages, url, stand_in):
    run_node("failover.test.mjs", URL=url, KEY="sk-of-a-caller", STAND_IN_URL=stand_in.url)


@pytest.fixture
def breaking(stand_in, folder):
    """The address of a gateway that leaves a provider alone for two seconds when the provider has failed once."""
    yield from run_gateway(stand_in, folder, breaker="true")


def test_the_sdk_waits_until_a_breaker_lets_it_through(breaking, stand_in):
    once = Asker(breaking, stand_in)
    once.fail("a=500 b=500 c=500")
    failed = once.fail()
    assert isinstance(failed.error, openai.InternalServerError), failed
    assert (failed.error.status_code, failed.error.code, failed.attempts) == (503, "provider_unavailable", "")
    assert 1 <= int(failed.header("retry-after")) <= 2
    assert failed.header("x-should-retry") is None
    answered = Asker(breaking, stand_in, max_retries=openai.DEFAULT_MAX_RETRIES).ask()
    assert answered.attempts == answered.provider
