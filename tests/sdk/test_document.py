"""`GET /admin/openapi.json`: the document is valid, and the control server does what the document says.

The tools have an environment of their own, because LiteLLM fixes other versions of what they need.
"""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from conftest import HERE
from kit_py import gaud
from kit_py.stand_in import StandIn

pytestmark = pytest.mark.gateway
TOOLS = Path(os.environ.get("GAUD_API_TOOLS", gaud.ROOT / ".tools/api/bin"))
ADMIN_KEY = f"sk-prx-adm{'1' * 9}-{'k' * 32}"
RUN_LIMIT_SECS = 180
# A body for each path, and each rule of the document broken once; then some at random, always the same.
EXAMPLES = 8
SEED = 1


@pytest.fixture(scope="module")
def gateway(stand_in: StandIn, tmp_path_factory):
    toml = f'[usage]\nmeter = "all"\n[providers.echo]\nurl = "{stand_in.url}"\nmodels = ["m"]\n'
    with gaud.serving("document", toml, {"GAUD_ADMIN_KEY": ADMIN_KEY}, tmp_path_factory.mktemp("document")) as address:
        yield address


def test_the_document_is_valid(gateway, tmp_path):
    with urllib.request.urlopen(f"{gateway}/admin/openapi.json", timeout=10) as answer:
        document = json.load(answer)
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    run([TOOLS / "openapi-spec-validator", path], tmp_path)


def test_the_control_server_does_what_the_document_says(gateway, tmp_path):
    argv = [TOOLS / "schemathesis", "--config-file", HERE / "document/schemathesis.toml", "run"]
    argv += [f"{gateway}/admin/openapi.json", "--header", f"Authorization: Bearer {ADMIN_KEY}"]
    argv += ["--max-examples", str(EXAMPLES), "--seed", str(SEED), "--generation-database", "none"]
    run(argv, tmp_path, {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE / "document")})
    # The last request of all is one that the gateway has to take.
    with urllib.request.urlopen(f"{gateway}/healthz", timeout=10) as answer:
        assert answer.status == 200


def run(argv: list, folder: Path, environment: dict[str, str] | None = None) -> None:
    env = os.environ | (environment or {})
    options = {"cwd": folder, "env": env, "timeout": RUN_LIMIT_SECS, "capture_output": True, "text": True}
    done = subprocess.run([str(word) for word in argv], check=False, **options)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
