import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { agree, compareCounts } from "../src/agreement.js";
import { Api } from "../src/api.js";
import { openBrowser } from "../src/chromium.js";
import { drafts } from "../src/drafts.js";
import { BrowserFollower } from "../src/followers/browser.js";
import { CurlFollower } from "../src/followers/curl.js";
import { NodeFollower } from "../src/followers/node.js";
import { Server } from "../src/server.js";
import { Traffic } from "../src/traffic.js";

/** The number of responses before the server is stopped. */
const ANSWERS = 100;

/** More events than one frame names and one step of a bulk change covers. */
const MANY = 3_000;

/** The batch size. */
const BATCH = 500;

describe("followers in Node, a browser and curl across server restarts", () => {
  /** @type {Server} */
  let server;
  /** @type {Api} */
  let api;
  let browser;
  /** @type {(NodeFollower | BrowserFollower | CurlFollower)[]} */
  let followers = [];

  before(async () => {
    server = await Server.begin();
    api = new Api(server.origin);
    browser = await openBrowser();
    followers = [
      new NodeFollower(api.streamUrl),
      await BrowserFollower.begin(browser.context, api.streamUrl),
      new CurlFollower(server, api.streamUrl),
    ];
    // They start "from now", which must not be after the first event.
    await agree(api, followers);
  });

  after(async () => {
    await Promise.all(followers.map((follower) => follower.dispose()));
    await browser?.close();
    await server?.dispose();
  });

  /** The number of `live` frames after the next reconnect. */
  const nextLives = () => followers.map(({ inbox }) => inbox.lives + 1);

  test("receive live events", async () => {
    const [first, second, third, ...others] = await api.publish(drafts(20));
    const [read, removed] = await api.publish(drafts(3, { owner: "system" }));
    await api.mark(first.id, "read");
    await api.mark(read.id, "read");
    await api.mark(second.id, "read");
    await api.mark(second.id, "unread");
    await api.markMany({ ids: others.slice(0, 5).map(({ id }) => id), status: "read" });
    await api.delete(third.id);
    await api.delete(removed.id);
    await api.deleteMany({ ids: others.slice(4, 7).map(({ id }) => id) });
    const list = await agree(api, followers);
    assert.equal(list.events.length, 18);
    assert.equal(list.readCount, 6);
  });

  test("a change by filter excludes newer events", async () => {
    const { cursor } = await api.list();
    const newer = await api.publish(drafts(8));
    await api.markMany({ filter: { severity: ["error", "warning"] }, upTo: cursor, status: "read" });
    await api.deleteMany({ filter: { action: ["apply"] }, upTo: cursor });
    const list = await agree(api, followers);
    for (const { id } of newer) {
      assert.equal(list.events.find((event) => event.id === id)?.status, "unread");
    }
  });

  for (const end of /** @type {const} */ (["kill", "terminate", "kill"])) {
    test(`miss nothing after ${end} under load`, async (t) => {
      const lives = nextLives();
      const traffic = new Traffic(api);
      await traffic.reaches(ANSWERS);
      await server[end]();
      await traffic.ended;
      await server.start();
      // The slower clients have not reconnected yet.
      await api.publish(drafts(5));
      const { cursor } = await api.summary();
      await api.markMany({ filter: { severity: ["success"] }, upTo: cursor, status: "read" });
      await agree(api, followers, lives);
      const compared = compareCounts(traffic.summaries, followers);
      assert(compared > 0, "no summary was at a cursor of theirs");
      t.diagnostic(`${compared} times, counts were those of a summary`);
    });
  }

  test("miss nothing after SIGKILL during bulk changes", async (t) => {
    for (let sent = 0; sent < MANY; sent += BATCH) {
      await api.publish(drafts(BATCH, { owner: sent === 0 ? "system" : undefined }));
    }
    const { cursor: upTo } = await agree(api, followers);
    const changes = [
      ["status", () => api.markMany({ all: true, status: "read" })],
      ["status", () => api.markMany({ filter: { search: "a" }, upTo, status: "unread" })],
      ["deleted", () => api.deleteMany({ filter: { action: ["undo"] }, upTo })],
    ];
    for (const [frame, change] of changes) {
      const lives = nextLives();
      const broken = change().catch((error) => error);
      await followers[2].next(frame);
      await server.kill();
      await broken;
      await server.start();
      const { count } = await change();
      t.diagnostic(`${count} were left to be ${frame === "status" ? "marked" : frame}`);
      await agree(api, followers, lives);
    }
  });

  test("miss nothing after two restarts in a row", async () => {
    const lives = nextLives();
    for (const end of /** @type {const} */ (["kill", "kill", "terminate"])) {
      const { cursor: upTo, events } = await api.list();
      await server[end]();
      await server.start();
      await api.publish(drafts(3));
      await api.publish(drafts(2, { owner: "system" }));
      await api.markMany({ ids: events.slice(0, 9).map(({ id }) => id), status: "read" });
      await api.deleteMany({ ids: events.slice(5, 9).map(({ id }) => id) });
      await api.markMany({ filter: { ownerKind: "system" }, upTo, status: "unread" });
    }
    await agree(api, followers, lives);
  });

  test("agree with a client that starts at revision 0", async () => {
    const earliest = `${api.streamUrl}?lastEventId=earliest`;
    const fresh = [
      new NodeFollower(earliest),
      await BrowserFollower.begin(browser.context, earliest),
      new CurlFollower(server, api.streamUrl, "earliest"),
    ];
    followers.push(...fresh);
    await agree(api, followers);
    await api.deleteMany({ all: true });
    const { events } = await agree(api, followers);
    assert.deepEqual(events, []);
  });
});
