"""What an SDK sends, compared with what the provider receives."""

import ssl
from typing import NamedTuple

from kit_py.stand_in import Seen, StandIn

# One for all clients of the tests: a client that reads the certificates itself takes 0.1 s for it.
CERTIFICATES = ssl.create_default_context()
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
    """Keeps what a client sends; `http` is for the httpx client of an SDK."""

    def __init__(self, url: str, stand_in: StandIn):
        self.url = url
        self.stand_in = stand_in
        self.sent: list[Sent] = []
        stand_in.take()

    @property
    def http(self) -> dict:
        return {"event_hooks": {"request": [self._keep]}, "verify": CERTIFICATES}

    def _keep(self, request) -> None:
        self.sent.append(Sent(request.method, request.url.raw_path.decode(), request.read()))

    def arrived(self, provider: str, namespace: str = "") -> Seen:
        """The only request; `provider` has received it as the SDK sent it, but for the namespace and the credentials."""
        (sent,) = self.sent
        seen = self.stand_in.one()
        assert (seen.method, seen.path) == (sent.method, f"/{provider}{without(namespace, sent.path)}")
        assert seen.body == without(namespace, sent.body.decode("latin-1")).encode("latin-1")
        if namespace:
            assert not seen.contains(f'"{namespace}'), "the namespace arrived"
        assert seen.credentials == CREDENTIAL[provider]
        assert not seen.contains(CLIENT_KEY), "the client's key arrived"
        return seen


def without(namespace: str, text: str) -> str:
    """`text` without its first namespace, which in these tests is always the model's."""
    for spelled in (namespace, namespace.replace(":", "%3A")):
        if namespace and spelled in text:
            return text.replace(spelled, "", 1)
    return text
