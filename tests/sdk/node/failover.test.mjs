// The OpenAI SDK for Node when providers fail; the last message tells the providers how (see tests/kit_py/acts.py).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "openai";
import { ask, client, env, text } from "./client.mjs";

const retrying = client();
const once = retrying.withOptions({ maxRetries: 0 });
const newCase = () => `case-${randomUUID()}`;

async function attempts(name) {
  return (await fetch(`${env("STAND_IN_URL")}/stand-in/attempts/${name}`)).json();
}

for (const stream of [false, true]) {
  const kind = stream ? "a stream" : "a whole answer";

  test(`${kind} of a fallback`, async () => {
    const name = newCase();
    const script = `${name} a=context b=500`;
    const { data, response } = await ask(once, "gpt-4o", script, { stream }).withResponse();
    if (stream) assert.equal(await text(data), "Hello there.");
    else assert.equal(data.model, "gpt-4o-c");
    assert.equal(response.headers.get("x-gaud-provider"), "c");
    assert.equal(response.headers.get("x-gaud-attempts"), "4");
    assert.equal(await attempts(name), "abbc");
  });

  for (const [script, error, code, expected] of [
    ["a=policy", BadRequestError, "content_policy_violation", "a"],
    ["a=401", AuthenticationError, "account_deactivated", "a"],
    ["a=404", NotFoundError, "model_not_found", "a"],
    ["a=500 b=500 c=500", InternalServerError, "internal_error", "aabbcc"],
    ["a=429-late b=429-late c=429-late", RateLimitError, "rate_limit_exceeded", "abc"],
  ]) {
    for (const [retries, openai] of [["without", once], ["with", retrying]]) {
      test(`${kind}: ${script}, ${retries} the SDK's retries`, async () => {
        const name = newCase();
        const promise = ask(openai, "gpt-4o", `${name} ${script}`, { stream });
        await assert.rejects(promise, error);
        await assert.rejects(promise, { code });
        assert.equal(await attempts(name), expected);
      });
    }
  }
}

test("a stream that breaks off throws", async () => {
  const name = newCase();
  const stream = await ask(retrying, "gpt-4o", `${name} a=broken`, { stream: true });
  await assert.rejects(text(stream), Error);
  assert.equal(await attempts(name), "a");
});

test("an answer that breaks off throws", () => assert.rejects(ask(once, "gpt-4o", `${newCase()} a=broken`), Error));

test("a stream that ends too early throws", async () => {
  const stream = await ask(once, "gpt-4o", `${newCase()} a=undone`, { stream: true });
  await assert.rejects(text(stream), APIError);
});
