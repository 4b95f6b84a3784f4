"""The stand-in provider: one HTTP server that takes the place of every provider of a test.

The first segment of a path names the provider: `/a/v1/chat/completions` is a request to the provider `a`. The server
keeps each request byte for byte, and answers as `acts.py` says.
"""

import asyncio
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from aiohttp import web

from kit_py import acts
from kit_py.answers import error

CREDENTIALS = {"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie"}
BODY_LIMIT_BYTES = 64 * 1024 * 1024
START_LIMIT_SECS = 10
# A provider with a key refuses every other key; all others take any.
ECHO_KEY = "sk-of-echo-7d1f0a52c9"
KEYS = {"echo": ECHO_KEY, "a": "sk-of-a-81c4", "b": "sk-of-b-81c4", "c": "sk-of-c-81c4"}


class Part(NamedTuple):
    """A part of a multipart body."""

    name: str
    filename: str | None
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Seen:
    """A request as the stand-in received it."""

    method: str
    path: str  # with its query, not decoded
    headers: list[tuple[str, str]]
    body: bytes
    messages: list[dict] = field(default_factory=list)  # received over a WebSocket

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def credentials(self) -> dict[str, str]:
        return {name: value for name, value in self.headers if name in CREDENTIALS}

    @property
    def provider(self) -> str:
        return self.path.split("/")[1]

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @cached_property
    def script(self) -> acts.Script | None:
        return acts.script_of(self)

    @property
    def form(self) -> list[Part]:
        boundary = re.search(r'boundary="?([^";]+)', self.header("content-type")).group(1).encode()
        parts = (b"\r\n" + self.body).split(b"\r\n--" + boundary)
        assert parts[-1].startswith(b"--"), "the body does not end with its last boundary"
        return [part_of(text) for text in parts[1:-1]]

    def contains(self, text: str) -> bool:
        """Whether `text` is anywhere in the request."""
        heads = "\n".join([self.path, *(f"{name}: {value}" for name, value in self.headers)])
        return text in heads or text.encode() in self.body


def part_of(text: bytes) -> Part:
    head, content = text.split(b"\r\n\r\n", 1)
    values = dict(re.findall(r'\b(name|filename)="([^"]*)"', head.decode()))
    return Part(values["name"], values.get("filename"), content)


class StandIn:
    """Serves in a thread until it is closed."""

    def __init__(self, default_act: str = "good"):
        self.default_act = default_act
        self._seen: list[Seen] = []
        self._attempts: list[Seen] = []  # of requests with a script
        self._gates: dict[str, asyncio.Event] = {}
        self._loop = asyncio.new_event_loop()
        self.port = 0
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[started], daemon=True)
        self._thread.start()
        assert started.wait(START_LIMIT_SECS), "the stand-in did not start"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def take(self) -> list[Seen]:
        """The requests since the last call."""
        taken, self._seen = self._seen, []
        return taken

    def one(self) -> Seen:
        """The only request since the last call."""
        (seen,) = self.take()
        return seen

    def attempts(self, case: str) -> str:
        """The providers that received the requests of a case, in order: `aab`."""
        return "".join(seen.provider for seen in self._attempts if seen.script.case == case)

    def release(self, name: str) -> None:
        """Lets the paced stream of this name go on (`acts.echo`)."""
        self._loop.call_soon_threadsafe(lambda: self.gate(name).set())

    def gate(self, name: str) -> asyncio.Event:
        return self._gates.setdefault(name, asyncio.Event())

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        application = web.Application(client_max_size=BODY_LIMIT_BYTES)
        application.router.add_get("/stand-in/attempts/{case}", self._tell_attempts)
        application.router.add_post("/stand-in/release/{name}", self._release)
        application.router.add_route("*", "/{path:.*}", self._serve)
        # An act that waits ends when its client leaves.
        self._runner = web.AppRunner(application, shutdown_timeout=1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def _tell_attempts(self, request: web.Request) -> web.Response:
        return web.json_response(self.attempts(request.match_info["case"]))

    async def _release(self, request: web.Request) -> web.Response:
        self.gate(request.match_info["name"]).set()
        return web.Response()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        headers = [(name.decode().lower(), value.decode()) for name, value in request.raw_headers]
        seen = Seen(request.method, request.raw_path, headers, await request.read())
        if not (seen.method == "GET" and seen.path.endswith("/v1/models")):  # the gateway's question, not a client's
            self._seen.append(seen)
        exchange = acts.Exchange(self, request, seen)
        key = KEYS.get(seen.provider)
        if key and seen.header("authorization") != f"Bearer {key}":
            return web.json_response(error("Incorrect API key provided.", "invalid_api_key"), status=401)
        return await acts.perform(self._next_act(seen), exchange)

    def _next_act(self, seen: Seen) -> str:
        if not seen.script:
            return seen.provider if seen.provider in acts.ACTS else self.default_act
        earlier = self.attempts(seen.script.case).count(seen.provider)
        self._attempts.append(seen)
        return seen.script.act(seen.provider, earlier)
