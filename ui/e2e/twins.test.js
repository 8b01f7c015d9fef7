import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { counts, draft, noFaults, place, shows, title, until } from "./support.js";

describe("the user's own event and one of the system with the same id", () => {
  const here = place();
  /** The id of both. A deleted event stays deleted if it is published again. */
  let id;
  beforeEach(async () => {
    await here.clear();
    id = crypto.randomUUID();
    const operation = (n) => `7b1d2c3e-0000-4000-8000-00000000000${n}`;
    await here.api.publish(draft("own", { id, operationId: operation(1) }));
    await here.api.publish(
      draft("shared", { id, operationId: operation(2), owner: "system" }),
    );
  });
  afterEach(() => here.cleanUp());

  /** The status of the own event and of the system's on the server. */
  const statuses = () => Promise.all(["user", "system"].map(statusOf));
  const statusOf = async (kind) => {
    try {
      return (await here.api.get(`${id}?ownerKind=${kind}`)).status;
    } catch (error) {
      assert.equal(error.status, 404);
      return "gone";
    }
  };

  const row = (page, name) => page.locator("tidings-list .row", { hasText: name });
  const unread = (page) =>
    page.locator("tidings-list .row.is-unread .text").allTextContents();

  it("are marked, deleted and opened apart", async () => {
    const page = await here.page(await here.context());
    await shows(page, ["shared", "own"]);
    await title(page, "shared").hover();
    await row(page, "shared").getByRole("button", { name: "Mark as read" }).click();
    await until("the system's is read", statuses, ["unread", "read"]);
    await counts(page, "2 notifications · 1 unread");
    assert.deepEqual(await unread(page), ["own"]);

    // Changes elsewhere reach the event that they name.
    await here.api.mark(`${id}?ownerKind=system`, "unread");
    await until("both are unread", () => unread(page), ["shared", "own"]);
    await here.api.mark(`${id}?ownerKind=user`, "read");
    await until("the own one is read", () => unread(page), ["shared"]);

    // A selection can hold both.
    await page.getByLabel("Select: own").click();
    await page.getByText("1 selected").waitFor();
    await page.getByLabel("Select: shared").click();
    await page.getByText("2 selected").waitFor();
    await page.locator(".chosen").getByRole("button", { name: "Mark as unread" }).click();
    await until("both are unread", statuses, ["unread", "unread"]);

    await title(page, "shared").focus();
    await page.keyboard.press("#");
    await shows(page, ["own"]);
    await page.goto("about:blank");
    await until("the system's is deleted", statuses, ["unread", "gone"]);
    noFaults(page);
  });

  it("have a link each", async () => {
    const context = await here.context();
    for (const [name, opened] of [
      [id, "own"],
      [`system:${id}`, "shared"],
    ]) {
      const page = await here.page(context, `/?event=${name}`);
      await page.locator("tidings-list .line", { has: page.locator(".detail") }).waitFor();
      const open = page.locator("tidings-list .row.is-open .text");
      await until("the event is open", () => open.allTextContents(), [opened]);
      noFaults(page);
    }
  });

  it("disappear one by one when they are deleted elsewhere", async () => {
    const page = await here.page(await here.context());
    await shows(page, ["shared", "own"]);
    await here.api.delete(`${id}?ownerKind=user`);
    await shows(page, ["shared"]);
    await here.api.delete(`${id}?ownerKind=system`);
    await shows(page, []);
    noFaults(page);
  });
});
