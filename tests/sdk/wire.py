"""What an SDK sends and what the provider receives, side by side."""

from typing import NamedTuple

from recorder import Recorder, Seen

CLIENT_KEY = "sk-client-that-no-provider-may-see"
KEYS = {name: f"sk-{name}-3f9a61" for name in ("plain", "named", "azure", "claude", "gemini")}
EXTRA = "extra-c41d"
SECRETS = {f"KEY_{name.upper()}": key for name, key in KEYS.items()} | {"EXTRA": EXTRA}
CREDENTIAL = {
    "plain": {"authorization": f"Bearer {KEYS['plain']}"},
    "named": {"authorization": f"Bearer {KEYS['named']}"},
    "azure": {"api-key": KEYS["azure"]},
    "claude": {"x-api-key": KEYS["claude"]},
    "gemini": {"x-goog-api-key": KEYS["gemini"]},
}


class Sent(NamedTuple):
    method: str
    path: str
    body: bytes


class Wire:
    """Keeps what a client sends; `hook` goes into the event hooks of its httpx client."""

    def __init__(self, url: str, recorder: Recorder):
        self.url = url
        self.recorder = recorder
        self.sent: list[Sent] = []
        recorder.take()

    def hook(self, request) -> None:
        self.sent.append(Sent(request.method, request.url.raw_path.decode(), request.read()))

    def arrived(self, provider: str, namespace: str = "") -> Seen:
        """The one request, which `provider` has as it was sent but for its namespace and its credentials."""
        (sent,) = self.sent
        seen = self.recorder.one()
        assert (seen.method, seen.path) == (sent.method, f"/{provider}{without(namespace, sent.path)}")
        assert seen.body == without(namespace, sent.body.decode("latin-1")).encode("latin-1")
        if namespace:
            assert not seen.holds(f'"{namespace}'), "the namespace arrived"
        assert seen.credentials == CREDENTIAL[provider]
        assert not seen.holds(CLIENT_KEY), "the client's key arrived"
        return seen


def without(namespace: str, text: str) -> str:
    """`text` without the first namespace in it: the model's, in all that these tests send."""
    for spelled in (namespace, namespace.replace(":", "%3A")):
        if namespace and spelled in text:
            return text.replace(spelled, "", 1)
    return text
