"""`make test-instructions`: a request must not become dearer unnoticed.

Two rows are counted. Gaud's is what Gaud adds to bare Envoy in the same run, which hardly depends on the machine.
"""

import platform
import warnings

import callgrind
import pytest
from instructions import BARE_ROW, FILE, ROWS, committed, costs, count_all
from tools import ROOT, tools
from versions import envoy_version

CHANGE_MAX = 0.03
COUNTED = (BARE_ROW, next(row for row in ROWS if row.name == "gaud, model last"))
RENEW = "`make bench-instructions`, and commit the figures"


def test_the_committed_figures_have_all_rows():
    assert list(committed()) == [row.name for row in ROWS], RENEW


def test_the_committed_figures_are_of_the_envoy_that_is_pinned():
    assert f"Envoy {pinned_envoy()} on" in FILE.read_text(), RENEW


def test_no_row_has_grown():
    built = tools()
    if not callgrind.is_there():
        pytest.skip("no valgrind here: the instructions of a request are not counted")
    if envoy_version(built.envoy) != pinned_envoy():
        pytest.skip(f"the figures are not of Envoy {envoy_version(built.envoy)}")
    if f" on {platform.machine()}:" not in FILE.read_text():
        pytest.skip(f"the figures are not of {platform.machine()}")
    before, now = committed(), costs(count_all(built, COUNTED))
    for name, cost in now.items():
        growth = cost / before[name] - 1
        says = f"{name}: {cost:,.0f} instructions, {growth:+.1%} against the committed {before[name]:,.0f}"
        assert growth <= CHANGE_MAX, f"{says}; if that is wanted: {RENEW}"
        if growth < -CHANGE_MAX:
            warnings.warn(f"{says}: {RENEW}", stacklevel=1)


def pinned_envoy() -> str:
    return (ROOT / ".envoy-version").read_text().strip()
