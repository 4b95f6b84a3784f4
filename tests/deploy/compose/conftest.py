"""One engine and one deployment for all tests: LiteLLM takes a minute to start."""

import pytest

import docker_engine
import stack as deployment
from stack import Stack


@pytest.fixture(scope="session")
def engine(tmp_path_factory) -> dict[str, str]:
    with docker_engine.running(tmp_path_factory.mktemp("engine")) as environment:
        yield environment


@pytest.fixture(scope="session")
def stack(engine, tmp_path_factory) -> Stack:
    with deployment.running(engine, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def key(stack) -> str:
    return stack.new_key("hello")
