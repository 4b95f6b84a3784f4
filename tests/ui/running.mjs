// One gateway and one browser for the tests of a file.

import { after, before } from "node:test";
import { launch } from "./browser.mjs";
import { start } from "./gateway.mjs";

export let gateway, browser;

before(async () => {
  [gateway, browser] = await Promise.all([start(), launch()]);
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});
