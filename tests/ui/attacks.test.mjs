// Attacks by other pages and by names with markup, and a second tab.

import assert from "node:assert/strict";
import { test } from "node:test";
import { logIn, site, window } from "./browser.mjs";
import { MARKUP } from "./gateway.mjs";
import { browser, gateway } from "./running.mjs";

test("names with markup are text", () =>
  window(browser, {}, async (page, said) => {
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

test("another site's form does nothing", () =>
  window(browser, {}, async (page) => {
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
  window(browser, {}, async (page) => {
    await logIn(page, gateway);
    const evil = await site(`<iframe src="${gateway.address}/ui/login"></iframe>`);
    await page.goto(evil.url);
    const frame = page.frames().find((own) => own !== page.mainFrame());
    assert.ok(!(await frame.content()).includes("Admin key"));
    evil.close();
  }));

test("a page of a session is in no frame either, also of the same machine", () =>
  window(browser, {}, async (page) => {
    await logIn(page, gateway);
    // Another port is the same site: the browser sends the cookie.
    const evil = await site(`<iframe src="${gateway.address}/ui/keys"></iframe>`, "127.0.0.1");
    const framed = page.waitForResponse(`${gateway.address}/ui/keys`);
    await page.goto(evil.url);
    assert.equal((await framed).status(), 200, "the gateway has answered a session");
    const frame = page.frames().find((own) => own !== page.mainFrame());
    await frame.waitForLoadState();
    assert.ok(!(await frame.content()).includes("Make a key"));
    evil.close();
  }));

test("of two tabs the second is told what the first has saved", () =>
  window(browser, {}, async (page) => {
    await logIn(page, gateway);
    const other = await page.context().newPage();
    for (const tab of [page, other]) await tab.goto(`${gateway.address}/ui/settings`);
    const save = async (tab, secs) => {
      await tab.locator("#litellm").getByLabel("Timeout, in seconds").fill(secs);
      await tab.getByRole("button", { name: "Save LiteLLM", exact: true }).click();
    };
    await save(page, "70");
    await page.getByText("Saved, and in effect").waitFor();
    await save(other, "71");
    await other.getByText("Somebody has changed the file").waitFor();
    await other.getByText("The file has: 70").waitFor();
    await other.getByRole("button", { name: "Save LiteLLM", exact: true }).click();
    await other.getByText("Saved, and in effect").waitFor();
  }));
