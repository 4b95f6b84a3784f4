"""What tests read of LiteLLM's package without an import, which takes seconds, and of Gaud's table of its prefixes."""

import importlib.util
import re
from pathlib import Path

from kit_py import gaud

EXAMPLES = Path(importlib.util.find_spec("litellm").origin).parent / "proxy/example_config_yaml"


def prefixes() -> list[tuple[str, str]]:
    """The prefixes of the providers that Gaud calls directly, each with its base URL, as `prefix.rs` has them."""
    text = (gaud.ROOT / "src/native/import/prefix.rs").read_text()
    return re.findall(r'^    (?:row|keyless)\("([^"]+)", "([^"]*)"', text, re.MULTILINE)
