// The OpenAI SDK for Node and what the gateway adds: its names, its keys and its own errors.
import assert from "node:assert/strict";
import test from "node:test";
import { AuthenticationError, BadRequestError, InternalServerError, NotFoundError } from "openai";
import { ask, client, env, text } from "./client.mjs";

const gateway = client();
const strict = (key) => client({ url: env("STRICT_URL"), key });
const once = (openai) => openai.withOptions({ maxRetries: 0 });

for (const [model, content] of [
  ["gpt-4o", "Hello from gpt-4o."],
  ["litellm:gpt-4o", "Hello from gpt-4o."],
  ["fast", "Hello from gpt-4o-mini."],
]) {
  test(`${model} is found`, async () => {
    const { data, response } = await ask(gateway, model).withResponse();
    assert.equal(data.choices[0].message.content, content);
    assert.equal(response.headers.get("x-gaud-provider"), "litellm");
  });
}

test("a namespaced stream", async () => {
  assert.equal(await text(await ask(gateway, "litellm:gpt-4o", "Hello", { stream: true })), "Hello from gpt-4o.");
});

test("the namespace does not reach the provider", async () => {
  const answer = await ask(client({ key: env("ECHO_KEY") }), "direct:llama3.2:latest");
  assert.deepEqual(JSON.parse(answer.choices[0].message.content), { model: "llama3.2:latest", content: "Hello" });
});

test("a provider that refuses the client's key", () =>
  refused(ask(gateway, "direct:echo"), AuthenticationError, { code: "invalid_api_key" }));

test("without a key of the gateway the client's key passes", async () => {
  const answer = await ask(strict(env("MASTER_KEY")), "gpt-4o");
  assert.equal(answer.choices[0].message.content, "Hello from gpt-4o.");
  // LiteLLM looks an unknown key up in its database, and this LiteLLM has none.
  await refused(ask(strict(env("KEY")), "gpt-4o"), BadRequestError, { type: "no_db_connection" });
});

test("a model without a provider", () =>
  refused(ask(strict(env("MASTER_KEY")), "no-such-model"), NotFoundError, { code: "model_not_found" }));

test("a namespace without a model", () =>
  refused(ask(gateway, "litellm:"), BadRequestError, { type: "invalid_request_error" }));

test("a provider that does not listen", () =>
  refused(ask(once(gateway), "absent:gpt-4o"), InternalServerError, { status: 503, type: "server_error" }));

// What the SDK throws is an instance of `kind` with these fields.
async function refused(promise, kind, fields) {
  await assert.rejects(promise, kind);
  await assert.rejects(promise, fields);
}
