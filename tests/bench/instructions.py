"""`make bench-instructions`: what a request costs in instructions, which no neighbour of the machine can change.

Each candidate runs under valgrind twice, for two numbers of requests: the difference is free of the start, and the VM has
compiled by then all that runs often. Envoy's own code counts, V8's, and the filter's; the kernel's does not.
"""

import argparse
import http.client
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import candidates as starting
import envoy_config
from bodies import body
from candidates import HEADERS, Tools
from rounds import say
from write import table

CANDIDATES = ("bare", "noop", "gaud", "lua")
BODY_BYTES = 1_000
WARM_UP = 3_000
REQUESTS = 2_000
LIMIT_SECS = 120
# The VM writes code while it runs; files do not change.
VALGRIND = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "--smc-check=all-non-file"]


def instructions(tools: Tools, name: str, own: dict, requests: int, upstream: str, folder: Path) -> int:
    """All that an Envoy has executed from its start to its end, with so many requests between."""
    folder.mkdir()
    sent = body(BODY_BYTES, model_first=False)
    with ExitStack() as stack:
        candidate = starting.start_envoy(tools, name, own, upstream, folder, stack, under=VALGRIND)
        client = http.client.HTTPConnection(urlsplit(candidate.url).netloc, timeout=LIMIT_SECS)
        for _ in range(requests):
            client.request("POST", "/v1/chat/completions", sent, HEADERS)
            answer = client.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{name}: {answer.status}")
    said = (folder / f"{name}.err").read_text()
    return int(re.search(r"I +refs: +([\d,]+)", said)[1].replace(",", ""))


def per_request(tools: Tools, name: str, own: dict, upstream: str, folder: Path) -> float:
    few, many = (
        instructions(tools, name, own, requests, upstream, folder / f"{name}-{requests}")
        for requests in (WARM_UP, WARM_UP + REQUESTS)
    )
    say(f"{name}: {(many - few) / REQUESTS:,.0f}")
    return (many - few) / REQUESTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for tool in ("envoy", "gaud", "gaud-wasm", "noop-wasm", "upstream", "results"):
        parser.add_argument(f"--{tool}", type=Path, required=True)
    asked = parser.parse_args()
    filters = envoy_config.table({"noop_wasm": str(asked.noop_wasm.absolute())})
    with tempfile.TemporaryDirectory(prefix="gaud-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        upstream = starting.start_upstream(asked, folder, stack)
        counts = {name: per_request(asked, name, filters[name], upstream, folder) for name in CANDIDATES}
    rows = [
        (filters[name]["label"], f"{count:,.0f}" if name == "bare" else f"{count - counts['bare']:+,.0f}")
        for name, count in counts.items()
    ]
    text = f"{BODY_BYTES / 1000:.0f} KB, model last, one connection. `make bench-instructions` makes this file.\n\n"
    text += table(("", "instructions per request"), rows) + "\n"
    (asked.results / "instructions.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
