"""A provider that keeps all that it receives, byte for byte, and answers whatever an SDK asks."""

import asyncio
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import WSMsgType, web

from answers import answer

CREDENTIALS = {"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie"}
BODY_LIMIT_BYTES = 64 * 1024 * 1024
START_LIMIT_SECS = 10


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
    """A request as it arrived."""

    method: str
    path: str  # with its query, as it was sent
    headers: list[tuple[str, str]]
    body: bytes
    messages: list[dict] = field(default_factory=list)  # what came over a WebSocket

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def credentials(self) -> dict[str, str]:
        return {name: value for name, value in self.headers if name in CREDENTIALS}

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def form(self) -> list[Part]:
        boundary = re.search(r'boundary="?([^";]+)', self.header("content-type")).group(1).encode()
        parts = (b"\r\n" + self.body).split(b"\r\n--" + boundary)
        assert parts[-1].startswith(b"--"), "the body does not end with its last boundary"
        return [part_of(text) for text in parts[1:-1]]

    def holds(self, text: str) -> bool:
        """Whether `text` stands anywhere in the request."""
        heads = "\n".join([self.path, *(f"{name}: {value}" for name, value in self.headers)])
        return text in heads or text.encode() in self.body


def part_of(text: bytes) -> Part:
    head, content = text.split(b"\r\n\r\n", 1)
    values = dict(re.findall(r'\b(name|filename)="([^"]*)"', head.decode()))
    return Part(values["name"], values.get("filename"), content)


class Recorder:
    """Serves until it is closed, in a thread of its own."""

    def __init__(self):
        self._seen: list[Seen] = []
        self.questions: list[Seen] = []  # the gateway's own, for models
        self._loop = asyncio.new_event_loop()
        self.port = 0
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[started], daemon=True)
        self._thread.start()
        assert started.wait(START_LIMIT_SECS), "the recorder did not start"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def take(self) -> list[Seen]:
        """What clients have sent since the last call."""
        taken, self._seen = self._seen, []
        return taken

    def one(self) -> Seen:
        (seen,) = self.take()
        return seen

    def _run(self, started: threading.Event):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self):
        application = web.Application(client_max_size=BODY_LIMIT_BYTES)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        headers = [(name.decode().lower(), value.decode()) for name, value in request.raw_headers]
        seen = Seen(request.method, request.raw_path, headers, await request.read())
        is_question = seen.method == "GET" and seen.path.endswith("/v1/models")
        (self.questions if is_question else self._seen).append(seen)
        if (seen.header("upgrade") or "").lower() == "websocket":
            return await converse(request, seen)
        status, content_type, pieces = answer(seen)
        response = web.StreamResponse(status=status, headers={"content-type": content_type})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response


async def converse(request: web.Request, seen: Seen) -> web.WebSocketResponse:
    """Realtime: says which model it was asked for, then answers each `response.create` with two events."""
    socket = web.WebSocketResponse(protocols=["realtime"])
    await socket.prepare(request)
    await socket.send_json({"type": "session.created", "session": {"model": request.query.get("model")}})
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        seen.messages.append(json.loads(message.data))
        if seen.messages[-1]["type"] == "response.create":
            await socket.send_json({"type": "response.output_text.delta", "delta": "Hello."})
            await socket.send_json({"type": "response.done", "response": {"id": "resp_1"}})
    return socket
