import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { agree } from "../src/agreement.js";
import { Api } from "../src/api.js";
import { openBrowser } from "../src/chromium.js";
import { drafts } from "../src/drafts.js";
import { BrowserFollower } from "../src/followers/browser.js";
import { Server } from "../src/server.js";

/** `EventSource.OPEN`. */
const OPEN = 1;

describe("a browser's EventSource with an unusable cursor", () => {
  /** @type {Server} */
  let server;
  /** @type {Api} */
  let api;
  let browser;

  before(async () => {
    server = await Server.begin();
    api = new Api(server.origin);
    browser = await openBrowser();
    await api.publish(drafts(10));
  });

  after(async () => {
    await browser?.close();
    await server?.dispose();
  });

  /** Returns a cursor of this server, ahead of its head. */
  async function tooNew() {
    const { cursor } = await api.summary();
    const [own, ...rest] = cursor.split("-");
    return [Number(own) + 1_000, ...rest].join("-");
  }

  /** Returns a cursor of another server. */
  async function foreign() {
    const other = await Server.begin();
    try {
      const { cursor } = await new Api(other.origin).summary();
      return cursor;
    } finally {
      await other.dispose();
    }
  }

  const starts = { malformed: () => "yesterday", too_new: tooNew, foreign };

  for (const [reason, start] of Object.entries(starts)) {
    test(`receives reset ${reason} and stays connected`, async () => {
      const query = new URLSearchParams({ lastEventId: await start() });
      const follower = await BrowserFollower.begin(browser.context, `${api.streamUrl}?${query}`);
      await mustGoOn(follower, [reason]);
      await follower.dispose();
    });
  }

  test("receives a reset when it reconnects to a server with another store", async () => {
    const earliest = `${api.streamUrl}?lastEventId=earliest`;
    const follower = await BrowserFollower.begin(browser.context, earliest);
    await agree(api, [follower]);
    await server.kill();
    await server.forget();
    await server.start();
    await api.publish(drafts(3));
    await mustGoOn(follower, ["foreign"]);
    await follower.dispose();
  });

  /**
   * Checks that the follower was reset for these reasons, and follows again after it has loaded the list.
   *
   * @param {BrowserFollower} follower
   * @param {string[]} reasons
   */
  async function mustGoOn(follower, reasons) {
    const { inbox } = follower;
    await follower.until("a reset", () => inbox.resets.length === reasons.length);
    assert.deepEqual(inbox.resets, reasons);
    assert.equal(await follower.readyState(), OPEN);
    inbox.adopt(await api.list());
    await agree(api, [follower]);
    const [first] = await api.publish(drafts(2));
    await api.mark(first.id, "read");
    await agree(api, [follower]);
    assert.equal(await follower.readyState(), OPEN);
    assert.deepEqual(inbox.resets, reasons);
  }
});
