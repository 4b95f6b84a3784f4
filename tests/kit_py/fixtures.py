"""The fixtures that suites share: a `conftest.py` imports them."""

from pathlib import Path

import pytest

from kit_py.stand_in import StandIn


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def stand_in() -> StandIn:
    server = StandIn()
    yield server
    server.close()
