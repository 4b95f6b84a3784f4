"""Why Gaud does not use the proxy-wasm SDK: a client's header that is not UTF-8 takes a filter on the SDK down."""

from contextlib import ExitStack

import candidates as starting
import envoy_config
import pytest
from bodies import body
from client import Client
from tools import tools
from workloads import PATH


@pytest.mark.parametrize(
    ("name", "with_the_header", "afterwards"),
    [("sdk_headers", 503, 503), ("sdk", 200, 200), (starting.GAUD, 200, 200)],
)
def test_a_header_that_is_not_utf_8(name, with_the_header, afterwards, tmp_path):
    built = tools()
    with ExitStack() as stack:
        upstream = starting.start_upstream(built, tmp_path, stack)
        candidate = envoy_config.candidates(built)[name]
        envoy = starting.start_envoy(built, name, candidate, upstream, tmp_path, stack)

        def status(**headers) -> int:
            with Client(envoy.url + PATH, envoy.headers | headers, body(1_000)) as client:
                return client.send()

        assert status(x="plain") == 200
        assert status(x="caf\xe9") == with_the_header
        assert status(x="plain") == afterwards
