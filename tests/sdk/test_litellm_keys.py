"""LiteLLM's virtual keys on models that go direct, with a real LiteLLM, its real PostgreSQL, and the real Envoy.

A key must do the same on both ways: where LiteLLM answers, and where the gateway asks the provider itself.
"""

import json
import os
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

import database
from kit_py import gaud
from kit_py.stand_in import ECHO_KEY
from kit_py.waiting import until
from litellm_server import CONFIG, MASTER_KEY, settings

pytestmark = pytest.mark.gateway
ADMIN_KEY = f"sk-prx-adm{'2' * 9}-{'k' * 32}"
DIRECT, KEPT = "echo", "gpt-4o"
TOML = """\
[litellm]
config = "{config}"
{keys}

[providers.litellm]
url = "{litellm}"

[usage]
meter = "all"

[prices.echo]
input = 1
output = 1

[breaker]
enabled = false
"""


class Link:
    """A way to PostgreSQL that can be cut."""

    def __init__(self, url: str):
        parts = urllib.parse.urlsplit(url)
        self.target = (parts.hostname, parts.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.listener.getsockname()[1]}").geturl()
        self.ends = []
        self.is_cut = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            server = socket.create_connection(self.target)
            self.ends += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    @staticmethod
    def pump(one: socket.socket, other: socket.socket) -> None:
        try:
            while piece := one.recv(65536):
                other.sendall(piece)
        except OSError:
            pass
        for end in (one, other):
            end.close()

    def cut(self) -> None:
        self.is_cut = True
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def mend(self) -> None:
        self.is_cut = False


class World:
    def __init__(self, litellm, link: Link, url: str, log):
        self.litellm, self.link, self.url, self.log = litellm, link, url, log

    def manage(self, path: str, body: dict) -> dict:
        """LiteLLM's own API."""
        return post(f"{self.litellm.url}{path}", MASTER_KEY, body)[1]

    def key(self, **fields) -> str:
        """A new virtual key, once the filter knows the key."""
        key = self.manage("/key/generate", fields)["key"]
        until("the gateway knows the key", lambda: self.row(key))
        # The filter takes changes in their order.
        assert post(f"{self.url}/admin/keys", ADMIN_KEY, {"name": "later"})[1]["applied"]
        return key

    def row(self, key: str) -> dict | None:
        """What the gateway knows of a key; `alias` names the key in lists."""
        alias = self.alias(key)
        rows = ask(f"{self.url}/admin/keys", ADMIN_KEY)["keys"]
        return next((row for row in rows if row["name"] == alias), None)

    def alias(self, key: str) -> str:
        info = ask(f"{self.litellm.url}/key/info?key={key}", MASTER_KEY)["info"]
        return info["key_alias"]

    def chat(self, key: str | None, model: str) -> tuple[int, str | None, str]:
        """The status, the error's code or type, and the provider of a chat."""
        body = {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
        status, answer, headers = post(f"{self.url}/v1/chat/completions", key, body)
        error = answer.get("error") or {}
        return status, error.get("code") if status != 200 else None, headers.get("x-gaud-provider")

    def log_lines(self, text: str) -> int:
        return self.log.read_text(errors="replace").count(text)


def ask(url: str, key: str) -> dict:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def post(url: str, key: str | None, body: dict, method: str = "POST"):
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response), response.headers
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers


def sql(url: str, statement: str) -> str:
    argv = [database.program("psql"), "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", url, "--command", statement]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def secrets(stand_in) -> dict[str, str]:
    own = settings(stand_in)
    return {"GAUD_ADMIN_KEY": ADMIN_KEY, "UPSTREAM_URL": own["UPSTREAM_URL"], "UPSTREAM_KEY": own["UPSTREAM_KEY"]}


@pytest.fixture(scope="module")
def postgres(litellm_with_database) -> str:
    return litellm_with_database.environment["DATABASE_URL"]


@pytest.fixture(scope="module")
def world(litellm_with_database, postgres, stand_in, tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("litellm-keys")
    link = Link(postgres)
    toml = TOML.format(config=CONFIG, keys='keys = "os.environ/LITELLM_DATABASE"', litellm=litellm_with_database.url)
    own = secrets(stand_in) | {"LITELLM_DATABASE": link.url}
    with gaud.serving("litellm-keys", toml, own, folder) as address:
        yield World(litellm_with_database, link, address, folder / "gaud-litellm-keys.err")
    link.listener.close()


def test_a_key_opens_the_same_on_both_ways(world, stand_in):
    key = world.key(key_alias="both", models=[DIRECT, KEPT], user_id="ann")
    stand_in.take()
    assert world.chat(key, DIRECT) == (200, None, "upstream")
    (seen,) = stand_in.take()
    assert seen.credentials == {"authorization": f"Bearer {ECHO_KEY}"} and not seen.contains(key)
    assert world.chat(key, KEPT) == (200, None, "litellm")
    row = world.row(key)
    assert (row["owner"], row["user"], row["models"]) == ("litellm", "ann", [DIRECT, KEPT])
    usage = ask(f"{world.url}/admin/usage?by=key", ADMIN_KEY)
    assert row["id"] in json.dumps(until("the usage is there", lambda: usage["rows"] and usage))


@pytest.mark.parametrize(("own", "other"), [(DIRECT, KEPT), (KEPT, DIRECT)])
def test_a_list_of_models_holds_on_both_ways(world, own, other):
    key = world.key(key_alias=f"list-{own}", models=[own])
    assert world.chat(key, own)[0] == 200
    assert world.chat(key, other)[0] == 403


@pytest.mark.parametrize("key", [None, "sk-unknown", MASTER_KEY], ids=["no key", "an unknown key", "the master key"])
def test_what_goes_direct_needs_a_virtual_key(world, stand_in, key):
    stand_in.take()
    assert world.chat(key, DIRECT) == (401, "invalid_api_key", None)
    assert not stand_in.take()
    assert world.chat(key, KEPT)[2] == "litellm"


def test_limits_and_budgets_hold_on_what_goes_direct(world, postgres):
    key = world.key(key_alias="limited", rpm_limit=1)
    assert [world.chat(key, DIRECT)[0] for _ in range(2)] == [200, 429]
    key = world.key(key_alias="poor", max_budget=1, budget_duration="30d")
    assert world.chat(key, DIRECT)[0] == 200
    # What was spent at LiteLLM counts.
    sql(postgres, """UPDATE "LiteLLM_VerificationToken" SET spend = 1 WHERE key_alias = 'poor'""")
    until("the spending is known", lambda: world.chat(key, DIRECT)[:2] == (429, "insufficient_quota"))
    sql(postgres, """UPDATE "LiteLLM_VerificationToken" SET max_budget = 9 WHERE key_alias = 'poor'""")
    until("the new budget is known", lambda: world.chat(key, DIRECT)[0] == 200)


def test_a_change_at_litellm_is_a_change_here(world):
    key = world.key(key_alias="changing", models=[DIRECT])
    id = world.row(key)["id"]
    world.manage("/key/block", {"key": key})
    until("the key is blocked", lambda: world.chat(key, DIRECT)[:2] == (401, "invalid_api_key"))
    world.manage("/key/unblock", {"key": key})
    until("the key is open again", lambda: world.chat(key, DIRECT)[0] == 200)
    world.manage("/key/update", {"key": key, "models": [KEPT]})
    until("the list is another", lambda: world.chat(key, DIRECT)[:2] == (403, "model_not_allowed"))
    world.manage("/key/delete", {"keys": [key]})
    until("the key is revoked", lambda: world.chat(key, DIRECT)[:2] == (401, "invalid_api_key"))
    assert ask(f"{world.url}/admin/keys/{id}", ADMIN_KEY)["state"] == "revoked"


def test_a_key_of_a_team_has_the_teams_models(world):
    team = world.manage("/team/new", {"team_alias": "Team", "models": [DIRECT]})["team_id"]
    key = world.key(key_alias="of-team", models=["all-team-models"], team_id=team)
    assert world.chat(key, DIRECT)[0] == 200
    assert world.row(key)["user"] == team
    world.manage("/team/block", {"team_id": team})
    until("the team is blocked", lambda: world.chat(key, DIRECT)[0] == 401)


def test_litellm_alone_changes_its_keys(world):
    key = world.key(key_alias="owned")
    id = world.row(key)["id"]
    said = f"LiteLLM owns the key '{id}': make the change in LiteLLM, and the key follows within seconds."
    for method, path, body in [
        ("PATCH", f"/admin/keys/{id}", {"name": "other"}),
        ("POST", f"/admin/keys/{id}/block", {}),
        ("DELETE", f"/admin/keys/{id}", {}),
        ("POST", "/key/update", {"key": id, "key_alias": "other"}),
        ("POST", f"/key/{id}/regenerate", {}),
    ]:
        status, answer, _ = post(f"{world.url}{path}", ADMIN_KEY, body, method)
        assert (status, answer["error"]["code"], answer["error"]["message"]) == (409, "owned_by_litellm", said)
    assert world.chat(key, DIRECT)[0] == 200


def test_what_gaud_cannot_keep_blocks_the_key_and_the_log_says_so_once(world):
    key = world.key(key_alias="strange", max_budget=1, budget_duration="2h")
    id = world.row(key)["id"]
    assert world.chat(key, DIRECT)[0] == 401
    assert world.chat(key, KEPT)[0] == 200
    line = f"LiteLLM's key {id} opens nothing that goes direct: its budget_duration is \"2h\""
    until("the log says why", lambda: world.log_lines(line) == 1)
    assert key not in world.log.read_text()


def test_the_last_known_keys_serve_while_the_database_is_away(world):
    key = world.key(key_alias="away", models=[DIRECT])
    before = world.log_lines("LiteLLM's keys serve as they were last read")
    world.link.cut()
    until("the log says it", lambda: world.log_lines("LiteLLM's keys serve as they were last read") == before + 1)
    assert world.chat(key, DIRECT)[0] == 200
    world.manage("/key/update", {"key": key, "models": [KEPT]})
    backs = world.log_lines("LiteLLM's keys are in step again")
    world.link.mend()
    until("the database is back", lambda: world.log_lines("LiteLLM's keys are in step again") == backs + 1)
    until("the change is known", lambda: world.chat(key, DIRECT)[0] == 403)
    assert world.log_lines("LiteLLM's keys serve as they were last read") == before + 1


def test_nothing_is_written_to_litellms_database(world, postgres):
    assert sql(postgres, "SELECT count(*) FROM pg_namespace WHERE nspname = 'gaud'") == "0"


def test_keys_are_taken_over_once(world, postgres, stand_in, tmp_path):
    key = world.key(key_alias="taken", models=[DIRECT])
    config = tmp_path / "taken.toml"
    toml = TOML.format(config=CONFIG, keys="", litellm=world.litellm.url)
    toml += f'[keys]\nlitellm = true\n[control]\ndata = "{tmp_path}/data"\n'
    config.write_text(toml)
    environment = os.environ | secrets(stand_in) | {"LITELLM_DATABASE": postgres}
    argv = [gaud.binary(), "import", "litellm", CONFIG, "--keys", "os.environ/LITELLM_DATABASE", "--config", config]

    def taken() -> str:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert key not in done.stderr + done.stdout
        return done.stderr

    first, second = taken(), taken()
    assert "(taken): taken over" in first and "(strange): taken over, blocked: its budget_duration" in first
    assert "(taken): as before" in second
    assert "keys: 0 taken over, 0 changed," in second
    with gaud.serving("taken", toml, secrets(stand_in), tmp_path) as address:
        own = World(world.litellm, world.link, address, None)
        assert own.chat(key, DIRECT) == (200, None, "upstream")
        row = own.row(key)
        assert (row["owner"], row["created_by"]) == ("gaud", "litellm")
        status, _, _ = post(f"{address}/admin/keys/{row['id']}", ADMIN_KEY, {"models": ["other"]}, "PATCH")
        assert status == 200
        assert own.chat(key, DIRECT)[0] == 403
