// The SDK as its users have it, but for the address and the key.
import OpenAI from "openai";

export const env = (name) => process.env[`TEST_${name}`];

export function client({ url = env("URL"), key = env("KEY") } = {}) {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
}

export function ask(openai, model, content = "Hello", options = {}) {
  return openai.chat.completions.create({ model, messages: [{ role: "user", content }], ...options });
}

export async function text(stream) {
  let words = "";
  for await (const chunk of stream) words += chunk.choices[0]?.delta.content ?? "";
  return words;
}
