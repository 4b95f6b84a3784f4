"""Each query of the dashboard `envoy/grafana/gaud.json` has an answer in the real Prometheus, and its sums are the ledger's."""

import json
import threading
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from kit_py import gaud
from kit_py.answering import EVENTS, JSON, Answering, answering
from kit_py.processes import Server, free_port, program
from kit_py.waiting import until

DASHBOARD = Path(__file__).parents[2] / "envoy/grafana/gaud.json"
# What Grafana fills in: a few times the interval in which Prometheus reads.
RATE = "20s"
KNOWN, UNKNOWN = "gpt-4o", "made-up-by-a-client"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}


class Counting(Answering):
    """A provider that counts; a stream where it is asked for a stream."""

    def answer(self, body):
        request = json.loads(body)
        if request.get("stream"):
            events = [{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}, {"choices": [], "usage": USAGE}]
            return EVENTS, "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
        message = {"role": "assistant", "content": "Hi"}
        return JSON, json.dumps({"choices": [{"index": 0, "message": message}], "usage": USAGE})


def test_the_dashboard_s_queries_have_answers(tmp_path):
    admin_port = free_port()
    with answering(Counting) as url, gateway(f"{url}/v1", admin_port, tmp_path) as address:
        key = (tmp_path / "data/admin-key").read_text().strip()
        client_key = call(f"{address}/admin/keys", key, {"name": "app"})["key"]
        with prometheus(address, admin_port, key, tmp_path) as query:
            stop = threading.Event()
            clients = threading.Thread(target=ask_until, args=(stop, address, client_key))
            clients.start()
            try:
                panels = json.loads(DASHBOARD.read_text())["panels"]
                for panel in panels:
                    for target in panel["targets"]:
                        has_answer(query, panel["title"], target["expr"])
            finally:
                stop.set()
                clients.join()
            sums_agree(query, address, key)


def has_answer(query, title, expression):
    """Each query has values; all but the breakers' are above 0 at some time."""
    expression = expression.replace("$__rate_interval", RATE)
    assert "$" not in expression, "nothing else is filled in"

    def values():
        found = [float(one["value"][1]) for one in query(expression)]
        return [value for value in found if value > 0] or (title.startswith("Breakers") and found)

    assert until(f"{title}: {expression}", values)


def sums_agree(query, address, key):
    """Envoy's counters, the ledger's metrics and `/admin/usage` say the same of all that was asked."""

    def agree():
        rows = call(f"{address}/admin/usage?by=model", key)["rows"]
        of = {"input": sum(row["input"] for row in rows), "output": sum(row["output"] for row in rows)}
        cost = sum(row["cost_nanos"] for row in rows) / 1e9
        counted = {one["metric"]["type"]: float(one["value"][1]) for one in query("sum by (type) (gaud_tokens_total)")}
        [costs] = query("sum(gaud_cost_usd_total)")
        [keys] = query("sum(gaud_key_cost_usd_total)")
        same_tokens = all(counted[kind] == tokens for kind, tokens in of.items())
        # Prometheus adds in floating point, in any order.
        same_costs = all(abs(float(one["value"][1]) - cost) < 1e-9 for one in (costs, keys))
        return same_tokens and same_costs

    until("the sums agree", agree)
    models = {one["metric"]["model"] for one in query("sum by (model) (gaud_tokens_total)")}
    assert models == {KNOWN, "other"}, "a client makes no label"


def gateway(url, admin_port, folder):
    toml = f'[usage]\nmeter = "all"\n[control]\ndata = "{folder}/data"\n[providers.one]\nurl = "{url}"\nauth = "none"\n'
    toml += f'models = ["{KNOWN}"]\n[prices.{UNKNOWN}]\ninput = 1\noutput = 2\n'
    listen = f'listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:{admin_port}"\nworkers = 2\ndefault_provider = "one"\n'
    return gaud.serving("dashboard", toml, {}, folder, listen)


@contextmanager
def prometheus(address, admin_port, key, folder):
    """The real Prometheus, with the configuration of docs/usage.md; gives a function that asks a query."""
    (folder / "admin-key").write_text(key)
    host = address.removeprefix("http://")
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "gaud",
                "metrics_path": "/admin/metrics",
                "authorization": {"credentials_file": str(folder / "admin-key")},
                "static_configs": [{"targets": [host]}],
            },
            {
                "job_name": "envoy",
                "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": [f"127.0.0.1:{admin_port}"]}],
            },
        ],
    }
    (folder / "prometheus.json").write_text(json.dumps(config))
    port = free_port()
    argv = [program("prometheus", "prometheus"), f"--config.file={folder}/prometheus.json"]
    argv += [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder}/tsdb"]
    with Server("prometheus", argv, {"PATH": "/usr/bin"}, folder, end_with=15) as server:

        def query(expression):
            asked = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
            with urllib.request.urlopen(asked, timeout=10) as response:
                return json.load(response)["data"]["result"]

        def both_are_up():
            try:
                return sum(float(one["value"][1]) for one in query("up")) == 2
            except OSError:
                return False

        server.wait_until(both_are_up, 60)
        yield query


def ask_until(stop, address, key):
    while not stop.is_set():
        for model in (KNOWN, UNKNOWN):
            for stream in (True, False):
                body = {"model": model, "messages": [], "stream": stream}
                call(f"{address}/v1/chat/completions", key, body)
        # Refused, for want of a model.
        call(f"{address}/v1/chat/completions", key, {"model": ""})
        stop.wait(0.2)


def call(url, key, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as response:
            text = response.read()
    except urllib.error.HTTPError as error:
        text = error.read()
    return json.loads(text) if text.startswith(b"{") else text
