"""One measurement: a load for some seconds, and what it cost the process that served it."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SERVER_CORE = 0
LOAD_CORE = 1
TIMEOUT_SECS = 30


class Failed(Exception):
    """A window in which not all went well: its figures would mean nothing."""


class Sample(NamedTuple):
    """What one window showed."""

    requests: int
    rps: float
    cpu_us: float  # of the server's process, per request
    busy: float  # the share of its core that the server had
    p50_us: float
    p99_us: float


def sample(pid: int, url: str, headers: dict[str, str], body: Path, connections: int, secs: int) -> Sample:
    before = cpu_ns(pid)
    load = run_wrk(url, headers, body, connections, secs)
    spent_us = (cpu_ns(pid) - before) / 1e3
    if load["failed"] or load["broken"]:
        raise Failed(f"{load['failed']} answers were no success, {load['broken']} connections broke or timed out")
    if not load["requests"]:
        raise Failed(f"no answer came within {secs} s")
    return Sample(
        requests=load["requests"],
        rps=load["requests"] / load["secs"],
        cpu_us=spent_us / load["requests"],
        busy=spent_us / 1e6 / load["secs"],
        p50_us=load["p50_us"],
        p99_us=load["p99_us"],
    )


def run_wrk(url: str, headers: dict[str, str], body: Path, connections: int, secs: int) -> dict:
    head = [part for header in headers.items() for part in header]
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{secs}s", f"--timeout={TIMEOUT_SECS}s", "-s", HERE / "load.lua", url]
    done = subprocess.run(
        pinned([*argv, "--", body, *head], LOAD_CORE), capture_output=True, text=True, timeout=secs + 2 * TIMEOUT_SECS
    )
    if done.returncode != 0:
        raise RuntimeError(f"wrk failed:\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def pinned(argv: list, core: int) -> list[str]:
    return ["taskset", "-c", str(core), *map(str, argv)]


def cpu_ns(pid: int) -> int:
    """Processor time of all threads: the scheduler's own sums, which are finer than the ticks of /proc/PID/stat."""
    return sum(ran_ns(task) for task in Path(f"/proc/{pid}/task").iterdir())


def ran_ns(task: Path) -> int:
    try:
        return int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return 0


def rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
