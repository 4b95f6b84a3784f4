// Calls every operation of OpenAI's Node client, and prints the requests and the answers as JSON.
//
// An operation is a method of a resource. Its types are gone at run time, so the names of its parameters say what to pass: an id for a
// text, an object for a body. `model` is in the body of the operations that TEST_WITH_MODEL lists, by method and path.
import OpenAI, { AzureOpenAI } from "openai";
import { env } from "./client.mjs";

const MODEL = env("MODEL");
// These repeat the requests of another operation until it is done, or read what a server sends.
const HELPERS = /poll|stream|wait|connect|parse|unwrap|verify|runTools|AndWait|uploadFileChunked/i;
const withModel = new Set(JSON.parse(env("WITH_MODEL")));

function* operations(resource, prefix = "") {
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).sort()) {
    const isOperation = name !== "constructor" && typeof resource[name] === "function" && !HELPERS.test(name);
    if (isOperation && prefix) yield [`${prefix}${name}`, (...given) => resource[name](...given), resource[name]];
  }
  for (const [name, value] of Object.entries(resource).sort()) {
    const isResource = value && typeof value === "object" && "_client" in value;
    if (isResource && !name.startsWith("_")) yield* operations(value, `${prefix}${name}.`);
  }
}

function parameters(operation) {
  const source = operation.toString();
  const list = source.slice(source.indexOf("(") + 1, source.indexOf(") {"));
  return list.split(",").map((parameter) => parameter.split("=")[0].trim()).filter((name) => name && name !== "options");
}

// A body that has an id for each key of a path that the operation asks for, beside its own keys.
function body(own) {
  return new Proxy(own, {
    get: (target, key) => (key in target || typeof key === "symbol" || !/_id$|Id$|_name$/.test(key) ? target[key] : "some-id"),
  });
}

function given(operation, own) {
  return parameters(operation).map((name) => (/^(body|params|query)$/.test(name) ? body(own) : "some-id"));
}

async function sent(operation, call, own, options) {
  let request;
  const fetch = async (url, init) => {
    const { pathname } = new URL(url);
    request = { request: `${init.method.toUpperCase()} ${pathname}` };
    if (!options.real) return new Response("{}", { headers: { "content-type": "application/json" } });
    const headers = new Headers(init.headers);
    headers.set("x-operation", options.name);
    const answer = await globalThis.fetch(url, { ...init, headers });
    const text = await answer.text();
    Object.assign(request, { status: answer.status, provider: answer.headers.get("x-gaud-provider"), text });
    return new Response("{}", { headers: { "content-type": "application/json" } });
  };
  options.client.fetch = fetch;
  try {
    await call(...given(operation, own));
  } catch {
    // The answer does not fit every operation.
  }
  return request;
}

const keys = { apiKey: "sk-client", adminAPIKey: "sk-client", maxRetries: 0 };
const clients = {
  "OpenAI Node": new OpenAI({ baseURL: `${env("URL")}/v1`, ...keys }),
  "AzureOpenAI Node": new AzureOpenAI({ endpoint: env("URL"), apiVersion: "2024-10-21", ...keys }),
};
const rows = [];
for (const [clientName, client] of Object.entries(clients)) {
  for (const [name, call, operation] of operations(client)) {
    const file = /multipartFormRequestOptions/.test(operation.toString()) ? { file: new File(["text"], "a.txt") } : {};
    const planned = await sent(operation, call, { model: MODEL, ...file }, { client });
    const own = planned && withModel.has(planned.request) ? { model: MODEL, ...file } : file;
    const tag = `${clientName}/${name}`;
    rows.push({ client: clientName, operation: name, ...(await sent(operation, call, own, { client, real: true, name: tag })) });
  }
}
console.log(JSON.stringify(rows));
