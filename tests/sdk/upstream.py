"""A small OpenAI-compatible provider that tells what it was asked and streams only as fast as it is told to."""

import base64
import json
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-upstream-7d1f0a52c9"
EMBEDDING = [0.25, -0.5, 1.0]  # exact in the 32 bits that base64 embeddings have
RELEASE_LIMIT_SECS = 20


class Upstream(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self._lock = threading.Lock()
        self._gates: dict[str, threading.Event] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def gate(self, name: str) -> threading.Event:
        with self._lock:
            return self._gates.setdefault(name, threading.Event())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        if self.path.startswith("/release/"):
            self.server.gate(self.path.removeprefix("/release/")).set()
            return self.answer(200, {})
        if self.headers["authorization"] != f"Bearer {KEY}":
            return self.answer(401, error("Incorrect API key provided.", "invalid_api_key"))
        request = json.loads(body)
        match self.path:
            case "/v1/chat/completions" if request.get("stream"):
                self.stream(request)
            case "/v1/chat/completions":
                self.answer(200, chat(request))
            case "/v1/embeddings":
                self.answer(200, embeddings(request))
            case _:
                self.answer(404, error(f"Unknown path {self.path}", None))

    def stream(self, request: dict):
        """Sends one word, then waits to be released: whoever has it has it of an unfinished answer."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.event(chunk(request, {"role": "assistant", "content": "first "}))
        if not self.server.gate(request["messages"][-1]["content"]).wait(RELEASE_LIMIT_SECS):
            self.close_connection = True  # nobody saw the first word: end as a broken stream
            return
        self.event(chunk(request, {"content": "second"}))
        self.event(chunk(request, {}, finish="stop"))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def event(self, data):
        text = data if isinstance(data, str) else json.dumps(data)
        event = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def answer(self, status: int, body: dict):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def error(message: str, code: str | None) -> dict:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def chat(request: dict) -> dict:
    """Answers with what it was asked, as JSON, so that a client in any language can see what arrived."""
    seen = {"model": request["model"], "content": request["messages"][-1]["content"]}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": request["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps(seen)}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def chunk(request: dict, delta: dict, finish: str | None = None) -> dict:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": request["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def embeddings(request: dict) -> dict:
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    packed = base64.b64encode(struct.pack(f"<{len(EMBEDDING)}f", *EMBEDDING)).decode()
    value = packed if request.get("encoding_format") == "base64" else EMBEDDING
    return {
        "object": "list",
        "model": request["model"],
        "data": [{"object": "embedding", "index": index, "embedding": value} for index in range(len(inputs))],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
