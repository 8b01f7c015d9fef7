import { describe, expect, it } from "vitest";

import type { Event } from "../api/schema.js";
import { Counter, totalOf } from "./counts.js";

const event = (fields: Partial<Event>): Event =>
  ({ id: "a", severity: "error", status: "unread", ...fields }) as Event;

const live = (unread: Record<string, number>, read: Record<string, number>) =>
  ({ kind: "live", cursor: "", summary: { unread, read } }) as const;

describe("Counter", () => {
  it("has no counts before the server sends them", () => {
    const counter = new Counter();
    expect(counter.take({ kind: "event", cursor: "", event: event({}) })).toBe(false);
    expect(counter.counts).toBeUndefined();
  });

  it("counts frames after `live` and none between `ready` and `live`", () => {
    const counter = new Counter();
    counter.take(live({ error: 1 }, {}));
    counter.take({ kind: "event", cursor: "", event: event({}) });
    counter.take({ kind: "event", cursor: "", event: event({ severity: "debug", status: "read" }) });
    expect(counter.counts).toEqual({ unread: { error: 2 }, read: { debug: 1 } });
    counter.take({ kind: "ready", cursor: "" });
    counter.take({ kind: "event", cursor: "", event: event({}) });
    expect(counter.summary).toBeUndefined();
    expect(counter.counts).toEqual({ unread: { error: 2 }, read: { debug: 1 } });
    counter.take(live({ error: 3 }, {}));
    expect(counter.counts).toEqual({ unread: { error: 3 }, read: {} });
  });

  it("applies deltas and omits severities without events", () => {
    const counter = new Counter();
    counter.take(live({ error: 2, success: 1 }, {}));
    counter.take({
      kind: "status",
      cursor: "",
      change: {
        ids: ["a"],
        status: "read",
        updatedAt: "",
        unread: { error: -2 },
        read: { error: 2 },
      } as never,
    });
    counter.take({
      kind: "deleted",
      cursor: "",
      change: { ids: ["b"], unread: { success: -1 } } as never,
    });
    expect(counter.counts).toEqual({ unread: {}, read: { error: 2 } });
    const update = (counts: object) =>
      ({ kind: "updated", cursor: "", change: { event: event({}), ...counts } }) as never;
    counter.take(update({ unread: {}, read: {} }));
    expect(counter.counts).toEqual({ unread: {}, read: { error: 2 } });
    counter.take(update({ unread: { alert: 1 }, read: { error: -1 } }));
    expect(counter.counts).toEqual({ unread: { alert: 1 }, read: { error: 1 } });
    counter.take({ kind: "ready", cursor: "" });
    counter.take(update({}));
    expect(counter.counts).toEqual({ unread: { alert: 1 }, read: { error: 1 } });
    counter.take(live({}, { error: 2 }));
    expect(totalOf(counter.counts?.read ?? {})).toBe(2);
  });
});
