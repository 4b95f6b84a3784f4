"""A Redis without a file, for the length of a test run."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit_py.processes import Server, free_port, program

START_LIMIT_SECS = 20


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """Gives the port."""
    port = free_port()
    argv = [program("redis-server", "servers"), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    with Server("redis", argv, dict(os.environ), folder, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: ask(port, "PING") == "+PONG", START_LIMIT_SECS)
        yield port


def ask(port: int, *words: str) -> str | None:
    """The first line of Redis's answer to a command (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
    command = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(command.encode())
            return connection.makefile().readline().strip()
    except OSError:
        return None
