"""Reads requests as servers in Python do, one on each line of standard input, and writes what each server reads.

A reading is `refused`, `unread` (the server takes the body for nothing that it reads), `none` (no model), `model:` with the
model's bytes in hexadecimal digits, or `other:` with what is not a model: a list, a file, a number.
"""

import asyncio
import base64
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from unittest.mock import Mock

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else LiteLLM asks the Internet

import aiohttp.web
import orjson
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request
from litellm.proxy.common_utils import http_parsing_utils as litellm
from starlette.datastructures import UploadFile
from starlette.requests import Request as StarletteRequest
from werkzeug.wrappers import Request as WerkzeugRequest

REFUSED, UNREAD, NONE = "refused", "unread", "none"
FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}
KEYS = ("model", "deployment")


# What aiohttp asks of a connection; made once, because a mock takes a millisecond.
LIMITS = {"max_field_size": 8190, "max_line_length": 8190, "max_headers": 128}
CONNECTION = {name: Mock(_reading_paused=False, **LIMITS) for name in ("app", "protocol", "transport", "writer")}


def reading(value: object) -> str:
    if value is None:
        return NONE
    if isinstance(value, str):
        return "model:" + value.encode("utf-8", "surrogatepass").hex()
    return f"other:{type(value).__name__}"


def of_document(document: object) -> str:
    return reading(document.get("model")) if isinstance(document, dict) else f"other:{type(document).__name__}"


def of_values(values: list) -> str:
    return reading(values[0] if len(values) == 1 else None if not values else values)


def of_any_case(pairs: Iterable[tuple[str, object]], key: str = "model") -> str:
    """As a server reads that compares names without case and without white space: ASP.NET, for one."""
    return of_values([value for name, value in pairs if name.strip().lower() == key])


class Asked:
    def __init__(self, line: str):
        asked = json.loads(line)
        self.method = asked["method"]
        self.path = asked["path"]
        self.type = asked["type"]
        self.body = base64.b64decode(asked["body"])

    @property
    def query(self) -> str:
        return self.path.partition("?")[2]

    @property
    def headers(self) -> dict[str, str]:
        own = {"content-length": str(len(self.body))}
        return own if self.type is None else own | {"content-type": self.type}

    def starlette(self) -> StarletteRequest:
        async def receive():
            self.is_received = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        self.is_received = False
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        scope = {"type": "http", "method": self.method, "path": self.path.partition("?")[0], "headers": headers}
        return StarletteRequest(scope | {"query_string": self.query.encode("latin-1")}, receive)

    def aiohttp(self) -> aiohttp.web.BaseRequest:
        stream = StreamReader(CONNECTION["protocol"], 2**20, loop=asyncio.get_running_loop())
        stream.feed_data(self.body)
        stream.feed_eof()
        return make_mocked_request(self.method, self.path, self.headers, payload=stream, **CONNECTION)

    def werkzeug(self) -> WerkzeugRequest:
        environ = {
            "REQUEST_METHOD": self.method,
            "QUERY_STRING": self.query,
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.input": io.BytesIO(self.body),
        }
        return WerkzeugRequest(environ if self.type is None else environ | {"CONTENT_TYPE": self.type})


async def json_of_python(asked: Asked) -> str:
    return of_document(json.loads(asked.body))


async def json_of_orjson(asked: Asked) -> str:
    return of_document(orjson.loads(asked.body))


async def starlette_json(asked: Asked) -> str:
    return of_document(await asked.starlette().json())


async def starlette_form(asked: Asked) -> str:
    async with asked.starlette().form() as form:
        values = ["a file" if isinstance(value, UploadFile) else value for value in form.getlist("model")]
        return of_values(values) if asked.is_received else UNREAD


async def any_case_form(asked: Asked) -> str:
    async with asked.starlette().form() as form:
        return of_any_case(form.multi_items()) if asked.is_received else UNREAD


async def aiohttp_json(asked: Asked) -> str:
    return of_document(await asked.aiohttp().json())


async def aiohttp_form(asked: Asked) -> str:
    request = asked.aiohttp()
    if request.content_type not in FORMS:
        return UNREAD
    return of_values((await request.post()).getall("model", []))


async def werkzeug_json(asked: Asked) -> str:
    request = asked.werkzeug()
    return of_document(request.get_json()) if request.is_json else UNREAD


async def werkzeug_form(asked: Asked) -> str:
    request = asked.werkzeug()
    if request.mimetype not in FORMS:
        return UNREAD
    return of_values(request.form.getlist("model") + request.files.getlist("model"))


async def litellm_first(asked: Asked) -> str:
    """What LiteLLM reads to check a key."""
    document = await litellm.read_request_body(asked.starlette())
    return of_document(document) if document else REFUSED


async def litellm_form(asked: Asked) -> str:
    """What LiteLLM's endpoints of images and audio read."""
    document = await litellm.get_form_data(asked.starlette())
    return of_document(document) if document else UNREAD


BODIES: dict[str, Callable] = {
    "Python json": json_of_python,
    "orjson": json_of_orjson,
    "Starlette json": starlette_json,
    "Starlette form": starlette_form,
    "any case form": any_case_form,
    "aiohttp json": aiohttp_json,
    "aiohttp form": aiohttp_form,
    "werkzeug json": werkzeug_json,
    "werkzeug form": werkzeug_form,
    "LiteLLM": litellm_first,
    "LiteLLM form": litellm_form,
}

QUERIES: dict[str, Callable] = {
    "Starlette": lambda asked, key: of_values(asked.starlette().query_params.getlist(key)),
    "any case": lambda asked, key: of_any_case(asked.starlette().query_params.multi_items(), key),
    "aiohttp": lambda asked, key: of_values(asked.aiohttp().query.getall(key, [])),
    "werkzeug": lambda asked, key: of_values(asked.werkzeug().args.getlist(key)),
}


async def read(asked: Asked) -> dict:
    bodies, queries = {}, {}
    for name, reader in BODIES.items():
        try:
            bodies[name] = await reader(asked)
        except Exception:  # whatever a server raises, it refuses the request
            bodies[name] = REFUSED
    for name, reader in QUERIES.items():
        for key in KEYS:
            try:
                queries[f"{name} {key}"] = reader(asked, key)
            except Exception:
                queries[f"{name} {key}"] = REFUSED
    return {"bodies": bodies, "queries": queries, "objects": {"Python json": objects(asked.body)}}


def objects(body: bytes) -> list[str]:
    """Every model that the objects of a document name, whatever the case of the key."""

    def walk(value: object) -> Iterable[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key.lower() == "model" and isinstance(inner, str):
                    yield reading(inner)
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    try:
        return list(walk(json.loads(body)))
    except Exception:
        return []


async def main():
    for line in sys.stdin:
        print(json.dumps(await read(Asked(line))))


if __name__ == "__main__":
    logging.disable()  # LiteLLM logs each body that it refuses
    asyncio.run(main())
