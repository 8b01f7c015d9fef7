import { describe, expect, it } from "vitest";

import type { Event } from "../api/event.js";
import { furtherUnread, revealsUnread } from "./unread.js";

const event = (fields: Partial<Event> = {}): Event =>
  ({ createdAt: "2026-08-01T10:00:00Z", severity: "error", status: "unread", ...fields }) as Event;

describe("furtherUnread", () => {
  const loaded = [event(), event({ severity: "debug" })];
  const to = "2026-08-01T10:00:00Z";

  it("asks for nothing if every unread event is loaded", () => {
    expect(furtherUnread({}, loaded, { unread: { error: 1, debug: 1 }, read: { error: 5 } })).toBeUndefined();
    expect(furtherUnread({ status: "read" }, loaded, { unread: { error: 9 }, read: {} })).toBeUndefined();
    expect(furtherUnread({}, [], { unread: { error: 9 }, read: {} })).toBeUndefined();
  });

  it("asks for all of a few, and for the urgent ones of many", () => {
    const few = furtherUnread({}, loaded, { unread: { error: 1, debug: 9 }, read: {} });
    expect(few).toMatchObject({ status: "unread", to });
    expect(few?.severity).toContain("debug");
    const many = furtherUnread({}, loaded, { unread: { error: 2, debug: 9_000 }, read: {} });
    expect(many?.severity).not.toContain("debug");
    expect(furtherUnread({}, loaded, { unread: { error: 1, debug: 9_000 }, read: {} })).toBeUndefined();
  });

  it("keeps the filter of the list", () => {
    const asked = furtherUnread({ severity: ["error"], search: "x" }, loaded, {
      unread: { error: 9 },
      read: {},
    });
    expect(asked).toEqual({ severity: ["error"], search: "x", status: "unread", to });
  });
});

describe("revealsUnread", () => {
  const update = (unread: Record<string, number>) =>
    ({ kind: "updated", cursor: "", change: { event: event(), unread } }) as const;

  it("is about unknown events whose unread counts changed, and the end of a replay", () => {
    expect(revealsUnread(update({ error: 1 }), () => true)).toBe(true);
    expect(revealsUnread(update({ error: 1 }), () => false)).toBe(false);
    expect(revealsUnread(update({}), () => true)).toBe(false);
    expect(revealsUnread({ kind: "live", cursor: "", summary: { unread: {}, read: {} } }, () => true)).toBe(true);
    expect(revealsUnread({ kind: "event", cursor: "", event: event() }, () => true)).toBe(false);
  });
});
