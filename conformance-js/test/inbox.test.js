import assert from "node:assert/strict";
import { test } from "node:test";

import { Inbox } from "../src/inbox.js";

const ERROR = { id: "e", severity: "error", status: "unread", updatedAt: "1" };
const DEBUG = { id: "d", severity: "debug", status: "unread", updatedAt: "1" };

let position = 0;

/**
 * @param {string} name
 * @param {object} data
 */
function frame(name, data) {
  position += 1;
  const cursor = String(position);
  const named = ["ready", "live", "reset"].includes(name) ? { cursor, ...data } : data;
  return { name, data: JSON.stringify(named), cursor };
}

/** @param {...any} events */
function liveWith(...events) {
  const inbox = new Inbox();
  inbox.apply(frame("ready", {}));
  const unread = {};
  for (const event of events) {
    inbox.apply(frame("message", event));
    unread[event.severity] = 1;
  }
  inbox.apply(frame("live", { summary: { unread, read: {} } }));
  inbox.settle();
  return inbox;
}

test("applies and counts changes", () => {
  const inbox = liveWith(ERROR);
  inbox.apply(frame("message", DEBUG));
  const read = { status: "read", updatedAt: "2" };
  inbox.apply(
    frame("status", { ids: ["e"], ...read, unread: { error: -1 }, read: { error: 1 } }),
  );
  inbox.apply(frame("deleted", { ids: ["d"], unread: { debug: -1 }, read: {} }));
  assert.deepEqual(inbox.sorted(), [{ ...ERROR, ...read }]);
  assert.deepEqual(inbox.counts, { unread: {}, read: { error: 1 } });
});

test("detects violations of the rules", () => {
  const read = { ids: ["e"], status: "read", updatedAt: "2" };
  const wrong = [
    ["an event again", frame("message", ERROR)],
    ["an unknown event", frame("status", { ...read, ids: ["x"], unread: {}, read: {} })],
    ["no counts", frame("status", read)],
    ["half the counts", frame("status", { ...read, unread: { error: -1 }, read: {} })],
    ["another severity", frame("deleted", { ids: ["e"], unread: { debug: -1 }, read: {} })],
    ["another cursor", frame("live", { cursor: "x", summary: { unread: { error: 1 }, read: {} } })],
    ["another name", frame("changed", {})],
  ];
  for (const [what, next] of wrong) {
    assert.throws(() => liveWith(ERROR).apply(next), undefined, what);
  }
});

test("rejects counts before `live`", () => {
  const inbox = liveWith(ERROR);
  inbox.apply(frame("ready", {}));
  assert.throws(() => inbox.apply(frame("deleted", { ids: ["e"], unread: { error: -1 }, read: {} })));
});

test("accepts a current event before the counts", () => {
  const inbox = new Inbox();
  inbox.apply(frame("ready", {}));
  inbox.apply(frame("message", { ...ERROR, status: "read" }));
  inbox.apply(frame("live", { summary: { unread: { error: 1 }, read: {} } }));
  assert.throws(() => inbox.settle());
  const again = new Inbox();
  again.apply(frame("ready", {}));
  again.apply(frame("message", { ...ERROR, status: "read" }));
  again.apply(frame("live", { summary: { unread: { error: 1 }, read: {} } }));
  const counts = { unread: { error: -1 }, read: { error: 1 } };
  again.apply(frame("status", { ids: ["e"], status: "read", updatedAt: "2", ...counts }));
  again.settle();
});

test("requires equal counts at equal cursors", () => {
  const inbox = liveWith(ERROR);
  const { cursor } = inbox;
  const live = (unread) => frame("live", { summary: { unread, read: {} } });
  inbox.apply({ ...frame("ready", { cursor }), cursor });
  const wrong = { ...live({ error: 2 }), cursor };
  wrong.data = JSON.stringify({ ...JSON.parse(wrong.data), cursor });
  assert.throws(() => inbox.apply(wrong));
});

test("merges the list after a reset with later frames", () => {
  const inbox = liveWith(ERROR);
  inbox.apply(frame("reset", { reason: "too_old" }));
  inbox.apply(frame("live", { summary: { unread: {}, read: {} } }));
  inbox.apply(frame("message", DEBUG));
  inbox.adopt({ events: [DEBUG], cursor: String(position) });
  assert.deepEqual(inbox.sorted(), [DEBUG]);
  assert.deepEqual(inbox.counts, { unread: { debug: 1 }, read: {} });
  assert.equal(inbox.cursor, String(position));
});
