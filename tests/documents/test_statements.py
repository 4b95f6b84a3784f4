"""Every statement of the documents has a test that exists, or a row in the table of differences."""

import re
import subprocess
import sys

import pytest

from statements import TESTS, all_statements, differences

STATEMENTS = all_statements()


def test_every_document_has_statements_with_names_of_their_own():
    assert {one.document for one in STATEMENTS} == {"agents", "antigravity", "chat", "first", "systemd"}
    names = [one.name for one in STATEMENTS]
    assert len(names) == len(set(names)) > 200


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda one: one.name)
def test_a_statement_has_a_test_or_a_row(statement):
    if statement.differs:
        assert statement.differs in differences()
        return
    assert statement.tests
    for test in statement.tests:
        if test.startswith("e2e "):
            *_, name = test.split("::")
            sources = (path.read_text() for path in (TESTS / "e2e").rglob("*.rs"))
            assert any(f"fn {name}(" in source for source in sources), test
        else:
            file, name = test.split("::")
            assert re.search(rf"^def {name.partition('[')[0]}\(", (TESTS / file).read_text(), re.MULTILINE), test


def test_the_tests_are_collected_by_these_names():
    """With their parameters; each folder has a conftest of its own."""
    tests = {test for statement in STATEMENTS for test in statement.tests if not test.startswith("e2e ")}
    files = {test.partition("::")[0] for test in tests}
    folders = {file.rpartition("/")[0] for file in files}
    collected = {name for folder in folders for name in collected_in(folder, files)}
    missing = {test for test in tests if test not in collected and not any(name.startswith(f"{test}[") for name in collected)}
    assert missing == set()


def collected_in(folder: str, files: set[str]) -> list[str]:
    own = sorted(file for file in files if file.rpartition("/")[0] == folder)
    argv = [sys.executable, "-m", "pytest", "--quiet", "--collect-only", *own]
    done = subprocess.run(argv, cwd=TESTS, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def test_every_row_of_the_differences_is_a_statements():
    assert set(differences()) == {one.differs for one in STATEMENTS if one.differs}
