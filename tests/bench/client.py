"""A client of one connection that sends the same request again and again."""

import socket
from urllib.parse import urlsplit

LIMIT_SECS = 120


class Client:
    """Head and body go out in one piece, so that Envoy always reads them alike."""

    def __init__(self, url: str, headers: dict[str, str], body: bytes):
        parts = urlsplit(url)
        lines = [f"POST {parts.path} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        # Latin-1: a header may have any byte.
        self.request = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        self.connection = socket.create_connection((parts.hostname, parts.port), LIMIT_SECS)
        self.answers = self.connection.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answers.close()
        self.connection.close()

    def send(self) -> int:
        """The answer's status."""
        self.connection.sendall(self.request)
        status = int(self.answers.readline().split()[1])
        headers = dict(line.split(b": ", 1) for line in iter(self.answers.readline, b"\r\n"))
        self.answers.read(int(headers[b"content-length"]))
        return status
