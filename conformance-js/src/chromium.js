import { chromium } from "playwright-core";

/** Debian's; nothing downloads a browser. */
const EXECUTABLE = "/usr/bin/chromium";

/** Keeps it from looking for hosts that have nothing to do with the tests. */
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
 * @param {string[]} [more] arguments of the test's own
 */
export async function openBrowser(more = []) {
  const args = [...ARGUMENTS, ...more];
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args });
  const context = await browser.newContext();
  return { context, close: () => browser.close() };
}
