"""The README's "When it does not work": each trouble is brought about, and cured, with the real Envoy and LiteLLM.

The rows are in `trouble.json`, which the README's table is written from. The case of a row is the function here with
its name: it yields what is seen, then what is seen once the remedy is applied.
"""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

import gateway as gateway_process
import servers
from conftest import CLIENT_KEY, LITELLM_START_LIMIT_SECS, MASTER_KEY, Endpoint, answers, litellm_server
from gateway import HERE, ROOT
from processes import Server, free_port
from test_restart import until
from upstream import KEY as UPSTREAM_KEY

pytestmark = pytest.mark.gateway
ROWS = json.loads((HERE / "trouble.json").read_text())
LIMIT_SECS = 60
LISTEN = 'listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\nworkers = 1\n'
SECRETS = {"MASTER_KEY": MASTER_KEY, "UPSTREAM_KEY": UPSTREAM_KEY, "WRONG_KEY": CLIENT_KEY}
ENVOY_WITHOUT_V8 = os.environ.get("ENVOY_WITHOUT_V8", ROOT / ".tools/envoy/1.38.3/envoy/_bin/envoy")


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
    upstream: object
    folder: Path

    @contextmanager
    def gateway(self, toml: str, listen: str = LISTEN) -> Iterator[Gateway]:
        with gateway_process.serving("trouble", listen + toml, SECRETS, self.folder) as url:
            yield Gateway(url, self.folder / "gaud-trouble.err")

    def provider(self, name: str, key: str | None = None, more: str = "", url: str | None = None) -> str:
        """A provider's table; LiteLLM and the upstream of these tests are known by their names."""
        known = {"litellm": self.litellm, "upstream": f"{self.upstream.url}/v1"}
        key = f'api_key = "os.environ/{key}"\n' if key else ""
        discover = "" if "discover" in more else "discover_models = false\n"
        return f'[providers.{name}]\nurl = "{url or known[name]}"\n{key}{discover}{more}\n'

    def render(self, toml: str, *options: str) -> Path:
        """What `gaud render` makes of it, for an Envoy that is started without `gaud run`."""
        config, rendered = self.folder / "rendered.toml", self.folder / "rendered.yaml"
        config.write_text(LISTEN + toml)
        argv = [gateway_process.binary(), "render", "--config", config, *options]
        rendered.write_bytes(subprocess.check_output(argv, env=gateway_process.environment(SECRETS)))
        return rendered


@pytest.fixture(scope="module")
def site(upstream, folder) -> Site:
    """With a LiteLLM as `pip install 'litellm[proxy]'` leaves it: without the package for its database."""
    (folder / "without").mkdir()
    (folder / "without/prisma.py").write_text("raise ModuleNotFoundError(__name__)")
    litellm = Endpoint(f"http://127.0.0.1:{free_port()}", MASTER_KEY)
    port, without = urlsplit(litellm.url).port, {"PYTHONPATH": str(folder / "without")}
    with litellm_server("litellm-trouble", port, upstream, folder, database=without) as server:
        server.wait_until(lambda: answers(litellm), LITELLM_START_LIMIT_SECS)
        yield Site(litellm.url, upstream, folder)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_trouble(row, site):
    assert row["shown"], "what a user sees, word for word"
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
    with site.gateway(site.provider("litellm")) as gateway:
        yield gateway.chat("litellm:gpt-4o", key=None)
        yield good(gateway.chat("litellm:gpt-4o", key=MASTER_KEY))


def wrong_key(site: Site):
    with site.gateway(site.provider("litellm")) as gateway:
        yield gateway.chat("litellm:gpt-4o")
    with site.gateway(site.provider("litellm", "MASTER_KEY")) as gateway:
        yield good(gateway.chat("litellm:gpt-4o"))


def working_provider_left_alone(site: Site):
    with site.gateway(site.provider("litellm")) as gateway:
        assert [gateway.chat("litellm:gpt-4o", key=None)[:3] for _ in range(3)] == ["500"] * 3
        yield gateway.chat("litellm:gpt-4o", key=MASTER_KEY)
    with site.gateway(site.provider("litellm", "MASTER_KEY")) as gateway:
        for _ in range(3):
            good(gateway.chat("litellm:gpt-4o", key=None))
        yield good(gateway.chat("litellm:gpt-4o", key=None))


def client_key_passes(site: Site):
    with site.gateway(site.provider("upstream")) as gateway:
        yield gateway.chat("upstream:echo")
    with site.gateway(site.provider("upstream", "UPSTREAM_KEY")) as gateway:
        yield good(gateway.chat("upstream:echo"))


def nothing_claims(site: Site):
    provider = site.provider("litellm", "MASTER_KEY")
    with site.gateway(provider) as gateway:
        yield gateway.chat("gpt-4o")
        good(gateway.chat("litellm:gpt-4o"))
    with site.gateway('default_provider = "litellm"\n' + provider) as gateway:
        yield good(gateway.chat("gpt-4o"))


def path_before_v1(site: Site):
    provider = site.provider("litellm", "MASTER_KEY")
    with site.gateway(provider) as gateway:
        yield gateway.chat("litellm:gpt-4o", path="/llm/v1/chat/completions")
        good(gateway.chat("litellm:gpt-4o", path="/v1/chat/completions"))
    with site.gateway('base_paths = ["/llm"]\n' + provider) as gateway:
        yield good(gateway.chat("litellm:gpt-4o", path="/llm/v1/chat/completions"))


def unknown_namespace(site: Site):
    with site.gateway('default_provider = "litellm"\n' + site.provider("litellm", "MASTER_KEY")) as gateway:
        yield gateway.chat("litelm:gpt-4o")
        yield good(gateway.chat("litellm:gpt-4o"))


def model_comes_late(site: Site):
    messages = [{"role": "user", "content": "x" * 100_000}]
    with site.gateway("body_limit_bytes = 65536\n" + site.provider("upstream", "UPSTREAM_KEY")) as gateway:
        yield gateway.send(json.dumps({"messages": messages, "model": "upstream:echo"}))
        yield good(gateway.send(json.dumps({"model": "upstream:echo", "messages": messages})))


def refused(site: Site):
    yield from url_that_is_corrected(site, "http://127.0.0.1:1")


def unresolved(site: Site):
    yield from url_that_is_corrected(site, "http://nowhere.invalid")


def url_that_is_corrected(site, url: str):
    with site.gateway(site.provider("upstream", "UPSTREAM_KEY", url=url)) as gateway:
        yield gateway.chat("upstream:echo")
    with site.gateway(site.provider("upstream", "UPSTREAM_KEY")) as gateway:
        yield good(gateway.chat("upstream:echo"))


def no_such_cluster(site: Site):
    rendered = site.render(site.provider("upstream", "UPSTREAM_KEY"))
    known = '- name: "upstream"\n'
    assert known in rendered.read_text()
    other = rendered.with_name("other.yaml")
    other.write_text(rendered.read_text().replace(known, '- name: "outbound|4000||upstream"\n'))
    for config in (other, rendered):
        with own_envoy(config, site.folder) as gateway:
            answer = gateway.chat("upstream:echo")
            yield answer if config is other else good(answer)


@contextmanager
def own_envoy(config: Path, folder: Path) -> Iterator[Gateway]:
    """An Envoy that is started without `gaud run`."""
    environment = gateway_process.environment(SECRETS)
    admin = folder / "admin-address"
    admin.unlink(missing_ok=True)
    options = ["--concurrency", "1", "--disable-hot-restart", "--admin-address-path", str(admin)]
    argv = [environment["ENVOY_PATH"], "-c", str(config), *options]
    with Server("own-envoy", argv, environment, folder, end_with=signal.SIGTERM) as server:
        yield Gateway(server.wait_until(lambda: listens(admin), LIMIT_SECS), server.stderr)


def listens(admin: Path) -> str | None:
    """Where its listener is, once Envoy is ready."""
    try:
        if httpx.get(f"http://{admin.read_text()}/ready").status_code != 200:
            return None
        statuses = httpx.get(f"http://{admin.read_text()}/listeners?format=json").json()["listener_statuses"]
    except (OSError, httpx.HTTPError):
        return None
    return f"http://127.0.0.1:{statuses[0]['local_address']['socket_address']['port_value']}"


class Slow(BaseHTTPRequestHandler):
    """Answers after more than a second."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        threading.Event().wait(1.5)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Stalling(Slow):
    """Begins a stream, and says nothing more for as long as its client waits."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"8\r\ndata: {}\r\n")
        self.wfile.flush()
        self.connection.recv(1)


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def slow_answer(site: Site):
    with served(Slow) as url:
        for limit in (1, 30):
            with site.gateway(site.provider("slow", more=f"timeout_secs = {limit}\n", url=url)) as gateway:
                yield gateway.chat("slow:m")


def stream_that_stalls(site: Site):
    with served(Stalling) as url:
        for more in ("", "idle_secs = 1\n"):
            with site.gateway(site.provider("stalling", "UPSTREAM_KEY", more, url)) as gateway:
                yield end_of_stream(gateway)


def end_of_stream(gateway: Gateway, silence_secs: float = 5) -> str:
    """What becomes of a stream, for a client that waits this long for its next piece."""
    timeout = httpx.Timeout(LIMIT_SECS, read=silence_secs)
    try:
        answer = httpx.post(f"{gateway.url}/v1/chat/completions", json={"model": "stalling:m", "stream": True}, timeout=timeout)
        return f"ends: {answer.text}"
    except httpx.ReadTimeout:
        return "hangs"
    except httpx.RemoteProtocolError as broken:
        return f"breaks off: {broken}"


def chain_of_another_name(site: Site):
    providers = site.provider("litellm", "MASTER_KEY") + site.provider("upstream", "UPSTREAM_KEY")
    chain = '[[fallbacks]]\nmodel = "{}"\nto = ["upstream:echo"]\n'
    with site.gateway(providers + chain.format("broken")) as gateway:
        yield gateway.chat("litellm:broken")
    with site.gateway(providers + chain.format("litellm:broken")) as gateway:
        yield good(gateway.chat("litellm:broken"))


def nginx_speaks_http_1_0(site: Site):
    with site.gateway(site.provider("upstream", "UPSTREAM_KEY")) as gateway:
        port = urlsplit(gateway.url).port
        for instead in ({"proxy_http_version 1.1;": ""}, {}):
            with servers.nginx(port, site.folder, instead) as front:
                yield Gateway(f"http://127.0.0.1:{front}/api/litellm", gateway.log).chat("upstream:echo")


def listens_on_loopback(site: Site):
    provider = site.provider("upstream", "UPSTREAM_KEY")
    with site.gateway(provider) as gateway:
        yield outside(gateway)
    with site.gateway(provider, LISTEN.replace('"127.0.0.1:0"', '"0.0.0.0:0"', 1)) as gateway:
        yield outside(gateway)


def outside(gateway: Gateway) -> str:
    """Asked at an address of this machine that is another than 127.0.0.1."""
    try:
        return good(Gateway(gateway.url.replace("127.0.0.1", "127.0.0.2"), gateway.log).chat("upstream:echo"))
    except httpx.ConnectError as error:
        return str(error)


def discovery_refused(site: Site):
    discovering = "discover_models = true\n"
    with site.gateway(site.provider("litellm", "WRONG_KEY", discovering)) as gateway:
        until(lambda: "GET /v1/models: " in gateway.log.read_text())
        yield gateway.log.read_text()
    with site.gateway(site.provider("litellm", "MASTER_KEY", discovering)) as gateway:
        until(lambda: "gpt-4o" in httpx.get(f"{gateway.url}/v1/models", timeout=LIMIT_SECS).text)
        yield gateway.log.read_text()


def variable_not_set(site: Site):
    rendered = site.render(site.provider("litellm", "MASTER_KEY"))
    envoy = gateway_process.environment({})["ENVOY_PATH"]
    yield validated(envoy, rendered, {})
    yield validated(envoy, rendered, {"MASTER_KEY": MASTER_KEY})


def envoy_without_v8(site: Site):
    rendered = site.render(site.provider("litellm", "MASTER_KEY"), "--envoy-version", "1.38.3")
    yield validated(ENVOY_WITHOUT_V8, rendered, SECRETS)
    rendered = site.render(site.provider("litellm", "MASTER_KEY"))
    yield validated(gateway_process.environment({})["ENVOY_PATH"], rendered, SECRETS)


def validated(envoy: str | Path, rendered: Path, secrets: dict[str, str]) -> str:
    """What an Envoy says of a configuration: it starts the filter for that, and serves nobody."""
    argv = [envoy, "--mode", "validate", "-c", rendered]
    environment = gateway_process.environment(secrets)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=LIMIT_SECS)
    return f"{done.returncode}\n{done.stdout}{done.stderr}"
