"""Counts the instructions of a process while it serves: callgrind, which vgdb tells when to count.

One process is started, warmed up at nearly full speed, and counted while it is asked the same again and again. Four such
processes differ by less than 0.1 %. Two processes that are counted from start to end and subtracted differ by up to 4 %.
"""

import re
import shutil
import subprocess
from pathlib import Path

LIMIT_SECS = 60


def is_there() -> bool:
    return all(map(shutil.which, ("valgrind", "vgdb")))


class Callgrind:
    def __init__(self, folder: Path):
        self.prefix = f"--vgdb-prefix={folder}/vgdb"
        self.counted = folder / "counted"

    def argv(self) -> list[str]:
        """What the counted program is started with. A VM writes code while it runs; files do not change."""
        how = ["--tool=callgrind", "--instr-atstart=no", "--smc-check=all-non-file", "--separate-threads=yes"]
        return ["valgrind", *how, self.prefix, f"--callgrind-out-file={self.counted}"]

    def begin(self) -> None:
        self.tell("instrumentation", "on")

    def reset(self) -> None:
        self.tell("zero")

    def count(self) -> int:
        """The instructions since the last `reset`, of the thread that has executed the most.

        This is the worker that serves the only connection. Other threads work by the clock, and so more per request
        the busier the machine is.
        """
        self.tell("dump")
        threads = self.counted.parent.glob(f"{self.counted.name}.1-*")
        return max(int(re.search(r"^totals: (\d+)$", file.read_text(), re.MULTILINE)[1]) for file in threads)

    def tell(self, *command: str) -> None:
        done = subprocess.run(["vgdb", self.prefix, *command], capture_output=True, text=True, timeout=LIMIT_SECS)
        if done.returncode != 0:
            raise RuntimeError(f"vgdb {' '.join(command)}: {done.stdout}{done.stderr}")
