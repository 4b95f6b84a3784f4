"""A control server with one client key, for the rows whose requests have a key: `gaud serve`, which an Envoy polls."""

import json
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from candidates import START_LIMIT_SECS, answers, start
from envoy_config import KEYED, STRIPPED, Settings
from kit_py.processes import free_port
from tools import Tools

ADMIN_KEY = "sk-prx-admaaaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
FEED_TOKEN = "a-token-of-the-benchmark-0123456789abcdef"


class Control(NamedTuple):
    settings: Settings  # for an Envoy that polls the server
    key: str


def start_control(tools: Tools, limits: dict[str, Any], folder: Path, stack: ExitStack) -> Control:
    """Makes a key with these fields of `POST /admin/keys`."""
    url = f"http://127.0.0.1:{free_port()}"
    tables = "\n".join(
        [
            '[usage]\nmeter = "all"\n[keys]\nmode = "required"',
            f'[control]\nserver = "{url}"\nlisten = "{url.removeprefix("http://")}"\ntoken = "os.environ/GAUD_FEED_TOKEN"\n'
            f'data = "{folder}/control"',
            f'[prices."{STRIPPED}"]\ninput = 2\noutput = 10',
        ]
    )
    file = folder / "serve.toml"
    file.write_text(f'{tables}\n[providers.litellm]\nurl = "http://127.0.0.1:9"\n')
    environment = {"GAUD_ADMIN_KEY": ADMIN_KEY, "GAUD_FEED_TOKEN": FEED_TOKEN}
    server = start("control", [str(tools.gaud), "serve", "--config", str(file)], environment, folder, stack)
    server.wait_until(lambda: answers(f"{url}/readyz"), START_LIMIT_SECS)
    headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/admin/keys", json.dumps(limits).encode(), headers)
    with urllib.request.urlopen(request, timeout=START_LIMIT_SECS) as made:
        key = json.load(made)["key"]
    return Control(KEYED._replace(tables=tables, feed_token=FEED_TOKEN), key)
