"""The table of troubles: each test causes a trouble and cures it, with the real Envoy and LiteLLM.

`trouble.json` has the rows, of which the table in `docs/troubleshooting.md` is made. The function here with the name of a row is its case:
it yields what a user sees, then what a user sees once the remedy is applied.
"""

import http.client
import json
import os
import select
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from conftest import CLIENT_KEY, HERE
from kit_py import gaud, servers
from kit_py.processes import Server
from kit_py.stand_in import ECHO_KEY, StandIn
from kit_py.waiting import LIMIT_SECS, until
from litellm_server import MASTER_KEY

pytestmark = pytest.mark.gateway
ROWS = json.loads((HERE / "trouble.json").read_text())
LISTEN = gaud.LISTEN.replace("workers = 2", "workers = 1")
SECRETS = {"MASTER_KEY": MASTER_KEY, "UPSTREAM_KEY": ECHO_KEY, "WRONG_KEY": CLIENT_KEY}
ENVOY_WITHOUT_V8 = os.environ.get("ENVOY_WITHOUT_V8", gaud.ROOT / ".tools/envoy/1.38.3/envoy/_bin/envoy")


class Gateway(NamedTuple):
    url: str
    log: Path

    def send(self, body: str, key: str | None = CLIENT_KEY, path: str = "/v1/chat/completions") -> str:
        """Status and body of the answer."""
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        answer = httpx.post(f"{self.url}{path}", content=body, headers=headers, timeout=LIMIT_SECS)
        return f"{answer.status_code} {answer.text}"

    def chat(self, model: str, **options) -> str:
        return self.send(json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]}), **options)


class Site(NamedTuple):
    """What the cases work with."""

    litellm: str
    stand_in: StandIn
    folder: Path
    gateways: dict[str, Gateway]
    stack: ExitStack

    @contextmanager
    def gateway(self, toml: str, listen: str = LISTEN) -> Iterator[Gateway]:
        """A gateway for one case."""
        with gaud.serving("trouble", toml, SECRETS, self.folder, listen) as url:
            yield Gateway(url, self.folder / "gaud-trouble.err")

    def shared(self, toml: str) -> Gateway:
        """The gateway of all cases with the same configuration: a start takes longer than a case."""
        if toml not in self.gateways:
            name = f"trouble-{len(self.gateways)}"
            url = self.stack.enter_context(gaud.serving(name, toml, SECRETS, self.folder, LISTEN))
            self.gateways[toml] = Gateway(url, self.folder / f"gaud-{name}.err")
        return self.gateways[toml]

    def provider(self, name: str, key: str | None = None, more: str = "", url: str | None = None) -> str:
        """A provider's table. `litellm` is LiteLLM, and `upstream` is the stand-in."""
        known = {"litellm": self.litellm, "upstream": f"{self.stand_in.url}/echo/v1"}
        url = url or known[name]
        key = f'api_key = "os.environ/{key}"\n' if key else ""
        discover = "" if "discover" in more else "discover_models = false\n"
        return f'[providers.{name}]\nurl = "{url}"\n{key}{discover}{more}\n'

    @property
    def litellm_with_key(self) -> str:
        return self.provider("litellm", "MASTER_KEY")

    @property
    def litellm_as_default(self) -> str:
        return 'default_provider = "litellm"\n' + self.litellm_with_key

    @property
    def upstream_with_key(self) -> str:
        return self.provider("upstream", "UPSTREAM_KEY")

    @property
    def with_wrong_urls(self) -> Gateway:
        urls = {"refused": "http://127.0.0.1:1", "unresolved": "http://nowhere.invalid"}
        return self.shared("".join(self.provider(name, "UPSTREAM_KEY", url=url) for name, url in urls.items()))

    def render(self, toml: str, *options: str) -> Path:
        """The output of `gaud render`, for an Envoy that is started without `gaud run`."""
        config, rendered = self.folder / "rendered.toml", self.folder / "rendered.yaml"
        config.write_text(LISTEN + toml)
        argv = [gaud.binary(), "render", "--config", config, *options]
        rendered.write_bytes(subprocess.check_output(argv, env=gaud.environment(SECRETS)))
        return rendered


@pytest.fixture(scope="module")
def site(litellm, stand_in, folder) -> Site:
    with ExitStack() as stack:
        yield Site(litellm.url, stand_in, folder, {}, stack)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_trouble(row, site):
    assert row["shown"], "the words that a user sees"
    assert all(text in row["symptom"] for text in row["shown"])
    case = globals()[row["name"]](site)
    seen, cured = next(case), next(case)
    assert next(case, None) is None
    assert [text for text in row["shown"] if text not in seen] == [], seen
    assert not all(text in cured for text in row["shown"]), cured


def test_every_case_has_its_row():
    cases = {name for name, value in globals().items() if callable(value) and list(value.__annotations__) == ["site"]}
    assert cases == {row["name"] for row in ROWS}


def good(seen: str) -> str:
    assert seen.startswith("200 "), seen
    return seen


def no_key(site: Site):
    gateway = site.shared(site.provider("litellm"))
    yield gateway.chat("litellm:gpt-4o", key=None)
    yield good(gateway.chat("litellm:gpt-4o", key=MASTER_KEY))


def wrong_key(site: Site):
    yield site.shared(site.provider("litellm")).chat("litellm:gpt-4o")
    yield good(site.shared(site.litellm_with_key).chat("litellm:gpt-4o"))


def working_provider_left_alone(site: Site):
    messages = [{"role": "user", "content": "Hello"}]
    bad = json.dumps({"model": "litellm:gpt-4o", "messages": messages, "timeout": "soon"})
    with site.gateway(site.litellm_with_key) as gateway:
        assert [gateway.send(bad)[:3] for _ in range(3)] == ["500"] * 3
        yield gateway.chat("litellm:gpt-4o")
    patient = "breaker = { failures = 9 }\n"
    with site.gateway(site.provider("litellm", "MASTER_KEY", patient)) as gateway:
        assert [gateway.send(bad)[:3] for _ in range(3)] == ["500"] * 3
        yield good(gateway.chat("litellm:gpt-4o"))


def test_requests_without_a_key_lock_nobody_out(site):
    """LiteLLM without a database answers 500 to a missing key."""
    with site.gateway(site.provider("litellm")) as gateway:
        assert [gateway.chat("litellm:gpt-4o", key=None)[:3] for _ in range(5)] == ["500"] * 5
        good(gateway.chat("litellm:gpt-4o", key=MASTER_KEY))


def client_key_passes(site: Site):
    with site.gateway(site.provider("upstream")) as gateway:
        yield gateway.chat("upstream:echo")
    yield good(site.shared(site.upstream_with_key).chat("upstream:echo"))


def gateway_key_refused(site: Site):
    with site.gateway(site.provider("upstream", "WRONG_KEY")) as gateway:
        assert gateway.chat("upstream:echo").startswith("401 ")
        until("the refusal is logged", lambda: "refuses the gateway's credential" in gateway.log.read_text())
        assert "the gateway's credential is refused; check providers.upstream.api_key" in status(gateway)
        yield gateway.log.read_text()
    with site.gateway(site.upstream_with_key) as gateway:
        good(gateway.chat("upstream:echo"))
        assert "credential is refused" not in status(gateway)
        yield gateway.log.read_text()


def status(gateway: Gateway) -> str:
    argv = [gaud.binary(), "status", "--address", gateway.url.removeprefix("http://")]
    return subprocess.run(argv, env=gaud.environment({}), capture_output=True, text=True, timeout=LIMIT_SECS).stdout


def nothing_claims(site: Site):
    gateway = site.shared(site.litellm_with_key)
    yield gateway.chat("gpt-4o")
    good(gateway.chat("litellm:gpt-4o"))
    yield good(site.shared(site.litellm_as_default).chat("gpt-4o"))


def path_before_v1(site: Site):
    gateway = site.shared(site.litellm_with_key)
    yield gateway.chat("litellm:gpt-4o", path="/llm/v1/chat/completions")
    good(gateway.chat("litellm:gpt-4o", path="/v1/chat/completions"))
    with site.gateway('base_paths = ["/llm"]\n' + site.litellm_with_key) as gateway:
        yield good(gateway.chat("litellm:gpt-4o", path="/llm/v1/chat/completions"))


def unknown_namespace(site: Site):
    gateway = site.shared(site.litellm_as_default)
    yield gateway.chat("litelm:gpt-4o")
    yield good(gateway.chat("litellm:gpt-4o"))


def model_comes_late(site: Site):
    messages = [{"role": "user", "content": "x" * 100_000}]
    with site.gateway("body_limit_bytes = 65536\n" + site.upstream_with_key) as gateway:
        yield gateway.send(json.dumps({"messages": messages, "model": "upstream:echo"}))
        yield good(gateway.send(json.dumps({"model": "upstream:echo", "messages": messages})))


def model_comes_slowly(site: Site):
    start, end = '{"messages": [{"role": "user", "content": "Hello"}', '], "model": "upstream:echo"}'
    with site.gateway("model_secs = 1\n" + site.upstream_with_key) as gateway:
        first = Upload(gateway, start.replace("{", '{"model": "upstream:echo", ', 1), "]}")
        yield Upload(gateway, start, end).answer()
        yield good(first.end())


def address_holds_too_much(site: Site):
    limits = "body_limit_bytes = 1048576\nheld_limit_bytes = 4194304\nclient_share_percent = {}\n"
    start, end = '{"messages": [{"role": "user", "content": "' + "x" * 900_000, '"}], "model": "upstream:echo"}'
    for percent in (1, 50):
        with site.gateway(limits.format(percent) + site.upstream_with_key) as gateway:
            uploads = [Upload(gateway, start, end) for _ in range(2)]
            if percent == 50:
                yield [good(upload.end()) for upload in uploads][-1]
                return
            refused = until("a refusal", lambda: next((upload for upload in uploads if upload.has_answer()), None))
            uploads.remove(refused)
            yield refused.answer()
            good(uploads[0].end())


class Upload:
    """A request that has sent the start of its body."""

    def __init__(self, gateway: Gateway, start: str, end: str):
        self._connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=LIMIT_SECS)
        self._rest = end
        self._connection.putrequest("POST", "/v1/chat/completions")
        self._connection.putheader("content-type", "application/json")
        self._connection.putheader("content-length", str(len(start) + len(end)))
        self._connection.endheaders(start.encode())

    def has_answer(self) -> bool:
        """Whether an answer has begun."""
        return bool(select.select([self._connection.sock], [], [], 0.01)[0])

    def end(self) -> str:
        """Sends the rest; the answer."""
        self._connection.send(self._rest.encode())
        return self.answer()

    def answer(self) -> str:
        """Status and body of the answer."""
        answer = self._connection.getresponse()
        return f"{answer.status} {answer.read().decode()}"


def refused(site: Site):
    yield site.with_wrong_urls.chat("refused:echo")
    yield good(site.shared(site.upstream_with_key).chat("upstream:echo"))


def no_tls(site: Site):
    url = site.stand_in.url.replace("http://", "https://")
    yield site.shared(site.provider("upstream", "UPSTREAM_KEY", url=f"{url}/echo/v1")).chat("upstream:echo")
    yield good(site.shared(site.upstream_with_key).chat("upstream:echo"))


def unresolved(site: Site):
    yield site.with_wrong_urls.chat("unresolved:echo")
    yield good(site.shared(site.upstream_with_key).chat("upstream:echo"))


def no_such_cluster(site: Site):
    rendered = site.render(site.upstream_with_key)
    known = '- name: "upstream"\n'
    assert known in rendered.read_text()
    other = rendered.with_name("other.yaml")
    other.write_text(rendered.read_text().replace(known, '- name: "outbound|4000||upstream"\n'))
    for config in (other, rendered):
        with plain_envoy(config, site.folder) as gateway:
            answer = gateway.chat("upstream:echo")
            yield answer if config is other else good(answer)


@contextmanager
def plain_envoy(config: Path, folder: Path) -> Iterator[Gateway]:
    """An Envoy that is started without `gaud run`."""
    environment = gaud.environment(SECRETS)
    admin = folder / "admin-address"
    admin.unlink(missing_ok=True)
    options = ["--concurrency", "1", "--disable-hot-restart", "--admin-address-path", str(admin)]
    argv = [environment["ENVOY_PATH"], "-c", str(config), *options]
    with Server("plain-envoy", argv, environment, folder, end_with=signal.SIGTERM) as server:
        yield Gateway(server.wait_until(lambda: listener_address(admin), LIMIT_SECS), server.stderr)


def listener_address(admin: Path) -> str | None:
    """The address of Envoy's listener, once Envoy is ready."""
    try:
        if httpx.get(f"http://{admin.read_text()}/ready").status_code != 200:
            return None
        listeners = httpx.get(f"http://{admin.read_text()}/listeners").text
    except (OSError, httpx.HTTPError):
        return None
    return f"http://127.0.0.1:{re.search(r'::127.0.0.1:([0-9]+)', listeners)[1]}"


def slow_answer(site: Site):
    url = f"{site.stand_in.url}/slow/v1"
    providers = [site.provider(f"within_{limit}", more=f"timeout_secs = {limit}\n", url=url) for limit in (1, 30)]
    with site.gateway("".join(providers)) as gateway:
        yield gateway.chat("within_1:m")
        yield gateway.chat("within_30:m")


def stream_that_stalls(site: Site):
    url = f"{site.stand_in.url}/stalling/v1"
    with site.gateway(site.provider("endless", url=url) + site.provider("cut", more="idle_secs = 1\n", url=url)) as gateway:
        yield end_of_stream(gateway, "endless:m", patience_secs=3)
        yield end_of_stream(gateway, "cut:m", patience_secs=LIMIT_SECS)


def end_of_stream(gateway: Gateway, model: str, patience_secs: float) -> str:
    """How a stream ends for a client that waits this long for the next piece."""
    body = {"model": model, "stream": True}
    timeout = httpx.Timeout(LIMIT_SECS, read=patience_secs)
    try:
        answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=timeout)
        return f"ends: {answer.text}"
    except httpx.ReadTimeout:
        return "hangs"
    except httpx.RemoteProtocolError as broken:
        return f"breaks off: {broken}"


def chain_of_another_name(site: Site):
    providers = site.litellm_with_key + site.upstream_with_key
    chain = '[[fallbacks]]\nmodel = "{}"\nto = ["upstream:echo"]\n'
    with site.gateway(providers + chain.format("broken")) as gateway:
        yield gateway.chat("litellm:broken")
    with site.gateway(providers + chain.format("litellm:broken")) as gateway:
        yield good(gateway.chat("litellm:broken"))


def nginx_speaks_http_1_0(site: Site):
    gateway = site.shared(site.upstream_with_key)
    for replacements in ({"proxy_http_version 1.1;": ""}, {}):
        with servers.nginx(urlsplit(gateway.url).port, site.folder, replacements) as front:
            yield Gateway(f"http://127.0.0.1:{front}/api/litellm", gateway.log).chat("upstream:echo")


def listens_on_loopback(site: Site):
    yield from_outside(site.shared(site.upstream_with_key))
    with site.gateway(site.upstream_with_key, LISTEN.replace('"127.0.0.1:0"', '"0.0.0.0:0"', 1)) as gateway:
        yield from_outside(gateway)


def from_outside(gateway: Gateway) -> str:
    """The answer at another address of this machine than 127.0.0.1."""
    try:
        return good(Gateway(gateway.url.replace("127.0.0.1", "127.0.0.2"), gateway.log).chat("upstream:echo"))
    except httpx.ConnectError as error:
        return str(error)


def discovery_refused(site: Site):
    discovering = "discover_models = true\n"
    with site.gateway(site.provider("litellm", "WRONG_KEY", discovering)) as gateway:
        until("the fault is logged", lambda: "GET /v1/models: " in gateway.log.read_text())
        yield gateway.log.read_text()
    with site.gateway(site.provider("litellm", "MASTER_KEY", discovering)) as gateway:
        models = f"{gateway.url}/v1/models"
        until("LiteLLM's models are listed", lambda: "gpt-4o" in httpx.get(models, timeout=LIMIT_SECS).text)
        yield gateway.log.read_text()


def variable_not_set(site: Site):
    rendered = site.render(site.litellm_with_key)
    envoy = gaud.environment({})["ENVOY_PATH"]
    yield validated(envoy, rendered, {})
    yield validated(envoy, rendered, {"MASTER_KEY": MASTER_KEY})


def envoy_without_v8(site: Site):
    rendered = site.render(site.litellm_with_key, "--envoy-version", "1.38.3")
    yield validated(ENVOY_WITHOUT_V8, rendered, SECRETS)
    rendered = site.render(site.litellm_with_key)
    yield validated(gaud.environment({})["ENVOY_PATH"], rendered, SECRETS)


def validated(envoy: str | Path, rendered: Path, secrets: dict[str, str]) -> str:
    """The output of an Envoy that only checks a configuration: it starts the filter, and listens nowhere."""
    argv = [envoy, "--mode", "validate", "-c", rendered]
    environment = gaud.environment(secrets)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=LIMIT_SECS)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"
