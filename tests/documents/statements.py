"""What the first documents say, statement by statement, each with the tests that prove the statement, or with the reason why Gaud differs.

A line of `statements/NAME.txt` is `id | the statement | tests`, or `id | the statement | differs ROW` with a row of
`docs/differences.md`. A test is named as `first::test_x` for a test of this folder, `image::test_x` for a test with a Docker engine,
`sdk/FILE::test_x` and `e2e NAME`. Without a parameter in brackets all parameters of the test count.
"""

import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
TESTS = HERE.parent
DIFFERENCES = TESTS.parent / "docs/differences.md"
# How a statement calls a file of tests, and the file's path below `tests/`.
FILES = {
    "first": "documents/test_first.py",
    "agents": "documents/test_agents.py",
    "antigravity": "documents/test_antigravity.py",
    "chat": "documents/test_chat_adapter.py",
    "systemd": "documents/test_under_systemd.py",
    "postgres": "documents/test_postgres_and_redis.py",
    "image": "deploy/compose/test_first_documentation.py",
}
LINE = re.compile(r"(?P<id>[\w-]+) \| (?P<words>[^|]+?) \| (?P<proof>.+)")


class Statement(NamedTuple):
    document: str
    id: str
    words: str
    tests: tuple[str, ...]
    differs: str | None

    @property
    def name(self) -> str:
        return f"{self.document}/{self.id}"


def all_statements() -> list[Statement]:
    return [one for path in sorted((HERE / "statements").glob("*.txt")) for one in statements_of(path)]


def statements_of(path: Path) -> list[Statement]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [statement(path.stem, line) for line in lines]


def statement(document: str, line: str) -> Statement:
    found = LINE.fullmatch(line)
    assert found, f"{document}.txt: not `id | statement | tests`: {line}"
    proof = found["proof"]
    if proof.startswith("differs "):
        return Statement(document, found["id"], found["words"], (), proof.removeprefix("differs "))
    # A parameter may have a comma.
    tests = re.split(r", (?=\w+::|sdk/|e2e )", proof)
    return Statement(document, found["id"], found["words"], tuple(full_name(test) for test in tests), None)


def full_name(test: str) -> str:
    """`documents/test_first.py::test_x` for `first::test_x`."""
    if test.startswith(("e2e ", "sdk/")):
        return test
    file, _, name = test.partition("::")
    return f"{FILES[file]}::{name}"


def differences() -> dict[str, str]:
    """The rows of the table, by their names."""
    rows = re.findall(r'^\| <a id="([\w-]+)"></a>(.*)\|$', DIFFERENCES.read_text(), re.MULTILINE)
    return dict(rows)
