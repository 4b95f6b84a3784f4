// The OpenAI SDK for Node when providers fail; the last message tells them how (see providers.py).
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";
import { APIError, AuthenticationError, BadRequestError, InternalServerError, RateLimitError } from "openai";
import { ask, client, env, text } from "./client.mjs";

const retrying = client();
const once = retrying.withOptions({ maxRetries: 0 });
const models = { a: "gpt-4o", b: "gpt-4o-b", c: "gpt-4o-c" };

async function seen(name) {
  return (await (await fetch(`${env("PROVIDER_URL")}/seen/${name}`)).json()).seen;
}

for (const stream of [false, true]) {
  const kind = stream ? "a stream" : "a whole answer";

  for (const [script, expected] of [
    ["", "a"],
    ["a=500,good", "aa"],
    ["a=500", "aab"],
    ["a=reset", "aab"],
    ["a=429", "ab"],
    ["a=429-soon,good", "aa"],
    ["a=silent", "ab"],
    ["a=headers_only", "ab"],
    ["a=context b=500", "abbc"],
  ]) {
    test(`${kind}: ${script || "good"}`, async () => {
      const name = randomUUID();
      const { data, response } = await ask(once, "gpt-4o", `${name} ${script}`, { stream }).withResponse();
      const provider = expected.at(-1);
      if (stream) assert.equal(await text(data), "first second");
      else assert.equal(data.model, models[provider]);
      assert.equal(response.headers.get("x-gaud-provider"), provider);
      assert.equal(response.headers.get("x-gaud-attempts"), `${expected.length}`);
      assert.equal(await seen(name), expected);
    });
  }

  for (const [script, error, code, expected] of [
    ["a=policy", BadRequestError, "content_policy_violation", "a"],
    ["a=401", AuthenticationError, "invalid_api_key", "a"],
    ["a=500 b=500 c=500", InternalServerError, "internal_error", "aabbcc"],
    ["a=reset b=reset c=reset", InternalServerError, "provider_unreachable", "aabbcc"],
    ["a=429-late b=429-late c=429-late", RateLimitError, "rate_limit_exceeded", "abc"],
    ["a=silent b=silent c=silent", InternalServerError, "provider_timeout", "abc"],
  ]) {
    for (const [retries, openai] of [["without", once], ["with", retrying]]) {
      test(`${kind}: ${script}, ${retries} the SDK's retries`, async () => {
        const name = randomUUID();
        const promise = ask(openai, "gpt-4o", `${name} ${script}`, { stream });
        await assert.rejects(promise, error);
        await assert.rejects(promise, { code });
        assert.equal(await seen(name), expected);
      });
    }
  }
}

test("a stream that dies throws", async () => {
  const name = randomUUID();
  const stream = await ask(retrying, "gpt-4o", `${name} a=broken`, { stream: true });
  await assert.rejects(text(stream), Error);
  assert.equal(await seen(name), "a");
});

test("an answer that breaks off throws", () => assert.rejects(ask(once, "gpt-4o", `${randomUUID()} a=broken`), Error));

test("a stream that does not end as it should throws", async () => {
  const stream = await ask(once, "gpt-4o", `${randomUUID()} a=undone`, { stream: true });
  await assert.rejects(text(stream), APIError);
});
