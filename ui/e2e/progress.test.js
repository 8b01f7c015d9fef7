import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { counts, draft, look, noFaults, place, shows, state, title, titles, until } from "./support.js";

describe("an event that its publisher updates", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  async function update(id, fields) {
    const response = await fetch(`${here.server.origin}/api/system/events/${id}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ severity: "informational", ...fields }),
    });
    assert.equal(response.status, 200, await response.text());
  }

  const run = (progress) => ({ description: `Deploying, ${progress} done`, metadata: { progress } });
  const bars = (page) => page.locator("tidings-list .row").getByRole("progressbar", { name: "Progress" });

  /** What the bar of a row shows: its value, its text, its width and the text beside it. */
  const bar = async (page) => {
    const found = bars(page);
    const [value, text] = [await found.getAttribute("aria-valuenow"), await found.getAttribute("aria-valuetext")];
    const part = await found.evaluate((each) => {
      const [whole, done] = [each, each.firstElementChild].map((one) => one.getBoundingClientRect().width);
      return Math.round((done / whole) * 100);
    });
    return [value, text, part, (await page.locator("tidings-list .facts b").textContent()).trim()];
  };

  const showsBar = (page, progress) =>
    until("the bar", () => bar(page), [String(progress), `${progress}%`, progress, `${progress}%`]);

  it("is one line with a bar from 0 to 100 % that ends in success, in all tabs and after a reload", async () => {
    const context = await here.context();
    const [one, two] = [await here.page(context), await here.page(context)];
    for (const page of [one, two]) {
      await state(page, "Live");
    }
    const [{ id }] = await here.api.publish([draft("Deploying", { metadata: { progress: 0 } })]);
    for (const page of [one, two]) {
      await showsBar(page, 0);
    }
    await here.api.mark(id, "read");
    for (const progress of [10, 55, 99]) {
      await update(id, run(progress));
      for (const page of [one, two]) {
        await showsBar(page, progress);
        await shows(page, [`Deploying, ${progress} done`]);
        await counts(page, "1 notification · 0 unread");
      }
    }
    await look(one, "progress");
    await update(id, { severity: "success", description: "Deployed", metadata: { progress: 100 } });
    await two.reload();
    for (const page of [one, two]) {
      await shows(page, ["Deployed"]);
      await showsBar(page, 100);
      await counts(page, "1 notification · 1 unread");
      await until("it is unread", () => page.locator(".row.success.is-unread").count(), 1);
      await page.getByRole("button", { name: "Notifications, 1 unread" }).waitFor();
      await look(page, "progress-done");
    }
    noFaults(one, two);
  });

  it("shows the bar in the open detail, and goes on there", async () => {
    for (const [options, name] of [
      [{}, "progress-detail"],
      [{ colorScheme: "dark", viewport: { width: 360, height: 700 } }, "progress-dark"],
      [{ forcedColors: "active" }, "progress-forced"],
    ]) {
      await here.clear();
      const page = await here.page(await here.context(options));
      const [{ id }] = await here.api.publish([draft("Deploying", { metadata: { progress: 25, cluster: "west" } })]);
      await title(page, "Deploying").click();
      const detail = page.locator("tidings-event-detail");
      await detail.getByRole("progressbar", { name: "Progress" }).waitFor();
      await update(id, { description: "Deploying", metadata: { progress: 75.5, cluster: "east" } });
      await until("the text", () => detail.locator(".done").textContent(), "75%");
      assert.equal(await detail.getByRole("progressbar").getAttribute("aria-valuenow"), "75");
      // The tree of metadata does not repeat it.
      const metadata = detail.locator("dl").first().locator("dt, dd");
      assert.deepEqual((await metadata.allTextContents()).map((text) => text.trim()), ["cluster", "east"]);
      await look(page, name);
    }
  });

  it("moves no row, keeps the focus and says nothing", async () => {
    const page = await here.page(await here.context());
    const [, { id }] = await here.api.publish([draft("below"), draft("Deploying"), draft("above")]);
    await shows(page, ["above", "Deploying", "below"]);
    await title(page, "Deploying").focus();
    const places = async () =>
      Promise.all(["above", "Deploying", "below"].map(async (name) => (await title(page, name).boundingBox()).y));
    const before = await places();
    // Every change of a live region.
    await page.evaluate(() => {
      window.spoken = [];
      const every = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? every(one.shadowRoot) : [])]);
      for (const region of every(document).filter((one) => one.matches("[aria-live], [role=log], [role=status], [role=alert]"))) {
        new MutationObserver(() => window.spoken.push(region.textContent)).observe(region, {
          childList: true,
          characterData: true,
          subtree: true,
        });
      }
    });
    for (const progress of [20, 40, 60]) {
      await update(id, run(progress));
      await showsBar(page, progress);
    }
    assert.deepEqual(await places(), before);
    assert.deepEqual(await titles(page), ["above", "Deploying, 60 done", "below"]);
    const focused = await page.evaluate(() => {
      let active = document.activeElement;
      while (active.shadowRoot?.activeElement) {
        active = active.shadowRoot.activeElement;
      }
      return active.querySelector(".text")?.textContent;
    });
    assert.equal(focused, "Deploying, 60 done");
    assert.deepEqual(await page.evaluate(() => window.spoken), []);
    noFaults(page);
  });

  it("is caught up with after a restart, and the system's event stays as its reader marked it", async () => {
    const page = await here.page(await here.context());
    const [{ id }, { id: ofSystem }] = await here.api.publish([
      draft("Deploying", { metadata: { progress: 0 } }),
      draft("Maintenance begins", { owner: "system" }),
    ]);
    await here.api.mark(ofSystem, "read");
    await counts(page, "2 notifications · 1 unread");
    await here.server.kill();
    await state(page, "Connection lost, reconnecting…");
    await here.server.start();
    await update(id, { severity: "warning", ...run(40) });
    await update(ofSystem, { owner: "system", description: "Maintenance is over" });
    await state(page, "Live");
    await until("both are new", async () => (await titles(page)).toSorted(), ["Deploying, 40 done", "Maintenance is over"]);
    await showsBar(page, 40);
    await counts(page, "2 notifications · 1 unread");
    await until("the unread one", () => page.locator(".row.is-unread .text").allTextContents(), ["Deploying, 40 done"]);
    await update(ofSystem, { owner: "system", description: "Maintenance is over, thanks" });
    await title(page, "Maintenance is over, thanks").waitFor();
    assert.equal(await page.locator(".row.is-unread").count(), 1);
    noFaults(page);
  });

  it("has a toast if it is unread again, and none for a step", async () => {
    const context = await here.context();
    await context.addInitScript(() => {
      localStorage.setItem("tidings:settings", JSON.stringify({ toasts: ["informational", "error"] }));
    });
    const [{ id }] = await here.api.publish([draft("Deploying")]);
    const page = await here.page(context);
    await shows(page, ["Deploying"]);
    await state(page, "Live");
    await update(id, run(50));
    await showsBar(page, 50);
    assert.equal(await page.locator(".toast").count(), 0);
    await update(id, { severity: "error", description: "Deployment failed" });
    await page.locator(".toast", { hasText: "Deployment failed" }).waitFor();
    await here.api.mark(id, "read");
    await update(id, { severity: "error", description: "Still failing", renotify: true });
    await page.locator(".toast", { hasText: "Still failing" }).waitFor();
    assert.equal(await page.locator(".toast").count(), 1);
    await update(id, { severity: "error", description: "Failing, quietly" });
    await shows(page, ["Failing, quietly"]);
    assert.equal(await page.locator(".toast", { hasText: "quietly" }).count(), 0);
    noFaults(page);
  });

  it("enters and leaves a filtered list", async () => {
    const page = await here.page(await here.context(), "/?severity=%5B%22error%22%5D");
    const [{ id }] = await here.api.publish([draft("Deploying"), draft("other", { severity: "error" })]);
    await shows(page, ["other"]);
    await update(id, { severity: "error", description: "Deployment failed" });
    await shows(page, ["other", "Deployment failed"]);
    await counts(page, "2 matches · 2 unread in all");
    await update(id, { severity: "success", description: "Deployed after all" });
    await shows(page, ["other"]);
    await counts(page, "1 match · 2 unread in all");
    noFaults(page);
  });

  it("tells the host page, once, whether the drawer is open or not", async () => {
    const [{ id }] = await here.api.publish([draft("Deploying")]);
    const page = await here.host("<header><tidings-bell></tidings-bell></header>");
    await page.evaluate(() => {
      window.told = [];
      for (const name of ["tidings-event", "tidings-update"]) {
        document.addEventListener(name, ({ detail }) => window.told.push(`${name}: ${detail.description}, ${detail.status}`));
      }
    });
    const told = () => page.evaluate(() => window.told);
    await page.getByRole("button", { name: "Notifications, 1 unread" }).waitFor();
    await until("live", async () => (await here.streams()) > 0, true);
    await here.api.publish(draft("another"));
    await until("the arrival", told, ["tidings-event: another, unread"]);
    await here.api.mark(id, "read");
    await update(id, { description: "Halfway" });
    await update(id, { description: "Failed", severity: "error" });
    const updates = ["tidings-update: Halfway, read", "tidings-update: Failed, unread"];
    await until("the updates", async () => (await told()).slice(1), updates);
    await page.locator("tidings-bell .bell").click();
    await title(page, "Failed").waitFor();
    await update(id, { description: "Failed for good", severity: "error" });
    await title(page, "Failed for good").waitFor();
    await until("one more", async () => (await told()).slice(3), ["tidings-update: Failed for good, unread"]);
    noFaults(page);
  });
});
