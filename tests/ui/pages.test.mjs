// The pages in a real browser: with scripts and without, for keyboards, screen readers and phones, and against other pages.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { PAGES, PUBLIC, VIEWS, launch, logIn } from "./browser.mjs";
import { MARKUP, start } from "./gateway.mjs";

const AXE = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

let gateway, browser;

before(async () => {
  [gateway, browser] = await Promise.all([start(), launch()]);
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** Opens a browser's window for a test. */
async function window(options, work) {
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

/** What axe finds wrong, in lines. */
async function faults(page) {
  const { violations } = await page.evaluate(`${AXE}; axe.run()`);
  return violations.flatMap((own) => own.nodes.map((node) => `${own.impact} ${own.id}: ${node.html.slice(0, 160)}`));
}

for (const [name, view] of Object.entries(VIEWS)) {
  test(`every page is accessible and keeps its policy: ${name}`, () =>
    window(view, async (page, said) => {
      const wrong = [];
      const look = async ([title, path]) => {
        await page.goto(gateway.address + path);
        for (const summary of await page.locator("details > summary").all()) await summary.click();
        wrong.push(...(await faults(page)).map((fault) => `${title}: ${fault}`));
        const { scrollWidth, clientWidth } = await page.evaluate("({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })");
        if (scrollWidth > clientWidth) wrong.push(`${title} is ${scrollWidth} wide in a window of ${clientWidth}`);
      };
      for (const own of PUBLIC) await look(own);
      await logIn(page, gateway);
      for (const own of PAGES) await look(own);
      assert.deepEqual(wrong, []);
      assert.deepEqual(said, []);
    }));
}

for (const javaScriptEnabled of [true, false]) {
  const scripts = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`a key is made, changed, blocked and revoked ${scripts}`, () =>
    window({ javaScriptEnabled }, async (page) => {
      await logIn(page, gateway);
      await page.getByRole("link", { name: "Keys", exact: true }).click();
      await page.getByLabel("Name", { exact: true }).fill(`key ${scripts}`);
      await page.getByLabel("Lasts").fill("soon");
      await page.getByRole("button", { name: "Make a key" }).click();
      await page.getByText("is not a length of time").waitFor();
      assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), `key ${scripts}`);
      await page.getByLabel("Lasts").fill("1d");
      await page.getByLabel("Budget, in dollars").fill("5");
      await page.getByLabel("The budget is for").selectOption("day");
      await page.getByRole("button", { name: "Make a key" }).click();
      await page.getByText("$5.00 a day").waitFor();
      const secret = await page.getByLabel("The new key").inputValue();
      assert.match(secret, /^sk-prx-[0-9a-z]{12}-[0-9a-z]{32}$/);
      await page.getByRole("link", { name: "To all keys" }).click();
      assert.ok(!(await page.content()).includes(secret));
      const row = page.getByRole("row").filter({ hasText: `key ${scripts}` });
      await row.getByRole("button", { name: "Block" }).click();
      await row.getByText("blocked").waitFor();
      await row.getByRole("button", { name: "Unblock" }).click();
      await row.getByText("valid").waitFor();
      await row.getByRole("link", { name: "Revoke" }).click();
      await page.getByText("Nobody can undo that").waitFor();
      await page.getByRole("button", { name: "Revoke the key" }).click();
      await page.getByText(/is revoked\. The gateway has taken the change/).waitFor();
      assert.equal(await row.count(), 0);
    }));

  test(`settings are saved, refused and removed ${scripts}`, () =>
    window({ javaScriptEnabled }, async (page) => {
      await logIn(page, gateway);
      await page.getByRole("link", { name: "Settings", exact: true }).click();
      const section = page.locator("#provider-claude");
      assert.ok(await section.getByLabel("Timeout, in seconds").isDisabled());
      await section.getByText("GAUD_CLAUDE_TIMEOUT").waitFor();
      const litellm = page.locator("#litellm");
      await litellm.getByLabel("Timeout, in seconds").fill("soon");
      await litellm.getByRole("button", { name: "Save LiteLLM" }).click();
      await litellm.locator(".wrong").waitFor();
      await litellm.getByLabel("Timeout, in seconds").fill(javaScriptEnabled ? "80" : "81");
      await litellm.getByRole("button", { name: "Save LiteLLM" }).click();
      await page.getByText(/Saved, and in effect: the gateway runs with version \d+\./).waitFor();
      const name = javaScriptEnabled ? "scripted" : "plain";
      await page.getByLabel("Name of the provider").fill(name);
      await page.getByLabel("URL of the provider").fill("http://127.0.0.1:9");
      await page.getByRole("button", { name: "Add the provider" }).click();
      const added = page.locator(`#provider-${name}`);
      await added.getByLabel("URL", { exact: true }).fill("");
      await added.getByRole("button", { name: `Save ${name}` }).click();
      await page.getByText(`the provider ${name} is removed`).waitFor();
      await page.getByRole("button", { name: "Remove the provider" }).click();
      await page.getByText("Saved, and in effect").waitFor();
      assert.equal(await added.count(), 0);
    }));
}

test("the overview tells how long the answers of a month took", () =>
  window({}, async (page) => {
    await logIn(page, gateway);
    await page.goto(`${gateway.address}/ui/`);
    const column = (name) => page.getByRole("row", { name }).getByRole("cell").last().textContent();
    const ms = async (name) => Number((await column(name)).replace(/\D/g, ""));
    const [median, slow] = [await ms("Duration, median"), await ms("Duration, 95th percentile")];
    // The journal has answers of 429 ms to 2,401 ms, and the ledger's buckets are a sixteenth wide.
    assert.ok(429 <= median && median < slow && slow <= (2401 * 17) / 16, `${median} and ${slow} ms`);
  }));

test("names with markup are text", () =>
  window({}, async (page, said) => {
    await logIn(page, gateway);
    for (const path of ["/ui/keys", "/ui/users", "/ui/providers", "/ui/usage?by=model", "/ui/requests", "/ui/settings"]) {
      await page.goto(gateway.address + path);
      assert.ok((await page.locator("main").innerHTML()).includes("&lt;script&gt;"), path);
      assert.equal(await page.locator("main script").count(), 0, path);
    }
    await page.goto(`${gateway.address}/ui/providers?find=${encodeURIComponent(`"><img src=x onerror=alert(1)>`)}`);
    await page.goto(`${gateway.address}/ui/requests?key=${encodeURIComponent(MARKUP)}`);
    assert.deepEqual(said, []);
  }));

test("a button copies the key", () =>
  window({ permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    await logIn(page, gateway);
    await page.goto(`${gateway.address}/ui/keys`);
    await page.getByLabel("Name", { exact: true }).fill("copied");
    await page.getByRole("button", { name: "Make a key" }).click();
    const secret = await page.getByLabel("The new key").inputValue();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(await page.evaluate("navigator.clipboard.readText()"), secret);
  }));

test("a keyboard reaches everything, and first a way past the links", () =>
  window({}, async (page) => {
    await logIn(page, gateway);
    await page.goto(`${gateway.address}/ui/keys`);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the page");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate("document.getElementById('main').contains(document.activeElement)"));
  }));

/** A page of another site, which a person has open beside the gateway's. */
function site(body) {
  return new Promise((resolve) => {
    const server = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(body));
    server.listen(0, "127.0.0.1", () => resolve({ url: `http://localhost:${server.address().port}/`, close: () => server.close() }));
  });
}

test("another site's form does nothing", () =>
  window({}, async (page) => {
    await logIn(page, gateway);
    const evil = await site(`<form method="post" action="${gateway.address}/ui/users"><input name="id" value="eve"><button>Win</button></form>`);
    await page.goto(evil.url);
    await page.getByRole("button").click();
    await page.getByLabel("Admin key").waitFor();
    await page.goto(`${gateway.address}/ui/users`);
    assert.equal(await page.getByText("eve").count(), 0);
    evil.close();
  }));

test("no page is shown in another site's frame", () =>
  window({}, async (page) => {
    await logIn(page, gateway);
    const evil = await site(`<iframe src="${gateway.address}/ui/login"></iframe>`);
    await page.goto(evil.url);
    const frame = page.frames().find((own) => own !== page.mainFrame());
    assert.ok(!(await frame.content()).includes("Admin key"));
    evil.close();
  }));

test("of two tabs the second is told what the first has saved", () =>
  window({}, async (page) => {
    await logIn(page, gateway);
    const other = await page.context().newPage();
    for (const tab of [page, other]) await tab.goto(`${gateway.address}/ui/settings`);
    const save = async (tab, secs) => {
      await tab.locator("#litellm").getByLabel("Timeout, in seconds").fill(secs);
      await tab.getByRole("button", { name: "Save LiteLLM" }).click();
    };
    await save(page, "70");
    await page.getByText("Saved, and in effect").waitFor();
    await save(other, "71");
    await other.getByText("Somebody has changed the file").waitFor();
    await other.getByText("The file has: 70").waitFor();
    await other.getByRole("button", { name: "Save LiteLLM" }).click();
    await other.getByText("Saved, and in effect").waitFor();
  }));
