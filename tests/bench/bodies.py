"""Chat requests as clients write them: talk with quotes, code and other alphabets, and in the larger ones images.

They are written as OpenAI's SDK for Python does: no spaces, no escapes that JSON does not want, and the model behind the
messages. Every run has the same bodies.
"""

import base64
import json
import random

from envoy_config import MODEL

TEXTS = (
    'Please review this change. It says "retry on timeout", but what if the caller has gone? I\'d rather return early.\n',
    "fn total(items: &[Item]) -> u64 {\n    items.iter().map(|item| item.price * item.count).sum()\n}\n\n",
    'println!("{}: \\"{}\\"", name, value);\n\tlet path = "C:\\\\temp\\\\out.txt";\n',
    "Grüße aus Köln! L'été dernier, naïve façade — « déjà vu ».\n",
    "请把这段话翻译成英文，并解释每个语法点。\nСпасибо, а теперь то же самое по-русски. 🦀\n",
    "The service keeps one connection per worker and closes it after thirty seconds without traffic, which is why the "
    "first request after a quiet night is slower than the ones that follow. We measured this twice. ",
)
MESSAGE_BYTES = 3_000
IMAGE_SHARE = {100_000: 0.4, 1_000_000: 0.6}  # base64, of the body


def body(size: int, model_first: bool) -> bytes:
    """A request of exactly this many bytes."""
    words = random.Random(size)
    messages = [image(words, int(size * IMAGE_SHARE[size]))] if size in IMAGE_SHARE else []
    while (left := size - len(request(messages, model_first))) > MESSAGE_BYTES:
        messages.append(message(words, len(messages), min(left, MESSAGE_BYTES) - 100))
    messages.append({"role": "user", "content": ""})
    messages[-1]["content"] = text(words, size - len(request(messages, model_first)))
    messages[-1]["content"] += "." * (size - len(request(messages, model_first)))
    return request(messages, model_first)


def request(messages: list[dict], model_first: bool) -> bytes:
    asked = {"model": MODEL, "messages": messages} if model_first else {"messages": messages, "model": MODEL}
    return json.dumps(asked | {"temperature": 0.2}, ensure_ascii=False, separators=(",", ":")).encode()


def message(words: random.Random, number: int, size: int) -> dict:
    return {"role": "assistant" if number % 2 else "user", "content": text(words, size)}


def text(words: random.Random, size: int) -> str:
    """As many texts as fit into so many bytes of JSON."""
    content = ""
    while True:
        longer = content + words.choice(TEXTS)
        if len(json.dumps(longer, ensure_ascii=False).encode()) - 2 > size:
            return content
        content = longer


def image(words: random.Random, size: int) -> dict:
    data = base64.b64encode(words.randbytes(size * 3 // 4)).decode()
    url = {"url": f"data:image/png;base64,{data}", "detail": "high"}
    return {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": url}]}
