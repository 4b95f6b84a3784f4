"""`make bench`: what the gateway costs beside bare Envoy, beside other filters, and beside whole gateways.

One machine, one run: the servers on one core, one process for each candidate; the load and the provider on another. Every
candidate has its turn at every workload in each round, and is compared with bare Envoy in the same round, so that what
the machine does beside hits all alike. Figures of different runs do not compare.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

import candidates as starting
import envoy_config
import rounds
import write
from candidates import Candidate, Tools
from versions import versions

ROUNDS = {"full": 5, "quick": 1}
WINDOW_SECS = {"full": 2, "quick": 1}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for tool in Tools._fields:
        parser.add_argument(f"--{tool.replace('_', '-')}", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True, help="a folder")
    parser.add_argument("--length", choices=ROUNDS, default="full")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", nargs="*", default=[], help="candidates, beside bare Envoy")
    parser.add_argument("--workloads", default="", help="a part of the workloads' names")
    return parser.parse_args()


def start(tools: Tools, only: list[str], upstream: str, folder: Path, stack: ExitStack) -> list[Candidate]:
    """Starts the candidates, or those that are asked for; bare Envoy is always there to compare with."""
    filters = envoy_config.table({"noop_wasm": str(tools.noop_wasm)})
    wanted = [name for name in (*filters, *starting.GATEWAYS) if not only or name in (*only, starting.BARE)]
    return [
        starting.GATEWAYS[name](tools, upstream, folder, stack)
        if name in starting.GATEWAYS
        else starting.start_envoy(tools, name, filters[name], upstream, folder, stack)
        for name in wanted
    ]


def main() -> None:
    asked = arguments()
    tools = Tools(*(getattr(asked, name).absolute() for name in Tools._fields))
    workloads = [own for own in starting.WORKLOADS if asked.workloads in own.name]
    with tempfile.TemporaryDirectory(prefix="gaud-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        upstream = starting.start_upstream(tools, folder, stack)
        candidates = [
            own._replace(workloads=tuple(each for each in own.workloads if each in workloads))
            for own in start(tools, asked.only, upstream, folder, stack)
        ]
        files = rounds.write_bodies(workloads, folder)
        rounds.check_all(candidates, files, upstream)
        rounds.warm_up(candidates, files)
        results = rounds.run(candidates, files, asked.rounds or ROUNDS[asked.length], WINDOW_SECS[asked.length])
    name = "results" if asked.length == "full" else asked.length
    write.write(results, candidates, versions(tools), asked.results, name)


if __name__ == "__main__":
    main()
