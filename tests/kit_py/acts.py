"""What the stand-in does with a request: it answers, or it fails in one of the ways in which providers fail.

The last message of a chat may be a script: `case-1 a=500,good b=429` lets `a` fail the first attempt of `case-1` and
answer the second, and lets `b` refuse every attempt. A provider that the script does not name does what its name says
(`slow`, `echo`), or answers.
"""

import asyncio
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import WSMsgType, web

from kit_py.answers import EVENTS, JSON, Answer, answer, chat_body, chat_chunk, error, event

if TYPE_CHECKING:
    from kit_py.stand_in import Seen, StandIn

SCRIPT = re.compile(r"(case-\S+)((?: \w+=[\w,-]+)*) ?")
PATIENCE_SECS = 20
SLOW_SECS = 1.5

# Status, message, code and headers.
ERRORS = {
    "500": (500, "The server had an error.", "internal_error", {}),
    "429": (429, "Rate limit reached.", "rate_limit_exceeded", {}),
    "429-late": (429, "Rate limit reached.", "rate_limit_exceeded", {"retry-after": "600"}),
    "policy": (400, "Your request was rejected.", "content_policy_violation", {}),
    "context": (400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded", {}),
    "401": (401, "The account is deactivated.", "account_deactivated", {}),
    "404": (404, "The model does not exist.", "model_not_found", {}),
}


class Exchange(NamedTuple):
    """A request, and all that is needed to answer it."""

    stand_in: "StandIn"
    request: web.Request
    seen: "Seen"

    @property
    def streams(self) -> bool:
        return bool(self.seen.json.get("stream"))


class Script(NamedTuple):
    """A case, and the acts of its providers in order; the last act of a provider repeats."""

    case: str
    acts: dict[str, list[str]]

    def act(self, provider: str, earlier_attempts: int) -> str:
        acts = self.acts.get(provider, ["good"])
        return acts[min(earlier_attempts, len(acts) - 1)]


def script_of(seen: "Seen") -> Script | None:
    if not is_chat(seen):
        return None
    messages = seen.json.get("messages") or [{}]
    last = messages[-1] if isinstance(messages[-1], dict) else {}
    found = SCRIPT.fullmatch(str(last.get("content")))
    if not found:
        return None
    acts = dict(part.split("=") for part in found[2].split())
    return Script(found[1], {provider: names.split(",") for provider, names in acts.items()})


def is_chat(seen: "Seen") -> bool:
    return seen.method == "POST" and seen.path.endswith("/chat/completions")


async def perform(name: str, exchange: Exchange) -> web.StreamResponse:
    if name in ERRORS:
        status, message, code, headers = ERRORS[name]
        return web.json_response(error(message, code), status=status, headers=headers)
    return await ACTS[name](exchange)


async def good(exchange: Exchange) -> web.StreamResponse:
    if (exchange.seen.header("upgrade") or "").lower() == "websocket":
        return await converse(exchange)
    return await send(exchange, answer(exchange.seen))


async def empty(_: Exchange) -> web.StreamResponse:
    """The same answer to everything, with as little as an SDK reads."""
    return web.json_response({"data": [], "object": "list", "type": "message"})


async def send(exchange: Exchange, answer: Answer) -> web.StreamResponse:
    status, content_type, pieces = answer
    response = web.StreamResponse(status=status, headers={"content-type": content_type})
    await response.prepare(exchange.request)
    for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


async def converse(exchange: Exchange) -> web.WebSocketResponse:
    """Realtime: names the model of the request, then answers each `response.create` with two events."""
    socket = web.WebSocketResponse(protocols=["realtime"])
    await socket.prepare(exchange.request)
    model = exchange.request.query.get("model")
    await socket.send_json({"type": "session.created", "session": {"model": model}})
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        exchange.seen.messages.append(json.loads(message.data))
        if exchange.seen.messages[-1]["type"] == "response.create":
            await socket.send_json({"type": "response.output_text.delta", "delta": "Hello."})
            await socket.send_json({"type": "response.done", "response": {"id": "resp_1"}})
    return socket


async def echo(exchange: Exchange) -> web.StreamResponse:
    """Answers a chat with its model and last message, as JSON, so that a client in any language sees what arrived.

    A stream is paced: it sends one word, and the rest when the test releases it (`StandIn.release`) under the name in
    the last message. A client that receives the first word has received a part of an unfinished answer.
    """
    if not is_chat(exchange.seen):
        return await good(exchange)
    request = exchange.seen.json
    content = request["messages"][-1]["content"]
    if not exchange.streams:
        return web.json_response(chat_body(request, json.dumps({"model": request["model"], "content": content})))
    response = web.StreamResponse(headers={"content-type": EVENTS})
    await response.prepare(exchange.request)
    await response.write(event(chat_chunk(request, {"role": "assistant", "content": "first "})))
    await asyncio.wait_for(exchange.stand_in.gate(content).wait(), PATIENCE_SECS)
    await response.write(event(chat_chunk(request, {"content": "second"})))
    await response.write(event(chat_chunk(request, {}, finish="stop")) + event("[DONE]"))
    await response.write_eof()
    return response


async def slow(exchange: Exchange) -> web.StreamResponse:
    await asyncio.sleep(SLOW_SECS)
    return await good(exchange)


async def silent(exchange: Exchange) -> web.StreamResponse:
    """Sends nothing until the client leaves, which cancels the act."""
    await asyncio.sleep(PATIENCE_SECS)
    raise AssertionError("the client did not leave")


async def headers_only(exchange: Exchange) -> web.StreamResponse:
    write(exchange, head(exchange))
    return await silent(exchange)


async def stalling(exchange: Exchange) -> web.StreamResponse:
    """Begins a stream, and sends nothing more until the client leaves."""
    write(exchange, head(exchange) + chunked(event({})))
    return await silent(exchange)


async def broken(exchange: Exchange) -> web.StreamResponse:
    """Begins an answer that is longer than what the gateway holds, and closes the connection."""
    first = chat_chunk(exchange.seen.json, {"role": "assistant", "content": "first "})
    long = b'{"id":"' + b"x" * 8192
    write(exchange, head(exchange) + (chunked(event(first)) if exchange.streams else long))
    exchange.request.transport.close()
    return await silent(exchange)


async def undone(exchange: Exchange) -> web.StreamResponse:
    """Ends a stream in order, but too early."""
    first = chat_chunk(exchange.seen.json, {"role": "assistant", "content": "first "})
    return await send(exchange, (200, EVENTS, [event(first)]))


def write(exchange: Exchange, text: bytes) -> None:
    """Bypasses aiohttp, which only writes whole answers."""
    exchange.request.transport.write(text)


def head(exchange: Exchange) -> bytes:
    kind, framing = (EVENTS, "transfer-encoding: chunked") if exchange.streams else (JSON, "content-length: 10000")
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n".encode()


def chunked(text: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(text), text)


ACTS = {act.__name__: act for act in (good, empty, echo, slow, silent, headers_only, stalling, broken, undone)}
