import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Event } from "../api/event.js";
import type { Severity } from "../api/schema.js";
import { claim } from "./claim.js";
import { Herald } from "./herald.js";

/** Web Locks that grant each name to the first request. */
function locks(): LockManager {
  const held = new Set<string>();
  return {
    async request(name: string, _options: LockOptions, callback: (lock: Lock | null) => unknown) {
      if (held.has(name)) {
        return callback(null);
      }
      held.add(name);
      await callback({ name, mode: "exclusive" });
      held.delete(name);
    },
  } as unknown as LockManager;
}

describe("claim", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("succeeds in one tab per event", async () => {
    const shared = locks();
    const claims = ["a", "a", "b", "a"].map((id) => claim(id, shared));
    expect(await Promise.all(claims)).toEqual([true, false, true, false]);
  });
});

describe("Herald", () => {
  const told: string[] = [];
  let visibility: DocumentVisibilityState = "visible";
  let settings: { toasts?: Severity[]; desktop?: Severity[] } = {};

  beforeEach(() => {
    vi.useFakeTimers();
    told.length = 0;
    visibility = "visible";
    settings = { toasts: ["error"], desktop: ["alert"] };
    vi.stubGlobal("document", {
      get visibilityState() {
        return visibility;
      },
    });
    vi.stubGlobal("localStorage", { getItem: () => JSON.stringify(settings) });
    vi.stubGlobal("navigator", { locks: locks() });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const herald = () =>
    new Herald({
      toast: (event) => told.push(`toast ${event.id}`),
      desktop: (event) => told.push(`desktop ${event.id}`),
    });
  const live = { kind: "live", cursor: "", summary: { unread: {}, read: {} } } as const;
  const event = (id: string, severity: Severity, status = "unread") =>
    ({ kind: "event", cursor: "", event: { id, severity, status } as Event }) as const;

  it("shows enabled events where the reader looks", async () => {
    const teller = herald();
    teller.take(live);
    for (const frame of [event("a", "error"), event("b", "alert"), event("c", "error", "read")]) {
      teller.take(frame);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(["toast a"]);
    visibility = "hidden";
    teller.take(event("d", "error"));
    teller.take(event("e", "alert"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(["toast a", "desktop e"]);
  });

  describe("of an update", () => {
    let version = 0;
    const update = (severity: Severity, unread: Record<string, number> | undefined, status = "unread") => {
      version += 1;
      const changed = { id: "a", severity, status, updatedAt: String(version) } as Event;
      return { kind: "updated", cursor: "", change: { event: changed, ...(unread ? { unread } : {}) } } as const;
    };

    async function toldOf(...frames: Parameters<Herald["take"]>[0][]) {
      const teller = herald();
      teller.take(live);
      for (const frame of frames) {
        teller.take(frame);
        await vi.advanceTimersByTimeAsync(1_000);
      }
      return told.splice(0);
    }

    it("announces an event that is unread again or more urgent", async () => {
      expect(await toldOf(update("error", { error: 1 }))).toEqual(["toast a"]);
      expect(await toldOf(update("error", { error: 1, warning: -1 }))).toEqual(["toast a"]);
      // Also shortly after its arrival.
      expect(await toldOf(event("a", "error"), update("error", { error: 1 }))).toHaveLength(2);
      visibility = "hidden";
      expect(await toldOf(update("alert", { alert: 1, error: -1 }))).toEqual(["desktop a"]);
    });

    it("is silent about all others", async () => {
      expect(await toldOf(update("error", {}))).toEqual([]);
      expect(await toldOf(update("error", { error: 1 }, "read"))).toEqual([]);
      // Less urgent than before.
      expect(await toldOf(update("error", { error: 1, critical: -1 }))).toEqual([]);
      // Severities without toasts.
      expect(await toldOf(update("success", { success: 1 }))).toEqual([]);
      expect(await toldOf({ kind: "ready", cursor: "" }, update("error", undefined))).toEqual([]);
      expect(await toldOf({ kind: "ready", cursor: "" }, update("error", { error: 1 }))).toEqual([]);
    });

    it("announces it once across tabs", async () => {
      const frame = update("error", { error: 1 });
      for (const tab of [herald(), herald()]) {
        tab.take(live);
        tab.take(frame);
      }
      await vi.advanceTimersByTimeAsync(1_000);
      expect(told).toEqual(["toast a"]);
    });
  });

  it("ignores replayed events", async () => {
    const teller = herald();
    teller.take(event("a", "error"));
    teller.take(live);
    teller.take({ kind: "ready", cursor: "" });
    teller.take(event("b", "error"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual([]);
  });

  it("announces an event once across tabs", async () => {
    const tabs = [herald(), herald(), herald()];
    for (const tab of tabs) {
      tab.take(live);
    }
    for (const tab of tabs) {
      tab.take(event("a", "error"));
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(["toast a"]);
  });

  it("announces nothing by default", async () => {
    settings = {};
    const teller = herald();
    teller.take(live);
    teller.take(event("a", "emergency"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual([]);
  });
});
