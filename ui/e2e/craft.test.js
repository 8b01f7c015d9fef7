import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { counts, draft, look, noFaults, place, shows, state, title, titles, until } from "./support.js";

const OPERATION = "0193f0a0-0000-7000-8000-00000000aaaa";
const DAY = 86_400_000;

describe("the list", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const row = (page, name) => page.locator("tidings-list .row", { hasText: name });
  const unread = async () => Object.values((await here.api.summary()).unread).reduce((a, b) => a + b, 0);

  it("marks all as read, also those that are not loaded, but none that are held", async () => {
    await here.api.publish(Array.from({ length: 250 }, (_, n) => draft(`routine ${n}`)));
    const page = await here.page(await here.context());
    await counts(page, "250 notifications · 250 unread");
    await title(page, "routine 249").hover();
    await here.api.publish(draft("held", { severity: "error" }));
    await page.getByRole("button", { name: "1 new" }).waitFor();
    await page.getByRole("button", { name: "Mark all as read" }).click();
    await until("one is unread", unread, 1);
    await page.getByRole("heading", { name: "Tidings" }).hover();
    await until("it is shown", async () => (await titles(page))[0], "held");
    await page.locator(".chip", { hasText: "Info" }).click();
    await counts(page, "250 matches · 1 unread in all");
    await until("nothing to mark", () => page.getByRole("button", { name: /^Mark (all|matches) as read/ }).count(), 0);
    await page.locator(".chip", { hasText: "Error" }).click();
    await page.locator(".chip", { hasText: "Info" }).click();
    await page.getByRole("button", { name: "Mark matches as read" }).click();
    await until("none is unread", unread, 0);
    noFaults(page);
  });

  it("uses the whole width for titles, with the time at the end of the first line and the steps on the second", async () => {
    const text = "A rather long title ".repeat(10);
    await here.api.publish([draft("begun", { operationId: OPERATION }), draft(text, { operationId: OPERATION })]);
    await here.api.publish(draft(text));
    for (const width of [1100, 512, 390]) {
      const page = await here.page(await here.context({ viewport: { width, height: 700 } }));
      const rows = page.locator("tidings-list .row");
      await until("two rows", () => rows.count(), 2);
      await state(page, "Live");
      const box = (locator) => locator.boundingBox();
      const [whole, name, time] = await Promise.all([box(rows.first()), box(rows.first().locator(".text")), box(rows.first().locator("time"))]);
      assert.ok(time.x + time.width > whole.x + whole.width - 20, "the time is at the edge");
      assert.ok(time.x - (name.x + name.width) < 14, "the title reaches the time");
      assert.ok(Math.abs(time.y + time.height / 2 - (name.y + name.height / 2)) < 4, "both are on one line");
      assert.equal((await box(rows.nth(1))).height, whole.height, "steps need no line of their own");
      assert.ok(whole.height <= 54, `${whole.height}`);
      // The actions do not move the title.
      await rows.first().hover();
      assert.deepEqual(await box(rows.first().locator(".text")), name);
      // Steps take no room from the title either.
      assert.ok(Math.abs(name.width - (await box(rows.nth(1).locator(".text"))).width) < 2);
      const [choose, bin] = [rows.first().locator(".choose"), rows.first().getByRole("button", { name: "Delete" })];
      const before = await box(choose);
      await rows.first().locator(".title").click();
      await page.locator("tidings-event-detail").waitFor();
      assert.deepEqual(await box(choose), before, "opening moves nothing");
      assert.ok((await box(bin)).y < whole.y + 12, "the actions are on the first line");
      await page.keyboard.press("Escape");
      await look(page, `titles-${width}`);
    }
  });

  it("says what an event is about, and nothing about its reader", async () => {
    await here.api.publish([
      draft("own", { category: "service_account", action: "rotate_key" }),
      draft("for all", { category: "maintenance", action: "announce", owner: "system" }),
    ]);
    const page = await here.page(await here.context());
    const facts = async (name) => (await row(page, name).locator(".facts").innerText()).replaceAll(/\s+/g, " ").trim();
    await until("the own one", () => facts("own"), "Service account · rotate key");
    assert.equal(await facts("for all"), "Maintenance · announce System");
    noFaults(page);
  });

  it("has a heading for each day, and the day of the first row above them", async () => {
    const at = (days) => new Date(Date.now() - days * DAY).toISOString();
    await here.api.publish([
      draft("last year", { createdAt: at(400) }),
      ...Array.from({ length: 30 }, (_, n) => draft(`yesterday ${n}`, { createdAt: at(1) })),
      draft("today"),
      draft("today, too"),
    ]);
    const page = await here.page(await here.context());
    const heading = page.locator("tidings-inbox .strip h3");
    await until("the first day", () => heading.textContent(), "Today");
    assert.deepEqual(await page.locator("tidings-list .day").allTextContents(), ["Yesterday"]);
    await page.locator("tidings-list .scroller").evaluate((list) => list.scrollTo({ top: 600 }));
    await until("the day of the first visible row", () => heading.textContent(), "Yesterday");
    await page.locator("tidings-list .scroller").evaluate((list) => list.scrollTo({ top: 1e6 }));
    await page.locator("tidings-list .day", { hasText: /20\d\d/ }).waitFor();
    await look(page, "days");
  });

  it("never covers a row with the number of new events or the bar of a selection", async () => {
    await here.api.publish([draft("below"), draft("open")]);
    const page = await here.page(await here.context());
    await title(page, "open").click();
    const { y } = await title(page, "open").boundingBox();
    await here.api.publish(draft("new"));
    const pill = await page.getByRole("button", { name: "1 new" }).boundingBox();
    assert.ok(pill.y + pill.height <= y);
    await page.keyboard.press("Escape");
    await page.getByLabel("Select: below").click();
    await page.getByText("1 selected").waitFor();
    assert.equal((await title(page, "open").boundingBox()).y, y, "no row moves");
    noFaults(page);
  });

  it("tells every severity apart by its shape and its color", async () => {
    const severities = ["emergency", "alert", "critical", "error", "warning", "success", "informational", "debug"];
    await here.api.publish(severities.map((severity) => draft(severity, { severity })));
    const page = await here.page(await here.context());
    await shows(page, severities.toReversed());
    const shapes = await page.locator("tidings-list .icon").evaluateAll((icons) =>
      icons.map((icon) => icon.innerHTML.replaceAll(/<!--.*?-->/gs, "").trim() + getComputedStyle(icon.querySelector("svg *")).fill),
    );
    assert.equal(new Set(shapes).size, severities.length);
    const outlines = await page.locator("tidings-list .icon").evaluateAll((icons) =>
      icons.map((icon) => icon.querySelector("svg *").getAttribute("d") ?? icon.querySelector("svg *").tagName),
    );
    const urgent = outlines.slice(4);
    assert.equal(new Set(urgent).size, urgent.length, "urgent ones have outlines of their own");
    const colors = await page.locator("tidings-list .icon").evaluateAll((icons) => icons.map((icon) => getComputedStyle(icon).color));
    assert.equal(new Set(colors.slice(4)).size, 4, "and colors");
    await look(page, "severities");
  });

  it("leaves most of a phone to its rows, with the unread number in full", async () => {
    await here.api.publish(Array.from({ length: 20 }, (_, n) => draft(`routine ${n}`, { severity: ["error", "warning", "success", "debug", "alert"][n % 5] })));
    const page = await here.page(await here.context({ viewport: { width: 390, height: 780 } }));
    await counts(page, "20 notifications · 20 unread");
    await title(page, "routine 19").waitFor();
    const head = await page.locator("tidings-inbox .head").boundingBox();
    assert.ok(head.height <= 780 * 0.17, `${head.height}`);
    const number = page.locator("tidings-inbox .counts");
    assert.equal((await number.innerText()).trim(), "20 unread");
    assert.equal(await number.evaluate((each) => each.scrollWidth > each.clientWidth), false);
    await look(page, "phone");
  });

  it("has the button that closes the drawer at its edge", async () => {
    const page = await here.host("<header><tidings-bell></tidings-bell></header><main><h1>Host</h1></main>");
    await page.locator("tidings-bell .bell").click();
    const buttons = page.locator("tidings-bell .bar button, tidings-bell [slot=actions]");
    const places = await buttons.evaluateAll((all) => all.map((each) => [each.getBoundingClientRect().right, each.ariaLabel]));
    assert.equal(places.sort(([a], [b]) => b - a)[0][1], "Close notifications");
    noFaults(page);
  });

  it("has a skeleton that can be seen", async () => {
    for (const colorScheme of ["light", "dark"]) {
      const context = await here.context({ colorScheme });
      const page = await context.newPage();
      await page.route("**/api/**", () => undefined);
      await page.goto(here.server.origin);
      const bone = page.locator("tidings-inbox .skeleton i").first();
      await bone.waitFor();
      const contrast = await bone.evaluate((element) => {
        const pen = new OffscreenCanvas(1, 1).getContext("2d");
        const luminance = (color) => {
          pen.fillStyle = color;
          pen.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const host = getComputedStyle(element.getRootNode().host).backgroundColor;
        const [low, high] = [luminance(getComputedStyle(element).backgroundColor), luminance(host)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      });
      assert.ok(contrast >= 1.35, `${colorScheme}: ${contrast}`);
      await page.unrouteAll({ behavior: "ignoreErrors" });
    }
  });
});
