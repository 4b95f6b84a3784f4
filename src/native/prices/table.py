#!/usr/bin/env python3
"""Makes table.json of LiteLLM's model_prices_and_context_window.json:

    python3 src/native/prices/table.py model_prices_and_context_window.json > src/native/prices/table.json

LiteLLM has the file in its repository, and a copy in its package (model_prices_and_context_window_backup.json)."""

import json
import sys

# The providers that a gateway reaches directly, as LiteLLM names them.
PROVIDERS = {
    "openai", "text-completion-openai", "azure", "azure_ai", "anthropic", "gemini", "mistral", "codestral", "groq",
    "deepseek", "xai", "perplexity", "cohere", "cohere_chat", "together_ai", "fireworks_ai", "cerebras", "sambanova",
    "moonshot", "deepinfra", "novita", "nebius", "hyperbolic", "lambda_ai", "nscale", "baseten", "dashscope", "zai",
    "meta_llama", "v0", "morph", "inception", "wandb", "voyage", "jina_ai", "volcengine", "ai21", "minimax", "ollama",
}  # fmt: skip

# A model is known by its bare name too, where the vendor's cloud sells it under that name.
BARE = ("vertex_ai-language-models", "vertex_ai-embedding-models", "vertex_ai-vision-models")

# The clouds of which the context windows alone are kept: many vendors' models have no other row.
CLOUDS = ("bedrock", "vertex_ai")


def prices(entry):
    """What a cost is made from, and its bound, with the context window; no video, no pages."""
    kept = {
        name: value
        for name, value in entry.items()
        if "cost" in name
        and not any(word in name for word in ("video", "ocr", "page", "dbu", "pixel", "_480p", "_720p", "_1080p", "vector_store"))
        or name == "tiered_pricing"
    }
    # The most that a request can cost.
    bound = {"max_output_tokens": entry["max_output_tokens"]} if entry.get("max_output_tokens") else {}
    return kept and {**window(entry), **kept, **bound}


def window(entry):
    """The vendor, and the most tokens that the model reads."""
    tokens = {"max_input_tokens": entry["max_input_tokens"]} if entry.get("max_input_tokens") else {}
    return {"litellm_provider": entry["litellm_provider"], **tokens}


def main(path):
    with open(path, encoding="utf-8") as file:
        table = json.load(file)
    rows = {}
    for model, entry in table.items():
        provider = entry.get("litellm_provider")
        is_bare = provider in BARE and "/" not in model
        kept = prices(entry) if provider in PROVIDERS or is_bare else {}
        if not kept and str(provider).startswith(CLOUDS) and entry.get("max_input_tokens"):
            kept = window(entry)
        if kept and model != "sample_spec":
            rows[model] = kept
    lines = [f"{json.dumps(model)}:{json.dumps(rows[model], separators=(',', ':'), sort_keys=True)}" for model in sorted(rows)]
    print("{" + ",\n".join(lines) + "}")


main(sys.argv[1])
