// Reads requests as servers in Node do, one on each line of standard input, and writes what each reads: the readings that
// receivers.py describes. The packages are those of ../sdk.
"use strict";

const { createRequire } = require("node:module");
const { IncomingMessage, ServerResponse } = require("node:http");
const { createInterface } = require("node:readline");
const { Socket } = require("node:net");
const { join } = require("node:path");
const { Readable } = require("node:stream");

const installed = createRequire(join(__dirname, "../sdk/package.json"));
const busboy = installed("busboy");
const express = installed("express");
const multer = installed("multer");

function reading(value) {
  if (value === undefined || value === null) return "none";
  if (typeof value === "string") return `model:${Buffer.from(value).toString("hex")}`;
  return `other:${Array.isArray(value) ? "a list" : typeof value}`;
}

function ofDocument(document) {
  return typeof document === "object" && document !== null ? reading(document.model) : "other:no object";
}

function ofValues(values) {
  return reading(values.length === 1 ? values[0] : values.length === 0 ? undefined : values);
}

function request(asked) {
  const message = new IncomingMessage(new Socket());
  message.method = asked.method;
  message.url = asked.path;
  message.headers = headers(asked);
  message.push(asked.body);
  message.push(null);
  message.complete = true;
  return message;
}

function headers(asked) {
  const own = { "content-length": String(asked.body.length) };
  return asked.type === null ? own : { ...own, "content-type": asked.type };
}

// What a handler finds in `request.body` and `request.query`, after this middleware.
function inExpress(middleware, set = {}) {
  const app = express();
  for (const [name, value] of Object.entries(set)) app.set(name, value);
  for (const one of middleware) app.use(one);
  let done;
  app.use((request, response, next) => done(request));
  app.use((error, request, response, next) => done(null));
  return (asked) =>
    new Promise((resolve) => {
      done = resolve;
      const message = request(asked);
      app(message, new ServerResponse(message));
    });
}

function bodyOf(...middleware) {
  const handler = inExpress(middleware);
  return async (asked) => {
    const request = await handler(asked);
    if (request === null) return "refused";
    if (request.body === undefined) return "unread";
    const files = (request.files ?? []).filter((file) => file.fieldname === "model");
    return files.length > 0 ? "other:a file" : ofDocument(request.body);
  };
}

function queryOf(parser) {
  const handler = inExpress([], { "query parser": parser });
  return async (asked, key) => reading((await handler(asked)).query[key]);
}

function fields(asked) {
  return new Promise((resolve) => {
    const values = [];
    let parser;
    try {
      parser = busboy({ headers: headers(asked) });
    } catch (error) {
      // Without a form's content type, the server reads no form.
      resolve(/unsupported|missing content-type/i.test(error.message) ? "unread" : "refused");
      return;
    }
    parser.on("field", (name, value) => name === "model" && values.push(value));
    parser.on("file", (name, file) => {
      if (name === "model") values.push(["a file"]);
      file.resume();
    });
    parser.on("error", () => resolve("refused"));
    parser.on("close", () => resolve(ofValues(values)));
    Readable.from([asked.body]).pipe(parser);
  });
}

const BODIES = {
  "JSON.parse": async (asked) => ofDocument(JSON.parse(asked.body.toString("utf8"))),
  "Express json": bodyOf(express.json()),
  "Express json, any type": bodyOf(express.json({ type: () => true })),
  "Express urlencoded": bodyOf(express.urlencoded({ extended: false })),
  "Express urlencoded, extended": bodyOf(express.urlencoded({ extended: true })),
  multer: bodyOf(multer().any()),
  busboy: fields,
};

const QUERIES = {
  "Express 5": queryOf("simple"),
  "Express 4": queryOf("extended"),
  URLSearchParams: async (asked, key) => ofValues(new URL(asked.path, "http://server").searchParams.getAll(key)),
};

async function tried(read) {
  try {
    return await read();
  } catch {
    return "refused";
  }
}

// Every model that the objects of a document name, whatever the case of the key.
function objects(body) {
  const models = [];
  const walk = (value) => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key.toLowerCase() === "model" && typeof inner === "string") models.push(reading(inner));
      walk(inner);
    }
  };
  try {
    walk(JSON.parse(body.toString("utf8")));
  } catch {}
  return models;
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    asked.body = Buffer.from(asked.body, "base64");
    const bodies = {};
    for (const [name, read] of Object.entries(BODIES)) bodies[name] = await tried(() => read(asked));
    const queries = {};
    for (const [name, read] of Object.entries(QUERIES)) {
      for (const key of ["model", "deployment"]) queries[`${name} ${key}`] = await tried(() => read(asked, key));
    }
    process.stdout.write(`${JSON.stringify({ bodies, queries, objects: { Node: objects(asked.body) } })}\n`);
  }
}

main();
