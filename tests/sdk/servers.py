"""Debian's servers around the gateway: nginx in front of it, Caddy behind it."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway import ROOT
from processes import Server, free_port

START_LIMIT_SECS = 20
PLACES = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
NGINX = """\
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    scgi_temp_path {folder}/nginx-scgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    include {folder}/gaud.conf;
}}
"""


def program(name: str) -> str:
    if found := shutil.which(name, path=PLACES):
        return found
    raise FileNotFoundError(f"{name} is not installed: `make servers` installs it")


def example(name: str, ports: dict[str, str]) -> str:
    """A file of `envoy/` with the ports of this run in the place of its own, each of which must be there."""
    text = (ROOT / "envoy" / name).read_text()
    for own, port in ports.items():
        assert own in text, f"{name} has no {own}"
        text = text.replace(own, port)
    return text


@contextmanager
def nginx(gateway_port: int, folder: Path, instead: dict[str, str] | None = None) -> Iterator[int]:
    """Its port; `instead` replaces parts of the example."""
    port = free_port()
    ports = {"127.0.0.1:8400": f"127.0.0.1:{gateway_port}", "listen 8080": f"listen 127.0.0.1:{port}"}
    (folder / "gaud.conf").write_text(example("front/nginx.conf", ports | (instead or {})))
    user = "user root;" if os.geteuid() == 0 else ""  # its workers are to reach the folder
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, user=user))
    argv = [program("nginx"), "-c", str(config), "-e", "stderr"]
    with Server("nginx", argv, dict(os.environ), folder, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: listens(port), START_LIMIT_SECS)
        yield port


@contextmanager
def caddy(upstream_port: int, token: str, user: str, password: str, folder: Path) -> Iterator[tuple[int, int]]:
    """The ports at which it wants the token and the password."""
    token_port, password_port = free_port(), free_port()
    ports = {"127.0.0.1:8000": f"127.0.0.1:{upstream_port}"}
    ports |= {"\n:8501": f"\nhttp://127.0.0.1:{token_port}", "\n:8502": f"\nhttp://127.0.0.1:{password_port}"}
    config = folder / "Caddyfile"
    config.write_text(example("behind/Caddyfile", ports))
    hashed = subprocess.check_output([program("caddy"), "hash-password", "--plaintext", password], text=True).strip()
    guard = {"GUARD_TOKEN": token, "GUARD_USER": user, "GUARD_PASSWORD_HASH": hashed}
    own = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    argv = [program("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]
    with Server("caddy", argv, os.environ | guard | own, folder, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: listens(token_port) and listens(password_port), START_LIMIT_SECS)
        yield token_port, password_port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
