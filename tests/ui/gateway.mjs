// A gateway for the browser: `gaud run` in a folder of its own, with keys, users and a month of usage.

import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { month } from "./journal.mjs";

const { GAUD_BIN, GAUD_WASM, ENVOY_PATH, PATH } = process.env;

export const MARKUP = "<script>alert(1)</script>";

const config = (port, provider) => `
listen = "127.0.0.1:${port}"
admin_listen = "127.0.0.1:0"
workers = 1
default_provider = "litellm"

[usage]
meter = "all"

[providers.litellm]
url = "${provider}"
models = ["gpt-4o", "gpt-4o-mini", ${JSON.stringify(MARKUP)}]

[providers.claude]
url = "${provider}/v1"
api_key = "sk-example"
auth = "x-api-key"
match = ["claude-*"]
models = ["claude-sonnet-4", "claude-opus-4"]

[aliases]
fast = "litellm:gpt-4o-mini"

[[fallbacks]]
model = "gpt-4o"
to = ["litellm:gpt-4o-mini", "claude:claude-sonnet-4"]
`;

/** Starts a gateway; `stop` ends it and removes its folder. */
export async function start() {
  const folder = mkdtempSync(join(tmpdir(), "gaud-ui-"));
  const provider = spawn(GAUD_BIN, ["upstream", "--listen", "127.0.0.1:0"]);
  const url = (await line(provider.stdout, /^http:\S+/m))[0];
  const port = await freePort();
  writeFileSync(join(folder, "gaud.toml"), config(port, url));
  const env = { PATH, ENVOY_PATH, TMPDIR: folder, XDG_STATE_HOME: join(folder, "state"), GAUD_CLAUDE_TIMEOUT: "60" };
  const run = spawn(GAUD_BIN, ["run", "--wasm", GAUD_WASM], { cwd: folder, env });
  const ended = [provider, run].map((child) => new Promise((resolve) => child.once("exit", resolve)));
  let log = "";
  run.stderr.on("data", (piece) => (log += piece));
  await line(run.stdout, /Stop it/).catch((error) => {
    throw new Error(`${error.message}${log}`);
  });
  const key = readFileSync(join(folder, "state/gaud/admin-key"), "utf8").trim();
  const address = `http://127.0.0.1:${port}`;
  const keys = await populate(address, key);
  writeFileSync(join(folder, "month.log"), month(keys, Date.now()).join("\n") + "\n");
  execFileSync(GAUD_BIN, ["ledger", "import", "month.log"], { cwd: folder, env, stdio: "ignore" });
  const stop = async () => {
    run.kill("SIGTERM");
    provider.kill("SIGTERM");
    await Promise.all(ended);
    rmSync(folder, { recursive: true, force: true });
  };
  return { address, key, keys: keys.map(([id]) => id), folder, stop };
}

/** Makes users and keys; the ids of the keys with their users. */
async function populate(address, key) {
  const post = async (path, body) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const answer = await fetch(address + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  };
  const users = [["ann", "Ann Example"], ["batch", "Nightly jobs"], ["web", MARKUP]];
  for (const [id, name] of users) await post("/admin/users", { id, name, email: `${id}@example.com` });
  const keys = [];
  for (const [name, user, models] of [["laptop", "ann", []], ["nightly", "batch", ["gpt-4o*"]], [MARKUP, "web", ["claude-*", "fast"]]]) {
    keys.push([(await post("/admin/keys", { name, user, models, valid_secs: 90 * 86400 })).id, user]);
  }
  const { id } = await post("/admin/keys", { name: "old laptop", user: "ann" });
  await post(`/admin/keys/${id}/block`);
  return keys;
}

/** Waits until a stream has what is wanted. */
function line(stream, wanted) {
  return new Promise((resolve, reject) => {
    let text = "";
    stream.on("data", (piece) => {
      text += piece;
      const found = text.match(wanted);
      if (found) resolve(found);
    });
    stream.on("end", () => reject(new Error(`ended after: ${text}`)));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
