// Pictures of all pages, into the folder that is named first; those for the documents into the second.

import { mkdirSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { PAGES, PUBLIC, VIEWS, launch, logIn, open } from "./browser.mjs";
import { start } from "./gateway.mjs";

const [folder, documents] = process.argv.slice(2);
const IN_DOCUMENTS = ["overview-light", "settings-dark"];

mkdirSync(folder, { recursive: true });
const gateway = await start();
const browser = await launch();
try {
  for (const [name, view] of Object.entries(VIEWS)) {
    const context = await browser.newContext(view);
    const page = await context.newPage();
    const take = async ([title, place]) => {
      await open(page, gateway, place);
      await page.screenshot({ path: join(folder, `${title}-${name}.png`), fullPage: name.startsWith("phone") && title !== "settings" });
    };
    for (const own of PUBLIC) await take(own);
    await logIn(page, gateway);
    for (const own of PAGES) await take(own);
    await context.close();
  }
  for (const name of IN_DOCUMENTS) copyFileSync(join(folder, `${name}.png`), join(documents, `${name}.png`));
} finally {
  await browser.close();
  await gateway.stop();
}
