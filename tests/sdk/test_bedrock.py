"""AWS's own SDK asks Bedrock's paths through the gateway, which signs anew: the path names the model."""

import base64
import json
import struct
import zlib

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from kit_py import gaud
from kit_py.answering import JSON, Answering, answering
from test_aws import CREDENTIALS, REGION, SERVICE, signature
from test_usage import last

FRAMES = "application/vnd.amazon.eventstream"
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude"
MESSAGES = [{"role": "user", "content": [{"text": "Hello"}]}]
USAGE = {"inputTokens": 30, "outputTokens": 8, "totalTokens": 38}
CONVERSED = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}}
CONVERSED |= {"stopReason": "end_turn", "usage": USAGE, "metrics": {"latencyMs": 1}}
CLAUDE = {"type": "message", "content": [{"type": "text", "text": "Hi"}]}
CLAUDE |= {"usage": {"input_tokens": 30, "output_tokens": 8}}


def sized(form, text):
    return struct.pack(form, len(text)) + text.encode()


def frame(kind, payload):
    """A frame of Amazon's event streams."""
    names = {":event-type": kind, ":content-type": JSON, ":message-type": "event"}
    headers = b"".join(sized(">B", name) + b"\7" + sized(">H", value) for name, value in names.items())
    body = json.dumps(payload, separators=(",", ":")).encode()
    prelude = struct.pack(">II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def wrapped(event):
    return frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abcd"})


def streamed(path):
    if path.endswith("/converse-stream"):
        yield frame("messageStart", {"role": "assistant"})
        yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}, "p": "ab"})
        yield frame("messageStop", {"stopReason": "end_turn"})
        yield frame("metadata", {"metrics": {"latencyMs": 1}, "usage": USAGE})
    else:
        yield wrapped({"type": "message_start", "message": {"usage": {"input_tokens": 30, "output_tokens": 1}}})
        yield wrapped({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}})
        yield wrapped({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 8}})
        yield wrapped({"type": "message_stop"})


class Bedrock(Answering):
    """A stand-in for Bedrock, which keeps what it is sent."""

    received = []

    def answer(self, body):
        self.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        if "stream" in self.path:
            return FRAMES, b"".join(streamed(self.path))
        return JSON, json.dumps(CONVERSED if self.path.endswith("/converse") else CLAUDE)


@pytest.fixture(scope="module")
def bedrock(tmp_path_factory):
    """AWS's client of a gateway that signs and meters, the address of the provider, and the ledger's file."""
    folder = tmp_path_factory.mktemp("bedrock")
    with answering(Bedrock) as url:
        toml = f"""
default_provider = "bedrock"
[usage]
meter = "all"
[control]
data = "{folder}/data"
[providers.bedrock]
url = "{url}"
paths = ["/model/*"]
auth = {{ aws = {{ service = "{SERVICE}", region = "{REGION}" }} }}
[providers.keyed]
url = "{url}"
api_key = "sk-bedrock"
[providers.failing]
url = "http://127.0.0.1:1"
auth = "none"
[aliases]
profile = "bedrock:{ARN}"
chain = "failing:m"
[[fallbacks]]
model = "chain"
to = ["bedrock:second"]
[retries]
max = 0
"""
        with gaud.serving("bedrock", toml, CREDENTIALS, folder) as address:
            config = Config(retries={"total_max_attempts": 1})
            own = {"aws_access_key_id": "AKIDCLIENT", "aws_secret_access_key": "x", "aws_session_token": "sk-session"}
            session = botocore.session.Session()
            client = session.create_client("bedrock-runtime", REGION, endpoint_url=address, config=config, **own)
            yield client, url.removeprefix("http://"), folder / "data/ledger.db"


def received():
    (path, headers, body), = Bedrock.received
    Bedrock.received.clear()
    return path, headers, body


def assert_signed(host):
    path, headers, body = received()
    sent, expected = signature(host, path, headers, body)
    assert sent == expected
    assert "AKIDCLIENT" not in str(headers) and "sk-session" not in str(headers)
    return path


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        # As the SDK has written it.
        (MODEL, "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"),
        (f"bedrock:{MODEL}", f"/model/{MODEL}/converse"),
        (ARN, f"/model/{ARN.replace(':', '%3A').replace('/', '%2F')}/converse"),
        ("profile", f"/model/{ARN.replace('/', '%2F')}/converse"),
        ("chain", "/model/second/converse"),
    ],
)
def test_a_conversation_is_signed_with_the_model_in_the_path(bedrock, asked, path):
    client, host, ledger = bedrock
    answer = client.converse(modelId=asked, messages=MESSAGES)
    assert answer["output"]["message"]["content"] == [{"text": "Hi"}]
    assert assert_signed(host) == path
    rows = last(ledger, asked, 2 if asked == "chain" else 1)
    assert rows[-1] == ("counted", 30, 8)


def test_a_stream_of_a_conversation_is_counted(bedrock):
    client, host, ledger = bedrock
    events = list(client.converse_stream(modelId="bedrock:talk", messages=MESSAGES)["stream"])
    assert events[1]["contentBlockDelta"]["delta"] == {"text": "Hi"}
    assert assert_signed(host) == "/model/talk/converse-stream"
    assert last(ledger, "bedrock:talk") == [("counted", 30, 8)]


def test_a_models_own_form_is_counted(bedrock):
    client, host, ledger = bedrock
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": []})
    answer = client.invoke_model(modelId="bedrock:claude", body=body)
    assert json.loads(answer["body"].read()) == CLAUDE
    assert assert_signed(host) == "/model/claude/invoke"
    assert last(ledger, "bedrock:claude") == [("counted", 30, 8)]


def test_a_stream_of_a_models_own_form_is_counted(bedrock):
    client, host, ledger = bedrock
    answer = client.invoke_model_with_response_stream(modelId="bedrock:piecewise", body="{}")
    kinds = [json.loads(event["chunk"]["bytes"])["type"] for event in answer["body"]]
    assert kinds == ["message_start", "content_block_delta", "message_delta", "message_stop"]
    assert assert_signed(host) == "/model/piecewise/invoke-with-response-stream"
    assert last(ledger, "bedrock:piecewise") == [("counted", 30, 8)]


def test_an_api_key_of_bedrocks_takes_the_signatures_place(bedrock):
    client, _, _ = bedrock
    client.converse(modelId="keyed:m", messages=MESSAGES)
    path, headers, _ = received()
    assert (path, headers["authorization"]) == ("/model/m/converse", "Bearer sk-bedrock")
    assert "x-amz-date" not in headers and "sk-session" not in str(headers)


def test_an_error_of_the_gateway_has_its_status(bedrock):
    client, _, _ = bedrock
    with pytest.raises(ClientError) as caught:
        client.converse(modelId="failing:m", messages=MESSAGES)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert Bedrock.received == []
