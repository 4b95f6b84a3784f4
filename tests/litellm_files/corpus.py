"""The files of LiteLLM's that the suite compares: the cases of the import, and the examples in LiteLLM's own package."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml

from kit_py import gaud
from kit_py.litellm_package import EXAMPLES, prefixes

CASES = gaud.ROOT / "tests/core/import/cases.txt"
# What a server of LiteLLM's has after its host, where the prefix is not OpenAI's own form.
BASES = {"azure": "", "anthropic": ""}
# The settings that need a database, a cache or an account elsewhere; what answers a chat does not come from them.
ELSEWHERE = {
    "general_settings": set(),
    "litellm_settings": {"drop_params", "num_retries", "request_timeout", "fallbacks", "default_fallbacks", "context_window_fallbacks",
                         "content_policy_fallbacks", "model_alias_map", "allowed_fails"},
}  # fmt: skip


# The providers that are called in OpenAI's form, and Anthropic. LiteLLM translates for the others, some by several requests.
PREFIXES = {prefix for prefix, _ in prefixes()}


class File(NamedTuple):
    """A file of LiteLLM's with the variables that it needs."""

    name: str
    settings: dict
    variables: dict[str, str]

    def requested(self) -> list[str]:
        """A name for each entry that a server in OpenAI's form serves, each alias, and a name that no entry fits."""
        entries = self.settings["model_list"]
        others = {entry["model_name"] for entry in entries if is_translated(entry["litellm_params"]["model"])}
        names = [asked(entry) for entry in entries if entry["model_name"] not in others]
        aliases = (self.settings.get("router_settings") or {}).get("model_group_alias") or {}
        names += [alias for alias, name in aliases.items() if isinstance(name, str) and name not in others]
        return list(dict.fromkeys([*names, "no-entry-fits-this"]))

    def count(self, name: str) -> int:
        return sum(asked(entry) == name for entry in self.settings["model_list"])


def files(stand_in_url: str) -> list[File]:
    """Every file that LiteLLM itself can start with, with its servers in the stand-in: `/entry_a`, `/entry_b`, … by the entry."""
    texts = [*cases(), *((path.stem, path.read_text(), {}) for path in sorted(EXAMPLES.glob("*.yaml")))]
    read = (file_of(name, text, variables, stand_in_url) for name, text, variables in texts)
    return [file for file in read if file]


def cases() -> list[tuple[str, str, dict[str, str]]]:
    """The first file of each case, where the case has no other."""
    found = []
    for case in re.split(r"^#### ", CASES.read_text(), flags=re.MULTILINE)[1:]:
        given = case.split("==== settings")[0]
        head, *texts = re.split(r"^---- .*\n", given, flags=re.MULTILINE)
        name, *variables = head.strip().splitlines()
        if len(texts) == 1:
            found.append((name, texts[0], dict(line.split("=", 1) for line in variables if "=" in line)))
    return found


def file_of(name: str, text: str, variables: dict[str, str], stand_in_url: str) -> File | None:
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    entries = settings.get("model_list") if isinstance(settings, dict) else None
    if not isinstance(entries, list) or not all(map(is_entry, entries)):
        return None
    for section, kept in ELSEWHERE.items():
        settings[section] = {key: value for key, value in (settings.get(section) or {}).items() if key in kept}
    router = settings.get("router_settings") or {}
    settings["router_settings"] = {key: value for key, value in router.items() if not key.startswith("redis")}
    for index, entry in enumerate(entries):
        entry["litellm_params"]["api_base"] = base(entry["litellm_params"], variables, f"{stand_in_url}/{server_name(index)}")
    names = set(re.findall(r"os\.environ/(\w+)", yaml.safe_dump(settings)))
    settings["general_settings"]["master_key"] = "os.environ/LITELLM_MASTER_KEY"
    return File(name, settings, {own: f"sk-of-{own.lower()}" for own in names} | variables)


def asked(entry: dict) -> str:
    """A name that the entry fits."""
    return entry["model_name"].replace("*", "some-model")


def is_translated(model: str) -> bool:
    prefix, slash, _ = model.partition("/")
    return bool(slash) and prefix not in PREFIXES


def server_name(index: int) -> str:
    """Letters alone, as the stand-in's names are."""
    return "entry_" + "".join(chr(ord("a") + int(digit)) for digit in str(index))


def is_entry(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("model_name"), str):
        return False
    params = entry.get("litellm_params")
    return isinstance(params, dict) and isinstance(params.get("model"), str)


def base(params: dict, variables: dict[str, str], server: str) -> str:
    """The path of the entry's own server, at the stand-in."""
    written = params.get("api_base")
    if isinstance(written, str) and written.startswith("os.environ/"):
        written = variables.get(written.removeprefix("os.environ/"))
    if isinstance(written, str) and "://" in written:
        return server + urlsplit(written).path
    return server + BASES.get(params["model"].split("/")[0], "/v1")
