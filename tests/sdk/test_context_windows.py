"""The gateway has the context windows that LiteLLM has."""

import importlib.util
import json
import re
from pathlib import Path

# Not by `import litellm`, which takes seconds.
LITELLM = Path(importlib.util.find_spec("litellm").origin).parent
TABLE = Path(__file__).parents[2] / "src/models/context_window.rs"
ROW = re.compile(r'^ {4}\("([^"]+)", ([\d_]+)\), // (\S+)$', re.MULTILINE)


def test_every_row_is_litellm_s():
    prices = json.loads((LITELLM / "model_prices_and_context_window_backup.json").read_text())
    text = TABLE.read_text()
    rows = ROW.findall(text)
    assert len(rows) == int(re.search(r"u64\); (\d+)\]", text)[1]) > 20  # the pattern misses no row
    ours = {family: int(tokens) for family, tokens, _ in rows}
    theirs = {family: prices[key]["max_input_tokens"] for family, _, key in rows}
    assert ours == theirs
