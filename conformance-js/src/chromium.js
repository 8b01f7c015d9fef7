import { chromium } from "playwright-core";

/** Debian's Chromium; the tests download no browser. */
const EXECUTABLE = "/usr/bin/chromium";

/** Prevents requests to hosts that are unrelated to the tests. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts a browser with a new, empty profile.
 *
 * @param {string[]} [more] additional arguments
 */
export async function openBrowser(more = []) {
  const args = [...ARGUMENTS, ...more];
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args });
  const context = await browser.newContext();
  return { context, close: () => browser.close() };
}
