"""Envoy signs requests for AWS: botocore comes to the same signature, of the body that the provider receives."""

import hashlib
import json
import re

import openai
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from kit_py import gaud
from kit_py.answering import JSON, Answering, answering

KEY, SECRET, REGION, SERVICE = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-west-1", "bedrock"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
ANSWER = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"} | {
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}]
}


# The model that no provider serves.
REFUSED = "refused"


class Recording(Answering):
    """A provider that keeps what it is sent."""

    received = []

    def status(self, body):
        return 503 if json.loads(body).get("model") == REFUSED else 200

    def answer(self, body):
        self.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        return JSON, json.dumps(ANSWER)


def client_of(address):
    return openai.OpenAI(base_url=f"{address}/v1", api_key="sk-of-the-client", max_retries=0)


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """The SDK's client of a gateway that signs, and the address of its provider."""
    folder = tmp_path_factory.mktemp("aws")
    with answering(Recording) as url:
        host = url.removeprefix("http://")
        aws = f'service = "{SERVICE}", region = "{REGION}"'
        # The paths of Bedrock's endpoints in OpenAI's form.
        toml = f"""
default_provider = "bedrock"
[providers.bedrock]
url = "http://{host}/openai/v1"
auth = {{ aws = {{ {aws} }} }}
[providers.unsigned]
url = "http://{host}/v1"
auth = {{ aws = {{ {aws}, unsigned_payload = true }} }}
[providers.plain]
url = "http://{host}/v1"
api_key = "sk-plain"
[[fallbacks]]
model = "plain:refused"
to = ["bedrock:second"]
[[fallbacks]]
model = "bedrock:refused"
to = ["plain:second"]
[retries]
max = 0
"""
        with gaud.serving("aws", toml, CREDENTIALS, folder) as address:
            yield client_of(address), host


def ask(client, model, content="Hello"):
    (received,) = ask_all(client, model, content)
    return received


def ask_all(client, model, content="Hello"):
    """What the providers have received of one request, in order."""
    Recording.received.clear()
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}])
    return list(Recording.received)


def signature(host, path, headers, body, credentials=Credentials(KEY, SECRET)):
    """The signature of a request as it was received, and what botocore makes of that request."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})", headers["authorization"]
    )
    scope, names, sent = found.groups()
    assert scope == f"{credentials.access_key}/{headers['x-amz-date'][:8]}/{REGION}/{SERVICE}/aws4_request"
    names = names.split(";")
    assert "host" in names and headers["host"] == host
    request = AWSRequest("POST", f"http://{host}{path}", {name: headers[name] for name in names}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(credentials, SERVICE, REGION)
    auth_string = auth.string_to_sign(request, auth.canonical_request(request))
    return sent, auth.signature(auth_string, request)


@pytest.mark.parametrize("size", [5, 3_000_000])
def test_the_signature_is_that_of_botocore(signed, size):
    client, host = signed
    path, headers, body = ask(client, "bedrock:openai.gpt-oss-120b", "x" * size)
    assert path == "/openai/v1/chat/completions"
    assert json.loads(body)["model"] == "openai.gpt-oss-120b"
    assert headers["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()
    sent, expected = signature(host, path, headers, body)
    assert sent == expected
    assert "sk-of-the-client" not in str(headers)


def test_a_body_may_stay_out_of_the_signature(signed):
    client, host = signed
    path, headers, body = ask(client, "unsigned:m")
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    sent, expected = signature(host, path, headers, body)
    assert sent == expected


def test_no_signature_goes_to_another_provider(signed):
    client, _ = signed
    _, headers, _ = ask(client, "plain:m")
    assert headers["authorization"] == "Bearer sk-plain" and "x-amz-date" not in headers


def test_what_is_not_recognised_is_not_signed(signed):
    client, _ = signed
    Recording.received.clear()
    client.post("/unknown/path", body={"a": 1}, cast_to=object)
    (_, headers, _), = Recording.received
    assert headers["authorization"] == "Bearer sk-of-the-client" and "x-amz-date" not in headers


def is_of_aws(headers):
    return [name for name in headers if name.startswith("x-amz")] or headers["authorization"].startswith("AWS4")


@pytest.mark.parametrize("first", ["bedrock", "plain"])
def test_in_a_chain_each_attempt_has_the_credential_of_its_target(signed, first):
    client, host = signed
    attempts = ask_all(client, f"{first}:{REFUSED}")
    by_path = {path: (headers, body) for path, headers, body in attempts}
    assert len(attempts) == 2 and list(by_path)[0 if first == "bedrock" else 1] == "/openai/v1/chat/completions"
    headers, body = by_path["/openai/v1/chat/completions"]
    sent, expected = signature(host, "/openai/v1/chat/completions", headers, body)
    assert sent == expected and "sk-plain" not in str(headers)
    headers, body = by_path["/v1/chat/completions"]
    assert headers["authorization"] == "Bearer sk-plain" and not is_of_aws(headers)
    assert KEY not in str(headers) and json.loads(body)["model"] == ("second" if first == "bedrock" else REFUSED)


NO_KEYS = {"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def without_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aws")
    with answering(Recording) as url:
        aws = f'service = "{SERVICE}", region = "{REGION}"'
        toml = f"""
default_provider = "bedrock"
[providers.bedrock]
url = "{url}/openai/v1"
auth = {{ aws = {{ {aws} }} }}
[providers.unsigned]
url = "{url}/openai/v1"
auth = {{ aws = {{ {aws}, unsigned_payload = true }} }}
[providers.plain]
url = "{url}/v1"
api_key = "sk-plain"
[[fallbacks]]
model = "bedrock:chain"
to = ["plain:second"]
[retries]
max = 0
"""
        with gaud.serving("aws", toml, NO_KEYS, folder) as address:
            yield client_of(address)


@pytest.mark.parametrize("provider", ["bedrock", "unsigned"])
def test_without_keys_nothing_leaves_unsigned_and_the_client_reads_why(without_keys, provider):
    Recording.received.clear()
    with pytest.raises(openai.InternalServerError) as caught:
        without_keys.chat.completions.create(model=f"{provider}:m", messages=[])
    assert (caught.value.status_code, caught.value.code) == (503, "provider_credential_unavailable")
    assert f"no credential for the provider '{provider}'" in caught.value.message
    assert Recording.received == []


def test_without_keys_the_next_target_of_a_chain_answers(without_keys):
    path, headers, _ = ask(without_keys, "bedrock:chain")
    assert path == "/v1/chat/completions" and headers["authorization"] == "Bearer sk-plain"
    assert not is_of_aws(headers)


FILE = """\
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key = secret-of-the-default
[gateway]
aws_access_key_id = AKIDPROFILE
aws_secret_access_key = secret-of-the-profile
aws_session_token = session/of+the=profile
"""
PROFILE = Credentials("AKIDPROFILE", "secret-of-the-profile", "session/of+the=profile")
DEFAULT = Credentials("AKIDDEFAULT", "secret-of-the-default")
SESSION = Credentials("AKIDSESSION", SECRET, "session/of+the=environment")


@pytest.mark.parametrize(
    ("name", "environment", "credentials"),
    [
        ("file", {}, DEFAULT),
        ("profile", {"AWS_PROFILE": "gateway"}, PROFILE),
        (
            "session",
            # The environment comes before the file.
            {"AWS_ACCESS_KEY_ID": SESSION.access_key, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SESSION.token},
            SESSION,
        ),
    ],
)
def test_keys_are_found_as_aws_s_tools_find_them(name, environment, credentials, tmp_path):
    path = tmp_path / "credentials"
    path.write_text(FILE)
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(path), "AWS_EC2_METADATA_DISABLED": "true"} | environment
    with answering(Recording) as url:
        host = url.removeprefix("http://")
        toml = f"""
default_provider = "bedrock"
[providers.bedrock]
url = "{url}/openai/v1"
auth = {{ aws = {{ service = "{SERVICE}", region = "{REGION}" }} }}
"""
        with gaud.serving(f"aws-{name}", toml, environment, tmp_path) as address:
            client = client_of(address)
            path, headers, body = ask(client, "bedrock:m")
    sent, expected = signature(host, path, headers, body, credentials)
    assert sent == expected
    assert headers.get("x-amz-security-token") == credentials.token
    assert credentials.token is None or "x-amz-security-token" in headers["authorization"]
    logs = "".join((tmp_path / f"gaud-aws-{name}.{end}").read_text(errors="replace") for end in ("out", "err"))
    assert logs and credentials.secret_key not in logs
