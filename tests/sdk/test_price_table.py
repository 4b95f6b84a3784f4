"""The command has the prices and the context windows that LiteLLM has."""

import importlib.util
import subprocess
import sys
from pathlib import Path

# Not by `import litellm`, which takes seconds.
LITELLM = Path(importlib.util.find_spec("litellm").origin).parent
PRICES = Path(__file__).parents[2] / "src/native/prices"


def test_the_table_is_made_of_litellm_s():
    theirs = LITELLM / "model_prices_and_context_window_backup.json"
    made = subprocess.run([sys.executable, PRICES / "table.py", theirs], capture_output=True, check=True, text=True).stdout
    assert made == (PRICES / "table.json").read_text()
