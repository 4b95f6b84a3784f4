"""`make bench-start`: the way from nothing to the first answer, step by step, of this gateway and of others.

Each gateway gets a home of its own, without caches, and the steps of its own documentation. All but Gaud ask the same
stand-in provider; Gaud's first minute brings its own. The steps of one gateway run after those of another, never beside them.
"""

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from kit_py.processes import free_port
from kit_py.waiting import until
from versions import commit, envoy_version
from write import table

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "tests/bench/results/first_minutes.md"
STEP_LIMIT_SECS = 1500
STOP_LIMIT_SECS = 15
SHOWN_LINES = 12
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
ASKED = '{"model": "MODEL", "messages": [{"role": "user", "content": "Hello"}]}'


class Step(NamedTuple):
    command: str
    # A server: the step is over when it says this.
    ready: str = ""


class Way(NamedTuple):
    """The documented steps from nothing to an answer; what must be installed before."""

    name: str
    needs: str
    steps: tuple[Step, ...]
    environment: dict[str, str] = {}
    # Links in the home, and what they lead to.
    links: dict[str, str] = {}


class Taken(NamedTuple):
    step: Step
    secs: float
    screen: str


def ask(port: int, model: str, *headers: str) -> Step:
    words = ["curl", "-sS", f"http://127.0.0.1:{port}/v1/chat/completions", "-H", "content-type: application/json"]
    words += [word for header in headers for word in ("-H", header)]
    return Step(shlex.join([*words, "-d", ASKED.replace("MODEL", model)]))


def ways(provider: str, wheels: Path, aigw: str, envoy: str, portkey: str) -> list[Way]:
    litellm = f"litellm --model openai/gpt-4o --api_base {provider}/v1"
    master_key = "sk-0123456789abcdef0123456789abcdef"
    version = envoy_version(envoy)
    env = f"OPENAI_API_KEY=any OPENAI_BASE_URL={provider}/v1"
    to_provider = ("x-portkey-provider: openai", f"x-portkey-custom-host: {provider}/v1", "authorization: Bearer any")
    return [
        Way(
            "Gaud, from its sources",
            "rustup, Python, make",
            (
                Step(f"git clone --quiet {ROOT} gaud"),
                Step("make -C gaud run", ready="Ctrl-C"),
                ask(8400, "litellm:gpt-4o"),
            ),
        ),
        Way(
            "Gaud, from its wheel",
            "Python",
            (
                Step(f"python3 -m venv venv && venv/bin/pip install --quiet {wheels}/gaud-*.whl"),
                Step("venv/bin/gaud run", ready="Ctrl-C"),
                ask(8400, "litellm:gpt-4o"),
            ),
        ),
        Way(
            "LiteLLM",
            "Python",
            (
                Step("python3 -m venv venv && venv/bin/pip install --quiet 'litellm[proxy]'"),
                Step(f"LITELLM_MASTER_KEY={master_key} OPENAI_API_KEY=any venv/bin/{litellm}", ready="Uvicorn running"),
                ask(4000, "gpt-4o", f"authorization: Bearer {master_key}"),
            ),
        ),
        Way(
            "Portkey",
            "Node",
            (
                Step(f"npx -y @portkey-ai/gateway@{portkey}", ready="8787"),
                ask(8787, "gpt-4o", *to_provider),
            ),
        ),
        Way(
            "Envoy AI Gateway",
            "Go, Envoy",
            (
                Step('git clone --quiet "$AIGW" ai-gateway'),
                Step("cd ai-gateway && go install ./cmd/aigw"),
                Step(f"{env} aigw run", ready="1975"),
                ask(1975, "gpt-4o"),
            ),
            {"AIGW": aigw, "ENVOY_VERSION": version},
            {f".local/share/aigw/envoy-versions/{version}/bin/envoy": envoy},
        ),
    ]


def bare_home(home: Path) -> dict[str, str]:
    """An environment without caches. Compilers and interpreters are this machine's."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO", "GAUD", "ENVOY", "FUNC_E", "XDG", "MAKE"))}
    go = home / "go"
    return own | {
        "HOME": str(home),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
        "CARGO_HOME": str(home / "cargo"),
        "GOPATH": str(go),
        "GOCACHE": str(home / "go-build"),
        "PIP_CACHE_DIR": str(home / "pip"),
        "npm_config_cache": str(home / "npm"),
        "PATH": f"{go}/bin:{os.environ['PATH']}",
    }


def walk(way: Way, stack: ExitStack) -> list[Taken]:
    """Takes the steps until one fails."""
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="first-minutes-", ignore_cleanup_errors=True)))
    environment, taken = bare_home(home) | way.environment, []
    for link, target in way.links.items():
        (home / link).parent.mkdir(parents=True)
        (home / link).symlink_to(target)
    for number, step in enumerate(way.steps):
        screen = home / f"{number}.txt"
        began = time.monotonic()
        process = start(step, home, environment, screen)
        stack.callback(end, process)
        done = wait(step, process, screen)
        taken.append(Taken(step, time.monotonic() - began, screen.read_text(errors="replace")))
        print(f"{way.name}: {step.command}: {taken[-1].secs:.1f} s", flush=True)
        if not done:
            break
    return taken


def start(step: Step, home: Path, environment: dict[str, str], screen: Path) -> subprocess.Popen:
    with screen.open("wb") as out:
        argv = ["bash", "-c", step.command]
        return subprocess.Popen(argv, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)


def wait(step: Step, process: subprocess.Popen, screen: Path) -> bool:
    """Whether the step has come to its end, or its server is ready."""
    is_ready = lambda: step.ready and step.ready in screen.read_text(errors="replace")  # noqa: E731
    until(step.command, lambda: is_ready() or process.poll() is not None, STEP_LIMIT_SECS)
    return bool(is_ready()) if step.ready else process.returncode == 0


def end(process: subprocess.Popen) -> None:
    """Ends the step's whole session; what does not end in time is killed."""
    for sent in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
            process.wait(STOP_LIMIT_SECS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def shown(text: str) -> str:
    """The last lines that a person sees."""
    lines = [line.rstrip()[:160] for line in plain(text).splitlines() if line.strip() and line[0] not in SPINNER]
    return "\n".join(lines[-SHOWN_LINES:])


def plain(text: str) -> str:
    """Without colours, and without names of this machine."""
    black = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n")
    return re.sub(r"/tmp/first-minutes-\w+", "~", black).replace(str(ROOT), "gaud.git")


def report(walked: list[tuple[Way, list[Taken]]]) -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = ("", "needs", "steps", "to the first answer", "the steps, in seconds")
    parts = [
        "# From nothing to the first answer",
        f"Measured {when} at {commit()} by `make bench-start`, in one run, one gateway after the other, without caches. The network is part of the times; "
        "Envoy AI Gateway was given an Envoy, so that its download is not in its time.",
        table(head, [row(way, taken) for way, taken in walked]),
    ]
    for way, taken in walked:
        parts.append(f"## {way.name}")
        parts += [f"`{plain(step.command)}`, {secs:.1f} s:\n\n```\n{shown(screen)}\n```" for step, secs, screen in taken]
    return "\n\n".join(parts) + "\n"


def row(way: Way, taken: list[Taken]) -> tuple[str, ...]:
    total = sum(step.secs for step in taken)
    answered = len(taken) == len(way.steps) and '"choices"' in taken[-1].screen
    steps = " + ".join(f"{step.secs:.1f}" for step in taken)
    return (way.name, way.needs, str(len(way.steps)), f"{total:.0f} s" if answered else "no answer", steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gaud", type=Path, required=True, help="the command that serves the stand-in provider")
    parser.add_argument("--wheels", type=Path, required=True, help="the folder of Gaud's wheel")
    parser.add_argument("--aigw", required=True, help="the repository of Envoy AI Gateway")
    parser.add_argument("--aigw-envoy", required=True, help="the Envoy that Envoy AI Gateway starts")
    parser.add_argument("--portkey", required=True, help="the version of Portkey")
    parser.add_argument("names", nargs="*", help="gateways by the start of their names; all without")
    given = parser.parse_args()
    walked = []
    with ExitStack() as stack:
        port = free_port()
        upstream = subprocess.Popen([given.gaud, "upstream", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
        stack.callback(upstream.kill)
        for way in ways(f"http://127.0.0.1:{port}", given.wheels, given.aigw, given.aigw_envoy, given.portkey):
            if not given.names or way.name.lower().startswith(tuple(given.names)):
                with ExitStack() as servers:
                    walked.append((way, walk(way, servers)))
    text = report(walked)
    if not given.names:
        RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    assert shutil.which("curl"), "curl is not installed"
    main()
