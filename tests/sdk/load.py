"""Steady load on a gateway from a few threads, with every answer kept."""

import http.client
import json
import threading
import time
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

THREADS = 4


class Answer(NamedTuple):
    began: float
    secs: float
    status: int
    body: dict

    @property
    def code(self) -> str | None:
        return self.body.get("error", {}).get("code")


class Load:
    """Asks for one model again and again until it is stopped."""

    def __init__(self, url: str, model: str):
        self.address = urlsplit(url).netloc
        self.body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
        self.answers: list[Answer] = []
        self.stopped = threading.Event()

    def ask(self) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        while not self.stopped.is_set():
            began = time.monotonic()
            connection.request("POST", "/v1/chat/completions", self.body, {"content-type": "application/json"})
            response = connection.getresponse()
            body = json.loads(response.read())
            self.answers.append(Answer(began, time.monotonic() - began, response.status, body))
            self.stopped.wait(0.005)  # a client's own pace: refusals come so fast that nothing else would run

    def since(self, moment: float) -> list[Answer]:
        return [answer for answer in self.answers if answer.began >= moment]


@contextmanager
def load(url: str, model: str):
    running = Load(url, model)
    threads = [threading.Thread(target=running.ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.stopped.set()
        for thread in threads:
            thread.join()
