import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { counts, draft, noFaults, place, shows, title, titles, until } from "./support.js";

describe("rows that a reader aims at", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const stored = async () => (await here.api.list()).events.map(({ description }) => description);
  const pill = (page, count) => page.getByRole("button", { name: `${count} new` });
  const bin = (page, text) =>
    page.locator("tidings-list .row", { hasText: text }).getByRole("button", { name: "Delete" });

  async function open(options) {
    const page = await here.page(await here.context(options));
    await page.clock.install();
    await here.api.publish([draft("below"), draft("aimed at")]);
    await shows(page, ["aimed at", "below"]);
    return page;
  }

  it("stay under the pointer when an event arrives between aim and click", async () => {
    const page = await open();
    await title(page, "aimed at").hover();
    const { x, y, width, height } = await bin(page, "aimed at").boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
    await here.api.publish([draft("new 1"), draft("new 2")]);
    await pill(page, 2).waitFor();
    await page.mouse.down();
    await page.mouse.up();
    await shows(page, ["below"]);
    await page.getByText("1 notification deleted: aimed at").waitFor();
    await page.clock.fastForward(8_000);
    await until("that one is deleted", stored, ["new 2", "new 1", "below"]);
    noFaults(page);
  });

  it("move again after the pointer leaves or the reader asks", async () => {
    const page = await open();
    await title(page, "aimed at").hover();
    await here.api.publish(draft("new 1"));
    await pill(page, 1).waitFor();
    // The rows stay while the pointer moves from the list to the button above it.
    await pill(page, 1).hover();
    await shows(page, ["aimed at", "below"]);
    await pill(page, 1).click();
    await shows(page, ["new 1", "aimed at", "below"]);
    await title(page, "aimed at").hover();
    await here.api.publish(draft("new 2"));
    await pill(page, 1).waitFor();
    await page.getByRole("heading", { name: "Tidings" }).hover();
    await shows(page, ["new 2", "new 1", "aimed at", "below"]);
    await here.api.publish(draft("new 3"));
    await until("it is shown at once", async () => (await titles(page))[0], "new 3");
    noFaults(page);
  });

  it("stay while the list has the focus or a selection exists", async () => {
    const page = await open();
    await title(page, "below").focus();
    await here.api.publish(draft("new 1"));
    await pill(page, 1).waitFor();
    await page.keyboard.press("#");
    await shows(page, ["aimed at"]);
    await page.keyboard.press("z");
    await page.keyboard.press("n");
    await shows(page, ["new 1", "aimed at", "below"]);
    await page.getByLabel("Select: below").click();
    await page.getByRole("heading", { name: "Tidings" }).click();
    await here.api.publish(draft("new 2"));
    await pill(page, 1).waitFor();
    await page.getByRole("button", { name: "Clear selection" }).click();
    await page.getByPlaceholder("Search descriptions").click();
    await shows(page, ["new 2", "new 1", "aimed at", "below"]);
    noFaults(page);
  });

  it("stay for a while after a touch", async () => {
    const page = await open({ hasTouch: true });
    await title(page, "below").tap();
    await title(page, "below").tap();
    await here.api.publish(draft("new"));
    await pill(page, 1).waitFor();
    await bin(page, "aimed at").tap();
    await page.getByText("1 notification deleted: aimed at").waitFor();
    noFaults(page);
  });

  it("stay in place when a row above is deleted elsewhere", async () => {
    const page = await open();
    const [above] = await here.api.publish([draft("above")]);
    await shows(page, ["above", "aimed at", "below"]);
    await title(page, "aimed at").hover();
    const { x, y, width, height } = await bin(page, "aimed at").boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
    await here.api.delete(above.id);
    await shows(page, ["aimed at", "below"]);
    await page.mouse.down();
    await page.mouse.up();
    await page.getByText("1 notification deleted: aimed at").waitFor();
    await page.getByRole("heading", { name: "Tidings" }).hover();
    const list = await page.locator("tidings-list").boundingBox();
    await until("the gap is closed", async () => (await title(page, "below").boundingBox()).y < list.y + 20, true);
    noFaults(page);
  });

  it("can all be selected without a filter, and deleted with undo", async () => {
    const page = await open();
    await here.api.publish(Array.from({ length: 250 }, (_, n) => draft(`routine ${n}`)));
    await counts(page, "252 notifications · 252 unread");
    await title(page, "routine 249").hover();
    await page.keyboard.press("*");
    await page.getByText("All 252 matching notifications are selected").waitFor();
    await here.api.publish(draft("came later"));
    await pill(page, 1).waitFor();
    await page.getByText("All 252 matching notifications are selected").waitFor();
    await pill(page, 1).click();
    await title(page, "came later").waitFor();
    assert.equal(await page.getByLabel("Select: came later").isChecked(), false);
    assert.equal(await page.getByLabel("Select: routine 249").isChecked(), true);
    await page.locator(".chosen").getByRole("button", { name: "Mark as read" }).click();
    await counts(page, "253 notifications · 1 unread");
    await page.keyboard.press("*");
    await page.getByText("All 253 matching notifications are selected").waitFor();
    await page.locator(".chosen").getByRole("button", { name: "Delete" }).click();
    await page.getByText("253 notifications deleted: came later and 252 more").waitFor();
    await here.api.publish(draft("last"));
    await shows(page, ["last"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await until("all are back", async () => (await titles(page)).slice(0, 2), ["last", "came later"]);
    await page.keyboard.press("*");
    await page.locator(".chosen").getByRole("button", { name: "Delete" }).click();
    await page.clock.fastForward(8_000);
    await until("all are gone", stored, []);
    noFaults(page);
  });

  it("are not deleted while they are held", async () => {
    const page = await open();
    await here.api.publish(Array.from({ length: 250 }, (_, n) => draft(`routine ${n}`)));
    await counts(page, "252 notifications · 252 unread");
    await title(page, "routine 249").hover();
    await page.mouse.wheel(0, 2_000);
    await title(page, "routine 249").waitFor({ state: "detached" });
    await here.api.publish(draft("unseen"));
    await pill(page, 1).waitFor();
    await page.keyboard.press("*");
    // The list reloads afterwards, and the held event is still held.
    await page.locator(".chosen").getByRole("button", { name: "Mark as read" }).click();
    await counts(page, "253 notifications · 1 unread");
    await pill(page, 1).waitFor();
    await page.keyboard.press("*");
    await page.getByText("All 252 matching notifications are selected").waitFor();
    await page.locator(".chosen").getByRole("button", { name: "Delete" }).click();
    await page.clock.fastForward(8_000);
    await until("that one stays", stored, ["unseen"]);
    noFaults(page);
  });

  it("stay unread when opened by a link", async () => {
    const [event] = await here.api.publish([draft("linked")]);
    const page = await here.page(await here.context(), `/?event=${event.id}`);
    await page.locator("tidings-event-detail").waitFor();
    await here.api.publish(draft("so that something happened since"));
    await until("both are unread", async () => (await here.api.summary()).unread, { informational: 2 });
    assert.equal(await page.locator(".row.is-unread", { hasText: "linked" }).count(), 1);
    await page.locator(".row", { hasText: "linked" }).getByRole("button", { name: "Mark as read" }).click();
    await until("one is", async () => (await here.api.summary()).unread, { informational: 1 });
    noFaults(page);
  });
});
