"""A PostgreSQL with LiteLLM's tables, and the environment of a LiteLLM that uses it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import litellm_proxy_extras

from kit_py.processes import Server, free_port

HERE = Path(__file__).parent
PRISMA = HERE / "postgres"
MIGRATIONS = Path(litellm_proxy_extras.__file__).parent / "migrations"
USER = "gaud"
START_LIMIT_SECS = 30


@contextmanager
def running(logs: Path) -> Iterator[dict[str, str]]:
    """Runs a new cluster; gives the environment of a LiteLLM that uses the cluster."""
    with tempfile.TemporaryDirectory(prefix="gaud-postgres-") as folder:
        give_to_server(Path(folder))
        data = f"{folder}/data"
        create = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(as_server([program("initdb"), "--pgdata", data, *create]), check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        argv = as_server([program("postgres"), "-D", data, *options])
        with Server("postgres", argv, dict(os.environ), logs, end_with=signal.SIGINT) as server:
            url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
            server.wait_until(lambda: accepts(url), START_LIMIT_SECS)
            migrate(url)
            yield environment(url)


def program(name: str) -> str:
    """Debian has PostgreSQL's programs outside of the PATH, in a folder for each version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if found := shutil.which(name, path=str(versions[-1]) if versions else None):
        return found
    raise FileNotFoundError(f"PostgreSQL's {name} is not installed: `make servers` installs it")


def as_server(argv: list[str]) -> list[str]:
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return argv
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", *argv]


def give_to_server(folder: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)


def accepts(url: str) -> bool:
    return subprocess.run([program("pg_isready"), "--quiet", "--dbname", url]).returncode == 0


def migrate(url: str) -> None:
    """Runs LiteLLM's migrations in order. Prisma's engine for them would be one more download."""
    statements = "\n".join(file.read_text() for file in sorted(MIGRATIONS.glob("*/migration.sql")))
    argv = [program("psql"), "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", url]
    quiet = os.environ | {"PGOPTIONS": "-c client_min_messages=warning"}
    subprocess.run(argv, input=statements, text=True, env=quiet, check=True, stdout=subprocess.DEVNULL)


def environment(url: str) -> dict[str, str]:
    engine = str(PRISMA / "query-engine.mjs")
    tools = PRISMA / "node_modules/.bin"
    if not (tools / "prisma").exists():
        raise FileNotFoundError("Prisma is not installed: `make prisma` installs it")
    return {
        "CHECKPOINT_DISABLE": "1",
        "DATABASE_URL": url,
        "DISABLE_SCHEMA_UPDATE": "True",
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PRISMA_CLI_QUERY_ENGINE_TYPE": "binary",
        "PRISMA_QUERY_ENGINE_BINARY": engine,
        "PRISMA_SCHEMA_ENGINE_BINARY": engine,  # prevents a download; LiteLLM only compares schemas with it
        "STORE_MODEL_IN_DB": "True",
    }
