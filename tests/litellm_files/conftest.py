import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "sdk"))  # LiteLLM as the tests of the SDKs run it

from kit_py.fixtures import folder, stand_in  # noqa: F401
