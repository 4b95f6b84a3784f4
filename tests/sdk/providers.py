"""Three providers that do to each attempt what the request itself says.

The last message is the script: `CASE a=500,good b=429` lets `a` fail the first attempt of that case and answer the
second, and `b` refuse all; who is not named is good. `GET /seen/CASE` tells who was asked, in order: `aab`.
"""

import json
import socket
import struct
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from upstream import chat, chunk, error

NAMES = "abc"
KEYS = {f"KEY_{name.upper()}": f"sk-of-{name}-81c4" for name in NAMES}
PATIENCE_SECS = 20
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset

ERRORS = {
    "500": (500, "The server had an error.", "internal_error", {}),
    "429": (429, "Rate limit reached.", "rate_limit_exceeded", {}),
    "429-soon": (429, "Rate limit reached.", "rate_limit_exceeded", {"retry-after": "1"}),
    "429-late": (429, "Rate limit reached.", "rate_limit_exceeded", {"retry-after": "600"}),
    "policy": (400, "Your request was rejected.", "content_policy_violation", {}),
    "context": (400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded", {}),
    "401": (401, "Incorrect API key provided.", "invalid_api_key", {}),
    "404": (404, "The model does not exist.", "model_not_found", {}),
}


class Providers:
    """What the three share: who was asked in which case."""

    def __init__(self):
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}
        self.urls: dict[str, str] = {}

    def seen(self, case: str) -> str:
        with self._lock:
            return self._seen.get(case, "")

    def next_act(self, name: str, script: str) -> str:
        case, *parts = script.split()
        with self._lock:
            before = self._seen.get(case, "")
            self._seen[case] = before + name
        acts = dict(part.split("=") for part in parts).get(name, "good").split(",")
        return acts[min(before.count(name), len(acts) - 1)]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name: str, providers: Providers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name = name
        self.key = KEYS[f"KEY_{name.upper()}"]
        self.providers = providers

    def shutdown_request(self, request):
        self.close_request(request)  # without an orderly end before a reset


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self):
        self.answer(200, {"seen": self.server.providers.seen(self.path.removeprefix("/seen/"))})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["authorization"] != f"Bearer {self.server.key}":
            return self.answer(401, error("That is not my key.", "wrong_key"))
        act = self.server.providers.next_act(self.server.name, request["messages"][-1]["content"])
        if act in ERRORS:
            status, message, code, headers = ERRORS[act]
            return self.answer(status, error(message, code), headers)
        getattr(self, act)(request)

    def good(self, request: dict):
        if request.get("stream"):
            self.stream(request)
        else:
            self.answer(200, chat(request))

    def reset(self, _):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close_connection = True

    def silent(self, _):
        """Says nothing until the gateway leaves."""
        self.close_connection = True
        self.connection.settimeout(PATIENCE_SECS)
        self.connection.recv(1)

    def headers_only(self, request: dict):
        self.head(200, self.framing(request, 1000))
        self.silent(request)

    def broken(self, request: dict):
        """Begins an answer, and ends the connection."""
        if request.get("stream"):
            self.head(200, self.framing(request))
            self.event(chunk(request, {"role": "assistant", "content": "first "}))
        else:
            self.head(200, self.framing(request, 1000))
            self.wfile.write(b'{"id":"chatcmpl-1",')
        self.close_connection = True

    def undone(self, request: dict):
        """A stream that ends in order, but too early."""
        self.head(200, self.framing(request))
        self.event(chunk(request, {"role": "assistant", "content": "first "}))
        self.wfile.write(b"0\r\n\r\n")

    def stream(self, request: dict):
        self.head(200, self.framing(request))
        self.event(chunk(request, {"role": "assistant", "content": "first "}))
        self.event(chunk(request, {"content": "second"}))
        self.event(chunk(request, {}, finish="stop"))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def event(self, data):
        text = data if isinstance(data, str) else json.dumps(data)
        event = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def framing(self, request: dict, length: int = 0) -> dict:
        if request.get("stream"):
            return {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        return {"content-type": "application/json", "content-length": str(length)}

    def answer(self, status: int, body: dict, headers: dict | None = None):
        content = json.dumps(body).encode()
        self.head(status, self.framing({}, len(content)) | (headers or {}))
        self.wfile.write(content)

    def head(self, status: int, headers: dict):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def running():
    providers = Providers()
    with ExitStack() as stack:
        for name in NAMES:
            server = stack.enter_context(Server(name, providers))
            providers.urls[name] = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield providers
