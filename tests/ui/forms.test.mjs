// Every form in a real browser, with scripts and without, with good values and bad ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { logIn, window } from "./browser.mjs";
import { browser, gateway } from "./running.mjs";

for (const javaScriptEnabled of [true, false]) {
  const scripts = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`a key is made, changed, blocked and revoked ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
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
    window(browser, { javaScriptEnabled }, async (page) => {
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

  test(`a key is changed ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
      await logIn(page, gateway);
      await page.goto(`${gateway.address}/ui/keys`);
      await page.getByLabel("Name", { exact: true }).fill(`before ${scripts}`);
      await page.getByLabel("Lasts").fill("1d");
      await page.getByRole("button", { name: "Make a key" }).click();
      await page.locator("main dd a").click();
      await page.getByRole("heading", { name: /^Key / }).waitFor();
      await page.getByLabel("Limits of some models").fill("gpt-4o rpm=5\nfast rmp=5");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/Line 2: "rmp=5" is no limit/).waitFor();
      await page.getByLabel("Limits of some models").fill("gpt-4o rpm=5\nfast budget=3/day");
      await page.getByLabel("Name", { exact: true }).fill(`after ${scripts}`);
      await page.getByLabel("User").selectOption("batch");
      await page.getByLabel("Models", { exact: true }).fill("gpt-4o\nfast");
      await page.getByLabel("Tokens a minute").fill("9000");
      await page.getByLabel("Never ends").check();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(/^Key \w+ is changed\. The gateway has taken the change\.$/).waitFor();
      await page.getByText("fast: $3.00 a day").waitFor();
      assert.match(await page.locator("dl").textContent(), /Ends\s*never/);
      await page.getByRole("link", { name: "Keys", exact: true }).click();
      const row = page.getByRole("row").filter({ hasText: `after ${scripts}` });
      for (const text of ["batch", "gpt-4o, fast", "9000 tokens a minute", "gpt-4o: 5 requests a minute", "never"]) {
        await row.getByText(text).first().waitFor();
      }
      assert.equal(await page.getByText(`before ${scripts}`).count(), 0);
    }));

  test(`a user is made, changed, blocked and removed ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
      const id = javaScriptEnabled ? "scripted" : "plain";
      await logIn(page, gateway);
      await page.getByRole("link", { name: "Users", exact: true }).click();
      await page.getByLabel("Id").fill("a b");
      await page.getByLabel("Name", { exact: true }).fill("Kept");
      await page.getByRole("button", { name: "Make a user" }).click();
      await page.getByText("but no space").waitFor();
      assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Kept");
      await page.getByLabel("Id").fill(id);
      await page.getByLabel("Requests a minute").fill("60");
      await page.getByRole("button", { name: "Make a user" }).click();
      await page.getByText(`The user ${id} is made.`).waitFor();
      await page.getByRole("link", { name: id, exact: true }).click();
      await page.getByLabel("Email").fill(`${id}@example.org`);
      await page.getByLabel("Requests a minute").fill("");
      await page.getByLabel("Budget, in dollars").fill("7.50");
      await page.getByLabel("The budget is for").selectOption("week");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(`The user ${id} is changed.`).waitFor();
      const row = page.getByRole("row").filter({ hasText: `${id}@example.org` });
      assert.match(await row.textContent(), /\$7\.50 a week/);
      await row.getByRole("button", { name: "Block" }).click();
      await row.getByText("blocked").waitFor();
      await row.getByRole("button", { name: "Unblock" }).click();
      await row.getByText("valid").waitFor();
      await row.getByRole("link", { name: "Remove" }).click();
      await page.getByRole("link", { name: "Keep it" }).click();
      await row.getByRole("link", { name: "Remove" }).click();
      await page.getByRole("button", { name: "Remove the user" }).click();
      await page.getByText(`The user ${id} is removed.`).waitFor();
      assert.equal(await row.count(), 0);
    }));

  test(`a wrong key opens nothing, and a logout closes ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
      await page.goto(`${gateway.address}/ui/keys`);
      await page.getByLabel("Admin key").fill("sk-prx-wrong");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByText("This is not an admin key").waitFor();
      assert.equal(await page.getByLabel("Admin key").inputValue(), "");
      await page.getByLabel("Admin key").fill(gateway.key);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.waitForURL(`${gateway.address}/ui/keys`);
      await page.getByRole("button", { name: "Log out" }).click();
      await page.waitForURL(`${gateway.address}/ui/login`);
      await page.goBack();
      await page.goto(`${gateway.address}/ui/keys`);
      await page.getByLabel("Admin key").waitFor();
      assert.equal(await page.getByText("Make a key").count(), 0);
    }));

  test(`any setting is set, refused and cleared ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
      await logIn(page, gateway);
      await page.goto(`${gateway.address}/ui/settings`);
      const name = javaScriptEnabled ? "gpt-4.1" : "gpt-4.2";
      const set = async (key, value) => {
        await page.getByLabel("Key", { exact: true }).fill(key);
        await page.getByLabel("Value", { exact: true }).fill(value);
        await page.getByRole("button", { name: "Set", exact: true }).click();
      };
      await set(`aliases.${name}`, "litellm:gpt-4o");
      await page.locator(".notice.bad").waitFor();
      assert.equal(await page.getByLabel("Key", { exact: true }).inputValue(), `aliases.${name}`);
      assert.equal(await page.getByLabel("Value", { exact: true }).inputValue(), "litellm:gpt-4o");
      await set(`aliases."${name}"`, "litellm:gpt-4o");
      await page.getByText("Saved, and in effect").waitFor();
      const field = page.locator("#routing").getByLabel(`aliases."${name}"`);
      assert.equal(await field.inputValue(), "litellm:gpt-4o");
      await set(`aliases."${name}"`, "");
      await page.getByText("Saved, and in effect").waitFor();
      assert.equal(await field.count(), 0);
    }));

  test(`LiteLLM's API key is shown as stars alone ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
      await logIn(page, gateway);
      await page.goto(`${gateway.address}/ui/settings`);
      const litellm = page.locator("#litellm");
      const save = async (key) => {
        await litellm.getByLabel("API key").fill(key);
        await litellm.getByRole("button", { name: "Save LiteLLM" }).click();
        await page.getByText("Saved, and in effect").waitFor();
      };
      await save("sk-typed-in");
      assert.equal(await litellm.getByLabel("API key").inputValue(), "********");
      assert.ok(!(await page.content()).includes("sk-typed-in"));
      await save("");
      assert.equal(await litellm.getByLabel("API key").inputValue(), "");
    }));

  test(`requests are filtered, and older ones are found ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
      await logIn(page, gateway);
      await page.getByRole("link", { name: "Requests", exact: true }).click();
      const column = (number) => page.locator(`tbody tr td:nth-child(${number})`).allTextContents();
      const first = await page.locator("tbody tr").allTextContents();
      assert.equal(first.length, 100);
      assert.ok(new Set(await column(4)).size > 1, "the filter has something to leave out");
      await page.getByLabel("Provider").fill("claude");
      await page.getByLabel("User").fill("ann");
      await page.getByRole("button", { name: "Show" }).click();
      await page.waitForURL(/provider=claude/);
      assert.deepEqual(new Set(await column(4)), new Set(["claude"]));
      assert.ok((await column(2)).every((text) => text.endsWith(" ann")));
      await page.getByLabel("Errors alone").check();
      await page.getByRole("button", { name: "Show" }).click();
      await page.waitForURL(/errors=true/);
      assert.deepEqual(new Set(await column(6)), new Set(["503"]));
      assert.equal(await page.getByLabel("User").inputValue(), "ann");
      await page.goto(`${gateway.address}/ui/requests`);
      await page.getByRole("link", { name: "Older requests" }).click();
      await page.waitForURL(/from=/);
      const older = await page.locator("tbody tr").allTextContents();
      assert.equal(older.length, 100);
      assert.ok((await column(1)).every((time) => time <= first.at(-1).trim().slice(0, 19)));
      await page.getByRole("link", { name: "The newest" }).click();
      assert.deepEqual(await page.locator("tbody tr").allTextContents(), first);
    }));

  test(`models are found ${scripts}`, () =>
    window(browser, { javaScriptEnabled }, async (page) => {
      await logIn(page, gateway);
      await page.getByRole("link", { name: "Providers and models" }).click();
      const models = page.getByRole("region", { name: "Models" }).locator("tbody tr");
      const all = await models.count();
      await page.getByLabel("Find").fill("sonnet");
      await page.getByRole("button", { name: "Find" }).click();
      await page.waitForURL(/find=sonnet/);
      const found = await models.allTextContents();
      assert.ok(0 < found.length && found.length < all && found.every((text) => text.includes("claude-sonnet-4")), `${found} of ${all}`);
      await page.getByLabel("Find").fill("no such model");
      await page.getByRole("button", { name: "Find" }).click();
      await page.getByText("There are no models with this in their name.").waitFor();
    }));
}
