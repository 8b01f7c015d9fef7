import assert from "node:assert/strict";
import { afterEach, before, describe, it } from "node:test";

import { counts, draft, noFaults, place, shows, title, until } from "./support.js";

describe("finding events", () => {
  const here = place();
  let stored;

  before(async () => {
    stored = await here.api.publish([
      draft("Backup finished", { category: "backup", severity: "success" }),
      draft("Straße gesperrt", { severity: "warning" }),
      draft("100% done", { severity: "success", owner: "system" }),
      draft("Rollout has begun", { operationId: "0193f0a0-0000-7000-8000-00000000aaaa" }),
      draft("Rollout failed", {
        operationId: "0193f0a0-0000-7000-8000-00000000aaaa",
        severity: "error",
        action: "undo",
      }),
    ]);
    await here.api.mark(stored[0].id, "read");
  });
  afterEach(() => here.cleanUp());

  const query = (page) => new URL(page.url()).searchParams;

  it("by severity, with the filter in the address and Back", async () => {
    const page = await here.page(await here.context());
    await counts(page, "5 notifications · 4 unread");
    await page.getByRole("button", { name: "Success 1" }).click();
    await shows(page, ["100% done", "Backup finished"]);
    await page.getByRole("button", { name: "Error 1" }).click();
    await shows(page, ["Rollout failed", "100% done", "Backup finished"]);
    assert.equal(query(page).get("severity"), '["error","success"]');
    await counts(page, "3 matches · 4 unread in all");
    await page.goBack();
    await shows(page, ["100% done", "Backup finished"]);
    await page.goBack();
    await shows(page, ["Rollout failed", "100% done", "Straße gesperrt", "Backup finished"]);
    noFaults(page);
  });

  it("by text, while typing", async () => {
    const page = await here.page(await here.context());
    const search = page.getByPlaceholder("Search descriptions");
    await search.fill("STRASSE");
    await shows(page, ["Straße gesperrt"]);
    await here.api.publish(draft("Die Strasse ist frei"));
    await shows(page, ["Die Strasse ist frei", "Straße gesperrt"]);
    await here.api.publish(draft("something else"));
    await search.fill("100%");
    await shows(page, ["100% done"]);
    await search.fill("nowhere to be found");
    await page.getByRole("heading", { name: "No notifications match" }).waitFor();
    await page.getByRole("button", { name: "Clear all filters" }).click();
    await until("all", async () => query(page).size, 0);
    assert.equal(await search.inputValue(), "");
    noFaults(page);
  });

  it("by the id of an event, of an operation or in a text", async () => {
    const page = await here.page(await here.context());
    await title(page, "Rollout failed").waitFor();
    const search = page.getByPlaceholder("Search descriptions");
    const opened = () => page.locator("tidings-list .row.is-open .text").allTextContents();
    await search.fill(` ${stored[1].id}`);
    await until("the event is open", opened, ["Straße gesperrt"]);
    await here.api.mark(stored[1].id, "unread");
    await search.fill(stored[3].operationId);
    await until("the operation", async () => query(page).get("operationId"), stored[3].operationId);
    await shows(page, ["Rollout failed"]);
    const unknown = "0193f0a0-0000-7000-8000-0000000000ff";
    await here.api.publish(draft(`The job ${unknown} is lost`));
    await search.fill(unknown);
    await shows(page, [`The job ${unknown} is lost`]);
    await search.fill(unknown.replace("ff", "fe"));
    await page.getByRole("heading", { name: "No notifications match" }).waitFor();
    noFaults(page);
  });

  it("by text, with one step of the Back button for one search", async () => {
    const page = await here.page(await here.context());
    await title(page, "Rollout failed").waitFor();
    const before = await page.evaluate(() => history.length);
    const search = page.getByPlaceholder("Search descriptions");
    for (const text of ["R", "Rol", "Rollout", "Rollout f"]) {
      await search.fill(text);
      await until("the address", async () => query(page).get("search"), text);
    }
    assert.equal(await page.evaluate(() => history.length), before + 1);
    await page.goBack();
    await title(page, "Backup finished").waitFor();
    assert.equal(query(page).size, 0);
    noFaults(page);
  });

  it("by status, category, action, source and time, each removable by its chip", async () => {
    const page = await here.page(await here.context());
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByLabel("Status").selectOption("read");
    await shows(page, ["Backup finished"]);
    await page.getByRole("button", { name: "Remove the filter Read" }).click();
    await page.getByLabel("Category").selectOption("backup");
    await shows(page, ["Backup finished"]);
    await page.getByRole("button", { name: "Remove the filter Category: backup" }).click();
    await page.getByLabel("Action").selectOption("undo");
    await shows(page, ["Rollout failed"]);
    await page.getByRole("button", { name: "Remove the filter Action: undo" }).click();
    await page.getByLabel("Source").selectOption("system");
    await shows(page, ["100% done"]);
    await page.getByRole("button", { name: "Remove the filter Source: System" }).click();
    await page.getByLabel("Time").selectOption({ label: "Last hour" });
    await until("since", async () => query(page).get("from") !== null, true);
    await page.getByRole("button", { name: /^Remove the filter Since/ }).click();
    await until("no filter", async () => query(page).size, 0);
    noFaults(page);
  });

  it("by a shared address and a link to one event", async () => {
    const context = await here.context();
    const shared = await here.page(context, "/?severity=%5B%22error%22%5D&junk=1&status=new");
    await shows(shared, ["Rollout failed"]);
    const linked = await here.page(context, `/?event=${stored[3].id}`);
    await until("it is open", () => linked.locator("tidings-event-detail").count(), 1);
    await shows(linked, ["Rollout failed", "Rollout has begun"]);
    noFaults(shared, linked);
  });

  it("by operation, with the steps under the newest one", async () => {
    const page = await here.page(await here.context());
    await title(page, "Rollout failed").waitFor();
    assert.equal(await title(page, "Rollout has begun").count(), 0);
    await page.getByRole("button", { name: "1 earlier step" }).click();
    await title(page, "Rollout has begun").waitFor();
    await title(page, "Rollout has begun").click();
    await page.getByRole("button", { name: "Show only this operation" }).click();
    await until("the operation", async () => query(page).get("operationId"), stored[3].operationId);
    noFaults(page);
  });

  it("again after a reload, with the opened event", async () => {
    const page = await here.page(await here.context(), "/?severity=error,success");
    await title(page, "Rollout failed").click();
    await until("the event", async () => query(page).get("event"), stored[4].id);
    assert.equal(query(page).get("severity"), '["error","success"]');
    await page.reload();
    await until("it is open", () => page.locator("tidings-event-detail").count(), 1);
    await shows(page, ["Rollout failed", "100% done", "Backup finished"]);
    await title(page, "100% done").click();
    await until("the system's event", async () => query(page).get("event"), `system:${stored[2].id}`);
    await page.keyboard.press("Escape");
    await until("no event", async () => query(page).get("event"), null);
    // Back from another view opens the event of this one again.
    await title(page, "Rollout failed").click();
    await page.locator("tidings-filter-bar .chip", { hasText: "Error" }).click();
    await shows(page, ["100% done", "Backup finished"]);
    await until("the other view has no event", async () => query(page).get("event"), null);
    await page.goBack();
    await until("it is open again", () => page.locator("tidings-event-detail").count(), 1);
    await until("the event", async () => query(page).get("event"), stored[4].id);
    noFaults(page);
  });
});
