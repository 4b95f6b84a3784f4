"""LiteLLM is killed under load and comes back with other models: what its clients see meanwhile."""

import statistics
import time

import openai
import pytest

from conftest import CONFIGS
from gateway_api import GatewayApi
from kit_py import gaud
from kit_py.load import Load, load
from kit_py.waiting import until
from litellm_server import CONFIG, MASTER_KEY
from wire import SECRETS

pytestmark = pytest.mark.gateway
ENOUGH = 20
OF_OTHERS = {"fixed:pinned", "named:rec-large", "named:vendor/rec-small:free"}
REFUSED = "provider_unavailable"
TRIED_IN_VAIN = {"provider_unreachable", "bad_provider_response"}


@pytest.fixture
def start_gateway(litellm, stand_in, folder):
    values = {"stand_in": stand_in.url, "litellm": litellm.url}
    environment = SECRETS | {"LITELLM_MASTER_KEY": MASTER_KEY}
    return lambda: gaud.running(CONFIGS / "restart.toml", values, environment, folder)


def test_litellm_is_killed_and_comes_back(litellm, start_gateway, folder, capsys):
    before = set(litellm.models())
    after = before - {"removed"} | {"added"}
    with start_gateway() as url, load(url, "litellm:gpt-4o", clients=4) as asked:
        gateway = GatewayApi(url)
        wait_for_service(gateway, asked, before)
        killed = time.monotonic()
        litellm.server.kill()
        litellm.start(renamed(folder))
        with start_gateway() as later_url:
            later_gateway = GatewayApi(later_url)
            check_absence(gateway, later_gateway, asked, killed, before)
            litellm.wait()
            back = time.monotonic()
            check_return(gateway, later_gateway, asked, back, after)
        asked.stopped.set()
    report(capsys, asked, killed, back)
    judge(asked, killed, back)


def renamed(folder):
    """LiteLLM's configuration with another name for one of the models."""
    config = folder / "litellm-renamed.yaml"
    config.write_text(CONFIG.read_text().replace("model_name: removed", "model_name: added"))
    return config


def wait_for_service(gateway: GatewayApi, asked: Load, models: set[str]) -> None:
    until("requests are served", lambda: asked.serves(since=0, count=ENOUGH))
    until("LiteLLM's models are listed", lambda: gateway.models() == OF_OTHERS | models)
    assert gateway.health("litellm")["models"] == len(models)
    assert gateway.list_age_secs("litellm") <= 5


def check_absence(gateway: GatewayApi, later_gateway: GatewayApi, asked: Load, killed: float, models: set[str]) -> None:
    until("requests are refused at once", lambda: len(refused(asked, killed)) > ENOUGH)
    until("the other models are listed", lambda: "named:rec-large" in later_gateway.models())
    assert later_gateway.models() == OF_OTHERS, "LiteLLM has not been there since this gateway started"
    age = gateway.list_age_secs("litellm")
    until("LiteLLM's list ages", lambda: gateway.list_age_secs("litellm") >= age + 2)
    assert gateway.models() == OF_OTHERS | models, "the last list stays"
    assert gateway.list_age_secs("named") <= 5, "the lists of the other providers do not age"


def check_return(gateway: GatewayApi, later_gateway: GatewayApi, asked: Load, back: float, models: set[str]) -> None:
    until("requests are served again", lambda: asked.serves(since=back, count=ENOUGH))
    wait_for_list(gateway, OF_OTHERS | models)
    wait_for_list(later_gateway, OF_OTHERS | models)
    assert gateway.client.models.retrieve("added").id == "added"
    with pytest.raises(openai.NotFoundError):
        gateway.client.models.retrieve("removed")
    assert gateway.health("litellm")["breaker"] == "closed"


def wait_for_list(gateway: GatewayApi, models: set[str]) -> None:
    until("LiteLLM's new models are listed", lambda: gateway.models() == models)
    until("LiteLLM's list is new", lambda: gateway.list_age_secs("litellm") <= 2)


def refused(asked: Load, since: float = 0) -> list:
    return [answer for answer in asked.since(since) if answer.text == REFUSED]


def judge(asked: Load, killed: float, back: float) -> None:
    for answer in asked.answers:
        if answer.served:
            assert answer.text == "Hello from gpt-4o."
        else:
            assert answer.began + answer.secs >= killed, answer
            assert answer.text in {REFUSED, *TRIED_IN_VAIN}, answer
    # Three failures in a row open the breaker. The requests of that moment may fail too, and one probe a second.
    down = [answer for answer in asked.since(killed) if answer.text in TRIED_IN_VAIN]
    assert len(down) <= 3 + 4 + 1 + (back - killed), len(down)
    assert len(refused(asked)) > len(down)


def report(capsys, asked: Load, killed: float, back: float) -> None:
    failed = [answer for answer in asked.answers if not answer.served]
    tried = [answer for answer in failed if answer.text != REFUSED]
    first = next(answer for answer in asked.since(back) if answer.served)
    median = statistics.median(answer.secs for answer in refused(asked))
    with capsys.disabled():
        print(
            f"\nLiteLLM was away for {back - killed:.1f} s: {len(asked.answers)} requests, {len(failed)} refused or "
            f"failed, {len(tried)} of them tried; a refusal took {median * 1e6:.0f} us (median); "
            f"the first answer came {first.began - back:.2f} s after LiteLLM was back"
        )
