"""Runs the tests of the OpenAI SDK for Node, which are told by their environment where the servers are."""

import os
import subprocess
from pathlib import Path

import pytest

from conftest import CLIENT_KEY, HERE
from upstream import KEY as UPSTREAM_KEY

LIMIT_SECS = 120


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


def run(file: str, **addresses: str):
    argv = ["node", "--test", "--test-reporter=spec", str(Path("node") / file)]
    environment = os.environ | {f"TEST_{name}": value for name, value in addresses.items()}
    done = subprocess.run(argv, cwd=HERE, env=environment, timeout=LIMIT_SECS, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
