"""Runs the tests of the OpenAI SDK for Node, which are told by their environment where the servers are."""

import base64
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

import wire as wires
from conftest import CLIENT_KEY, HERE
from upstream import KEY as UPSTREAM_KEY

LIMIT_SECS = 120
UPLOAD = bytes(range(256)) * 100 + b"\r\n--not-a-boundary\r\n"
# What `endpoints.test.mjs` asks, in its order.
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


@pytest.fixture(scope="module")
def packages():
    """Installs what package-lock.json names, unless that was done since it changed."""
    installed = HERE / "node_modules/.package-lock.json"
    wanted = HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=HERE, check=True)


def test_litellm(packages, endpoint, upstream):
    run("litellm.test.mjs", URL=endpoint.url, KEY=endpoint.key, UPSTREAM_URL=upstream.url)


@pytest.mark.gateway
def test_gateway(packages, gateway, strict):
    keys = {"KEY": CLIENT_KEY, "MASTER_KEY": strict.key, "UPSTREAM_KEY": UPSTREAM_KEY}
    run("gateway.test.mjs", URL=gateway.url, STRICT_URL=strict.url, **keys)


@pytest.mark.gateway
def test_endpoints(packages, wire):
    upload = base64.b64encode(UPLOAD).decode()
    run("endpoints.test.mjs", URL=wire.url, KEY=wires.CLIENT_KEY, MODEL="named:rec-large", UPLOAD=upload)
    arrived = wire.recorder.take()
    assert [f"{seen.method} {seen.path}" for seen in arrived] == ASKED
    for seen in arrived:
        assert seen.credentials == wires.CREDENTIAL[seen.path.split("/")[1]]
        assert not seen.holds(wires.CLIENT_KEY)
        assert not seen.holds("named:")
    files = [part.sha256 for seen in arrived if b"filename=" in seen.body for part in seen.form if part.filename]
    assert files == [hashlib.sha256(UPLOAD).hexdigest()] * 3


def run(file: str, **addresses: str):
    argv = ["node", "--test", "--test-reporter=spec", str(Path("node") / file)]
    environment = os.environ | {f"TEST_{name}": value for name, value in addresses.items()}
    done = subprocess.run(argv, cwd=HERE, env=environment, timeout=LIMIT_SECS, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
