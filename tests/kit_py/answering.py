"""A provider whose every answer a test makes: one class with one method."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON, EVENTS = "application/json", "text/event-stream"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes) -> tuple[str, str | bytes]:
        """The content type and the content of the answer."""
        raise NotImplementedError

    def status(self, body: bytes) -> int:
        return 200

    def do_POST(self) -> None:
        received = self.rfile.read(int(self.headers["content-length"]))
        content_type, content = self.answer(received)
        body = content if isinstance(content, bytes) else content.encode()
        self.send_response(self.status(received))
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(provider: type[Answering]) -> Iterator[str]:
    """Serves a provider; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
