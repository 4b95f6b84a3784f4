"""What a provider answers to each endpoint: OpenAI's, Azure's, Anthropic's and Google's."""

import base64
import json
import re
import struct
from collections.abc import Iterable, Iterator

AUDIO = bytes(range(256)) * 16
EVENTS = "text/event-stream"
JSON = "application/json"
MODELS = ["rec-large", "vendor/rec-small:free"]
TEXT = "Hello there."
WORDS = ["Hello", " there", "."]
EMBEDDING = [0.25, -0.5, 1.0]  # exact in the 32 bits that base64 embeddings have

# The collections, by their last path segment: the id of an object and its `object`.
COLLECTIONS = {
    "files": ("file-1", "file"),
    "batches": ("batch_1", "batch"),
    "assistants": ("asst_1", "assistant"),
    "threads": ("thread_1", "thread"),
    "messages": ("msg_1", "thread.message"),
    "runs": ("run_1", "thread.run"),
    "steps": ("step_1", "thread.run.step"),
    "vector_stores": ("vs_1", "vector_store"),
    "file_batches": ("vsfb_1", "vector_store.files_batch"),
    "jobs": ("ftjob-1", "fine_tuning.job"),
    "events": ("ftevent-1", "fine_tuning.job.event"),
    "checkpoints": ("ftckpt_1", "fine_tuning.job.checkpoint"),
    "uploads": ("upload_1", "upload"),
    "parts": ("part_1", "upload.part"),
    "responses": ("resp_1", "response"),
    "input_items": ("msg_1", "message"),
    "completions": ("chatcmpl-1", "chat.completion"),
    "conversations": ("conv_1", "conversation"),
    "items": ("msg_1", "message"),
    "containers": ("cntr_1", "container"),
    "evals": ("eval_1", "eval"),
    "videos": ("video_1", "video"),
}

Answer = tuple[int, str, Iterable[bytes]]


def answer(seen) -> Answer:
    """The status, content type and pieces of the answer to a request."""
    path = re.sub(r"^(/[a-z_]+)??(?=/(v1|v1beta|openai)/)", "", seen.path.partition("?")[0])
    for method, pattern, reply in ROUTES:
        if method == seen.method and (found := re.fullmatch(pattern, path)):
            return reply(seen, *found.groups())
    return of_collection(seen.method, path.split("/")[2:]) or unknown(seen)


def of_collection(method: str, segments: list[str]) -> Answer | None:
    """Create, list, retrieve, change and delete, alike for all collections; a verb answers its object."""
    if segments and segments[-1] in COLLECTIONS:
        thing = dict(zip(("id", "object"), COLLECTIONS[segments[-1]], strict=True))
        return ok({"object": "list", "data": [thing], "has_more": False} if method == "GET" else thing)
    for place in (-1, -2):
        if len(segments) >= 1 - place and segments[place - 1] in COLLECTIONS:
            thing = {"id": segments[place], "object": COLLECTIONS[segments[place - 1]][1]}
            return ok(thing | ({"deleted": True} if method == "DELETE" else {}))
    return None


def ok(body) -> Answer:
    return 200, JSON, [json.dumps(body).encode()]


def unknown(seen) -> Answer:
    return 404, JSON, [json.dumps(error(f"Unknown URL {seen.method} {seen.path}", None)).encode()]


def error(message: str, code: str | None) -> dict:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def event(data: dict | str, name: str = "") -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def events(bodies: Iterable[dict], named: bool = False) -> Iterator[bytes]:
    return (event(body, body["type"] if named else "") for body in bodies)


def chat(seen, *_) -> Answer:
    request = seen.json
    if not request.get("stream"):
        return ok(chat_body(request, TEXT))
    chunks = [chat_chunk(request, {"content": word}) for word in WORDS] + [chat_chunk(request, {}, finish="stop")]
    return 200, EVENTS, [*events(chunks), event("[DONE]")]


def chat_body(request: dict, content: str) -> dict:
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": request["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def chat_chunk(request: dict, delta: dict, finish: str | None = None) -> dict:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": request["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def completion(seen, *_) -> Answer:
    return ok({"id": "cmpl-1", "object": "text_completion", "choices": [{"index": 0, "text": TEXT}]})


def response(seen, *_) -> Answer:
    part = {"type": "output_text", "text": TEXT, "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    done = {"id": "resp_1", "object": "response", "status": "completed", "output": [message]}
    if not seen.json.get("stream"):
        return ok(done)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    deltas = [{"type": "response.output_text.delta", "delta": word, **place} for word in WORDS]
    bodies = [{"type": "response.created", "response": done}, *deltas, {"type": "response.completed", "response": done}]
    return 200, EVENTS, events(bodies, named=True)


def embeddings(seen, *_) -> Answer:
    request = seen.json
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    packed = base64.b64encode(struct.pack(f"<{len(EMBEDDING)}f", *EMBEDDING)).decode()
    value = packed if request.get("encoding_format") == "base64" else EMBEDDING
    data = [{"object": "embedding", "index": index, "embedding": value} for index in range(len(inputs))]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return ok({"object": "list", "model": request.get("model"), "data": data, "usage": usage})


def image(*_) -> Answer:
    return ok({"created": 1, "data": [{"b64_json": base64.b64encode(AUDIO).decode()}]})


def binary(*_) -> Answer:
    return 200, "application/octet-stream", [AUDIO[:100], AUDIO[100:]]


def message(seen, *_) -> Answer:
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": seen.json["model"], "stop_reason": "end_turn"}
    whole |= {"content": [{"type": "text", "text": TEXT}], "usage": {"input_tokens": 1, "output_tokens": 3}}
    if not seen.json.get("stream"):
        return ok(whole)
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in WORDS
    ]
    begin = [
        {"type": "message_start", "message": whole | {"content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    end = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    return 200, EVENTS, events([*begin, *deltas, *end], named=True)


def generated(seen, verb: str) -> Answer:
    bodies = [{"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}}]} for word in WORDS]
    if verb == "streamGenerateContent":
        return 200, EVENTS, events(bodies)
    return ok({"candidates": [{"content": {"role": "model", "parts": [{"text": TEXT}]}}]})


def models(*_) -> Answer:
    return ok({"object": "list", "data": [{"id": name, "object": "model", "owned_by": "rec"} for name in MODELS]})


def fixed(body):
    return lambda *_: ok(body)


DEPLOYED = r"(?:/v1|/v1/engines/[^/]+|/openai/deployments/[^/]+)"
ROUTES = [
    ("GET", "/v1/models", models),
    ("POST", f"{DEPLOYED}/chat/completions", chat),
    ("POST", f"{DEPLOYED}/completions", completion),
    ("POST", f"{DEPLOYED}/embeddings", embeddings),
    ("POST", "/v1/responses", response),
    ("POST", "/v1/responses/input_tokens", fixed({"object": "response.input_tokens", "input_tokens": 3})),
    ("POST", "/v1/moderations", fixed({"id": "modr-1", "results": [{"flagged": False}]})),
    ("POST", f"{DEPLOYED}/images/(?:generations|edits|variations)", image),
    ("POST", f"{DEPLOYED}/audio/speech", binary),
    ("POST", f"{DEPLOYED}/audio/(?:transcriptions|translations)", fixed({"text": TEXT})),
    ("GET", "/v1/(?:files|videos|containers/[^/]+/files)/[^/]+/content", binary),
    ("POST", "/v1/vector_stores/[^/]+/search", fixed({"object": "list", "data": [{"file_id": "file-1"}]})),
    ("POST", "/v1/realtime/client_secrets", fixed({"value": "ek_1"})),
    ("POST", "/v1/messages", message),
    ("POST", "/v1/messages/count_tokens", fixed({"input_tokens": 3})),
    ("POST", "/v1(?:beta)?/models/[^/]+:countTokens", fixed({"totalTokens": 3})),
    ("POST", "/v1(?:beta)?/models/[^/]+:(generateContent|streamGenerateContent)", generated),
]
