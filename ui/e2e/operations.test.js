import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "node:test";

import { counts, draft, look, noFaults, place, shows, title, titles, until } from "./support.js";

/** More events than a page holds, so that older ones are not loaded. */
const A_PAGE = 150;

describe("an operation's line", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const unread = async () => Object.values((await here.api.summary()).unread).reduce((a, b) => a + b, 0);
  const stored = async () => (await here.api.list()).events.map(({ description }) => description);
  const row = (page, text) => page.locator("tidings-list .row", { hasText: text });
  const button = (page, text, name) => row(page, text).getByRole("button", { name });

  /** Three steps, with the most severe one in the middle. */
  async function rollout(operationId = randomUUID()) {
    const steps = [];
    for (const [description, severity] of [
      ["rollout has begun", "informational"],
      ["a node is lost", "critical"],
      ["rollout is done", "success"],
    ]) {
      steps.push(...(await here.api.publish([draft(description, { operationId, severity })])));
    }
    return steps;
  }

  const others = (count = A_PAGE) =>
    here.api.publish(Array.from({ length: count }, (_, n) => draft(`other ${n}`)));

  it("is unread with its worst severity until every step is read", async () => {
    const page = await here.page(await here.context());
    const [first, second, third] = await rollout();
    await shows(page, ["rollout is done"]);
    await here.api.mark(third.id, "read");
    await counts(page, "3 notifications · 2 unread");
    await until("it shows the worst", () => page.locator(".row.critical.is-unread").count(), 1);
    await page.getByRole("button", { name: "2 earlier steps 2 unread" }).waitFor();
    await look(page, "operation");
    await here.api.mark(second.id, "read");
    await until("the next worst", () => page.locator(".row.informational.is-unread").count(), 1);
    await here.api.mark(first.id, "read");
    await until("all are read", () => page.locator(".row.success:not(.is-unread)").count(), 1);
    noFaults(page);
  });

  it("marks all steps as read and unread", async () => {
    const page = await here.page(await here.context());
    await rollout();
    await shows(page, ["rollout is done"]);
    const requests = [];
    page.on("request", (request) => request.method() === "PUT" && requests.push(request.url()));
    await title(page, "rollout is done").hover();
    await button(page, "rollout is done", "Mark as read").click();
    await counts(page, "3 notifications · 0 unread");
    assert.equal(await unread(), 0);
    assert.equal(requests.length, 1);
    await title(page, "rollout is done").focus();
    await page.keyboard.press("e");
    await counts(page, "3 notifications · 3 unread");
    assert.equal(await unread(), 3);
    noFaults(page);
  });

  it("deletes all steps, and undo restores them together", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    await rollout();
    await here.api.publish(draft("stays"));
    await shows(page, ["stays", "rollout is done"]);
    await title(page, "rollout is done").focus();
    await page.keyboard.press("#");
    await shows(page, ["stays"]);
    await page.getByText("3 notifications deleted: rollout is done and 2 more").waitFor();
    await page.keyboard.press("z");
    await shows(page, ["stays", "rollout is done"]);
    await page.getByRole("button", { name: "2 earlier steps" }).waitFor();
    await title(page, "rollout is done").hover();
    await button(page, "rollout is done", "Delete").click();
    await shows(page, ["stays"]);
    await page.clock.fastForward(8_000);
    await until("it is deleted", stored, ["stays"]);
    await shows(page, ["stays"]);
    noFaults(page);
  });

  it("counts as its steps when selected", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    await rollout();
    await here.api.publish(draft("another"));
    await shows(page, ["another", "rollout is done"]);
    await page.getByLabel("Select: rollout is done").click();
    await page.getByText("3 notifications selected").waitFor();
    await page.getByRole("button", { name: "2 earlier steps" }).click();
    await page.getByLabel("Select: a node is lost").click();
    await page.getByText("2 notifications selected").waitFor();
    const isMixed = (box) => box.indeterminate;
    assert.equal(await page.getByLabel("Select: rollout is done").evaluate(isMixed), true);
    await page.getByLabel("Select: a node is lost").click();
    await page.getByLabel("Select: another").click();
    await page.getByText("4 notifications selected").waitFor();
    await page.locator(".chosen").getByRole("button", { name: "Mark as read" }).click();
    await counts(page, "4 notifications · 0 unread");
    noFaults(page);
  });

  it("is copied with all steps", async () => {
    const context = await here.context();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await here.page(context);
    const steps = await rollout();
    await title(page, "rollout is done").click();
    await page.getByRole("button", { name: "Copy as JSON" }).click();
    await page.getByText("Copied 3 notifications").waitFor();
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    assert.deepEqual(copied.map(({ id }) => id), steps.map(({ id }) => id).reverse());
    noFaults(page);
  });

  it("counts steps that are not loaded", async () => {
    const operationId = randomUUID();
    const [, , third] = await rollout(operationId);
    await here.api.mark(third.id, "read");
    await others();
    const [last] = await here.api.publish([draft("clean-up is done", { operationId, severity: "success" })]);
    await here.api.mark(last.id, "read");
    const page = await here.page(await here.context());
    await title(page, "clean-up is done").waitFor();
    await until(
      "the lost node is not hidden",
      () => page.locator(".row.critical.is-unread", { hasText: "clean-up is done" }).count(),
      1,
    );
    noFaults(page);
  });

  it("acts on steps that are not loaded", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    const operationId = randomUUID();
    await rollout(operationId);
    await others();
    await here.api.publish(draft("clean-up is done", { operationId }));
    await page.reload();
    await title(page, "clean-up is done").focus();
    await page.keyboard.press("e");
    await until("all steps are read", unread, A_PAGE);
    await page.getByLabel("Select: clean-up is done").click();
    await page.getByText("4 notifications selected").waitFor();
    await page.keyboard.press("Escape");
    await title(page, "clean-up is done").focus();
    await page.keyboard.press("#");
    await page.getByText("4 notifications deleted").waitFor();
    await page.clock.fastForward(8_000);
    await until("all steps are gone", async () => (await stored()).length, A_PAGE);
    assert.ok((await titles(page)).every((text) => text.startsWith("other")));
    noFaults(page);
  });

  it("excludes steps that arrive after the reader's choice", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    const operationId = randomUUID();
    await rollout(operationId);
    await shows(page, ["rollout is done"]);
    await title(page, "rollout is done").hover();
    await here.api.publish(draft("a late step", { operationId }));
    await page.getByRole("button", { name: "1 new" }).waitFor();
    await button(page, "rollout is done", "Delete").click();
    await shows(page, ["a late step"]);
    await page.clock.fastForward(8_000);
    await until("the others are gone", stored, ["a late step"]);
    noFaults(page);
  });

  it("does not hide a more severe step when it is opened", async () => {
    const page = await here.page(await here.context());
    await rollout();
    await title(page, "rollout is done").click();
    await counts(page, "3 notifications · 1 unread");
    await until("what is unread", async () => (await here.api.summary()).unread, { critical: 1 });
    await until("it shows", () => page.locator(".row.critical.is-unread").count(), 1);
    noFaults(page);
  });
});
