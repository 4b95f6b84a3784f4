"""What the ledger says an answer has cost is what LiteLLM's own `completion_cost` says of the same answer."""

import json
import random
import sqlite3
import urllib.request
from collections import defaultdict
from contextlib import closing

from kit_py import gaud
from kit_py.answering import JSON, Answering, answering
from kit_py.waiting import until

# Answers of each form. The same seed makes the same numbers.
ROUNDS = 25
NANO = 1e-9

CHAT = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5.1"),
    ("openai", "o3"),
    ("groq", "openai/gpt-oss-120b"),
    ("mistral", "mistral-large-latest"),
    ("deepseek", "deepseek-chat"),
    ("xai", "grok-4.20"),
]
MESSAGES = ["claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"]
GENERATED = ["gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"]


class Echo(Answering):
    """A provider whose answer is in the request."""

    def answer(self, body):
        return JSON, json.dumps(json.loads(body)["answer"])


def test_costs_are_litellm_s(tmp_path, monkeypatch):
    # The table that the command's is made of; LiteLLM would look for a newer one.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm  # takes seconds

    litellm.suppress_debug_info = True
    cases = list(all_cases(random.Random(7)))
    with answering(Echo) as url:
        toml = f'[usage]\nmeter = "all"\n[control]\ndata = "{tmp_path}/data"\n'
        for name in sorted({case[0] for case in cases}):
            toml += f'[providers.{name}]\nurl = "{url}/v1"\nauth = "none"\n'
        with gaud.serving("costs", toml, {}, tmp_path) as address:
            for name, model, path, answer, _ in cases:
                ask(f"{address}{path.format(model=f'{name}:{model}')}", f"{name}:{model}", answer)
            path = tmp_path / "data/ledger.db"
            spent = until("the ledger has every answer", lambda: ledger(path, len(cases)))
    expected = defaultdict(list)
    for name, model, _, answer, normal in cases:
        response = litellm.ModelResponse(model=model, usage=normal(litellm, answer))
        cost = litellm.completion_cost(
            response, model=model, custom_llm_provider=name, service_tier=answer.get("service_tier")
        )
        expected[f"{name}:{model}"].append((cost, answer))
    assert spent.keys() == expected.keys()
    wrong = []
    for asked, costs in spent.items():
        # Two requests can begin in one millisecond, so the costs of a model are compared in order of size.
        pairs = zip(sorted(costs), sorted(expected[asked], key=lambda pair: pair[0]), strict=True)
        wrong += [(asked, answer, cost, due) for cost, (due, answer) in pairs if abs(cost - due) > NANO]
    assert not wrong, f"{len(wrong)} of {len(cases)}: {wrong[:5]}"


def ledger(path, count):
    """The costs of each model's attempts, in dollars, once they are all there."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT asked, cost_nanos FROM attempts").fetchall()
    costs = defaultdict(list)
    for asked, nanos in rows:
        costs[asked].append(nanos * NANO)
    return costs if len(rows) == count else None


def ask(url, model, answer):
    body = json.dumps({"model": model, "answer": answer} if "generateContent" not in url else {"answer": answer})
    request = urllib.request.Request(url, body.encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as response:
        assert json.load(response) == answer  # who leaves before that pays for what they saw


def all_cases(chance):
    """Provider, model, path, answer, and how LiteLLM reads the answer's usage."""
    for number in range(ROUNDS):
        for name, model in CHAT:
            yield name, model, "/v1/chat/completions", chat(chance, number), of_openai
        for model in MESSAGES:
            yield "anthropic", model, "/v1/messages", message(chance), of_anthropic
        for model in GENERATED:
            yield "gemini", model, "/v1beta/models/{model}:generateContent", generated(chance, number), of_gemini


def chat(chance, number):
    cached, written, audio = chance.choice([0, 30, 1024]), 0, chance.choice([0, 0, 7])
    prompt = cached + audio + chance.randrange(1, 300_000 if number % 5 == 0 else 5_000)
    reasoning = chance.choice([0, 64])
    output = reasoning + chance.randrange(1, 2_000)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": audio},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    tier = {"service_tier": chance.choice(["priority", "flex"])} if number % 3 == 0 else {}
    return {"choices": [], "usage": usage, **tier}


def message(chance):
    short, hour = chance.choice([0, 2_000]), chance.choice([0, 500])
    return {
        "type": "message",
        "content": [],
        "usage": {
            "input_tokens": chance.randrange(1, 250_000),
            "output_tokens": chance.randrange(1, 4_000),
            "cache_read_input_tokens": chance.choice([0, 9_000]),
            "cache_creation_input_tokens": short + hour,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour},
        },
    }


def generated(chance, number):
    cached = chance.choice([0, 4_000])
    prompt = cached + chance.randrange(1, 400_000 if number % 4 == 0 else 9_000)
    output, thoughts = chance.randrange(1, 3_000), chance.choice([0, 700])
    return {
        "candidates": [],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": cached,
            "candidatesTokenCount": output,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": prompt + output + thoughts,
        },
    }


def of_openai(litellm, answer):
    return litellm.Usage(**answer["usage"])


def of_anthropic(_, answer):
    from litellm.llms.anthropic.chat.transformation import AnthropicConfig

    return AnthropicConfig().calculate_usage(usage_object=answer["usage"], reasoning_content=None)


def of_gemini(_, answer):
    from litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini import VertexGeminiConfig

    return VertexGeminiConfig._calculate_usage(completion_response=answer)
