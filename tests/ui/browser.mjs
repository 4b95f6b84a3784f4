// Debian's Chromium, driven by playwright-core.

import { chromium } from "playwright-core";

export const PAGES = [
  ["overview", "/ui"],
  ["settings", "/ui/settings"],
  ["providers", "/ui/providers"],
  ["keys", "/ui/keys"],
  ["users", "/ui/users"],
  ["usage-by-day", "/ui/usage"],
  ["usage-by-model", "/ui/usage?by=model&show=tokens"],
  ["requests", "/ui/requests"],
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
};

export function launch() {
  // Root has no sandbox of its own, and the pages are ours.
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/** Logs in as a person does. */
export async function logIn(page, { address, key }) {
  await page.goto(`${address}/ui`);
  await page.getByLabel("Admin key").fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(`${address}/ui/`);
}
