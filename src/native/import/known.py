#!/usr/bin/env python3
"""Makes known.json: the models that LiteLLM knows of each provider, as it lists them in the place of a pattern.

    LITELLM_LOCAL_MODEL_COST_MAP=True python3 src/native/import/known.py > src/native/import/known.json

Needs LiteLLM's package; a test compares the file with it."""

import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from litellm.proxy.auth.model_checks import get_provider_models
from litellm.types.utils import LlmProviders


def main():
    providers = sorted(provider.value for provider in LlmProviders)
    rows = {provider: sorted(set(get_provider_models(provider) or [])) for provider in providers}
    lines = [f"{json.dumps(name)}:{json.dumps(models, separators=(',', ':'))}" for name, models in rows.items()]
    print("{" + ",\n".join(lines) + "}")


if __name__ == "__main__":
    main()
