"""Runs the tests of all statements, and prints each statement with its tests and what became of them.

    tests/documents/run.py --tests     runs all but the tests with a Docker engine, and keeps what became of them
    tests/documents/run.py --report    prints the statements; fails if one has a test that did not pass, or did not run
"""

import argparse
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from statements import FILES, TESTS, Statement, all_statements

IMAGE = FILES["image"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, required=True, help="the folder of the results")
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    if arguments.tests:
        run(all_statements(), arguments.results)
    return report(all_statements(), outcomes(arguments.results)) if arguments.report else 0


def run(statements: list[Statement], results: Path) -> None:
    """What fails is told by the report."""
    for old in (*results.glob("*.xml"), *results.glob("*.log")):
        if old.stem != "image":
            old.unlink()
    tests = {test for statement in statements for test in statement.tests}
    pytest(results / "documents.xml", ["documents"])
    pytest(results / "sdk.xml", sorted({test.partition("[")[0] for test in tests if test.startswith("sdk/")}))
    names = sorted(test.removeprefix("e2e ") for test in tests if test.startswith("e2e "))
    if not names:
        return  # without a name all of them would run
    with (results / "e2e.log").open("w") as log:
        subprocess.run(["cargo", "test", "--quiet", "--test", "e2e", "--", "--format", "pretty", "--exact", *names], stdout=log, check=False)


def pytest(results: Path, tests: list[str]) -> None:
    argv = [sys.executable, "-m", "pytest", "--quiet", f"--junitxml={results}", *tests]
    subprocess.run(argv, cwd=TESTS, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, check=False)


def outcomes(results: Path) -> dict[str, bool]:
    """Whether each test that ran has passed, by its full name."""
    found = {}
    for path in results.glob("*.xml"):
        for case in ElementTree.parse(path).iter("testcase"):
            name = f"{case.get('classname').replace('.', '/')}.py::{case.get('name')}"
            found[name] = all(child.tag not in ("failure", "error", "skipped") for child in case)
    for path in results.glob("*.log"):
        for name, word in re.findall(r"^test (\S+) \.\.\. (\w+)", path.read_text(), re.MULTILINE):
            found[f"e2e {name}"] = word == "ok"
    return found


def became(test: str, found: dict[str, bool]) -> str:
    parts = [passed for name, passed in found.items() if name == test or name.startswith(f"{test}[")]
    if not parts:
        return "did not run"
    return "passed" if all(parts) else "failed"


def report(statements: list[Statement], found: dict[str, bool]) -> int:
    unproven = 0
    for statement in statements:
        if statement.differs:
            print(f"differs  {statement.name}: {statement.words} (docs/differences.md#{statement.differs})")
            continue
        states = {test: became(test, found) for test in statement.tests}
        is_proven = all(state == "passed" for state in states.values())
        unproven += not is_proven
        shown = ", ".join(test if state == "passed" else f"{test} {state}" for test, state in states.items())
        print(f"{'holds' if is_proven else 'FAILS':7}  {statement.name}: {statement.words} ({shown})")
    held = sum(not statement.differs for statement in statements) - unproven
    print(f"{len(statements)} statements: {held} hold, {len(statements) - held - unproven} differ, {unproven} fail")
    return min(unproven, 1)


if __name__ == "__main__":
    sys.exit(main())
