// Debian's Chromium, driven by playwright-core.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const AXE = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Each page by its name: its path, or how a person comes to the page. */
export const PAGES = [
  ["overview", "/ui"],
  ["settings", "/ui/settings"],
  ["providers", "/ui/providers"],
  ["keys", "/ui/keys"],
  ["key", ({ keys }) => `/ui/keys/${keys[0]}`],
  ["made", makeKey],
  ["revoke", ({ keys }) => `/ui/keys/${keys[0]}/revoke`],
  ["users", "/ui/users"],
  ["user", "/ui/users/ann"],
  ["remove-user", "/ui/users/ann/remove"],
  ["remove-provider", clearUrl],
  ["usage-by-day", "/ui/usage"],
  ["usage-by-model", "/ui/usage?by=model&show=tokens"],
  ["requests", "/ui/requests"],
  ["wrong-key", wrongKey],
  ["error", "/ui/nothing"],
];

export const PUBLIC = [
  ["front", "/"],
  ["login", "/ui/login"],
];

/** How a page is looked at. */
export const VIEWS = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 } },
  "phone-dark": { colorScheme: "dark", viewport: { width: 390, height: 844 } },
};

export function launch() {
  // Root has no sandbox of its own, and the pages are ours.
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/** Opens a browser's window for a test; `said` gets the page's complaints. */
export async function window(browser, options, work) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => (said.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  try {
    await work(page, said);
  } finally {
    await context.close();
  }
}

/** Logs in as a person does. */
export async function logIn(page, { address, key }) {
  await page.goto(`${address}/ui`);
  await page.getByLabel("Admin key").fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(`${address}/ui/`);
}

/** Brings the window to a page of the lists above. */
export async function open(page, gateway, place) {
  const path = typeof place === "string" ? place : await place(gateway, page);
  if (path) await page.goto(gateway.address + path);
}

async function makeKey({ address }, page) {
  await page.goto(`${address}/ui/keys`);
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByLabel("The new key").waitFor();
}

async function clearUrl({ address }, page) {
  await page.goto(`${address}/ui/settings`);
  const section = page.locator("#provider-claude");
  await section.getByLabel("URL", { exact: true }).fill("");
  await section.getByRole("button", { name: "Save claude" }).click();
  await page.getByText("the provider claude is removed").waitFor();
}

/** A form for a key that is refused. */
async function wrongKey({ address }, page) {
  await page.goto(`${address}/ui/keys`);
  await page.getByLabel("Limits of some models").fill("gpt-4o rpm=ten");
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByText("Line 1: rpm is").waitFor();
}

/** What axe finds wrong, in lines. */
export async function faults(page) {
  const { violations } = await page.evaluate(`${AXE}; axe.run()`);
  return violations.flatMap((own) => own.nodes.map((node) => `${own.impact} ${own.id}: ${node.html.slice(0, 160)}`));
}

/** A page of another site, which a person has open beside the gateway's. */
export function site(body, host = "localhost") {
  return new Promise((resolve) => {
    const server = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(body));
    server.listen(0, "127.0.0.1", () => resolve({ url: `http://${host}:${server.address().port}/`, close: () => server.close() }));
  });
}
