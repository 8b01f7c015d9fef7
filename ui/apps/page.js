import assert from "node:assert/strict";

import { draft, look, noFaults, until, watch } from "../e2e/support.js";

/** A failed deployment, with a resource that has a page in the app. */
export const FAILURE = draft("Rollout of shop failed", {
  severity: "error",
  metadata: {
    DeploymentName: "shop",
    actions: [{ name: "retry", label: "Retry the rollout" }],
    error: { Code: "1001", ShortDescription: ["The image is missing"] },
  },
});

/**
 * Uses an app as a person does: the bell counts, opens its inbox, marks an event, shows the details and follows the
 * links of the app, in German and then in English.
 *
 * @param {import("playwright-core").Page} page
 */
export async function useApp(page, { publish, summary, name, hasHooks = true }) {
  const bell = page.locator("tidings-bell .bell");
  const label = (text) => until("the bell", () => bell.getAttribute("aria-label"), text);
  const opened = (text) => until("the host's handler", () => page.locator(".opened").textContent(), text);
  await label("Mitteilungen, 3 ungelesen");
  assert.equal(await page.locator("tidings-bell").getAttribute("class"), "bell");
  if (hasHooks) {
    await until("the count", () => page.locator(".unread").textContent(), "3 offen");
    await until("the model", () => page.locator(".errors li").allTextContents(), [FAILURE.description]);
  }
  await publish(draft("Backup stored", { severity: "success" }));
  await label("Mitteilungen, 4 ungelesen");

  const main = page.locator("main tidings-inbox");
  await main.getByText("4 Mitteilungen").waitFor();
  assert.equal(await page.locator("main strong").textContent(), "Posteingang");
  await main.getByRole("button", { name: "Erfolg 1" }).click();
  await until("the filtered rows", () => main.locator(".row .text").allTextContents(), ["Backup stored"]);
  await main.getByRole("button", { name: "Erfolg 1" }).click();
  await until("all rows", () => main.locator(".row").count(), 4);

  await bell.click();
  await opened("Schublade");
  const drawer = page.locator("tidings-bell dialog.drawer");
  const row = drawer.locator(".row", { hasText: "Backup stored" });
  await row.hover();
  await row.getByRole("button", { name: "Als gelesen markieren" }).click();
  await label("Mitteilungen, 3 ungelesen");
  assert.equal(await summary(), 3, "the server knows");
  await look(page, `app-${name}`);

  await drawer.locator(".title", { hasText: FAILURE.description }).click();
  await opened(FAILURE.description);
  await drawer.getByRole("heading", { name: "Was geschehen ist" }).waitFor();
  await label("Mitteilungen, 2 ungelesen");
  const link = drawer.getByRole("link", { name: "shop" });
  assert.equal(await link.getAttribute("href"), new URL("/deployments/shop", page.url()).href);
  await look(page, `app-${name}-detail`);
  await drawer.getByRole("button", { name: "Retry the rollout" }).click();
  await opened(`retry: ${FAILURE.description}`);
  await drawer.getByRole("button", { name: "Tastenkürzel" }).click();
  await drawer.getByRole("heading", { name: "Tastenkürzel" }).waitFor();
  await page.keyboard.press("Escape");
  await drawer.getByRole("button", { name: "Mitteilungen schließen" }).click();

  await page.getByRole("button", { name: "Sprache" }).click();
  await label("Notifications, 2 unread");
  await main.getByText("2 unread").waitFor();
  noFaults(page);
}

/** A page of the app in a new browser. */
export async function openApp(here, origin) {
  const page = await (await here.context()).newPage();
  watch(page);
  await page.goto(origin);
  return page;
}
