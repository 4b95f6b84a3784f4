"""What a gateway says of its models and of its providers."""

import json
import urllib.request

import openai

from wire import CLIENT_KEY


class GatewayApi:
    def __init__(self, url: str):
        self.url = url
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key=CLIENT_KEY, max_retries=0)

    def models(self) -> set[str]:
        return {model.id for model in self.client.models.list()}

    def health(self, provider: str) -> dict:
        with urllib.request.urlopen(f"{self.url}/health", timeout=10) as response:
            return json.load(response)["providers"][provider]

    def list_age_secs(self, provider: str) -> int:
        return self.health(provider)["models_age_secs"]
