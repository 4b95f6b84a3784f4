// The OpenAI SDK for Node at a limit: the SDK tries again where that helps.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI, { RateLimitError } from "openai";
import { ask, env } from "./client.mjs";

const MOST = 300;

// A client that notes the status of each answer.
function counted(key) {
  const statuses = [];
  const counting = async (...request) => {
    const answer = await fetch(...request);
    statuses.push(answer.status);
    return answer;
  };
  return { openai: new OpenAI({ baseURL: `${env("URL")}/v1`, apiKey: key, fetch: counting }), statuses };
}

test("a request that came too early is tried again when it fits", async () => {
  const { openai, statuses } = counted(env("RPM_KEY"));
  for (let asked = 0; asked < MOST && !statuses.includes(429); asked += 1) await ask(openai, "m");
  assert.deepEqual(statuses.slice(-2), [429, 200]);
});

test("a budget that is used up is not tried again", async () => {
  const { openai, statuses } = counted(env("SPENT_KEY"));
  await assert.rejects(ask(openai, "m"), RateLimitError);
  assert.deepEqual(statuses, [429]);
});
