"""What the fuzzer must not do: move the gateway away from the address that it asks."""

import schemathesis

LISTENERS = ("listen", "admin_listen", "tls")


@schemathesis.hook
def filter_body(context, body):
    key = body.get("key") if isinstance(body, dict) else None
    return not (isinstance(key, str) and key.strip().split(".")[0].strip(" \"'") in LISTENERS)
