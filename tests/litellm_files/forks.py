"""LiteLLM's proxy, imported once: each line of standard input is the start of one in a process of its own.

A line is a JSON object: `config`, `port`, `folder` and `environment`; `log` gets what the proxy prints. The answer is its process
id. LiteLLM takes ten seconds of processor time for its imports, and less than one for the rest of its start.
"""

import json
import os
import signal
import sys

import litellm.proxy.proxy_server  # noqa: F401
from litellm.proxy.proxy_cli import run_server


def serve(start: dict) -> None:
    os.chdir(start["folder"])
    os.environ.update(start["environment"])
    log = os.open(start["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDONLY) if stream == 0 else log, stream)
    run_server.main(
        ["--config", start["config"], "--host", "127.0.0.1", "--port", str(start["port"])], standalone_mode=False
    )


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the proxies
    print("ready", flush=True)
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            try:
                serve(json.loads(line))
            finally:
                os._exit(1)
        print(process, flush=True)


if __name__ == "__main__":
    main()
