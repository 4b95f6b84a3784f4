#!/usr/bin/env node
// LiteLLM's Prisma client starts this as its query engine. The native engine is a download from Prisma's host; this is the
// same engine as WebAssembly, from npm, with the HTTP interface of the native one. The native engine takes GraphQL and the
// other Prisma's JSON, so this program translates requests and answers.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

import { PrismaPg } from "@prisma/adapter-pg";
import { bindAdapter } from "@prisma/driver-adapter-utils";
import { Kind, parse } from "graphql";
import pg from "pg";

const require = createRequire(import.meta.url);
const ENGINE = "@prisma/client/runtime/query_engine_bg.postgresql";
const ACTION =
  /^(find(?:Unique|First|Many)|(?:create|update|upsert|delete)(?:One|Many)|aggregate|groupBy)(.+?)(OrThrow|)$/;
const NO_TRACE = "{}";

if (process.argv.includes("--version")) {
  console.log("query-engine", require("@prisma/client/package.json").version);
  process.exit();
}

const schema = readFileSync(process.env.PRISMA_DML_PATH, "utf8");

// -- Requests

// The type of each field of each model: in GraphQL a text for a Json field is JSON, and here it needs a mark.
const MODELS = Object.fromEntries(
  [...schema.matchAll(/^model (\w+) \{$(.*?)^\}$/gms)].map(([, model, body]) => [
    model,
    Object.fromEntries([...body.matchAll(/^\s*(\w+)\s+(\w+)/gm)].map(([, field, type]) => [field, type])),
  ]),
);

const fromGraphql = (text) => {
  const [field] = parse(text, { noLocation: true }).definitions[0].selectionSet.selections;
  const { value: name } = field.name;
  if (name === "queryRaw" || name === "executeRaw") return { action: name, query: query(field) };
  const [, action, modelName, orThrow] = ACTION.exec(name);
  return { modelName, action: action + orThrow, query: query(field, modelName) };
};

const query = ({ arguments: nodes, selectionSet }, model) => ({
  arguments: members(nodes, model),
  selection: Object.fromEntries(
    (selectionSet?.selections ?? []).map((field) => {
      const { value: name } = field.name;
      return [name, field.selectionSet ? query(field, MODELS[model]?.[name]) : true];
    }),
  ),
});

// A filter of a Json field names its place, and parts of texts, by plain texts.
const PLAIN = ["path", "string_contains", "string_starts_with", "string_ends_with"];

const members = (nodes, type) =>
  Object.fromEntries(
    nodes.map(({ name: { value: name }, value }) => {
      if (type === "Json" && PLAIN.includes(name)) return [name, literal(value)];
      const field = MODELS[type]?.[name];
      return [name, literal(value, field === "Json" || field in MODELS ? field : type)];
    }),
  );

// The type is that of the Json field or the model that a value is for.
const literal = (node, type) => {
  switch (node.kind) {
    case Kind.OBJECT:
      return members(node.fields, type);
    case Kind.LIST:
      return node.values.map((value) => literal(value, type));
    case Kind.INT:
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : { $type: "BigInt", value: node.value };
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.STRING:
      return type === "Json" ? { $type: "Json", value: node.value } : node.value;
    default:
      return node.value; // a boolean or an enum's name
  }
};

// -- Answers

const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (value.$type) return value.value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
};

const toGraphql = (answer) => {
  if (answer.batchResult) return { ...answer, batchResult: answer.batchResult.map(toGraphql) };
  if (!answer.data) return answer;
  const [result] = Object.values(answer.data);
  return { ...answer, data: { result: plain(result) } };
};

// -- The engine

// The names in PostgreSQL's catalogs have a type that Prisma's driver does not know: they are given to it as texts.
const { NAME, NAMES, TEXT, TEXTS } = { NAME: 19, NAMES: 1003, TEXT: 25, TEXTS: 1009 };
pg.types.setTypeParser(NAMES, pg.types.getTypeParser(TEXTS));

class Adapter extends PrismaPg {
  async performIO(query) {
    const result = await super.performIO(query);
    for (const field of result.value?.fields ?? []) {
      field.dataTypeID = { [NAME]: TEXT, [NAMES]: TEXTS }[field.dataTypeID] ?? field.dataTypeID;
    }
    return result;
  }
}

const startEngine = async () => {
  const [override] = JSON.parse(process.env.OVERWRITE_DATASOURCES ?? "[]");
  const pool = new pg.Pool({ connectionString: override?.url ?? process.env.DATABASE_URL });
  // When PostgreSQL goes away, the pool connects again on the next request. Without a listener the error would end the process.
  pool.on("error", (error) => console.error(error));
  const glue = require(`${ENGINE}.js`);
  const module = new WebAssembly.Module(readFileSync(require.resolve(`${ENGINE}.wasm`)));
  glue.__wbg_set_wasm(new WebAssembly.Instance(module, { "./query_engine_bg.js": glue }).exports);
  const options = {
    datamodel: schema,
    logLevel: "error",
    logQueries: false,
    engineProtocol: "json",
  };
  const engine = new glue.QueryEngine(options, (line) => console.error(line), bindAdapter(new Adapter(pool)));
  await engine.connect(NO_TRACE);
  return engine;
};

const ask = async (engine, body, transaction) => {
  const request = JSON.parse(body);
  const translated = request.batch
    ? { batch: request.batch.map((one) => fromGraphql(one.query)), transaction: request.transaction ? {} : undefined }
    : fromGraphql(request.query);
  return toGraphql(JSON.parse(await engine.query(JSON.stringify(translated), NO_TRACE, transaction)));
};

const answer = async (engine, method, path, body, transaction) => {
  const [, id, verb] = /^\/transaction\/([^/]+)\/(commit|rollback)$/.exec(path) ?? [];
  if (path === "/status") return { status: "ok" };
  if (path === "/" && method === "POST") return ask(engine, body, transaction);
  if (path === "/transaction/start") return JSON.parse(await engine.startTransaction(body, NO_TRACE));
  if (verb === "commit") return JSON.parse(await engine.commitTransaction(id, NO_TRACE));
  if (verb === "rollback") return JSON.parse(await engine.rollbackTransaction(id, NO_TRACE));
  throw new Error(`no ${method} ${path} here`);
};

const engine = await startEngine();
const server = createServer(async (request, response) => {
  let status = 200;
  let content;
  try {
    const body = Buffer.concat(await request.toArray()).toString();
    content = await answer(engine, request.method, request.url, body, request.headers["x-transaction-id"]);
  } catch (error) {
    console.error(error);
    status = 500;
    content = { error: String(error) };
  }
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
});
server.listen(Number(process.argv[process.argv.indexOf("-p") + 1]), "localhost");

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit());
// The engine ends with its client, even when the client is killed.
const client = process.ppid;
setInterval(() => process.ppid === client || process.exit(), 1000).unref();
