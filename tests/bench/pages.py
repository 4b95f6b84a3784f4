"""`make bench-pages`: how long each page takes when the ledger has a million attempts. Fails where a page takes over 50 ms."""

import json
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from kit_py.gaud import serving
from versions import commit
from write import table

ROWS = 1_000_000
KEYS, USERS, MODELS, DAYS = 200, 40, 20, 30
# More of the ledger's buckets of durations than a day of answers between 0 ms and an hour has.
BUCKETS = 300
ROUNDS = 21
BAR_MS = 50
RESULTS = Path(__file__).parent / "results/pages.md"
TOML = """
[usage]
meter = "all"

[providers.one]
url = "http://127.0.0.1:9"
auth = "none"
"""
# ID takes the place of a key's id.
PAGES = (
    "/ui/",
    "/ui/usage",
    "/ui/usage?by=model&show=tokens&since=30d",
    "/ui/usage?by=key&since=30d",
    "/ui/usage?by=user&since=30d",
    "/ui/usage.csv?by=key&since=30d",
    "/ui/requests",
    "/ui/requests?key=ID",
    "/ui/requests?user=user7",
    "/ui/requests?user=none",
    "/ui/requests?provider=one",
    "/ui/requests?provider=none",
    "/ui/requests?model=one:model-7",
    "/ui/requests?errors=true",
    "/ui/requests?key=none",
    "/ui/keys",
    "/ui/keys?user_is=user7",
    "/ui/keys/ID",
    "/ui/users",
    "/ui/users/user7",
    "/ui/settings",
    "/ui/providers",
)

# Amounts that differ from row to row; the last attempts are of this minute. The other amounts are 0.
ATTEMPTS = f"""
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS - 1})
INSERT INTO attempts (request, attempt, begun_ms, key, user, provider, model, asked, operation, status, basis, tier,
    duration_ms, first_ms, input, output, cost_nanos, OTHERS)
SELECT printf('%016x', i), 1, :now - (({ROWS} - i) * {DAYS * 86_400_000 // ROWS}), (SELECT id FROM ids WHERE n = i % {KEYS}), 'user' || (i % {USERS}),
    'one', 'model-' || (i % {MODELS}), 'one:model-' || (i % {MODELS}), 'chat', CASE i % 50 WHEN 0 THEN 502 ELSE 200 END,
    CASE i % 50 WHEN 0 THEN 'failed' ELSE 'counted' END, '', 800 + i % 700, 200 + i % 100, 1000 + i % 9, 300 + i % 7,
    2500000 + i, ZEROS FROM n
"""


def own(address: str, admin_key: str) -> list[str]:
    """Makes the users and their keys, with budgets and limits of models; the ids of the keys."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)

    def make(path: str, fields: dict[str, object]) -> dict[str, str]:
        headers = {"authorization": f"Bearer {admin_key}", "content-type": "application/json"}
        connection.request("POST", path, json.dumps(fields), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 201:
            raise RuntimeError(f"{path} was answered with {answer.status}: {text}")
        return json.loads(text)

    limits = {"rpm": 60, "budget": {"usd": 50, "window": "month"}}
    for number in range(USERS):
        make("/admin/users", {"id": f"user{number}", "name": f"User {number}", **limits})
    of_models = {f"one:model-{number}": {"rpm": 10} for number in range(3)}
    key = {"models": ["one:*"], "model_limits": of_models, **limits}
    names = ({"name": f"key {number}", "user": f"user{number % USERS}"} for number in range(KEYS))
    return [make("/admin/keys", {**key, **name})["id"] for name in names]


def fill(database: Path, ids: list[str]) -> None:
    """Writes the attempts and their daily sums."""
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TEMP TABLE ids (n INTEGER PRIMARY KEY, id TEXT)")
        connection.executemany("INSERT INTO ids VALUES (?, ?)", enumerate(ids))
        names = [row[1] for row in connection.execute("PRAGMA table_info(days)")]
        amounts = names[names.index("unpriced") + 1 : names.index("cost_nanos")]
        others = [name for name in amounts if name not in ("input", "output")]
        sql = ATTEMPTS.replace("OTHERS", ", ".join(others)).replace("ZEROS", ", ".join("0" for _ in others))
        connection.execute(sql, {"now": int(time.time() * 1000)})
        sums = ", ".join(f"sum({name})" for name in amounts)
        connection.execute(
            f"""INSERT INTO days SELECT date(begun_ms / 1000, 'unixepoch'), key, user, provider, model, count(*),
            sum(basis = 'failed'), 0, 0, {sums}, sum(cost_nanos) FROM attempts GROUP BY 1, 2, 3, 4, 5"""
        )
        connection.execute(
            f"""WITH RECURSIVE n(bucket) AS (SELECT 0 UNION ALL SELECT bucket + 1 FROM n WHERE bucket < {BUCKETS - 1})
            INSERT INTO durations SELECT DISTINCT day, bucket, 100 FROM days, n"""
        )


class Browser:
    """A browser that is logged in."""

    def __init__(self, address: str, key: str) -> None:
        self.connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.headers = {"accept": "text/html"}
        page = self.ask("GET", "/ui/login")[1]
        token = re.search(r'name="token" value="([^"]+)"', page).group(1)
        status, _ = self.ask("POST", "/ui/login", urlencode({"token": token, "key": key}))
        if status != 303:
            raise RuntimeError(f"the login was answered with {status}")

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        form = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        self.connection.request(method, path, body, self.headers | form)
        answer = self.connection.getresponse()
        if cookie := answer.getheader("set-cookie"):
            self.headers["cookie"] = cookie.split(";")[0]
        return answer.status, answer.read().decode()

    def median_ms(self, path: str) -> tuple[float, int]:
        """How long a page takes, and its length in bytes."""
        taken = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            status, page = self.ask("GET", path)
            taken.append((time.perf_counter() - begun) * 1000)
            if status != 200:
                raise RuntimeError(f"{path} was answered with {status}: {page}")
        return statistics.median(taken), len(page)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="gaud-pages-") as folder:
        state = Path(folder) / "state"
        state.mkdir()
        with serving("pages", TOML, {"XDG_STATE_HOME": str(state)}, Path(folder)) as address:
            admin_key = (state / "gaud/admin-key").read_text().strip()
            ids = own(address, admin_key)
            fill(state / "gaud/ledger.db", ids)
            browser = Browser(address, admin_key)
            measured = [(path, *browser.median_ms(path.replace("ID", ids[7]))) for path in PAGES]
    rows = [(f"`{path}`", f"{ms:.1f}", f"{size:,}") for path, ms, size in measured]
    text = (
        f"Measured at {commit()}: {ROWS:,} attempts of {DAYS} days, {KEYS} keys, {USERS} users, {MODELS} models; medians of {ROUNDS}. "
        "`make bench-pages` makes this file.\n\n"
    )
    RESULTS.write_text(text + table(("page", "ms", "bytes"), rows) + "\n")
    print(RESULTS.read_text())
    slow = [path for path, ms, _ in measured if ms > BAR_MS]
    for path in slow:
        print(f"{path} takes more than {BAR_MS} ms", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
