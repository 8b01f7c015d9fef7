import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { counts, draft, look, noFaults, place, shows, title, until } from "./support.js";

describe("acting on events", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const stored = async () => (await here.api.summary()).totalCount;

  it("deletes with undo, and permanently after the undo period", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    await here.api.publish([draft("stays"), draft("goes")]);
    await shows(page, ["goes", "stays"]);
    const remove = async () => {
      await title(page, "goes").hover();
      await page.locator(".row", { hasText: "goes" }).getByRole("button", { name: "Delete" }).click();
      await shows(page, ["stays"]);
    };
    await remove();
    assert.equal(await stored(), 2, "it is not sent yet");
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(page, ["goes", "stays"]);
    await page.clock.fastForward(20_000);
    assert.equal(await stored(), 2);
    await remove();
    await page.clock.fastForward(8_000);
    await until("it is deleted", stored, 1);
    noFaults(page);
  });

  it("can undo each of several deletions, and names every button without a text", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    const names = ["row 1", "row 2", "row 3", "row 4", "row 5"];
    await here.api.publish(names.map((name) => draft(name)));
    await shows(page, names.toReversed());
    await page.getByLabel("Select: row 1").click();
    await title(page, "row 5").hover();
    const unnamed = await page.locator("tidings-inbox button").evaluateAll((buttons) =>
      buttons.filter(({ innerText, title }) => !innerText.trim() && !title).map(({ outerHTML }) => outerHTML),
    );
    assert.deepEqual(unnamed, [], "without a tooltip");
    await page.getByRole("button", { name: "Clear selection" }).click();
    await title(page, "row 5").focus();
    for (const left of [4, 3, 2, 1]) {
      await page.keyboard.press("#");
      await until("one less", () => page.locator("tidings-list .row").count(), left);
    }
    const notices = page.locator(".notice .named");
    await until("the newest three", () => notices.allTextContents(), ["row 4", "row 3", "row 2"].map((name) => `1 notification deleted: ${name}`));
    await page.locator(".notice", { hasText: ": row 3" }).getByRole("button", { name: "Undo" }).click();
    await shows(page, ["row 3", "row 1"]);
    for (const expected of [["row 3", "row 2", "row 1"], ["row 4", "row 3", "row 2", "row 1"]]) {
      await page.keyboard.press("z");
      await shows(page, expected);
    }
    await page.clock.fastForward(8_000);
    await until("only that one is deleted", stored, 4);
    noFaults(page);
  });

  it("sends waiting deletions when the page closes", async () => {
    const page = await here.page(await here.context());
    await here.api.publish([draft("stays"), draft("goes")]);
    await shows(page, ["goes", "stays"]);
    await title(page, "goes").focus();
    await page.keyboard.press("#");
    await shows(page, ["stays"]);
    await page.goto("about:blank");
    await until("it is deleted", stored, 1);
  });

  it("names what could not be deleted or marked, and tries again", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    await here.api.publish([draft("stays"), draft("goes")]);
    await shows(page, ["goes", "stays"]);
    let isAway = true;
    await page.route(/events\/(delete|status)$/, (route) => (isAway ? route.abort() : route.continue()));
    const notice = page.locator(".notice.failed");
    const again = () => notice.getByRole("button", { name: "Try again" }).click();
    await title(page, "goes").focus();
    await page.keyboard.press("e");
    await notice.getByText("Could not mark goes").waitFor();
    isAway = false;
    await again();
    await counts(page, "2 notifications · 1 unread");
    await until("no notice", () => notice.count(), 0);
    isAway = true;
    await page.keyboard.press("#");
    await shows(page, ["stays"]);
    await page.clock.fastForward(8_000);
    await notice.getByText("Could not delete goes").waitFor();
    await shows(page, ["goes", "stays"]);
    // The stream is live, so nothing claims that the server is away.
    assert.equal(await page.getByText("cannot be reached").count(), 0);
    await look(page, "failed-deletion");
    isAway = false;
    await again();
    await shows(page, ["stays"]);
    await page.clock.fastForward(8_000);
    await until("it is deleted", stored, 1);
    await page.getByRole("heading", { name: "Tidings" }).click();
    await here.api.publish(draft("another"));
    await shows(page, ["another", "stays"]);
    isAway = true;
    await page.getByLabel("Select: another").click();
    await page.getByLabel("Select: stays").click();
    await page.locator(".chosen").getByRole("button", { name: "Delete" }).click();
    await page.clock.fastForward(8_000);
    await notice.getByText("Could not delete 2 notifications: another and 1 more").waitFor();
    await page.unrouteAll();
    noFaults(page);
  });

  it("marks and deletes selections and ranges", async () => {
    const page = await here.page(await here.context());
    await page.clock.install();
    await here.api.publish(["a", "b", "c", "d", "e"].map((name) => draft(name)));
    await shows(page, ["e", "d", "c", "b", "a"]);
    await page.getByLabel("Select: d").click();
    await page.getByLabel("Select: b").click({ modifiers: ["Shift"] });
    await page.getByText("3 selected").waitFor();
    await page.locator(".chosen").getByRole("button", { name: "Mark as read" }).click();
    await counts(page, "5 notifications · 2 unread");
    await page.getByLabel("Select: a").click();
    await page.getByLabel("Select: e").click();
    await page.locator(".chosen").getByRole("button", { name: "Delete" }).click();
    await shows(page, ["d", "c", "b"]);
    await page.getByText("2 notifications deleted").waitFor();
    await page.clock.fastForward(8_000);
    await until("they are deleted", stored, 3);
    noFaults(page);
  });

  it("marks the selection and not the focused row by `e`, back and forth", async () => {
    const page = await here.page(await here.context());
    await here.api.publish(["a", "b", "c"].map((name) => draft(name)));
    await shows(page, ["c", "b", "a"]);
    const unread = () => page.locator(".row.is-unread .text").allTextContents();
    for (const expected of [["c"], ["c", "b", "a"]]) {
      await title(page, "c").focus();
      for (const name of ["a", "b"]) {
        await page.getByLabel(`Select: ${name}`).click();
      }
      await title(page, "c").focus();
      await page.keyboard.press("e");
      await until("the selection is marked", unread, expected);
      await until("nothing is selected", () => page.locator(".chosen").count(), 0);
    }
    noFaults(page);
  });

  it("marks all that match by `e`, also if only unloaded ones are unread", async () => {
    const stored = await here.api.publish(Array.from({ length: 250 }, (_, n) => draft(`routine ${n}`)));
    await here.api.markMany({ ids: stored.slice(-100).map(({ id }) => id), status: "read" });
    const page = await here.page(await here.context());
    await counts(page, "250 notifications · 150 unread");
    await title(page, "routine 249").hover();
    await page.keyboard.press("*");
    await page.getByText("All 250 matching notifications are selected").waitFor();
    await page.keyboard.press("e");
    await counts(page, "250 notifications · 0 unread");
    noFaults(page);
  });

  it("selects all matching events, including unloaded ones and excluding later ones", async () => {
    const page = await here.page(await here.context());
    const many = Array.from({ length: 700 }, (_, n) => draft(`routine ${n}`, { severity: "debug" }));
    await here.api.publish(many);
    await here.api.publish([draft("kept", { severity: "error" })]);
    await page.getByRole("button", { name: "Debug 700" }).click();
    await counts(page, "700 matches · 701 unread in all");
    await page.locator("tidings-list .row").first().hover();
    await page.keyboard.press("*");
    await page.getByText("All 700 matching notifications are selected").waitFor();
    await page.locator(".chosen").getByRole("button", { name: "Mark as read" }).click();
    await counts(page, "700 matches · 1 unread in all");
    await page.keyboard.press("*");
    await page.getByText("All 700 matching notifications are selected").waitFor();
    await page.locator(".chosen").getByRole("button", { name: "Delete" }).click();
    await here.api.publish(draft("came later", { severity: "debug" }));
    await until("they are deleted", stored, 2);
    await shows(page, ["came later"]);
    noFaults(page);
  });

  it("works by keyboard only", async () => {
    const page = await here.page(await here.context());
    await here.api.publish(["a", "b", "c"].map((name) => draft(name)));
    await shows(page, ["c", "b", "a"]);
    const focused = () =>
      page.evaluate(() => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) {
          element = element.shadowRoot.activeElement;
        }
        return element?.querySelector(".text")?.textContent ?? element?.tagName;
      });
    // Tab alone reaches the list; `j` reaches it from anywhere in the inbox.
    await page.keyboard.press("Tab");
    for (let tabs = 0; (await focused()) !== "c"; tabs += 1) {
      assert.ok(tabs < 20, "Tab does not lead to the list");
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("j");
    await until("the second", focused, "b");
    await page.keyboard.press("ArrowDown");
    await until("the third", focused, "a");
    await page.keyboard.press("k");
    await until("the second again", focused, "b");
    await page.keyboard.press("e");
    await counts(page, "3 notifications · 2 unread");
    await page.keyboard.press("e");
    await counts(page, "3 notifications · 3 unread");
    await page.keyboard.press("Enter");
    await until("it is open", () => page.locator("tidings-event-detail").count(), 1);
    await counts(page, "3 notifications · 2 unread");
    await page.keyboard.press("Escape");
    await until("it is closed", () => page.locator("tidings-event-detail").count(), 0);
    await page.keyboard.press("x");
    await page.keyboard.press("k");
    await until("the first", focused, "c");
    await page.keyboard.press("Shift+X");
    await page.getByText("2 selected").waitFor();
    await page.keyboard.press("Escape");
    await until("nothing is selected", () => page.locator(".chosen").count(), 0);
    await page.keyboard.press("#");
    await shows(page, ["b", "a"]);
    await until("the next", focused, "b");
    await page.keyboard.press("z");
    await shows(page, ["c", "b", "a"]);
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    await page.keyboard.type("b?");
    await until("typed", () => page.getByPlaceholder("Search descriptions").inputValue(), "b?");
    await page.getByRole("heading", { name: "No notifications match" }).waitFor();
    await page.keyboard.press("Escape");
    await until("the list again", focused, "c");
    noFaults(page);
  });

  it("takes keys after a click on the page's own bell, but none that a field or a dialog takes", async () => {
    const page = await here.page(await here.context());
    await here.api.publish(["a", "b"].map((name) => draft(name)));
    await shows(page, ["b", "a"]);
    await page.getByRole("button", { name: "Notifications, 2 unread" }).click();
    await page.keyboard.press("j");
    await page.keyboard.press("e");
    await until("it is read", () => page.locator(".row:not(.is-unread) .text").allTextContents(), ["b"]);
    await page.evaluate(() => {
      const field = document.createElement("input");
      field.setAttribute("aria-label", "A field of the page");
      document.body.prepend(field);
    });
    await page.getByLabel("A field of the page").fill("");
    await page.keyboard.type("#");
    assert.equal(await page.getByLabel("A field of the page").inputValue(), "#");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.keyboard.press("#");
    await page.keyboard.press("Escape");
    await shows(page, ["b", "a"]);
    noFaults(page);
  });

  it("announces new events according to the settings, in one of several tabs", async () => {
    const context = await here.context();
    const [one, two] = [await here.page(context), await here.page(context)];
    await two.getByRole("button", { name: "Settings" }).click();
    await two.getByRole("group", { name: "Pop-ups on this page" }).getByLabel("Error").check();
    await two.getByRole("button", { name: "Done" }).click();
    await here.api.publish([draft("nobody asked"), draft("look here", { severity: "error" })]);
    const toasts = async () =>
      (await one.locator(".toast").count()) + (await two.locator(".toast").count());
    await until("a toast", toasts, 1);
    for (const tab of [one, two]) {
      await shows(tab, ["look here", "nobody asked"]);
    }
    assert.equal(await toasts(), 1);
    await look((await one.locator(".toast").count()) > 0 ? one : two, "toast");
    const shown = (await one.locator(".toast").count()) > 0 ? one : two;
    await shown.locator(".toast .what").click();
    await until("it is open", () => shown.locator("tidings-event-detail").count(), 1);
    noFaults(one, two);
  });

  it("keeps an opened event unread if the setting says so", async () => {
    const page = await here.page(await here.context());
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Mark a notification as read when I open it").uncheck();
    await page.getByRole("button", { name: "Done" }).click();
    await here.api.publish(draft("read later"));
    await title(page, "read later").click();
    await until("it is open", () => page.locator("tidings-event-detail").count(), 1);
    await here.api.publish(draft("so that something happened since"));
    await counts(page, "2 notifications · 2 unread");
    noFaults(page);
  });

  it("sends a test event from the welcome page", async () => {
    const page = await here.page(await here.context());
    await page.getByRole("button", { name: "Send a test event" }).click();
    await shows(page, ["My first event: connected to the cluster"]);
    noFaults(page);
  });
});
