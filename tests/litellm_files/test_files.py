"""For each file: the same requests through LiteLLM alone, and through the gateway with that file in front of the same LiteLLM. The
same server, path, body and credential are reached, and the answer is the same."""

import collections
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import corpus
import pytest
import yaml

from kit_py import gaud, waiting
from kit_py.processes import free_port
from litellm_server import MASTER_KEY, without_prisma

# What LiteLLM draws among: enough requests that each of a few deployments is seen.
DRAWS = 40
START_LIMIT_SECS = 60
# What LiteLLM sends to servers that want no key.
NO_KEYS = {"Bearer fake-api-key"}

# LiteLLM ends at its start with these: settings of a shape that it does not take, a guardrail or a collector that is elsewhere.
REFUSED = {
    "providers that LiteLLM translates for, and fallbacks that are only switched on",
    "fallbacks as a list of names",
    "fallbacks with model_name",
    "a credential by its name",
    "a guardrail for every request",
    "a guardrail for those who ask",
    "otel_test_config",
    "test_pipeline_config",
}


class Forks:
    """The process that starts LiteLLM's proxies."""

    def __init__(self, folder: Path):
        self.folder = folder
        own = without_prisma(folder) | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": MASTER_KEY}
        argv = [sys.executable, str(Path(__file__).parent / "forks.py")]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, env=os.environ | own, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline() == "ready\n"

    @contextmanager
    def litellm(self, file: corpus.File, config: Path):
        """A LiteLLM with this file; gives its address, or nothing where LiteLLM ends."""
        port = free_port()
        log = self.folder / "litellm.log"
        start = {"config": str(config), "port": port, "folder": str(self.folder), "environment": file.variables, "log": str(log)}
        self.process.stdin.write(json.dumps(start) + "\n")
        self.process.stdin.flush()
        process = int(self.process.stdout.readline())
        try:
            url = f"http://127.0.0.1:{port}"
            waiting.until("LiteLLM serves", lambda: not runs(process) or ask(url, "/v1/models").status == 200, START_LIMIT_SECS)
            yield url if runs(process) else None
        finally:
            if runs(process):
                os.kill(process, signal.SIGKILL)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


class Answer:
    def __init__(self, status: int, body: bytes, provider: str | None = None):
        self.status, self.body, self.provider = status, body, provider

    @property
    def said(self):
        """What the model said; LiteLLM writes the rest of an answer anew."""
        answer = json.loads(self.body) if self.status == 200 else {}
        return [choice["message"]["content"] for choice in answer.get("choices", [])]


def ask(url: str, path: str, body: dict | None = None) -> Answer:
    headers = {"content-type": "application/json", "authorization": f"Bearer {MASTER_KEY}"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, data, headers), timeout=60) as response:
            return Answer(response.status, response.read(), response.headers["x-gaud-provider"])
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read(), error.headers["x-gaud-provider"])
    except OSError:
        return Answer(0, b"")


def chat(stand_in, url: str, model: str) -> tuple[Answer, tuple]:
    """The answer, and what the servers have received."""
    stand_in.take()
    body = {"model": model, "messages": [{"role": "user", "content": "Grüße"}]}
    answer = ask(url, "/v1/chat/completions", body)
    # LiteLLM writes out to some servers that an answer is not streamed, which is what they take for granted.
    seen = [(one.path, json.dumps({"stream": False} | one.json, sort_keys=True), credentials(one)) for one in stand_in.take()]
    return answer, tuple(seen)


def credentials(seen) -> tuple:
    return tuple(own for own in seen.credentials.items() if own[1] not in NO_KEYS)


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    process = Forks(tmp_path_factory.mktemp("forks"))
    yield process
    process.close()


def names():
    return [file.name for file in corpus.files("http://stand-in")]


def test_the_corpus_has_its_files():
    assert len(names()) >= 60, names()


@pytest.mark.parametrize("name", names())
def test_a_file_serves_the_same(name, forks, stand_in, tmp_path):
    file = next(file for file in corpus.files(stand_in.url) if file.name == name)
    config = written(tmp_path / "config.yaml", file.settings)
    # LiteLLM draws by the weights here: another strategy always takes the first of deployments that have nothing to do.
    router = {key: value for key, value in (file.settings.get("router_settings") or {}).items() if key != "routing_strategy"}
    drawing = written(tmp_path / "drawing.yaml", file.settings | {"router_settings": router})
    with forks.litellm(file, drawing) as alone:
        assert (alone is None) == (name in REFUSED)
        if alone is None:
            return
        toml = f'[litellm]\nconfig = "{config}"\n[providers.litellm]\nurl = "{alone}"\n'
        with gaud.serving("corpus", toml, file.variables, tmp_path) as gateway:
            for model in file.requested():
                if file.count(model) > 1:
                    compare_draws(stand_in, alone, gateway, model)
                else:
                    compare(stand_in, alone, gateway, model)


def written(path: Path, settings: dict) -> Path:
    path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
    return path


def compare(stand_in, alone: str, gateway: str, model: str):
    expected, sent = chat(stand_in, alone, model)
    answer, seen = chat(stand_in, gateway, model)
    assert set(seen) == set(sent), model
    assert answer.said == expected.said or expected.status != 200, model
    if answer.provider == "litellm":
        assert answer.status == expected.status, model


def compare_draws(stand_in, alone: str, gateway: str, model: str):
    """A deployment that one of the two has drawn once may be rare."""
    drawn = []
    for url in (alone, gateway):
        counts = collections.Counter(one for _ in range(DRAWS) for one in chat(stand_in, url, model)[1])
        drawn.append(counts)
    common = [{one for one, count in counts.items() if count > DRAWS // 10} for counts in drawn]
    assert common[0] <= drawn[1].keys() and common[1] <= drawn[0].keys(), model
