"""A client that asks again and again while a part of the deployment is away, and keeps what it sees."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

UNREACHED = "unreached"  # the gateway itself did not answer
PACE_SECS = 0.05


class Seen(NamedTuple):
    began: float
    status: int
    what: str

    @property
    def served(self) -> bool:
        return self.status == 200


class Traffic:
    def __init__(self, url: str, key: str, model: str):
        self.address = urlsplit(url).netloc
        self.headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        self.body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
        self.seen: list[Seen] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(PACE_SECS):
            began = time.monotonic()
            try:
                self.seen.append(Seen(began, *self.ask()))
            except (OSError, http.client.HTTPException):
                self.seen.append(Seen(began, 0, UNREACHED))

    def ask(self) -> tuple[int, str]:
        """A connection for each request, as it is after a restart."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("POST", "/v1/chat/completions", self.body, self.headers)
            response = connection.getresponse()
            body = json.loads(response.read())
        finally:
            connection.close()
        if response.status == 200:
            return 200, body["choices"][0]["message"]["content"]
        return response.status, body["error"].get("code") or body["error"]["type"]

    def since(self, moment: float) -> list[Seen]:
        return [seen for seen in self.seen if seen.began >= moment]

    def failures(self) -> set[tuple[int, str]]:
        return {(seen.status, seen.what) for seen in self.seen if not seen.served}


@contextmanager
def traffic(url: str, key: str, model: str) -> Iterator[Traffic]:
    running = Traffic(url, key, model)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        yield running
    finally:
        running.stopped.set()
        thread.join()
