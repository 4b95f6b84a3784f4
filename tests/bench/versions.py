"""What was measured, and on what."""

import importlib.metadata
import json
import platform
import re
import subprocess
from pathlib import Path

from tools import ROOT, Tools


def commit() -> str:
    """The commit that is measured. Figures do not belong to the commit: they are written during the measurement."""
    name = said("git", "rev-parse", "--short", "HEAD")
    changed = said("git", "status", "--porcelain", "--", ".", ":!tests/bench/results")
    return f"commit {name} with uncommitted changes" if changed else f"commit {name}"


def envoy_version(envoy: Path | str) -> str:
    return re.search(r"/(\d+\.\d+\.\d+)", said(envoy, "--version"))[1]


def measured_at(tools: Tools) -> str:
    """For the first line of a file of figures."""
    return f"Measured at {commit()}, with Envoy {envoy_version(tools.envoy)} on {platform.machine()}"


def versions(tools: Tools) -> dict[str, str]:
    portkey = json.loads((tools.portkey / "package.json").read_text())["version"]
    return {
        "gaud": f"{commit()}, {tools.gaud_wasm.stat().st_size:,} bytes of wasm",
        "Envoy": said(tools.envoy, "--version").rpartition("version: ")[2],
        "LiteLLM": importlib.metadata.version("litellm"),
        "Portkey": portkey,
        "rustc": said("rustc", "--version"),
        "Node": said("node", "--version"),
        "kernel": f"{platform.system()} {platform.release()}",
        "CPU": cpu(),
    }


def said(*argv) -> str:
    return subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()
