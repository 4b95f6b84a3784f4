// The OpenAI SDK for Node and a real LiteLLM: what works without the gateway must work through it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";
import { BadRequestError, InternalServerError, RateLimitError } from "openai";
import { ask, client, env, text } from "./client.mjs";

const openai = client();
const once = openai.withOptions({ maxRetries: 0 }); // the same exception, without the pauses between retries

test("chat", async () => {
  const answer = await ask(openai, "gpt-4o");
  assert.equal(answer.choices[0].message.content, "Hello from gpt-4o.");
});

for (const [name, content] of [["characters", 'Grüße, 你好 🦀 \\ " \n\t\u2028'], ["3 MB", "x".repeat(3_000_000)]]) {
  test(`the provider sees what was asked: ${name}`, async () => {
    const answer = await ask(openai, "echo", content);
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { model: "echo", content });
  });
}

test("stream", async () => {
  assert.equal(await text(await ask(openai, "gpt-4o", "Hello", { stream: true })), "Hello from gpt-4o.");
});

test("a stream arrives while it is written", async () => {
  const name = randomUUID();
  let words = "";
  for await (const chunk of await ask(openai, "echo", name, { stream: true })) {
    words += chunk.choices[0]?.delta.content ?? "";
    if (words === "first ") await fetch(`${env("STAND_IN_URL")}/stand-in/release/${name}`, { method: "POST" });
  }
  assert.equal(words, "first second");
});

// By default the SDK asks for base64 and unpacks it.
for (const options of [{}, { encoding_format: "float" }]) {
  test(`embeddings, ${options.encoding_format ?? "base64"}`, async () => {
    const answer = await openai.embeddings.create({ model: "text-embedding-3-small", input: "one", ...options });
    assert.deepEqual(answer.data[0].embedding, [0.25, -0.5, 1]);
  });
}

test("models", async () => {
  const ids = (await openai.models.list()).data.map((model) => model.id);
  assert.ok(ids.includes("gpt-4o") && ids.includes("echo"), ids.join());
});

for (const [model, kind] of [
  ["no-such-model", BadRequestError],
  ["too-long", BadRequestError],
  ["rate-limited", RateLimitError],
  ["broken", InternalServerError],
]) {
  test(`${model} is a ${kind.name}`, () => assert.rejects(ask(once, model), kind));
}
