"""`make bench`: what the gateway costs beside bare Envoy, beside other filters, and beside whole gateways.

One machine, one run: the servers on one core, one process for each candidate; the load and the provider on another. Every
candidate has its turn at every workload in each round, and is compared with bare Envoy in the same round, so that what
the machine does beside hits all alike. Figures of different runs do not compare.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import candidates as starting
import envoy_config
import rounds
import write
from candidates import Candidate
from tools import RESULTS, Tools, tools
from versions import versions
from workloads import ALL_WORKLOADS, MEASURED, Workload, workloads_of

ROUNDS = {"full": 5, "quick": 1}
WINDOW_SECS = {"full": 2, "quick": 1}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", choices=ROUNDS, default="full", help="quick: a look, whose bars fail nothing")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", nargs="*", default=[], help="candidates, beside bare Envoy")
    parser.add_argument("--workloads", default="", help="a part of the workloads' names")
    return parser.parse_args()


def start(
    built: Tools, only: list[str], workloads: list[Workload], upstream: str, folder: Path, stack: ExitStack
) -> list[Candidate]:
    """Starts the candidates, or those that are asked for; bare Envoy is always there to compare with."""
    filters = envoy_config.candidates(built)
    started = []
    for name in MEASURED:
        if only and name not in (*only, starting.BARE):
            continue
        if name in starting.GATEWAYS:
            candidate = starting.GATEWAYS[name](built, upstream, folder, stack)
        else:
            candidate = starting.start_envoy(built, name, filters[name], upstream, folder, stack)
        asked = tuple(workload for workload in workloads_of(name, filters.get(name)) if workload in workloads)
        started.append(candidate._replace(workloads=asked))
    return started


def main() -> None:
    asked = arguments()
    built = tools()
    workloads = [workload for workload in ALL_WORKLOADS if asked.workloads in workload.name]
    with tempfile.TemporaryDirectory(prefix="gaud-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        upstream = starting.start_upstream(built, folder, stack)
        candidates = start(built, asked.only, workloads, upstream, folder, stack)
        files = rounds.write_bodies(workloads, folder)
        rounds.check_all(candidates, files, upstream)
        rounds.warm_up(candidates, files)
        results = rounds.run(candidates, files, asked.rounds or ROUNDS[asked.length], WINDOW_SECS[asked.length])
    # A run of parts is a look: the committed figures are all of one run.
    is_whole = asked.length == "full" and not asked.only and not asked.workloads
    tables = RESULTS / "results.md" if is_whole else built.built / "look.md"
    bars = write.write(results, candidates, versions(built), tables, built.built / "samples.json")
    sys.exit(write.say_missed(bars) if is_whole else 0)


if __name__ == "__main__":
    main()
