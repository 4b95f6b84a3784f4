"""Debian's web servers with the examples of `envoy/`: nginx in front of the gateway, Caddy in front of the providers."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit_py.gaud import ROOT
from kit_py.processes import Server, free_port, listens, program

START_LIMIT_SECS = 20
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


def example(name: str, replacements: dict[str, str]) -> str:
    """A file of `envoy/` with the ports of this run; every text to replace must be in the file."""
    text = (ROOT / "envoy" / name).read_text()
    for old, new in replacements.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(gateway_port: int, folder: Path, replacements: dict[str, str] | None = None) -> Iterator[int]:
    """Gives the port of nginx; `replacements` change further parts of the example."""
    port = free_port()
    ports = {"127.0.0.1:8400": f"127.0.0.1:{gateway_port}", "listen 8080": f"listen 127.0.0.1:{port}"}
    (folder / "gaud.conf").write_text(example("front/nginx.conf", ports | (replacements or {})))
    user = "user root;" if os.geteuid() == 0 else ""  # its workers must reach the folder
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, user=user))
    argv = [program("nginx", "servers"), "-c", str(config), "-e", "stderr"]
    with Server("nginx", argv, dict(os.environ), folder, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: listens(port), START_LIMIT_SECS)
        yield port


@contextmanager
def caddy(upstream_port: int, token: str, user: str, password_hash: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Gives the port that wants the token, and the port that wants the password."""
    token_port, password_port = free_port(), free_port()
    ports = {"127.0.0.1:8000": f"127.0.0.1:{upstream_port}"}
    ports |= {"\n:8501": f"\nhttp://127.0.0.1:{token_port}", "\n:8502": f"\nhttp://127.0.0.1:{password_port}"}
    config = folder / "Caddyfile"
    config.write_text(example("behind/Caddyfile", ports))
    environment = os.environ | {
        "GUARD_TOKEN": token,
        "GUARD_USER": user,
        "GUARD_PASSWORD_HASH": password_hash,
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    argv = [program("caddy", "servers"), "run", "--config", str(config), "--adapter", "caddyfile"]
    with Server("caddy", argv, environment, folder, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: listens(token_port) and listens(password_port), START_LIMIT_SECS)
        yield token_port, password_port


@contextmanager
def caddy_in_front(gateway: str, host: str, folder: Path) -> Iterator[tuple[int, Path]]:
    """Caddy with a certificate of its own authority for `host`; gives the port, and the authority's certificate."""
    port = free_port()
    site = f"https://{host}:{port} {{\n\ttls internal\n\treverse_proxy {gateway}\n}}\n"
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n}\n"
    config = folder / "front.Caddyfile"
    config.write_text(options + site)
    environment = os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    argv = [program("caddy", "servers"), "run", "--config", str(config), "--adapter", "caddyfile"]
    authority = folder / "caddy/pki/authorities/local/root.crt"
    with Server("caddy-in-front", argv, environment, folder, end_with=signal.SIGTERM) as server:
        server.wait_until(lambda: listens(port) and authority.exists(), START_LIMIT_SECS)
        yield port, authority
