"""Waiting for an event, with a limit. A test never sleeps for a fixed time instead."""

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT_SECS = 90
PAUSE_SECS = 0.02
Value = TypeVar("Value")


def until(what: str, condition: Callable[[], Value], limit_secs: float = LIMIT_SECS) -> Value:
    """The first true value of `condition`; `what` says in the failure what the test has waited for."""
    deadline = time.monotonic() + limit_secs
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit_secs} s until {what}")
        time.sleep(PAUSE_SECS)
    return value
