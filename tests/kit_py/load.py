"""Clients that send the same chat request again and again, and keep what they receive."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

UNREACHED = "unreached"  # the gateway itself did not answer
ANSWER_LIMIT_SECS = 60


class Answer(NamedTuple):
    began: float  # by the monotonic clock
    secs: float
    status: int  # 0 for `UNREACHED`
    text: str  # the message, or the code of the error

    @property
    def served(self) -> bool:
        return self.status == 200


class Load:
    def __init__(self, url: str, model: str, key: str, pause_secs: float):
        self.address = urlsplit(url).netloc
        self.headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        self.body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
        self.pause_secs = pause_secs
        self.answers: list[Answer] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(self.pause_secs):
            began = time.monotonic()
            try:
                status, text = self.ask()
            except (OSError, http.client.HTTPException):
                status, text = 0, UNREACHED
            self.answers.append(Answer(began, time.monotonic() - began, status, text))

    def ask(self) -> tuple[int, str]:
        """A new connection for each request: one from before a restart would be of no use after it."""
        connection = http.client.HTTPConnection(self.address, timeout=ANSWER_LIMIT_SECS)
        try:
            connection.request("POST", "/v1/chat/completions", self.body, self.headers)
            response = connection.getresponse()
            body = json.loads(response.read())
        finally:
            connection.close()
        if response.status == 200:
            return 200, body["choices"][0]["message"]["content"]
        return response.status, body["error"].get("code") or body["error"]["type"]

    def since(self, moment: float) -> list[Answer]:
        return [answer for answer in self.answers if answer.began >= moment]

    def serves(self, since: float, count: int) -> bool:
        """Whether the last `count` requests since a moment were all served."""
        return [answer.served for answer in self.since(since)[-count:]] == [True] * count

    def failures(self) -> set[tuple[int, str]]:
        return {(answer.status, answer.text) for answer in self.answers if not answer.served}


@contextmanager
def load(url: str, model: str, key: str = "sk-of-a-client", clients: int = 1, pause_secs: float = 0.05) -> Iterator[Load]:
    running = Load(url, model, key, pause_secs)
    threads = [threading.Thread(target=running.run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.stopped.set()
        for thread in threads:
            thread.join()
