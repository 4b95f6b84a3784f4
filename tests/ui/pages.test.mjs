// The pages in a real browser: for keyboards, screen readers and phones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGES, PUBLIC, VIEWS, faults, logIn, open, window } from "./browser.mjs";
import { browser, gateway } from "./running.mjs";

/** The pages that are errors, and the browser's words about them. */
const REFUSED = { error: "status of 404", "wrong-key": "status of 400" };

for (const [name, view] of Object.entries(VIEWS)) {
  test(`every page is accessible and keeps its policy: ${name}`, () =>
    window(browser, view, async (page, said) => {
      const wrong = [];
      const look = async ([title, place]) => {
        await open(page, gateway, place);
        const complaints = said.splice(0).filter((line) => !(title in REFUSED && line.includes(REFUSED[title])));
        wrong.push(...complaints.map((line) => `${title}: ${line}`));
        for (const summary of await page.locator("details > summary").all()) await summary.click();
        wrong.push(...(await faults(page)).map((fault) => `${title}: ${fault}`));
        const { scrollWidth, clientWidth } = await page.evaluate("({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })");
        if (scrollWidth > clientWidth) wrong.push(`${title} is ${scrollWidth} wide in a window of ${clientWidth}`);
      };
      for (const own of PUBLIC) await look(own);
      await logIn(page, gateway);
      for (const own of PAGES) await look(own);
      assert.deepEqual(wrong, []);
    }));
}

test("every page is accessible without scripts", () =>
  window(browser, {}, async (page) => {
    // axe is a script, so that the browser has scripts, but not the pages' own.
    await page.route("**/page.js*", (route) => route.abort());
    const wrong = [];
    const look = async ([title, place]) => {
      await open(page, gateway, place);
      assert.equal(await page.locator("button.copy:visible").count(), 0, `${title}: a button that does nothing`);
      wrong.push(...(await faults(page)).map((fault) => `${title}: ${fault}`));
    };
    for (const own of PUBLIC) await look(own);
    await logIn(page, gateway);
    for (const own of PAGES) await look(own);
    assert.deepEqual(wrong, []);
  }));

test("the overview tells how long the answers of a month took", () =>
  window(browser, {}, async (page) => {
    await logIn(page, gateway);
    await page.goto(`${gateway.address}/ui/`);
    const column = (name) => page.getByRole("row", { name }).getByRole("cell").last().textContent();
    const ms = async (name) => Number((await column(name)).replace(/\D/g, ""));
    const [median, slow] = [await ms("Duration, median"), await ms("Duration, 95th percentile")];
    // The journal has answers of 429 ms to 2,401 ms, and the ledger's buckets are a sixteenth wide.
    assert.ok(429 <= median && median < slow && slow <= (2401 * 17) / 16, `${median} and ${slow} ms`);
  }));

test("a button copies the key", () =>
  window(browser, { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    await logIn(page, gateway);
    await page.goto(`${gateway.address}/ui/keys`);
    await page.getByLabel("Name", { exact: true }).fill("copied");
    await page.getByRole("button", { name: "Make a key" }).click();
    const secret = await page.getByLabel("The new key").inputValue();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(await page.evaluate("navigator.clipboard.readText()"), secret);
  }));

/** The elements that get the focus by Tab, until the focus leaves the page. */
async function stops(page) {
  const found = [];
  for (let presses = 0; presses < 500; presses++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const { activeElement } = document;
      if (activeElement === document.body || activeElement.dataset.seen) return null;
      activeElement.dataset.seen = "true";
      return { html: activeElement.outerHTML.slice(0, 120), isSeen: getComputedStyle(activeElement).outlineStyle !== "none" };
    });
    if (!stop) return found;
    found.push(stop);
  }
  throw new Error("the page has no end");
}

const REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";

for (const [title, place] of PAGES.filter(([title]) => ["keys", "key", "users", "requests", "settings", "remove-provider", "usage-by-day"].includes(title))) {
  test(`a keyboard reaches everything, and first a way past the links: ${title}`, () =>
    window(browser, {}, async (page) => {
      await logIn(page, gateway);
      await open(page, gateway, place);
      await page.evaluate("document.activeElement.blur()");
      const found = await stops(page);
      assert.match(found[0].html, /Skip to the page/);
      const unseen = found.filter(({ isSeen }) => !isSeen);
      assert.deepEqual(unseen, [], "the focus can be seen");
      const missed = await page.locator(REACHABLE).evaluateAll((all) =>
        all.filter((own) => own.checkVisibility() && !own.disabled && !own.dataset.seen).map((own) => own.outerHTML.slice(0, 120)));
      assert.deepEqual(missed, []);
      await page.locator(".skip").focus();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate("document.getElementById('main').contains(document.activeElement)"));
    }));
}

test("a keyboard alone logs in and makes a user", () =>
  window(browser, { javaScriptEnabled: false }, async (page) => {
    await page.goto(`${gateway.address}/ui/users`);
    await page.keyboard.type(gateway.key);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${gateway.address}/ui/users`);
    await page.getByLabel("Id").focus();
    await page.keyboard.type("typed");
    await page.keyboard.press("Tab");
    await page.keyboard.type("By Keyboard");
    await page.keyboard.press("Enter");
    await page.getByText("The user typed is made.").waitFor();
    await page.getByRole("cell", { name: "By Keyboard" }).waitFor();
  }));
