"""The OpenAI SDK for Node. Its tests learn from their environment where the servers are."""

import base64
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

import wire as wires
from conftest import CLIENT_KEY, HERE
from kit_py.stand_in import ECHO_KEY

LIMIT_SECS = 120
UPLOAD = bytes(range(256)) * 100 + b"\r\n--not-a-boundary\r\n"
# The requests of `endpoints.test.mjs`, in order.
ASKED = [
    "POST /named/v1/chat/completions",
    "POST /named/v1/responses",
    "POST /named/v1/embeddings",
    "POST /named/v1/audio/transcriptions",
    "POST /named/v1/images/edits",
    "POST /plain/v1/files",
    "GET /plain/v1/files",
    "GET /plain/v1/files/file-1/content",
    "DELETE /plain/v1/files/file-1",
    "GET /named/v1/realtime?model=rec-large",
]


def test_litellm(packages, endpoint, stand_in):
    run_node("litellm.test.mjs", URL=endpoint.url, KEY=endpoint.key, STAND_IN_URL=stand_in.url)


@pytest.mark.gateway
def test_names_and_keys(packages, gateway, strict):
    keys = {"KEY": CLIENT_KEY, "MASTER_KEY": strict.key, "ECHO_KEY": ECHO_KEY}
    run_node("names-and-keys.test.mjs", URL=gateway.url, STRICT_URL=strict.url, **keys)


@pytest.mark.gateway
def test_endpoints(packages, wire):
    upload = base64.b64encode(UPLOAD).decode()
    run_node("endpoints.test.mjs", URL=wire.url, KEY=wires.CLIENT_KEY, MODEL="named:rec-large", UPLOAD=upload)
    arrived = wire.stand_in.take()
    assert [f"{seen.method} {seen.path}" for seen in arrived] == ASKED
    for seen in arrived:
        assert seen.credentials == wires.CREDENTIAL[seen.provider]
        assert not seen.contains(wires.CLIENT_KEY)
        assert not seen.contains("named:")
    files = [part.sha256 for seen in arrived if b"filename=" in seen.body for part in seen.form if part.filename]
    assert files == [hashlib.sha256(UPLOAD).hexdigest()] * 3


def run_node(file: str, **environment: str) -> None:
    """Runs a file of tests; each variable of `environment` is `TEST_...` there."""
    argv = ["node", "--test", "--test-reporter=spec", str(Path("node") / file)]
    variables = os.environ | {f"TEST_{name}": value for name, value in environment.items()}
    done = subprocess.run(argv, cwd=HERE, env=variables, timeout=LIMIT_SECS, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
