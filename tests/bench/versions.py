"""What was measured, and on what."""

import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path

from candidates import Tools

ROOT = Path(__file__).parent.parent.parent


def versions(tools: Tools) -> dict[str, str]:
    wasm = tools.gaud_wasm.stat().st_size
    portkey = json.loads((tools.portkey / "package.json").read_text())["version"]
    return {
        "gaud": f"{said('git', 'describe', '--always', '--dirty')}, {wasm:,} bytes of wasm",
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
