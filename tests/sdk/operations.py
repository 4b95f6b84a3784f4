"""Finds every operation of an SDK in the installed package, and the arguments for a call.

The arguments are those that the types require, and a model where the operation takes one.
"""

import inspect
import io
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

MODEL = "away:m"

# What the types do not say, by the operation and its parameter, else by the resource and the parameter: a format, or which of several to give.
KNOWN = {
    "batches.create.src": {"inlined_requests": [{"contents": "Hi"}]},
    "batches.create_embeddings.src": {"inlined_requests": {"contents": "Hi"}},
    "batches.name": "batches/some-id",
    "credentials.create.body": {"type": "bearer_token", "token": "some-id", "id": "some-id", "display_name": "some-id"},
    "credentials.update.body": {"type": "bearer_token", "token": "some-id", "id": "some-id", "display_name": "some-id"},
    "environments.delete.body": {"id": "some-id"},
    "environments.get.body": {"id": "some-id"},
    "embed.texts": ["Hi"],
    "file_search_stores.download_media.media_id": "fileSearchStores/some-id/media/some-id",
    "file_search_stores.upload_to_file_search_store.file_search_store_name": "fileSearchStores/some-id",
    "file_search_stores.upload_to_file_search_store.file": Path(__file__).with_name("requirements.txt"),
    "files.download.file": "files/some-id",
    "files.upload.file": Path(__file__).with_name("requirements.txt"),
    "interactions.create.body": {"model": MODEL, "input": "Hi"},
    "operations.get.operation": types.SimpleNamespace(name="models/some-id/operations/some-id"),
}

# These repeat the requests of another operation until it is done, or open a WebSocket.
HELPERS = ("poll", "stream", "wait", "connect", "parse", "unwrap", "verify", "until_done", "tool_runner", "upload_file_chunked")
NO_OPERATIONS = ("with_raw_response", "with_streaming_response", "with_options", "copy", "qs", "aio", "do_request", "timeout")
FILES = ("file", "files", "image", "mask", "data", "video", "archive")


def operations(resource: object, prefix: str = "") -> Iterator[tuple[str, typing.Callable]]:
    """The methods that send a request, of a client's resource and of the resources below it."""
    for name in sorted(dir(type(resource))):
        if name.startswith("_") or name in NO_OPERATIONS or any(word in name for word in HELPERS):
            continue
        found = inspect.getattr_static(type(resource), name)
        if is_property(found) and is_resource(value := getattr(resource, name)):
            yield from operations(value, f"{prefix}{name}.")
        elif inspect.isfunction(found) and (prefix or is_cohere(resource)):
            yield f"{prefix}{name}", found.__get__(resource)


def is_cohere(resource: object) -> bool:
    """Cohere's client has most operations itself, not in resources."""
    return type(resource).__module__.startswith("cohere")


def is_property(found: object) -> bool:
    return isinstance(found, property) or type(found).__name__ == "cached_property"


def is_resource(value: object) -> bool:
    return type(value).__module__.split(".")[0] in ("openai", "anthropic", "google", "cohere") and hasattr(type(value), "__dict__")


def arguments(operation: str, call: typing.Callable) -> dict:
    """The arguments that an operation requires, its model, and what is known of it; `body` is for the members of a body."""
    call = described(call)
    parameters = inspect.signature(call).parameters
    hints = typing.get_type_hints(call)
    given = {}
    for name, parameter in parameters.items():
        if parameter.kind in VARIABLE:
            continue
        value = known(operation, name)
        if value is None and (parameter.default is parameter.empty or name == "model"):
            value = value_of(name, hints.get(name, str))
        if value is not None:
            given[name] = value
    return given | (known(operation, "body") or {})


def known(operation: str, name: str) -> object:
    """What the types do not say of a parameter; `None` where they say all."""
    resource = operation.split(".", 1)[0]
    return KNOWN.get(f"{operation}.{name}", KNOWN.get(f"{resource}.{name}"))


VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def described(call: typing.Callable) -> typing.Callable:
    """The operation where a class declares its parameters: some clients wrap operations in functions that take anything."""
    resource, name = call.__self__, call.__name__
    declared = [vars(kind)[name] for kind in type(resource).__mro__ if name in vars(kind)]
    named = [function for function in declared if takes_names(function)]
    return named[0].__get__(resource) if named else call


def takes_names(function: typing.Callable) -> bool:
    """Whether it names its parameters, or has none."""
    parameters = inspect.signature(function).parameters.values()
    others = [parameter for parameter in parameters if parameter.name != "self"]
    return len(others) < len(parameters) and (not others or any(parameter.kind not in VARIABLE for parameter in others))


def value_of(name: str, kind: object, depth: int = 0) -> object:
    """A value of this type, for a parameter or a key of this name."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    has_members = any(hasattr(part, "model_fields") for part in (kind, *parts))
    if name in ("model", "model_id", "base_model") and not has_members:
        return MODEL
    if name in FILES and not has_members:
        return ("a.txt", b"text")
    if origin in (typing.Required, typing.NotRequired, typing.Annotated):
        return value_of(name, parts[0], depth)
    if origin is typing.Literal:
        return parts[0]
    if origin in (typing.Union, types.UnionType):
        return value_of(name, best(parts), depth)
    if origin in (dict, Mapping) or kind in (dict, object):
        return {}
    if origin in (list, tuple, Iterable, typing.Sequence) or (inspect.isclass(origin) and issubclass(origin, Iterable)):
        return [value_of("", parts[0], depth + 1)] if parts and depth < 6 else []
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        wanted = [key for key in hints if key in kind.__required_keys__ or key == "model"]
        return {key: value_of(key, hints[key], depth + 1) for key in wanted} if depth < 6 else {}
    if fields := getattr(kind, "model_fields", None):
        wanted = [key for key, field in fields.items() if field.is_required() or key == "model"]
        members = {key: value_of(key, fields[key].annotation, depth + 1) for key in wanted}
        # Cohere's objects take their own members as dictionaries.
        return kind.construct(**members) if depth == 0 else members
    if kind in (bytes, io.IOBase) or kind is typing.IO:
        return ("a.txt", b"text")
    return {int: 1, float: 1.0, bool: True}.get(kind, "some-id")


def best(kinds: tuple) -> object:
    """Of several types the type with a model, otherwise the first plain type."""
    kinds = [kind for kind in kinds if kind is not type(None) and "Omit" not in str(kind) and "NotGiven" not in str(kind)]
    with_model = [kind for kind in kinds if typing.is_typeddict(kind) and "model" in typing.get_type_hints(kind)]
    return (with_model or kinds)[0]
