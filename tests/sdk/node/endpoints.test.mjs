// The OpenAI SDK for Node calls the main endpoints; test_node.py asserts what the provider has received.
import assert from "node:assert/strict";
import net from "node:net";
import test from "node:test";
import { toFile } from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { ask, client, env, text } from "./client.mjs";

const openai = client();
const model = env("MODEL");
const content = Buffer.from(env("UPLOAD"), "base64");
const file = (name) => toFile(content, name);
const answer = "Hello there.";

test("a chat's stream", async () => {
  assert.equal(await text(await ask(openai, model, "Grüße 🦀", { stream: true })), answer);
});

test("a response's stream", async () => {
  let words = "";
  for await (const event of await openai.responses.create({ model, input: "Hi", stream: true })) {
    if (event.type === "response.output_text.delta") words += event.delta;
  }
  assert.equal(words, answer);
});

test("an embedding", async () => {
  const { data } = await openai.embeddings.create({ model, input: "one", encoding_format: "float" });
  assert.deepEqual(data[0].embedding, [0.25, -0.5, 1]);
});

test("a transcription", async () => {
  assert.equal((await openai.audio.transcriptions.create({ model, file: await file("sound.wav") })).text, answer);
});

test("an edited image", async () => {
  const edited = await openai.images.edit({ model, prompt: "More", image: await file("crab.png") });
  assert.ok(edited.data[0].b64_json);
});

test("files", async () => {
  assert.equal((await openai.files.create({ file: await file("batch.jsonl"), purpose: "batch" })).id, "file-1");
  assert.equal((await openai.files.list()).data[0].id, "file-1");
  assert.equal((await (await openai.files.content("file-1")).arrayBuffer()).byteLength, 4096);
  assert.equal((await openai.files.delete("file-1")).deleted, true);
});

test("realtime", async () => {
  // The SDK always writes `wss:`, and this gateway speaks no TLS.
  const plain = { createConnection: ({ host, port }) => net.connect({ host, port }) };
  const realtime = await OpenAIRealtimeWS.create(openai, { model, options: plain });
  const kinds = [];
  await new Promise((resolve, reject) => {
    realtime.on("error", reject);
    realtime.on("event", (event) => {
      kinds.push(event.type);
      if (event.type === "session.created") realtime.send({ type: "response.create" });
      if (event.type === "response.done") resolve();
    });
  });
  realtime.close();
  assert.deepEqual(kinds, ["session.created", "response.output_text.delta", "response.done"]);
});
