"""Requests as clients write them, each with one kind of content. Every run has the same bodies.

OpenAI's SDK for Python writes characters as they are; Python's `json.dumps` and many clients write all that is not ASCII
as `\\uXXXX`. The model comes last, after the long parts, unless it is asked to come first.
"""

import base64
import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from envoy_config import MODEL

CHAT = "chat"  # a mixture: talk with quotes, code and other alphabets, and in the larger ones images
IMAGE_SHARE = {100_000: 0.4, 1_000_000: 0.6}  # base64, of the mixture
MESSAGE_BYTES = 3_000

PROSE = (
    "The service keeps one connection per worker and closes it after thirty seconds without traffic, which is why the "
    "first request after a quiet night is slower than the ones that follow. We measured this twice. ",
    "Please review this change: it retries on timeout, but what if the caller has gone? I would rather return early. ",
    "Summarize the discussion in three sentences, name the open questions, and say which of them has to be decided today. ",
)
CODE = (
    "fn total(items: &[Item]) -> u64 {\n    items.iter().map(|item| item.price * item.count).sum()\n}\n\n",
    'println!("{}: \\"{}\\"", name, value);\n\tlet path = "C:\\\\temp\\\\out.txt";\n',
    "for (let index = 0; index < rows.length; index += 1) {\n\tawait write(rows[index]);\n}\n",
)
ALPHABETS = (
    "请把这段话翻译成英文，并解释每个语法点。\nСпасибо, а теперь то же самое по-русски. 🦀\n",
    "Grüße aus Köln! L'été dernier, naïve façade — « déjà vu ».\n",
)
MIXTURE = (*PROSE, *CODE[:2], *ALPHABETS)


class Content(NamedTuple):
    """Messages made of these texts, or of an image, or a list of these items."""

    texts: tuple[str, ...] = PROSE
    image_share: float = 0
    item: Callable[[Random], object] | None = None
    member: str = "input"  # the list's name
    is_escaped: bool = False  # as `json.dumps` writes


def word(random: Random, length_max: int = 8) -> str:
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(1, length_max)))


def tree(random: Random, levels: int = 40) -> object:
    if levels == 0:
        return random.randrange(100)
    below = tree(random, levels - 1)
    return [below] if random.randrange(2) else {word(random, 2): below}


def tool(random: Random) -> dict:
    kinds = ("string", "number", "boolean")
    members = {word(random): {"type": random.choice(kinds), "description": f"The {word(random)}."} for _ in range(4)}
    parameters = {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}
    return {"type": "function", "function": {"name": word(random), "description": PROSE[1], "parameters": parameters}}


CONTENTS = {
    "prose": Content(),
    "code": Content(CODE),
    "base64": Content(image_share=1),
    "non-ASCII": Content(ALPHABETS),
    "mixed escapes": Content(('lorem ipsum dolor "quoted" \n\u00e9\u4e2d',), is_escaped=True),
    r"\uXXXX": Content(("请把这段话翻译成英文并解释每个语法点敏捷的棕色狐狸跳过了懒狗",), is_escaped=True),
    r"\uXXXX, pairs": Content(("🦊😀🌍🦀",), is_escaped=True),
    "token ids": Content(item=lambda random: random.randrange(100_000)),
    "floats": Content(item=lambda random: round(random.uniform(-1, 1), 8)),
    "short strings": Content(item=word),
    "deep": Content(item=tree),
    "wide": Content(item=lambda random: {word(random): random.randrange(10_000) for _ in range(30)}),
    "tools": Content(item=tool, member="tools"),
}


def body(size: int, model_first: bool = False, content: str = CHAT, model: str = MODEL) -> bytes:
    """A request of exactly this many bytes."""
    kind = CONTENTS[content] if content != CHAT else Content(MIXTURE, IMAGE_SHARE.get(size, 0))
    fill = list_items if kind.item else write_messages
    request = fill(kind, Random(size), size - len(request_of({}, kind, model_first, model)))
    return request_of(request, kind, model_first, model)


def request_of(content: dict, kind: Content, model_first: bool, model: str) -> bytes:
    named = {"model": model} | content if model_first else content | {"model": model}
    return encoded(named | {"temperature": 0.2}, kind)


def encoded(value: object, kind: Content) -> bytes:
    return json.dumps(value, ensure_ascii=kind.is_escaped, separators=(",", ":")).encode()


def list_items(kind: Content, random: Random, room: int) -> dict:
    room -= len(encoded({kind.member: [], "user": ""}, kind)) - len("{}") + len(",")
    items = []
    while (left := room - len(encoded(item := kind.item(random), kind)) - len(",")) >= 0:
        items.append(item)
        room = left
    return {kind.member: items, "user": "." * (room + (len(",") if items else 0))}


def write_messages(kind: Content, random: Random, room: int) -> dict:
    room -= len(b'"messages":[],')
    messages = []

    def add(message: dict) -> None:
        nonlocal room
        messages.append(message)
        room -= len(encoded(message, kind)) + len(",")

    if kind.image_share:
        add(image(random, int((room - MESSAGE_BYTES // 10) * kind.image_share)))
    while room > MESSAGE_BYTES:
        role = "assistant" if len(messages) % 2 else "user"
        add({"role": role, "content": text(kind, random, min(room, MESSAGE_BYTES) - 100)})
    last = {"role": "user", "content": ""}
    room -= len(encoded(last, kind))
    last["content"] = text(kind, random, room)
    last["content"] += "." * (room - written_bytes(last["content"], kind))
    return {"messages": [*messages, last]}


def text(kind: Content, random: Random, size: int) -> str:
    """As many texts as fit into this many bytes of JSON."""
    content = ""
    while (longer := random.choice(kind.texts)) and (size := size - written_bytes(longer, kind)) >= 0:
        content += longer
    return content


def written_bytes(content: str, kind: Content) -> int:
    return len(encoded(content, kind)) - len('""')


def image(random: Random, size: int) -> dict:
    data = base64.b64encode(random.randbytes(size * 3 // 4)).decode()
    url = {"url": f"data:image/png;base64,{data}", "detail": "high"}
    return {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": url}]}
