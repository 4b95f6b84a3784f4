"""What was built and installed for the measurements: the Makefile names it in the environment."""

import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
RESULTS = Path(__file__).parent / "results"


class Tools(NamedTuple):
    envoy: Path
    gaud: Path
    gaud_wasm: Path
    built: Path  # what this folder's crates are built into
    portkey: Path

    @property
    def upstream(self) -> Path:
        return self.built / "release/gaud-bench-upstream"

    @property
    def filters(self) -> dict[str, str]:
        """The modules of filters.yaml, by the names that it has for them."""
        folder = self.built / "wasm32-unknown-unknown/release"
        return {f"{name}_wasm": str(folder / f"gaud_bench_{name}.wasm") for name in ("floor", "noop", "sdk")}


def tools() -> Tools:
    variables = ("ENVOY_PATH", "GAUD_BIN", "GAUD_WASM", "BENCH_BUILT", "PORTKEY")
    return Tools(*(Path(os.environ[variable]).absolute() for variable in variables))
