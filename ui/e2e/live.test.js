import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { counts, draft, noFaults, place, shows, state, title, titles, until } from "./support.js";

describe("an open inbox", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  it("shows changes immediately in two tabs with one connection and in another browser", async () => {
    const [one, other] = [await here.context(), await here.context()];
    const tabs = [await here.page(one), await here.page(one), await here.page(other)];
    for (const tab of tabs) {
      await state(tab, "Live");
    }
    assert.equal(await here.streams(), 2);
    await here.api.publish(draft("first"));
    await here.api.publish([draft("second"), draft("third", { owner: "system" })]);
    for (const tab of tabs) {
      await until("three", async () => (await titles(tab)).toSorted(), ["first", "second", "third"]);
      await counts(tab, "3 notifications · 3 unread");
    }
    assert.equal(await here.streams(), 2);
    noFaults(...tabs);
  });

  it("shows in one tab what another tab has read and deleted", async () => {
    const context = await here.context();
    const [one, two] = [await here.page(context), await here.page(context)];
    const [first, second] = await here.api.publish([draft("first"), draft("second")]);
    for (const tab of [one, two]) {
      await shows(tab, ["second", "first"]);
    }
    await one.bringToFront();
    await title(one, "first").click();
    await counts(one, "2 notifications · 1 unread");
    await counts(two, "2 notifications · 1 unread");
    await until("it is read", () => two.locator(".row.is-unread").count(), 1);
    await here.api.delete(second.id);
    await here.api.mark(first.id, "unread");
    for (const tab of [one, two]) {
      await shows(tab, ["first"]);
      await counts(tab, "1 notification · 1 unread");
    }
    noFaults(one, two);
  });

  it("continues in a visible tab when the leader freezes", async () => {
    const context = await here.context();
    const one = await here.page(context);
    await state(one, "Live");
    const two = await here.page(context);
    await state(two, "Live");
    assert.equal(await here.streams(), 1);
    await two.bringToFront();
    const session = await context.newCDPSession(one);
    // Freezes the tab as a browser does in the background.
    await session.send("Debugger.enable");
    await session.send("Debugger.pause");
    // The frozen tab still holds a connection that it does not read.
    await until("another connection", async () => (await here.streams()) >= 2, true);
    await here.api.publish(draft("after the freeze"));
    await shows(two, ["after the freeze"]);
    await session.send("Debugger.disable");
    await shows(one, ["after the freeze"]);
    await until("one connection", () => here.streams(), 1);
    await here.api.publish(draft("and on"));
    for (const tab of [one, two]) {
      await shows(tab, ["and on", "after the freeze"]);
    }
    noFaults(one, two);
  });

  it("continues in the other tab when the leader is closed", async () => {
    const context = await here.context();
    const one = await here.page(context);
    await state(one, "Live");
    const two = await here.page(context);
    await state(two, "Live");
    await one.close();
    await here.api.publish(draft("for the other"));
    await shows(two, ["for the other"]);
    await until("one connection", () => here.streams(), 1);
    noFaults(two);
  });

  it("misses nothing across a server restart and shows the state", async () => {
    const page = await here.page(await here.context());
    await here.api.publish(draft("before"));
    await shows(page, ["before"]);
    await here.server.kill();
    await state(page, "Connection lost, reconnecting…");
    await here.server.start();
    await here.api.publish(draft("meanwhile"));
    await shows(page, ["meanwhile", "before"]);
    await state(page, "Live");
    await counts(page, "2 notifications · 2 unread");
    noFaults(page);
  });

  it("reloads the list with a notice after a change of store", async () => {
    const page = await here.page(await here.context());
    await here.api.publish(draft("of the old store"));
    await shows(page, ["of the old store"]);
    await here.server.terminate();
    await here.server.forget();
    await here.server.start();
    await here.api.publish(draft("of the new store"));
    await shows(page, ["of the new store"]);
    await page.getByText("Some updates were missed. The list has been refreshed.").waitFor();
    await state(page, "Live");
    noFaults(page);
  });

  it("shows the offline state and catches up", async () => {
    const context = await here.context();
    const page = await here.page(context);
    await state(page, "Live");
    await context.setOffline(true);
    await here.server.kill();
    await state(page, "You are offline");
    await here.server.start();
    await here.api.publish(draft("while offline"));
    await context.setOffline(false);
    await shows(page, ["while offline"]);
    await state(page, "Live");
    noFaults(page);
  });

  it("does not move rows that the reader looks at", async () => {
    const page = await here.page(await here.context());
    await here.api.publish(Array.from({ length: 60 }, (_, n) => draft(`old ${n}`)));
    await until("the list", async () => (await titles(page)).length > 5, true);
    const scroller = page.locator("tidings-list .scroller");
    await scroller.evaluate((element) => element.scrollTo({ top: 900 }));
    await until("scrolled", async () => (await titles(page)).includes("old 59"), false);
    const before = await titles(page);
    await here.api.publish([draft("new 1"), draft("new 2"), draft("new 3")]);
    await page.getByRole("button", { name: "3 new" }).waitFor();
    assert.deepEqual(await titles(page), before);
    await counts(page, "63 notifications · 63 unread");
    await page.getByRole("button", { name: "3 new" }).click();
    await until("at the top", async () => (await titles(page)).slice(0, 4), [
      "new 3",
      "new 2",
      "new 1",
      "old 59",
    ]);
    noFaults(page);
  });
});
